"""Lists as files that spreadsheets open well: CSV with a byte order mark, and XLSX without a single formula."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from tierlens.errors import MissingExtraError, UsageError
from tierlens.explain.reason_columns import REASONS
from tierlens.publish.files.atomic import replacing_file, write_bytes
from tierlens.publish.files.safe_text import guarded_text, plain_text
from tierlens.publish.lists.customer_lists import HEADERS, CustomerList
from tierlens.spreadsheets import is_formula_like
from tierlens.words import Text

MADE = dt.datetime(1980, 1, 1)  # noqa: DTZ001  XLSX holds no zone; a fixed moment keeps the bytes the same
BOOKS = {"list": "customer list", "moves": "movement of tiers", "cards": "rating cards", "scheme": "scheme"}
"""What a workbook of each kind says of itself under "category", so that it is known again."""
MAX_ROWS = 1_048_575
"""Rows that an XLSX sheet holds under its header."""

_WIDTHS = {
    "score": 8,
    "tier": 8,
    "risk_band": 10,
    "churn_band": 30,
    "downgrade_band": 30,
    "segment": 22,
    "contactable": 24,
    "next_step": 60,
    "risk_note": 60,
}
_WIDTHS |= {"tier_before": 18, "tier_after": 18, "triggers": 60, "data_note": 32}
_WIDTHS |= dict.fromkeys(("reason", "reason_1", "reason_2", "reason_3", *REASONS), 46)
_DIGITS = {
    "score": 2,
    "churn_risk": 4,
    "churn_risk_low": 4,
    "churn_risk_high": 4,
    "downgrade_risk": 4,
    "value_at_risk": 2,
}


def write_list(chosen: CustomerList, path: Path, headers: Mapping[str, Text] = HEADERS, kind: str = "list") -> Path:
    """Write a list as CSV or XLSX, whichever the name ends in.

    Parameters
    ----------
    chosen : CustomerList
    path : Path
        Ends in ``.csv`` or ``.xlsx``. The same list gives the same bytes.
    headers : mapping of str to Text
        What each column is called.
    kind : str
        One of ``BOOKS``: what a workbook says of itself.

    Raises
    ------
    UsageError
        ``E-LI-004`` for another ending, ``E-LI-005`` when a sheet cannot hold the list.
    MissingExtraError
        When XLSX is asked for and ``tierlens[excel]`` is not installed.
    """
    writers = {".csv": _write_csv, ".xlsx": _write_xlsx}
    if path.suffix.lower() not in writers:
        raise UsageError(
            "E-LI-004",
            Text(f"a list cannot be written as {path.suffix!r}", f"名单不能写为 {path.suffix!r}"),
            where=str(path),
            fix=Text("end the name in .csv or .xlsx", "文件名请以 .csv 或 .xlsx 结尾"),
        )
    return writers[path.suffix.lower()](chosen, path, headers, kind)


def _rows(table: pa.Table) -> Iterator[list[Any]]:
    """Rows as plain values, numbers rounded, NaN as missing."""
    digits = [_DIGITS.get(name) for name in table.column_names]
    for batch in table.to_batches(max_chunksize=10_000):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield [_cell(value, places) for value, places in zip(row, digits, strict=True)]


def _cell(value: Any, digits: int | None) -> Any:
    if not isinstance(value, float):
        return value
    return None if math.isnan(value) else round(value, digits if digits is not None else 6)


def _header(chosen: CustomerList, headers: Mapping[str, Text]) -> list[str]:
    return [headers[name].say(chosen.lang) for name in chosen.table.column_names]


def _write_csv(chosen: CustomerList, path: Path, headers: Mapping[str, Text], kind: str) -> Path:
    """Write UTF-8 with the mark by which a spreadsheet knows it; texts guarded, numbers untouched."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([guarded_text(title) for title in _header(chosen, headers)])
    once = lru_cache(maxsize=10_000)(guarded_text)  # segments, reasons and steps come again and again
    for row in _rows(chosen.table):
        writer.writerow([once(value) if isinstance(value, str) else value for value in row])
    return write_bytes(path, out.getvalue().encode("utf-8-sig"))


