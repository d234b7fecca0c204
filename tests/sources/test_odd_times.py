"""Times beyond any calendar, in tables and files handed in by Python: kept out as impossible years, counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tierlens.errors import DataError, UsageError
from tierlens.sources import from_frame
from tierlens.sources.declared.source import Policies, Source
from tierlens.sources.from_frame import tables_from_frame
from tierlens.sources.parsing.odd_times import table_with_times_held
from tierlens.sources.read import read_tables
from tierlens.sources.report.quality import Quality

GOOD = 1_767_571_200
"""2026-01-05, in seconds."""
FAR = 2**63 - 1
ALL = Policies(returns="negative", duplicates="keep", reject_limit=1.0)


def seconds(*values: str | int) -> Any:
    """NumPy's times in whole seconds."""
    whole = [np.datetime64(v, "s").view("int64") if isinstance(v, str) else v for v in values]
    return np.array(whole, dtype="int64").view("datetime64[s]")


def rows(library: Callable[[dict[str, Any]], Any], column: str, values: Any) -> Any:
    """A table with as many orders as there are values."""
    count = len(values)
    extra = {} if column in ("time", "day") else {"time": ["2026-01-05"] * count}
    return library({"customer_id": [f"C{n}" for n in range(count)], "amount": [1.0] * count, column: values, **extra})


def polars(unit: Any, *values: int, zone: str | None = None) -> Any:
    kind = pl.Date if unit == "date" else pl.Datetime(unit, zone)
    return pl.Series(values, dtype=pl.Int32 if unit == "date" else pl.Int64).cast(kind)


IMPOSSIBLE = {"impossible_year": 2}
CASES: Mapping[str, tuple[Callable[[], Any], dict[str, int]]] = {
    "pandas, years 20000 and -5000": (
        lambda: rows(pd.DataFrame, "time", seconds("20000-01-01", "-5000-01-01", GOOD)), IMPOSSIBLE),
    "pandas, seconds without end": (lambda: rows(pd.DataFrame, "time", seconds(2**62, -(2**62), GOOD)), IMPOSSIBLE),
    "pandas, year 1": (lambda: rows(pd.DataFrame, "time", seconds("0001-01-01", GOOD)), {"sentinel_date": 1}),
    "pandas, NaT": (lambda: rows(pd.DataFrame, "time", seconds("NaT", GOOD)), {"missing_time": 1}),
    "pandas, objects": (
        lambda: rows(pd.DataFrame, "time", pd.Series([pd.NaT, dt.date.max, dt.date(2026, 1, 5)], dtype=object)),
        {"missing_time": 1, "sentinel_date": 1}),
    "pandas, with a zone": (
        lambda: rows(pd.DataFrame, "time", pd.Series(seconds("2500-12-31", GOOD)).dt.tz_localize("Asia/Shanghai")),
        {"impossible_year": 1}),
    "polars, us": (lambda: rows(pl.DataFrame, "time", polars("us", FAR, -FAR, GOOD * 10**6)), IMPOSSIBLE),
    "polars, us, lazy": (lambda: rows(pl.LazyFrame, "time", polars("us", FAR, -FAR, GOOD * 10**6)), IMPOSSIBLE),
    "polars, us, with a zone": (
        lambda: rows(pl.DataFrame, "time", polars("us", FAR, -FAR, GOOD * 10**6, zone="UTC")), IMPOSSIBLE),
    "polars, ms": (lambda: rows(pl.DataFrame, "time", polars("ms", FAR, -FAR, GOOD * 1000)), IMPOSSIBLE),
    "polars, ns": (lambda: rows(pl.DataFrame, "time", polars("ns", FAR, -FAR, GOOD * 10**9)), IMPOSSIBLE),
    "polars, dates": (lambda: rows(pl.DataFrame, "time", polars("date", 2**31 - 1, -(2**31), 20458)), IMPOSSIBLE),
    "arrow, s": (lambda: rows(pa.table, "time", pa.array([FAR, -FAR - 1, GOOD], pa.timestamp("s"))), IMPOSSIBLE),
    "arrow, s, with a zone": (
        lambda: rows(pa.table, "time", pa.array([FAR, -FAR, GOOD], pa.timestamp("s", "UTC"))), IMPOSSIBLE),
    "arrow, date64": (
        lambda: rows(pa.table, "time", pa.array([86_400_000 * 10**10, 20458 * 86_400_000]).view(pa.date64())),
        {"impossible_year": 1}),
    "arrow, nothing": (lambda: rows(pa.table, "time", pa.array([None, None], pa.timestamp("s"))), {"missing_time": 2}),
    "arrow, days without end": (lambda: rows(pa.table, "day", pa.array([2**40, -(2**40), 20458])), IMPOSSIBLE),
    "arrow, days as floats": (
        lambda: rows(pa.table, "day", pa.array([float("nan"), float("inf"), 20458.0])), {"missing_time": 2}),
}  # fmt: skip


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> list[Quality]:
    """The quality reports behind ``tables_from_frame``."""
    kept: list[Quality] = []

    def watched(source: Source) -> Any:
        result = read_tables(source)
        kept.append(result.quality)
        return result

    monkeypatch.setattr(from_frame, "read_tables", watched)
    return kept


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_is_kept_out_and_counted(case: str, reports: list[Quality]) -> None:
    make, due = CASES[case]
    days = tables_from_frame(make(), "CNY", policies=ALL).transactions.collect("pyarrow").to_native()["day"].to_pylist()
    report = reports[0]
    assert {key: count for key, count in report.quarantined.items() if count} == due
    assert report.rows_in == report.used + sum(due.values())
    assert days == [20458] * report.used


