"""The bootstrap draws customers, not rows, and compares models on the same draws."""

from __future__ import annotations

import numpy as np
import pytest

from tierlens.errors import UsageError
from tierlens.risk.evaluation.bootstrap import Rows, drawn_copies, metric_table, paired_difference, percentile_interval
from tierlens.risk.evaluation.metrics import auc, brier


def test_rows_of_a_customer_are_drawn_together():
    customers = np.repeat(np.arange(50), 3)
    for weights in drawn_copies(customers, draws=5, seed=3):
        assert weights.sum() % 3 == 0
        grouped = weights.reshape(50, 3)
        assert (grouped == grouped[:, :1]).all()
        assert grouped[:, 0].sum() == 50


def test_repeating_every_row_does_not_narrow_the_interval():
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 2, 300), rng.random(300)
    once = percentile_interval(metric_table(brier, Rows(y, np.arange(300)), {"m": p}, draws=300)["m"])
    many = Rows(np.repeat(y, 4), np.repeat(np.arange(300), 4))
    thrice = percentile_interval(metric_table(brier, many, {"m": np.repeat(p, 4)}, draws=300)["m"])
    assert (once.low, once.high) == pytest.approx((thrice.low, thrice.high))


def test_the_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(1)
    hits = 0
    for trial in range(100):
        y = (rng.random(150) < 0.4).astype(int)
        found = percentile_interval(
            metric_table(brier, Rows(y, np.arange(150)), {"m": np.full(150, 0.5)}, draws=100, seed=trial)["m"]
        )
        hits += found.low <= 0.25 <= found.high
    # Brier of 0.5 is 0.25 whatever happens: the interval has no width and always covers
    assert hits == 100
    hits = 0
    for trial in range(100):
        y = (rng.random(150) < 0.4).astype(int)
        found = percentile_interval(
            metric_table(brier, Rows(y, np.arange(150)), {"m": np.zeros(150)}, draws=200, seed=trial)["m"]
        )
        hits += found.low <= 0.4 <= found.high
    assert 87 <= hits <= 100


def test_a_metric_by_cutoff_is_the_mean_of_the_cutoffs():
    rng = np.random.default_rng(2)
    y, p, days = rng.integers(0, 2, 200), rng.random(200), np.repeat([7, 9], 100)
    found = metric_table(auc, Rows(y, np.arange(200), days), {"m": p}, draws=0)["m"][0]
    assert found == pytest.approx((auc(y[:100], p[:100]) + auc(y[100:], p[100:])) / 2)


def test_a_cutoff_of_one_outcome_says_nothing_of_a_ranking():
    rng = np.random.default_rng(4)
    y, p, days = rng.integers(0, 2, 200), rng.random(200), np.repeat([7, 9], 100)
    y[days == 9] = 0
    found = metric_table(auc, Rows(y, np.arange(200), days), {"m": p}, draws=50)["m"]
    assert found[0] == pytest.approx(auc(y[:100], p[:100]))
    assert percentile_interval(found).low < found[0]
    both = metric_table(brier, Rows(y, np.arange(200), days), {"m": p}, draws=0)["m"][0]
    assert both == pytest.approx((brier(y[:100], p[:100]) + brier(y[100:], p[100:])) / 2)


def test_a_draw_of_one_outcome_at_a_small_cutoff_keeps_the_other_cutoffs():
    rng = np.random.default_rng(5)
    y, p, days = rng.integers(0, 2, 103), rng.random(103), np.repeat([7, 9], [100, 3])
    y[100:] = 0, 0, 1
    rows = Rows(y, np.arange(103), days)
    drawn = metric_table(auc, rows, {"a": p, "b": 1 - p}, draws=200)
    assert np.isfinite(drawn["a"]).all()
    lone = [not (weight[100:102].any() and weight[102]) for weight in drawn_copies(np.arange(103), 200)]
    assert 0 < sum(lone) < 200
    for number, weight in enumerate(drawn_copies(np.arange(103), 200)):
        if lone[number]:
            assert drawn["a"][number + 1] == pytest.approx(auc(y[:100], p[:100], weight[:100]))


def test_rows_of_one_outcome_are_told_of():
    drawn = metric_table(auc, Rows([0, 0, 0], ["a", "b", "c"]), {"m": [0.1, 0.2, 0.3]}, draws=30)["m"]
    with pytest.raises(UsageError, match="E-RI-013: a figure cannot be computed: all rows have the same outcome"):
        percentile_interval(drawn)


def test_a_paired_difference_is_narrower_than_two_intervals_apart():
    rng = np.random.default_rng(3)
    y = (rng.random(400) < 0.5).astype(int)
    base = y + rng.normal(size=400)
    drawn = metric_table(auc, Rows(y, np.arange(400)), {"a": base + 0.05 * y, "b": base}, draws=200)
    apart = paired_difference(drawn, "a", "b")
    assert apart.above()
    assert apart.high - apart.low < 0.5 * (percentile_interval(drawn["a"]).high - percentile_interval(drawn["a"]).low)


def test_the_same_seed_gives_the_same_draws():
    rows = Rows(np.arange(40) % 2, np.arange(40))
    risks = {"m": np.random.default_rng(0).random(40)}
    first, second = (metric_table(auc, rows, risks, draws=30, seed=5)["m"] for _ in range(2))
    assert (first == second).all()
    assert (first != metric_table(auc, rows, risks, draws=30, seed=6)["m"]).any()


def test_few_draws_make_no_interval():
    with pytest.raises(UsageError, match=r"E-RI-012: 5 draws make no interval; draw 200 or more"):
        percentile_interval(np.zeros(6))
