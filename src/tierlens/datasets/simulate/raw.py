"""The simulated shop as people would export it: CSV, XLSX or Parquet, with their own headers, and dirt on request."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from tierlens.datasets.simulate.dirt import Dirt, with_dirty_rows
from tierlens.datasets.simulate.shop import TABLES, Simulated
from tierlens.errors import MissingExtraError
from tierlens.sources.declared.contract import Column
from tierlens.sources.declared.contracts import ALWAYS, CONTRACTS, JUDGED
from tierlens.sources.declared.header_aliases import ALIASES
from tierlens.words import Lang

Form = Literal["csv", "xlsx", "parquet"]
_CHINESE = re.compile("[\u4e00-\u9fff]")
_TITLES = (("系统导出",), ())  # rows that a workbook has above its header


class RawShop(NamedTuple):
    """Files as they come before the door.

    Parameters
    ----------
    files : dict of str to Path
        By table.
    rows : dict of str to int
        Lines below the header, dirty ones included.
    dirt : dict of str to dict
        Dirty rows by table and kind; a reader must count the same, and use ``rows`` less those it keeps out.
    """

    files: dict[str, Path]
    rows: dict[str, int]
    dirt: dict[str, dict[str, int]]


def write_raw(
    shop: Simulated,
    folder: str | Path,
    form: Form = "csv",
    *,
    lang: Lang = "zh",
    encoding: str = "utf-8-sig",
    dirt: Dirt | None = None,
) -> RawShop:
    """Write all tables of a shop as raw files, one a table.

    Headers are aliases of the contract's columns, in Chinese or English; money is in whole units, shares in per cent,
    flags and words in the language asked for, and what is not known is blank. Read strictly, the files give the settled
    tables again.

    Parameters
    ----------
    shop : Simulated
    folder : str or Path
        Made where it is not there.
    form : {"csv", "xlsx", "parquet"}
        A workbook has a title above its header, and all its cells are text.
    lang : {"zh", "en"}
        Of headers and words.
    encoding : str
        Of CSV files: ``utf-8-sig``, ``gb18030``, ``utf-16``, ...
    dirt : mapping of str to mapping of str to int, optional
        Dirty rows of each kind, by table; see :func:`tierlens.datasets.simulate.dirt.kinds_of`.

    Raises
    ------
    UsageError
        ``E-US-020`` or ``E-US-021`` when the dirt cannot be had.
    MissingExtraError
        xlsxwriter is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from tierlens.datasets.simulate import simulated_shop
    >>> with tempfile.TemporaryDirectory() as place:
    ...     raw = write_raw(simulated_shop(20, months=6), place, dirt={"surveys": {"duplicate": 1}})
    ...     raw.files["surveys"].read_text("utf-8-sig").splitlines()[0]
    '客户编号,问卷编号,日期,净推荐值,推荐意愿,满意度,品牌认可度,录入时间'
    """
    target, asked = Path(folder), {name: dict(kinds) for name, kinds in (dirt or {}).items()}
    target.mkdir(parents=True, exist_ok=True)
    files, rows = {}, {}
    for place, name in enumerate(TABLES):
        table = raw_table(shop, name, lang)
        if asked.get(name):
            table = with_dirty_rows(shop.plan.random("dirt", place), name, table, asked[name])
        rows[name] = table.num_rows
        files[name] = target / f"{name}.{form}"
        _write(
            table.rename_columns([raw_header(name, column, lang) for column in table.column_names]),
            files[name],
            encoding,
        )
    return RawShop(files, rows, asked)


def raw_header(table: str, column: str, lang: Lang) -> str:
    """Return a header that people use for a column.

    Examples
    --------
    >>> raw_header("payments", "due", "zh"), raw_header("payments", "due", "en")
    ('应付日期', 'Due Date')
    """
    names = ALIASES[table][column].split()
    if lang == "zh":
        return next((name for name in names if _CHINESE.search(name)), names[0])
    plain = [name for name in names if not _CHINESE.search(name)]
    return plain[min(1, len(plain) - 1)].replace("_", " ").title()


def raw_table(shop: Simulated, table: str, lang: Lang) -> pa.Table:
    """Return a table as texts, in the names of its contract; blank where nothing is known.

    Parameters
    ----------
    shop : Simulated
    table : str
        Name of the contract.
    lang : {"zh", "en"}
        Of words.
    """
    frame = shop.tables.transactions if table == "transactions" else shop.tables.others[table]
    relation = frame.to_native()
    picked = ", ".join(f"coalesce({sql}, '') AS \"{name}\"" for name, sql in _columns(table, lang).items())
    return relation.query("settled", f"SELECT {picked} FROM settled").to_arrow_table()  # noqa: S608 - names of ours


def _columns(table: str, lang: Lang) -> dict[str, str]:
    """Return SQL of each column as text."""
    if table == "transactions":
        return {
            "customer_id": "customer_id",
            "order_id": "order_id",
            "time": "strftime(\"time\", '%Y-%m-%d %H:%M')",
            "product_id": "product_id",
            "quantity": "quantity::BIGINT::VARCHAR",
            "price": _money("amount // quantity::BIGINT"),
            "recorded_at": _recorded(),
            "kind": _words(CONTRACTS[table].columns[8], lang),
        }
    contract = CONTRACTS[table]
    found = {column.name: _text(column, lang) for column in contract.columns if column.name != "recorded_at"}
    # These are worked out from the others behind the door, so that a blank says the same.
    found |= {"decided_at": "NULL"} if table == "contracts" else {}
    found |= (
        {"closed_at": f"CASE WHEN rated_day > known_day THEN {_day('rated_day')} END"} if table == "tickets" else {}
    )
    found |= {"value": _judgement(lang)} if table == "ratings" else {}
    return {**found, "recorded_at": _recorded()}


def _day(column: str) -> str:
    return f"strftime(DATE '1970-01-01' + {column}, '%Y-%m-%d')"


def _recorded() -> str:
    return f"CASE WHEN known_day > day THEN {_day('known_day')} END"


def _money(column: str) -> str:
    return f"({column} / 100)::DECIMAL(18, 2)::VARCHAR"


def _text(column: Column, lang: Lang) -> str:
    name = f'"{column.after}"'
    yes, no = ("是", "否") if lang == "zh" else ("yes", "no")
    by_kind = {
        "time": f"CASE WHEN {name} > {ALWAYS} THEN {_day(name)} END",
        "money": _money(name),
        "flag": f"CASE {name} WHEN true THEN '{yes}' WHEN false THEN '{no}' END",
        "share": f"round({name} * 100)::BIGINT::VARCHAR || '%'",
        "number": f"{name}::BIGINT::VARCHAR",
        "whole": f"{name}::VARCHAR",
        "word": _words(column, lang),
    }
    return by_kind.get(column.kind, name)


def _words(column: Column, lang: Lang) -> str:
    """Return SQL of a settled word as people write it; a section of the classification stays a letter."""
    if lang == "en" or column.name == "industry_section":
        return f'"{column.after}"'
    return _said(f'"{column.after}"', {word: others.split() for word, others in column.values.items()})


def _said(column: str, words: dict[str, list[str]]) -> str:
    spoken = {word: next((other for other in others if _CHINESE.search(other)), word) for word, others in words.items()}
    cases = " ".join(f"WHEN '{word}' THEN '{other}'" for word, other in spoken.items())
    return f"CASE {column} {cases} ELSE {column} END"


def _judgement(lang: Lang) -> str:
    words = {word: others.split() for kind in JUDGED.values() for word, others in kind.items() if others}
    return _said('"value"', words) if lang == "zh" else '"value"'


def _write(table: pa.Table, path: Path, encoding: str) -> None:
    if path.suffix == ".parquet":
        pq.write_table(table, path, compression="zstd")
    elif path.suffix == ".xlsx":
        _write_book(table, path)
    else:
        sink = pa.BufferOutputStream()
        options = pa.csv.WriteOptions(include_header=False)
        pa.csv.write_csv(table, sink, options)
        text = ",".join(table.column_names) + "\n" + sink.getvalue().to_pybytes().decode()
        path.write_bytes(text.encode(encoding))


def _write_book(table: pa.Table, path: Path) -> None:
    """Write a workbook of texts, row by row, with a title above the header."""
    try:
        import xlsxwriter
    except ImportError:
        raise MissingExtraError("excel", "xlsxwriter") from None
    plain: dict[str, Any] = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(path, plain) as book:
        sheet = book.add_worksheet(path.stem)
        rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
        for number, cells in enumerate((*_TITLES, tuple(table.column_names), *rows)):
            for place, cell in enumerate(cells):
                if cell:
                    sheet.write_string(number, place, cell)
