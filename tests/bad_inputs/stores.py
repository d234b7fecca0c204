"""Cases 119-133: databases and Parquet."""

from __future__ import annotations

import io
import math
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tests.bad_inputs.kit import Case, Do, Got, Refuse, Take, expect, refusal_of
from tests.sources.shop import source_of
from tierlens.errors import TierlensError
from tierlens.sources.read import read_tables

GOOD = ("C1", "2026-01-05", 1.0)


def _sqlite(values: Sequence[Any], code: str, place: str, table: str = "orders") -> Do:
    """Return a probe: an SQLite table of one row is refused."""

    def call(folder: Path) -> Got:
        path = folder / "shop.sqlite"
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE orders (customer_id, time, amount)")
            database.executemany("INSERT INTO orders VALUES (?, ?, ?)", [values] if values else [])
        database.close()
        return refusal_of(lambda: read_tables(source_of(path, table=table)), code, place)

    return Do(call)


def _duckdb(statement: str, code: str, place: str, table: str = "orders") -> Do:
    def call(folder: Path) -> Got:
        path = folder / "shop.duckdb"
        with duckdb.connect(str(path)) as database:
            database.execute(statement)
        return refusal_of(lambda: read_tables(source_of(path, table=table)), code, place)

    return Do(call)


def _address(address: str) -> Do:
    """Return a probe: an address of another kind is refused, without user and password."""

    def call(folder: Path) -> Got:
        try:
            source_of(Path("x"), files=address)
        except (TierlensError, ValueError) as error:
            expect([], [word for word in ("someone", "hunter2") if word in str(error)], "private words")
            expect(True, "postgresql://user@host/database" in str(error), "says which addresses are read")
            return Got()
        raise AssertionError("was taken")

    return Do(call)


def _parquet(**columns: Any) -> bytes:
    table: dict[str, Any] = {"customer_id": ["C1", "C2"], "time": ["2026-01-05"] * 2, "amount": [1.0, 2.0]}
    sink = io.BytesIO()
    pq.write_table(pa.table(table | columns), sink)
    return sink.getvalue()


def _columns(number: int, what: str, used: int, counts: dict[str, int], **columns: Any) -> Case:
    return Case(number, what, "QUARANTINE" if counts else "KEEP",
                (Take(_parquet(**columns), used, counts, name="orders.parquet"),))  # fmt: skip


CASES = (
    Case(119, "SQLite without the table", "REJECT", (_sqlite(GOOD, "E-TX-125", "shop.sqlite[other]", "other"),)),
    Case(120, "SQLite without rows", "REJECT", (_sqlite((), "E-TX-020", "shop.sqlite[orders]"),)),
    Case(121, "SQLite with a binary id", "REJECT",
         (_sqlite((b"C1", "2026-01-05", 1), "E-TX-127", "shop.sqlite[orders]:1"),)),
    Case(122, "SQLite with NUL in an id", "REJECT",
         (_sqlite(("C\0", "2026-01-05", 1), "E-TX-018", "shop.sqlite[orders]:1"),)),
    Case(123, "a text file named .sqlite", "REJECT",
         (Refuse("no database", "E-TX-126", "x.sqlite[orders]", "x.sqlite", settings={"table": "orders"}),)),
    Case(124, "DuckDB without the table", "REJECT",
         (_duckdb("CREATE TABLE other (a INT)", "E-TX-125", "shop.duckdb[orders]"),)),
    Case(125, "a DuckDB view over a file", "REJECT",
         (_duckdb("CREATE VIEW orders AS SELECT content AS customer_id FROM read_text('/etc/hos*')", "E-TX-154",
                  "shop.duckdb[orders]"),)),
    Case(126, "mysql://, with a password", "REJECT", (_address("mysql://someone:hunter2@h/db"),)),
    Case(127, "postgresql+psycopg2://", "REJECT", (_address("postgresql+psycopg2://someone:hunter2@h/db"),)),
    Case(128, "host=... password=...", "REJECT", (_address("host=h user=someone password=hunter2"),)),
    Case(129, "float ids 7.0, NaN, 7.5", "KEEP as 7; QUARANTINE",
         (Take(_parquet(customer_id=[7.0, math.nan]), 1, {"missing_customer": 1}, {"customer_id": ["7"]},
               name="orders.parquet"),
          Take(_parquet(customer_id=[7.0, 7.5]), 1, {"id_fraction": 1}, {"customer_id": ["7"]},
               name="orders.parquet"))),
    _columns(130, "a Parquet time past year 9999", 1, {"impossible_year": 1},
             time=pa.array([1767571200000000, 2**62], pa.timestamp("us"))),
    _columns(131, "a Parquet amount NaN", 1, {"missing_amount": 1}, amount=[1.0, math.nan]),
    Case(132, "Parquet without rows", "REJECT",
         (Refuse(_parquet(**{name: pa.array([], pa.string()) for name in ("customer_id", "time", "amount")}),
                 "E-TX-020", "orders.parquet", "orders.parquet"),)),
    Case(133, "a Parquet time that no engine holds", "QUARANTINE",
         (Take(_parquet(time=pa.array([1767571200000, 2**62], pa.timestamp("ms"))), 1, {"impossible_year": 1},
               name="orders.parquet"),
          Take(_parquet(time=pa.array([1767571200000000, 5 - 2**63], pa.timestamp("us"))), 1, {"impossible_year": 1},
               name="orders.parquet"),
          Take(_parquet(note=pa.array([0, 2**62], pa.timestamp("ms"))), 2, name="orders.parquet"))),
)  # fmt: skip
