"""The laws that every feature keeps: nothing from the cutoff on is seen, and what should not matter does not."""

from __future__ import annotations

import math
import random

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.tables_of import Row, tables_of, transaction_rows
from tierlens.features.catalog import CATALOG
from tierlens.features.snapshot import snapshots, to_arrow

CUTOFF = 800
MONEY = [name for name, feature in CATALOG.items() if feature.unit.startswith("money")]
law = settings(max_examples=20, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))


def built(rows: list[Row], cutoffs: list[int] | int = CUTOFF, **flags: bool) -> pa.Table:
    return to_arrow(snapshots(tables_of(rows, **flags), cutoffs, everyone=True))


def same(one: pa.Table, other: pa.Table) -> bool:
    """Whole numbers and names exactly; floats to 1e-12, as engines work floats out in blocks of several."""
    assert one.column_names == other.column_names
    for name in one.column_names:
        pairs = list(zip(one[name].to_pylist(), other[name].to_pylist(), strict=True))
        near = 1e-12 if pa.types.is_floating(one.schema.field(name).type) else 0.0
        for a, b in pairs:
            assert a == b or (near and None not in (a, b) and math.isclose(a, b, rel_tol=near)), name
    return one.num_rows == other.num_rows


@law
@given(transaction_rows(late=True), st.randoms(use_true_random=False))
def test_rows_from_the_cutoff_on_change_nothing(rows: list[Row], rng: random.Random) -> None:
    past = [row for row in rows if row["day"] < CUTOFF and row["known_day"] < CUTOFF]
    scrambled = [
        row if row in past else row | {"amount": rng.randrange(1, 9**9), "customer_id": rng.choice("abcdz")}
        for row in rows
    ]
    seen = built(rows)
    assert same(seen, built(past))
    assert same(seen, built(scrambled + [row | {"day": CUTOFF, "known_day": CUTOFF} for row in rows]))


@law
@given(transaction_rows(late=True), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(rows: list[Row], rng: random.Random) -> None:
    assert same(built(rows), built(rng.sample(rows, len(rows))))


@law
@given(transaction_rows(late=True))
def test_other_customers_change_nothing(rows: list[Row]) -> None:
    alone = built([row for row in rows if row["customer_id"] == "a"])
    together = built(rows)
    assert same(alone, together.filter(pa.compute.equal(together["customer_id"], "a")))


@law
@given(transaction_rows(late=True))
def test_names_of_customers_change_nothing(rows: list[Row]) -> None:
    renamed = built([row | {"customer_id": f"客户 {row['customer_id']}"} for row in rows])
    assert same(built(rows).drop(["customer_id"]), renamed.drop(["customer_id"]))


@law
@given(transaction_rows(late=True))
def test_ten_times_the_money_changes_money_tenfold_and_nothing_else(rows: list[Row]) -> None:
    once, ten = built(rows), built([row | {"amount": row["amount"] * 10} for row in rows])
    for name in once.column_names:
        expected = pa.compute.multiply(once[name], 10) if name in MONEY else once[name]
        pairs = zip(expected.to_pylist(), ten[name].to_pylist(), strict=True)
        assert all(a == b or a == pytest.approx(b, rel=1e-12) for a, b in pairs), name


@law
@given(transaction_rows(), st.lists(st.integers(300, 1200), min_size=1, max_size=4))
def test_a_cutoff_alone_gives_what_it_gives_among_others(rows: list[Row], cutoffs: list[int]) -> None:
    many = built(rows, cutoffs, late_rows=False)
    for cutoff in set(cutoffs):
        assert same(built(rows, cutoff), many.filter(pa.compute.equal(many["cutoff"], cutoff)))


@law
@given(transaction_rows(late=True))
def test_a_late_row_is_as_if_absent_until_it_is_recorded(rows: list[Row]) -> None:
    prompt = [row for row in rows if row["known_day"] < CUTOFF]
    assert same(built(prompt, late_rows=True), built(rows, late_rows=True))


@law
@given(transaction_rows())
def test_declaring_whole_orders_saves_work_and_changes_nothing(rows: list[Row]) -> None:
    orders = list({row["order_id"]: row for row in rows}.values())
    assert same(built(orders), built(orders, whole_orders=True, late_rows=False))


@law
@given(transaction_rows(late=True), st.integers(1, 200))
def test_looking_back_from_later_equals_waiting_with_nothing_happening(rows: list[Row], wait: int) -> None:
    known = [row for row in rows if row["day"] < CUTOFF and row["known_day"] < CUTOFF]
    waited = built(known, CUTOFF + wait)
    ahead = to_arrow(snapshots(tables_of(rows), CUTOFF, everyone=True, ahead=wait))
    assert same(waited.drop(["cutoff"]), ahead.drop(["cutoff"]))
    assert ahead["cutoff"].to_pylist() == [CUTOFF] * ahead.num_rows
