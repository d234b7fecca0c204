"""Reading the tables beside transactions: the same steps, written from each table's contract."""

# ruff: noqa: S608 - every name and text in the SQL goes through quoted() or literal()

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from tierlens.sources.cleaning.cell_sql import line_fingerprint
from tierlens.sources.cleaning.merged_customers import merge_rows
from tierlens.sources.cleaning.other_table_sql import settled_rows
from tierlens.sources.cleaning.repeated_rows import find_repeats
from tierlens.sources.cleaning.sql_functions import Day, register_functions
from tierlens.sources.declared.contract import Contract
from tierlens.sources.declared.contracts import contract_of
from tierlens.sources.declared.source import Policies, Source
from tierlens.sources.limits import refuse_vast_sums, set_aside
from tierlens.sources.parsing.part import Part, first_row
from tierlens.sources.parsing.units import refuse_units
from tierlens.sources.report.count_rows import count_rows
from tierlens.sources.report.quality import Quality
from tierlens.sources.staging.stage import damage_told, day_first, stage_source

DESCRIBING = ("name", "short_name", "industry_section", "region")
"""Columns of customers that two rows of one customer may contradict each other in."""


def read_other(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    name: str,
    folder: Path,
    merging: bool,
    before: int | None = None,
) -> Quality:
    """Read one table into a view of its name, and return what became of every row.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Of the reader; working tables stand in a schema of their own.
    source : Source
        Declares the table, the currency and the business time zone.
    name : str
        Of the contract.
    folder : Path
        Where temporary files go.
    merging : bool
        Whether the table ``same_customer`` is there, to merge records of one customer.
    before : int, optional
        See :func:`tierlens.sources.read.read_tables`.

    Raises
    ------
    DataError
        As :func:`tierlens.sources.read.read_tables`; also ``E-TX-045`` where rows of customers contradict each other.
    """
    table, contract = source.tables[name], contract_of(name)
    policies = Policies(
        duplicates=table.duplicates,
        overlap=table.overlap,
        reject_limit=table.reject_limit,
        limits=table.limits,
        orphan_limit=source.policies.orphan_limit,
    )
    own = source.model_copy(update={"date_format": table.date_format})
    connection.execute(f"CREATE SCHEMA read_{name}; USE shop.read_{name}")
    try:
        parts = stage_source(table.asked(contract, source.currency.code), folder, connection)
        with damage_told(connection, parts):
            _settle(connection, parts, own, contract, policies)
            later = set_aside(connection, before)
            _refuse_mixed(connection, parts, contract)
            clash = "E-TX-045" if name == "customers" else "E-TX-032"
            find_repeats(connection, parts, policies, keyed=True, clash=clash)
            if merging:
                merge_rows(connection, contract)
            quality = count_rows(connection, parts, f"{source.name}: {name}", policies, contract, _findings)
            refuse_vast_sums(connection, parts, contract)
        connection.execute("DROP TABLE lines; DROP TABLE repeats")
    finally:
        connection.execute("USE shop.main")
    columns = ", ".join(contract.schema)
    connection.execute(f"CREATE VIEW {name} AS SELECT {columns} FROM shop.read_{name}.kept")
    return replace(quality, set_aside=later)


def _settle(
    connection: duckdb.DuckDBPyConnection,
    parts: Sequence[Part],
    source: Source,
    contract: Contract,
    policies: Policies,
) -> None:
    """Make the table ``lines`` from all parts."""
    wanted = policies.duplicates == "drop" or (policies.overlap == "later_file" and len(parts) > 1)
    as_words = len({(part.headers, part.types) for part in parts}) > 1
    times = [column.name for column in contract.of_kind("time")]
    days: Day = {}
    with register_functions(connection, source, False, days):
        for number, part in enumerate(parts):
            days["first"] = None if source.date_format else day_first(connection, part, times)
            hashed = line_fingerprint(part, as_words) if wanted else "0::UBIGINT"
            select = settled_rows(part, number, source, contract, hashed)
            connection.execute(f"INSERT INTO lines {select}" if number else f"CREATE TABLE lines AS {select}")


def _refuse_mixed(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part], contract: Contract) -> None:
    """Refuse a column of money in several units."""
    for column in contract.of_kind("money"):
        refuse_units(connection, parts, f"{column.name}_unit", column.after, lambda part, name=column.name: name)  # type: ignore[misc]


def _findings(
    connection: duckdb.DuckDBPyConnection, parts: Sequence[Part], policies: Policies
) -> tuple[dict[str, int], tuple[tuple[str, int, int], ...]]:
    """Return what is worth a look: ids that differ in case only, and customers who are described differently."""
    twins = "SELECT count(*) AS n FROM (SELECT DISTINCT customer_id FROM kept) GROUP BY lower(customer_id)"
    row = first_row(connection, f"SELECT coalesce(sum(n), 0)::BIGINT FROM ({twins}) WHERE n > 1")
    counts = {"case_twins": row[0] if row else 0}
    described = {column[0] for column in connection.execute("DESCRIBE kept").fetchall()}
    if "contactable" in described:
        several = " OR ".join(f"count(DISTINCT {name}) > 1" for name in DESCRIBING)
        each = f"SELECT count(*) AS n FROM kept GROUP BY customer_id HAVING {several}"
        conflicts = first_row(connection, f"SELECT coalesce(sum(n), 0)::BIGINT FROM ({each})")
        counts["conflict"] = conflicts[0] if conflicts else 0
    return {key: count for key, count in counts.items() if count}, ()


def with_others(connection: duckdb.DuckDBPyConnection, quality: Quality, others: Mapping[str, Quality]) -> Quality:
    """Return the report with those of the other tables, and the lines of customers whom the customer table lacks."""
    if "customers" not in others:
        return replace(quality, others=dict(others))
    flagged = {name: _orphans(connection, name) for name in ("transactions", *others)}
    own = {name: replace(table, flags={**table.flags, **flagged[name]}) for name, table in others.items()}
    return replace(quality, flags={**quality.flags, **flagged["transactions"]}, others=own)


def _orphans(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, int]:
    row = first_row(connection, f"SELECT count(*) FROM {name} ANTI JOIN customers USING (customer_id)")
    return {"orphan": row[0]} if row and row[0] else {}
