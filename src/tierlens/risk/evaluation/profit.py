"""What a retention campaign earns: by customer with given costs, or in expectation over unknown take-up.

Source: Verbraken, Verbeke and Baesens (2013), A novel profit maximizing metric for measuring classification performance
of customer churn prediction models, IEEE TKDE 25(5), doi 10.1109/TKDE.2012.50.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tierlens.errors import UsageError
from tierlens.risk.evaluation.metrics import Floats, checked_arrays
from tierlens.words import Text


@dataclass(frozen=True)
class Campaign:
    """What is assumed of a campaign, in units of money a customer. The defaults are those of the source.

    Parameters
    ----------
    value : float
        What a customer who stays is worth, above ``incentive``.
    incentive : float
        Cost of the offer: paid for would-be churners who accept it, and for everybody else who is contacted.
    contact : float
        Cost of making contact.
    accept_a, accept_b : float
        Beta distribution of the share of would-be churners who accept and stay (mean 6 / 20 = 0.3).

    Raises
    ------
    UsageError
        ``E-RI-011`` when a number is out of bounds.

    Examples
    --------
    >>> Campaign(value=200).value
    200
    """

    value: float = 200.0
    incentive: float = 10.0
    contact: float = 1.0
    accept_a: float = 6.0
    accept_b: float = 14.0

    def __post_init__(self) -> None:
        sound = self.value > self.incentive >= 0 and self.contact >= 0 and min(self.accept_a, self.accept_b) > 0
        if not sound:
            raise UsageError(
                "E-RI-011",
                Text(f"no campaign has these costs: {self}", f"不存在这样的活动成本：{self}"),
                fix=Text("value must lie above incentive; none below 0", "客户价值须高于激励成本，且均不得为负"),
            )


@dataclass(frozen=True)
class Expected:
    """Profit a customer at the best choice of whom to contact, and the share of customers contacted there."""

    profit: float
    share: float


def _hull(y: Floats, p: Floats, w: Floats) -> tuple[Floats, Floats]:
    """Return the vertices of the ROC curve's upper convex hull: (false share, true share), from (0, 0) to (1, 1)."""
    order = np.argsort(-p, kind="stable")
    last = np.append(np.flatnonzero(np.diff(p[order]) != 0), len(p) - 1)
    hits, misses = w * y, w * (1 - y)
    true = np.append(0.0, np.cumsum(hits[order])[last] / hits.sum())
    false = np.append(0.0, np.cumsum(misses[order])[last] / misses.sum())
    kept: list[int] = []
    for point in range(len(true)):
        while len(kept) > 1 and _left_turn(false, true, kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    return false[kept], true[kept]


def _left_turn(x: Floats, y: Floats, a: int, b: int, c: int) -> bool:
    return bool((x[b] - x[a]) * (y[c] - y[a]) - (y[b] - y[a]) * (x[c] - x[a]) >= 0)


def expected_maximum_profit(
    outcome: npt.ArrayLike,
    risk: npt.ArrayLike,
    campaign: Campaign | None = None,
    weight: npt.ArrayLike | None = None,
) -> Expected:
    """Profit a customer when the best share is contacted, averaged over how many would accept the offer.

    Parameters
    ----------
    outcome : array of {0, 1}, shape (n,)
        1 for who left.
    risk : array of float, shape (n,)
    campaign : Campaign, optional
    weight : array of float, shape (n,), optional

    Returns
    -------
    Expected
        In the campaign's money, a customer of the population; both 0 where nobody left, or nobody stayed.

    Examples
    --------
    >>> found = expected_maximum_profit([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])
    >>> round(found.profit, 4), round(found.share, 4)
    (28.0, 0.5)
    """
    from scipy.special import betainc

    y, p, w = checked_arrays(outcome, risk, weight)
    base = float((w * y).sum() / w.sum())
    if not 0 < base < 1:
        return Expected(0.0, 0.0)
    camp = campaign or Campaign()
    delta, phi = camp.incentive / camp.value, camp.contact / camp.value
    false, true = _hull(y, p, w)
    rise, run = np.diff(true), np.diff(false)
    # Take-up from which contacting the customers of the next edge pays; it rises from edge to edge of a hull.
    # Where nobody would leave it never does, not even for nothing.
    with np.errstate(divide="ignore", invalid="ignore"):
        turn = ((1 - base) / base * (delta + phi) * run / rise + phi) / (1 - delta)
    edges = np.concatenate([[0.0], np.clip(np.where(rise > 0, turn, 1.0), 0.0, 1.0), [1.0]])
    a, b = camp.accept_a, camp.accept_b
    mass = np.diff(betainc(a, b, edges))
    mean = a / (a + b) * np.diff(betainc(a + 1, b, edges))
    gain = camp.value * base * true * ((1 - delta) * mean - phi * mass)
    cost = camp.value * (delta + phi) * (1 - base) * false * mass
    share = (base * true + (1 - base) * false) * mass
    return Expected(float((gain - cost).sum()), float(share.sum()))


@dataclass(frozen=True)
class Plan:
    """Whom to contact: customers from ``threshold`` of risk on, a ``share`` of all, for ``profit`` in sum."""

    profit: float
    share: float
    threshold: float


def expected_profit(
    risk: npt.ArrayLike,
    gain: npt.ArrayLike,
    cost: npt.ArrayLike,
    outcome: npt.ArrayLike | None = None,
    weight: npt.ArrayLike | None = None,
) -> Plan:
    """Choose how far down the list of falling risk a campaign should go when values and costs differ by customer.

    Parameters
    ----------
    risk : array of float, shape (n,)
        Calibrated probability of leaving.
    gain : float or array of float, shape (n,)
        What contacting a customer brings if he would leave: take-up x (value - incentive).
    cost : float or array of float, shape (n,)
        What contacting a customer costs in any case.
    outcome : array of {0, 1}, shape (n,), optional
        What happened: the plan is then made from ``risk`` and its profit counted from the outcome.
    weight : array of float, shape (n,), optional
        Copies of each row.

    Returns
    -------
    Plan
        Profit in the money of ``gain``; share 0 and threshold infinite where nobody is worth contacting.

    Examples
    --------
    >>> expected_profit([0.9, 0.5, 0.1], gain=10.0, cost=2.0)
    Plan(profit=10.0, share=0.6666666666666666, threshold=0.5)
    """
    p = np.asarray(risk, dtype=np.float64)
    given = np.zeros(len(p)) if outcome is None else outcome
    y, p, w = checked_arrays(given, p, weight)
    worth = np.broadcast_to(np.asarray(gain, dtype=np.float64), p.shape)
    price = np.broadcast_to(np.asarray(cost, dtype=np.float64), p.shape)
    order = np.argsort(-p, kind="stable")
    last = np.append(np.flatnonzero(np.diff(p[order]) != 0), len(p) - 1)
    planned = np.append(0.0, np.cumsum((w * (p * worth - price))[order])[last])
    best = int(np.argmax(planned))
    if best == 0:
        return Plan(0.0, 0.0, float("inf"))
    rows = int(last[best - 1]) + 1
    chance = p if outcome is None else y
    earned = float((w * (chance * worth - price))[order][:rows].sum())
    return Plan(earned, float(w[order][:rows].sum() / w.sum()), float(p[order][rows - 1]))
