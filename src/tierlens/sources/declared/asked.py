"""What is asked of one table: where it lies, how its files are read, and by which contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tierlens.sources.declared.contract import Contract


class Declaring(Protocol):
    """Anything that declares headers."""

    @property
    def declared(self) -> Mapping[str, str | None]:
        """Headers by column of the vocabulary; None where a column is not to be read."""


@dataclass(frozen=True)
class Asked:
    """One table to be staged, whatever it is.

    Parameters
    ----------
    contract : Contract
        Of the table.
    files : tuple of str
        Paths, globs, folders, database files or addresses of a server.
    currency : str
        Code that units in headers are held against.
    declared : mapping of str to str or None
        Headers by column; None where a column is not to be read.
    table : str, optional
        Table or view in a database; the name of the contract where not given.
    headers, sheets, separator, encoding, allow_empty
        See :class:`~tierlens.sources.declared.source.Source`.
    """

    contract: Contract
    files: tuple[str, ...]
    currency: str
    declared: Mapping[str, str | None] = field(default_factory=dict)
    table: str | None = None
    headers: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()
    separator: str | None = None
    encoding: str | None = None
    allow_empty: bool = False

    @property
    def inside(self) -> str:
        """Name of the table in a database."""
        return self.table or self.contract.name

    def places(self, *kinds: str) -> tuple[str, ...]:
        """Return the names of the columns of some kinds."""
        return tuple(column.name for column in self.contract.columns if column.kind in kinds)
