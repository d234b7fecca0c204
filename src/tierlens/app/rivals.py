"""The simple rules and models that the model of a run must beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tierlens.app.tasks import Task
from tierlens.app.trial import Contender
from tierlens.words import Text

Floats = npt.NDArray[np.float64]
RFM = ("recency_days", "frequency", "spend")


def rivals_of(task: Task) -> tuple[Contender, ...]:
    """Return the baselines of an outcome.

    Churn: days since the last purchase, the chance of no purchase by BG/NBD, logistic regression on log-RFM, LightGBM
    as it comes. Downgrade: the same but for BG/NBD, and the roll-off rule, which knows what the scheme's own window
    will drop.
    """
    learned = (_regression(task.outcome), _default_trees(task))
    if task.outcome == "downgrade":
        rule = Contender(Text("roll-off rule", "滚出规则"), _column("need"), is_probability=False)
        return (rule, _recency(), *learned)
    rhythm = Contender(Text("BG/NBD, no labels", "BG/NBD（无标签）"), _column("btyd_p0"))
    return (_recency(), rhythm, *learned)


def _recency() -> Contender:
    return Contender(Text("recency", "最近购买"), _column("recency_days"), is_probability=False)


def _column(name: str) -> _Column:
    return _Column(name)


class _Column:
    """A rule that ranks by one column."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, known: pa.Table, asked: pa.Table) -> Floats:
        return matrix(asked, [self.name])[:, 0]


def _regression(outcome: str) -> Contender:
    def train(known: pa.Table, asked: pa.Table) -> Floats:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        model = make_pipeline(StandardScaler(), LogisticRegression())
        model.fit(np.log1p(matrix(known, RFM)), known[outcome].to_numpy())
        risk: Floats = model.predict_proba(np.log1p(matrix(asked, RFM)))[:, 1]
        return risk

    return Contender(Text("logistic regression on log-RFM", "对数RFM逻辑回归"), train)


def _default_trees(task: Task) -> Contender:
    def train(known: pa.Table, asked: pa.Table) -> Floats:
        import lightgbm as lgb

        rows = lgb.Dataset(matrix(known, task.features), known[task.outcome].to_numpy(), params={"verbosity": -1})
        settings = {"objective": "binary", "verbosity": -1, "deterministic": True, "force_col_wise": True}
        risk: Floats = np.asarray(lgb.train(settings, rows, 100).predict(matrix(asked, task.features)))
        return risk

    return Contender(Text("LightGBM as it comes", "默认 LightGBM"), train)


def matrix(table: pa.Table, names: Sequence[str]) -> Floats:
    """Return columns as float64, missing values as NaN."""
    return np.column_stack([table[name].to_numpy().astype(np.float64) for name in names])
