"""Points by comparison: each method against the plain formula, now and against a population kept from before."""

from __future__ import annotations

import math
import statistics

import narwhals as nw
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.grading.conftest import Lazy, on_duckdb, on_polars, rows_of
from tests.grading.test_scoring import YUAN, keyed
from tierlens import strict_yaml
from tierlens.grading.reference import Reference, fit_reference
from tierlens.grading.scheme.scheme import Scheme, load_scheme
from tierlens.grading.scoring import grade

ONE = """
id: one
name: One
label: 一
version: "1"
valid_from: 2026-01-01
source: {document: d, clause: c}
features: {x: {name: X, label: 某, unit: orders}}
dimensions:
  - id: d
    name: D
    label: 维
    weight: 1
    source: c
    indicators:
      - {id: x, name: X, label: 某, feature: x, weight: 1, source: c, direction: up, normalise: {method: min_max}}
tiers: [{id: A, name: A, label: 甲, at_least: 50, source: c}, {id: B, name: B, label: 乙, below: 50, source: c}]
"""
Z = "method: z_score, centre: 5.5, slope: 1.5"


def scheme(method: str, direction: str = "up") -> Scheme:
    return strict_yaml.build_model(
        Scheme, ONE.replace("method: min_max", method).replace("direction: up", f"direction: {direction}")
    )


def points(
    table: pa.Table, rules: Scheme, lazy: Lazy = on_polars, reference: Reference | None = None
) -> list[float | None]:
    return [row["points_x"] for row in rows_of(grade(lazy(table), rules, YUAN, reference))]


def by_formula(values: list[int], method: str, x: float) -> float:
    if method == "method: min_max":
        low, high = min(values), max(values)
        return 5.5 if low == high else 1 + 9 * (x - low) / (high - low)
    if method == "method: percentile":
        below, equal = sum(v < x for v in values), sum(v == x for v in values)
        return 1 + 9 * (below + equal / 2) / len(values)
    spread = statistics.pstdev(values)
    return 5.5 if not spread else min(max(5.5 + 1.5 * (x - statistics.fmean(values)) / spread, 1), 10)


METHODS = ["method: min_max", "method: percentile", Z]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("direction", ["up", "down"])
@given(values=st.lists(st.integers(-50, 50), min_size=1, max_size=9))
@settings(max_examples=15, deadline=None)
def test_points_follow_the_formula(method: str, direction: str, values: list[int]):
    for value, got in zip(values, points(keyed(x=values), scheme(method, direction)), strict=True):
        due = by_formula(values, method, value)
        assert got == pytest.approx(due if direction == "up" else 11 - due, abs=1e-8)


@pytest.mark.parametrize("method", METHODS)
def test_missing_values_count_for_nobody(lazy: Lazy, method: str):
    some = points(keyed(x=pa.array([1, None, 3, 8])), scheme(method), lazy)
    alone = points(keyed(x=[1, 3, 8]), scheme(method), lazy)
    assert some[1] is None
    assert [p for p in some if p is not None] == alone
    assert points(keyed(x=pa.array([None, None], pa.int64())), scheme(method), lazy) == [None, None]


@pytest.mark.parametrize("method", METHODS)
def test_every_cutoff_has_its_own_population(lazy: Lazy, method: str):
    ids = {"customer_id": list("abcd"), "cutoff": pa.array([1, 1, 2, 2], pa.int32())}
    first = points(keyed(x=[1, 3]), scheme(method), lazy)
    assert points(pa.table({**ids, "x": [1, 3, 1000, 3000]}), scheme(method), lazy) == pytest.approx(first * 2)


