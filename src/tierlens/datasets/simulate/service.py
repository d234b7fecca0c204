"""Tickets, contacts and surveys: where health shows first."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tierlens.datasets.simulate.drawn import (
    as_settled_table,
    as_stars,
    by_customer,
    draw_answers,
    event_ids,
    mood_on,
    recording_days,
    texts_by_place,
    with_nulls,
)
from tierlens.datasets.simulate.grid import WORKDAYS, Floats, Grid, Ints, draw_events
from tierlens.datasets.simulate.lives import Lives, customer_health, is_present, order_rates, shock_days, while_customer
from tierlens.datasets.simulate.plan import GRAIN, ShopPlan

_KINDS = ("enquiry", "complaint", "custom")
_AFTER = 21  # days in which a shock is complained of
_CLOSING = 4.0  # mean working days until a ticket is closed
_UNASKED = 0.1  # share of a survey's questions that are left out


def draw_tickets(plan: ShopPlan, lives: Lives, periods: Grid, block: int, customers: pa.Array) -> pa.Table:
    """Draw enquiries and custom requests with the orders, complaints against health and after shocks."""
    rng, service = plan.random("tickets", block), plan.world.service
    healths, ordering = customer_health(lives, periods), order_rates(lives, periods)
    events = [
        draw_events(rng, service.enquiries * ordering, periods),
        _complaints(rng, plan, lives, periods, healths),
        draw_events(rng, service.custom * ordering, periods),
    ]
    customer, day = (np.concatenate([event[i] for event in events]) for i in (0, 1))
    kind = np.repeat(np.arange(3), [len(event[0]) for event in events])
    known = recording_days(rng, day, plan.world.late)
    order = by_customer(customer, day, while_customer(lives, customer, day) & (known < periods.last))
    customer, day, kind, known = customer[order], day[order], kind[order], known[order]
    closed = day + rng.geometric(1 / _CLOSING, len(day))
    said = draw_answers(rng, mood_on(healths, periods, customer, day), plan.world.health.answering)
    rated = (rng.random(len(day)) < service.rated) & (closed < periods.last)
    major = (rng.random(len(day)) < service.major).astype(np.int64)
    return as_settled_table(
        "tickets",
        {
            "customer_id": texts_by_place(customers, customer),
            "ticket_id": event_ids("T", block * GRAIN, customer),
            "day": day,
            "kind": texts_by_place(_KINDS, kind),
            "severity": texts_by_place(("minor", "major"), major, kind != 1),
            "satisfaction": with_nulls(as_stars(said - 0.7 * (kind == 1)), ~rated),
            "rated_day": np.maximum(known, np.where(closed < periods.last, closed, known)),
            "known_day": known,
        },
    )


def _complaints(
    rng: np.random.Generator, plan: ShopPlan, lives: Lives, periods: Grid, healths: Floats
) -> tuple[Ints, Ints]:
    """Draw complaints of the usual kind, and those about a shock."""
    effect = plan.world.health.complaining
    rate = plan.world.service.complaints / WORKDAYS * np.exp(-effect * healths - effect**2 / 2)
    usual = draw_events(rng, rate * is_present(lives, periods), periods)
    events = [usual]
    for where, (shock, day) in enumerate(zip(plan.world.shocks, shock_days(plan.world), strict=True)):
        count = rng.poisson(np.where(lives.hit[:, where], shock.complaints, 0.0))
        count *= int(periods.first <= day < periods.last)
        customer = np.repeat(np.arange(len(count)), count)
        events.append((customer, day + rng.integers(0, _AFTER, len(customer))))
    return np.concatenate([e[0] for e in events]), np.concatenate([e[1] for e in events])


def draw_interactions(plan: ShopPlan, lives: Lives, periods: Grid, block: int, customers: pa.Array) -> pa.Table:
    """Draw visits, calls and mails: more with large customers, and with healthy ones."""
    rng, effect = plan.random("interactions", block), plan.world.health.meeting
    rate = (
        lives.of_type("contacts")[:, None] / WORKDAYS * np.exp(effect * customer_health(lives, periods) - effect**2 / 2)
    )
    customer, day = draw_events(rng, rate * is_present(lives, periods), periods)
    known = recording_days(rng, day, plan.world.late)
    order = by_customer(customer, day, while_customer(lives, customer, day) & (known < periods.last))
    mix = np.cumsum(plan.world.service.contact_mix)
    return as_settled_table(
        "interactions",
        {
            "customer_id": texts_by_place(customers, customer[order]),
            "interaction_id": event_ids("I", block * GRAIN, customer[order]),
            "day": day[order],
            "kind": texts_by_place(
                ("visit", "call", "mail"), np.searchsorted(mix[:-1], rng.random(len(order)) * mix[-1])
            ),
            "known_day": known[order],
        },
    )


def draw_surveys(plan: ShopPlan, lives: Lives, periods: Grid, block: int, customers: pa.Array) -> pa.Table:
    """Draw answered surveys: health, and the rest person and mood."""
    rng, weight = plan.random("surveys", block), plan.world.health.answering
    rate = np.full((len(lives.kind), len(periods.month)), plan.world.service.surveys / WORKDAYS)
    customer, day = draw_events(rng, rate * is_present(lives, periods), periods)
    known = recording_days(rng, day, plan.world.late)
    order = by_customer(customer, day, while_customer(lives, customer, day) & (known < periods.last))
    customer, day = customer[order], day[order]
    mood = mood_on(customer_health(lives, periods), periods, customer, day)
    unasked = rng.random((4, len(day))) < _UNASKED
    said = [draw_answers(rng, mood, weight) for _ in range(4)]
    return as_settled_table(
        "surveys",
        {
            "customer_id": texts_by_place(customers, customer),
            "survey_id": event_ids("Q", block * GRAIN, customer),
            "day": day,
            "nps": with_nulls(np.clip(np.round(20 + 40 * said[0]), -100, 100), unasked[0]),
            "recommend": with_nulls(np.clip(np.round(7 + 2 * said[1]), 0, 10), unasked[1]),
            "satisfaction": with_nulls(as_stars(said[2]), unasked[2]),
            "regard": with_nulls(as_stars(said[3]), unasked[3]),
            "known_day": known[order],
        },
    )
