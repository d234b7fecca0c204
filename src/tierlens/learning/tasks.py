"""What is learned in a run: for each outcome the rows and features, and a customer's standing under the scheme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tierlens.features.catalog import CATALOG, OTHERS
from tierlens.features.feature import Feature
from tierlens.features.seasonal_btyd import seasonal_expectations
from tierlens.features.snapshot import KEY, to_arrow
from tierlens.features.windows import Window
from tierlens.grading.scheme.scheme import Scheme
from tierlens.learning.spend_tiers import SpendStanding, spend_deadlines, spend_standing
from tierlens.risk.evaluation.leaks import Declared
from tierlens.risk.model.linear import logit
from tierlens.risk.outcome import churn_outcomes, downgrade_outcomes
from tierlens.words import Text
from tierlens.workspace.config import RunConfig
from tierlens.workspace.prepare import Prepared, arrow_as_frame
from tierlens.workspace.study import Study

Floats = npt.NDArray[np.float64]
CHURN, DOWNGRADE = Text("Churn", "流失"), Text("Downgrade", "降级")


@dataclass(frozen=True)
class Task:
    """One outcome to be learned.

    Parameters
    ----------
    outcome : str
    title, population : Text
    rows : pyarrow.Table
        Key, features and the outcome (int8), at cutoffs whose horizon has closed.
    now : pyarrow.Table
        Key and features at the cutoff of the run, in the order of ``customer_id``.
    features : tuple of str
        Columns that the model reads.
    own : mapping of str to Declared
        Those of them that the user gave, and what is known of their making.
    notes : tuple of Text
        Of rows that are left out because the outcome is not known.
    """

    outcome: str
    title: Text
    population: Text
    rows: pa.Table
    now: pa.Table
    features: tuple[str, ...]
    own: Mapping[str, Declared] = field(default_factory=dict)
    notes: tuple[Text, ...] = ()


def _none(_: Any) -> nw.Expr:
    return nw.lit(None)


def _standing(name: str, en: str, zh: str, formula: str) -> Feature:
    return Feature(name, Text(en, zh), "points", "value", "none", formula, "not graded", "derived", _none,
                   family="standing")  # fmt: skip


STANDING: dict[str, Feature] = {
    entry.name: entry
    for entry in (
        _standing("score", "score under the scheme", "方案评分", "composite of the scheme, 0-100"),
        _standing("margin", "points above the tier's lower bound", "高出本级下限的分数", "score - bound of the tier"),
        _standing("idle_score", "score if nothing more is bought", "若不再购买的评分",
                  "composite at the end of the horizon from what was known at the cutoff"),
        _standing("need", "points to be won back to keep the tier", "保级所需分数",
                  "lower bound of the tier - idle_score: what known purchases rolling out of the window will cost"),
        _standing("rule_p", "chance of falling by what rolls out of the window", "按滚出窗口推算的降级可能",
                  "logistic function of need / 2 points: the rule as a soft step, without labels"),
        _standing("fall_p", "chance of spending too little to keep the tier", "消费不足以保级的可能",
                  "chance that less is spent in the horizon than what rolls out of the window costs, learned from "
                  "cutoffs closed before"),
        _standing("fall_odds", "log-odds of spending too little to keep the tier", "消费不足以保级的对数几率",
                  "log-odds of fall_p"),
        _standing("coverage", "share of the scheme with data", "方案数据覆盖率", "share of the weight that had data"),
    )
}  # fmt: skip
"""What a customer's standing under the scheme says of a downgrade; the catalog holds what needs no scheme."""
PRIOR = "sea_p0"
"""The forecast by rhythm and season, which the model of churn adds to."""
FALLING = ("rule_p", "need")
"""What the downgrade model reads: the rule alone, as its prior and to bend it. Every feature more ranked worse on
cutoffs up to March 2011."""
FALLING_BY_SPEND = ("fall_p", "fall_odds")
"""What it reads where tiers go by the amount alone."""
UNKNOWN = r"(^| )(not_graded|short_tenure)($| )"
"""Flags of a row whose tier nobody can tell; who is ``unclassified`` is known to fit none."""
SOFT = 2.0
"""Points over which the roll-off rule turns from unlikely to likely; chosen on cutoffs up to March 2011."""


