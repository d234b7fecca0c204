"""Which columns have moved further than chance takes them, where customers stand in several rows and come and go.

Rows of one customer are alike, so thousands of rows may be worth a few hundred customers; and a customer who is there
before and now moves both sides at once. So a customer, not a row, is what chance draws: each customer's part of the
change of shares gets a random weight, and the change is summed again. The bound is one for all columns together.

Sources: multiplier bootstrap of sums over clusters, Wu (1986), doi 10.1214/aos/1176350142; the largest of all
statistics against the largest of the drawn ones, Westfall and Young (1993), Resampling-Based Multiple Testing; the cube
root of a sum of squares, Wilson and Hilferty (1931), doi 10.1073/pnas.17.12.684.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

GROUPS = 1000
"""Most groups of customers; more customers are put together at random, which leaves the spread of sums as it is."""
TAIL = 50
"""Draws that are due beyond the bound."""
FEWEST = 1000
"""Draws at least."""
LEAST = -1e9
"""Score of what cannot vary by chance."""


@dataclass(frozen=True)
class Placed:
    """A column as bins: where each row of before and of now lies.

    Parameters
    ----------
    before, now : array of int
        Bin of each row, from 0 on; missing values have the last.
    bins : int
    cumulated : bool
        Whether the bins but the last are in order, and the question is one of cumulated shares.
    """

    before: Ints
    now: Ints
    bins: int
    cumulated: bool


def drift_alarms(
    columns: Sequence[Placed], before: npt.ArrayLike, now: npt.ArrayLike, *, false_alarms: float = 0.05, seed: int = 0
) -> npt.NDArray[np.bool_]:
    """Say which columns have moved further than chance takes them.

    Parameters
    ----------
    columns : sequence of Placed
        A column may be there twice, in two kinds of bins.
    before, now : array
        Customer of each row.
    false_alarms : float
        Probability that any column raises an alarm although nothing moved, 0-1.
    seed : int

    Returns
    -------
    array of bool, shape (columns,)

    Notes
    -----
    The statistic is the sum of the squared changes of the shares of the bins, each over the mean share, which is the
    stability index for small changes; of cumulated shares it is the largest squared change, the Kolmogorov-Smirnov
    distance.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> places = [Placed(rng.integers(0, 4, 900), rng.integers(low, 4, 300), 5, True) for low in (0, 1)]
    >>> drift_alarms(places, np.repeat(np.arange(300), 3), np.arange(300)).tolist()
    [False, True]
    """
    if not columns:
        return np.zeros(0, dtype=np.bool_)
    home_before, home_now, groups = _homes(before, now, seed)
    changes = [_changed(column, (home_before, home_now), groups) for column in columns]
    parts = np.concatenate([change.parts for change in changes], axis=1)
    # A triangle has the same spread as the customers: with few columns it makes the many draws of a far tail cheap.
    triangle = np.linalg.qr(parts, mode="r") if parts.shape[1] < len(parts) else parts
    draws = max(FEWEST, int(np.ceil(TAIL / false_alarms)))
    drawn = np.random.default_rng(seed).standard_normal((draws, len(triangle))) @ triangle
    ends = np.cumsum([column.bins for column in columns])[:-1]
    each = list(zip(columns, changes, np.split(drawn, ends, axis=1), strict=True))
    own = np.array([_statistic(column, change.shares[None], change.mean)[0] for column, change, _ in each])
    chance = np.stack([_statistic(column, part, change.mean) for column, change, part in each], axis=1)
    scores, by_chance = _scored(own, chance)
    far: npt.NDArray[np.bool_] = scores > np.quantile(by_chance.max(axis=1), 1 - false_alarms)
    return far


def _homes(before: npt.ArrayLike, now: npt.ArrayLike, seed: int) -> tuple[Ints, Ints, int]:
    """Group of customers of each row, which does not depend on the order of rows."""
    first, second = np.asarray(before), np.asarray(now)
    known, home = np.unique(np.concatenate([first, second]), return_inverse=True)
    if len(known) > GROUPS:
        home = (np.random.default_rng(seed).permutation(len(known)) % GROUPS)[home]
    return home[: len(first)], home[len(first) :], min(len(known), GROUPS)


@dataclass(frozen=True)
class _Change:
    """Change of the shares of bins, mean shares, and the parts of groups of customers, shape (groups, bins)."""

    shares: Floats
    mean: Floats
    parts: Floats


def _changed(column: Placed, homes: tuple[Ints, Ints], groups: int) -> _Change:
    counts, rows = [], [len(home) for home in homes]
    for home, places in zip(homes, (column.before, column.now), strict=True):
        counted = np.bincount(home * column.bins + places, minlength=groups * column.bins)
        counts.append(counted.reshape(groups, column.bins).astype(np.float64))
    pooled = sum(count.sum(axis=0) for count in counts) / sum(rows)
    # Were nothing moved, both sides would have the same shares: a part is what a group has beyond its due of these.
    old, new = (
        (count - count.sum(axis=1, keepdims=True) * pooled) / row for count, row in zip(counts, rows, strict=True)
    )
    shares = [count.sum(axis=0) / row for count, row in zip(counts, rows, strict=True)]
    return _Change(shares[1] - shares[0], (shares[0] + shares[1]) / 2, new - old)


def _statistic(column: Placed, changes: Floats, mean: Floats) -> Floats:
    """Statistic of each change of shares, shape (changes,)."""
    if column.cumulated:
        # What comes in or goes out by missing values is not a change of the number.
        furthest: Floats = (np.cumsum(changes[:, :-1], axis=1) ** 2).max(axis=1)
        return furthest
    squares: Floats = changes**2 @ np.divide(1.0, mean, out=np.zeros_like(mean), where=mean > 0)
    return squares


def _scored(own: Floats, chance: Floats) -> tuple[Floats, Floats]:
    """Put all statistics on one scale, near a standard normal by chance; what cannot vary has the least."""
    mean, spread = chance.mean(axis=0), chance.std(axis=0)
    varies = spread > 1e-12 * np.maximum(mean, 1e-12)
    mean, relative = np.where(varies, mean, 1.0), (spread / np.where(varies, mean, 1.0)) ** 2 / 9

    def score(values: Floats) -> Floats:
        root = (np.cbrt(values / mean) - (1 - relative)) / np.sqrt(np.where(varies, relative, 1.0))
        return np.where(varies, root, LEAST)

    return score(own), score(chance)
