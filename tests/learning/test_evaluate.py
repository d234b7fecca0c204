"""A trial: figures are those of scikit-learn, nobody sees what is to be foretold, and rows count by customer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from tests.learning.made_tasks import made_task
from tierlens.learning.evaluate import BASELINE, Candidate, Verdict, evaluate_candidates
from tierlens.learning.tasks import Task, at_cutoffs
from tierlens.words import Text

Floats = npt.NDArray[np.float64]
FOLDS: list[tuple[list[int], int]] = [([10], 20), ([10, 20], 30)]
TESTS = [20, 30]


def ranked(name: str, scale: float) -> Callable[[pa.Table, pa.Table], Floats]:
    def train(known: pa.Table, asked: pa.Table) -> Floats:
        found: Floats = np.clip(asked[name].to_numpy() / scale, 0.01, 0.99)
        return found

    return train


MODEL = Candidate(Text("model", "模型"), ranked("recency_days", 300), is_model=True)
SPEND = Candidate(Text("spend", "消费"), ranked("spend", 10_000))
SCORE = Candidate(Text("frequency", "频次"), lambda known, asked: asked["frequency"].to_numpy() - 9.0, False, False)


@pytest.fixture(scope="module")
def task() -> Task:
    return made_task([10, 20, 30])


@pytest.fixture(scope="module")
def verdict(task: Task) -> Verdict:
    return evaluate_candidates(task, (MODEL, SPEND, SCORE), FOLDS, draws=40, seed=0)


@pytest.fixture(scope="module")
def tested(task: Task) -> pa.Table:
    return at_cutoffs(task.rows, TESTS)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_figures_are_those_of_scikit_learn_averaged_over_the_tested_cutoffs(
    verdict: Verdict, task: Task, place: int
) -> None:
    one, line = (MODEL, SPEND, SCORE)[place], verdict.risk.models[place]
    days = [at_cutoffs(task.rows, [day]) for day in TESTS]
    told = [(rows["churn"].to_numpy(), one.train(rows, rows)) for rows in days]

    def mean(figure: Callable[[Floats, Floats], float]) -> float:
        return float(np.mean([figure(y, risk) for y, risk in told]))

    assert line.name == one.name
    assert line.auc.value == pytest.approx(mean(roc_auc_score))
    assert line.average_precision.value == pytest.approx(mean(average_precision_score))
    if one.is_probability:
        assert line.brier is not None
        assert line.brier.value == pytest.approx(mean(brier_score_loss))
    else:
        assert line.brier is line.calibration is None


def test_the_edge_is_taken_over_the_baseline_that_ranks_best(verdict: Verdict) -> None:
    model, *others = verdict.risk.models
    best = max(others, key=lambda line: line.auc.value)
    assert verdict.risk.best_baseline == best.name
    assert verdict.risk.edge.value == pytest.approx(model.auc.value - best.auc.value)


def test_what_happened_and_was_foretold_stands_beside_each_test_row(verdict: Verdict, tested: pa.Table) -> None:
    found = verdict.tested
    best = SPEND if verdict.risk.best_baseline == SPEND.name else SCORE
    for name in ("customer_id", "cutoff"):
        assert found[name].to_pylist() == tested[name].to_pylist()
    assert found["happened"].to_pylist() == tested["churn"].to_pylist()
    np.testing.assert_allclose(found["risk"].to_numpy(), MODEL.train(tested, tested), atol=1e-9)
    np.testing.assert_allclose(found[BASELINE].to_numpy(), best.train(tested, tested))


def test_bins_hold_every_row_and_average_to_the_base_rate(verdict: Verdict, tested: pa.Table) -> None:
    y, bins = tested["churn"].to_numpy(), verdict.risk.bins
    assert verdict.risk.rows == sum(one.customers for one in bins) == len(y)
    assert verdict.risk.base_rate == pytest.approx(y.mean())
    assert sum(one.observed * one.customers for one in bins) / len(y) == pytest.approx(y.mean())
    risk = MODEL.train(tested, tested)
    assert sum(one.predicted * one.customers for one in bins) / len(y) == pytest.approx(risk.mean())


def test_a_curve_is_the_share_of_leavers_found_among_the_riskiest_over_the_share_looked_at(
    verdict: Verdict, tested: pa.Table
) -> None:
    curve, y = verdict.risk.curves[0], tested["churn"].to_numpy()
    assert curve.name == MODEL.name
    assert curve.lifts[-1] == pytest.approx(1.0)
    risk = MODEL.train(tested, tested)
    highest = y[np.argsort(-risk, kind="stable")][: len(y) // 2]
    at = curve.shares.index(0.5)
    # Equal risks on the border may fall on either side of it.
    assert curve.lifts[at] == pytest.approx(highest.mean() / y.mean(), abs=2 / len(highest) / y.mean())


def test_the_population_names_the_tested_cutoffs(verdict: Verdict) -> None:
    assert verdict.risk.population == Text(
        "all; tested at 1970-01-21, 1970-01-31", "全部；检验截止日 1970-01-21、1970-01-31"
    )


def test_flat_figures_are_those_of_the_model_with_their_bounds(verdict: Verdict) -> None:
    line = verdict.risk.models[0]
    assert verdict.metrics["auc"] == line.auc.value
    assert (verdict.metrics["lift_10_low"], verdict.metrics["lift_10_high"]) == (line.lift.low, line.lift.high)
    assert verdict.metrics["edge"] == verdict.risk.edge.value
    assert "ece_low" not in verdict.metrics  # it has no interval
    for name in ("auc", "ap", "lift_10", "brier"):
        assert verdict.metrics[f"{name}_low"] <= verdict.metrics[name] <= verdict.metrics[f"{name}_high"]


def test_nobody_sees_an_outcome_of_the_tested_cutoff_or_a_cutoff_that_had_not_closed(task: Task) -> None:
    seen: list[tuple[list[int], list[int]]] = []

    def watching(known: pa.Table, asked: pa.Table) -> Floats:
        assert task.outcome not in asked.column_names
        seen.append((sorted(set(known["cutoff"].to_pylist())), sorted(set(asked["cutoff"].to_pylist()))))
        return np.linspace(0.1, 0.9, asked.num_rows)

    evaluate_candidates(task, (Candidate(MODEL.name, watching, is_model=True), SPEND), FOLDS, draws=30, seed=0)
    assert seen == [(train, [test]) for train, test in FOLDS]


def test_repeating_every_row_does_not_narrow_an_interval(task: Task, verdict: Verdict) -> None:
    rows = pa.concat_tables([task.rows, task.rows])
    twice = Task(task.outcome, task.title, task.population, rows, task.now, task.features)
    found = evaluate_candidates(twice, (MODEL, SPEND, SCORE), FOLDS, draws=40, seed=0).risk
    for one, other in zip(found.models, verdict.risk.models, strict=True):
        assert one.auc.value == pytest.approx(other.auc.value)
        assert (one.auc.low, one.auc.high) == pytest.approx((other.auc.low, other.auc.high))
    assert (found.edge.low, found.edge.high) == pytest.approx((verdict.risk.edge.low, verdict.risk.edge.high))


def test_the_same_seed_gives_the_same_verdict_and_the_order_of_baselines_changes_none_of_it(
    task: Task, verdict: Verdict
) -> None:
    again = evaluate_candidates(task, (MODEL, SCORE, SPEND), FOLDS, draws=40, seed=0)
    assert again.metrics == verdict.metrics
    assert again.tested.equals(verdict.tested)
    assert set(again.risk.models) == set(verdict.risk.models)
