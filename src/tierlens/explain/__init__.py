"""Why: contributions of features to a risk, reasons in words, and where segments and tiers disagree.

The package can be called: ``tierlens.explain(model, table)`` is :func:`tierlens.explain.contributions.explain`. Without
that the name would mean the function before this package is imported and the package after it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tierlens.explain.agreement import Agreement, disagreements
    from tierlens.explain.contributions import Contributions, explain, importance
    from tierlens.explain.scheme_homes import homes_of
    from tierlens.explain.shap_values import prepare_shap, tree_shap

__all__ = [
    "Agreement",
    "Contributions",
    "disagreements",
    "explain",
    "homes_of",
    "importance",
    "prepare_shap",
    "tree_shap",
]

_HOMES = {
    "Agreement": "agreement",
    "disagreements": "agreement",
    "Contributions": "contributions",
    "explain": "contributions",
    "importance": "contributions",
    "homes_of": "scheme_homes",
    "prepare_shap": "shap_values",
    "tree_shap": "shap_values",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


class _Called(ModuleType):
    def __call__(self, model: Any, table: Any, names: tuple[str, ...] | None = None) -> Contributions:
        found: Contributions = import_module(f"{__name__}.contributions").explain(model, table, names)
        return found


sys.modules[__name__].__class__ = _Called
