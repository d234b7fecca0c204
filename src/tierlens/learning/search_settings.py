"""``tierlens tune``: search settings of the churn model's trees, on cutoffs that close before any that a run tests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tierlens.errors import DataError, UsageError
from tierlens.learning.learn import model_inputs, untrained_classifier
from tierlens.learning.tasks import at_cutoffs, tasks_of
from tierlens.publish.tracking.records import REFUSED, SearchRecord, TrialRecord
from tierlens.publish.tracking.store_address import not_tracked
from tierlens.risk.evaluation.split import SnapshotSplit
from tierlens.risk.model.classifier import RiskClassifier
from tierlens.risk.model.trees import Setting
from tierlens.risk.space import Range
from tierlens.risk.tuning import Search, Tuned, tune_trees
from tierlens.sources.tables import day_date
from tierlens.words import Text
from tierlens.workspace.config import RunConfig
from tierlens.workspace.prepare import closing_cutoffs, obtain_shop
from tierlens.workspace.progress import Tell
from tierlens.workspace.study import study_of

STUDIES = "studies.db"
"""SQLite file of the studies, beside the runs."""
NEAR = 0.002
"""AUC within which settings are as good as each other."""
MOST = 100_000


@dataclass(frozen=True)
class Wish:
    """What is asked of a search: seconds, trials in all, the space, where studies are kept, whether MLflow hears."""

    budget: float
    space: Mapping[str, Range]
    home: Path
    trials: int = MOST
    track: bool = True


@dataclass(frozen=True)
class Searched:
    """What a search found.

    Parameters
    ----------
    tuned : Tuned
    cutoffs : tuple of str
        Those that it was judged on.
    study : str
        Name in the study file, under which it goes on.
    tracked : str
        Id of the tracked run; empty without tracking.
    """

    tuned: Tuned
    cutoffs: tuple[str, ...]
    study: str
    tracked: str = ""

    @property
    def settings(self) -> Mapping[str, Setting]:
        """What is worth writing into a run file: nothing where the default is as good."""
        return self.tuned.settings if self.tuned.value - self.tuned.default > NEAR else {}

    def say(self) -> Text:
        """Return the verdict."""
        found, gain = self.tuned, self.tuned.value - self.tuned.default
        count, early = len(found.trials), sum(trial.state == "pruned" for trial in found.trials)
        done = Text(f"{count} trials", f"{count} 次试验")
        if early:
            done = Text(f"{done.en}, {early} stopped early", f"{done.zh}（其中 {early} 次提前停止）")
        figures = f"AUC {found.default:.4f} -> {found.value:.4f} ({gain:+.4f})"
        if self.settings:
            return Text(
                f"{done.en}: better settings were found, {figures}; write them under risk.trees of the run file",
                f"{done.zh}：找到更好的设置，{figures}；请写入运行文件的 risk.trees",
            )
        return Text(
            f"{done.en}: the default is within {NEAR} of the best, {figures}; keep it",
            f"{done.zh}：默认设置与最佳相差不超过 {NEAR}，{figures}；保持默认",
        )


def search_settings(config: RunConfig, wish: Wish, tell: Tell) -> Searched:
    """Search settings for the churn model of a run file; a study that was begun goes on.

    Raises
    ------
    DataError
        ``E-RU-024`` when too few cutoffs have closed before the first tested one.
    """
    config, shop = obtain_shop(config, tell, at_cutoff=True)
    closing_cutoffs(config)
    task = tasks_of(study_of(shop, config))[0]
    splitter = SnapshotSplit(config.span)
    tested = SnapshotSplit(config.span, max_folds=config.risk.tests).folds(config.learning_cutoffs())
    closed = tested[0][0] if tested else []
    folds = splitter.folds(closed)[-3:]
    if not folds:
        raise DataError(
            "E-RU-024",
            Text("too few cutoffs close before the first tested one", "首个检验截止日之前到期的截止日过少"),
            where="risk.first_cutoff",
            fix=Text("begin earlier, or test fewer cutoffs", "请提前起始截止日，或减少检验数"),
        )
    rows = at_cutoffs(task.rows, closed)
    table, cutoffs = model_inputs(task, rows)
    y = rows[task.outcome].to_numpy()
    study = f"{config.name} {task.outcome} {_digest(y, cutoffs, task.features)}"
    new: list[int] = []

    def told(number: int, most: int, best: float) -> None:
        new.append(number - 1)
        tell(Text(f"trial {number}: best AUC so far {best:.4f}", f"第 {number} 次试验：目前最佳 AUC {best:.4f}"))

    wish.home.mkdir(parents=True, exist_ok=True)
    asked = Search(wish.trials, wish.budget, wish.space, len(folds), wish.home / STUDIES, study, config.seed)
    model = RiskClassifier(**{**untrained_classifier(task, {}, config).get_params(), "seeds": 1})
    found = tune_trees(model, table, y, cutoffs, splitter, asked, told)
    judged = tuple(str(day_date(test)) for _, test in folds)
    return Searched(found, judged, study, _tracked(config, found, set(new), wish.home, tell) if wish.track else "")


def _tracked(config: RunConfig, found: Tuned, new: set[int], home: Path, tell: Tell) -> str:
    """Track a search and return its id; where the store refuses, say so: what was found is as good as any."""
    try:
        return _track(config, found, new, home)
    except UsageError as problem:
        if problem.code != REFUSED:
            raise
        tell(not_tracked(problem))
        return ""


def _digest(y: np.ndarray, cutoffs: np.ndarray, features: Sequence[str]) -> str:
    """Name rows and columns, so that a study never goes on with others."""
    told = hashlib.sha256(np.column_stack([y, cutoffs]).astype(np.int64).tobytes())
    told.update("\0".join(features).encode())
    return told.hexdigest()[:8]


def _track(config: RunConfig, found: Tuned, new: set[int], home: Path) -> str:
    from tierlens.publish.tracking.mlflow_store import track_search

    trials = tuple(
        TrialRecord(trial.number, trial.settings, trial.value, trial.state)
        for trial in found.trials
        if trial.number in new
    )
    name = config.name if config.simulated is None else f"{config.name} (simulated)"
    metrics = {"auc_default": found.default, "auc_best": found.value}
    return track_search(SearchRecord(name, f"tune {name} {config.cutoff}", found.settings, metrics, trials), home)
