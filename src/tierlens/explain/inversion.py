"""Intervals of a measure of agreement, and a test against chance, from one cross table.

A bootstrap of the table does not cover: the measures are biased upward near independence, and their spread there is
another than a little away from it. Instead tests are inverted: a value belongs to the interval when the estimate is not
unusual among tables drawn from a population that has this value and otherwise looks like the sample.

Sources: least favourable family, Efron (1987), doi 10.1080/01621459.1987.10478410; test inversion with it, DiCiccio and
Romano (1990), doi 10.2307/1403474; tails that shift to one side at a boundary, Bartholomew (1971),
doi 10.1111/j.2517-6161.1971.tb01520.x; random tables of given margins, Patefield (1981), AS 159.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tierlens.explain.measures import Floats, Measure

STEPS = 10
"""Populations on each side of the sample's own."""
STRIDE = 0.5
"""Standard errors from one population to the next."""
LARGEST = 0.35
"""Most that the logarithm of a share may change in a step."""
A_CELL = 1.0
"""Customers a cell, spread as by chance, added to the sample's shares: empty cells are rare, not impossible."""


def inverted_interval(
    measure: Measure, counts: Floats, *, draws: int, confidence: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the bounds of a measure of the population that a table was drawn from.

    Parameters
    ----------
    measure : Measure
    counts : array, shape (rows, columns)
        Customers by pair of groups, no row or column of zeros, at least two of both.
    draws : int
        Tables drawn of each of some 20 populations.
    confidence : float
        Between 0 and 1.
    rng : numpy.random.Generator

    Returns
    -------
    (float, float)
        On the scale of ``Measure.slope``.

    Examples
    --------
    >>> from tierlens.explain.measures import MEASURES
    >>> table = np.array([[40.0, 10.0], [10.0, 40.0]])
    >>> low, high = inverted_interval(
    ...     MEASURES["adjusted_rand"], table, draws=500, confidence=0.95, rng=np.random.default_rng(0)
    ... )
    >>> 0.1 < low < 0.25 < 0.45 < high < 0.65
    True
    """
    total = int(counts.sum())
    populations = _populations(measure, counts)
    values, slopes, left = measure.slope(populations)
    moved = _variance(populations, slopes) / total
    # Where the gradient is nothing, the measure is at a boundary and cannot be too low: all of the error is above.
    below = (1 - confidence) / 2 * moved / np.maximum(moved + left / total**2, 1e-300)
    above = 1 - confidence - below
    at_least, at_most = _tails(measure, counts, populations, draws, rng)
    edge = 0.5 / draws
    order = np.argsort(values, kind="stable")
    rising = np.maximum.accumulate(_z(at_least, edge)[order] - _z(above, edge)[order])
    falling = np.minimum.accumulate(_z(at_most, edge)[order] - _z(below, 1e-9)[order])
    return _ends(values[order], rising, falling, measure.least)


def _ends(values: Floats, rising: Floats, falling: Floats, least: float) -> tuple[float, float]:
    """Where the tests turn; an end that was not reached is that of the measure."""
    low = float(np.interp(0.0, rising, values)) if rising[0] < 0 else max(float(values[0]), least)
    high = float(np.interp(0.0, -falling, values)) if falling[-1] < 0 else 1.0
    return low, max(high, low)


def _populations(measure: Measure, counts: Floats) -> Floats:
    """Shares along the path on which the measure changes most for the least change of the shares; low ones first."""
    total = counts.sum()
    added = A_CELL * counts.size
    start = (counts + added * _independent(counts / total)) / (total + added)
    down, up = (_path(measure, start, int(total), sign) for sign in (-1.0, 1.0))
    lowest = measure.slope(down[-1][None])[0][0]
    # The path ends in independence where that is the lowest point; where it is not, the path goes through 0.
    ends = [_independent(down[-1])] if lowest > 0 else []
    return np.stack([*ends, *down[::-1], start, *up])


def _independent(shares: Floats) -> Floats:
    product: Floats = shares.sum(axis=1)[:, None] * shares.sum(axis=0)[None, :]
    return product


def _path(measure: Measure, start: Floats, total: int, sign: float) -> list[Floats]:
    here, path = start, []
    for _ in range(STEPS):
        _, slopes, left = measure.slope(here[None])
        slope = np.where(here > 0, slopes[0] - (here * slopes[0]).sum(), 0.0)
        variance = float((here * slope**2).sum())
        error = np.sqrt(variance / total + left[0] / total**2)
        size = min(STRIDE * error / max(variance, 1e-300), LARGEST / max(float(np.abs(slope).max()), 1e-300))
        here = here * np.exp(sign * size * slope)
        here = here / here.sum()
        path.append(here)
    return path


def _variance(shares: Floats, slopes: Floats) -> Floats:
    mean = (shares * slopes).sum(axis=(1, 2))
    variance: Floats = np.maximum((shares * slopes**2).sum(axis=(1, 2)) - mean**2, 0.0)
    return variance


def _tails(
    measure: Measure, counts: Floats, populations: Floats, draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Shares of drawn tables whose estimate is at least, and at most, that of the sample."""
    own = measure.estimate(counts[None])[0]
    cells = populations.reshape(len(populations), -1)
    # The populations are learned from the sample: as with a residual variance, each parameter costs a customer.
    total, freedom = int(counts.sum()), (counts.shape[0] - 1) * (counts.shape[1] - 1)
    drawn = rng.multinomial(max(total - freedom, total // 2), cells, size=(draws, len(cells))).astype(np.float64)
    found = measure.estimate(drawn.reshape(-1, *counts.shape)).reshape(draws, len(cells))
    return (found >= own - 1e-12).mean(axis=0), (found <= own + 1e-12).mean(axis=0)


def _z(probability: Floats, edge: float) -> Floats:
    from scipy.special import ndtri

    z: Floats = ndtri(np.clip(probability, edge, 1 - edge))
    return z


def by_chance(counts: Floats, draws: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return tables of the same margins in which groupings have nothing to do with each other.

    Parameters
    ----------
    counts : array, shape (rows, columns)
    draws : int
    rng : numpy.random.Generator

    Returns
    -------
    array of int, shape (draws, rows, columns)
        As if the tiers had been dealt out anew among the customers.

    Examples
    --------
    >>> tables = by_chance(np.array([[5.0, 5.0], [0.0, 10.0]]), 3, np.random.default_rng(0))
    >>> tables.sum(axis=2).tolist(), tables.sum(axis=1).tolist()
    ([[10, 10], [10, 10], [10, 10]], [[5, 15], [5, 15], [5, 15]])
    """
    from scipy.stats import random_table

    margins = (counts.sum(axis=axis).astype(np.int64) for axis in (1, 0))
    tables: NDArray[np.int64] = random_table.rvs(*margins, size=draws, random_state=rng).astype(np.int64)
    return tables
