"""How good a risk is, as plain functions f(outcome, risk): ranking and probability.

The outcome is 0 or 1 and 1 is what is predicted; a higher risk means more likely. Rows weigh the same unless ``weight``
is given. What a campaign earns is in ``profit``, intervals are in ``bootstrap``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tierlens.errors import DataError
from tierlens.words import Text

Floats = npt.NDArray[np.float64]


def checked_arrays(
    outcome: npt.ArrayLike, risk: npt.ArrayLike, weight: npt.ArrayLike | None = None
) -> tuple[Floats, Floats, Floats]:
    """Return outcome, risk and weight as float arrays of one length.

    Raises
    ------
    DataError
        ``E-RI-010`` when lengths differ, a value is missing, or the outcome is something else than 0 and 1.

    Examples
    --------
    >>> checked_arrays([0, 1], [0.2, 0.7])[2]
    array([1., 1.])
    """
    y, p = np.asarray(outcome, dtype=np.float64), np.asarray(risk, dtype=np.float64)
    w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
    fault = None
    if not (y.shape == p.shape == w.shape and y.ndim == 1 and len(y)):
        fault = f"shapes {y.shape}, {p.shape}, {w.shape}"
    elif not (np.isfinite(p).all() and np.isfinite(w).all() and (w >= 0).all()):
        fault = "a missing or infinite risk, or a weight below 0"
    elif not np.isin(y, (0.0, 1.0)).all():
        fault = "an outcome that is neither 0 nor 1"
    if fault:
        raise DataError("E-RI-010", Text(f"cannot be compared: {fault}", f"无法比较：{fault}"), where="outcome, risk")
    return y, p, w


def _both(y: Floats, w: Floats) -> bool:
    share = float((w * y).sum())
    return 0.0 < share < float(w.sum())


@dataclass(frozen=True)
class Ties:
    """Rows sorted by falling risk and put together where their risks are equal; sums up to and with each group."""

    rows: Floats
    positives: Floats


def _ties(y: Floats, p: Floats, w: Floats) -> Ties:
    order = np.argsort(-p, kind="stable")
    last = np.append(np.flatnonzero(np.diff(p[order]) != 0), len(p) - 1)
    return Ties(np.cumsum(w[order])[last], np.cumsum((w * y)[order])[last])


def auc(outcome: npt.ArrayLike, risk: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> float:
    """Area under the ROC curve: how often a row with the outcome has the higher risk; ties count half.

    Returns
    -------
    float
        0 to 1; nan when only one outcome is there.

    Examples
    --------
    >>> auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    y, p, w = checked_arrays(outcome, risk, weight)
    if not _both(y, w):
        return float("nan")
    found = _ties(y, p, w)
    true = np.append(0.0, found.positives)
    false = np.append(0.0, found.rows - found.positives)
    return float(np.trapezoid(true, false) / (true[-1] * false[-1]))


