"""Texts that a spreadsheet would run as a formula, made harmless: the one rule for every file that people open."""

from __future__ import annotations

import re

_FORMULA = re.compile(r"[ \u00a0\u3000]*[=+\-@\t\r\n＝＋－＠]")
"""What starts a formula, in half and full width (OWASP, CSV injection); blanks before do not hide one."""
_NUMBER = re.compile(r"-[0-9.,]+%?")
"""Is left as it is. A plus is no part of a number that a program writes: it begins a telephone number."""


def is_formula_like(text: str) -> bool:
    """Say whether a spreadsheet could take a text for a formula; a plain number such as -12.50 is none.

    Examples
    --------
    >>> is_formula_like("=1"), is_formula_like(" +86 138"), is_formula_like("-12.50")
    (True, True, False)
    """
    return bool(_FORMULA.match(text)) and not _NUMBER.fullmatch(text)


def inert_text(text: str | None) -> str:
    """Return a text that no spreadsheet runs as a formula: an apostrophe leads one that it would.

    Examples
    --------
    >>> inert_text("=HYPERLINK(1)"), inert_text("-12.50"), inert_text(None)
    ("'=HYPERLINK(1)", '-12.50', '')
    """
    return f"'{text}" if text and is_formula_like(text) else text or ""
