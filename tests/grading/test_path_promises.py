"""Every promise is kept: apply what is offered, grade everybody again, and the tier is the one that was said."""

from __future__ import annotations

from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.grading.conftest import on_duckdb
from tests.grading.tied import tied_customers
from tierlens.features.catalog import available
from tierlens.features.snapshot import snapshots, to_arrow
from tierlens.grading.actions import Action, columns_needed, taken_all
from tierlens.grading.path import Offer, path
from tierlens.grading.scheme import Scheme, load_scheme, scheme_names
from tierlens.grading.scoring import grade
from tierlens.sources.contracts import JUDGED
from tierlens.sources.examples import simulated_shop
from tierlens.sources.tables import Currency, Tables

YUAN = Currency("CNY")
CROWD = 250
"""Customers of one population."""


@cache
def shop(customers: int) -> Tables:
    return simulated_shop(customers=customers, seed=7).tables


def from_shop(scheme: Scheme, cutoff: str, customers: int) -> pa.Table:
    names = available(shop(customers), {*scheme.features, *columns_needed(scheme)})
    return to_arrow(snapshots(shop(customers), [cutoff], features=names))


def graded(table: pa.Table, scheme: Scheme) -> pa.Table:
    return grade(on_duckdb(table), scheme, YUAN).collect("pyarrow").to_native()


def tiers_after(table: pa.Table, scheme: Scheme, changes: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    """Grade the whole population again, once for each change of one customer: a cutoff for each."""
    known = {row["customer_id"]: row for row in table.to_pylist()}
    tiers: list[Any] = []
    for start in range(0, len(changes), 400):
        pieces = []
        for number, (customer, values) in enumerate(changes[start : start + 400]):
            others = table.filter(pc.not_equal(table["customer_id"], customer))
            row = {**known[customer], **values}
            mine = pa.Table.from_pylist([{name: row[name] for name in table.column_names}], schema=table.schema)
            both = pa.concat_tables([others, mine])
            pieces.append(both.set_column(1, "cutoff", pa.array([number] * both.num_rows, pa.int32())))
        found = graded(pa.concat_tables(pieces), scheme).to_pylist()
        by_key = {(row["cutoff"], row["customer_id"]): row["tier"] for row in found}
        tiers += [by_key[n, customer] for n, (customer, _) in enumerate(changes[start : start + 400])]
    return tiers


def within_bounds(offer: Offer, scheme: Scheme) -> None:
    """Nothing leaves its bounds, nothing that cannot be acted on moves."""
    for name, value in offer.after.items():
        assert name not in ("tenure_days", "employees", "industry_growth", "expansion_2y", "on_time_share"), offer
        if isinstance(value, str):
            assert value in JUDGED[name], offer
        elif value is not None and name not in ("growth_yoy", "nps"):
            assert value >= 0, offer
        use = scheme.features.get(name)
        if use is not None and use.at_most is not None and value is not None:
            assert value <= float(use.at_most), offer
    if offer.after.get("average_order_value") is not None and "spend" in offer.after:
        orders = offer.after.get("frequency", offer.before.get("frequency"))
        if orders:
            assert offer.after["average_order_value"] == pytest.approx(offer.after["spend"] / orders)


def held_to_its_promises(scheme: Scheme, table: pa.Table, chosen: int | None = None) -> dict[str, int]:
    grades = graded(table, scheme)
    rows = {row["customer_id"]: row for row in table.to_pylist()}
    offers = path(grades.slice(0, chosen), table, scheme, YUAN)
    said = [offer for offer in offers if offer.goal != "none"]
    tiers = tiers_after(table, scheme, [(offer.customer_id, dict(offer.after)) for offer in said])
    ranks = {tier.id: rank for rank, tier in enumerate(scheme.tiers)}
    now = {row["customer_id"]: row["tier"] for row in grades.to_pylist()}
    for offer, tier in zip(said, tiers, strict=True):
        assert tier == offer.tier, offer
        within_bounds(offer, scheme)
        better = ranks[offer.tier] < ranks[now[offer.customer_id]]
        assert better == (offer.goal == "raise"), offer
    limits = [offer for offer in said if offer.limit]
    beyond = [
        (offer.customer_id, taken_all(rows[offer.customer_id], (Action("less", offer.actions[0].size + 1),)) or {})
        for offer in limits
    ]
    for offer, tier in zip(limits, tiers_after(table, scheme, beyond), strict=True):
        assert tier is None or ranks[tier] > ranks[now[offer.customer_id]], offer
    by_customer: dict[str, list[float]] = {}
    for offer in said:
        if offer.goal == "raise":
            by_customer.setdefault(offer.customer_id, []).append(offer.effort)
    assert all(efforts == sorted(efforts) for efforts in by_customer.values())
    goals = [offer.goal for offer in offers]
    return {goal: goals.count(goal) for goal in ("raise", "keep", "none")} | {"limits": len(limits)}


@pytest.mark.parametrize("name", scheme_names())
def test_promises_to_random_customers_are_kept(name: str):
    scheme = load_scheme(name)
    table = only(scheme, 120, 1)
    found = held_to_its_promises(scheme, table, 60)
    assert found["raise"] > 5
    assert found["limits"] > 5


@pytest.mark.parametrize("name", scheme_names())
def test_promises_to_customers_of_the_shop_are_kept(name: str):
    scheme = load_scheme(name)
    found = held_to_its_promises(scheme, from_shop(scheme, "2025-10-01", 300), 60)
    assert sum(found.values()) > 20


@pytest.mark.slow
@pytest.mark.parametrize("name", scheme_names())
def test_promises_to_two_thousand_customers_are_kept(name: str):
    scheme = load_scheme(name)
    for seed in range(4):
        assert held_to_its_promises(scheme, only(scheme, CROWD, 10 + seed))["raise"] > 10
    seen = 0
    for cutoff in ("2025-10-01", "2025-07-01", "2025-04-01", "2025-01-01", "2024-10-01", "2024-07-01"):
        table = from_shop(scheme, cutoff, 400)
        held_to_its_promises(scheme, table)
        seen += table.num_rows
    assert seen >= 1000


def only(scheme: Scheme, number: int, seed: int) -> pa.Table:
    """Random customers with the columns that the scheme and the path read."""
    table = tied_customers(scheme, number, seed)
    names = [name for name in (*scheme.features, *columns_needed(scheme)) if name in table.column_names]
    return table.select(["customer_id", "cutoff", *names])
