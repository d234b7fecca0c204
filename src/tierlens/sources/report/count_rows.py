"""Counting what became of the lines, from the reader's working tables."""

# ruff: noqa: S608 - every name and text in the SQL goes through quoted() or literal()

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import duckdb
import numpy as np

from tierlens.sources.cleaning.cell_sql import as_text
from tierlens.sources.cleaning.transaction_sql import NOTES
from tierlens.sources.declared.contract import Contract
from tierlens.sources.declared.contracts import ALWAYS, TRANSACTIONS
from tierlens.sources.declared.source import Policies
from tierlens.sources.messages.row_reasons import NORMALISED, QUARANTINE, REPEATS, Reason
from tierlens.sources.parsing.parse_values import LOOKALIKES
from tierlens.sources.parsing.part import Part, first_row, sql_literal, sql_name
from tierlens.sources.report.quality import FileCount, Quality
from tierlens.sources.span import Span, main_span
from tierlens.sources.tables import day_date

ABSURD = 10**12  # minor units
TIMES_THE_NEXT = 1_000
LISTED = 20
NAMES = ("name", "short_name")
"""Columns of customers that never leave the file that they stand in."""


Findings = Callable[
    [duckdb.DuckDBPyConnection, Sequence[Part], Policies], tuple[dict[str, int], tuple[tuple[str, int, int], ...]]
]
"""What is worth a look among the rows kept: counts by flag, and the first absurd amounts."""


def count_rows(
    connection: duckdb.DuckDBPyConnection,
    parts: Sequence[Part],
    name: str,
    policies: Policies,
    contract: Contract = TRANSACTIONS,
    findings: Findings | None = None,
) -> Quality:
    """Make the tables ``kept`` and ``rejects`` from ``lines`` and ``repeats``, and count.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Holds ``lines`` and ``repeats`` in the schema in use.
    parts : sequence of Part
        In order.
    name : str
        Of the data.
    policies : Policies
        Whose limits the report is held against.
    contract : Contract
        Of the table.
    findings : callable, optional
        Flags of the table; those of transactions where not given.
    """
    connection.execute("""
CREATE TABLE kept AS SELECT * EXCLUDE (reason, blamed, fingerprint, line_id, recorded_at)
FROM lines ANTI JOIN repeats USING (part, line) WHERE reason IS NULL ORDER BY part, line""")
    judged = connection.execute(f"""
SELECT part, coalesce(r.reason, l.reason), count(*), min(day) FILTER (day > {ALWAYS}), max(day) FILTER (day > {ALWAYS})
FROM lines AS l LEFT JOIN repeats AS r USING (part, line) GROUP BY ALL ORDER BY ALL""").fetchall()
    _keep_rejects(connection, parts)
    used = [row for row in judged if row[1] is None]
    orders = "count(DISTINCT order_id)" if contract is TRANSACTIONS else "NULL"
    row = first_row(connection, f"SELECT count(DISTINCT customer_id), {orders} FROM kept")
    flags, outliers = (findings or _flags)(connection, parts, policies)
    span = _span(connection) if contract is TRANSACTIONS else None
    flags |= {"date_apart": span.apart} if span and span.apart else {}
    flags |= _of_sheets(connection, parts)
    home = first_row(connection, "SELECT current_schema()") or ("main",)
    return Quality(
        name=name,
        rows_in=sum(row[2] for row in judged),
        used=sum(row[2] for row in used),
        quarantined=_by_reason(judged, QUARANTINE),
        deduplicated=_by_reason(judged, REPEATS),
        normalised=_normalised(connection, parts),
        flags=flags,
        files=tuple(_file(number, part, judged) for number, part in enumerate(parts)),
        customers=row[0] if row else 0,
        orders=row[1] if row else 0,
        first_day=day_date(span.first) if span else _day(min, (row[3] for row in used)),
        last_day=day_date(span.last) if span else _day(max, (row[4] for row in used)),
        outliers=outliers,
        rejects=connection.cursor().table(f"shop.{home[0]}.rejects"),
        policies=policies,
    )


