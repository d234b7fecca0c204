"""What lies further back, what is about to roll out of the window, and how intervals are spread.

Features of transactions that are built when they are asked for: documents name them, people read them; the models of
this project were chosen without them.
"""

from __future__ import annotations

import narwhals as nw

from tierlens.features.families.potential import QUARTER
from tierlens.features.feature import Feature, money_in, ratio_of, rounded_whole
from tierlens.features.windows import YEAR, Window, trailing_rows
from tierlens.words import Text

NONE = "no purchase in the window"


def _ahead(window: Window) -> int:
    """Days from the cutoff to the end of the horizon, at most the window itself."""
    return min(window.gap + window.horizon, window.observe)


def _roll_off(window: Window) -> nw.Expr:
    """Net amount of the oldest days of the window: those that a cutoff at the horizon's end sees no more."""
    return money_in("net", _ahead(window), window.observe - _ahead(window))


def _needed() -> nw.Expr:
    leaves = nw.col("roll_off_amount")
    return nw.when(leaves > 0).then(leaves).otherwise(0).cast(nw.Int64)


def _pace(window: Window) -> nw.Expr:
    usual = nw.col("spend_rate") * float(window.gap + window.horizon)
    return nw.when(usual > 0).then(nw.col("spend_needed").cast(nw.Float64) / usual)


def _repeat_rate() -> nw.Expr:
    days = nw.col("purchase_days")
    return nw.when(days > 0).then((days - 1).cast(nw.Float64) / days.cast(nw.Float64))


def _short_gaps(days: int, window: Window) -> nw.Expr:
    short = trailing_rows(window.observe) & (nw.col("gap") > 0) & (nw.col("gap") <= days)
    return rounded_whole(nw.when(short).then(1).otherwise(0).sum())


def _gaps_to(days: int) -> tuple[Feature, Feature]:
    count = Feature(
        f"gaps_to_{days}", Text(f"intervals of at most {days} days", f"不超过{days}天的购买间隔次数"), "orders",
        "stability", "up", f"intervals of at most {days} days whose later day lies in the observed window", "",
        "orders", lambda window: _short_gaps(days, window), family="regularity", neighbours=True,
    )  # fmt: skip
    share = Feature(
        f"interval_share_{days}", Text(f"share of intervals of at most {days} days", f"不超过{days}天的购买间隔占比"),
        "share", "stability", "up", f"gaps_to_{days} / gaps", "fewer than two purchase days in the window", "derived",
        lambda _: ratio_of(f"gaps_to_{days}", "gaps"), needs=(f"gaps_to_{days}", "gaps"), family="regularity",
    )  # fmt: skip
    return count, share


FEATURES: tuple[Feature, ...] = (
    Feature(
        "spend_prev_year", Text("purchases in the year before the last", "此前一年购买金额"), "money", "potential",
        "none", "spend in the days 366 to 730 before the cutoff", "", "orders",
        lambda _: money_in("spend", YEAR, YEAR), family="growth",
    ),
    Feature(
        "amount_before_prev_90", Text("purchases in the 90 days before the 90 before the last", "再前90天购买金额"),
        "money", "potential", "none", "spend in the days 181 to 270 before the cutoff", "", "orders",
        lambda _: money_in("spend", QUARTER, 2 * QUARTER), family="recent",
    ),
    Feature(
        "roll_off_amount", Text("net amount that rolls out of the window within the horizon", "预测期内滚出窗口的净额"),
        "money", "potential", "down",
        "net amount of the oldest gap + horizon days of the observed window: at the end of the horizon it counts no "
        "more", "", "orders", _roll_off, family="amount",
    ),
    Feature(
        "roll_off_share", Text("share of the window's amount that rolls out", "滚出金额占比"), "share", "potential",
        "down", "roll_off_amount / monetary; above 1 where returns came after", "no positive net amount in the window",
        "derived", lambda _: ratio_of("roll_off_amount", "monetary"), needs=("roll_off_amount", "monetary"),
        family="amount",
    ),
    Feature(
        "spend_needed", Text("amount still to be bought to hold the window's amount", "维持窗口金额尚需购买额"),
        "money", "potential", "down",
        "max(roll_off_amount, 0): bought by the end of the horizon, it keeps the net amount of the window; what a tier "
        "asks for is worked out beside the scheme", "", "derived", lambda _: _needed(), needs=("roll_off_amount",),
        family="amount",
    ),
    Feature(
        "needed_pace", Text("pace needed to hold the window's amount, against the usual", "维持金额所需节奏与平常之比"),
        "ratio", "potential", "down", "spend_needed / (spend_rate x (gap + horizon))", NONE, "derived", _pace,
        needs=("spend_needed", "spend_rate"), family="amount",
    ),
    Feature(
        "spend_ever", Text("purchases over all history", "历史累计购买金额"), "money", "value", "up",
        "spend before the cutoff; grows with the length of the history", "", "orders",
        lambda _: rounded_whole(nw.col("spend").sum()), family="amount",
    ),
    Feature(
        "repeat_rate", Text("repeat-purchase rate", "重复购买率"), "share", "loyalty", "up",
        "(purchase_days - 1) / purchase_days: share of the window's purchase days that follow another one in it", NONE,
        "derived", lambda _: _repeat_rate(), needs=("purchase_days",), family="repeat",
    ),
    Feature(
        "interval_variation", Text("variation of the days between purchases", "购买间隔变异系数"), "ratio", "stability",
        "down", "interval_spread_days / interval_mean_days", "fewer than three purchase days in the window", "derived",
        lambda _: ratio_of("interval_spread_days", "interval_mean_days"),
        needs=("interval_spread_days", "interval_mean_days"), family="regularity",
    ),
    *_gaps_to(30),
    *_gaps_to(90),
)  # fmt: skip
