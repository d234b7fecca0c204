"""An action changes what the snapshot of changed transactions would hold, and nothing that cannot be acted on."""

from __future__ import annotations

import dataclasses
from typing import Any

import pyarrow as pa
import pytest

from tests.grading.conftest import on_duckdb
from tierlens.datasets.examples import simulated_shop
from tierlens.features.snapshot import build_snapshots, to_arrow
from tierlens.grading.next_tier.actions import (
    ANSWERS,
    Action,
    action_effort,
    action_sizes,
    columns_needed,
    features_after,
    spread_sizes,
    usual_order,
    window_purchases,
)
from tierlens.grading.scheme.scheme import load_scheme, scheme_names
from tierlens.sources.tables import Tables, day_number

DAY = day_number("2025-10-01")
NAMES = [
    "spend", "monetary", "frequency", "average_order_value", "recency_days", "tenure_days", "amount_90", "amount_half",
    "amount_prev_90", "amount_before_prev_90", "amount_half_last_year", "amount_90_last_year", "spend_year",
    "spend_prev_year", "growth_yoy", "season_growth", "recent_share", "orders_180", "idle_months_6", "purchase_days",
    "repeat_rate", "products", "products_90", "new_products", "new_product_share",
]  # fmt: skip
"""All that purchases touch, and what lies beside it and must stay."""


@pytest.fixture(scope="module")
def shop() -> Tables:
    return simulated_shop(customers=150, seed=3).tables


def rows_at(tables: Tables) -> dict[str, dict[str, Any]]:
    table = to_arrow(build_snapshots(tables, [DAY], features=NAMES))
    return {row["customer_id"]: {name: row[name] for name in NAMES} for row in table.to_pylist()}


def alike(due: dict[str, Any], found: dict[str, Any], within: float) -> None:
    """Hold two rows against each other; what is missing must be missing in both."""
    assert {name for name in due if due[name] is None} == {name for name in found if found[name] is None}
    known = {name: value for name, value in due.items() if value is not None}
    assert known == pytest.approx({name: found[name] for name in known}, rel=within, abs=within)


def lines_of(tables: Tables) -> pa.Table:
    return tables.transactions.collect("pyarrow").to_native()


def with_lines(tables: Tables, lines: pa.Table) -> Tables:
    return dataclasses.replace(tables, transactions=on_duckdb(lines))


def added(tables: Tables, rows: dict[str, dict[str, Any]], orders: int) -> tuple[Tables, dict[str, int]]:
    """Append orders of goods of the last quarter on the day before the cutoff, for every customer."""
    lines = lines_of(tables)
    known = lines.to_pylist()
    recent: dict[str, Any] = {}
    for line in known:
        if line["kind"] == "purchase" and line["day"] < DAY and line["customer_id"] in rows:
            old = recent.get(line["customer_id"])
            recent[line["customer_id"]] = line if old is None or line["day"] >= old["day"] else old
    new, amounts = [], {}
    for name, line in recent.items():
        amounts[name] = usual_order(rows[name], orders)
        for n in range(orders):
            part = amounts[name] // orders + (amounts[name] % orders if n == 0 else 0)
            new.append({**line, "order_id": f"new{n}", "day": DAY - 1, "known_day": DAY - 1, "amount": part})
    return with_lines(tables, pa.concat_tables([lines, pa.Table.from_pylist(new, schema=lines.schema)])), amounts


@pytest.mark.parametrize("orders", [1, 3])
def test_orders_change_what_a_snapshot_with_them_would_hold(shop: Tables, orders: int):
    before = rows_at(shop)
    tables, amounts = added(shop, before, orders)
    after = rows_at(tables)
    seen = 0
    for name, row in before.items():
        due = features_after(row, Action("orders", orders))
        assert due is not None
        assert window_purchases(due) == window_purchases(row) + amounts[name]
        alike(due, after[name], 1e-12)
        seen += 1
    assert seen > 50


