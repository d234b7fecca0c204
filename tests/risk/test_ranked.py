"""Percentile ranks: curves, the compiled look-up beside NumPy's own, and a ranker that takes rows apart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierlens.risk.model import lookup
from tierlens.risk.model.ranks import KNOTS, SCALE, Curve, learn_curve, learn_curves, ranker_of, scaled_ranks

Floats = npt.NDArray[np.float64]
few = settings(max_examples=12, deadline=None)
WILD = st.floats(-1e6, 1e6, allow_nan=False)


def by_cells(values: Floats, curves: list[Curve]) -> Floats:
    """Look ranks up by the index, by the loop that is compiled where there are many rows; here it runs as it is."""
    index = lookup.index_of([curve.value for curve in curves], [curve.rank for curve in curves])
    run = lookup._loop(lookup._one)
    parts = (index.starts, index.knots, index.heights, index.cells, index.origin, index.scale)
    return np.asarray(run(values, *parts), dtype=np.float64)


@few
@given(st.lists(WILD, min_size=2, max_size=60, unique=True), st.lists(WILD, min_size=1, max_size=30))
def test_the_look_up_by_cells_is_numpys_interpolation(knots: list[float], asked: list[float]) -> None:
    curve = learn_curve(np.array(knots))
    # The knots themselves, and what lies a hair beside them, are where a wrong cell would show.
    beside = [np.nextafter(knot, side) for knot in knots for side in (-np.inf, np.inf)]
    values = np.array([*asked, *knots, *beside])
    found = by_cells(values.reshape(-1, 1), [curve]).ravel()
    assert found == pytest.approx(np.interp(values, curve.value, curve.rank), abs=1e-9)


@pytest.mark.parametrize("knots", [[3.0], [0.0, 5e-324], [-8e307, 8e307], [1.0, 1.0 + 2e-16], [0.0, 1e-300, 1.0]])
def test_spans_that_no_cells_divide_are_looked_up_too(knots: list[float]) -> None:
    curve = Curve(np.array(knots), np.linspace(-0.4, 0.4, len(knots)))
    found = by_cells(np.array(knots).reshape(-1, 1), [curve]).ravel()
    assert found == pytest.approx(curve.rank, abs=1e-12)


def test_each_column_is_looked_up_on_its_own_curve_and_what_is_missing_is_nothing() -> None:
    curves = [learn_curve(np.arange(5.0)), learn_curve(np.arange(5.0) * 1000)]
    values = np.array([[4.0, 0.0], [np.nan, 4000.0], [np.inf, -np.inf]])
    found = by_cells(values, curves)
    assert found.tolist() == [[pytest.approx(0.4), pytest.approx(-0.4)], [0.0, pytest.approx(0.4)], [0.0, 0.0]]


@few
@given(st.lists(st.integers(-8, 8), min_size=1, max_size=50))
def test_ranks_rise_with_values_and_mirror_when_signs_turn(column: list[int]) -> None:
    values = np.array(column, dtype=np.float64)
    curve, mirrored = learn_curve(values), learn_curve(-values)
    assert (np.diff(curve.rank) > 0).all()
    assert mirrored.rank[::-1] == pytest.approx(-curve.rank)
    mass = np.unique(values, return_counts=True)[1]
    assert mass @ curve.rank == pytest.approx(0.0, abs=1e-9)


def test_distinct_values_have_mean_nothing_and_variance_one_after_scaling() -> None:
    values = np.random.default_rng(0).permutation(4000.0 * np.arange(1000)).reshape(-1, 1)
    found = scaled_ranks(values, learn_curves(values))
    assert found.mean() == pytest.approx(0.0, abs=1e-9)
    assert found.std() == pytest.approx(1.0, abs=1e-3)
    assert np.abs(found).max() < SCALE / 2


def test_values_beyond_those_learned_from_stand_at_the_ends() -> None:
    curves = learn_curves(np.array([[1.0], [2.0], [3.0]]))
    found = scaled_ranks(np.array([[-9.0], [1.0], [2.5], [99.0]]), curves).ravel()
    assert found[0] == found[1]
    assert found[2] == pytest.approx(SCALE / 6)
    assert found[3] == -found[0]


def test_a_column_that_is_missing_throughout_ranks_nobody() -> None:
    values = np.full((3, 1), np.nan)
    assert scaled_ranks(values, learn_curves(values)).tolist() == [[0.0], [0.0], [0.0]]
    assert scaled_ranks(np.array([[5.0]]), learn_curves(values)).tolist() == [[0.0]]


def test_thinned_curves_keep_both_ends_and_their_order() -> None:
    curve = learn_curve(np.random.default_rng(1).exponential(size=5 * KNOTS) ** 4)
    assert len(curve.value) <= KNOTS
    assert (np.diff(curve.value) > 0).all()
    assert curve.rank[0] == pytest.approx(-0.5, abs=1e-3)
    assert curve.rank[-1] == pytest.approx(0.5, abs=1e-3)


@few
@given(st.integers(0, 1000))
def test_a_cutoff_is_ranked_by_its_own_rows_wherever_they_stand(seed: int) -> None:
    rng = np.random.default_rng(seed)
    days = rng.integers(0, 3, 90)
    values = rng.normal(size=(90, 2)) + 100 * days[:, None]
    found = ranker_of(values, days, learn_curves(values), fewest=1).ranks(values)
    for day in np.unique(days):
        here = days == day
        assert found[here] == pytest.approx(scaled_ranks(values[here], learn_curves(values[here])))
    order = rng.permutation(90)
    again = ranker_of(values[order], days[order], learn_curves(values), fewest=1).ranks(values[order])
    assert again == pytest.approx(found[order])


def test_rows_taken_from_a_ranker_keep_the_ranks_they_had() -> None:
    values, days = np.random.default_rng(2).normal(size=(40, 2)), np.repeat([7, 9], 20)
    ranker = ranker_of(values, days, learn_curves(values), fewest=10)
    whole, some = ranker.ranks(values), np.array([3, 25, 39])
    assert ranker.take(some).ranks(values[some]) == pytest.approx(whole[some])
    assert ranker.part(slice(15, 30)).ranks(values[15:30]) == pytest.approx(whole[15:30])
    alone = ranker_of(values, None, learn_curves(values))
    assert alone.take(some).ranks(values[some]) == pytest.approx(alone.ranks(values)[some])
