"""Schemes as tables and as YAML: nothing is lost either way; starters load and grade."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from tests.grading.conftest import on_duckdb, on_polars, rows_of
from tests.grading.test_scheme import LABEL
from tests.grading.test_scoring import TINY, YUAN, keyed
from tierlens import strict_yaml
from tierlens.errors import DataError, SchemeError, UsageError
from tierlens.grading.scheme.scheme import Scheme, load_scheme, scheme_names
from tierlens.grading.scheme_yaml import scheme_yaml, starter_scheme
from tierlens.grading.scoring import grade
from tierlens.grading.sql import to_sql
from tierlens.grading.workbook.from_workbook import plain_scheme, scheme_from_tables
from tierlens.grading.workbook.to_workbook import scheme_tables

FULL = (
    TINY
    + LABEL
    + """
tags: [{id: t, name: T, label: 标, of: tenure_days, per: 365, suffix: 年, source: c}]
triggers:
  - {id: x, name: X, label: 触, source: c, rows_days: 7, note: [{en: one, zh: 一}, {en: two, zh: 二}],
     when: [{grade: {in: [AAA, B]}, mark: {is: 3}},
            {tenure_days: {missing: true}, mark: {at_least: 0.5, of: monetary}}]}
minimum_tenure_days: 30
"""
)


@pytest.mark.parametrize("text", [FULL, *scheme_names()])
def test_tables_and_yaml_lose_nothing(text: str):
    scheme = strict_yaml.build_model(Scheme, text) if "\n" in text else load_scheme(text)
    assert scheme_from_tables(scheme_tables(scheme)) == scheme
    back = strict_yaml.build_model(Scheme, scheme_yaml(scheme))
    assert back == scheme
    assert back.sha256 == scheme.sha256


def test_a_table_reads_like_the_document():
    tables = {table.sheet.key: table for table in scheme_tables(load_scheme("relationship_rating"))}
    points = tables["points"]
    assert points.header("zh")[:6] == ["指标", "分段表", "≥", "＞", "＜", "≤"]
    first = dict(zip((c.key for c in points.sheet.columns), points.cells()[0], strict=True))
    named = [first[key] for key in ("indicator", "table", "at_least", "points")]
    assert named == ["annual_amount", "general", 1000000, 10]
    assert first["source"] == "通用分段：≥100万"


def test_tables_without_an_entry_are_refused():
    with pytest.raises(SchemeError, match="E-SC-002: the tables do not say document"):
        plain_scheme({})


def test_a_starter_loads_and_grades():
    table = keyed(monetary=[100, 200, 300], recency_days=[5, 9, 1], growth_yoy=[0.1, None, 0.3], mine=[1, 2, 3])
    text = starter_scheme(on_polars(table), "mine", "GBP")
    scheme = strict_yaml.build_model(Scheme, text)
    assert [d.id for d in scheme.dimensions] == ["value", "potential"]
    directions = {i.id: i.direction for _, i in scheme.indicators}
    assert directions == {"monetary": "up", "recency_days": "down", "growth_yoy": "up"}
    rows = rows_of(grade(on_duckdb(table), scheme, type(YUAN)("GBP")))
    assert [row["tier"] for row in rows] == ["D", "D", "B"]


def test_nothing_to_start_from_is_told():
    with pytest.raises(DataError, match="E-GR-004: no column of the feature table can be scored: mine"):
        starter_scheme(on_polars(keyed(mine=[1])), "x", "GBP")


def test_the_sql_runs_by_hand_and_gives_the_same():
    table = keyed(monetary=[60000000, 1], average_order_value=[5.5, 6.5], frequency=[3, 4])
    scheme = load_scheme("relationship_rating")
    sql = to_sql(on_duckdb(table), scheme, YUAN)
    with duckdb.connect() as connection:
        connection.register("features", table)
        by_hand = connection.sql(sql).to_arrow_table().sort_by("customer_id").to_pylist()
    assert by_hand == rows_of(grade(on_duckdb(table), scheme, YUAN))
    assert sql.startswith("-- Customer relationship rating system (relationship_rating 1.0), sha256 of the scheme: ")
    assert "monetary >= 100000000" in sql
    assert max(len(line) for line in sql.splitlines()) < 1500
    assert '"' not in sql


def test_sql_is_for_duckdb_only():
    with pytest.raises(UsageError, match="E-US-005: SQL is written for DuckDB tables only"):
        to_sql(on_polars(pa.table({"customer_id": ["a"], "cutoff": [1]})), load_scheme("five_step"), YUAN)
