"""Members, recipes and forests: designs without gaps, parts that sum, weights that follow the loss."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierlens.risk.model.linear import sigmoid
from tierlens.risk.model.members import FAR, LEVEL_ROWS, Inputs, LinearKind, Sample, learn_design, learn_line
from tierlens.risk.model.ranks import learn_curves, ranker_of
from tierlens.risk.model.recipe import (
    Blend,
    MemberSettings,
    Recipe,
    fit_blend,
    log_loss,
    member_chances,
    member_weights,
    recipe_for,
)
from tierlens.risk.model.trees import SETTINGS, SMALL, Growth, TreeRows, grow_forest, threads_for

Floats = npt.NDArray[np.float64]
SEEDS = st.integers(0, 10_000)
few = settings(max_examples=10, deadline=None)
nan = np.nan


def sample_of(values: Floats, outcome: npt.ArrayLike, weight: Floats | None = None) -> Sample:
    given = np.asarray(outcome, dtype=np.float64)
    inputs = Inputs(values, ranker_of(values, None, learn_curves(values)), np.zeros(len(values)))
    return Sample(inputs, given, np.ones(len(values)) if weight is None else weight)


def table_of(seed: int, rows: int = 120) -> Sample:
    """Two numbers, one of them with gaps, and a column of four codes, one of them rare."""
    rng = np.random.default_rng(seed)
    gone = rng.random(rows) < 0.2
    codes = rng.integers(0, 3, rows).astype(np.float64)
    codes[:2] = 3.0
    values = np.column_stack([rng.normal(size=rows), np.where(gone, nan, rng.normal(size=rows)), codes])
    outcome = rng.random(rows) < sigmoid(values[:, 0] + gone + codes / 2 - 1)
    return sample_of(values, outcome, rng.integers(1, 3, rows).astype(np.float64))


# --- designs and lines


@few
@given(SEEDS, st.sampled_from(["ranks", "values"]))
def test_a_design_has_no_gaps_and_says_whose_each_column_is(seed: int, kind: LinearKind) -> None:
    sample = table_of(seed)
    design = learn_design(kind, sample, [2])
    matrix = design.matrix(sample.inputs)
    assert np.isfinite(matrix).all()
    assert matrix.shape == (120, len(design.owners))
    # Two numbers, the gap of the second, and the codes that have enough rows.
    assert design.owners.tolist() == [0, 1, 1, 2, 2, 2]
    assert [code for _, code in design.levels] == [0, 1, 2]
    assert (matrix[:, 2] == np.isnan(sample.inputs.values[:, 1])).all()


@few
@given(SEEDS)
def test_scales_are_the_weighted_mean_and_spread_of_what_is_known(seed: int) -> None:
    sample = table_of(seed)
    design = learn_design("values", sample, [2])
    column = np.repeat(sample.inputs.values[:, 1], sample.weight.astype(int))
    assert design.centre[1] == pytest.approx(np.nanmean(column))
    assert design.spread[1] == pytest.approx(np.nanstd(column))


def test_a_typing_error_counts_as_no_more_than_far_and_a_constant_as_nothing() -> None:
    values = np.column_stack([np.append(np.arange(200.0), 1e12), np.full(201, 7.0)])
    matrix = learn_design("values", sample_of(values, np.arange(201) % 2), []).matrix(
        sample_of(values, values[:, 1]).inputs
    )
    assert matrix[-1, 0] == FAR
    assert (matrix[:, 1] == 0).all()


def test_columns_that_are_missing_together_get_one_column_for_it() -> None:
    gone = np.arange(20) % 4 == 0
    some = np.where(gone, nan, 1.0 * np.arange(20))
    other = np.where(np.arange(20) == 3, nan, 0.0)
    values = np.column_stack([some, 2 * some, other, np.full(20, nan), np.arange(20.0)])
    assert learn_design("values", sample_of(values, gone), []).gaps == (0, 2)


@pytest.mark.parametrize(("rows", "kept"), [(LEVEL_ROWS - 1, []), (LEVEL_ROWS, [(0, 1)])])
def test_a_level_needs_some_rows_for_a_weight_of_its_own(rows: int, kept: list[tuple[int, int]]) -> None:
    values = np.append(np.zeros(50), np.ones(rows)).reshape(-1, 1)
    levels = learn_design("values", sample_of(values, np.arange(len(values)) % 2), [0]).levels
    assert list(levels) == [(0, 0), *kept]


@few
@given(SEEDS, st.sampled_from(["ranks", "values"]))
def test_parts_sum_to_the_score_and_average_to_nothing_over_the_rows_learned_from(seed: int, kind: LinearKind) -> None:
    sample = table_of(seed)
    member = learn_line(kind, sample, [2], 3.0)
    parts = member.parts(sample.inputs)
    assert parts.sum(axis=1) == pytest.approx(member.raw(sample.inputs))
    assert sample.weight @ parts[:, :-1] == pytest.approx(0.0, abs=1e-8)
    assert np.ptp(parts[:, -1]) == 0.0


def test_blocks_of_inputs_are_the_rows_in_their_order() -> None:
    inputs = table_of(1).inputs
    blocks = list(inputs.blocks(50))
    assert [len(block.offset) for block in blocks] == [50, 50, 20]
    np.testing.assert_array_equal(np.concatenate([block.values for block in blocks]), inputs.values)
    np.testing.assert_allclose(np.concatenate([block.ranks for block in blocks]), inputs.ranks)


# --- weights of members


@few
@given(SEEDS)
def test_log_loss_is_the_slow_sum(seed: int) -> None:
    sample, raw = table_of(seed), np.random.default_rng(seed).normal(size=120)
    total = 0.0
    for z, y, w in zip(raw.tolist(), sample.outcome.tolist(), sample.weight.tolist(), strict=True):
        risk = 1 / (1 + math.exp(-z))
        total -= w * math.log(risk if y else 1 - risk)
    assert log_loss(sample, raw) == pytest.approx(total / sample.weight.sum())


@few
@given(SEEDS)
def test_chances_are_shares_in_the_order_of_the_losses_and_posterior_odds_of_two(seed: int) -> None:
    sample = table_of(seed, rows=30)
    scores = np.random.default_rng(seed).normal(size=(30, 3))
    found = member_chances(sample, scores)
    losses = np.array([log_loss(sample, scores[:, place]) for place in range(3)])
    assert found.sum() == pytest.approx(1.0)
    assert np.argsort(-found).tolist() == np.argsort(losses).tolist()
    assert found[0] / found[1] == pytest.approx(np.exp((losses[1] - losses[0]) * sample.weight.sum()))


@few
@given(SEEDS)
def test_weights_do_not_fall_below_nothing_and_follow_their_members(seed: int) -> None:
    sample, rng = table_of(seed), np.random.default_rng(seed)
    good = 2 * sample.outcome - 1 + rng.normal(size=120)
    scores = np.column_stack([good, -good, rng.normal(size=120)])
    weights, intercept = member_weights(sample, scores)
    assert (weights >= 0).all()
    assert weights[1] == 0.0
    order = [2, 0, 1]
    again, same = member_weights(sample, scores[:, order])
    assert again == pytest.approx(weights[order], abs=1e-4)
    assert same == pytest.approx(intercept, abs=1e-4)
    # The weighted blend loses no more on these rows than the even start.
    assert (
        log_loss(sample, scores @ weights + intercept)
        <= log_loss(sample, scores @ member_chances(sample, scores)) + 1e-9
    )


def test_members_of_no_weight_are_not_even_asked() -> None:
    class Silent:
        def raw(self, inputs: Inputs, threads: int = 0) -> Floats:
            raise AssertionError("asked")

        parts = raw

    sample = table_of(2)
    line = learn_line("values", sample, [2], 1.0)
    blend = Blend(("values", "silent"), (line, Silent()), np.array([0.5, 0.0]), 0.25)
    assert blend.raw(sample.inputs) == pytest.approx(0.25 + 0.5 * line.raw(sample.inputs))
    assert blend.parts(sample.inputs).sum(axis=1) == pytest.approx(blend.raw(sample.inputs))


# --- recipes


@pytest.mark.parametrize(
    ("rows", "ridge"), [(150, 10.0), (400, 10.0), (4_000, 100.0), (36_000, 900.0), (90_000, 1000.0)]
)
def test_the_ridge_of_snapshots_grows_with_the_rows_between_bounds(rows: int, ridge: float) -> None:
    sample = sample_of(np.zeros((rows, 1)), np.arange(rows) % 2)
    assert recipe_for(sample, snapshots=True).ridges == (ridge,)
    assert recipe_for(sample, snapshots=True).with_ridge(7.0).ridges == (7.0,)


def test_folds_score_each_row_unseen_and_a_bad_ridge_loses() -> None:
    """Rows of noise in many columns: the largest ridge is the one that every fold likes best."""
    rng = np.random.default_rng(0)
    sample = sample_of(rng.normal(size=(120, 30)), rng.random(120) < 0.5)
    asked = MemberSettings((), {}, folds=3, threads=1)
    free = fit_blend(Recipe(("values",), (), "folds", (1e4, 1.0)), sample, asked)
    bound = fit_blend(Recipe(("values",), (), "even", (1e4,)), sample, asked)
    assert free.names == ("values",)
    # One line of the two was kept: that of the large ridge, weighed by what it was worth on rows it did not see.
    ratio = free.parts(sample.inputs)[:, :-1].ravel() @ bound.parts(sample.inputs)[:, :-1].ravel()
    lengths = [np.linalg.norm(found.parts(sample.inputs)[:, :-1]) for found in (free, bound)]
    assert ratio == pytest.approx(lengths[0] * lengths[1], rel=1e-6)


def test_a_part_held_out_gives_weights_that_favour_the_member_that_knows() -> None:
    rng = np.random.default_rng(1)
    values = np.column_stack([np.exp(6 * rng.normal(size=400)), rng.normal(size=400)])
    sample = sample_of(values, rng.random(400) < sigmoid(3 * np.log(values[:, 0]) / 6))
    blend = fit_blend(Recipe(("ranks", "values"), (), "holdout", (1.0,)), sample, MemberSettings((), {}, threads=1))
    # What grows with the logarithm is seen by ranks, and hardly by values that one customer stretches.
    assert blend.weights[0] > 2 * blend.weights[1]


# --- forests


@pytest.fixture(scope="module")
def rows() -> TreeRows:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(300, 2))
    outcome = (rng.random(300) < sigmoid(values[:, 0] + np.sin(3 * values[:, 1]))).astype(np.float64)
    return TreeRows(values, outcome, np.ones(300), np.full(300, -0.3))


def test_a_forest_is_the_mean_of_its_boosters_and_its_parts_sum_to_it(rows: TreeRows) -> None:
    forest = grow_forest(Growth(SETTINGS["medium"], seeds=2, threads=1), rows, rounds=4)
    own = [booster.predict(rows.values, raw_score=True) for booster in forest.boosters]
    assert len(own) == 2
    assert forest.raw(rows.values) == pytest.approx((own[0] + own[1]) / 2)
    assert forest.parts(rows.values).sum(axis=1) == pytest.approx(forest.raw(rows.values))


def test_a_direction_holds_along_its_column_whatever_the_others_are(rows: TreeRows) -> None:
    falling = grow_forest(Growth(SETTINGS["medium"], threads=1, signs=(-1, 0)), rows, rounds=6)
    steps = np.linspace(-3, 3, 40)
    for other in (-1.0, 0.0, 2.0):
        scores = falling.raw(np.column_stack([steps, np.full(40, other)]))
        assert (np.diff(scores) <= 1e-12).all()


def test_the_number_of_threads_changes_no_score(rows: TreeRows) -> None:
    one, two = (grow_forest(Growth(SETTINGS["slow"], threads=n), rows, rounds=4).raw(rows.values) for n in (1, 2))
    assert (one == two).all()


def test_seeds_differ_where_rows_are_drawn_and_repeat_where_they_are_the_same(rows: TreeRows) -> None:
    growths = [Growth(SETTINGS["slow"], random_state=state, threads=1) for state in (1, 1, 2)]
    first, again, other = (grow_forest(growth, rows, rounds=5).raw(rows.values) for growth in growths)
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize(("rows", "least"), [(10, 1), (100, 5), (600, 30), (100_000, 300)])
def test_few_rows_lower_the_least_size_of_a_leaf(rows: int, least: int) -> None:
    assert Growth(SETTINGS["small"]).parameters(rows, 0)["min_data_in_leaf"] == least


def test_boosters_of_a_forest_have_seeds_of_their_own_within_what_lightgbm_takes() -> None:
    growth = Growth(SETTINGS["small"], random_state=2**31 - 1)
    seeds = [growth.parameters(100, number)["seed"] for number in range(50)]
    assert len(set(seeds)) == 50
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_threads_are_what_was_asked_for_and_else_go_by_the_size_of_the_table() -> None:
    small, large = np.zeros((10, 2)), np.broadcast_to(0.0, (SMALL, 1))
    assert [threads_for(small, n) for n in (0, 1, 4)] == [1, 1, 4]
    assert [threads_for(large, n) for n in (0, 1, 4)] == [0, 1, 4]
