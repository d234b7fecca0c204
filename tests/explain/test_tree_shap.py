"""Compiled SHAP values are LightGBM's own, whatever the trees, or the work is left to it, or refused in words."""

from __future__ import annotations

import itertools
import math
import sys

import lightgbm as lgb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests.explain.models import trained
from tierlens.errors import DataError, UsageError
from tierlens.explain import prepare_shap, tree_shap
from tierlens.risk.kernel import read_model, shap_forest, tree_plan
from tierlens.risk.kernel.shap_forest import planned_forest, read_forest
from tierlens.risk.model.trees import Forest

EXACT = 1e-9


def rows(count=700, columns=6, seed=0, whole=False):
    """Values with everything that may stand in a table: gaps, zeros, tiny numbers, infinities, repeats."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(count, columns))
    X[:, 1] = rng.integers(0, 5, count)
    X[:, 2] = np.round(X[:, 2], 1)
    if not whole:
        X[rng.random(X.shape) < 0.08] = np.nan
        X[rng.random(X.shape) < 0.08] = 0.0
        X[rng.random(X.shape) < 0.02] = 1e-36
        X[rng.random(X.shape) < 0.01] = np.inf
        X[rng.random(X.shape) < 0.01] = -np.inf
    return X


def grown(rounds=12, seed=0, whole=False, columns=6, **settings):
    X = rows(seed=seed, whole=whole, columns=columns)
    X[np.isinf(X)] = 3.0
    known = np.nan_to_num(X)
    target = known[:, 0] + known[:, 1] * known[:, 2] + np.isnan(X[:, 3]) + np.sin(3 * known[:, 4])
    fixed = {"objective": "regression", "verbose": -1, "num_threads": 1, "min_data_in_leaf": 5, "seed": seed} | settings
    if fixed["objective"] == "binary":
        target = (target > np.median(target)).astype(int)
    data = {"categorical_feature": fixed.pop("categorical_feature", "auto")}
    return lgb.train(fixed, lgb.Dataset(X, target, **data), rounds)


def is_exact(booster, X):
    forest = read_forest([booster])
    assert forest is not None
    expected = booster.predict(X, pred_contrib=True, num_threads=1)
    return forest.parts(X, 1) == pytest.approx(expected, abs=EXACT, rel=EXACT)


SETTINGS = {
    "as it comes": {},
    "binary": {"objective": "binary"},
    "stumps": {"num_leaves": 2},
    "three leaves": {"num_leaves": 3},
    "deep": {"num_leaves": 250, "min_data_in_leaf": 1, "rounds": 4},
    "a column at a time": {"feature_fraction": 0.16, "num_leaves": 60},
    "zero as missing": {"zero_as_missing": True},
    "no use of missing": {"use_missing": False},
    "nothing missing": {"whole": True},
    "categories": {"categorical_feature": [1, 2], "min_data_per_group": 1, "cat_smooth": 1.0},
    "one against the rest": {"categorical_feature": [1], "max_cat_to_onehot": 10, "min_data_per_group": 1},
    "random forest": {"boosting": "rf", "bagging_fraction": 0.6, "bagging_freq": 1},
    "dart": {"boosting": "dart", "drop_rate": 0.5},
    "one leaf": {"min_data_in_leaf": 5000, "rounds": 3},
    "directions": {"monotone_constraints": [1, 0, 0, 0, 0, -1]},
    "shares of rows": {"bagging_fraction": 0.3, "bagging_freq": 1, "extra_trees": True},
    "counts": {"objective": "mape"},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_values_are_lightgbms_own(name):
    booster = grown(**SETTINGS[name])
    assert is_exact(booster, rows(seed=1))


@pytest.mark.parametrize("seed", range(6))
def test_values_are_lightgbms_own_for_models_drawn_at_random(seed):
    rng = np.random.default_rng(seed)
    settings = {
        "objective": str(rng.choice(["binary", "regression"])),
        "num_leaves": int(rng.integers(2, 80)),
        "max_depth": int(rng.choice([-1, 3, 30])),
        "zero_as_missing": bool(rng.random() < 0.3),
        "use_missing": bool(rng.random() < 0.8),
        "feature_fraction": float(rng.uniform(0.3, 1.0)),
        "max_bin": int(rng.choice([3, 15, 255])),
    }
    assert is_exact(grown(seed=seed, **settings), rows(count=130, seed=seed + 50))


def test_long_paths_of_many_features_stay_exact():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 40))
    y = (X > 1).argmax(axis=1) + X.sum(axis=1)
    booster = lgb.train(
        {"verbose": -1, "num_threads": 1, "num_leaves": 400, "min_data_in_leaf": 1, "extra_trees": True},
        lgb.Dataset(X, y),
        3,
    )
    assert read_forest([booster]).plan.trees["points"].max() > 7
    assert is_exact(booster, X[:150])


def test_values_on_thresholds_go_where_lightgbm_sends_them():
    booster = grown(num_leaves=31)
    X = rows(seed=2)
    for tree in read_model(booster).trees:
        for column, threshold in zip(tree["split_feature"].astype(int), tree["threshold"], strict=True):
            X[column % 7 :: 7, column] = threshold
    X[::3] = np.nextafter(X[::3], np.inf)
    assert is_exact(booster, X)


def shapley_by_hand(tree, x):
    """Shapley values of a tree by all subsets of its features: what is not in the subset is split by training rows."""
    columns = sorted(set(tree["split_feature"].astype(int)))

    def expected(known, node=0):
        if node < 0:
            return tree["leaf_value"][~node]
        left, right = (int(tree[side][node]) for side in ("left_child", "right_child"))
        column = int(tree["split_feature"][node])
        if column in known:
            return expected(known, left if x[column] <= tree["threshold"][node] else right)
        counts = [tree["internal_count"][end] if end >= 0 else tree["leaf_count"][~end] for end in (left, right)]
        return (counts[0] * expected(known, left) + counts[1] * expected(known, right)) / sum(counts)

    found = np.zeros(len(x) + 1)
    found[-1] = expected(())
    for column in columns:
        others = [other for other in columns if other != column]
        for size in range(len(others) + 1):
            weight = math.factorial(size) * math.factorial(len(others) - size) / math.factorial(len(columns))
            for known in itertools.combinations(others, size):
                found[column] += weight * (expected((*known, column)) - expected(known))
    return found


def test_values_are_shapleys_by_all_subsets():
    booster, X = grown(rounds=1, whole=True, num_leaves=12), rows(count=5, seed=3, whole=True)
    tree = read_model(booster).trees[0]
    by_hand = np.array([shapley_by_hand(tree, x) for x in X])
    assert read_forest([booster]).parts(X, 1) == pytest.approx(by_hand, abs=EXACT)


def test_boosters_are_averaged_and_sum_to_the_score():
    boosters, X = [grown(seed=seed) for seed in range(3)], rows(seed=4)
    found = read_forest(boosters).parts(X, 1)
    score = sum(booster.predict(X, raw_score=True) for booster in boosters) / 3
    assert found.sum(axis=1) == pytest.approx(score, abs=EXACT)


def test_types_orders_and_threads_change_no_bit(monkeypatch):
    monkeypatch.setattr(shap_forest, "CHUNK", 128)
    forest, X = prepare_shap(grown()), rows(seed=5)
    X = X.astype(np.float32).astype(np.float64)
    found = forest.parts(X, 1)
    frozen = X.copy()
    frozen.setflags(write=False)
    for other in (np.asfortranarray(X), X.astype(np.float32), frozen, np.repeat(X, 2, axis=0)[::2]):
        assert (forest.parts(other, 2) == found).all()


def test_tables_are_read_by_name(monkeypatch):
    monkeypatch.setattr(shap_forest, "PAYS", 0)
    model, table = trained()
    expected = model.booster_.predict(table.astype(float), pred_contrib=True)
    turned = table[list(table)[::-1]].assign(more=1.0)
    for X in (table, turned, pa.Table.from_pandas(turned), table.to_numpy(float), table.to_numpy(np.float32)):
        assert tree_shap(model, X, n_jobs=2) == pytest.approx(expected, abs=1e-5)
    assert tree_shap(model, turned, n_jobs=2) == pytest.approx(expected, abs=EXACT)


def test_what_was_prepared_is_used_however_few_the_rows(monkeypatch):
    model, table = trained()
    forest = prepare_shap(model)
    monkeypatch.setattr(lgb.Booster, "predict", None)
    assert tree_shap(model, table[:3], forest=forest).shape == (3, 7)


def test_few_rows_are_left_to_lightgbm_and_so_are_all_without_numba(monkeypatch):
    model, table = trained()
    expected = model.booster_.predict(table.to_numpy(float), pred_contrib=True, num_threads=1)
    assert (tree_shap(model, table, n_jobs=1) == expected).all()
    monkeypatch.setattr(shap_forest, "PAYS", 0)
    shap_forest.shap_kernel.cache_clear()
    monkeypatch.setitem(sys.modules, "tierlens.risk.kernel.compiled_loops", None)
    assert (tree_shap(model, table, n_jobs=1) == expected).all()
    assert prepare_shap(model) is None
    assert read_forest([model.booster_]) is None
    shap_forest.shap_kernel.cache_clear()


def test_the_best_iteration_counts():
    booster, X = grown(), rows(seed=7)
    whole = read_forest([booster]).parts(X, 1)
    booster.best_iteration = 5
    assert is_exact(booster, X)
    assert read_forest([booster]).parts(X, 1) != pytest.approx(whole)


def test_a_column_named_like_a_field_is_no_field():
    X = pd.DataFrame(rows(whole=True), columns=["leaf_value", "leaf_count", "threshold", "Tree", "end", "num_cat"])
    booster = lgb.train({"verbose": -1, "num_threads": 1}, lgb.Dataset(X, X["leaf_value"]), 5)
    assert is_exact(booster, X.to_numpy())


def test_trees_whose_counts_do_not_add_up_are_left_to_lightgbm():
    booster = grown(rounds=2)
    text = booster.model_to_string()
    count = text.split("internal_count=")[1].split()[0]
    broken = lgb.Booster(model_str=text.replace(f"internal_count={count}", f"internal_count={int(count) + 1}"))
    assert read_forest([broken]) is None
    X = rows(count=10)
    assert tree_shap(broken, X, n_jobs=1) == pytest.approx(broken.predict(X, pred_contrib=True))


def test_paths_that_need_too_much_room_are_left_to_lightgbm(monkeypatch):
    monkeypatch.setattr(shap_forest, "ROOM", 1)
    assert planned_forest([read_model(grown(rounds=1))]) is None


def test_no_rows_and_no_splits():
    assert prepare_shap(grown(rounds=2)).parts(np.empty((0, 6)), 2).shape == (0, 7)
    assert not tree_plan.Planner().plan().trees.size


def refused(code, model, X):
    with pytest.raises((UsageError, DataError)) as caught:
        tree_shap(model, X)
    assert caught.value.code == code
    return str(caught.value)


def test_what_cannot_be_explained_is_refused_in_words():
    X = rows(whole=True)
    assert "no fitted LightGBM model" in refused("E-EP-020", object(), X)
    assert "no fitted LightGBM model" in refused("E-EP-020", lgb.LGBMClassifier(), X)
    classes = lgb.LGBMClassifier(n_estimators=2, n_jobs=1, verbose=-1).fit(X, X[:, 1])
    assert "5 classes" in refused("E-EP-021", classes, X)
    assert "linear_tree" in refused("E-EP-022", grown(rounds=2, linear_tree=True), X)
    assert "missing columns" in refused("E-EP-004", grown(rounds=2), X[:, :3])
    table = pd.DataFrame(X).add_prefix("x").assign(x1=pd.Categorical([f"c{code:.0f}" for code in X[:, 1]]))
    sorted_by = lgb.LGBMRegressor(n_estimators=3, n_jobs=1, verbose=-1).fit(table, X[:, 1])
    assert "categories" in refused("E-EP-023", sorted_by, table)
    codes = table.assign(x1=table["x1"].cat.codes).to_numpy(float)
    expected = sorted_by.booster_.predict(codes, pred_contrib=True)
    assert tree_shap(sorted_by, codes) == pytest.approx(expected, abs=EXACT)


def test_the_models_own_forest_is_explained_the_same_way(monkeypatch):
    X = rows(count=12_000, seed=6)
    forest = Forest((grown(objective="binary"), grown(objective="binary", seed=1)))
    slow = forest.parts(X, 1)
    assert not forest.shap.pays(12_000)
    monkeypatch.setattr(shap_forest, "PAYS", 1)
    assert forest.parts(X, 1) == pytest.approx(slow, abs=EXACT)
