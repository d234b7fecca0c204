"""Catalog entries of what a customer's own rhythm leads one to expect; ``features.seasonal_btyd`` computes them."""

from __future__ import annotations

import narwhals as nw

from tierlens.features.feature import Direction, Feature
from tierlens.features.windows import Window
from tierlens.words import Text


def _elsewhere(_: Window) -> nw.Expr:
    return nw.lit(None)


def _entry(name: str, title: Text, unit: str, direction: Direction, formula: str, missing: str = "") -> Feature:
    dimension, family = ("value", "order_value") if unit == "money" else ("loyalty", "rhythm")
    return Feature(name, title, unit, dimension, direction, formula, missing, "learned", _elsewhere, family=family)


EXPECTED: dict[str, Feature] = {
    entry.name: entry
    for entry in (
        _entry(
            "btyd_p0", Text("chance of no purchase by the own rhythm", "按自身节奏不再购买的概率"), "share", "down",
            "BG/NBD in days: probability of no purchase in the horizon",
        ),
        _entry(
            "mbg_p0", Text("chance of no purchase by the own rhythm (MBG)", "按自身节奏不再购买的概率（MBG）"), "share",
            "down", "MBG/NBD in days: probability of no purchase in the horizon",
        ),
        _entry(
            "btyd_expected", Text("purchase days expected in the horizon", "预测期内预期购买天数"), "days", "up",
            "BG/NBD in days: expected purchase days in the horizon",
        ),
        _entry(
            "mbg_expected", Text("purchase days expected in the horizon (MBG)", "预测期内预期购买天数（MBG）"), "days",
            "up", "MBG/NBD in days: expected purchase days in the horizon",
        ),
        _entry(
            "sea_p0", Text("chance of no purchase, by own rhythm and season", "按自身节奏与季节推算的不再购买概率"),
            "share", "down", "MBG/NBD in seasonal time: probability of no purchase in the horizon",
        ),
        _entry(
            "sea_expected", Text("purchase days expected, season counted in", "计入季节的预期购买天数"), "days", "up",
            "MBG/NBD in seasonal time: expected purchase days in the horizon",
        ),
        _entry(
            "sea_recency", Text("seasonal days since the last purchase", "距上次购买的季节天数"), "days", "down",
            "time since the last purchase, in days weighted by the season's volume of orders",
        ),
        _entry(
            "day_value_expected", Text("amount to expect on a purchase day", "单个购买日预期金额"), "money", "up",
            "gamma-gamma: expected spend of a purchase day, from spend_ever, spread over repeat_days + 1 days",
        ),
        _entry(
            "spend_expected", Text("purchases expected in the horizon", "预测期内预期购买金额"), "money", "up",
            "btyd_expected x day_value_expected",
        ),
    )
}  # fmt: skip
