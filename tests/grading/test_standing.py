"""Placed in a population beforehand and graded is the same as graded in it, whatever else the scheme reads."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from tests.grading.conftest import on_duckdb, rows_of
from tests.grading.tied import tied_customers
from tierlens import strict_yaml
from tierlens.datasets.examples import simulated_shop
from tierlens.features.catalog import available_features
from tierlens.features.snapshot import build_snapshots, to_arrow
from tierlens.grading.scheme.scheme import Scheme, load_scheme, scheme_names
from tierlens.grading.scoring import grade
from tierlens.grading.standing import grade_among, with_standing
from tierlens.sources.tables import Currency

YUAN = Currency("CNY")
TWICE = """
id: twice
name: Twice
label: 两次
version: "1"
valid_from: 2026-01-01
currency: CNY
points: {from: 0, to: 100}
source: {document: d, clause: c}
features:
  monetary: {name: Amount, label: 金额, unit: money}
  frequency: {name: Orders, label: 订单, unit: orders}
dimensions:
  - id: d
    name: D
    label: 维
    weight: 1
    source: c
    indicators:
      - {id: by_share, name: S, label: 百分位, feature: monetary, weight: 0.5, source: c, direction: up,
         normalise: {method: percentile}}
      - {id: by_cuts, name: C, label: 分段, feature: monetary, weight: 0.5, source: c, direction: up,
         cuts: [{points: 0, below: 150}, {points: 50, at_least: 150, below: 350}, {points: 100, at_least: 350}]}
tiers: [{id: A, name: A, label: 甲, at_least: 50, source: c}, {id: B, name: B, label: 乙, below: 50, source: c}]
labels:
  - id: size
    name: Size
    label: 规模
    values: [{id: large, name: Large, label: 大}, {id: small, name: Small, label: 小}]
    source: c
    rules:
      - {value: large, when: {monetary: {at_least: 300}}, source: c}
      - {value: small, when: {monetary: {below: 300}}, source: c}
triggers:
  - {id: often, name: Often, label: 常, when: {monetary: {at_least: 300}, frequency: {at_least: 3}}, source: c}
"""


def own() -> Scheme:
    return strict_yaml.build_model(Scheme, TWICE)


def assert_same(placed: list[dict[str, Any]], direct: list[dict[str, Any]]) -> None:
    """All columns, numbers to the last places; who gets no tier for want of a purchase is compared with nobody."""
    for left, right in zip(placed, direct, strict=True):
        assert left["flags"] == right["flags"], left["customer_id"]
        if "no_history" in right["flags"].split():
            continue
        for name, value in right.items():
            expected = pytest.approx(value, abs=2e-8) if isinstance(value, float) else value
            assert left[name] == expected, (name, left["customer_id"])


def both_ways(table: pa.Table, scheme: Scheme) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    direct = rows_of(grade(on_duckdb(table), scheme, YUAN))
    return rows_of(grade_among(table, table, scheme, YUAN)), direct


@pytest.mark.parametrize("name", scheme_names())
def test_customers_placed_beforehand_are_graded_alike(name: str) -> None:
    scheme, tables = load_scheme(name), simulated_shop(customers=200, seed=3).tables
    names = available_features(tables, {*scheme.features, "frequency", "tenure_days"})
    cutoffs = ["2025-04-01", "2025-10-01"]
    table = to_arrow(build_snapshots(tables, cutoffs, features=names, everyone=True))
    assert_same(*both_ways(table, scheme))


@pytest.mark.parametrize("name", scheme_names())
def test_random_customers_with_ties_and_gaps_are_graded_alike(name: str) -> None:
    scheme = load_scheme(name)
    assert_same(*both_ways(tied_customers(scheme, 120, 5), scheme))


def test_a_column_by_percentile_and_by_cuts_keeps_both() -> None:
    table = pa.table({
        "customer_id": list("abcd"), "cutoff": pa.array([1] * 4, pa.int32()),
        "monetary": [10_000, 40_000, 40_000, 20_000], "frequency": [1, 3, 2, 5],
    })  # fmt: skip
    placed, direct = both_ways(table, own())
    assert [row["score"] for row in direct] == [6.25, 87.5, 87.5, 43.75]
    assert [row["trigger_often"] for row in direct] == [False, True, False, False]
    assert [row["label_size"] for row in direct] == ["small", "large", "large", "small"]
    assert placed == direct
    assert set(table.column_names) <= set(with_standing(table, table, own(), YUAN).column_names)


def test_who_never_bought_is_not_stood_beside() -> None:
    ids = {"customer_id": ["a", "b", "c"], "cutoff": pa.array([1] * 3, pa.int32())}
    crowd = pa.table({**ids, "monetary": [100, 300, 0], "frequency": [1, 2, 0],
                      "tenure_days": pa.array([5, 9, None], pa.int64())})  # fmt: skip
    placed = with_standing(crowd.slice(0, 2), crowd, load_scheme("tiered_management"), YUAN)
    assert placed["points_amount"].to_pylist() == [25.0, 75.0]
