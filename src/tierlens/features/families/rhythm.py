"""Rhythm: rates, decays and intervals that mean the same however long the history is."""

from __future__ import annotations

import math

import narwhals as nw

from tierlens.features.feature import Feature, count_twelfths, money_in, orders_in, ratio_of, rounded_whole
from tierlens.features.windows import YEAR, Window, trailing_rows
from tierlens.words import Text

ORDER_SCALE = 1 << 20
MONEY_SCALE = 1 << 13
"""Weights are rounded to binary parts: sums are exact, so neither row order nor engine touches the last digit."""
PACK = 1 << 20
OLDEST = 1 << 17
"""An age and an interval share one whole number, so that the largest such number belongs to the latest day. Ages are
less than ``OLDEST`` days: years go from 1900 to 2100, and no window looks further ahead than a hundred years."""
NO_INTERVAL = "fewer than two purchase days"


def _decayed(column: str, half_life: int, scale: int) -> nw.Expr:
    age = nw.col("age").cast(nw.Float64)
    # Rounded by hand: the engines' own rounding to places costs more than the exponential.
    weight = ((age * (-math.log(2) / half_life)).exp() * scale + 0.5).floor().cast(nw.Int64)
    return (nw.col(column) * weight).sum().cast(nw.Float64) / float(scale)


def _decay_rate(half_life: int) -> nw.Expr:
    """Orders a day: the decayed count over the decayed length of the history."""
    rate = math.log(2) / half_life
    seen = nw.lit(1.0) - (nw.col("tenure_days").cast(nw.Float64) * -rate).exp()
    return nw.when(seen > 0).then(nw.col(f"orders_decay_{half_life}") * rate / seen)


def _seen_days(window: Window) -> nw.Expr:
    tenure = nw.col("tenure_days")
    return nw.when(tenure < window.observe).then(tenure).otherwise(window.observe).cast(nw.Float64)


def _last_interval() -> nw.Expr:
    packed = (OLDEST - nw.col("age")).cast(nw.Int64) * PACK + nw.col("gap")
    return rounded_whole(nw.when(nw.col("gap") > 0).then(packed).max() % PACK)


def _month_share(window: Window) -> nw.Expr:
    begun = (_seen_days(window) * (12.0 / YEAR)).ceil()
    return nw.when(begun > 0).then(nw.col("active_months").cast(nw.Float64) / begun)


def _purchase_days(window: Window) -> nw.Expr:
    fresh = trailing_rows(window.observe) & (nw.col("buys") > 0) & (nw.col("gap").is_null() | (nw.col("gap") > 0))
    return rounded_whole(nw.when(fresh).then(1).otherwise(0).sum())


def _ahead_last_year(window: Window) -> nw.Expr:
    return orders_in(window.horizon, max(YEAR - window.gap - window.horizon, 0))


def _count(days: int, ago: int = 0, name: str = "") -> Feature:
    span = f"days {ago + 1} to {ago + days} before the cutoff" if ago else f"the {days} days before the cutoff"
    zh = f"此前第{ago + 1}至{ago + days}天订单数" if ago else f"近{days}天订单数"
    return Feature(
        name or f"orders_{days}", Text(f"orders in {span}", zh), "orders", "value", "up",
        f"purchase orders in {span}", "", "orders", lambda _: orders_in(days, ago), family="frequency",
    )  # fmt: skip


def _amount(days: int) -> Feature:
    return Feature(
        f"amount_{days}", Text(f"purchases in the last {days} days", f"近{days}天购买金额"), "money", "value", "up",
        f"spend in the {days} days before the cutoff", "", "orders", lambda _: money_in("spend", days),
        family="recent",
    )  # fmt: skip


def _decay(half_life: int) -> Feature:
    return Feature(
        f"orders_decay_{half_life}",
        Text(f"orders, halved in weight every {half_life} days", f"订单数（半衰期{half_life}天）"), "orders",
        "stability",
        "up", f"sum over purchase orders of 2^(-age / {half_life}), weights rounded to 2^-20", "", "orders",
        lambda _: _decayed("buys", half_life, ORDER_SCALE), family="momentum",
    )  # fmt: skip


def _spend_decay(half_life: int) -> Feature:
    return Feature(
        f"spend_decay_{half_life}",
        Text(f"purchases, halved in weight every {half_life} days", f"购买金额（半衰期{half_life}天）"), "money",
        "value",
        "up", f"sum over purchase orders of spend x 2^(-age / {half_life}), weights rounded to 2^-13", "", "orders",
        lambda _: _decayed("spend", half_life, MONEY_SCALE), family="momentum",
    )  # fmt: skip


def _rate(half_life: int) -> Feature:
    return Feature(
        f"decay_rate_{half_life}", Text(f"recent orders a day ({half_life} days)", f"近期日均订单（{half_life}天）"),
        "orders a day", "stability", "up",
        f"orders_decay_{half_life} x (ln 2 / {half_life}) / (1 - 2^(-tenure_days / {half_life}))", "", "derived",
        lambda _: _decay_rate(half_life), needs=(f"orders_decay_{half_life}", "tenure_days"), family="momentum",
    )  # fmt: skip


