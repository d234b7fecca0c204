"""The level of risk: how high it must lie on the whole, season by season, while its order stays what it is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from tierlens.risk.model.linear import Floats, logit, sigmoid

NEAR = 1e-13
"""Distance of the mean from the rate at which a shift is good enough."""
HALF_LIFE = 1.0
"""Closed cutoffs after which a past error counts half."""


def shift_to(log_odds: Floats, rate: float, weight: Floats | None = None) -> float:
    """Return what must be added to log-odds so that their mean probability is ``rate``.

    Parameters
    ----------
    log_odds : array of float, shape (n,), n > 0
    rate : float
        Kept a millionth away from 0 and 1.
    weight : array of float, shape (n,), optional

    Examples
    --------
    >>> round(shift_to(np.array([0.0, 0.0]), 0.75), 4)
    1.0986
    """
    share = np.full(len(log_odds), 1 / len(log_odds)) if weight is None else weight / weight.sum()
    rate = float(np.clip(rate, 1e-6, 1 - 1e-6))
    low, high = -40.0 - float(log_odds.max()), 40.0 - float(log_odds.min())
    shift = float(logit(rate) - logit(share @ sigmoid(log_odds)))
    for _ in range(80):
        risk = sigmoid(log_odds + shift)
        miss = float(share @ risk) - rate
        low, high = (shift, high) if miss < 0 else (low, shift)
        if abs(miss) < NEAR:
            break
        # Newton's step, and the middle of the bounds where it would leave them.
        step = shift - miss / max(float(share @ (risk * (1.0 - risk))), 1e-300)
        shift = step if low < step < high else (low + high) / 2
    return shift


def shifts_by(
    log_odds: Floats, outcome: Floats, weight: Floats, cutoffs: npt.NDArray[np.int64] | None
) -> dict[int, float]:
    """Return, cutoff by cutoff, the shift after which mean probability equals the rate of the outcome.

    Without cutoffs there is one, under 0.

    Examples
    --------
    >>> found = shifts_by(np.zeros(4), np.array([0.0, 1, 1, 1]), np.ones(4), np.array([5, 5, 9, 9]))
    >>> sorted(found)
    [5, 9]
    """
    days = np.zeros(len(log_odds), dtype=np.int64) if cutoffs is None else cutoffs
    found = {}
    for day in np.unique(days):
        here = days == day
        mass = float(weight[here].sum())
        # Half a row of each outcome is added, so that a cutoff where all left has finite log-odds.
        rate = (float((weight * outcome)[here].sum()) + 0.5) / (mass + 1.0)
        found[int(day)] = shift_to(log_odds[here], rate, weight[here])
    return found


def recent_mean(values: Mapping[int, float], half_life: float = HALF_LIFE) -> float:
    """Return the mean of values by cutoff, the latest one counting most.

    Examples
    --------
    >>> recent_mean({1: 0.0, 2: 3.0}, half_life=1.0)
    2.0
    """
    ordered = np.array([values[day] for day in sorted(values)])
    share = 0.5 ** (np.arange(len(ordered))[::-1] / half_life)
    return float(share @ ordered / share.sum())


def forecast_rate(
    rates: Mapping[int, float], known: Mapping[int, float], expected: float, half_life: float = HALF_LIFE
) -> float:
    """Forecast the base rate of a cutoff whose horizon is still open.

    The seasonal clock says what the rate would be if the horizon's volume of orders ran as last year; what it was off
    by, in log-odds, at closed cutoffs whose volume is known is carried forward.

    Parameters
    ----------
    rates : mapping of int to float
        Rate of the outcome at closed cutoffs.
    known : mapping of int to float
        What the clock says of the same cutoffs once the volume is known (``season_table``'s ``known_p0``).
    expected : float
        What it says of the cutoff to be forecast (``mean_p0``).
    half_life : float
        In cutoffs.

    Returns
    -------
    float
        Between 0 and 1; ``expected`` itself when nothing has closed.

    Examples
    --------
    >>> round(forecast_rate({1: 0.55, 2: 0.55}, {1: 0.50, 2: 0.50}, 0.50), 3)
    0.55
    """
    errors = {day: float(logit(rates[day]) - logit(known[day])) for day in rates if day in known}
    return float(sigmoid(logit(expected) + (recent_mean(errors, half_life) if errors else 0.0)))
