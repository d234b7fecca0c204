"""A scheme as a workbook that a manager can read, sign and change, and back again without loss."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from tierlens.errors import SchemeError
from tierlens.grading.scheme.scheme import Scheme
from tierlens.grading.workbook.from_workbook import scheme_from_tables
from tierlens.grading.workbook.layout import SHEETS, Column, Sheet
from tierlens.grading.workbook.to_workbook import Cell, Table, scheme_tables
from tierlens.publish.lists.list_files import new_book
from tierlens.sources.staging.workbooks import open_book
from tierlens.words import Lang, Text

SIGNATURE = Text(
    "Approved by: ____________________    Date: ____________", "审批人：____________________    日期：____________"
)
WIDE = {"note_en", "note_zh", "source", "en", "zh", "proxy_note_en", "proxy_note_zh", "meaning_en", "meaning_zh"}


def write_scheme_book(scheme: Scheme, path: Path, lang: Lang) -> Path:
    """Write a scheme as XLSX: one sheet a part, titles in one language, every number and source.

    Parameters
    ----------
    scheme : Scheme
        The scheme.
    path : Path
        Where to write.
    lang : {"en", "zh"}
        Language of titles.

    Raises
    ------
    MissingExtraError
        When ``tierlens[excel]`` is not installed.
    """
    with new_book(path, scheme.title.say(lang), "scheme", private=False) as book:
        formats = {
            "header": book.add_format({"bold": True, "bg_color": "#E8EEF4", "bottom": 1, "text_wrap": True}),
            "text": book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"}),
            "number": book.add_format({"valign": "top"}),
        }
        for table in scheme_tables(scheme):
            _fill(book, table, formats, lang)
    return path


def _fill(book: Any, table: Table, formats: dict[str, Any], lang: Lang) -> None:
    sheet = book.add_worksheet(table.sheet.title.say(lang))
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(table.sheet.columns):
        sheet.set_column(place, place, 44 if column.key in WIDE else 16)
        sheet.write_string(0, place, column.title.say(lang), formats["header"])
    for number, row in enumerate(table.cells(), start=1):
        for place, value in enumerate(row):
            _write(sheet, (number, place), value, formats)
    if table.sheet.key == "scheme":
        sheet.write_string(len(table.rows) + 2, 0, SIGNATURE.say(lang))


def _write(sheet: Any, place: tuple[int, int], value: Cell, formats: dict[str, Any]) -> None:
    if isinstance(value, bool):
        sheet.write_boolean(*place, value, formats["number"])
    elif isinstance(value, Decimal | int):
        # A number that a spreadsheet's doubles cannot hold goes as text.
        if Decimal(repr(float(value))) == value:
            sheet.write_number(*place, float(value), formats["number"])
        else:
            sheet.write_string(*place, str(value), formats["text"])
    elif value is not None:
        sheet.write_string(*place, value, formats["text"])


def read_scheme_book(path: Path) -> Scheme:
    """Read a scheme from a workbook in the layout of ``write_scheme_book``, in either language.

    Parameters
    ----------
    path : Path
        XLSX.

    Raises
    ------
    SchemeError
        ``E-SC-006`` for a file that is no workbook,
        ``E-SC-003`` for a cell that is not what its column holds, ``E-SC-004`` for a column that nobody knows,
        ``E-SC-002`` when an entry is not there, ``E-YA-020`` when the scheme breaks the language.
    MissingExtraError
        When ``tierlens[excel]`` is not installed.
    """
    if path.exists() and not (path.is_file() and zipfile.is_zipfile(path)):
        raise SchemeError(
            "E-SC-006",
            Text("this is not an XLSX workbook", "这不是 XLSX 工作簿"),
            where=path.name,
            fix=Text("write one with 'tierlens scheme explain NAME --to book.xlsx', change it, and import that",
                     "请先用 tierlens scheme explain NAME --to book.xlsx 写出工作簿，修改后再导入"),
        )  # fmt: skip
    book = open_book(path)
    titles = {title: sheet for sheet in SHEETS.values() for title in sheet.title}
    known = [(name, titles[name]) for name in book.sheet_names if name in titles]
    tables = [
        _read(book.get_sheet_by_name(name).to_python(skip_empty_area=False), sheet, name) for name, sheet in known
    ]
    return scheme_from_tables(tables)


def _read(rows: list[list[Any]], sheet: Sheet, name: str) -> Table:
    columns = [_column(title, sheet, name) for title in rows[0]] if rows else []
    found = (
        dict(_cells(row, columns, f"{name}!{number}"))
        for number, row in enumerate(rows[1:], start=2)
        if sheet.key != "scheme" or len([cell for cell in row if cell not in ("", None)]) > 1
    )
    return Table(sheet, tuple(row for row in found if row))


def _column(title: Any, sheet: Sheet, name: str) -> Column | None:
    if title in ("", None):
        return None
    for column in sheet.columns:
        if str(title).strip() in column.title:
            return column
    raise SchemeError("E-SC-004", Text(f"nobody knows column {title!r}", f"无法识别列 {title!r}"), where=name)


def _cells(row: list[Any], columns: list[Column | None], where: str) -> Iterator[tuple[str, Cell]]:
    for value, column in zip(row, columns, strict=False):
        if column is not None and value not in ("", None):
            yield column.key, _value(value, column, where)


def _value(value: Any, column: Column, where: str) -> Cell:
    read = _KINDS[column.kind](value)
    if read is None:
        what = Text(f"{value!r} does not belong under {column.title.en!r}", f"{value!r} 不能填在“{column.title.zh}”下")
        raise SchemeError("E-SC-003", what, where=where)
    return read


def _text(value: Any) -> str:
    """Whole numbers that a spreadsheet turned into decimals become whole again."""
    return str(int(value)) if isinstance(value, float) and value == int(value) else str(value)


def _number(value: Any) -> Decimal | None:
    try:
        number = Decimal(repr(value) if isinstance(value, float) else str(value).strip())
    except ArithmeticError:
        return None
    return number if number.is_finite() else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number == int(number) else None


def _any(value: Any) -> Cell:
    """Take what was typed as a number for a number, and everything else for text."""
    if isinstance(value, bool):
        return value
    return _number(value) if isinstance(value, int | float) else str(value)


_KINDS: dict[str, Callable[[Any], Cell]] = {
    "text": _text,
    "number": _number,
    "whole": _whole,
    "flag": lambda value: value if isinstance(value, bool) else None,
    "any": _any,
}
