"""Value: recency, frequency, monetary and what follows from them."""

from __future__ import annotations

import narwhals as nw

from tierlens.features.feature import Feature, count_twelfths, money_in, orders_in, ratio_of, rounded_whole
from tierlens.words import Text

ALWAYS = ""
"""Never missing."""


def _last_purchase() -> nw.Expr:
    return nw.when(nw.col("spend") > 0).then(nw.col("age")).min()


def _first_purchase() -> nw.Expr:
    return nw.when(nw.col("spend") > 0).then(nw.col("age")).max()


FEATURES: tuple[Feature, ...] = (
    Feature(
        "recency_days", Text("days since the last purchase", "距上次购买天数"), "days", "value", "down",
        "cutoff - day of the last purchase", ALWAYS, "orders",
        lambda _: rounded_whole(_last_purchase()), family="recency",
    ),
    Feature(
        "frequency", Text("orders in the window", "窗口内订单数"), "orders", "value", "up",
        "purchase orders in the observed window", ALWAYS, "orders",
        lambda window: orders_in(window.observe), family="frequency",
    ),
    Feature(
        "spend", Text("purchases in the window", "窗口内购买金额"), "money", "value", "up",
        "sum of purchase lines in the observed window, before returns", ALWAYS, "orders",
        lambda window: money_in("spend", window.observe), family="amount",
    ),
    Feature(
        "monetary", Text("net amount in the window", "窗口内净交易额"), "money", "value", "up",
        "sum of purchases and returns in the observed window", ALWAYS, "orders",
        lambda window: money_in("net", window.observe), family="amount",
    ),
    Feature(
        "average_order_value", Text("average order value", "客单价"), "money", "value", "up",
        "spend / frequency", "no order in the window", "derived",
        lambda _: ratio_of("spend", "frequency"), needs=("spend", "frequency"), family="order_value",
    ),
    Feature(
        "tenure_days", Text("days since the first purchase", "合作天数"), "days", "stability", "up",
        "cutoff - day of the first purchase", ALWAYS, "orders",
        lambda _: rounded_whole(_first_purchase()), family="tenure",
    ),
    Feature(
        "active_months", Text("months with a purchase", "有购买的月数"), "months", "value", "up",
        "twelfths of a year, counted back from the cutoff, with a purchase in the observed window", ALWAYS, "orders",
        lambda window: count_twelfths(range(12), window.observe), family="frequency",
    ),
)  # fmt: skip
