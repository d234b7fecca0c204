"""Risk in a run: learned on earlier cutoffs, tested on cutoffs never seen, held against baselines, then explained."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tierlens.errors import DataError, UsageError
from tierlens.explain.reason_columns import reasons_beside
from tierlens.explain.rhythm_parts import without_level
from tierlens.features.seasonal_btyd import Rhythm, learn_rhythm, season_table
from tierlens.learning.better_baseline import baselines_of, better_baseline
from tierlens.learning.evaluate import Candidate, evaluate_candidates
from tierlens.learning.leak_gate import check_for_leaks
from tierlens.learning.learnable import Folds, folds_of, left_out, nothing_closed
from tierlens.learning.monitor import moved_features
from tierlens.learning.tasks import PRIOR, STANDING, Task, at_cutoffs, tasks_of
from tierlens.learning.why import (
    KNOWN,
    Asked,
    explained_risk,
    falls_of,
    homes_for,
    reason_rows,
    reasons_of,
    value_table,
)
from tierlens.publish.report import gather
from tierlens.publish.report.findings import Risk
from tierlens.publish.report.left_out import LeftOut
from tierlens.risk.evaluation.plain_baseline import Plain
from tierlens.risk.evaluation.risk_interval import Asked as Scored
from tierlens.risk.evaluation.risk_interval import Known, risk_bounds, season_error
from tierlens.risk.evaluation.split import SnapshotSplit
from tierlens.risk.model.classifier import RiskClassifier
from tierlens.risk.model.level import forecast_rate
from tierlens.words import Text
from tierlens.workspace.config import RunConfig
from tierlens.workspace.progress import Clock
from tierlens.workspace.study import Study

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
NEEDS = ("need", "need_money", "need_days")
"""What must be won back to keep the tier: points, or a share of the tier's least amount; then also money and days."""
HEAVY = 1_000.0
"""Ridge of the downgrade model's line: the rule is near the truth, and lighter ones ranked worse up to March 2011."""


@dataclass(frozen=True)
class Learned:
    """One outcome, learned.

    Parameters
    ----------
    outcome : str
    model : RiskClassifier
        Trained on all cutoffs whose horizon has closed.
    features : tuple of str
    risk : Risk
        What the report says of it.
    now : pyarrow.Table
        One row a customer at the cutoff of the run, in the order of ``customer_id``: ``<outcome>_risk`` and what goes
        with it; missing where the outcome does not apply.
    metrics : mapping of str to float
    params : mapping of str to object
    notes : tuple of Text
        What the leak gate let through, and by whose signature.
    tested : pyarrow.Table, optional
        What was foretold of the test cutoffs beside what happened.
    moved : pyarrow.Table, optional
        How far each feature has moved from the rows learned from to those of the run's cutoff.
    rival : Plain, optional
        The best baseline, learned from the same rows, where the paired interval says that it ranks better.
    reasons : pyarrow.Table, optional
        Why the risks are what they are, one row a reason; see ``reason_rows``.
    """

    outcome: str
    model: RiskClassifier
    features: tuple[str, ...]
    risk: Risk
    now: pa.Table
    metrics: Mapping[str, float]
    params: Mapping[str, object]
    notes: tuple[Text, ...] = ()
    tested: pa.Table | None = None
    moved: pa.Table | None = None
    rival: Plain | None = None
    reasons: pa.Table | None = None


@dataclass(frozen=True)
class Lessons:
    """What a run learned, and the outcomes that it could not learn.

    Parameters
    ----------
    learned : tuple of Learned
    left_out : tuple of LeftOut
    """

    learned: tuple[Learned, ...]
    left_out: tuple[LeftOut, ...] = ()

    def some(self) -> tuple[Learned, ...]:
        """Return what was learned, at least one outcome.

        Raises
        ------
        UsageError
            ``E-RU-031`` or ``E-RI-07x``, the reason of the first outcome, where none could be learned.
        """
        if not self.learned:
            first = self.left_out[0]
            raise UsageError(first.code, first.reason, where=first.part, fix=first.fix)
        return self.learned


def learn_all(study: Study, clock: Clock) -> Lessons:
    """Learn, test and explain every outcome of a run, each in steps of its own; say which cannot be learned."""
    config = study.config
    if missing := nothing_closed(config):
        for one in missing:
            clock.tell(one.said)
        return Lessons((), missing)
    with clock.step("rhythm", Text("fitting buying rhythms at each cutoff", "拟合各截止日的购买节奏")):
        tasks = tasks_of(study)
        rates = SeasonalRates(
            season_of(study), tasks[0], learn_rhythm(study.tables, study.cutoff, study.window, [PRIOR])
        )
    with clock.step("leak gate", Text("looking for leaks", "检查数据泄漏")):
        folds, missing = _teachable(tasks, config)
        notes = {
            t.outcome: (*t.notes, *check_for_leaks(t, study.tables, study.window, config.waivers))
            for t in tasks
            if t.outcome in folds
        }
        for note in (*(note for told in notes.values() for note in told), *(one.said for one in missing)):
            clock.tell(note)
    learned = []
    for task in (task for task in tasks if task.outcome in folds):
        with clock.step(task.outcome, Text(f"learning {task.title.en.lower()}", f"学习{task.title.zh}风险")):
            found = learn_task(task, rates, study, folds[task.outcome])
            learned.append(dataclasses.replace(found, notes=notes[task.outcome]))
    return Lessons(tuple(learned), missing)


