"""Invoices and their payment, and yearly contracts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tierlens.datasets.simulate.drawn import (
    as_settled_table,
    event_ids,
    mood_on,
    recording_days,
    texts_by_place,
    with_nulls,
)
from tierlens.datasets.simulate.grid import Columns, Flags, Floats, Grid
from tierlens.datasets.simulate.lives import Lives, customer_health
from tierlens.datasets.simulate.orders import Orders
from tierlens.datasets.simulate.plan import GRAIN, ShopPlan
from tierlens.datasets.simulate.world import World

YEAR = 365
_EARLY = 10  # days before it is due in which a punctual customer pays
_PARTLY = 0.02  # share of invoices of which a part is held back


def _chance(log_odds: Floats) -> Floats:
    chance: Floats = 1 / (1 + np.exp(-log_odds))
    return chance


def draw_payments(
    plan: ShopPlan, lives: Lives, periods: Grid, block: int, customers: pa.Array, orders: Orders, lines: Columns
) -> pa.Table:
    """Draw when each order is paid: one invoice an order, due after the customer's terms.

    Late is who has the habit, and whose health is low on the day it is due. Invoices that are not due before the last
    day are not in the table; payments that come after it are missing.

    Parameters
    ----------
    plan : ShopPlan
    lives : Lives
    periods : Grid
    block : int
    customers : pyarrow array
        Ids of the block.
    orders, lines
        As drawn; the amount is that of the lines, before returns.
    """
    rng, credit = plan.random("payments", block), plan.world.credit
    terms = rng.choice(np.array(credit.terms), len(lives.kind))
    habit = rng.normal(credit.late, credit.habit, len(lives.kind))
    amount = np.bincount(lines["order"], lines["quantity"] * lines["price"], len(orders.day)).astype(np.int64)
    due = orders.day + terms[orders.customer]
    mood = mood_on(customer_health(lives, periods), periods, orders.customer, due)
    late = rng.random(len(due)) < _chance(habit[orders.customer] - plan.world.health.paying * mood)
    paid = due + np.where(late, rng.geometric(1 / credit.delay, len(due)), -rng.integers(0, _EARLY, len(due)))
    held = rng.random(len(due)) < _PARTLY
    known = recording_days(rng, due, plan.world.late)
    part = np.where(held, amount * 4 // 5, amount)
    kept = known < periods.last
    unpaid = (paid >= periods.last)[kept]
    return as_settled_table(
        "payments",
        {
            "customer_id": texts_by_place(customers, orders.customer[kept]),
            "invoice_id": event_ids("F", block * GRAIN, orders.customer).filter(pa.array(kept)),
            "day": due[kept],
            "paid_day": with_nulls(paid[kept], unpaid),
            "amount": amount[kept],
            "paid_amount": with_nulls(part[kept], unpaid),
            "known_day": known[kept],
        },
    )


def draw_contracts(plan: ShopPlan, lives: Lives, periods: Grid, block: int, customers: pa.Array) -> pa.Table:
    """Draw contracts of one year each, renewed while the customer stays and mostly wants to.

    A contract that ends after the last day is open: neither renewal nor fulfilment is known. That a contract ends does
    not change the hazard.
    """
    rng, credit = plan.random("contracts", block), plan.world.credit
    first = lives.start + YEAR * np.maximum((periods.first - lives.start) // YEAR, 0)
    years = -(-(periods.last - periods.first) // YEAR) + 1
    start = first[:, None] + YEAR * np.arange(years)[None, :]
    mood = mood_on(customer_health(lives, periods), periods, np.arange(len(first))[:, None], start + YEAR - 1)
    wants = rng.random(start.shape) < _chance(credit.renewed + mood)
    renewed = wants & (lives.end[:, None] > start + YEAR)
    agreed = _values(lives)[:, None] * np.exp(0.2 * rng.standard_normal(start.shape))
    fulfilled = np.clip(credit.fulfilment + 0.06 * mood + 0.05 * rng.standard_normal(start.shape), 0, 1)
    known = recording_days(rng, start.ravel(), plan.world.late).reshape(start.shape)
    kept = _running(rng, lives, renewed) & (start < lives.end[:, None]) & (known < periods.last)
    customer, _ = np.nonzero(kept)
    end = start[kept] + YEAR - 1
    is_open = end >= periods.last
    return as_settled_table(
        "contracts",
        {
            "customer_id": texts_by_place(customers, customer),
            "contract_id": event_ids("C", block * GRAIN, customer),
            "day": start[kept],
            "end_day": end,
            "value": np.round(agreed[kept] / 10_000).astype(np.int64) * 10_000,
            "renewed": with_nulls(renewed[kept], is_open),
            "fulfilled": with_nulls(np.round(fulfilled[kept], 2), is_open),
            "outcome_day": np.maximum(known[kept], end),
            "known_day": known[kept],
        },
    )


def _running(rng: np.random.Generator, lives: Lives, renewed: Flags) -> Flags:
    """Return which contracts exist: the first of those who have contracts, and each that follows a renewed one."""
    has = rng.random(len(lives.kind)) < lives.of_type("contract")
    follows = np.cumprod(renewed[:, :-1], axis=1).astype(np.bool_)
    return np.concatenate([has[:, None], has[:, None] & follows], axis=1)


def _values(lives: Lives) -> Floats:
    """Return what each customer buys in a year at first, on average, in minor units."""
    return yearly_amount(lives.world, lives.of_type("orders") * lives.pace, lives)


def yearly_amount(world: World, orders: Floats, lives: Lives) -> Floats:
    """Return the expected amount of a year, in minor units, of customers with so many orders a month."""
    price = np.exp(world.trade.log_price + world.trade.price_spread**2 / 2)
    amount: Floats = 12 * orders * lives.of_type("lines") * (1 + lives.of_type("quantity")) * price
    return amount


def profit_share(plan: ShopPlan, lives: Lives) -> Floats:
    """Return each customer's expected share of the company's profit, at one margin for all."""
    kinds = plan.world.types
    mean = sum(k.share * k.orders * k.lines * (1 + k.quantity) for k in kinds) / sum(k.share for k in kinds)
    own: Floats = lives.of_type("orders") * lives.pace * lives.of_type("lines") * (1 + lives.of_type("quantity"))
    return own / (mean * plan.customers)
