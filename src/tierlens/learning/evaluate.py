"""The trial of a model: cutoffs that it never saw, simple baselines beside it, an interval beside every figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tierlens.learning.monitor import tested_rows
from tierlens.learning.tasks import Task, at_cutoffs
from tierlens.publish.report.findings import Bin, Curve, Estimate, ModelLine, Risk
from tierlens.risk.evaluation.bootstrap import Interval, Rows, metric_table, paired_difference, percentile_interval
from tierlens.risk.evaluation.metrics import auc, average_precision, brier, calibration_error, lift_at, reliability_bins
from tierlens.risk.evaluation.plain_baseline import Plain
from tierlens.words import Text

Floats = npt.NDArray[np.float64]
Predict = Callable[[Any], Floats]
BASELINE = "baseline"
SHARES = tuple(round(0.05 * step, 2) for step in range(1, 21))


@dataclass(frozen=True)
class Candidate:
    """A model or baseline of a trial.

    Parameters
    ----------
    name : Text
    train : callable
        From training rows and test rows to the risk (or any score that ranks by risk) of the test rows; it sees the
        outcome of the training rows only.
    is_model : bool
    is_probability : bool
    keep : callable, optional
        From training rows to a baseline that can be kept, for the case that it is the better one.
    """

    name: Text
    train: Callable[[pa.Table, pa.Table], Floats]
    is_model: bool = False
    is_probability: bool = True
    keep: Callable[[pa.Table], Plain] | None = None


@dataclass(frozen=True)
class Verdict:
    """What a trial showed: the report's lines, the same as flat figures, and what was foretold beside what happened.

    ``tested`` holds in ``BASELINE`` what the best baseline said of the same rows; it goes no further than the registry.
    """

    risk: Risk
    metrics: dict[str, float]
    tested: pa.Table


def evaluate_candidates(
    task: Task, contenders: Sequence[Candidate], folds: Sequence[tuple[list[int], int]], draws: int, seed: int
) -> Verdict:
    """Let every contender predict each test cutoff from the closed cutoffs before it, and compare.

    Parameters
    ----------
    task : Task
    contenders : sequence of Contender
        The model first.
    folds : sequence of (list of int, int)
        Training cutoffs and test cutoff; see ``SnapshotSplit.folds``.
    draws : int
        Bootstrap resamples of customers.
    seed : int
    """
    tests, scores = _predicted(task, contenders, folds)
    outcome = tests[task.outcome].to_numpy().astype(np.float64)
    rows = Rows(outcome, tests["customer_id"].to_numpy(zero_copy_only=False), tests["cutoff"].to_numpy())
    names = [contender.name.en for contender in contenders]
    drawn = {
        metric: metric_table(function, rows, scores, draws=draws, seed=seed)
        for metric, function in (("auc", auc), ("ap", average_precision), ("lift", _top_lift))
    }
    probable = {c.name.en: scores[c.name.en] for c in contenders if c.is_probability}
    drawn["brier"] = metric_table(brier, rows, probable, draws=draws, seed=seed)
    lines = tuple(_line(contender, drawn, outcome, scores) for contender in contenders)
    best = max(lines[1:], key=lambda line: line.auc.value)
    edge = paired_difference(drawn["auc"], names[0], best.name.en)
    bins = reliability_bins(outcome, scores[names[0]])
    risk = Risk(
        task.outcome,
        task.title,
        _population(task, folds),
        len(outcome),
        float(outcome.mean()),
        lines,
        best.name,
        _estimate(edge),
        tuple(
            Curve(c.name, SHARES, _lifts(outcome, scores[c.name.en])) for c in (contenders[0], *_of(contenders, best))
        ),
        tuple(
            Bin(float(p), float(o), int(n)) for p, o, n in zip(bins.predicted, bins.observed, bins.rows, strict=True)
        ),
    )
    tested = tested_rows(task.outcome, tests, scores[names[0]])
    return Verdict(risk, _figures(lines[0], risk), tested.append_column(BASELINE, pa.array(scores[best.name.en])))


def _of(contenders: Sequence[Candidate], line: ModelLine) -> list[Candidate]:
    return [contender for contender in contenders if contender.name == line.name]


def _predicted(
    task: Task, contenders: Sequence[Candidate], folds: Sequence[tuple[list[int], int]]
) -> tuple[pa.Table, dict[str, Floats]]:
    tests: list[pa.Table] = []
    scores: dict[str, list[Floats]] = {contender.name.en: [] for contender in contenders}
    for train, test in folds:
        known, asked = at_cutoffs(task.rows, train), at_cutoffs(task.rows, [test])
        tests.append(asked)
        for contender in contenders:
            scores[contender.name.en].append(contender.train(known, asked.drop_columns([task.outcome])))
    return pa.concat_tables(tests).combine_chunks(), {name: np.concatenate(found) for name, found in scores.items()}


def _top_lift(outcome: Floats, risk: Floats, weight: Floats) -> float:
    return lift_at(outcome, risk, 0.1, weight)


def _line(
    contender: Candidate, drawn: Mapping[str, Mapping[str, Floats]], outcome: Floats, scores: Mapping[str, Floats]
) -> ModelLine:
    name = contender.name.en
    auc_, ap, lift = (_estimate(percentile_interval(drawn[metric][name])) for metric in ("auc", "ap", "lift"))
    if not contender.is_probability:
        return ModelLine(contender.name, contender.is_model, auc_, ap, lift)
    error = Estimate(calibration_error(outcome, scores[name]))
    return ModelLine(
        contender.name, contender.is_model, auc_, ap, lift, _estimate(percentile_interval(drawn["brier"][name])), error
    )


def _estimate(found: Interval) -> Estimate:
    return Estimate(found.value, found.low, found.high)


def _lifts(outcome: Floats, risk: Floats) -> tuple[float, ...]:
    return tuple(float(lift_at(outcome, risk, share)) for share in SHARES)


def _population(task: Task, folds: Sequence[tuple[list[int], int]]) -> Text:
    from tierlens.sources.tables import day_date

    days = [str(day_date(test)) for _, test in folds]
    return Text(
        f"{task.population.en}; tested at {', '.join(days)}", f"{task.population.zh}；检验截止日 {'、'.join(days)}"
    )


def _figures(line: ModelLine, risk: Risk) -> dict[str, float]:
    """Flat figures of the model, with bounds."""
    found = {"base_rate": risk.base_rate, "edge": risk.edge.value}
    named = {
        "auc": line.auc,
        "ap": line.average_precision,
        "lift_10": line.lift,
        "brier": line.brier,
        "ece": line.calibration,
    }
    for key, estimate in named.items():
        if estimate is not None:
            found[key] = estimate.value
            if estimate.low is not None and estimate.high is not None:
                found |= {f"{key}_low": estimate.low, f"{key}_high": estimate.high}
    return found
