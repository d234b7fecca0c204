"""Where one of the other tables comes from, and how it is read: an entry under ``tables:`` of a source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from tierlens.sources.declared.asked import Asked
from tierlens.sources.declared.contract import Contract
from tierlens.strict_yaml import refused_value
from tierlens.words import Text


def as_tuple(value: object) -> object:
    """Let one text stand for a list of one."""
    return (value,) if isinstance(value, str | Path) else value


def reachable_places(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return file names and addresses of servers, those in one spelling; refuse servers of other kinds (ValueError)."""
    return tuple(_reachable(name) for name in names)


def _reachable(name: str) -> str:
    scheme = re.match("[a-z][a-z0-9+.-]+://", name, re.IGNORECASE)
    if scheme and scheme[0].lower() in ADDRESSES:
        return scheme[0].lower() + name[scheme.end() :]
    if (kind := foreign_kind(name)) is not None:
        raise refused_value(
            Text(
                f"{kind} addresses are not read; what is read: files, and postgresql://user@host/database",
                f"不支持 {kind} 地址；可读取文件，或 postgresql://用户@主机/数据库",
            )
        )
    return name


def foreign_kind(name: str) -> str | None:
    """Return the kind of an address that is not read, without what may be private in it; None of a file name.

    Examples
    --------
    >>> addresses = ("mysql://me:secret@db/crm", "host=db user=me", "data:cdnow/*.csv", "a.csv")
    >>> tuple(foreign_kind(address) for address in addresses)
    ('mysql:', 'host=', None, None)
    """
    scheme = re.match(r"([a-z][a-z0-9+.-]+:)(?:/|.*@)", name, re.IGNORECASE)
    if scheme and scheme[1].lower() != "data:":
        return scheme[1]
    setting = re.match(_SETTING, name, re.IGNORECASE) or re.search(r"\b(password\s*=)", name, re.IGNORECASE)
    return setting[1] if setting else None


_SETTING = r"\s*((?:host|hostaddr|server|service|user|dbname|database|data source|driver|dsn)\s*=)"

Texts = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]
Files = Annotated[Texts, Field(min_length=1), AfterValidator(reachable_places)]
Share = Annotated[float, Field(ge=0, le=1)]
Separator = Literal[",", ";", "\t", "|", " "]
ADDRESSES = ("postgresql://", "postgres://")


def below_folder(folder: str | Path, files: tuple[str, ...]) -> tuple[str, ...]:
    """Return paths taken from a folder; ``data:`` paths and addresses stay as they are.

    Examples
    --------
    >>> below_folder("shop", ("a.csv", "data:b", "postgresql://localhost/crm"))
    ('shop/a.csv', 'data:b', 'postgresql://localhost/crm')
    """
    kept = ("data:", *ADDRESSES)
    return tuple(f if f.startswith(kept) else str(Path(folder) / f) for f in files)


class TableSource(BaseModel):
    """Files of one table other than transactions.

    Currency and business time zone are those of the source it belongs to.

    Parameters
    ----------
    files, headers, sheets, separator, encoding, date_format, allow_empty, table
        See :class:`~tierlens.sources.declared.source.Source`. Files alone may stand for the whole section.
    columns : mapping of str to str or None
        Headers by column of the contract; those left out are looked for among the known ones, null is not read.
    duplicates : {"drop", "keep"}
        Exact repeats of a row within a file.
    overlap : {"later_file", "keep"}
        Rows of a file that stand identically in a later one.
    reject_limit : float
        Largest allowed share (0-1) of quarantined rows, over all reasons without a limit of their own.
    limits : mapping of str to float
        Largest allowed share of single reasons, by their key.

    Examples
    --------
    >>> TableSource.model_validate("tickets.csv").files
    ('tickets.csv',)
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    files: Files
    columns: Mapping[str, str | None] = {}
    table: str | None = None
    headers: Texts = ()
    sheets: Texts = ()
    separator: Separator | None = None
    encoding: str | None = None
    date_format: str | None = None
    duplicates: Literal["drop", "keep"] = "drop"
    overlap: Literal["later_file", "keep"] = "later_file"
    reject_limit: Share = 0.01
    limits: Mapping[str, Share] = {}
    allow_empty: bool = False

    @model_validator(mode="before")
    @classmethod
    def _files_alone(cls, value: Any) -> Any:
        return {"files": value} if isinstance(value, str | Path | list | tuple) else value

    def under(self, folder: str | Path) -> TableSource:
        """Return the same with relative paths taken from ``folder``."""
        return self.model_copy(update={"files": below_folder(folder, self.files)})

    def asked(self, contract: Contract, currency: str) -> Asked:
        """Return what is asked of the table, for staging."""
        return Asked(
            contract,
            self.files,
            currency,
            dict(self.columns),
            self.table,
            self.headers,
            self.sheets,
            self.separator,
            self.encoding,
            self.allow_empty,
        )
