"""Customers with all that the rows say of them, and what a grader says in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeVar

from tests.grader_oracle.bought import Bought, bought
from tests.grader_oracle.judged import Judged, judged
from tests.grader_oracle.served import Served, served
from tests.grader_oracle.shop import Shop


@dataclass(frozen=True)
class Customer:
    """What the rows of the eight tables say of one customer."""

    bought: Bought
    served: Served
    judged: Judged


People = Mapping[str, Customer]
Asked = TypeVar("Asked")


@dataclass(frozen=True)
class Verdict:
    """What a grader says of one customer.

    Parameters
    ----------
    tier : str or None
        None where the customer gets none.
    scores : mapping of str to Fraction or None
        On 0-100: ``score`` is the composite, ``score_<dimension>`` that of a dimension.
    labels : mapping of str to str or None
    triggers : frozenset of str
        Those that fired.
    tags : str
        In Chinese, one behind the other.
    flags : frozenset of str
        Those that a note of the scheme states.
    """

    tier: str | None
    scores: Mapping[str, Fraction | None] = field(default_factory=dict)
    labels: Mapping[str, str | None] = field(default_factory=dict)
    triggers: frozenset[str] = frozenset()
    tags: str = ""
    flags: frozenset[str] = frozenset()


Verdicts = dict[str, Verdict]


def everybody(shop: Shop) -> dict[str, Customer]:
    """Return all customers that are known at the cutoff."""
    return {name: Customer(bought(shop, name), served(shop, name), judged(shop, name)) for name in shop.everybody()}


def buyers(people: People) -> dict[str, Customer]:
    """Return the customers with a purchase in the year before the cutoff."""
    return {name: customer for name, customer in people.items() if customer.bought.in_year}


def with_history(people: People) -> dict[str, Customer]:
    """Return the customers who ever bought: a scheme that goes by score gives the others no tier."""
    return {name: customer for name, customer in people.items() if customer.bought.tenure is not None}


def each(people: People, ask: Callable[[Customer], Asked]) -> dict[str, Asked]:
    """Return what each customer answers."""
    return {name: ask(customer) for name, customer in people.items()}


def those(names: Mapping[str, bool]) -> frozenset[str]:
    """Return the names of which it is true."""
    return frozenset(name for name, is_so in names.items() if is_so)


def tag(label: str, value: object) -> str:
    """Return a tag; nothing where there is no value."""
    return "" if value is None else f"[{label}:{value}]"
