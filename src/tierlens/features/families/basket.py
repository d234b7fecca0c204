"""Basket: what an order is made of."""

from __future__ import annotations

import narwhals as nw

from tierlens.features.feature import PIECE, Direction, Feature, money_in, ratio_of, rounded_whole
from tierlens.features.windows import Window, trailing_rows
from tierlens.words import Text

NONE = "no purchase in the window"


def _largest(window: Window) -> nw.Expr:
    return rounded_whole(nw.when(trailing_rows(window.observe) & (nw.col("spend") > 0)).then(nw.col("spend")).max())


def _of_last(column: str) -> nw.Expr:
    """Read a column on the last purchase: the one with no later purchase before the cutoff."""
    last = (nw.col("buys") > 0) & (nw.col("next_day").is_null() | (nw.col("next_day") >= nw.col("cutoff")))
    return rounded_whole(nw.when(last).then(nw.col(column)).max())


def _of_first(column: str) -> nw.Expr:
    first = (nw.col("buys") > 0) & nw.col("gap").is_null()
    return rounded_whole(nw.when(first).then(nw.col(column)).max())


def _return_orders(window: Window) -> nw.Expr:
    back = trailing_rows(window.observe) & (nw.col("returned") > 0)
    return rounded_whole(nw.when(back).then(1).otherwise(0).sum())


def _pieces(over: str, under: str) -> nw.Expr:
    return nw.when(nw.col(under) > 0).then(nw.col(over).cast(nw.Float64) / nw.col(under))


def _quotient(name: str, title: Text, over: str, under: str, direction: Direction = "none") -> Feature:
    return Feature(
        name, title, "ratio", "value", direction, f"{over} / {under}", NONE, "derived",
        lambda _: ratio_of(over, under), needs=(over, under), family="basket",
    )  # fmt: skip


FEATURES: tuple[Feature, ...] = (
    Feature(
        "lines", Text("order lines in the window", "窗口内订单行数"), "lines", "value", "up",
        "purchase lines in the observed window", "", "orders", lambda window: money_in("lines", window.observe),
        family="basket",
    ),
    Feature(
        "pieces", Text("pieces bought in the window", "窗口内购买件数"), "pieces", "value", "up",
        "sum of quantity over purchase lines in the observed window, to 1 / 1024; 0 where not given", "",
        "orders",
        lambda window: money_in("pieces", window.observe).cast(nw.Float64) / PIECE, family="basket",
    ),
    Feature(
        "price_level", Text("amount a piece", "平均单价"), "money", "value", "none", "spend / pieces",
        "no quantity in the window", "derived", lambda _: _pieces("spend", "pieces"), needs=("spend", "pieces"),
        family="basket",
    ),
    _quotient("lines_per_order", Text("lines an order", "每单行数"), "lines", "frequency", "up"),
    _quotient("products_per_order", Text("products an order", "每单品种数"), "products", "frequency", "up"),
    _quotient("products_per_line", Text("products a line", "每行品种数"), "products", "lines"),
    _quotient("pieces_per_line", Text("pieces a line", "每行件数"), "pieces", "lines"),
    Feature(
        "largest_order", Text("largest order in the window", "窗口内最大订单金额"), "money", "value", "up",
        "largest spend of one order in the observed window", NONE, "orders", _largest, family="order_value",
    ),
    Feature(
        "last_order_spend", Text("amount of the last order", "最近订单金额"), "money", "value", "up",
        "spend of the latest purchase; the larger one of two on a day", "no purchase", "orders",
        lambda _: _of_last("spend"), family="order_value", neighbours=True,
    ),
    Feature(
        "last_order_lines", Text("lines of the last order", "最近订单行数"), "lines", "value", "up",
        "purchase lines of the latest purchase; of two on a day those of the larger one", "no purchase", "orders",
        lambda _: _of_last("lines"), family="basket", neighbours=True,
    ),
    Feature(
        "first_order_spend", Text("amount of the first order", "首单金额"), "money", "value", "up",
        "spend of the first purchase; the smaller one of two on a day", "no purchase", "orders",
        lambda _: _of_first("spend"), family="order_value", neighbours=True,
    ),
    Feature(
        "last_order_ratio", Text("last order against the average", "最近订单与平均订单之比"), "ratio", "potential",
        "up",
        "last_order_spend / average_order_value", NONE, "derived",
        lambda _: ratio_of("last_order_spend", "average_order_value"),
        needs=("last_order_spend", "average_order_value"),
        family="order_value",
    ),
    Feature(
        "largest_order_ratio", Text("largest order against the average", "最大订单与平均订单之比"), "ratio",
        "stability",
        "none", "largest_order / average_order_value", NONE, "derived",
        lambda _: ratio_of("largest_order", "average_order_value"), needs=("largest_order", "average_order_value"),
        family="order_value",
    ),
    Feature(
        "return_orders", Text("returns in the window", "窗口内退货次数"), "orders", "stability", "down",
        "orders with a return in the observed window", "", "orders", _return_orders, family="returns",
    ),
    Feature(
        "return_rate", Text("returns an order", "每单退货次数"), "ratio", "stability", "down",
        "return_orders / frequency", NONE, "derived", lambda _: ratio_of("return_orders", "frequency"),
        needs=("return_orders", "frequency"), family="returns",
    ),
)  # fmt: skip
