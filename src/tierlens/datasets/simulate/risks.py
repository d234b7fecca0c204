"""The true risk at a cutoff, worked out from the process that makes the data."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from tierlens.datasets.simulate.grid import Floats, Grid, monthly_grid, months_until
from tierlens.datasets.simulate.lives import Lives, draw_lives, leave_rate, monthly_chance, order_rate, shock_drop
from tierlens.datasets.simulate.plan import ShopPlan, check_within
from tierlens.datasets.simulate.truth import ids_of
from tierlens.sources.tables import day_number

_REACH = 5.0  # spreads of health that are looked at, up and down
_FINEST = 0.02  # least spread of a month's news


class _Future(NamedTuple):
    """What holds for every block: periods, the days asked for, and how health moves from month to month."""

    periods: Grid
    cutoff: int
    until: int
    nodes: Floats
    persistence: float
    news: float

    def weights(self, moods: Floats) -> Floats:
        """Return the probability of each node next month, for each health of this one."""
        away = (self.nodes[None, :] - self.persistence * moods[:, None]) / self.news
        weights: Floats = np.exp(-(away**2) / 2)
        weights /= weights.sum(axis=1, keepdims=True)
        return weights


class _Chances(NamedTuple):
    """Probabilities from some day to the end of the horizon, for those who are customers on that day."""

    quiet: Floats
    stays: Floats


def truth_at(plan: ShopPlan, cutoff: str | int, horizon: int = 90) -> pa.Table:
    """Return each customer's true risk at a cutoff: the best that any model could predict.

    The probabilities are those of the generating process, given the latent state on the day before the cutoff: order
    rate, hazard and health. Health of later months is not known then and is integrated out on a grid a quarter of a
    spread apart; within a month the recursion goes day by day and is exact. Shocks after the cutoff are part of the
    process, and whom they will hit is taken as known, so that the mean agrees with what happens. One thing is left out:
    an order whose late record falls after the last day of the data is in no table.

    Parameters
    ----------
    plan : ShopPlan
    cutoff : str or int
        ISO date or day number, after the first day and not after the day that follows the last.
    horizon : int
        Days from the cutoff on, 1 to 3,650; it may reach past the months of the plan.

    Returns
    -------
    pyarrow.Table
        One row a customer, by id: ``customer_id``; ``cutoff`` (int32); ``active`` (bool: came before the cutoff and has
        not left); ``hazard`` (probability, 0-1, to leave in a month, as of the day before the cutoff; null unless
        active); ``leaves`` (probability to leave within the horizon) and ``no_purchase`` (probability of no purchase in
        the horizon), both 1 for those who have left and null for those who come later.

    Raises
    ------
    UsageError
        ``E-US-020`` when the cutoff or the horizon is out of bounds.

    Examples
    --------
    >>> risk = truth_at(ShopPlan(customers=50), "2025-06-01", 90)
    >>> risk.column_names
    ['customer_id', 'cutoff', 'active', 'hazard', 'leaves', 'no_purchase']
    >>> all(0 < row["leaves"] < 1 and 0 < row["no_purchase"] < 1 for row in risk.to_pylist() if row["active"])
    True
    """
    day, own = day_number(cutoff), monthly_grid(plan.world, plan.months)
    check_within("cutoff", day, own.first + 1, own.last)
    check_within("horizon", horizon, 1, 3_650)
    persistence = plan.world.health.persistence
    news = max(float(np.sqrt(1 - persistence**2)), _FINEST)
    nodes = np.linspace(-_REACH, _REACH, 2 * int(np.ceil(_REACH / min(0.25, 0.6 * news))) + 1)
    periods = monthly_grid(plan.world, max(months_until(plan.world, day + horizon), plan.months))
    future = _Future(periods, day, day + horizon, nodes, persistence, news)
    return pa.concat_tables([_risks(plan, own, future, block) for block in plan.grains]).combine_chunks()


def _risks(plan: ShopPlan, own: Grid, future: _Future, block: int) -> pa.Table:
    lives, day = draw_lives(plan, own, block), future.cutoff
    drops = shock_drop(lives, future.periods)
    month = int(future.periods.month[future.periods.at(day - 1)])
    moods = lives.moods[:, month]
    chances = _now(lives, future, drops, month, _later(lives, future, drops, month))
    rate = leave_rate(lives, moods - drops[:, future.periods.at(day - 1)])
    to_come, gone = lives.start >= day, (lives.end < day)
    return pa.table(
        {
            "customer_id": ids_of(plan, block),
            "cutoff": pa.array(np.full(len(moods), day, np.int32)),
            "active": ~to_come & ~gone,
            "hazard": pa.array(monthly_chance(rate), mask=to_come | gone),
            "leaves": pa.array(np.where(gone, 1.0, 1 - chances.stays), mask=to_come),
            "no_purchase": pa.array(np.where(gone, 1.0, chances.quiet), mask=to_come),
        }
    )


def _later(lives: Lives, future: _Future, drops: Floats, month: int) -> _Chances:
    """Work backwards through the months after the one that is known; return chances by health of that one's end."""
    wide = (len(lives.kind), len(future.nodes))
    chances = _Chances(np.ones(wide), np.ones(wide))
    last = future.periods.at(future.until - 1)
    between = future.weights(future.nodes).T
    for period in range(last, -1, -1):
        of = int(future.periods.month[period])
        if of <= month:
            break
        chances = _through(lives, future, period, future.nodes[None, :] - drops[:, period, None], chances)
        begins = int(future.periods.month[period - 1]) != of
        if begins and of > month + 1:
            chances = _Chances(chances.quiet @ between, chances.stays @ between)
    weights = future.weights(lives.moods[:, month])
    return _Chances((chances.quiet * weights).sum(axis=1), (chances.stays * weights).sum(axis=1))


def _now(lives: Lives, future: _Future, drops: Floats, month: int, chances: _Chances) -> _Chances:
    """Work backwards through what is left of the known month."""
    of = future.periods.month
    for period in range(future.periods.at(future.until - 1), future.periods.at(future.cutoff) - 1, -1):
        if of[period] == month:
            chances = _through(lives, future, period, lives.moods[:, month] - drops[:, period], chances)
    return chances


def _through(lives: Lives, future: _Future, period: int, healths: Floats, chances: _Chances) -> _Chances:
    """Go back day by day through one period, for those who are customers on its first day within the horizon.

    On each day a customer leaves, and buys nothing from that day on, or stays and, on a working day, may buy.
    """
    periods = future.periods
    from_day = max(int(periods.bounds[period]), future.cutoff)
    to_day = min(int(periods.bounds[period + 1]), future.until)
    stays = np.exp(-leave_rate(lives, healths))
    leaves, idle = 1 - stays, stays * np.exp(-order_rate(lives, periods, period, healths))
    worked = set(periods.worked[periods.offset[period] : periods.offset[period + 1]].tolist())
    quiet = chances.quiet
    for day in range(to_day - 1, from_day - 1, -1):
        quiet = (idle if day in worked else stays) * quiet
        quiet += leaves
    return _Chances(quiet, chances.stays * stays ** (to_day - from_day))
