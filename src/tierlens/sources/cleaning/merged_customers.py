"""One customer, several records: a file that a person has written says which, and is applied to every table."""

# ruff: noqa: S608 - every name and text in the SQL goes through quoted() or literal()

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from tierlens.scratch import scratch_folder, temporary_folder
from tierlens.sources.cleaning.transaction_sql import NOTES
from tierlens.sources.declared.asked import Asked
from tierlens.sources.declared.contract import Column, Contract
from tierlens.sources.messages.refusals import file_refusal
from tierlens.sources.parsing.parse_values import clean_id
from tierlens.words import Text

MERGES = Contract(
    "merges",
    "1.0",
    Text("records of one customer", "同一客户的多条记录"),
    (
        Column("customer_id", "id", Text("record", "客户编号"), required=True),
        Column("same_as", "id", Text("belongs to", "主客户编号"), required=True),
    ),
    key=("customer_id",),
    event="",
)
"""The file: each row says that one record belongs to the customer of another; rows that leave it open do not count."""


def load_merges(connection: duckdb.DuckDBPyConnection, file: str | None) -> bool:
    """Make the table ``same_customer`` (customer_id, master) from a file; say whether there is one.

    Chains are followed to their end; ids are cleaned as everywhere.

    Raises
    ------
    DataError
        ``E-TX-128`` a record belongs to two customers, or records belong to each other in a circle.

    Examples
    --------
    >>> load_merges(duckdb.connect(), None)
    False
    """
    if file is None:
        return False
    pairs = _pairs(file, connection)
    followed = [(record, _master(record, pairs, file)) for record in sorted(pairs)]
    records, masters = zip(*followed, strict=True) if followed else ((), ())
    table = pa.table({"customer_id": pa.array(records, pa.string()), "master": pa.array(masters, pa.string())})
    connection.register("merges_read", table)
    connection.execute("CREATE TABLE shop.main.same_customer AS FROM merges_read")
    connection.unregister("merges_read")
    return True


def _pairs(file: str, connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the record to customer pairs of a file, every field read as text."""
    from tierlens.sources.staging.stage import stage_source

    pairs: dict[str, str] = {}
    with scratch_folder(temporary_folder()) as folder:
        for part in stage_source(Asked(MERGES, (file,), "", allow_empty=True), folder, connection):
            names = [(part.column(name) or ("NULL", ""))[0] for name in ("customer_id", "same_as")]
            rows = connection.execute(
                f"SELECT {names[0]}::VARCHAR, {names[1]}::VARCHAR FROM {part.relation}"
            ).fetchall()
            for record, master in ((clean_id(a), clean_id(b)) for a, b in rows):
                if master is None:
                    continue
                if record is None or pairs.get(record, master) != master:
                    raise file_refusal("E-TX-128", part.name, record=record or master)
                if record != master:
                    pairs[record] = master
    return pairs


def _master(record: str, pairs: dict[str, str], file: str) -> str:
    seen = {record}
    master = pairs[record]
    while master in pairs:
        if master in seen:
            raise file_refusal("E-TX-128", Path(file).name, record=record)
        seen.add(master)
        master = pairs[master]
    return master


def merge_rows(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Move the rows of merged records in ``lines`` to their customer; each is counted in its notes.

    Of the customer table itself the rows of merged records are left out as repeats where the customer has a row of its
    own, which then stands for both.
    """
    if contract.name == "customers":
        connection.execute("""
INSERT INTO repeats SELECT l.part, l.line, 'merged' FROM lines AS l
JOIN shop.main.same_customer AS s ON l.customer_id = s.customer_id
ANTI JOIN repeats AS r ON l.part = r.part AND l.line = r.line
WHERE l.reason IS NULL AND s.master IN (SELECT o.customer_id FROM lines AS o WHERE o.reason IS NULL)""")
    connection.execute(f"""
UPDATE lines SET customer_id = s.master, notes = notes | {NOTES["customer_merged"]}
FROM shop.main.same_customer AS s WHERE lines.customer_id = s.customer_id""")
