"""Every promise is kept: apply what is offered, grade everybody again, and the tier is the one that was said."""

from __future__ import annotations

from functools import cache

import pyarrow as pa
import pytest

from tests.grading.promises import CROWD, Asked, asked, counted, from_shop, only, table_of, tiers_after, ways
from tierlens.grading.next_tier.actions import Action, taken_all
from tierlens.grading.next_tier.next_tier import Offer
from tierlens.grading.scheme.scheme import Scheme, load_scheme, scheme_names
from tierlens.sources.declared.contracts import JUDGED


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


def held_to_its_promises(found: Asked) -> dict[str, int]:
    scheme, table, grades, offers = found.scheme, found.table, found.grades, found.offers
    rows = {row["customer_id"]: row for row in table.to_pylist()}
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


@cache
def of_the_shop(name: str) -> Asked:
    scheme = load_scheme(name)
    return asked(scheme, from_shop(scheme, "2025-10-01", 100))


@cache
def at_random(name: str) -> Asked:
    scheme = load_scheme(name)
    return asked(scheme, only(scheme, 60, 1))


@pytest.mark.parametrize("name", scheme_names())
def test_promises_to_random_customers_are_kept(name: str):
    found = held_to_its_promises(at_random(name))
    assert found["raise"] > 5
    assert found["limits"] > 5


@pytest.mark.parametrize("name", scheme_names())
def test_promises_to_customers_of_the_shop_are_kept(name: str):
    assert sum(held_to_its_promises(of_the_shop(name)).values()) > 20


@pytest.mark.slow
@pytest.mark.parametrize("name", scheme_names())
def test_promises_to_two_thousand_customers_are_kept(name: str):
    scheme = load_scheme(name)
    for seed in range(4):
        assert held_to_its_promises(asked(scheme, only(scheme, CROWD, 10 + seed)))["raise"] > 10
    seen = 0
    for cutoff in ("2025-10-01", "2025-07-01", "2025-04-01", "2025-01-01", "2024-10-01", "2024-07-01"):
        table = from_shop(scheme, cutoff, 400)
        held_to_its_promises(asked(scheme, table))
        seen += table.num_rows
    assert seen >= 1000


@pytest.mark.parametrize("name", scheme_names())
def test_nobody_is_left_without_a_way_where_there_is_one(name: str):
    """By brute force: own levers at their ends and between, alone and together, graded again with everybody."""
    found = of_the_shop(name).without_way() + at_random(name).without_way()
    assert found.empty == 0
    assert found.customers > 90
    assert found.tried > 50 or not found.without_way


def test_the_brute_force_finds_ways_that_there_are():
    scheme = load_scheme("five_step")
    row = {"customer_id": "C1", "cutoff": 1, "monetary": 28160000, "spend": 28160000, "frequency": 3,
           "average_order_value": 28160000 / 3}  # fmt: skip
    table = pa.Table.from_pylist([row]).set_column(1, "cutoff", pa.array([1], pa.int32()))
    tiers = tiers_after(table, scheme, [("C1", changed) for changed in ways(scheme, row)])
    assert set(tiers) == {"core", "strategic"}


def test_the_table_says_what_was_kept():
    scheme = load_scheme("five_step")
    lines = table_of({"five_step": counted(scheme, only(scheme, 30, 3))}).splitlines()
    assert lines[0].split() == ["scheme", "customers", "steps", "kept", "tried", "empty"]
    assert lines[1].split()[0] == "five_step"
    assert lines[1].split()[2] == lines[1].split()[3]
