"""Single commands on a shop of sixty customers: their tables agree with each other and with the scheme as SQL."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.publish.samples import make_customers, make_findings
from tests.tiny_shop import write_shop
from tierlens.pipeline.single_steps import features_only, grade_only, list_written, read_only, scheme_sql
from tierlens.publish.files.atomic import write_parquet
from tierlens.publish.files.run_json import write_folder_record
from tierlens.publish.lists.bands import band_lines
from tierlens.publish.lists.customer_lists import Pick
from tierlens.publish.lists.playbook import load_playbook
from tierlens.publish.report.findings_file import write_findings
from tierlens.words import Lang
from tierlens.workspace import run_folder
from tierlens.workspace.config import RunConfig, load_config


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> RunConfig:
    return load_config(write_shop(tmp_path_factory.mktemp("shop") / "shop"))


@pytest.fixture(scope="module")
def graded(config: RunConfig, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], pa.Table]:
    file = tmp_path_factory.mktemp("graded") / "tiers.parquet"
    return grade_only(config, file, "en"), pq.read_table(file)


@pytest.fixture(scope="module")
def snapshots(config: RunConfig, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], pa.Table]:
    file = tmp_path_factory.mktemp("features") / "snapshots.parquet"
    return features_only(config, file), pq.read_table(file)


def test_reading_counts_every_line_of_the_file_and_keeps_what_it_could_not_use(
    config: RunConfig, tmp_path: Path
) -> None:
    assert config.source is not None
    lines = Path(config.source.files[0]).read_text("utf-8").splitlines()
    quality = read_only(config, tmp_path / "rejects.csv")
    assert (quality.rows_in, quality.used) == (len(lines) - 1, len(lines) - 2)
    assert "2025-03-06" in (tmp_path / "rejects.csv").read_text("utf-8-sig")


def test_tiers_that_are_told_are_those_that_are_written(graded: tuple[dict[str, object], pa.Table]) -> None:
    told, table = graded
    tiers = table["tier"].to_pylist()
    assert {tier: told[tier or "-"] for tier in set(tiers)} == {tier: tiers.count(tier) for tier in set(tiers)}
    assert len(set(table["customer_id"].to_pylist())) == table.num_rows == 60


def test_snapshots_hold_each_customer_once_a_cutoff_and_no_other_cutoff(
    config: RunConfig, snapshots: tuple[dict[str, object], pa.Table]
) -> None:
    told, table = snapshots
    keys = list(zip(table["customer_id"].to_pylist(), table["cutoff"].cast(pa.int32()).to_pylist(), strict=True))
    assert len(set(keys)) == len(keys) == told["rows"]
    assert {day for _, day in keys} == {*config.learning_cutoffs(), config.cutoff_day}
    assert told["columns"] == table.num_columns


def test_who_is_in_the_snapshot_of_the_cutoff_is_who_is_graded_as_active(
    config: RunConfig, graded: tuple[dict[str, object], pa.Table], snapshots: tuple[dict[str, object], pa.Table]
) -> None:
    rows = zip(
        snapshots[1]["customer_id"].to_pylist(), snapshots[1]["cutoff"].cast(pa.int32()).to_pylist(), strict=True
    )
    there = {customer for customer, day in rows if day == config.cutoff_day}
    kinds = zip(graded[1]["customer_id"].to_pylist(), graded[1]["activity"].to_pylist(), strict=True)
    assert there == {customer for customer, kind in kinds if kind == "active"}


def test_the_scheme_as_sql_is_one_query_that_duckdb_can_read(config: RunConfig) -> None:
    text = scheme_sql(config)
    assert "tier" in text
    assert len(duckdb.extract_statements(text)) == 1


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of forty customers."""
    folder = tmp_path_factory.mktemp("run")
    write_parquet(folder / run_folder.CUSTOMERS, make_customers(40))
    write_findings(make_findings(), folder / run_folder.FINDINGS)
    write_folder_record(folder, run_folder.RUN)
    return folder


@pytest.mark.parametrize("tiers", [(), ("A",), ("A", "B"), ("core",), ("重要客户", "D")])
def test_a_list_holds_the_customers_of_the_tiers_asked_for_by_id_or_name(
    out: Path, tmp_path: Path, tiers: tuple[str, ...]
) -> None:
    ids = {"core": "A", "重要客户": "B"}
    wanted = {ids.get(tier, tier) for tier in tiers} or set("ABCD")
    list_written(out, tmp_path / "a.csv", Pick(tiers), "en", None)
    lines = (tmp_path / "a.csv").read_text("utf-8-sig").splitlines()[1:]
    customers = pq.read_table(out / run_folder.CUSTOMERS).select(["customer_id", "tier"]).to_pylist()
    assert {line.split(",")[0] for line in lines} == {row["customer_id"] for row in customers if row["tier"] in wanted}
    assert len(lines) == len({line.split(",")[0] for line in lines})


@pytest.mark.parametrize(("lang", "header"), [("en", "churn band (high: "), ("zh", "流失风险档（高：不低于 ")])
def test_a_list_of_one_risk_ranked_by_value_tells_where_its_band_begins(
    tmp_path: Path, lang: Lang, header: str
) -> None:
    customers = make_customers(40)
    customers = customers.append_column("monetary", pa.array([place * 1000 for place in range(40)]))
    bands = band_lines(customers, load_playbook().bands)
    out = tmp_path / "run"
    out.mkdir()
    write_parquet(out / run_folder.CUSTOMERS, customers)
    write_findings(dataclasses.replace(make_findings(), bands=bands), out / run_folder.FINDINGS)
    write_folder_record(out, run_folder.RUN)
    counts = list_written(out, tmp_path / "a.csv", Pick(churn_bands=("high",), by="value_at_risk"), lang, None)
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text("utf-8-sig").splitlines()))
    assert len(rows) == 4 == list(counts.values())[-1]
    assert any(name.startswith(header) for name in rows[0])
    value = {"en": "value at risk, GBP", "zh": "风险金额，GBP"}[lang]
    money = [float(row[value]) for row in rows]
    assert money == sorted(money, reverse=True)
    amounts = {row["customer_id"]: row["churn_risk"] * row["monetary"] / 100 for row in customers.to_pylist()}
    ids = [row[{"en": "customer ID", "zh": "客户编号"}[lang]] for row in rows]
    assert money == pytest.approx([amounts[one] for one in ids], abs=0.01)
