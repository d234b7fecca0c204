"""The SQL of a scheme, for an auditor to read and to run by hand."""

from __future__ import annotations

import re
from typing import Any

import narwhals as nw

from tierlens.errors import UsageError
from tierlens.grading.feature_columns import Frame
from tierlens.grading.scheme.scheme import Scheme
from tierlens.grading.scoring import grade
from tierlens.sources.tables import Currency
from tierlens.words import Text

TABLE = "features"


def to_sql(features: Frame, scheme: Scheme, currency: Currency) -> str:
    """Return the SQL that grades a table called ``features`` with the columns of this one.

    Parameters
    ----------
    features : narwhals.LazyFrame
        A feature table on DuckDB; only its columns and their types are looked at.
    scheme : Scheme
        The rules.
    currency : Currency
        The currency whose minor units the money columns are in.

    Raises
    ------
    UsageError
        ``E-US-005`` when the table is not on DuckDB.

    Examples
    --------
    >>> import duckdb
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> rows = "select 'C1' as customer_id, 15126::int as cutoff, 60000000::bigint as monetary"
    >>> sql = to_sql(nw.from_native(duckdb.sql(rows)), load_scheme("relationship_rating"), Currency("CNY"))
    >>> print([line.strip() for line in sql.splitlines() if "10.0 ELSE" in line][0])
    (CASE WHEN (monetary >= 100000000) THEN 10.0 ELSE (CASE WHEN (monetary >= 50000000) THEN 7.0 ELSE
    (CASE WHEN (monetary < 50000000) THEN 3.0 ELSE CAST(NULL AS DOUBLE) END) END) END) AS points_annual_amount,
    """
    if not features.implementation.is_duckdb():
        raise UsageError(
            "E-US-005",
            Text("SQL is written for DuckDB tables only", "仅能为 DuckDB 表生成 SQL"),
            fix=Text("grade on DuckDB, the default", "请使用默认的 DuckDB"),
        )
    import duckdb

    columns = ", ".join(f'"{name}" {dtype}' for name, dtype in zip(*_described(features.to_native()), strict=True))
    with duckdb.connect() as empty:
        empty.execute(f"CREATE TABLE {TABLE} ({columns})")
        graded = grade(nw.from_native(empty.table(TABLE)), scheme, currency)
        return pretty_sql(str(graded.to_native().sql_query()), scheme, _reserved(empty))


def _reserved(connection: Any) -> frozenset[str]:
    """Return the words that DuckDB takes for no column unless they stand in quotes."""
    asked = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category IN ('reserved', 'type_function')"
    return frozenset(word for (word,) in connection.execute(asked).fetchall())


def _described(native: Any) -> tuple[list[str], list[str]]:
    return list(native.columns), [str(dtype) for dtype in native.types]


def pretty_sql(sql: str, scheme: Scheme, quoted: frozenset[str] = frozenset()) -> str:
    """Lay SQL out: a heading, one step a common table, one column a line, what is passed on as ``*``.

    Names among ``quoted`` keep their quotes.
    """
    sql = re.sub(r'"__duckdb_s(\d+)"', r"step_\1", sql).replace(" AS NOT MATERIALIZED", " AS")
    sql = re.sub(r'"([a-z_][a-z0-9_]*)"', lambda name: name[0] if name[1] in quoted else name[1], sql)
    sql = re.sub(r"(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)::DOUBLE", r"\1", sql)
    lines = [f"-- {scheme.name} ({scheme.id} {scheme.version}), sha256 of the scheme: {scheme.sha256}"]
    known: dict[str, list[str]] = {}
    step = ""
    for line in sql.splitlines():
        step = line.split()[-3] if line.endswith(" AS (") else step
        if line.startswith("SELECT "):
            lines += _columns_apart(line, step, known)
        elif line.strip():
            lines.append(line)
    return "\n".join(lines) + "\n"


def _columns_apart(line: str, step: str, known: dict[str, list[str]]) -> list[str]:
    """Write a SELECT with one column a line; ``known`` collects the columns of every step."""
    head, source, tail = line.removeprefix("SELECT ").rpartition(" FROM ")
    columns = _split(head)
    names = [column.rpartition(" AS ")[2].rpartition(".")[2] for column in columns]
    before = known.get(tail.split()[0], [])
    known.setdefault(step, names)
    if before and names[: len(before)] == before and " JOIN " not in tail:
        pairs = zip(columns, names, strict=True)
        changed = [c for c, name in pairs if name in before and c not in (name, f"{name} AS {name}")]
        replaced = f" REPLACE ({', '.join(changed)})" if changed else ""
        columns = [f"*{replaced}", *columns[len(before) :]]
    end = f"{source.strip()} {tail}"
    return ["SELECT " + ",\n       ".join(columns), end]


def _split(text: str) -> list[str]:
    """Split at the commas outside brackets and quotes."""
    parts, depth, start, quoted = [], 0, 0, False
    for at, letter in enumerate(text):
        quoted ^= letter == "'"
        depth += 0 if quoted else (letter == "(") - (letter == ")")
        if letter == "," and depth == 0 and not quoted:
            parts.append(text[start:at].strip())
            start = at + 1
    return [*parts, text[start:].strip()]
