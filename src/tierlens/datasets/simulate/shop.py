"""The simulated shop as tables: in memory for small ones, streamed to Parquet for any size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import narwhals as nw
import pyarrow as pa
import pyarrow.parquet as pq

from tierlens.datasets.simulate.credit import draw_contracts, draw_payments
from tierlens.datasets.simulate.grid import Grid, monthly_grid
from tierlens.datasets.simulate.lives import draw_lives
from tierlens.datasets.simulate.orders import draw_lines, draw_orders, draw_returns, transactions_table
from tierlens.datasets.simulate.people import draw_customers
from tierlens.datasets.simulate.plan import ShopPlan, check_within
from tierlens.datasets.simulate.ratings import draw_ratings
from tierlens.datasets.simulate.risks import truth_at
from tierlens.datasets.simulate.service import draw_interactions, draw_surveys, draw_tickets
from tierlens.datasets.simulate.truth import ids_of, truth_of
from tierlens.datasets.simulate.world import WORLD, World
from tierlens.sources.read import connect_duckdb
from tierlens.sources.tables import Currency, Tables, day_number

NAME = "simulated shop"
TABLES = ("transactions", "customers", "contracts", "tickets", "interactions", "surveys", "payments", "ratings")
Progress = Callable[[int, int], None]


class Simulated(NamedTuple):
    """A simulated shop.

    Parameters
    ----------
    tables : Tables
        As from :func:`tierlens.sources.read.read_tables`, all eight; money in CNY.
    truth : pyarrow.Table
        One row a customer, by customer_id:

        ===============  =======  ==================================================================================
        type             string   one of the world's types
        base_hazard      float64  probability (0-1) to leave in a month, on average over healths
        hazard           float64  the same with the health of now; of those who have left, of the day they left
        health           float64  latent health of the same day, mean 0 and spread 1 over all without shocks
        started_on       int32    first day as a customer, possibly before the data
        ended_on         int32    from this day on nothing is bought; null: still a customer
        ended_if_calm    int32    the same, had no shock happened; null: would still be one
        cause            string   the shock without which the customer would have stayed at least half a year longer;
                                  null for all others
        <shock>_on       int32    day on which the shock hit this customer; null: spared, gone before, or not yet there
        hazard_<date>    float64  monthly probability on a day that was asked for; null: no customer on that day
        ===============  =======  ==================================================================================
    plan : ShopPlan
        What it was made from.
    """

    tables: Tables
    truth: pa.Table
    plan: ShopPlan = ShopPlan()

    def truth_at(self, cutoff: str | int, horizon: int = 90) -> pa.Table:
        """Return each customer's true risk; see :func:`~tierlens.datasets.simulate.risks.truth_at`.

        Examples
        --------
        >>> simulated_shop(customers=20, months=12).truth_at("2023-07-01", 30).num_rows
        20
        """
        return truth_at(self.plan, cutoff, horizon)


def draw_block(plan: ShopPlan, periods: Grid, block: int, days: Sequence[int] = ()) -> dict[str, pa.Table]:
    """Draw every table of one block of customers, and the truth about them, as ``truth``.

    Parameters
    ----------
    plan : ShopPlan
    periods : Grid
    block : int
        One of ``plan.grains``.
    days : sequence of int
        Days of which the truth tells the hazard.
    """
    lives, ids = draw_lives(plan, periods, block), ids_of(plan, block)
    orders = draw_orders(plan, lives, periods, block)
    lines = draw_lines(plan, lives, orders, block)
    drawn = {
        "transactions": transactions_table(orders, lines, draw_returns(plan, lines, block), ids, periods.last),
        "payments": draw_payments(plan, lives, periods, block, ids, orders, lines),
        "truth": truth_of(plan, lives, periods, block, days),
    }
    others = {
        "customers": draw_customers,
        "contracts": draw_contracts,
        "tickets": draw_tickets,
        "interactions": draw_interactions,
        "surveys": draw_surveys,
        "ratings": draw_ratings,
    }
    return drawn | {name: make(plan, lives, periods, block, ids) for name, make in others.items()}


def simulated_shop(
    customers: int = 1000,
    months: int = 36,
    seed: int = 0,
    *,
    world: World | None = None,
    hazard_on: Sequence[str | int] = (),
) -> Simulated:
    """Simulate a shop from January 2023 on, in memory; :func:`write_shop` is for more than some 20,000 customers.

    Parameters
    ----------
    customers : int
        At least 1.
    months : int
        At least 1.
    seed : int
        Of all random numbers: the same arguments give the same shop, line by line.
    world : World, optional
        Other numbers than the defaults.
    hazard_on : sequence of str or int
        Days (ISO dates or day numbers) of which the truth tells the hazard.

    Examples
    --------
    >>> shop = simulated_shop(customers=50, months=12, hazard_on=["2023-06-01"])
    >>> shop.truth.column_names
    ['customer_id', 'type', 'base_hazard', 'hazard', 'health', 'started_on', 'ended_on', 'ended_if_calm', 'cause',
     'price_rise_on', 'service_failure_on', 'hazard_2023-06-01']
    >>> shop.tables.name, sorted(shop.tables.others)
    ('simulated shop', ['contracts', 'customers', 'interactions', 'payments', 'ratings', 'surveys', 'tickets'])
    """
    plan = ShopPlan(customers, months, seed, world or WORLD)
    blocks = list(_blocks(plan, hazard_on))
    connection = connect_duckdb()
    for name in TABLES:
        connection.register("drawn", pa.concat_tables([block[name] for block in blocks]))
        order = "ORDER BY day, order_id, product_id, quantity" if name == "transactions" else ""
        connection.execute(f"CREATE TABLE {name} AS FROM drawn {order}")
        connection.unregister("drawn")
    truth = pa.concat_tables([block["truth"] for block in blocks]).combine_chunks()
    return Simulated(_tables(connection, plan), truth, plan)


def write_shop(
    plan: ShopPlan,
    folder: str | Path,
    *,
    block: int = 20_000,
    hazard_on: Sequence[str | int] = (),
    progress: Progress | None = None,
) -> Simulated:
    """Simulate a shop of any size into a folder of Parquet files, one a table and ``truth.parquet``.

    Parameters
    ----------
    plan : ShopPlan
    folder : str or Path
        Made where it is not there; files of the same names are replaced once they are complete.
    block : int
        Customers held in memory at once, at least 1; it changes the row groups of the files, never the rows.
    hazard_on : sequence of str or int
        Days of which the truth tells the hazard.
    progress : callable, optional
        Called with the customers done and all customers.

    Returns
    -------
    Simulated
        As from :func:`open_shop`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     shop = write_shop(ShopPlan(customers=30, months=6), place)
    ...     shop.truth.num_rows
    30
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    writers: dict[str, pq.ParquetWriter] = {}
    done = 0
    for held in _gathered(_blocks(plan, hazard_on), block):
        for name, table in held.items():
            if name not in writers:
                # Without the stored schema every reader sees plain texts where we wrote dictionaries.
                path = target / f"{name}.parquet.partial"
                writers[name] = pq.ParquetWriter(path, table.schema, compression="zstd", store_schema=False)
            writers[name].write_table(table)
        done += held["truth"].num_rows
        if progress:
            progress(done, plan.customers)
    for name, writer in writers.items():
        writer.close()
        (target / f"{name}.parquet.partial").replace(target / f"{name}.parquet")
    return open_shop(plan, target)


