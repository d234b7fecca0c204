"""The whole run on a small simulated shop: every file is there, twice the same, and the parts agree with each other."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tierlens.app.cli.main import main
from tierlens.sources.tables import day_number
from tierlens.workspace import run_folder

RUN = """
name: Simulated shop
simulated:
  customers: 300
  months: 36
cutoff: "2025-09-01"
scheme: tiered_management
risk:
  first_cutoff: "2024-06-01"
  tests: 2
  trials: 0
  seeds: 1
  resamples: 50
  draws: 4
  trees: {rounds: 20}
lists:
  - name: fading
    tiers: [A, B]
    bands: [high, medium]
  - name: everybody
    churn_bands: [high, medium, low]
    by: value_at_risk
bands: {downgrade: {high: {share: 0.2}, medium: {at_least: 0.01}}}
seed: 3
"""
SAME = (run_folder.CUSTOMERS, run_folder.SNAPSHOTS, run_folder.TIERS, run_folder.FINDINGS, run_folder.REPORT)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Two runs of one run file."""
    folder = tmp_path_factory.mktemp("flow")
    file = folder / "run.yaml"
    file.write_text(RUN, encoding="utf-8")
    outs = folder / "one", folder / "two"
    for out in outs:
        assert main(["run", str(file), "--out", str(out), "--no-track"]) == 0
    return file, *outs


@pytest.fixture(scope="module")
def everybody(runs: tuple[Path, Path, Path]) -> pa.Table:
    return pq.read_table(runs[1] / run_folder.CUSTOMERS)


@pytest.fixture(scope="module")
def customers(everybody: pa.Table) -> pa.Table:
    """Return those with a purchase in the window: tiers, segments and risks are theirs."""
    return everybody.filter(pc.equal(everybody["activity"], "active"))


def test_two_runs_give_the_same_bytes(runs: tuple[Path, Path, Path]) -> None:
    _, one, two = runs
    lists = sorted(path.relative_to(one) for path in (one / run_folder.LISTS).iterdir())
    models = sorted(path.relative_to(one) for path in (one / run_folder.MODELS).rglob("*") if path.is_file())
    assert [path.name for path in lists] == ["everybody.csv", "everybody.xlsx", "fading.csv", "fading.xlsx"]
    for name in (*map(Path, SAME), *lists, *models):
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


def test_time_stamps_stand_in_run_json_only(runs: tuple[Path, Path, Path]) -> None:
    record = json.loads((runs[1] / run_folder.RUN).read_text("utf-8"))
    assert record["started"] <= record["finished"]
    assert len(record["scheme_sha256"]) == len(record["code_sha256"]) == 64
    assert {"read", "features and tiers", "segments", "churn", "report"} <= set(record["seconds"])
    for name in (run_folder.FINDINGS, run_folder.REPORT):
        assert record["started"][:16] not in (runs[1] / name).read_text("utf-8")


def test_every_customer_of_the_snapshot_is_there_once(runs: tuple[Path, Path, Path], customers: pa.Table) -> None:
    panel = pq.read_table(runs[1] / run_folder.SNAPSHOTS)
    day = pa.scalar(day_number("2025-09-01"), pa.int32()).cast(pa.date32())
    now = panel.filter(pc.equal(panel["cutoff"], day))
    assert customers["customer_id"].to_pylist() == now["customer_id"].to_pylist()
    assert len(set(customers["customer_id"].to_pylist())) == customers.num_rows


def test_who_does_not_buy_is_there_too_without_a_risk(everybody: pa.Table) -> None:
    assert len(set(everybody["customer_id"].to_pylist())) == everybody.num_rows
    others = everybody.filter(pc.not_equal(everybody["activity"], "active"))
    assert set(others["activity"].to_pylist()) == {"lapsed", "prospect"}
    assert others["churn_risk"].null_count == others["segment"].null_count == others.num_rows
    assert others["risk_note_zh"].null_count == 0


def test_the_other_tables_are_graded_and_learned_from(runs: tuple[Path, Path, Path], customers: pa.Table) -> None:
    panel = pq.read_schema(runs[1] / run_folder.SNAPSHOTS).names
    assert {"complaints_12m", "on_time_share", "credit_rating", "repeat_rate", "nps"} <= set(panel)
    assert pc.mean(customers["coverage"]).as_py() > 0.6
    model = "".join(path.read_text("utf-8") for path in (runs[1] / run_folder.MODELS / "churn").glob("*.json"))
    assert "complaint_rate" in model
    assert "credit_rating_rank" in model
    assert '"credit_rating"' not in model


def test_risks_are_probabilities_and_missing_only_where_the_outcome_cannot_be(customers: pa.Table) -> None:
    rows: list[dict[str, Any]] = customers.to_pylist()
    assert all(0 < row["churn_risk"] < 1 for row in rows)
    for row in rows:
        assert (row["downgrade_risk"] is None) == (row["tier"] in (None, "D"))


