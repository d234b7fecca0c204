"""tierlens: documented customer tiers, discovered segments and predicted risk, with the reason for each.

``import tierlens as tl`` offers the names in ``__all__``; each is loaded when it is first used. They take frames of
pandas, Polars or Arrow and return the same, with money in whole units and cutoffs as dates.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tierlens.api.dataset import Dataset, from_frame, read, simulate
    from tierlens.api.list_frames import customer_list, reasons
    from tierlens.api.run_command import Run, run
    from tierlens.api.snapshot_frames import feature_names, monthly_cutoffs, outcomes, rfm, snapshots
    from tierlens.api.tier_frames import evidence, grade
    from tierlens.errors import TierlensError
    from tierlens.explain.agreement import agreement
    from tierlens.explain.contributions import explain, importance
    from tierlens.features.windows import Window
    from tierlens.grading.scheme.scheme import Scheme, load_scheme, scheme_names
    from tierlens.risk.evaluation.split import SnapshotSplit
    from tierlens.risk.model.classifier import RiskClassifier
    from tierlens.segments.segmenter import CustomerSegmenter

__version__ = "0.1.0"

_HOMES = {
    "Dataset": "api.dataset",
    "from_frame": "api.dataset",
    "read": "api.dataset",
    "simulate": "api.dataset",
    "customer_list": "api.list_frames",
    "reasons": "api.list_frames",
    "Run": "api.run_command",
    "run": "api.run_command",
    "feature_names": "api.snapshot_frames",
    "monthly_cutoffs": "api.snapshot_frames",
    "outcomes": "api.snapshot_frames",
    "rfm": "api.snapshot_frames",
    "snapshots": "api.snapshot_frames",
    "evidence": "api.tier_frames",
    "grade": "api.tier_frames",
    "TierlensError": "errors",
    "agreement": "explain.agreement",
    "importance": "explain.contributions",
    "Window": "features.windows",
    "Scheme": "grading.scheme.scheme",
    "load_scheme": "grading.scheme.scheme",
    "scheme_names": "grading.scheme.scheme",
    "RiskClassifier": "risk.model.classifier",
    "SnapshotSplit": "risk.evaluation.split",
    "CustomerSegmenter": "segments.segmenter",
}

__all__ = [
    "CustomerSegmenter",
    "Dataset",
    "RiskClassifier",
    "Run",
    "Scheme",
    "SnapshotSplit",
    "TierlensError",
    "Window",
    "agreement",
    "customer_list",
    "evidence",
    "explain",
    "feature_names",
    "from_frame",
    "grade",
    "importance",
    "load_scheme",
    "monthly_cutoffs",
    "outcomes",
    "read",
    "reasons",
    "rfm",
    "run",
    "scheme_names",
    "simulate",
    "snapshots",
]


def __getattr__(name: str) -> Any:
    if name == "explain":  # a package that can be called
        return import_module(f"{__name__}.explain")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
