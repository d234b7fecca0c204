"""Which spend rolls out of the window by when, and what is needed before it is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from tierlens.features.windows import Window, at_cutoffs, trailing_rows
from tierlens.grading.next_tier.next_tier import Offer
from tierlens.sources.tables import Tables

if TYPE_CHECKING:
    import pyarrow as pa


def roll_off(tables: Tables, cutoff: int, window: Window, customers: list[str] | None = None) -> pa.Table:
    """Return the amounts that leave the observed window, day by day, if nothing more is bought.

    Parameters
    ----------
    tables : Tables
        The project's tables.
    cutoff : int
        Day number; what was known then counts.
    window : Window
        ``observe`` is the window; ``gap`` + ``horizon`` days ahead are looked at, as far as an outcome goes.
    customers : list of str, optional
        Only these.

    Returns
    -------
    pyarrow.Table
        Sorted by customer and day: ``customer_id``, ``cutoff``, ``day`` (the first cutoff at which the amount is gone),
        ``leaves`` and ``remains`` (net amounts, minor units), and ``days`` from the cutoff on, at most gap + horizon.
    """
    import duckdb

    daily = (
        _in_window(tables, cutoff, window, customers)
        .group_by("customer_id", "day")
        .agg(nw.col("amount").sum().alias("leaves"))
    )
    with duckdb.connect() as connection:
        rows = connection.from_arrow(daily.collect("pyarrow").to_native())
        # A purchase of day t is last seen at the cutoff t + observe.
        return rows.query(
            "daily",
            f"""
            WITH known AS (
                SELECT customer_id, {int(cutoff)}::INTEGER AS cutoff, (day + {window.observe + 1})::INTEGER AS day,
                       leaves::BIGINT AS leaves,
                       (sum(leaves) OVER (PARTITION BY customer_id)
                        - sum(leaves) OVER (PARTITION BY customer_id ORDER BY day))::BIGINT AS remains
                FROM daily)
            SELECT *, (day - cutoff)::INTEGER AS days FROM known
            WHERE day - cutoff <= {window.gap + window.horizon} ORDER BY customer_id, day
            """,  # noqa: S608  whole numbers of our own
        ).to_arrow_table()


def orders_rolling_off(tables: Tables, cutoff: int, window: Window, customers: list[str] | None = None) -> pa.Table:
    """Return which orders leave the observed window by the end of the horizon, and when.

    Parameters
    ----------
    tables, cutoff, window, customers
        See :func:`roll_off`; over the orders of one day ``amount`` sums to what leaves then.

    Returns
    -------
    pyarrow.Table
        Sorted by customer, day and order: ``customer_id``, ``order_id``, ``bought`` (day number of the order),
        ``amount`` (net, minor units; negative for a return), ``day`` (the first cutoff at which it is gone) and
        ``days`` from the cutoff on, at most gap + horizon.

    Examples
    --------
    >>> from tierlens.datasets.examples import simulated_shop
    >>> shop = simulated_shop(customers=20, months=18, seed=1).tables
    >>> leaving = orders_rolling_off(shop, 20_089, Window(observe=365, horizon=90))
    >>> leaving.column_names, all(0 < days <= 90 for days in leaving["days"].to_pylist())
    (['customer_id', 'order_id', 'bought', 'amount', 'day', 'days'], True)
    """
    gone = nw.col("day") + (window.observe + 1)
    rows = _in_window(tables, cutoff, window, customers).filter(gone - cutoff <= window.gap + window.horizon)
    orders = rows.group_by("customer_id", "order_id", "day").agg(nw.col("amount").sum().cast(nw.Int64))
    found = orders.select(
        "customer_id", "order_id", nw.col("day").alias("bought"), "amount",
        gone.cast(nw.Int32).alias("day"), (gone - cutoff).cast(nw.Int32).alias("days"),
    )  # fmt: skip
    keys = [(name, "ascending") for name in ("customer_id", "bought", "order_id")]
    table: pa.Table = found.collect("pyarrow").to_native().sort_by(keys)
    return table


def _in_window(tables: Tables, cutoff: int, window: Window, customers: list[str] | None) -> nw.LazyFrame[Any]:
    """Return the rows of the observed window that were known at the cutoff."""
    amounts = at_cutoffs(tables.transactions, [cutoff]).filter(trailing_rows(window.observe))
    return amounts if customers is None else amounts.filter(nw.col("customer_id").is_in(customers))


def needed_before(offers: list[Offer], leaving: pa.Table, feature: str = "monetary") -> list[dict[str, Any]]:
    """Return how much more must be bought, and within how many days, so that rolling spend does not cost the tier.

    Parameters
    ----------
    offers : list of Offer
        From ``path``; those that keep a tier down to a known limit of the amount are looked at.
    leaving : pyarrow.Table
        From ``roll_off``.
    feature : str
        The amount: the net sum of the window.

    Returns
    -------
    list of dict
        For each customer who would lose the tier by the horizon's end: ``customer_id``, ``cutoff``, ``tier``, ``limit``
        (the least amount that keeps it), ``days`` (the purchase must come before so many days have passed), ``needed``
        at that moment and ``needed_at_end`` of the horizon, in minor units.

    Examples
    --------
    >>> import pyarrow as pa
    >>> keep = Offer("a", 1, "keep", "B", after={"monetary": 500}, limit=True)
    >>> leaving = pa.table({"customer_id": ["a", "a"], "cutoff": [1, 1], "days": [10, 42], "remains": [600, 316]})
    >>> needed_before([keep], leaving)
    [{'customer_id': 'a', 'cutoff': 1, 'tier': 'B', 'limit': 500, 'days': 42, 'needed': 184, 'needed_at_end': 184}]
    """
    kept = [offer for offer in offers if offer.goal == "keep" and offer.limit and feature in offer.after]
    limits = {(offer.customer_id, offer.cutoff): offer for offer in kept}
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for row in leaving.to_pylist():
        key = (row["customer_id"], row["cutoff"])
        if key not in limits:
            continue
        short = limits[key].after[feature] - row["remains"]
        if short > 0 and key not in found:
            head = {"customer_id": key[0], "cutoff": key[1], "tier": limits[key].tier}
            head["limit"] = limits[key].after[feature]
            found[key] = {**head, "days": row["days"], "needed": short}
        if key in found:
            found[key]["needed_at_end"] = max(short, 0)
    return list(found.values())
