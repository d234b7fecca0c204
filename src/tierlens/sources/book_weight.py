"""What a workbook would take before it is unpacked: its declared sizes, and how far its cells reach.

A workbook is a ZIP archive of XML. The library that reads it makes room for every cell between the first and the last
one, so that one stray cell in the last column asks for half a terabyte; and a few megabytes can unpack to gigabytes.
Both are seen here on the way through the archive, in blocks, without holding any of it.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from xml.parsers import expat

from tierlens.sources.refuse import refusal, said_by
from tierlens.words import Text

MOST_UNPACKED = 4_000_000_000
"""Bytes of all parts together; a full sheet of 40 columns has about half of it."""
MOST_TIMES, SMALL = 200, 50_000_000
"""How many times its packed size a workbook may unpack to, if that is more than 50 MB; honest ones stay below 50."""
MOST_ENTRIES = 10_000
MOST_CELLS = 50_000_000
"""Cells from the first row and column to the last; a full sheet of 47 columns."""
BLOCK = 1 << 20
READ = re.compile(r"xl/(worksheets/[^/]+\.xml|sharedStrings\.xml|styles\.xml|workbook\.xml)", re.IGNORECASE)
"""Parts that are read; pictures and the like stay packed."""
ROWS = 1_048_576
_BEYOND_Z = re.compile(rb"\sr\s*=\s*[\"']([A-Za-z]{2,7})[0-9]")
_LONG_ROW = re.compile(rb"\sr\s*=\s*[\"'][A-Za-z]{0,7}([0-9]{7,})")
_NO_PLACE = re.compile(rb"<(?:\w+:)?c(?:\s+(?!r\s*=)[\w:.-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*/?>")
"""A cell that does not say where it lies: it follows the one before it."""
_PLACE = re.compile(r"([A-Za-z]{1,7})([0-9]{1,12})")


def refuse_heavy(path: Path) -> None:
    """Refuse a workbook that would take too much memory, before anything of it is unpacked.

    Parameters
    ----------
    path : Path
        A file that is no ZIP archive (an old .xls) is passed over: it cannot hold more than it shows.

    Raises
    ------
    DataError
        ``E-TX-152`` it unpacks to too much; ``E-TX-153`` a cell lies too far away; ``E-TX-021`` it is damaged;
        ``E-TX-123`` it is a binary workbook (.xlsb).
    """
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as packed:
            _weigh(packed, path)
            if "xl/workbook.bin" in packed.namelist():  # the binary kind, whatever its name ends in
                raise refusal("E-TX-123", path.name)
            for entry in packed.infolist():
                if entry.flag_bits & 1:  # locked: the library that reads it says so
                    continue
                if entry.filename == "content.xml":
                    _weigh_open(packed, entry, path)
                elif READ.fullmatch(entry.filename):
                    _look_through(packed, entry, path)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError) as error:
        # zipfile raises NotImplementedError for a part that is packed by a method it does not know
        raise refusal("E-TX-021", path.name, detail=said_by(error)) from None


def _weigh(packed: zipfile.ZipFile, path: Path) -> None:
    entries = packed.infolist()
    whole = sum(entry.file_size for entry in entries)
    times = whole / max(path.stat().st_size, 1)
    if len(entries) > MOST_ENTRIES or whole > MOST_UNPACKED or (whole > SMALL and times > MOST_TIMES):
        raise refusal("E-TX-152", path.name, size=f"{whole / 1e6:,.0f}", times=f"{times:,.0f}", parts=len(entries))


def _look_through(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    """Go through a part: refuse one with entities, or with a cell far away."""
    columns: set[bytes] = {b"Z"}
    unclear = False
    for number, block in enumerate(_blocks(packed, entry)):
        if number == 0 and b"<!DOCTYPE" in block:
            raise refusal("E-TX-021", path.name, detail=Text("it declares a document type", "含文档类型声明"))
        columns.update(_BEYOND_Z.findall(block))
        unclear = unclear or _NO_PLACE.search(block) is not None
        unclear = unclear or any(int(digits) > ROWS for digits in _LONG_ROW.findall(block))
    # Only where full columns would be too much, or a place is not said, does it matter where each cell lies.
    wide = max(column_number(letters.decode()) for letters in columns) * ROWS > MOST_CELLS
    if "worksheets/" in entry.filename.lower() and (wide or unclear):
        _refuse_far_cell(packed, entry, path)


class _Reach:
    """How far the cells of a sheet reach that have a value; formatted ones without any take no room.

    Parameters
    ----------
    path : Path
        The workbook, for the refusal.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.row = self.column = 0
        self.rows = self.columns = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take the start of an element: a row, a cell, or what a cell holds."""
        kind = tag.rpartition(":")[2]
        if kind == "row":
            given = attributes.get("r", "")
            self.row, self.column = int(given) if given.isdecimal() else self.row + 1, 0
        elif kind == "c":
            found = _PLACE.fullmatch(attributes.get("r", ""))
            self.column = column_number(found[1]) if found else self.column + 1
            self.row = int(found[2]) if found else self.row
        elif kind in ("v", "is"):
            self._filled()

    def _filled(self) -> None:
        rows, columns = max(self.rows, self.row), max(self.columns, self.column)
        if rows * columns > MOST_CELLS or rows > ROWS:
            cell = f"{column_letters(self.column)}{self.row}"
            raise refusal("E-TX-153", self.path.name, cell=cell, rows=f"{rows:,}", columns=f"{columns:,}")
        self.rows, self.columns = rows, columns


class _OpenReach(_Reach):
    """The same for ODS, where rows and cells say how often they are repeated and not where they lie."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take the start of a table, a row, a cell, or a text in a cell."""
        kind = tag.rpartition(":")[2]
        if kind == "table":
            self.row = self.rows = self.columns = 0
        elif kind == "table-row":
            self.row += _times(attributes, "rows")
            self.column = 0
        elif kind.endswith("table-cell"):
            self.column += _times(attributes, "columns")
            if any(name.endswith(":value-type") for name in attributes):
                self._filled()
        elif kind == "p" and self.column:
            self._filled()


def _times(attributes: dict[str, str], of: str) -> int:
    given = next((value for name, value in attributes.items() if name.endswith(f":number-{of}-repeated")), "1")
    return int(given) if given.isdecimal() else 1


def _refuse_far_cell(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    """Refuse a sheet whose filled cells span too many rows and columns, and name the one that is too far away."""
    try:
        _go_through(packed, entry, _Reach(path))
    except expat.ExpatError as error:
        raise refusal("E-TX-021", path.name, detail=said_by(error)) from None


def _weigh_open(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    """Refuse an ODS workbook with a cell far away."""
    # With a password the content is no XML: whether it is that or damage, the library that reads it says.
    with suppress(expat.ExpatError):
        _go_through(packed, entry, _OpenReach(path))


def _go_through(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, reach: _Reach) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler = reach.start
    with packed.open(entry) as part:
        parser.ParseFile(part)


def _blocks(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield blocks that overlap by the length of a cell's name, so that none is cut."""
    tail = b""
    with packed.open(entry) as part:
        while block := part.read(BLOCK):
            yield tail + block
            tail = block[-64:]


def column_number(letters: str) -> int:
    """Return the number of a column by its letters, large or small.

    Examples
    --------
    >>> column_number("A"), column_number("aa"), column_number("XFD")
    (1, 27, 16384)
    """
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """Return the letters of a column by its number.

    Examples
    --------
    >>> column_letters(1), column_letters(27), column_letters(16384)
    ('A', 'AA', 'XFD')
    """
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
