"""RiskClassifier: what it learns, what does not matter to it, and that its parts sum to its risk."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.risk.shop import snapshots
from tierlens.errors import DataError, UsageError
from tierlens.risk.evaluation.metrics import auc, brier
from tierlens.risk.model import recipe
from tierlens.risk.model.classifier import RiskClassifier
from tierlens.risk.model.level import shift_to
from tierlens.risk.model.linear import logit

SMALL = RiskClassifier(prior="prior", n_jobs=1, seeds=2)


@pytest.fixture(scope="module")
def shop():
    return snapshots()


@pytest.fixture(scope="module")
def fitted(shop):
    past = shop.cutoffs < 150
    return clone(SMALL).fit(shop.X[past], shop.y[past], cutoffs=shop.cutoffs[past])


@pytest.fixture(scope="module")
def new(shop):
    now = shop.cutoffs == 150
    return shop.X[now], shop.y[now], shop.cutoffs[now], shop.truth[now]


def test_snapshots_get_ranks_and_small_trees_evenly(fitted):
    assert fitted.members_ == ("ranks", "small")
    assert fitted.weights_.tolist() == [0.5, 0.5]
    assert sorted(fitted.shifts_) == [0, 30, 60, 90, 120]


def test_it_finds_what_the_prior_does_not_know(fitted, new):
    X, _, cutoffs, truth = new
    risk = fitted.predict_proba(X, cutoffs=cutoffs)[:, 1]
    ideal = (truth > np.median(truth)).astype(int)
    assert auc(ideal, risk) > auc(ideal, X["prior"]) + 0.04
    assert auc(ideal, risk) > 0.95


def test_contributions_sum_to_the_log_odds(fitted, new):
    X, _, cutoffs, _ = new
    for options in ({}, {"cutoffs": cutoffs}, {"cutoffs": cutoffs, "base_rate": {150: 0.2}}, {"base_rate": 0.2}):
        parts = fitted.contributions(X, **options)
        assert parts.values.shape == X.shape
        risk = fitted.predict_proba(X, **options)[:, 1]
        assert parts.base + parts.values.sum(axis=1) == pytest.approx(logit(risk), abs=1e-9)


def test_contributions_point_where_the_truth_does(fitted, new):
    X, _, cutoffs, _ = new
    values = fitted.contributions(X, cutoffs=cutoffs).values
    size = np.abs(values).mean(axis=0)
    assert list(X.columns[np.argsort(-size)][:2]) == ["prior", "helps"]
    assert np.corrcoef(values[:, 1], X["helps"].rank())[0, 1] > 0.9


def test_a_base_rate_sets_the_level_and_not_the_order(fitted, new):
    X, y, cutoffs, _ = new
    free = fitted.predict_proba(X, cutoffs=cutoffs)[:, 1]
    told = fitted.predict_proba(X, cutoffs=cutoffs, base_rate={150: float(y.mean())})[:, 1]
    assert told.mean() == pytest.approx(y.mean(), abs=1e-6)
    assert (np.argsort(free, kind="stable") == np.argsort(told, kind="stable")).all()
    assert brier(y, told) <= brier(y, free) + 1e-3


def test_ranks_are_taken_within_a_cutoff(fitted, new):
    X, _, cutoffs, _ = new
    longer = X.assign(helps=X["helps"] * 1000)  # the same order, a longer history
    here = fitted.predict_proba(X, cutoffs=cutoffs)[:, 1]
    there = fitted.predict_proba(longer, cutoffs=cutoffs)[:, 1]
    assert auc((here > np.median(here)).astype(int), there) > 0.98


def test_the_order_of_rows_and_of_cutoff_numbers_changes_nothing(shop, fitted, new):
    past = np.flatnonzero(shop.cutoffs < 150)
    moved = np.random.default_rng(0).permutation(past)
    again = clone(SMALL).set_params(trees={"feature_fraction": 1.0})
    first = clone(again).fit(shop.X.iloc[past], shop.y[past], cutoffs=shop.cutoffs[past] + 7)
    second = clone(again).fit(shop.X.iloc[moved], shop.y[moved], cutoffs=shop.cutoffs[moved] + 7)
    X, _, cutoffs, _ = new
    one, two = (model.predict_proba(X, cutoffs=cutoffs)[:, 1] for model in (first, second))
    assert one == pytest.approx(two, abs=1e-6)


def test_it_is_the_same_on_every_run(shop, fitted, new):
    past = shop.cutoffs < 150
    again = clone(SMALL).fit(shop.X[past], shop.y[past], cutoffs=shop.cutoffs[past])
    X, _, cutoffs, _ = new
    assert (again.predict_proba(X, cutoffs=cutoffs) == fitted.predict_proba(X, cutoffs=cutoffs)).all()


def test_rows_of_weight_zero_are_as_good_as_absent(shop):
    past, few = shop.cutoffs < 150, shop.cutoffs < 90
    weights = (shop.cutoffs[past] < 90).astype(float)
    with_zeros = clone(SMALL).fit(shop.X[past], shop.y[past], weights, cutoffs=shop.cutoffs[past])
    without = clone(SMALL).fit(shop.X[few], shop.y[few], cutoffs=shop.cutoffs[few])
    assert (with_zeros.predict_proba(shop.X) == without.predict_proba(shop.X)).all()


@pytest.mark.parametrize("kind", ["arrow", "polars"])
def test_tables_of_other_makers_give_the_same(fitted, new, kind):
    X, _, cutoffs, _ = new
    other = pa.Table.from_pandas(X, preserve_index=False) if kind == "arrow" else pl.from_pandas(X)
    assert (fitted.predict_proba(other, cutoffs=cutoffs) == fitted.predict_proba(X, cutoffs=cutoffs)).all()


def test_new_levels_and_missing_values_are_no_trouble(fitted, new):
    X, _, cutoffs, _ = new
    odd = X.assign(kind="never seen", noise=np.nan, prior=np.nan)
    assert np.isfinite(fitted.predict_proba(odd, cutoffs=cutoffs)).all()


def test_a_flat_table_is_no_worse_than_logistic_regression():
    X, y = make_classification(1200, 10, n_informative=4, flip_y=0.2, class_sep=0.6, random_state=0)
    model = RiskClassifier(n_jobs=1, seeds=1, folds=3)
    risk = cross_val_predict(model, X, y, cv=2, method="predict_proba")[:, 1]
    line = make_pipeline(StandardScaler(), LogisticRegression())
    plain = cross_val_predict(line, X, y, cv=2, method="predict_proba")[:, 1]
    assert auc(y, risk) > auc(y, plain) - 0.003
    assert abs(risk.mean() - y.mean()) < 0.02


def test_a_linear_truth_gets_lines_and_steps_get_trees():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(1500, 6))
    linear = (rng.random(1500) < 1 / (1 + np.exp(-X @ np.array([1, -1, 0.5, 0, 0, 0])))).astype(int)
    steps = ((X[:, 0] > 0) ^ (X[:, 1] > 0)).astype(int)
    lines = RiskClassifier(n_jobs=1, seeds=1, folds=3).fit(X, linear)
    trees = RiskClassifier(n_jobs=1, seeds=1, folds=3).fit(X, steps)
    assert lines.members_ == ("ranks", "values", "slow", "medium")
    assert lines.weights_[:2].sum() > lines.weights_[2:].sum()
    assert trees.weights_[2:].sum() > trees.weights_[:2].sum()


def test_text_labels_keep_their_names():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2))
    y = np.where(X[:, 0] > 0, "stays", "goes")
    model = RiskClassifier().fit(X, y)
    assert model.classes_.tolist() == ["goes", "stays"]
    assert set(model.predict(X)) <= {"goes", "stays"}
    assert model.score(X, y) > 0.9


def test_what_cannot_be_learned_from_says_why(shop):
    X, y = shop.X, shop.y
    with pytest.raises(UsageError, match=r"E-RI-022 prior: the prior 'sea_p0' is no column"):
        RiskClassifier(prior="sea_p0").fit(X, y)
    with pytest.raises(DataError, match=r"E-RI-020 y: Only binary classification is supported"):
        RiskClassifier().fit(X, np.zeros(len(y)))
    with pytest.raises(DataError, match=r"E-RI-021 cutoffs: 2400 rows and cutoffs of shape \(3,\)"):
        RiskClassifier().fit(X, y, cutoffs=[1, 2, 3])


def test_base_rates_by_cutoff_need_cutoffs(fitted, new):
    with pytest.raises(UsageError, match=r"E-RI-023: base rates by cutoff need the cutoff of each row"):
        fitted.predict_proba(new[0], base_rate={150: 0.5})


def test_shift_to_is_where_the_mean_is():
    z = np.random.default_rng(0).normal(size=500) * 3
    for rate in (0.001, 0.3, 0.9):
        assert (1 / (1 + np.exp(-(z + shift_to(z, rate))))).mean() == pytest.approx(rate, abs=1e-9)


def test_a_frame_without_cutoffs_is_ranked_as_the_latest_one(fitted, new):
    X, _, cutoffs, _ = new
    alone = fitted.predict_proba(X.iloc[:1])[:, 1]
    among = fitted.predict_proba(X)[:1, 1]
    assert alone == pytest.approx(among, abs=1e-12)
    assert isinstance(X, pd.DataFrame)
    assert len(cutoffs) == len(X)


def test_trees_keep_the_direction_that_was_promised():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(1500, 2))
    y = (rng.random(1500) < 1 / (1 + np.exp(-np.sin(2 * X[:, 0]) - X[:, 1]))).astype(int)
    table = pd.DataFrame(X, columns=["wave", "rise"])
    cutoffs = np.repeat([0, 30, 60], 500)
    settings = {"min_data_in_leaf": 20, "learning_rate": 0.1, "feature_fraction": 1.0}
    free, bound = (
        RiskClassifier(n_jobs=1, seeds=1, trees=settings, monotone=signs).fit(table, y, cutoffs=cutoffs)
        for signs in (None, {"wave": 1})
    )
    line = pd.DataFrame({"wave": np.linspace(-3, 3, 200), "rise": 0.0})
    steps = [np.diff(model.blend_.members[1].raw(model.inputs(line)[0])) for model in (free, bound)]
    assert (steps[0] < -1e-9).any()
    assert (steps[1] >= -1e-12).all()


def test_a_direction_of_no_column_is_refused(shop):
    with pytest.raises(UsageError, match=r"E-RI-024 monotone: no column of numbers can go by 'kind': 1"):
        RiskClassifier(monotone={"kind": 1}).fit(shop.X, shop.y)


def test_weights_count_as_copies():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(90, 2))
    y = (X[:, 0] + rng.normal(size=90) > 0).astype(int)
    weight = rng.integers(0, 3, 90)
    once = RiskClassifier(n_jobs=1).fit(X, y, weight)
    copied = RiskClassifier(n_jobs=1).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    assert once.predict_proba(X) == pytest.approx(copied.predict_proba(X), abs=1e-6)


@pytest.mark.parametrize(("some", "many"), [(1000, 10_000), (1000, 1000)])
def test_many_rows_are_weighed_on_a_part_held_out(monkeypatch, some, many):
    monkeypatch.setattr(recipe, "SOME", some)
    monkeypatch.setattr(recipe, "MANY", many)
    rng = np.random.default_rng(5)
    X = rng.normal(size=(4000, 4))
    y = (rng.random(4000) < 1 / (1 + np.exp(-2 * X[:, 0] - 3 * (X[:, 1] * X[:, 2] > 0) + 1.5))).astype(int)
    model = RiskClassifier(n_jobs=1).fit(X[:3000], y[:3000])
    assert model.members_ == (("ranks", "values", "slow", "medium") if many > 3000 else ("ranks", "values", "big"))
    risk = model.predict_proba(X[3000:])[:, 1]
    plain = LGBMClassifier(verbose=-1, n_jobs=1, min_child_samples=40).fit(X[:3000], y[:3000])
    assert auc(y[3000:], risk) > auc(y[3000:], plain.predict_proba(X[3000:])[:, 1]) - 0.003
    assert abs(risk.mean() - y[3000:].mean()) < 0.03


def test_many_snapshots_get_larger_trees_and_one_booster(monkeypatch, shop):
    monkeypatch.setattr(recipe, "MANY", 1000)
    model = RiskClassifier(prior="prior", n_jobs=1, trees={"rounds": 30}).fit(shop.X, shop.y, cutoffs=shop.cutoffs)
    assert model.members_ == ("ranks", "large")
    assert len(model.blend_.members[1].forest.boosters) == 1
    assert model.weights_.tolist() != [0.5, 0.5]
    assert auc(shop.y, model.predict_proba(shop.X, cutoffs=shop.cutoffs)[:, 1]) > auc(shop.y, shop.X["prior"])


def test_many_snapshots_tell_what_is_worth_more(monkeypatch):
    monkeypatch.setattr(recipe, "MANY", 4000)
    rng = np.random.default_rng(6)
    X, days = rng.normal(size=(4000, 3)), np.repeat([0, 30, 60, 90], 1000)
    y = (rng.random(4000) < np.where((X[:, 0] > 0) ^ (X[:, 1] > 0), 0.85, 0.15)).astype(int)
    settings = {"min_data_in_leaf": 20, "learning_rate": 0.1, "feature_fraction": 1.0, "rounds": 60}
    steps = RiskClassifier(n_jobs=1, trees=settings).fit(X, y, cutoffs=days)
    assert steps.weights_[1] > 0.8 > steps.weights_[0]
    line = (rng.random(4000) < 1 / (1 + np.exp(-2 * X[:, 0]))).astype(int)
    straight = RiskClassifier(n_jobs=1, trees={**settings, "rounds": 400}).fit(X, line, cutoffs=days)
    assert straight.weights_[0] > straight.weights_[1]
