"""Contributions: they sum to the logit of the risk, agree with shap, and sum by family and dimension."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.explain.models import NAMES, customers, trained
from tierlens.errors import DataError, UsageError
from tierlens.explain import Contributions, explain, importance
from tierlens.explain.contributions import dimension_of, family_of, float_matrix, title_of
from tierlens.explain.phrases import FAMILIES, PHRASES
from tierlens.features.catalog import WHOLE

floats = st.floats(-20, 20)
made = hnp.arrays(np.float64, st.tuples(st.integers(1, 12), st.just(len(NAMES))), elements=floats).map(
    lambda values: Contributions(values, -0.5, NAMES)
)


@pytest.fixture(scope="module")
def model():
    return trained()


# --- law and oracle


def test_law_base_and_contributions_sum_to_the_logit_of_the_risk(model):
    classifier, table = model
    found = explain(classifier, table)
    risk = classifier.predict_proba(table)[:, 1]
    assert np.abs(found.log_odds() - np.log(risk / (1 - risk))).max() < 1e-9
    assert np.allclose(found.risk(), risk, atol=1e-12)
    found.check(risk)


@pytest.mark.filterwarnings("ignore")  # shap warns of its own drawing colours and return types
def test_oracle_shap_tree_explainer(model):
    import shap

    classifier, table = model
    found = explain(classifier, table)
    peer = shap.TreeExplainer(classifier.booster_)(table)
    assert np.abs(peer.values - found.values).max() < 1e-9
    assert np.abs(np.ravel(peer.base_values)[: len(found)] - found.base).max() < 1e-9


def shapley_by_definition(booster: lgb.Booster, row: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Average the gain of each feature over all orders in which features can become known (slow and obvious)."""
    from itertools import combinations
    from math import factorial

    trees = [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]

    def expected(node, known):
        if "leaf_value" in node:
            return node["leaf_value"]
        left, right = node["left_child"], node["right_child"]
        feature = node["split_feature"]
        if feature in known:
            value = row[feature]
            missing = np.isnan(value) and node["missing_type"] == "NaN"
            goes_left = node["default_left"] if missing else np.nan_to_num(value) <= node["threshold"]
            return expected(left if goes_left else right, known)
        size = [child.get("internal_count", child.get("leaf_count")) for child in (left, right)]
        return (size[0] * expected(left, known) + size[1] * expected(right, known)) / sum(size)

    count = len(names)
    value = {
        known: sum(expected(tree, known) for tree in trees)
        for size in range(count + 1)
        for known in combinations(range(count), size)
    }
    shares = np.zeros(count)
    for known, before in value.items():
        for feature in set(range(count)) - set(known):
            weight = factorial(len(known)) * factorial(count - len(known) - 1) / factorial(count)
            shares[feature] += weight * (value[tuple(sorted((*known, feature)))] - before)
    return shares


def test_oracle_shapley_values_by_definition(model):
    classifier, table = model
    found = explain(classifier, table)
    for at in (0, 17, 101):
        row = table.iloc[at].to_numpy(dtype=float)
        assert np.abs(shapley_by_definition(classifier.booster_, row, NAMES) - found.values[at]).max() < 1e-9


def test_the_check_names_the_worst_row(model):
    classifier, table = model
    risk = classifier.predict_proba(table)[:, 1].copy()
    risk[7] += 0.01
    with pytest.raises(DataError, match=r"E-EP-002 row 7: contributions sum to .* explain the same model"):
        explain(classifier, table).check(risk)


@pytest.mark.parametrize("risk", [0.0, 1.0, float("nan"), 0.6])
def test_the_check_refuses_impossible_and_wrong_risks(risk):
    with pytest.raises(DataError, match="E-EP-002 row 1"):
        Contributions([[0.0], [0.0]], 0.0, ("a",)).check([0.5, risk])


@settings(max_examples=50, deadline=None)
@given(found=made)
def test_law_the_risk_it_gives_passes_its_own_check(found):
    found.check(found.risk())


# --- models


def test_a_booster_a_classifier_and_any_table_give_the_same(model):
    classifier, table = model
    expected = explain(classifier, table)
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    shuffled = table[list(reversed(NAMES))].assign(customer_id="x")
    for same in (arrow, pl.from_arrow(arrow), shuffled, table.to_numpy(dtype=float)):
        found = explain(classifier.booster_, same)
        assert found.names == NAMES
        assert (found.values == expected.values).all()


def test_a_model_with_contributions_of_its_own_is_asked():
    class Own:
        feature_names_in_ = np.array(["recency_days", "frequency"])

        def contributions(self, table):
            return table[["recency_days", "frequency"]].to_numpy() / 100, np.full(len(table), 0.1)

    table, _ = customers(5)
    found = explain(Own(), table)
    assert found.names == ("recency_days", "frequency")
    assert np.allclose(found.log_odds(), 0.1 + (table["recency_days"] + table["frequency"]) / 100)
    assert explain(Own(), table, names=("a", "b")).names == ("a", "b")


