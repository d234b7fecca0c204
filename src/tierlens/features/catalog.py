"""All features by name, and what one feature needs of others."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from tierlens.errors import UsageError
from tierlens.features.expected import EXPECTED
from tierlens.features.families import (
    basket,
    contract_endings,
    credit_payment,
    history,
    judgements,
    loyalty,
    other_rates,
    potential,
    rhythm,
    service_tickets,
    stability,
    value,
)
from tierlens.features.feature import DIMENSIONS, Feature
from tierlens.sources.tables import Tables
from tierlens.words import Text

__all__ = [
    "CATALOG",
    "DIMENSIONS",
    "EVERY",
    "EXPECTED",
    "OTHERS",
    "PAST",
    "WHOLE",
    "Feature",
    "available_features",
    "catalog_entry",
    "lacking_tables",
    "needed_features",
]

CATALOG: dict[str, Feature] = {
    feature.name: feature for module in (value, stability, potential, rhythm, basket) for feature in module.FEATURES
}
"""Features of transactions alone: what a snapshot holds when nothing else is asked for."""
OTHERS: dict[str, Feature] = {
    feature.name: feature
    for module in (service_tickets, contract_endings, judgements, credit_payment, loyalty, other_rates)
    for feature in module.FEATURES
}
"""Features of the tables beside transactions: built when they are asked for."""
PAST: dict[str, Feature] = {feature.name: feature for feature in history.FEATURES}
"""Features of transactions alone that are built when they are asked for."""
EVERY: dict[str, Feature] = CATALOG | PAST | OTHERS
"""All that :func:`tierlens.features.snapshot.build_snapshots` builds."""
WHOLE: dict[str, Feature] = EVERY | EXPECTED
"""The whole catalog: those too that are learned from all customers (:mod:`tierlens.features.seasonal_btyd`)."""


def lacking_tables(name: str, tables: Tables) -> list[str]:
    """Return the tables that a feature needs and that are not there.

    Examples
    --------
    >>> from tierlens.datasets.examples import simulated_shop
    >>> import dataclasses
    >>> shop = dataclasses.replace(simulated_shop(customers=20, months=6).tables, others={})
    >>> lacking_tables("renewal_rate", shop), lacking_tables("frequency", shop)
    (['contracts'], [])
    """
    feature = catalog_entry(name)
    missing = [table for table in feature.tables if not tables.has(table)]
    of_needs = [lacking_tables(need, tables) for need in feature.needs]
    if feature.either:
        return missing + (of_needs[0] if all(of_needs) else [])
    return sorted({*missing, *(table for tables_of in of_needs for table in tables_of)})


def available_features(tables: Tables, names: Iterable[str] | None = None) -> list[str]:
    """Return the features that the tables at hand allow, in the order of the catalog.

    Parameters
    ----------
    tables : Tables
        Settled tables.
    names : iterable of str, optional
        Only those of these names; names that stand in no catalog (of a scheme's own columns) are left out.

    Examples
    --------
    >>> from tierlens.datasets.examples import simulated_shop
    >>> available_features(simulated_shop(customers=20, months=6).tables, ["frequency", "recency_days", "mine"])
    ['recency_days', 'frequency']
    """
    wanted = EVERY.keys() if names is None else set(names)
    return [name for name in EVERY if name in wanted and not lacking_tables(name, tables)]


def catalog_entry(name: str) -> Feature:
    """Return the catalog entry of a feature.

    Raises
    ------
    UsageError
        ``E-FE-001`` when there is none of that name.

    Examples
    --------
    >>> catalog_entry("recency_days").label
    '距上次购买天数'
    """
    if name in WHOLE:
        return WHOLE[name]
    begun = sorted((known for known in WHOLE if known.startswith(name)), key=len) if name else []
    near = begun or difflib.get_close_matches(name, WHOLE, n=1)
    hint = Text(f"did you mean {near[0]}?", f"是否指 {near[0]}？") if near else None
    raise UsageError(
        "E-FE-001",
        Text(f"there is no feature {name!r}", f"没有名为 {name!r} 的特征"),
        fix=hint or Text("see 'tierlens features list'", "请查看 tierlens features list"),
    )


def needed_features(names: Iterable[str]) -> list[Feature]:
    """Return the features of these names and all that they need, each after what it needs.

    Raises
    ------
    UsageError
        ``E-FE-001`` for an unknown feature, ``E-FE-003`` for one that is learned and no expression.

    Examples
    --------
    >>> [feature.name for feature in needed_features(["average_order_value"])]
    ['spend', 'frequency', 'average_order_value']
    """
    found: dict[str, Feature] = {}

    def add(name: str) -> None:
        if name not in found:
            feature = catalog_entry(name)
            if feature.is_learned:
                raise _is_learned(name)
            for need in feature.needs:
                add(need)
            found[name] = feature

    for name in names:
        add(name)
    return list(found.values())


def _is_learned(name: str) -> UsageError:
    return UsageError(
        "E-FE-003",
        Text(f"{name} is learned from all customers together", f"{name} 由全体客户共同学得"),
        fix=Text("build it by features.season.expectations", "请用 features.season.expectations 计算"),
    )
