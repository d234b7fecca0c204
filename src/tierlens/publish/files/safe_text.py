"""Texts from the data, made safe to show and to open in a spreadsheet."""

from __future__ import annotations

import re

from tierlens.spreadsheets import inert_text

CONTROLS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
"""Control and direction characters: they show nothing, or show a name other than it is. Tab and line ends stay."""


def plain_text(text: str) -> str:
    r"""Take out control and direction characters; letters of every script and emoji stay.

    Examples
    --------
    >>> plain_text("ab\u202ecd \U00020bb7")
    'abcd 𠮷'
    """
    return CONTROLS.sub("", text)


def guarded_text(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would take for a formula.

    Examples
    --------
    >>> guarded_text("=HYPERLINK(1)"), guarded_text("12346"), guarded_text("+86 10")
    ("'=HYPERLINK(1)", '12346', "'+86 10")
    """
    return inert_text(plain_text(text))