def _teachable(tasks: Sequence[Task], config: RunConfig) -> tuple[dict[str, Folds], tuple[LeftOut, ...]]:
    """Return the training and test cutoffs of each outcome that can be learned, and why the others cannot."""
    folds, missing = {}, []
    for task in tasks:
        try:
            folds[task.outcome] = folds_of(task, config)
        except DataError as problem:
            missing.append(left_out(task.outcome, task.title, problem))
    return folds, tuple(missing)


class SeasonalRates:
    """Forecasts of the share that leaves, from what had closed by then.

    Parameters
    ----------
    season : pyarrow.Table
        See ``season_table``.
    churned : Task
        The outcome that the seasonal clock speaks of.
    rhythm : Rhythm, optional
        Learned at the cutoff of the run.
    """

    def __init__(self, season: pa.Table, churned: Task, rhythm: Rhythm | None = None) -> None:
        self.rhythm = rhythm
        days, means, known = (season[name].to_pylist() for name in ("cutoff", "mean_p0", "known_p0"))
        self.expected = dict(zip(days, means, strict=True))
        self.known = {day: value for day, value in zip(days, known, strict=True) if value is not None}
        rates = churned.rows.group_by("cutoff").aggregate([("churn", "mean")]).to_pydict()
        self.rates = dict(zip(rates["cutoff"], rates["churn_mean"], strict=True))

    def forecast(self, closed: Sequence[int], cutoff: int) -> float:
        """Forecast the rate at a cutoff from the cutoffs that had closed by it, and no other."""
        rates = {day: self.rates[day] for day in closed}
        known = {day: self.known[day] for day in closed if day in self.known}
        return forecast_rate(rates, known, self.expected[cutoff])


def season_of(study: Study) -> pa.Table:
    """Return what buying rhythms expect of each cutoff; see ``season_table``."""
    return season_table(study.tables, [*study.learning, study.cutoff], study.window)


def learn_task(task: Task, rates: SeasonalRates, study: Study, folds: Folds) -> Learned:
    """Test a model on the latest closed cutoffs, train it on all of them, and score and explain the run's cutoff."""
    config = study.config
    settings = searched_settings(task, config, folds[0][0])
    tried = model_and_baselines(task, rates, settings, config)
    verdict = evaluate_candidates(task, tried, folds, config.risk.resamples, config.seed)
    model = untrained_classifier(task, settings, config)
    table, cutoffs = model_inputs(task, task.rows)
    model.fit(table, task.rows[task.outcome].to_numpy(), cutoffs=cutoffs)
    asked, now = model_inputs(task, task.now)
    level = base_rate(task, rates, sorted(set(cutoffs.tolist())), study.cutoff)
    risk = model.predict_proba(asked, cutoffs=now, base_rate=level)[:, 1]
    found = explained_risk(task, model, Asked(asked, now, level), rates.rhythm, study)
    found.check(risk, 1e-6)
    reasons = reasons_of(task, found, study)
    homes = homes_for(study, task.own)
    sure = _bounds(task, model, verdict.tested, (asked, now, level), config)
    own = without_level(found)
    why = gather.why_of(
        own, value_table(task.now, own.names, study), catalog={**KNOWN, **falls_of(study)}, homes=homes, seed=study.seed
    )
    return Learned(
        task.outcome,
        model,
        task.features,
        dataclasses.replace(verdict.risk, why=why),
        _columns(task, study, {"": risk, **sure}, reasons_beside(reasons, task.outcome)),
        verdict.metrics,
        {"rows": task.rows.num_rows, "features": len(task.features), **settings},
        tested=verdict.tested,
        moved=moved_features(
            table,
            asked,
            task.outcome,
            (verdict.tested["risk"].to_numpy(), risk),
            [rows["customer_id"] for rows in (task.rows, task.now, verdict.tested)],
        ),
        rival=better_baseline(task, tried, verdict.risk),
        reasons=reason_rows(reasons, task, homes),
    )


