"""Search for better settings of the trees, over folds in the order of time, within a budget.

Rows are binned once; every trial grows its trees on the same bins. A trial that falls behind the median of those before
it is stopped after the fold where it does. A study kept in SQLite goes on where it ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tierlens.errors import MissingExtraError
from tierlens.risk.evaluation.metrics import auc
from tierlens.risk.evaluation.split import SnapshotSplit
from tierlens.risk.model.classifier import RiskClassifier
from tierlens.risk.model.linear import Floats
from tierlens.risk.model.members import Sample, learn_line
from tierlens.risk.model.recipe import recipe_for
from tierlens.risk.model.trees import SETTINGS, Growth, Setting, binned_dataset, threads_for
from tierlens.risk.space import Range, load_space

Progress = Callable[[int, int, float], None]
"""Called after each trial with its number from 1, how many there will be at most, and the best value so far."""


@dataclass(frozen=True)
class Search:
    """What is searched, for how long, and where it is kept.

    Parameters
    ----------
    trials : int
        Trials of the study in all, those of earlier runs included; the default is judged besides.
    seconds : float, optional
        No trial starts after so many seconds. With it the outcome depends on the machine.
    space : mapping of str to Range
        See ``space.load_space``.
    folds : int
        Latest test cutoffs that a trial is judged on.
    store : path, optional
        SQLite file; without it the study lives in memory.
    study : str
        Name in that file.
    seed : int
    """

    trials: int = 20
    seconds: float | None = None
    space: Mapping[str, Range] = field(default_factory=load_space)
    folds: int = 3
    store: Path | None = None
    study: str = "risk"
    seed: int = 0


@dataclass(frozen=True)
class Trial:
    """One trial: its settings, its value (missing where it was stopped), and what became of it."""

    number: int
    settings: Mapping[str, Setting]
    value: float | None
    state: str


@dataclass(frozen=True)
class Tuned:
    """What a search found.

    Parameters
    ----------
    settings : mapping
        To be handed to ``RiskClassifier(trees=...)``; empty where nothing beat the default.
    value, default : float
        Mean AUC over the folds of the best trial and of the default.
    trials : tuple of Trial
    """

    settings: Mapping[str, Setting]
    value: float
    default: float
    trials: tuple[Trial, ...]


@dataclass(frozen=True)
class _Fold:
    """Binned training rows, the test rows' values, their outcome, and what does not change: prior and line."""

    train: Any
    rows: int
    values: Floats
    outcome: Floats
    rest: Floats


def tune_trees(
    model: RiskClassifier,
    X: Any,
    y: npt.ArrayLike,
    cutoffs: npt.ArrayLike,
    splitter: SnapshotSplit,
    search: Search | None = None,
    progress: Progress | None = None,
) -> Tuned:
    """Search settings of the trees of a model on snapshots.

    Parameters
    ----------
    model : RiskClassifier
        Its prior, seeds and threads are kept; it is not fitted.
    X, y, cutoffs
        Rows of closed cutoffs, as in ``RiskClassifier.fit``.
    splitter : SnapshotSplit
        Folds; only the latest ``search.folds`` are used.
    search : Search, optional
    progress : callable, optional

    Returns
    -------
    Tuned
        The same on every run for a given number of trials and seed.

    Raises
    ------
    MissingExtraError
        ``E-EX-001`` without Optuna.
    UsageError
        ``E-RI-004`` when no fold can be made.
    """
    optuna = _optuna()
    search = search or Search()
    fresh = RiskClassifier(**model.get_params())
    folds = _prepared(fresh, X, y, np.asarray(cutoffs, dtype=np.int64), splitter, search.folds)
    default = _default(fresh, X, y, cutoffs)
    base = float(np.mean([_judge(fold, default, fresh) for fold in folds]))

    def objective(trial: Any) -> float:
        settings = {**default, **{name: _suggest(trial, name, space) for name, space in search.space.items()}}
        values: list[float] = []
        for number, fold in enumerate(folds):
            values.append(_judge(fold, settings, fresh))
            trial.report(float(np.mean(values)), number)
            if number + 1 < len(folds) and trial.should_prune():
                raise optuna.TrialPruned
        return float(np.mean(values))

    def told(study: Any, trial: Any) -> None:
        if progress is not None:
            progress(trial.number + 1, search.trials, max(base, float(study.best_value)))

    with _quiet(optuna):
        study = _study(optuna, search)
        left = search.trials - sum(trial.state.is_finished() for trial in study.trials)
        if left > 0:
            study.optimize(objective, n_trials=left, timeout=search.seconds, callbacks=[told])
    return _found(study, base)


