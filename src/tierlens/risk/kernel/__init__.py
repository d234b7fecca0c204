"""SHAP values of boosted trees, exact and compiled: a model's trees as arrays, and loops down and up them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tierlens.risk.kernel.shap_forest import ShapForest, read_forest
    from tierlens.risk.kernel.tree_text import TreeText, read_model

_HOMES = {
    "ShapForest": "shap_forest",
    "read_forest": "shap_forest",
    "TreeText": "tree_text",
    "read_model": "tree_text",
}

__all__ = ["ShapForest", "TreeText", "read_forest", "read_model"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
