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
from tierlens.words import Lang

SHOWN = ("recency_days", "frequency", "monetary", "average_order_value", "tenure_days", "trend_12")
"""Features that stand beside tier and risk; all of them are in ``snapshots.parquet``."""
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
    return with_next_steps(table)
