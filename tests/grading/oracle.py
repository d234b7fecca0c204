"""The slow grader: one customer at a time, in exact fractions, written from the scheme language's documentation.

It shares nothing with the expression but the scheme's numbers. Values are in the units of the feature table.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from quicktions import Fraction

from tierlens.grading.scheme.scheme import Scheme
from tierlens.sources.tables import Currency

PLACES = 10**9


def whole_places(x: Fraction) -> Fraction:
    """Nine places, halves upward."""
    return Fraction((2 * x.numerator * PLACES + x.denominator) // (2 * x.denominator), PLACES)


def mean(parts: list[tuple[Fraction, Fraction | None]]) -> Fraction | None:
    """Weighted mean of what is there."""
    there = [(weight, value) for weight, value in parts if value is not None and weight]
    under = sum((weight for weight, _ in there), Fraction(0))
    return sum((weight * value for weight, value in there), Fraction(0)) / under if under else None


class Oracle:
    """Grades a population, a list of rows, by brute force."""

    def __init__(self, scheme: Scheme, currency: Currency, rows: list[dict[str, Any]], columns: set[str]) -> None:
        self.scheme, self.currency, self.rows, self.columns = scheme, currency, rows, columns
        self.cache: dict[Any, Any] = {}

    def bound(self, column: str, value: Decimal) -> Fraction:
        if ("bound", column, value) not in self.cache:
            self.cache["bound", column, value] = self.converted(column, value)
        found: Fraction = self.cache["bound", column, value]
        return found

    def converted(self, column: str, value: Decimal) -> Fraction:
        use = self.scheme.features.get(column)
        if use is None or use.unit != "money":
            return Fraction(value)
        code = str(self.scheme.currency)
        rate = Fraction(1) if code == self.currency.code else Fraction(self.currency.rates[code])
        return Fraction(value) * self.currency.minor / rate

    def inside(self, column: str, band: Any, value: Any) -> bool:
        x = Fraction(value)
        tests = {
            "at_least": lambda b: x >= b,
            "above": lambda b: x > b,
            "below": lambda b: x < b,
            "at_most": lambda b: x <= b,
        }
        given = {name: getattr(band, name) for name in tests}
        return all(tests[name](self.bound(column, v)) for name, v in given.items() if v is not None)

    def source(self, indicator: Any) -> str | None:
        if indicator.feature in self.columns:
            return indicator.feature
        usable = indicator.proxy is not None and self.scheme.use_proxies and indicator.proxy.feature in self.columns
        return indicator.proxy.feature if usable else None

    def population(self, column: str, cutoff: int) -> list[Fraction]:
        if (column, cutoff) not in self.cache:
            values = [row[column] for row in self.rows if row["cutoff"] == cutoff and self.counts(row)]
            self.cache[column, cutoff] = sorted(Fraction(v) for v in values if v is not None)
        people: list[Fraction] = self.cache[column, cutoff]
        return people

    def counts(self, row: Mapping[str, Any]) -> bool:
        """Say whether a customer is of the population: not who never bought, under scores; nor whom no rule names."""
        if self.scheme.tier_by != "score":
            label = next(label for label in self.scheme.labels if label.id == self.scheme.tier_by)
            read = {name for rule in label.rules for when in rule.when for name in when}
            told_before = label.otherwise is None and read <= set(self.scheme.features)
            return not told_before or any(self.holds(rule.when, row) for rule in label.rules)
        if not {"frequency", "tenure_days"} <= self.columns:
            return True
        return row["tenure_days"] is not None or (row["frequency"] or 0) > 0

    def summed(self, column: str, cutoff: int) -> list[Fraction]:
        """Real numbers are cut to millionths (money: hundredths of a minor unit) before they are summed."""
        if ("cut", column, cutoff) not in self.cache:
            use = self.scheme.features[column]
            fine = 100 if use.unit == "money" else 10**6
            people = self.population(column, cutoff)
            self.cache["cut", column, cutoff] = [Fraction(round(x * fine), fine) for x in people]
        return self.cache["cut", column, cutoff]

    def shape(self, column: str, cutoff: int) -> tuple[Fraction, float]:
        """Mean and standard deviation of the population."""
        if ("shape", column, cutoff) not in self.cache:
            people = self.summed(column, cutoff)
            centre = sum(people, Fraction(0)) / len(people)
            squares = sum((p * p for p in people), Fraction(0))
            self.cache["shape", column, cutoff] = (centre, math.sqrt(squares / len(people) - centre * centre))
        return self.cache["shape", column, cutoff]

    def points(self, indicator: Any, row: Mapping[str, Any]) -> Fraction | None:
        by_hand = row.get(f"points_{indicator.id}")
        low, high = Fraction(self.scheme.points.low), Fraction(self.scheme.points.high)
        if by_hand is not None and low <= by_hand <= high:
            return whole_places(Fraction(by_hand))
        source = self.source(indicator)
        value = None if source is None else row[source]
        return None if value is None or source is None else self.computed(indicator, source, row)

    def computed(self, indicator: Any, source: str, row: Mapping[str, Any]) -> Fraction | None:
        low, high = Fraction(self.scheme.points.low), Fraction(self.scheme.points.high)
        value = row[source]
        if indicator.ordinal is not None:
            found = indicator.ordinal.get(value)
            return None if found is None else Fraction(found)
        if indicator.given is not None:
            a, b = self.bound(source, indicator.given.low), self.bound(source, indicator.given.high)
            if not a <= Fraction(value) <= b:
                return None
            share = (Fraction(value) - a) / (b - a)
            return whole_places(low + (share if indicator.direction == "up" else 1 - share) * (high - low))
        for cut in indicator.cuts or (indicator.tables or {}).get(self.scheme.table, ()):
            if self.inside(source, cut, value):
                return Fraction(cut.points)
        compared = self.compared(indicator, source, row)
        return None if compared is None else whole_places(min(max(compared, low), high))

    def compared(self, indicator: Any, source: str, row: Mapping[str, Any]) -> Fraction | None:
        people, x = self.population(source, row["cutoff"]), Fraction(row[source])
        low, high = Fraction(self.scheme.points.low), Fraction(self.scheme.points.high)
        up = indicator.direction == "up"
        rule = indicator.normalise
        if not people:
            return None
        if rule.method == "z_score":
            centre, spread = self.shape(source, row["cutoff"])
            if not spread:
                return Fraction(rule.centre)
            z = (x - centre) / Fraction(spread)
            return Fraction(rule.centre) + Fraction(rule.slope) * (z if up else -z)
        if rule.method == "min_max":
            if people[0] == people[-1]:
                return (low + high) / 2
            part = (x - people[0]) / (people[-1] - people[0])
        else:
            below, through = bisect_left(people, x), bisect_right(people, x)
            part = Fraction(below + through, 2 * len(people))
        return low + (part if up else 1 - part) * (high - low)

    def filled(self, indicator: Any, raw: Fraction | None) -> Fraction | None:
        policy = indicator.missing or self.scheme.missing
        if raw is None and policy == "worst":
            return Fraction(self.scheme.points.low)
        if raw is None and policy == "neutral":
            return Fraction(self.scheme.points.low + self.scheme.points.high) / 2
        return raw

    def grade(self, row: Mapping[str, Any]) -> dict[str, Any]:
        scheme = self.scheme
        raw = {i.id: self.points(i, row) for _, i in scheme.indicators}
        points = {i.id: self.filled(i, raw[i.id]) for _, i in scheme.indicators}
        out: dict[str, Any] = {f"points_{name}": value for name, value in points.items()}
        means = {d.id: mean([(scheme.inside[i.id], points[i.id]) for i in d.indicators]) for d in scheme.dimensions}
        factor = 100 / Fraction(scheme.points.high)
        for d, m in means.items():
            out[f"score_{d}"] = None if m is None else whole_places(m * factor)
            out[f"points_{d}"] = None if m is None else whole_places(m)
        composite = mean([(scheme.between[d], m) for d, m in means.items()])
        out["score"] = None if composite is None else whole_places(composite * factor)
        known = (Fraction(scheme.shares[name]) for name, value in raw.items() if value is not None)
        out["coverage"] = sum(known, Fraction(0))
        if not scheme.dimensions:
            out["coverage"] = Fraction(1)
        everything = {**row, **out}
        if scheme.tier_by == "score" and out["score"] is not None:
            everything["tier"] = next(t.id for t in scheme.tiers if self.inside("score", t, out["score"]))
        self.rules(everything, out)
        tier = everything.get("tier", everything.get(f"label_{scheme.tier_by}"))
        out["tier"] = None if self.refused(row, raw, out["coverage"]) else tier
        out["tier_rank"] = next((n for n, t in enumerate(scheme.tiers, 1) if t.id == out["tier"]), None)
        return out

    def refused(self, row: Mapping[str, Any], raw: Mapping[str, Fraction | None], coverage: Fraction) -> bool:
        scheme = self.scheme
        policies = {i.id: i.missing or scheme.missing for _, i in scheme.indicators if scheme.shares[i.id]}
        lacking = any(raw[name] is None and policy == "not_graded" for name, policy in policies.items())
        tenure = row.get("tenure_days")
        short = scheme.minimum_tenure_days is not None and tenure is not None and tenure < scheme.minimum_tenure_days
        never = {"frequency", "tenure_days"} <= self.columns and tenure is None and not row["frequency"]
        return bool(
            lacking or short or (never and scheme.tier_by == "score") or coverage < Fraction(scheme.minimum_coverage)
        )

    def rules(self, everything: dict[str, Any], out: dict[str, Any]) -> None:
        for label in self.scheme.labels:
            fired = next((rule.value for rule in label.rules if self.holds(rule.when, everything)), label.otherwise)
            everything[f"label_{label.id}"] = out[f"label_{label.id}"] = fired
        for trigger in self.scheme.triggers:
            out[f"trigger_{trigger.id}"] = self.holds(trigger.when, everything)

    def holds(self, when: Any, row: Mapping[str, Any]) -> bool:
        return any(all(self.meets(column, c, row) for column, c in alternative.items()) for alternative in when)

    def meets(self, column: str, condition: Any, row: Mapping[str, Any]) -> bool:
        value = row.get(column)
        if condition.missing is not None or value is None:
            return (value is None) == bool(condition.missing)
        if condition.among is not None or condition.equals is not None:
            due = condition.equals
            due = self.bound(column, due) if isinstance(due, Decimal) else due
            return bool(value == due or value in (condition.among or ()))
        if condition.of is None:
            return self.inside(column, condition, value)
        other = row.get(condition.of)
        return other is not None and self.against(condition, Fraction(value), Fraction(other))

    def against(self, condition: Any, x: Fraction, y: Fraction) -> bool:
        tests = {
            "at_least": lambda b: x >= b * y,
            "above": lambda b: x > b * y,
            "below": lambda b: x < b * y,
            "at_most": lambda b: x <= b * y,
        }
        given = {name: getattr(condition, name) for name in tests}
        return all(tests[name](Fraction(v)) for name, v in given.items() if v is not None)
