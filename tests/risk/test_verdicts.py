"""Verdicts of models: alarms, champion and challenger, folds, campaigns, kept baselines, intervals of a risk."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from tierlens.errors import DataError, UsageError
from tierlens.features.windows import Window
from tierlens.risk.evaluation.alarms import GROUPS, Placed, drift_alarms
from tierlens.risk.evaluation.backtest import backtest_risks
from tierlens.risk.evaluation.bootstrap import Interval, Rows
from tierlens.risk.evaluation.compare import METRICS, TITLES, Compared, compare_models
from tierlens.risk.evaluation.metrics import auc, calibration_error
from tierlens.risk.evaluation.plain_baseline import PLAIN, Plain, Scale, fit_line, load_plain
from tierlens.risk.evaluation.profit import Campaign, expected_maximum_profit, expected_profit
from tierlens.risk.evaluation.risk_interval import Asked, Known, risk_bounds, season_error
from tierlens.risk.evaluation.split import SnapshotSplit
from tierlens.risk.model.classifier import RiskClassifier

Floats = npt.NDArray[np.float64]
SEEDS = st.integers(0, 10_000)
few = settings(max_examples=8, deadline=None)

# --- alarms


def placed(seed: int, before: int, now: int, low: int = 0, *, cumulated: bool = False) -> Placed:
    rng = np.random.default_rng(seed)
    return Placed(rng.integers(0, 5, before), rng.integers(low, 5, now), 6, cumulated)


@few
@given(SEEDS)
def test_customers_of_other_names_in_another_order_raise_the_same_alarms(seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns = [placed(seed + at, 120, 90, low) for at, low in enumerate((0, 0, 1))]
    before, now = np.sort(rng.integers(0, 40, 120)), np.sort(rng.integers(20, 60, 90))
    plain = drift_alarms(columns, before, now, seed=3)
    order, other = rng.permutation(120), rng.permutation(90)
    mixed = [Placed(one.before[order], one.now[other], one.bins, one.cumulated) for one in columns]
    assert drift_alarms(mixed, before[order], now[other], seed=3).tolist() == plain.tolist()
    named = [np.array([f"c{number:03d}" for number in ids]) for ids in (before, now)]
    assert drift_alarms(columns, named[0], named[1], seed=3).tolist() == plain.tolist()


@few
@given(SEEDS)
def test_a_column_given_twice_raises_its_alarm_twice(seed: int) -> None:
    moved, still = placed(seed, 300, 200, 2), placed(seed + 1, 300, 200)
    found = drift_alarms([moved, still, moved], np.arange(300), np.arange(300, 500))
    assert found.tolist() == [True, bool(found[1]), True]


@pytest.mark.parametrize("cumulated", [False, True])
def test_rows_of_one_customer_are_not_taken_for_many(cumulated: bool) -> None:
    """Ten customers whose every row says the same: a hundred copies of each are no more than ten customers."""
    rng = np.random.default_rng(1)
    before, now = rng.integers(0, 5, 10), rng.integers(0, 5, 10)
    copied = Placed(np.repeat(before, 100), np.repeat(now, 100), 6, cumulated)
    ids, others = np.repeat(np.arange(10), 100), np.repeat(np.arange(10, 20), 100)
    assert not drift_alarms([copied], ids, others).any()
    assert drift_alarms([copied], np.arange(1000), np.arange(1000, 2000)).all()


def test_what_was_missing_and_is_not_moves_no_cumulated_share_of_what_is_known() -> None:
    """The last bin is for what is missing; half of it being gone is no change of the number itself."""
    known = np.tile(np.arange(5), 100)
    before, now = np.append(known, np.full(500, 5)), np.append(known, known)
    rows = (np.arange(1000), np.arange(1000, 2000))
    assert drift_alarms([Placed(before, now, 6, cumulated=False)], *rows).all()
    assert drift_alarms([], *rows).shape == (0,)


@pytest.mark.parametrize("shift", [0.0, 0.25])
def test_one_column_of_separate_customers_is_judged_as_by_chi_squared(shift: float) -> None:
    agreed = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        before = rng.integers(0, 4, 400)
        now = np.where(rng.random(300) < shift, 0, rng.integers(0, 4, 300))
        counts = [np.bincount(side, minlength=4) for side in (before, now)]
        peer = chi2_contingency(np.array(counts)).pvalue < 0.05
        ours = drift_alarms([Placed(before, now, 5, cumulated=False)], np.arange(400), np.arange(400, 700))
        agreed += bool(ours[0]) == bool(peer)
    assert agreed >= 18


def test_more_customers_than_groups_still_see_what_moved_and_only_that() -> None:
    size = 3 * GROUPS
    columns = [placed(1, size, size), placed(2, size, size, 1), placed(3, size, size, cumulated=True)]
    assert drift_alarms(columns, np.arange(size), np.arange(size)).tolist() == [False, True, False]


# --- champion and challenger


@pytest.fixture(scope="module")
def rivals() -> tuple[Rows, Floats, Floats]:
    rng = np.random.default_rng(0)
    risk, y = rng.random(300), rng.random(300)
    return (
        Rows((y < risk).astype(int), np.arange(300), np.repeat([1, 2], 150)),
        np.clip(risk, 0.01, 0.99),
        rng.random(300),
    )


@pytest.fixture(scope="module")
def judged(rivals: tuple[Rows, Floats, Floats]) -> Compared:
    rows, sharp, coin = rivals
    return compare_models(rows, coin, sharp, draws=200)


def test_the_difference_is_that_of_the_two_and_a_lower_brier_score_is_better(judged: Compared) -> None:
    for name in METRICS:
        ahead = judged.challenger[name].value - judged.champion[name].value
        assert judged.apart[name].value == pytest.approx(ahead)
        assert judged.apart[name].low <= ahead <= judged.apart[name].high
    assert judged.better == "challenger"
    assert judged.apart["brier"].high < 0 < judged.apart["lift_10"].low
    assert set(TITLES) == set(METRICS)


def test_figures_are_means_over_the_cutoffs(rivals: tuple[Rows, Floats, Floats], judged: Compared) -> None:
    rows, sharp, coin = rivals
    y = np.asarray(rows.outcome)
    by_hand = (auc(y[:150], sharp[:150]) + auc(y[150:], sharp[150:])) / 2
    assert judged.challenger["auc"].value == pytest.approx(by_hand)
    assert judged.calibration == pytest.approx((calibration_error(y, coin), calibration_error(y, sharp)))
    assert (judged.rows, judged.cutoffs) == (300, 2)


@pytest.mark.parametrize(
    ("low", "high", "better", "english", "chinese"),
    [
        (0.01, 0.03, "challenger", "the challenger ranks customers better", "挑战模型的排序更好"),
        (-0.03, -0.01, "champion", "the champion ranks customers better", "现用模型的排序更好"),
        (-0.01, 0.03, "level", "the difference cannot be told from chance: keep the champion", "差异与随机无异"),
        (0.0, 0.03, "level", "the difference cannot be told from chance: keep the champion", "差异与随机无异"),
        (-0.03, 0.0, "level", "the difference cannot be told from chance: keep the champion", "差异与随机无异"),
    ],
)
def test_only_an_interval_clear_of_nothing_names_a_better_one(
    low: float, high: float, better: str, english: str, chinese: str
) -> None:
    found = Compared(12_345, 3, {}, {}, {"auc": Interval((low + high) / 2, low, high)}, (0.1, 0.1))
    assert found.better == better
    assert found.say().en.startswith(f"{english}. AUC challenger less champion ")
    assert found.say().en.endswith("12,345 rows of 3 cutoffs")
    assert found.say().zh.startswith(chinese)
    assert "3 个截止日共 12,345 行" in found.say().zh


# --- past scores


@pytest.mark.parametrize("seed", [1, 2])
def test_what_became_of_scores_does_not_go_by_the_order_of_the_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    risk = np.round(rng.random(80), 2)
    y = (rng.random(80) < risk).astype(int)
    y[:2] = 0, 1
    order = rng.permutation(80)
    one = backtest_risks(y, risk, np.arange(80), draws=200).figures()
    two = backtest_risks(y[order], risk[order], np.arange(80)[order], draws=200).figures()
    for name in ("rate", "mean_risk", "ece", "rows", "auc", "lift_10", "brier", "auc_low", "brier_high"):
        assert one[name] == pytest.approx(two[name]), name


# --- folds


@few
@given(st.lists(st.integers(0, 400), min_size=1, max_size=12), st.integers(0, 40), st.integers(1, 90))
def test_every_cutoff_with_a_closed_one_before_it_is_tested_once(days: list[int], gap: int, horizon: int) -> None:
    folds = SnapshotSplit(Window(gap=gap, horizon=horizon)).folds(days)
    known = sorted(set(days))
    closed = {test: [day for day in known if day + gap + horizon <= test] for test in known}
    assert folds == [(train, test) for test, train in closed.items() if train]


@pytest.mark.parametrize(
    ("options", "folds"),
    [
        ({}, [([0], 60), ([0, 30], 90), ([0, 30, 60], 120)]),
        ({"min_train": 2}, [([0, 30], 90), ([0, 30, 60], 120)]),
        ({"max_train": 1}, [([0], 60), ([30], 90), ([60], 120)]),
        ({"max_folds": 2}, [([0, 30], 90), ([0, 30, 60], 120)]),
        ({"min_train": 2, "max_train": 1, "max_folds": 1}, [([60], 120)]),
        ({"min_train": 9}, []),
    ],
)
def test_the_latest_folds_and_the_latest_cutoffs_are_kept(
    options: dict[str, int], folds: list[tuple[list[int], int]]
) -> None:
    splitter = SnapshotSplit(Window(horizon=60), **options)
    days = np.repeat([120, 0, 90, 30, 60], 2)
    assert splitter.folds(days) == folds
    assert splitter.get_n_splits(groups=days) == len(folds)
    if not folds:
        with pytest.raises(UsageError, match="E-RI-004: no cutoff has 9 earlier ones whose horizon ends by it"):
            list(splitter.split(groups=days))
        return
    for (train, test), (known, asked) in zip(splitter.split(groups=days), folds, strict=True):
        assert sorted(set(days[train].tolist())) == known
        assert set(days[test].tolist()) == {asked}
        assert len(train) == 2 * len(known)


# --- campaigns


@few
@given(SEEDS)
def test_no_other_threshold_would_have_been_planned_to_earn_more(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p, gain, cost = np.round(rng.random(25), 1), rng.random(25) * 20, rng.random(25) * 6
    plan = expected_profit(p, gain, cost)
    tried = [sum(r * g - c for r, g, c in zip(p, gain, cost, strict=True) if r >= bound) for bound in [*set(p), 2.0]]
    assert plan.profit == pytest.approx(max(tried))
    contacted = p >= plan.threshold
    assert plan.share == pytest.approx(contacted.mean())
    assert plan.profit == pytest.approx(float((p * gain - cost)[contacted].sum()))


@few
@given(SEEDS, st.floats(0.01, 100))
def test_all_amounts_in_another_currency_change_only_the_amount_earned(seed: int, rate: float) -> None:
    rng = np.random.default_rng(seed)
    y, p = np.tile([0, 1], 15), np.round(rng.random(30), 1)
    one = expected_maximum_profit(y, p, Campaign(200, 10, 1))
    two = expected_maximum_profit(y, p, Campaign(200 * rate, 10 * rate, rate))
    assert (two.profit, two.share) == pytest.approx((one.profit * rate, one.share))


def test_a_campaign_that_costs_nothing_earns_what_all_who_accept_are_worth() -> None:
    free = Campaign(value=100.0, incentive=0.0, contact=0.0, accept_a=2.0, accept_b=3.0)
    y = [1, 0, 0, 1, 0]
    for risk in (y, [0.5] * 5, [1 - left for left in y]):
        assert expected_maximum_profit(y, risk, free).profit == pytest.approx(100.0 * 0.4 * 0.4)


@pytest.mark.parametrize(
    "wrong",
    [{"incentive": -1}, {"contact": -0.1}, {"accept_a": 0}, {"accept_b": -2}, {"value": 10}, {"value": math.nan}],
)
def test_a_campaign_of_impossible_costs_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="E-RI-011"):
        Campaign(**wrong)


# --- kept baselines

SCALES: Sequence[Scale] = ("as it is", "log", "logit")


@pytest.mark.parametrize("scale", SCALES)
def test_a_line_is_kept_in_words_and_comes_back_the_same(scale: Scale, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"a": rng.random(80), "b": np.where(rng.random(80) < 0.1, np.nan, rng.random(80))})
    line = fit_line(table, rng.random(80) < table["a"], ["a", "b"], scale)
    again = load_plain(line.save(tmp_path / "new" / "folder"))
    assert again == line
    found = again.predict_proba(table)
    assert found.sum(axis=1) == pytest.approx(1.0)
    assert ((found > 0) & (found < 1)).all()


@few
@given(SEEDS, st.floats(0.001, 1000))
def test_the_unit_of_a_column_changes_no_probability(seed: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, 60))
    y = rng.random(60) < 0.5
    y[:2] = False, True
    one = fit_line({"a": a, "b": b}, y, ["a", "b"]).predict_proba({"a": a, "b": b})
    moved = {"a": a * factor + 7, "b": b}
    assert fit_line(moved, y, ["a", "b"]).predict_proba(moved) == pytest.approx(one, abs=1e-5)


def test_a_column_that_never_varies_leaves_the_rate() -> None:
    table = {"a": np.full(100, 3.0)}
    risk = fit_line(table, np.arange(100) < 30, ["a"]).predict_proba(table)[:, 1]
    assert risk == pytest.approx(0.3, abs=1e-6)


KEPT: dict[str, Any] = {
    "no file": None, "no JSON": "{", "a list": "[]", "no checksum": {"model": {}}, "a bare number": "3",
    "another weight": {"model": {"columns": ["a"], "scale": "log", "weights": [2.0], "intercept": 0.0, "trees": ""},
                       "sha256": "0" * 64},
}  # fmt: skip


@pytest.mark.parametrize("fault", KEPT)
def test_a_baseline_that_is_not_what_was_kept_is_refused(fault: str, tmp_path: Path) -> None:
    content = KEPT[fault]
    if content is not None:
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / PLAIN).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"E-RI-031 .*plain.json: this is not the baseline that was kept"):
        load_plain(tmp_path)


def test_a_line_of_given_weights_says_what_a_calculator_says() -> None:
    table = {"p": [0.2, 0.5], "n": [0.0, math.e - 1]}
    assert Plain(("p",), "logit", (1.0,)).predict_proba(table)[:, 1] == pytest.approx([0.2, 0.5])
    assert Plain(("n",), "log", (2.0,), -1.0).predict_proba(table)[:, 1] == pytest.approx(
        [1 / (1 + math.e), math.e / (1 + math.e)]
    )


# --- intervals of a risk


@pytest.fixture(scope="module")
def learned() -> tuple[RiskClassifier, Known, Floats]:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(90, 2))
    y = (values[:, 0] + rng.normal(size=90) > 0).astype(int)
    return RiskClassifier(n_jobs=1).fit(values, y), Known(values, y, np.arange(90)), values


def test_more_confidence_widens_and_the_risk_lies_between(learned: tuple[RiskClassifier, Known, Floats]) -> None:
    model, known, values = learned
    risk = model.predict_proba(values)[:, 1]
    found = [risk_bounds(model, known, Asked(values), draws=4, level=level) for level in (0.5, 0.9, 0.99)]
    for narrow, wide in pairwise(found):
        assert (wide.low <= narrow.low).all()
        assert (narrow.high <= wide.high).all()
    for one in found:
        assert (one.low >= 0).all()
        assert ((one.low <= risk) & (risk <= one.high)).all()
        assert (one.high <= 1).all()


def test_a_row_has_its_interval_whoever_else_is_asked_for_the_same(
    learned: tuple[RiskClassifier, Known, Floats],
) -> None:
    """Names of customers do not matter, only which rows share one."""
    model, known, values = learned
    named = Known(known.X, known.y, np.array([f"c{number:02d}" for number in range(90)]))
    one = risk_bounds(model, known, Asked(values[:5]), draws=4)
    two = risk_bounds(model, named, Asked(values[:5]), draws=4)
    assert one.low == pytest.approx(two.low)
    assert one.high == pytest.approx(two.high)


@few
@given(SEEDS)
def test_the_error_of_the_season_is_never_negative_and_the_same_for_the_opposite(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, risk, days = rng.integers(0, 2, 60), rng.uniform(0.1, 0.9, 60), rng.integers(0, 3, 60)
    found = season_error(y, risk, days)
    assert found >= 0
    assert season_error(1 - y, 1 - risk, days) == pytest.approx(found)
