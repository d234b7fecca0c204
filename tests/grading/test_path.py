"""Every step is checked by taking it: the change leads to the tier, a smaller one does not."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.grading.conftest import on_duckdb, on_polars, random_customers
from tierlens.features.windows import Window
from tierlens.grading.columns import Columns, kinds_of
from tierlens.grading.evidence import Teller
from tierlens.grading.path import Step, path, tell
from tierlens.grading.reference import Reference, fit_reference
from tierlens.grading.roll_off import needed_before, roll_off
from tierlens.grading.scheme import Scheme, load_scheme
from tierlens.grading.scoring import grade
from tierlens.sources.tables import Currency, Tables

YUAN = Currency("CNY")
RATING = load_scheme("relationship_rating")


def arrow(table: pa.Table, scheme: Scheme, reference: Reference | None = None) -> pa.Table:
    return grade(on_polars(table), scheme, YUAN, reference).collect("pyarrow").to_native()


def after(
    table: pa.Table, scheme: Scheme, reference: Reference, changes: list[tuple[Step, Any]]
) -> list[dict[str, Any]]:
    """The tiers of copies of customers, each with one change."""
    rows = {(row["customer_id"], row["cutoff"]): row for row in table.to_pylist()}
    copies = [
        {**rows[step.customer_id, step.cutoff], step.feature: value, "customer_id": f"{n:06d}"}
        for n, (step, value) in enumerate(changes)
    ]
    graded = arrow(pa.Table.from_pylist(copies, schema=table.schema), scheme, reference)
    return graded.sort_by("customer_id").to_pylist()


def beyond(step: Step, scheme: Scheme) -> Any:
    """The value just short of what is needed."""
    if isinstance(step.needed, str):
        return None
    down = next((i.direction == "down" for _, i in scheme.indicators if i.feature == step.feature), False)
    # Points are rounded to nine places, so a step must be large enough to be seen on the scale of the values at hand.
    unit = 1 if isinstance(step.value, int) else max(abs(step.needed), abs(step.value), 1.0) * 1e-6
    return step.needed + (unit if down else -unit)


@pytest.mark.parametrize("name", ["relationship_rating", "tiered_management"])
@given(seed=st.integers(0, 10**6))
@settings(max_examples=6, deadline=None)
def test_every_step_leads_where_it_says_and_a_smaller_one_does_not(name: str, seed: int):
    scheme = load_scheme(name)
    table = random_customers(scheme, 40, seed).set_column(1, "cutoff", pa.array([7] * 40, pa.int32()))
    fitted = fit_reference(on_duckdb(table), scheme, YUAN)
    reference = Reference(fitted)
    graded = arrow(table, scheme, reference)
    percentiles = {i.feature for _, i in scheme.indicators if i.normalise and i.normalise.method == "percentile"}
    steps = [s for s in path(graded, table, scheme, YUAN, fitted) if s.way == "alone"]
    ranks = {tier.id: rank for rank, tier in enumerate(scheme.tiers, start=1)}
    taken = after(table, scheme, reference, [(step, step.needed) for step in steps])
    short = after(table, scheme, reference, [(step, beyond(step, scheme)) for step in steps])
    assert steps
    for step, done, missed in zip(steps, taken, short, strict=True):
        assert done["tier_rank"] is not None
        assert done["tier_rank"] <= ranks[step.tier], step
        exact = step.feature not in percentiles and not isinstance(step.needed, str)
        if exact and abs(step.score_needed or 0) > 1e-6:
            assert missed["tier_rank"] is None or missed["tier_rank"] > ranks[step.tier], step


@given(seed=st.integers(0, 10**6))
@settings(max_examples=6, deadline=None)
def test_changes_together_raise_the_tier(seed: int):
    table = random_customers(RATING, 40, seed).set_column(1, "cutoff", pa.array([7] * 40, pa.int32()))
    fitted = fit_reference(on_duckdb(table), RATING, YUAN)
    graded = arrow(table, RATING, Reference(fitted))
    steps = [s for s in path(graded, table, RATING, YUAN, fitted) if s.way == "together"]
    rows = {row["customer_id"]: dict(row) for row in table.to_pylist()}
    for step in steps:
        rows[step.customer_id][step.feature] = step.needed
    names = sorted({step.customer_id for step in steps})
    if names:
        changed = pa.Table.from_pylist([rows[name] for name in names], schema=table.schema)
        tiers = {row["customer_id"]: row["tier"] for row in arrow(changed, RATING, Reference(fitted)).to_pylist()}
        assert tiers == {step.customer_id: step.tier for step in steps}


UP, KEEP = "raise", "keep"
RULES = [
    (
        "five_step",
        {"monetary": 28160000, "frequency": 3},
        [(UP, "core", "monetary", 30000000), (KEEP, "development", "frequency", 1)],
    ),
    (
        "five_step",
        {"monetary": 45000000, "frequency": 3},
        [(UP, "strategic", "monetary", 100000000), (KEEP, "core", "monetary", 30000000)],
    ),
    ("five_step", {"monetary": 100000000, "frequency": 3}, [(KEEP, "strategic", "monetary", 100000000)]),
    (
        "relationship_guide",
        {"monetary": 50000000},
        [(UP, "high", "monetary", 50000001), (KEEP, "middle", "monetary", 10000000)],
    ),
    (
        "classification_standard",
        {"monetary": 100, "employees": 480},
        [(UP, "key", "monetary", 100000000), (UP, "key", "employees", 500)],
    ),
]


@pytest.mark.parametrize(("name", "values", "due"), RULES)
def test_tiers_by_rules_name_the_value_nearest_to_the_present_one(name, values, due):
    scheme = load_scheme(name)
    table = pa.table({"customer_id": ["a"], "cutoff": pa.array([7], pa.int32()), **{k: [v] for k, v in values.items()}})
    table = table.append_column("tenure_days", pa.array([400]))
    steps = path(arrow(table, scheme), table, scheme, YUAN)
    assert [(s.goal, s.tier, s.feature, s.needed) for s in steps] == due


def test_a_customer_without_a_tier_has_no_path():
    table = pa.table({"customer_id": ["a"], "cutoff": pa.array([7], pa.int32())})
    assert path(arrow(table, RATING), table, RATING, YUAN) == []


def test_steps_are_told_in_both_languages():
    teller = Teller(Columns(RATING, YUAN, {}), "zh")
    step = Step("a", 7, "raise", "B", 3.0, "together", "complaints", "complaints_12m", 9.0, 4, 1)
    assert tell(step, teller) == "投诉次数（近1年） 由 4 次 变为 1 次（减少 3 次），连同其他变化，等级升为B"
    english = Teller(Columns(RATING, YUAN, {}), "en")
    keep = Step("a", 7, "keep", "B", -3.0, "alone", "annual_amount", "monetary", 7.0, 60000000, 50000000)
    assert tell(keep, english) == "Annual amount may go from 600,000.00 CNY to 500,000.00 CNY without losing tier B"


def transactions(*rows: tuple[str, int, int]) -> Tables:
    """Customer, day, amount."""
    table = pa.table(
        {
            "customer_id": [row[0] for row in rows],
            "order_id": [f"o{n}" for n in range(len(rows))],
            "day": pa.array([row[1] for row in rows], pa.int32()),
            "known_day": pa.array([row[1] for row in rows], pa.int32()),
            "amount": pa.array([row[2] for row in rows], pa.int64()),
            "kind": ["purchase" if row[2] >= 0 else "return" for row in rows],
        }
    )
    return Tables(on_duckdb(table), YUAN)


def test_spend_rolls_out_of_the_window_day_by_day():
    tables = transactions(
        ("a", 640, 300), ("a", 650, 200), ("a", 990, 100), ("a", 1000, 999), ("a", 600, 5), ("b", 999, 7)
    )
    leaving = roll_off(tables, 1000, Window(observe=365, horizon=30)).to_pylist()
    assert leaving == [
        {"customer_id": "a", "cutoff": 1000, "day": 1006, "leaves": 300, "remains": 300, "days": 6},
        {"customer_id": "a", "cutoff": 1000, "day": 1016, "leaves": 200, "remains": 100, "days": 16},
    ]


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(600, 1010), st.integers(-50, 500)), min_size=1, max_size=30)
)
@settings(max_examples=15, deadline=None)
def test_what_remains_is_what_a_later_snapshot_would_see(rows):
    for row in roll_off(transactions(*rows), 1000, Window(observe=365, horizon=60)).to_pylist():
        seen = [amount for who, day, amount in rows if who == row["customer_id"] and day < 1000]
        days = [day for who, day, _ in rows if who == row["customer_id"] and day < 1000]
        assert row["remains"] == sum(a for a, day in zip(seen, days, strict=True) if 0 < row["day"] - day <= 365)


def test_only_the_customers_asked_for_are_looked_at():
    tables = transactions(("a", 640, 1), ("b", 640, 1))
    assert roll_off(tables, 1000, Window(), ["b"])["customer_id"].to_pylist() == ["b"]


def test_what_must_be_bought_and_by_when():
    tables = transactions(("a", 660, 20_000_00), ("a", 676, 15_000_00), ("a", 900, 290_000_00))
    scheme = load_scheme("five_step")
    table = pa.table(
        {"customer_id": ["a"], "cutoff": pa.array([1000], pa.int32()), "monetary": [325_000_00], "frequency": [3]}
    )
    steps = path(arrow(table, scheme), table, scheme, YUAN)
    (due,) = needed_before(steps, roll_off(tables, 1000, Window(observe=365, horizon=90)))
    assert (due["tier"], due["limit"], due["days"], due["needed"]) == ("core", 300_000_00, 42, 10_000_00)
    assert math.isclose(due["needed_at_end"], 10_000_00)
    assert kinds_of(table.schema)["monetary"] == "whole"
