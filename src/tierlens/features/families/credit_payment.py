"""Credit: whether the customer pays on time and in full, and what others think of its finances."""

from __future__ import annotations

import narwhals as nw

from tierlens.features.counted import YEAR, count_of
from tierlens.features.families.judgements import rating_feature
from tierlens.features.feature import Direction, Feature, ratio_of, rounded_whole
from tierlens.features.windows import days_since, trailing_rows
from tierlens.words import Text

PAYMENTS = ("payments",)
NONE = "no invoice fell due in a year"


def _on_time() -> nw.Expr:
    """Invoices that were paid in full by the day they fell due, as far as was known."""
    paid = (nw.col("paid_day") <= nw.col("day")) & (nw.col("paid_amount") >= nw.col("amount"))
    return trailing_rows(YEAR) & paid.fill_null(False)


def _days_late() -> nw.Expr:
    """Days from the due day to the payment; to the cutoff where none is known; 0 where it was in time."""
    until_paid = nw.col("paid_day") - nw.col("day")
    late = nw.when(nw.col("paid_day").is_null()).then(days_since("day")).otherwise(until_paid).cast(nw.Int64)
    return nw.when(trailing_rows(YEAR) & (late > 0)).then(late).otherwise(0)


def _unpaid() -> nw.Expr:
    open_part = nw.col("amount") - nw.col("paid_amount").fill_null(0)
    return rounded_whole(nw.when(open_part > 0).then(open_part).otherwise(0).sum())


def _payment(
    name: str,
    title: Text,
    unit: str,
    direction: Direction,
    formula: str,
    build: nw.Expr,
    without: int | None = 0,
) -> Feature:
    return Feature(
        name, title, unit, "credit", direction, formula, "", "payments", lambda _: build, family="payments",
        tables=PAYMENTS, without=without,
    )  # fmt: skip


FEATURES: tuple[Feature, ...] = (
    _payment(
        "invoices_due_12m", Text("invoices due in the last year", "近一年到期账单数"), "times", "none",
        "invoices that fell due in the 365 days before the cutoff", count_of(trailing_rows(YEAR)),
    ),
    _payment(
        "invoices_on_time_12m", Text("invoices paid on time in the last year", "近一年按时付款账单数"), "times", "up",
        "those of them that were paid in full by the day they fell due", count_of(_on_time()),
    ),
    Feature(
        "on_time_share", Text("share of payments on time and in full", "按时足额付款比例"), "share", "credit", "up",
        "invoices_on_time_12m / invoices_due_12m", NONE, "derived",
        lambda _: ratio_of("invoices_on_time_12m", "invoices_due_12m"),
        needs=("invoices_on_time_12m", "invoices_due_12m"),
        family="payments", tables=PAYMENTS,
    ),
    Feature(
        "late_share", Text("share of payments late or short", "逾期或不足额付款比例"), "share", "credit", "down",
        "1 - on_time_share", NONE, "derived", lambda _: 1.0 - nw.col("on_time_share"), needs=("on_time_share",),
        family="payments", tables=PAYMENTS,
    ),
    _payment(
        "days_late_12m", Text("days late in the last year, in sum", "近一年累计逾期天数"), "days", "down",
        "sum over those invoices of the days from the due day to the payment, or to the cutoff where none is known",
        rounded_whole(_days_late().sum()),
    ),
    Feature(
        "days_late_mean", Text("days late, on average", "平均逾期天数"), "days", "credit", "down",
        "days_late_12m / invoices_due_12m", NONE, "derived", lambda _: ratio_of("days_late_12m", "invoices_due_12m"),
        needs=("days_late_12m", "invoices_due_12m"), family="payments", tables=PAYMENTS,
    ),
    _payment(
        "days_late_longest", Text("longest delay of a payment in the last year", "近一年最长逾期天数"), "days", "down",
        "largest of those days", rounded_whole(_days_late().max()),
    ),
    _payment(
        "overdue_amount", Text("amount overdue", "逾期未付金额"), "money", "down",
        "of all invoices due before the cutoff, the part that was not paid by then", _unpaid(),
    ),
    rating_feature(
        "credit_rating", "credit_rating", Text("external credit rating", "信用评级"), "text", "credit", "up",
    ),
    rating_feature(
        "financial_position", "financial_position", Text("financial position", "财务状况"), "text", "credit", "up",
    ),
)  # fmt: skip