def test_each_risk_has_its_bands_and_the_run_says_where_they_begin(
    runs: tuple[Path, Path, Path], everybody: pa.Table, customers: pa.Table
) -> None:
    findings = json.loads((runs[1] / run_folder.FINDINGS).read_text("utf-8"))
    begins = {(line["outcome"], line["band"]): line["begins"] for line in findings["bands"]}
    page = (runs[1] / run_folder.REPORT).read_text("utf-8")
    assert begins["downgrade", "medium"] == 0.01
    ranks = ["unknown", "low", "medium", "high"]
    for row in everybody.to_pylist():
        worst = "unknown"
        for outcome in ("churn", "downgrade"):
            risk, band = row[f"{outcome}_risk"], row[f"{outcome}_band"]
            assert (risk is None) == (band is None)
            if risk is not None:
                reached = [name for name in ("high", "medium") if round(risk, 9) >= begins[outcome, name]]
                assert band == (reached or ["low"])[0]
                worst = max(worst, band, key=ranks.index)
        assert row["risk_band"] == worst
    assert "the 10% with the highest risk" in page
    assert "风险最高的 20%" in page
    rows = customers.num_rows
    assert rows / 10 <= customers["churn_band"].to_pylist().count("high") <= rows / 10 + 2


def test_a_list_by_value_has_the_most_money_at_risk_first(
    runs: tuple[Path, Path, Path], customers: pa.Table, tmp_path: Path
) -> None:
    lines = (runs[1] / run_folder.LISTS / "everybody.csv").read_text("utf-8-sig").splitlines()
    rows = sorted(customers.to_pylist(), key=lambda row: (-row["churn_risk"] * row["monetary"], row["customer_id"]))
    assert [line.split(",")[0] for line in lines[1:]] == [row["customer_id"] for row in rows]
    assert "churn band (high: " in lines[0]
    asked = ["--churn-band", "高", "--by", "value_at_risk", "--lang", "zh"]
    assert main(["list", str(tmp_path / "a.csv"), "--out", str(runs[1]), *asked]) == 0
    high = [row["customer_id"] for row in rows if row["churn_band"] == "high"]
    written = (tmp_path / "a.csv").read_text("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in written[1:]] == high
    assert "流失风险档（高：" in written[0]


def test_the_highest_risks_have_reasons_and_steps_in_both_languages(customers: pa.Table) -> None:
    riskiest = sorted(customers.to_pylist(), key=lambda row: -row["churn_risk"])[:20]
    for row in riskiest:
        assert re.fullmatch(r"(Churn|Downgrade): .+ \(\+[1-9]\d* points\)", row["reason_en"])
        assert re.fullmatch(r"(流失|降级)：.+（风险\+[1-9]\d*个百分点）", row["reason_zh"])
        assert row["reason_code"].startswith("R-")
        assert row["next_step_en"]
        assert row["next_step_zh"]
        assert row["evidence_en"]
        assert row["segment_zh"]


def test_the_report_says_that_the_data_are_simulated(runs: tuple[Path, Path, Path]) -> None:
    page = (runs[1] / run_folder.REPORT).read_text("utf-8")
    assert "simulated" in page.lower()
    assert "模拟" in page


def test_an_earlier_run_is_kept_without_force(
    runs: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(runs[0]), "--out", str(runs[1]), "--no-track"]) == 2
    assert "add --force" in capsys.readouterr().err


def test_a_dry_run_writes_nothing(runs: tuple[Path, Path, Path], tmp_path: Path) -> None:
    assert main(["run", str(runs[0]), "--out", str(tmp_path / "dry"), "--dry-run"]) == 0
    assert not (tmp_path / "dry").exists()


def test_a_kept_model_gives_the_same_risks(runs: tuple[Path, Path, Path], customers: pa.Table) -> None:
    assert main(["score", str(runs[0]), "--out", str(runs[1])]) == 0
    scores = pq.read_table(runs[1] / "scores.parquet")
    assert scores["customer_id"].to_pylist() == customers["customer_id"].to_pylist()
    for name in ("churn_risk", "downgrade_risk"):
        assert scores[name].to_pylist() == pytest.approx(customers[name].to_pylist(), abs=1e-9)


def test_one_customer_explained(
    runs: tuple[Path, Path, Path], customers: pa.Table, capsys: pytest.CaptureFixture[str]
) -> None:
    customer = customers["customer_id"][0].as_py()
    assert main(["explain", customer, "--out", str(runs[1]), "--lang", "zh", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["customer_id"] == customer
    assert not [key for key in found if key.endswith(("_en", "_zh"))]
    assert main(["explain", "nobody", "--out", str(runs[1])]) == 2


def test_a_list_of_those_who_agreed(runs: tuple[Path, Path, Path], customers: pa.Table, tmp_path: Path) -> None:
    ids = customers["customer_id"].to_pylist()
    consent = tmp_path / "consent.csv"
    answers = ["yes", "no", "unknown"]
    lines = [f"{customer},{answers[number % 3]}" for number, customer in enumerate(ids)]
    consent.write_text("\n".join(["customer_id,contactable", *lines]) + "\n", encoding="utf-8")
    target = tmp_path / "agreed.csv"
    assert main(["list", str(target), "--out", str(runs[1]), "--consent", str(consent)]) == 0
    listed = target.read_text("utf-8-sig").splitlines()
    assert len(listed) - 1 == len(ids[::3])


def test_the_report_can_be_made_again_without_the_data(runs: tuple[Path, Path, Path], tmp_path: Path) -> None:
    assert main(["report", "--out", str(runs[1]), "--to", str(tmp_path / "again.html")]) == 0
    assert (tmp_path / "again.html").read_bytes() == (runs[1] / run_folder.REPORT).read_bytes()
