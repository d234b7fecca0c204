"""Tables of a database: a DuckDB or SQLite file, or a PostgreSQL server. Each is read once, and never written to."""

# ruff: noqa: S608 - every name and text in the SQL goes through quoted() or literal()

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from tierlens.errors import MissingExtraError
from tierlens.sources.declared.asked import Asked
from tierlens.sources.messages.refusals import NO_LINES, file_refusal, said_by
from tierlens.sources.parsing.header_matching import match_roles, name_blanks
from tierlens.sources.parsing.part import Part, Stager, first_row, sql_literal, sql_name, stage_parquet
from tierlens.sources.staging.server_address import hushed_message, shown_address

EXACT_BELOW = 1e15  # a float keeps 15 digits of a number
SQLITE_MARK = b"SQLite format 3\0"
# What Arrow and Parquet carry as it is; everything else comes as text, which the reader reads strictly.
PLAIN_TYPES = {"smallint", "integer", "bigint", "real", "double precision", "boolean", "date", "text",
               "timestamp without time zone", "timestamp with time zone", "character varying"}  # fmt: skip
WIDE_TYPES = ("HUGEINT", "UHUGEINT", "ENUM", "UUID", "BLOB", "BIT", "INTERVAL", "TIME")


def stage_database(path: Path, asked: Asked, folder: Path, connection: duckdb.DuckDBPyConnection) -> Part:
    """Copy a table of a database file to ``folder``; the file itself tells of which kind it is.

    Parameters
    ----------
    path : Path
        DuckDB or SQLite file.
    asked : Asked
        Names the table.
    folder : Path
        Where the temporary Parquet file goes.
    connection : duckdb.DuckDBPyConnection
        A private connection.

    Raises
    ------
    DataError
        ``E-TX-125`` there is no such table; ``E-TX-126`` it cannot be opened; ``E-TX-127`` a column is binary;
        ``E-TX-020`` no rows.
    """
    name = f"{path.name}[{asked.inside}]"
    stored = folder / f"part{len(list(folder.iterdir()))}.parquet"
    with path.open("rb") as file:
        is_sqlite = file.read(len(SQLITE_MARK)) == SQLITE_MARK
    if is_sqlite:
        return _stage_sqlite(path, asked, stored, name)
    with _opened(path, stored, name) as database:
        _copy_duckdb(asked, stored, database, name)
    return _checked(stored, asked, connection, name, path)


def stage_server(address: str, asked: Asked, folder: Path, connection: duckdb.DuckDBPyConnection) -> Part:
    """Copy a table of a PostgreSQL server to ``folder``, in one read-only transaction, rows in a fixed order.

    Parameters
    ----------
    address : str
        ``postgresql://user@host:port/database``; a password is better left to the environment or a password file, and
        is never shown.
    asked, folder, connection
        See :func:`stage_database`.

    Raises
    ------
    DataError
        As :func:`stage_database`.
    MissingExtraError
        adbc-driver-postgresql is not installed.
    """
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError:
        raise MissingExtraError("postgres", "adbc-driver-postgresql") from None
    name = f"{shown_address(address)}[{asked.inside}]"
    stored = folder / f"part{len(list(folder.iterdir()))}.parquet"
    try:
        with closing(dbapi.connect(address)) as server, closing(server.cursor()) as cursor:
            _copy_server(cursor, asked, stored, name)
    except dbapi.Error as error:
        raise file_refusal("E-TX-126", name, detail=hushed_message(said_by(error), address)) from None
    return _checked(stored, asked, connection, name, stored)


def _checked(stored: Path, asked: Asked, connection: duckdb.DuckDBPyConnection, name: str, path: Path) -> Part:
    part = stage_parquet(stored, asked, connection, name)
    rows = first_row(connection, f"SELECT count(*) FROM {part.relation}")
    if rows == (0,) and not asked.allow_empty:
        raise file_refusal("E-TX-020", name, part=NO_LINES)
    return Part(name, path, stored, part.headers, part.fields, part.types, part.roles, part.line, part.fault)