def average_precision(outcome: npt.ArrayLike, risk: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> float:
    """Precision at each risk, averaged over the recall it adds; the base rate is what chance reaches.

    Returns
    -------
    float
        0 to 1; nan when the outcome never happened.

    Examples
    --------
    >>> round(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
    0.8333
    """
    y, p, w = checked_arrays(outcome, risk, weight)
    found = _ties(y, p, w)
    if found.positives[-1] <= 0:
        return float("nan")
    recall = np.append(0.0, found.positives) / found.positives[-1]
    precision = np.divide(found.positives, found.rows, out=np.zeros_like(found.rows), where=found.rows > 0)
    return float((np.diff(recall) * precision).sum())


def lift_at(
    outcome: npt.ArrayLike, risk: npt.ArrayLike, share: float = 0.1, weight: npt.ArrayLike | None = None
) -> float:
    """Rate of the outcome among the riskiest ``share`` of rows, over the rate among all.

    Rows that tie at the bound count in the proportion that is needed, so that the order of rows does not matter.

    Returns
    -------
    float
        At least 0, at most 1 / base rate; nan when the outcome never happened.

    Examples
    --------
    >>> lift_at([0, 0, 0, 0, 0, 0, 1, 0, 0, 1], [.1, .2, .3, .1, .2, .3, .4, .1, .2, .9], share=0.2)
    5.0
    """
    y, p, w = checked_arrays(outcome, risk, weight)
    found = _ties(y, p, w)
    if found.positives[-1] <= 0:
        return float("nan")
    asked = share * found.rows[-1]
    caught = np.interp(asked, np.append(0.0, found.rows), np.append(0.0, found.positives))
    return float(caught / asked / (found.positives[-1] / found.rows[-1]))


def precision_at_capacity(
    outcome: npt.ArrayLike, risk: npt.ArrayLike, capacity: int, weight: npt.ArrayLike | None = None
) -> float:
    """Rate of the outcome among the ``capacity`` riskiest rows: of so many calls, the share that was needed.

    Examples
    --------
    >>> precision_at_capacity([0, 1, 1, 0], [0.1, 0.9, 0.8, 0.7], capacity=3)
    0.6666666666666666
    """
    y, p, w = checked_arrays(outcome, risk, weight)
    found = _ties(y, p, w)
    rows = min(float(capacity), float(found.rows[-1]))
    return float(np.interp(rows, np.append(0.0, found.rows), np.append(0.0, found.positives)) / rows)


def brier(outcome: npt.ArrayLike, risk: npt.ArrayLike, weight: npt.ArrayLike | None = None) -> float:
    """Mean squared distance of the probability from the outcome (Brier 1950); 0 is best.

    Examples
    --------
    >>> brier([0, 1], [0.5, 0.5])
    0.25
    """
    y, p, w = checked_arrays(outcome, risk, weight)
    return float((w * (p - y) ** 2).sum() / w.sum())


@dataclass(frozen=True)
class BrierParts:
    """Brier score = reliability - resolution + uncertainty + within (Murphy 1973; Stephenson and others 2008).

    Parameters
    ----------
    reliability : float
        Squared distance of the bins' mean risk from their rate: 0 is perfectly calibrated.
    resolution : float
        How far the bins' rates lie from the base rate: more is better.
    uncertainty : float
        Variance of the outcome: nobody's fault.
    within : float
        What is left inside the bins, as risks in one bin differ.
    """

    reliability: float
    resolution: float
    uncertainty: float
    within: float

    def total(self) -> float:
        """Return the Brier score again."""
        return self.reliability - self.resolution + self.uncertainty + self.within


@dataclass(frozen=True)
class Bins:
    """Bins of about equal count by rising risk: mean risk, rate of the outcome and rows of each."""

    predicted: Floats
    observed: Floats
    rows: Floats


def reliability_bins(
    outcome: npt.ArrayLike, risk: npt.ArrayLike, bins: int = 10, weight: npt.ArrayLike | None = None
) -> Bins:
    """Cut rows by rising risk into bins of equal count and compare mean risk with what happened.

    Rows of equal risk always share a bin, so that the order of rows does not matter; there may be fewer bins.

    Examples
    --------
    >>> found = reliability_bins([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9], bins=2)
    >>> found.predicted.round(2), found.observed, found.rows
    (array([0.15, 0.75]), array([0., 1.]), array([2., 2.]))
    """
    y, p, w = checked_arrays(outcome, risk, weight)
    y, p, w = y[w > 0], p[w > 0], w[w > 0]
    values, inverse = np.unique(p, return_inverse=True)
    rows, hits = np.bincount(inverse, weights=w), np.bincount(inverse, weights=w * y)
    middle = np.cumsum(rows) - rows / 2
    home = np.minimum((middle / w.sum() * bins).astype(int), bins - 1)
    _, home = np.unique(home, return_inverse=True)
    count: Floats = np.bincount(home, weights=rows).astype(np.float64)
    predicted = np.bincount(home, weights=rows * values) / count
    return Bins(predicted, np.bincount(home, weights=hits) / count, count)


def brier_parts(
    outcome: npt.ArrayLike, risk: npt.ArrayLike, bins: int = 10, weight: npt.ArrayLike | None = None
) -> BrierParts:
    """Take the Brier score apart.

    Examples
    --------
    >>> parts = brier_parts([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9])
    >>> round(parts.total(), 4), round(brier([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9]), 4)
    (0.055, 0.055)
    """
    y, p, w = checked_arrays(outcome, risk, weight)
    found = reliability_bins(y, p, bins, w)
    share, base = found.rows / w.sum(), float((w * y).sum() / w.sum())
    reliability = float((share * (found.predicted - found.observed) ** 2).sum())
    resolution = float((share * (found.observed - base) ** 2).sum())
    uncertainty = base * (1 - base)
    within = brier(y, p, w) - reliability + resolution - uncertainty
    return BrierParts(reliability, resolution, uncertainty, within)


def calibration_error(
    outcome: npt.ArrayLike, risk: npt.ArrayLike, bins: int = 10, weight: npt.ArrayLike | None = None
) -> float:
    """Mean distance of mean risk from the rate of the outcome over bins of equal count.

    Returns
    -------
    float
        0 to 1; 0.02 means that a bin is off by 2 points on average.

    Examples
    --------
    >>> round(calibration_error([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9], bins=2), 3)
    0.2
    """
    found = reliability_bins(outcome, risk, bins, weight)
    return float((found.rows * np.abs(found.predicted - found.observed)).sum() / found.rows.sum())
