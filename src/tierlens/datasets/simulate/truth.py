"""What nobody else can know: who each customer is, how likely it leaves, what hit it, and why it left."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from tierlens.datasets.simulate.drawn import numbered_ids, texts_by_place
from tierlens.datasets.simulate.grid import Flags, Grid, Ints
from tierlens.datasets.simulate.lives import (
    Lives,
    customer_health,
    leave_rate,
    monthly_chance,
    shock_course,
    shock_days,
)
from tierlens.datasets.simulate.plan import GRAIN, ShopPlan
from tierlens.sources.tables import day_date

# Who would have left within half a year anyway was only hurried by a shock.
HURRIED = 182


def ids_of(plan: ShopPlan, block: int) -> pa.Array:
    """Return the customer ids of a block."""
    return numbered_ids("K", np.arange(block * GRAIN, block * GRAIN + plan.size(block)))


def truth_of(plan: ShopPlan, lives: Lives, periods: Grid, block: int, days: Sequence[int] = ()) -> pa.Table:
    """Return the truth about the customers of a block.

    Parameters
    ----------
    plan : ShopPlan
    lives : Lives
    periods : Grid
    block : int
    days : sequence of int
        Days of which the hazard is wanted.

    Returns
    -------
    pyarrow.Table
        See :class:`~tierlens.datasets.simulate.shop.Simulated`.
    """
    rate = leave_rate(lives, customer_health(lives, periods))
    left = lives.end < periods.last
    now = np.minimum(lives.end, periods.last - 1)
    period = np.searchsorted(periods.bounds, now, "right") - 1
    row = np.arange(len(now))
    columns = {
        "customer_id": ids_of(plan, block),
        "type": texts_by_place([kind.name for kind in plan.world.types], lives.kind).cast(pa.string()),
        "base_hazard": monthly_chance(lives.leaving),
        "hazard": monthly_chance(rate[row, period]),
        "health": customer_health(lives, periods)[row, period],
        "started_on": pa.array(lives.start.astype(np.int32)),
        "ended_on": pa.array(lives.end.astype(np.int32), mask=~left),
        "ended_if_calm": pa.array(lives.calm_end.astype(np.int32), mask=lives.calm_end >= periods.last),
        "cause": _causes(lives, periods, period, left),
    }
    for place, (shock, day) in enumerate(zip(plan.world.shocks, shock_days(plan.world), strict=True)):
        happened = lives.hit[:, place] & (lives.end >= day) & (periods.first <= day < periods.last)
        name = f"{shock.name.replace(' ', '_')}_on"
        columns[name] = pa.array(np.full(len(now), day, np.int32), mask=~happened)
    for day in days:
        there = (lives.start <= day) & (lives.end >= day)
        columns[f"hazard_{day_date(day)}"] = pa.array(monthly_chance(rate[:, periods.at(day)]), mask=~there)
    return pa.table(columns)


def _causes(lives: Lives, periods: Grid, period: Ints, left: Flags) -> pa.Array:
    """Return the shock that made each customer leave: of those at work on that day, the strongest."""
    world = lives.world
    if not world.shocks:
        return pa.nulls(len(period), pa.string())
    acts = lives.hit * shock_course(world, periods)[:, period].T
    caused = left & (lives.calm_end > lives.end + HURRIED) & (acts.max(axis=1) > 0)
    return texts_by_place([shock.name for shock in world.shocks], acts.argmax(axis=1), ~caused).cast(pa.string())
