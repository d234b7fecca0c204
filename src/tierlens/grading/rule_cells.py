"""Cells of values: every combination that the rules of a label can tell apart, one representative each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise, product
from typing import Any

from tierlens.grading.scheme.grammar import Band, Condition, Edge
from tierlens.grading.scheme.parts import FeatureUse, Label
from tierlens.grading.scheme.scheme import Scheme

MAX_CELLS = 100_000
Column = str | tuple[str, str]
"""A column, or a column as a multiple of another one."""


@dataclass(frozen=True)
class Cover:
    """What became of the cells of a label.

    Parameters
    ----------
    fired : frozenset of int
        Numbers of the rules, from 1, that some cell meets first.
    gap : dict, optional
        A cell without missing values that no rule fits.
    """

    fired: frozenset[int]
    gap: dict[str, str] | None


def label_cells(scheme: Scheme, label: Label) -> Cover | None:
    """Enumerate the cells of a label; ``None`` where there are too many.

    Examples
    --------
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> guide = load_scheme("relationship_guide")
    >>> sorted(label_cells(guide, guide.labels[0]).fired)
    [1, 2, 3, 4]
    """
    values = {column: cell_representatives(scheme, label, column) for column in _columns(label)}
    if math.prod(len(found) for found in values.values()) > MAX_CELLS:
        return None
    fired: set[int] = set()
    gap: dict[str, str] | None = None
    for chosen in product(*values.values()):
        cell = dict(zip(values, chosen, strict=True))
        number = _first(label, cell)
        if number is not None:
            fired.add(number)
        elif gap is None and None not in chosen:
            gap = {" / ".join(c) if isinstance(c, tuple) else c: f"{v}" for c, v in cell.items()}
    return Cover(frozenset(fired), gap)


def _columns(label: Label) -> list[Column]:
    found: dict[Column, None] = {}
    for column, condition in _conditions(label):
        found[column if condition.of is None else (column, condition.of)] = None
    return list(found)


def _conditions(label: Label) -> Iterator[tuple[str, Condition]]:
    for rule in label.rules:
        for alternative in rule.when:
            yield from alternative.items()


def cell_representatives(scheme: Scheme, label: Label, column: Column) -> list[Any]:
    """Return one value for each cell of a column, and ``None`` for a missing one."""
    conditions = [c for name, c in _conditions(label) if (name if c.of is None else (name, c.of)) == column]
    edges = sorted({edge for c in conditions for edge in _edges(c)})
    if edges:
        use = scheme.features.get(column) if isinstance(column, str) else None
        return [*cell_numbers(edges, use), None]
    words = {c.equals for c in conditions if c.equals is not None}
    words |= {word for c in conditions for word in c.among or ()}
    if column in scheme.features and scheme.features[str(column)].unit == "flag":
        return [True, False, None]
    return [*sorted(words, key=str), "?", None] if words else [Decimal(0), None]


def _edges(condition: Condition) -> Iterator[Edge]:
    """Yield where a condition on numbers begins and ends to hold."""
    yield from (edge for edge in (condition.start, condition.end) if edge is not None)
    if isinstance(condition.equals, Decimal):
        yield from ((condition.equals, side) for side in (0, 1))


def cell_numbers(edges: list[Edge], use: FeatureUse | None) -> list[Decimal]:
    """Return numbers in every cell that edges cut out of the values which can occur."""
    cuts = sorted({edge[0] for edge in edges})
    whole = use is not None and use.whole
    # Cuts that lie close together leave room for half of what is between them.
    step = Decimal(1) if whole else min([Decimal("0.001"), *((high - low) / 2 for low, high in pairwise(cuts))])
    candidates = {value + shift for value in cuts for shift in (-step, Decimal(0), step)}
    if use is not None:
        candidates |= {end for end in (use.at_least, use.at_most) if end is not None}
    if whole:
        candidates = {Decimal(way(value)) for value in candidates for way in (math.floor, math.ceil)}
    return sorted(value for value in candidates if use is None or _occurs(use, value))


def _occurs(use: FeatureUse, value: Decimal) -> bool:
    low = use.at_least is None or value >= use.at_least
    return low and (use.at_most is None or value <= use.at_most)


def can_hold(use: FeatureUse, band: Band) -> bool:
    """Say whether a value that can occur lies in a band.

    Examples
    --------
    >>> use = FeatureUse(name="n", label="n", unit="orders", whole=True, at_least=0)
    >>> can_hold(use, Band(above=1, below=2)), can_hold(use, Band(below=0)), can_hold(use, Band(at_most=0))
    (False, False, True)
    """
    edges = [edge for edge in (band.start, band.end) if edge is not None]
    return not edges or any(band.holds(value) for value in cell_numbers(edges, use))


def _first(label: Label, cell: dict[Column, Any]) -> int | None:
    for number, rule in enumerate(label.rules, start=1):
        if any(_all_meet(alternative, cell) for alternative in rule.when):
            return number
    return None


def _all_meet(alternative: dict[str, Condition], cell: dict[Column, Any]) -> bool:
    return all(_meets(c, cell[name if c.of is None else (name, c.of)]) for name, c in alternative.items())


def _meets(condition: Condition, value: Any) -> bool:
    if condition.missing is not None:
        return (value is None) == condition.missing
    if value is None:
        return False
    if condition.among is not None:
        return value in condition.among
    if condition.equals is not None:
        return bool(value == condition.equals)
    return condition.holds(value)
