"""One column, one unit: numbers in 万 beside plain ones are refused, with the first line that differs."""

# ruff: noqa: S608 - every name in the SQL is one of ours

from __future__ import annotations

from collections.abc import Callable, Sequence

import duckdb

from tierlens.sources.messages.refusals import file_refusal
from tierlens.sources.parsing.part import Part, first_row


def refuse_units(
    connection: duckdb.DuckDBPyConnection, parts: Sequence[Part], unit: str, value: str, role: Callable[[Part], str]
) -> None:
    """Refuse a part whose usable lines state a value in several units; zero is zero in every unit.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Holds the table ``lines``.
    parts : sequence of Part
        In order.
    unit, value : str
        Columns of ``lines``.
    role : callable
        Says which column of the contract carries the value in a part.

    Raises
    ------
    DataError
        ``E-TX-026``.
    """
    found = first_row(
        connection,
        f"""
SELECT part, list({unit} ORDER BY {unit}) AS units, list(line ORDER BY line)[2] FROM (
  SELECT part, {unit}, min(line) AS line FROM lines WHERE reason IS NULL AND {value} <> 0 GROUP BY ALL)
GROUP BY part HAVING len(units) > 1 ORDER BY part LIMIT 1""",
    )
    if found:
        part = parts[found[0]]
        raise file_refusal(
            "E-TX-026", part.place(found[2], role(part)), units=", ".join(each or "1" for each in found[1])
        )
