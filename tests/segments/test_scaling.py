"""Scaling: standard over the fit, blind to units, deaf to skew."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tierlens.segments.scaling import fit_scaling, skewness, typical_size

numbers = st.floats(-1e6, 1e6).filter(lambda value: value == 0 or abs(value) > 1e-3)
tables = hnp.arrays(np.float64, st.tuples(st.integers(2, 30), st.integers(1, 4)), elements=numbers)


def learn(values, max_skew=1.0):
    return fit_scaling(values, typical_size(values), max_skew)


@settings(deadline=None)
@given(values=tables)
def test_law_the_rows_of_the_fit_have_mean_0_and_spread_1(values):
    scaling = learn(values)
    scaled = scaling.apply(values)
    assert np.allclose(scaled.mean(axis=0), 0, atol=1e-6)
    assert np.allclose(scaled.std(axis=0)[scaling.varies], 1, atol=1e-6)
    assert (scaled[:, ~scaling.varies] == 0).all()


@settings(deadline=None)
@given(values=tables, factor=st.sampled_from([10.0, 0.01, 3.0, 1e9]))
def test_law_the_unit_of_a_column_changes_nothing(values, factor):
    here, there = learn(values), learn(values * factor)
    assert here.logged.tolist() == there.logged.tolist()
    assert np.allclose(here.apply(values), there.apply(values * factor), atol=1e-6)


@settings(deadline=None)
@given(values=tables)
def test_law_scaling_keeps_the_order_within_a_column(values):
    scaled = learn(values).apply(values)
    for column in range(values.shape[1]):
        order = np.argsort(values[:, column], kind="stable")
        assert (np.diff(scaled[order, column]) >= -1e-9).all()


def test_a_skewed_column_is_logged_and_a_plain_one_is_not():
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.normal(50, 5, 500), np.exp(rng.normal(0, 1.5, 500))])
    scaling = learn(values)
    assert scaling.logged.tolist() == [False, True]
    before, after = skewness(values)[1], skewness(scaling.apply(values))[1]
    assert before > 4
    assert after < before / 4


def test_a_column_that_the_logarithm_makes_worse_stays_plain():
    values = np.array([[1.0], [8.0], [9.0], [9.5], [10.0], [10.0], [10.0], [10.0]])
    assert skewness(values)[0] < -1
    assert not learn(values).logged[0]


def test_the_bound_on_skew_can_be_lowered():
    values = np.array([[1.0], [2.0], [3.0], [4.0], [7.0]])
    assert 0 < skewness(values)[0] < 1
    assert [bool(learn(values, max_skew=bound).logged[0]) for bound in (1.0, 0.0)] == [False, True]


@pytest.mark.parametrize("column", [[3.0, 3.0, 3.0], [np.nan, np.nan, np.nan], [0.0, 0.0, np.nan], [0.1, 0.1, 0.1]])
def test_a_column_that_does_not_vary_becomes_zero(column):
    values = np.column_stack([column, [1.0, 2.0, 3.0]])
    scaling = learn(values)
    assert scaling.varies.tolist() == [False, True]
    assert (scaling.apply(values)[:, 0] == 0).all()


def test_missing_values_take_the_median():
    values = np.array([[1.0], [5.0], [9.0], [np.nan]])
    scaled = learn(values).apply(values)
    assert scaled[3, 0] == scaled[1, 0]


@settings(deadline=None)
@given(values=hnp.arrays(np.float64, st.integers(3, 40), elements=st.integers(-1000, 1000)))
def test_oracle_skewness_of_scipy(values):
    if values.std() > 0:
        assert skewness(values[:, None])[0] == pytest.approx(scipy.stats.skew(values), abs=1e-9)
    else:
        assert skewness(values[:, None])[0] == 0


def test_typical_size_leaves_zeros_and_missing_values_out():
    values = np.array([[0.0, np.nan], [-4.0, np.nan], [2.0, 0.0], [0.0, 0.0], [6.0, 0.0]])
    assert typical_size(values).tolist() == [4.0, 1.0]
