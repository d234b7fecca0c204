"""Customer relationship rating system (客户关系评级体系)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from tests.grader_oracle.people import Customer, People, Verdict, Verdicts, each, those, with_history
from tests.grader_oracle.points import Points, Value, by_cuts, first_that_holds, weighted, z_score

# In per cent: of the whole, and inside the dimension as on the form. What is named but not on the form weighs nothing.
DIMENSIONS = {"value": 30, "stability": 25, "service": 20, "potential": 25}
WEIGHTS: Mapping[str, Mapping[str, int]] = {
    "value": {"annual_amount": 30, "order_value": 30, "frequency": 0, "profit_contribution": 40},
    "stability": {"tenure": 25, "renewal_rate": 40, "contract_fulfilment": 0, "complaints": 35},
    "service": {"enquiries": 30, "custom_requests": 50, "service_satisfaction": 20},
    "potential": {"industry_growth": 30, "expansion": 40, "new_demand_fit": 30},
}
ANNUAL_AMOUNT = [(1_000_000, 10), (500_000, 7)]
"""The general table: from so much a year on, so many points."""
ANNUAL_AMOUNT_BELOW = 3
A, B, C = 90, 75, 60
"""Lowest score of each tier; D is all below. Scores are not rounded before they are compared."""
TO_SCORE = 10
"""Points are 1-10, scores 0-100."""
DOWN_BY = Fraction(30, 100)
"""An amount that falls by so much has the customer graded again, as does a major complaint."""

# Readings where the document is silent: the notes of the scheme.
ENDS = (1, 10)
LINE = (Fraction(11, 2), Fraction(3, 2))
"""Points at the mean, and points of one standard deviation."""
FEWER_IS_BETTER = ("complaints",)


def graded(people: People) -> Verdicts:
    """Return the tier, the scores and the triggers of each customer; one who never bought has no tier."""
    old = with_history(people)
    points = _points(old)
    found = {}
    for name, customer in people.items():
        scores = scores_of({i: p[name] for i, p in points.items()}) if name in old else {}
        found[name] = Verdict(tier_of(scores.get("score")), scores, triggers=_triggers(customer))
    return found


def _compared(old: People) -> dict[str, dict[str, Value]]:
    """The values that have no table and are compared with those of all graded customers."""
    return {
        "order_value": each(old, lambda c: c.bought.order_value),
        "frequency": each(old, lambda c: c.bought.in_year),
        "profit_contribution": each(old, lambda c: c.judged.profit_contribution),
        "tenure": each(old, lambda c: c.bought.tenure),
        "renewal_rate": each(old, lambda c: c.served.renewal_rate),
        "contract_fulfilment": each(old, lambda c: c.served.fulfilment),
        "complaints": each(old, lambda c: c.served.complaints),
        "enquiries": each(old, lambda c: c.served.enquiries_a_month),
        "custom_requests": each(old, lambda c: c.served.custom_requests),
        "service_satisfaction": each(old, lambda c: c.served.satisfaction),
        "industry_growth": each(old, lambda c: c.judged.industry_growth),
        "expansion": each(old, lambda c: c.judged.expansion),
        "new_demand_fit": each(old, lambda c: c.judged.new_demand_fit),
    }


def _points(old: People) -> dict[str, Points]:
    compared = {
        name: z_score(values, LINE, ENDS, fewer_is_better=name in FEWER_IS_BETTER)
        for name, values in _compared(old).items()
    }
    amounts = each(old, lambda c: c.bought.annual)
    return {"annual_amount": by_cuts(amounts, ANNUAL_AMOUNT, ANNUAL_AMOUNT_BELOW), **compared}


def scores_of(points: Mapping[str, Fraction | None]) -> dict[str, Fraction | None]:
    """Return the composite and the score of each dimension, on 0-100, of the points of each indicator."""
    means = {
        dimension: weighted((Fraction(weight), points[name]) for name, weight in inside.items())
        for dimension, inside in WEIGHTS.items()
    }
    whole = weighted((Fraction(DIMENSIONS[dimension]), mean) for dimension, mean in means.items())
    named = {"score": whole, **{f"score_{name}": mean for name, mean in means.items()}}
    return {name: None if mean is None else mean * TO_SCORE for name, mean in named.items()}


def tier_of(score: Fraction | None) -> str | None:
    """Return the tier of a composite."""
    if score is None:
        return None
    return first_that_holds([("A", score >= A), ("B", score >= B), ("C", score >= C)], "D")


def _triggers(customer: Customer) -> frozenset[str]:
    """The last 90 days are held against the 90 before them; a major complaint of the last 90 days counts."""
    last, before, _ = customer.bought.quarters
    down = before > 0 and last <= (1 - DOWN_BY) * before
    return those({"amount_down": down, "major_complaint": customer.served.major_complaints > 0})
