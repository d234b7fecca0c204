"""How a text file is encoded: UTF-8, UTF-16 with its mark, or GB18030; anything unclear is refused."""

from __future__ import annotations

import codecs
import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tierlens.sources.messages.refusals import file_refusal

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
BLOCK = 1 << 20
_COMMON = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")  # characters of GB2312, the everyday part of GB18030


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file, or what a gzip file holds."""
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


def _blocks(path: Path) -> Iterator[bytes]:
    with open_bytes(path) as file:
        while block := file.read(BLOCK):
            yield block


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for block in _blocks(path):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def detect_encoding(path: Path) -> str:
    """Return the encoding of a text file; the whole file is looked at.

    Raises
    ------
    DataError
        ``E-TX-016`` when lines are encoded differently, with the first line that differs; ``E-TX-122`` when the
        encoding cannot be told.
    """
    with open_bytes(path) as file:
        head = file.read(4)
    marked = next((name for mark, name in MARKS if head.startswith(mark)), None)
    if marked and marked != "utf-8-sig":
        return marked
    if _is_utf8(path):
        return marked or "utf-8"
    if marked:
        raise file_refusal("E-TX-016", f"{path.name}:{undecodable_line(path, 'utf-8')}", encoding="UTF-8")
    return _chinese(path)


def undecodable_line(path: Path, encoding: str) -> int:
    """Return the number of the first line that is not in an encoding, from 1; 0 when all are."""
    with open_bytes(path) as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError:
                return number
    return 0


def _chinese(path: Path) -> str:
    """Return GB18030 when every line is in it, none is plainly UTF-8, and the characters are everyday ones."""
    utf8_seen = other_seen = 0
    wide = common = 0
    with open_bytes(path) as file:
        for number, line in enumerate(file, 1):
            if line.isascii():
                continue
            if _plainly_utf8(line):
                utf8_seen = utf8_seen or number
            else:
                other_seen = other_seen or number
                wide += _wide_characters(line, f"{path.name}:{number}")
                common += len(_COMMON.findall(line))
            if utf8_seen and other_seen:
                kind = "UTF-8" if utf8_seen < number else "GB18030"
                raise file_refusal("E-TX-016", f"{path.name}:{number}", encoding=kind)
    if common < 0.75 * wide:
        raise file_refusal("E-TX-122", path.name)
    return "gb18030"


def _plainly_utf8(line: bytes) -> bool:
    """Say whether a line is UTF-8 with a character of three bytes or more; shorter ones occur in GB18030 by chance."""
    try:
        return any(character >= "\u0800" for character in line.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _wide_characters(line: bytes, where: str) -> int:
    try:
        return sum(character > "\x7f" for character in line.decode("gb18030"))
    except UnicodeDecodeError:
        raise file_refusal("E-TX-122", where) from None
