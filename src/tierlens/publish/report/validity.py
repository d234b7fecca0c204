"""Does the scheme work? What the tiers say about what happened afterwards, and what its indicators are worth.

Outcomes reach this file as columns; nothing here predicts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from tierlens.grading.scheme.parts import Indicator
from tierlens.grading.scheme.scheme import Scheme
from tierlens.publish.report.findings import Estimate
from tierlens.risk.evaluation.metrics import auc
from tierlens.words import Lang, Text

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

Z = 1.959963984540054
"""The two-sided 95% point of the normal distribution."""

SAME = 0.99
"""An indicator that gives this share of customers the same points tells customers apart for almost nobody."""

IDLE = Text("These indicators have data and tell hardly anybody apart", "以下指标有数据但几乎没有区分作用")
NO_DATA = Text("These indicators have no data, so nothing can be said of them", "以下指标没有数据，无从判断")


@dataclass(frozen=True)
class TierValidity:
    """One tier: how many stand in it, and what became of them.

    Parameters
    ----------
    tier : str
        Its identifier.
    title : Text
        Its name.
    rows, customers : int
        Graded rows (a customer counts at each cutoff) and different customers.
    share : float
        Of all graded rows.
    suggested : tuple of 2 float, optional
        The document's band for the share.
    churn, downgrade : Estimate
        Rates in the horizon, with 95% intervals; not a number where nobody's outcome is known.
    """

    tier: str
    title: Text
    rows: int
    customers: int
    share: float
    suggested: tuple[float, float] | None
    churn: Estimate
    downgrade: Estimate


@dataclass(frozen=True)
class IndicatorValidity:
    """One indicator: does it tell customers apart.

    Parameters
    ----------
    indicator : str
        Its identifier.
    title : Text
        Its name.
    weight : float
        Share of the composite when every value is there.
    known : float
        Share of rows with points.
    commonest : float
        Share, among those, of the commonest points.
    auc : float
        Chance that of a customer who churned and one who did not, the former has fewer points; 0.5 says nothing. Not a
        number where it cannot be computed.
    idle : bool
        Whether it has weight and data, and almost everybody has the same points.
    no_data : bool
        Whether it has weight and nobody has a value, whatever points stand in for one.
    """

    indicator: str
    title: Text
    weight: float
    known: float
    commonest: float
    auc: float
    idle: bool
    no_data: bool


@dataclass(frozen=True)
class Validity:
    """Whether a scheme works.

    Parameters
    ----------
    tiers : tuple of TierValidity
        Best first.
    below_half : Estimate
        Share of the customers who churned in the horizon whose score stood below the median of their cutoff.
    auc : float
        Chance that of a customer who churned and one who did not, the former has the lower score.
    top_fifth_brings : float
        Share of the amount that the top 20% of customers by amount bring.
    four_fifths_from : float
        Smallest share of customers that bring 80% of the amount.
    best_tier_brings : float
        Share of the amount that the best tier brings.
    indicators : tuple of IndicatorValidity
        In the order of the scheme.
    """

    tiers: tuple[TierValidity, ...]
    below_half: Estimate
    auc: float
    top_fifth_brings: float
    four_fifths_from: float
    best_tier_brings: float
    indicators: tuple[IndicatorValidity, ...]


def tier_validity(
    graded: pa.Table, scheme: Scheme, churn: Any, downgrade: Any, amount: Any, features: pa.Table | None = None
) -> Validity:
    """Hold tiers against what happened.

    Parameters
    ----------
    graded : pyarrow.Table
        From ``grade``: one cutoff or several, whose horizons have closed.
    scheme : Scheme
        The rules.
    churn, downgrade : array-like
        For each row 1, 0, or missing where the outcome is not known (nobody can fall from the last tier).
    amount : array-like
        The amount that each row's customer brings, for the Pareto check.
    features : pyarrow.Table, optional
        The feature table that was graded, in any order: without it, points that the scheme puts in the place of
        missing values pass for data.

    Returns
    -------
    Validity
        Intervals are Wilson's at 95%; rows of one customer count for as many customers as they are worth
        (``outcome_rate``).

    Examples
    --------
    >>> import pyarrow as pa
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> graded = pa.table({"customer_id": ["a", "b", "c"], "cutoff": [1, 1, 1], "score": [95.0, 70.0, 40.0],
    ...                    "tier": ["A", "C", "D"]})
    >>> scheme = load_scheme("relationship_rating").model_copy(update={"dimensions": ()})
    >>> found = tier_validity(graded, scheme, [0, 0, 1], [0, 1, None], [800, 150, 50])
    >>> found.below_half.value, found.auc, found.best_tier_brings
    (1.0, 1.0, 0.8)
    """
    left, fell, money = (np.asarray(values, dtype=np.float64) for values in (churn, downgrade, amount))
    score = np.asarray(graded["score"].to_numpy(zero_copy_only=False), dtype=np.float64)
    cutoff = np.asarray(graded["cutoff"].to_numpy(zero_copy_only=False))
    who = np.asarray(graded["customer_id"].to_pylist(), dtype=object)
    tier = np.asarray([t or "" for t in graded["tier"].to_pylist()], dtype=object)
    tiers = tuple(
        _tier(scheme, place, tier == each.id, (who, left, fell), (tier != "").sum())
        for place, each in enumerate(scheme.tiers)
    )
    return Validity(
        tiers,
        _below_half(score, cutoff, left, who),
        chance_below(score, left),
        *_pareto(money, tier == scheme.tiers[0].id),
        tuple(_indicator(graded, scheme, indicator, left, features) for _, indicator in scheme.indicators),
    )


def wilson_interval(hits: float, rows: int, customers: float) -> Estimate:
    """Return a rate with Wilson's 95% interval for a number of independent customers.

    Examples
    --------
    >>> wilson_interval(5, 50, 50).say()
    '0.100 (0.043 to 0.214)'
    """
    if not rows:
        return Estimate(float("nan"))
    p, n = hits / rows, customers
    centre = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return Estimate(p, max(centre - half, 0.0), min(centre + half, 1.0))


def chance_below(value: Reals, outcome: Reals) -> float:
    """Return the chance that a row with the outcome has the lower value, ties counting half; missing rows are left out.

    Examples
    --------
    >>> chance_below(np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0, np.nan]))
    1.0
    """
    known = ~np.isnan(value) & ~np.isnan(outcome)
    return auc(outcome[known], -value[known]) if known.any() else float("nan")


def _tier(scheme: Scheme, place: int, here: Any, columns: tuple[Any, Reals, Reals], graded: int) -> TierValidity:
    who, left, fell = columns
    tier = scheme.tiers[place]
    suggested = None if tier.share is None else (float(tier.share[0]), float(tier.share[1]))
    rows, customers = int(here.sum()), len(set(who[here]))
    rates = [outcome_rate(outcome[here], who[here]) for outcome in (left, fell)]
    return TierValidity(
        tier.id, tier.title, rows, customers, rows / graded if graded else 0.0, suggested, rates[0], rates[1]
    )


def outcome_rate(outcome: Reals, who: Any) -> Estimate:
    """Return the share of rows with the outcome, with Wilson's 95% interval by customer.

    A customer who is seen at several cutoffs tells less than as many customers, and how much less is in the data: the
    rate counts as if it came from as many independent customers as would spread it as far as its customers do (Korn and
    Graubard 1998, Survey Methodology 24), at most as many as there are rows; from all customers where all fare alike.

    Parameters
    ----------
    outcome : array of float, shape (n,)
        1, 0, or missing where it is not known.
    who : array of str, shape (n,)
        Customer of each row.

    Examples
    --------
    >>> outcome_rate(np.array([1.0, 0.0, 0.0, 0.0]), np.array(["a", "b", "c", "d"])).say()
    '0.250 (0.046 to 0.699)'
    """
    known = ~np.isnan(outcome)
    hits, rows = float(outcome[known].sum()), int(known.sum())
    customers, home = np.unique(who[known], return_inverse=True)
    if not rows or len(customers) == rows:
        return wilson_interval(hits, rows, rows)
    p = hits / rows
    beside = np.bincount(home, weights=outcome[known] - p, minlength=len(customers))
    spread = float((beside**2).sum()) * len(customers) / max(len(customers) - 1, 1)
    size = p * (1 - p) * rows**2 / spread if spread > 0 else len(customers)
    return wilson_interval(hits, rows, min(size, rows))


def _below_half(score: Reals, cutoff: Any, left: Reals, who: Any) -> Estimate:
    below = np.full(len(score), np.nan)
    for day in np.unique(cutoff):
        here = (cutoff == day) & ~np.isnan(score)
        if here.any():
            below[here] = score[here] < np.median(score[here])
    churned = left == 1
    return outcome_rate(below[churned], who[churned])


def _pareto(money: Reals, best: Any) -> tuple[float, float, float]:
    amount = np.nan_to_num(np.maximum(money, 0))
    total = amount.sum()
    if not total:
        return float("nan"), float("nan"), float("nan")
    descending = np.sort(amount)[::-1]
    running = np.cumsum(descending)
    fifth = max(round(len(amount) / 5), 1)
    enough = int(np.searchsorted(running, 0.8 * total)) + 1
    return float(running[fifth - 1] / total), min(enough / len(amount), 1.0), float(amount[best].sum() / total)


def _indicator(
    graded: pa.Table, scheme: Scheme, indicator: Indicator, left: Reals, features: pa.Table | None
) -> IndicatorValidity:
    points = np.asarray(graded[f"points_{indicator.id}"].to_numpy(zero_copy_only=False), dtype=np.float64)
    known = ~np.isnan(points)
    counts = np.unique(points[known], return_counts=True)[1]
    commonest = float(counts.max() / known.sum()) if known.any() else float("nan")
    weight = float(scheme.shares[indicator.id])
    has_data = bool(known.any()) and (features is None or _has_values(indicator, scheme, features))
    idle, no_data = weight > 0 and has_data and commonest >= SAME, weight > 0 and not has_data
    share = float(known.mean()) if len(points) else 0.0
    return IndicatorValidity(
        indicator.id, indicator.title, weight, share, commonest, chance_below(points, left), idle, no_data
    )


def _has_values(indicator: Indicator, scheme: Scheme, features: pa.Table) -> bool:
    """Say whether anybody has a value of an indicator, or of its proxy, or points given by hand."""
    proxy = [indicator.proxy.feature] if indicator.proxy is not None and scheme.use_proxies else []
    names = {indicator.feature, *proxy, f"points_{indicator.id}"} & set(features.column_names)
    return any(features[name].null_count < features.num_rows for name in names)


def say_validity(found: Validity, lang: Lang) -> list[str]:
    """Return what a reviewer should know, a sentence each.

    Examples
    --------
    >>> nothing = Estimate(float("nan"))
    >>> empty = Validity((), Estimate(0.8, 0.7, 0.9), 0.6, 0.75, 0.3, 0.5, ())
    >>> print(say_validity(empty, "en")[0])
    Of the customers who churned, 80% (70 to 90) had stood below the top half.
    """
    texts = [_half(found.below_half), _money(found)]
    texts += [_share(tier) for tier in found.tiers if tier.suggested is not None]
    texts += _order(found)
    texts += _named(IDLE, [indicator.title for indicator in found.indicators if indicator.idle])
    texts += _named(NO_DATA, [indicator.title for indicator in found.indicators if indicator.no_data])
    return [text.say(lang) for text in texts]


def say_auc(found: Validity, lang: Lang) -> str:
    """Say how well the score ranks those who churn.

    Examples
    --------
    >>> nothing = Estimate(float("nan"))
    >>> say_auc(Validity((), nothing, float("nan"), 0.75, 0.3, 0.5, ()), "en")
    'AUC of the score against churn: not known, as it takes customers who churned and some who stayed'
    """
    value = Text(
        "not known, as it takes customers who churned and some who stayed", "无法计算，须既有流失客户又有留存客户"
    )
    if math.isfinite(found.auc):
        value = Text(f"{found.auc:.3f}", f"{found.auc:.3f}")
    return Text(f"AUC of the score against churn: {value.en}", f"评分对流失的AUC：{value.zh}").say(lang)


def _named(words: Text, titles: Sequence[Text]) -> list[Text]:
    """Name some indicators in a sentence; nothing is said of none."""
    names = Text(", ".join(title.en for title in titles), "、".join(title.zh for title in titles))
    return [Text(f"{words.en}: {names.en}.", f"{words.zh}：{names.zh}。")] if titles else []


def _percent(estimate: Estimate) -> str:
    bounded = estimate.low is not None and estimate.high is not None
    span = f" ({100 * (estimate.low or 0):.0f} to {100 * (estimate.high or 0):.0f})" if bounded else ""
    return f"{100 * estimate.value:.0f}%{span}"


def _half(estimate: Estimate) -> Text:
    if not math.isfinite(estimate.value):
        return Text("No customer is known to have churned, so where those who churn had stood cannot be said.",
                    "尚无已知的流失客户，无法说明流失客户此前的位置。")  # fmt: skip
    share = _percent(estimate)
    return Text(
        f"Of the customers who churned, {share} had stood below the top half.",
        f"流失客户中有 {share.replace(' to ', ' 至 ')} 此前位于后一半。",
    )


def _money(found: Validity) -> Text:
    parts = (found.top_fifth_brings, found.four_fifths_from, found.best_tier_brings)
    if not all(map(math.isfinite, parts)):
        return Text("No customer brings an amount, so what the tiers bring cannot be said.",
                    "没有客户带来交易额，无法说明各等级的贡献。")  # fmt: skip
    fifth, enough, best = (f"{100 * part:.0f}%" for part in parts)
    return Text(
        f"The top 20% of customers bring {fifth} of the amount; 80% come from {enough}; the best tier brings {best}.",
        f"金额最高的20%客户贡献 {fifth}；80%的金额来自 {enough} 的客户；最高等级贡献 {best}。",
    )


def _share(tier: TierValidity) -> Text:
    low, high = tier.suggested or (0.0, 1.0)
    band = f"{100 * low:.0f}%" if low == high else f"{100 * low:.0f}-{100 * high:.0f}%"
    share = f"{100 * tier.share:.1f}%"
    where = Text("inside", "符合建议")
    if not low <= tier.share <= high:
        where = Text("below", "低于建议") if tier.share < low else Text("above", "高于建议")
    en = f"Tier {tier.tier} holds {share}, {where.en} the suggested {band}."
    return Text(en, f"{tier.tier}级占 {share}，{where.zh}（{band}）。")


def _order(found: Validity) -> list[Text]:
    """Say which neighbouring tiers churn in the wrong order; silent about tiers without anybody."""
    known = [tier for tier in found.tiers if math.isfinite(tier.churn.value)]
    wrong = [(a.tier, b.tier) for a, b in pairwise(known) if a.churn.value > b.churn.value]
    return [Text(f"Tier {a} churned more than tier {b}.", f"{a}级的流失率高于{b}级。") for a, b in wrong]
