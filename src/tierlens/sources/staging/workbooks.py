"""Workbooks: every sheet that has the needed columns, cell by cell, as text that says what the cell showed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tierlens.errors import MissingExtraError
from tierlens.sources.declared.asked import Asked
from tierlens.sources.messages.refusals import NO_LINES, damaged_refusal, file_refusal
from tierlens.sources.parsing.header_matching import Header, guess_roles, match_roles, missing_roles, name_blanks
from tierlens.sources.parsing.part import Part, Stager
from tierlens.sources.staging.workbook_weight import refuse_heavy

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

HEADER_WITHIN = 10
EXACT_BELOW = 1e15  # Excel keeps 15 digits of a number
EXCEL_DAY_ZERO = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a workbook knows no time zones
Row = list[Any]


def stage_book(path: Path, asked: Asked, folder: Path) -> list[Part]:
    """Write the lines of a workbook's sheets to ``folder``.

    Parameters
    ----------
    path : Path
        XLSX, XLSM, XLS or ODS.
    asked : Asked
        Declares the sheets and columns, or leaves them to be found.
    folder : Path
        Where the temporary Parquet files go.

    Raises
    ------
    DataError
        ``E-TX-021`` the file is damaged; ``E-TX-023`` no header row; ``E-TX-124`` a password; ``E-TX-020`` no lines.
    MissingExtraError
        python-calamine is not installed.
    """
    workbook = open_book(path)
    hidden = {sheet.name for sheet in workbook.sheets_metadata if "Hidden" in str(sheet.visible)}
    parts, skipped = [], 0
    for name in asked.sheets or workbook.sheet_names:
        if name not in workbook.sheet_names:
            raise file_refusal("E-TX-118", path.name, name=name, headers=", ".join(workbook.sheet_names))
        with _sheet_told(path, name):
            part = _stage_sheet(workbook.get_sheet_by_name(name), path, asked, folder)
        parts += [replace(part, hidden=name in hidden)] if part else []
        skipped += part is None
    if not parts:
        raise file_refusal("E-TX-023", path.name, roles=", ".join(missing_roles([], asked.contract)))
    first = replace(parts[0], counts={**parts[0].counts, "sheet_skipped": skipped})
    return [first, *parts[1:]]


def open_book(path: Path) -> Any:
    """Open a workbook with python-calamine, once it is known that it fits; see :func:`stage_book` for what is raised.

    Raises
    ------
    DataError
        ``E-TX-152``, ``E-TX-153``: see :func:`tierlens.sources.staging.workbook_weight.refuse_heavy`.
    """
    try:
        import python_calamine
    except ImportError:
        raise MissingExtraError("excel", "python-calamine") from None
    refuse_heavy(path)
    try:
        return python_calamine.load_workbook(path)
    except python_calamine.PasswordError:
        raise file_refusal("E-TX-124", path.name) from None
    except (python_calamine.CalamineError, OSError) as error:
        raise _of_library(error, path.name) from None


@contextmanager
def _sheet_told(path: Path, name: str) -> Iterator[None]:
    """Turn a failure of the library over a sheet into a refusal; a workbook opens though a sheet of it is damaged."""
    import python_calamine

    try:
        yield
    except (python_calamine.CalamineError, OSError) as error:
        raise _of_library(error, f"{path.name}[{name}]") from None


def _of_library(error: Exception, place: str) -> Exception:
    """Return the refusal for what the library says of a workbook."""
    if found := re.search(r"Cell limit exceeded \((\d+)", str(error)):
        return file_refusal("E-TX-160", place, cells=f"{int(found[1]):,}")
    return damaged_refusal(error, place)


def _stage_sheet(sheet: CalamineSheet, path: Path, asked: Asked, folder: Path) -> Part | None:
    """Return one sheet as a part; None when it has no header with the needed columns."""
    rows = _rows(sheet)
    found = _header(rows, asked)
    if found is None:
        return None
    line, cells = found
    name = f"{path.name}[{sheet.name}]"
    width = max(i for i, cell in enumerate(cells, 1) if cell != "")
    headers = name_blanks([cell_text(cell) for cell in cells[:width]])
    roles = match_roles(headers, asked, asked.currency, f"{name}:{line}", asked.contract)
    stager = Stager(folder / f"part{len(list(folder.iterdir()))}.parquet", width)
    counts = _fill(stager, rows, roles, asked, name)
    counts["merged_cells"] = len(sheet.merged_cell_ranges or ())
    if not counts.pop("lines") and not asked.allow_empty:
        raise file_refusal("E-TX-020", name, part=NO_LINES)
    return replace(stager.part(name, path, headers, roles), counts=counts)


def _rows(sheet: CalamineSheet) -> Iterator[tuple[int, Row]]:
    """Yield the rows with their numbers, as the workbook shows them."""
    yield from enumerate(sheet.iter_rows() if sheet.start else (), 1)


def _header(rows: Iterator[tuple[int, Row]], asked: Asked) -> tuple[int, Row] | None:
    """Return the header row: the first of the top rows that has all needed columns."""
    for line, cells in rows:
        if line > HEADER_WITHIN:
            return None
        places = guess_roles(name_blanks([cell_text(cell) for cell in cells]), asked, asked.contract)
        if not missing_roles([role for role, found in places.items() if found], asked.contract):
            return line, cells
    return None


def _fill(
    stager: Stager, rows: Iterator[tuple[int, Row]], roles: dict[str, Header], asked: Asked, name: str
) -> dict[str, int]:
    """Write all lines; return how many there are, and what was changed."""
    ids = [roles[role].place for role in asked.places("id") if role in roles]
    times = [roles[role].place for role in asked.places("time") if role in roles]
    counts = {"lines": 0, "blank_line": 0, "excel_serial": 0}
    width = stager.width
    for line, cells in rows:
        if all(cell == "" for cell in cells):
            counts["blank_line"] += 1
            continue
        if any(cell != "" for cell in cells[width:]):
            raise file_refusal("E-TX-009", f"{name}:{line}", found=len(cells), width=width)
        counts["excel_serial"] += _dates_of_serials(cells, times)
        stager.add(line, [cell_text(cell) for cell in cells[:width]], _lost_digits(cells, ids))
        counts["lines"] += 1
    stager.close()
    return counts


def _lost_digits(cells: Row, ids: Sequence[int]) -> str | None:
    """Return the fault of a row in which an id is a number of more than 15 digits."""
    lost = any(isinstance(cells[i], int | float) and abs(cells[i]) >= EXACT_BELOW for i in ids)
    return "digits_lost" if lost else None


def _dates_of_serials(cells: Row, times: Sequence[int]) -> int:
    """Turn Excel's day numbers (from 1954 to 2119) into times, in place; return how many there were."""
    turned = 0
    for place in times:
        value = cells[place]
        if isinstance(value, int | float) and not isinstance(value, bool) and 20_000 <= value <= 80_000:
            cells[place] = EXCEL_DAY_ZERO + dt.timedelta(days=value)
            turned += 1
    return turned


def cell_text(cell: Any) -> str:
    """Return a cell as text: whole numbers without a point, times in ISO form to the millisecond.

    Examples
    --------
    >>> cell_text(17850.0), cell_text(6.95), cell_text(dt.datetime(2026, 1, 5, 8, 30)), cell_text("00123")
    ('17850', '6.95', '2026-01-05 08:30:00', '00123')
    """
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < EXACT_BELOW else repr(cell)
    if isinstance(cell, dt.datetime):
        rounded = cell + dt.timedelta(microseconds=500)
        rounded -= dt.timedelta(microseconds=rounded.microsecond % 1000)
        return rounded.isoformat(sep=" ")
    return str(cell)
