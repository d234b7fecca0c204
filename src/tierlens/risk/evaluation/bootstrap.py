"""Intervals that respect that a customer stands in several rows: customers are drawn, not rows.

Each draw gives every customer a whole number of copies; a metric is computed once more with these as weights, without
copying a row. Two models are compared on the same draws, which takes out what they share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from tierlens.errors import UsageError
from tierlens.risk.evaluation.metrics import Floats, checked_arrays
from tierlens.words import Lang, Text

Metric = Callable[[Floats, Floats, Floats], float]
"""From (outcome, risk, weight) to a number, as ``auc``, ``average_precision`` and ``brier`` are."""


Part = tuple[Floats, Floats, npt.NDArray[np.int64]]
"""Outcome and risk of the rows of a cutoff, the riskiest first, and the places of these rows."""


@dataclass(frozen=True)
class Interval:
    """A number with its bounds at ``level``; nan where it cannot be computed."""

    value: float
    low: float
    high: float
    level: float = 0.95

    def above(self, bound: float = 0.0) -> bool:
        """Say whether the whole interval lies above a bound."""
        return self.low > bound

    def say(self, lang: Lang = "en", *, signed: bool = False) -> str:
        """Return the number with its bounds, with its sign where it is a difference.

        Examples
        --------
        >>> Interval(0.5, 0.4, 0.6).say(), Interval(0.5, 0.4, 0.6).say("zh", signed=True)
        ('0.5000 (0.4000 to 0.6000)', '+0.5000 (+0.4000 至 +0.6000)')
        """
        form = "+.4f" if signed else ".4f"
        between = Text("to", "至").say(lang)
        return f"{self.value:{form}} ({self.low:{form}} {between} {self.high:{form}})"

    def __str__(self) -> str:
        return self.say()


def drawn_copies(customers: npt.ArrayLike, draws: int, seed: int = 0) -> Iterator[Floats]:
    """Yield for each draw how often each row's customer was drawn; customers are drawn with replacement.

    Parameters
    ----------
    customers : array, shape (n,)
        Customer of each row.
    draws : int
    seed : int

    Examples
    --------
    >>> [weights.tolist() for weights in drawn_copies(["a", "a", "b"], draws=2, seed=1)]
    [[1.0, 1.0, 1.0], [0.0, 0.0, 2.0]]
    """
    _, home = np.unique(np.asarray(customers), return_inverse=True)
    count = int(home.max()) + 1
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        yield np.bincount(rng.integers(0, count, count), minlength=count).astype(np.float64)[home]


@dataclass(frozen=True)
class Rows:
    """Rows that metrics are computed on.

    Parameters
    ----------
    outcome : array of {0, 1}, shape (n,)
    customers : array, shape (n,)
    cutoffs : array of int, shape (n,), optional
        A metric is computed for each cutoff and averaged; without it once over all rows. Cutoffs at which it cannot be
        computed (everybody left, say) are left out of the mean, of the rows and of every draw; a draw that has one
        outcome only at some cutoff leaves that one out.
    """

    outcome: npt.ArrayLike
    customers: npt.ArrayLike
    cutoffs: npt.ArrayLike | None = None

    def parts(self) -> list[npt.NDArray[np.int64]]:
        """Return the positions of each cutoff's rows."""
        if self.cutoffs is None:
            return [np.arange(len(np.asarray(self.outcome)))]
        days = np.asarray(self.cutoffs)
        return [np.flatnonzero(days == day) for day in np.unique(days)]


def metric_table(
    metric: Metric, rows: Rows, risks: Mapping[str, npt.ArrayLike], *, draws: int = 1000, seed: int = 0
) -> dict[str, Floats]:
    """Compute a metric for several models on the rows themselves and on the same draws of customers.

    Returns
    -------
    dict of str to array, shape (draws + 1,)
        First the metric itself, then one value a draw: what intervals and differences are made of.

    Examples
    --------
    >>> from tierlens.risk.evaluation.metrics import auc
    >>> rows = Rows([0, 1, 1, 0], ["a", "b", "c", "d"])
    >>> metric_table(auc, rows, {"model": [0.1, 0.9, 0.8, 0.2]}, draws=3)["model"][0]
    np.float64(1.0)
    """
    parts = rows.parts()
    sorted_rows = {name: [_fall(rows.outcome, risk, part) for part in parts] for name, risk in risks.items()}
    found: dict[str, list[float]] = {name: [] for name in risks}
    ones = np.ones(len(np.asarray(rows.outcome)))
    sorted_rows = {name: _told(metric, given) for name, given in sorted_rows.items()}
    for weight in chain([ones], drawn_copies(rows.customers, draws, seed)):
        for name, given in sorted_rows.items():
            found[name].append(_mean([metric(y, p, weight[part]) for y, p, part in given]))
    return {name: np.array(values) for name, values in found.items()}


