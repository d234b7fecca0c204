"""The compiled walk gives LightGBM's own raw scores, to the last bit, or leaves the work to it."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest

from tierlens.risk.model import trees, walk
from tierlens.risk.model.trees import Forest
from tierlens.risk.model.walk import walk_of


def boosters(seeds=1, gaps=True, rounds=20, **settings):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1200, 5))
    X[:, 4] = rng.integers(0, 6, 1200)
    if gaps:
        X[rng.random(X.shape) < 0.1] = np.nan
    y = (np.nan_to_num(X[:, 0]) + np.isnan(X[:, 1]) + rng.normal(size=1200) > 0).astype(int)
    fixed = {"objective": "binary", "verbose": -1, "num_threads": 1, "min_data_in_leaf": 10} | settings
    data = {"categorical_feature": fixed.pop("categorical_feature", "auto")}
    return [lgb.train({**fixed, "seed": seed}, lgb.Dataset(X, y, **data), rounds) for seed in range(seeds)]


def rows(seed=1):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2000, 5))
    X[rng.random(X.shape) < 0.1] = np.nan
    X[rng.random(X.shape) < 0.05] = 0.0
    X[rng.random(X.shape) < 0.01] = np.inf
    return X


@pytest.mark.parametrize("gaps", [True, False])
@pytest.mark.parametrize("seeds", [1, 3])
def test_scores_are_lightgbms_to_the_last_bit(gaps, seeds):
    grown, X = boosters(seeds, gaps, feature_fraction=0.6), rows()
    found = walk_of(grown)
    assert found is not None
    slow = sum(booster.predict(X, raw_score=True) for booster in grown) / seeds
    assert (found.raw(X) == slow).all()


def test_a_tree_of_one_leaf_is_walked_too():
    grown, X = boosters(rounds=3, min_data_in_leaf=5000), rows()
    found = walk_of(grown)
    assert found is not None
    assert (found.raw(X) == grown[0].predict(X, raw_score=True)).all()


def test_what_is_not_walked_is_left_to_lightgbm(monkeypatch):
    assert walk_of(boosters(categorical_feature=[4])) is None
    assert walk_of(boosters(zero_as_missing=True)) is None
    monkeypatch.setattr(walk, "walk_kernel", lambda: None)
    assert walk_of(boosters()) is None


def test_a_forest_gives_the_same_either_way(monkeypatch):
    forest, X = Forest(tuple(boosters(2))), rows()
    slow = forest.raw(X, 1)
    monkeypatch.setattr(trees, "WALKED", 100)
    assert forest.walk is not None
    assert (forest.raw(X, 1) == slow).all()
