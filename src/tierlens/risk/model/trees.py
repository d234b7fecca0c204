"""Boosted trees that start from a given log-odds: LightGBM with settings by name, several seeds averaged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from tierlens.risk.kernel.shap_forest import ShapForest, read_forest
from tierlens.risk.model.linear import Floats
from tierlens.risk.model.walk import Walk, walk_of

Setting = int | float | bool | str

# small: many weak, heavily shrunk trees for snapshots, where what is true of one season is not of the next.
# large: the same for a hundred thousand snapshots and more. slow and medium: flat tables; big: flat ones of that size.
SETTINGS: dict[str, dict[str, Setting]] = {
    "small": {
        "num_leaves": 4, "learning_rate": 0.03, "rounds": 150, "min_data_in_leaf": 300, "feature_fraction": 0.3,
        "lambda_l2": 20.0, "patience": 0, "max_bin": 63,
    },
    "large": {
        "num_leaves": 15, "learning_rate": 0.05, "rounds": 300, "min_data_in_leaf": 500, "feature_fraction": 0.3,
        "lambda_l2": 20.0, "patience": 0, "max_bin": 63,
    },
    "slow": {
        "num_leaves": 15, "learning_rate": 0.05, "rounds": 600, "min_data_in_leaf": 40, "feature_fraction": 0.5,
        "lambda_l2": 5.0, "bagging_fraction": 0.8, "bagging_freq": 1, "patience": 40, "max_bin": 127,
    },
    "medium": {
        "num_leaves": 31, "learning_rate": 0.06, "rounds": 600, "min_data_in_leaf": 20, "feature_fraction": 0.8,
        "patience": 30,
    },
    "big": {
        "num_leaves": 63, "learning_rate": 0.08, "rounds": 500, "min_data_in_leaf": 50, "feature_fraction": 0.7,
        "lambda_l2": 1.0, "patience": 25,
    },
}  # fmt: skip

OURS = ("rounds", "patience", "max_bin")
"""Settings that do not go to LightGBM's training: most trees, trees without gain after which to stop (0: never), and
bins, which belong to the data."""
BINS = 255
WALKED = 10_000
"""Rows from which compiling pays."""
EXPLAINED = 10_000
"""Rows from which the trees are read for SHAP values, to see whether compiling pays."""
SMALL = 500_000
"""Values (rows times columns) below which threads cost more than they bring."""


@dataclass(frozen=True)
class TreeRows:
    """Rows to learn from: ``values`` (n, p) with missing values, ``outcome``, ``weight`` and ``offset`` in log-odds."""

    values: Floats
    outcome: Floats
    weight: Floats
    offset: Floats

    def take(self, rows: npt.NDArray[np.int64]) -> TreeRows:
        """Return some of the rows."""
        return TreeRows(self.values[rows], self.outcome[rows], self.weight[rows], self.offset[rows])


def threads_for(values: Floats, threads: int) -> int:
    """Return how many threads to use: those asked for; unasked, one where the rows are too few to be shared out.

    Examples
    --------
    >>> threads_for(np.zeros((1000, 20)), 0), threads_for(np.zeros((1000, 20)), 2)
    (1, 2)
    """
    return threads or (1 if values.size < SMALL else 0)


@dataclass(frozen=True)
class Forest:
    """Boosters whose raw scores are averaged; they add to the offset."""

    boosters: tuple[Any, ...]

    def raw(self, values: Floats, threads: int = 0) -> Floats:
        """Return the mean raw score, shape (n,); many rows on one thread walk down compiled trees."""
        if len(values) >= WALKED and threads == 1 and self.walk is not None:
            return self.walk.raw(values)
        threads = threads_for(values, threads)
        found = sum(np.asarray(b.predict(values, raw_score=True, num_threads=threads)) for b in self.boosters)
        return np.asarray(found, dtype=np.float64) / len(self.boosters)

    def parts(self, values: Floats, threads: int = 0) -> Floats:
        """Return SHAP values, shape (n, p + 1); the last column is the base, and a row sums to its raw score."""
        if len(values) >= EXPLAINED and self.shap is not None and self.shap.pays(len(values)):
            return self.shap.parts(values, threads)
        threads = threads_for(values, threads)
        found = sum(np.asarray(b.predict(values, pred_contrib=True, num_threads=threads)) for b in self.boosters)
        return np.asarray(found, dtype=np.float64) / len(self.boosters)

    @cached_property
    def walk(self) -> Walk | None:
        """The trees as they are walked down by many rows; None where LightGBM must do it."""
        return walk_of(self.boosters)

    @cached_property
    def shap(self) -> ShapForest | None:
        """The trees as they are explained for many rows; None where LightGBM must do it."""
        return read_forest(self.boosters)

    @property
    def rounds(self) -> int:
        """Trees of the longest booster."""
        return max(int(b.current_iteration()) for b in self.boosters)


@dataclass(frozen=True)
class Growth:
    """How a forest is grown.

    Parameters
    ----------
    settings : mapping
        A row of ``SETTINGS`` or the like.
    categorical : sequence of int
        Places of columns that hold codes.
    seeds : int
        Boosters that are averaged.
    random_state : int
    threads : int
        0 for all cores; the result does not depend on it.
    signs : tuple of int
        Direction of each column: 1, -1 or 0 for free; nothing where all are.
    """

    settings: Mapping[str, Setting]
    categorical: Sequence[int] = ()
    seeds: int = 1
    random_state: int = 0
    threads: int = 0
    signs: tuple[int, ...] = ()
    fixed: Mapping[str, Setting] = field(
        default_factory=lambda: {
            "objective": "binary", "verbose": -1, "deterministic": True, "force_row_wise": True,
            "boost_from_average": False,
        }
    )  # fmt: skip

    def parameters(self, rows: int, number: int) -> dict[str, Any]:
        """Return LightGBM's parameters for so many rows and the booster of that number."""
        found: dict[str, Any] = {key: value for key, value in self.settings.items() if key not in OURS}
        if any(self.signs):
            found["monotone_constraints"] = list(self.signs)
        least = int(found.get("min_data_in_leaf", 20))
        found["min_data_in_leaf"] = max(min(least, rows // 20), 1)
        seed = self.random_state * 1000 + number + 1
        return {**self.fixed, **found, "seed": seed % (2**31), "num_threads": self.threads}


def binned_dataset(rows: TreeRows, categorical: Sequence[int], reference: Any = None, bins: int = BINS) -> Any:
    """Return rows as LightGBM's binned data set, which several boosters may share; bins are those of ``reference``."""
    import lightgbm as lgb

    return lgb.Dataset(
        rows.values,
        rows.outcome,
        weight=rows.weight,
        init_score=rows.offset,
        reference=reference,
        categorical_feature=list(categorical) or "auto",
        params={"verbose": -1, "feature_pre_filter": False, "max_bin": bins},
        free_raw_data=False,
    )


def grow_forest(growth: Growth, rows: TreeRows, watch: TreeRows | None = None, rounds: int | None = None) -> Forest:
    """Grow a forest.

    Parameters
    ----------
    growth : Growth
    rows : TreeRows
    watch : TreeRows, optional
        Rows on which the log loss is watched: growing stops once it has not fallen for ``patience`` trees, and the
        trees after the best one are left out.
    rounds : int, optional
        Trees of each booster, instead of the settings'.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(400, 2))
    >>> y = (x[:, 0] > 0).astype(float)
    >>> rows = TreeRows(x, y, np.ones(400), np.zeros(400))
    >>> forest = grow_forest(Growth(SETTINGS["medium"], threads=1), rows, rounds=5)
    >>> forest.rounds, forest.parts(x[:3]).shape
    (5, (3, 3))
    """
    import lightgbm as lgb

    bins = int(growth.settings.get("max_bin", BINS))
    train = binned_dataset(rows, growth.categorical, bins=bins)
    watched = binned_dataset(watch, growth.categorical, train, bins) if watch is not None else None
    most = int(rounds or growth.settings.get("rounds", 100))
    patience = int(growth.settings.get("patience", 0))
    calls = [lgb.early_stopping(patience, verbose=False)] if watched is not None and patience else []
    asked = replace(growth, threads=threads_for(rows.values, growth.threads))
    boosters = []
    for number in range(growth.seeds):
        found = lgb.train(
            asked.parameters(len(rows.values), number),
            train,
            most,
            valid_sets=[watched] if watched is not None else None,
            callbacks=calls,
        )
        boosters.append(_bare(found))
    return Forest(tuple(boosters))


def _bare(booster: Any) -> Any:
    """Keep a booster's trees and drop its data, up to the best one: it is then what is read back from its text."""
    import lightgbm as lgb

    best = booster.best_iteration if booster.best_iteration > 0 else -1
    return lgb.Booster(model_str=booster.model_to_string(num_iteration=best))
