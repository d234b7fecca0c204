"""What a customer must still spend, seen beside what he is used to spending, and how likely he spends less than that.

Nothing here is learned from outcomes. How many orders come is told by a rhythm (the chance of none, and the orders to
expect); what an order is worth by the gamma-gamma model of Fader and Hardie (2013). The sum of n such orders is below a
need with a probability in closed form, an incomplete beta function.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tierlens.features.btyd import GammaGamma, fit_gamma_gamma
from tierlens.risk.evaluation.baselines import float_column
from tierlens.risk.model.linear import Floats

NEVER, EXPECTED = "sea_p0", "sea_expected"
"""Columns of ``features.seasonal_btyd``: chance of no purchase in the horizon, and purchases to expect."""
ORDERS, VALUE = "frequency", "average_order_value"
MOST = 40
"""Orders within a horizon that are counted one by one; more are as good as certain to meet any need that matters."""
HALF_LIVES = (30, 60, 120, 240)
HORIZON, YEAR = 90.0, 365.0
LITTLE = 20.0
"""Mean orders' values are of the size of hundreds of minor units or more: this share of a mean order keeps logarithms
of spend that is 0 apart from those of little."""
BESIDE = (
    "need_orders", "need_last", "need_largest", "need_first", "need_expected", "need_rate", "need_90", "need_half",
    *(f"need_decay_{days}" for days in HALF_LIVES), "need_log",
)  # fmt: skip
"""Names of the columns of ``beside_need``."""
READ = (
    NEVER, EXPECTED, ORDERS, VALUE, "spend", "tenure_days", "last_order_spend", "largest_order", "first_order_spend",
    "amount_90", "amount_half", *(f"spend_decay_{days}" for days in HALF_LIVES),
)  # fmt: skip
"""Columns of a snapshot that a need is seen beside."""

HISTORY = ("tenure_days", "first_order_spend")
"""Columns that members had better not read: they say how long the history is, which is short at early cutoffs."""


def order_values(table: Any) -> GammaGamma:
    """Fit what an order is worth, from the customers of one cutoff.

    Parameters
    ----------
    table : table
        With ``frequency`` and ``average_order_value``; customers without orders are left out.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> value = 5000 / rng.gamma(4.0, 1.0, 500)
    >>> found = order_values({"frequency": np.full(500, 3), "average_order_value": value})
    >>> found.v > 0
    True
    """
    return fit_gamma_gamma(np.nan_to_num(float_column(table, ORDERS)), np.nan_to_num(float_column(table, VALUE)))


def chance_below(table: Any, need: npt.ArrayLike, values: GammaGamma, *, if_any: bool = False) -> Floats:
    """Return the probability that a customer spends less than a need in the horizon, by his rhythm and his orders.

    Orders, where there are any, are taken to follow a geometric distribution with the mean that the rhythm expects.

    Parameters
    ----------
    table : table
        With the columns ``sea_p0``, ``sea_expected``, ``frequency`` and ``average_order_value``.
    need : array of float, shape (n,)
        Minor units; at 0 or below the probability is 0.
    values : GammaGamma
        See ``order_values``.
    if_any : bool
        Given that something is bought.

    Returns
    -------
    array of float, shape (n,)
        0-1; it rises with the need, from the chance of buying nothing to 1. Missing where the need is.

    Examples
    --------
    >>> one = {"sea_p0": [0.4], "sea_expected": [0.9], "frequency": [3], "average_order_value": [2000.0]}
    >>> worth = GammaGamma(6.0, 4.0, 6000.0)
    >>> [chance_below(one, [need], worth).round(2)[0].item() for need in (0, 1, 2000, 10**9)]
    [0.0, 0.4, 0.47, 1.0]
    """
    from scipy.special import betainc

    asked = np.asarray(need, dtype=np.float64)
    never = np.clip(float_column(table, NEVER), 0.0, 1.0)
    orders, value = np.nan_to_num(float_column(table, ORDERS)), np.nan_to_num(float_column(table, VALUE))
    mean = np.maximum(float_column(table, EXPECTED) / np.maximum(1.0 - never, 1e-6), 1.0 + 1e-6)
    more = 1.0 - 1.0 / mean
    share = np.maximum(asked, 0.0) / (np.maximum(asked, 0.0) + values.v + orders * value)
    shape, below, mass = values.p * orders + values.q, np.zeros(len(asked)), np.zeros(len(asked))
    for count in range(1, MOST + 1):
        chance = (1.0 - more) * more ** (count - 1)
        below += chance * betainc(values.p * count, shape, share)
        mass += chance
    # Beyond the orders counted one by one the sum stays where the last of them left it.
    below += (1.0 - mass) * betainc(values.p * (MOST + 1), shape, share)
    found = below if if_any else never + (1.0 - never) * below
    return np.where(np.isnan(asked), np.nan, np.where(asked > 0, found, 0.0))


def beside_need(table: Any, need: npt.ArrayLike) -> Floats:
    """Return logarithms of a need over what the customer is used to spending.

    Parameters
    ----------
    table : table
        With the columns ``READ``, money in minor units.
    need : array of float, shape (n,)
        Above 0.

    Returns
    -------
    array of float, shape (n, len(BESIDE))
        Each rises by log 2 when the need doubles. Over: a mean order, the last, largest and first one, the orders to
        expect, the year's pace, the last 90 days and half the last half-year, and the pace by four decays.
    """
    value = np.maximum(np.nan_to_num(float_column(table, VALUE)), 1.0)
    little = value / LITTLE
    tenure = np.maximum(np.nan_to_num(float_column(table, "tenure_days")), 7.0)
    used = [
        value,
        float_column(table, "last_order_spend") + little,
        float_column(table, "largest_order") + little,
        float_column(table, "first_order_spend") + little,
        float_column(table, EXPECTED) * value + little,
        float_column(table, "spend") / np.minimum(tenure, YEAR) * HORIZON + little,
        float_column(table, "amount_90") + little,
        float_column(table, "amount_half") / 2.0 + little,
    ]
    for days in HALF_LIVES:
        seen = days / np.log(2.0) * (1.0 - 2.0 ** (-tenure / days))
        used.append(float_column(table, f"spend_decay_{days}") / seen * HORIZON + little)
    used.append(np.ones(len(value)))
    asked = np.maximum(np.asarray(need, dtype=np.float64), 1e-9)
    return np.column_stack([np.log(asked / np.maximum(np.nan_to_num(each), 1e-9)) for each in used])
