"""Put columns of any unit and any skew on one scale, so that distances between customers mean something.

Three steps, each undisturbed by the unit of a column: divide by its typical size, take the signed logarithm where it
is very skewed (money, orders), then subtract the mean and divide by the standard deviation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Nine places: far below anything that tells two customers apart, far above the noise that a change of unit leaves.
PLACES = 9


@dataclass(frozen=True)
class Scaling:
    """What was learned about each column; apply it to any rows.

    Parameters
    ----------
    size : ndarray of float64, shape (f,)
        Median of the absolute values that are neither zero nor missing; 1 where there are none.
    fill : ndarray of float64, shape (f,)
        Median in units of ``size``, in the place of a missing value; 0 where the whole column is missing.
    logged : ndarray of bool, shape (f,)
        Columns on a signed logarithm (the inverse hyperbolic sine: linear below ``size``, logarithmic above).
    mean, spread : ndarray of float64, shape (f,)
        Mean and standard deviation after that; a spread of 1 where the column does not vary.
    varies : ndarray of bool, shape (f,)
        Columns that tell rows apart at all.
    """

    size: Floats
    fill: Floats
    logged: NDArray[np.bool_]
    mean: Floats
    spread: Floats
    varies: NDArray[np.bool_]

    def apply(self, values: Floats) -> Floats:
        """Scale rows.

        Parameters
        ----------
        values : ndarray of float64, shape (n, f)
            Missing values are NaN and take the median of the fit.

        Returns
        -------
        ndarray of float64, shape (n, f)
            Mean 0 and standard deviation 1 over the rows of the fit; nothing missing.
        """
        sized = values / self.size
        sized = np.where(np.isnan(sized), self.fill, sized)
        bent = np.where(self.logged, np.arcsinh(sized), sized)
        return np.where(self.varies, np.round((bent - self.mean) / self.spread, PLACES), 0.0)


def typical_size(values: Floats) -> Floats:
    """Return the median absolute value of each column, zeros and missing values left out.

    Examples
    --------
    >>> typical_size(np.array([[1.0, 0.0], [-3.0, np.nan], [2.0, 0.0]]))
    array([2., 1.])
    """
    sizes = np.ones(values.shape[1])
    for column in range(values.shape[1]):
        absolute = np.abs(values[:, column])
        known = absolute[absolute > 0]
        if known.size:
            sizes[column] = np.median(known)
    return sizes


def skewness(values: Floats) -> Floats:
    """Return the third standardised moment of each column; 0 where it does not vary.

    Examples
    --------
    >>> skewness(np.array([[1.0, 5.0], [1.0, 5.0], [4.0, 5.0]])).round(3)
    array([0.707, 0.   ])
    """
    centred = values - values.mean(axis=0)
    variance: Floats = (centred**2).mean(axis=0)
    third: Floats = (centred**3).mean(axis=0)
    floor = np.finfo(np.float64).eps * np.abs(values).max(axis=0, initial=0.0)
    safe = np.where(np.sqrt(variance) > floor, variance, 1.0)
    return np.where(np.sqrt(variance) > floor, third / safe**1.5, 0.0)


def fit_scaling(values: Floats, size: Floats, max_skew: float) -> Scaling:
    """Learn the scale of each column.

    Parameters
    ----------
    values : ndarray of float64, shape (n, f)
        Rows to learn from; missing values are NaN.
    size : ndarray of float64, shape (f,)
        From ``typical_size``.
    max_skew : float
        A column whose skewness is beyond this, either way, is put on a signed logarithm if that makes it less skewed.

    Returns
    -------
    Scaling

    Examples
    --------
    >>> spend = np.array([[1.0], [2.0], [4.0], [900.0]])
    >>> scaling = fit_scaling(spend, typical_size(spend), max_skew=1.0)
    >>> bool(scaling.logged[0]), bool(np.allclose(scaling.apply(spend).std(), 1))
    (True, True)
    """
    sized = values / size
    known = ~np.isnan(sized).all(axis=0)
    fill = np.zeros(sized.shape[1])
    fill[known] = np.nanmedian(sized[:, known], axis=0)
    sized = np.where(np.isnan(sized), fill, sized)
    bent = np.arcsinh(sized)
    plain_skew, bent_skew = np.abs(skewness(sized)), np.abs(skewness(bent))
    logged = (plain_skew > max_skew) & (bent_skew < plain_skew)
    bent = np.where(logged, bent, sized)
    spread = bent.std(axis=0)
    # Relative to the size of the values: a constant column keeps a spread of some rounding errors.
    varies = spread > 1e-12 * np.maximum(np.abs(bent).max(axis=0, initial=0.0), 1e-300)
    return Scaling(size, fill, logged, bent.mean(axis=0), np.where(varies, spread, 1.0), varies)
