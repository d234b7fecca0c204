"""From the names in a source to parts that can be read: files, sheets, and tables of databases."""

# ruff: noqa: S608 - every name and text in the SQL goes through quoted() or literal()

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from tierlens.sources.declared.asked import Asked
from tierlens.sources.declared.table_source import ADDRESSES
from tierlens.sources.messages.refusals import NO_CONTENT, NO_LINES, file_refusal, said_by
from tierlens.sources.parsing.part import Part, first_row, stage_parquet
from tierlens.sources.staging.files import BOOK_TYPES, DATABASE_TYPES, expand_paths, held_still, refuse_without_room


def stage_source(asked: Asked, folder: Path, connection: duckdb.DuckDBPyConnection) -> list[Part]:
    """Bring every file, sheet and table that a source names to where DuckDB can read it.

    Parameters
    ----------
    asked : Asked
        The table.
    folder : Path
        Where temporary files go.
    connection : duckdb.DuckDBPyConnection
        A private connection.

    Raises
    ------
    DataError
        Under the code of the case when a file must not be read as it stands; ``E-TX-043`` when the temporary folder
        has no room for them.
    """
    parts: list[Part] = []
    for address in dict.fromkeys(name for name in asked.files if name.startswith(ADDRESSES)):
        from tierlens.sources.staging.databases import stage_server

        parts.append(stage_server(address, asked, folder, connection))
    paths = expand_paths(asked.files)
    refuse_without_room(paths, folder)
    for path in paths:
        with held_still(path):
            parts += _stage_file(path, asked, folder, connection)
    return parts


def _stage_file(path: Path, asked: Asked, folder: Path, connection: duckdb.DuckDBPyConnection) -> list[Part]:
    suffix = path.suffix.lower()
    _refuse_unreadable(path)
    if path.stat().st_size == 0:
        raise file_refusal("E-TX-020", path.name, part=NO_CONTENT)
    if suffix == ".parquet":
        return [_stage_parquet(path, asked, folder, connection)]
    if suffix in DATABASE_TYPES:
        from tierlens.sources.staging.databases import stage_database

        return [stage_database(path, asked, folder, connection)]
    if suffix in BOOK_TYPES:
        from tierlens.sources.staging.workbooks import stage_book

        return stage_book(path, asked, folder)
    from tierlens.sources.staging.text_files import stage_text

    return [stage_text(path, asked, folder)]


def _refuse_unreadable(path: Path) -> None:
    """Refuse a file that the system does not let us read, with the system's reason."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise file_refusal("E-TX-155", path.name, detail=error.strerror or type(error).__name__) from None


def _stage_parquet(path: Path, asked: Asked, folder: Path, connection: duckdb.DuckDBPyConnection) -> Part:
    part = stage_parquet(path, asked, connection, folder=folder)
    if not asked.allow_empty and not pq.read_metadata(path).num_rows:
        raise file_refusal("E-TX-020", path.name, part=NO_LINES)
    return part


@contextmanager
def damage_told(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part]) -> Iterator[None]:
    """Turn a failure of the engine over a damaged Parquet file into a refusal of that file.

    A footer may be sound and a page behind it not; only files that were copied here have been looked at as a whole.

    Raises
    ------
    DataError
        ``E-TX-021``.
    """
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        for part in parts:
            try:
                connection.execute(f"SELECT max(hash(t)) FROM {part.relation} AS t")
            except duckdb.Error as damage:
                raise file_refusal("E-TX-021", part.name, detail=said_by(damage)) from None
        raise error


def day_first(connection: duckdb.DuckDBPyConnection, part: Part, times: Sequence[str]) -> bool | None:
    """Return how dates such as 05/06/2026 of a part are meant: by its lines, each of which must allow one reading only.

    Raises
    ------
    DataError
        ``E-TX-033``.
    """
    first: bool | None = None
    for role in times:
        column, kind = part.column(role) or ("", "")
        if kind != "VARCHAR":
            continue
        shaped = f"regexp_extract({column}, '^\\s*([0-9]{{1,2}})[-/.]([0-9]{{1,2}})[-/.][0-9]{{4}}', ['a', 'b'])"
        row = first_row(
            connection,
            f"""
SELECT count(*) FILTER (a > 12), count(*) FILTER (b > 12), arg_min(text, line) FILTER (a <= 12 AND b <= 12 AND a <> b),
  min(line) FILTER (a <= 12 AND b <= 12 AND a <> b), min(text), min(line), count(a)
FROM (SELECT line, text, TRY_CAST(found.a AS INTEGER) AS a, TRY_CAST(found.b AS INTEGER) AS b
  FROM (SELECT {part.line} AS line, {column} AS text, {shaped} AS found FROM {part.relation}))""",
        )
        day, month, example, line, any_text, any_line, shaped_rows = row or (0, 0, None, 0, "", 0, 0)
        if example is not None or (day and month):
            raise file_refusal("E-TX-033", part.place(line or any_line, role), example=example or any_text)
        first = not month if shaped_rows else first
    return first
