"""Lines and levels: what makes a line the best one, what weights mean, and shifts that meet a rate."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from tierlens.risk.model.level import forecast_rate, recent_mean, shift_to, shifts_by
from tierlens.risk.model.linear import Line, Rows, logit, ridge_logistic, sigmoid

Floats = npt.NDArray[np.float64]
SEEDS = st.integers(0, 10_000)
few = settings(max_examples=15, deadline=None)


def drawn(seed: int, rows: int = 60, columns: int = 3) -> Rows:
    """Rows with weights and offsets, some of each outcome."""
    rng = np.random.default_rng(seed)
    design, offset = rng.normal(size=(rows, columns)), rng.normal(size=rows)
    outcome = (rng.random(rows) < sigmoid(design[:, 0] + offset)).astype(np.float64)
    outcome[:2] = 0, 1
    return Rows(design, outcome, rng.integers(1, 4, rows).astype(np.float64), offset)


def missed(rows: Rows, line: Line) -> Floats:
    """Weighted distance of the line's probabilities from the outcomes."""
    chance = sigmoid(rows.offset + line.intercept + rows.design @ line.weights)
    return np.asarray(rows.weight * (chance - rows.outcome), dtype=np.float64)


# --- lines


@few
@given(SEEDS, st.sampled_from([0.5, 5.0, 200.0]))
def test_no_small_step_betters_the_line(seed: int, ridge: float) -> None:
    """The slope of the penalised loss is nothing in every direction; the intercept carries no penalty."""
    rows = drawn(seed)
    line = ridge_logistic(rows, ridge)
    assert missed(rows, line).sum() == pytest.approx(0.0, abs=1e-3)
    assert rows.design.T @ missed(rows, line) == pytest.approx(-ridge * line.weights, abs=1e-3)


@few
@given(SEEDS)
def test_whole_weights_count_as_copies_of_rows(seed: int) -> None:
    rows = drawn(seed)
    again = np.repeat(np.arange(60), rows.weight.astype(int))
    copied = Rows(rows.design[again], rows.outcome[again], np.ones(len(again)), rows.offset[again])
    one, two = ridge_logistic(rows, 2.0), ridge_logistic(copied, 2.0)
    assert one.weights == pytest.approx(two.weights, abs=1e-6)
    assert one.intercept == pytest.approx(two.intercept, abs=1e-6)


@few
@given(SEEDS)
def test_a_larger_ridge_never_lengthens_the_weights(seed: int) -> None:
    rows = drawn(seed)
    lengths = [float(np.linalg.norm(ridge_logistic(rows, ridge).weights)) for ridge in (0.1, 1.0, 10.0, 100.0, 1e6)]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[-1] < 1e-3


@few
@given(SEEDS)
def test_swapping_the_outcomes_turns_the_line_around(seed: int) -> None:
    rows = drawn(seed)
    turned = ridge_logistic(Rows(rows.design, 1 - rows.outcome, rows.weight, -rows.offset), 1.0)
    line = ridge_logistic(rows, 1.0)
    assert turned.weights == pytest.approx(-line.weights, abs=1e-5)
    assert turned.intercept == pytest.approx(-line.intercept, abs=1e-5)


@few
@given(SEEDS, st.floats(-3, 3))
def test_what_all_offsets_share_goes_into_the_intercept(seed: int, more: float) -> None:
    rows = drawn(seed)
    line = ridge_logistic(rows, 1.0)
    moved = ridge_logistic(Rows(rows.design, rows.outcome, rows.weight, rows.offset + more), 1.0)
    assert moved.intercept == pytest.approx(line.intercept - more, abs=1e-4)
    assert moved.weights == pytest.approx(line.weights, abs=1e-4)


def test_a_column_given_twice_shares_its_weight_evenly() -> None:
    rows = drawn(3, columns=2)
    twice = Rows(rows.design[:, [0, 1, 1]], rows.outcome, rows.weight, rows.offset)
    weights = ridge_logistic(twice, 1.0).weights
    assert weights[1] == pytest.approx(weights[2])


