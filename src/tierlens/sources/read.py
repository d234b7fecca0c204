"""Read files strictly: settled tables and a quality report come out."""

# ruff: noqa: S608 - every name and text in the SQL goes through quoted() or literal()

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import duckdb
import narwhals as nw

from tierlens.errors import UsageError
from tierlens.scratch import scratch_folder, temporary_folder
from tierlens.sources.cleaning.cell_sql import line_fingerprint
from tierlens.sources.cleaning.merged_customers import load_merges, merge_rows
from tierlens.sources.cleaning.repeated_rows import find_repeats
from tierlens.sources.cleaning.sql_functions import Day, register_functions
from tierlens.sources.cleaning.transaction_sql import settled_lines
from tierlens.sources.declared.contracts import TRANSACTIONS
from tierlens.sources.declared.source import Source
from tierlens.sources.engines import WITHOUT_BAR
from tierlens.sources.limits import has_wide_amounts, latest_day, set_aside
from tierlens.sources.messages.refusals import file_refusal, said_by
from tierlens.sources.other_tables import read_other, with_others
from tierlens.sources.parsing.part import Part, first_row
from tierlens.sources.parsing.units import refuse_units
from tierlens.sources.report.count_rows import count_rows
from tierlens.sources.report.quality import Quality
from tierlens.sources.staging.stage import damage_told, day_first, stage_source
from tierlens.sources.tables import Tables, day_date, day_number
from tierlens.words import Text

CONTRACT = ("customer_id", "order_id", "day", "known_day", "amount", "kind", "product_id", "quantity", '"time"')


class Read(NamedTuple):
    """What was read.

    Parameters
    ----------
    tables : Tables
        ``transactions`` is a lazy frame over a private DuckDB in memory, which lives as long as any frame made from it.
    quality : Quality
        What became of every line.
    """

    tables: Tables
    quality: Quality


def connect_duckdb(threads: int | None = None, memory: str | None = None) -> duckdb.DuckDBPyConnection:
    """Open a private DuckDB that compresses what it holds and spills to the temporary folder, never to the working one.

    Parameters
    ----------
    threads : int, optional
        At most so many; all cores where not given. Results do not depend on it.
    memory : str, optional
        Limit such as ``2GiB``; what does not fit goes to disk.
    """
    spill = temporary_folder() / f"spill-{uuid.uuid4().hex}"
    config: dict[str, str | int] = {"temp_directory": str(spill), "autoinstall_known_extensions": "false"}
    config |= {"threads": threads} if threads else {}
    config |= {"memory_limit": memory} if memory else {}
    connection = duckdb.connect(":memory:", config=config)
    connection.execute("ATTACH ':memory:' AS shop (COMPRESS)")
    connection.execute("USE shop")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(WITHOUT_BAR)
    return connection


def read_tables(
    source: Source,
    *,
    check: bool = True,
    before: int | None = None,
    threads: int | None = None,
    memory: str | None = None,
) -> Read:
    r"""Read transactions strictly: every line is used, quarantined or recognised as a repeat, and counted.

    Parameters
    ----------
    source : Source
        Files and declared rules.
    check : bool
        Refuse data of which more lines are quarantined than the declared limits allow.
    before : int, optional
        Day number: rows of that day or later, and rows recorded then, are set aside before anything else is looked at,
        and only counted (``quality.set_aside``). What the others are taken for cannot depend on them.
    threads : int, optional
        See :func:`connect_duckdb`; the result does not depend on it.
    memory : str, optional
        See :func:`connect_duckdb`.

    Returns
    -------
    Read
        ``tables`` in the exact form of :class:`~tierlens.sources.tables.Tables`, in the order of files and lines, and
        ``quality``; the other tables stand in ``tables.others`` and ``quality.others``.

    Raises
    ------
    DataError
        Under the code of the case when a file must not be read as it stands (see
        :mod:`tierlens.sources.messages.refusals`), or ``E-TX-200`` when a limit is passed; ``E-TX-043`` when
        memory or disk do not suffice.
    UsageError
        ``E-US-016`` for anything but a Source.
    MissingExtraError
        A workbook is read and python-calamine is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = tempfile.TemporaryDirectory()
    >>> orders = Path(folder.name) / "orders.csv"
    >>> _ = orders.write_text("客户编号,日期,订单号,金额\n00123,2026-01-05,A1,19.90\n", encoding="utf-8")
    >>> tables, quality = read_tables(Source(files=str(orders), currency="CNY"))
    >>> folder.cleanup()
    >>> tables.transactions.select("customer_id", "day", "amount").collect("pyarrow").rows()
    [('00123', 20458, 1990)]
    >>> quality.rows_in, quality.used
    (1, 1)
    """
    if not isinstance(source, Source):
        raise UsageError(
            "E-US-016",
            Text(f"a {type(source).__name__} does not say how it is read", f"{type(source).__name__} 未说明如何读取"),
            where="source",
            fix=Text(
                "give a Source: Source(files='orders.csv', currency='CNY'); for a frame see "
                "tierlens.sources.from_frame.tables_from_frame",
                "请提供 Source：Source(files='orders.csv', currency='CNY')；内存中的表请用 "
                "tierlens.sources.from_frame.tables_from_frame",
            ),
        )
    connection = connect_duckdb(threads, memory)
    try:
        parts, quality, others = _read_all(connection, source, before)
    except duckdb.OutOfMemoryException as error:
        detail = said_by(error)
        raise file_refusal("E-TX-043", source.name, detail=detail) from None
    quality = with_others(connection, quality, others)
    if check:
        quality.enforce()
    tables = Tables(
        nw.from_native(connection.table("transactions")),
        source.currency.currency(),
        source.name,
        whole_orders=_whole_orders(connection, parts),
        late_rows=any("recorded_at" in part.roles for part in parts),
        wide_amounts=has_wide_amounts(connection, parts),
        end=None if source.complete_until is None else day_number(source.complete_until) + 1,
        others={name: nw.from_native(connection.table(name)) for name in others},
    )
    return Read(tables, quality)


