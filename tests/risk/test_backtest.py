"""Past scores against what happened, and two models side by side: words claim no more than intervals allow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierlens.risk.evaluation.backtest import LEVEL_BANDS, LIFT_BANDS, backtest_risks, lift_band
from tierlens.risk.evaluation.bootstrap import Rows
from tierlens.risk.evaluation.compare import compare_models
from tierlens.risk.evaluation.metrics import auc, lift_at


def past(rows=800, seed=0):
    rng = np.random.default_rng(seed)
    risk = rng.beta(2, 3, rows)
    return (rng.random(rows) < risk).astype(int), risk, np.arange(rows)


def test_figures_are_those_of_the_metrics():
    y, p, customers = past()
    found = backtest_risks(y, p, customers)
    assert found.auc.value == pytest.approx(auc(y, p))
    assert found.lift.value == pytest.approx(lift_at(y, p, 0.1))
    assert found.auc.low < found.auc.value < found.auc.high
    assert found.figures()["rate"] == pytest.approx(y.mean())
    assert found.level == "right"


def test_a_level_that_was_missed_is_said_and_the_order_kept():
    y, p, customers = past()
    found = backtest_risks(y, np.clip(p - 0.2, 0.001, 1), customers)
    assert found.level == "off"
    assert "take the order, not the percentages" in found.say().en
    assert "可用排序" in found.say().zh


def test_chance_is_called_chance():
    y, _, customers = past()
    found = backtest_risks(y, np.random.default_rng(9).random(len(y)), customers)
    assert found.band == "none"
    assert "not told from chance" in found.say().en


@given(st.floats(1.0001, 10), st.floats(0.02, 0.95))
def test_a_better_lift_is_never_in_a_worse_band(lift, rate):
    order = list(LIFT_BANDS)[::-1]
    most = min(10.0, 1 / rate)
    here, higher = (order.index(lift_band(value, rate)) for value in (min(lift, most), most))
    assert here <= higher
    assert lift_band(lift, rate, low=0.99) == "none"


def test_every_band_has_both_languages():
    for _, text in (*LIFT_BANDS.values(), *LEVEL_BANDS.values()):
        assert text.en
        assert text.zh


def test_the_better_of_two_is_found_and_equals_are_not_told_apart():
    y, p, customers = past(1500)
    days = np.repeat([10, 20, 30], 500)
    rows = Rows(y, customers, days)
    noise = p + np.random.default_rng(1).normal(0, 0.3, 1500)
    assert compare_models(rows, noise, p, draws=100).better == "challenger"
    assert compare_models(rows, p, noise, draws=100).better == "champion"
    same = compare_models(rows, p, p + 1e-9, draws=100)
    assert same.better == "level"
    assert same.apart["auc"].value == 0.0
    assert "keep the champion" in same.say().en
    assert same.cutoffs == 3


def test_swapping_the_two_swaps_the_sign():
    y, p, customers = past(400)
    rows, other = Rows(y, customers), np.random.default_rng(2).random(400)
    one, two = compare_models(rows, p, other, draws=50), compare_models(rows, other, p, draws=50)
    for name in one.apart:
        assert one.apart[name].value == pytest.approx(-two.apart[name].value)
        assert one.apart[name].low == pytest.approx(-two.apart[name].high)
