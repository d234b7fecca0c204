"""Baselines that are kept rank as they did, come back to the last bit, and are refused when touched."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tierlens.errors import DataError
from tierlens.risk.evaluation.baselines import BASELINES
from tierlens.risk.evaluation.metrics import auc
from tierlens.risk.evaluation.plain_baseline import PLAIN, Plain, fit_line, load_plain


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"recency_days": rng.integers(1, 365, 900), "frequency": rng.integers(1, 20, 900)})
    table["monetary"] = table["frequency"] * 900
    table["btyd_p0"] = 1 / (1 + table["frequency"] * np.exp(-table["recency_days"] / 100))
    return table, (rng.random(900) < table["btyd_p0"]).astype(int).to_numpy()


def test_one_column_keeps_its_order(rows):
    table, y = rows
    risk = fit_line(table, y, ["recency_days"]).predict_proba(table)[:, 1]
    assert auc(y, risk) == pytest.approx(auc(y, table["recency_days"]))
    assert risk.mean() == pytest.approx(y.mean(), abs=0.01)


def test_a_probability_stays_nearly_what_it_is(rows):
    table, y = rows
    found = fit_line(table, y, ["btyd_p0"], "logit")
    assert found.weights[0] == pytest.approx(1.0, abs=0.2)
    assert auc(y, found.predict_proba(table)[:, 1]) == pytest.approx(auc(y, table["btyd_p0"]))


def test_log_rfm_ranks_as_the_baseline_does(rows):
    table, y = rows
    names = ["recency_days", "frequency", "monetary"]
    one = fit_line(table, y, names, "log").predict_proba(table)[:, 1]
    two = BASELINES["log_rfm"].fit(table, y)(table)
    assert np.corrcoef(one, two)[0, 1] > 0.999


@pytest.mark.parametrize("kind", ["line", "trees"])
def test_it_comes_back_to_the_last_bit(rows, tmp_path, kind):
    table, y = rows
    if kind == "line":
        plain = fit_line(table, y, ["recency_days", "frequency"], "log")
    else:
        import lightgbm as lgb

        data = lgb.Dataset(table.to_numpy(dtype=float), y, params={"verbose": -1})
        settings = {"objective": "binary", "verbose": -1, "num_threads": 1, "deterministic": True}
        plain = Plain(tuple(table.columns), trees=lgb.train(settings, data, 10).model_to_string())
    again = load_plain(plain.save(tmp_path / "kept"))
    assert (again.predict_proba(table) == plain.predict_proba(table)).all()


def test_what_was_touched_is_refused(rows, tmp_path):
    folder = fit_line(*rows, ["recency_days"]).save(tmp_path)
    path = folder / PLAIN
    path.write_text(path.read_text("utf-8").replace("recency_days", "frequency"), encoding="utf-8")
    with pytest.raises(DataError, match="E-RI-031"):
        load_plain(folder)
    with pytest.raises(DataError, match="E-RI-031"):
        load_plain(tmp_path / "nowhere")
