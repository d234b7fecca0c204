"""The way to the next tier: the smallest changes in a customer's own indicators that raise or keep the tier."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tierlens.grading.columns import Columns, kinds_of
from tierlens.grading.evidence import Teller
from tierlens.grading.inverse import Scorer, exact_points, populations, scorers
from tierlens.grading.parts import Tier
from tierlens.grading.rules_path import rule_steps
from tierlens.grading.scheme import Scheme
from tierlens.sources.tables import Currency

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """What one indicator must become, the others as they are.

    Parameters
    ----------
    customer_id, cutoff
        Whose.
    goal : {"raise", "keep"}
        To reach the next better tier, or not to lose the present one.
    tier : str
        The tier that is reached or kept.
    score_needed : float
        How far the score is from the bound; not positive for ``keep``. Missing where tiers do not go by score.
    way : {"alone", "together"}
        ``alone``: this change suffices. ``together``: no single one does; all such steps of the customer do, and no
        fewer indicators could.
    indicator, feature : str
        Which.
    points_needed : float
        Points that the indicator must have. Missing where tiers do not go by score.
    value, needed, change : float, str or None
        Now, needed, and the difference, in the units of the column. For ``keep`` the change is how far the value may go
        in the bad direction.
    """

    customer_id: str
    cutoff: int
    goal: str
    tier: str
    score_needed: float | None
    way: str
    indicator: str
    feature: str
    points_needed: float | None
    value: Any
    needed: Any

    @property
    def change(self) -> Any:
        """Difference between what is needed and what is there; missing for words."""
        numbers = isinstance(self.value, int | float) and isinstance(self.needed, int | float)
        return self.needed - self.value if numbers else None


def path(
    graded: pa.Table, features: pa.Table, scheme: Scheme, currency: Currency, reference: pa.Table | None = None
) -> list[Step]:
    """Return the steps that raise or keep each customer's tier.

    Parameters
    ----------
    graded : pyarrow.Table
        From ``grade``; take the customers that matter, this goes one by one.
    features : pyarrow.Table
        Their features.
    scheme : Scheme
        The rules.
    currency : Currency
        The currency whose minor units the money columns are in.
    reference : pyarrow.Table, optional
        From ``fit_reference`` over the population that was graded; without it indicators that are compared with a
        population are left out.

    Returns
    -------
    list of Step
        By cutoff and customer; ``raise`` before ``keep``, indicators in the order of the scheme.

    Examples
    --------
    >>> import duckdb, narwhals as nw
    >>> from tierlens.grading.scheme import load_scheme
    >>> from tierlens.grading.scoring import grade
    >>> rows = "select 'C1' as customer_id, 15126::int as cutoff, 28160000::bigint as monetary, 3::bigint as frequency"
    >>> features, scheme = nw.from_native(duckdb.sql(rows)), load_scheme("five_step")
    >>> graded = grade(features, scheme, Currency("CNY")).collect("pyarrow").to_native()
    >>> steps = path(graded, features.collect("pyarrow").to_native(), scheme, Currency("CNY"))
    >>> [(step.goal, step.tier, step.feature, step.change) for step in steps]
    [('raise', 'core', 'monetary', 1840000), ('keep', 'development', 'frequency', -2)]
    """
    columns = Columns(scheme, currency, kinds_of(features.schema))
    values = {(row["customer_id"], row["cutoff"]): row for row in features.to_pylist()}
    known = populations(reference)
    steps: list[Step] = []
    for row in graded.sort_by([("cutoff", "ascending"), ("customer_id", "ascending")]).to_pylist():
        if row["tier"] is not None:
            here = values.get((row["customer_id"], row["cutoff"]), {})
            walker = _Walker(columns, row, here, list(scorers(columns, row["cutoff"], known)))
            steps += walker.by_score() if scheme.tier_by == "score" else walker.by_rules()
    return steps


@dataclass(frozen=True)
class _Walker:
    """One customer."""

    columns: Columns
    graded: Row
    features: Row
    scorers: list[Scorer]

    @cached_property
    def points(self) -> dict[str, Fraction | None]:
        """Points as exact decimals."""
        return {i.id: exact_points(self.graded[f"points_{i.id}"]) for _, i in self.columns.scheme.indicators}

    @cached_property
    def weights(self) -> dict[str, Fraction]:
        """What one point of each indicator is worth in this customer's score."""
        return exact_weights(self.columns.scheme, self.points)

    @cached_property
    def movable(self) -> list[tuple[Scorer, Fraction, Fraction]]:
        """Indicators with a value and weight: points that they have, and what one more is worth."""
        found = []
        for scorer in self.scorers:
            have, weight = self.points[scorer.indicator.id], self.weights[scorer.indicator.id]
            if have is not None and weight and self.features.get(scorer.source) is not None:
                found.append((scorer, have, weight))
        return found

    def by_score(self) -> Iterator[Step]:
        tiers = self.columns.scheme.tiers
        place = next(n for n, tier in enumerate(tiers) if tier.id == self.graded["tier"])
        score = sum((self.weights[name] * p for name, p in self.points.items() if p is not None), Fraction(0))
        if place > 0 and tiers[place - 1].start is not None:
            yield from self._towards("raise", tiers[place - 1], score)
        if tiers[place].start is not None:
            yield from self._towards("keep", tiers[place], score)

    def _towards(self, goal: str, tier: Tier, score: Fraction) -> list[Step]:
        need = Fraction(tier.start[0] if tier.start is not None else 0) - score
        steps = []
        for scorer, have, weight in self.movable:
            due = have + need / weight
            value = scorer.least_value(due)
            if value is not None and not (isinstance(value, float) and math.isinf(value)):
                steps.append(self._step(goal, tier, need, scorer, due, value))
        return steps if steps or goal == "keep" else self._together(tier, need)

    def _step(
        self, goal: str, tier: Tier, need: Fraction, scorer: Scorer, due: Fraction, value: Any, way: str = "alone"
    ) -> Step:
        who = (self.graded["customer_id"], self.graded["cutoff"])
        now = self.features[scorer.source]
        return Step(*who, goal, tier.id, float(need), way, scorer.indicator.id, scorer.source, float(due), now, value)

    def _together(self, tier: Tier, need: Fraction) -> list[Step]:
        """Take the indicators with the most to gain, each to its best and the last only as far as is needed."""
        gains = [((scorer.best() - have) * weight, scorer, have, weight) for scorer, have, weight in self.movable]
        left, steps = need, []
        for gain, scorer, have, weight in sorted(gains, key=lambda each: -each[0]):
            due = min(scorer.best(), have + left / weight)
            value = scorer.least_value(due) if left > 0 and gain > 0 else None
            if value is not None:
                steps.append(self._step("raise", tier, need, scorer, due, value, "together"))
                left -= gain
        return steps if left <= 0 else []

    def by_rules(self) -> Iterator[Step]:
        scheme = self.columns.scheme
        place = next(n for n, tier in enumerate(scheme.tiers) if tier.id == self.graded["tier"])
        everything = {**self.features, **self.graded}
        who = (self.graded["customer_id"], self.graded["cutoff"])
        goals = [("raise", scheme.tiers[place - 1])] if place > 0 else []
        for goal, tier in [*goals, ("keep", scheme.tiers[place])]:
            for column, needed in rule_steps(self.columns, everything, tier.id, goal):
                yield Step(*who, goal, tier.id, None, "alone", column, column, None, everything[column], needed)


