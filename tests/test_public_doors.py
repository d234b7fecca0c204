"""What a public function is given of the wrong kind is refused in one sentence, with a code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tierlens.app.cli.main import main
from tierlens.errors import TierlensError, UsageError
from tierlens.features.snapshot import build_snapshots
from tierlens.grading import grade, load_scheme
from tierlens.publish.lists.customer_lists import BILINGUAL, customer_list
from tierlens.risk.model.classifier import RiskClassifier
from tierlens.risk.model.tree_settings import ALLOWED, SEARCHED
from tierlens.risk.model.trees import SETTINGS
from tierlens.sources.from_frame import tables_from_frame
from tierlens.sources.read import read_tables
from tierlens.sources.tables import Currency
from tierlens.workspace.config import config_of_text, load_config

RUN = """name: Shop
simulated: {{customers: 100, months: 18}}
cutoff: "2025-01-01"
risk: {{first_cutoff: "2024-07-01", trees: {trees}}}
"""


@pytest.mark.parametrize(
    ("trees", "said"),
    [
        ("{num_leafs: 4}", "there is no setting 'num_leafs' of trees; did you mean 'num_leaves'?"),
        ("{learning_rat: 0.5}", "did you mean 'learning_rate'?"),
        ("{num_leaves: -5}", "num_leaves is -5; give a whole number from 2 up to 4096"),
        ("{num_leaves: 4.5}", "num_leaves is 4.5"),
        ("{feature_fraction: 0}", "feature_fraction is 0; give a number above 0 up to 1"),
        ("{lambda_l2: 10000000}", "lambda_l2 is 10000000"),
    ],
)
def test_a_run_file_is_told_of_a_strange_setting_of_the_trees(tmp_path, capsys, trees, said):
    file = tmp_path / "run.yaml"
    file.write_text(RUN.format(trees=trees), encoding="utf-8")
    assert main(["run", str(file), "--dry-run"]) == 2
    told = capsys.readouterr().err
    assert "E-YA-020" in told
    assert "run.yaml:4:" in told
    assert said in told
    assert main(["run", str(file), "--dry-run", "--lang", "zh"]) == 2
    assert "树没有" in (zh := capsys.readouterr().err) or "请给出" in zh


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"seeds": 0}, "E-RI-073"),
        ({"seeds": 1.5}, "E-RI-073"),
        ({"seeds": "3"}, "E-RI-073"),
        ({"folds": 1}, "E-RI-073"),
        ({"random_state": -1}, "E-RI-073"),
        ({"random_state": None}, "E-RI-073"),
        ({"n_jobs": "all"}, "E-RI-073"),
        ({"ridge": 0}, "E-RI-073"),
        ({"ridge": "much"}, "E-RI-073"),
        ({"trees": {"num_leafs": 4}}, "E-RI-074"),
        ({"trees": {"num_leaves": 1}}, "E-RI-074"),
        ({"trees": {"learning_rate": float("nan")}}, "E-RI-074"),
        ({"trees": [("num_leaves", 4)]}, "E-RI-074"),
    ],
)
def test_a_model_refuses_parameters_that_cannot_be(given, code):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    with pytest.raises(UsageError, match=code):
        RiskClassifier(**given).fit(X, (X[:, 0] > 0).astype(int))


def test_one_table_holds_the_settings_of_every_recipe_and_search():
    for recipe in SETTINGS.values():
        assert all(ALLOWED[name].admits(value) for name, value in recipe.items())
    assert set(ALLOWED) > SEARCHED


def test_a_text_given_as_run_file_is_a_path(tmp_path: Path):
    text = RUN.format(trees="{}")
    (tmp_path / "run.yaml").write_text(text, encoding="utf-8")
    assert load_config(str(tmp_path / "run.yaml")) == load_config(tmp_path / "run.yaml")
    assert config_of_text(text, tmp_path).name == "Shop"
    with pytest.raises(UsageError, match="E-RU-062: a path is due, not dict"):
        load_config({"name": "Shop"})  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        load_config(text)


ROW = {"customer_id": ["C1"], "cutoff": [15126], "monetary": [60_000_000]}


@pytest.mark.parametrize("made", [pd.DataFrame, pl.DataFrame, pa.table, lambda row: pl.DataFrame(row).lazy()])
def test_any_table_can_be_graded(made):
    graded = grade(made(ROW), load_scheme("relationship_rating"), Currency("CNY"))
    assert graded.select("tier").collect("pyarrow").rows() == [("C",)]


@pytest.mark.parametrize("made", [pd.DataFrame, pl.DataFrame, pa.table])
def test_any_table_of_customers_makes_a_list(made):
    row = {"customer_id": ["C1"], "tier": ["A"], "score": [90.0], "churn_risk": [0.5], "downgrade_risk": [None],
           "risk_band": ["high"]}  # fmt: skip
    row |= {f"{name}_{lang}": ["x"] for name in BILINGUAL for lang in ("en", "zh")}
    assert customer_list(made(row)).table["customer_id"].to_pylist() == ["C1"]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (
            lambda: build_snapshots(pd.DataFrame(ROW), ["2025-01-01"]),
            "E-US-031 tables: a DataFrame is no settled table",
        ),
        (lambda: build_snapshots(None, ["2025-01-01"]), "E-US-031"),
        (lambda: grade([1], load_scheme("relationship_rating"), Currency("CNY")), "E-US-030 features: a list"),
        (lambda: grade(pd.DataFrame(ROW), "relationship_rating", Currency("CNY")), "E-US-032 scheme: a str"),
        (lambda: customer_list("customers.parquet"), "E-US-030 customers: a str is no table"),
        (lambda: customer_list(pa.table({"a": [1]})), "E-LI-001"),
        (lambda: read_tables("orders.csv"), "E-US-016 source: a str"),
        (lambda: tables_from_frame(pd.DataFrame(ROW), "yuan"), "E-US-014 currency"),
        (lambda: tables_from_frame("orders.csv", "CNY"), "E-US-015 frame"),
    ],
)
def test_what_is_no_table_is_refused_with_the_nearest_way(call, code):
    with pytest.raises(TierlensError, match=code):
        call()
