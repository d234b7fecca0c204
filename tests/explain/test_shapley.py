"""Exact Shapley values: the mean over all orders in which inputs arrive, and the four laws that name them alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations, product

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierlens.explain.shapley import MOST, Subset, exact_shapley

Floats = npt.NDArray[np.float64]
Game = Callable[[Subset], Floats]
few = settings(max_examples=30, deadline=None)
INPUTS = st.integers(2, 5)
SEEDS = st.integers(0, 10_000)


def random_game(seed: int, inputs: int, rows: int = 3) -> Game:
    """A value of each row for every subset, without any structure."""
    drawn = np.random.default_rng(seed).normal(size=(2**inputs, rows))
    table = dict(zip(product((False, True), repeat=inputs), drawn, strict=True))
    return lambda subset: table[subset]


def by_orders(game: Game, inputs: int) -> Floats:
    """The definition: what each input adds when it arrives, over all orders."""
    orders = list(permutations(range(inputs)))
    shares = np.zeros((len(game((False,) * inputs)), inputs))
    for order in orders:
        here = [False] * inputs
        for one in order:
            before = game(tuple(here))
            here[one] = True
            shares[:, one] += (game(tuple(here)) - before) / len(orders)
    return shares


@few
@given(SEEDS, INPUTS)
def test_shares_are_the_mean_over_all_orders_and_sum_to_the_whole(seed: int, inputs: int) -> None:
    game = random_game(seed, inputs)
    shares, nothing = exact_shapley(game, inputs)
    np.testing.assert_allclose(shares, by_orders(game, inputs), atol=1e-12)
    np.testing.assert_array_equal(nothing, game((False,) * inputs))
    np.testing.assert_allclose(nothing + shares.sum(axis=1), game((True,) * inputs), atol=1e-12)


@few
@given(SEEDS, INPUTS, st.data())
def test_an_input_that_changes_nothing_gets_nothing(seed: int, inputs: int, data: st.DataObject) -> None:
    dummy = data.draw(st.integers(0, inputs - 1))
    inner = random_game(seed, inputs)
    shares, _ = exact_shapley(lambda is_own: inner((*is_own[:dummy], False, *is_own[dummy + 1 :])), inputs)
    np.testing.assert_allclose(shares[:, dummy], 0.0, atol=1e-12)


@few
@given(SEEDS, INPUTS)
def test_inputs_that_do_the_same_get_the_same(seed: int, inputs: int) -> None:
    inner = random_game(seed, inputs)
    # Of the first two only how many are the row's own counts.
    shares, _ = exact_shapley(lambda is_own: inner((all(is_own[:2]), any(is_own[:2]), *is_own[2:])), inputs)
    np.testing.assert_allclose(shares[:, 0], shares[:, 1], atol=1e-12)


@few
@given(SEEDS, SEEDS, INPUTS, st.floats(-3, 3))
def test_shares_of_a_sum_are_sums_of_shares(one: int, other: int, inputs: int, times: float) -> None:
    first, second = random_game(one, inputs), random_game(other, inputs)
    both, _ = exact_shapley(lambda is_own: first(is_own) + times * second(is_own), inputs)
    apart = exact_shapley(first, inputs)[0] + times * exact_shapley(second, inputs)[0]
    np.testing.assert_allclose(both, apart, atol=1e-10)


@few
@given(SEEDS, INPUTS, st.data())
def test_the_order_of_inputs_changes_no_share(seed: int, inputs: int, data: st.DataObject) -> None:
    game, order = random_game(seed, inputs), data.draw(st.permutations(range(inputs)))
    mixed, _ = exact_shapley(lambda is_own: game(tuple(is_own[order.index(i)] for i in range(inputs))), inputs)
    np.testing.assert_allclose(mixed, exact_shapley(game, inputs)[0][:, order], atol=1e-12)


@pytest.mark.parametrize("inputs", [0, -1, MOST + 1])
def test_more_inputs_than_can_be_asked_about_are_refused(inputs: int) -> None:
    with pytest.raises(ValueError, match=f"{inputs} inputs: 1 to 12"):
        exact_shapley(lambda _: np.zeros(1), inputs)


def test_one_input_gets_all_and_nobody_gets_nothing() -> None:
    shares, nothing = exact_shapley(lambda is_own: np.array([3.0 if is_own[0] else 1.0]), 1)
    assert (shares.tolist(), nothing.tolist()) == ([[2.0]], [1.0])
    assert exact_shapley(lambda _: np.empty(0), 3)[0].shape == (0, 3)
