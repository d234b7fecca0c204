"""The one place where dates are compared.

Every expression here speaks of two columns: ``day``, when a thing happened, and ``cutoff``, the start of the day at
which a snapshot is taken. Nothing at or after the cutoff is ever read, nor anything recorded at or after it. Rows that
were paired with a cutoff also carry ``age``, whole days from the one to the other, at least 1.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import narwhals as nw
import numpy as np

from tierlens.errors import DataError, UsageError
from tierlens.sources.engines import Frame, small_frame
from tierlens.sources.span import main_span
from tierlens.sources.tables import Tables, day_date, day_number
from tierlens.words import Text

YEAR = 365
LONGEST = 36_500
"""Days that a part of a window may have: a hundred years."""
PERIODS = 12
"""A year is cut into twelve equal periods that count back from the cutoff; calendar months would differ in length."""

Cutoff = dt.date | str | int


@dataclass(frozen=True)
class Window:
    """What is looked at, left out and predicted around a cutoff, in days.

    Parameters
    ----------
    observe : int
        Days before the cutoff that features of a window look at, at least 1.
    gap : int
        Days after the cutoff that are left out, at least 0.
    horizon : int
        Days after the gap in which the outcome happens, at least 1.

    Raises
    ------
    UsageError
        ``E-US-003`` when a length is out of bounds: at least 1 day (gap 0), at most ``LONGEST``.

    Examples
    --------
    >>> Window(observe=365, gap=0, horizon=90).closes("2011-06-01")
    15216
    """

    observe: int = YEAR
    gap: int = 0
    horizon: int = 90

    def __post_init__(self) -> None:
        for name, least in (("observe", 1), ("gap", 0), ("horizon", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or not least <= value <= LONGEST:
                raise UsageError(
                    "E-US-003",
                    Text(f"window.{name} is {value!r}", f"window.{name} 为 {value!r}"),
                    fix=Text(
                        f"give whole days, {least} to {LONGEST:,}", f"请填写 {least} 至 {LONGEST:,} 之间的整数天数"
                    ),
                )

    def closes(self, cutoff: Cutoff) -> int:
        """Return the first day after the horizon: an outcome is known once data reach up to it."""
        return day_number(cutoff) + self.gap + self.horizon


def known_rows() -> nw.Expr:
    """Rows that had happened and were recorded before the cutoff."""
    return (nw.col("day") < nw.col("cutoff")) & (nw.col("known_day") < nw.col("cutoff"))


def trailing_rows(days: int, ago: int = 0, of: str = "day") -> nw.Expr:
    """Rows in the ``days`` days that end ``ago`` days before the cutoff."""
    if of == "day":
        return nw.col("age") <= days if ago == 0 else (nw.col("age") > ago) & (nw.col("age") <= ago + days)
    age = nw.col("cutoff") - nw.col(of)
    return (age > ago) & (age <= ago + days)


def horizon_rows(window: Window) -> nw.Expr:
    """Rows in the horizon of the cutoff: only outcomes may look at them."""
    after = nw.col("day") - nw.col("cutoff")
    return (after >= window.gap) & (after < window.gap + window.horizon)


def twelfths_back() -> nw.Expr:
    """Count the twelfths of a year back from the cutoff: 0 is the latest, 11 the oldest, 12 all that is older."""
    # No whole day lies on the border of two twelfths but every 365th, so that a float cannot end on the wrong side;
    # floor division of whole numbers is a page of SQL.
    number = ((nw.col("age").cast(nw.Float64) - 1.0) * (PERIODS / YEAR) + 1e-9).floor()
    return nw.when(nw.col("age") <= YEAR).then(number).otherwise(float(PERIODS)).cast(nw.Int8)


def twelfth_ends(number: int) -> int:
    """Return the age in days of the oldest row in a twelfth of a year, counted as :func:`twelfths_back` does.

    Examples
    --------
    >>> [twelfth_ends(number) for number in (0, 2, 5, 11)]
    [31, 92, 183, 365]
    """
    return -(-YEAR * (number + 1) // PERIODS)


def days_since(column: str) -> nw.Expr:
    """Whole days from a day to the cutoff."""
    return nw.col("cutoff") - nw.col(column)


def at_cutoffs(frame: Frame, cutoffs: Sequence[int], ahead: int = 0) -> Frame:
    """Pair each row with every cutoff at which it was known, and say how old it was: ``age``, whole days.

    Parameters
    ----------
    frame : lazy frame
        With int32 columns ``day`` and ``known_day``.
    cutoffs : sequence of int
        Day numbers.
    ahead : int
        Days after the cutoff from which the rows are then looked back at; what is known stays what was known.
    """
    if len(cutoffs) == 1:
        paired = frame.with_columns(nw.lit(cutoffs[0], nw.Int32).alias("cutoff")).filter(known_rows())
    else:
        paired = frame.join(small_frame(frame, {"cutoff": list(cutoffs)}), how="cross").filter(known_rows())
    return looked_back(paired, ahead)


def looked_back(paired: Frame, ahead: int = 0) -> Frame:
    """Say how old rows are, seen from ``ahead`` days after the cutoff that they were paired with."""
    paired = paired.with_columns(cutoff=nw.col("cutoff") + ahead) if ahead else paired
    return paired.with_columns(age=nw.col("cutoff") - nw.col("day"))


def known_since(column: str, since: str) -> nw.Expr:
    """Keep what a row says only later (a renewal, a payment): missing until ``since`` lies before the cutoff."""
    return nw.when(nw.col(since) < nw.col("cutoff")).then(nw.col(column))


def at_least_ago(days: int, of: str = "day") -> nw.Expr:
    """Rows that were ``days`` days old or older."""
    return nw.col("cutoff") - nw.col(of) >= days


def in_horizon(frame: Frame, cutoffs: Sequence[int], window: Window) -> Frame:
    """Pair each row with every cutoff whose horizon it lies in and by whose end it was recorded; for outcomes only.

    What was recorded later would make an outcome depend on the day on which the data are read.
    """
    paired = frame.join(small_frame(frame, {"cutoff": list(cutoffs)}), how="cross")
    return paired.filter(horizon_rows(window) & by_closing("known_day", window))


def by_closing(since: str, window: Window) -> nw.Expr:
    """Say whether a day lies before the end of the cutoff's horizon."""
    return nw.col(since) < nw.col("cutoff") + (window.gap + window.horizon)


