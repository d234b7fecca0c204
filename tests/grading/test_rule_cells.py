"""Every combination of values that rules can tell apart is looked at: no rule that can fire is called dead."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.grading.test_scheme import LABEL
from tests.grading.test_scoring import TINY
from tierlens import strict_yaml
from tierlens.grading.rule_cells import can_hold, cell_numbers, cell_representatives, label_cells
from tierlens.grading.scheme.grammar import Band, Edge
from tierlens.grading.scheme.parts import FeatureUse
from tierlens.grading.scheme.scheme import Scheme, load_scheme, scheme_names

SMALL = st.integers(-40, 40)
FINE = st.integers(-40_000, 40_000).map(lambda n: Decimal(n) / 10_000)
EDGES = st.lists(st.tuples(FINE, st.integers(0, 1)), min_size=1, max_size=4)


def use(whole: bool = False, low: Decimal | None = None, high: Decimal | None = None) -> FeatureUse:
    return FeatureUse(name="n", label="n", unit="orders", whole=whole, at_least=low, at_most=high)


def cell_of(value: Decimal, edges: list[Edge]) -> int:
    """The number of edges that a value lies beyond: the same for all values of one cell."""
    return sum(value >= at if side == 0 else value > at for at, side in set(edges))


@given(edges=EDGES, value=FINE, low=FINE, high=FINE)
@settings(max_examples=30, deadline=None)
def test_every_cell_that_a_value_can_lie_in_has_a_number(
    edges: list[Edge], value: Decimal, low: Decimal, high: Decimal
) -> None:
    bounded = use(low=min(low, value), high=max(high, value))
    assert cell_of(value, edges) in {cell_of(found, edges) for found in cell_numbers(edges, bounded)}


@given(edges=EDGES, value=SMALL, low=SMALL, high=SMALL)
@settings(max_examples=30, deadline=None)
def test_every_cell_that_a_whole_number_can_lie_in_has_one(edges: list[Edge], value: int, low: int, high: int) -> None:
    bounded = use(True, Decimal(min(low, value)), Decimal(max(high, value)))
    found = cell_numbers(edges, bounded)
    assert all(one == one.to_integral_value() for one in found)
    assert cell_of(Decimal(value), edges) in {cell_of(one, edges) for one in found}


@given(edges=EDGES, ends=st.tuples(FINE, FINE), whole=st.booleans())
@settings(max_examples=30, deadline=None)
def test_no_number_lies_where_no_value_can_occur(edges: list[Edge], ends: tuple[Decimal, Decimal], whole: bool) -> None:
    low, high = sorted(ends)
    found = cell_numbers(edges, use(whole, low, high))
    assert all(low <= one <= high for one in found)
    assert found == sorted(set(found))


@given(low=SMALL, high=SMALL, least=SMALL, most=SMALL, closed=st.booleans())
@settings(max_examples=30, deadline=None)
def test_a_band_can_hold_a_whole_number_where_one_of_all_numbers_lies_in_it(
    low: int, high: int, least: int, most: int, closed: bool
) -> None:
    low, high = min(low, high), max(low, high) + 1
    least, most = sorted((least, most))
    band = Band(at_least=low, at_most=high) if closed else Band(above=low, below=high)
    due = any(band.holds(Decimal(value)) for value in range(least, most + 1))
    assert can_hold(use(True, Decimal(least), Decimal(most)), band) == due


CAN_HOLD = [
    (Band(at_least=Decimal("0.0005"), below=Decimal("0.0008")), use(), True),
    (Band(above=Decimal("0.0005"), below=Decimal("0.0008")), use(), True),
    (Band(above=1, below=2), use(whole=True), False),
    (Band(above=Decimal("1.5"), below=Decimal("2.5")), use(whole=True), True),
    (Band(at_most=10), use(high=Decimal(5)), True),
    (Band(above=Decimal("0.2")), use(low=Decimal("0.5")), True),
    (Band(at_least=6), use(high=Decimal(5)), False),
    (Band(), use(high=Decimal(5)), True),
]  # fmt: skip


@pytest.mark.parametrize(("band", "column", "due"), CAN_HOLD)
def test_narrow_bands_and_bounds_far_from_the_values_that_occur(band: Band, column: FeatureUse, due: bool) -> None:
    assert can_hold(column, band) == due


def labelled(*rules: str, otherwise: bool = True) -> Scheme:
    """The tiny scheme with a label of these rules."""
    old = "    rules: [{value: big, when: {monetary: {at_least: 5}}, source: c}]\n"
    lines = "".join(f"      - {{value: {one}, source: c}}\n" for one in rules)
    label = LABEL if otherwise else LABEL.replace("    otherwise: small\n", "")
    assert old in label
    return strict_yaml.build_model(Scheme, TINY + label.replace(old, f"    rules:\n{lines}"))


FIRED = [
    # What an earlier rule takes whole, no later one gets.
    (["big, when: {monetary: {at_least: 5}}", "small, when: {monetary: {at_least: 7}}"], {1}),
    (["big, when: {monetary: {at_least: 5}}", "small, when: {monetary: {at_least: 3}}"], {1, 2}),
    (["big, when: {monetary: {above: 0.0001, below: 0.0002}}"], {1}),
    # One number beside bounds on the same column.
    (["big, when: {monetary: {is: 3}}", "small, when: {monetary: {at_least: 50}}"], {1, 2}),
    (["big, when: {monetary: {at_least: 1}}", "small, when: {monetary: {is: 3}}"], {1}),
    # Missing, and together with what asks for a value.
    (["big, when: {monetary: {missing: true}}", "small, when: {monetary: {missing: false}}"], {1, 2}),
    (["big, when: {monetary: {missing: false}}", "small, when: {monetary: {below: 3}}"], {1}),
    # Alternatives: one that can hold is enough.
    (["big, when: [{monetary: {below: 1}}, {monetary: {at_least: 9}}]", "small, when: {monetary: {is: 4}}"], {1, 2}),
    # Multiples of another column are values of their own.
    (["big, when: {monetary: {at_least: 2, of: mark}}", "small, when: {monetary: {at_least: 2}}"], {1, 2}),
    (["big, when: {monetary: {at_least: 2, of: mark}}", "small, when: {monetary: {at_least: 3, of: mark}}"], {1}),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "due"), FIRED)
def test_a_rule_is_dead_only_where_those_before_it_take_all(rules: list[str], due: set[int]) -> None:
    scheme = labelled(*rules)
    found = label_cells(scheme, scheme.labels[0])
    assert found is not None
    assert found.fired == due


@pytest.mark.parametrize(
    ("rules", "gap"),
    [
        (["big, when: {monetary: {at_least: 5}}", "small, when: {monetary: {below: 5}}"], None),
        (["big, when: {monetary: {above: 5}}", "small, when: {monetary: {below: 5}}"], {"monetary": "5"}),
        (["big, when: {monetary: {is: 5}}", "small, when: {monetary: {below: 5}}"], {"monetary": "5.001"}),
        (["big, when: {grade: {in: [AAA]}}", "small, when: {grade: {in: [B]}}"], {"grade": "?"}),
    ],
)
def test_a_gap_is_a_value_that_no_rule_fits(rules: list[str], gap: dict[str, str] | None) -> None:
    scheme = labelled(*rules, otherwise=False)
    found = label_cells(scheme, scheme.labels[0])
    assert found is not None
    assert found.gap == gap


@pytest.mark.parametrize("name", scheme_names())
def test_representatives_are_different_and_end_with_a_missing_value(name: str) -> None:
    scheme = load_scheme(name)
    for label in scheme.labels:
        columns = {column for rule in label.rules for when in rule.when for column, c in when.items() if c.of is None}
        for column in columns:
            values: list[Any] = cell_representatives(scheme, label, column)
            assert values[-1] is None
            assert len(values) == len(set(values)) >= 2
