"""Ridge logistic regression around a given log-odds, by Newton's method: exact, quick, and the same on every run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

STEPS = 50
NEAR = 1e-8


@dataclass(frozen=True)
class Line:
    """Log-odds = offset + intercept + values @ weights."""

    intercept: float
    weights: Floats


@dataclass(frozen=True)
class Rows:
    """Rows to learn from: ``design`` (n, k) without missing values, ``outcome`` {0, 1}, ``weight``, ``offset``."""

    design: Floats
    outcome: Floats
    weight: Floats
    offset: Floats


def sigmoid(log_odds: Floats) -> Floats:
    """Return the probability of log-odds.

    Examples
    --------
    >>> sigmoid(np.array([0.0, -800.0]))
    array([0.5, 0. ])
    """
    from scipy.special import expit

    found: Floats = expit(log_odds)
    return found


def logit(probability: npt.ArrayLike) -> Floats:
    """Return the log-odds of a probability, which is kept a millionth away from 0 and 1.

    Examples
    --------
    >>> logit([0.5, 0.0]).round(2)
    array([  0.  , -13.82])
    """
    kept = np.clip(np.asarray(probability, dtype=np.float64), 1e-6, 1 - 1e-6)
    found: Floats = np.log(kept) - np.log1p(-kept)
    return found


def _loss(rows: Rows, theta: Floats, penalty: Floats) -> float:
    z = rows.offset + theta[0] + rows.design @ theta[1:]
    fit = np.logaddexp(0.0, z) - rows.outcome * z
    return float(rows.weight @ fit + 0.5 * penalty @ theta**2)


def ridge_logistic(rows: Rows, ridge: float, start: Line | None = None) -> Line:
    """Fit by Newton's method with step halving; the intercept is not penalised.

    Parameters
    ----------
    rows : Rows
        With more columns than rows it is fitted in the space of the rows, where the answer lies.
    ridge : float
        Weight of half the squared weights beside the summed log loss, above 0 (scikit-learn's 1 / C).
    start : Line, optional
        Where to begin; the answer is the same.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(500, 1))
    >>> y = (rng.random(500) < 1 / (1 + np.exp(-2 * x[:, 0]))).astype(float)
    >>> line = ridge_logistic(Rows(x, y, np.ones(500), np.zeros(500)), ridge=1.0)
    >>> bool(1.6 < line.weights[0] < 2.4)
    True
    """
    if rows.design.shape[1] > len(rows.design):
        basis, small = np.linalg.qr(rows.design.T)
        found = ridge_logistic(Rows(np.ascontiguousarray(small.T), rows.outcome, rows.weight, rows.offset), ridge)
        return Line(found.intercept, basis @ found.weights)
    width = rows.design.shape[1] + 1
    theta: Floats = np.zeros(width) if start is None else np.append(start.intercept, start.weights)
    penalty = np.full(width, ridge)
    penalty[0] = 1e-9 * max(float(rows.weight.sum()), 1.0)
    now = _loss(rows, theta, penalty)
    for _ in range(STEPS):
        step = _newton_step(rows, theta, penalty)
        size = 1.0
        while (after := _loss(rows, theta - size * step, penalty)) > now and size > 1e-6:
            size /= 2
        theta = np.asarray(theta - size * step, dtype=np.float64)
        gained, now = now - after, after
        if gained <= NEAR * (1.0 + abs(now)):
            break
    return Line(float(theta[0]), theta[1:])


def _newton_step(rows: Rows, theta: Floats, penalty: Floats) -> Floats:
    chance = sigmoid(rows.offset + theta[0] + rows.design @ theta[1:])
    miss = rows.weight * (chance - rows.outcome)
    curve: Floats = np.maximum(rows.weight * chance * (1 - chance), 1e-12 * rows.weight)
    scaled = rows.design * curve[:, None]
    hessian = np.empty((len(theta), len(theta)))
    hessian[0, 0] = curve.sum()
    hessian[0, 1:] = hessian[1:, 0] = scaled.sum(axis=0)
    hessian[1:, 1:] = rows.design.T @ scaled
    hessian[np.diag_indices_from(hessian)] += penalty
    gradient = np.append(miss.sum(), rows.design.T @ miss) + penalty * theta
    return np.asarray(np.linalg.solve(hessian, gradient), dtype=np.float64)
