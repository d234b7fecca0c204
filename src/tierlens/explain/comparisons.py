"""What the value in a reason is held against: the customer's own past first, then the tier, then all customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tierlens.explain.contributions import Floats
from tierlens.segments.figures import shown_values
from tierlens.sources.tables import Currency
from tierlens.words import Text

Ints = npt.NDArray[np.intp]
FEWEST = 20
"""Customers of a tier with a value from which their middle one is told."""


APART = 0.1
"""Share of the larger of two values by which they must differ: 479 days against 501 tell a reader nothing."""


@dataclass(frozen=True)
class OwnPast:
    """A feature that tells what a customer used to do.

    Parameters
    ----------
    feature : str
        Of the same unit as the one it is held against.
    words : Text
        The whole sentence, with ``{value}`` and ``{past}``.
    times : float
        What the feature is multiplied by to be of the same span.
    """

    feature: str
    words: Text
    times: float = 1.0


OWN_PAST: dict[str, OwnPast] = {
    "recency_days": OwnPast(
        "interval_mean_days",
        Text("No purchase for {value}; usually every {past}", "已{value}未购买，平时平均每{past}一次"),
    ),
    "amount_90": OwnPast(
        "amount_prev_90",
        Text("Bought for {value} in the last 90 days; for {past} in the 90 days before",
             "近90天购买{value}，此前90天为{past}"),
    ),
    "orders_90": OwnPast(
        "orders_prev_90",
        Text("{value} in the last 90 days; {past} in the 90 days before", "近90天下单{value}，此前90天为{past}"),
    ),
    "amount_half": OwnPast(
        "amount_half_last_year",
        Text("Bought for {value} in the last half-year; for {past} in the same half-year a year before",
             "近半年购买{value}，上年同期为{past}"),
    ),
    "spend_year": OwnPast(
        "spend_prev_year",
        Text("Bought for {value} in the last year; for {past} in the year before", "近一年购买{value}，前一年为{past}"),
    ),
    "last_order_spend": OwnPast(
        "average_order_value", Text("Last order {value}; on average {past}", "最近一单{value}，平均每单{past}")
    ),
    "last_order_lines": OwnPast(
        "lines_per_order", Text("Last order {value}; on average {past}", "最近一单{value}，平均每单{past}")
    ),
    "interval_last_days": OwnPast(
        "interval_mean_days",
        Text("Last interval between purchases {value}; on average {past}", "最近一次购买间隔{value}，平均{past}"),
    ),
    "active_months_3": OwnPast(
        "active_months",
        Text("Bought in {value} of the last three; over the last year in {past} of three",
             "近3个月中有{value}购买，近一年平均每3个月{past}"),
        0.25,
    ),
    "employees_now": OwnPast("employees_before", Text("Employs {value}; {past} before", "员工{value}，此前{past}")),
}  # fmt: skip
"""What a customer's value is held against first, where it is known."""

CUSTOMER_FOR = {"orders_ahead_last_year": 365, "growth_yoy": 365, "season_growth": 455}
"""Days since the first purchase from which a feature says anything of a customer: before, there was no last year."""

TIER = Text(" (half of tier {tier}: {median})", "（{tier}中位数{median}）")
ALL = Text(" (half of customers: {median})", "（客户中位数{median}）")
SCHEME = "the scheme"
KINDS = ("own past", "tier", "all customers", SCHEME)


@dataclass(frozen=True)
class Compared:
    """What each value is held against, shape (n,) each; ``kind`` is a place in ``KINDS``, -1 where there is nothing."""

    kind: npt.NDArray[np.int8]
    value: Floats


def compared_values(
    feature: str,
    columns: Mapping[str, Floats],
    tiers: npt.NDArray[np.object_] | None,
    sign: npt.NDArray[np.int8],
    unit: tuple[str, Currency],
) -> Compared:
    """Find what each customer's value of a feature can be held against.

    Parameters
    ----------
    feature : str
    columns : mapping of str to array of float, shape (n,)
        Every feature at hand; missing values are NaN.
    tiers : array of str, shape (n,), optional
    sign : array of int, shape (n,)
        1 where the value must be above what it is held against, -1 where below, 0 where it must only differ.
    unit : (str, Currency)
        As what the value is written: two that are written alike are equal.

    Returns
    -------
    Compared
        The first kind that is known, written otherwise than the value, a tenth or more away from it, and on the side
        that ``sign`` asks for.

    Examples
    --------
    >>> columns = {"recency_days": np.array([74.0, 9.0]), "interval_mean_days": np.array([21.0, np.nan])}
    >>> found = compared_values("recency_days", columns, None, np.array([1, -1]), ("days", Currency("GBP")))
    >>> found.kind.tolist(), found.value.tolist()
    ([0, 2], [21.0, 41.5])
    """
    own = _spoken(feature, columns)
    kind, value = np.full(len(own), -1, dtype=np.int8), np.full(len(own), np.nan)
    for place, other in enumerate((_past(feature, columns), _of_tier(own, tiers), _of_all(own))):
        if other is None:
            continue
        mine, theirs = shown_values(own, *unit), shown_values(other, *unit)
        apart = (mine != theirs) & (np.abs(own - other) >= APART * np.maximum(np.abs(own), np.abs(other)))
        fits = np.isfinite(own) & np.isfinite(other) & apart & ((own - other) * sign >= 0.0) & (kind < 0)
        kind[fits], value[fits] = place, other[fits]
    return Compared(kind, value)


def _spoken(feature: str, columns: Mapping[str, Floats]) -> Floats:
    """Return the values of a feature, missing for customers who are too new for it to say anything."""
    if feature not in CUSTOMER_FOR or "tenure_days" not in columns:
        return columns[feature]
    found: Floats = np.where(columns["tenure_days"] >= CUSTOMER_FOR[feature], columns[feature], np.nan)
    return found


def _past(feature: str, columns: Mapping[str, Floats]) -> Floats | None:
    past = OWN_PAST.get(feature)
    if past is None or past.feature not in columns:
        return None
    found: Floats = columns[past.feature] * past.times
    return found


def _of_tier(own: Floats, tiers: npt.NDArray[np.object_] | None) -> Floats | None:
    if tiers is None:
        return None
    found = np.full(len(own), np.nan)
    for tier in sorted({tier for tier in tiers.tolist() if tier is not None}):
        here = tiers == tier
        known = own[here & np.isfinite(own)]
        if len(known) >= FEWEST:
            found[here] = np.median(known)
    return found


def _of_all(own: Floats) -> Floats:
    known = own[np.isfinite(own)]
    return np.full(len(own), np.median(known) if len(known) else np.nan)


def said_against(feature: str, kind: int, phrase: Text) -> Text:
    """Return the sentence of a reason with its comparison: ``{value}`` and ``{past}``, or ``{median}`` and ``{tier}``.

    Examples
    --------
    >>> said_against("monetary", 1, Text("Net amount {value}", "净额{value}")).en
    'Net amount {value} (half of tier {tier}: {median})'
    """
    if kind == 0:
        return OWN_PAST[feature].words
    beside = TIER if kind == 1 else ALL
    return Text(phrase.en + beside.en, phrase.zh + beside.zh)


def past_features(names: Sequence[str]) -> tuple[str, ...]:
    """Return the features that tell the past of some others.

    Examples
    --------
    >>> past_features(["recency_days", "monetary"])
    ('interval_mean_days',)
    """
    return tuple(OWN_PAST[name].feature for name in names if name in OWN_PAST)
