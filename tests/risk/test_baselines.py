"""Baselines rank as their names say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tierlens.risk.evaluation.baselines import BASELINES, RFM, boosted_fit, roll_off
from tierlens.risk.evaluation.metrics import auc


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    recency, frequency = rng.integers(1, 365, 1500), rng.integers(1, 20, 1500)
    table = pd.DataFrame({"recency_days": recency, "frequency": frequency, "monetary": frequency * 1000})
    table["btyd_p0"] = 1 / (1 + frequency * np.exp(-recency / 100))
    table["btyd_expected"] = 1 - table["btyd_p0"]
    return table, (rng.random(1500) < table["btyd_p0"]).astype(int).to_numpy()


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_each_beats_chance_and_says_whether_it_is_a_probability(rows, name):
    table, outcome = rows
    baseline = BASELINES[name]
    score = baseline.fit(table, outcome)(table)
    assert score.shape == (1500,)
    assert auc(outcome, score) > 0.6
    if baseline.is_risk:
        assert ((score > 0) & (score < 1)).all()
    assert set(baseline.needs) <= set(table)
    assert baseline.name.zh


def test_arrow_tables_do_too(rows):
    table, outcome = rows
    arrow = pa.Table.from_pandas(table)
    for name in ("log_rfm", "lightgbm"):
        one, two = (BASELINES[name].fit(t, outcome)(t) for t in (table, arrow))
        assert (one == two).all()


def test_log_rfm_reads_three_columns_and_survives_net_returns(rows):
    table, outcome = rows
    fitted = BASELINES["log_rfm"].fit(table[list(RFM)], outcome)
    odd = pd.DataFrame({"recency_days": [10], "frequency": [1], "monetary": [-500]})
    assert np.isfinite(fitted(odd)).all()


def test_boosted_trees_are_the_same_on_every_run(rows):
    table, outcome = rows
    fit = boosted_fit(rounds=10, num_threads=1)
    assert (fit(table, outcome)(table) == fit(table, outcome)(table)).all()


def test_the_roll_off_rule_is_the_share_still_needed():
    rule = roll_off("bound", "left").fit(None, [])
    table = pd.DataFrame({"bound": [100.0, 100.0, 50.0], "left": [100.0, 0.0, 75.0]})
    assert rule(table).tolist() == [0.0, 1.0, -0.5]
