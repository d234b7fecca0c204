"""Orders, their lines, and what comes back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from tierlens.datasets.simulate.drawn import (
    as_settled_table,
    by_customer,
    event_numbers,
    numbered_ids,
    recording_days,
    texts_by_place,
)
from tierlens.datasets.simulate.grid import Columns, Floats, Grid, Ints, draw_events
from tierlens.datasets.simulate.lives import Lives, order_rates, shock_days, while_customer
from tierlens.datasets.simulate.plan import GRAIN, ShopPlan

_OPEN, _CLOSE = 8 * 60, 18 * 60  # minutes of the day in which orders come in


class Orders(NamedTuple):
    """Orders of a block, by customer and day.

    Parameters
    ----------
    customer : array of int64
        Place in the block.
    day, known, minute : array of int64
        Day, day from which it was known, minute of the day.
    number : array of int64
        Of the order; the same for its returns.
    """

    customer: Ints
    day: Ints
    known: Ints
    minute: Ints
    number: Ints


def draw_orders(plan: ShopPlan, lives: Lives, periods: Grid, block: int) -> Orders:
    """Draw the orders of a block: a Poisson process on working days whose rate follows season, growth and health."""
    rng = plan.random("orders", block)
    customer, day = draw_events(rng, order_rates(lives, periods), periods)
    order = by_customer(customer, day, while_customer(lives, customer, day))
    customer, day = customer[order], day[order]
    known = recording_days(rng, day, plan.world.late)
    minute = rng.integers(_OPEN, _CLOSE, len(day))
    return Orders(customer, day, known, minute, event_numbers(block * GRAIN, customer))


def price_list(plan: ShopPlan) -> Ints:
    """Return the price of each product in minor units, at least 50."""
    trade = plan.world.trade
    drawn = plan.random("world").normal(trade.log_price, trade.price_spread, trade.products)
    return np.maximum(np.round(np.exp(drawn)), 50).astype(np.int64)


def draw_lines(plan: ShopPlan, lives: Lives, orders: Orders, block: int) -> Columns:
    """Draw the lines of each order: neighbouring products from the customer's own place in the range on.

    Returns
    -------
    dict of arrays, one row a line
        ``order`` (place in the orders), ``customer``, ``day``, ``known``, ``product``, ``price``, ``quantity``.
    """
    rng, trade = plan.random("lines", block), plan.world.trade
    count = 1 + rng.poisson(lives.of_type("lines")[orders.customer] - 1)
    order = np.repeat(np.arange(len(count)), count)
    customer = orders.customer[order]
    step = rng.geometric(trade.range_step, len(order))
    reached, first = np.cumsum(step), np.cumsum(count) - count
    own = rng.integers(0, trade.products, len(lives.kind))
    product = (own[customer] + reached - np.repeat(reached[first] - step[first], count)) % trade.products
    lots = lives.of_type("quantity")[customer] * rng.gamma(trade.lot_shape, 1 / trade.lot_shape, len(order))
    return {
        "order": order,
        "customer": customer,
        "day": orders.day[order],
        "known": orders.known[order],
        "product": product,
        "price": _prices(plan, lives, customer, orders.day[order], product),
        "quantity": 1 + rng.poisson(lots),
    }


def _prices(plan: ShopPlan, lives: Lives, customer: Ints, day: Ints, product: Ints) -> Ints:
    """Return list prices, raised for those whom a price shock has hit."""
    price = price_list(plan)[product]
    factor: Floats = np.ones(len(price))
    for where, (shock, when) in enumerate(zip(plan.world.shocks, shock_days(plan.world), strict=True)):
        if shock.price != 1:
            factor[lives.hit[customer, where] & (day >= when)] *= shock.price
    return np.round(price * factor).astype(np.int64)


def draw_returns(plan: ShopPlan, lines: Columns, block: int) -> Columns:
    """Draw the lines of which a part comes back, with negative quantities; the columns are those of lines."""
    rng, trade = plan.random("returns", block), plan.world.trade
    back = rng.random(len(lines["order"])) < trade.returned
    chosen = {name: column[back] for name, column in lines.items()}
    part = np.ceil(chosen["quantity"] * (1 - rng.random(len(chosen["order"])))).astype(np.int64)
    day = chosen["day"] + rng.integers(1, trade.return_days + 1, len(part))
    known = np.maximum(recording_days(rng, day, plan.world.late), chosen["known"])
    return {**chosen, "quantity": -part, "day": day, "known": known}


def transactions_table(orders: Orders, lines: Columns, returns: Columns, customers: pa.Array, last: int) -> pa.Table:
    """Return lines and returns as the settled table, without what was not yet known on the last day.

    Parameters
    ----------
    orders : Orders
    lines, returns : dict of arrays
        As drawn.
    customers : pyarrow array
        Ids of the block.
    last : int
        The day after the last.
    """
    both = {name: np.concatenate([lines[name], returns[name]]) for name in lines}
    back = np.arange(len(both["day"])) >= len(lines["day"])
    kept = both["known"] < last
    both, back = {name: column[kept] for name, column in both.items()}, back[kept]
    ids = pa.concat_arrays([numbered_ids("S", orders.number, 12), numbered_ids("R", orders.number, 12)])
    moment = both["day"].astype("datetime64[D]").astype("datetime64[us]")
    moment += (orders.minute[both["order"]] * 60_000_000).astype("timedelta64[us]")
    return as_settled_table(
        "transactions",
        {
            "customer_id": texts_by_place(customers, both["customer"]),
            "order_id": texts_by_place(ids, both["order"] + np.where(back, len(orders.day), 0)),
            "day": both["day"],
            "known_day": both["known"],
            "amount": both["quantity"] * both["price"],
            "kind": texts_by_place(("purchase", "return"), back.astype(np.int64)),
            "product_id": texts_by_place(
                numbered_ids("P", np.arange(1 + both["product"].max(initial=0)), 5), both["product"]
            ),
            "quantity": both["quantity"],
            "time": moment,
        },
    )
