"""The way to the next tier where tiers go by rules: which single value, changed how little, changes the tier."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from tierlens.grading.columns import Columns
from tierlens.grading.evidence import Teller
from tierlens.grading.parts import Label

Row = Mapping[str, Any]


def rule_steps(columns: Columns, row: Row, tier: str, goal: str) -> Iterator[tuple[str, Any]]:
    """Yield each column and the value nearest to the present one that leads to a tier, or just still keeps it.

    Parameters
    ----------
    columns : Columns
        The feature table that was graded.
    row : mapping
        A customer's features and graded columns.
    tier : str
        Where to go, or what to keep.
    goal : {"raise", "keep"}
        For ``keep``: the last value, going down, before the tier changes.

    Yields
    ------
    tuple of str and number
        A column and the value needed.
    """
    label = next(label for label in columns.scheme.labels if label.id == columns.scheme.tier_by)
    judge = Teller(columns, "en")
    for column in dict.fromkeys(name for rule in label.rules for alternative in rule.when for name in alternative):
        now = row.get(column)
        if isinstance(now, int | float) and not isinstance(now, bool) and column in columns.scheme.features:
            found = _nearest(label, columns, judge, row, (column, now, tier, goal))
            if found is not None:
                yield column, found


def _nearest(label: Label, columns: Columns, judge: Teller, row: Row, what: tuple[str, Any, str, str]) -> Any:
    column, now, tier, goal = what
    around = _candidates(label, columns, column, now)
    fits = [value for value in around if _leads(label, judge, row, column, value) == tier]
    if goal == "raise":
        return min((value for value in fits if value != now), key=lambda value: abs(value - now), default=None)
    # Downward as far as the tier holds without a break; nothing to say where it holds all the way down.
    kept = now
    for value in sorted((value for value in around if value <= now), reverse=True):
        if value not in fits:
            return kept
        kept = value
    return None


def _candidates(label: Label, columns: Columns, column: str, now: Any) -> list[Any]:
    """Values just before and just after every bound on a column."""
    whole = columns.kinds[column] == "whole"
    found = {now}
    for rule in label.rules:
        for alternative in rule.when:
            condition = alternative.get(column)
            if condition is None or condition.of is not None:
                continue
            for edge in (condition.start, condition.end):
                if edge is not None:
                    found |= _around(columns.bound(column, edge[0]), whole, edge[1])
    return sorted(found)


def _around(bound: Fraction, whole: bool, after: int) -> set[Any]:
    if whole:
        first = math.floor(bound) + 1 if after else math.ceil(bound)
        return {first - 1, first}
    value = float(bound)
    return {value, math.nextafter(value, math.inf if after else -math.inf)}


def _leads(label: Label, judge: Teller, row: Row, column: str, value: Any) -> str | None:
    rule = judge.fired(label, {**row, column: value})
    return label.otherwise if rule is None else rule.value
