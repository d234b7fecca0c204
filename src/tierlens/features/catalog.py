"""All features by name, and what one feature needs of others."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from tierlens.errors import UsageError
from tierlens.features import basket, potential, rhythm, stability, value
from tierlens.features.feature import DIMENSIONS, Feature
from tierlens.words import Text

__all__ = ["CATALOG", "DIMENSIONS", "Feature", "closure", "describe"]

CATALOG: dict[str, Feature] = {
    feature.name: feature for module in (value, stability, potential, rhythm, basket) for feature in module.FEATURES
}


def describe(name: str) -> Feature:
    """Return the catalog entry of a feature.

    Raises
    ------
    UsageError
        ``E-FE-001`` when there is none of that name.

    Examples
    --------
    >>> describe("recency_days").label
    '距上次购买天数'
    """
    if name in CATALOG:
        return CATALOG[name]
    near = difflib.get_close_matches(name, CATALOG, n=1)
    hint = Text(f"did you mean {near[0]}?", f"是否指 {near[0]}？") if near else None
    raise UsageError(
        "E-FE-001",
        Text(f"there is no feature {name!r}", f"没有名为 {name!r} 的特征"),
        fix=hint or Text("see 'tierlens features list'", "请查看 tierlens features list"),
    )


def closure(names: Iterable[str]) -> list[Feature]:
    """Return the features of these names and all that they need, each after what it needs.

    Examples
    --------
    >>> [feature.name for feature in closure(["average_order_value"])]
    ['spend', 'frequency', 'average_order_value']
    """
    found: dict[str, Feature] = {}

    def add(name: str) -> None:
        if name not in found:
            feature = describe(name)
            for need in feature.needs:
                add(need)
            found[name] = feature

    for name in names:
        add(name)
    return list(found.values())
