"""What a contract is: the promise that a table keeps, column by column, before the door and behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tierlens.sources.declared.header_aliases import ALIASES
from tierlens.words import Text

Kind = Literal["id", "text", "word", "flag", "whole", "number", "share", "money", "time"]
SETTLED: dict[Kind, str] = {
    "id": "string",
    "text": "string",
    "word": "string",
    "flag": "bool",
    "whole": "int64",
    "number": "double",
    "share": "double",
    "money": "int64",
    "time": "int32",
}
"""Arrow type of each kind behind the door."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
        What a run file calls it under ``columns``.
    kind : {"id", "text", "word", "flag", "whole", "number", "share", "money", "time"}
        ``id`` and ``text`` are text; a ``word`` is one of ``values``; a ``flag`` is true or false; ``whole`` and
        ``number`` are plain; a ``share`` is 1 for 100 % and reads ``85%`` too; ``money`` is in whole units of the
        currency before the door and in minor units behind it; a ``time`` becomes a day (since 1970-01-01).
    title : Text
        What people call it.
    required : bool
        Whether a file without it is refused, and a row without it quarantined.
    unit : str
        Of numbers.
    at_least, at_most : float, optional
        Bounds, both included; a row outside them is quarantined.
    values : mapping of str to str
        Of words: the settled word, and what else is read as it, separated by spaces. Case does not count.
    settled : str
        Name behind the door; the same name where empty.
    blank : Text, optional
        What an empty field means, where it does not simply mean "not known" (null).
    otherwise : bool, optional
        Of flags: what an empty field, or a word that says neither yes nor no, stands for.
    """

    name: str
    kind: Kind
    title: Text
    required: bool = False
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    settled: str = ""
    blank: Text | None = None
    otherwise: bool | None = None

    @property
    def after(self) -> str:
        """Name of the column behind the door."""
        return self.settled or self.name


@dataclass(frozen=True)
class Derived:
    """A column behind the door that stands in no file.

    Parameters
    ----------
    name : str
    rule : str
        In words.
    type : str
        Arrow type.
    """

    name: str
    rule: str
    type: str = "int32"


@dataclass(frozen=True)
class Contract:
    """A table: its columns, its key, and when its rows happened.

    Parameters
    ----------
    name : str
        The key of ``tables`` in a run file and of ``Tables.others``.
    version : str
        Grows with every change of meaning.
    title : Text
        What people call it.
    columns : tuple of Column
        Before the door, in order.
    key : tuple of str
        Columns that tell rows apart. Two rows with one key and different content are refused, unless ``recorded_at``
        tells which is the later; rows where a column of the key is empty are not compared, except that a time without
        a value equals another one.
    event : str
        The time that becomes ``day``.
    derived : tuple of Derived
        Columns that stand in no file; ``known_day`` is always among them.
    ordered : tuple of str
        Two times, the second of which must not lie before the first, or none.
    """

    name: str
    version: str
    title: Text
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    event: str
    derived: tuple[Derived, ...] = ()
    ordered: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns before the door, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def needed(self) -> tuple[str, ...]:
        """Names of the columns that a file must have."""
        return tuple(column.name for column in self.columns if column.required)

    @property
    def aliases(self) -> dict[str, str]:
        """Headers that are recognised, by column; those of one column are separated by spaces."""
        return {name: ALIASES[self.name][name] for name in self.names}

    @property
    def schema(self) -> dict[str, str]:
        """Arrow types of the columns behind the door, in order.

        Examples
        --------
        >>> from tierlens.sources.declared.contracts import CONTRACTS
        >>> CONTRACTS["interactions"].schema
        {'customer_id': 'string', 'interaction_id': 'string', 'day': 'int32', 'kind': 'string', 'known_day': 'int32'}
        """
        kept = {column.after: SETTLED[column.kind] for column in self.columns if column.name != "recorded_at"}
        return kept | {column.name: column.type for column in self.derived}

    def of_kind(self, *kinds: Kind) -> tuple[Column, ...]:
        """Return the columns of some kinds, in order."""
        return tuple(column for column in self.columns if column.kind in kinds)
