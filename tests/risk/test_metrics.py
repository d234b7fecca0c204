"""Metrics against scikit-learn, slow loops and laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from tierlens.errors import DataError
from tierlens.risk.evaluation import metrics as m

# Few distinct risks, so that ties are common.
ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 8), st.integers(0, 3)), min_size=4, max_size=60)


def columns(rows):
    y, p, w = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return y, p / 8, w


def both(y, w):
    return 0 < (w * y).sum() < w.sum()


@settings(deadline=None)
@given(ROWS)
def test_ranking_is_scikit_learns(rows):
    y, p, w = columns(rows)
    if both(y, w):
        assert m.auc(y, p, w) == pytest.approx(roc_auc_score(y, p, sample_weight=w), abs=1e-12)
        expected = average_precision_score(y, p, sample_weight=w)
        assert m.average_precision(y, p, w) == pytest.approx(expected, abs=1e-12)
    if w.sum() > 0:
        assert m.brier(y, p, w) == pytest.approx(brier_score_loss(y, p, sample_weight=w), abs=1e-12)


@given(ROWS)
def test_weights_are_copies(rows):
    y, p, w = columns(rows)
    if not both(y, w):
        return
    again = np.repeat(np.arange(len(y)), w.astype(int))
    for metric in (m.auc, m.average_precision, m.brier):
        assert metric(y, p, w) == pytest.approx(metric(y[again], p[again]), abs=1e-12)
    assert m.lift_at(y, p, 0.3, w) == pytest.approx(m.lift_at(y[again], p[again], 0.3), abs=1e-12)
    for metric in (m.precision_at_capacity, m.calibration_error):
        assert metric(y, p, 5, weight=w) == pytest.approx(metric(y[again], p[again], 5), abs=1e-12)
    one, two = m.brier_parts(y, p, 4, w), m.brier_parts(y[again], p[again], 4)
    assert one.reliability == pytest.approx(two.reliability, abs=1e-12)
    assert one.total() == pytest.approx(two.total(), abs=1e-12)


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(rows, random):
    y, p, _ = columns(rows)
    moved = random.sample(range(len(y)), len(y))
    for metric in (m.auc, m.average_precision, m.lift_at, m.calibration_error, m.brier):
        assert metric(y, p) == pytest.approx(metric(y[moved], p[moved]), abs=1e-12, nan_ok=True)


@given(ROWS)
def test_only_the_order_of_risks_counts_for_ranking(rows):
    y, p, _ = columns(rows)
    for metric in (m.auc, m.average_precision, m.lift_at):
        assert metric(y, p) == pytest.approx(metric(y, p**3 - 5), abs=1e-12, nan_ok=True)


def test_lift_without_ties_counts_the_riskiest_rows():
    rng = np.random.default_rng(0)
    y, p = (rng.random(200) < 0.3).astype(int), rng.permutation(200) / 200
    top = np.argsort(-p)[:20]
    assert m.lift_at(y, p, 0.1) == pytest.approx(y[top].mean() / y.mean())
    assert m.precision_at_capacity(y, p, 20) == pytest.approx(y[top].mean())
    assert m.precision_at_capacity(y, p, 10_000) == pytest.approx(y.mean())


def test_chance_has_lift_one():
    y = np.array([0, 1, 0, 1])
    assert m.lift_at(y, np.full(4, 0.5), 0.25) == 1.0
    assert m.auc(y, np.full(4, 0.5)) == 0.5
    assert m.average_precision(y, np.full(4, 0.5)) == 0.5


@given(ROWS, st.integers(1, 12))
def test_brier_parts_sum_to_the_whole(rows, bins):
    y, p, _ = columns(rows)
    parts = m.brier_parts(y, p, bins)
    assert parts.total() == pytest.approx(m.brier(y, p), abs=1e-12)
    assert parts.reliability >= 0
    assert parts.resolution <= parts.uncertainty + 1e-12


def test_bins_are_of_equal_count_and_cover_all():
    rng = np.random.default_rng(1)
    p = rng.random(1003)
    found = m.reliability_bins(rng.random(1003) < p, p, 10)
    assert found.rows.sum() == 1003
    assert set(found.rows) <= {100.0, 101.0}
    assert (np.diff(found.predicted) > 0).all()


def test_calibration_error_is_the_bias_where_all_bins_are_off_alike():
    p = np.repeat([0.2, 0.4], 500)
    y = np.concatenate([np.arange(500) < 150, np.arange(500) < 250])
    assert m.calibration_error(y, p, 2) == pytest.approx(0.1)


def test_one_outcome_has_no_ranking():
    assert np.isnan(m.auc([1, 1], [0.1, 0.2]))
    assert np.isnan(m.average_precision([0, 0], [0.1, 0.2]))
    assert np.isnan(m.lift_at([0, 0], [0.1, 0.2]))


@pytest.mark.parametrize(
    ("outcome", "risk", "fault"),
    [
        ([0, 1], [0.1], "shapes"),
        ([], [], "shapes"),
        ([0, 2], [0.1, 0.2], "neither 0 nor 1"),
        ([0, 1], [0.1, np.nan], "missing or infinite risk"),
    ],
)
def test_what_cannot_be_compared_says_why(outcome, risk, fault):
    with pytest.raises(DataError, match=f"E-RI-010 outcome, risk: cannot be compared: .*{fault}"):
        m.auc(outcome, risk)
