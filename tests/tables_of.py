"""Small settled tables for tests, on any engine."""

from __future__ import annotations

from typing import Any

import duckdb
import narwhals as nw
import polars as pl
import pyarrow as pa
from hypothesis import strategies as st

from tierlens.sources.tables import Currency, Tables

SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("order_id", pa.string()),
        ("day", pa.int32()),
        ("known_day", pa.int32()),
        ("amount", pa.int64()),
        ("kind", pa.string()),
        ("product_id", pa.string()),
        ("quantity", pa.float64()),
    ]
)
Row = dict[str, Any]


def tables_of(rows: list[Row], engine: str = "polars", **settings: Any) -> Tables:
    """Put rows into an engine as settled transactions; Polars plans small tables fastest."""
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    if engine == "polars":
        native: Any = pl.from_arrow(table).lazy()
    else:
        native = duckdb.from_arrow(table, connection=duckdb.connect())
    return Tables(nw.from_native(native), Currency("CNY"), "test", **settings)


def purchase(customer: str, order: str, day: int, amount: int, **more: Any) -> Row:
    """Make one purchase line."""
    row = {"customer_id": customer, "order_id": order, "day": day, "known_day": day, "amount": amount}
    return row | {"kind": "purchase", "product_id": "P1", "quantity": 1.0} | more


@st.composite
def transaction_rows(draw: st.DrawFn, late: bool = False) -> list[Row]:
    """Draw lines of a few customers over three years; some are returns, some recorded late."""
    size = draw(st.integers(1, 40))
    rows = []
    for _ in range(size):
        customer = draw(st.sampled_from("abcd"))
        day = draw(st.integers(0, 1100))
        back = draw(st.integers(0, 9)) == 0
        delay = draw(st.sampled_from([0, 0, 0, 1, 40])) if late else 0
        amount = draw(st.integers(1, 10_000_000))
        rows.append(
            purchase(
                customer,
                # an order belongs to one customer and day, and may have several lines
                f"{customer}{day}{'r' if back else ''}{draw(st.integers(0, 1))}",
                day,
                -amount if back else amount,
                known_day=day + delay,
                kind="return" if back else "purchase",
                product_id=draw(st.sampled_from(["P1", "P2", "P3", None])),
            )
        )
    return rows
