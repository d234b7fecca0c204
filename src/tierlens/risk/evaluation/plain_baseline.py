"""A baseline that is kept: a line on a few columns, or plain boosted trees, as text, with the face of the model.

Where a simple rule is shown to rank better than the model, the registry keeps the rule: this is how.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tierlens.errors import DataError
from tierlens.risk.evaluation.baselines import float_column
from tierlens.risk.model.linear import Floats, Rows, logit, ridge_logistic, sigmoid
from tierlens.words import Text

PLAIN = "plain.json"
Scale = Literal["as it is", "log", "logit"]


@dataclass(frozen=True)
class Plain:
    """A simple model of risk.

    Parameters
    ----------
    columns : tuple of str
    scale : {"as it is", "log", "logit"}
        What the line is drawn on: the values, log(1 + value), or the log-odds of a probability.
    weights : tuple of float
        One a column; empty for trees.
    intercept : float
    trees : str
        Booster in LightGBM's own text; empty for a line.

    Examples
    --------
    >>> Plain(("recency_days",), "as it is", (0.1,), -2.0).predict_proba({"recency_days": [20.0]}).round(2)
    array([[0.5, 0.5]])
    """

    columns: tuple[str, ...]
    scale: Scale = "as it is"
    weights: tuple[float, ...] = ()
    intercept: float = 0.0
    trees: str = ""

    def predict_proba(self, table: Any) -> Floats:
        """Return the probability of each class, shape (n, 2)."""
        risk = self._trees(table) if self.trees else sigmoid(self.intercept + _design(table, self) @ self.weights)
        return np.column_stack([1.0 - risk, risk])

    def _trees(self, table: Any) -> Floats:
        import lightgbm as lgb

        values = np.column_stack([float_column(table, name) for name in self.columns])
        return np.asarray(lgb.Booster(model_str=self.trees).predict(values), dtype=np.float64)

    def save(self, folder: Path) -> Path:
        """Keep it in a folder, with a checksum of itself."""
        told = {"columns": self.columns, "scale": self.scale, "weights": self.weights, "intercept": self.intercept,
                "trees": self.trees}  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        whole = {"model": told, "sha256": _checksum(told)}
        (folder / PLAIN).write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return folder


def load_plain(folder: Path) -> Plain:
    """Read a baseline back.

    Raises
    ------
    DataError
        ``E-RI-031`` when it is not there, or not what was kept.
    """
    path = folder / PLAIN
    try:
        told = json.loads(path.read_text("utf-8"))
        whole = told["sha256"] == _checksum(told["model"])
    except (FileNotFoundError, ValueError, TypeError, KeyError, RecursionError):
        whole = False
    if not whole:
        raise DataError(
            "E-RI-031",
            Text("this is not the baseline that was kept", "与保存的基线不符"),
            where=str(path),
            fix=Text("train and keep it again", "请重新训练并保存"),
        )
    kept = told["model"]
    return Plain(tuple(kept["columns"]), kept["scale"], tuple(kept["weights"]), float(kept["intercept"]), kept["trees"])


def fit_line(table: Any, outcome: npt.ArrayLike, columns: Sequence[str], scale: Scale = "as it is") -> Plain:
    """Draw a line through a few columns; a single one keeps its order and gets a probability.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> days = rng.integers(1, 100, 500)
    >>> found = fit_line({"days": days}, rng.random(500) < days / 100, ["days"])
    >>> bool(found.weights[0] > 0)
    True
    """
    design = _design(table, Plain(tuple(columns), scale))
    centre, spread = design.mean(axis=0), np.maximum(design.std(axis=0), 1e-12)
    y = np.asarray(outcome, dtype=np.float64)
    line = ridge_logistic(Rows((design - centre) / spread, y, np.ones(len(y)), np.zeros(len(y))), 1.0)
    weights = line.weights / spread
    intercept = line.intercept - float(centre @ weights)
    return Plain(tuple(columns), scale, tuple(float(weight) for weight in weights), intercept)


def _design(table: Any, plain: Plain) -> Floats:
    values = np.column_stack([np.nan_to_num(float_column(table, name)) for name in plain.columns])
    if plain.scale == "log":
        return np.log1p(np.maximum(values, 0.0))
    return logit(values) if plain.scale == "logit" else values


def _checksum(told: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode("utf-8")).hexdigest()