def _of_sheets(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part]) -> dict[str, int]:
    """Count lines of hidden sheets among those kept, and merged cells."""
    hidden = [str(number) for number, part in enumerate(parts) if part.hidden]
    listed = ", ".join(hidden) or "-1"
    lines = first_row(connection, f"SELECT count(*) FROM kept WHERE part IN ({listed})")
    merged = sum(part.counts.get("merged_cells", 0) for part in parts)
    counts = {"hidden_sheet": lines[0] if lines else 0, "merged_cells": merged}
    return {key: count for key, count in counts.items() if count}


def _span(connection: duckdb.DuckDBPyConnection) -> Span | None:
    """Return the days that the rows kept cover; None without any."""
    counted = connection.execute("SELECT day, count(*) AS rows FROM kept GROUP BY day").fetchnumpy()
    days, rows = (np.asarray(counted[name]).astype(np.int64) for name in ("day", "rows"))
    return main_span(days, rows) if len(days) else None


def _by_reason(judged: Iterable[Any], reasons: Mapping[str, Reason]) -> dict[str, int]:
    """Return counts in the order of the reasons; what did not happen is left out."""
    judged = list(judged)
    counts = {key: sum(row[2] for row in judged if row[1] == key) for key in reasons}
    return {key: count for key, count in counts.items() if count}


def _day(pick: Any, days: Iterable[int | None]) -> dt.date | None:
    found = [day for day in days if day is not None]
    return day_date(pick(found)) if found else None


def _file(number: int, part: Part, judged: Iterable[Any]) -> FileCount:
    rows = [row for row in judged if row[0] == number]
    used = [row for row in rows if row[1] is None]
    return FileCount(
        file=part.name,
        path=str(part.path),
        rows_in=sum(row[2] for row in rows),
        used=sum(row[2] for row in used),
        quarantined=sum(row[2] for row in rows if row[1] in QUARANTINE),
        deduplicated=sum(row[2] for row in rows if row[1] in REPEATS),
        encoding=part.encoding,
        first_day=_day(min, (row[3] for row in used)),
        last_day=_day(max, (row[4] for row in used)),
        hidden=part.hidden,
        ignored=part.ignored,
    )


def _normalised(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part]) -> dict[str, int]:
    bits = ", ".join(f"count(*) FILTER (notes & {bit} > 0)" for bit in NOTES.values())
    counted = first_row(connection, f"SELECT {bits} FROM kept") or ()
    counts = {key: sum(part.counts.get(key, 0) for part in parts) for key in NORMALISED}
    for key, count in zip(NOTES, counted, strict=True):
        counts[key] += count
    return {key: count for key, count in counts.items() if count}


def _flags(
    connection: duckdb.DuckDBPyConnection, parts: Sequence[Part], policies: Policies
) -> tuple[dict[str, int], tuple[tuple[str, int, int], ...]]:
    """Return what is worth a look, and the first of the absurd amounts."""
    absurd = connection.execute(f"""
WITH top AS (SELECT customer_id, max(amount, 2) AS two FROM kept WHERE kind = 'purchase' GROUP BY customer_id)
SELECT part, line, amount FROM kept JOIN top USING (customer_id)
WHERE abs(amount) > {ABSURD} OR (amount = two[1] AND two[2] > 0 AND amount > {TIMES_THE_NEXT} * two[2])
ORDER BY part, line""").fetchall()
    row = first_row(
        connection,
        """
WITH each AS (
  SELECT customer_id, min(day) FILTER (kind = 'purchase') AS first, sum(amount) AS net FROM kept GROUP BY customer_id)
SELECT (SELECT count(*) FROM kept JOIN each USING (customer_id)
    WHERE kind = 'return' AND (first IS NULL OR day < first)),
  (SELECT count(*) FROM each WHERE net < 0),
  (SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM each GROUP BY lower(customer_id) HAVING count(*) > 1)),
  (SELECT count(*) FROM kept WHERE not_a_product)""",
    )
    early, negative, twins, other = row or (0, 0, 0, 0)
    counts = {"outlier": len(absurd), "return_first": early, "net_negative": negative, "case_twins": int(twins)}
    counts |= {"non_product_kept": other} if policies.non_products.action == "keep" else {}
    counts["lookalikes"] = _lookalikes(connection)
    listed = tuple((parts[part].name, line, amount) for part, line, amount in absurd[:LISTED])
    return {key: count for key, count in counts.items() if count}, listed


