"""What is asked for: how many customers and months, from which seed, in which world."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from tierlens.datasets.simulate.world import WORLD, World
from tierlens.errors import UsageError
from tierlens.words import Text

# Customers whose random numbers are drawn together. It is part of what a seed means: change it, and every shop changes.
GRAIN = 4_000
STREAMS = ("world", "lives", "people", "customers", "orders", "lines", "returns", "tickets", "interactions", "surveys",
           "payments", "contracts", "ratings", "dirt")  # fmt: skip


@dataclass(frozen=True)
class ShopPlan:
    """A shop that can be simulated: the same plan gives the same shop, line by line, however it is cut into blocks.

    Parameters
    ----------
    customers : int
        1 to 9,999,999.
    months : int
        1 to 600, from ``world.first_day`` on.
    seed : int
        At least 0.
    world : World
        All other numbers.

    Raises
    ------
    UsageError
        ``E-US-020`` when a number is out of bounds, or the first day is no first of a month.

    Examples
    --------
    >>> ShopPlan(customers=0)
    Traceback (most recent call last):
    tierlens.errors.UsageError: E-US-020 customers: 0 is out of bounds; give a whole number from 1 to 9999999
    """

    customers: int = 1000
    months: int = 36
    seed: int = 0
    world: World = WORLD

    def __post_init__(self) -> None:
        check_within("customers", self.customers, 1, 9_999_999)
        check_within("months", self.months, 1, 600)
        check_within("seed", self.seed, 0, 2**63 - 1)
        check_within("world.first_day (day of the month)", dt.date.fromisoformat(self.world.first_day).day, 1, 1)

    @property
    def grains(self) -> range:
        """The numbers of the blocks of customers that are drawn together."""
        return range(-(-self.customers // GRAIN))

    def size(self, grain: int) -> int:
        """Return the number of customers of a grain."""
        return min(GRAIN, self.customers - grain * GRAIN)

    def random(self, stream: str, grain: int = 0) -> np.random.Generator:
        """Return the generator of one stream, independent of all others.

        Parameters
        ----------
        stream : str
            One of ``STREAMS``: each table has its own, so that none changes when another does.
        grain : int
            Block of customers.
        """
        return np.random.default_rng([self.seed, grain, STREAMS.index(stream)])


def check_within(name: str, value: int, least: int, most: int) -> None:
    """Raise ``E-US-020`` when a number is out of its bounds, both included."""
    if not least <= value <= most:
        raise UsageError(
            "E-US-020",
            Text(f"{value} is out of bounds", f"{value} 超出范围"),
            where=name,
            fix=Text(f"give a whole number from {least} to {most}", f"请填写 {least} 到 {most} 的整数"),
        )
