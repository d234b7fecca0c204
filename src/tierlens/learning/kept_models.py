"""Scores by models that were kept: read back, refused where they have seen too much, asked for every customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from tierlens.errors import UsageError
from tierlens.features.windows import Window
from tierlens.learning.learn import SeasonalRates, base_rate, model_inputs, season_of
from tierlens.learning.tasks import Task, tasks_of
from tierlens.risk.model.classifier import RiskClassifier
from tierlens.sources.tables import day_date
from tierlens.words import Text
from tierlens.workspace import run_folder
from tierlens.workspace.prepare import closing_cutoffs
from tierlens.workspace.study import Study


def score_customers(study: Study, models: Path) -> pa.Table:
    """Score the customers of the run's cutoff with models that were kept.

    Raises
    ------
    DataError
        ``E-RI-030`` when a model is not as it was kept.
    UsageError
        ``E-RU-043`` when there is none, ``E-RU-029`` when one has seen what happened after the cutoff, ``E-RU-031``
        when no outcome is known at the cutoff.
    """
    closing_cutoffs(study.config)
    tasks = tasks_of(study)
    rates = SeasonalRates(season_of(study), tasks[0])
    table = study.rows_now(study.prepared.panel).select(["customer_id", "cutoff"])
    for task in with_model(tasks, models):
        model = kept_model(models, task.outcome, study.window, study.cutoff)
        asked, now = model_inputs(as_read_by(model, task), task.now)
        level = base_rate(task, rates, study.learning, study.cutoff)
        risk = model.predict_proba(asked, cutoffs=now, base_rate=level)[:, 1]
        found = pa.table({"customer_id": task.now["customer_id"], f"{task.outcome}_risk": np.round(risk, 9)})
        table = table.join(found, keys="customer_id", join_type="left outer")
    return table.sort_by("customer_id")


def as_read_by(model: RiskClassifier, task: Task) -> Task:
    """Return a task with the columns that a kept model reads: those of earlier versions are others than today's.

    Where one of them is not there the task stays as it is, and the model says what it misses.
    """
    names = tuple(str(name) for name in model.feature_names_in_)
    return replace(task, features=names) if set(names) <= set(task.now.column_names) else task


def with_model(tasks: Sequence[Task], models: Path) -> list[Task]:
    """Return the outcomes of which a model was kept, those with customers to be told of.

    Raises
    ------
    UsageError
        ``E-RU-043`` when there is no model at all.
    """
    kept = [task for task in tasks if (models / task.outcome).is_dir()]
    if not kept:
        raise run_folder.no_model(models)
    return [task for task in kept if task.now.num_rows]


def kept_model(models: Path, outcome: str, window: Window, cutoff: int) -> RiskClassifier:
    """Read a kept model, and refuse one that has seen what happened after the run's cutoff.

    Raises
    ------
    DataError
        ``E-RI-030`` when it is not as it was kept.
    UsageError
        ``E-RU-043`` when it is not there, ``E-RU-029`` when the horizon of a cutoff that it learned from closes after
        the cutoff.
    """
    if not (models / outcome).is_dir():
        raise run_folder.no_model(models / outcome)
    model = RiskClassifier.load(models / outcome)
    last = day_date(max(model.shifts_))
    if window.closes(last) > cutoff:
        raise UsageError(
            "E-RU-029",
            Text(
                f"the kept model of {outcome} learned from {last}, of which nothing was known at {day_date(cutoff)}",
                f"保存的 {outcome} 模型学习了 {last} 的结果，而在 {day_date(cutoff)} 时该结果尚不可知",
            ),
            where=str(models / outcome),
            fix=Text("train again for this cutoff, or score a later one", "请为该截止日重新训练，或改用更晚的截止日"),
        )
    return model
