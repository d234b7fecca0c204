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
from pathlib import Path

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
_BEYOND_Z = re.compile(rb' r="([A-Z]{2,3})[0-9]')
_CELL = re.compile(rb' r="([A-Z]{1,3})([0-9]{1,7})"')


def refuse_heavy(path: Path) -> None:
    """Refuse a workbook that would take too much memory, before anything of it is unpacked.

    Parameters
    ----------
    path : Path
        A file that is no ZIP archive (an old .xls) is passed over: it cannot hold more than it shows.

    Raises
    ------
    DataError
        ``E-TX-152`` it unpacks to too much; ``E-TX-153`` a cell lies too far away; ``E-TX-021`` it is damaged.
    """
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as packed:
            _weigh(packed, path)
            for entry in packed.infolist():
                if not entry.flag_bits & 1 and READ.fullmatch(entry.filename):
                    _look_through(packed, entry, path)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError) as error:
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
    for number, block in enumerate(_blocks(packed, entry)):
        if number == 0 and b"<!DOCTYPE" in block:
            raise refusal("E-TX-021", path.name, detail=Text("it declares a document type", "含文档类型声明"))
        columns.update(_BEYOND_Z.findall(block))
    # Only where full columns would be too much does it matter how many rows there are.
    if "worksheets/" in entry.filename and max(map(_number, columns)) * ROWS > MOST_CELLS:
        _refuse_far_cell(packed, entry, path)


def _refuse_far_cell(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    """Refuse a sheet whose cells span too many rows and columns, and name the one that lies furthest away."""
    row = column = 0
    lowest = rightmost = ""
    for block in _blocks(packed, entry):
        for letters, digits in _CELL.findall(block):
            name = f"{letters.decode()}{digits.decode()}"
            if int(digits) > row:
                row, lowest = int(digits), name
            if _number(letters) > column:
                column, rightmost = _number(letters), name
    if row * column > MOST_CELLS:
        cell = rightmost if column > row / 100 else lowest
        raise refusal("E-TX-153", path.name, cell=cell, rows=f"{row:,}", columns=f"{column:,}")


def _blocks(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield blocks that overlap by the length of a cell's name, so that none is cut."""
    tail = b""
    with packed.open(entry) as part:
        while block := part.read(BLOCK):
            yield tail + block
            tail = block[-16:]


def _number(letters: bytes) -> int:
    """Return the number of a column by its letters.

    Examples
    --------
    >>> _number(b"A"), _number(b"AA"), _number(b"XFD")
    (1, 27, 16384)
    """
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
