"""Guide to sorting and keeping customer relationships (客户关系梳理及维护操作指南)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from tests.grader_oracle.days import MONTH, YEAR
from tests.grader_oracle.people import Customer, People, Verdict, Verdicts, each, tag, those
from tests.grader_oracle.points import Points, Value, by_cuts, by_words, first_that_holds, near, percentile, weighted

HIGH_ABOVE = 500_000
MIDDLE_FROM = 100_000
LOW_BELOW = 50_000
NEW_BELOW = 6 * MONTH
LOST_AFTER = 3 * MONTH
EXCELLENT, GOOD, FAIR = Fraction(9, 2), Fraction(7, 2), Fraction(5, 2)
"""Lowest mean of the four dimensions of health for each grade, on 1-5; poor is all below."""
# So many points from so much on; only what gives 5 is documented, the steps below it are a reading.
INTERACTIONS_A_MONTH = [(3, 5), (2, 4), (1, 3)]
NPS = [(50, 5), (30, 4), (0, 3), (-30, 2)]
DEPENDENCE = {"exclusive": 5, "primary": 4, "one_of_several": 3, "occasional": 2, "trial": 1}

# Readings where the document is silent: the notes of the scheme.
MOST, LEAST = 5, 1
"""Stability: the most points less one a month without a deal in the last six, at least the least."""
SOME_INTERACTION, NO_INTERACTION = 2, 1
ENDS = (1, 5)
TO_SCORE = Fraction(100, 5)
BORDERLINE = Fraction(5, 100)


def graded(people: People) -> Verdicts:
    """Return tier, scores, labels, trigger, tags and flags of each customer; all get a tier."""
    health, rfm = _health(people), _rfm(people)
    return {name: _verdict(customer, health[name], rfm[name]) for name, customer in people.items()}


def _health(people: People) -> Points:
    """Return the mean of stability, interactions, satisfaction and dependence, as far as they are known."""
    parts = [
        {name: Fraction(max(MOST - customer.bought.idle_months, LEAST)) for name, customer in people.items()},
        _interaction(each(people, lambda c: c.served.interactions_a_month)),
        by_cuts(each(people, lambda c: c.judged.nps), NPS, LEAST),
        by_words(each(people, lambda c: c.judged.dependence), DEPENDENCE),
    ]
    return {name: weighted((Fraction(1), points[name]) for points in parts) for name in people}


def _interaction(values: Mapping[str, Fraction]) -> Points:
    points = by_cuts(values, INTERACTIONS_A_MONTH, SOME_INTERACTION)
    return {name: points[name] if value > 0 else Fraction(NO_INTERACTION) for name, value in values.items()}


def _rfm(people: People) -> Points:
    """Return the mean of R, F and M as this document defines them; outside the composite."""
    values: list[dict[str, Value]] = [
        each(people, lambda c: c.bought.in_half_year),
        each(people, lambda c: c.bought.annual),
        each(people, lambda c: c.bought.order_value),
    ]
    parts = [percentile(each_of, *ENDS) for each_of in values]
    return {name: weighted((Fraction(1), points[name]) for points in parts) for name in people}


def _verdict(customer: Customer, health: Fraction | None, rfm: Fraction | None) -> Verdict:
    amount, recency = customer.bought.annual, customer.bought.recency
    value, idle = _value(amount), recency is not None and recency > LOST_AFTER
    labels = {
        "value": value,
        "stage": _stage(customer.bought.tenure, idle=idle),
        "demand": customer.judged.demand_kind if customer.judged.demand_kind in DEMANDS else None,
        "health": _grade(health),
    }
    flags = {
        "undocumented_band": LOW_BELOW <= amount < MIDDLE_FROM,
        "borderline": near(amount, (HIGH_ABOVE, MIDDLE_FROM, LOW_BELOW), BORDERLINE),
    }
    scores = {"score": _scored(health), "score_health": _scored(health), "score_rfm": _scored(rfm)}
    tags = _tags(customer, is_high=value == "high", idle=idle)
    return Verdict(value, scores, labels, those({"renewal_risk": idle}), tags, those(flags))


DEMANDS = {"product": "产品需求", "service": "服务需求", "custom": "定制需求"}


def _value(amount: Fraction) -> str | None:
    """50,000 to 100,000 belongs to no documented class; it is read as low, and flagged."""
    return first_that_holds([("high", amount > HIGH_ABOVE), ("middle", amount >= MIDDLE_FROM)], "low")


def _stage(tenure: int | None, *, idle: bool) -> str | None:
    """'Lost' wins over 'new' and 'existing'."""
    if tenure is None:
        return "prospective"
    return first_that_holds([("lost", idle), ("new", tenure < NEW_BELOW)], "existing")


def _grade(health: Fraction | None) -> str | None:
    if health is None:
        return None
    return first_that_holds([("excellent", health >= EXCELLENT), ("good", health >= GOOD), ("fair", health >= FAIR)],
                            "poor")  # fmt: skip


def _scored(mean: Fraction | None) -> Fraction | None:
    return None if mean is None else mean * TO_SCORE


def _tags(customer: Customer, *, is_high: bool, idle: bool) -> str:
    """Return the tags; the kind of demand is what sales wrote down, the three documented ones by their names."""
    tenure, kind = customer.bought.tenure, customer.judged.demand_kind
    years = None if tenure is None else f"{tenure // YEAR}年"
    bare = ("[高价值]" if is_high else "") + ("[续约风险]" if idle else "")
    described = tag("行业", customer.judged.industry) + tag("规模", customer.judged.size) + tag("合作时长", years)
    return described + bare + tag("需求", DEMANDS.get(kind or "", kind))
