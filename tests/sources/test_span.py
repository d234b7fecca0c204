"""Which days data cover: a mistyped year does not move their end, and a shop that pauses has not ended."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierlens.sources.span import Span, main_span

DAILY = np.arange(1000)


def span(days: np.ndarray, *more: int) -> Span:
    every = np.append(days, np.array(more, dtype=np.int64))
    found, rows = np.unique(every, return_counts=True)
    return main_span(found, rows)


@pytest.mark.parametrize("stray", [1100, 4000, 70_000])
def test_a_mistyped_year_lies_apart(stray: int) -> None:
    assert span(DAILY, stray) == Span(0, 999, 1, 1)
    assert span(DAILY, -stray) == Span(0, 999, 1, 1)


def test_several_of_them_do_too() -> None:
    assert span(DAILY, 4000, 4001, 9000, -5000) == Span(0, 999, 1, 4)


def test_seasons_lose_no_tail() -> None:
    """A firm that sells from November to December only: the second winter is no slip."""
    winters = np.concatenate([np.arange(60) + 365 * year for year in range(3)])
    assert span(winters) == Span(0, 789, 306, 0)
    assert span(winters[:120]) == Span(0, 424, 21, 0)


def test_a_quiet_tail_stays() -> None:
    """Customers of one cohort buy less and less often; the silences between grow slowly."""
    days = np.unique((np.arange(60) ** 1.6).astype(np.int64))
    assert span(days).last == days[-1]


def test_a_closing_for_holidays_counts_once_and_a_hole_does_not() -> None:
    assert span(DAILY[(DAILY < 500) | (DAILY > 512)]).pause == 14
    assert span(DAILY[(DAILY < 500) | (DAILY > 612)]).pause == 21


def test_monthly_invoices_reach_to_the_next_month() -> None:
    assert span(np.arange(24) * 30).pause == 30


@pytest.mark.parametrize("days", [[5], [5, 9], [5, 900], [0, 1, 2000]])
def test_few_rows_are_all_kept(days: list[int]) -> None:
    assert span(np.array(days))[:2] == (days[0], days[-1])
    assert span(np.array(days)).apart == 0


@given(st.lists(st.integers(-30_000, 50_000), min_size=1, max_size=60), st.integers(-500, 500))
def test_laws(days: list[int], shift: int) -> None:
    found, rows = np.unique(days, return_counts=True)
    one = main_span(found, rows)
    assert found[0] <= one.first <= one.last <= found[-1]
    assert one.apart == rows[(found < one.first) | (found > one.last)].sum()
    assert one.apart <= 0.1 * rows.sum()
    moved = main_span(found + shift, rows)
    assert moved == Span(one.first + shift, one.last + shift, one.pause, one.apart)
