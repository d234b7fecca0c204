"""``customers.parquet``: everything about each customer at the cutoff of the run, one row a customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from tierlens.explain.reason_columns import OUTCOMES, reason_columns, with_main_reason
from tierlens.features.snapshot import KEY
from tierlens.grading import Scheme, grade_evidence
from tierlens.learning.cautions import LANGS, are_same, with_notes
from tierlens.learning.learn import Learned
from tierlens.learning.segment import Grouped
from tierlens.publish.lists.bands import Bands
from tierlens.publish.lists.playbook import with_next_steps
from tierlens.publish.report.findings import Risk
from tierlens.sources.tables import Currency
from tierlens.workspace.known_customers import SHOWN, Everybody, without_idle_scores
from tierlens.workspace.prepare import Prepared


def customers_of(
    prepared: Prepared,
    grouped: Grouped | None,
    learned: Sequence[Learned],
    day: int,
    currency: Currency,
    others: Everybody | None = None,
    bands: Bands | None = None,
) -> pa.Table:
    """Put tier with evidence, segment, risks, reasons and next step of each customer into one row.

    Parameters
    ----------
    prepared : Prepared
    grouped : Grouped, optional
        Segments of the customers at ``day``.
    learned : sequence of Learned
        Risks at ``day``, each with its reasons.
    day : int
        Cutoff of the run.
    currency : Currency
    others : Everybody, optional
        Customers without a purchase in the window: they have a tier where the scheme gives them one, but no segment
        and no risk, and their note says why.
    bands : Bands, optional
        Where the bands of the risks begin; those of the playbook by default.

    Returns
    -------
    pyarrow.Table
        In the order of ``customer_id``; risks are missing where an outcome does not apply.
    """
    features, graded = prepared.at(prepared.panel, day), prepared.at(prepared.tiers, day)
    activity = pa.array(["active"] * features.num_rows, pa.string())
    table = _with_segments(_graded(Everybody(features, graded, activity), prepared.scheme, currency), grouped)
    for one in learned:
        for name in one.now.column_names:
            table = table.append_column(name, one.now[name])
    table = with_risk_notes(_with_unknown(table), learned)
    if others is not None and others.activity:
        table = pa.concat_tables([table, _without_risk(others, prepared.scheme, currency)], promote_options="default")
        table = table.sort_by("customer_id").combine_chunks()
    return with_next_steps(with_main_reason(table), scheme=prepared.scheme, bands=bands)


def _graded(some: Everybody, scheme: Scheme, currency: Currency) -> pa.Table:
    """Return what is shown of customers beside their tier, and why they have it; a score without a tier is not."""
    table = some.features.select([*KEY, *SHOWN]).add_column(len(KEY), "activity", some.activity)
    told = without_idle_scores(some.graded)
    for name in ("score", "tier", "coverage", "flags"):
        table = table.append_column(name, told[name])
    for lang in LANGS:
        said = grade_evidence(some.graded, some.features, scheme, currency, lang)
        table = table.append_column(f"evidence_{lang}", pa.array(["\n".join(lines) for lines in said], pa.string()))
    return table


def _without_risk(others: Everybody, scheme: Scheme, currency: Currency) -> pa.Table:
    """Return the rows of customers of whom no risk is foretold, and say why."""
    table = _graded(others, scheme, currency)
    notes = [others.why_no_risk(row) for row in range(table.num_rows)]
    for lang in LANGS:
        table = table.append_column(f"risk_note_{lang}", pa.array([note.say(lang) for note in notes], pa.string()))
    return table


def _with_segments(table: pa.Table, grouped: Grouped | None) -> pa.Table:
    numbers = grouped.labels.to_pylist() if grouped else [None] * table.num_rows
    table = table.append_column("segment", pa.array(numbers, pa.int64()))
    for lang in LANGS:
        names = [grouped.profile.names[number].say(lang) if grouped else None for number in numbers]
        table = table.append_column(f"segment_{lang}", pa.array(names, pa.string()))
    return table


def _with_unknown(table: pa.Table) -> pa.Table:
    """Add, without values, the risks and reasons of outcomes that were not learned: lists have them all the same."""
    for outcome in OUTCOMES:
        for name, kind in {f"{outcome}_risk": pa.float64(), **reason_columns(outcome)}.items():
            if name not in table.column_names:
                table = table.append_column(name, pa.nulls(table.num_rows, kind))
    return table


def risk_of(one: Learned) -> Risk:
    """Return what is known of an outcome's risk, with whether all customers of the run's cutoff have the same."""
    return replace(one.risk, is_constant=are_same(one.now[f"{one.outcome}_risk"]))


def with_risk_notes(table: pa.Table, learned: Sequence[Learned]) -> pa.Table:
    """Add what is said of the risks that were learned, see :func:`~tierlens.learning.cautions.with_notes`."""
    said = {one.outcome: risk_of(one).caution for one in learned}
    return with_notes(table, {outcome: text for outcome, text in said.items() if text is not None})
