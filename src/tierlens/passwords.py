"""Passwords taken out of texts: whatever people are shown, told or left in a file goes through here."""

from __future__ import annotations

import re

MASK = "***"
_WORD = r"(?:ssl|pg)?pass(?:word|wd|phrase)?|pwd|secret|token"
_IN_ADDRESS = re.compile(
    # scheme://person:password@host: a password may hold an @ of its own, so that the last one before a blank counts.
    r"(?P<start>[a-z][a-z0-9+.\-]*:/{1,2}[^\s/:@'\"<>]*):(?P<secret>[^\s'\"<>]*)@(?=[^\s@]*)",
    re.IGNORECASE,
)
_AS_KEY = re.compile(
    # password=..., also percent-encoded, in quotes (a quote of its own is led by a backslash or stands twice), in the
    # braces of ODBC, with blanks around the sign, or as JSON
    rf"(?P<start>(?<![a-z])(?:{_WORD})(?:\s*=\s*|%3d|['\"]\s*:\s*))"
    r"(?P<secret>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|\{(?:[^}]|\}\})*\}|[^\s&;,'\"]+)",
    re.IGNORECASE,
)


def without_passwords(text: str) -> str:
    """Return a text in which no address of a server and no setting has a password.

    Parameters
    ----------
    text : str
        Any text: an address, what a driver said, a message.

    Examples
    --------
    >>> without_passwords("mysql://me:se@cret@db/crm?PASSWORD=x&sslmode=require")
    'mysql://me:***@db/crm?PASSWORD=***&sslmode=require'
    >>> without_passwords("host=db user=me password='a b' port=5432")
    'host=db user=me password=*** port=5432'
    """
    if "@" in text:
        text = _IN_ADDRESS.sub(rf"\g<start>:{MASK}@", text)
    return _AS_KEY.sub(rf"\g<start>{MASK}", text)
