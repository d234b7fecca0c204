"""The bricks of the model: ranks, lines, levels, columns, trees, weights."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression

from tierlens.risk.model.classifier import RiskClassifier
from tierlens.risk.model.input_columns import learn_columns
from tierlens.risk.model.level import forecast_rate, recent_mean, shifts_by
from tierlens.risk.model.linear import Rows, logit, ridge_logistic, sigmoid
from tierlens.risk.model.members import Inputs, Sample, learn_line, learn_lines
from tierlens.risk.model.ranks import COMPILED, KNOTS, SCALE, learn_curves, ranker_of, scaled_ranks
from tierlens.risk.model.recipe import BLOCK, MANY, SOME, member_weights, recipe_for
from tierlens.risk.model.trees import SETTINGS, Growth, TreeRows, grow_forest

VALUES = st.lists(st.one_of(st.none(), st.integers(-5, 5)), min_size=1, max_size=40)


@given(VALUES)
def test_ranks_are_the_middle_ranks_of_scipy(column):
    values = np.array([np.nan if v is None else float(v) for v in column]).reshape(-1, 1)
    found = scaled_ranks(values, learn_curves(values)).ravel() / SCALE
    known = np.isfinite(values.ravel())
    assert (found[~known] == 0).all()
    if known.any():
        expected = (rankdata(values.ravel()[known]) - 0.5) / known.sum() - 0.5
        assert found[known] == pytest.approx(expected)


@given(VALUES)
def test_ranks_do_not_care_for_units(column):
    values = np.array([np.nan if v is None else float(v) for v in column]).reshape(-1, 1)
    stretched = np.exp(values) * 7
    one, two = (scaled_ranks(table, learn_curves(table)) for table in (values, stretched))
    assert one == pytest.approx(two)


def test_many_values_are_read_off_few_knots():
    values = np.random.default_rng(0).lognormal(size=(20_000, 1))
    curve = learn_curves(values)
    assert len(curve[0].value) <= KNOTS
    exact = (rankdata(values.ravel()) - 0.5) / 20_000 - 0.5
    assert np.abs(scaled_ranks(values, curve).ravel() / SCALE - exact).max() < 1e-3


@pytest.mark.parametrize("kind", ["continuous", "few values", "one value", "gaps"])
def test_compiled_ranks_are_the_same(kind):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(COMPILED, 2))
    if kind == "few values":
        values = np.round(values)
    elif kind == "one value":
        values[:] = 3.0
    elif kind == "gaps":
        values[rng.random(values.shape) < 0.3] = np.nan
        values[:, 1] = np.nan
    curves = learn_curves(values[: COMPILED // 2])
    slow = np.concatenate([scaled_ranks(part, curves) for part in np.array_split(values, 3)])
    assert scaled_ranks(values, curves) == pytest.approx(slow, abs=1e-12)


def test_weights_count_as_copies_in_ranks():
    values = np.array([[1.0], [2.0], [5.0]])
    copies = np.repeat(values, [1, 3, 2], axis=0)
    one = scaled_ranks(values, learn_curves(values, np.array([1.0, 3.0, 2.0])))
    assert one == pytest.approx(scaled_ranks(values, learn_curves(copies)))


def test_small_cutoffs_use_the_curve_learned():
    values = np.arange(60.0).reshape(-1, 1)
    days = np.append(np.zeros(57), [1, 1, 1])
    fallback = learn_curves(values)
    found = ranker_of(values, days, fallback, fewest=10).ranks(values)
    assert (found[57:] == scaled_ranks(values[57:], fallback)).all()
    assert found[:57].mean() == pytest.approx(0.0, abs=1e-12)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.sampled_from([0.1, 1.0, 50.0]))
def test_the_line_is_scikit_learns(seed, ridge):
    rng = np.random.default_rng(seed)
    X, weight = rng.normal(size=(80, 3)), rng.random(80) + 0.1
    y = (rng.random(80) < sigmoid(X[:, 0])).astype(float)
    y[:2] = 0, 1
    line = ridge_logistic(Rows(X, y, weight, np.zeros(80)), ridge)
    peer = LogisticRegression(C=1 / ridge, tol=1e-10, max_iter=10_000).fit(X, y, weight)
    assert line.weights == pytest.approx(peer.coef_.ravel(), abs=1e-4)
    assert line.intercept == pytest.approx(float(peer.intercept_[0]), abs=1e-4)


def test_an_offset_that_knows_all_leaves_nothing_to_learn():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 2))
    z = X @ np.array([1.0, -2.0])
    y = (rng.random(20_000) < sigmoid(z)).astype(float)
    line = ridge_logistic(Rows(X, y, np.ones(20_000), z), 1.0)
    assert np.abs(line.weights).max() < 0.06


def test_separable_rows_still_give_a_finite_line():
    X = np.array([[-1.0], [-2.0], [1.0], [2.0]]) * 1000
    line = ridge_logistic(Rows(X, np.array([0.0, 0, 1, 1]), np.ones(4), np.zeros(4)), 1.0)
    assert np.isfinite(line.weights).all()
    assert (sigmoid(line.intercept + X @ line.weights).round() == [0, 0, 1, 1]).all()


def test_shifts_meet_the_rate_of_each_cutoff():
    rng = np.random.default_rng(0)
    z, days = rng.normal(size=4000), np.repeat([10, 20], 2000)
    y = (rng.random(4000) < sigmoid(z + np.where(days == 10, -1.0, 0.5))).astype(float)
    found = shifts_by(z, y, np.ones(4000), days)
    assert found[10] == pytest.approx(-1.0, abs=0.15)
    assert found[20] == pytest.approx(0.5, abs=0.15)


@given(st.floats(0.05, 0.95), st.floats(-1, 1), st.floats(0.05, 0.95))
def test_a_steady_bias_is_carried_forward(known, bias, expected):
    rate = float(sigmoid(logit(known) + bias))
    found = forecast_rate({1: rate, 2: rate}, {1: known, 2: known}, expected)
    assert logit(found) == pytest.approx(float(logit(expected)) + bias, abs=1e-6)


def test_the_latest_cutoff_counts_most_and_none_changes_nothing():
    assert recent_mean({1: 5.0, 9: 1.0}, half_life=0.01) == pytest.approx(1.0)
    assert recent_mean({1: 5.0, 9: 1.0}, half_life=1e9) == pytest.approx(3.0)
    assert forecast_rate({}, {}, 0.4) == pytest.approx(0.4)


def test_columns_keep_numbers_and_code_the_rest():
    table = pd.DataFrame(
        {
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "text": ["b", None, "a"],
            "flag": [True, False, True],
            "cat": pd.Categorical(["u", "v", "u"]),
            "mixed": pd.Series([1, 2.5, None], dtype=object),
        }
    )
    known = learn_columns(table)
    assert known.categorical == [1, 2, 3]
    assert known.levels[1] == ("a", "b")
    found = known.matrix(table)
    expected = [[1, 1, 1, 0, 1], [np.nan, np.nan, 0, 1, 2.5], [3, 0, 1, 0, np.nan]]
    np.testing.assert_array_equal(found, np.array(expected, dtype=float))


def sample_of(values, y, categorical=()):
    inputs = Inputs(values, ranker_of(values, None, learn_curves(values)), np.zeros(len(values)))
    del categorical
    return Sample(inputs, y.astype(float), np.ones(len(values)))


def test_a_line_learns_from_what_is_missing_and_from_levels():
    rng = np.random.default_rng(0)
    codes, gone = rng.integers(0, 3, 3000).astype(float), rng.random(3000) < 0.3
    values = np.column_stack([np.where(gone, np.nan, rng.normal(size=3000)), codes])
    y = rng.random(3000) < sigmoid(2.0 * gone + 1.5 * (codes == 2) - 1.0)
    sample = sample_of(values, y)
    for kind in ("ranks", "values"):
        member = learn_line(kind, sample, [1], 1.0)
        parts = member.parts(sample.inputs)
        assert parts.shape == (3000, 3)
        assert parts.sum(axis=1) == pytest.approx(member.raw(sample.inputs))
        assert parts[gone, 0].mean() - parts[~gone, 0].mean() == pytest.approx(2.0, abs=0.3)
        assert parts[codes == 2, 1].mean() - parts[codes == 0, 1].mean() == pytest.approx(1.5, abs=0.3)


def test_trees_stop_when_watched_rows_gain_nothing():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 3))
    y = (rng.random(1000) < 0.5).astype(float)
    rows = TreeRows(X, y, np.ones(1000), np.zeros(1000))
    growth = Growth(SETTINGS["medium"], threads=1)
    watched = grow_forest(growth, rows.take(np.arange(800)), rows.take(np.arange(800, 1000)))
    assert watched.rounds < 30
    parts = watched.parts(X[:20])
    assert parts.sum(axis=1) == pytest.approx(watched.raw(X[:20]))


def test_weights_are_even_where_members_say_the_same():
    rng = np.random.default_rng(0)
    z = rng.normal(size=500)
    y = (rng.random(500) < sigmoid(z)).astype(float)
    weights, _ = member_weights(sample_of(z.reshape(-1, 1), y), np.column_stack([z, z]))
    assert weights[0] == pytest.approx(weights[1], abs=1e-6)
    assert weights.sum() == pytest.approx(1.0, abs=0.3)


@pytest.mark.parametrize(
    ("rows", "snapshots", "names"),
    [
        (90, False, ("ranks", "values")),
        (90, True, ("ranks", "values")),
        (200, False, ("ranks", "values", "slow")),
        (5000, True, ("ranks", "small")),
        (5000, False, ("ranks", "values", "slow", "medium")),
        (SOME, False, ("ranks", "values", "slow", "medium")),
        (MANY, True, ("ranks", "large")),
        (MANY, False, ("ranks", "values", "big")),
    ],
)
def test_the_recipe_follows_the_rows(rows, snapshots, names):
    sample = sample_of(np.zeros((rows, 1)), np.arange(rows) % 2)
    assert recipe_for(sample, snapshots).names == names


def test_wide_tables_are_fitted_in_the_space_of_their_rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 200))
    y = (X[:, 0] + rng.normal(size=60) > 0).astype(float)
    line = ridge_logistic(Rows(X, y, np.ones(60), np.zeros(60)), 2.0)
    peer = LogisticRegression(C=0.5, tol=1e-10, max_iter=10_000).fit(X, y)
    assert line.weights == pytest.approx(peer.coef_.ravel(), abs=1e-4)


def test_a_line_ends_where_it_would_wherever_it_starts():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(300, 4))
    y = (X[:, 0] + rng.normal(size=300) > 0).astype(float)
    one, *_, path = learn_lines("values", sample_of(X, y), [], (1.0, 100.0, 1.0))
    assert path.line.weights == pytest.approx(one.line.weights, abs=1e-6)


@pytest.mark.parametrize("rows", [BLOCK - 1, BLOCK + 5])
def test_scoring_block_by_block_changes_nothing(rows):
    rng = np.random.default_rng(2)
    X, days = rng.normal(size=(rows, 3)), rng.integers(0, 3, rows)
    y = (X[:, 0] + X[:, 1] ** 2 + rng.normal(size=rows) > 1).astype(int)
    model = RiskClassifier(n_jobs=1, trees={"rounds": 5}, seeds=1).fit(X[:3000], y[:3000], cutoffs=days[:3000])
    found = model.predict_proba(X, cutoffs=days)[:, 1]
    ranker = ranker_of(X, days, model.curves_)
    sample = Inputs(X, ranker, np.zeros(rows))
    line, trees = model.blend_.members
    slow = 0.5 * line.raw(sample) + 0.5 * trees.raw(sample)
    assert logit(found) - slow == pytest.approx(float(logit(found[0]) - slow[0]), abs=1e-9)


def test_rare_outcomes_get_lines_only():
    sample = sample_of(np.zeros((5000, 1)), np.arange(5000) < 10)
    assert recipe_for(sample, snapshots=False).trees == ()
