"""Percentile ranks: where a value stands among those it is compared with, whatever its unit and the length of history.

At a cutoff a customer is compared with the customers of that cutoff; a table without cutoffs is compared with the rows
that the model learned from. Ranks are read off a curve of at most ``KNOTS`` points, which is exact for fewer values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tierlens.risk.model.lookup import Index, index_of, lookup_kernel

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

KNOTS = 1024
SCALE = 12.0**0.5
"""Ranks are uniform on (-1/2, 1/2); times this they have variance 1."""
SAMPLE = 50_000
"""Rows that a curve is learned from at most, evenly drawn."""
COMPILED = 20_000
"""Rows from which compiling pays."""


@dataclass(frozen=True)
class Curve:
    """Middle rank of values of one column: ``value`` ascending, ``rank`` in (-1/2, 1/2)."""

    value: Floats
    rank: Floats


def learn_curve(column: Floats, weight: Floats | None = None) -> Curve:
    """Learn the ranks of a column's values; equal values share the middle of theirs; missing ones are left out.

    Examples
    --------
    >>> learn_curve(np.array([5.0, 1.0, 5.0, np.nan]), np.ones(4)).rank.round(3)
    array([-0.333,  0.167])
    """
    known = np.isfinite(column)
    if not known.any():
        return Curve(np.zeros(1), np.zeros(1))
    if weight is None:
        value, mass = np.unique(column[known], return_counts=True)
    else:
        value, place = np.unique(column[known], return_inverse=True)
        mass = np.bincount(place, weights=weight[known])
    rank = (np.cumsum(mass) - mass / 2) / mass.sum() - 0.5
    if len(value) > KNOTS:
        kept = np.unique(np.searchsorted(rank, np.linspace(rank[0], rank[-1], KNOTS)))
        value, rank = value[kept], rank[kept]
    return Curve(value, rank)


def learn_curves(values: Floats, weight: Floats | None = None) -> list[Curve]:
    """Learn the curve of each column of a matrix with missing values."""
    step = max(len(values) // SAMPLE, 1)
    some, mass = values[::step].T.copy(), None if weight is None else weight[::step]
    return [learn_curve(column, mass) for column in some]


def scaled_ranks(values: Floats, curves: Sequence[Curve], index: Index | None = None) -> Floats:
    """Return scaled ranks, mean 0 and variance 1 where values are as those learned from; missing values are 0.

    Examples
    --------
    >>> values = np.array([[1.0], [2.0], [3.0], [np.nan]])
    >>> scaled_ranks(values, learn_curves(values)).ravel().round(2)
    array([-1.15,  0.  ,  1.15,  0.  ])
    """
    index = index or _index(curves, len(values))
    compiled = lookup_kernel() if index is not None else None
    if index is not None and compiled is not None:
        found = compiled(values, index)
        found *= SCALE
        return found
    found = np.empty_like(values)
    for place, curve in enumerate(curves):
        column = values[:, place]
        found[:, place] = np.interp(column, curve.value, curve.rank)
    found[~np.isfinite(values)] = 0.0
    found *= SCALE
    return found


def _index(curves: Sequence[Curve], rows: int) -> Index | None:
    """Return the index by which a compiled loop looks ranks up; None where the rows are too few for it."""
    if rows < COMPILED or not curves or lookup_kernel() is None:
        return None
    return index_of([curve.value for curve in curves], [curve.rank for curve in curves])


FEWEST = 50
"""Rows of a cutoff below which its ranks are read off the curves learned from."""


@dataclass(frozen=True)
class Ranker:
    """Ranks of rows, read off when they are asked for: a million rows need not hold them all at once.

    Parameters
    ----------
    fallback : sequence of Curve
        Curves of the rows learned from.
    days : array of int, shape (n,), optional
        Cutoff of each row.
    curves : mapping of int to sequence of Curve
        Curves of the cutoffs that have enough rows.
    indexes : mapping of int to Index
        Of the same cutoffs where there are many rows in all; of the fallback under -1.
    """

    fallback: Sequence[Curve]
    days: npt.NDArray[np.int64] | None
    curves: Mapping[int, Sequence[Curve]]
    indexes: Mapping[int, Index] = field(default_factory=dict)

    def take(self, rows: Rows) -> Ranker:
        """Return the ranker of some of the rows."""
        return Ranker(self.fallback, None if self.days is None else self.days[rows], self.curves, self.indexes)

    def part(self, rows: slice) -> Ranker:
        """Return the ranker of rows that follow each other."""
        return Ranker(self.fallback, None if self.days is None else self.days[rows], self.curves, self.indexes)

    def ranks(self, values: Floats) -> Floats:
        """Return the scaled ranks of the rows' values, shape (n, p)."""
        if self.days is None:
            return self._at(values, None)
        found = np.empty_like(values)
        for day in np.unique(self.days):
            here = self.days == day
            if here.all():
                return self._at(values, int(day))
            found[here] = self._at(values[here], int(day))
        return found

    def _at(self, values: Floats, day: int | None) -> Floats:
        if day is None or day not in self.curves:
            return scaled_ranks(values, self.fallback, self.indexes.get(-1))
        return scaled_ranks(values, self.curves[day], self.indexes.get(day))


def ranker_of(
    values: Floats,
    cutoffs: npt.ArrayLike | None,
    fallback: Sequence[Curve],
    fewest: int = FEWEST,
    *,
    compiled: bool = False,
) -> Ranker:
    """Learn the curves of each cutoff of at least ``fewest`` rows; many rows to be scored are looked up ``compiled``.

    Examples
    --------
    >>> values = np.arange(4.0).reshape(-1, 1)
    >>> ranker_of(values, [0, 0, 1, 1], learn_curves(values), fewest=2).ranks(values).ravel().round(2)
    array([-0.87,  0.87, -0.87,  0.87])
    """
    rows = len(values) if compiled else 0
    rest = _index(fallback, rows)
    indexes = {} if rest is None else {-1: rest}
    if cutoffs is None:
        return Ranker(fallback, None, {}, indexes)
    days = np.asarray(cutoffs, dtype=np.int64)
    found = {}
    for day in np.unique(days):
        here = days == day
        if here.sum() >= fewest:
            found[int(day)] = learn_curves(values if here.all() else values[here])
    own = {day: _index(curves, rows) for day, curves in found.items()}
    return Ranker(fallback, days, found, indexes | {day: index for day, index in own.items() if index is not None})
