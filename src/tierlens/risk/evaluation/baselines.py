"""Simple ways to rank the same customers. A model that does not beat the best of them is not worth its keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tierlens.risk.model.linear import Floats, Rows, ridge_logistic, sigmoid
from tierlens.words import Text

Score = Callable[[Any], Floats]
"""From a table of features to a score of each row; higher is riskier."""


@dataclass(frozen=True)
class Baseline:
    """A simple way to rank the same rows.

    Parameters
    ----------
    name : Text
    fit : callable
        From (table, outcome {0, 1}) of training rows to a function from a table to scores; higher is riskier.
    is_risk : bool
        Whether the score is a probability.
    needs : tuple of str
        Columns it reads; none means all that there are.

    Examples
    --------
    >>> score = BASELINES["recency"].fit({"recency_days": [5, 50]}, np.array([0, 1]))
    >>> score({"recency_days": [7, 70]})
    array([ 7., 70.])
    """

    name: Text
    fit: Callable[[Any, npt.ArrayLike], Score]
    is_risk: bool
    needs: tuple[str, ...] = ()


def float_column(table: Any, name: str) -> Floats:
    """Return a column of a table (pandas, Arrow, or a mapping of arrays) as floats, missing values as nan."""
    return np.asarray(table[name], dtype=np.float64)


def by_column(name: Text, feature: str, sign: float = 1.0, *, is_risk: bool = False) -> Baseline:
    """Rank by one column as it stands: nothing is learned.

    Examples
    --------
    >>> few = by_column(Text("frequency", "频次"), "frequency", -1.0)
    >>> few.fit(None, [])({"frequency": [3]})
    array([-3.])
    """
    return Baseline(
        name, lambda _table, _outcome: lambda table: sign * float_column(table, feature), is_risk, (feature,)
    )


RFM = ("recency_days", "frequency", "monetary")


def _log_rfm(table: Any) -> Floats:
    return np.column_stack([np.log1p(np.maximum(np.nan_to_num(float_column(table, name)), 0.0)) for name in RFM])


def _fit_log_rfm(table: Any, outcome: npt.ArrayLike) -> Score:
    design, y = _log_rfm(table), np.asarray(outcome, dtype=np.float64)
    line = ridge_logistic(Rows(design, y, np.ones(len(y)), np.zeros(len(y))), ridge=1.0)
    return lambda rows: sigmoid(line.intercept + _log_rfm(rows) @ line.weights)


def _matrix(table: Any) -> Floats:
    names = table.column_names if hasattr(table, "column_names") else list(table)
    return np.column_stack([float_column(table, name) for name in names])


def boosted_fit(**settings: float) -> Callable[[Any, npt.ArrayLike], Score]:
    """Return the ``fit`` of plain LightGBM on all columns, which must be numbers; ``rounds`` trees, 100 by default.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=500)
    >>> boosted_fit(rounds=5, num_threads=1)({"x": x}, x > 0)({"x": [-2.0, 2.0]}).round(1)
    array([0.3, 0.7])
    """

    def fit(table: Any, outcome: npt.ArrayLike) -> Score:
        import lightgbm as lgb

        given = dict(settings)
        rounds = int(given.pop("rounds", 100))
        fixed = {"objective": "binary", "verbose": -1, "seed": 1, "deterministic": True, "force_row_wise": True}
        data = lgb.Dataset(_matrix(table), np.asarray(outcome, dtype=np.float64), params={"verbose": -1})
        booster = lgb.train({**fixed, **given}, data, rounds)
        return lambda rows: np.asarray(booster.predict(_matrix(rows)), dtype=np.float64)

    return fit


def roll_off(bound: str, left: str) -> Baseline:
    """Rank by what is still needed to keep a tier once known spend has rolled out of the window; nothing is learned.

    Parameters
    ----------
    bound : str
        Column with the least spend in the window that keeps the customer's tier.
    left : str
        Column with the spend known at the cutoff that still lies in the window at the end of the horizon.

    Examples
    --------
    >>> rule = roll_off("bound", "left").fit(None, [])
    >>> rule({"bound": [100.0, 100.0], "left": [40.0, 130.0]}).round(2)
    array([ 0.6, -0.3])
    """

    def need(table: Any) -> Floats:
        least = float_column(table, bound)
        return (least - float_column(table, left)) / np.maximum(least, 1e-9)

    return Baseline(Text("roll-off rule", "滚出规则"), lambda _table, _outcome: need, False, (bound, left))


BASELINES: Mapping[str, Baseline] = {
    "recency": by_column(Text("recency", "最近购买"), "recency_days"),
    "frequency": by_column(Text("frequency", "购买频次"), "frequency", -1.0),
    "log_rfm": Baseline(Text("logistic regression on log-RFM", "对数RFM逻辑回归"), _fit_log_rfm, True, RFM),
    "btyd_expected": by_column(
        Text("BG/NBD expected purchases", "BG/NBD 期望购买次数"), "btyd_expected", -1.0
    ),
    "btyd_p0": by_column(
        Text("BG/NBD probability of no purchase", "BG/NBD 无购买概率"), "btyd_p0", is_risk=True
    ),
    "lightgbm": Baseline(Text("LightGBM, default settings", "LightGBM 默认参数"), boosted_fit(), True),
    "lightgbm_regularised": Baseline(
        Text("LightGBM, regularised", "LightGBM 强正则"),
        boosted_fit(num_leaves=15, learning_rate=0.02, rounds=300, feature_fraction=0.5),
        True,
    ),
}  # fmt: skip
"""Baselines of churn by name; those of a downgrade are made with ``roll_off`` and ``boosted``."""
