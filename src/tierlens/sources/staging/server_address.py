"""Addresses of servers: what of them people may see, and what a file may keep."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from tierlens.passwords import without_passwords
from tierlens.sources.declared.table_source import ADDRESSES

SECRETS = ("password", "sslpassword")
HIDDEN = "postgresql://..."
"""Stands for an address of which it is not clear where the password ends."""


def shown_address(address: str) -> str:
    """Return an address without user and password, for people.

    Examples
    --------
    >>> shown_address("postgresql://me:secret@db.example:5433/crm?sslmode=require")
    'postgresql://db.example:5433/crm'
    >>> shown_address("postgresql://me:se/cret@db.example/crm")
    'postgresql://...'
    """
    parts = _parts(address)
    if parts is None:
        return HIDDEN
    port = f":{parts.port}" if parts.port else ""
    return f"postgresql://{parts.hostname or ''}{port}{parts.path}"


def configuration_without_passwords(value: Any) -> Any:
    """Return a configuration in which no address has a password; lists and mappings are gone through.

    Examples
    --------
    >>> configuration_without_passwords({"files": ["a.csv", "postgresql://me:secret@db.example/crm?password=x&sslmode=require"]})
    {'files': ['a.csv', 'postgresql://me@db.example/crm?sslmode=require']}
    """
    if isinstance(value, Mapping):
        return {key: configuration_without_passwords(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [configuration_without_passwords(each) for each in value]
    if not isinstance(value, str):
        return value
    return _without_password(value) if value.lower().startswith(ADDRESSES) else without_passwords(value)


def hushed_message(said: str, address: str) -> str:
    """Return what a driver says of an address, without the pieces of it that are not shown.

    Examples
    --------
    >>> hushed_message('invalid percent-encoded token: "se%zz"', "postgresql://me:se%zz@db.example/crm")
    'invalid percent-encoded token: "..."'
    """
    seen = shown_address(address)

    def hide(found: re.Match[str]) -> str:
        return '"..."' if found[1] in address and found[1] not in seen else found[0]

    return re.sub(r'"([^"]+)"', hide, said)


def _parts(address: str) -> SplitResult | None:
    """Return the parts of an address; None where a sign that had to be written as % and digits makes them unclear."""
    try:
        parts = urlsplit(address)
        unclear = parts.port == 0 or "@" in parts.path + parts.query + parts.fragment
    except ValueError:
        return None
    return None if unclear else parts


def _without_password(address: str) -> str:
    parts = _parts(address)
    if parts is None:
        return HIDDEN
    person, at, host = parts.netloc.rpartition("@")
    asked = (each for each in parts.query.split("&") if unquote(each.partition("=")[0]).lower() not in SECRETS)
    bare = parts._replace(netloc=f"{person.partition(':')[0]}{at}{host}", query="&".join(asked)).geturl()
    return without_passwords(bare)
