"""The rows that features of the tables beside transactions are summed from, as they were known at each cutoff.

A row that says more than it could when it was made (how a contract ended, when an invoice was paid, how a ticket was
judged) says it only from the day on which that was known. Judgements (ratings, surveys, descriptions of a customer)
carry ``rank``: of several, the one of the latest day counts, and of those the one recorded last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import narwhals as nw

from tierlens.features.windows import at_cutoffs, at_least_ago, known_since, looked_back
from tierlens.sources.engines import Frame
from tierlens.sources.tables import Tables

KEY = ("customer_id", "cutoff")
SHIFT, PACK = 1 << 20, 1 << 21
"""A day and the day of its recording share one whole number; day numbers lie between -SHIFT and SHIFT."""
TWO_YEARS = 730
QUESTIONS = ("nps", "recommend", "satisfaction", "regard")


def _rank() -> nw.Expr:
    return (nw.col("day").cast(nw.Int64) + SHIFT) * PACK + nw.col("known_day").cast(nw.Int64) + SHIFT


def _plain(table: str) -> Callable[[Tables, Sequence[int], int], Frame]:
    def build(tables: Tables, days: Sequence[int], ahead: int) -> Frame:
        return at_cutoffs(tables.others[table], days, ahead)

    return build


def _later(table: str, since: str, columns: Sequence[str]) -> Callable[[Tables, Sequence[int], int], Frame]:
    """Return the rows of a table of which some columns are known from the day ``since`` on."""

    def build(tables: Tables, days: Sequence[int], ahead: int) -> Frame:
        rows = at_cutoffs(tables.others[table], days)
        hidden = [known_since(column, since).alias(column) for column in columns]
        return looked_back(rows.with_columns(*hidden), ahead)

    return build


def _ratings(tables: Tables, days: Sequence[int], ahead: int) -> Frame:
    """Ratings, each with the rank of the latest of its name."""
    rows = at_cutoffs(tables.others["ratings"], days, ahead).with_columns(rank=_rank())
    return rows.with_columns(latest=nw.col("rank").max().over(*KEY, "name"))


def _surveys(tables: Tables, days: Sequence[int], ahead: int) -> Frame:
    """Surveys, each with the rank of the latest that answered each question."""
    rows = at_cutoffs(tables.others["surveys"], days, ahead).with_columns(rank=_rank())
    answered = {f"{name}_rank": nw.when(~nw.col(name).is_null()).then(nw.col("rank")) for name in QUESTIONS}
    rows = rows.with_columns(**answered)
    return rows.with_columns(**{f"{name}_latest": nw.col(f"{name}_rank").max().over(*KEY) for name in QUESTIONS})


def _customers(tables: Tables, days: Sequence[int], ahead: int) -> Frame:
    """Rows of customers with the rank of the one that holds, and of the one that held two years before."""
    rows = at_cutoffs(tables.others["customers"], days, ahead).with_columns(rank=_rank())
    rows = rows.with_columns(old_rank=nw.when(at_least_ago(TWO_YEARS)).then(nw.col("rank")))
    return rows.with_columns(latest=nw.col("rank").max().over(*KEY), old_latest=nw.col("old_rank").max().over(*KEY))


PLANES: dict[str, Callable[[Tables, Sequence[int], int], Frame]] = {
    "customers": _customers,
    "contracts": _later("contracts", "outcome_day", ("renewed", "fulfilled")),
    "tickets": _later("tickets", "rated_day", ("satisfaction",)),
    "interactions": _plain("interactions"),
    "surveys": _surveys,
    "payments": _later("payments", "paid_day", ("paid_amount", "paid_day")),
    "ratings": _ratings,
}
"""By table."""
