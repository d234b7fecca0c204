"""Movement sums up: histories, matrices, and changes of score to the ninth place."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.grading.conftest import on_duckdb, on_polars, random_customers
from tests.grading.test_path import transactions
from tierlens.errors import UsageError
from tierlens.features.snapshot import to_arrow
from tierlens.grading.moved import moved_customers
from tierlens.grading.movement import contributions_of, effective_weights, score_change, tier_history, tier_migration
from tierlens.grading.scheme.scheme import load_scheme
from tierlens.grading.scoring import grade
from tierlens.grading.triggers import fired_triggers, rows_behind
from tierlens.sources.tables import Currency, Tables

YUAN = Currency("CNY")
RATING = load_scheme("relationship_rating")
FIRST, SECOND = 15126, 15156


def two_cutoffs(seed: int, number: int = 60, name: str = "relationship_rating") -> pa.Table:
    """The same customers at two cutoffs, with other values, some of them at one only."""
    scheme = load_scheme(name)
    table = random_customers(scheme, number, seed)
    ids = pa.array([f"C{n // 2 + n % 7 // 6:04d}-{n % 7 // 6}" for n in range(number)])
    return grade(on_polars(table.set_column(0, "customer_id", ids)), scheme, YUAN).collect("pyarrow").to_native()


@pytest.mark.parametrize("name", ["relationship_rating", "tiered_management", "relationship_guide"])
@given(seed=st.integers(0, 10**6))
@settings(max_examples=8, deadline=None)
def test_contributions_sum_to_the_score(name: str, seed: int):
    graded = two_cutoffs(seed, name=name)
    total = np.sum(list(contributions_of(graded, load_scheme(name)).values()), axis=0)
    score = graded["score"].to_numpy()
    assert np.allclose(total, score, atol=6e-10, rtol=0, equal_nan=True)
    weights = np.sum(list(effective_weights(graded, load_scheme(name)).values()), axis=0)
    assert np.allclose(weights[~np.isnan(score)], 1, atol=1e-12)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=8, deadline=None)
def test_a_change_of_score_is_decomposed_to_nine_places(seed: int):
    graded = two_cutoffs(seed)
    change = score_change(graded, RATING, FIRST, SECOND)
    rows = change.to_pylist()
    assert [row["customer_id"] for row in rows] == sorted(row["customer_id"] for row in rows)
    for row in rows:
        parts = sum(row[f"by_{i.id}"] for _, i in RATING.indicators)
        groups = sum(row[f"by_dimension_{d.id}"] for d in RATING.dimensions)
        assert abs(parts - row["change"]) <= 1.1e-9
        assert abs(groups - row["change"]) <= 1.1e-9
        assert abs(row["score_after"] - row["score_before"] - row["change"]) < 1e-12


def test_one_indicator_that_moves_takes_the_whole_change():
    table = pa.table(
        {
            "customer_id": ["a", "a"],
            "cutoff": pa.array([1, 2], pa.int32()),
            "points_annual_amount": [3.0, 10.0],
            "points_tenure": [5.0, 5.0],
        }
    )
    graded = grade(on_duckdb(table), RATING, YUAN).collect("pyarrow").to_native()
    (row,) = score_change(graded, RATING, 1, 2).to_pylist()
    assert row["by_annual_amount"] == pytest.approx(row["change"], abs=1e-9)
    assert row["by_tenure"] == 0
    assert row["by_dimension_value"] == pytest.approx(100 * 0.30 / 0.55 * 0.7, abs=1e-9)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=8, deadline=None)
def test_the_matrix_counts_everybody_once(seed: int):
    graded = two_cutoffs(seed)
    matrix = tier_migration(graded, RATING, FIRST, SECOND)
    assert matrix.column_names == ["tier", "A", "B", "C", "D", "-"]
    assert matrix["tier"].to_pylist() == ["A", "B", "C", "D", "-"]
    cells = sum(sum(matrix[name].to_pylist()) for name in matrix.column_names[1:])
    assert cells == len(set(graded["customer_id"].to_pylist()))
    before = [row["tier"] for row in graded.to_pylist() if row["cutoff"] == FIRST]
    row_sums = [sum(matrix[name].to_pylist()[n] for name in matrix.column_names[1:]) for n in range(4)]
    assert row_sums == [before.count(tier) for tier in "ABCD"]


def test_a_cutoff_that_nobody_was_graded_at_is_told():
    with pytest.raises(UsageError, match="E-US-006: nobody was graded at 1970-01-08; there are 2011-06-01, 2011-07-01"):
        tier_migration(two_cutoffs(1), RATING, 7, FIRST)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=8, deadline=None)
def test_a_history_chains(seed: int):
    rows = tier_history(two_cutoffs(seed)).to_pylist()
    assert rows == sorted(rows, key=lambda row: (row["customer_id"], row["cutoff"]))
    for before, after in pairwise(rows):
        if before["customer_id"] == after["customer_id"]:
            assert (after["last_cutoff"], after["last_tier"]) == (before["cutoff"], before["tier"])
            if before["tier_rank"] and after["tier_rank"]:
                assert after["moved"] == before["tier_rank"] - after["tier_rank"]
        else:
            assert after["last_cutoff"] is None
            assert after["moved"] is None


def test_triggers_come_with_values_and_transactions():
    features = pa.table(
        {
            "customer_id": ["a", "b"],
            "cutoff": pa.array([1000, 1000], pa.int32()),
            "amount_90": [70, 100],
            "amount_prev_90": [100, 100],
        }
    )
    tables = transactions(("a", 850, 100), ("a", 950, 70), ("a", 819, 5), ("a", 1000, 8), ("b", 950, 100))
    graded = grade(on_duckdb(features), RATING, YUAN).collect("pyarrow").to_native()
    (row,) = fired_triggers(graded, features, RATING, YUAN, "en").to_pylist()
    assert (row["customer_id"], row["trigger"], row["source"]) == ("a", "amount_down", "更新机制：交易额下降30%")
    assert row["because"] == (
        "Amount of the 90 days before those 1.00 CNY is above 0 CNY and "
        "Amount of the last 90 days 0.70 CNY is at most 0.70 times Amount of the 90 days before those"
    )
    # Both tables must live in one engine.
    polars = Tables(on_polars(tables.transactions.collect("pyarrow").to_native()), YUAN)
    rows = rows_behind(polars, on_polars(graded), RATING.triggers[0]).collect("pyarrow").to_native()
    assert sorted(rows["amount"].to_pylist()) == [70, 100]
    unlimited = RATING.triggers[0].model_copy(update={"rows_days": None})
    everything = rows_behind(polars, on_polars(graded), unlimited).collect("pyarrow").to_native()
    assert sorted(everything["amount"].to_pylist()) == [5, 70, 100]


def test_data_that_came_or_went_are_named_where_they_moved_the_weights():
    money, scheme = Currency("CNY"), load_scheme("relationship_rating")
    others = [i.id for _, i in scheme.indicators if i.id != "annual_amount"][:4]
    title = next(i.title.en for _, i in scheme.indicators if i.id == others[0])
    for later, said in ((2, "Data that were not there before ("), (0, "Data that are there no more (")):
        table = pa.table({
            "customer_id": ["C1", "C1"], "cutoff": pa.array([1, later], pa.int32()), "monetary": [60_000_000] * 2,
            **{f"points_{name}": pa.array([None, 2.0]) for name in others},
        })  # fmt: skip
        graded = to_arrow(grade(table, scheme, money))
        (move,) = moved_customers(graded, table, scheme, money, (min(1, later), max(1, later)), "en")
        assert ((move.tiers_gained or 0) < 0) is (later == 2)
        assert move.reasons[0].startswith(said)
        assert title in move.reasons[0]
        assert "points 7 as before; weight" in move.reasons[1]