def _mean(values: list[float]) -> float:
    """Mean over the cutoffs of a draw; one at which all drawn customers have the same outcome is left out of it."""
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else np.nan


def resampled_figure(
    value: Callable[[Floats], float], customers: npt.ArrayLike, *, draws: int = 1000, seed: int = 0
) -> Floats:
    """Compute a figure that needs more than outcome and risk, such as a profit with costs by customer.

    Parameters
    ----------
    value : callable
        From the weight of each row, in the order of the rows, to a number.
    customers : array, shape (n,)
    draws, seed : int
        Of the same seed the draws are those of ``metric_table``: figures may be compared by ``paired_difference``.

    Returns
    -------
    array, shape (draws + 1,)
        First the figure itself, then one value a draw.

    Examples
    --------
    >>> spend = np.array([1.0, 2.0, 6.0])
    >>> found = resampled_figure(lambda weight: float(weight @ spend), ["a", "b", "c"], draws=50)
    >>> found[0], percentile_interval(found).low < 9.0
    (np.float64(9.0), True)
    """
    ones = np.ones(len(np.asarray(customers)))
    return np.array([value(weight) for weight in chain([ones], drawn_copies(customers, draws, seed))])


def _fall(outcome: npt.ArrayLike, risk: npt.ArrayLike, part: npt.NDArray[np.int64]) -> Part:
    """Sort rows by falling risk once: every draw then sorts what is sorted already, which is quick."""
    y, p, _ = checked_arrays(outcome, risk)
    order = part[np.argsort(-p[part], kind="stable")]
    return y[order], p[order], order


def _told(metric: Metric, parts: list[Part]) -> list[Part]:
    """Return the parts of which the metric can be computed; all of them where it can of none."""
    return [part for part in parts if np.isfinite(metric(part[0], part[1], np.ones(len(part[0]))))] or parts


def percentile_interval(values: Floats, level: float = 0.95) -> Interval:
    """Return the first value with the percentile interval of the rest (Efron and Tibshirani 1993, ch. 13).

    How often it holds the true value, metric by metric, is in docs/coverage.md.

    Raises
    ------
    UsageError
        ``E-RI-012`` when there are fewer than 20 draws, ``E-RI-013`` when the value itself could not be computed.

    Examples
    --------
    >>> str(percentile_interval(np.concatenate([[0.5], np.linspace(0.025, 0.975, 39)])))
    '0.5000 (0.0250 to 0.9750)'
    """
    if not np.isfinite(values[0]):
        raise UsageError(
            "E-RI-013",
            Text("a figure cannot be computed: all rows have the same outcome", "无法计算指标：所有行的结果相同"),
            fix=Text("test more cutoffs, or give a longer horizon", "请增加检验截止日，或加长预测期"),
        )
    draws = values[1:]
    draws = draws[np.isfinite(draws)]
    if len(draws) < 20:
        raise UsageError(
            "E-RI-012",
            Text(f"{len(draws)} draws make no interval", f"{len(draws)} 次抽样不足以给出区间"),
            fix=Text("draw 200 or more", "请至少抽样 200 次"),
        )
    # Of n draws the k-th has k of n + 1 parts of the distribution below it; numpy's default makes intervals too narrow.
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], method="weibull")
    return Interval(float(values[0]), float(low), float(high), level)


def paired_difference(values: Mapping[str, Floats], better: str, than: str, level: float = 0.95) -> Interval:
    """Return the paired difference of two models from one ``metric_table``.

    Examples
    --------
    >>> drawn = np.linspace(0, 1, 21)
    >>> str(paired_difference({"a": drawn + 0.25, "b": drawn}, "a", "b"))
    '0.2500 (0.2500 to 0.2500)'
    """
    return percentile_interval(values[better] - values[than], level)
