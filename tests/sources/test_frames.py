"""Tables in memory: pandas, Polars, Arrow and Spark, and what is no table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tierlens.errors import DataError, UsageError
from tierlens.sources.declared.source import Policies
from tierlens.sources.from_frame import tables_from_frame
from tierlens.sources.read import read_tables
from tierlens.sources.tables import Tables

ROWS: dict[str, list[Any]] = {
    "customer_id": ["00123", "b", "b"],
    "order_id": ["1", "2", "3"],
    "time": [dt.datetime(2026, 1, 5, 8, 30), dt.datetime(2026, 2, 1), dt.datetime(2026, 2, 2)],  # noqa: DTZ001
    "amount": [19.9, 0.005, -5.0],
    "remark": ["x", "y", "z"],
}
SETTLED = [
    {"customer_id": "00123", "order_id": "1", "day": 20458, "known_day": 20458, "amount": 1990, "kind": "purchase"},
    {"customer_id": "b", "order_id": "2", "day": 20485, "known_day": 20485, "amount": 1, "kind": "purchase"},
    {"customer_id": "b", "order_id": "3", "day": 20486, "known_day": 20486, "amount": -500, "kind": "return"},
]
MAKERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "polars, lazy": pl.LazyFrame,
    "arrow": pa.table,
}


def rows_of(tables: Tables) -> list[dict[str, Any]]:
    frame = tables.transactions.select("customer_id", "order_id", "day", "known_day", "amount", "kind").collect(
        "pyarrow"
    )
    rows: list[dict[str, Any]] = frame.to_native().to_pylist()
    return sorted(rows, key=lambda row: row["order_id"])


@pytest.mark.parametrize("maker", MAKERS)
def test_every_library_gives_the_same(maker: str) -> None:
    tables = tables_from_frame(MAKERS[maker](ROWS), "CNY", name="a/b")
    assert rows_of(tables) == SETTLED
    assert (tables.name, tables.currency.code) == ("a/b", "CNY")


def test_days_stand_for_times() -> None:
    table = pa.table({"customer_id": ["a"], "day": pa.array([20458], pa.int32()), "quantity": [3], "price": [1.5]})
    rows = rows_of(tables_from_frame(table, "CNY"))
    assert [(row["day"], row["amount"]) for row in rows] == [(20458, 450)]


def test_repeats_are_kept_unless_declared() -> None:
    table = pa.table({"customer_id": ["a", "a"], "time": ["2026-01-05"] * 2, "amount": [1, 1]})
    assert len(rows_of(tables_from_frame(table, "CNY"))) == 2
    assert len(rows_of(tables_from_frame(table, "CNY", policies=Policies(duplicates="drop")))) == 1


def test_not_one_row_is_lost_silently() -> None:
    table = pa.table({"customer_id": ["a"] * 999 + [None], "time": ["2026-01-05"] * 1000, "amount": [1] * 1000})
    with pytest.raises(DataError, match=r"E-TX-200.*missing_customer 0.10%"):
        tables_from_frame(table, "CNY")


def test_a_missing_column_is_named() -> None:
    with pytest.raises(UsageError, match=r"E-US-010 frame: the table has no time, amount \(or quantity and price\)"):
        tables_from_frame(pa.table({"customer_id": ["a"]}), "CNY")


@pytest.fixture(scope="module")
def spark() -> Any:
    sql = pytest.importorskip("pyspark.sql")
    session = (
        sql.SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.session.timeZone", "Asia/Shanghai")
        .getOrCreate()
    )
    yield session
    session.stop()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
class TestSpark:
    """The same rows in Spark give the same table, and stay in Spark."""

    def frame(self, spark: Any, rows: dict[str, list[Any]]) -> Any:
        return spark.createDataFrame(list(zip(*rows.values(), strict=True)), list(rows))

    def test_the_same_as_in_memory(self, spark: Any) -> None:
        tables = tables_from_frame(self.frame(spark, ROWS), "CNY")
        assert tables.transactions.implementation.is_pyspark()
        assert rows_of(tables) == SETTLED

    def test_zones_days_prices_and_late_records(self, spark: Any) -> None:
        rows = {
            "customer_id": [7, 7],
            "day": [20458, 20459],
            "recorded_at": [dt.date(2026, 1, 9), dt.date(2026, 1, 1)],
            "quantity": [3, 1000],
            "price": [1.005, 0.0015],
        }
        found = rows_of(tables_from_frame(self.frame(spark, rows), "CNY"))
        assert [(row["known_day"] - row["day"], row["amount"]) for row in found] == [(4, 302), (0, 150)]
        assert [row["order_id"] for row in found] == ["7@2026-01-05", "7@2026-01-06"]
        instant = spark.sql(
            "SELECT 'a' AS customer_id, TIMESTAMP '2026-01-05 23:30:00 America/New_York' AS time, 1 AS amount"
        )
        for zone, day in (("America/New_York", 20458), ("Asia/Shanghai", 20459)):
            assert rows_of(tables_from_frame(instant, "CNY", timezone=zone))[0]["day"] == day

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"customer_id": ["a", None, " "]}, "customer_id: 2 rows"),
            ({"kind": ["purchase", "gift", "return"]}, "kind: 1 rows"),
            ({"kind": ["purchase"] * 3}, "negative_amount: 1 rows"),
            ({"time": [dt.date(1, 1, 2), dt.date(9998, 1, 1), dt.date(2100, 12, 31)]}, "impossible_year: 2"),
        ],
    )
    def test_what_cannot_be_used_is_refused(self, spark: Any, change: dict[str, list[Any]], words: str) -> None:
        with pytest.raises(DataError, match=words):
            tables_from_frame(self.frame(spark, ROWS | change), "CNY")


def test_what_a_column_is_meant_to_be_is_said() -> None:
    table = pa.table({"客户编号": ["a"], "下单时间": ["2026-01-05"], "amount": [1.0]})
    with pytest.raises(UsageError, match=r"'客户编号' -> 'customer_id', '下单时间' -> 'time'"):
        tables_from_frame(table, "CNY")


@pytest.mark.parametrize(
    ("call", "code", "words"),
    [
        (lambda: tables_from_frame(pa.table({"customer_id": ["a"]}), "yuan"), "E-US-014", "'yuan' is no currency"),
        (lambda: tables_from_frame("orders.csv", "CNY"), "E-US-015", "a str is no table"),
        (lambda: tables_from_frame(None, "CNY"), "E-US-015", "a NoneType is no table"),
        (lambda: read_tables("orders.csv"), "E-US-016", r"Source\(files='orders.csv', currency='CNY'\)"),
        (lambda: read_tables(pd.DataFrame({"a": [1]})), "E-US-016", "tables_from_frame"),
    ],
)
def test_what_is_no_table_and_no_source_is_told_what_is_due(call: Any, code: str, words: str) -> None:
    with pytest.raises(UsageError, match=rf"{code}.*{words}"):
        call()
