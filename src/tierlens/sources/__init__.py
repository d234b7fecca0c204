"""How data come in: contracts of tables, a strict reader, and a report of what became of every row."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tierlens.sources.from_frame import tables_from_frame
    from tierlens.sources.read import Read, read_tables
    from tierlens.sources.tables import Currency, Tables, day_date, day_number

_HOMES = {
    "tables_from_frame": "from_frame",
    "Read": "read",
    "read_tables": "read",
    "Currency": "tables",
    "Tables": "tables",
    "day_date": "tables",
    "day_number": "tables",
}

__all__ = [
    "Currency",
    "Read",
    "Tables",
    "day_date",
    "day_number",
    "read_tables",
    "tables_from_frame",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
