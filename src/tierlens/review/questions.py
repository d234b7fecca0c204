"""What a reviewer asks: of a scheme, of its tiers over time, and of one customer's way up or down."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tierlens.errors import UsageError
from tierlens.features.catalog import available_features
from tierlens.features.snapshot import build_snapshots, to_arrow
from tierlens.grading import Scheme, grade, load_scheme
from tierlens.grading.movement import NONE, in_order, score_change, tier_migration
from tierlens.grading.next_tier.actions import columns_needed
from tierlens.grading.next_tier.next_tier import Offer, offer_sentence, path_to_tier
from tierlens.grading.next_tier.roll_off import roll_off
from tierlens.grading.triggers import fired_triggers
from tierlens.learning.tasks import joined_on_keys, ranks_of
from tierlens.sources.report.simulated_note import SIMULATED
from tierlens.sources.tables import day_date, day_number
from tierlens.words import Lang, Text
from tierlens.workspace.config import RunConfig
from tierlens.workspace.known_customers import Everybody, everybody_at, without_idle_scores
from tierlens.workspace.prepare import (
    Shop,
    arrow_as_frame,
    closing_cutoffs,
    columns_of,
    obtain_shop,
    say_nothing,
    within_data,
)

AMOUNT = "monetary"
"""What tiers are held against to see what they are worth, whether a scheme reads it or not."""

HOW = Text(
    "Each line above was checked by grading the changed customer, as if it had been done by the day before the cutoff. "
    "Effort 1 is as much again as all purchases of the window.",
    "以上各项均按措施在截止日前一日完成、重新评级核验。投入为1即相当于窗口内全部购买额。",
)


NO_WAY = {
    "lapsed": Text(
        "No way is searched: ways are tried among customers with a purchase in the window, and the last purchase lies "
        "{days} days before the cutoff. The first step is a purchase.",
        "未搜索升级路径：路径仅在窗口内有购买的客户中核验，该客户最近一次购买距截止日 {days} 天。第一步是恢复购买。",
    ),
    "prospect": Text(
        "No way is searched: ways are tried among customers with a purchase in the window, and there was none yet. "
        "The first step is a purchase.",
        "未搜索升级路径：路径仅在窗口内有购买的客户中核验，该客户尚未购买。第一步是首次购买。",
    ),
}
"""Why nothing is said of how to rise, by activity."""


@dataclass(frozen=True)
class Graded:
    """A scheme over several cutoffs of one shop: features and grades in the same order."""

    config: RunConfig
    shop: Shop
    scheme: Scheme
    features: pa.Table
    grades: pa.Table

    def at(self, table: pa.Table, day: int) -> pa.Table:
        """Return the rows of one cutoff."""
        return table.filter(pc.equal(table["cutoff"], day))


def graded_at(
    config: RunConfig,
    cutoffs: Callable[[RunConfig], Iterable[int]],
    *,
    tied: bool = False,
    scheme_name: str | None = None,
) -> Graded:
    """Read the shop of a run file and replay a scheme at some cutoffs.

    Parameters
    ----------
    config : RunConfig
    cutoffs : callable
        Takes the run file that is used: where the data are nowhere, another takes the place of the given one.
    tied : bool
        With all features that ``path`` reads.
    scheme_name : str, optional
        In place of the run file's.
    """
    config, shop = obtain_shop(config, say_nothing)
    config = config.model_copy(update={"scheme": scheme_name}) if scheme_name else config
    scheme, days = load_scheme(config.scheme, "--scheme" if scheme_name else "scheme"), sorted(set(cutoffs(config)))
    within_data(shop.tables, days, config.span)
    names = available_features(shop.tables, {*scheme.features, AMOUNT})
    more = [name for name in columns_needed(scheme) if name not in names and tied]
    built = [*names, *available_features(shop.tables, more)] if more else names
    features = to_arrow(build_snapshots(shop.tables, days, config.span, features=built))
    grades = to_arrow(
        grade(arrow_as_frame(features.select(["customer_id", "cutoff", *names])), scheme, shop.tables.currency)
    )
    return Graded(config, shop, scheme, features, grades)


def checked_scheme(name: str, lang: Lang) -> dict[str, Any]:
    """Return what the linter says of a scheme, and what each indicator can contribute."""
    from tierlens.grading.lint import check_scheme, indicator_contributions

    scheme = load_scheme(name, "NAME")
    found = [(each.level, each.place, each.text.say(lang)) for each in check_scheme(scheme)]
    parts = [
        (
            part.dimension,
            part.indicator,
            f"{float(part.share):.1%}",
            f"{part.lowest}-{part.highest}",
            round(float(part.span), 4),
        )
        for part in indicator_contributions(scheme)
    ]
    return {
        "scheme": f"{scheme.id} {scheme.version}",
        "sha256": scheme.sha256,
        "findings": found,
        "contributions": parts,
    }


def explained_scheme(name: str, lang: Lang) -> list[tuple[str, list[str], list[list[Any]]]]:
    """Return a scheme as tables that a sales manager can sign: title, headers, rows."""
    from tierlens.grading.workbook.to_workbook import scheme_tables

    tables = scheme_tables(load_scheme(name, "NAME"))
    return [
        (
            table.sheet.title.say(lang),
            table.header(lang),
            [["" if c is None else c for c in row] for row in table.cells()],
        )
        for table in tables
    ]


def movement_between(config: RunConfig, before: str, after: str, lang: Lang, to: Path | None = None) -> dict[str, Any]:
    """Return who moved between two cutoffs and why, with migration, mean change by dimension, and triggers.

    Parameters
    ----------
    config : RunConfig
    before, after : str
        ISO dates of the cutoffs.
    lang : {"en", "zh"}
    to : Path, optional
        Where to write the customers who moved: .csv or .xlsx.

    Raises
    ------
    UsageError
        ``E-US-041`` when the second date does not follow the first, and what reading and writing raise.
    """
    from tierlens.grading.moved import moved_customers
    from tierlens.publish.documents.moved_customers import headers_of, moves_list, plain_moves, tier_name
    from tierlens.publish.lists.list_files import write_list

    days = day_number(before, "BEFORE"), day_number(after, "AFTER")
    in_order(*days)
    found = graded_at(config, lambda _: days)
    scheme, currency = found.scheme, found.shop.tables.currency
    moves = moved_customers(found.grades, found.features, scheme, currency, days, lang)
    if to is not None:
        note = SIMULATED if found.shop.is_simulated else None
        write_list(moves_list(moves, scheme, lang, note), to, headers_of(scheme), "moves")
    alarms = fired_triggers(found.at(found.grades, days[1]), found.at(found.features, days[1]), scheme, currency, lang)
    counts = {row["values"]: row["counts"] for row in alarms["title"].value_counts().to_pylist()}
    return {
        "migration": tier_migration(found.grades, scheme, *days).to_pylist(),
        **_mean_change(found, days, lang),
        "triggers": counts,
        "moved": plain_moves(moves),
        "tiers": {tier: tier_name(tier, scheme, lang) for tier in (*(each.id for each in scheme.tiers), NONE)},
    }


def _mean_change(found: Graded, days: tuple[int, int], lang: Lang) -> dict[str, Any]:
    """Return the mean change of the score, and the part of each dimension in it."""
    changed = score_change(found.grades, found.scheme, *days)
    if not changed.num_rows:
        return {"mean_change": 0.0, "by_dimension": {}}
    mean = {
        d.title.say(lang): float(pc.mean(changed[f"by_dimension_{d.id}"]).as_py() or 0.0)
        for d in found.scheme.dimensions
    }
    return {"mean_change": float(pc.mean(changed["change"]).as_py() or 0.0), "by_dimension": mean}


def way_of(config: RunConfig, customer: str, lang: Lang) -> dict[str, Any]:
    """Return what raises a customer's tier, what may be lost without losing it, and what leaves the window when."""
    from tierlens.grading.evidence import Teller
    from tierlens.grading.feature_columns import Columns, kinds_of

    found = graded_at(config, lambda used: [used.cutoff_day], tied=True)
    if not _there(found.grades, customer):
        return _no_way(_other(found, customer, "CUSTOMER"), found.scheme, lang)
    one = _only(found.grades, customer, "CUSTOMER")
    steps = steps_of(found, one)
    currency = found.shop.tables.currency
    teller = Teller(Columns(found.scheme, currency, kinds_of(found.features.schema)), lang)
    leaving = roll_off(found.shop.tables, found.config.cutoff_day, found.config.span, [customer]).to_pylist()
    gone = [
        Text(
            f"{row['leaves'] / currency.minor:,.2f} {currency.code} leave the window on {day_date(row['day'])}",
            f"{day_date(row['day'])} 有 {row['leaves'] / currency.minor:,.2f} {currency.code} 滚出窗口",
        ).say(lang)
        for row in leaving
    ]
    tier, named = one["tier"][0].as_py(), {tier.id: tier.short.say(lang) for tier in found.scheme.tiers}
    return {
        "customer_id": customer, "tier": tier, "tier_name": named.get(tier, "-"),
        "score": without_idle_scores(one)["score"][0].as_py(),
        "steps": [offer_sentence(step, teller) for step in steps], "note": HOW.say(lang), "roll_off": gone,
    }  # fmt: skip