@contextmanager
def _opened(path: Path, stored: Path, name: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a file in a connection that can reach nothing else: a view in it must not read other files."""
    with duckdb.connect(":memory:") as database:
        try:
            reached = ", ".join(sql_literal(str(name)) for name in (path, f"{path}.wal", stored))
            database.execute(f"SET allowed_paths = [{reached}]")
            database.execute("SET enable_external_access = false")
            database.execute("SET lock_configuration = true")
            database.execute(f"ATTACH {sql_literal(str(path))} AS given (READ_ONLY)")
        except duckdb.Error as error:
            raise file_refusal("E-TX-126", name, detail=said_by(error)) from None
        yield database


def _copy_duckdb(asked: Asked, stored: Path, connection: duckdb.DuckDBPyConnection, name: str) -> None:
    found = connection.execute("""
SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'given'
UNION ALL SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = 'given' AND NOT internal
ORDER BY ALL""").fetchall()
    schema, table = _choose(asked.inside, found, "main", name)
    relation = f"given.{sql_name(schema)}.{sql_name(table)}"
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
        columns = [f"{sql_name(c)}::VARCHAR AS {sql_name(c)}" if _is_wide(k) else sql_name(c) for c, k, *_ in described]
        rows = f"SELECT {', '.join(columns)} FROM {relation}"
        connection.execute(f"COPY ({rows}) TO {sql_literal(str(stored))} (FORMAT parquet)")
    except duckdb.PermissionException:
        raise file_refusal("E-TX-154", name, name=table) from None
    except duckdb.Error as error:
        raise file_refusal("E-TX-126", name, detail=said_by(error)) from None


def _is_wide(kind: str) -> bool:
    """Say whether Parquet would carry a type as something else than it is."""
    return kind.startswith(WIDE_TYPES) and not kind.startswith("TIMESTAMP")


def _choose(wanted: str, found: Sequence[tuple[str, str]], default: str, name: str) -> tuple[str, str]:
    """Return schema and name of a table that is there; a bare name is looked for in the default schema first."""
    schema, _, table = wanted.rpartition(".")
    fits = [each for each in found if each[1] == table and schema in ("", each[0])]
    if not fits:
        listed = ", ".join(t if s == default else f"{s}.{t}" for s, t in found) or "-"
        raise file_refusal("E-TX-125", name, name=wanted, tables=listed)
    return (default, table) if (default, table) in fits else fits[0]


def _stage_sqlite(path: Path, asked: Asked, stored: Path, name: str) -> Part:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            database.execute("PRAGMA trusted_schema = OFF")  # a view of the file may not call functions with effects
            return _read_sqlite(database, path, asked, stored, name)
    except sqlite3.Error as error:
        raise file_refusal("E-TX-126", name, detail=said_by(error)) from None


def _read_sqlite(database: sqlite3.Connection, path: Path, asked: Asked, stored: Path, name: str) -> Part:
    listed = database.execute("SELECT 'main', name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
    _, table = _choose(asked.inside, listed.fetchall(), "main", name)
    rows = database.execute(f"SELECT * FROM {sql_name(table)}")
    headers = name_blanks([column[0] for column in rows.description])
    roles = match_roles(headers, asked, asked.currency, name, asked.contract)
    ids = [roles[role].place for role in asked.places("id") if role in roles]
    stager = Stager(stored, len(headers))
    line = 0
    for line, row in enumerate(rows, 1):
        lost = any(isinstance(row[i], float) and abs(row[i]) >= EXACT_BELOW for i in ids)
        stager.add(line, [_sqlite_text(cell, headers[i], f"{name}:{line}") for i, cell in enumerate(row)],
                   "digits_lost" if lost else None)  # fmt: skip
    stager.close()
    if not line and not asked.allow_empty:
        raise file_refusal("E-TX-020", name, part=NO_LINES)
    return stager.part(name, path, headers, roles)


def _sqlite_text(cell: Any, header: str, place: str) -> str | None:
    if isinstance(cell, bytes):
        raise file_refusal("E-TX-127", place, name=header)
    if isinstance(cell, str) and "\0" in cell:
        raise file_refusal("E-TX-018", place)
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < EXACT_BELOW else repr(cell)
    return None if cell is None else str(cell)


def _copy_server(cursor: Any, asked: Asked, stored: Path, name: str) -> None:
    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    cursor.execute("""
SELECT table_schema::text, table_name::text FROM information_schema.tables
WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2""")
    schema, table = _choose(asked.inside, cursor.fetchall(), "public", name)
    cursor.execute(f"""
SELECT column_name::text, data_type::text FROM information_schema.columns
WHERE table_schema = {sql_literal(schema)} AND table_name = {sql_literal(table)} ORDER BY ordinal_position""")
    columns = cursor.fetchall()
    if binary := next((column for column, kind in columns if kind == "bytea"), None):
        raise file_refusal("E-TX-127", name, name=binary)
    selected = [sql_name(c) if kind in PLAIN_TYPES else f"{sql_name(c)}::text AS {sql_name(c)}" for c, kind in columns]
    sorted_by = ", ".join(f'{sql_name(c)}::text COLLATE "C"' for c, _ in columns)
    order = f" ORDER BY {sorted_by}" if columns else ""
    cursor.execute(f"SELECT {', '.join(selected)} FROM {sql_name(schema)}.{sql_name(table)}{order}")
    reader = cursor.fetch_record_batch()
    with pq.ParquetWriter(stored, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
