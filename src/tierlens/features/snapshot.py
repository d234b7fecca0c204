"""Snapshots: one row for each customer and cutoff, built from what was known before the cutoff and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import narwhals as nw
import pyarrow as pa

from tierlens.errors import UsageError
from tierlens.features.catalog import CATALOG, lacking_tables, needed_features
from tierlens.features.families.event_rows import PLANES
from tierlens.features.feature import PIECE, Feature
from tierlens.features.windows import Cutoff, Window, at_cutoffs, cutoff_days, twelfths_back
from tierlens.sources.engines import Frame
from tierlens.sources.tables import Tables
from tierlens.words import Text

KEY = ("customer_id", "cutoff")
SINCE = ("recency_days", "tenure_days")
"""Missing for a customer who never bought."""
NOTHING = {"idle_months_6": 6}
"""What is not 0 for a customer who never bought."""


def build_snapshots(
    tables: Tables,
    cutoffs: Sequence[Cutoff] | Cutoff,
    window: Window | None = None,
    *,
    features: Iterable[str] | None = None,
    everyone: bool = False,
    ahead: int = 0,
) -> Frame:
    """Build the features of every customer at every cutoff.

    Parameters
    ----------
    tables : Tables
        Settled tables.
    cutoffs : sequence of date, ISO text or day number
        Each the start of a day; rows at or after it, or recorded at or after it, are not read.
    window : Window, optional
        Default: observe 365 days.
    features : iterable of str, optional
        Names in the catalog; default: all features of transactions. Those of other tables are built when they are
        asked for; :func:`tierlens.features.catalog.available_features` names all that the tables at hand allow.
    everyone : bool
        Also customers whose last purchase lies before the window, and, where there is a customer table, those in it who
        never bought: counts and sums are 0, ``recency_days`` and ``tenure_days`` missing. Default: only customers with
        a purchase in the window.
    ahead : int
        Show each customer as he will stand so many days after the cutoff if nothing more happens: what was known at
        the cutoff, looked back at from then. Old purchases have rolled out of the windows by then.

    Returns
    -------
    lazy frame
        ``customer_id``, ``cutoff`` (int32 days) and one column a feature, on the engine of the tables. Missing values
        mean what the catalog says.

    Raises
    ------
    UsageError
        ``E-FE-001`` for an unknown feature, ``E-FE-002`` for one whose table is not there, ``E-US-004`` without a
        cutoff, ``E-US-031`` when ``tables`` are not ``Tables``.

    Examples
    --------
    >>> from tierlens.datasets.examples import simulated_shop
    >>> shop = simulated_shop(customers=50, seed=1).tables
    >>> table = to_arrow(build_snapshots(shop, ["2025-01-01"], features=["recency_days", "frequency"]))
    >>> table.column_names
    ['customer_id', 'cutoff', 'recency_days', 'frequency']
    """
    _refuse_no_tables(tables)
    plan = Plan.of(tables, features, window, everyone=everyone)
    days = cutoff_days(cutoffs)
    return built_from_orders(tables, days, plan, orders_plane(tables, days, plan, ahead), ahead)


def _refuse_no_tables(tables: object) -> None:
    if not isinstance(tables, Tables):
        given = type(tables).__name__
        raise UsageError(
            "E-US-031",
            Text(f"a {given} is no settled table of transactions", f"{given} 不是已整理的交易表"),
            where="tables",
            fix=Text(
                "give Tables: tierlens.sources.from_frame.tables_from_frame(frame, 'CNY') makes them of a frame, "
                "tierlens.sources.read.read_tables of files",
                "请给出 Tables：数据表用 tierlens.sources.from_frame.tables_from_frame(frame, 'CNY')，"
                "文件用 tierlens.sources.read.read_tables",
            ),
        )


@dataclass(frozen=True)
class Plan:
    """What is to be built: the features asked for, all that they need, and for whom."""

    wanted: tuple[str, ...]
    features: tuple[Feature, ...]
    window: Window
    everyone: bool = False

    @classmethod
    def of(
        cls, tables: Tables, features: Iterable[str] | None, window: Window | None, *, everyone: bool = False
    ) -> Plan:
        """Return the plan for the features that a caller asked for."""
        wanted = tuple(CATALOG if features is None else features)
        _refuse_lacking(tables, wanted)
        return cls(wanted, tuple(needed_features(["frequency", *wanted])), window or Window(), everyone)

    def on(self, plane: str) -> list[Feature]:
        """Return the features of one plane."""
        return [feature for feature in self.features if feature.plane == plane]

    @property
    def neighbours(self) -> bool:
        """Say whether a feature asks what one purchase says of the one beside it."""
        return any(feature.neighbours for feature in self.features)


def built_from_orders(tables: Tables, days: Sequence[int], plan: Plan, rows: Frame, ahead: int = 0) -> Frame:
    """Build the snapshots of a plan from rows of orders that are paired with their cutoffs."""
    frame = _aggregate(rows, plan, "orders")
    if plan.on("products"):
        products = _aggregate(_products_plane(tables, days, ahead), plan, "products")
        frame = frame.join(products, on=list(KEY), how="left")
    strangers = plan.everyone and tables.has("customers")
    if strangers:
        frame = _with_strangers(frame, tables, days, ahead)
    for table in PLANES:
        if tables.has(table) and plan.on(table):
            beside = _aggregate(PLANES[table](tables, days, ahead), plan, table)
            frame = frame.join(beside, on=list(KEY), how="left")
    frame = _filled(frame, tables, plan.features, strangers=strangers)
    for level in _levels(plan.on("derived")):
        frame = frame.with_columns(feature.build(plan.window).alias(feature.name) for feature in level)
    frame = frame if plan.everyone else frame.filter(nw.col("frequency") > 0)
    if ahead:
        frame = frame.with_columns(cutoff=nw.col("cutoff") - ahead)
    return frame.select(*KEY, *plan.wanted)


def _refuse_lacking(tables: Tables, wanted: Iterable[str]) -> None:
    for name in wanted:
        if missing := lacking_tables(name, tables):
            listed = ", ".join(missing)
            raise UsageError(
                "E-FE-002",
                Text(f"{name} needs the table {listed}, which is not there", f"{name} 需要表 {listed}，但未提供"),
                fix=Text(
                    f"add it to the source under 'tables', or leave {name} out (see features.catalog.available)",
                    f"请在数据源的 tables 中添加该表，或不计算 {name}",
                ),
            )


def _with_strangers(frame: Frame, tables: Tables, days: Sequence[int], ahead: int) -> Frame:
    """Add a row for each customer who is known at a cutoff and has no transaction before it."""
    known = at_cutoffs(tables.others["customers"], days, ahead).select(*KEY).unique()
    return nw.concat([frame.select(*KEY), known], how="vertical").unique().join(frame, on=list(KEY), how="left")


def _filled(frame: Frame, tables: Tables, plan: Sequence[Feature], *, strangers: bool) -> Frame:
    """Say what it means that a customer has no row: 0 of what is counted, nothing of what is asked."""
    there = [feature for feature in plan if feature.plane != "derived"]
    filled = {feature.name: 0 for feature in there if feature.plane == "products"}
    filled |= {feature.name: feature.without for feature in there if feature.without is not None}
    if strangers:
        counts = [f for f in there if f.plane == "orders" and not f.missing and f.name not in SINCE]
        filled |= {feature.name: NOTHING.get(feature.name, 0) for feature in counts}
    absent = {f.name for f in there if any(not tables.has(table) for table in f.tables)}
    columns = [nw.col(name).fill_null(value).alias(name) for name, value in filled.items() if name not in absent]
    columns += [nw.lit(None, nw.Float64).alias(name) for name in sorted(absent)]
    return frame.with_columns(*columns) if columns else frame


def to_arrow(frame: Frame) -> pa.Table:
    """Compute a frame and return it as Arrow, in order of cutoff and customer, so that every run gives the same bytes.

    Examples
    --------
    >>> import duckdb
    >>> to_arrow(nw.from_native(duckdb.connect().sql("select 'b' customer_id, 1 cutoff"))).num_rows
    1
    """
    table: pa.Table = frame.collect("pyarrow").to_native()
    return table.sort_by([("cutoff", "ascending"), ("customer_id", "ascending")])


def _aggregate(frame: Frame, plan: Plan, plane: str) -> Frame:
    return frame.group_by(*KEY).agg(*(feature.build(plan.window).alias(feature.name) for feature in plan.on(plane)))


def _levels(derived: Sequence[Feature]) -> list[list[Feature]]:
    """Sort derived features into rounds, each reading only what came before: a round is one step of the query."""
    rounds: dict[str, int] = {}
    levels: list[list[Feature]] = []
    for feature in derived:
        number = 1 + max((rounds[need] for need in feature.needs if need in rounds), default=-1)
        rounds[feature.name] = number
        levels.extend([] for _ in range(number + 1 - len(levels)))
        levels[number].append(feature)
    return levels


def order_totals(tables: Tables) -> Frame:
    """Return one row an order (per day of recording): spend, returns, net amount, lines, and whether it is a purchase.

    Lines of one order are summed; an order is what one customer has under one ``order_id`` on one day.
    """
    bought, wide = nw.col("kind") == "purchase", nw.Int128 if tables.wide_amounts else nw.Int64
    amount = nw.col("amount").cast(wide)
    pieces = (nw.col("quantity").fill_null(0.0) * PIECE).round().cast(nw.Int64)
    columns = {
        # The contract says that purchases are not below zero and returns not above: numbers compare faster than words.
        "spend": nw.when(amount > 0).then(amount).otherwise(0),
        "returned": nw.when(amount < 0).then(0 - amount).otherwise(0),
        "net": amount,
        "lines": nw.when(bought).then(1).otherwise(0),
        "pieces": nw.when(bought).then(pieces).otherwise(0),
    }
    key = ["customer_id", "order_id", "day"]
    recorded = nw.col("known_day" if tables.late_rows else "day").alias("known_day")
    lines = tables.transactions.select(*key, recorded, **columns)
    buys = nw.when(nw.col("spend") > 0).then(1).otherwise(0).alias("buys")
    if tables.whole_orders:
        return lines.with_columns(buys)
    summed = lines.group_by(*key, "known_day").agg(nw.col(name).sum().cast(wide) for name in columns)
    if not tables.late_rows:
        return summed.with_columns(buys)
    known_first = nw.when(nw.col("spend") > 0).then(nw.col("known_day")).min().over(*key)
    first = (nw.col("spend") > 0) & (nw.col("known_day") == known_first)
    return summed.with_columns(nw.when(first).then(1).otherwise(0).alias("buys"))


def orders_plane(tables: Tables, days: Sequence[int], plan: Plan, ahead: int = 0) -> Frame:
    """Pair orders with cutoffs; the interval since the purchase before is added only where a feature asks for it."""
    if plan.neighbours and (tables.late_rows or ahead):
        return with_periods(_with_gaps(at_cutoffs(order_totals(tables), days, ahead), list(KEY)))
    return with_periods(at_cutoffs(order_rows(tables, plan), days, ahead))


def order_rows(tables: Tables, plan: Plan) -> Frame:
    """Return the orders, with what one purchase says of the one beside it where a feature asks and no row is late."""
    rows = order_totals(tables)
    return _with_gaps(rows, ["customer_id"]) if plan.neighbours and not tables.late_rows else rows


def with_periods(paired: Frame) -> Frame:
    """Work out the twelfth of the year once for the many features that count months."""
    paired = paired.with_columns(twelfths_back().alias("period"))
    bought = nw.when(nw.col("buys") > 0).then(nw.col("period")).otherwise(nw.lit(-1, nw.Int8))
    return paired.with_columns(bought.alias("bought_period"))


def _with_gaps(rows: Frame, by: list[str]) -> Frame:
    """Add ``gap``, days from the purchase before, and ``next_day``, the day of the one after.

    Returns stand aside: they have no place among purchases. ``next_day`` may lie past a cutoff; it is only asked
    whether it does, which says no more than that nothing came before the cutoff.
    """
    purchase = nw.when(nw.col("buys") > 0).then(nw.lit(1)).otherwise(nw.lit(0))
    rows = rows.with_columns(purchase.alias("purchase"))
    order = ["day", "spend", "lines"]
    before = nw.col("day").shift(1).over(*by, "purchase", order_by=order)
    after = nw.col("day").shift(-1).over(*by, "purchase", order_by=order)
    return rows.with_columns(
        nw.when(nw.col("purchase") > 0).then(nw.col("day") - before).alias("gap"), after.alias("next_day")
    )


def _products_plane(tables: Tables, days: Sequence[int], ahead: int) -> Frame:
    """One row a customer, cutoff and product: first and last day on which it was bought, as known at the cutoff."""
    lines = tables.transactions.filter((nw.col("kind") == "purchase") & ~nw.col("product_id").is_null())
    daily = lines.select("customer_id", "product_id", "day", "known_day").unique()
    bought = at_cutoffs(daily, days, ahead).group_by(*KEY, "product_id").agg(
        nw.col("day").min().alias("first_day"), nw.col("day").max().alias("last_day")
    )  # fmt: skip
    first = bought.group_by(*KEY).agg(nw.col("first_day").min().alias("customer_first_day"))
    return bought.join(first, on=list(KEY), how="inner")
