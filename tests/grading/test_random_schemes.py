"""Schemes nobody wrote: random rules over random customers, expression against oracle, on both engines."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.grading.conftest import on_duckdb, on_polars, rows_of
from tests.grading.oracle import Oracle
from tests.grading.test_scoring import POUND, YUAN, same
from tierlens import strict_yaml
from tierlens.grading.lint import indicator_contributions
from tierlens.grading.scheme.scheme import Scheme
from tierlens.grading.scheme_yaml import scheme_yaml
from tierlens.grading.scoring import grade
from tierlens.grading.workbook.from_workbook import scheme_from_tables
from tierlens.grading.workbook.to_workbook import scheme_tables

WORDS = ["red", "green", "blue"]
FEATURES: dict[str, dict[str, Any]] = {
    "money": {"unit": "money"},
    "spare": {"unit": "money"},
    "count": {"unit": "orders", "whole": True, "at_least": 0},
    "share": {"unit": "share"},
    "colour": {"unit": "text"},
    "tenure_days": {"unit": "days", "whole": True, "at_least": 0},
}
NUMBERS = ["money", "spare", "count", "share", "tenure_days"]


def bands(draw: st.DrawFn, edges: list[int]) -> list[dict[str, Any]]:
    """A partition of the number line, open or closed at random."""
    after = [draw(st.booleans()) for _ in edges]
    uppers = [{"at_most" if a else "below": e} for e, a in zip(edges, after, strict=True)]
    lowers = [{"above" if a else "at_least": e} for e, a in zip(edges, after, strict=True)]
    return [{**low, **up} for low, up in zip([{}, *lowers], [*uppers, {}], strict=True)]


def scoring(draw: st.DrawFn, feature: str, direction: str) -> dict[str, Any]:
    """One of the five ways, fit for the column."""
    if feature == "colour":
        return {"ordinal": {word: draw(st.integers(1, 10)) for word in WORDS[: draw(st.integers(1, 3))]}}
    kind = draw(st.sampled_from(["cuts", "z_score", "min_max", "percentile", "given"]))
    if kind == "cuts":
        edges = sorted(draw(st.sets(st.integers(-5, 40), min_size=1, max_size=4)))
        points = sorted(draw(st.lists(st.integers(1, 10), min_size=len(edges) + 1, max_size=len(edges) + 1)))
        ordered = points if direction == "up" else points[::-1]
        return {"cuts": [{**band, "points": p} for band, p in zip(bands(draw, edges), ordered, strict=True)]}
    if kind == "given":
        return {"given": {"from": draw(st.integers(-5, 0)), "to": draw(st.integers(1, 30))}}
    line = {"centre": draw(st.integers(2, 9)), "slope": draw(st.integers(1, 3))} if kind == "z_score" else {}
    return {"normalise": {"method": kind, **line}}


def condition(draw: st.DrawFn, feature: str) -> dict[str, Any]:
    """Anything that a rule may ask of a column."""
    if feature == "colour":
        return draw(st.sampled_from([{"is": "red"}, {"in": ["green", "blue"]}, {"missing": True}, {"missing": False}]))
    low = draw(st.integers(-5, 20))
    asked = [{"at_least": low}, {"above": low, "below": low + 7}, {"at_most": low}, {"missing": True}, {"is": low}]
    if feature == "money":
        asked += [{"at_most": 2, "of": "spare"}, {"above": 1, "of": "spare"}]
    return draw(st.sampled_from(asked))


@st.composite
def schemes(draw: st.DrawFn) -> dict[str, Any]:
    """The data of a scheme file."""
    named = {"label": "某", "source": "c"}
    dimensions = []
    for d in range(draw(st.integers(1, 3))):
        indicators = []
        for i in range(draw(st.integers(1, 3))):
            feature = draw(st.sampled_from([*NUMBERS, "colour"]))
            direction = draw(st.sampled_from(["up", "down"]))
            part = {"id": f"i{d}{i}", "name": "i", "feature": feature, "weight": draw(st.integers(1, 5)), **named}
            part |= {"direction": direction, **scoring(draw, feature, direction)}
            policy = draw(st.sampled_from([None, "worst", "neutral", "not_graded"]))
            indicators.append({**part, **({"missing": policy} if policy else {})})
        dimensions.append(
            {"id": f"d{d}", "name": "d", "weight": draw(st.integers(1, 5)), "indicators": indicators, **named}
        )
    tiers = bands(draw, sorted(draw(st.sets(st.integers(20, 95), min_size=1, max_size=4))))[::-1]
    rules = []
    for _ in range(draw(st.integers(1, 4))):
        when = [
            {f: condition(draw, f) for f in draw(st.sets(st.sampled_from(list(FEATURES)), min_size=1, max_size=2))}
            for _ in range(draw(st.integers(1, 2)))
        ]
        rules.append({"value": draw(st.sampled_from(["x", "y"])), "when": when, "source": "c"})
    values = [{"id": value, "name": value, "label": "某"} for value in ("x", "y")]
    return {
        "id": "random", "name": "Random", "label": "随机", "version": "1", "valid_from": "2026-01-01",
        "currency": "CNY", "source": {"document": "d", "clause": "c"}, "normalise_weights": True,
        "dimensions": dimensions,
        "features": {name: {"name": name, "label": "某", **use} for name, use in FEATURES.items()},
        "tiers": [{"id": f"T{n}", "name": "t", **named, **band} for n, band in enumerate(tiers)],
        "labels": [{"id": "l", "name": "l", "values": values, "rules": rules, "otherwise": "y", **named}],
        "triggers": [{"id": "g", "name": "g", "when": rules[0]["when"], **named}],
        "minimum_coverage": draw(st.sampled_from([0, 1])), "minimum_tenure_days": draw(st.sampled_from([None, 10])),
    }  # fmt: skip


@st.composite
def customers(draw: st.DrawFn) -> pa.Table:
    """Small numbers, so that ties and bounds are hit; some are missing, some columns are not there."""
    size = draw(st.integers(1, 8))

    def column(values: st.SearchStrategy[Any], kind: pa.DataType) -> pa.Array:
        return pa.array(draw(st.lists(st.none() | values, min_size=size, max_size=size)), kind)

    columns = {
        "money": column(st.integers(-5, 40).map(lambda x: x * 100) | st.integers(-500, 4000), pa.int64()),
        "spare": column(st.integers(0, 4000), pa.int64()),
        "count": column(st.integers(0, 40), pa.int64()),
        "share": column(st.integers(-80, 160).map(lambda x: x / 4), pa.float64()),
        "colour": column(st.sampled_from([*WORDS, "grey"]), pa.string()),
        "tenure_days": column(st.integers(0, 40), pa.int64()),
    }
    kept = draw(st.sets(st.sampled_from(list(columns)), min_size=2))
    keys = {"customer_id": [f"C{n}" for n in range(size)], "cutoff": pa.array([n % 2 for n in range(size)], pa.int32())}
    return pa.table({**keys, **{name: columns[name] for name in columns if name in kept}})


def built(data: dict[str, Any]) -> Scheme:
    return strict_yaml.build_model(Scheme, strict_yaml.Document(data, "random", ""))


@given(schemes(), customers(), st.sampled_from([YUAN, POUND]))
@settings(max_examples=30, deadline=None)
def test_any_scheme_grades_any_customers_as_the_oracle_does(data, table, currency):
    scheme = built(data)
    rows = table.sort_by([("cutoff", "ascending"), ("customer_id", "ascending")]).to_pylist()
    oracle = Oracle(scheme, currency, rows, set(table.column_names))
    for features, got in zip(rows, rows_of(grade(on_polars(table), scheme, currency)), strict=True):
        dues = oracle.grade(features)
        for name in got.keys() & dues.keys():
            same(name, got[name], dues[name])


@given(schemes(), customers())
@settings(max_examples=10, deadline=None)
def test_any_scheme_is_graded_alike_by_both_engines(data, table):
    scheme = built(data)
    ours, theirs = (rows_of(grade(lazy(table), scheme, POUND)) for lazy in (on_duckdb, on_polars))
    for due, got in zip(ours, theirs, strict=True):
        assert got == pytest.approx(due, abs=3e-8)


@given(schemes())
@settings(max_examples=40, deadline=None)
def test_any_scheme_survives_tables_and_yaml(data):
    scheme = built(data)
    assert scheme_from_tables(scheme_tables(scheme)) == scheme
    assert strict_yaml.build_model(Scheme, scheme_yaml(scheme)).sha256 == scheme.sha256
    assert sum(part.share for part in indicator_contributions(scheme)) == 1
