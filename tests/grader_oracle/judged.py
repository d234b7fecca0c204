"""What people say of a customer and who it is: ratings, surveys and the table of customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests.grader_oracle.days import ANSWER_HOLDS, RATING_HOLDS, TWO_YEARS, within
from tests.grader_oracle.served import written
from tests.grader_oracle.shop import Row, Shop

ALWAYS = -719_162
"""Day of a customer's row that does not say from when it holds."""
PER_CENT = 100


@dataclass(frozen=True)
class Judged:
    """What is known of one customer; None where nothing is, or nothing that is recent enough."""

    credit_rating: str | None
    financial_position: str | None
    industry_outlook: str | None
    new_business: str | None
    dependence: str | None
    demand_kind: str | None
    profit_contribution: Fraction | None
    industry_growth: Fraction | None
    business_growth: Fraction | None
    new_demand_fit: Fraction | None
    expansion: Fraction | None
    nps: Fraction | None
    recommend: Fraction | None
    regard: Fraction | None
    industry: str | None
    section: str | None
    size: str | None
    employees: int | None


def judged(shop: Shop, customer: str) -> Judged:
    """Return what people say of a customer and who it is, as was known at the cutoff."""
    return Judged(
        credit_rating=_word(shop, customer, "credit_rating"),
        financial_position=_word(shop, customer, "financial_position"),
        industry_outlook=_word(shop, customer, "industry_outlook"),
        new_business=_word(shop, customer, "new_business_likelihood"),
        dependence=_word(shop, customer, "dependence"),
        demand_kind=_word(shop, customer, "demand_kind"),
        profit_contribution=_number(shop, customer, "profit_contribution"),
        industry_growth=_number(shop, customer, "industry_growth"),
        business_growth=_number(shop, customer, "business_growth"),
        new_demand_fit=_number(shop, customer, "new_demand_fit"),
        expansion=_expansion(shop, customer),
        nps=_answer(shop, customer, "nps"),
        recommend=_answer(shop, customer, "recommend"),
        regard=_answer(shop, customer, "regard"),
        industry=_described(shop, customer, "industry"),
        section=_described(shop, customer, "industry_section"),
        size=_described(shop, customer, "company_size"),
        employees=_described(shop, customer, "employees"),
    )


def _newest(rows: Sequence[Row]) -> list[Row]:
    """Of several, those of the latest day, and of these the ones that were recorded last."""
    latest = max(((row["day"], row["known_day"]) for row in rows), default=None)
    return [row for row in rows if (row["day"], row["known_day"]) == latest]


def _word(shop: Shop, customer: str, name: str) -> str | None:
    """Return the latest rating of a name; the larger of two that were recorded on one day."""
    rows = _newest([row for row in shop.of("ratings", customer) if row["name"] == name])
    return max((row["value"] for row in rows if within(shop.age(row["day"]), RATING_HOLDS)), default=None)


def _number(shop: Shop, customer: str, name: str) -> Fraction | None:
    """Return the latest rating of a name as a number; 12 % and 0.12 are the same."""
    rows = _newest([row for row in shop.of("ratings", customer) if row["name"] == name])
    values = [_said(row["value"]) for row in rows if within(shop.age(row["day"]), RATING_HOLDS)]
    return max(values, default=None)


def _said(text: str) -> Fraction:
    bare = text.strip().removesuffix("%")
    return Fraction(bare) / (1 if bare == text.strip() else PER_CENT)


def _answer(shop: Shop, customer: str, question: str) -> Fraction | None:
    """Return the latest answer to a question."""
    rows = _newest([row for row in shop.of("surveys", customer) if row[question] is not None])
    values = [written(row[question]) for row in rows if within(shop.age(row["day"]), ANSWER_HOLDS)]
    return max(values, default=None)


def _described(shop: Shop, customer: str, column: str) -> Any:
    """Return a column of the row that held at the cutoff."""
    return _column(_newest(shop.of("customers", customer)), column)


def _column(rows: Sequence[Row], column: str) -> Any:
    return max((row[column] for row in rows if row[column] is not None), default=None)


def _expansion(shop: Shop, customer: str) -> Fraction | None:
    """Return how fast the customer grows over two years: as sales judged it, or else by head counts."""
    by_sales = _number(shop, customer, "expansion_2y")
    return _head_count_growth(shop, customer) if by_sales is None else by_sales


def _head_count_growth(shop: Shop, customer: str) -> Fraction | None:
    """Return the head count of now against that of two years ago; the first must be younger than that."""
    rows = [row for row in shop.of("customers", customer) if row["day"] != ALWAYS]
    now = _newest(shop.of("customers", customer))
    before = _newest([row for row in rows if shop.age(row["day"]) >= TWO_YEARS])
    heads = _column([row for row in now if shop.age(row["day"]) < TWO_YEARS], "employees")
    heads_before = _column(before, "employees")
    return Fraction(heads, heads_before) - 1 if heads is not None and heads_before else None