def steps_of(found: Graded, graded: pa.Table) -> list[Offer]:
    """Return the way of some graded rows, each held against the population that it was graded in."""
    return path_to_tier(
        graded, found.features, found.scheme, found.shop.tables.currency, observe=found.config.span.observe
    )


def write_cards(config: RunConfig, customers: list[str], file: Path, lang: Lang) -> Path:
    """Write rating cards of customers, with evidence, history and the way to the next tier: .html or .xlsx."""
    from tierlens.publish.documents.card_pages import write_cards_html, write_cards_xlsx
    from tierlens.publish.documents.cards import rating_cards

    found = graded_at(config, lambda used: [*used.learning_cutoffs()[-6:], used.cutoff_day], tied=True)
    day = found.config.cutoff_day
    now = found.at(found.grades, day)
    others = [_other(found, customer, "--customer") for customer in customers if not _there(now, customer)]
    chosen = now.filter(pc.is_in(now["customer_id"], pa.array(customers, pa.string())))
    grades = pa.concat_tables([found.grades, *(one.graded for one in others)])
    names = found.features.column_names
    features = pa.concat_tables(
        [found.features, *(columns_of(one.features, names) for one in others)], promote_options="permissive"
    )
    made = rating_cards(grades, features, found.scheme, found.shop.tables.currency, customers,
                 day, steps_of(found, chosen))  # fmt: skip
    made = [replace(one, data_note=SIMULATED) for one in made] if found.shop.is_simulated else made
    write = write_cards_html if file.suffix.lower() == ".html" else write_cards_xlsx
    return write(made, file, lang)