@pytest.mark.parametrize("case", [name for name, (_, due) in CASES.items() if due == IMPOSSIBLE])
def test_by_default_not_one_such_row_is_taken(case: str) -> None:
    with pytest.raises(DataError, match="E-TX-200") as caught:
        tables_from_frame(CASES[case][0](), "CNY")
    assert "impossible_year" in str(caught.value)


def test_a_moment_of_recording_without_end_is_no_fault(reports: list[Quality]) -> None:
    late = rows(pa.table, "recorded_at", pa.array([FAR, GOOD], pa.timestamp("s")))
    tables_from_frame(late, "CNY", policies=ALL)
    assert reports[0].rows_in == 2


def test_a_column_that_nobody_reads_does_no_harm() -> None:
    table = rows(pa.table, "time", ["2026-01-05", "2026-01-06"])
    table = table.append_column("signed_on", pa.array([FAR, -FAR], pa.timestamp("s")))
    assert tables_from_frame(table, "CNY").transactions.collect("pyarrow").shape[0] == 2


def test_values_of_several_kinds_are_refused() -> None:
    mixed = rows(pd.DataFrame, "time", pd.Series([dt.datetime(2026, 1, 5), "2026-01-05"], dtype=object))  # noqa: DTZ001
    with pytest.raises(UsageError, match=r"E-US-017 frame: a column holds values of several kinds: .*time") as caught:
        tables_from_frame(mixed, "CNY")
    assert "混有多种类型" in caught.value.say("zh")


@pytest.mark.parametrize("days", [["x", "20458"], [1.5, 2.0]])
def test_days_that_are_no_whole_numbers_are_refused(days: list[Any]) -> None:
    with pytest.raises(UsageError, match="E-US-018 day: days are whole numbers"):
        tables_from_frame(rows(pa.table, "day", days), "CNY")


@pytest.mark.parametrize("kind", [pa.date32(), pa.timestamp("ns"), pa.timestamp("us", "UTC"), pa.timestamp("ms")])
def test_files_are_held_to_the_same(kind: pa.DataType, tmp_path: Path) -> None:
    far = 2**31 - 1 if kind == pa.date32() else FAR
    whole = pa.int32() if kind == pa.date32() else pa.int64()
    times = pa.array([far, -far, 0], whole).view(kind)
    pq.write_table(rows(pa.table, "time", times), tmp_path / "orders.parquet")
    report = read_tables(Source(files=str(tmp_path / "orders.parquet"), currency="CNY", policies=ALL)).quality
    assert report.quarantined["impossible_year"] >= 2


def test_a_table_of_plain_times_is_as_it_was() -> None:
    table = pa.table(
        {"a": pa.array([1, None], pa.timestamp("ns")), "b": ["x", "y"], "c": pa.array([5, 6], pa.date32())}
    )
    assert table_with_times_held(table) == table