def _read_all(
    connection: duckdb.DuckDBPyConnection, source: Source, before: int | None
) -> tuple[Sequence[Part], Quality, dict[str, Quality]]:
    """Make the views of all tables; return the parts of the transactions, and what became of every line."""
    with scratch_folder(temporary_folder()) as folder:
        merging = load_merges(connection, source.same_customer)
        parts = stage_source(source.asked, folder, connection)
        with damage_told(connection, parts):
            _settle(connection, parts, source)
            latest, later = latest_day(connection), set_aside(connection, before)
            _refuse_mixed(connection, parts, source)
            find_repeats(connection, parts, source.policies, keyed=any("line_id" in part.roles for part in parts))
            if merging:
                merge_rows(connection, TRANSACTIONS)
            quality = count_rows(connection, parts, source.name, source.policies)
            quality = replace(quality, set_aside=later, latest=None if latest is None else day_date(latest))
        connection.execute("CREATE VIEW transactions AS SELECT " + ", ".join(CONTRACT) + " FROM kept")
        connection.execute("DROP TABLE lines; DROP TABLE repeats")
        others = {name: read_other(connection, source, name, folder, merging, before) for name in source.tables}
    return parts, quality, others


def _whole_orders(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part]) -> bool:
    """Say whether each row is an order of its own; only asked where no part has products, as it reads every row."""
    if any("product_id" in part.roles for part in parts):
        return False
    row = first_row(connection, "SELECT count(*) = count(DISTINCT (customer_id, order_id, day)) FROM kept")
    return bool(row and row[0])


def _settle(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part], source: Source) -> None:
    """Make the table ``lines`` from all parts."""
    policies = source.policies
    wanted = policies.duplicates == "drop" or (policies.overlap == "later_file" and len(parts) > 1)
    as_words = len({(part.headers, part.types) for part in parts}) > 1
    any_sign = any("currency" in part.roles for part in parts)
    days: Day = {}
    with register_functions(connection, source, any_sign, days):
        for number, part in enumerate(parts):
            days["first"] = None if source.date_format else day_first(connection, part, ("time", "recorded_at"))
            select = settled_lines(part, number, source, line_fingerprint(part, as_words) if wanted else "0::UBIGINT")
            connection.execute(f"INSERT INTO lines {select}" if number else f"CREATE TABLE lines AS {select}")


def _refuse_mixed(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part], source: Source) -> None:
    """Refuse a column of several units, and money without a rate."""
    refuse_units(connection, parts, "unit", "amount", lambda part: "amount" if "amount" in part.roles else "price")
    codes = connection.execute("""
SELECT foreign_currency, part, min(line) FROM lines WHERE foreign_currency IS NOT NULL
GROUP BY foreign_currency, part ORDER BY part, foreign_currency""").fetchall()
    for code, part, line in codes:
        if code not in source.currency.rates:
            raise file_refusal("E-TX-041", parts[part].place(line, "currency"), code=code, own=source.currency.code)