def test_a_wide_table_and_a_start_give_the_line_of_the_plain_way() -> None:
    """A hundred columns of nothing beside two that matter: the answer has no part in what is always 0."""
    rows = drawn(4, columns=2)
    wide = Rows(np.column_stack([rows.design, np.zeros((60, 100))]), rows.outcome, rows.weight, rows.offset)
    plain, found = ridge_logistic(rows, 1.0), ridge_logistic(wide, 1.0)
    assert found.weights[:2] == pytest.approx(plain.weights, abs=1e-5)
    assert np.abs(found.weights[2:]).max() == pytest.approx(0.0, abs=1e-12)
    far = ridge_logistic(rows, 1.0, Line(4.0, np.array([-3.0, 3.0])))
    assert far.weights == pytest.approx(plain.weights, abs=1e-4)


@few
@given(st.floats(1e-5, 1 - 1e-5))
def test_log_odds_and_probability_undo_each_other(probability: float) -> None:
    assert float(sigmoid(logit(probability))) == pytest.approx(probability, rel=1e-9)
    assert float(logit(1 - probability)) == pytest.approx(-float(logit(probability)), abs=1e-6)


# --- levels


@few
@given(SEEDS, st.floats(0.001, 0.999), st.floats(0.1, 30.0))
def test_the_shift_is_the_root_that_scipy_finds(seed: int, rate: float, spread: float) -> None:
    rng = np.random.default_rng(seed)
    z, weight = rng.normal(0, spread, 40), rng.random(40) + 0.01
    share = weight / weight.sum()
    truth = brentq(lambda shift: float(share @ sigmoid(z + shift)) - rate, -300, 300, xtol=1e-12)
    found = shift_to(z, rate, weight)
    assert float(share @ sigmoid(z + found)) == pytest.approx(rate, abs=1e-9)
    assert float(share @ sigmoid(z + truth)) == pytest.approx(float(share @ sigmoid(z + found)), abs=1e-9)


@few
@given(SEEDS, st.floats(-5, 5))
def test_log_odds_that_lie_higher_need_so_much_less_shift(seed: int, more: float) -> None:
    z = np.random.default_rng(seed).normal(size=30)
    assert shift_to(z + more, 0.3) == pytest.approx(shift_to(z, 0.3) - more, abs=1e-8)


@pytest.mark.parametrize("rate", [0.0, 1e-9, 1.0])
def test_a_rate_at_the_edge_asks_for_a_finite_shift(rate: float) -> None:
    found = shift_to(np.array([-700.0, 0.0, 700.0]), rate)
    assert np.isfinite(found)


def test_a_cutoff_at_which_all_left_has_a_finite_level_above_one_at_which_half_did() -> None:
    days = np.repeat([1, 2], 50)
    outcome = np.append(np.ones(50), np.arange(50) % 2).astype(np.float64)
    found = shifts_by(np.zeros(100), outcome, np.ones(100), days)
    assert found[2] == pytest.approx(0.0, abs=1e-9)
    assert found[1] == pytest.approx(float(logit(50.5 / 51)), abs=1e-6)
    assert shifts_by(np.zeros(100), outcome, np.ones(100), None)[0] == pytest.approx(float(logit(75.5 / 101)), abs=1e-6)


@few
@given(st.dictionaries(st.integers(0, 50), st.floats(-10, 10), min_size=1, max_size=6), st.floats(0.2, 5))
def test_the_recent_mean_lies_between_the_values_and_moves_with_them(values: dict[int, float], half: float) -> None:
    found = recent_mean(values, half)
    assert min(values.values()) - 1e-9 <= found <= max(values.values()) + 1e-9
    assert recent_mean({day: value + 2 for day, value in values.items()}, half) == pytest.approx(found + 2)


def test_a_cutoff_whose_volume_is_not_known_teaches_nothing() -> None:
    assert forecast_rate({1: 0.9}, {2: 0.5}, 0.3) == pytest.approx(0.3)
    both = forecast_rate({1: 0.9, 2: 0.6}, {2: 0.5}, 0.3)
    assert both == pytest.approx(float(sigmoid(logit(0.3) + logit(0.6) - logit(0.5))))
