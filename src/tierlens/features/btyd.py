"""Buy till you die: how many purchases a customer's own rhythm leads one to expect, learned without labels.

While alive a customer buys at his own steady rate, and after each purchase may leave for good. Rates vary over
customers as a gamma distribution (r, alpha), chances of leaving as a beta distribution (a, b). A customer is told by
three numbers: ``x`` repeat purchase days, ``t_x`` time from the first to the last of them, ``T`` time from the first to
the cutoff. Purchases of one day count as one.

Sources: Fader, Hardie and Lee (2005), "Counting your customers" the easy way, doi 10.1287/mksc.1040.0098 (BG/NBD);
Batislam, Denizel and Filiztekin (2007), doi 10.1016/j.ijresmar.2006.12.005 (MBG/NBD, where one may leave after the
first purchase too); Fader and Hardie (2013), The gamma-gamma model of monetary value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tierlens.errors import DataError
from tierlens.words import Text

Floats = npt.NDArray[np.float64]
BOUND = 9.0
"""Logarithms of parameters stay within this; at the bound a part of the model (leaving, say) is switched off."""
STARTS = ((0.0, 0.0, 0.0, 0.0), (-1.0, 1.0, 0.0, 1.0))
SAMPLE = 5_000
"""Distinct histories that a first fit looks at; a second one over all of them starts where it ends."""


@dataclass(frozen=True)
class Histories:
    """What is known of customers: one entry each.

    Parameters
    ----------
    x : array of float, shape (n,)
        Repeat purchase days, at least 0.
    t_x : array of float, shape (n,)
        Time from the first to the last purchase; 0 where ``x`` is 0.
    T : array of float, shape (n,)
        Time from the first purchase to the cutoff, at least ``t_x`` and above 0.

    Raises
    ------
    DataError
        ``E-FE-020`` when these bounds do not hold.

    Examples
    --------
    >>> len(Histories(np.array([2.0]), np.array([30.4]), np.array([38.9])))
    1
    """

    x: Floats
    t_x: Floats
    T: Floats

    def __post_init__(self) -> None:
        arrays = [np.asarray(value, dtype=np.float64) for value in (self.x, self.t_x, self.T)]
        for name, value in zip(("x", "t_x", "T"), arrays, strict=True):
            object.__setattr__(self, name, value)
        shapes = {value.shape for value in arrays}
        if len(shapes) > 1 or not bool(((self.x >= 0) & (self.t_x >= 0) & (self.t_x <= self.T) & (self.T > 0)).all()):
            raise DataError(
                "E-FE-020",
                Text(
                    "purchase histories that cannot be: 0 <= t_x <= T, 0 < T, 0 <= x",
                    "购买历史不合理：须 0 <= t_x <= T",
                ),
                where="x, t_x, T",
                fix=Text("they need 0 <= x, 0 <= t_x <= T and 0 < T", "须满足 0 <= x、0 <= t_x <= T 且 0 < T"),
            )

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class BuyTillDie:
    """Parameters of BG/NBD or, ``modified``, of MBG/NBD; time in the unit they were fitted in.

    Parameters
    ----------
    r, alpha, a, b : float
        Above 0.
    modified : bool
        A customer may also leave right after the first purchase.
    log_likelihood : float
        Of the customers it was fitted to; nan where it was not.

    Examples
    --------
    >>> cdnow = BuyTillDie(0.24259, 4.41360, 0.79292, 2.42591)
    >>> one = Histories(np.array([2.0]), np.array([30.43]), np.array([38.86]))
    >>> cdnow.expected(one, 39).round(3), cdnow.none(one, 39).round(3), cdnow.alive(one).round(3)
    (array([1.226]), array([0.445]), array([0.727]))
    """

    r: float
    alpha: float
    a: float
    b: float
    modified: bool = False
    log_likelihood: float = float("nan")

    def alive(self, known: Histories) -> Floats:
        """Probability of not having left, 0-1. One-time buyers get 1 in BG/NBD: never rank risk by it."""
        k = known.x + self.modified
        ratio = (self.r + known.x) * np.log((self.alpha + known.T) / (self.alpha + known.t_x))
        left = self.a / (self.b + np.maximum(k, 1.0) - 1.0) * np.exp(np.minimum(ratio, 700.0))
        return np.where(k > 0, 1.0 / (1.0 + left), 1.0)

    def none(self, known: Histories, horizon: float, gap: float = 0.0) -> Floats:
        """Probability of no purchase in [gap, gap + horizon) from the cutoff, 0-1: the model's own churn risk, exact.

        A customer of rate l who leaves with probability p after a purchase is still there after the gap with
        probability exp(-l p gap); the mean over l (gamma) and p (beta) is a hypergeometric function.
        """
        from scipy.special import hyp2f1

        u, base = self.r + known.x, self.alpha + known.T
        c = self.a + self.b + known.x + self.modified
        here = hyp2f1(u, self.a, c, -gap / base) if gap else 1.0
        after = hyp2f1(u, self.a, c, -gap / (base + horizon)) if gap else 1.0
        found: Floats = 1.0 - self.alive(known) * (here - np.exp(u * np.log(base / (base + horizon))) * after)
        return np.clip(found, 0.0, 1.0)

    def expected(self, known: Histories, horizon: float) -> Floats:
        """Purchases to expect within ``horizon`` from the cutoff on, at least 0; differences of it serve a gap."""
        from scipy.special import hyp2f1

        u, b = self.r + known.x, self.b + known.x + self.modified
        # The closed form has removable poles at a = 1 and, for x = 0, at a + b = 1: step beside them.
        near = min(abs(self.a - 1.0), float(np.abs(self.a + b - 1.0).min(initial=1.0)))
        a = self.a if near > 1e-6 else self.a + 2e-6
        base = self.alpha + known.T
        shrink = np.exp(u * np.log(base / (base + horizon))) * hyp2f1(u, b, a + b - 1.0, horizon / (base + horizon))
        found: Floats = np.maximum((a + b - 1.0) / (a - 1.0) * (1.0 - shrink) * self.alive(known), 0.0)
        return found


@dataclass(frozen=True)
class _Grouped:
    """Distinct histories with their counts, and the distinct numbers of purchases that special functions see."""

    counts: Floats
    repeats: Floats
    place: npt.NDArray[np.int64]
    x: Floats
    t_x: Floats
    T: Floats


def _grouped(known: Histories) -> tuple[_Grouped, float]:
    """Count customers with equal numbers instead of repeating them; time in tenths of the mean T, which is returned."""
    rows, counts = np.unique(np.column_stack([known.x, known.t_x, known.T]), axis=0, return_counts=True)
    scale = float(counts @ rows[:, 2] / counts.sum()) / 10.0
    return _shaped(rows / np.array([1.0, scale, scale]), counts.astype(np.float64)), scale


def _shaped(rows: Floats, counts: Floats) -> _Grouped:
    repeats, place = np.unique(rows[:, 0], return_inverse=True)
    return _Grouped(counts, repeats, place, rows[:, 0].copy(), rows[:, 1].copy(), rows[:, 2].copy())


def _thinned(data: _Grouped) -> _Grouped:
    step = max(len(data.counts) // SAMPLE, 1)
    return _shaped(np.column_stack([data.x, data.t_x, data.T])[::step], data.counts[::step])


def _loss(theta: Floats, data: _Grouped, modified: bool) -> tuple[float, Floats]:
    """Mean negative log-likelihood and its gradient in the logarithms of the parameters."""
    from scipy.special import betaln, digamma, gammaln

    r, alpha, a, b = np.exp(theta)
    k = data.repeats + modified
    before = np.maximum(b + k - 1.0, 1e-300)
    start, at, u = betaln(a, b), data.place, r + data.x
    stay = betaln(a, b + k) - start
    leave = np.where(k > 0, betaln(a + 1.0, np.where(k > 0, before, 1.0)) - start, -np.inf)
    log_end, log_last = np.log(alpha + data.T), np.log(alpha + data.t_x)
    gone = leave[at] - u * log_last
    whole = np.logaddexp(stay[at] - u * log_end, gone)
    left = np.exp(gone - whole)
    value = gammaln(r + data.repeats)[at] - gammaln(r) + r * np.log(alpha) + whole
    drift = digamma(a + b) - digamma(a + b + k)
    slopes = (
        r * ((digamma(r + data.repeats) - digamma(r))[at] + np.log(alpha) - (1 - left) * log_end - left * log_last),
        r - u * alpha * ((1 - left) / (alpha + data.T) + left / (alpha + data.t_x)),
        left + a * drift[at],
        b * ((drift + digamma(b + k) - digamma(b))[at] - left / before[at]),
    )
    total = data.counts.sum()
    return -float(data.counts @ value) / total, np.array([-float(data.counts @ slope) / total for slope in slopes])


def fit_btyd(known: Histories, *, modified: bool = False) -> BuyTillDie:
    """Fit BG/NBD, or MBG/NBD, by maximum likelihood on grouped histories.

    Parameters
    ----------
    known : Histories
        In any unit of time; at least one customer.
    modified : bool
        MBG/NBD in place of BG/NBD.

    Returns
    -------
    BuyTillDie

    Raises
    ------
    DataError
        ``E-FE-021`` without customers.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> end = rng.uniform(100, 200, 500)
    >>> counts = rng.poisson(rng.gamma(0.5, 0.05, 500) * end)
    >>> last = np.where(counts > 0, end * rng.uniform(0.5, 1, 500), 0.0)
    >>> found = fit_btyd(Histories(counts, last, end))
    >>> 0.2 < found.r < 1.5
    True
    """
    from scipy.optimize import minimize

    if not len(known):
        raise DataError("E-FE-021", Text("there are no customers to learn from", "没有可供学习的客户"))
    data, scale = _grouped(known)

    def descend(rows: _Grouped, start: npt.ArrayLike) -> Any:
        bounds = [(-BOUND, BOUND)] * 4
        options = {"maxiter": 500, "ftol": 1e-12, "gtol": 1e-8}
        asked: dict[str, Any] = {"args": (rows, modified), "jac": True, "bounds": bounds, "options": options}
        return minimize(_loss, np.asarray(start), method="L-BFGS-B", **asked)

    few = _thinned(data)
    best = descend(data, min((descend(few, start) for start in STARTS), key=lambda run: float(run.fun)).x)
    r, alpha, a, b = (float(value) for value in np.exp(best.x))
    likelihood = -float(best.fun) * len(known) - float(known.x.sum()) * float(np.log(scale))
    return BuyTillDie(r, alpha * scale, a, b, modified, likelihood)


@dataclass(frozen=True)
class GammaGamma:
    """Value of a purchase: gamma distributed around a mean of one's own, which is gamma distributed too.

    Parameters
    ----------
    p, q, v : float
        Above 0; ``v`` in the unit of the values.
    log_likelihood : float

    Examples
    --------
    >>> GammaGamma(6.25, 3.74, 15.44).expected(np.array([1.0]), np.array([20.0])).round(2)
    array([24.64])
    """

    p: float
    q: float
    v: float
    log_likelihood: float = float("nan")

    def expected(self, x: npt.ArrayLike, mean: npt.ArrayLike) -> Floats:
        """Value of a purchase to expect of customers with ``x`` purchases of ``mean`` value."""
        count, value = np.asarray(x, dtype=np.float64), np.asarray(mean, dtype=np.float64)
        found: Floats = self.p * (self.v + count * value) / (self.p * count + self.q - 1.0)
        return found


def fit_gamma_gamma(x: npt.ArrayLike, mean: npt.ArrayLike) -> GammaGamma:
    """Fit the gamma-gamma model by maximum likelihood.

    Parameters
    ----------
    x : array of float, shape (n,)
        Purchases of each customer; those with none are left out.
    mean : array of float, shape (n,)
        Their mean value; those at 0 or below are left out.

    Raises
    ------
    DataError
        ``E-FE-021`` without customers.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> own = 20 / rng.gamma(4.0, 1.0, 2000)
    >>> found = fit_gamma_gamma(np.full(2000, 3), rng.gamma(18.0, own / 3))
    >>> 3 < found.q < 5
    True
    """
    from scipy.optimize import minimize

    count, value = np.asarray(x, dtype=np.float64), np.asarray(mean, dtype=np.float64)
    kept = (count > 0) & (value > 0)
    # In order, so that the sums do not depend on who comes first.
    order = np.lexsort((value[kept], count[kept]))
    count, value = count[kept][order], value[kept][order]
    if not len(count):
        raise DataError("E-FE-021", Text("there are no customers to learn from", "没有可供学习的客户"))
    scale = float(np.median(value))
    bounds = [(-BOUND, BOUND)] * 3
    asked: dict[str, Any] = {"args": (count, value / scale), "jac": True, "bounds": bounds, "method": "L-BFGS-B"}
    best = minimize(_value_loss, np.zeros(3), options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 500}, **asked)
    p, q, v = (float(found) for found in np.exp(best.x))
    return GammaGamma(p, q, v * scale, -float(best.fun) * len(count) - len(count) * float(np.log(scale)))


def _value_loss(theta: Floats, x: Floats, z: Floats) -> tuple[float, Floats]:
    """Mean negative log-likelihood of mean values and its gradient in the logarithms of the parameters."""
    from scipy.special import digamma, gammaln

    p, q, v = np.exp(theta)
    shape, total = p * x, x * z + v
    parts = gammaln(shape + q) - gammaln(shape) - gammaln(q) + q * np.log(v) + (shape - 1.0) * np.log(z)
    loss = -float((parts + shape * np.log(x) - (shape + q) * np.log(total)).mean())
    both = digamma(shape + q) - np.log(total)
    slopes = (
        p * (x * (both - digamma(shape) + np.log(x * z))).mean(),
        q * (both - digamma(q) + np.log(v)).mean(),
        v * (q / v - (shape + q) / total).mean(),
    )
    return loss, -np.array(slopes)
