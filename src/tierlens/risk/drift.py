"""Has the world moved away from what the model learned from? Feature by feature, with a stated rate of false alarms.

Two measures: the population stability index (sum of (new - old) x log(new / old) over bins of the old values) and the
Kolmogorov-Smirnov distance. Both have a bound that equal populations of these sizes exceed with a stated probability
over all features together; whether a change is large is another question, which the bands answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tierlens.errors import DataError
from tierlens.risk.columns import as_table, learn_columns
from tierlens.words import Text

Floats = npt.NDArray[np.float64]

BINS = 10
EMPTY = 0.5
"""Rows that an empty bin counts as, so that a logarithm exists."""
STABLE, MOVED = 0.10, 0.25
"""Customary bounds of the index: below the first nothing to speak of, above the second a different population."""
BANDS: Mapping[str, Text] = {
    "stable": Text("stable", "稳定"),
    "shifting": Text("shifting", "有偏移"),
    "moved": Text("moved", "明显变化"),
}


@dataclass(frozen=True)
class Drift:
    """How far one column has moved.

    Parameters
    ----------
    name : str
    stability : float
        Population stability index, at least 0.
    distance : float
        Kolmogorov-Smirnov distance, 0-1; of a category, half the summed change of shares.
    alarm : bool
        Further than chance would take it at the stated rate of false alarms.
    band : str
        A key of ``BANDS``.
    missing_before, missing_now : float
        Shares of missing values.
    new_levels : tuple of str
        Levels of a category that were not there before.
    """

    name: str
    stability: float
    distance: float
    alarm: bool
    band: str
    missing_before: float
    missing_now: float
    new_levels: tuple[str, ...] = ()


def stability_index(before: Floats, now: Floats) -> float:
    """Return the population stability index of counts by bin.

    Examples
    --------
    >>> stability_index(np.array([50.0, 50.0]), np.array([500.0, 500.0]))
    0.0
    """
    old, new = np.maximum(before, EMPTY), np.maximum(now, EMPTY)
    old, new = old / old.sum(), new / new.sum()
    return float(((new - old) * np.log(new / old)).sum())


def chance_bound(bins: int, rows_before: int, rows_now: int, alarms: float) -> float:
    """Return the index that two samples of one population exceed with probability ``alarms``.

    For large samples the index is a chi-square of ``bins`` - 1 degrees of freedom times (1 / n + 1 / m).

    Examples
    --------
    >>> round(chance_bound(10, 1000, 1000, 0.05), 4)
    0.0338
    """
    from scipy.stats import chi2

    return float(chi2.ppf(1.0 - alarms, max(bins - 1, 1)) * (1.0 / rows_before + 1.0 / rows_now))


def drift(before: Any, now: Any, *, false_alarms: float = 0.05, bins: int = BINS) -> list[Drift]:
    """Compare two tables column by column.

    Parameters
    ----------
    before, now : table
        The rows learned from and the new ones, with the same columns; a risk may be one of them.
    false_alarms : float
        Probability that any column raises an alarm although nothing moved, 0-1.
    bins : int
        Bins of a number, cut at the old values' quantiles; missing values have a bin of their own.

    Returns
    -------
    list of Drift
        The furthest first.

    Raises
    ------
    DataError
        ``E-RI-040`` when a table has no rows or columns are missing.

    Examples
    --------
    >>> import pandas as pd
    >>> old = pd.DataFrame({"a": np.arange(1000.0), "b": np.arange(1000.0)})
    >>> found = drift(old, old.assign(a=old["a"] + 400))
    >>> [(column.name, column.band, column.alarm) for column in found]
    [('a', 'moved', True), ('b', 'stable', False)]
    """
    old, new = as_table(before), as_table(now)
    if old is None or new is None or not len(old) or not len(new) or set(old.columns) - set(new.columns):
        raise DataError(
            "E-RI-040",
            Text("two tables with rows and the same columns are needed", "需要两个列相同且有数据的表"),
            where="before, now",
        )
    known = learn_columns(old)
    each = false_alarms / (2 * max(len(known.names), 1))
    found = [_column(name, old[name], new[name], known.levels[at], each, bins) for at, name in enumerate(old.columns)]
    return sorted(found, key=lambda column: (-column.stability, column.name))


def _column(name: str, old: Any, new: Any, levels: Sequence[str] | None, alarms: float, bins: int) -> Drift:
    if levels is None:
        first, second = (np.asarray(c.to_numpy(dtype="float64", na_value=np.nan)) for c in (old, new))
        counts, distance = _binned(first, second, bins), _distance(first, second)
        strange: tuple[str, ...] = ()
    else:
        counts = _counted(old, new, levels)
        shares = counts / counts.sum(axis=1, keepdims=True)
        distance = float(np.abs(shares[0] - shares[1]).sum() / 2)
        strange = tuple(sorted({str(value) for value in new.dropna()} - set(levels)))
    index = stability_index(counts[0], counts[1])
    used = int((counts.sum(axis=0) > 0).sum())
    far = index > chance_bound(used, len(old), len(new), alarms)
    if levels is None:
        far = far or distance > _distance_bound(old.notna().sum(), new.notna().sum(), alarms)
    band = "stable" if index < STABLE else "shifting" if index < MOVED else "moved"
    gone = (float(old.isna().mean()), float(new.isna().mean()))
    return Drift(str(name), index, distance, bool(far), band, *gone, strange)


def _binned(old: Floats, new: Floats, bins: int) -> Floats:
    known = old[np.isfinite(old)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1])) if len(known) else np.empty(0)

    def count(values: Floats) -> Floats:
        there = np.isfinite(values)
        inside = np.bincount(np.searchsorted(edges, values[there], side="right"), minlength=len(edges) + 1)
        return np.append(inside, (~there).sum()).astype(np.float64)

    return np.stack([count(old), count(new)])


def _counted(old: Any, new: Any, levels: Sequence[str]) -> Floats:
    """Count known levels, all new ones together, and missing values."""
    place = {level: at for at, level in enumerate(levels)}

    def count(column: Any) -> Floats:
        found = np.zeros(len(levels) + 2)
        for value, rows in column.astype(object).value_counts().items():
            found[place.get(str(value), len(levels))] += rows
        found[-1] = column.isna().sum()
        return found

    return np.stack([count(old), count(new)])


def _distance(old: Floats, new: Floats) -> float:
    """Kolmogorov-Smirnov distance of what is not missing."""
    first, second = np.sort(old[np.isfinite(old)]), np.sort(new[np.isfinite(new)])
    if not len(first) or not len(second):
        return float(len(first) != len(second))
    both = np.concatenate([first, second])
    below = [np.searchsorted(values, both, side="right") / len(values) for values in (first, second)]
    return float(np.abs(below[0] - below[1]).max())


def _distance_bound(rows_before: int, rows_now: int, alarms: float) -> float:
    if not rows_before or not rows_now:
        return 1.0
    return float(np.sqrt(-np.log(alarms / 2) / 2 * (1 / rows_before + 1 / rows_now)))
