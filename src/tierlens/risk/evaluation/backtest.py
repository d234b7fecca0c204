"""What became of past scores: once the horizon has passed, risk is held against what happened, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tierlens.risk.evaluation.bootstrap import Interval, Rows, metric_table, percentile_interval
from tierlens.risk.evaluation.metrics import auc, brier, calibration_error, checked_arrays, lift_at
from tierlens.words import Text

SHARE = 0.1
"""Share of the customers at whom lift is taken: the riskiest tenth."""
LIFT_BANDS: Mapping[str, tuple[float, Text]] = {
    "strong": (0.6, Text("strong: most of the list would have left", "强：名单上多数客户确实流失")),
    "useful": (
        0.3,
        Text("useful: the list holds clearly more leavers than chance", "有用：名单中的流失者明显多于随机"),
    ),
    "weak": (0.0, Text("weak: a little better than chance", "弱：略好于随机")),
    "none": (-np.inf, Text("none: not told from chance", "无：与随机无异")),
}
"""Bounds of the part of the possible lift that was reached, (lift - 1) / (most that the base rate allows - 1)."""
LEVEL_BANDS: Mapping[str, tuple[float, Text]] = {
    "right": (0.03, Text("the level was right", "总体水平准确")),
    "near": (0.06, Text("the level was a little off", "总体水平略有偏差")),
    "off": (
        np.inf,
        Text("the level was off: take the order, not the percentages", "总体水平有偏差：可用排序，勿用百分比"),
    ),
}
"""Bounds of the distance between mean risk and rate."""


@dataclass(frozen=True)
class Backtest:
    """Past scores of one cutoff against what happened.

    Parameters
    ----------
    rows : int
    rate, mean_risk : float
        What happened, and what was expected; 0-1.
    auc, lift, brier : Interval
        Ranking, lift of the riskiest tenth, and probability, with intervals by customer.
    calibration : float
        Mean distance of risk from rate over ten bins.
    """

    rows: int
    rate: float
    mean_risk: float
    auc: Interval
    lift: Interval
    brier: Interval
    calibration: float

    @property
    def band(self) -> str:
        """Key of ``LIFT_BANDS``: chance where the interval of the lift reaches 1."""
        return lift_band(self.lift.value, self.rate, self.lift.low)

    @property
    def level(self) -> str:
        """Key of ``LEVEL_BANDS``."""
        away = abs(self.mean_risk - self.rate)
        return next(name for name, (bound, _) in LEVEL_BANDS.items() if away <= bound)

    def say(self) -> Text:
        """Return it as one sentence."""
        band, level = LIFT_BANDS[self.band][1], LEVEL_BANDS[self.level][1]
        return Text(
            f"{self.rows:,} customers: {self.rate:.1%} did, {self.mean_risk:.1%} were expected to ({level.en}). AUC "
            f"{self.auc.value:.3f} ({self.auc.low:.3f} to {self.auc.high:.3f}), lift of the riskiest tenth "
            f"{self.lift.value:.2f} ({band.en})",
            f"{self.rows:,} 位客户：实际 {self.rate:.1%}，预期 {self.mean_risk:.1%}（{level.zh}）。AUC "
            f"{self.auc.value:.3f}（{self.auc.low:.3f} 至 {self.auc.high:.3f}），风险最高一成的提升度 "
            f"{self.lift.value:.2f}（{band.zh}）",
        )

    def figures(self) -> dict[str, float]:
        """Return it as flat numbers."""
        found = {"rate": self.rate, "mean_risk": self.mean_risk, "ece": self.calibration, "rows": float(self.rows)}
        for name, value in (("auc", self.auc), ("lift_10", self.lift), ("brier", self.brier)):
            found |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
        return found


def lift_band(lift: float, rate: float, low: float | None = None) -> str:
    """Say in one word how good a lift is, given the base rate, which bounds what is possible.

    Parameters
    ----------
    lift : float
        Of the riskiest tenth.
    rate : float
        Base rate, 0-1.
    low : float, optional
        Lower bound of the lift's interval: at or below 1 nothing is claimed.

    Examples
    --------
    >>> lift_band(1.4, 0.6), lift_band(1.4, 0.1), lift_band(3.0, 0.01, low=0.8)
    ('useful', 'weak', 'none')
    """
    most = min(1.0 / SHARE, 1.0 / max(rate, 1e-12))
    if not np.isfinite(lift) or most <= 1.0 or lift <= 1.0 or (low is not None and not low > 1.0):
        return "none"
    reached = (lift - 1.0) / (most - 1.0)
    return next(name for name, (bound, _) in LIFT_BANDS.items() if reached >= bound)


def backtest_risks(
    outcome: npt.ArrayLike, risk: npt.ArrayLike, customers: npt.ArrayLike, *, draws: int = 200, seed: int = 0
) -> Backtest:
    """Hold past risks of one cutoff against what happened.

    Parameters
    ----------
    outcome : array of {0, 1}, shape (n,)
    risk : array of float, shape (n,)
        As it was told at the cutoff.
    customers : array, shape (n,)
    draws : int
        Bootstrap resamples of customers.
    seed : int

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> risk = rng.random(500)
    >>> found = backtest_risks(rng.random(500) < risk, risk, np.arange(500))
    >>> found.band, found.level
    ('strong', 'right')
    """
    y, p, _ = checked_arrays(outcome, risk)
    rows = Rows(y, customers)
    drawn = {
        name: percentile_interval(metric_table(metric, rows, {"risk": p}, draws=draws, seed=seed)["risk"])
        for name, metric in (("auc", auc), ("lift", _lift), ("brier", brier))
    }
    return Backtest(len(y), float(y.mean()), float(p.mean()), **drawn, calibration=calibration_error(y, p))


def _lift(y: npt.ArrayLike, p: npt.ArrayLike, w: npt.ArrayLike) -> float:
    return lift_at(y, p, SHARE, w)