def tasks_of(study: Study) -> tuple[Task, ...]:
    """Return churn and downgrade; either may have no rows."""
    learning, window = study.learning, study.window
    rhythm = seasonal_expectations(study.tables, [*learning, study.cutoff], window)
    panel, own = with_own(joined_on_keys(study.prepared.panel, rhythm), study.config)
    # Of all expectations the model adds to one, whose inputs explain it; the others are there for baselines.
    features = (*CATALOG, PRIOR, *other_table_features(at_cutoffs(panel, learning)), *own)
    left = to_arrow(churn_outcomes(study.tables, learning, window))
    first = Task(
        "churn",
        CHURN,
        _churners(window.gap, window.horizon),
        joined_on_keys(at_cutoffs(panel, learning), left),
        at_cutoffs(panel, [study.cutoff]),
        features,
        own,
    )
    return first, _falling(study, panel, first)


def _churners(gap: int, horizon: int) -> Text:
    """Say who can churn, and when that counts: with a gap, not in the days right after the cutoff."""
    if not gap:
        return Text(f"customers with a purchase in the window; no purchase in {horizon} days",
                    f"窗口内有购买的客户；{horizon}天内无购买")  # fmt: skip
    return Text(
        f"customers with a purchase in the window; no purchase from day {gap} to day {gap + horizon} after the cutoff",
        f"窗口内有购买的客户；截止日后第{gap}天至第{gap + horizon}天内无购买",
    )


def with_own(panel: pa.Table, config: RunConfig) -> tuple[pa.Table, dict[str, Declared]]:
    """Put the user's own columns beside a panel; who has no row there has no value."""
    if config.own is None:
        return panel, {}
    from tierlens.learning.extra_columns import read_own

    table, told = read_own(config.own)
    return joined_on_keys(panel, table, "left outer"), told


def other_table_features(rows: pa.Table) -> tuple[str, ...]:
    """Return the features of the tables beside transactions that a model can read: numbers that somebody has."""
    there = [name for name, feature in OTHERS.items() if feature.unit != "text" and name in rows.column_names]
    return tuple(name for name in there if rows[name].null_count < rows.num_rows)


def _falling(study: Study, panel: pa.Table, churned: Task) -> Task:
    """Rows above the lowest tier, with their standing under the scheme.

    Where tiers go neither by points nor by the amount alone it is not known what a tier costs: then the model reads
    what that of churn reads.
    """
    learning, scheme, prepared = study.learning, study.scheme, study.prepared
    lowest = len(scheme.tiers)
    ranks = ranks_of(at_cutoffs(prepared.tiers, learning), prepared.later)
    # Where nobody at all is graded at the end of a horizon, what happened to a tier is not known.
    ends, wait = set(ranks["cutoff"].to_pylist()), study.window.gap + study.window.horizon
    known = [day for day in learning if day + wait in ends]
    fell = _fell(ranks, known, study.window, lowest)
    by_spend = spend_standing(study, panel)
    whole = with_scheme_standing(prepared, panel)
    if by_spend is not None:
        whole = _with_spend(whole, by_spend)
    above = whole.filter(pc.less(whole["tier_rank"], lowest))
    now, rows = at_cutoffs(above, [study.cutoff]), joined_on_keys(at_cutoffs(above, learning), fell)
    features: tuple[str, ...] = FALLING if by_spend is None else FALLING_BY_SPEND
    general = by_spend is None and not lower_bounds(scheme)
    return Task(
        "downgrade",
        DOWNGRADE,
        Text(
            "customers above the lowest tier; a lower tier when the horizon is over",
            "高于最低等级的客户；预测期末等级下降",
        ),
        rows,
        now if by_spend is None else _with_deadline(now, study),
        tuple(name for name in churned.features if name != PRIOR) if general else features,
        churned.own if general else {},
        _undecided(at_cutoffs(above, known).num_rows - rows.num_rows),
    )


def _undecided(number: int) -> tuple[Text, ...]:
    """Say how many customers have no tier at the end for want of data: nobody knows whether they fell."""
    if not number:
        return ()
    return (
        Text(
            f"Downgrade: {number:,} rows of customers who are not graded at the end of the horizon although they "
            "bought are left out: whether their tier fell is not known.",
            f"降级：{number:,} 行客户虽有购买，但预测期末未获评级，是否降级不可知，不予计入。",
        ),
    )