def cutoff_days(cutoffs: Sequence[Cutoff] | Cutoff) -> list[int]:
    """Return day numbers in ascending order, each once.

    Raises
    ------
    UsageError
        ``E-US-004`` when there is none.

    Examples
    --------
    >>> cutoff_days(["2011-06-01", "2011-05-01", "2011-06-01"])
    [15095, 15126]
    """
    many = [cutoffs] if isinstance(cutoffs, str | int | dt.date) else list(cutoffs)
    if not many:
        raise UsageError("E-US-004", Text("no cutoff is given", "未给出截止日"), fix=Text("give one", "请至少给出一个"))
    return sorted({day_number(cutoff) for cutoff in many})


def month_starts(first: Cutoff, last: Cutoff) -> list[int]:
    """Return the first day of each month from ``first`` to ``last``, both included where they are such days.

    Examples
    --------
    >>> [str(day_date(day)) for day in month_starts("2010-11-15", "2011-01-01")]
    ['2010-12-01', '2011-01-01']
    """
    start, end = day_date(day_number(first)), day_date(day_number(last))
    months = range(start.year * 12 + start.month - 1, end.year * 12 + end.month)
    starts = (dt.date(month // 12, month % 12 + 1, 1) for month in months)
    return [day_number(day) for day in starts if start <= day <= end]


@dataclass(frozen=True)
class Reach:
    """The days that data cover.

    Parameters
    ----------
    first, last : int
        First and last day with a row that does not lie apart from all others (see :func:`main_span`).
    end : int
        First day that is no longer covered.
    """

    first: int
    last: int
    end: int


def reach_of(tables: Tables) -> Reach:
    """Return the days that transactions cover.

    The data end where they are declared to be complete (``Tables.end``). Where nothing is declared they end
    a usual pause after the last day with a row: a shop that closes for ten days each Christmas has not ended on the
    third day of it. Rows that lie apart from all others, such as one with a mistyped year, do not move the end; see
    :func:`tierlens.sources.span.main_span`.

    Raises
    ------
    DataError
        ``E-FE-005`` when there is no row.

    Examples
    --------
    >>> from tierlens.datasets.examples import simulated_shop
    >>> reach = reach_of(simulated_shop(customers=50, seed=1).tables)
    >>> reach.first < reach.last < reach.end
    True
    """
    counted = tables.transactions.group_by("day").agg(nw.len().alias("rows")).collect("pyarrow").to_native()
    days, rows = (np.asarray(counted[name]).astype(np.int64) for name in ("day", "rows"))
    if not len(days):
        raise DataError(
            "E-FE-005",
            Text("there are no transactions", "没有交易数据"),
            fix=Text("read a file with at least one purchase", "请读入至少含一笔购买的文件"),
        )
    span = main_span(days, rows)
    return Reach(span.first, span.last, span.last + span.pause if tables.end is None else tables.end)


def known_before(tables: Tables, day: int) -> Tables:
    """Return the tables as they were known at the start of a day: without rows of that day or later, or recorded then.

    Examples
    --------
    >>> from tierlens.datasets.examples import simulated_shop
    >>> shop = simulated_shop(customers=50, seed=1).tables
    >>> reach_of(known_before(shop, day_number("2025-01-01"))).last < day_number("2025-01-01")
    True
    """
    before = (nw.col("day") < day) & (nw.col("known_day") < day)
    others = {name: frame.filter(before) for name, frame in tables.others.items()}
    return replace(tables, transactions=tables.transactions.filter(before), others=others)
