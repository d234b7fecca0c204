"""Five steps to tiered customer management (客户分级管理5步流程)."""

from __future__ import annotations

from fractions import Fraction

from tests.grader_oracle.days import MONTH
from tests.grader_oracle.people import Customer, People, Verdict, Verdicts, each, those
from tests.grader_oracle.points import first_that_holds, near, percentile, weighted

STRATEGIC_ABOVE = 1_000_000
"""Strategic is more than this a year; exactly this is core."""
CORE_FROM = 300_000
WAKE_AFTER = 6 * MONTH
"""A low-value customer, below core, without a deal for more than six months is woken; it is not said from when on the
sleep is too long, so no sleep is."""

# Readings where the document is silent: the notes of the scheme.
ENDS = (1, 5)
"""R, F and M are percentiles among the graded customers, stretched onto these points; the three weigh alike."""
TO_SCORE = Fraction(100, 5)
BORDERLINE = Fraction(5, 100)


def graded(people: People) -> Verdicts:
    """Return tier, scores, trigger and flag of each customer.

    One who bought before, but not in the year, fits none of the four and gets no tier.
    """
    tiers = each(people, _tier)
    scores = _scores({name: customer for name, customer in people.items() if tiers[name] is not None})
    return {name: _verdict(customer, tiers[name], scores.get(name)) for name, customer in people.items()}


def _tier(customer: Customer) -> str | None:
    amount, bought = customer.bought.annual, customer.bought
    rules = [
        ("strategic", amount > STRATEGIC_ABOVE),
        ("core", amount >= CORE_FROM),
        ("development", bought.in_year > 0),
        ("prospective", bought.tenure is None),
    ]
    return first_that_holds(rules)


def _scores(known: People) -> dict[str, Fraction]:
    parts = [
        percentile(each(known, lambda c: c.bought.recency), *ENDS, fewer_is_better=True),
        percentile(each(known, lambda c: c.bought.in_year), *ENDS),
        percentile(each(known, lambda c: c.bought.annual), *ENDS),
    ]
    means = {name: weighted((Fraction(1), points[name]) for points in parts) for name in known}
    return {name: mean * TO_SCORE for name, mean in means.items() if mean is not None}


def _verdict(customer: Customer, tier: str | None, score: Fraction | None) -> Verdict:
    recency = customer.bought.recency
    idle = customer.bought.annual < CORE_FROM and recency is not None and recency > WAKE_AFTER
    flags = those({"borderline": near(customer.bought.annual, (STRATEGIC_ABOVE, CORE_FROM), BORDERLINE)})
    scores = {"score": score, "score_rfm": score}
    labels = {"value": tier, "stage": _stage(customer)}
    return Verdict(tier, scores, labels, those({"to_wake": idle}), flags=flags)


def _stage(customer: Customer) -> str:
    """A deal closed within the year; churned where the last one lies before it; potential where there was none."""
    if customer.bought.tenure is None:
        return "potential"
    return "closed" if customer.bought.in_year else "churned"