def open_shop(plan: ShopPlan, folder: str | Path) -> Simulated:
    """Return a shop that :func:`write_shop` has written; its rows stay on disk until they are asked for.

    Parameters
    ----------
    plan : ShopPlan
        The one it was written from.
    folder : str or Path
    """
    connection = connect_duckdb()
    for name in TABLES:
        connection.read_parquet(str(Path(folder) / f"{name}.parquet")).create_view(name)
    return Simulated(_tables(connection, plan), pq.read_table(Path(folder) / "truth.parquet"), plan)


def _blocks(plan: ShopPlan, hazard_on: Sequence[str | int]) -> Iterator[dict[str, pa.Table]]:
    periods, days = monthly_grid(plan.world, plan.months), [day_number(day) for day in hazard_on]
    for day in days:
        check_within("hazard_on", day, periods.first, periods.last - 1)
    for block in plan.grains:
        yield draw_block(plan, periods, block, days)


def _gathered(blocks: Iterator[dict[str, pa.Table]], customers: int) -> Iterator[dict[str, pa.Table]]:
    """Put blocks together until they hold so many customers."""
    held: list[dict[str, pa.Table]] = []
    for block in blocks:
        held.append(block)
        if sum(each["truth"].num_rows for each in held) >= customers:
            yield {name: pa.concat_tables([each[name] for each in held]) for name in block}
            held = []
    if held:
        yield {name: pa.concat_tables([each[name] for each in held]) for name in held[0]}


def _tables(connection: duckdb.DuckDBPyConnection, plan: ShopPlan) -> Tables:
    frames: dict[str, nw.LazyFrame[Any]] = {name: nw.from_native(connection.table(name)) for name in TABLES}
    return Tables(
        frames.pop("transactions"),
        Currency("CNY"),
        NAME,
        late_rows=plan.world.late.share > 0,
        others=frames,
    )