def test_huge_amounts_neither_overflow_nor_cancel(lazy: Lazy):
    base = 4 * 10**15
    small = points(keyed(x=[1, 2, 3, 6]), scheme(Z), lazy)
    assert points(keyed(x=[base + 1, base + 2, base + 3, base + 6]), scheme(Z), lazy) == pytest.approx(small, abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_who_is_not_compared_with_is_placed_and_changes_nothing(lazy: Lazy, method: str):
    """Rows beside the population move nobody in it by a bit, and stand where the formula puts them."""
    inside, beside = [1, 3, 3, 8], [0, 2, 3, 50]
    table = keyed(x=[*inside, *beside], among=[True] * 4 + [False] * 4)
    graded = grade(lazy(table), scheme(method), YUAN, among=nw.col("among"))
    got = {row["customer_id"]: row["points_x"] for row in rows_of(graded)}
    found = [got[name] for name in table["customer_id"].to_pylist()]
    assert found[:4] == points(keyed(x=inside), scheme(method), lazy)
    due = [min(max(by_formula(inside, method, x), 1), 10) for x in beside]
    assert found[4:] == pytest.approx(due, abs=1e-8)


def test_who_has_no_tier_by_label_is_nobody_to_be_compared_with(lazy: Lazy):
    """Who bought nothing in the year, but before, has no tier in the five steps: percentiles are those of the rest."""
    columns = {"monetary": [100, 300, 700, 0, -5], "frequency": [1, 2, 3, 0, 0],
               "recency_days": [9, 8, 7, 400, 900], "tenure_days": [90] * 5}  # fmt: skip
    five = load_scheme("five_step")
    whole = rows_of(grade(lazy(keyed(**columns)), five, YUAN))
    alone = rows_of(grade(lazy(keyed(**{name: values[:3] for name, values in columns.items()})), five, YUAN))
    assert [row["tier"] for row in whole] == ["development"] * 3 + [None] * 2
    assert whole[:3] == alone


def test_a_reference_is_kept_and_read_back():
    table = keyed(x=[1, 2, 3, 6])
    (row,) = fit_reference(on_duckdb(table), scheme(Z), YUAN).to_pylist()
    assert (row["indicator"], row["feature"], row["method"], row["n"], row["mean"]) == ("x", "x", "z_score", 4, 3.0)
    assert row["spread"] == pytest.approx(math.sqrt(3.5))
    assert (row["low"], row["high"], row["levels"]) == (1.0, 6.0, None)


@pytest.mark.parametrize("method", METHODS)
def test_newcomers_are_held_against_the_old_population(lazy: Lazy, method: str):
    old = keyed(x=list(range(100)))
    reference = Reference(fit_reference(lazy(old), scheme(method), YUAN))
    new = points(keyed(x=[-5, 0, 37, 99, 500]), scheme(method), lazy, reference)
    assert new == sorted(new)
    assert new[0] == 1.0 if method != Z else new[0] >= 1
    assert new[-1] == 10.0
    assert new[2] == pytest.approx(by_formula(list(range(100)), method, 37), abs=0.1)


def test_a_reference_of_several_cutoffs_serves_each_its_own(lazy: Lazy):
    ids = {"customer_id": list("abcd"), "cutoff": pa.array([1, 1, 2, 2], pa.int32())}
    table = pa.table({**ids, "x": [1, 3, 100, 400]})
    for method in METHODS:
        reference = Reference(fit_reference(lazy(table), scheme(method), YUAN))
        assert points(table, scheme(method), lazy, reference) == pytest.approx(points(table, scheme(method), lazy))


@pytest.mark.parametrize("method", METHODS)
def test_the_population_itself_is_graded_alike_by_its_reference(lazy: Lazy, method: str):
    table = keyed(x=[number * number % 151 for number in range(700)])
    reference = Reference(fit_reference(lazy(table), scheme(method), YUAN))
    assert points(table, scheme(method), lazy, reference) == pytest.approx(points(table, scheme(method)), abs=1e-9)


def test_of_many_different_values_the_reference_is_near(lazy: Lazy):
    table, rules = keyed(x=[number * number for number in range(3000)]), scheme("method: percentile")
    kept = points(table, rules, lazy, Reference(fit_reference(lazy(table), rules, YUAN)))
    assert kept == pytest.approx(points(table, rules), abs=0.02)  # of 1 to 10


def test_a_reference_kept_before_the_staircase_still_serves(lazy: Lazy):
    table, rules = keyed(x=list(range(1000))), scheme("method: percentile")
    old = fit_reference(lazy(table), rules, YUAN).drop_columns(["values", "below", "through"])
    assert points(table, rules, lazy, Reference(old)) == pytest.approx(points(table, rules), abs=0.09)  # a per cent


def test_nothing_normalised_gives_an_empty_reference():
    plain = strict_yaml.build_model(Scheme, ONE.replace("normalise: {method: min_max}", "given: {from: 0, to: 5}"))
    assert fit_reference(on_duckdb(keyed(x=[1])), plain, YUAN).num_rows == 0


def test_points_that_stand_need_no_measure_of_a_stand_in() -> None:
    """Standing is worked out elsewhere; a proxy that is in the table too is not asked for."""
    scheme = load_scheme("tiered_management")
    crowd = pa.table({"customer_id": ["a", "b"], "cutoff": pa.array([1, 1], pa.int32()), "business_growth": [0.1, 0.3]})
    reference = Reference(fit_reference(on_polars(crowd), scheme, YUAN))
    asked = pa.table({"customer_id": ["c"], "cutoff": pa.array([1], pa.int32()), "growth_yoy": [0.2],
                      "points_business_growth": [50.0]})  # fmt: skip
    graded = grade(on_polars(asked), scheme, YUAN, reference)
    assert graded.collect("pyarrow").to_native()["points_business_growth"].to_pylist() == [50.0]