def _lookalikes(connection: duckdb.DuckDBPyConnection) -> int:
    """Count customers whose id looks like another's, but for letters of another alphabet."""
    foreign = connection.execute(
        "SELECT DISTINCT customer_id FROM kept WHERE regexp_matches(customer_id, '[\\x{0370}-\\x{052F}]')"
    ).fetchall()
    shown = {name: name.translate(LOOKALIKES) for (name,) in foreign}
    listed = connection.execute(
        "SELECT DISTINCT customer_id FROM kept WHERE customer_id IN (SELECT unnest(?))", [list(set(shown.values()))]
    ).fetchall()
    latin = {name for (name,) in listed} - set(shown)
    return len(latin) + sum(look in latin for look in shown.values())


def _keep_rejects(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part]) -> None:
    """Make the table ``rejects``: file, line, the header to blame, reason and the original fields as text.

    Only fields that are read stand there, and no names: whoever corrects a line finds it by file and number.
    """
    names = list(dict.fromkeys(header for part in parts for header in _shown(part)))
    folded: dict[str, int] = {}
    columns = {}
    for name in names:  # DuckDB does not tell columns apart by case
        seen = folded[name.lower()] = folded.get(name.lower(), 0) + 1
        columns[name] = (
            name if seen == 1 and name.lower() not in ("part", "line", "reason", "blamed") else f"{name} ({seen})"
        )
    selects = [
        f"""SELECT {number} AS part, {part.line} AS line,
  {", ".join(_field(part, name, columns[name]) for name in names)}
FROM {part.relation} WHERE {part.line} IN (SELECT b.line FROM bad AS b WHERE b.part = {number})"""
        for number, part in enumerate(parts)
    ]
    labels = " ".join(f"WHEN {number} THEN {sql_literal(part.name)}" for number, part in enumerate(parts))
    blamed = " ".join(f"WHEN {number} THEN {_header(part)}" for number, part in enumerate(parts))
    connection.execute("""
CREATE TEMP TABLE bad AS
SELECT part, line, reason, blamed FROM lines ANTI JOIN repeats USING (part, line) WHERE reason IS NOT NULL""")
    connection.execute(f"""
CREATE TABLE rejects AS SELECT CASE part {labels} END AS part, line, CASE part {blamed} END AS blamed, reason,
  * EXCLUDE (part, line, blamed, reason)
FROM ({" UNION ALL ".join(selects)}) JOIN bad USING (part, line) ORDER BY bad.part, line""")
    connection.execute("DROP TABLE bad")


def _shown(part: Part) -> list[str]:
    """Return the headers of a part that rejects may show, in its order."""
    places = sorted(at.place for role, at in part.roles.items() if role not in NAMES)
    return [part.headers[place] for place in places]


def _header(part: Part) -> str:
    """Return SQL of the header that carries the column to blame."""
    cases = (f"WHEN {sql_literal(role)} THEN {sql_literal(part.headers[at.place])}" for role, at in part.roles.items())
    return f"CASE blamed {' '.join(cases)} END"


def _field(part: Part, name: str, column: str) -> str:
    if name not in _shown(part):
        return f"NULL::VARCHAR AS {sql_name(column)}"
    place = part.headers.index(name)
    return f"{as_text(sql_name(part.fields[place]), part.types[place])} AS {sql_name(column)}"
