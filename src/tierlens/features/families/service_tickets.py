"""Service: what the customer asks of us, complains of, and thinks of the answers. From tickets."""

from __future__ import annotations

import narwhals as nw

from tierlens.features.counted import HALF_YEAR, QUARTER, YEAR, count_of, is_kind, parts_of
from tierlens.features.feature import Direction, Feature, ratio_of, rounded_whole
from tierlens.features.windows import days_since, trailing_rows
from tierlens.words import Text

TICKETS = ("tickets",)
NONE = "no judged ticket in a year"


def _rated() -> nw.Expr:
    return trailing_rows(YEAR, of="rated_day") & ~nw.col("satisfaction").is_null()


def _major() -> nw.Expr:
    return is_kind("complaint", QUARTER) & (nw.col("severity") == "major").fill_null(False)


def _count(
    name: str,
    title: Text,
    formula: str,
    condition: nw.Expr,
    dimension: str = "service",
    direction: Direction = "up",
    family: str = "enquiries",
) -> Feature:
    return Feature(
        name, title, "times", dimension, direction, formula, "", "tickets", lambda _: count_of(condition),
        family=family, tables=TICKETS, without=0,
    )  # fmt: skip


FEATURES: tuple[Feature, ...] = (
    _count(
        "enquiries_12m", Text("enquiries in the last year", "近一年咨询次数"),
        "tickets of kind enquiry in the 365 days before the cutoff", is_kind("enquiry", YEAR),
    ),
    Feature(
        "enquiries_per_month", Text("enquiries a month", "月均售后咨询量"), "a month", "service", "up",
        "enquiries_12m / 12", "", "derived", lambda _: nw.col("enquiries_12m").cast(nw.Float64) / 12.0,
        needs=("enquiries_12m",), family="enquiries", tables=TICKETS,
    ),
    _count(
        "custom_requests_6m", Text("custom requests in the last half-year", "近半年定制化需求次数"),
        "tickets of kind custom in the 182 days before the cutoff", is_kind("custom", HALF_YEAR),
        family="custom_requests",
    ),
    _count(
        "complaints_12m", Text("complaints in the last year", "近一年投诉次数"),
        "tickets of kind complaint in the 365 days before the cutoff", is_kind("complaint", YEAR), "stability", "down",
        "complaints",
    ),
    _count(
        "major_complaints_90", Text("major complaints in the last 90 days", "近90天重大投诉次数"),
        "tickets of kind complaint and severity major in the 90 days before the cutoff", _major(), "stability", "down",
        "complaints",
    ),
    Feature(
        "days_since_complaint", Text("days since the last complaint", "距最近一次投诉天数"), "days", "stability", "up",
        "cutoff - day of the last ticket of kind complaint", "no complaint", "tickets",
        lambda _: rounded_whole(nw.when(nw.col("kind") == "complaint").then(days_since("day")).min()),
        family="complaints", tables=TICKETS,
    ),
    _count(
        "tickets_judged_12m", Text("judged tickets in the last year", "近一年已评价工单数"),
        "tickets whose satisfaction became known in the 365 days before the cutoff", _rated(), direction="none",
        family="satisfaction",
    ),
    Feature(
        "satisfaction_points_12m", Text("points of satisfaction in the last year", "近一年满意度总分"), "score",
        "service", "none", "sum of the satisfaction of those tickets, each rounded to 2^-20", "", "tickets",
        lambda _: parts_of("satisfaction", _rated()), family="satisfaction", tables=TICKETS, without=0,
    ),
    Feature(
        "service_satisfaction", Text("satisfaction with service response", "服务响应满意度"), "score", "service", "up",
        "satisfaction_points_12m / tickets_judged_12m, on the scale of the tickets (1-5)", NONE, "derived",
        lambda _: ratio_of("satisfaction_points_12m", "tickets_judged_12m"),
        needs=("satisfaction_points_12m", "tickets_judged_12m"), family="satisfaction", tables=TICKETS,
    ),
)  # fmt: skip
