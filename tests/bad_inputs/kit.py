"""What a case of the catalogue is, and how one input is tried: refused, or read with counts that close."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tierlens.errors import DataError, TierlensError
from tierlens.sources.declared.source import Source
from tierlens.sources.messages.row_fixes import fix_of
from tierlens.sources.messages.row_reasons import REASONS
from tierlens.sources.read import Read, read_tables
from tierlens.sources.report.quality import Quality
from tierlens.words import Text

HEADER = "customer_id,order_id,time,amount\n"
GOOD = "C1,O1,2026-01-05,10.00\n"
CHINESE = re.compile("[\u4e00-\u9fff]")


class NotAsSpecifiedError(AssertionError):
    """A case that came out otherwise than the catalogue says."""


@dataclass(frozen=True)
class Got:
    """What came of an input.

    Parameters
    ----------
    codes : tuple of str
        Stable codes, in the order they were met; none where an input is plain.
    place : str
        First place that was named.
    closes : bool or None
        Whether rows in = used + quarantined + deduplicated; None where nothing was read.
    """

    codes: tuple[str, ...] = ()
    place: str = ""
    closes: bool | None = None


class Probe(Protocol):
    """One input of a case."""

    def run(self, folder: Path) -> Got:
        """Try it; raise NotAsSpecifiedError where it comes out otherwise."""


@dataclass(frozen=True)
class Case:
    """A case of the catalogue.

    Parameters
    ----------
    number : int
        As in the catalogue.
    what : str
        The input.
    due : str
        The outcome: REJECT, QUARANTINE, NORMALISE or what else must hold.
    probes : tuple of Probe
        Inputs of the case, each in a folder of its own.
    """

    number: int
    what: str
    due: str
    probes: tuple[Probe, ...]

    def run(self, folder: Path) -> Got:
        """Try every input, and return all together."""
        found = []
        for number, probe in enumerate(self.probes):
            place = folder / f"probe{number}"
            place.mkdir(parents=True)
            found.append(probe.run(place))
        known = [got.closes for got in found if got.closes is not None]
        codes = dict.fromkeys(code for got in found for code in got.codes)
        return Got(tuple(codes), next((got.place for got in found if got.place), ""), all(known) if known else None)


def expect(due: object, got: object, what: str) -> None:
    """Raise where two things differ."""
    if due != got:
        raise NotAsSpecifiedError(f"{what}: {got!r}, must be {due!r}")


def bilingual(text: Text | None, what: str) -> None:
    """Raise where a text does not say something in both languages."""
    if text is None or not text.en.strip() or not CHINESE.search(text.zh):
        raise NotAsSpecifiedError(f"{what} is not in both languages: {text!r}")


def told(error: TierlensError, code: str, place: str | None = None) -> Got:
    """Check an error: its code, its place, both languages, and what to do.

    Of a scheme or run file the message may say all: "the weights sum to 0.99, not 1".
    """
    expect(code, error.code, "code")
    bilingual(error.what, "message")
    if error.fix is not None or not code.startswith("E-YA-"):
        bilingual(error.fix, "fix")
    if place is not None:
        expect(place, error.where, "place")
    return Got((code,), error.where)


def refusal_of(call: Callable[[], object], code: str, place: str | None = None) -> Got:
    """Call what must refuse, and check how."""
    try:
        call()
    except TierlensError as error:
        return told(error, code, place)
    raise NotAsSpecifiedError(f"not refused; must be {code}")


def read_files(
    folder: Path, files: Mapping[str, str | bytes], tables: Mapping[str, Any], settings: Mapping[str, Any]
) -> Read:
    """Write files and read them; the transactions are the first."""
    for name, content in files.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    policies = {"reject_limit": 1.0, "orphan_limit": 1.0} | dict(settings.get("policies", {}))
    rest = {"currency": "CNY"} | {key: value for key, value in settings.items() if key not in ("policies", "memory")}
    entries = {name: {"files": str(folder / file), "reject_limit": 1.0} for name, file in tables.items()}
    first = next(iter(files))
    given = {"name": first, "files": str(folder / first), "policies": policies, "tables": entries} | rest
    return read_tables(Source.model_validate(given), memory=settings.get("memory"))


def closed(report: Quality) -> bool:
    """Return whether the sum of a report closes, and raise where it does not."""
    rest = sum(report.quarantined.values()) + sum(report.deduplicated.values())
    expect(report.rows_in, report.used + rest, "rows in = used + quarantined + deduplicated")
    return True


def counted(report: Quality) -> dict[str, int]:
    """Return every count of a report but those of lines used."""
    parts = (report.quarantined, report.deduplicated, report.normalised, report.flags)
    return {key: count for part in parts for key, count in part.items() if count}


def first_reject(report: Quality, folder: Path) -> str:
    """Return the place of the first line of rejects.csv; every line of it must have a code, a reason and a fix."""
    report.write_rejects(folder / "rejects.csv")
    with (folder / "rejects.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for name in ("file", "line", "code", "reason", "原因", "fix", "处理"):
            expect(True, bool(row[name]), f"rejects.csv has a {name}")
    expect(sum(report.quarantined.values()), len(rows), "lines of rejects.csv")
    if not rows:
        return ""
    column = f":{rows[0]['column']}" if rows[0]["column"] else ""
    return f"{rows[0]['file']}:{rows[0]['line']}{column}"


@dataclass(frozen=True)
class Refuse:
    """A file that must be refused.

    Parameters
    ----------
    content : str or bytes
    code, place : str
        Of the refusal.
    name : str
        Of the file.
    table : str
        Contract of the file; any other than transactions is read beside one good order.
    settings : mapping
        Of the source.
    """

    content: str | bytes
    code: str
    place: str = "orders.csv"
    name: str = "orders.csv"
    table: str = "transactions"
    settings: Mapping[str, Any] = field(default_factory=dict)

    def run(self, folder: Path) -> Got:
        """Try it."""
        try:
            _read(folder, self.name, self.content, self.table, self.settings)
        except DataError as error:
            expect(3, error.exit_code, "exit code")
            return told(error, self.code, self.place)
        raise NotAsSpecifiedError(f"was read; must be refused as {self.code}")


@dataclass(frozen=True)
class Take:
    """A file that must be read, with every count as stated.

    Parameters
    ----------
    content : str or bytes
    used : int
        Lines.
    counts : mapping of str to int
        All other counts, by the key of the reason: there must be no more.
    values : mapping of str to sequence
        Columns behind the door.
    place : str
        Of the first line kept out.
    name, table, settings
        See :class:`Refuse`.
    """

    content: str | bytes
    used: int
    counts: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    place: str = ""
    name: str = "orders.csv"
    table: str = "transactions"
    settings: Mapping[str, Any] = field(default_factory=dict)

    def run(self, folder: Path) -> Got:
        """Try it."""
        result = _read(folder, self.name, self.content, self.table, self.settings)
        report = result.quality if self.table == "transactions" else result.quality.others[self.table]
        closes = closed(report)
        expect(self.used, report.used, "rows used")
        expect(dict(self.counts), counted(report), "counts")
        place = first_reject(report, folder)
        if self.place:
            expect(self.place, place, "place of the first reject")
        for column, values in self.values.items():
            expect(list(values), values_of(result, self.table, column), column)
        for key in self.counts:
            bilingual(REASONS[key].text, key)
            bilingual(fix_of(key), key)
        return Got(tuple(REASONS[key].code for key in self.counts), place, closes)


@dataclass(frozen=True)
class Do:
    """An input that is tried by code of its own."""

    call: Callable[[Path], Got]

    def run(self, folder: Path) -> Got:
        """Try it."""
        return self.call(folder)


def _read(folder: Path, name: str, content: str | bytes, table: str, settings: Mapping[str, Any]) -> Read:
    if table == "transactions":
        return read_files(folder, {name: content}, {}, settings)
    return read_files(folder, {"orders.csv": HEADER + GOOD, name: content}, {table: name}, settings)


def values_of(result: Read, table: str, column: str) -> list[Any]:
    """Return a column behind the door; times as text."""
    frame = result.tables.transactions if table == "transactions" else result.tables.others[table]
    values = frame.select(column).collect("pyarrow").to_native()[column].to_pylist()
    return [str(value) for value in values] if column == "time" else values


def book(rows: Iterable[Sequence[object]]) -> bytes:
    """Return a workbook of one sheet; texts stay texts and numbers numbers."""
    import io

    import xlsxwriter

    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True, "strings_to_formulas": False}) as workbook:
        sheet = workbook.add_worksheet("Sheet1")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return sink.getvalue()


def rows(*lines: str, header: str = HEADER) -> str:
    """Return a CSV of a header and lines."""
    return header + "".join(f"{line}\n" for line in lines)
