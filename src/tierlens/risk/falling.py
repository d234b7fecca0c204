"""How likely a customer spends less than a need within the horizon: what decides whether a tier by spend falls.

Which spend rolls out of the window by when is arithmetic; what is learned is the distribution of the spend to come.
Each snapshot teaches "was less than x spent?" for several made-up needs x, so that every closed cutoff counts, also
those at which nobody could fall. Two members stand around the expectation that is known without labels
(``need.chance_below``): a line on percentile ranks and log-ratios of the need, and small trees in which the chance
never falls as the need grows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tierlens.errors import DataError
from tierlens.risk.evaluation.baselines import float_column
from tierlens.risk.model.level import shifts_by
from tierlens.risk.model.linear import Floats, Line, Rows, logit, ridge_logistic, sigmoid
from tierlens.risk.model.ranks import learn_curves, scaled_ranks
from tierlens.risk.model.trees import SETTINGS, Forest, Growth, TreeRows, grow_forest
from tierlens.risk.spend_needed import BESIDE, VALUE, beside_need, chance_below, order_values
from tierlens.words import Text

Ints = npt.NDArray[np.int64]
NEEDS = 3
"""Made-up needs for each snapshot."""
LEAST, MOST = 0.1, 8.0
"""Bounds of made-up needs, in mean orders of the customer; drawn evenly on a logarithmic scale between them."""
RIDGE = 2_000.0
MANY = 100_000
"""Snapshots learned from at most, evenly thinned."""
FAR = 4.0


@dataclass(frozen=True)
class Spending:
    """A learned distribution of the spend to come.

    Parameters
    ----------
    names : tuple of str
        Columns that ranks and trees read, besides those that a need is seen beside (``need.READ``).
    line : Line
    centre, spread : array of float
        Of the log-ratios of needs, as the line saw them.
    forest : Forest
    shifts : mapping of int to float
        Level of each cutoff learned from above the expectation, in log-odds.
    """

    names: tuple[str, ...]
    line: Line
    centre: Floats
    spread: Floats
    forest: Forest
    shifts: Mapping[int, float]

    def chance(
        self, table: Any, need: npt.ArrayLike, cutoffs: npt.ArrayLike, *, level: float = 0.0, threads: int = 0
    ) -> Floats:
        """Return the probability of spending less than the need in the horizon.

        Parameters
        ----------
        table : table
            All customers of each cutoff: they are ranked among each other.
        need : array of float, shape (n,)
            Minor units that must be spent; 0 and below: nothing; missing: not asked.
        cutoffs : array of int, shape (n,)
        level : float
            Added to the log-odds: how far the forecast share without a purchase (``level.forecast_rate``) lies above
            the mean that the rhythm expects. The levels of closed cutoffs are set aside: they are of other seasons.
        threads : int
            0 for all cores; the result does not depend on it.

        Returns
        -------
        array of float, shape (n,)
            0 where nothing is needed, missing where the need is.
        """
        asked, days = np.asarray(need, dtype=np.float64), _days(cutoffs, need)
        found = np.where(np.isnan(asked), np.nan, 0.0)
        rows = np.flatnonzero(asked > 0)
        if not len(rows):
            return found
        view = _view(table, self.names, days)
        seen = _seen(view, rows, asked[rows])
        straight = self.line.intercept + _design(seen, self.centre, self.spread) @ self.line.weights
        bent = self.forest.raw(np.column_stack([seen.values, seen.beside]), threads)
        found[rows] = sigmoid(seen.offset + level + (straight + bent) / 2.0)
        return found


@dataclass(frozen=True)
class _View:
    """Snapshots as matrices, the table itself, and cutoffs."""

    table: Mapping[str, Floats]
    values: Floats
    ranks: Floats
    days: Ints


@dataclass(frozen=True)
class _Seen:
    """Snapshots beside needs: values and ranks of features, log-ratios of the need, log-odds of the expectation."""

    values: Floats
    ranks: Floats
    beside: Floats
    offset: Floats


def learn_spending(
    table: Any,
    spend: npt.ArrayLike,
    cutoffs: npt.ArrayLike,
    names: Sequence[str],
    *,
    seeds: int = 3,
    random_state: int = 0,
    threads: int = 0,
) -> Spending:
    """Learn the distribution of the spend to come from cutoffs whose horizon has closed.

    Parameters
    ----------
    table : table
        All customers of each cutoff, with the columns ``names`` and those of ``need.READ``.
    spend : array, shape (n,)
        Spent in the horizon, minor units; see ``outcome.spend_in_horizon``.
    cutoffs : array of int, shape (n,)
    names : sequence of str
        Columns that the members read; missing values are allowed.
    seeds, random_state, threads : int

    Returns
    -------
    Spending

    Raises
    ------
    DataError
        ``E-RI-060`` when no or every made-up need was met: there is nothing to tell apart.
    """
    spent, days = np.asarray(spend, dtype=np.float64), _days(cutoffs, spend)
    view = _view(table, names, days)
    rng = np.random.default_rng(random_state)
    rows = np.tile(np.arange(0, len(spent), max(-(-len(spent) // MANY), 1)), NEEDS)
    value = np.maximum(np.nan_to_num(view.table[VALUE][rows]), 1.0)
    need = value * np.exp(rng.uniform(np.log(LEAST), np.log(MOST), len(rows)))
    less = (spent[rows] < need).astype(np.float64)
    if not 0.0 < less.mean() < 1.0:
        raise DataError(
            "E-RI-060",
            Text("there is no spend to learn from", "没有可供学习的消费金额"),
            where="spend",
            fix=Text("give cutoffs at which some customers bought and some did not", "请提供有购买也有未购买的截止日"),
        )
    seen = _seen(view, rows, need)
    ones = np.ones(len(rows))
    shifts = shifts_by(seen.offset, less, ones, days[rows])
    offset = seen.offset + np.array([shifts[day] for day in days[rows].tolist()])
    centre, spread = seen.beside.mean(axis=0), np.maximum(seen.beside.std(axis=0), 1e-9)
    line = ridge_logistic(Rows(_design(seen, centre, spread), less, ones, offset), RIDGE)
    given = TreeRows(np.column_stack([seen.values, seen.beside]), less, ones, offset)
    forest = grow_forest(_growth(len(names), seeds, random_state, threads), given)
    return Spending(tuple(names), line, centre, spread, forest, shifts)


def _growth(features: int, seeds: int, random_state: int, threads: int) -> Growth:
    rising = ",".join(["0"] * features + ["1"] * len(BESIDE))
    return Growth({**SETTINGS["small"], "monotone_constraints": rising}, (), seeds, random_state, threads)


def _days(cutoffs: npt.ArrayLike, rows: npt.ArrayLike) -> Ints:
    days = np.asarray(cutoffs).astype(np.int64)
    if days.shape != np.asarray(rows).shape:
        raise DataError(
            "E-RI-021",
            Text(f"{len(np.asarray(rows))} rows and cutoffs of shape {days.shape}", "行数与截止日数不一致"),
            where="cutoffs",
            fix=Text("give one cutoff a row", "请为每行给出一个截止日"),
        )
    return days


def _view(table: Any, names: Sequence[str], days: Ints) -> _View:
    from tierlens.risk.spend_needed import READ

    read = {name: float_column(table, name) for name in dict.fromkeys([*names, *READ])}
    values = np.column_stack([read[name] for name in names])
    ranked = np.zeros_like(values)
    for day in np.unique(days):
        here = days == day
        ranked[here] = scaled_ranks(values[here], learn_curves(values[here]))
    return _View(read, values, ranked, days)


def _seen(view: _View, rows: Ints, need: Floats) -> _Seen:
    expected = np.empty(len(rows))
    days = view.days[rows]
    for day in np.unique(days):
        everybody = {name: values[view.days == day] for name, values in view.table.items()}
        here = days == day
        mine = {name: values[rows[here]] for name, values in view.table.items()}
        expected[here] = chance_below(mine, need[here], order_values(everybody))
    some = {name: values[rows] for name, values in view.table.items()}
    return _Seen(view.values[rows], view.ranks[rows], beside_need(some, need), logit(expected))


def _design(seen: _Seen, centre: Floats, spread: Floats) -> Floats:
    return np.column_stack([seen.ranks, np.clip((seen.beside - centre) / spread, -FAR, FAR)])
