"""Time in the simulated shop: periods in which every rate is constant, and the working days in them."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tierlens.datasets.simulate.world import World
from tierlens.sources.tables import day_date, day_number

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Columns = dict[str, npt.NDArray[Any]]

MONTH = 30.4375  # days, on average
WORKDAYS = 21.0  # in a month: the unit of an order rate
_MONDAY = 4  # day 0, 1970-01-01, was a Thursday


class Grid(NamedTuple):
    """Consecutive periods: calendar months, cut where a shock happens.

    Parameters
    ----------
    bounds : array of int64, shape (periods + 1,)
        First day of each period, and the day after the last.
    month : array of int64, shape (periods,)
        Months since the first.
    season : array of float64, shape (periods,)
        Factor of the order rate.
    worked : array of int64
        All working days (Monday to Friday), ascending.
    offset : array of int64, shape (periods + 1,)
        Where the working days of each period begin in ``worked``.
    """

    bounds: Ints
    month: Ints
    season: Floats
    worked: Ints
    offset: Ints

    @property
    def first(self) -> int:
        """The first day."""
        return int(self.bounds[0])

    @property
    def last(self) -> int:
        """The day after the last."""
        return int(self.bounds[-1])

    def at(self, day: int) -> int:
        """Return the period of a day."""
        return int(np.searchsorted(self.bounds, day, "right")) - 1


def monthly_grid(world: World, months: int) -> Grid:
    """Return the periods of the first months of a world.

    Parameters
    ----------
    world : World
        Its first day, season and shocks count.
    months : int
        At least 1.

    Examples
    --------
    >>> months = monthly_grid(World(), 36)
    >>> len(months.month), months.last - months.first
    (37, 1096)
    """
    first = dt.date.fromisoformat(world.first_day)
    count = [first.year * 12 + first.month - 1 + m for m in range(months + 1)]
    starts = np.array([day_number(dt.date(m // 12, m % 12 + 1, 1)) for m in count], np.int64)
    hits = np.array([day_number(shock.day) for shock in world.shocks], np.int64)
    bounds = np.union1d(starts, hits[(hits > starts[0]) & (hits < starts[-1])])
    month = np.searchsorted(starts, bounds[:-1], "right") - 1
    season = np.array(world.season)[(np.array(count)[month]) % 12]
    days = np.arange(starts[0], starts[-1])
    worked = days[(days - _MONDAY) % 7 < 5]
    return Grid(bounds, month, season, worked, np.searchsorted(worked, bounds))


def months_until(world: World, day: int) -> int:
    """Return how many months from the first day on reach up to a day.

    Examples
    --------
    >>> months_until(World(), day_number("2023-03-01")), months_until(World(), day_number("2023-03-02"))
    (2, 3)
    """
    first, reached = dt.date.fromisoformat(world.first_day), day_date(day - 1)
    return (reached.year - first.year) * 12 + reached.month - first.month + 1


def draw_events(rng: np.random.Generator, rates: Floats, periods: Grid) -> tuple[Ints, Ints]:
    """Draw events of a Poisson process that happens on working days.

    Parameters
    ----------
    rng : Generator
    rates : array of float64, shape (customers, periods)
        Events a working day.
    periods : Grid

    Returns
    -------
    tuple of two arrays of int64
        Customer (row of ``rates``) and day of each event, by customer and period.
    """
    days = np.diff(periods.offset)
    counts = rng.poisson(rates * days)
    customers, wide = counts.shape
    cell = np.repeat(np.arange(customers * wide), counts.ravel())
    period = cell % wide
    nth = (rng.random(len(cell)) * days[period]).astype(np.int64)
    return cell // wide, periods.worked[periods.offset[period] + nth]
