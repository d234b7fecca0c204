"""What a feature is: one column of a snapshot, with all that a reader must know about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import narwhals as nw

from tierlens.features.windows import Window, trailing_rows, twelfth_ends
from tierlens.words import Text

Direction = Literal["up", "down", "none"]
Beside = Literal["customers", "contracts", "tickets", "interactions", "surveys", "payments", "ratings"]
Plane = Literal["orders", "products", "derived", "learned"] | Beside

DIMENSIONS: dict[str, Text] = {
    "value": Text("value", "价值"),
    "stability": Text("stability", "稳定性"),
    "service": Text("service demand", "服务需求"),
    "potential": Text("potential", "潜力"),
    "credit": Text("credit", "信用"),
    "loyalty": Text("loyalty", "忠诚度"),
}


PIECE = 1024.0
"""Quantities are summed in whole parts of a piece; a power of two, so that no engine rounds unlike another."""


@dataclass(frozen=True)
class Feature:
    """A column of a snapshot.

    Parameters
    ----------
    name : str
        Column name; says the thing and its unit.
    title : Text
        What people call it, English and Chinese.
    unit : str
        ``days``, ``orders``, ``money`` (minor units), ``months``, ``products``, ``ratio``, ``share``, ``times``,
        ``a month``, ``score``, ``points`` or ``people``; ``text`` where the column is no number.
    dimension : str
        A key of ``DIMENSIONS``.
    direction : {"up", "down", "none"}
        Whether more of it speaks well or badly of the customer.
    formula : str
        In words, exactly.
    missing : str
        What a missing value means; empty where it cannot be missing.
    plane : {"orders", "products", "derived", "learned"} or the name of a table
        What it is summed from: one row an order, one row a customer's product, other features, or the rows of a table
        beside transactions (see :mod:`tierlens.features.families.event_rows`). One that is learned is no expression but
        comes of a model of all customers known at the cutoff.
    build : callable
        From a window to the expression; an aggregate on its plane, or arithmetic on the columns in ``needs``.
    needs : tuple of str
        Other features that the expression reads (derived ones only).
    family : str
        Features that tell the same story share a family, so that one customer gets it as one reason.
    tables : tuple of str
        Tables it needs.
    neighbours : bool
        Whether the expression reads ``gap`` or ``next_day``: what one purchase says of the one beside it.
    without : int, optional
        What a customer without any row in the table has; missing where None. Of features of transactions, which every
        customer of a snapshot has, see :func:`tierlens.features.snapshot.build_snapshots`.
    either : bool
        Whether ``needs`` are alternatives: one of them is enough, and those whose tables are not there are missing.
    """

    name: str
    title: Text
    unit: str
    dimension: str
    direction: Direction
    formula: str
    missing: str
    plane: Plane
    build: Callable[[Window], nw.Expr]
    needs: tuple[str, ...] = ()
    family: str = ""
    tables: tuple[str, ...] = ("transactions",)
    neighbours: bool = False
    without: int | None = None
    either: bool = False

    @property
    def label(self) -> str:
        """The Chinese label."""
        return self.title.zh

    @property
    def is_learned(self) -> bool:
        """Whether it is learned from all customers known at the cutoff, so that others change it."""
        return self.plane == "learned"


def rounded_whole(expression: nw.Expr) -> nw.Expr:
    """Give counts and days the same type on every engine."""
    return expression.cast(nw.Int64)


def money_in(column: str, days: int, ago: int = 0) -> nw.Expr:
    """Sum of a money column of orders over the ``days`` days that end ``ago`` days before the cutoff."""
    return rounded_whole(nw.when(trailing_rows(days, ago)).then(nw.col(column)).otherwise(0).sum())


def orders_in(days: int, ago: int = 0) -> nw.Expr:
    """Purchase orders in those days: ``buys`` is 1 on the first row of an order, 0 on returns and on later rows."""
    return money_in("buys", days, ago)


def count_twelfths(numbers: range, observe: int) -> nw.Expr:
    """Count the twelfths of a year with a purchase: a flag for each, as engines count distinct values unlike."""
    here = {number: nw.col("bought_period") == number for number in numbers}
    # Equal flags of several features are one aggregate to the engine, so a bound that says nothing new is left out.
    cut = {n: each & trailing_rows(observe) if twelfth_ends(n) > observe else each for n, each in here.items()}
    return rounded_whole(nw.sum_horizontal(*(rounded_whole(each.any()) for each in cut.values())))


def ratio_of(over: str, under: str) -> nw.Expr:
    """Quotient of two columns; missing where the lower one is not positive."""
    return nw.when(nw.col(under) > 0).then(nw.col(over).cast(nw.Float64) / nw.col(under).cast(nw.Float64))
