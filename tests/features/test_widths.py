"""Widths: histories from 1900 to 2100, customers of 10^18 minor units, a thousand million orders of squares."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction

import narwhals as nw
import pytest

from tests.tables_of import purchase, tables_of
from tierlens.errors import UsageError
from tierlens.features.catalog import CATALOG, PAST
from tierlens.features.families.stability import FEATURES as STABILITY
from tierlens.features.seasonal_btyd import season_table, seasonal_expectations
from tierlens.features.snapshot import build_snapshots, to_arrow
from tierlens.features.windows import LONGEST, Window, cutoff_days
from tierlens.sources.tables import day_number

FIRST, LAST = day_number("1900-01-02"), day_number("2100-12-31")
ENGINES = ("polars", "duckdb")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("years", [11, 16, 100, 200])
def test_a_history_may_be_as_long_as_firms_are_old(engine: str, years: int) -> None:
    first = max(LAST - 365 * years, FIRST)
    rows = [purchase("old", "a", first, 500), purchase("old", "b", LAST - 40, 700), purchase("new", "c", LAST - 9, 300)]
    tables = tables_of(rows, engine)
    found = to_arrow(build_snapshots(tables, LAST, features=[*CATALOG, *PAST])).to_pylist()
    new, old = found
    assert (old["tenure_days"], old["recency_days"], old["interval_last_days"]) == (LAST - first, 40, LAST - 40 - first)
    assert (old["active_months"], old["frequency"], old["spend_ever"]) == (1, 1, 1200)
    assert new["tenure_days"] == 9


@pytest.mark.parametrize("engine", ENGINES)
def test_days_before_1970_are_days_like_others(engine: str) -> None:
    rows = [purchase("a", str(day), day, 100) for day in (-9000, -8970, -8930)]
    (row,) = to_arrow(build_snapshots(tables_of(rows, engine), -8900, features=list(CATALOG))).to_pylist()
    assert (row["interval_last_days"], row["recency_days"], row["gaps"]) == (40, 30, 2)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("late", [False, True])
def test_sums_of_a_quintillion_minor_units_are_exact(engine: str, late: bool) -> None:
    cutoff, amounts = 1000, {day: 10**17 - day for day in range(600, 1000, 40)}
    rows = [purchase("a", str(day), day, amount) for day, amount in amounts.items()]
    tables = tables_of([*rows, purchase("a", "odd", 999, 9 * 40)], engine, wide_amounts=True, late_rows=late)
    names = ["spend", "monetary", "spend_ever", "trend_sum", "trend_12", "spend_decay_60", "largest_order"]
    (row,) = to_arrow(build_snapshots(tables, cutoff, features=names)).to_pylist()
    amounts[999] = 9 * 40
    year = {day: amount for day, amount in amounts.items() if day >= cutoff - 365}
    assert row["spend_ever"] == sum(amounts.values())
    assert row["spend"] == row["monetary"] == sum(year.values())
    trend = sum(amount * (11 - 2 * ((cutoff - 1 - day) * 12 // 365)) for day, amount in year.items())
    assert row["trend_sum"] == float(trend)
    weight = {day: round(math.exp((cutoff - day) * (-math.log(2) / 60)) * 2**13) for day in amounts}
    exact = Fraction(sum(amounts[day] * weight[day] for day in amounts), 2**13)
    assert row["spend_decay_60"] == pytest.approx(float(exact), rel=1e-15)


def test_the_spread_of_a_thousand_million_intervals_does_not_overflow() -> None:
    """The sums of 10^9 orders, put where the aggregates would have put them."""
    import polars as pl

    count, gap = 10**9 - 1, 70
    frame = pl.LazyFrame({"gaps": [count], "gap_days": [count * gap], "gap_squares": [count * gap * gap + 2]})
    spread = next(feature for feature in STABILITY if feature.name == "interval_spread_days").build(Window())
    value = nw.from_native(frame).select(spread.alias("spread")).collect("pyarrow")["spread"].to_list()[0]
    assert math.isfinite(value)
    assert 0 <= value < 0.01


def test_equal_intervals_have_no_spread() -> None:
    rows = [purchase("a", str(day), day, 100) for day in range(0, 700, 7)]
    (row,) = to_arrow(build_snapshots(tables_of(rows), 700, features=["interval_spread_days"])).to_pylist()
    assert row["interval_spread_days"] == 0.0


def test_rhythms_are_told_of_a_century() -> None:
    rows = [purchase(f"c{n}", f"{n}-{day}", day, 100 + n) for n in range(30) for day in range(-25_000 + n, 20_000, 900)]
    tables = dataclasses.replace(tables_of(rows), late_rows=False)
    found = seasonal_expectations(tables, [18_500])
    assert all(0 <= value <= 1 for value in found["sea_p0"].to_pylist())
    assert season_table(tables, [18_500]).num_rows == 1


@pytest.mark.parametrize("cutoff", ["9999-12-31", "1800-01-01", "2101-01-01"])
def test_a_cutoff_of_no_firm_is_no_date(cutoff: str) -> None:
    with pytest.raises(UsageError, match=r"E-US-001: .* is no date of the years 1900-2100"):
        cutoff_days(cutoff)


@pytest.mark.parametrize("name", ["observe", "gap", "horizon"])
def test_a_window_ends_within_a_century(name: str) -> None:
    assert Window(**{name: LONGEST})
    with pytest.raises(UsageError, match=rf"E-US-003: window.{name} is 36501; give whole days, . to 36,500"):
        Window(**{name: LONGEST + 1})
