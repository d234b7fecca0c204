"""The one place where dates are compared: every boundary day by day, beside plain arithmetic of whole numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import duckdb
import narwhals as nw
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tables_of import purchase, tables_of
from tierlens.errors import DataError, UsageError
from tierlens.features import windows
from tierlens.features.windows import LONGEST, PERIODS, YEAR, Window
from tierlens.sources.tables import day_date, day_number

CUTOFF = 15_000
AROUND = range(CUTOFF - 800, CUTOFF + 120)
few = settings(max_examples=15, deadline=None)


def lent(table: pa.Table, engine: str) -> Any:
    if engine == "polars":
        return nw.from_native(pl.from_arrow(table).lazy())  # type: ignore[union-attr]
    return nw.from_native(duckdb.from_arrow(table, connection=duckdb.connect()))


def days_of(days: Iterable[int], engine: str = "polars", **more: list[int]) -> Any:
    """One row a day, known when it happened unless told otherwise."""
    listed = list(days)
    columns = {"day": listed, "known_day": listed} | more
    return lent(pa.table({name: pa.array(values, pa.int32()) for name, values in columns.items()}), engine)


def kept(frame: Any, expression: nw.Expr, column: str = "day") -> list[int]:
    return sorted(frame.filter(expression).collect("pyarrow")[column].to_list())


# --- rows around a cutoff


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
@pytest.mark.parametrize(("days", "ago"), [(1, 0), (90, 0), (90, 90), (365, 365), (YEAR, 0), (1, 7)])
def test_a_trailing_window_holds_just_its_days(engine: str, days: int, ago: int) -> None:
    paired = windows.at_cutoffs(days_of(AROUND, engine), [CUTOFF])
    expected = list(range(CUTOFF - ago - days, CUTOFF - ago))
    assert kept(paired, windows.trailing_rows(days, ago)) == expected
    # Of another column it is the same, told from the cutoff itself.
    assert kept(paired, windows.trailing_rows(days, ago, of="known_day")) == expected


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_windows_that_follow_each_other_share_no_day_and_miss_none(engine: str) -> None:
    paired = windows.at_cutoffs(days_of(AROUND, engine), [CUTOFF])
    parts = [kept(paired, windows.trailing_rows(91, ago)) for ago in (273, 182, 91, 0)]
    assert [day for part in parts for day in part] == list(range(CUTOFF - 364, CUTOFF))


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_a_twelfth_of_a_year_is_whole_number_division_of_the_age(engine: str) -> None:
    paired = windows.at_cutoffs(days_of(AROUND, engine), [CUTOFF]).with_columns(period=windows.twelfths_back())
    found = paired.collect("pyarrow").to_native().to_pylist()
    assert len(found) == 800
    for row in found:
        age = CUTOFF - row["day"]
        assert row["age"] == age
        assert row["period"] == ((age - 1) * PERIODS // YEAR if age <= YEAR else PERIODS), age


def test_the_end_of_a_twelfth_is_its_oldest_day() -> None:
    for number in range(PERIODS):
        oldest = max(age for age in range(1, YEAR + 1) if (age - 1) * PERIODS // YEAR == number)
        assert windows.twelfth_ends(number) == oldest


@few
@given(st.integers(-30, 30), st.integers(0, 30))
def test_a_row_is_known_once_it_has_happened_and_was_recorded(day: int, delay: int) -> None:
    frame = days_of([CUTOFF + day], known_day=[CUTOFF + day + delay])
    found = windows.at_cutoffs(frame, [CUTOFF - 10, CUTOFF, CUTOFF + 10]).collect("pyarrow")["cutoff"].to_list()
    assert sorted(found) == [CUTOFF + cut for cut in (-10, 0, 10) if max(day, day + delay) < cut]


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_looking_back_from_later_ages_rows_and_adds_none(engine: str) -> None:
    one = windows.at_cutoffs(days_of(AROUND, engine), [CUTOFF], ahead=30).collect("pyarrow")
    assert sorted(one["day"].to_list()) == list(range(CUTOFF - 800, CUTOFF))
    assert set(one["cutoff"].to_list()) == {CUTOFF + 30}
    assert min(one["age"].to_list()) == 31


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_what_a_row_says_later_is_missing_until_the_day_after_it_was_said(engine: str) -> None:
    frame = days_of([CUTOFF - 9] * 3, engine, told=[CUTOFF - 1, CUTOFF, CUTOFF + 1], value=[1, 2, 3])
    paired = windows.at_cutoffs(frame, [CUTOFF]).with_columns(seen=windows.known_since("value", "told"))
    found = {row["value"]: row["seen"] for row in paired.collect("pyarrow").to_native().to_pylist()}
    assert found == {1: 1, 2: None, 3: None}


def test_days_since_and_at_least_ago_count_from_the_start_of_the_cutoff() -> None:
    paired = windows.at_cutoffs(days_of(AROUND), [CUTOFF])
    assert kept(paired, windows.days_since("day") == 1) == [CUTOFF - 1]
    assert max(kept(paired, windows.at_least_ago(730))) == CUTOFF - 730


# --- the horizon


@few
@given(st.integers(0, 20), st.integers(1, 60), st.integers(0, 40))
def test_the_horizon_holds_what_happened_in_it_and_was_recorded_by_its_end(gap: int, horizon: int, delay: int) -> None:
    window = Window(gap=gap, horizon=horizon)
    after = range(CUTOFF - 5, CUTOFF + 90)
    frame = days_of(after, known_day=[day + delay for day in after])
    found = kept(windows.in_horizon(frame, [CUTOFF], window), nw.col("day") > 0)
    end = CUTOFF + gap + horizon
    assert found == [day for day in after if CUTOFF + gap <= day < end and day + delay < end]
    assert window.closes(CUTOFF) == end


def test_no_row_is_both_known_at_a_cutoff_and_in_its_horizon() -> None:
    frame = days_of(AROUND)
    cutoffs = [CUTOFF - 40, CUTOFF]
    before = windows.at_cutoffs(frame, cutoffs).collect("pyarrow")
    after = windows.in_horizon(frame, cutoffs, Window(horizon=60)).collect("pyarrow")
    pairs = [set(zip(rows["cutoff"].to_list(), rows["day"].to_list(), strict=True)) for rows in (before, after)]
    assert len(pairs[1]) == 120
    assert not pairs[0] & pairs[1]


# --- lengths and cutoffs


@pytest.mark.parametrize("name", ["observe", "gap", "horizon"])
@pytest.mark.parametrize("value", [-1, LONGEST + 1, 1.0, "30", None])
def test_a_length_that_is_none_is_named(name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=rf"E-US-003: window.{name} is .*; give whole days, [01] to 36,500"):
        Window(**{name: value})


@pytest.mark.parametrize(("name", "least"), [("observe", 1), ("gap", 0), ("horizon", 1)])
def test_the_bounds_of_a_length_are_lengths_and_less_is_not(name: str, least: int) -> None:
    for value in (least, LONGEST):
        assert getattr(Window(**{name: value}), name) == value
    with pytest.raises(UsageError, match="E-US-003"):
        Window(**{name: least - 1})


@pytest.mark.parametrize(
    ("given", "days"),
    [
        (15_126, [15_126]),
        ("2011-06-01", [15_126]),
        (dt.date(2011, 6, 1), [15_126]),
        (dt.datetime(2011, 6, 1, 23, 59, tzinfo=dt.UTC), [15_126]),
        (["2011-06-01", 15_126, dt.date(2011, 5, 1)], [15_095, 15_126]),
        ((day for day in (3, 1, 3)), [1, 3]),
    ],
)
def test_cutoffs_of_any_kind_are_days_each_once_in_order(given: Any, days: list[int]) -> None:
    assert windows.cutoff_days(given) == days


def test_no_cutoff_is_refused() -> None:
    with pytest.raises(UsageError, match="E-US-004: no cutoff is given; give one"):
        windows.cutoff_days([])


@few
@given(st.dates(dt.date(1999, 1, 1), dt.date(2030, 12, 31)), st.integers(-40, 1500))
def test_monthly_cutoffs_are_the_first_days_within_the_span(first: dt.date, length: int) -> None:
    start = day_number(first)
    slow = [day for day in range(start, start + length + 1) if day_date(day).day == 1]
    assert windows.month_starts(first, start + length) == slow


# --- what data cover


def settled(days: Iterable[int], **declared: Any) -> Any:
    return tables_of([purchase("a", f"o{day}", day, 100) for day in days], **declared)


def test_data_end_where_it_is_declared_and_else_a_usual_pause_after_the_last_row() -> None:
    weekly = range(10_000, 10_700, 7)
    assert windows.reach_of(settled(weekly, end=11_000)) == windows.Reach(10_000, 10_693, 11_000)
    found = windows.reach_of(settled(weekly))
    assert (found.first, found.last) == (10_000, 10_693)
    assert found.last < found.end <= found.last + 14


def test_a_mistyped_year_does_not_move_the_end() -> None:
    daily = list(range(10_000, 10_400))
    assert windows.reach_of(settled([*daily, 47_000, 1])) == windows.reach_of(settled(daily))


def test_without_rows_there_is_no_reach() -> None:
    with pytest.raises(DataError, match="E-FE-005: there are no transactions; read a file with at least one purchase"):
        windows.reach_of(settled([]))


def test_tables_as_they_were_known_hold_what_snapshots_would_read() -> None:
    rows = [purchase("a", f"o{day}", day, 1, known_day=day + late) for day in AROUND for late in (0, 2)]
    told = windows.known_before(tables_of(rows), CUTOFF).transactions.collect("pyarrow")
    paired = windows.at_cutoffs(tables_of(rows).transactions, [CUTOFF]).collect("pyarrow")
    both = [sorted(zip(table["day"].to_list(), table["known_day"].to_list(), strict=True)) for table in (told, paired)]
    assert both[0] == both[1]
    assert len(told) == 800 + 798
