"""Intervals of a risk hold the true probability about as often as they say, on data whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.risk.shop import snapshots
from tierlens.errors import UsageError
from tierlens.risk.evaluation.risk_interval import Asked, Known, risk_bounds, season_error
from tierlens.risk.model.classifier import RiskClassifier

LEVEL = 0.9


def held(seed, customers=500):
    """Share of the customers of a new cutoff whose true probability lies in the interval, and the mean width."""
    shop = snapshots(customers=customers, seed=seed)
    past, now = shop.cutoffs < 150, shop.cutoffs == 150
    model = RiskClassifier(prior="prior", n_jobs=1, seeds=1)
    model.fit(shop.X[past], shop.y[past], cutoffs=shop.cutoffs[past])
    known = Known(shop.X[past], shop.y[past], np.arange(past.sum()), shop.cutoffs[past])
    asked = Asked(shop.X[now], shop.cutoffs[now], float(shop.truth[now].mean()))
    found = risk_bounds(model, known, asked, draws=10, level=LEVEL)
    truth = shop.truth[now]
    return float(((found.low <= truth) & (truth <= found.high)).mean()), float((found.high - found.low).mean())


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    shares = [held(seed)[0] for seed in range(3)]
    assert 0.80 <= np.mean(shares) <= 0.98


def test_more_customers_make_it_narrower():
    assert held(5, customers=1200)[1] < 0.8 * held(5, customers=200)[1]


def test_a_season_that_was_missed_before_makes_it_wider():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 2))
    y = (X[:, 0] + rng.normal(size=90) > 0).astype(int)
    model, known = RiskClassifier(n_jobs=1).fit(X, y), Known(X, y, np.arange(90))
    plain, wide = (risk_bounds(model, known, Asked(X), draws=4, season=season) for season in (0.0, 0.5))
    assert (wide.low < plain.low).all()
    assert (wide.high > plain.high).all()
    again = risk_bounds(model, known, Asked(X), draws=4)
    assert (again.low == plain.low).all()


def test_the_error_of_the_season_is_that_of_the_level():
    y, days = np.repeat([0, 1], 500), np.tile([1, 2], 500)
    assert season_error(y, np.full(1000, 0.5), days) == pytest.approx(0.0, abs=1e-6)
    assert season_error(y, np.full(1000, 1 / (1 + np.e)), days) == pytest.approx(1.0, abs=1e-3)


def test_few_draws_are_refused():
    with pytest.raises(UsageError, match="E-RI-050: 2 draws make no interval of a risk; draw 4 or more"):
        risk_bounds(RiskClassifier(), Known([], [], []), Asked([]), draws=2)
