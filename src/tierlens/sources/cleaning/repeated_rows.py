"""Lines that stand twice: exact repeats within a file, overlap between files, and one key with several records."""

# ruff: noqa: S608 - every name and text in the SQL goes through quoted() or literal()

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from tierlens.sources.cleaning.cell_sql import as_text
from tierlens.sources.declared.source import Policies
from tierlens.sources.messages.refusals import file_refusal
from tierlens.sources.parsing.part import Part, first_row, sql_literal, sql_name


def _content(part: Part) -> str:
    """Return SQL of a text that two lines share only if all their original fields are equal.

    As JSON, empty ones as null. The list is taken as a whole: an expression for each of thousands of columns takes the
    engine minutes to bind.
    """
    order = sorted(range(len(part.headers)), key=lambda i: part.headers[i])
    fields = [(sql_name(part.fields[i]), part.types[i]) for i in order]
    texts = (column if kind == "VARCHAR" else as_text(column, kind) for column, kind in fields)
    return f"to_json(list_transform([{', '.join(texts)}]::VARCHAR[], lambda field: nullif(field, '')))::VARCHAR"


def find_repeats(
    connection: duckdb.DuckDBPyConnection,
    parts: Sequence[Part],
    policies: Policies,
    *,
    keyed: bool,
    clash: str = "E-TX-032",
) -> None:
    """Make the table ``repeats`` (part, line, reason) from the table ``lines``.

    Equal fingerprints only name suspects; what decides is the whole content, field by field. Within a file the first of
    several equal lines stays, among the files the last.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Holds the table ``lines``.
    parts : sequence of Part
        In order.
    policies : Policies
        ``duplicates`` and ``overlap``.
    keyed : bool
        Whether ``line_id`` is there, and stands for one row only.
    clash : str
        Code of the refusal.

    Raises
    ------
    DataError
        ``E-TX-032`` (of customers ``E-TX-045``) two lines with one key have different content and nothing says which
        is the later.
    """
    connection.execute("CREATE TABLE repeats (part INTEGER, line BIGINT, reason VARCHAR)")
    _suspects(connection, parts)
    overlap = "last > part" if policies.overlap == "later_file" else "false"
    again = "nth > 1 AND kept" if policies.duplicates == "drop" else "false"
    connection.execute(f"""
INSERT INTO repeats
SELECT part, line, CASE WHEN {overlap} THEN 'overlap' ELSE 'duplicate' END FROM (
  SELECT part, line, kept, max(part) OVER (PARTITION BY content) AS last,
    row_number() OVER (PARTITION BY content, part ORDER BY line) AS nth
  FROM suspects)
WHERE {overlap} OR ({again})""")
    connection.execute("DROP TABLE suspects")
    if keyed:
        _one_record_a_key(connection, parts, clash)


def _suspects(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part]) -> None:
    """Make the table of lines whose fingerprint occurs again, with a digest of their content."""
    connection.execute("""
CREATE TEMP TABLE twins AS
  SELECT part, line, reason IS NULL AS kept FROM lines
  WHERE fingerprint IN (SELECT fingerprint FROM lines GROUP BY fingerprint HAVING count(*) > 1)""")
    connection.execute("CREATE TEMP TABLE suspects (part INTEGER, line BIGINT, kept BOOLEAN, content UHUGEINT)")
    for number, part in enumerate(parts):
        connection.execute(f"""
INSERT INTO suspects SELECT {number}, line, kept, content FROM (
  SELECT {part.line} AS line, md5_number({_content(part)}) AS content FROM {part.relation}
  WHERE {part.line} IN (SELECT t.line FROM twins AS t WHERE t.part = {number})
) JOIN (SELECT line, kept FROM twins WHERE part = {number}) USING (line)""")
    connection.execute("DROP TABLE twins")


def _one_record_a_key(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part], clash: str) -> None:
    """Let the record that was made last stand for a key; refuse where that cannot be told."""
    rivals = """
SELECT l.part, l.line, l.line_id, l.recorded_at,
  count(*) OVER key AS n, count(DISTINCT l.recorded_at) OVER (PARTITION BY l.line_id) AS times,
  row_number() OVER (PARTITION BY l.line_id ORDER BY l.recorded_at DESC, l.part, l.line) AS nth
FROM lines AS l ANTI JOIN repeats AS r USING (part, line)
WHERE l.reason IS NULL AND l.line_id IS NOT NULL WINDOW key AS (PARTITION BY l.line_id)"""
    open_case = first_row(
        connection,
        f"SELECT part, list(line ORDER BY line) FROM ({rivals}) WHERE n > 1 AND times < n "
        "GROUP BY part, line_id ORDER BY ALL LIMIT 1",
    )
    if open_case:
        lines = ", ".join(map(str, open_case[1][:5]))
        raise file_refusal(clash, f"{parts[open_case[0]].name}:{open_case[1][0]}", lines=lines)
    connection.execute(
        f"INSERT INTO repeats SELECT part, line, {sql_literal('superseded')} FROM ({rivals}) WHERE nth > 1"
    )
