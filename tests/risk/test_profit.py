"""Campaign profit against numerical integration and slow loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from tierlens.errors import UsageError
from tierlens.risk.evaluation.bootstrap import (
    Rows,
    metric_table,
    paired_difference,
    percentile_interval,
    resampled_figure,
)
from tierlens.risk.evaluation.profit import Campaign, expected_maximum_profit, expected_profit


def by_integration(y, p, camp, steps=4000):
    """For each take-up try every threshold, keep the best, and average over take-up."""
    base = y.mean()
    bounds = [np.inf, *sorted(set(p), reverse=True)]
    true = np.array([(p[y == 1] >= bound).mean() for bound in bounds])
    false = np.array([(p[y == 0] >= bound).mean() for bound in bounds])
    edges = beta.ppf((np.arange(steps) + 0.5) / steps, camp.accept_a, camp.accept_b)
    delta, phi = camp.incentive / camp.value, camp.contact / camp.value
    profit = camp.value * ((edges[:, None] * (1 - delta) - phi) * base * true - (delta + phi) * (1 - base) * false)
    best = profit.argmax(axis=1)
    share = base * true + (1 - base) * false
    return profit.max(axis=1).mean(), share[best].mean()


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([Campaign(), Campaign(60, 20, 3), Campaign(200, 10, 1, 2, 2)]))
def test_expected_maximum_profit_is_the_integral(seed, camp):
    rng = np.random.default_rng(seed)
    y = (rng.random(60) < 0.4).astype(int)
    y[:2] = 0, 1
    p = np.round(rng.random(60) * 0.5 + 0.4 * y * rng.random(60), 2)
    profit, share = by_integration(y, p, camp)
    found = expected_maximum_profit(y, p, camp)
    assert found.profit == pytest.approx(profit, abs=0.02)
    assert found.share == pytest.approx(share, abs=0.01)


def test_better_ranking_earns_more_and_chance_earns_what_contacting_all_earns():
    rng = np.random.default_rng(0)
    y = (rng.random(2000) < 0.3).astype(int)
    sharp, dull = y + rng.normal(size=2000), y + 5 * rng.normal(size=2000)
    chance = np.full(2000, 0.3)
    profits = [expected_maximum_profit(y, risk).profit for risk in (y, sharp, dull, chance)]
    assert profits == sorted(profits, reverse=True)
    assert expected_maximum_profit(y, chance).share <= 1.0


def test_nobody_left_nothing_to_earn():
    assert expected_maximum_profit([0, 0], [0.1, 0.9]).profit == 0.0


def test_the_plan_stops_where_contact_no_longer_pays():
    risk = np.array([0.9, 0.6, 0.2, 0.6])
    plan = expected_profit(risk, gain=[10.0, 10.0, 10.0, 1.0], cost=2.0)
    # 0.9 brings 7, the two at 0.6 together 4 - 1.4, 0.2 nothing
    assert plan.profit == pytest.approx(9.6)
    assert (plan.share, plan.threshold) == (0.75, 0.6)
    happened = expected_profit(risk, 10.0, 2.0, outcome=[1, 0, 0, 0])
    assert happened.profit == pytest.approx(10 - 2 - 2 - 2)


def test_nobody_is_contacted_at_a_loss():
    plan = expected_profit([0.1, 0.2], gain=1.0, cost=5.0)
    assert (plan.profit, plan.share, plan.threshold) == (0.0, 0.0, np.inf)


def test_costs_out_of_bounds_are_refused():
    with pytest.raises(UsageError, match=r"E-RI-011.*value must lie above incentive"):
        Campaign(value=5, incentive=10)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000))
def test_weights_are_copies(seed):
    rng = np.random.default_rng(seed)
    y, p, w = np.tile([0, 1], 20), np.round(rng.random(40), 1), rng.integers(0, 4, 40)
    w[:2] = 1
    again = np.repeat(np.arange(40), w)
    one, two = expected_maximum_profit(y, p, weight=w), expected_maximum_profit(y[again], p[again])
    assert (one.profit, one.share) == pytest.approx((two.profit, two.share))
    gain = rng.random(40) * 10
    one = expected_profit(p, gain, 2.0, y, w)
    two = expected_profit(p[again], gain[again], 2.0, y[again])
    assert (one.profit, one.share, one.threshold) == pytest.approx((two.profit, two.share, two.threshold))


def test_profit_has_an_interval_and_a_paired_difference():
    rng = np.random.default_rng(0)
    risk, gain = rng.random(600), rng.random(600) * 20
    y = (rng.random(600) < risk).astype(int)
    rows = Rows(y, np.arange(600))

    def maximum(outcome, scores, weight):
        return expected_maximum_profit(outcome, scores, weight=weight).profit

    drawn = metric_table(maximum, rows, {"good": risk, "coin": rng.random(600)}, draws=60)
    assert percentile_interval(drawn["good"]).low > 0
    assert paired_difference(drawn, "good", "coin").above()
    found = {
        name: resampled_figure(lambda w, p=scores: expected_profit(p, gain, 3.0, y, w).profit, np.arange(600), draws=60)
        for name, scores in (("good", risk), ("coin", np.full(600, 0.5)))
    }
    assert percentile_interval(found["good"]).value == pytest.approx(expected_profit(risk, gain, 3.0, y).profit)
    assert paired_difference(found, "good", "coin").above()
