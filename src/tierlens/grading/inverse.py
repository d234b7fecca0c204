"""From points back to raw values: the least change of an indicator that earns the points that are needed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tierlens.grading.columns import PLACES, Columns
from tierlens.grading.parts import Indicator

Population = Mapping[str, Any]
"""One row of ``fit_reference``."""


@dataclass(frozen=True)
class Scorer:
    """One indicator, read in both directions.

    Parameters
    ----------
    indicator : Indicator
        The rule.
    columns : Columns
        The feature table that was graded.
    population : mapping, optional
        Its row of ``fit_reference`` at the cutoff, for indicators that are compared with a population; the population
        is taken as it is, whatever one customer changes.
    """

    indicator: Indicator
    columns: Columns
    population: Population | None = None

    @property
    def source(self) -> str:
        """The column that it reads."""
        return str(self.columns.source_of(self.indicator))

    @property
    def up(self) -> bool:
        """Whether more is better."""
        return self.indicator.direction == "up"

    @property
    def whole(self) -> bool:
        """Whether only whole numbers occur."""
        return self.columns.kinds[self.source] == "whole"

    def best(self) -> Fraction:
        """Return the most points that can be earned by a value that can occur."""
        if self.indicator.ordinal is not None:
            return Fraction(max(self.indicator.ordinal.values()))
        cuts = self.columns.scheme.cuts_of(self.indicator)
        if cuts:
            return Fraction(max(cut.points for cut in cuts))
        end = self._end()
        high = Fraction(self.columns.scheme.points.high)
        population = self.population or {}
        if end is None or self.indicator.normalise is None or not population.get("n"):
            return high
        return min(high, Fraction(self._points_at(float(end), population)))

    def _end(self) -> Fraction | None:
        """Return the best value that can occur, in the units of the column; nothing where there is no end."""
        use = self.columns.scheme.features[self.source]
        end = use.at_most if self.up else use.at_least
        return None if end is None else self.columns.bound(self.source, end)

    def _points_at(self, value: float, population: Population) -> float:
        low, high = (float(p) for p in (self.columns.scheme.points.low, self.columns.scheme.points.high))
        normalise, sign = self.indicator.normalise, 1 if self.up else -1
        if normalise is None or normalise.method == "percentile":
            return high
        if normalise.method == "min_max":
            width = population["high"] - population["low"]
            part = float((value - population["low"]) / width) if width else 0.5
            return low + (part if self.up else 1 - part) * (high - low)
        if not population["spread"] or normalise.centre is None or normalise.slope is None:
            return float(normalise.centre or 0)
        z = float((value - population["mean"]) / population["spread"])
        return float(normalise.centre) + sign * float(normalise.slope) * z

    def least_value(self, points: Fraction) -> Any:
        """Return the raw value nearest to bad that still earns at least these points.

        Parameters
        ----------
        points : Fraction
            What is needed.

        Returns
        -------
        int, float, str or None
            In the units of the column; ``None`` where no value earns them, infinity where every value does.
        """
        if points > self.best():
            return None
        if self.indicator.ordinal is not None:
            enough = {word: p for word, p in self.indicator.ordinal.items() if p >= points}
            return min(enough, key=lambda word: enough[word])
        cuts = self.columns.scheme.cuts_of(self.indicator)
        return self._of_cuts(points) if cuts else self._of_line(points)

    def _of_cuts(self, points: Fraction) -> Any:
        enough = [cut for cut in self.columns.scheme.cuts_of(self.indicator) if cut.points >= points]
        edges = [cut.start if self.up else cut.end for cut in enough]
        if None in edges:
            return -math.inf if self.up else math.inf
        bound, after = (min if self.up else max)(edge for edge in edges if edge is not None)
        return self._at_edge(self.columns.bound(self.source, bound), after)

    def _at_edge(self, bound: Fraction, after: int) -> Any:
        """Return the value on the good side of an edge that is nearest to it."""
        if self.whole:
            if self.up:
                return math.floor(bound) + 1 if after else math.ceil(bound)
            return math.floor(bound) if after else math.ceil(bound) - 1
        on_edge = (after == 0) == self.up
        value = float(bound)
        return value if on_edge else math.nextafter(value, math.inf if self.up else -math.inf)

    def _of_line(self, points: Fraction) -> Any:
        low, high = (Fraction(p) for p in (self.columns.scheme.points.low, self.columns.scheme.points.high))
        if points <= low:
            return -math.inf if self.up else math.inf
        if self.indicator.given is not None:
            a, b = (self.columns.bound(self.source, p) for p in (self.indicator.given.low, self.indicator.given.high))
            part = (points - low) / (high - low)
            return self._settled(float(a + (part if self.up else 1 - part) * (b - a)))
        population = self.population or {}
        if not population.get("n"):
            return None
        # Points are rounded to 9 places: a quarter of the last place more survives the arithmetic of doubles.
        ceiling = math.ceil(points * 10**PLACES) / 10**PLACES + 0.25 * 10.0**-PLACES
        value = self._of_population(ceiling, float(low), float(high), population)
        return value if value is not None and self._occurs(value) else None

    def _occurs(self, value: float) -> bool:
        end = self._end()
        return end is None or (value <= end if self.up else value >= end)

    def _of_population(self, points: float, low: float, high: float, population: Population) -> Any:
        normalise = self.indicator.normalise
        if normalise is None:
            return None
        if normalise.method == "percentile":
            part = (points - low) / (high - low)
            return _level(population["levels"], part if self.up else 1 - part, self.up)
        if normalise.method == "min_max":
            part = (points - low) / (high - low)
            width = population["high"] - population["low"]
            return self._settled(population["low"] + (part if self.up else 1 - part) * width) if width else None
        if not population["spread"] or normalise.centre is None or normalise.slope is None:
            return None
        z = (points - float(normalise.centre)) / float(normalise.slope)
        return self._settled(population["mean"] + (z if self.up else -z) * population["spread"])

    def _settled(self, value: float) -> Any:
        """Take a whole number on the good side, where the column holds whole numbers."""
        if not self.whole:
            return value
        fuzz = 10.0**-PLACES
        return math.ceil(value - fuzz) if self.up else math.floor(value + fuzz)


def _level(levels: list[float], part: float, up: bool) -> Any:
    """Return the value that stands at a share of the population; levels are a hundred steps."""
    step = (len(levels) - 1) * part
    fuzz = 10.0**-PLACES
    at = math.ceil(step - fuzz) if up else math.floor(step + fuzz)
    value = levels[min(max(at, 0), len(levels) - 1)]
    return value if math.isfinite(value) else None


def populations(reference: Any) -> dict[tuple[int, str], Population]:
    """Return the rows of ``fit_reference`` by cutoff and indicator."""
    return {(row["cutoff"], row["indicator"]): row for row in reference.to_pylist()} if reference is not None else {}


def scorers(columns: Columns, cutoff: int, known: Mapping[tuple[int, str], Population]) -> Iterator[Scorer]:
    """Every indicator that has a column, with its population at a cutoff."""
    for _, indicator in columns.scheme.indicators:
        if columns.source_of(indicator) is not None:
            yield Scorer(indicator, columns, known.get((cutoff, indicator.id)))


def exact_points(value: float | None) -> Fraction | None:
    """Return points as the exact decimal that they are, to 9 places."""
    return None if value is None or math.isnan(value) else Fraction(Decimal(f"{value:.{PLACES}f}"))
