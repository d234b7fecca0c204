"""What a reviewer asks on the command line, on a small simulated shop."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tierlens.app.cli import main
from tierlens.grading import load_scheme, scheme_names

RUN = """
name: Simulated shop
simulated:
  customers: 150
  months: 36
cutoff: "2025-09-01"
scheme: tiered_management
risk:
  first_cutoff: "2025-03-01"
seed: 3
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("review") / "run.yaml"
    file.write_text(RUN, encoding="utf-8")
    return str(file)


@pytest.fixture(scope="module")
def customer(run: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    import pyarrow.parquet as pq

    out = tmp_path_factory.mktemp("out")
    assert main(["grade", run, "--out", str(out)]) == 0
    graded = pq.read_table(out / "tiers.parquet").to_pylist()
    return str(next(row["customer_id"] for row in graded if row["tier"] == "B"))


@pytest.mark.parametrize("name", scheme_names())
def test_every_shipped_scheme_is_sound_and_explained(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scheme", "check", name, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert not [finding for finding in found["findings"] if finding[0] == "error"]
    assert main(["scheme", "explain", name, "--lang", "zh"]) == 0
    assert load_scheme(name).label[:8] in capsys.readouterr().out


def test_a_workbook_comes_back_as_the_same_scheme(tmp_path: Path) -> None:
    book, file = tmp_path / "five.xlsx", tmp_path / "five.yaml"
    assert main(["scheme", "explain", "five_step", "--to", str(book), "--lang", "zh"]) == 0
    assert main(["scheme", "import", str(book), str(file)]) == 0
    assert load_scheme(file) == load_scheme("five_step")


def test_a_starter_scheme_grades_at_once(run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "ours.yaml"
    assert main(["scheme", "new", run, str(file)]) == 0
    assert main(["scheme", "check", str(file)]) == 0
    assert "recency_days" in capsys.readouterr().out


def test_movement_counts_every_customer_once(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["movement", run, "2025-06-01", "2025-09-01", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    cells = [value for row in found["migration"] for key, value in row.items() if key != "tier"]
    assert sum(cells) > 50
    assert sum(found["by_dimension"].values()) == pytest.approx(found["mean_change"], abs=1e-6)


def test_the_way_to_a_tier_is_told_in_the_customers_own_units(
    run: str, customer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["path", run, customer, "--lang", "zh", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["tier"] == "B"
    assert any("CNY" in step for step in found["steps"])
    assert main(["path", run, "nobody"]) == 2


@pytest.mark.parametrize("kind", ["html", "xlsx"])
def test_a_rating_card_is_written(run: str, customer: str, tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"card.{kind}"
    assert main(["card", run, str(file), "--customer", customer]) == 0
    assert file.stat().st_size > 2000


def test_validity_says_what_the_tiers_are_worth(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validity", run, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row[0] for row in found["tiers"]] == [tier.name for tier in load_scheme("tiered_management").tiers]
    assert found["auc"] > 0.5
    assert main(["validity", run, "--scheme", "relationship_rating", "--lang", "zh"]) == 0
    assert "流失" in capsys.readouterr().out
