"""Why: contributions of features to a risk, reasons in words, and where segments and tiers disagree."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tierlens.explain.agreement import Agreement, disagreements
    from tierlens.explain.contributions import Contributions, explain, importance

__all__ = ["Agreement", "Contributions", "disagreements", "explain", "importance"]

_HOMES = {
    "Agreement": "agreement",
    "disagreements": "agreement",
    "Contributions": "contributions",
    "explain": "contributions",
    "importance": "contributions",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