def test_a_model_without_names_takes_those_of_the_table():
    class Plain:
        def contributions(self, table):
            return np.zeros((2, 2)), 0.0

    assert explain(Plain(), pd.DataFrame({"a": [1, 2], "b": [3, 4]})).names == ("a", "b")
    assert explain(Plain(), np.zeros((2, 2))).names == ("x0", "x1")


def test_models_that_cannot_be_explained_are_refused(model):
    _, table = model
    with pytest.raises(UsageError, match="E-EP-003: this model cannot be explained: object has no contributions"):
        explain(object(), table)
    three = lgb.LGBMClassifier(n_estimators=2, n_jobs=1, verbose=-1).fit(table, np.arange(len(table)) % 3)
    with pytest.raises(UsageError, match="LGBMClassifier has more than two classes"):
        explain(three, table)


def test_missing_columns_are_named(model):
    classifier, table = model
    with pytest.raises(DataError, match="E-EP-004: missing columns: frequency, monetary"):
        explain(classifier, table.drop(columns=["frequency", "monetary"]))
    with pytest.raises(DataError, match="E-EP-004"):
        float_matrix(np.zeros((3, 2)), ("a",))


# --- the value


@pytest.mark.parametrize(
    ("values", "base", "names", "words"),
    [
        ([1.0, 2.0], 0.0, ("a",), "values of shape"),
        ([[1.0, 2.0]], 0.0, ("a",), "for 1 names"),
        ([[1.0]], [0.0, 1.0], ("a",), "2 bases for 1 customers"),
        ([[1.0]], [[0.0]], ("a",), "values of shape"),
        ([[float("nan")]], 0.0, ("a",), "not finite"),
        ([[1.0]], float("inf"), ("a",), "not finite"),
    ],
)
def test_broken_contributions_are_refused(values, base, names, words):
    with pytest.raises(DataError, match=f"E-EP-001: contributions cannot be used: .*{words}"):
        Contributions(values, base, names)


def test_contributions_are_frozen_and_apart_from_what_they_came_from():
    source = np.zeros((2, 1))
    found = Contributions(source, 0.0, ("a",))
    source += 1
    assert found.values.sum() == 0
    assert len(found) == 2
    with pytest.raises(ValueError, match="read-only"):
        found.values[0, 0] = 1.0
    with pytest.raises(AttributeError):
        found.names = ("b",)


@settings(max_examples=50, deadline=None)
@given(found=made)
def test_law_summing_by_family_and_dimension_keeps_the_log_odds(found):
    for summed in (found.by_family(), found.by_dimension(), found.by(dict.fromkeys(NAMES, "all"))):
        assert np.allclose(summed.log_odds(), found.log_odds(), atol=1e-9)
        assert len(summed.names) == len(set(summed.names))


def test_families_and_dimensions_follow_the_catalog():
    found = Contributions([[1.0, 2.0, 4.0, 8.0, 16.0, 32.0]], 0.0, NAMES)
    families, dimensions = found.by_family(), found.by_dimension()
    assert dict(zip(families.names, families.values[0], strict=True)) == {
        "recency": 3.0, "frequency": 4.0, "amount": 8.0, "returns": 16.0, "warehouse": 32.0,
    }  # fmt: skip
    assert dict(zip(dimensions.names, dimensions.values[0], strict=True)) == {
        "value": 13.0, "stability": 18.0, "other": 32.0,
    }  # fmt: skip


def test_every_feature_and_family_of_the_catalog_has_a_title():
    for name, feature in WHOLE.items():
        assert title_of(name, "feature") == feature.title
        assert family_of(name) in FAMILIES, f"{name}: family {feature.family!r} has no title in explain/phrases.py"
        assert dimension_of(name) == feature.dimension
    assert title_of("other", "dimension").zh == "其他"
    assert title_of("warehouse", "family") == ("warehouse", "warehouse")
    assert set(PHRASES) <= set(WHOLE)


def test_importance_is_the_mean_absolute_contribution_at_each_level(model):
    classifier, table = model
    found = explain(classifier, table)
    rows = importance(found).to_pandas()
    for level, part in (("feature", found), ("family", found.by_family()), ("dimension", found.by_dimension())):
        here = rows[rows["level"] == level].set_index("name")
        expected = pd.Series(np.abs(part.values).mean(axis=0), index=list(part.names))
        assert np.allclose(here["mean_abs"], expected[here.index])
        assert here["mean_abs"].is_monotonic_decreasing
        assert here["share"].sum() == pytest.approx(1)
        assert here["raised"].between(0, 1).all()
    assert rows.iloc[0]["name"] == "recency_days"
    assert rows.iloc[0]["title_zh"] == "距上次购买天数"


def test_importance_of_nobody_and_of_nothing():
    for found in (Contributions(np.empty((0, 2)), 0.0, ("b", "a")), Contributions([[0.0, 0.0]], 0.0, ("b", "a"))):
        rows = importance(found).to_pylist()
        assert [row["name"] for row in rows if row["level"] == "feature"] == ["a", "b"]
        assert all(row["mean_abs"] == row["share"] == row["raised"] == 0 for row in rows)