def _there(table: pa.Table, customer: str) -> bool:
    return bool(pc.any(pc.equal(table["customer_id"], customer)).as_py())


def _other(found: Graded, customer: str, option: str) -> Everybody:
    """Return a customer without a purchase in the window; refuse one who is not known."""
    one = everybody_at(found.shop, found.config, found.scheme).only(customer)
    if not one.features.num_rows:
        _only(found.at(found.grades, found.config.cutoff_day), customer, option)
    return one


def _no_way(one: Everybody, scheme: Scheme, lang: Lang) -> dict[str, Any]:
    """Return what is known of a customer who must buy before there is a way to search."""
    row, named = (
        without_idle_scores(one.graded).to_pylist()[0],
        {tier.id: tier.short.say(lang) for tier in scheme.tiers},
    )
    note = NO_WAY[one.activity[0].as_py()].fill(days=one.features["recency_days"][0].as_py())
    return {"customer_id": row["customer_id"], "tier": row["tier"], "tier_name": named.get(row["tier"], "-"),
            "score": row["score"], "steps": [], "note": note.say(lang), "roll_off": []}  # fmt: skip


def _only(table: pa.Table, customer: str, option: str) -> pa.Table:
    rows = table.filter(pc.equal(table["customer_id"], customer))
    if not rows.num_rows:
        some = ", ".join(str(one) for one in table["customer_id"][:3].to_pylist())
        raise UsageError(
            "E-RU-005",
            Text(f"there is no customer {customer!r} at the cutoff", f"截止日没有客户 {customer!r}"),
            where=option,
            fix=Text(
                f"only customers known before the cutoff can be shown, for instance: {some}",
                f"仅可查看截止日前已知的客户，例如：{some}",
            ),
        )
    return rows


def _with_horizon_ends(config: RunConfig) -> list[int]:
    """Return the closed cutoffs of a run file and the days on which their horizons end."""
    wait, learning = config.window.gap + config.window.horizon, closing_cutoffs(config)
    return [*learning, *(day + wait for day in learning)]


def validity_of(config: RunConfig, scheme: str | None, lang: Lang) -> dict[str, Any]:
    """Hold a scheme's tiers at all closed cutoffs against what happened in the horizon."""
    from tierlens.publish.report.validity import say_auc, say_validity, tier_validity
    from tierlens.risk.outcome import churn_outcomes, downgrade_outcomes

    found = graded_at(config, _with_horizon_ends, scheme_name=scheme)
    config, learning = found.config, closing_cutoffs(found.config)
    lowest = len(found.scheme.tiers)
    left = to_arrow(churn_outcomes(found.shop.tables, learning, config.span))
    fell = to_arrow(downgrade_outcomes(arrow_as_frame(ranks_of(found.grades)), learning, config.span, lowest))
    rows = joined_on_keys(joined_on_keys(found.grades, left), fell, how="left outer")
    rows = joined_on_keys(rows, found.features.select(["customer_id", "cutoff", AMOUNT]))
    churned, lowered, amount = (_floats(rows, name) for name in ("churn", "downgrade", AMOUNT))
    held = tier_validity(rows, found.scheme, churned, lowered, amount, found.features)
    tiers = [
        (tier.title.say(lang), tier.rows, tier.share, tier.churn.say(lang=lang), tier.downgrade.say(lang=lang))
        for tier in held.tiers
    ]
    return {"scheme": found.scheme.id, "rows": rows.num_rows, "auc": held.auc if math.isfinite(held.auc) else None,
            "tiers": tiers, "says": [say_auc(held, lang), *say_validity(held, lang)]}  # fmt: skip


def _floats(table: pa.Table, name: str) -> npt.NDArray[np.float64]:
    values: npt.NDArray[np.float64] = table[name].to_numpy().astype(np.float64)
    return values
