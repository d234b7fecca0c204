"""Has the world moved away from what the model learned from? Feature by feature, with a stated rate of false alarms.

Two measures: the population stability index (sum of (new - old) x log(new / old) over bins of the old values) and the
Kolmogorov-Smirnov distance. Whether chance explains a change is asked of all features together, customer by customer
(``alarms``); whether a change is large is another question, which the bands answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tierlens.errors import DataError
from tierlens.risk.evaluation.alarms import Placed, drift_alarms
from tierlens.risk.model.input_columns import as_table, learn_columns
from tierlens.words import Text

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BINS = 10
FINE = 10
"""Quantiles of each side at which cumulated shares are compared."""
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
        Further than chance would take any column at the stated rate of false alarms.
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


def measure_drift(
    before: Any,
    now: Any,
    *,
    customers: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    false_alarms: float = 0.05,
    bins: int = BINS,
    seed: int = 0,
) -> list[Drift]:
    """Compare two tables column by column.

    Parameters
    ----------
    before, now : table
        The rows learned from and the new ones, with the same columns; a risk may be one of them.
    customers : (array, array), optional
        Customer of each row of both. The rate of false alarms holds only where rows of one customer are known to be
        that; without it every row is a customer of its own.
    false_alarms : float
        Probability that any column raises an alarm although nothing moved, 0-1. See ``alarms`` for how it is kept, and
        docs/coverage.md for how well.
    bins : int
        Bins of a number, cut at the old values' quantiles; missing values have a bin of their own.
    seed : int

    Returns
    -------
    list of Drift
        The furthest first.

    Raises
    ------
    DataError
        ``E-RI-040`` when a table has no rows or columns are missing; ``E-RI-041`` when customers are not as many as
        rows.

    Examples
    --------
    >>> import pandas as pd
    >>> old = pd.DataFrame({"a": np.arange(1000.0), "b": np.arange(1000.0)})
    >>> found = measure_drift(old, old.assign(a=old["a"] + 400))
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
    first, second = _customers(customers, len(old), len(new))
    known = learn_columns(old)
    placed = [
        _binned(old[name], new[name], bins) if levels is None else _counted(old[name], new[name], levels)
        for name, levels in zip(old.columns, known.levels, strict=True)
    ]
    numbers = [at for at, levels in enumerate(known.levels) if levels is None]
    asked = [*placed, *(_fine(old.iloc[:, at], new.iloc[:, at]) for at in numbers)]
    far = set(np.flatnonzero(drift_alarms(asked, first, second, false_alarms=false_alarms, seed=seed)).tolist())
    far |= {numbers[at - len(placed)] for at in far if at >= len(placed)}
    found = [
        _column(name, old[name], new[name], known.levels[at], placed[at], at in far)
        for at, name in enumerate(old.columns)
    ]
    return sorted(found, key=lambda column: (-column.stability, column.name))


def _customers(
    given: tuple[npt.ArrayLike, npt.ArrayLike] | None, before: int, now: int
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    if given is None:
        return np.arange(before), np.arange(before, before + now)
    first, second = (np.asarray(ids) for ids in given)
    if (len(first), len(second)) != (before, now):
        raise DataError(
            "E-RI-041",
            Text(
                f"{len(first)} and {len(second)} customers for {before} and {now} rows",
                f"客户 {len(first)} 与 {len(second)} 位，行数为 {before} 与 {now}，数量不符",
            ),
            where="customers",
            fix=Text("give the customer of each row", "请给出每一行的客户"),
        )
    return first, second


def _column(name: str, old: Any, new: Any, levels: Sequence[str] | None, placed: Placed, alarm: bool) -> Drift:
    counts = [np.bincount(places, minlength=placed.bins).astype(np.float64) for places in (placed.before, placed.now)]
    strange: tuple[str, ...] = ()
    if levels is None:
        distance = _distance(*(_numbers(column) for column in (old, new)))
    else:
        shares = [count / count.sum() for count in counts]
        distance = float(np.abs(shares[0] - shares[1]).sum() / 2)
        strange = tuple(sorted({str(value) for value in new.dropna()} - set(levels)))
    index = stability_index(counts[0], counts[1])
    band = "stable" if index < STABLE else "shifting" if index < MOVED else "moved"
    gone = (float(old.isna().mean()), float(new.isna().mean()))
    return Drift(str(name), index, distance, alarm, band, *gone, strange)


def _numbers(column: Any) -> Floats:
    numbers: Floats = np.asarray(column.to_numpy(dtype="float64", na_value=np.nan))
    return numbers


def _binned(old: Any, new: Any, bins: int) -> Placed:
    """Bins of a number, between quantiles of the old values."""
    first, second = _numbers(old), _numbers(new)
    return _placed(first, second, _quantiles(first, bins), cumulated=False)


def _fine(old: Any, new: Any) -> Placed:
    """Bins of a number that part its values where either side has them."""
    first, second = _numbers(old), _numbers(new)
    values = np.unique(np.concatenate([first, second]))
    values = values[np.isfinite(values)]
    if len(values) > 2 * FINE:
        values = np.unique(np.concatenate([_quantiles(first, FINE), _quantiles(second, FINE)]))
    return _placed(first, second, values, cumulated=True)


def _quantiles(values: Floats, bins: int) -> Floats:
    known = values[np.isfinite(values)]
    return np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1])) if len(known) else np.empty(0)


def _placed(first: Floats, second: Floats, edges: Floats, *, cumulated: bool) -> Placed:
    """Place values between edges; the last bin is for what is missing."""

    def place(values: Floats) -> Ints:
        inside = np.searchsorted(edges, values, side="right")
        return np.where(np.isfinite(values), inside, len(edges) + 1).astype(np.int64)

    return Placed(place(first), place(second), len(edges) + 2, cumulated=cumulated)


def _counted(old: Any, new: Any, levels: Sequence[str]) -> Placed:
    """Bins of known levels, one of all new ones together, and one of missing values."""
    at = {level: place for place, level in enumerate(levels)}

    def place(column: Any) -> Ints:
        found = np.array([at.get(str(value), len(levels)) for value in column.astype(object)], dtype=np.int64)
        return np.where(column.isna().to_numpy(), len(levels) + 1, found)

    return Placed(place(old), place(new), len(levels) + 2, cumulated=False)


def _distance(old: Floats, new: Floats) -> float:
    """Kolmogorov-Smirnov distance of what is not missing."""
    first, second = np.sort(old[np.isfinite(old)]), np.sort(new[np.isfinite(new)])
    if not len(first) or not len(second):
        return float(len(first) != len(second))
    both = np.concatenate([first, second])
    below = [np.searchsorted(values, both, side="right") / len(values) for values in (first, second)]
    return float(np.abs(below[0] - below[1]).max())
