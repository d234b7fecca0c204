"""Who the customers are, how their health moves, what hits them, and when they leave."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tierlens.datasets.simulate.grid import MONTH, WORKDAYS, Flags, Floats, Grid, Ints
from tierlens.datasets.simulate.plan import ShopPlan
from tierlens.datasets.simulate.world import World
from tierlens.sources.tables import day_number

NEVER = np.int64(10**9)  # later than any day: the customer has not left


class Lives(NamedTuple):
    """The latent side of a block of customers; nothing of it is in the tables.

    Parameters
    ----------
    world : World
    kind : array of int64, shape (customers,)
        Place of the type in ``world.types``.
    region : array of int64
        Place in ``world.regions``.
    pace : array of float64
        Factor of the type's order rate.
    leaving : array of float64
        Rate to leave a day, averaged over healths.
    start : array of int64
        First day as a customer, possibly before the shop's first day.
    born : array of int64
        The same, but not before the shop's first day.
    moods : array of float64, shape (customers, months)
        Health without shocks.
    hit : array of bool, shape (customers, shocks)
        Whom each shock hits if it is still a customer on that day; nobody who comes later.
    end : array of int64
        First day on which nothing is bought any more; ``NEVER`` for those who stay.
    calm_end : array of int64
        The same, had no shock happened.
    """

    world: World
    kind: Ints
    region: Ints
    pace: Floats
    leaving: Floats
    start: Ints
    born: Ints
    moods: Floats
    hit: Flags
    end: Ints
    calm_end: Ints

    def of_type(self, name: str) -> Floats:
        """Return a number of each customer's type."""
        return np.array([getattr(kind, name) for kind in self.world.types], np.float64)[self.kind]


def draw_lives(plan: ShopPlan, periods: Grid, block: int) -> Lives:
    """Draw the customers of a block.

    Types, paces and hazards are drawn once; health is an autoregressive process of first order by month; a shock lowers
    the health of those it hits, and the drop halves every ``half_life``; the day of leaving follows the hazard, which
    is constant in each period. Shocked and calm lives share their draws, so that their difference is the shocks' doing.

    Parameters
    ----------
    plan : ShopPlan
    periods : Grid
        Of the plan's months.
    block : int
        One of ``plan.grains``.
    """
    rng, n, world = plan.random("lives", block), plan.size(block), plan.world
    people = world.customers
    shares = np.array([kind.share for kind in world.types])
    kind = rng.choice(len(shares), n, p=shares / shares.sum())
    spread = rng.gamma(people.hazard_shape, 1 / people.hazard_shape, n)
    chance = np.array([each.hazard for each in world.types])[kind] * spread
    start = _starts(rng, n, world, periods)
    lives = Lives(
        world=world,
        kind=kind,
        region=rng.integers(0, len(world.regions), n),
        pace=rng.gamma(people.pace_shape, 1 / people.pace_shape, n),
        leaving=-np.log1p(-np.minimum(chance, 0.9)) / MONTH,
        start=start,
        born=np.maximum(start, periods.first),
        moods=_moods(rng, n, plan.months, world.health.persistence),
        hit=np.zeros((n, len(world.shocks)), np.bool_),
        end=np.full(n, NEVER),
        calm_end=np.full(n, NEVER),
    )
    luck = rng.exponential(1.0, n)
    calm_end = _ends(lives, periods, luck)
    lives = lives._replace(hit=_hits(rng, lives), calm_end=calm_end)
    return lives._replace(end=_ends(lives, periods, luck))


def shock_days(world: World) -> Ints:
    """Return the day of each shock."""
    return np.array([day_number(shock.day) for shock in world.shocks], np.int64)


def _starts(rng: np.random.Generator, n: int, world: World, periods: Grid) -> Ints:
    people = world.customers
    old = rng.random(n) < people.old
    ago = rng.random(n) * people.oldest * 365.25
    later = rng.random(n) * people.arriving * (periods.last - periods.first)
    return periods.first + np.floor(np.where(old, -ago, later)).astype(np.int64)


def _moods(rng: np.random.Generator, n: int, months: int, persistence: float) -> Floats:
    """Draw health as it would be without shocks: stationary, mean 0, spread 1."""
    moods = rng.standard_normal((n, months))
    news = np.sqrt(1 - persistence**2)
    for month in range(1, months):
        moods[:, month] = persistence * moods[:, month - 1] + news * moods[:, month]
    return moods


