"""The learned distribution of spend: better than the expectation it stands on, and what holds of any distribution."""

from __future__ import annotations

import numpy as np
import pytest

from tests.risk.spenders import spenders
from tierlens.errors import DataError
from tierlens.risk.evaluation.metrics import auc, brier
from tierlens.risk.falling import learn_spending
from tierlens.risk.spend_needed import chance_below, order_values

NAMES = ["frequency", "spend", "sea_p0", "sea_expected", "helps"]


def learned(table, spend, **settings):
    return learn_spending(table, spend, table["cutoff"], NAMES, seeds=1, threads=1, **settings)


@pytest.fixture(scope="module")
def model():
    return learned(*spenders())


@pytest.fixture(scope="module")
def new():
    """Another cutoff: its customers, what they need, and what they spend."""
    table, spend = spenders(cutoffs=1, customers=1500, seed=9)
    need = np.random.default_rng(1).uniform(0.2, 4.0, len(spend)) * table["average_order_value"]
    return table, need, spend


def test_it_ranks_and_tells_better_than_the_expectation_without_labels(model, new):
    table, need, spend = new
    short = (spend < need).astype(int)
    chance = model.chance(table, need, table["cutoff"], threads=1)
    guess = chance_below(table, need, order_values(table))
    assert auc(short, chance) > auc(short, guess) + 0.02
    assert brier(short, chance) < brier(short, guess)
    assert abs(chance.mean() - short.mean()) < 0.05


def test_the_chance_rises_as_the_need_grows(model, new):
    table, need, _ = new
    less, more = (model.chance(table, factor * need, table["cutoff"], threads=1) for factor in (1.0, 1.5))
    # Trees and the expectation cannot fall; the line is free, and may bend by a trifle at its clipped ends.
    assert (more - less).min() > -0.02
    assert (more > less).mean() > 0.99


def test_nothing_needed_is_no_risk_and_nothing_asked_is_missing(model, new):
    table, need, _ = new
    asked = np.where(np.arange(len(need)) % 3 == 0, -need, np.where(np.arange(len(need)) % 3 == 1, np.nan, need))
    chance = model.chance(table, asked, table["cutoff"], threads=1)
    assert (chance[::3] == 0).all()
    assert np.isnan(chance[1::3]).all()
    # Who else is asked changes nothing: everybody is ranked among all customers of the cutoff.
    whole = model.chance(table, need, table["cutoff"], threads=1)
    assert np.allclose(chance[2::3], whole[2::3])
    assert (model.chance(table, np.zeros(len(need)), table["cutoff"]) == 0).all()


def test_the_order_of_rows_changes_nothing(model, new):
    table, need, _ = new
    turned = {name: values[::-1] for name, values in table.items()}
    there = model.chance(table, need, table["cutoff"], threads=1)
    assert np.allclose(model.chance(turned, need[::-1], turned["cutoff"], threads=1)[::-1], there)


def test_a_level_shifts_log_odds(model, new):
    table, need, _ = new
    low, high = (model.chance(table, need, table["cutoff"], level=level, threads=1) for level in (0.0, 0.5))
    assert np.allclose(np.log(high / (1 - high)) - np.log(low / (1 - low)), 0.5)


def test_the_same_rows_teach_the_same(model, new):
    table, need, _ = new
    again = learned(*spenders())
    assert np.array_equal(
        again.chance(table, need, table["cutoff"], threads=1), model.chance(table, need, table["cutoff"], threads=1)
    )


def test_the_levels_of_cutoffs_are_told(model):
    assert sorted(model.shifts) == [0, 30, 60, 90, 120]


def test_spend_that_tells_nothing_apart_is_refused():
    table, spend = spenders(cutoffs=2, customers=40)
    with pytest.raises(DataError, match="E-RI-060"):
        learned(table, np.zeros_like(spend))


def test_cutoffs_must_fit_the_rows():
    table, spend = spenders(cutoffs=2, customers=40)
    with pytest.raises(DataError, match="E-RI-021"):
        learn_spending(table, spend, table["cutoff"][:3], NAMES)
