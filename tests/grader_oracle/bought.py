"""What a customer bought: worked out from the lines of transactions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from tests.grader_oracle.days import (
    HALF_YEAR_OF_ORDERS,
    MONTHS_A_HALF_YEAR,
    QUARTER,
    TWO_YEARS,
    YEAR,
    twelfth,
    within,
)
from tests.grader_oracle.shop import Row, Shop

MINOR = 100
"""Minor units in one yuan."""


@dataclass(frozen=True)
class Order:
    """One order of one day: its age in days, what was bought and what was given back, in yuan."""

    age: int
    spent: Fraction
    net: Fraction


@dataclass(frozen=True)
class Bought:
    """Orders of one customer, by age.

    Parameters
    ----------
    orders : sequence of Order
        Purchases and returns.
    """

    orders: Sequence[Order]

    @property
    def purchases(self) -> list[Order]:
        """The orders with which something was bought."""
        return [order for order in self.orders if order.spent > 0]

    @property
    def recency(self) -> int | None:
        """Days since the last purchase; None without one."""
        return min((order.age for order in self.purchases), default=None)

    @property
    def tenure(self) -> int | None:
        """Days since the first purchase; None without one."""
        return max((order.age for order in self.purchases), default=None)

    def count(self, days: int) -> int:
        """Return the purchase orders of the last days."""
        return sum(within(order.age, days) for order in self.purchases)

    def spent(self, days: int, ago: int = 0) -> Fraction:
        """Return what was bought in the days that end ``ago`` days before the cutoff, before returns."""
        return sum((order.spent for order in self.orders if within(order.age, days, ago)), Fraction(0))

    @property
    def in_year(self) -> int:
        """Purchase orders of the year."""
        return self.count(YEAR)

    @property
    def in_half_year(self) -> int:
        """Purchase orders of the last 180 days."""
        return self.count(HALF_YEAR_OF_ORDERS)

    @property
    def annual(self) -> Fraction:
        """Purchases of the year less what was given back in it."""
        return sum((order.net for order in self.orders if within(order.age, YEAR)), Fraction(0))

    @property
    def order_value(self) -> Fraction | None:
        """Purchases of the year by order, before returns; None without an order."""
        return self.spent(YEAR) / self.in_year if self.in_year else None

    @property
    def year_before(self) -> Fraction:
        """Purchases of the year before the last."""
        return self.spent(TWO_YEARS - YEAR, YEAR)

    @property
    def quarters(self) -> tuple[Fraction, Fraction, Fraction]:
        """Purchases of the last 90 days, of the 90 before them, and of the 90 before those."""
        last, before, first = (self.spent(QUARTER, ago * QUARTER) for ago in range(3))
        return last, before, first

    @property
    def repeat_rate(self) -> Fraction | None:
        """Share of the year's days of purchase that follow another; None without one."""
        days = len({order.age for order in self.purchases if within(order.age, YEAR)})
        return Fraction(days - 1, days) if days else None

    @property
    def idle_months(self) -> int:
        """Months without a purchase among the last six twelfths of a year."""
        busy = {twelfth(order.age) for order in self.purchases}
        return sum(month not in busy for month in range(MONTHS_A_HALF_YEAR))


def bought(shop: Shop, customer: str) -> Bought:
    """Return what a customer bought; an order is what he has under one number on one day."""
    lines: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in shop.of("transactions", customer):
        lines[row["order_id"], row["day"]].append(row)
    return Bought([_order(shop.age(day), rows) for (_, day), rows in lines.items()])


def _order(age: int, rows: Sequence[Row]) -> Order:
    spent = sum(row["amount"] for row in rows if row["kind"] == "purchase")
    return Order(age, Fraction(spent, MINOR), Fraction(sum(row["amount"] for row in rows), MINOR))
