"""The simple rules and models that the model of a run must beat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tierlens.features.catalog import CATALOG
from tierlens.features.seasonal_btyd import EXPECTATIONS
from tierlens.learning.evaluate import Candidate
from tierlens.learning.tasks import Task
from tierlens.publish.report.findings import Risk
from tierlens.risk.evaluation.plain_baseline import Plain, Scale, fit_line
from tierlens.words import Text

Floats = npt.NDArray[np.float64]
RFM = ("recency_days", "frequency", "spend")


def baselines_of(task: Task) -> tuple[Candidate, ...]:
    """Return the baselines of an outcome.

    Churn: days since the last purchase, the chance of no purchase by BG/NBD, logistic regression on log-RFM, LightGBM
    as it comes. Downgrade: the same but for BG/NBD, and the roll-off rule, which knows what the scheme's own window
    will drop, where it is known what a tier costs.
    """
    learned = (_regression(task), _default_trees(task))
    if task.outcome == "downgrade" and "need" not in task.rows.column_names:
        return (_recency(task), *learned)
    if task.outcome == "downgrade":
        rule = Candidate(Text("roll-off rule", "滚出规则"), _column("need"), False, False, _line(task, ["need"]))
        return (rule, _recency(task), *learned)
    kept = _line(task, ["btyd_p0"], "logit")
    rhythm = Candidate(Text("BG/NBD, no labels", "BG/NBD（无标签）"), _column("btyd_p0"), keep=kept)
    return (_recency(task), rhythm, *learned)


def better_baseline(task: Task, tried: Sequence[Candidate], risk: Risk) -> Plain | None:
    """Return the best baseline, learned from all rows, where the model is shown to rank worse.

    A baseline is the best of several by the very rows on which it is compared: that it is ahead is not enough. The
    whole interval of the paired difference must lie on its side; else the model stays, as in
    ``risk.evaluation.compare``.

    Parameters
    ----------
    task : Task
    tried : sequence of Contender
    risk : Risk
        What the trial of these showed.

    Returns
    -------
    Plain or None
    """
    if risk.standing != "below":
        return None
    best = next(one for one in tried if one.name == risk.best_baseline)
    return best.keep(task.rows) if best.keep is not None else None


def _recency(task: Task) -> Candidate:
    name = Text("recency", "最近购买")
    return Candidate(name, _column("recency_days"), False, False, _line(task, ["recency_days"]))


def _line(task: Task, names: Sequence[str], scale: Scale = "as it is") -> Callable[[pa.Table], Plain]:
    return lambda known: fit_line(known, known[task.outcome].to_numpy(), names, scale)


def _column(name: str) -> _Column:
    return _Column(name)


class _Column:
    """A rule that ranks by one column."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, known: pa.Table, asked: pa.Table) -> Floats:
        return feature_matrix(asked, [self.name])[:, 0]


def _regression(task: Task) -> Candidate:
    def train(known: pa.Table, asked: pa.Table) -> Floats:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        model = make_pipeline(StandardScaler(), LogisticRegression())
        model.fit(np.log1p(feature_matrix(known, RFM)), known[task.outcome].to_numpy())
        risk: Floats = model.predict_proba(np.log1p(feature_matrix(asked, RFM)))[:, 1]
        return risk

    name = Text("logistic regression on log-RFM", "对数RFM逻辑回归")
    return Candidate(name, train, keep=_line(task, RFM, "log"))


def _read(task: Task) -> tuple[str, ...]:
    """Columns that plain trees read: the model's and all expectations; by the amount, all features beside the need."""
    if "need_money" not in task.rows.column_names:
        there = set(task.rows.column_names) - set(task.features)
        return (*task.features, *(name for name in EXPECTATIONS if task.outcome == "churn" and name in there))
    return (*(name for name in CATALOG if name in task.rows.column_names), "need", "need_money")


def _default_trees(task: Task) -> Candidate:
    names = _read(task)

    def grown(known: pa.Table) -> Any:
        import lightgbm as lgb

        rows = lgb.Dataset(feature_matrix(known, names), known[task.outcome].to_numpy(), params={"verbosity": -1})
        settings = {"objective": "binary", "verbosity": -1, "deterministic": True, "force_col_wise": True}
        return lgb.train(settings, rows, 100)

    def train(known: pa.Table, asked: pa.Table) -> Floats:
        return np.asarray(grown(known).predict(feature_matrix(asked, names)), dtype=np.float64)

    def keep(known: pa.Table) -> Plain:
        return Plain(names, trees=grown(known).model_to_string())

    return Candidate(Text("LightGBM as it comes", "默认 LightGBM"), train, keep=keep)


def feature_matrix(table: pa.Table, names: Sequence[str]) -> Floats:
    """Return columns as float64, missing values as NaN."""
    return np.column_stack([table[name].to_numpy().astype(np.float64) for name in names])
