"""The verdict on a row: the first reason that keeps it out, and the column that is to blame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tierlens.sources.parsing.part import sql_literal


class Check(NamedTuple):
    """One reason to keep a row out.

    Parameters
    ----------
    reason : str
        SQL of its key, a literal or a column.
    holds : str
        SQL that says whether it holds.
    column : str
        Column of the contract that is to blame; empty where it is the row as a whole.
    """

    reason: str
    holds: str
    column: str = ""


def verdict_columns(checks: Iterable[Check]) -> list[str]:
    """Return SQL of the columns ``reason`` and ``blamed``; both are NULL for a row that may be used.

    Examples
    --------
    >>> for column in verdict_columns([Check("'missing_time'", "time_is IS NULL", "time")]):
    ...     print(column)
    CASE WHEN time_is IS NULL THEN 'missing_time' END AS reason
    CASE WHEN reason IS NOT NULL THEN CASE WHEN time_is IS NULL THEN 'time' END END AS blamed
    """
    listed = list(checks)
    first = " ".join(f"WHEN {check.holds} THEN {check.reason}" for check in listed)
    where = " ".join(f"WHEN {check.holds} THEN {sql_literal(check.column)}" for check in listed)
    return [f"CASE {first} END AS reason", f"CASE WHEN reason IS NOT NULL THEN CASE {where} END END AS blamed"]