def _hits(rng: np.random.Generator, lives: Lives) -> Flags:
    world = lives.world
    hit = np.empty((len(lives.kind), len(world.shocks)), np.bool_)
    for place, (shock, day) in enumerate(zip(world.shocks, shock_days(world), strict=True)):
        reached = np.array([not shock.regions or region in shock.regions for region in world.regions])[lives.region]
        hit[:, place] = reached & (rng.random(len(lives.kind)) < shock.share) & (lives.start <= day)
    return hit


def _ends(lives: Lives, periods: Grid, luck: Floats) -> Ints:
    """Return the day on which the summed hazard reaches each customer's luck."""
    rate = leave_rate(lives, customer_health(lives, periods))
    since = np.maximum(periods.bounds[:-1][None, :], lives.born[:, None])
    summed = np.cumsum(rate * np.maximum(periods.bounds[1:][None, :] - since, 0), axis=1)
    period = (summed <= luck[:, None]).sum(axis=1)
    stays = period == rate.shape[1]
    row, period = np.arange(len(luck)), np.minimum(period, rate.shape[1] - 1)
    before = np.where(period > 0, summed[row, period - 1], 0.0)
    day = since[row, period] + np.floor((luck - before) / rate[row, period])
    return np.where(stays, NEVER, np.minimum(day, periods.bounds[period + 1] - 1)).astype(np.int64)


def shock_course(world: World, periods: Grid) -> Floats:
    """Return the health that each shock takes in each period from whom it hits, shape (shocks, periods)."""
    course = np.zeros((len(world.shocks), len(periods.month)))
    since = (periods.bounds[:-1] + periods.bounds[1:])[None, :] / 2 - shock_days(world)[:, None]
    for place, shock in enumerate(world.shocks):
        course[place] = shock.drop * 0.5 ** (np.maximum(since[place], 0) / shock.half_life)
    return np.where(since > 0, course, 0.0)


def shock_drop(lives: Lives, periods: Grid) -> Floats:
    """Return the health that shocks take from each customer in each period, shape (customers, periods)."""
    drop: Floats = lives.hit.astype(np.float64) @ shock_course(lives.world, periods)
    return drop


def customer_health(lives: Lives, periods: Grid) -> Floats:
    """Return the health of each customer in each period, shape (customers, periods)."""
    calm = lives.moods[:, periods.month]
    return calm - shock_drop(lives, periods) if lives.hit.any() else calm


def _wide(column: Floats, like: Floats) -> Floats:
    return column.reshape(-1, *[1] * (like.ndim - 1))


def leave_rate(lives: Lives, healths: Floats) -> Floats:
    """Return the rate to leave a day; over healths of mean 0 and spread 1 its mean is ``lives.leaving``.

    Parameters
    ----------
    lives : Lives
    healths : array of float64, shape (customers, ...)
    """
    effect = lives.world.health.leaving
    return _wide(lives.leaving, healths) * np.exp(-effect * healths - effect**2 / 2)


def monthly_chance(rate: Floats) -> Floats:
    """Return the probability to leave in a month of a rate a day.

    Examples
    --------
    >>> float(monthly_chance(np.array([0.0])).sum())
    0.0
    """
    return -np.expm1(-rate * MONTH)


def order_rate(lives: Lives, periods: Grid, period: int, healths: Floats) -> Floats:
    """Return the orders a working day in one period, for customers who have not left.

    Parameters
    ----------
    lives : Lives
    periods : Grid
    period : int
    healths : array of float64, shape (customers, ...)
    """
    trade, effect = lives.world.trade, lives.world.health.ordering
    swing = 1 + (periods.season[period] - 1) * lives.of_type("season")
    age = np.maximum(periods.bounds[period] - lives.born, 0) / MONTH
    growth = np.minimum(lives.of_type("growth") ** age, trade.growth_limit)
    base = lives.of_type("orders") * lives.pace * growth * np.maximum(swing, trade.season_floor) / WORKDAYS
    return _wide(base, healths) * np.exp(effect * healths - effect**2 / 2)


def order_rates(lives: Lives, periods: Grid) -> Floats:
    """Return the orders a working day in every period; 0 in periods without a day as a customer."""
    healths = customer_health(lives, periods)
    every = [order_rate(lives, periods, p, healths[:, p]) for p in range(healths.shape[1])]
    return np.stack(every, axis=1) * is_present(lives, periods)


def is_present(lives: Lives, periods: Grid) -> Flags:
    """Return whether someone is a customer on at least one day of each period, shape (customers, periods)."""
    begun = lives.start[:, None] < periods.bounds[1:][None, :]
    return begun & (lives.end[:, None] > periods.bounds[:-1][None, :])


def while_customer(lives: Lives, customer: Ints, day: Ints) -> Flags:
    """Return which events fall into the time as a customer."""
    return (day >= lives.start[customer]) & (day < lives.end[customer])
