"""Which days the rows of a table cover, and which rows lie apart from all others, such as one with a mistyped year."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

APART = 28
"""Fewest days of silence that can set rows apart."""
TIMES = 2
"""They are set apart by more than so many times the longest pause among the other rows."""
FEW_ROWS, FEW_SHARE, MOST_SHARE = 3, 0.001, 0.05
"""So many rows may lie apart at either end: three, or a thousandth of all, but never more than a twentieth of all."""
HOLIDAYS = 21
"""A pause that occurred once counts as usual up to so many days: the longest closing for holidays."""


class Span(NamedTuple):
    """The days that the rows of a table cover.

    Parameters
    ----------
    first, last : int
        First and last day number of the rows that do not lie apart.
    pause : int
        Days without a row that are usual: the second longest pause, or the longest up to three weeks; at least 1.
    apart : int
        Rows before ``first`` or after ``last``.
    """

    first: int
    last: int
    pause: int
    apart: int


def main_span(days: Ints, rows: Ints) -> Span:
    """Return the days that rows cover, without the few that lie apart from all others.

    Rows lie apart at the end (or the start) when there are few of them and the silence before (or after) them lasts
    more than 28 days and more than twice as long as any pause among the other rows.

    Parameters
    ----------
    days : array of int64, shape (n,)
        Day numbers, each once, in any order; at least one.
    rows : array of int64, shape (n,)
        Rows of each day, at least 1.

    Examples
    --------
    >>> steady = np.arange(100)
    >>> main_span(np.append(steady, 4000), np.ones(101, dtype=np.int64))
    Span(first=0, last=99, pause=1, apart=1)
    >>> main_span(steady * 30, np.ones(100, dtype=np.int64)).pause
    30
    """
    order, total = np.argsort(days), int(rows.sum())
    days, rows = days[order], rows[order]
    gaps, before = np.diff(days), np.cumsum(rows)[:-1]
    few = min(max(FEW_ROWS, FEW_SHARE * total), MOST_SHARE * total)
    start, end = before <= few, total - before <= few
    among_others = gaps[~start & ~end]
    if len(among_others):
        wide = gaps > max(APART, TIMES * int(among_others.max()))
        first = int(np.flatnonzero(start & wide).max(initial=-1)) + 1
        last = int(np.flatnonzero(end & wide).min(initial=len(gaps)))
        days, rows = days[first : last + 1], rows[first : last + 1]
    pauses = np.sort(np.diff(days))[::-1]
    longest, second = (int(pauses[at]) if len(pauses) > at else 1 for at in (0, 1))
    usual = max(min(longest, HOLIDAYS), second, 1)
    return Span(int(days[0]), int(days[-1]), usual, total - int(rows.sum()))
