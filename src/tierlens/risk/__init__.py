"""Predicted risk: outcomes, the classifier, its settings, and how good it is."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tierlens.risk.outcome import churn_outcomes, closed_cutoffs, downgrade_outcomes, lost_outcomes
    from tierlens.risk.tuning import tune_trees

_HOMES = {
    "churn_outcomes": "outcome",
    "closed_cutoffs": "outcome",
    "downgrade_outcomes": "outcome",
    "lost_outcomes": "outcome",
    "tune_trees": "tuning",
}

__all__ = [
    "churn_outcomes",
    "closed_cutoffs",
    "downgrade_outcomes",
    "lost_outcomes",
    "tune_trees",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
