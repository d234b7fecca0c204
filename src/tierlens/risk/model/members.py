"""The members of the model, linear and trees, behind one small face: raw score, and the part of each feature in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from tierlens.risk.model.linear import Floats, Line, Rows, ridge_logistic
from tierlens.risk.model.ranks import Ranker
from tierlens.risk.model.trees import Forest, Growth, TreeRows, grow_forest

LinearKind = Literal["ranks", "values"]
LEVELS_KEPT = 200
"""Levels, of all categories together, that get a weight of their own in a linear member: those with the most rows."""
LEVEL_ROWS = 3
"""Rows that a level needs for that."""
FAR = 5.0
"""Standardised values beyond this count as this: one typing error must not move a line."""


@dataclass(frozen=True)
class Inputs:
    """A table as the members see it.

    Parameters
    ----------
    values : array of float, shape (n, p)
        With missing values; categories as codes.
    ranker : Ranker
        Reads off the ranks when a member asks for them.
    offset : array of float, shape (n,)
        Log-odds that members add to.

    Examples
    --------
    >>> from tierlens.risk.model.ranks import learn_curves, ranker_of
    >>> values = np.array([[1.0], [9.0]])
    >>> Inputs(values, ranker_of(values, None, learn_curves(values)), np.zeros(2)).ranks.ravel().round(2)
    array([-0.87,  0.87])
    """

    values: Floats
    ranker: Ranker
    offset: Floats

    @cached_property
    def ranks(self) -> Floats:
        """Scaled percentile ranks, shape (n, p), missing ones 0."""
        return self.ranker.ranks(self.values)

    def take(self, rows: npt.NDArray[np.int64]) -> Inputs:
        """Return some of the rows."""
        return Inputs(self.values[rows], self.ranker.take(rows), self.offset[rows])

    def blocks(self, size: int) -> Iterator[Inputs]:
        """Yield the rows in blocks that follow each other; nothing is copied."""
        for start in range(0, len(self.offset), size):
            rows = slice(start, start + size)
            yield Inputs(self.values[rows], self.ranker.part(rows), self.offset[rows])


@dataclass(frozen=True)
class Sample:
    """Rows to learn from: inputs, outcome {0, 1} and weight."""

    inputs: Inputs
    outcome: Floats
    weight: Floats

    def take(self, rows: npt.NDArray[np.int64]) -> Sample:
        """Return some of the rows."""
        return Sample(self.inputs.take(rows), self.outcome[rows], self.weight[rows])

    def trees(self) -> TreeRows:
        """Return the rows as trees see them."""
        return TreeRows(self.inputs.values, self.outcome, self.weight, self.inputs.offset)


class Member(Protocol):
    """What the model asks of a member."""

    def raw(self, inputs: Inputs, threads: int = 0) -> Floats:
        """Return log-odds beyond the offset, shape (n,)."""
        ...

    def parts(self, inputs: Inputs, threads: int = 0) -> Floats:
        """Return the part of each feature, shape (n, p + 1), last the base; a row sums to its raw score."""
        ...


@dataclass(frozen=True)
class Design:
    """How a linear member turns inputs into columns.

    Parameters
    ----------
    kind : {"ranks", "values"}
    numbers : tuple of int
        Columns taken as numbers.
    centre, spread : array of float
        Mean and standard deviation of those columns, for ``values``.
    gaps : tuple of int
        Columns whose being missing is a column of its own.
    levels : tuple of (int, int)
        (column, code) of levels that have a column of their own.
    """

    kind: LinearKind
    numbers: tuple[int, ...]
    centre: Floats
    spread: Floats
    gaps: tuple[int, ...]
    levels: tuple[tuple[int, int], ...]

    @property
    def owners(self) -> npt.NDArray[np.int64]:
        """Column of the table that each column of the design belongs to."""
        return np.array([*self.numbers, *self.gaps, *(column for column, _ in self.levels)], dtype=np.int64)

    def matrix(self, inputs: Inputs) -> Floats:
        """Return the columns, shape (n, k), none missing."""
        numbers = list(self.numbers)
        if self.kind == "ranks":
            main = inputs.ranks if len(numbers) == inputs.ranks.shape[1] else inputs.ranks[:, numbers]
        else:
            main = np.clip((inputs.values[:, numbers] - self.centre) / self.spread, -FAR, FAR)
            main[~np.isfinite(main)] = 0.0
        if not self.gaps and not self.levels:
            return main
        gaps = (~np.isfinite(inputs.values[:, list(self.gaps)])).astype(np.float64)
        levels = [(inputs.values[:, column] == code).astype(np.float64) for column, code in self.levels]
        return np.column_stack([main, gaps, *levels])


def learn_design(kind: LinearKind, sample: Sample, categorical: Sequence[int]) -> Design:
    """Learn scales, which columns have gaps worth a column, and which levels."""
    values, weight = sample.inputs.values, sample.weight
    numbers = tuple(place for place in range(values.shape[1]) if place not in set(categorical))
    main = values[:, list(numbers)]
    known = np.isfinite(main)
    mass = np.maximum(weight @ known, 1e-12)
    filled = np.where(known, main, 0.0)
    centre = weight @ filled / mass
    spread = np.sqrt(weight @ np.where(known, (filled - centre) ** 2, 0.0) / mass)
    return Design(
        kind, numbers, centre, np.where(spread > 0, spread, 1.0), _gaps(values, numbers), _levels(values, categorical)
    )


def _gaps(values: Floats, numbers: Sequence[int]) -> tuple[int, ...]:
    """Columns with missing values, each pattern of missing rows once."""
    seen: set[bytes] = set()
    found = []
    for place in numbers:
        gone = ~np.isfinite(values[:, place])
        key = np.packbits(gone).tobytes()
        if gone.any() and not gone.all() and key not in seen:
            seen.add(key)
            found.append(place)
    return tuple(found)


def _levels(values: Floats, categorical: Sequence[int]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    most = max(LEVELS_KEPT // max(len(categorical), 1), 20)
    for place in categorical:
        codes, counts = np.unique(values[np.isfinite(values[:, place]), place], return_counts=True)
        common = np.sort(codes[np.argsort(-counts, kind="stable")[:most]])
        common = common[np.isin(common, codes[counts >= LEVEL_ROWS])]
        found += [(place, int(code)) for code in common]
    return tuple(found)


@dataclass(frozen=True)
class LinearMember:
    """Ridge logistic regression on the columns of a design; ``means`` are those of the rows learned from."""

    design: Design
    line: Line
    means: Floats

    def raw(self, inputs: Inputs, threads: int = 0) -> Floats:
        """Return log-odds beyond the offset, shape (n,)."""
        del threads
        found: Floats = self.design.matrix(inputs) @ self.line.weights
        found += self.line.intercept
        return found

    def parts(self, inputs: Inputs, threads: int = 0) -> Floats:
        """Return weight x (value - mean) summed by feature, shape (n, p + 1), last the base."""
        del threads
        away = (self.design.matrix(inputs) - self.means) * self.line.weights
        found = np.zeros((len(away), inputs.values.shape[1] + 1))
        for place, owner in enumerate(self.design.owners):
            found[:, owner] += away[:, place]
        found[:, -1] = self.line.intercept + float(self.means @ self.line.weights)
        return found


def learn_line(kind: LinearKind, sample: Sample, categorical: Sequence[int], ridge: float) -> LinearMember:
    """Learn a linear member."""
    return learn_lines(kind, sample, categorical, (ridge,))[0]


def learn_lines(
    kind: LinearKind, sample: Sample, categorical: Sequence[int], ridges: Sequence[float]
) -> list[LinearMember]:
    """Learn a linear member for each ridge; each starts where the one before it ended."""
    design = learn_design(kind, sample, categorical)
    matrix = design.matrix(sample.inputs)
    rows = Rows(matrix, sample.outcome, sample.weight, sample.inputs.offset)
    means = sample.weight @ matrix / sample.weight.sum()
    found: list[LinearMember] = []
    for ridge in ridges:
        line = ridge_logistic(rows, ridge, found[-1].line if found else None)
        found.append(LinearMember(design, line, means))
    return found


@dataclass(frozen=True)
class TreeMember:
    """Boosted trees on the values."""

    forest: Forest

    def raw(self, inputs: Inputs, threads: int = 0) -> Floats:
        """Return log-odds beyond the offset, shape (n,)."""
        return self.forest.raw(inputs.values, threads)

    def parts(self, inputs: Inputs, threads: int = 0) -> Floats:
        """Return SHAP values, shape (n, p + 1), last the base."""
        return self.forest.parts(inputs.values, threads)


def learn_trees(growth: Growth, sample: Sample, watch: Sample | None = None, rounds: int | None = None) -> TreeMember:
    """Learn a member of trees."""
    watched = watch.trees() if watch is not None else None
    return TreeMember(grow_forest(growth, sample.trees(), watched, rounds))
