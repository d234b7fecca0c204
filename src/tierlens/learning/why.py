"""Why each customer's risk is what it is: contributions without a forecast among the names, and the reasons told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tierlens.explain.contributions import Contributions
from tierlens.explain.fall_parts import FALL as FALL_OF
from tierlens.explain.fall_parts import with_fall
from tierlens.explain.reason_words import Known, Said
from tierlens.explain.reasons import LOWERS, RAISES, Reasons, tell_reasons
from tierlens.explain.rhythm_parts import ITEMS, rhythm_parts, with_level, with_rhythm
from tierlens.explain.scheme_homes import OUTSIDE, OUTSIDE_TITLE, Home, homes_of
from tierlens.features.catalog import WHOLE
from tierlens.features.feature import Feature
from tierlens.features.seasonal_btyd import Rhythm
from tierlens.grading.fall_by_indicator import fall_by_indicator
from tierlens.grading.scheme.scheme import Scheme
from tierlens.learning.tasks import FALLING, PRIOR, STANDING, Task
from tierlens.publish.lists.customer_lists import tier_word
from tierlens.segments.figures import say_value
from tierlens.sources.tables import Currency
from tierlens.words import Text
from tierlens.workspace.study import Study

if TYPE_CHECKING:
    import pandas as pd

    from tierlens.risk.model.classifier import RiskClassifier

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
KNOWN = {**WHOLE, **STANDING, **ITEMS}
"""Everything that can move a risk, by name."""
FALL = Text(
    "Will be {need} points short of tier {tier} at the end of the horizon unless more is bought",
    "若不再购买，预测期末距{tier}将差{need}分",
)
FALL_BY_SPEND = Text(
    "Falls below tier {tier} in {days} days unless more is bought, {money} by the end of the horizon",
    "{days}天后将低于{tier}，预测期末前须再消费{money}方可保级",
)
MOSTLY = Text("; most of it from {indicator} (-{points} points)", "；主要来自{indicator}（-{points}分）")
KEEPS = Text(
    "Keeps tier {tier} by {need} points at the end of the horizon even if nothing more is bought",
    "即使不再购买，预测期末仍高出{tier}下限{need}分",
)
KEEPS_BY_SPEND = Text(
    "Keeps tier {tier} to the end of the horizon even if nothing more is bought", "即使不再购买，预测期末仍保有{tier}"
)


@dataclass(frozen=True)
class Asked:
    """The rows whose risk is explained, as the model reads them: values, cutoff of each, and the forecast level."""

    table: pd.DataFrame
    cutoffs: Ints
    level: float | None


def explained_risk(
    task: Task, model: RiskClassifier, asked: Asked, rhythm: Rhythm | None, study: Study
) -> Contributions:
    """Return what each feature adds to the log-odds, the forecast in terms of what it was computed from.

    Parameters
    ----------
    task : Task
    model : RiskClassifier
    asked : Asked
        The rows of ``task.now``.
    rhythm : Rhythm, optional
        Learned at their cutoff; needed where the model adds to ``sea_p0``.
    study : Study

    Returns
    -------
    Contributions
        With the season and the level as items of their own where there are any.
    """
    parts = model.contributions(asked.table, cutoffs=asked.cutoffs, base_rate=asked.level)
    found = Contributions(parts.values, parts.base, task.features)
    if model.prior == PRIOR and rhythm is not None:
        found = with_rhythm(found, PRIOR, rhythm_parts(rhythm, task.now))
    if task.features == FALLING:
        margin = task.now["margin"].to_numpy(zero_copy_only=False).astype(np.float64)
        found = with_fall(found, FALLING, margin, points_lost(task.now, study))
    return with_level(found, parts.level)


def points_lost(rows: pa.Table, study: Study) -> dict[str, Floats]:
    """Return what each indicator loses by the end of the horizon if nothing more is bought, points of the composite.

    Parameters
    ----------
    rows : pyarrow.Table
        Customers of the run's cutoff.
    study : Study

    Returns
    -------
    dict of str to array of float, shape (n,)
        By indicator, in the order of ``rows``; 0 for customers without a score.
    """
    prepared = study.prepared
    fall = fall_by_indicator(study.rows_now(prepared.tiers), study.rows_now(prepared.idle), study.scheme)
    place = {customer: row for row, customer in enumerate(rows["customer_id"].to_pylist())}
    at = np.array([place.get(customer, -1) for customer in fall["customer_id"].to_pylist()], dtype=np.int64)
    names = fall["indicator"].to_numpy(zero_copy_only=False)
    change = fall["change"].to_numpy()
    found: dict[str, Floats] = {}
    for _, indicator in study.scheme.indicators:
        here = (names == indicator.id) & (at >= 0)
        found[indicator.id] = np.zeros(rows.num_rows)
        found[indicator.id][at[here]] = -change[here]
    return found


def falls_of(study: Study) -> dict[str, Feature]:
    """Return the entries of what each indicator of the scheme may lose.

    Parameters
    ----------
    study : Study
    """
    return {
        FALL_OF.format(indicator.id): Feature(
            FALL_OF.format(indicator.id),
            Text(f"{indicator.title.en}: points lost by the end of the horizon",
                 f"{indicator.title.zh}：至预测期末减少的分数"),
            "points", dimension.id, "down", "points now less points at the end of the horizon, weight counted in",
            "never", "derived", lambda _: nw.lit(None), family="standing",
        )
        for dimension, indicator in study.scheme.indicators
    }  # fmt: skip


def homes_for(study: Study, extra: Iterable[str]) -> dict[str, Home]:
    """Return where each item of an explanation belongs under the scheme of a study.

    Parameters
    ----------
    study : Study
    extra : iterable of str
        Columns of the user's own.
    """
    scheme = study.scheme
    found = homes_of(scheme, {**WHOLE, **STANDING}, extra)
    shared = Text("what all customers of a cutoff have in common", "同一截止日所有客户共有")
    found |= {name: Home(None, OUTSIDE, item.title, OUTSIDE_TITLE, "", None, shared) for name, item in ITEMS.items()}
    own = Text("points that it loses", "该指标减少的分数")
    for dimension, indicator in scheme.indicators:
        weight = float(scheme.shares[indicator.id])
        found[FALL_OF.format(indicator.id)] = Home(
            indicator.id, dimension.id, indicator.title, dimension.title, indicator.source, weight, own
        )
    return found


def reasons_of(task: Task, found: Contributions, study: Study) -> Reasons:
    """Tell the reasons of each customer's risk at the run's cutoff.

    Parameters
    ----------
    task : Task
    found : Contributions
        Of the rows of ``task.now``.
    study : Study
    """
    return tell_reasons(found, known_of(task, study))


def reason_rows(reasons: Reasons, task: Task, homes: Mapping[str, Home]) -> pa.Table:
    """Return reasons as ``reasons.parquet`` has them.

    Parameters
    ----------
    reasons : Reasons
        Of the rows of ``task.now``.
    task : Task
    homes : mapping of str to Home

    Returns
    -------
    pyarrow.Table
        One row a reason: ``customer_id``, ``risk`` (the outcome), the columns of ``Reasons.table`` but ``row``, and of
        the feature that tells it ``indicator``, ``dimension``, ``clause`` and ``weight`` under the scheme.
    """
    table = reasons.table
    customers = task.now["customer_id"].combine_chunks().take(table["row"].combine_chunks())
    known = [homes.get(name) for name in table["feature"].to_pylist()]
    table = table.drop_columns(["row"])
    table = table.add_column(0, "risk", pa.array([task.outcome] * table.num_rows, pa.string()))
    table = table.add_column(0, "customer_id", customers)
    for name, kind in (("indicator", pa.string()), ("dimension", pa.string()), ("clause", pa.string()),
                       ("weight", pa.float64())):  # fmt: skip
        table = table.append_column(name, pa.array([getattr(home, name, None) for home in known], kind))
    return table


def known_of(task: Task, study: Study) -> Known:
    """Return what is known of the customers of ``task.now``: features, tier, and the standing in words."""
    rows = task.now
    names = [name for name in rows.column_names
             if name in task.own or (name in KNOWN and KNOWN[name].unit != "text")]  # fmt: skip
    columns = {name: rows[name].to_numpy(zero_copy_only=False).astype(np.float64) for name in names}
    tiers = _tiers_of(rows, study)
    said = {}
    if "need" in columns:
        whole = standings(rows, tiers, study.scheme.tier_names, study.currency)
        if "need_money" not in rows.column_names:
            whole = with_indicators(whole, points_lost(rows, study), study.scheme)
        said = {"standing": whole}
    return Known(columns, study.currency, tiers, study.scheme.tier_names, {**KNOWN, **falls_of(study)}, said)


def _tiers_of(rows: pa.Table, study: Study) -> npt.NDArray[np.object_]:
    graded = study.rows_now(study.prepared.tiers)
    tier = dict(zip(graded["customer_id"].to_pylist(), graded["tier"].to_pylist(), strict=True))
    return np.array([tier.get(customer) for customer in rows["customer_id"].to_pylist()], dtype=object)


def standings(
    rows: pa.Table, tiers: npt.NDArray[np.object_], names: Mapping[str, Text], currency: Currency
) -> Sequence[Said | None]:
    """Say of each customer what is lacking to keep the tier at the end of the horizon, or by how much it is kept.

    Parameters
    ----------
    rows : pyarrow.Table
        With ``need``, and ``need_money`` and ``need_days`` where tiers go by the amount.
    tiers : array of str, shape (n,)
    names : mapping of str to Text
    currency : Currency
    """
    named = [_named(tier, names) for tier in tiers]
    if "need_money" not in rows.column_names:
        return [_by_points(need, tier) for need, tier in zip(rows["need"].to_pylist(), named, strict=True)]
    money = rows["need_money"].to_pylist()
    days = rows["need_days"].to_pylist() if "need_days" in rows.column_names else [None] * rows.num_rows
    each = zip(zip(money, days, strict=True), named, strict=True)
    return [_by_spend(amounts, tier, currency) for amounts, tier in each]


def _by_points(need: float | None, tier: Text | None) -> Said | None:
    if need is None or tier is None or round(abs(need), 1) == 0.0:
        return None
    side, words = (RAISES, FALL) if need > 0 else (LOWERS, KEEPS)
    return Said("need", need, 0.0, side, _filled(words, tier, need=f"{abs(need):.1f}"))


def with_indicators(whole: Sequence[Said | None], lost: Mapping[str, Floats], scheme: Scheme) -> list[Said | None]:
    """Name the indicator that loses most, with its points, where a fall is told.

    Parameters
    ----------
    whole : sequence of Said or None, shape (n,)
    lost : mapping of str to array of float, shape (n,)
        See ``points_lost``.
    scheme : Scheme
    """
    titles = {indicator.id: indicator.title for _, indicator in scheme.indicators}
    names = list(lost)
    table = np.column_stack([lost[name] for name in names]) if names else np.zeros((len(whole), 1))
    most = table.argmax(axis=1)
    found: list[Said | None] = []
    for row, one in enumerate(whole):
        points = float(table[row, most[row]])
        if one is None or one.side == LOWERS or round(points, 1) <= 0.0:
            found.append(one)
            continue
        name = names[most[row]]
        said = f"{points:.1f}"
        words = Text(one.words.en + MOSTLY.en.format(indicator=titles[name].en, points=said),
                     one.words.zh + MOSTLY.zh.format(indicator=titles[name].zh, points=said))  # fmt: skip
        found.append(replace(one, feature=FALL_OF.format(name), value=points, words=words))
    return found


def _by_spend(amounts: tuple[float | None, int | None], tier: Text | None, currency: Currency) -> Said | None:
    amount, days = amounts
    if amount is None or tier is None:
        return None
    if amount <= 0:
        return Said("need_money", float(amount), 0.0, LOWERS, _filled(KEEPS_BY_SPEND, tier))
    if days is None:
        return None
    money = say_value(float(amount), "money", currency).en  # the same in both languages
    return Said("need_money", float(amount), 0.0, RAISES, _filled(FALL_BY_SPEND, tier, money=money, days=days))


def _named(tier: str | None, names: Mapping[str, Text]) -> Text | None:
    if tier is None:
        return None
    zh = tier_word(tier, names, "zh")
    return Text(tier_word(tier, names, "en"), f"{zh}级" if zh == tier else zh)


def _filled(words: Text, tier: Text, **values: object) -> Text:
    return Text(words.en.format(tier=tier.en, **values), words.zh.format(tier=tier.zh, **values))


def value_table(rows: pa.Table, names: Sequence[str], study: Study) -> pa.Table:
    """Return the values of the items of an explanation as float64; what all customers share has no value.

    Parameters
    ----------
    rows : pyarrow.Table
        Customers of the run's cutoff.
    names : sequence of str
    study : Study
    """
    lost = points_lost(rows, study) if any(name.startswith(FALL_OF.format("")) for name in names) else {}
    beside = {FALL_OF.format(name): pa.array(points) for name, points in lost.items()}
    nothing = pa.nulls(rows.num_rows, pa.float64())
    return pa.table({name: rows[name].cast(pa.float64()) if name in rows.column_names else beside.get(name, nothing)
                     for name in names})  # fmt: skip
