"""The product mix: axes that tell baskets apart, and customers placed on them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tables_of import purchase, tables_of
from tierlens.features.product_mix import learn_mix, product_mix
from tierlens.features.snapshot import build_snapshots, to_arrow

GARDEN = [f"garden{n}" for n in range(8)]
KITCHEN = [f"kitchen{n}" for n in range(8)]


def shop_rows(customers=40, seed=0):
    """Half of the customers buy for the garden, half for the kitchen."""
    rng = np.random.default_rng(seed)
    rows = []
    for customer in range(customers):
        shelf = GARDEN if customer % 2 else KITCHEN
        for line in range(6):
            row = purchase(f"c{customer:02d}", f"{customer}-{line}", 100 + 30 * line, 10, product_id=rng.choice(shelf))
            rows.append(row)
    return rows


def test_axes_tell_two_kinds_of_basket_apart():
    tables = tables_of(shop_rows())
    axes = learn_mix(tables, 300, factors=2)
    found = product_mix(tables, 300, axes)
    garden = np.array([int(name[1:]) % 2 == 1 for name in found["customer_id"].to_pylist()])
    places = np.column_stack([found[name].to_numpy() for name in axes.names])
    best = max(abs(places[garden, at].mean() - places[~garden, at].mean()) for at in range(2))
    assert best > 0.5
    assert np.abs(places).max() <= 1 + 1e-9


def test_axes_are_orthonormal_and_their_signs_settled():
    axes = learn_mix(tables_of(shop_rows()), 300, factors=4).axes
    assert axes.T @ axes == pytest.approx(np.eye(4), abs=1e-9)
    assert (axes[np.abs(axes).argmax(axis=0), range(4)] > 0).all()


def test_the_rows_are_those_of_snapshots():
    tables = tables_of([*shop_rows(), purchase("new", "n", 250, 5, product_id=None)])
    found = product_mix(tables, [200, 300], learn_mix(tables, 300, factors=3))
    beside = to_arrow(build_snapshots(tables, [200, 300], features=["frequency"]))
    assert found.select(["customer_id", "cutoff"]).equals(beside.select(["customer_id", "cutoff"]))
    unknown = found.filter(np.array([name == "new" for name in found["customer_id"].to_pylist()]))
    assert [unknown[name].to_pylist() for name in ("mix_1", "mix_2", "mix_3")] == [[0.0]] * 3


def test_the_future_and_the_order_of_rows_change_nothing():
    rows = shop_rows()
    past = [row for row in rows if row["day"] < 230]
    moved = [rows[place] for place in np.random.default_rng(1).permutation(len(rows))]
    axes = [learn_mix(tables_of(given), 230, factors=3) for given in (rows, past, moved)]
    assert all(other.products == axes[0].products for other in axes)
    assert all((other.axes == axes[0].axes).all() for other in axes)
    found = [product_mix(tables_of(given), 230, axes[0]) for given in (rows, past, moved)]
    assert all(other.equals(found[0]) for other in found[1:])


def test_buying_a_product_twice_changes_nothing():
    rows = shop_rows()
    axes = learn_mix(tables_of(rows), 300, factors=3)
    again = [*rows, *(row | {"order_id": row["order_id"] + "b"} for row in rows)]
    assert product_mix(tables_of(again), 300, axes).equals(product_mix(tables_of(rows), 300, axes))


def test_without_products_there_are_no_axes():
    rows = [row | {"product_id": None} for row in shop_rows()]
    axes = learn_mix(tables_of(rows), 300)
    assert axes.names == ()
    assert product_mix(tables_of(rows), 300, axes).column_names == ["customer_id", "cutoff"]


def test_there_are_no_more_axes_than_products_allow():
    assert len(learn_mix(tables_of(shop_rows()), 300, factors=99).names) < 16
