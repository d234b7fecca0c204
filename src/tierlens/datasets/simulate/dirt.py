"""Dirty rows on request: each kind spoils one field in one way, so that what a reader finds can be counted against it.

A kind that a reader must keep out, or recognise as a repeat, is an extra row: a copy of a sound one with one field
spoiled. A kind that a reader must normalise changes a sound row in place. The sound rows therefore come out as if
there had been no dirt at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tierlens.datasets.simulate.grid import Ints
from tierlens.datasets.simulate.plan import check_within
from tierlens.errors import UsageError
from tierlens.sources.declared.contracts import CONTRACTS
from tierlens.words import Text

Dirt = Mapping[str, Mapping[str, int]]
"""Rows of each kind, by table: ``{"transactions": {"missing_customer": 5}}``."""
Change = Callable[[pa.Array], pa.Array]


def _around(before: str, after: str) -> Change:
    def change(column: pa.Array) -> pa.Array:
        return pc.binary_join_element_wise(before, column, after, "")

    return change


def _dated(column: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(column, r"^(\d+)-(\d+)-(\d+)", r"\1年\2月\3日")


_CUSTOMER = {"missing_customer": ("customer_id", ""), "total_line": ("customer_id", "合计")}
_TIME = {"missing_time": "", "bad_date": "2023-02-30", "sentinel_date": "9999-12-31"}


def _when(column: str) -> dict[str, tuple[str, str]]:
    return {kind: (column, text) for kind, text in _TIME.items()}


# By table and kind, which is the key of the reader's reason: the field that is spoiled, and what stands there then.
SPOILED: dict[str, dict[str, tuple[str, str]]] = {
    "transactions": _CUSTOMER
    | _when("time")
    | {
        "missing_order": ("order_id", ""),
        "bad_kind": ("kind", "盘点"),
        "missing_amount": ("quantity", ""),
        "non_finite": ("price", "inf"),
        "foreign_sign": ("price", "$12.00"),
        "bad_number": ("quantity", "一打"),
        "non_positive_price": ("price", "-1.00"),
        "zero_amount": ("quantity", "0"),
        "negative_amount": ("quantity", "-5"),
    },
    "customers": {**_CUSTOMER, "out_of_range": ("employees", "-3")},
    "contracts": {
        **_CUSTOMER,
        **_when("start"),
        "out_of_range": ("fulfilled", "140%"),
        "wrong_order": ("end", "2001-01-01"),
    },
    "tickets": {**_CUSTOMER, **_when("time"), "bad_word": ("severity", "滔天"), "out_of_range": ("satisfaction", "11")},
    "interactions": {**_CUSTOMER, **_when("time")},
    "surveys": {**_CUSTOMER, **_when("time"), "out_of_range": ("recommend", "11")},
    "payments": {**_CUSTOMER, **_when("due"), "bad_number": ("amount", "一万多")},
    "ratings": {**_CUSTOMER, **_when("judged_at"), "missing_value": ("value", "")},
}
# What is changed in place, by kind.
CHANGED: dict[str, Change] = {
    "id_cleaned": _around(" ", "\u200b"),
    "number_form": _around("￥", ""),
    "date_form": _dated,
}
REPEATED = "duplicate"


def kinds_of(table: str) -> tuple[str, ...]:
    """Return the kinds of dirt that a table can have.

    Examples
    --------
    >>> kinds_of("interactions")
    ('missing_customer', 'total_line', 'missing_time', 'bad_date', 'sentinel_date', 'duplicate', 'id_cleaned',
     'date_form')
    """
    changed = (kind for kind in CHANGED if _field(table, kind))
    return (*SPOILED[table], REPEATED, *changed)


def _field(table: str, kind: str) -> str:
    """Return the field that a change is done to; empty where the table has none."""
    contract = CONTRACTS[table]
    if kind == "number_form":
        return next((column.name for column in contract.of_kind("money")), "")
    return "customer_id" if kind == "id_cleaned" else contract.event if contract.event in contract.needed else ""


def with_dirty_rows(rng: np.random.Generator, table: str, rows: pa.Table, dirt: Mapping[str, int]) -> pa.Table:
    """Return the rows of a raw table with dirty ones among them.

    Parameters
    ----------
    rng : Generator
    table : str
        Name of the contract.
    rows : pyarrow.Table
        Texts, in the names of the contract.
    dirt : mapping of str to int
        Rows of each kind.

    Raises
    ------
    UsageError
        ``E-US-021`` when the table cannot have a kind; ``E-US-020`` when there are fewer sound rows than asked for.
    """
    for kind in dirt:
        if kind not in kinds_of(table):
            raise UsageError(
                "E-US-021",
                Text(f"{table} cannot have dirt of the kind {kind!r}", f"{table} 不支持 {kind!r} 类脏数据"),
                fix=Text(f"there are {', '.join(kinds_of(table))}", f"可用的有 {', '.join(kinds_of(table))}"),
            )
    check_within(f"dirt of {table}", sum(dirt.values()), 0, rows.num_rows)
    chosen = np.split(_sound(rng, table, rows), np.cumsum(list(dirt.values())))
    position = [np.arange(rows.num_rows, dtype=np.float64)]
    parts = [rows]
    for kind, places in zip(dirt, chosen, strict=False):
        if kind in CHANGED:
            parts[0] = _changed(parts[0], _field(table, kind), kind, places)
            continue
        copies = rows.take(pa.array(places))
        if kind != REPEATED:
            field, text = SPOILED[table][kind]
            copies = copies.set_column(copies.schema.get_field_index(field), field, pa.array([text] * len(places)))
        parts.append(copies)
        position.append(rng.random(len(places)) * rows.num_rows)
    order = np.argsort(np.concatenate(position), kind="stable")
    return pa.concat_tables(parts).combine_chunks().take(pa.array(order))


def _sound(rng: np.random.Generator, table: str, rows: pa.Table) -> Ints:
    """Return the places of rows that may be spoiled, shuffled; returns are left alone, as they may be negative."""
    places = np.arange(rows.num_rows)
    if table == "transactions":
        places = np.flatnonzero(~pc.starts_with(rows["quantity"], "-").to_numpy(zero_copy_only=False))
    return rng.permutation(places)


def _changed(rows: pa.Table, field: str, kind: str, places: Ints) -> pa.Table:
    marked = np.zeros(rows.num_rows, np.bool_)
    marked[places] = True
    column = rows[field].combine_chunks()
    return rows.set_column(
        rows.schema.get_field_index(field), field, pc.if_else(pa.array(marked), CHANGED[kind](column), column)
    )
