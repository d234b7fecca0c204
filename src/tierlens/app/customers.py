"""``customers.parquet``: everything about each customer at the cutoff of the run, one row a customer."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from tierlens.app.group import Grouped
from tierlens.app.learn import Learned
from tierlens.app.prepare import Prepared
from tierlens.features.snapshot import KEY
from tierlens.grading import evidence
from tierlens.publish.playbook import with_next_steps
from tierlens.sources.tables import Currency
from tierlens.words import Lang, Text

SHOWN = ("recency_days", "frequency", "monetary", "average_order_value", "tenure_days", "trend_12")
"""Features that stand beside tier and risk; all of them are in ``snapshots.parquet``."""
FALL = Text(
    "Will be {need} points short of tier {tier} at the end of the horizon unless more is bought: raises the risk",
    "若不再购买，预测期末距{tier}级将差{need}分，风险上升",
)
LANGS: tuple[Lang, ...] = ("en", "zh")


def customers_of(
    prepared: Prepared, grouped: Grouped, learned: Sequence[Learned], day: int, currency: Currency
) -> pa.Table:
    """Put tier with evidence, segment, risks, reasons and next step of each customer into one row.

    Parameters
    ----------
    prepared : Prepared
    grouped : Grouped
        Segments of the customers at ``day``.
    learned : sequence of Learned
        Risks at ``day``; the reasons are those of the first.
    day : int
        Cutoff of the run.
    currency : Currency

    Returns
    -------
    pyarrow.Table
        In the order of ``customer_id``; risks are missing where an outcome does not apply.
    """
    features, graded = prepared.at(prepared.panel, day), prepared.at(prepared.tiers, day)
    table = features.select([*KEY, *SHOWN])
    for name in ("score", "tier", "coverage", "flags"):
        table = table.append_column(name, graded[name])
    for lang in LANGS:
        said = evidence(graded, features, prepared.scheme, currency, lang)
        table = table.append_column(f"evidence_{lang}", pa.array(["\n".join(lines) for lines in said]))
    numbers = grouped.labels.to_pylist()
    table = table.append_column("segment", grouped.labels)
    for lang in LANGS:
        names = [grouped.profile.names[number].say(lang) for number in numbers]
        table = table.append_column(f"segment_{lang}", pa.array(names))
    for one in learned:
        for name in one.now.column_names:
            table = table.append_column(name, one.now[name])
    return with_next_steps(_with_fall(table))


def _with_fall(table: pa.Table) -> pa.Table:
    """Put the fall that is coming before the other reasons, where it is the greater danger.

    What rolls out of the window is arithmetic: ``need`` points of the tier will be lacking unless more is bought.
    """
    if "need" not in table.column_names:
        return table
    needs, falls, leaves, tiers = (table[name].to_pylist() for name in ("need", "downgrade_risk", "churn_risk", "tier"))
    told = [
        FALL.fill(need=f"{need:.1f}", tier=tier) if fall is not None and need > 0 and fall > leave else None
        for need, fall, leave, tier in zip(needs, falls, leaves, tiers, strict=True)
    ]
    codes = ["R-STANDING" if text else None for text in told]
    table = _pushed(table, "code", codes)
    table = _pushed(table, "en", [text.en if text else None for text in told])
    return _pushed(table, "zh", [text.zh if text else None for text in told])


def _pushed(table: pa.Table, part: str, first: list[str | None]) -> pa.Table:
    """Where there is a new first reason, move the others down by one place."""
    names = [f"reason_{place}_{part}" for place in (1, 2, 3)]
    old = [table[name].to_pylist() for name in names]
    for place, name in enumerate(names):
        above = old[place - 1] if place else first
        values = [above[row] if text else old[place][row] for row, text in enumerate(first)]
        table = table.set_column(table.column_names.index(name), name, pa.array(values, pa.string()))
    return table
