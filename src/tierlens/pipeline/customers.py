"""``customers.parquet``: everything about each customer at the cutoff of the run, one row a customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from tierlens.features.snapshot import KEY
from tierlens.grading import Scheme, grade_evidence
from tierlens.learning.cautions import LANGS, are_same, with_notes
from tierlens.learning.learn import Learned
from tierlens.learning.segment import Grouped
from tierlens.publish.lists.bands import Bands
from tierlens.publish.lists.customer_lists import tier_word
from tierlens.publish.lists.playbook import with_next_steps
from tierlens.publish.report.findings import Risk
from tierlens.segments.figures import say_value
from tierlens.sources.tables import Currency
from tierlens.words import Text
from tierlens.workspace.known_customers import SHOWN, Everybody, without_idle_scores
from tierlens.workspace.prepare import Prepared

FALL = Text(
    "Will be {need} points short of tier {tier} at the end of the horizon unless more is bought: raises the risk",
    "若不再购买，预测期末距{tier}将差{need}分，风险上升",
)
FALL_BY_SPEND = Text(
    "Falls below tier {tier} in {days} days unless more is bought, {money} by the end of the horizon: raises the risk",
    "{days}天后将低于{tier}，预测期末前须再消费{money}方可保级，风险上升",
)


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
        Risks at ``day``; the reasons are those of the first.
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
    table = _with_fall(with_risk_notes(_with_unknown(table), learned), prepared.scheme.tier_names, currency)
    if others is not None and others.activity:
        table = pa.concat_tables([table, _without_risk(others, prepared.scheme, currency)], promote_options="default")
        table = table.sort_by("customer_id").combine_chunks()
    return with_next_steps(table, scheme=prepared.scheme, bands=bands)


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
    texts = [f"reason_{place}_{part}" for place in (1, 2, 3) for part in ("code", "en", "zh")]
    kinds = {"churn_risk": pa.float64(), "downgrade_risk": pa.float64(), **dict.fromkeys(texts, pa.string())}
    for name, kind in kinds.items():
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


def _with_fall(table: pa.Table, names: Mapping[str, Text], currency: Currency) -> pa.Table:
    """Put the fall that is coming before the other reasons, where it is the greater danger.

    What rolls out of the window is arithmetic: ``need`` points of the tier will be lacking unless more is bought, or
    the amount is too small from ``need_days`` on, and ``need_money`` must be spent by the end of the horizon.
    """
    if "need" not in table.column_names:
        return table
    needs, falls, leaves = (table[name].to_pylist() for name in ("need", "downgrade_risk", "churn_risk"))
    said = _falls(table, names, currency)
    told = [
        text if fall is not None and need > 0 and fall > (leave or 0.0) else None
        for need, fall, leave, text in zip(needs, falls, leaves, said, strict=True)
    ]
    codes = ["R-STANDING" if text else None for text in told]
    table = _pushed(table, "code", codes)
    table = _pushed(table, "en", [text.en if text else None for text in told])
    return _pushed(table, "zh", [text.zh if text else None for text in told])


def _falls(table: pa.Table, names: Mapping[str, Text], currency: Currency) -> list[Text | None]:
    """Say of each customer what must be won back, in money where tiers go by the amount, else in points."""
    tiers, needs = table["tier"].to_pylist(), table["need"].to_pylist()
    if "need_money" not in table.column_names:
        return [
            None if need is None else _filled(FALL, names, tier, need=f"{need:.1f}")
            for need, tier in zip(needs, tiers, strict=True)
        ]
    money, days = (table[name].to_pylist() for name in ("need_money", "need_days"))
    found: list[Text | None] = []
    for amount, left, tier in zip(money, days, tiers, strict=True):
        if amount is None or left is None:
            found.append(None)
            continue
        money_said = say_value(float(amount), "money", currency).en  # the same in both languages
        found.append(_filled(FALL_BY_SPEND, names, tier, money=money_said, days=left))
    return found


def _filled(words: Text, names: Mapping[str, Text], tier: str, **values: object) -> Text:
    """Fill a tier, by its name in each language, and other values into a sentence."""
    en, zh = (tier_word(tier, names, lang) for lang in ("en", "zh"))
    zh = f"{zh}级" if zh == tier else zh
    return Text(words.en.format(tier=en, **values), words.zh.format(tier=zh, **values))


def _pushed(table: pa.Table, part: str, first: list[str | None]) -> pa.Table:
    """Where there is a new first reason, move the others down by one place."""
    names = [f"reason_{place}_{part}" for place in (1, 2, 3)]
    old = [table[name].to_pylist() for name in names]
    for place, name in enumerate(names):
        above = old[place - 1] if place else first
        values = [above[row] if text else old[place][row] for row, text in enumerate(first)]
        table = table.set_column(table.column_names.index(name), name, pa.array(values, pa.string()))
    return table
