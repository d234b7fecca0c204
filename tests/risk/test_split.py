"""The splitter: no outcome learned from ends after the cutoff that is tested."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from tierlens.errors import UsageError
from tierlens.features.windows import Window
from tierlens.risk.evaluation.split import SnapshotSplit

CUTOFFS = np.repeat(np.arange(0, 300, 30), 4)


@given(
    st.lists(st.integers(0, 1000), min_size=2, max_size=60),
    st.integers(0, 60),
    st.integers(1, 120),
    st.integers(1, 3),
)
def test_training_outcomes_close_by_the_test_cutoff(cutoffs, gap, horizon, least):
    window = Window(gap=gap, horizon=horizon)
    splitter = SnapshotSplit(window, min_train=least)
    days = np.array(cutoffs)
    assume(splitter.folds(days))
    folds = list(splitter.split(groups=days))
    assert len(folds) == splitter.get_n_splits(groups=days)
    tested = []
    for train, test in folds:
        (cutoff,) = set(days[test])
        tested.append(cutoff)
        assert max(window.closes(int(day)) for day in days[train]) <= cutoff
        assert len(set(days[train])) >= least
        # all rows of a cutoff stand together, and every closed one is used
        assert set(np.flatnonzero(days == cutoff)) == set(test)
        assert set(train) == {row for row, day in enumerate(days) if window.closes(int(day)) <= cutoff}
    assert tested == sorted(set(tested))


def test_only_the_latest_folds_and_cutoffs_where_asked():
    splitter = SnapshotSplit(Window(horizon=60), max_train=2, max_folds=3)
    assert splitter.folds(CUTOFFS) == [([120, 150], 210), ([150, 180], 240), ([180, 210], 270)]


def test_it_serves_scikit_learn():
    X = np.random.default_rng(0).normal(size=(len(CUTOFFS), 2))
    y = np.tile([0, 1, 0, 1], len(CUTOFFS) // 4)
    splitter = SnapshotSplit(Window(horizon=60))
    scores = cross_val_score(LogisticRegression(), X, y, cv=splitter, groups=CUTOFFS)
    assert len(scores) == splitter.get_n_splits(groups=CUTOFFS) == 8


def test_what_cannot_be_split_says_so():
    with pytest.raises(UsageError, match=r"E-RI-003: no cutoffs are given; pass them as groups="):
        next(SnapshotSplit().split(CUTOFFS))
    with pytest.raises(UsageError, match=r"E-RI-004: no cutoff has 1 earlier ones"):
        next(SnapshotSplit(Window(horizon=900)).split(groups=CUTOFFS))
