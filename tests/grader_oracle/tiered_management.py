"""Measures for tiered customer management (分级客户管理办法)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from tests.grader_oracle.people import People, Verdict, Verdicts, each, with_history
from tests.grader_oracle.points import Points, Value, by_words, first_that_holds, percentile, stretched, weighted

# Shares of the whole, in per cent.
WEIGHTS: Mapping[str, Mapping[str, int]] = {
    "value": {"amount": 30, "frequency": 10, "profit_contribution": 10},
    "potential": {"industry_outlook": 10, "business_growth": 10, "new_business": 10},
    "credit": {"credit_rating": 5, "payment_record": 5, "financial_position": 5},
    "loyalty": {"repeat_rate": 2, "recommendation": 2, "brand_regard": 1},
}
DIMENSIONS = {"value": 50, "potential": 30, "credit": 15, "loyalty": 5}
A, B, C = 85, 70, 55
"""Lowest score of each tier; D is all below. Scores are not rounded before they are compared."""

# Readings where the document is silent: the notes of the scheme.
ENDS = (0, 100)
QUALITY = {"excellent": 100, "good": 75, "fair": 50, "poor": 25, "bad": 0}
LIKELIHOOD = {"high": 100, "middle": 50, "low": 0}
RATING = {"AAA": 100, "AA": 90, "A": 80, "BBB": 70, "BB": 60, "B": 50, "CCC": 40, "CC": 30, "C": 20, "D": 0}
RECOMMENDED = (0, 10)
REGARDED = (1, 5)


def graded(people: People) -> Verdicts:
    """Return the tier and the scores of each customer; one who never bought has none."""
    old = with_history(people)
    points = _points(old)
    return {
        name: _verdict({i: p[name] for i, p in points.items()}) if name in old else Verdict(None) for name in people
    }


def _points(old: People) -> dict[str, Points]:
    """Amounts, counts and rates by percentile, ratings by table, answers stretched from their scale."""
    ranked: dict[str, dict[str, Value]] = {
        "amount": each(old, lambda c: c.bought.annual),
        "frequency": each(old, lambda c: c.bought.in_year),
        "profit_contribution": each(old, lambda c: c.judged.profit_contribution),
        "business_growth": each(old, lambda c: c.judged.business_growth),
        "payment_record": each(old, lambda c: c.served.on_time),
        "repeat_rate": each(old, lambda c: c.bought.repeat_rate),
    }
    return {
        **{name: percentile(values, *ENDS) for name, values in ranked.items()},
        "industry_outlook": by_words(each(old, lambda c: c.judged.industry_outlook), QUALITY),
        "new_business": by_words(each(old, lambda c: c.judged.new_business), LIKELIHOOD),
        "credit_rating": by_words(each(old, lambda c: c.judged.credit_rating), RATING),
        "financial_position": by_words(each(old, lambda c: c.judged.financial_position), QUALITY),
        "recommendation": stretched(each(old, lambda c: c.judged.recommend), RECOMMENDED, ENDS),
        "brand_regard": stretched(each(old, lambda c: c.judged.regard), REGARDED, ENDS),
    }


def _verdict(points: Mapping[str, Fraction | None]) -> Verdict:
    means = {
        dimension: weighted((Fraction(weight), points[name]) for name, weight in inside.items())
        for dimension, inside in WEIGHTS.items()
    }
    score = weighted((Fraction(DIMENSIONS[dimension]), mean) for dimension, mean in means.items())
    return Verdict(_tier(score), {"score": score, **{f"score_{name}": mean for name, mean in means.items()}})


def _tier(score: Fraction | None) -> str | None:
    if score is None:
        return None
    return first_that_holds([("A", score >= A), ("B", score >= B), ("C", score >= C)], "D")