def tell(step: Step, teller: Teller) -> str:
    """Write a step as a sentence.

    Examples
    --------
    >>> from tierlens.grading.scheme import load_scheme
    >>> columns = Columns(load_scheme("five_step"), Currency("CNY"), {"monetary": "whole"})
    >>> step = Step("C1", 1, "raise", "core", None, "alone", "monetary", "monetary", None, 28160000, 30000000)
    >>> tell(step, Teller(columns, "en"))
    'Annual amount from 281,600.00 CNY to 300,000.00 CNY (18,400.00 CNY more) raises the tier to core'
    """
    title = teller.scheme.title_of(step.feature)
    now, due = (teller.amount(step.feature, value) for value in (step.value, step.needed))
    if step.goal == "keep":
        words = "{} may go from {} to {} without losing tier {}", "{} 由 {} 变为 {} 仍保持{}"
        return teller.say(*words, title, now, due, step.tier)
    gap = ""
    if step.change is not None:
        more = (" ({} more)", "（增加 {}）") if step.change >= 0 else (" ({} less)", "（减少 {}）")
        gap = teller.say(*more, teller.amount(step.feature, abs(step.change)))
    together = teller.say(", together with the other changes,", "，连同其他变化") if step.way == "together" else ""
    words = "{} from {} to {}{}{} raises the tier to {}", "{} 由 {} 变为 {}{}{}，等级升为{}"
    return teller.say(*words, title, now, due, gap, together, step.tier)


def exact_weights(scheme: Scheme, points: Mapping[str, Fraction | None]) -> dict[str, Fraction]:
    """Return what one point of each indicator is worth in the score, once those without points are left out."""
    there = {name: p is not None for name, p in points.items()}
    inside = {
        d.id: sum((scheme.inside[i.id] for i in d.indicators if there[i.id]), Fraction(0)) for d in scheme.dimensions
    }
    whole = sum((scheme.between[d] for d, total in inside.items() if total), Fraction(0))
    if not whole:
        return dict.fromkeys(points, Fraction(0))
    return {
        i.id: scheme.between[d.id] / whole * scheme.inside[i.id] / inside[d.id] * scheme.to_score
        if there[i.id] and inside[d.id]
        else Fraction(0)
        for d, i in scheme.indicators
    }
