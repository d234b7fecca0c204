"""How a customer was served and paid: contracts, tickets, interactions and payments."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from tests.grader_oracle.days import (
    HALF_YEAR,
    MONTHS_A_HALF_YEAR,
    MONTHS_A_YEAR,
    QUARTER,
    TWO_YEARS,
    YEAR,
    within,
)
from tests.grader_oracle.shop import Row, Shop


@dataclass(frozen=True)
class Served:
    """What the four tables say of one customer; a share or a mean of nothing is None."""

    renewal_rate: Fraction | None
    fulfilment: Fraction | None
    complaints: int
    major_complaints: int
    enquiries_a_month: Fraction
    custom_requests: int
    satisfaction: Fraction | None
    interactions_a_month: Fraction
    on_time: Fraction | None


def served(shop: Shop, customer: str) -> Served:
    """Return how a customer was served and paid, as was known at the cutoff."""
    contacts = sum(within(shop.age(row["day"]), HALF_YEAR) for row in shop.of("interactions", customer))
    return Served(
        renewal_rate=_mean([Fraction(bool(row["renewed"])) for row in _ended(shop, customer, "renewed")]),
        fulfilment=_mean([written(row["fulfilled"]) for row in _ended(shop, customer, "fulfilled")]),
        complaints=len(_tickets(shop, customer, "complaint", YEAR)),
        major_complaints=sum(row["severity"] == "major" for row in _tickets(shop, customer, "complaint", QUARTER)),
        enquiries_a_month=Fraction(len(_tickets(shop, customer, "enquiry", YEAR)), MONTHS_A_YEAR),
        custom_requests=len(_tickets(shop, customer, "custom", HALF_YEAR)),
        satisfaction=_mean(_satisfactions(shop, customer)),
        interactions_a_month=Fraction(contacts, MONTHS_A_HALF_YEAR),
        on_time=_mean(_in_time(shop, customer)),
    )


def written(number: object) -> Fraction:
    """Return a number as it is written: 0.88 is 88 hundredths."""
    return Fraction(str(number))


def _mean(values: list[Fraction]) -> Fraction | None:
    return sum(values, Fraction(0)) / len(values) if values else None


def _ended(shop: Shop, customer: str, column: str) -> list[Row]:
    """Contracts whose last day lies in the last two years and of which it was known how they ended."""
    return [
        row
        for row in shop.of("contracts", customer)
        if row["end_day"] is not None and within(shop.age(row["end_day"]), TWO_YEARS)
        if row[column] is not None and shop.was(row["outcome_day"])
    ]


def _tickets(shop: Shop, customer: str, kind: str, days: int) -> list[Row]:
    rows = shop.of("tickets", customer)
    return [row for row in rows if row["kind"] == kind and within(shop.age(row["day"]), days)]


def _satisfactions(shop: Shop, customer: str) -> list[Fraction]:
    """What was said, in the last year, of the answer to a ticket of whatever age."""
    rows = [row for row in shop.of("tickets", customer) if row["satisfaction"] is not None]
    return [written(row["satisfaction"]) for row in rows if within(shop.age(row["rated_day"]), YEAR)]


def _in_time(shop: Shop, customer: str) -> list[Fraction]:
    """Of each invoice that fell due in the last year: 1 where it was paid in full by then, else 0."""
    rows = [row for row in shop.of("payments", customer) if within(shop.age(row["day"]), YEAR)]
    return [Fraction(_paid(shop, row)) for row in rows]


def _paid(shop: Shop, row: Row) -> bool:
    return shop.was(row["paid_day"]) and row["paid_day"] <= row["day"] and row["paid_amount"] >= row["amount"]