def _default(model: RiskClassifier, X: Any, y: npt.ArrayLike, cutoffs: npt.ArrayLike) -> dict[str, Setting]:
    """Return the settings that the model has for so many rows when nobody says otherwise."""
    trees = recipe_for(model.prepare(X, y, cutoffs=cutoffs), snapshots=True).trees
    return dict(SETTINGS[trees[0] if trees else "small"])


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise MissingExtraError("tune", "optuna") from None
    return optuna


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Let Optuna say warnings only, and hand its logging back as it was."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _study(optuna: Any, search: Search) -> Any:
    store = None if search.store is None else f"sqlite:///{search.store}"
    study = optuna.create_study(
        study_name=search.study, storage=store, load_if_exists=True, direction="maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4),
    )  # fmt: skip
    study.sampler = optuna.samplers.TPESampler(seed=search.seed + len(study.trials), n_startup_trials=6)
    return study


def _suggest(trial: Any, name: str, space: Range) -> Setting:
    if space.is_whole:
        return int(trial.suggest_int(name, int(space.low), int(space.high), log=space.log))
    return float(trial.suggest_float(name, space.low, space.high, log=space.log))


def _prepared(
    model: RiskClassifier, X: Any, y: npt.ArrayLike, days: npt.NDArray[np.int64], splitter: SnapshotSplit, most: int
) -> list[_Fold]:
    """Bin all rows once, and learn each fold's line once."""
    sample = model.prepare(X, y, cutoffs=days)
    categorical = model.columns_.categorical
    bins = int(SETTINGS["small"]["max_bin"])
    whole = binned_dataset(sample.trees(), categorical, bins=bins)
    folds = []
    for learn, held in list(splitter.split(groups=days))[-most:]:
        seen, unseen = sample.take(learn), sample.take(held)
        ridge = model.ridge if model.ridge is not None else recipe_for(seen, snapshots=True).ridges[0]
        line = learn_line("ranks", seen, categorical, ridge)
        train = binned_dataset(seen.trees(), categorical, whole, bins).construct()
        rest = 2.0 * unseen.inputs.offset + line.raw(unseen.inputs)
        folds.append(_Fold(train, len(learn), unseen.inputs.values, unseen.outcome, rest))
    return folds


def _judge(fold: _Fold, settings: Mapping[str, Setting], model: RiskClassifier) -> float:
    """AUC of line and trees together on the rows held out."""
    import lightgbm as lgb

    growth = Growth(settings, (), 1, model.random_state, model.n_jobs or threads_for(fold.values, 0))
    parameters = growth.parameters(fold.rows, 0)
    booster = lgb.train(parameters, fold.train, int(settings["rounds"]))
    return auc(fold.outcome, fold.rest + np.asarray(booster.predict(fold.values, raw_score=True)))


def _found(study: Any, base: float) -> Tuned:
    trials = tuple(
        Trial(trial.number, dict(trial.params), trial.value, trial.state.name.lower()) for trial in study.trials
    )
    best, value = None, base
    for trial in trials:
        if trial.state == "complete" and trial.value is not None and trial.value > value:
            best, value = trial, trial.value
    return Tuned({} if best is None else dict(best.settings), value, base, trials)


__all__ = ["Range", "Sample", "Search", "Trial", "Tuned", "tune_trees"]
