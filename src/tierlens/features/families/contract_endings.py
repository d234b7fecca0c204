"""Stability beyond purchases: how contracts end, and how often one is in touch. From contracts and interactions."""

from __future__ import annotations

import narwhals as nw

from tierlens.features.counted import HALF_YEAR, YEAR, count_of, is_kind, parts_of
from tierlens.features.families.event_rows import TWO_YEARS
from tierlens.features.feature import Direction, Feature, ratio_of, rounded_whole
from tierlens.features.windows import days_since, trailing_rows
from tierlens.words import Text

CONTRACTS, INTERACTIONS = ("contracts",), ("interactions",)


def _ended(column: str) -> nw.Expr:
    return trailing_rows(TWO_YEARS, of="end_day") & ~nw.col(column).is_null()


def _contract(name: str, title: Text, formula: str, condition: nw.Expr, direction: Direction = "none") -> Feature:
    return Feature(
        name, title, "times", "stability", direction, formula, "", "contracts", lambda _: count_of(condition),
        family="contracts", tables=CONTRACTS, without=0,
    )  # fmt: skip


def _running() -> nw.Expr:
    """Contracts that have begun and not ended: an end from the cutoff on, or none, was agreed when it was signed."""
    over = trailing_rows(1 << 20, of="end_day").fill_null(False)
    return ~over


FEATURES: tuple[Feature, ...] = (
    _contract(
        "contracts_decided_2y", Text("contracts that ended in the last 2 years", "近2年到期合同数"),
        "contracts whose last day lies in the 730 days before the cutoff and of which it is known whether they were "
        "renewed", _ended("renewed"),
    ),
    _contract(
        "contracts_renewed_2y", Text("contracts renewed in the last 2 years", "近2年续约合同数"),
        "those of them that were renewed", _ended("renewed") & nw.col("renewed"), "up",
    ),
    Feature(
        "renewal_rate", Text("renewal rate", "续约率（近2年）"), "share", "stability", "up",
        "contracts_renewed_2y / contracts_decided_2y", "no contract ended in 2 years", "derived",
        lambda _: ratio_of("contracts_renewed_2y", "contracts_decided_2y"),
        needs=("contracts_renewed_2y", "contracts_decided_2y"), family="contracts", tables=CONTRACTS,
    ),
    _contract(
        "contracts_judged_2y", Text("contracts with known fulfilment in the last 2 years", "近2年已评估履约合同数"),
        "contracts whose last day lies in the 730 days before the cutoff and whose fulfilment is known",
        _ended("fulfilled"),
    ),
    Feature(
        "fulfilment_sum_2y", Text("sum of shares fulfilled", "履约率之和"), "share", "stability", "none",
        "sum of the shares fulfilled of those contracts, each rounded to 2^-20", "", "contracts",
        lambda _: parts_of("fulfilled", _ended("fulfilled")), family="contracts", tables=CONTRACTS, without=0,
    ),
    Feature(
        "contract_fulfilment", Text("contract fulfilment rate", "合同履约率"), "share", "stability", "up",
        "fulfilment_sum_2y / contracts_judged_2y", "no contract ended in 2 years", "derived",
        lambda _: ratio_of("fulfilment_sum_2y", "contracts_judged_2y"),
        needs=("fulfilment_sum_2y", "contracts_judged_2y"),
        family="contracts", tables=CONTRACTS,
    ),
    _contract(
        "contracts_running", Text("running contracts", "在执行合同数"),
        "contracts that began before the cutoff and do not end before it", _running(), "up",
    ),
    Feature(
        "interactions_6m", Text("interactions in the last half-year", "近半年互动次数"), "times", "loyalty", "up",
        "interactions in the 182 days before the cutoff", "", "interactions",
        lambda _: count_of(trailing_rows(HALF_YEAR)),
        family="interactions", tables=INTERACTIONS, without=0,
    ),
    Feature(
        "interactions_per_month", Text("interactions a month", "月均互动次数"), "a month", "loyalty", "up",
        "interactions_6m / 6", "", "derived", lambda _: nw.col("interactions_6m").cast(nw.Float64) / 6.0,
        needs=("interactions_6m",), family="interactions", tables=INTERACTIONS,
    ),
    Feature(
        "visits_12m", Text("visits in the last year", "近一年拜访次数"), "times", "loyalty", "up",
        "interactions of kind visit in the 365 days before the cutoff", "", "interactions",
        lambda _: count_of(is_kind("visit", YEAR)), family="interactions", tables=INTERACTIONS, without=0,
    ),
    Feature(
        "days_since_contact", Text("days since the last interaction", "距最近一次互动天数"), "days", "loyalty", "down",
        "cutoff - day of the last interaction", "no interaction", "interactions",
        lambda _: rounded_whole(days_since("day").min()), family="interactions", tables=INTERACTIONS,
    ),
)  # fmt: skip
