"""The need beside what a customer is used to: against a simulation, and laws that any distribution keeps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.risk.spenders import spenders
from tierlens.features.btyd import GammaGamma
from tierlens.risk.spend_needed import BESIDE, beside_need, chance_below, order_values

WORTH = GammaGamma(6.0, 4.0, 6000.0)
ONE = {"sea_p0": [0.4], "sea_expected": [1.2], "frequency": [3], "average_order_value": [2000.0]}


@pytest.mark.parametrize("need", [500.0, 2500.0, 9000.0])
def test_the_chance_is_that_of_a_simulation(need):
    rng = np.random.default_rng(0)
    draws = 200_000
    buys = rng.random(draws) >= 0.4
    orders = np.where(buys, rng.geometric(0.6 / 1.2, draws), 0)
    rate = rng.gamma(WORTH.p * 3 + WORTH.q, 1.0, draws) / (WORTH.v + 3 * 2000.0)
    spend = np.where(buys, rng.gamma(WORTH.p * np.maximum(orders, 1), 1.0) / rate, 0.0)
    assert chance_below(ONE, [need], WORTH)[0] == pytest.approx((spend < need).mean(), abs=0.005)
    assert chance_below(ONE, [need], WORTH, if_any=True)[0] == pytest.approx((spend[buys] < need).mean(), abs=0.005)


@given(
    never=st.floats(0, 1),
    expected=st.floats(0, 50),
    orders=st.integers(0, 200),
    value=st.floats(0, 1e7),
    needs=st.lists(st.floats(-1e6, 1e9), min_size=2, max_size=6),
)
def test_the_chance_rises_with_the_need_from_that_of_buying_nothing(never, expected, orders, value, needs):
    asked = np.sort(needs)
    many = {"sea_p0": never, "sea_expected": expected, "frequency": orders, "average_order_value": value}
    chance = chance_below({name: np.full(len(asked), each) for name, each in many.items()}, asked, WORTH)
    assert ((chance >= 0) & (chance <= 1 + 1e-12)).all()
    assert (np.diff(chance) >= -1e-12).all()
    assert (chance[asked <= 0] == 0).all()
    assert (chance[asked > 0] >= never - 1e-12).all()


def test_a_missing_need_gives_a_missing_chance():
    assert np.isnan(chance_below(ONE, [np.nan], WORTH)[0])


def test_log_ratios_rise_by_the_logarithm_of_the_need_and_do_not_know_the_unit_of_money():
    table, _ = spenders(cutoffs=1, customers=50)
    need = np.full(50, 3000.0)
    first, twice = beside_need(table, need), beside_need(table, 2 * need)
    assert first.shape == (50, len(BESIDE))
    assert np.allclose(twice - first, np.log(2))
    money = [
        name for name in table if name.startswith(("spend", "amount")) or name.endswith(("order", "spend", "value"))
    ]
    pence = {name: values * 100 if name in money else values for name, values in table.items()}
    assert np.allclose(beside_need(pence, 100 * need)[:, :-1], first[:, :-1])


def test_what_an_order_is_worth_leaves_out_who_never_bought():
    table, _ = spenders(cutoffs=1, customers=200)
    idle = {name: np.append(values, 0.0) for name, values in table.items()}
    assert order_values(idle) == order_values(table)