def _momentum(short: int, long: int) -> Feature:
    return Feature(
        f"decay_ratio_{short}_{long}",
        Text(f"momentum of orders ({short} against {long} days)", f"订单动量（{short}比{long}天）"), "ratio",
        "stability",
        "up", f"orders_decay_{short} / orders_decay_{long}", "no purchase", "derived",
        lambda _: ratio_of(f"orders_decay_{short}", f"orders_decay_{long}"),
        needs=(f"orders_decay_{short}", f"orders_decay_{long}"), family="momentum",
    )  # fmt: skip


def _quotient(name: str, title: Text, over: str, under: str, family: str) -> Feature:
    return Feature(
        name, title, "ratio", "stability", "down", f"{over} / {under}", NO_INTERVAL, "derived",
        lambda _: ratio_of(over, under), needs=(over, under), family=family,
    )  # fmt: skip


FEATURES: tuple[Feature, ...] = (
    *(_count(days) for days in (14, 30, 60, 90, 180, 270)),
    _count(90, 90, "orders_prev_90"),
    Feature(
        "orders_ahead_last_year", Text("orders in last year's same season", "去年同期（预测期）订单数"), "orders",
        "potential", "up", "purchase orders a year before the days of the horizon", "", "orders", _ahead_last_year,
        family="season",
    ),
    *(_amount(days) for days in (30, 180, 270)),
    Feature(
        "purchase_days", Text("days with a purchase in the window", "窗口内购买天数"), "days", "value", "up",
        "distinct days with a purchase in the observed window", "", "orders", _purchase_days, family="frequency",
        neighbours=True,
    ),
    Feature(
        "repeat_days", Text("days with a repeat purchase", "重复购买天数"), "days", "loyalty", "up",
        "distinct purchase days after the first, over all history", "", "orders",
        lambda _: rounded_whole(nw.when(nw.col("gap") > 0).then(1).otherwise(0).sum()), family="frequency",
        neighbours=True,
    ),
    *(_decay(days) for days in (15, 30, 60, 120, 240)),
    *(_spend_decay(days) for days in (30, 60, 120, 240)),
    *(_rate(days) for days in (30, 60, 120, 240)),
    _momentum(30, 120),
    _momentum(60, 240),
    Feature(
        "order_rate", Text("orders a day", "日均订单数"), "orders a day", "value", "up",
        "frequency / min(tenure_days, observe)", "", "derived",
        lambda window: nw.col("frequency").cast(nw.Float64) / _seen_days(window), needs=("frequency", "tenure_days"),
        family="frequency",
    ),
    Feature(
        "spend_rate", Text("purchases a day", "日均购买金额"), "money a day", "value", "up",
        "spend / min(tenure_days, observe)", "", "derived",
        lambda window: nw.col("spend").cast(nw.Float64) / _seen_days(window), needs=("spend", "tenure_days"),
        family="amount",
    ),
    Feature(
        "active_months_3", Text("of the last 3 months, those with a purchase", "近3个月有购买的月数"), "months",
        "stability", "up", "twelfths of a year with a purchase among the latest three", "", "orders",
        lambda _: count_twelfths(range(3), 92), family="frequency",
    ),
    Feature(
        "active_months_6", Text("of the last 6 months, those with a purchase", "近6个月有购买的月数"), "months",
        "stability", "up", "twelfths of a year with a purchase among the latest six", "", "orders",
        lambda _: count_twelfths(range(6), 183), family="frequency",
    ),
    Feature(
        "active_month_share", Text("share of months with a purchase", "有购买月份占比"), "share", "stability", "up",
        "active_months / twelfths of a year begun since the first purchase, at most those of the window", "",
        "derived", _month_share, needs=("active_months", "tenure_days"), family="frequency",
    ),
    Feature(
        "interval_last_days", Text("days between the last two purchase days", "最近一次购买间隔"), "days", "stability",
        "down", "interval that ends on the last purchase day", NO_INTERVAL, "orders", lambda _: _last_interval(),
        family="regularity", neighbours=True,
    ),
    Feature(
        "interval_shortest_days", Text("shortest interval between purchase days", "最短购买间隔"), "days", "stability",
        "down", "shortest interval, over all history", NO_INTERVAL, "orders",
        lambda _: rounded_whole(nw.when(nw.col("gap") > 0).then(nw.col("gap")).min()), family="regularity",
        neighbours=True,
    ),
    _quotient(
        "interval_last_ratio", Text("last interval against the usual one", "最近间隔与平均间隔之比"),
        "interval_last_days", "interval_mean_days", "regularity",
    ),
    _quotient(
        "overdue_last", Text("pause against the last interval", "当前停购与最近间隔之比"), "recency_days",
        "interval_last_days", "recency",
    ),
    _quotient(
        "overdue_longest", Text("pause against the longest one", "当前停购与最长间隔之比"), "recency_days",
        "longest_gap_days", "recency",
    ),
)  # fmt: skip
