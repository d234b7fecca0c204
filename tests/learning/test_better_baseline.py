"""Baselines read what they say that they read, of each row by itself, and the winner's name decides which is kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from tests.learning.made_tasks import made_task
from tests.publish.samples import make_risk
from tierlens.learning.better_baseline import baselines_of, better_baseline, feature_matrix
from tierlens.learning.evaluate import Candidate
from tierlens.learning.tasks import Task
from tierlens.publish.report.findings import Estimate

RECENCY, REGRESSION, TREES = "recency", "logistic regression on log-RFM", "LightGBM as it comes"


def falling(*more: str) -> Task:
    """A task of a downgrade, with further columns."""
    task = made_task([10, 20], outcome="downgrade")
    rows = task.rows
    for name in more:
        rows = rows.append_column(name, pa.array(np.random.default_rng(len(name)).normal(size=rows.num_rows)))
    return replace(task, rows=rows)


@pytest.mark.parametrize(
    ("task", "names"),
    [
        (made_task([10]), [RECENCY, "BG/NBD, no labels", REGRESSION, TREES]),
        (falling(), [RECENCY, REGRESSION, TREES]),
        (falling("need"), ["roll-off rule", RECENCY, REGRESSION, TREES]),
        (falling("need", "need_money"), ["roll-off rule", RECENCY, REGRESSION, TREES]),
    ],
)
def test_an_outcome_has_the_baselines_of_its_docstring(task: Task, names: list[str]) -> None:
    assert [one.name.en for one in baselines_of(task)] == names
    assert not any(one.is_model for one in baselines_of(task))


def named(task: Task, name: str) -> Candidate:
    return next(one for one in baselines_of(task) if one.name.en == name)


@pytest.mark.parametrize(("name", "column"), [(RECENCY, "recency_days"), ("BG/NBD, no labels", "btyd_p0")])
def test_a_rule_of_one_column_ranks_as_the_column_does(name: str, column: str) -> None:
    task = made_task([10, 20])
    y, score = task.rows["churn"].to_numpy(), named(task, name).train(task.rows, task.rows)
    assert roc_auc_score(y, score) == pytest.approx(roc_auc_score(y, task.rows[column].to_numpy()))


def test_the_roll_off_rule_ranks_by_what_is_needed_and_asks_nobody_what_happened() -> None:
    task = falling("need")
    known = task.rows.drop_columns(["downgrade"])
    score = named(task, "roll-off rule").train(known, task.rows)
    assert score.tolist() == task.rows["need"].to_pylist()


def test_the_regression_is_that_of_scikit_learn_on_log_rfm() -> None:
    task = made_task([10, 20])
    columns = ["recency_days", "frequency", "spend"]
    model = make_pipeline(FunctionTransformer(np.log1p), StandardScaler(), LogisticRegression())
    model.fit(task.rows.select(columns).to_pandas().astype(float).to_numpy(), task.rows["churn"].to_numpy())
    asked = task.now.select(columns).to_pandas().astype(float).to_numpy()
    np.testing.assert_allclose(named(task, REGRESSION).train(task.rows, task.now), model.predict_proba(asked)[:, 1])


@pytest.mark.parametrize("name", [RECENCY, "BG/NBD, no labels", REGRESSION, TREES])
def test_the_score_of_a_row_does_not_depend_on_the_rows_asked_with_it(name: str) -> None:
    task = made_task([10, 20])
    one = named(task, name)
    whole = one.train(task.rows, task.now)
    order = np.random.default_rng(3).permutation(task.now.num_rows)
    np.testing.assert_allclose(one.train(task.rows, task.now.take(order)), whole[order])
    np.testing.assert_allclose(one.train(task.rows, task.now.slice(7, 1)), whole[7:8])


def test_trees_read_the_models_columns_and_where_tiers_go_by_the_amount_the_need_too() -> None:
    plain, money = falling(), falling("need", "need_money")
    kept = [named(task, TREES).keep for task in (plain, money)]
    assert kept[0] is not None
    assert kept[1] is not None
    assert kept[0](plain.rows).columns == plain.features
    read = kept[1](money.rows).columns
    assert {"recency_days", "frequency", "need", "need_money"} <= set(read)
    assert not {"customer_id", "cutoff", "downgrade"} & set(read)


def test_a_matrix_holds_the_columns_in_the_order_asked_for_and_missing_values_as_nan() -> None:
    table = pa.table({"a": [1, None, 3], "b": [0.5, 1.5, None], "c": ["x", "y", "z"], "d": [True, False, True]})
    frame = pd.DataFrame({"b": [0.5, 1.5, np.nan], "a": [1, np.nan, 3]})
    np.testing.assert_array_equal(feature_matrix(table, ["b", "a"]), frame.to_numpy())
    np.testing.assert_array_equal(feature_matrix(table, ["d"])[:, 0], [1.0, 0.0, 1.0])


WORSE, BETTER = Estimate(-0.03, -0.05, -0.01), Estimate(0.03, 0.01, 0.05)


@pytest.mark.parametrize("best", [RECENCY, "BG/NBD, no labels", REGRESSION, TREES])
def test_the_baseline_of_the_verdict_is_kept_and_no_other(best: str) -> None:
    task = made_task([10, 20])
    tried = baselines_of(task)
    risk = replace(make_risk("churn", WORSE), best_baseline=named(task, best).name)
    kept, keep = better_baseline(task, tried, risk), named(task, best).keep
    assert kept is not None
    assert keep is not None
    np.testing.assert_array_equal(kept.predict_proba(task.now), keep(task.rows).predict_proba(task.now))
    assert better_baseline(task, tried, replace(risk, edge=BETTER)) is None


def test_a_baseline_that_cannot_be_kept_is_not() -> None:
    task = made_task([10, 20])
    alone = Candidate(make_risk().best_baseline, named(task, RECENCY).train)
    assert better_baseline(task, [alone], make_risk("churn", WORSE)) is None
