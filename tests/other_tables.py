"""Small settled tables beside transactions, for tests."""

from __future__ import annotations

from typing import Any

import duckdb
import narwhals as nw
import polars as pl
import pyarrow as pa
from hypothesis import strategies as st

from tests.tables_of import SCHEMA, Row
from tierlens.sources.contracts import ALWAYS, CONTRACTS, JUDGED, OTHERS, SCORED
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


SCORES = st.one_of(st.none(), st.integers(2, 10).map(lambda n: n / 2))
WORDS = {name: tuple(words) for name, words in JUDGED.items()} | {"demand_kind": ("product", "service")}


def _rating(draw: st.DrawFn) -> Row:
    name = draw(st.sampled_from([*WORDS, *SCORED]))
    if name in WORDS:
        return {"name": name, "value": draw(st.sampled_from(WORDS[name]))}
    score = draw(st.integers(1, 8)) / 8
    return {"name": name, "value": str(score), "score": score}


def _detail(draw: st.DrawFn, name: str, day: int, known: int) -> Row:
    later = draw(st.sampled_from([0, 3, 90, 400]))
    if name == "contracts":
        end = day + draw(st.integers(0, 500))
        row = {"end_day": end, "value": 1000, "outcome_day": max(known, end + later)}
        row |= {"renewed": draw(st.sampled_from([True, False, None])), "fulfilled": draw(st.sampled_from([None, 0.5]))}
        return row if draw(st.integers(0, 5)) else row | {"end_day": None, "outcome_day": None}
    if name == "tickets":
        return {"kind": draw(st.sampled_from(["enquiry", "complaint", "custom", "other"])),
                "severity": draw(st.sampled_from([None, "minor", "major"])), "satisfaction": draw(SCORES),
                "rated_day": known + later}  # fmt: skip
    if name == "payments":
        amount, paid = draw(st.integers(0, 900)), draw(st.sampled_from([None, -5, 0, 1, 40, 300]))
        share = draw(st.sampled_from([1, 2]))
        return {"amount": amount, "paid_day": None if paid is None else day + paid,
                "paid_amount": None if paid is None else amount // share}  # fmt: skip
    if name == "surveys":
        return {column: draw(SCORES) for column in ("nps", "recommend", "satisfaction", "regard")}
    if name == "customers":
        return {"industry": draw(st.sampled_from(["a", "b", None])), "employees": draw(st.sampled_from([None, 5, 50])),
                "industry_section": draw(st.sampled_from(["C", "J"]))}  # fmt: skip
    return _rating(draw) if name == "ratings" else {"kind": draw(st.sampled_from(["visit", "call", "mail", None]))}


@st.composite
def other_rows(draw: st.DrawFn) -> Rows:
    """Draw rows of every table, of a few customers over three years, some recorded late."""
    rows: Rows = {name: [] for name in OTHERS}
    for _ in range(draw(st.integers(1, 40))):
        name = draw(st.sampled_from(OTHERS))
        day = draw(st.integers(0, 1100))
        known = day + draw(st.sampled_from([0, 0, 1, 40]))
        if name == "customers" and draw(st.booleans()):
            day, known = ALWAYS, ALWAYS
        row = row_of(name, draw(st.sampled_from("abcd")), day, known_day=known, **_detail(draw, name, day, known))
        rows[name].append(row)
    sales = [sale(draw(st.sampled_from("abc")), draw(st.integers(0, 1100))) for _ in range(4)]
    return rows | {"transactions": list({(row["order_id"]): row for row in sales}.values())}
