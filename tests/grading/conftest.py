"""Engines to grade on, and random customers."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import duckdb
import narwhals as nw
import polars as pl
import pyarrow as pa
import pytest

from tierlens.grading.lint import Finding, check_scheme
from tierlens.grading.scheme.scheme import Scheme, load_scheme

Frame = nw.LazyFrame[Any]
Lazy = Callable[[pa.Table], Frame]


def on_duckdb(table: pa.Table) -> Frame:
    """One connection a table: relations keep it alive."""
    return nw.from_native(duckdb.connect().from_arrow(table))


def on_polars(table: pa.Table) -> Frame:
    return nw.from_native(pl.DataFrame(pl.from_arrow(table)).lazy())


@pytest.fixture(params=[on_duckdb, on_polars], ids=["duckdb", "polars"])
def lazy(request: pytest.FixtureRequest) -> Lazy:
    return request.param


@pytest.fixture(scope="session")
def on_spark() -> Iterator[Lazy]:
    pyspark = pytest.importorskip("pyspark.sql")
    session = (
        pyspark.SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .getOrCreate()
    )
    yield lambda table: nw.from_native(session.createDataFrame(table))
    session.stop()


@cache
def checked(name: str) -> list[Finding]:
    """What the linter says of a scheme that comes with the package; it grades three times to find out."""
    return check_scheme(load_scheme(name))


def rows_of(frame: Frame) -> list[dict[str, Any]]:
    """Collected and sorted."""
    return (
        frame.collect("pyarrow")
        .to_native()
        .sort_by([("cutoff", "ascending"), ("customer_id", "ascending")])
        .to_pylist()
    )


def bounds_of(scheme: Scheme, column: str) -> list[float]:
    """Every number that the scheme holds against a column: where faults would hide."""
    found: set[Any] = set()
    for _, indicator in scheme.indicators:
        if indicator.feature == column:
            for _, cuts in indicator.cut_tables():
                found |= {edge[0] for cut in cuts for edge in (cut.start, cut.end) if edge is not None}
    for when in [rule.when for label in scheme.labels for rule in label.rules] + [t.when for t in scheme.triggers]:
        for alternative in when:
            condition = alternative.get(column)
            if condition is not None and condition.of is None:
                found |= {edge[0] for edge in (condition.start, condition.end) if edge is not None}
    return sorted(float(x) for x in found)


def words_of(scheme: Scheme, column: str) -> list[str]:
    """Every word that the scheme knows for a text column, and one that it does not."""
    found = {"unheard-of"}
    for _, indicator in scheme.indicators:
        if indicator.feature == column and indicator.ordinal is not None:
            found |= set(indicator.ordinal)
    for when in [rule.when for label in scheme.labels for rule in label.rules] + [t.when for t in scheme.triggers]:
        for alternative in when:
            condition = alternative.get(column)
            if condition is not None:
                found |= {str(condition.equals)} if condition.equals is not None else set(condition.among or ())
    return sorted(found)


def random_customers(scheme: Scheme, number: int, seed: int = 0, missing: float = 0.15) -> pa.Table:
    """Customers whose values lie at, just beside and far from every bound of a scheme; two cutoffs."""
    draw = random.Random(seed)
    columns: dict[str, pa.Array] = {
        "customer_id": pa.array([f"C{n:06d}" for n in range(number)]),
        "cutoff": pa.array([15126 + 30 * (n % 2) for n in range(number)], pa.int32()),
    }
    for name, use in scheme.features.items():
        column = random.Random(zlib.crc32(name.encode()) + seed)
        if use.unit == "text":
            words = words_of(scheme, name)
            values: list[Any] = [column.choice(words) for _ in range(number)]
            kind = pa.string()
        elif use.unit == "flag":
            values, kind = [column.random() < 0.5 for _ in range(number)], pa.bool_()
        else:
            whole = use.whole or (use.unit == "money" and name != "average_order_value")
            bounds = bounds_of(scheme, name)
            values = [_value(column, use, bounds, whole) for _ in range(number)]
            kind = pa.int64() if whole else pa.float64()
        columns[name] = pa.array([None if draw.random() < missing else value for value in values], kind)
    return pa.table(columns)


def _value(draw: random.Random, use: Any, bounds: list[float], whole: bool) -> float:
    unit = 100 if use.unit == "money" else 1
    if bounds and draw.random() < 0.6:
        value = draw.choice(bounds) * unit + draw.choice([-1, 0, 0, 1]) * (1 if whole else 0.25)
    elif use.unit in ("share", "ratio"):
        value = round(draw.uniform(-0.5, 1.5), 3)
    else:
        value = draw.lognormvariate(8, 2) * unit if use.unit == "money" else draw.uniform(0, 30)
    low = None if use.at_least is None else float(use.at_least)
    high = None if use.at_most is None else float(use.at_most)
    value = value if low is None else max(value, low)
    value = value if high is None else min(value, high)
    return int(value) if whole else float(value)