def test_less_changes_what_a_snapshot_of_smaller_orders_would_hold(shop: Tables):
    """Every amount of the window a thousand times larger, then halved: nothing is lost in rounding."""
    lines = lines_of(shop).to_pylist()
    wide = [{**line, "amount": line["amount"] * 1000} for line in lines]
    schema = lines_of(shop).schema
    before = rows_at(with_lines(shop, pa.Table.from_pylist(wide, schema=schema)))
    halved = [
        {**line, "amount": line["amount"] // 2}
        if DAY - 365 <= line["day"] < DAY and line["kind"] == "purchase"
        else line
        for line in wide
    ]
    after = rows_at(with_lines(shop, pa.Table.from_pylist(halved, schema=schema)))
    seen = 0
    for name, row in before.items():
        due = features_after(row, Action("less", row["spend"] // 2))
        if due is not None:
            alike(due, after[name], 1e-9)
            seen += 1
    assert seen > 50


def test_less_takes_no_amount_below_zero():
    row = {"monetary": 70, "spend": 100, "frequency": 4}
    assert features_after(row, Action("less", 70)) == {"monetary": 0, "spend": 30, "frequency": 4}
    assert features_after(row, Action("less", 71)) is None


CHANGES = [
    ({"interactions_6m": 3, "interactions_per_month": 0.5}, Action("contact", 3), {"interactions_per_month": 1.0}),
    (
        {"contracts_running": 2, "contracts_decided_2y": 1, "contracts_renewed_2y": 0, "renewal_rate": 0.0},
        Action("contract", 1),
        {"contracts_running": 1, "renewal_rate": 0.5},
    ),
    ({"contracts_running": 0}, Action("contract", 1), None),
    (
        {"tickets_judged_12m": 1, "satisfaction_points_12m": 3.0, "service_satisfaction": 3.0},
        Action("ticket", 1),
        {"service_satisfaction": 4.0},
    ),
    ({"overdue_amount": 500, "overdue_share": 0.2}, Action("overdue", 500), {"overdue_amount": 0, "overdue_share": 0}),
    ({"overdue_amount": 0, "overdue_share": 0.0}, Action("overdue", 0), None),
    ({"nps": None}, Action("answer", 80, "nps"), {"nps": 80}),
    ({"spend": 100, "frequency": 2, "growth_yoy": 0.1}, Action("orders", 1), None),
]


@pytest.mark.parametrize(("row", "action", "due"), CHANGES)
def test_each_action_changes_a_consistent_set_or_is_not_taken(row, action, due):
    after = features_after(row, action)
    assert after is None if due is None else {name: after[name] for name in due} == due


def test_ratings_move_to_words_that_the_scheme_knows():
    scheme = load_scheme("relationship_guide")
    sizes = {
        word: [ladder for ladder in action_sizes(scheme, {"dependence": word}, 365) if ladder[0].kind == "rate"]
        for word in ("one_of_several", "多家之一", "exclusive", "unheard-of")
    }
    assert [action.size for action in sizes["one_of_several"][0]] == ["primary", "exclusive"]
    assert [action.size for action in sizes["多家之一"][0]] == ["主要", "独家"]
    assert sizes["exclusive"] == sizes["unheard-of"] == []


@pytest.mark.parametrize("name", scheme_names())
def test_effort_grows_along_every_ladder(name: str):
    scheme = load_scheme(name)
    row = dict.fromkeys((*scheme.features, *columns_needed(scheme)))
    row |= {"spend": 1000, "monetary": 1000, "frequency": 5, "contracts_running": 3, "new_demand_fit": 4,
            "dependence": "trial"}  # fmt: skip
    for ladder in action_sizes(scheme, row, 365):
        efforts = [action_effort(row, action) for action in ladder]
        assert efforts == sorted(efforts)
        assert efforts[0] >= 0
        assert ladder[0].feature in {"", *ANSWERS, "new_demand_fit", "dependence", "new_business_likelihood"}


def test_sizes_are_whole_and_rise():
    assert spread_sizes(1) == [1]
    assert spread_sizes(10**9) == sorted(set(spread_sizes(10**9)))
