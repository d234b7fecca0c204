"""Stability: how regular the customer is, and whether the next order is overdue."""

from __future__ import annotations

import narwhals as nw

from tierlens.features.feature import Feature, count_twelfths, money_in, ratio_of, rounded_whole
from tierlens.features.windows import Window, trailing_rows
from tierlens.words import Text

FEW = "fewer than two purchase days in the window"
GAP = "gap"
"""Days from the purchase day before; 0 within one day, missing on the first."""


def _gaps(power: int, window: Window) -> nw.Expr:
    value = nw.lit(1) if power == 0 else nw.col(GAP).cast(nw.Int64)
    value = value * nw.col(GAP).cast(nw.Int64) if power == 2 else value
    counted = trailing_rows(window.observe) & (nw.col(GAP) > 0)
    return rounded_whole(nw.when(counted).then(value).otherwise(0).sum())


def _spread() -> nw.Expr:
    """Sample standard deviation from exact whole sums, so that row order cannot touch the last digit.

    In floats the products are exact too, up to 2^53, and do not overflow beyond it.
    """
    count, first, second = (nw.col(name).cast(nw.Float64) for name in ("gaps", "gap_days", "gap_squares"))
    numerator = count * second - first * first
    positive = nw.when(numerator > 0).then(numerator).otherwise(0.0)
    return nw.when(count > 1).then((positive / (count * (count - 1.0))).sqrt())


def _regularity() -> nw.Expr:
    mean, spread = nw.col("interval_mean_days"), nw.col("interval_spread_days")
    return nw.when(~spread.is_null()).then(mean / (mean + spread))


FEATURES: tuple[Feature, ...] = (
    Feature(
        "gaps", Text("intervals between purchase days", "购买间隔次数"), "orders", "stability", "up",
        "intervals between purchase days whose later day lies in the observed window", "", "orders",
        lambda window: _gaps(0, window), family="regularity", neighbours=True,
    ),
    Feature(
        "gap_days", Text("days in those intervals", "购买间隔总天数"), "days", "stability", "none",
        "sum of those intervals", "", "orders", lambda window: _gaps(1, window), family="regularity", neighbours=True,
    ),
    Feature(
        "gap_squares", Text("sum of squared intervals", "购买间隔平方和"), "squared days", "stability", "none",
        "sum of the squares of those intervals", "", "orders", lambda window: _gaps(2, window), family="regularity",
        neighbours=True,
    ),
    Feature(
        "interval_mean_days", Text("usual days between purchases", "平均购买间隔"), "days", "stability", "down",
        "gap_days / gaps", FEW, "derived", lambda _: ratio_of("gap_days", "gaps"), needs=("gap_days", "gaps"),
        family="regularity",
    ),
    Feature(
        "interval_spread_days", Text("spread of the days between purchases", "购买间隔离散度"), "days", "stability",
        "down", "sample standard deviation of the intervals", "fewer than three purchase days in the window",
        "derived", lambda _: _spread(), needs=("gaps", "gap_days", "gap_squares"), family="regularity",
    ),
    Feature(
        "regularity", Text("regularity of purchases", "购买规律度"), "share", "stability", "up",
        "interval_mean_days / (interval_mean_days + interval_spread_days): 1 like clockwork, 1/2 as by chance",
        "fewer than three purchase days in the window", "derived", lambda _: _regularity(),
        needs=("interval_spread_days", "interval_mean_days"), family="regularity",
    ),
    Feature(
        "longest_gap_days", Text("longest pause between purchases", "最长购买间隔"), "days", "stability", "down",
        "longest interval whose later day lies in the observed window", FEW, "orders",
        lambda window: rounded_whole(
            nw.when(trailing_rows(window.observe) & (nw.col(GAP) > 0)).then(nw.col(GAP)).max()
        ),
        family="regularity", neighbours=True,
    ),
    Feature(
        "overdue_ratio", Text("pause against the usual interval", "当前停购与平均间隔之比"), "ratio", "stability",
        "down", "recency_days / interval_mean_days", FEW, "derived",
        lambda _: ratio_of("recency_days", "interval_mean_days"), needs=("recency_days", "interval_mean_days"),
        family="recency",
    ),
    Feature(
        "idle_months_6", Text("months without a purchase in the last 6", "近6个月无交易月数"), "months", "stability",
        "down", "6 - twelfths of a year with a purchase among the latest six", "", "orders",
        lambda _: rounded_whole(6 - count_twelfths(range(6), 183)), family="recency",
    ),
    Feature(
        "returned", Text("returns in the window", "窗口内退货金额"), "money", "stability", "down",
        "sum of returned amounts in the observed window, as a positive number", "", "orders",
        lambda window: money_in("returned", window.observe), family="returns",
    ),
    Feature(
        "return_share", Text("share of purchases returned", "退货占比"), "share", "stability", "down",
        "returned / spend; above 1 where returns belong to older purchases", "no purchase in the window", "derived",
        lambda _: ratio_of("returned", "spend"), needs=("returned", "spend"), family="returns",
    ),
)  # fmt: skip
