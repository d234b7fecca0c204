"""What a value is held against: the own past, then the tier, then all; never what is written alike, always its side."""

from __future__ import annotations

import math
import string

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierlens.explain.comparisons import (
    ALL,
    APART,
    CUSTOMER_FOR,
    FEWEST,
    KINDS,
    OWN_PAST,
    TIER,
    compared_values,
    past_features,
)
from tierlens.features.catalog import WHOLE
from tierlens.segments.figures import say_value
from tierlens.sources.tables import Currency

Floats = npt.NDArray[np.float64]
DAYS = ("days", Currency("GBP"))
OWN, OF_TIER, OF_ALL = range(3)


def signs(*values: int) -> npt.NDArray[np.int8]:
    return np.array(values, dtype=np.int8)


def column(*values: float) -> Floats:
    return np.array(values, dtype=np.float64)


def test_the_own_past_comes_first_then_the_tier_then_all() -> None:
    rows = FEWEST + 5
    tiers = np.array(["A"] * FEWEST + ["B"] * 5, dtype=object)
    recency = np.append(np.full(FEWEST, 30.0), np.full(5, 60.0))
    recency[[0, 1, -1]] = 90.0
    usual = np.full(rows, np.nan)
    usual[0] = 20.0
    found = compared_values("recency_days", {"recency_days": recency, "interval_mean_days": usual}, tiers,
                            np.ones(rows, dtype=np.int8), DAYS)  # fmt: skip
    assert (found.kind[0], found.value[0]) == (OWN, 20.0)
    assert (found.kind[1], found.value[1]) == (OF_TIER, 30.0)
    assert (found.kind[-1], found.value[-1]) == (OF_ALL, 30.0)  # too few of tier B for a middle of their own
    assert found.kind[2] == -1  # the middle of tier and all alike is its own value
    assert KINDS[:3] == ("own past", "tier", "all customers")


@pytest.mark.parametrize(
    ("own", "past", "sign", "kind"),
    [
        (90, 20, 1, OWN),
        (90, 20, 0, OWN),
        (90, 20, -1, -1),  # nothing stands above it
        (15, 20, -1, OWN),
        (15, 20, 1, -1),
        (20.3, 20.4, -1, -1),  # both are written "20 days"
        (3.44, 3.36, 1, -1),  # both are written "3.4 days"
        (3.46, 3.44, 1, -1),  # less than a tenth apart
        (479, 501, -1, -1),
        (450, 501, -1, OWN),
        (math.nan, 20, 0, -1),
        (90, math.nan, 1, -1),
    ],
)
def test_the_side_that_is_asked_for_and_never_what_is_written_alike(
    own: float, past: float, sign: int, kind: int
) -> None:
    columns = {"recency_days": column(own), "interval_mean_days": column(past)}
    found = compared_values("recency_days", columns, None, signs(sign), DAYS)
    assert found.kind.tolist() == [kind]
    assert np.isnan(found.value).tolist() == [kind < 0]


def test_a_past_that_does_not_fit_gives_way_to_the_middle_of_all() -> None:
    columns = {"recency_days": column(40, 10, 10), "interval_mean_days": column(50, 9, 9)}
    found = compared_values("recency_days", columns, None, signs(1, -1, -1), DAYS)
    assert found.kind.tolist() == [OF_ALL, -1, -1]
    assert found.value[0] == 10.0


def test_a_past_of_another_span_is_brought_to_the_same() -> None:
    columns = {"active_months_3": column(1), "active_months": column(8)}
    found = compared_values("active_months_3", columns, None, signs(-1), ("months", Currency("GBP")))
    assert (found.kind.tolist(), found.value.tolist()) == ([OWN], [2.0])


@pytest.mark.parametrize("feature", CUSTOMER_FOR)
def test_who_is_too_new_for_a_last_year_has_no_value_and_counts_in_no_middle(feature: str) -> None:
    days = float(CUSTOMER_FOR[feature])
    columns = {feature: column(-1, -1, 0.5, 0.5), "tenure_days": column(9, 90, days, days + 1)}
    found = compared_values(feature, columns, None, signs(0, 0, 0, 0), (WHOLE[feature].unit, Currency("GBP")))
    assert found.kind.tolist() == [-1] * 4


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.sampled_from([*sorted(OWN_PAST), "monetary", "return_share"]))
def test_each_is_what_a_slow_look_at_one_customer_finds(seed: int, feature: str) -> None:
    rng, rows, unit = np.random.default_rng(seed), 50, (WHOLE[feature].unit, Currency("GBP"))
    past = past_features([feature])
    columns = {name: np.where(rng.random(rows) < 0.1, np.nan, rng.integers(0, 12, rows) * 1.13)
               for name in (feature, *past)}  # fmt: skip
    tiers = rng.choice(np.array(["A", "B", None], dtype=object), rows, p=[0.6, 0.3, 0.1])
    sign = rng.integers(-1, 2, rows).astype(np.int8)
    found = compared_values(feature, columns, tiers, sign, unit)
    own = columns[feature].tolist()

    def middle(values: list[float]) -> float:
        known = sorted(value for value in values if not math.isnan(value))
        half = len(known) // 2
        return (known[half] + known[-half - 1]) / 2 if known else math.nan

    for row in range(rows):
        peers = [value for value, tier in zip(own, tiers, strict=True) if tier == tiers[row] and not math.isnan(value)]
        others = [
            columns[past[0]][row] * OWN_PAST[feature].times if past else math.nan,
            middle(peers) if tiers[row] is not None and len(peers) >= FEWEST else math.nan,
            middle(own),
        ]
        fits = [
            place for place, other in enumerate(others)
            if not math.isnan(own[row]) and not math.isnan(other)
            and say_value(own[row], *unit) != say_value(other, *unit)
            and abs(own[row] - other) >= APART * max(abs(own[row]), abs(other))
            and (sign[row] == 0 or (own[row] > other) == (sign[row] > 0))
        ]  # fmt: skip
        assert found.kind[row] == (fits[0] if fits else -1)
        if fits:
            assert found.value[row] == pytest.approx(others[fits[0]], abs=1e-12)


def test_pasts_are_features_of_the_same_unit_and_sentences_have_a_place_for_both() -> None:
    def places(text: str) -> set[str]:
        return {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}

    for name, past in OWN_PAST.items():
        # Lines an order are a ratio of lines; they are written as lines where they are a past.
        assert WHOLE[past.feature].unit == ("ratio" if name == "last_order_lines" else WHOLE[name].unit)
        assert all(places(text) == {"value", "past"} for text in past.words)
    assert all(places(text) == {"median", "tier"} for text in TIER)
    assert all(places(text) == {"median"} for text in ALL)
