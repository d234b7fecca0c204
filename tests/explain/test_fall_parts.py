"""The push of the rule of a fall, shared among the margin and what each indicator loses."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierlens.explain.contributions import Contributions
from tierlens.explain.fall_parts import FALL, MARGIN, STILL, with_fall
from tierlens.explain.shapley import MOST

Floats = npt.NDArray[np.float64]
few = settings(max_examples=25, deadline=None)
SEEDS = st.integers(0, 10_000)
RULE = ("rule_p", "need")


def made(seed: int, indicators: int = 3, rows: int = 9) -> tuple[Contributions, Floats, dict[str, Floats]]:
    """Whole points, so that needs are often the same; pushes depend on the need alone."""
    rng = np.random.default_rng(seed)
    margin = rng.integers(0, 6, rows).astype(float)
    lost = {f"i{place}": rng.integers(-2, 5, rows).astype(float) for place in range(indicators)}
    need = sum(lost.values(), np.zeros(rows)) - margin
    pushes = np.column_stack([np.tanh(need / 3), 0.2 * need, rng.normal(size=rows)])
    return Contributions(pushes, -1.0, (*RULE, "coverage")), margin, lost


def by_orders(found: Contributions, margin: Floats, lost: dict[str, Floats]) -> Floats:
    """Customer by customer and order by order, between the needs that there are."""
    pushes = found.values[:, :2].sum(axis=1)
    total = sum(lost.values(), np.zeros(len(margin))) - margin
    known = dict(zip(total.tolist(), pushes.tolist(), strict=True))
    ladder = sorted(known)
    middle = sorted(margin.tolist())[(len(margin) - 1) // 2]
    shares = np.zeros((len(margin), 1 + len(lost)))
    orders = list(permutations(range(1 + len(lost))))
    for row in range(len(margin)):
        for order in orders:
            parts = [-middle, *(0.0 for _ in lost)]
            before = float(np.interp(sum(parts), ladder, [known[need] for need in ladder]))
            for one in order:
                parts[one] = -margin[row] if one == 0 else list(lost.values())[one - 1][row]
                after = float(np.interp(sum(parts), ladder, [known[need] for need in ladder]))
                shares[row, one] += (after - before) / len(orders)
                before = after
    return shares


@few
@given(SEEDS, st.integers(1, 3))
def test_shares_are_the_mean_over_all_orders_and_the_log_odds_stay(seed: int, indicators: int) -> None:
    found, margin, lost = made(seed, indicators)
    put = with_fall(found, RULE, margin, lost)
    np.testing.assert_allclose(put.log_odds(), found.log_odds(), atol=1e-9)
    assert not set(RULE) & set(put.names)
    assert put.names[:2] == ("coverage", MARGIN)
    np.testing.assert_array_equal(put.values[:, 0], found.values[:, 2])
    moved = {name: points for name, points in lost.items() if np.abs(points).sum() > STILL}
    assert put.names[2:] == tuple(FALL.format(name) for name in moved)
    np.testing.assert_allclose(put.values[:, 1:], by_orders(found, margin, moved), atol=1e-9)


@few
@given(SEEDS, st.permutations(range(3)))
def test_the_order_of_indicators_and_of_customers_changes_nothing(seed: int, order: list[int]) -> None:
    found, margin, lost = made(seed)
    names = [list(lost)[place] for place in order]
    one, other = with_fall(found, RULE, margin, lost), with_fall(found, RULE, margin, {n: lost[n] for n in names})
    for name in one.names:
        pair = (one.values[:, one.names.index(name)], other.values[:, other.names.index(name)])
        np.testing.assert_allclose(*pair, atol=1e-9)
    rows = np.random.default_rng(seed).permutation(len(margin))
    mixed = Contributions(found.values[rows], found.base[rows], found.names)
    again = with_fall(mixed, RULE, margin[rows], {name: points[rows] for name, points in lost.items()})
    np.testing.assert_allclose(again.values, one.values[rows], atol=1e-9)


def test_customers_of_one_need_and_one_make_up_get_the_same_shares() -> None:
    margin = np.array([2.0, 2.0, 1.0, 5.0])
    lost = {"a": np.array([3.0, 3.0, 2.0, 0.0]), "b": np.array([0.0, 0.0, 0.0, 1.0])}
    found = Contributions([[0.5], [0.5], [0.5], [-2.0]], 0.0, ("rule_p",))
    put = with_fall(found, ("rule_p",), margin, lost)
    assert put.values[0].tolist() == put.values[1].tolist()
    # Of the same need by another way: the sums are the same, the shares are not.
    assert put.log_odds()[2] == pytest.approx(put.log_odds()[0])
    assert put.values[2].tolist() != put.values[0].tolist()


def test_an_indicator_that_loses_nothing_of_anybody_is_not_named() -> None:
    found = Contributions([[1.0], [-1.0]], 0.0, ("rule_p",))
    put = with_fall(found, ("rule_p",), np.array([1.0, 3.0]), {"a": np.zeros(2), "b": np.array([1.0, 0.0])})
    assert put.names == (MARGIN, FALL.format("b"))
    alone = with_fall(found, ("rule_p",), np.array([1.0, 3.0]), {"a": np.zeros(2)})
    assert alone.names == (MARGIN,)
    np.testing.assert_allclose(alone.log_odds(), found.log_odds())


def test_of_more_indicators_than_can_be_shared_the_least_go_with_the_last() -> None:
    rng = np.random.default_rng(4)
    lost = {f"i{place}": np.array([place + 1.0, 0.0, 0.5]) for place in range(MOST + 2)}
    margin = rng.integers(0, 9, 3).astype(float)
    need = sum(lost.values(), np.zeros(3)) - margin
    found = Contributions(need[:, None] / 10, 0.0, ("rule_p",))
    put = with_fall(found, ("rule_p",), margin, lost)
    assert len(put.names) == MOST
    np.testing.assert_allclose(put.log_odds(), found.log_odds(), atol=1e-9)
    assert {FALL.format(f"i{place}") for place in (0, 1)}.isdisjoint(put.names)


def test_nobody_has_no_fall() -> None:
    put = with_fall(Contributions(np.empty((0, 2)), 0.0, RULE), RULE, np.empty(0), {"a": np.empty(0)})
    assert put.values.shape == (0, 1)
