"""What the settled rows of a table may hold: nothing after the day that is asked about, and no sum beyond 64 bits."""

# ruff: noqa: S608 - every name in the SQL is a column of a contract

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from tierlens.sources.declared.contract import Contract
from tierlens.sources.messages.refusals import file_refusal
from tierlens.sources.parsing.part import Part, first_row
from tierlens.sources.tables import WIDE

VAST = 10**18
"""Minor units of one customer, and pieces of one customer times 100, beyond which sums could leave 64 bits."""


def set_aside(connection: duckdb.DuckDBPyConnection, before: int | None) -> int:
    """Take rows of a day or later, and rows recorded then, out of the table ``lines``; return how many there were.

    Rows without a readable date stay: nothing tells on which side of the day they lie.
    """
    if before is None:
        return 0
    row = first_row(connection, f"DELETE FROM lines WHERE greatest(day, known_day) >= {int(before)}")
    return int(row[0]) if row else 0


def latest_day(connection: duckdb.DuckDBPyConnection) -> int | None:
    """Return the last day of any usable row of the table ``lines``; None without one."""
    row = first_row(connection, "SELECT max(day) FROM lines WHERE reason IS NULL")
    return row[0] if row else None


def has_wide_amounts(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part]) -> bool:
    """Say whether a customer's amounts sum to more than ``WIDE`` minor units.

    Raises
    ------
    DataError
        ``E-TX-151`` when they sum to more than 10^18, or a customer's pieces to more than 10^16.
    """
    _refuse(connection, parts, "quantity * 100")
    return _refuse(connection, parts, "amount") > WIDE


def refuse_vast_sums(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part], contract: Contract) -> None:
    """Refuse a table in which the money of one customer sums to more than 10^18 minor units (``E-TX-151``)."""
    for column in contract.of_kind("money"):
        _refuse(connection, parts, column.after)


def _refuse(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part], value: str) -> int:
    """Return the largest sum of a customer, or one that is not below it; refuse where it is beyond ``VAST``."""
    whole = first_row(connection, f"SELECT coalesce(sum(abs({value})), 0)::DOUBLE FROM kept")
    if whole is None or whole[0] <= WIDE:
        return 0
    each = f"SELECT customer_id, sum(abs({value}))::DOUBLE AS total FROM kept GROUP BY customer_id"
    top = first_row(connection, f"SELECT customer_id, total FROM ({each}) ORDER BY total DESC, customer_id LIMIT 1")
    if top is None or top[1] <= VAST:
        return int(top[1]) if top else 0
    line = f"SELECT part, line FROM kept WHERE customer_id = ? ORDER BY abs({value}) DESC, part, line LIMIT 1"
    part, number = connection.execute(line, [top[0]]).fetchone() or (0, 0)
    raise file_refusal("E-TX-151", parts[part].place(number, value.split(" ", maxsplit=1)[0]), total=f"{top[1]:.3g}")
