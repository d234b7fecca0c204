"""Parts: each file or sheet, brought to where DuckDB can read it, with every original field and its line number."""

# ruff: noqa: S608 - every name and text in the SQL goes through quoted() or literal()

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tierlens.sources.declared.asked import Asked
from tierlens.sources.messages.refusals import damaged_refusal, file_refusal, said_by
from tierlens.sources.parsing.header_matching import Header, match_roles, name_blanks
from tierlens.sources.parsing.odd_times import with_times_held

BATCH = 10_000
OWN_NUMBER = '"number of the row"'
"""Stands in for DuckDB's file_row_number where a file has a column of that name."""


def sql_name(name: str) -> str:
    """Return a name as an SQL identifier.

    Examples
    --------
    >>> sql_name('Customer ID')
    '"Customer ID"'
    """
    return '"' + name.replace('"', '""') + '"'


def sql_literal(text: str) -> str:
    """Return a text as an SQL literal.

    Examples
    --------
    >>> sql_literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def first_row(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...] | None:
    """Return the first row of a query, and leave nothing open on the connection."""
    rows = connection.execute(sql).fetchall()
    return rows[0] if rows else None


@dataclass(frozen=True)
class Part:
    """One file, or one sheet of a workbook.

    Parameters
    ----------
    name : str
        File name, with the sheet in brackets.
    path : Path
        The file of the user.
    stored : Path
        The Parquet file that DuckDB reads: the user's own, or a temporary one in which every field is text.
    headers : tuple of str
        As they stand in the file.
    fields, types : tuple of str
        Names and DuckDB types of the columns in ``stored``, one for each header.
    roles : mapping of str to Header
        Which column carries which column of the vocabulary.
    line, fault : str
        SQL for the number of a line, and for what staging found wrong with it.
    counts : mapping of str to int
        What staging changed, by the key of the reason.
    encoding : str
        Of text files.
    hidden : bool
        Whether it is a sheet that the workbook does not show.
    """

    name: str
    path: Path
    stored: Path
    headers: tuple[str, ...]
    fields: tuple[str, ...]
    types: tuple[str, ...]
    roles: Mapping[str, Header]
    line: str = "line"
    fault: str = "fault"
    counts: Mapping[str, int] = field(default_factory=dict)
    encoding: str = ""
    hidden: bool = False

    @property
    def ignored(self) -> tuple[str, ...]:
        """Headers of columns that nothing reads."""
        read = {header.place for header in self.roles.values()}
        return tuple(header for place, header in enumerate(self.headers) if place not in read)

    @property
    def relation(self) -> str:
        """SQL of the table that holds every line."""
        stored = sql_literal(str(self.stored))
        if self.line == OWN_NUMBER:  # in the order of the file, which DuckDB keeps
            return f"(SELECT *, row_number() OVER () AS {OWN_NUMBER} FROM read_parquet({stored}))"
        return f"read_parquet({stored}{', file_row_number = true' if self.line != 'line' else ''})"

    def place(self, line: int, role: str) -> str:
        """Return a place for people: file, line, and the header that carries a role."""
        header = f":{self.headers[self.roles[role].place]}" if role in self.roles else ""
        return f"{self.name}:{line}{header}"

    def column(self, role: str) -> tuple[str, str] | None:
        """Return the column that carries a role, and its type; None where there is none."""
        if role not in self.roles:
            return None
        place = self.roles[role].place
        return sql_name(self.fields[place]), self.types[place]


class Stager:
    """Write lines of text fields to a temporary Parquet file, a batch at a time.

    Parameters
    ----------
    stored : Path
        File to write.
    width : int
        Fields of a line.
    """

    def __init__(self, stored: Path, width: int) -> None:
        self.stored = stored
        self.width = width
        self.fields = tuple(f"c{i}" for i in range(width))
        columns = [pa.field("line", pa.int64()), pa.field("fault", pa.string())]
        self._schema = pa.schema([*columns, *(pa.field(name, pa.string()) for name in self.fields)])
        self._writer = pq.ParquetWriter(stored, self._schema, use_dictionary=False)  # read once: not worth the time
        self._rows: list[Sequence[str | None]] = []
        self._lines: list[int] = []
        self._faults: list[str | None] = []

    def add(self, line: int, row: Sequence[str | None], fault: str | None = None) -> None:
        """Add one line; a short one is filled up."""
        self._rows.append(row if len(row) == self.width else [*row, *[None] * (self.width - len(row))])
        self._lines.append(line)
        self._faults.append(fault)
        if len(self._lines) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        columns = list(zip(*self._rows, strict=True)) or [()] * self.width
        arrays = [pa.array(self._lines, pa.int64()), pa.array(self._faults, pa.string())]
        arrays += [pa.array(column, pa.string()) for column in columns]
        self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))
        self._rows, self._lines, self._faults = [], [], []

    def close(self) -> None:
        """Write what is left, and the footer."""
        self._flush()
        self._writer.close()

    def part(self, name: str, path: Path, headers: Sequence[str], roles: Mapping[str, Header]) -> Part:
        """Return what was written as a part."""
        return Part(name, path, self.stored, tuple(headers), self.fields, ("VARCHAR",) * self.width, roles)


def stage_parquet(
    path: Path, asked: Asked, connection: duckdb.DuckDBPyConnection, name: str = "", folder: Path | None = None
) -> Part:
    """Return a Parquet file as a part; it is read where it stands, unless DuckDB cannot hold its times.

    Parameters
    ----------
    path : Path
        The file.
    asked : Asked
        The table.
    connection : duckdb.DuckDBPyConnection
        Describes the file.
    name : str
        What the part is called; the name of the file where not given.
    folder : Path, optional
        Where a copy goes, see :func:`~tierlens.sources.parsing.odd_times.with_times_held`; without it none is made.

    Raises
    ------
    DataError
        ``E-TX-021`` the file is damaged; ``E-TX-127`` a column that is read is binary or nested; ``E-TX-018`` an id
        with a NUL character; or what :func:`~tierlens.sources.parsing.header_matching.match_roles` raises.
    """
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({sql_literal(str(path))})").fetchall()
        headers = name_blanks(pq.read_schema(path).names)
    except (duckdb.Error, pa.ArrowException, OSError, UnicodeError) as error:
        raise file_refusal("E-TX-021", name or path.name, detail=said_by(error)) from None
    roles = match_roles(headers, asked, asked.currency, name or path.name, asked.contract)
    fields, types = tuple(row[0] for row in described), tuple(row[1] for row in described)
    for at in roles.values():
        if types[at.place].endswith("]") or types[at.place].startswith(("BLOB", "STRUCT", "MAP", "UNION")):
            raise file_refusal("E-TX-127", name or path.name, name=headers[at.place])
    stored = path if folder is None else _held(path, folder, name or path.name)
    line = OWN_NUMBER if "file_row_number" in map(str.lower, fields) else "file_row_number + 1"
    part = Part(name or path.name, path, stored, headers, fields, types, roles, line, "NULL::VARCHAR")
    _refuse_nul(connection, part, [column.name for column in asked.contract.columns if column.kind == "id"])
    return part


def _held(path: Path, folder: Path, place: str) -> Path:
    try:
        return with_times_held(path, folder)
    except (pa.ArrowException, OSError) as error:
        raise damaged_refusal(error, place) from None


def _refuse_nul(connection: duckdb.DuckDBPyConnection, part: Part, ids: Sequence[str]) -> None:
    for role in ids:
        column, kind = part.column(role) or ("", "")
        if kind == "VARCHAR":
            line = first_row(
                connection, f"SELECT min({part.line}) FROM {part.relation} WHERE contains({column}, chr(0))"
            )
            if line and line[0] is not None:
                raise file_refusal("E-TX-018", part.place(line[0], role))
