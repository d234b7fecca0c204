"""Text files: strict about their shape, patient about their encoding."""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tierlens.sources.declared.asked import Asked
from tierlens.sources.messages.refusals import NO_HEADER, NO_LINES, damaged_refusal, file_refusal
from tierlens.sources.parsing.header_matching import match_roles, name_blanks
from tierlens.sources.parsing.part import Part, Stager
from tierlens.sources.staging.encoding import detect_encoding, open_bytes, undecodable_line

LONGEST_FIELD = 100_000_000
"""Characters of one field; Python's own limit of 131,072 is less than a note of a ticket may have."""
Record = tuple[int, list[str]]


def stage_text(path: Path, asked: Asked, folder: Path) -> Part:
    """Check a text file line by line and write its fields to ``folder``.

    Parameters
    ----------
    path : Path
        CSV, TSV or TXT, also with .gz.
    asked : Asked
        Declares separator, encoding, headers and columns, or leaves them to be found.
    folder : Path
        Where the temporary Parquet file goes.

    Raises
    ------
    DataError
        ``E-TX-009`` a line is too long; ``E-TX-013`` full-width commas; ``E-TX-016`` mixed encodings; ``E-TX-018`` NUL;
        ``E-TX-019`` an open quote; ``E-TX-020`` no lines; ``E-TX-021`` a damaged gzip file; ``E-TX-122`` an encoding
        other than declared; and those of the headers.
    """
    try:
        encoding = asked.encoding or detect_encoding(path)
        with io.TextIOWrapper(open_bytes(path), encoding=encoding, errors="strict", newline="") as file:
            return _stage(path, asked, folder / f"part{len(list(folder.iterdir()))}.parquet", file)
    except UnicodeDecodeError as error:
        line = 0 if error.encoding.startswith("utf-16") else undecodable_line(path, error.encoding)
        raise file_refusal("E-TX-016", f"{path.name}:{line}" if line else path.name, encoding=error.encoding) from None
    except UnicodeError:  # a declared UTF-16 without its mark
        raise file_refusal("E-TX-122", path.name) from None
    except (EOFError, zlib.error, OSError) as error:
        raise damaged_refusal(error, path.name) from None


def _stage(path: Path, asked: Asked, stored: Path, file: io.TextIOWrapper) -> Part:
    lines = _lines(file, path.name)
    separator, first = _first_line(lines, asked, path.name)
    records = _records(lines, first, separator, path.name)
    headers = name_blanks(asked.headers or next(records, (0, []))[1])
    roles = match_roles(headers, asked, asked.currency, path.name, asked.contract)
    stager = Stager(stored, len(headers))
    blank, last = _fill(stager, records, path.name)
    if not last and not asked.allow_empty:
        raise file_refusal("E-TX-020", path.name, part=NO_LINES)
    counts = {"blank_line": blank, "encoding": int(not file.encoding.startswith("utf-8"))}
    return replace(stager.part(path.name, path, headers, roles), counts=counts, encoding=file.encoding)


def _fill(stager: Stager, records: Iterator[Record], name: str) -> tuple[int, int]:
    """Write all lines; return the number of blank ones, and the number of the last other one."""
    blank = last = 0
    width = stager.width
    for line, fields in records:
        size = len(fields)
        if size > width:
            raise file_refusal("E-TX-009", f"{name}:{line}", found=size, width=width)
        if not any(fields):
            blank += 1
            continue
        stager.add(line, fields, None if size == width else "short_row")
        last = line
    stager.close()
    return blank, last


def _lines(file: io.TextIOWrapper, name: str) -> Iterator[str]:
    """Yield the lines; all byte-order marks at the start are taken away."""
    for number, line in enumerate(file, 1):
        if "\0" in line:
            raise file_refusal("E-TX-018", f"{name}:{number}")
        yield line.lstrip("\ufeff") if number == 1 else line


def _first_line(lines: Iterator[str], asked: Asked, name: str) -> tuple[str, str]:
    """Return the separator and the first line, which is needed to find it."""
    first = next(lines, "")
    if not first.strip():
        raise file_refusal("E-TX-020", name, part=NO_HEADER)
    if asked.separator:
        return asked.separator, first
    outside = "".join(first.split('"')[::2])
    separator = max(",;\t", key=outside.count)
    if not outside.count(separator) and "，" in outside:
        raise file_refusal("E-TX-013", f"{name}:1")
    return separator, first


def _records(lines: Iterator[str], first: str, separator: str, name: str) -> Iterator[Record]:
    """Yield each record with the number of the line it starts on."""
    if separator == " ":
        yield 1, first.split()
        yield from ((number, line.split()) for number, line in enumerate(lines, 2))
        return
    reader = csv.reader(_chain(first, lines), delimiter=separator, strict=True)
    start, limit = 1, csv.field_size_limit(LONGEST_FIELD)
    try:
        for record in reader:
            yield start, record
            start = reader.line_num + 1
    except csv.Error as error:
        if "field larger" in str(error):
            raise file_refusal("E-TX-159", f"{name}:{start}", most=f"{LONGEST_FIELD:,}") from None
        raise file_refusal("E-TX-019", f"{name}:{start}") from None
    finally:
        csv.field_size_limit(limit)


def _chain(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines
