"""Measures of agreement beside other people's numbers, their gradients by finite differences, and intervals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency
from sklearn.metrics import adjusted_rand_score, mutual_info_score

from tierlens.explain.contributions import Contributions
from tierlens.explain.inversion import by_chance, inverted_interval
from tierlens.explain.measures import MEASURES, adjusted_information, adjusted_rand, squared_v
from tierlens.explain.phrases import FAMILIES, PHRASES
from tierlens.explain.reason_words import Known, say_reason
from tierlens.explain.reasons import points_of, reason_code, tell_reasons
from tierlens.features.catalog import WHOLE
from tierlens.sources.tables import Currency

Floats = npt.NDArray[np.float64]
SEEDS = st.integers(0, 10_000)
few = settings(max_examples=15, deadline=None)
NAMES = tuple(MEASURES)


def table_of(seed: int, rows: int = 3, columns: int = 4, most: int = 12) -> Floats:
    """Counts with at least one customer in each row and column."""
    counts = np.random.default_rng(seed).integers(0, most, (rows, columns)).astype(np.float64)
    counts[:, 0] += 1
    counts[0] += 1
    return counts


def labels_of(counts: Floats) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Row and column of each customer of a table."""
    row, column = np.divmod(np.repeat(np.arange(counts.size), counts.ravel().astype(int)), counts.shape[1])
    return row, column


# --- measures


@few
@given(SEEDS)
def test_the_rand_index_of_a_table_is_scikit_learns_of_its_customers(seed: int) -> None:
    counts = table_of(seed)
    assert adjusted_rand(counts[None])[0] == pytest.approx(adjusted_rand_score(*labels_of(counts)), abs=1e-12)


@few
@given(SEEDS)
def test_information_of_shares_is_that_of_scikit_learn_over_the_mean_entropy(seed: int) -> None:
    counts = table_of(seed)
    row, column = labels_of(counts)
    entropies = [mutual_info_score(side, side) for side in (row, column)]
    found = MEASURES["adjusted_mutual_information"].slope(counts[None] / counts.sum())[0][0]
    assert found == pytest.approx(mutual_info_score(row, column) / np.mean(entropies), abs=1e-12)


@few
@given(SEEDS)
def test_squared_v_is_bergsmas_correction_of_chi_squared(seed: int) -> None:
    """Written out as in Bergsma (2013), formulas 4 to 7, without his bound at 0."""
    counts = table_of(seed)
    n, (r, c) = counts.sum(), counts.shape
    phi = chi2_contingency(counts, correction=False).statistic / n - (r - 1) * (c - 1) / (n - 1)
    least = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1))
    assert squared_v(counts[None])[0] == pytest.approx(min(phi / (least - 1), 1.0), abs=1e-9)


@few
@given(SEEDS, st.sampled_from(NAMES))
def test_new_names_the_other_way_round_and_empty_groups_change_no_measure(seed: int, name: str) -> None:
    counts, rng = table_of(seed), np.random.default_rng(seed)
    padded = np.zeros((5, 6))
    padded[:3, :4] = counts
    mixed = padded[rng.permutation(5)][:, rng.permutation(6)]
    estimates = [MEASURES[name].estimate(table[None])[0] for table in (counts, counts.T, padded, mixed)]
    assert estimates == pytest.approx([estimates[0]] * 4, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sizes", [(50, 50), (90, 7, 3), (10, 20, 30, 40)])
def test_the_same_groups_agree_fully_and_independent_ones_not_at_all(name: str, sizes: tuple[int, ...]) -> None:
    shares = np.array(sizes, dtype=np.float64) / sum(sizes)
    tables = np.stack([np.diag(shares), np.outer(shares, shares)])
    values = MEASURES[name].slope(tables)[0]
    assert values == pytest.approx([1.0, 0.0], abs=1e-9)
    assert MEASURES[name].estimate(np.diag(np.array(sizes, dtype=np.float64))[None])[0] == pytest.approx(1.0)


@few
@given(SEEDS, st.sampled_from(NAMES))
def test_a_gradient_is_what_a_small_move_of_shares_does(seed: int, name: str) -> None:
    counts = table_of(seed) + 1
    shares = counts / counts.sum()
    move = np.random.default_rng(seed).normal(size=shares.shape)
    move -= move.mean()
    step = 1e-6 * move / np.abs(move).max()
    slope = MEASURES[name].slope
    values = [slope((shares + side * step)[None])[0][0] for side in (-1, 1)]
    expected = float((slope(shares[None])[1][0] * 2 * step).sum())
    assert values[1] - values[0] == pytest.approx(expected, rel=1e-3, abs=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_estimates_of_independent_groups_average_to_nothing(name: str) -> None:
    """That is what the correction for chance is for: without it all three would be above 0 here."""
    shares = np.outer([0.5, 0.3, 0.2], [0.4, 0.3, 0.2, 0.1])
    drawn = np.random.default_rng(0).multinomial(120, shares.ravel(), size=4000).reshape(-1, 3, 4).astype(np.float64)
    found = MEASURES[name].estimate(drawn)
    assert abs(found.mean()) < 4 * found.std() / np.sqrt(4000) + 1e-3


def test_a_stack_of_tables_is_each_by_itself() -> None:
    tables = np.stack([table_of(seed) for seed in range(5)])
    for measure in (adjusted_rand, adjusted_information, squared_v):
        assert measure(tables) == pytest.approx([measure(table[None])[0] for table in tables])


@pytest.mark.parametrize(("squared", "shown"), [(-0.2, 0.0), (0.0, 0.0), (0.25, 0.5), (1.0, 1.0)])
def test_v_is_shown_as_a_root_that_is_never_below_nothing(squared: float, shown: float) -> None:
    assert MEASURES["cramers_v"].reported(np.array([squared]))[0] == shown
    assert MEASURES["adjusted_rand"].reported(np.array([squared]))[0] == squared


# --- intervals and chance


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [1, 2])
def test_more_confidence_widens_an_interval_and_new_names_hardly_move_it(name: str, seed: int) -> None:
    counts = table_of(seed, 3, 3, 20) + 15 * np.eye(3)

    def bounds(table: Floats, confidence: float) -> tuple[float, float]:
        return inverted_interval(MEASURES[name], table, draws=400, confidence=confidence, rng=np.random.default_rng(0))

    narrow, wide = bounds(counts, 0.5), bounds(counts, 0.95)
    own = MEASURES[name].estimate(counts[None])[0]
    assert wide[0] < narrow[0] < own < narrow[1] < wide[1]
    assert bounds(counts[::-1].T.copy(), 0.95) == pytest.approx(wide, abs=0.05)


@few
@given(SEEDS, st.sampled_from(NAMES))
def test_an_interval_has_its_ends_in_order_within_what_the_measure_can_be(seed: int, name: str) -> None:
    measure = MEASURES[name]
    low, high = inverted_interval(measure, table_of(seed), draws=60, confidence=0.9, rng=np.random.default_rng(seed))
    assert measure.least <= low <= high <= 1.0


@few
@given(SEEDS)
def test_tables_by_chance_keep_both_margins_and_average_to_independence(seed: int) -> None:
    counts = table_of(seed, most=6)
    drawn = by_chance(counts, 300, np.random.default_rng(seed))
    assert (drawn.sum(axis=2) == counts.sum(axis=1)).all()
    assert (drawn.sum(axis=1) == counts.sum(axis=0)).all()
    assert (drawn >= 0).all()
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    assert np.abs(drawn.mean(axis=0) - expected).max() < 6 * drawn.std(axis=0).max() / np.sqrt(300) + 1e-9


# --- words of reasons


def test_families_and_codes_are_told_apart_and_every_feature_has_one() -> None:
    assert {feature.family for feature in WHOLE.values()} <= set(FAMILIES)
    assert len({reason_code(family) for family in FAMILIES}) == len(FAMILIES)
    for column in zip(*FAMILIES.values(), strict=True):
        assert len(set(column)) == len(FAMILIES)


KNOWN = Known({}, Currency("JPY", minor=1))


@pytest.mark.parametrize("feature", sorted(PHRASES))
def test_a_value_that_is_missing_is_never_a_reason(feature: str) -> None:
    """It is told nowhere, whatever the side and whatever is known of others; its points are left unsaid."""
    values = np.array([np.nan, 1.0, 900.0, 20_000.0])
    columns = {feature: values, "tenure_days": np.full(4, 9_999.0)}
    for push in (0.8, -0.8):
        found = Contributions(np.full((4, 1), push), 0.0, (feature,))
        known = Known({name: columns[name] for name in dict.fromkeys((feature, "tenure_days"))}, KNOWN.currency)
        told = tell_reasons(found, known)
        assert 0 not in told.table["row"].to_pylist()
        assert told.other[0] == pytest.approx(points_of(found)[0][0, 0])


@pytest.mark.parametrize(
    ("feature", "value", "median", "english"),
    [
        ("spend", 1_234_567.0, 8.0, "Bought for 1,234,567 JPY in the window (half of customers: 8 JPY)"),
        ("frequency", 1.0, 3.0, "1 order in the window (half of customers: 3 orders)"),
        ("return_share", 0.125, 0.0, "Returns 12.5% of purchases (half of customers: 0%)"),
        ("order_rate", 4 / 365, 0.0, "A pace of 4 orders a year (half of customers: 0 orders a year)"),
        ("nps", 9.0, 7.0, "Latest NPS: 9 (half of customers: 7)"),
    ],
)
def test_sentences_say_value_unit_and_middle(feature: str, value: float, median: float, english: str) -> None:
    for points, effect in ((3.6, "+4"), (-3.6, "-4")):
        assert say_reason(feature, value, (2, median), points, (None, KNOWN)).en == f"{english} ({effect} points)"
