"""One expression, three engines: every feature of the simulated shop is the same on DuckDB, Polars and Spark."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import narwhals as nw
import polars as pl
import pyarrow as pa
import pytest

from tierlens.datasets.simulate import simulated_shop
from tierlens.features.audit import column_difference, whole_catalog
from tierlens.features.catalog import EVERY, WHOLE
from tierlens.features.windows import Window
from tierlens.sources.tables import Tables, day_number

CUTOFFS = [day_number("2024-12-15"), day_number("2025-06-01")]
NEAR = 1e-9


@pytest.fixture(scope="module")
def shop() -> Tables:
    return simulated_shop(customers=80, seed=11).tables


def on(tables: Tables, lend: Any) -> Tables:
    """Take the same rows to another engine."""
    frames = {name: lend(frame.collect("pyarrow").to_native()) for name, frame in tables.others.items()}
    return dataclasses.replace(
        tables, transactions=lend(tables.transactions.collect("pyarrow").to_native()), others=frames
    )


@pytest.fixture(scope="module")
def truth(shop: Tables) -> pa.Table:
    """DuckDB's answer."""
    return whole_catalog(shop, CUTOFFS, Window())


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    sql = pytest.importorskip("pyspark.sql")
    session = (
        sql.SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.memory", "2g")
        .getOrCreate()
    )
    yield session
    session.stop()


def unlike(one: pa.Table, other: pa.Table) -> dict[str, int]:
    """Rows that differ, by column: whole numbers and words at all, floats by more than 1e-9 of themselves."""
    order = [("cutoff", "ascending"), ("customer_id", "ascending")]
    a, b = one.sort_by(order), other.sort_by(order)
    assert a.column_names == b.column_names
    assert a.num_rows == b.num_rows
    counts = {}
    for name in a.column_names:
        left, right = a[name].combine_chunks(), b[name].combine_chunks()
        assert pa.types.is_floating(left.type) == pa.types.is_floating(right.type), (name, left.type, right.type)
        counts[name] = int(column_difference(left, right, NEAR).sum())
    return {name: count for name, count in counts.items() if count}


def test_polars_gives_what_duckdb_gives(shop: Tables, truth: pa.Table) -> None:
    lent = on(shop, lambda table: nw.from_native(pl.from_arrow(table).lazy()))
    assert unlike(truth, whole_catalog(lent, CUTOFFS, Window())) == {}


@pytest.mark.slow
def test_spark_gives_what_duckdb_gives(shop: Tables, truth: pa.Table, spark: Any) -> None:
    def lend(table: pa.Table) -> Any:
        plain = table.drop_columns([name for name in table.column_names if pa.types.is_timestamp(table[name].type)])
        return nw.from_native(spark.createDataFrame(plain).cache())

    found = whole_catalog(on(shop, lend), CUTOFFS, Window())
    assert set(found.column_names) >= set(EVERY)
    assert len(found.column_names) == 2 + len(WHOLE)
    assert unlike(truth, found) == {}
