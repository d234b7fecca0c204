"""Where a number or a word stands in a scheme, and the clause of the document beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tierlens.grading.scheme.parts import Label
from tierlens.grading.scheme.scheme import Scheme


def stated_at(scheme: Scheme, path: str) -> tuple[Any, str]:
    """Return what stands at a place of a scheme, and the clause nearest to it.

    Parameters
    ----------
    scheme : Scheme
    path : str
        Steps with points between them: a name, the ``id`` of a member of a list (a rule goes by its ``value``), its
        place from 0, a word of a table, or a name that all members have (``tiers.A.measures.zh``).

    Returns
    -------
    tuple of value and str
        ``None`` where nothing stands there.

    Examples
    --------
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> stated_at(load_scheme("tiered_management"), "indicators.credit_rating.ordinal.AA")
    (Decimal('90'), '信用状况：信用评级（5%）')
    """
    found: Any = scheme
    clause = scheme.source.clause
    for step in path.split("."):
        if found is scheme and step == "indicators":
            found = [indicator for _, indicator in scheme.indicators]
            continue
        before, found = found, _within(found, step)
        if found is not None and _is_list(before) and _place(before, step) is None:
            clauses = [getattr(part, "source", None) or clause for part in before]
            clause = "；".join(dict.fromkeys(clauses))
        own = getattr(found, "source", None)
        clause = own if isinstance(own, str) else clause
    return (list(found) if isinstance(found, tuple) else found), clause


def _is_list(found: Any) -> bool:
    return isinstance(found, Sequence) and not isinstance(found, str)


def _within(found: Any, step: str) -> Any:
    if isinstance(found, Mapping):
        return found.get(step)
    if not _is_list(found):
        return getattr(found, step, None)
    place = _place(found, step)
    if place is not None:
        return found[place]
    whole = [getattr(part, step, None) for part in found]
    return whole if any(part is not None for part in whole) else None


def _place(found: Sequence[Any], step: str) -> int | None:
    """Place of a member by its id, its value or its number; ``None`` where there is none of that name."""
    for name in ("id", "value"):
        for place, part in enumerate(found):
            if getattr(part, name, None) == step:
                return place
    return int(step) if step.isdigit() and int(step) < len(found) else None


def cited_clauses(scheme: Scheme, column: str, due: Any) -> Iterator[str]:
    """Return the clauses behind a column that grading adds, and the value that must come out.

    Examples
    --------
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> list(cited_clauses(load_scheme("relationship_guide"), "label_stage", "lost"))
    ['流失客户：近3个月无交易']
    """
    kind, _, bare = column.partition("_")
    if kind == "label":
        yield from _of_label(next((label for label in scheme.labels if label.id == bare), None), due)
    elif column == "tier":
        yield from (tier.source for tier in scheme.tiers if tier.id == due)
    elif column == "tags":
        yield from (tag.source for tag in scheme.tags if any(f"[{tag.label}{end}" in str(due) for end in "]:"))
    else:
        groups: dict[str, Any] = {"points": [i for _, i in scheme.indicators], "trigger": scheme.triggers}
        parts = [*groups.get(kind, ()), *(scheme.dimensions if kind in ("points", "score") else ())]
        yield from (part.source for part in parts if part.id == bare)


def _of_label(label: Label | None, due: Any) -> Iterator[str]:
    if label is not None:
        rules = [rule.source for rule in label.rules if rule.value == due]
        yield from rules or [label.source]
