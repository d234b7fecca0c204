"""Discovered segments: groups of customers found by clustering, with plain names in both languages.

Names are loaded when first used, because scikit-learn takes most of a second to import.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tierlens.segments.choose import Choice, Rule
    from tierlens.segments.profile import Profile
    from tierlens.segments.segmenter import CustomerSegmenter

__all__ = ["SEGMENT_FEATURES", "Choice", "CustomerSegmenter", "Profile", "Rule"]

# One feature for each plain question (when last, how often, how much, since when): more of the same family would
# only weigh that family double.
SEGMENT_FEATURES = ("recency_days", "frequency", "monetary", "tenure_days")

_HOMES = {"Choice": "choose", "Rule": "choose", "Profile": "profile", "CustomerSegmenter": "segmenter"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