def _write_xlsx(chosen: CustomerList, path: Path, headers: Mapping[str, Text], kind: str) -> Path:
    """Write row by row; every text is written as text, so nothing in it can become a formula or a link."""
    if chosen.table.num_rows > MAX_ROWS:
        raise UsageError(
            "E-LI-005",
            Text(
                f"a sheet holds {MAX_ROWS:,} rows, the list has {chosen.table.num_rows:,}",
                f"工作表最多 {MAX_ROWS:,} 行，名单有 {chosen.table.num_rows:,} 行",
            ),
            where=str(path),
            fix=Text("write .csv, or take fewer customers", "请写为 .csv，或减少客户"),
        )
    with new_book(path, "tierlens", kind, row_by_row=True) as book:
        _fill(book, chosen, headers)
    return path


@contextmanager
def new_book(path: Path, title: str, kind: str, *, row_by_row: bool = False, private: bool = True) -> Iterator[Any]:
    """Give a workbook that appears whole or not at all; no text in it becomes a formula, a link or a number.

    Parameters
    ----------
    path : Path
    title : str
    kind : str
        One of ``BOOKS``.
    row_by_row : bool
        Whether rows are written in order and leave the memory at once.
    private : bool
        See :func:`~tierlens.publish.files.atomic.replacing_file`.

    Raises
    ------
    MissingExtraError
        When ``tierlens[excel]`` is not installed.
    OSError
        When it cannot be written.
    """
    try:
        import xlsxwriter
        from xlsxwriter.exceptions import FileCreateError
    except ImportError:
        raise MissingExtraError("excel", "xlsxwriter") from None
    options: dict[str, object] = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with replacing_file(path, private=private) as temporary:
        # Its own temporary files hold customers too: they belong beside the file, where nobody else may read them.
        options |= {"constant_memory": row_by_row, "tmpdir": str(temporary.parent)}
        try:
            with xlsxwriter.Workbook(str(temporary), options) as book:
                book.set_properties({"created": MADE, "title": title, "author": "tierlens", "category": BOOKS[kind]})
                yield book
        except FileCreateError as problem:
            raise problem.args[0] from None


def _fill(book: Any, chosen: CustomerList, headers: Mapping[str, Text]) -> None:
    sheet = book.add_worksheet(Text("customers", "客户").say(chosen.lang))
    formats = _Formats(book)
    names, header = chosen.table.column_names, _header(chosen, headers)
    for place, name in enumerate(names):
        sheet.set_column(place, place, _WIDTHS.get(name, 14))
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, max(chosen.table.num_rows, 1), len(names) - 1)
    for place, title in enumerate(header):
        sheet.write_string(0, place, plain_text(title), formats.header)
    for number, row in enumerate(_rows(chosen.table), start=1):
        for place, value in enumerate(row):
            _write_cell(sheet, (number, place), value, formats.of(names[place], value))


def _write_cell(sheet: Any, place: tuple[int, int], value: Any, style: Any) -> None:
    if isinstance(value, str):
        sheet.write_string(*place, plain_text(value)[:32_767], style)
    elif value is not None:
        sheet.write_number(*place, value, style)


class _Formats:
    """The few cell formats of a list."""

    def __init__(self, book: Any) -> None:
        self.header = book.add_format({"bold": True, "bg_color": "#E8EEF4", "bottom": 1, "text_wrap": True})
        self.text = book.add_format({"num_format": "@"})
        # The quote prefix keeps a text that looks like a formula a text even after somebody edits the cell.
        self.quoted = book.add_format({"num_format": "@", "quote_prefix": True})
        self.score = book.add_format({"num_format": "0.0"})
        self.whole = book.add_format({"num_format": "0"})
        self.risk = book.add_format({"num_format": "0.0%"})

    def of(self, column: str, value: Any) -> Any:
        """Return the format of a cell."""
        if isinstance(value, str):
            return self.quoted if is_formula_like(value) else self.text
        if isinstance(value, int):
            return self.whole
        return self.risk if column.endswith("_risk") else self.score
