"""The way to a tier: what is offered, what is not, and how it is told."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.grading.conftest import on_duckdb, on_polars
from tierlens.features.windows import Window
from tierlens.grading.evidence import Teller
from tierlens.grading.feature_columns import Columns, kinds_of
from tierlens.grading.next_tier.actions import Action
from tierlens.grading.next_tier.next_tier import Offer, offer_sentence, path_to_tier
from tierlens.grading.next_tier.roll_off import needed_before, roll_off
from tierlens.grading.scheme.scheme import Scheme, load_scheme
from tierlens.grading.scoring import grade
from tierlens.sources.tables import Currency, Tables

YUAN = Currency("CNY")
RATING = load_scheme("relationship_rating")
FIVE = load_scheme("five_step")


def arrow(table: pa.Table, scheme: Scheme) -> pa.Table:
    return grade(on_polars(table), scheme, YUAN).collect("pyarrow").to_native()


def one(**values: Any) -> pa.Table:
    keys = {"customer_id": ["a"], "cutoff": pa.array([7], pa.int32())}
    return pa.table({**keys, **{name: [value] for name, value in values.items()}})


def offers(table: pa.Table, scheme: Scheme) -> list[Offer]:
    return path_to_tier(arrow(table, scheme), table, scheme, YUAN)


RULES = [
    (
        "five_step",
        {"monetary": 28160000, "frequency": 3},
        [("raise", "core", ("buy", 1840000)), ("raise", "core", ("orders", 1)),
         ("keep", "development", ("less", 28159997))],
    ),
    (
        "five_step",
        {"monetary": 45000000, "frequency": 3},
        [("raise", "strategic", ("buy", 55000001)), ("raise", "strategic", ("orders", 4)),
         ("keep", "core", ("less", 15000000))],
    ),
    ("five_step", {"monetary": 100000001, "frequency": 3}, []),
    (
        "relationship_guide",
        {"monetary": 50000000},
        [("raise", "high", ("buy", 1)), ("keep", "middle", ("less", 40000000))],
    ),
    ("classification_standard", {"monetary": 100, "employees": 480}, [("none", "key", None)]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "values", "due"), RULES)
def test_tiers_by_rules_name_the_least_purchase_and_the_most_that_may_be_lost(name, values, due):
    scheme = load_scheme(name)
    table = one(**values, tenure_days=400)
    found = [
        (o.goal, o.tier, (o.actions[0].kind, o.actions[0].size) if o.actions else None) for o in offers(table, scheme)
    ]
    assert found == due


def test_tied_values_move_together():
    table = one(monetary=28160000, frequency=3, recency_days=90, tenure_days=400)
    first, second, _ = offers(table, FIVE)
    assert first.after == {"monetary": 30000000, "frequency": 4, "recency_days": 1}
    assert second.after == {"monetary": 37546667, "frequency": 4, "recency_days": 1}
    assert second.before == {"monetary": 28160000, "frequency": 3, "recency_days": 90}


def test_what_cannot_be_acted_on_is_never_offered():
    names = ("tenure_days", "employees", "industry_growth", "expansion_2y", "complaints_12m", "spend_prev_year")
    table = one(monetary=60000000, frequency=4, tenure_days=400, industry_growth=0.1, complaints_12m=3, employees=3)
    for scheme in ("relationship_rating", "classification_standard", "tiered_management"):
        for offer in offers(table, load_scheme(scheme)):
            assert not set(names) & set(offer.after)


def test_growth_that_cannot_be_worked_out_bars_purchases():
    """Growth depends on half-years that the table does not hold: nothing is said of purchases."""
    table = one(monetary=60000000, frequency=4, growth_yoy=0.2, tenure_days=900)
    assert all(action.kind not in ("buy", "orders") for o in offers(table, RATING) for action in o.actions)


def test_a_column_without_values_offers_nothing_and_breaks_nothing():
    table = one(monetary=60000000, frequency=4, nps=None, new_demand_fit=None, tenure_days=400)
    assert all("nps" not in offer.after for offer in offers(table, load_scheme("relationship_guide")))


def test_a_customer_without_a_tier_has_no_path():
    table = one()
    assert path_to_tier(arrow(table, RATING), table, RATING, YUAN) == []


SENTENCES = [
    (
        Offer("a", 7, "raise", "B", (Action("orders", 2), Action("answer", 9, "recommend_score")), 0.5),
        "2 more orders of the usual size; Willingness to recommend (0-10): a new survey with 9: together they raise "
        "the tier to B (effort 0.50)",
        "按通常金额再下 2 单；推荐意愿（0-10分）：新调研得 9：合并后等级升为B（投入 0.50）",
    ),
    (
        Offer("a", 7, "raise", "B", (Action("contract", 1),), 0.25),
        "One running contract renewed and fulfilled in full raises the tier to B (effort 0.25)",
        "1 份在执行合同续约并全额履约，等级升为B（投入 0.25）",
    ),
    (
        Offer("a", 7, "keep", "B", (Action("less", 1000000),), 0.2, limit=True),
        "10,000.00 CNY less bought over the window (20%, as many orders) still keeps tier B; anything more loses it",
        "窗口内少买 10,000.00 CNY（20%，单数不变）仍保持B；再少即降级",
    ),
    (
        Offer("a", 7, "none", "A", effort=3.0),
        "No action that was tried raises the tier to A, alone or with the others (purchases: up to 3 times those of "
        "the window)",
        "已尝试的措施（单独或合并）均不能使等级升为A（购买额最多试至窗口内的 3 倍）",
    ),
]


@pytest.mark.parametrize(("offer", "english", "chinese"), SENTENCES)
def test_offers_are_told_in_both_languages(offer: Offer, english: str, chinese: str):
    columns = Columns(load_scheme("tiered_management"), YUAN, {})
    assert offer_sentence(offer, Teller(columns, "en")) == english
    assert offer_sentence(offer, Teller(columns, "zh")) == chinese


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


def test_the_gap_is_looked_over_too():
    """An outcome happens within gap + horizon; so does what costs a tier."""
    rows = [("a", 640, 1), ("a", 664, 2), ("a", 694, 3), ("a", 724, 4), ("a", 725, 5)]
    leaving = roll_off(transactions(*rows), 1000, Window(observe=365, gap=30, horizon=60))
    assert leaving["days"].to_pylist() == [6, 30, 60, 90]


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
    table = one(monetary=325_000_00, frequency=3).set_column(1, "cutoff", pa.array([1000], pa.int32()))
    found = offers(table, FIVE)
    (due,) = needed_before(found, roll_off(tables, 1000, Window(observe=365, horizon=90)))
    assert (due["tier"], due["limit"], due["days"], due["needed"]) == ("core", 300_000_00, 42, 10_000_00)
    assert due["needed_at_end"] == 10_000_00
    assert kinds_of(table.schema)["monetary"] == "whole"
