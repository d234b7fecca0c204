"""The laws of a point in time, as changes of the data that must not change a feature.

Each law is a pair of tables and a claim: rows from the cutoff on are dropped, scrambled or added, rows are shuffled,
other customers are taken away, names, days and money are changed, and the features of the cutoff stay what they were
(or, for money, become ten times as much). Nothing here is shared with what cuts time in the features: a proof that
used their own code would prove nothing, which is why days are compared here once more.

Source of the idea: metamorphic testing, Chen, Cheung and Yiu (1998), HKUST-CS98-01.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tierlens.sources.declared.contracts import ALWAYS, CONTRACTS
from tierlens.words import Text

Raw = dict[str, pa.Table]
"""Settled tables by name."""
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Rng = np.random.Generator

LATER: dict[str, tuple[str, tuple[str, ...]]] = {
    "contracts": ("outcome_day", ("renewed", "fulfilled")),
    "tickets": ("rated_day", ("satisfaction",)),
    "payments": ("paid_day", ("paid_amount", "paid_day")),
}
"""Columns of a row that were known only from a later day on."""
DAYS = ("day", "known_day", "end_day", "outcome_day", "rated_day", "paid_day", "since_day")
IDS = ("customer_id", "order_id", "product_id")
MONEY = {"transactions": ("amount",), "contracts": ("value",), "payments": ("amount", "paid_amount")}
SHIFT = 364
"""Days by which everything is moved: whole weeks."""
PREFIX = "客户 "


@dataclass(frozen=True)
class Law:
    """A change of the data and what it may do to a feature.

    Parameters
    ----------
    name : str
    title : Text
        The claim.
    change : callable
        From tables, cutoff and a source of random numbers to the changed tables.
    shift : int
        Days by which the cutoff moves with the data.
    money : int
        By how much features of money are multiplied.
    of_learned : bool
        Whether features that are learned from all customers keep it too.
    original : callable
        From a customer's changed name to the original one.
    beside : tuple of int
        Other cutoffs, in days from the one looked at, that are built together with it.
    """

    name: str
    title: Text
    change: Callable[[Raw, int, Rng], Raw]
    shift: int = 0
    money: int = 1
    of_learned: bool = True
    original: Callable[[str], str] = str
    beside: tuple[int, ...] = ()


def _ints(table: pa.Table, name: str) -> Ints:
    """Return a column of days; what is missing lies after all others."""
    filled = pc.fill_null(table[name].cast(pa.int64()), 1 << 40)
    return np.asarray(filled)


def _put(table: pa.Table, name: str, values: Any) -> pa.Table:
    place = table.schema.get_field_index(name)
    kind = table.schema.field(name).type
    column = values.cast(kind) if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, kind)
    return table.set_column(place, table.schema.field(name), column)


def _each(table: pa.Table, columns: Sequence[str], change: Callable[[pa.ChunkedArray], Any]) -> pa.Table:
    """Change those of the columns that the table has."""
    changed = table
    for column in (column for column in columns if column in table.column_names):
        changed = _put(changed, column, change(table[column]))
    return changed


def is_known(table: pa.Table, cutoff: int) -> Bools:
    """Say which rows had happened and were recorded before a cutoff."""
    known: Bools = (_ints(table, "day") < cutoff) & (_ints(table, "known_day") < cutoff)
    return known


def _hidden(name: str, table: pa.Table, cutoff: int) -> Bools:
    """Say which rows hold something that became known at or after the cutoff."""
    return _ints(table, LATER[name][0]) >= cutoff


def _dropped(raw: Raw, cutoff: int, _: Rng) -> Raw:
    """Leave only what was known, as it was known."""
    found = {}
    for name, rows in raw.items():
        table = rows.filter(pa.array(is_known(rows, cutoff)))
        if name in LATER:
            hidden = pa.array(_hidden(name, table, cutoff))
            for column in LATER[name][1]:
                empty = pa.nulls(table.num_rows, table.schema.field(column).type)
                table = _put(table, column, pc.if_else(hidden, empty, table[column].combine_chunks()))
        found[name] = table
    return found


def _mixed(table: pa.Table, where: Bools, columns: Sequence[str], rng: Rng) -> pa.Table:
    """Deal the values of some columns out anew, to the rows named, from all rows."""
    for column in columns:
        drawn = np.arange(table.num_rows)
        drawn[where] = rng.integers(0, max(table.num_rows, 1), int(where.sum()))
        table = _put(table, column, table[column].take(pa.array(drawn)))
    return table


def _scrambled(raw: Raw, cutoff: int, rng: Rng) -> Raw:
    """Give rows that were not known other customers, amounts and words; and later columns other values."""
    found = {}
    for name, table in raw.items():
        future = ~is_known(table, cutoff)
        others = [column for column in table.column_names if column not in (*DAYS, "time")]
        # Amount and kind of a transaction belong together: a return is negative.
        changed = _mixed(table, future, [column for column in others if column not in ("amount", "kind")], rng)
        if name == "transactions":
            tripled = pc.multiply(changed["amount"], 3)
            changed = _put(changed, "amount", pc.if_else(pa.array(future), tripled, changed["amount"]))
        else:
            changed = _mixed(changed, future, [column for column in others if column in ("amount", "kind")], rng)
        if name in LATER:
            late = _hidden(name, changed, cutoff) & ~future
            columns = [column for column in LATER[name][1] if column not in DAYS]
            changed = _mixed(changed, late, columns, rng)
        found[name] = changed
    return found


def _copies(table: pa.Table, places: Ints, day: Ints, known: Ints, rng: Rng) -> pa.Table:
    """Add copies of rows, on other days, of other customers, under order numbers of their own."""
    rows = table.take(pa.array(places))
    rows = _put(_put(rows, "day", day), "known_day", known)
    rows = _put(rows, "customer_id", table["customer_id"].take(pa.array(rng.permutation(places))))
    if "order_id" in rows.column_names:
        own = pa.array([f"~{place}" for place in range(len(places))], pa.string())
        rows = _put(rows, "order_id", pc.binary_join_element_wise(rows["order_id"].combine_chunks(), own, ""))
    for column in ("outcome_day", "rated_day"):
        if column in rows.column_names:
            least = np.maximum(_ints(rows, column), known)
            missing = rows[column].is_null().combine_chunks()
            rows = _put(rows, column, pc.if_else(missing, pa.nulls(len(places), pa.int64()), pa.array(least)))
    return pa.concat_tables([table, rows])


def adding_rows(times: float) -> Callable[[Raw, int, Rng], Raw]:
    """Return the change that adds so many rows from the cutoff on for each row there is.

    Examples
    --------
    >>> one = pa.array([1], pa.int32())
    >>> blank = pa.table({"customer_id": ["a"], "day": one, "known_day": one})
    >>> adding_rows(3.0)({"interactions": blank}, 5, np.random.default_rng(0))["interactions"].num_rows
    4
    """

    def change(raw: Raw, cutoff: int, rng: Rng) -> Raw:
        found = {}
        for name, table in raw.items():
            count = int(table.num_rows * times)
            places = rng.integers(0, max(table.num_rows, 1), count)
            day = cutoff + rng.integers(0, 400, count)
            found[name] = _copies(table, places, day, day + rng.integers(0, 3, count), rng)
        return found

    return change


def _at_the_cutoff(raw: Raw, cutoff: int, rng: Rng) -> Raw:
    found = {}
    for name, table in raw.items():
        day = np.full(table.num_rows, cutoff)
        found[name] = _copies(table, np.arange(table.num_rows), day, day, rng)
    return found


def _recorded_late(raw: Raw, cutoff: int, rng: Rng) -> Raw:
    """Add rows that had happened before the cutoff and were recorded at it or later."""
    found = {}
    for name, table in raw.items():
        places, count = np.arange(table.num_rows), table.num_rows
        day = cutoff - 1 - rng.integers(0, 400, count)
        found[name] = _copies(table, places, day, cutoff + rng.integers(0, 60, count), rng)
    return found


def _shuffled(raw: Raw, _: int, rng: Rng) -> Raw:
    return {name: table.take(pa.array(rng.permutation(table.num_rows))) for name, table in raw.items()}


def _others_removed(raw: Raw, _: int, __: Rng) -> Raw:
    """Keep every third customer in the order of names."""
    ids = sorted({value for table in raw.values() for value in pc.unique(table["customer_id"]).to_pylist()})
    kept = pa.array(ids[::3], pa.string())
    return {name: table.filter(pc.is_in(table["customer_id"], value_set=kept)) for name, table in raw.items()}


def _renamed(raw: Raw, _: int, __: Rng) -> Raw:
    """Write every id backwards: another order of names, and other beginnings."""

    def named(column: pa.ChunkedArray) -> pa.Array:
        return pc.binary_join_element_wise(PREFIX, pc.utf8_reverse(column.combine_chunks()), "")

    return {name: _each(table, IDS, named) for name, table in raw.items()}


def _ten_times(raw: Raw, _: int, __: Rng) -> Raw:
    return {
        name: _each(table, MONEY.get(name, ()), lambda column: pc.multiply(column, 10)) for name, table in raw.items()
    }


def _moved(raw: Raw, _: int, __: Rng) -> Raw:
    """Move every day; what holds from the beginning still does."""

    def later(column: pa.ChunkedArray) -> pa.ChunkedArray:
        return pc.if_else(pc.equal(column, ALWAYS), column, pc.add(column, SHIFT))

    return {name: _each(table, DAYS, later) for name, table in raw.items()}


def _unchanged(raw: Raw, _: int, __: Rng) -> Raw:
    return raw


LAWS: tuple[Law, ...] = (
    Law("future_dropped", Text("what was not yet known is dropped", "删除截止日尚不可知的数据"), _dropped),
    Law("future_scrambled", Text("what was not yet known is scrambled", "打乱截止日尚不可知的数据"), _scrambled),
    Law("future_added", Text("many rows from the cutoff on are added", "在截止日及以后增加大量行"), adding_rows(3.0)),
    Law("at_the_cutoff", Text("rows at the cutoff itself are added", "在截止日当天增加行"), _at_the_cutoff),
    Law("recorded_late", Text("rows recorded too late are added", "增加截止日后才录入的行"), _recorded_late),
    Law("rows_shuffled", Text("rows are shuffled", "打乱行的顺序"), _shuffled),
    Law("others_removed", Text("other customers are removed", "移除其他客户"), _others_removed, of_learned=False),
    Law("ids_renamed", Text("customers, orders and products are renamed", "更改客户、订单与商品编号"), _renamed,
        original=lambda name: name.removeprefix(PREFIX)[::-1]),
    Law("money_tenfold", Text("all money is ten times as much", "金额放大十倍"), _ten_times, money=10),
    Law("days_moved", Text("all days and the cutoff are moved by 364", "全部日期与截止日平移364天"), _moved,
        shift=SHIFT),
    Law("among_cutoffs", Text("other cutoffs are built beside it", "与其他截止日同时计算"), _unchanged,
        beside=(-91, 28)),
)  # fmt: skip
"""By name, in the order in which they are told."""
CONTRACTED = tuple(CONTRACTS)
"""Tables that may be audited, in the order of their contracts."""
