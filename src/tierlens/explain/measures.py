"""Three measures of how far two groupings agree: of a population's shares, of a sample, and how they move.

Each measure is a number of a joint distribution: 0 for independent groupings, 1 for the same ones. A sample estimates
it with a correction for chance. For intervals each measure tells its gradient, and the variance that is left where the
gradient is nothing (the sum of squares of a table's residuals).

Sources: adjusted Rand index, Hubert and Arabie (1985), doi 10.1007/BF01908075; adjusted mutual information, Vinh, Epps
and Bailey (2010), JMLR 11, with the arithmetic mean of the entropies; bias-corrected Cramer's V, Bergsma (2013),
doi 10.1016/j.jkss.2012.10.002.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tierlens.words import Text

Floats = NDArray[np.float64]
TINY = 1e-12
MOST = 0.9
"""Share of the entropy that chance explains at most: the series overshoots where groups are as many as customers."""


@dataclass(frozen=True)
class Measure:
    """A measure of agreement, as functions of a stack of tables of shape (tables, rows, columns).

    Parameters
    ----------
    title : Text
    estimate : callable
        From counts, tables of whole numbers with the same sum in each, to estimates corrected for chance, shape
        (tables,). Rows and columns without customers do not count.
    slope : callable
        From shares, tables that sum to 1, to the population's measure, shape (tables,), its gradient by the shares, of
        the shape of the tables, and the variance that is left at independence times the square of the customers,
        shape (tables,).
    reported : callable
        From what the other two tell to what a reader is shown.
    least : float
        The lowest value that a population can have; minus infinity where there is no simple one.
    """

    title: Text
    estimate: Callable[[Floats], Floats]
    slope: Callable[[Floats], tuple[Floats, Floats, Floats]]
    reported: Callable[[Floats], Floats]
    least: float


def adjusted_rand(counts: Floats) -> Floats:
    """Return the adjusted Rand index of each table of counts.

    Examples
    --------
    >>> adjusted_rand(np.array([[[2.0, 0.0], [0.0, 2.0]], [[1.0, 1.0], [1.0, 1.0]]]))
    array([ 1. , -0.5])
    """
    total = counts.sum(axis=(1, 2))
    both, one, other = _pairs(counts).sum(axis=(1, 2)), *(_pairs(counts.sum(axis=a)).sum(axis=1) for a in (2, 1))
    expected = np.divide(one * other, _pairs(total), out=np.zeros_like(one), where=total > 1)
    return _share(both - expected, (one + other) / 2 - expected)


def _pairs(of: Floats) -> Floats:
    return of * (of - 1) / 2


def _rand_slope(shares: Floats) -> tuple[Floats, Floats, Floats]:
    rows, columns = shares.sum(axis=2), shares.sum(axis=1)
    one, other = (rows**2).sum(axis=1), (columns**2).sum(axis=1)
    over, under = (shares**2).sum(axis=(1, 2)) - one * other, np.maximum((one + other) / 2 - one * other, TINY)
    value = over / under
    beside = rows[:, :, None] * other[:, None, None] + columns[:, None, :] * one[:, None, None]
    slope_under = rows[:, :, None] + columns[:, None, :] - 2 * beside
    slope = (2 * shares - 2 * beside - value[:, None, None] * slope_under) / under[:, None, None]
    return value, slope, 2 * _spread(rows) * _spread(columns) / under**2


def _spread(shares: Floats) -> Floats:
    """Sum of squares of the covariances of one draw from these shares."""
    squares = (shares**2).sum(axis=1)
    spread: Floats = squares - 2 * (shares**3).sum(axis=1) + squares**2
    return spread


def adjusted_information(counts: Floats) -> Floats:
    """Return the adjusted mutual information of each table of counts.

    The information expected by chance is taken from each table's own margins, (rows - 1) x (columns - 1) / (2 n), the
    first term of its series (Miller 1955). The exact sum is in scikit-learn; it differs where cells are thin.

    Examples
    --------
    >>> adjusted_information(np.array([[[50.0, 0.0], [0.0, 50.0]], [[25.0, 25.0], [25.0, 25.0]]])).round(3)
    array([ 1.   , -0.007])
    """
    from scipy.special import xlogy

    total = counts.sum(axis=(1, 2))
    parts = [xlogy(of, of / total[:, None]).sum(axis=1) / total for of in (counts.sum(axis=2), counts.sum(axis=1))]
    shared = xlogy(counts, counts / total[:, None, None]).sum(axis=(1, 2)) / total - parts[0] - parts[1]
    entropy = -(parts[0] + parts[1]) / 2
    chance = np.minimum(_freedom(counts) / (2 * total), MOST * entropy)
    return _share(shared - chance, entropy - chance)


def _information_slope(shares: Floats) -> tuple[Floats, Floats, Floats]:
    rows, columns = shares.sum(axis=2), shares.sum(axis=1)
    sides = _log(rows)[:, :, None] + _log(columns)[:, None, :]
    entropy = np.maximum(-(shares * sides).sum(axis=(1, 2)) / 2, TINY)
    gained = _log(shares) - sides
    value = (shares * gained).sum(axis=(1, 2)) / entropy
    slope = (gained + value[:, None, None] * sides / 2) / entropy[:, None, None]
    return value, slope, _freedom(shares) / (2 * entropy**2)


def _log(shares: Floats) -> Floats:
    """Logarithm; 0 where there is nobody."""
    return np.log(np.where(shares > 0, shares, 1.0))


def squared_v(counts: Floats) -> Floats:
    """Return the bias-corrected square of Cramer's V of each table of counts; below 0 where chance explains more.

    Examples
    --------
    >>> squared_v(np.array([[[50.0, 0.0], [0.0, 50.0]], [[25.0, 25.0], [25.0, 25.0]]])).round(4)
    array([ 1.    , -0.0102])
    """
    total = counts.sum(axis=(1, 2))
    shares = counts / total[:, None, None]
    less, freedom = np.maximum(total - 1, 1), _freedom(counts)
    some = [(counts.sum(axis=axis) > 0).sum(axis=1) for axis in (2, 1)]
    least = np.minimum(*(count - (count - 1) ** 2 / less for count in some)) - 1
    over = (_ratio(shares) * shares).sum(axis=(1, 2)) - 1 - freedom / less
    # One customer a group: chance explains all of it. One group on both sides: they are the same.
    alone = np.maximum(some[0], some[1]) == 1
    return np.where(least > TINY, _share(over, np.maximum(least, TINY)), np.where(alone, 1.0, 0.0))


def _v_slope(shares: Floats) -> tuple[Floats, Floats, Floats]:
    rows, columns = shares.sum(axis=2), shares.sum(axis=1)
    ratio = _ratio(shares)
    least = np.maximum(np.minimum((rows > 0).sum(axis=1), (columns > 0).sum(axis=1)) - 1.0, 1.0)
    by_row, by_column = ((ratio * shares).sum(axis=a) for a in (2, 1))
    slope = 2 * ratio - _over(by_row, rows)[:, :, None] - _over(by_column, columns)[:, None, :]
    value = ((ratio * shares).sum(axis=(1, 2)) - 1) / least
    return value, slope / least[:, None, None], 2 * _freedom(shares) / least**2


def _ratio(shares: Floats) -> Floats:
    """Shares over what independence would make them; 0 where there is nobody."""
    return _over(shares, shares.sum(axis=2)[:, :, None] * shares.sum(axis=1)[:, None, :])


def _freedom(tables: Floats) -> Floats:
    """Degrees of freedom of each table, by the rows and columns that have customers."""
    freedom: Floats = ((tables.sum(axis=2) > 0).sum(axis=1) - 1.0) * ((tables.sum(axis=1) > 0).sum(axis=1) - 1.0)
    return freedom


def _over(over: Floats, under: Floats) -> Floats:
    return np.divide(over, under, out=np.zeros_like(over), where=under > 0)


def _share(over: Floats, under: Floats) -> Floats:
    """Quotient, at most 1; 1 where both are nothing, as two groupings without any split agree."""
    tiny = np.abs(under) < TINY
    quotient: Floats = np.where(tiny, 1.0, over / np.where(tiny, 1.0, under))
    return np.minimum(quotient, 1.0)


def _as_it_is(values: Floats) -> Floats:
    return values


def _root(values: Floats) -> Floats:
    root: Floats = np.sqrt(np.clip(values, 0.0, 1.0))
    return root


MEASURES: Mapping[str, Measure] = {
    "adjusted_rand": Measure(
        Text("adjusted Rand index", "调整兰德指数"), adjusted_rand, _rand_slope, _as_it_is, -np.inf
    ),
    "adjusted_mutual_information": Measure(
        Text("adjusted mutual information", "调整互信息"), adjusted_information, _information_slope, _as_it_is, 0.0
    ),
    "cramers_v": Measure(
        Text("Cramér's V, corrected for bias", "克拉默V系数（偏差校正）"), squared_v, _v_slope, _root, 0.0
    ),
}
