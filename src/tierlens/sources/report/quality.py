"""What became of every line that came in: the report whose sum closes, and the lines that were kept out."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb

from tierlens.errors import TierlensError
from tierlens.sources.declared.source import Policies
from tierlens.sources.messages.refusals import file_refusal
from tierlens.sources.messages.row_fixes import fix_of
from tierlens.sources.messages.row_reasons import QUARANTINE, REASONS
from tierlens.spreadsheets import inert_text
from tierlens.words import Lang, Text

_TITLES = {
    "rows_in": Text("lines read", "读入行数"),
    "used": Text("lines used", "使用行数"),
    "quarantined": Text("quarantined", "隔离"),
    "deduplicated": Text("deduplicated", "去重"),
    "normalised": Text("normalised", "规范化"),
    "flags": Text("flagged, kept", "标记（保留）"),
    "customers": Text("customers", "客户数"),
    "orders": Text("orders", "订单数"),
    "first_day": Text("first day", "首日"),
    "last_day": Text("last day", "末日"),
}
BATCH = 10_000


@dataclass(frozen=True)
class FileCount:
    """What became of the lines of one file or sheet.

    Parameters
    ----------
    file : str
        Name, with the sheet in brackets.
    path : str
        Where it was read.
    rows_in, used, quarantined, deduplicated : int
        Lines.
    encoding : str
        Of text files.
    first_day, last_day : date or None
        Of the lines used.
    hidden : bool
        Whether it is a sheet that the workbook does not show.
    ignored : tuple of str
        Headers of columns that nothing reads.
    """

    file: str
    path: str
    rows_in: int
    used: int
    quarantined: int
    deduplicated: int
    encoding: str = ""
    first_day: dt.date | None = None
    last_day: dt.date | None = None
    hidden: bool = False
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class Quality:
    """The quality report of what was read: ``rows_in = used + quarantined + deduplicated``.

    Parameters
    ----------
    name : str
        What the data are called.
    rows_in, used : int
        Lines.
    quarantined, deduplicated : mapping of str to int
        Lines by reason; the keys are those of :mod:`tierlens.sources.messages.row_reasons`.
    normalised, flags : mapping of str to int
        Lines (or files, customers) that were changed in a listed way, or are worth a look; they are among those used.
    files : tuple of FileCount
        The same for each file.
    customers, orders : int
        Among the lines used; None where the table has no orders.
    first_day, last_day : date or None
        Of the lines used, but for those that lie apart from all others.
    outliers : tuple of (str, int, int)
        File, line and amount (minor units) of the first absurd amounts; all are counted in ``flags``.
    rejects : duckdb relation, optional
        The quarantined lines with their original fields.
    policies : Policies
        Whose limits :meth:`enforce` holds the counts against.
    others : mapping of str to Quality
        The reports of the other tables, by the name of their contract.
    set_aside : int
        Rows of the day that was asked about or later, or recorded then; they are in no other count.
    latest : date or None
        Last day of any usable row, those set aside included.

    Raises
    ------
    TierlensError
        ``E-IN-001`` when the sum does not close: a fault of tierlens itself.

    Examples
    --------
    >>> report = Quality("shop", rows_in=3, used=2, quarantined={"missing_customer": 1})
    >>> report.share("missing_customer")
    0.3333333333333333
    >>> report.rows("en")[:3]
    [('lines read', 3), ('lines used', 2), ('quarantined: no customer', 1)]
    """

    name: str
    rows_in: int
    used: int
    quarantined: Mapping[str, int] = field(default_factory=dict)
    deduplicated: Mapping[str, int] = field(default_factory=dict)
    normalised: Mapping[str, int] = field(default_factory=dict)
    flags: Mapping[str, int] = field(default_factory=dict)
    files: tuple[FileCount, ...] = ()
    customers: int = 0
    orders: int | None = 0
    first_day: dt.date | None = None
    last_day: dt.date | None = None
    outliers: tuple[tuple[str, int, int], ...] = ()
    rejects: duckdb.DuckDBPyRelation | None = field(default=None, repr=False, compare=False)
    policies: Policies = field(default=Policies(), repr=False)
    others: Mapping[str, Quality] = field(default_factory=dict)
    set_aside: int = 0
    latest: dt.date | None = None

    def __post_init__(self) -> None:
        """Assert that every line is accounted for, in sum and in each file."""
        closed = self.rows_in == self.used + sum(self.quarantined.values()) + sum(self.deduplicated.values())
        each = all(f.rows_in == f.used + f.quarantined + f.deduplicated for f in self.files)
        if not (closed and each):
            raise TierlensError(
                "E-IN-001",
                Text("the counts of lines do not close", "行数不闭合"),
                where=f"{self.rows_in} != {self.used} + {dict(self.quarantined)} + {dict(self.deduplicated)}",
                fix=Text("report this as a fault of tierlens", "请作为 tierlens 的缺陷上报"),
            )

    def share(self, reason: str) -> float:
        """Return the share (0-1) of the lines read that a reason keeps out."""
        return self.quarantined.get(reason, 0) / self.rows_in if self.rows_in else 0.0

    def said(self, reason: str) -> Text:
        """Return a reason in words; of hidden sheets with their names."""
        text, names = REASONS[reason].text, ", ".join(count.file for count in self.files if count.hidden)
        return Text(f"{text.en}: {names}", f"{text.zh}：{names}") if reason == "hidden_sheet" and names else text

    def over_limit(self) -> dict[str, tuple[float, float]]:
        """Return the share and limit of each reason over its own; ``others`` are those without one, together."""
        limits = self.policies.limits
        over = {key: (self.share(key), limit) for key, limit in limits.items() if self.share(key) > limit}
        rest = sum(self.share(key) for key in self.quarantined if key not in limits)
        return over | ({"others": (rest, self.policies.reject_limit)} if rest > self.policies.reject_limit else {})

    def enforce(self) -> None:
        """Refuse data of which too many lines are quarantined, or belong to customers that nobody knows.

        Raises
        ------
        DataError
            ``E-TX-200`` with the shares and limits; ``E-TX-042`` with the share of orphans.
        """
        for table in self.others.values():
            table.enforce()
        orphans = self.flags.get("orphan", 0) / self.used if self.used else 0.0
        if orphans > self.policies.orphan_limit:
            raise file_refusal("E-TX-042", self.name, share=f"{orphans:.2%}", limit=f"{self.policies.orphan_limit:.2%}")
        over = self.over_limit()
        if not over:
            return
        raise file_refusal("E-TX-200", self.name, reasons=self._too_many(over))

    def _too_many(self, over: Mapping[str, tuple[float, float]]) -> Text:
        """Say which shares are over their limits, and of what the others consist."""
        others = {key: self.share(key) for key in self.quarantined if key not in self.policies.limits}
        en = "; ".join(f"{key} {share:.2%} > {limit:.2%}" for key, (share, limit) in over.items())
        zh = "；".join(f"{_named(key)}{share:.2%} > {limit:.2%}" for key, (share, limit) in over.items())
        if "others" in over:
            en += f" ({', '.join(f'{key} {share:.2%}' for key, share in others.items())})"
            zh += f"，其中：{'、'.join(f'{_named(key)}{share:.2%}' for key, share in others.items())}"
        return Text(en, zh)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values, ready for JSON; days are ISO dates."""
        apart = ("rejects", "policies", "files", "others", "set_aside", "latest")
        plain = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in apart}
        plain["files"] = [asdict(count) for count in self.files]
        others = {name: table.to_dict() for name, table in self.others.items()}
        return {key: _plain(value) for key, value in plain.items()} | ({"tables": others} if others else {})

    def rows(self, lang: Lang) -> list[tuple[str, int | str]]:
        """Return the report as (label, value), in the order it is read."""
        rows: list[tuple[str, int | str]] = []
        for key, title in _TITLES.items():
            value = getattr(self, key)
            if isinstance(value, Mapping):
                colon = ": " if lang == "en" else "："
                rows += [(f"{title.say(lang)}{colon}{self.said(k).say(lang)}", n) for k, n in value.items() if n]
            elif value is not None or key.endswith("day"):
                rows.append((title.say(lang), value if isinstance(value, int) else str(value or "-")))
        return rows

    def write_rejects(self, path: str | Path) -> int:
        """Write the quarantined lines: file, line, header to blame, code, reason, fix, original fields.

        The file is UTF-8 with a mark, for spreadsheets. A field that a spreadsheet would run as a formula is led by an
        apostrophe; nothing else is changed.

        Parameters
        ----------
        path : str or Path
            ``rejects.csv``; a file that is there is replaced.

        Returns
        -------
        int
            Number of lines.
        """
        target = Path(path)
        written = 0
        said: dict[str, tuple[str, ...]] = {}
        # Lines share many of their fields: countries, descriptions, days.
        safe = lru_cache(maxsize=1 << 16)(inert_text)
        with target.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            headers = self.rejects.columns[4:] if self.rejects else []
            batches = self.rejects.to_arrow_reader(BATCH) if self.rejects else ()
            own = ["file", "line", "column", "code", "reason", "原因", "fix", "处理"]
            writer.writerow([*own, *(f"{name} (source)" if name in own else name for name in headers)])
            for batch in batches:
                for place, line, blamed, key, *values in zip(
                    *(column.to_pylist() for column in batch.columns), strict=True
                ):
                    if key not in said:
                        said[key] = (QUARANTINE[key].code, *QUARANTINE[key].text, *fix_of(key))
                    writer.writerow([place, line, safe(blamed), *said[key], *map(safe, values)])
                written += batch.num_rows
        return written


def _named(key: str) -> str:
    """Return a reason in Chinese, with its key."""
    return f"{REASONS[key].text.zh if key in REASONS else '其他原因'}（{key}）"


def _plain(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
