"""How sure a risk is: the model learns again from outcomes that it draws itself, and the season may turn out otherwise.

A parametric bootstrap (Efron and Tibshirani 1993, ch. 6): the model's own risks play the truth, outcomes are drawn from
them, and what a model learned from these misses is what ours is expected to miss: its scatter, and its pull to the
middle. All snapshots of a customer share one draw, so that a customer who recurs counts once. By how much the level of
earlier cutoffs was missed is added. The interval is one of the probability, not of the outcome: of customers at 30 %
with an interval from 25 % to 36 %, between a quarter and a third are expected to leave. What the members cannot say at
all is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tierlens.errors import UsageError
from tierlens.risk.model.classifier import RiskClassifier
from tierlens.risk.model.linear import Floats, logit, sigmoid
from tierlens.risk.model.members import Sample
from tierlens.risk.model.recipe import fit_blend, recipe_for
from tierlens.words import Text

LEAST = 4
"""Draws below which no interval is made."""


@dataclass(frozen=True)
class Known:
    """Rows that the model was learned from, as in ``RiskClassifier.fit``, and the customer of each."""

    X: Any
    y: npt.ArrayLike
    customers: npt.ArrayLike
    cutoffs: npt.ArrayLike | None = None


@dataclass(frozen=True)
class Asked:
    """Rows whose risk is asked for, as in ``RiskClassifier.predict_proba``."""

    X: Any
    cutoffs: npt.ArrayLike | None = None
    base_rate: float | Mapping[int, float] | None = None


class Bounds(NamedTuple):
    """Bounds of the risk of each row; the risk itself lies between."""

    low: Floats
    high: Floats


def risk_bounds(
    model: RiskClassifier, known: Known, asked: Asked, *, draws: int = 10, level: float = 0.9, season: float = 0.0,
    seed: int = 0,
) -> Bounds:  # fmt: skip
    """Return an interval of each row's risk.

    Parameters
    ----------
    model : RiskClassifier
        Fitted on ``known``.
    known : Known
    asked : Asked
    draws : int
        Models learned again, at least 4; each of one booster.
    level : float
        Chance that the interval is meant to hold the probability, 0-1.
    season : float
        Standard deviation, in log-odds, of what earlier forecasts of the level were off by; see ``season_error``.
    seed : int

    Returns
    -------
    Bounds

    Raises
    ------
    UsageError
        ``E-RI-050`` for too few draws.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(80, 2))
    >>> y = (X[:, 0] + rng.normal(size=80) > 0).astype(int)
    >>> model = RiskClassifier(n_jobs=1).fit(X, y)
    >>> low, high = risk_bounds(model, Known(X, y, np.arange(80)), Asked(X[:3]), draws=5)
    >>> risk = model.predict_proba(X[:3])[:, 1]
    >>> bool((low < risk).all() and (risk < high).all())
    True
    """
    if draws < LEAST:
        raise UsageError(
            "E-RI-050",
            Text(f"{draws} draws make no interval of a risk", f"{draws} 次抽样不足以给出风险区间"),
            fix=Text(f"draw {LEAST} or more", f"请至少抽样 {LEAST} 次"),
        )
    from scipy.stats import t as student

    found = model.log_odds(asked.X, cutoffs=asked.cutoffs, base_rate=asked.base_rate)
    missed = _drawn(model, known, asked, draws, seed) - found
    bias, scatter = missed.mean(axis=0), missed.var(axis=0, ddof=1)
    # Half of a variance from few draws is taken from the mean of all rows. It counts twice: for the risk, and for what
    # is known of its bias.
    scatter = scatter + scatter.mean() * (1.0 + 1.0 / draws)
    far = float(student.ppf((1.0 + level) / 2.0, 2 * (draws - 1))) * np.sqrt(scatter + bias**2 + season**2)
    return Bounds(sigmoid(np.minimum(found - bias - far, found)), sigmoid(np.maximum(found - bias + far, found)))


def _drawn(model: RiskClassifier, known: Known, asked: Asked, draws: int, seed: int) -> Floats:
    """Log-odds of the rows asked for by models learned from outcomes that the model draws, shape (draws, n)."""
    again = RiskClassifier(**{**model.get_params(), "seeds": 1})
    sample = again.prepare(known.X, known.y, cutoffs=known.cutoffs)
    recipe = recipe_for(sample, snapshots=known.cutoffs is not None)
    if again.ridge is not None:
        recipe = recipe.with_ridge(again.ridge)
    inputs, days = model.inputs(asked.X, asked.cutoffs)
    truth = sigmoid(sample.inputs.offset + model.blend_.raw(sample.inputs, model.n_jobs or 0))
    _, home = np.unique(np.asarray(known.customers), return_inverse=True)
    rng, count = np.random.default_rng(seed), int(home.max()) + 1
    found = np.empty((draws, len(inputs.offset)))
    for number in range(draws):
        outcome = (rng.random(count)[home] < truth).astype(np.float64)
        blend = fit_blend(recipe, Sample(sample.inputs, outcome, sample.weight), again.member_settings())
        raw = inputs.offset + blend.raw(inputs, model.n_jobs or 0)
        found[number] = raw + model.level_shift(raw, days, asked.base_rate)
    return found


def season_error(outcome: npt.ArrayLike, risk: npt.ArrayLike, cutoffs: npt.ArrayLike) -> float:
    """Return by how much the level of tested cutoffs was missed: root mean square of the error in log-odds.

    Parameters
    ----------
    outcome, risk, cutoffs : array, shape (n,)
        Rows of tested cutoffs, whose risk was forecast before their outcome was known.

    Examples
    --------
    >>> round(season_error([0, 1, 1, 1], [0.5, 0.5, 0.5, 0.5], [1, 1, 2, 2]), 2) > 1
    True
    """
    days, y, p = np.asarray(cutoffs), np.asarray(outcome, dtype=np.float64), np.asarray(risk, dtype=np.float64)
    errors = []
    for day in np.unique(days):
        here = days == day
        rows = float(here.sum())
        errors.append(float(logit((y[here].sum() + 0.5) / (rows + 1.0)) - logit(p[here].mean())))
    return float(np.sqrt(np.mean(np.square(errors))))
