"""Snapshots: what was known of each customer at a cutoff."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tierlens.features.audit import audit_features
    from tierlens.features.catalog import CATALOG, available_features, catalog_entry
    from tierlens.features.feature import Feature
    from tierlens.features.snapshot import build_snapshots, to_arrow
    from tierlens.features.windows import Window, at_cutoffs

_HOMES = {
    "audit_features": "audit",
    "CATALOG": "catalog",
    "available_features": "catalog",
    "catalog_entry": "catalog",
    "Feature": "feature",
    "build_snapshots": "snapshot",
    "to_arrow": "snapshot",
    "Window": "windows",
    "at_cutoffs": "windows",
}

__all__ = [
    "CATALOG",
    "Feature",
    "Window",
    "at_cutoffs",
    "audit_features",
    "available_features",
    "build_snapshots",
    "catalog_entry",
    "to_arrow",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
