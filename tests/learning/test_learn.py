"""Learning in a run: only closed cutoffs teach, baselines stand beside the model."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.stats import spearmanr

from tierlens.errors import UsageError
from tierlens.grading import load_scheme
from tierlens.learning.better_baseline import baselines_of, better_baseline
from tierlens.learning.evaluate import Candidate, evaluate_candidates
from tierlens.learning.kept_models import as_read_by, kept_model
from tierlens.learning.learn import SeasonalRates, model_inputs
from tierlens.learning.tasks import STANDING, Task, lower_bounds
from tierlens.publish.report.findings import Estimate
from tierlens.risk.model.classifier import RiskClassifier
from tierlens.sources.tables import day_number
from tierlens.words import Text
from tierlens.workspace.config import RunConfig


def task_of(cutoffs: list[int], customers: int = 120, seed: int = 0) -> Task:
    """Make rows where the chance to leave rises with recency."""
    rng = np.random.default_rng(seed)
    rows = len(cutoffs) * customers
    recency = rng.integers(1, 300, rows)
    left = (rng.random(rows) < recency / 300).astype(np.int8)
    table = pa.table({
        "customer_id": [f"c{row % customers}" for row in range(rows)],
        "cutoff": pa.array(np.repeat(cutoffs, customers), pa.int32()),
        "recency_days": recency, "frequency": rng.integers(1, 9, rows), "spend": rng.integers(100, 9999, rows),
        "btyd_p0": recency / 300, "churn": left,
    })  # fmt: skip
    now = table.slice(0, customers).drop_columns(["churn"])
    return Task("churn", Text("Churn", "流失"), Text("all", "全部"), table, now, ("recency_days", "frequency"))


def oracle(known: pa.Table, asked: pa.Table) -> np.ndarray:
    assert "churn" not in asked.column_names
    return asked["recency_days"].to_numpy() / 300.0


def coin(known: pa.Table, asked: pa.Table) -> np.ndarray:
    return np.random.default_rng(1).random(asked.num_rows)


def test_a_trial_names_the_better_contender_with_an_interval() -> None:
    task = task_of([10, 20, 30])
    contenders = (Candidate(Text("good", "好"), oracle, is_model=True), Candidate(Text("coin", "硬币"), coin))
    verdict = evaluate_candidates(task, contenders, [([10], 20), ([10, 20], 30)], draws=60, seed=0)
    assert verdict.risk.standing == "above"
    assert verdict.risk.rows == 240
    assert verdict.risk.best_baseline.en == "coin"
    assert verdict.metrics["auc_low"] < verdict.metrics["auc"] < verdict.metrics["auc_high"]


def test_a_model_that_is_no_better_is_not_praised() -> None:
    task = task_of([10, 20])
    contenders = (Candidate(Text("coin", "硬币"), coin, is_model=True), Candidate(Text("good", "好"), oracle))
    risk = evaluate_candidates(task, contenders, [([10], 20)], draws=60, seed=0).risk
    assert risk.standing == "below"
    assert "do not use it" in risk.verdict.en


@pytest.mark.parametrize("outcome", ["churn", "downgrade"])
def test_every_rival_ranks_the_rows_it_is_asked_for(outcome: str) -> None:
    task = task_of([10, 20])
    rows = task.rows.append_column("downgrade", task.rows["churn"]).append_column("need", task.rows["btyd_p0"])
    asked = task.now.append_column("need", task.now["btyd_p0"])
    for rival in baselines_of(Task(outcome, task.title, task.population, rows, asked, task.features)):
        scores = rival.train(rows, asked)
        assert scores.shape == (asked.num_rows,)
        assert np.isfinite(scores).all()
        if rival.is_probability:
            assert ((scores >= 0) & (scores <= 1)).all()


def test_a_forecast_hears_of_closed_cutoffs_only() -> None:
    task = task_of([10, 20, 30])
    season = pa.table({"cutoff": [10, 20, 30], "mean_p0": [0.5, 0.5, 0.5], "known_p0": [0.5, 0.5, 0.5]})
    rates = SeasonalRates(season, task)
    told = rates.forecast([10, 20], 30)
    rates.rates[30] = 0.999
    rates.known[30] = 0.001
    assert rates.forecast([10, 20], 30) == told


def test_standing_has_words_and_bounds_come_from_the_scheme() -> None:
    assert all(entry.title.zh and entry.formula for entry in STANDING.values())
    assert lower_bounds(load_scheme("tiered_management")) == {"A": 85.0, "B": 70.0, "C": 55.0, "D": 0.0}


@pytest.mark.parametrize("outcome", ["churn", "downgrade"])
def test_every_rival_can_be_kept_and_ranks_as_before(outcome: str) -> None:
    task = task_of([10, 20])
    rows = task.rows.append_column("downgrade", task.rows["churn"]).append_column("need", task.rows["btyd_p0"])
    whole = Task(outcome, task.title, task.population, rows, rows, task.features)
    for rival in baselines_of(whole):
        assert rival.keep is not None
        kept, told = rival.keep(rows).predict_proba(rows)[:, 1], rival.train(rows, rows)
        assert ((kept > 0) & (kept < 1)).all()
        assert spearmanr(kept, told).statistic > 0.999


def test_the_better_baseline_is_kept_beside_the_model() -> None:
    task = task_of([10, 20])
    good = baselines_of(task)[0]
    weak = Candidate(Text("coin", "硬币"), coin, is_model=True)
    below = evaluate_candidates(task, (weak, good), [([10], 20)], draws=60, seed=0).risk
    kept = better_baseline(task, (weak, good), below)
    assert kept is not None
    assert kept.columns == ("recency_days",)
    strong = Candidate(Text("good", "好"), oracle, is_model=True)
    level = evaluate_candidates(
        task, (strong, Candidate(Text("coin", "硬币"), coin)), [([10], 20)], draws=60, seed=0
    ).risk
    assert better_baseline(task, (strong, good), level) is None


@pytest.mark.parametrize(("low", "high"), [(-0.02, 0.001), (None, None)])
def test_a_baseline_that_may_be_ahead_by_chance_does_not_replace_the_model(
    low: float | None, high: float | None
) -> None:
    task = task_of([10, 20])
    good = baselines_of(task)[0]
    weak = Candidate(Text("coin", "硬币"), coin, is_model=True)
    below = evaluate_candidates(task, (weak, good), [([10], 20)], draws=60, seed=0).risk
    ahead = dataclasses.replace(below, edge=Estimate(-0.01, low, high))
    assert better_baseline(task, (weak, good), ahead) is None


def test_a_kept_model_that_has_seen_what_came_after_the_cutoff_is_refused(tmp_path: Path) -> None:
    task = task_of([day_number("2025-01-01"), day_number("2025-02-01")])
    table = pd.DataFrame({name: task.rows[name].to_numpy() for name in task.features})
    model = RiskClassifier(trees={"rounds": 2}, seeds=1, n_jobs=1)
    model.fit(table, task.rows["churn"].to_numpy(), cutoffs=task.rows["cutoff"].to_numpy()).save(tmp_path / "churn")

    def config(cutoff: str) -> RunConfig:
        return RunConfig(name="a", simulated={}, cutoff=cutoff, risk={"first_cutoff": "2024-06-01"})

    # 90 days after 2025-02-01: the second of May is the first day on which they are known.
    assert max(
        kept_model(tmp_path, "churn", config("2025-05-02").span, config("2025-05-02").cutoff_day).shifts_
    ) == day_number("2025-02-01")
    for said in (r"E-RU-029 .*learned from 2025-02-01", "2025-05-01"):
        with pytest.raises(UsageError, match=said):
            kept_model(tmp_path, "churn", config("2025-05-01").span, config("2025-05-01").cutoff_day)


def test_a_kept_model_is_asked_by_the_columns_that_it_read() -> None:
    """Models of earlier versions read every expectation of the rhythm; they still score."""
    task = task_of([10, 20])
    names = ["frequency", "btyd_p0", "recency_days"]
    table = pd.DataFrame({name: task.rows[name].to_numpy() for name in names})
    model = RiskClassifier(trees={"rounds": 2}, seeds=1, n_jobs=1)
    model.fit(table, task.rows["churn"].to_numpy(), cutoffs=task.rows["cutoff"].to_numpy())
    asked, now = model_inputs(as_read_by(model, task), task.now)
    assert list(asked.columns) == names
    risk = model.predict_proba(asked, cutoffs=now)[:, 1]
    np.testing.assert_array_equal(risk, model.predict_proba(table.head(task.now.num_rows), cutoffs=now)[:, 1])
    gone = dataclasses.replace(task, now=task.now.drop_columns(["btyd_p0"]))
    assert as_read_by(model, gone).features == task.features
