"""Small settled tables beside transactions, for tests."""

from __future__ import annotations

from typing import Any

import duckdb
import narwhals as nw
import polars as pl
import pyarrow as pa

from tests.tables_of import SCHEMA, Row
from tierlens.sources.declared.contracts import CONTRACTS
from tierlens.sources.tables import Currency, Tables

TYPES = {"string": pa.string(), "bool": pa.bool_(), "int64": pa.int64(), "double": pa.float64(), "int32": pa.int32()}
Rows = dict[str, list[Row]]


def schema_of(name: str) -> pa.Schema:
    """The settled form of a table."""
    return pa.schema([(column, TYPES[kind]) for column, kind in CONTRACTS[name].schema.items()])


def tables_with(rows: Rows, engine: str = "polars") -> Tables:
    """Put rows of all tables named into one engine; transactions are empty where not given."""
    given = {"transactions": [], **rows}
    arrow = {
        name: pa.Table.from_pylist(listed, schema=SCHEMA if name == "transactions" else schema_of(name))
        for name, listed in given.items()
    }
    if engine == "polars":
        frames: dict[str, Any] = {name: pl.from_arrow(table).lazy() for name, table in arrow.items()}
    else:
        connection = duckdb.connect()
        frames = {name: duckdb.from_arrow(table, connection=connection) for name, table in arrow.items()}
    lazy = {name: nw.from_native(frame) for name, frame in frames.items()}
    return Tables(lazy.pop("transactions"), Currency("CNY"), "test", others=lazy)


def sale(customer: str, day: int, amount: int = 100) -> Row:
    """One purchase."""
    return {"customer_id": customer, "order_id": f"{customer}{day}", "day": day, "known_day": day, "amount": amount,
            "kind": "purchase", "product_id": None, "quantity": 1.0}  # fmt: skip


def row_of(name: str, customer: str, day: int, /, **more: Any) -> Row:
    """One row of a table; what is not given is missing, and it is known when it happens."""
    blank: Row = dict.fromkeys(CONTRACTS[name].schema)
    row = blank | {"customer_id": customer, "day": day, "known_day": day} | more
    if name == "tickets" and row["rated_day"] is None:
        row["rated_day"] = row["known_day"]
    return row
