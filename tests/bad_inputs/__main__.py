"""Run all cases and print them: ``python -m tests.bad_inputs``."""

from __future__ import annotations

import sys
import tempfile
import traceback
from pathlib import Path
from unicodedata import east_asian_width

from tests.bad_inputs.catalogue import CASES
from tests.bad_inputs.kit import Case, Got, NotAsSpecifiedError

WIDTHS = (4, 50, 44, 30, 30, 4)


def _padded(text: str, width: int) -> str:
    """Cut or fill a text to so many columns; a Chinese character takes two."""
    shown, taken = "", 0
    for letter in "".join(c if c.isprintable() else "?" for c in text):
        wide = 2 if east_asian_width(letter) in "WF" else 1
        if taken + wide > width:
            break
        shown, taken = shown + letter, taken + wide
    return shown + " " * (width - taken)


def _line(*cells: str) -> str:
    return " ".join(_padded(cell, width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def _tried(case: Case, folder: Path) -> tuple[Got, str, bool]:
    """Run a case; return what came, what is wrong with it, and whether that was a traceback."""
    try:
        return case.run(folder), "", False
    except NotAsSpecifiedError as fault:
        return Got(), str(fault), False
    except Exception:
        return Got(), traceback.format_exc(limit=-3), True


def main() -> int:
    """Print a line a case; return 0 when all are as specified."""
    wrong = broken = closing = reading = 0
    say = sys.stdout.write
    say(_line("case", "input", "due", "got", "place", "sum") + "\n")
    with tempfile.TemporaryDirectory() as home:
        for case in CASES:
            got, fault, is_broken = _tried(case, Path(home) / f"case{case.number}")
            wrong, broken = wrong + bool(fault), broken + is_broken
            reading, closing = reading + (got.closes is not None), closing + bool(got.closes)
            closes = {None: "-", True: "yes", False: "NO"}[got.closes]
            codes = ", ".join(got.codes) or ("as plain" if not fault else "")
            say(_line(str(case.number), case.what, case.due, codes, got.place or "-", closes) + "\n")
            if fault:
                say(f"     {fault}\n")
    good = len(CASES) - wrong
    say(f"{len(CASES)} cases, {good} as specified, {broken} tracebacks, rows close in {closing} of {reading}\n")
    return min(wrong, 1)


if __name__ == "__main__":
    raise SystemExit(main())