def _bounds(
    task: Task, model: RiskClassifier, tested: pa.Table, now: tuple[pd.DataFrame, Ints, float | None], config: RunConfig
) -> dict[str, Floats]:
    """Return lower and upper bounds of the risks of the run's cutoff, by the ending of their columns."""
    if not config.risk.draws:
        return {}
    table, cutoffs = model_inputs(task, task.rows)
    customers = task.rows["customer_id"].to_numpy(zero_copy_only=False)
    known = Known(table, task.rows[task.outcome].to_numpy(), customers, cutoffs)
    season = season_error(*(tested[name].to_numpy() for name in ("happened", "risk", "cutoff")))
    found = risk_bounds(model, known, Scored(*now), draws=config.risk.draws, season=season, seed=config.seed)
    return {"_low": found.low, "_high": found.high}


def untrained_classifier(task: Task, settings: Mapping[str, Any], config: RunConfig) -> RiskClassifier:
    """Return an untrained model for a task."""
    common: dict[str, Any] = {"seeds": config.risk.seeds, "random_state": config.seed, "n_jobs": 0}
    if task.outcome == "churn":
        return RiskClassifier(PRIOR, trees=settings or None, **common)
    if task.features[0] not in STANDING:
        return RiskClassifier(**common)  # no rule tells who falls: everything is learned
    # The rule knows what rolls out of the window; what is learned is its level, and a light bend of its curve.
    return RiskClassifier(task.features[0], ridge=HEAVY, trees={"rounds": 1}, **common)


def searched_settings(task: Task, config: RunConfig, closed: Sequence[int]) -> dict[str, Any]:
    """Search settings of the trees on cutoffs closed before the first tested one; nothing where the default holds."""
    if not config.risk.trials or task.outcome != "churn":
        return dict(config.risk.trees) if task.outcome == "churn" else {}
    from tierlens.risk.tuning import Search, tune_trees

    if not SnapshotSplit(config.span).folds(closed):  # nothing to judge a trial on: the settings stay as they are
        return dict(config.risk.trees)
    rows = at_cutoffs(task.rows, closed)
    table, cutoffs = model_inputs(task, rows)
    search = Search(config.risk.trials, folds=1, seed=config.seed)
    one = RiskClassifier(**{**untrained_classifier(task, {}, config).get_params(), "seeds": 1})
    found = tune_trees(one, table, rows[task.outcome].to_numpy(), cutoffs, SnapshotSplit(config.span), search)
    return dict(found.settings)


def base_rate(task: Task, rates: SeasonalRates, closed: Sequence[int], cutoff: int) -> float | None:
    """Return the forecast level of a cutoff, where there is one: the seasonal clock speaks of purchases only."""
    return rates.forecast(closed, cutoff) if task.outcome == "churn" else None


def model_and_baselines(
    task: Task, rates: SeasonalRates, settings: Mapping[str, Any], config: RunConfig
) -> tuple[Candidate, ...]:
    """Return the model and the baselines that it must beat."""

    def model(known: pa.Table, asked: pa.Table) -> Floats:
        table, cutoffs = model_inputs(task, known)
        trained = untrained_classifier(task, settings, config)
        trained.fit(table, known[task.outcome].to_numpy(), cutoffs=cutoffs)
        rows, days = model_inputs(task, asked)
        level = base_rate(task, rates, sorted(set(cutoffs.tolist())), int(days[0]))
        risk: Floats = trained.predict_proba(rows, cutoffs=days, base_rate=level)[:, 1]
        return risk

    return (Candidate(Text("tierlens", "tierlens"), model, is_model=True), *baselines_of(task))


def model_inputs(task: Task, rows: pa.Table) -> tuple[pd.DataFrame, Ints]:
    """Return the features of rows as the model reads them, and the cutoff of each row."""
    import pandas as pd

    columns = {name: rows[name].to_numpy().astype(np.float64) for name in task.features}
    return pd.DataFrame(columns), rows["cutoff"].to_numpy().astype(np.int64)


def _columns(task: Task, study: Study, risks: Mapping[str, Floats], said: pa.Table) -> pa.Table:
    """Spread risk, bounds and reasons over all customers of the cutoff; whom the outcome cannot meet stays empty."""
    everybody = study.rows_now(study.prepared.panel)["customer_id"].to_pylist()
    place = {customer: row for row, customer in enumerate(task.now["customer_id"].to_pylist())}
    rows = pa.array([place.get(customer) for customer in everybody], pa.int64())
    columns = {f"{task.outcome}_risk{end}": pc.take(pa.array(np.round(risk, 9)), rows) for end, risk in risks.items()}
    columns |= {name: pc.take(said[name].combine_chunks(), rows) for name in said.column_names}
    if task.outcome == "downgrade":
        there = [name for name in NEEDS if name in task.now.column_names]
        columns |= {name: pc.take(task.now[name].combine_chunks(), rows) for name in there}
    return pa.table(columns)
