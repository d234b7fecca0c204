"""Potential: is the customer growing, and into what."""

from __future__ import annotations

import narwhals as nw

from tierlens.features.feature import Feature, money_in, ratio_of, rounded_whole
from tierlens.features.windows import YEAR, Window, trailing_rows
from tierlens.words import Text

HALF_YEAR = 182
QUARTER = 90


def _trend_sum() -> nw.Expr:
    """Sum of amount x (11 - 2 x period): the slope's numerator, doubled to stay whole."""
    steps = 11 - 2 * nw.col("period").cast(nw.Int64)
    return nw.when(trailing_rows(YEAR)).then(nw.col("spend") * steps).otherwise(0).sum().cast(nw.Float64)


def _growth(recent: str, before: str) -> nw.Expr:
    return ratio_of(recent, before) - 1.0


def _growth_yoy() -> nw.Expr:
    seen = nw.col("tenure_days") >= YEAR + HALF_YEAR
    return nw.when(seen).then(_growth("amount_half", "amount_half_last_year"))


def _season_growth() -> nw.Expr:
    seen = nw.col("tenure_days") >= YEAR + QUARTER
    return nw.when(seen).then(_growth("amount_90", "amount_90_last_year"))


def _recent_share() -> nw.Expr:
    both = nw.col("amount_90") + nw.col("amount_prev_90")
    return nw.when(both > 0).then(nw.col("amount_90").cast(nw.Float64) / both.cast(nw.Float64))


def _trend() -> nw.Expr:
    slope = nw.col("trend_sum") * (12.0 / 286.0)
    return nw.when(nw.col("spend_year") > 0).then(slope / nw.col("spend_year").cast(nw.Float64))


def _products(days: int) -> nw.Expr:
    return rounded_whole(nw.when(trailing_rows(days, of="last_day")).then(1).otherwise(0).sum())


def _new_products() -> nw.Expr:
    """Products first bought in the last quarter, by customers who had bought before it."""
    fresh = trailing_rows(QUARTER, of="first_day") & (nw.col("cutoff") - nw.col("customer_first_day") > QUARTER)
    return rounded_whole(nw.when(fresh).then(1).otherwise(0).sum())


def _repeat_products(window: Window) -> nw.Expr:
    again = trailing_rows(window.observe, of="last_day") & (nw.col("first_day") < nw.col("last_day"))
    return rounded_whole(nw.when(again).then(1).otherwise(0).sum())


FEATURES: tuple[Feature, ...] = (
    Feature(
        "amount_90", Text("purchases in the last 90 days", "近90天购买金额"), "money", "potential", "up",
        "spend in the 90 days before the cutoff", "", "orders", lambda _: money_in("spend", QUARTER), family="recent",
    ),
    Feature(
        "amount_prev_90", Text("purchases in the 90 days before those", "此前90天购买金额"), "money", "potential",
        "none", "spend in the days 91 to 180 before the cutoff", "", "orders",
        lambda _: money_in("spend", QUARTER, QUARTER), family="recent",
    ),
    Feature(
        "recent_share", Text("share of the last 180 days' purchases made in the last 90", "近180天金额中近90天占比"),
        "share", "potential", "up", "amount_90 / (amount_90 + amount_prev_90)", "no purchase in 180 days", "derived",
        lambda _: _recent_share(), needs=("amount_90", "amount_prev_90"), family="recent",
    ),
    Feature(
        "spend_year", Text("purchases in the last year", "近一年购买金额"), "money", "potential", "up",
        "spend in the 365 days before the cutoff", "", "orders", lambda _: money_in("spend", YEAR), family="amount",
    ),
    Feature(
        "trend_sum", Text("spend weighted by time", "时间加权金额"), "money", "potential", "none",
        "sum of spend x (11 - 2 x period) over the last year, period 0 the latest twelfth", "", "orders",
        lambda _: _trend_sum(), family="trend",
    ),
    Feature(
        "trend_12", Text("12-month trend of purchases", "12个月购买趋势"), "share", "potential", "up",
        "least-squares slope over twelve periods of the last year, as a share of the mean period",
        "no purchase in a year",
        "derived", lambda _: _trend(), needs=("trend_sum", "spend_year"), family="trend",
    ),
    Feature(
        "amount_half", Text("purchases in the last half-year", "近半年购买金额"), "money", "potential", "up",
        "spend in the 182 days before the cutoff", "", "orders", lambda _: money_in("spend",
        HALF_YEAR), family="recent",
    ),
    Feature(
        "amount_half_last_year", Text("purchases in the same half-year a year before", "去年同期半年购买金额"), "money",
        "potential", "none", "spend in the days 366 to 547 before the cutoff", "", "orders",
        lambda _: money_in("spend", HALF_YEAR, YEAR), family="growth",
    ),
    Feature(
        "growth_yoy", Text("growth year on year", "同比增长率"), "share", "potential", "up",
        "amount_half / amount_half_last_year - 1",
        "customer for less than 547 days, or no purchase in that half-year", "derived", lambda _: _growth_yoy(),
        needs=("amount_half", "amount_half_last_year", "tenure_days"), family="growth",
    ),
    Feature(
        "amount_90_last_year", Text("purchases in the same 90 days a year before", "去年同期90天购买金额"), "money",
        "potential", "none", "spend in the days 366 to 455 before the cutoff", "", "orders",
        lambda _: money_in("spend", QUARTER, YEAR), family="growth",
    ),
    Feature(
        "season_growth", Text("growth against the same 90 days last year", "90天同比增长率"), "share", "potential",
        "up", "amount_90 / amount_90_last_year - 1",
        "customer for less than 455 days, or no purchase in those 90 days", "derived", lambda _: _season_growth(),
        needs=("amount_90", "amount_90_last_year", "tenure_days"), family="growth",
    ),
    Feature(
        "products", Text("different products in the window", "窗口内购买品种数"), "products", "potential", "up",
        "distinct products with a purchase in the observed window", "", "products",
        lambda window: _products(window.observe), family="breadth",
    ),
    Feature(
        "products_90", Text("different products in the last 90 days", "近90天购买品种数"), "products", "potential",
        "up", "distinct products with a purchase in the 90 days before the cutoff", "", "products",
        lambda _: _products(QUARTER), family="breadth",
    ),
    Feature(
        "new_products", Text("new products tried in the last 90 days", "近90天新品种数"), "products", "potential",
        "up", "products first bought in the 90 days before the cutoff by a customer who had bought before them", "",
        "products", lambda _: _new_products(), family="breadth",
    ),
    Feature(
        "new_product_share", Text("share of new products in the last 90 days", "近90天新品种占比"), "share",
        "potential", "up", "new_products / products_90", "no purchase in 90 days", "derived",
        lambda _: ratio_of("new_products", "products_90"), needs=("new_products", "products_90"), family="breadth",
    ),
    Feature(
        "repeat_products", Text("products bought on two days or more", "重复购买品种数"), "products", "loyalty", "up",
        "products bought in the window that were first bought on an earlier day", "", "products", _repeat_products,
        family="repeat",
    ),
    Feature(
        "repeat_share", Text("share of products bought again", "重复购买品种占比"), "share", "loyalty", "up",
        "repeat_products / products", "no product in the window", "derived",
        lambda _: ratio_of("repeat_products", "products"), needs=("repeat_products", "products"), family="repeat",
    ),
)  # fmt: skip