def _fell(ranks: pa.Table, known: list[int], window: Window, lowest: int) -> pa.Table:
    if known:
        return to_arrow(downgrade_outcomes(arrow_as_frame(ranks), known, window, lowest))
    kinds = {"customer_id": pa.string(), "cutoff": pa.int32(), "downgrade": pa.int8()}
    return pa.table({name: pa.array([], kind) for name, kind in kinds.items()})


def _with_spend(whole: pa.Table, by_spend: SpendStanding) -> pa.Table:
    """Put what must be spent in the place of what the points say."""
    share = pa.array(np.nan_to_num(by_spend.share))
    if "need" in whole.column_names:
        whole = whole.drop_columns(["need"])
    whole = whole.append_column("need", share)
    told = {"need_money": by_spend.need, "bound": by_spend.bound, "fall_p": by_spend.chance,
            "fall_odds": logit(by_spend.chance)}  # fmt: skip
    for name, values in told.items():
        whole = whole.append_column(name, pa.array(values))
    return whole


def _with_deadline(now: pa.Table, study: Study) -> pa.Table:
    bounds = dict(zip(now["customer_id"].to_pylist(), now["bound"].to_pylist(), strict=True))
    days = spend_deadlines(study.tables, study.window, study.cutoff, bounds) if bounds else []
    return now.append_column("need_days", pa.array(days, pa.int64()))


def with_scheme_standing(prepared: Prepared, panel: pa.Table) -> pa.Table:
    """Add to a panel what the scheme says of each customer now, and will say if nothing more is bought.

    What is lacking to a bound is left out where tiers do not go by points: no bound is known.
    """
    score, idle = (np.asarray(t["score"].to_numpy(zero_copy_only=False)) for t in (prepared.tiers, prepared.idle))
    found = standing_of(score, idle, prepared.tiers["tier"].to_pylist(), prepared.scheme)
    for name, values in found.items():
        panel = panel.append_column(name, pa.array(values))
    for name in ("coverage", "tier_rank"):
        panel = panel.append_column(name, prepared.tiers[name])
    return panel if lower_bounds(prepared.scheme) else panel.drop_columns(["margin", "need", "rule_p"])


def standing_of(score: Floats, idle: Floats, tiers: Sequence[str | None], scheme: Scheme) -> dict[str, Floats]:
    """Return the columns of ``STANDING`` that follow from scores now and at the end of the horizon, shape (n,) each."""
    bounds = lower_bounds(scheme)
    bound = np.array([bounds.get(tier or "", np.nan) for tier in tiers])
    # Where nothing can be scored any more no point is left.
    idle = np.where(np.isnan(idle), 0.0, idle)
    need = bound - idle
    return {"score": score, "margin": score - bound, "idle_score": idle, "need": need,
            "rule_p": 1.0 / (1.0 + np.exp(-need / SOFT))}  # fmt: skip


def lower_bounds(scheme: Scheme) -> dict[str, float]:
    """Return the least score of each tier, 0 for one that is open below; nothing where tiers do not go by the score."""
    if scheme.tier_by != "score":
        return {}
    return {tier.id: float(tier.at_least) if tier.at_least is not None else 0.0 for tier in scheme.tiers}


def ranks_of(*graded: pa.Table) -> pa.Table:
    """Return key and rank of graded rows, and ``is_unknown``: there is no tier for want of data or of time.

    A cutoff may be the end of another's horizon too: its rows are there once.
    """
    columns = [table.select([*KEY, "tier_rank"]) for table in graded]
    columns = [table.set_column(2, "tier_rank", table["tier_rank"].cast(pa.int32())) for table in columns]
    columns = [
        table.append_column("is_unknown", pc.match_substring_regex(one["flags"], UNKNOWN))
        for table, one in zip(columns, graded, strict=True)
    ]
    once = pa.concat_tables(columns).group_by(list(KEY)).aggregate([("tier_rank", "min"), ("is_unknown", "min")])
    return once.rename_columns([*KEY, "tier_rank", "is_unknown"])


def at_cutoffs(rows: pa.Table, cutoffs: Sequence[int]) -> pa.Table:
    """Return the rows of some cutoffs."""
    return rows.filter(pc.is_in(rows["cutoff"], value_set=pa.array(list(cutoffs), pa.int32())))


def joined_on_keys(left: pa.Table, right: pa.Table, how: str = "inner") -> pa.Table:
    """Join two tables on customer and cutoff, and put the rows in order."""
    joined = left.join(right, keys=list(KEY), join_type=how)
    return joined.sort_by([("cutoff", "ascending"), ("customer_id", "ascending")])
