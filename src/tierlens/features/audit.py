"""The laws of a point in time, held against features: of the catalog, or of anything else that builds columns."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tierlens.errors import DataError
from tierlens.features.catalog import EXPECTED, OTHERS, WHOLE, available_features
from tierlens.features.laws import CONTRACTED, LAWS, Bools, Law, Raw, adding_rows
from tierlens.features.seasonal_btyd import seasonal_expectations
from tierlens.features.snapshot import KEY, build_snapshots, to_arrow
from tierlens.features.windows import Cutoff, Window
from tierlens.sources.engines import Frame
from tierlens.sources.tables import Tables, day_date, day_number
from tierlens.words import Lang, Text

Build = Callable[[Tables, Sequence[int], Window], pa.Table]
"""From tables, cutoffs and window to a table of key and features, one row a customer and cutoff."""
NEAR, NEAR_LEARNED = 1e-11, 1e-6
"""Relative differences at which two floats are one: engines work them out in blocks, models by descent."""
CUSTOMERS = 300
"""Customers of a sample."""
CHECKED = "customers"
"""Stands for the rows themselves, where a law changes who is in the snapshot."""


@dataclass(frozen=True)
class Breach:
    """A feature that does not keep a law, with one customer for whom it does not.

    Parameters
    ----------
    law, feature : str
    cutoff : int
    customer : str
    before, after : object
        The value on the data as they are (ten times as much, where money is), and on the changed ones.
    customers : int
        How many there are.
    """

    law: str
    feature: str
    cutoff: int
    customer: str
    before: object
    after: object
    customers: int

    def say(self) -> Text:
        """Say it in words.

        Examples
        --------
        >>> Breach("rows_shuffled", "first_amount", 15126, "A1", 3, 4, 9).say().en
        'first_amount breaks rows_shuffled at 2011-06-01: 3 became 4 for customer A1 (9 customers)'
        """
        at = day_date(self.cutoff)
        return Text(
            f"{self.feature} breaks {self.law} at {at}: {self.before} became {self.after} for customer "
            f"{self.customer} ({self.customers} customers)",
            f"{self.feature} 在 {at} 违反 {self.law}：客户 {self.customer} 的值由 {self.before} 变为 {self.after}"
            f"（共 {self.customers} 位客户）",
        )


@dataclass(frozen=True)
class Audit:
    """What came of an audit.

    Parameters
    ----------
    customers : int
        Customers looked at.
    cutoffs : tuple of int
    counts : tuple of (Law, int, int)
        Features held to each law at each cutoff, in sum over cutoffs, and those exempt from it.
    breaches : tuple of Breach
    """

    customers: int
    cutoffs: tuple[int, ...]
    counts: tuple[tuple[Law, int, int], ...]
    breaches: tuple[Breach, ...]

    @property
    def passed(self) -> bool:
        """Whether every feature kept every law."""
        return not self.breaches

    def broken(self, law: str) -> list[str]:
        """Return the features that broke a law, in alphabetical order."""
        return sorted({breach.feature for breach in self.breaches if breach.law == law})

    def rows(self, lang: Lang) -> list[tuple[str, str, int, int, int]]:
        """Return one row a law: name, claim, features that kept it, that broke it, that are exempt."""
        found = []
        for law, held, exempt in self.counts:
            broken = len([breach for breach in self.breaches if breach.law == law.name])
            found.append((law.name, law.title.say(lang), held - broken, broken, exempt))
        return found


def whole_catalog(tables: Tables, cutoffs: Sequence[int], window: Window) -> pa.Table:
    """Build the whole catalog, as far as the tables allow, for every customer: the learned features too.

    Examples
    --------
    >>> from tierlens.datasets.examples import simulated_shop
    >>> shop = simulated_shop(customers=40, seed=1).tables
    >>> set(whole_catalog(shop, [day_number("2025-01-01")], Window()).column_names[2:]) == set(WHOLE)
    True
    """
    names = available_features(tables)
    # Two questions are planned faster than one long one.
    parts = [[name for name in names if (name in OTHERS) == others] for others in (False, True)]
    found = [to_arrow(build_snapshots(tables, cutoffs, window, features=part, everyone=True)) for part in parts if part]
    found.append(seasonal_expectations(tables, cutoffs, window, names=list(EXPECTED)))
    table = found[0]
    for other in found[1:]:
        table = table.join(other, keys=list(KEY), join_type="left outer")
    return table.select([*KEY, *(name for name in WHOLE if name in table.column_names)])


def sampled_customers(tables: Tables, customers: int = CUSTOMERS) -> Raw:
    """Take all rows of some customers, drawn by their names: the same ones each time.

    Parameters
    ----------
    tables : Tables
    customers : int
        At most so many.

    Returns
    -------
    dict of str to pyarrow.Table
        Settled tables by name, as far as they are there.
    """
    ids = tables.transactions.select("customer_id").unique().collect("pyarrow").to_native()["customer_id"].to_pylist()
    drawn = sorted(ids, key=lambda name: (zlib.crc32(name.encode()), name))[:customers]
    frames: dict[str, Frame] = {"transactions": tables.transactions, **tables.others}
    wanted = pa.array(sorted(drawn), pa.string())
    found = {}
    for name in (name for name in CONTRACTED if name in frames):
        rows = frames[name].filter(nw.col("customer_id").is_in(drawn)).collect("pyarrow").to_native()
        plain = rows.cast(pa.schema([(field.name, _plain(field.type)) for field in rows.schema]))
        found[name] = plain.filter(pc.is_in(plain["customer_id"], value_set=wanted))
    return found


def _plain(kind: pa.DataType) -> pa.DataType:
    """Text of one type, whatever the engine gives."""
    is_text = pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return pa.string() if is_text else kind


def lent_tables(raw: Raw, like: Tables) -> Tables:
    """Put Arrow tables into a DuckDB of their own, as settled tables of the same currency.

    Rows that were recorded late are declared where there are any, so that the same way of building is tried as in a
    run, and the careful one beside it.
    """
    import duckdb

    connection = duckdb.connect()
    frames: dict[str, Any] = {
        name: nw.from_native(duckdb.from_arrow(table, connection=connection)) for name, table in raw.items()
    }
    late = like.late_rows or any_late(raw)
    return dataclasses.replace(like, transactions=frames.pop("transactions"), others=frames, late_rows=late)


def any_late(raw: Raw) -> bool:
    """Say whether a transaction was recorded after its day."""
    rows = raw["transactions"]
    return bool(pc.any(pc.not_equal(rows["known_day"], rows["day"])).as_py())


def audit_features(
    tables: Tables,
    cutoffs: Sequence[Cutoff],
    window: Window | None = None,
    *,
    build: Build = whole_catalog,
    laws: Sequence[Law] = LAWS,
    customers: int = CUSTOMERS,
    lend: Callable[[Raw, Tables], Tables] = lent_tables,
) -> Audit:
    """Hold features to the laws of a point in time, on a sample of one's own data.

    Parameters
    ----------
    tables : Tables
    cutoffs : sequence of date, ISO text or day number
        Each is audited on its own.
    window : Window, optional
    build : callable
        What builds the features; default: the whole catalog.
    laws : sequence of Law
    customers : int
        Size of the sample.
    lend : callable
        What puts changed Arrow tables into an engine.

    Returns
    -------
    Audit

    Raises
    ------
    DataError
        ``E-FE-030`` where the sample has no row before a cutoff.

    Examples
    --------
    >>> from tierlens.features.laws import LAWS
    >>> from tierlens.datasets.examples import simulated_shop
    >>> shop = simulated_shop(customers=40, seed=1).tables
    >>> def orders_so_far(tables, cutoffs, window):
    ...     return to_arrow(build_snapshots(tables, cutoffs, window, features=["frequency"], everyone=True))
    >>> audit_features(shop, ["2025-01-01"], build=orders_so_far, laws=LAWS[:2]).passed
    True
    """
    window, raw = window or Window(), sampled_customers(tables, customers)
    held: dict[str, tuple[int, int]] = dict.fromkeys((law.name for law in laws), (0, 0))
    breaches: list[Breach] = []
    for cutoff in (day_number(given) for given in cutoffs):
        seen = build(lend(raw, tables), [cutoff], window)
        if not seen.num_rows:
            raise _empty(cutoff)
        for law in laws:
            names = [name for name in seen.column_names if name not in KEY and (law.of_learned or not _learned(name))]
            exempt = seen.num_columns - len(KEY) - len(names)
            rng = np.random.default_rng(zlib.crc32(law.name.encode()))
            changed = build(lend(law.change(raw, cutoff, rng), tables), _asked(law, cutoff), window)
            breaches += changed_features(law, cutoff, seen.select([*KEY, *names]), changed)
            held[law.name] = (held[law.name][0] + len(names), held[law.name][1] + exempt)
    counts = tuple((law, *held[law.name]) for law in laws)
    people = len(pc.unique(raw["transactions"]["customer_id"]))
    return Audit(people, tuple(day_number(given) for given in cutoffs), counts, tuple(breaches))


def with_added(times: float) -> tuple[Law, ...]:
    """Return the laws, with so many rows added from the cutoff on for each row there is."""
    return tuple(
        dataclasses.replace(law, change=adding_rows(times)) if law.name == "future_added" else law for law in LAWS
    )


def changed_features(law: Law, cutoff: int, seen: pa.Table, changed: pa.Table) -> list[Breach]:
    """Return the features that the change of a law has changed.

    Parameters
    ----------
    law : Law
    cutoff : int
    seen, changed : pyarrow.Table
        Key and features before and after; customers who are not in ``changed`` count only where nobody was removed.
    """
    changed = changed.filter(pc.equal(changed["cutoff"], cutoff + law.shift))
    names = [law.original(name) for name in changed["customer_id"].to_pylist()]
    changed = changed.set_column(changed.column_names.index("customer_id"), "customer_id", pa.array(names, pa.string()))
    if not law.of_learned:
        seen = seen.filter(pc.is_in(seen["customer_id"], value_set=changed["customer_id"].combine_chunks()))
    before, after = (table.sort_by("customer_id") for table in (seen, changed))
    ids = before["customer_id"].to_pylist()
    if ids != after["customer_id"].to_pylist():
        lost = sorted(set(ids) ^ set(after["customer_id"].to_pylist()))
        return [Breach(law.name, CHECKED, cutoff, (lost or ids)[0], len(ids), after.num_rows, len(lost))]
    found = []
    for name in before.column_names:
        if name not in KEY:
            old, new = _scaled(before[name], name, law.money), after[name].combine_chunks()
            places = np.flatnonzero(column_difference(old, new, NEAR_LEARNED if _learned(name) else NEAR))
            if len(places):
                at = int(places[0])
                values = old[at].as_py(), new[at].as_py()
                found.append(Breach(law.name, name, cutoff, ids[at], *values, len(places)))
    return found


def column_difference(old: pa.Array, new: pa.Array, near: float) -> Bools:
    """Say where two columns differ: missing against not, whole numbers and words at all, floats by more than ``near``.

    Examples
    --------
    >>> column_difference(pa.array([1.0, None, 3.0]), pa.array([1.0 + 1e-13, 2.0, 4.0]), 1e-9).tolist()
    [False, True, True]
    """
    gone: Bools = np.asarray(old.is_null()) != np.asarray(new.is_null())
    if pa.types.is_floating(old.type) or pa.types.is_floating(new.type):
        a, b = (_floats(column) for column in (old, new))
        far = np.abs(a - b) > near * np.maximum(np.abs(a), np.abs(b))
        found: Bools = gone | (far & ~np.isnan(a) & ~np.isnan(b)) | (np.isnan(a) != np.isnan(b))
        return found
    same: Bools = np.asarray(pc.fill_null(pc.equal(old, new.cast(old.type)), True))
    return gone | ~same


def _floats(column: pa.Array) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False))
    return found


def _scaled(column: pa.ChunkedArray, name: str, by: int) -> pa.Array:
    """Multiply a feature of money; others stay."""
    is_money = name in WHOLE and WHOLE[name].unit.startswith("money")
    whole = column.combine_chunks()
    return pc.multiply(whole, by) if is_money and by != 1 else whole


def _learned(name: str) -> bool:
    return name in WHOLE and WHOLE[name].is_learned


def _asked(law: Law, cutoff: int) -> list[int]:
    return sorted(cutoff + law.shift + days for days in (0, *law.beside))


def _empty(cutoff: int) -> DataError:
    at = day_date(cutoff)
    return DataError(
        "E-FE-030",
        Text(f"the sample has no customer before {at}", f"样本在 {at} 之前没有任何客户"),
        where="cutoff",
        fix=Text("give a cutoff within the time of the data", "请给出数据时间范围内的截止日"),
    )
