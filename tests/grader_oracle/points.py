"""Points and scores in exact fractions."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import isqrt

Value = Fraction | int | None
Points = Mapping[str, Fraction | None]
Cuts = Sequence[tuple[Fraction | int, int]]
ROOT = 10**40
"""Square roots are kept to forty places; everything else is exact."""


def percentile(values: Mapping[str, Value], low: int, high: int, *, fewer_is_better: bool = False) -> Points:
    """Return the points of each: the share below, and half of those equal, stretched from ``low`` to ``high``."""
    there = sorted(value for value in values.values() if value is not None)

    def part(value: Value) -> Fraction | None:
        if value is None:
            return None
        share = Fraction(bisect_left(there, value) + bisect_right(there, value), 2 * len(there))
        return low + (high - low) * (1 - share if fewer_is_better else share)

    return {name: part(value) for name, value in values.items()}


def z_score(
    values: Mapping[str, Value],
    line: tuple[Fraction, Fraction],
    ends: tuple[int, int],
    *,
    fewer_is_better: bool = False,
) -> Points:
    """Return the points of each: ``line`` is those at the mean and those of one standard deviation of the population.

    Beyond ``ends`` points stay where they are; all are at the mean where all are equal.
    """
    there = [Fraction(value) for value in values.values() if value is not None]
    mean = sum(there, Fraction(0)) / (len(there) or 1)
    spread = root(sum(((value - mean) ** 2 for value in there), Fraction(0)) / (len(there) or 1))
    centre, slope = line

    def points(value: Value) -> Fraction | None:
        if value is None:
            return None
        above = (value - mean) / spread if spread else Fraction(0)
        return min(max(centre + slope * (-above if fewer_is_better else above), Fraction(ends[0])), Fraction(ends[1]))

    return {name: points(value) for name, value in values.items()}


def root(number: Fraction) -> Fraction:
    """Return a square root, cut to forty places."""
    return Fraction(isqrt(number.numerator * ROOT**2 // number.denominator), ROOT)


def by_cuts(values: Mapping[str, Value], cuts: Cuts, otherwise: int) -> Points:
    """Return the points of the first cut that a value reaches, from the top down; ``otherwise`` below all of them."""
    return {name: None if value is None else _reached(value, cuts, otherwise) for name, value in values.items()}


def _reached(value: Fraction | int, cuts: Cuts, otherwise: int) -> Fraction:
    return Fraction(next((points for bound, points in cuts if value >= bound), otherwise))


def by_words(values: Mapping[str, str | None], table: Mapping[str, int]) -> Points:
    """Return the points of words; none for a word that the table does not know."""
    return {name: None if word is None or word not in table else Fraction(table[word]) for name, word in values.items()}


def stretched(values: Mapping[str, Value], given: tuple[int, int], ends: tuple[int, int]) -> Points:
    """Return scores on one scale as points on another; none for a score off its scale."""
    return {name: None if value is None else _moved(value, given, ends) for name, value in values.items()}


def _moved(value: Fraction | int, given: tuple[int, int], ends: tuple[int, int]) -> Fraction | None:
    if not given[0] <= value <= given[1]:
        return None
    return ends[0] + (value - given[0]) * Fraction(ends[1] - ends[0], given[1] - given[0])


def weighted(parts: Iterable[tuple[Fraction, Fraction | None]]) -> Fraction | None:
    """Return the weighted mean of the parts that are there; the weights of the others grow in proportion."""
    there = [(weight, part) for weight, part in parts if part is not None and weight]
    whole = sum((weight for weight, _ in there), Fraction(0))
    return sum((weight * part for weight, part in there), Fraction(0)) / whole if there else None


def near(value: Value, bounds: Iterable[int], share: Fraction) -> bool:
    """Return whether a value lies at most a share of a bound away from it."""
    return value is not None and any(abs(Fraction(value) - bound) <= share * bound for bound in bounds)


def first_that_holds(rules: Sequence[tuple[str, bool]], otherwise: str | None = None) -> str | None:
    """Return the first word whose condition holds."""
    return next((word for word, holds in rules if holds), otherwise)
