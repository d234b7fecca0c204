"""Rates, shares and ranks of the other tables: what counts and words say, however long the history is."""

from __future__ import annotations

import narwhals as nw

from tierlens.features.counted import YEAR, count_of
from tierlens.features.feature import Feature, ratio_of, rounded_whole
from tierlens.features.windows import trailing_rows
from tierlens.sources.declared.contracts import JUDGED
from tierlens.words import Text

MONTHS = 12.0


def _months_seen() -> nw.Expr:
    """Months since the first purchase, at most the twelve that the counts look at."""
    tenure = nw.col("tenure_days")
    return nw.when(tenure < YEAR).then(tenure).otherwise(YEAR).cast(nw.Float64) * (MONTHS / YEAR)


def _a_month(count: str) -> nw.Expr:
    return nw.when(nw.col("tenure_days") > 0).then(nw.col(count).cast(nw.Float64) / _months_seen())


def _rank(column: str, words: tuple[str, ...]) -> nw.Expr:
    """Give each word a number, 1 for the worst; the words are listed from the best down."""
    ranks: nw.Expr = nw.when(nw.col(column) == words[-1]).then(nw.lit(1.0))
    for number, word in enumerate(reversed(words[:-1]), start=2):
        ranks = nw.when(nw.col(column) == word).then(nw.lit(float(number))).otherwise(ranks)
    return ranks


def _ranked(name: str, title: Text, dimension: str) -> Feature:
    words = tuple(JUDGED[name])
    return Feature(
        f"{name}_rank", title, "points", dimension, "up",
        f"place of {name} among {', '.join(words)}: {len(words)} for the first, 1 for the last",
        f"{name} is missing, or another word", "derived", lambda _: _rank(name, words), needs=(name,),
        family="ratings", tables=("ratings",),
    )  # fmt: skip


def _rate(name: str, title: Text, count: str, family: str, table: str) -> Feature:
    dimension = {"complaints": "stability", "enquiries": "service", "interactions": "loyalty"}[family]
    return Feature(
        name, title, "a month", dimension, "down" if family == "complaints" else "up",
        f"{count} / months since the first purchase, at most 12", "no purchase yet", "derived",
        lambda _: _a_month(count), needs=(count, "tenure_days"), family=family, tables=(table,),
    )  # fmt: skip


FEATURES: tuple[Feature, ...] = (
    Feature(
        "tickets_12m", Text("tickets in the last year", "近一年工单数"), "times", "service", "none",
        "tickets in the 365 days before the cutoff", "", "tickets", lambda _: count_of(trailing_rows(YEAR)),
        family="enquiries", tables=("tickets",), without=0,
    ),
    Feature(
        "complaint_share", Text("share of tickets that are complaints", "投诉占工单比例"), "share", "stability", "down",
        "complaints_12m / tickets_12m", "no ticket in a year", "derived",
        lambda _: ratio_of("complaints_12m", "tickets_12m"),
        needs=("complaints_12m", "tickets_12m"), family="complaints",
        tables=("tickets",),
    ),
    _rate("complaint_rate", Text("complaints a month as a customer", "合作期月均投诉次数"), "complaints_12m",
          "complaints", "tickets"),
    _rate("enquiry_rate", Text("enquiries a month as a customer", "合作期月均咨询次数"), "enquiries_12m", "enquiries",
          "tickets"),
    _rate("visit_rate", Text("visits a month as a customer", "合作期月均拜访次数"), "visits_12m", "interactions",
          "interactions"),
    Feature(
        "amount_due_12m", Text("amount due in the last year", "近一年到期金额"), "money", "credit", "none",
        "sum of the amounts of invoices that fell due in the 365 days before the cutoff", "", "payments",
        lambda _: rounded_whole(nw.when(trailing_rows(YEAR)).then(nw.col("amount")).otherwise(0).sum()),
        family="payments",
        tables=("payments",), without=0,
    ),
    Feature(
        "overdue_share", Text("amount overdue against a year's amounts due", "逾期未付金额占全年到期金额"), "share",
        "credit", "down", "overdue_amount / amount_due_12m; above 1 where older invoices are open too",
        "nothing fell due in a year", "derived", lambda _: ratio_of("overdue_amount", "amount_due_12m"),
        needs=("overdue_amount", "amount_due_12m"), family="payments", tables=("payments",),
    ),
    _ranked("credit_rating", Text("rank of the credit rating", "信用评级名次"), "credit"),
    _ranked("financial_position", Text("rank of the financial position", "财务状况名次"), "credit"),
    _ranked("industry_outlook", Text("rank of the industry outlook", "行业发展前景名次"), "potential"),
    _ranked("new_business_likelihood", Text("rank of the likelihood of new business", "拓展新业务可能性名次"),
            "potential"),
    _ranked("dependence", Text("rank of the dependence", "依赖度名次"), "loyalty"),
)  # fmt: skip
