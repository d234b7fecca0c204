"""A run on Spark: the same tiers and risks as on one machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from tierlens.datasets.simulate import simulated_shop
from tierlens.errors import UsageError
from tierlens.learning.cautions import with_kept_notes
from tierlens.learning.kept_models import score_customers
from tierlens.pipeline.spark_run import run_on_spark, sampled_tables
from tierlens.workspace.config import load_config
from tierlens.workspace.prepare import read_shop
from tierlens.workspace.study import study_of

RUN = """
name: Small shop
simulated: {customers: 250, months: 30}
cutoff: "2025-04-01"
scheme: relationship_rating
risk: {first_cutoff: "2024-10-01", tests: 1, trials: 0, seeds: 1}
seed: 3
track: false
"""


def customers_of(table: Any) -> set[str]:
    return set(table.select("customer_id").collect("pyarrow").to_native()["customer_id"].to_pylist())


def test_a_sample_is_of_whole_customers_and_always_the_same() -> None:
    shop = simulated_shop(customers=60, months=12, seed=5).tables
    some = sampled_tables(shop, 20)
    chosen = customers_of(some.transactions)
    assert len(chosen) == 20
    assert chosen == customers_of(sampled_tables(shop, 20).transactions)
    for name, table in some.others.items():
        assert customers_of(table) == customers_of(shop.others[name]) & chosen
    assert sampled_tables(shop, 60) is shop


def test_an_earlier_run_is_not_written_over_unasked(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(RUN, encoding="utf-8")
    (tmp_path / "out" / "customers").mkdir(parents=True)
    with pytest.raises(UsageError, match="there is an earlier run here"):
        run_on_spark(load_config(tmp_path / "run.yaml"), tmp_path / "out", lambda _: None)


@pytest.mark.slow
def test_tiers_and_risks_are_those_of_one_machine(tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    (tmp_path / "run.yaml").write_text(RUN, encoding="utf-8")
    config = load_config(tmp_path / "run.yaml")
    said: list[str] = []
    told = run_on_spark(config, tmp_path / "out", lambda text: said.append(text.en))
    found = ds.dataset(tmp_path / "out" / "customers").to_table().sort_by("customer_id")
    shop = read_shop(config)
    study = study_of(shop, config)
    graded = study.rows_now(study.prepared.tiers).sort_by("customer_id")
    assert told["customers"] == found.num_rows == graded.num_rows
    for name in ("customer_id", "tier", "tier_rank", "flags"):
        assert found[name].to_pylist() == graded[name].to_pylist(), name
    risks = score_customers(study, tmp_path / "out" / "models")
    for name in ("score", "coverage"):
        near(found[name], graded[name])
    near(found["churn_risk"], risks["churn_risk"])
    noted = with_kept_notes(risks, tmp_path / "out" / "models")
    for name in ("risk_note_en", "risk_note_zh"):
        assert found[name].to_pylist() == noted[name].to_pylist()
    # A population is kept as a hundred levels for those who are not part of it: close, and never on the other side.
    near(found["downgrade_risk"], risks["downgrade_risk"], 0.02)


def near(one: pa.ChunkedArray, other: pa.ChunkedArray, by: float = 1e-8) -> None:
    left, right = (np.asarray(column.to_numpy()).astype(float) for column in (one, other))
    np.testing.assert_allclose(left, right, atol=by, rtol=0, equal_nan=True)
