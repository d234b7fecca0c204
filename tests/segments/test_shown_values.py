"""Rounded values are equal exactly where what is written of them is: no sentence compares a text with itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tierlens.features.catalog import WHOLE
from tierlens.segments.figures import say_value, shown_values
from tierlens.sources.tables import Currency

UNITS = sorted({feature.unit for feature in WHOLE.values()} - {"text"} | {"", "points"})
CURRENCIES = (Currency("GBP"), Currency("JPY", minor=1))
near_ties = st.builds(lambda n, per: n / per, st.integers(-30_000, 30_000), st.sampled_from([1, 2, 4, 20, 200, 2000]))
values = near_ties | st.floats(-1e9, 1e9) | st.floats(-0.02, 12.0)


@pytest.mark.parametrize("unit", UNITS)
@given(pair=st.tuples(values, values) | values.map(lambda one: (one, np.nextafter(one, np.inf))))
@example(pair=(0.15, 0.2))
@example(pair=(0.25, 0.2))
@example(pair=(0.0015, 0.002))
@example(pair=(1.005, 1.0))
@example(pair=(9.96, 10.4))
@example(pair=(-0.001, 0.0))
@example(pair=(0.9996, 1.0))
def test_equal_when_rounded_is_equal_in_print(unit: str, pair: tuple[float, float]) -> None:
    for currency in CURRENCIES:
        one, other = shown_values(np.array(pair), unit, currency)
        texts = [say_value(value, unit, currency) for value in pair]
        assert (one == other) == (texts[0] == texts[1]), (one, other, texts)


@pytest.mark.parametrize("unit", UNITS)
@given(some=st.lists(values, max_size=6), place=st.integers(0, 6))
def test_values_are_rounded_one_by_one_and_what_is_missing_stays(unit: str, some: list[float], place: int) -> None:
    some.insert(min(place, len(some)), float("nan"))
    found = shown_values(np.array(some), unit, CURRENCIES[0])
    alone = [shown_values(np.array([one]), unit, CURRENCIES[0])[0] for one in some]
    np.testing.assert_array_equal(found, alone)
    assert np.isnan(found).sum() == 1
