"""What a reviewer asks on the command line, on a small simulated shop."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tierlens.app.cli.main import main
from tierlens.grading import load_scheme, scheme_names

pytestmark = pytest.mark.slow  # whole runs

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
    told = capsys.readouterr().out
    assert "流失" in told
    assert " to " not in told
    assert "rows" not in told


def test_validity_says_that_nobody_churned(run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Three customers who all go on buying: there is nobody to rank."""
    days = [f"20{year}-{month:02d}-15" for year in (22, 23, 24, 25) for month in range(1, 13)]
    lines = [f"{who},{who}{n},{day},{10 * (at + 1)}" for at, who in enumerate("abc") for n, day in enumerate(days)]
    (tmp_path / "orders.csv").write_text("customer_id,order_id,time,amount\n" + "\n".join(lines) + "\n")
    file = tmp_path / "run.yaml"
    file.write_text(Path(run).read_text().replace(
        "simulated:\n  customers: 150\n  months: 36", f"source:\n  files: [{tmp_path}/orders.csv]\n  currency: CNY"
    ))  # fmt: skip
    assert main(["validity", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail)["auc"] is None
    for lang in ("en", "zh"):
        assert main(["validity", str(file), "--lang", lang]) == 0
        assert "nan" not in capsys.readouterr().out.replace("nancial", "")


def test_movement_names_who_moved_and_the_reasons_add_up(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["movement", run, "2025-06-01", "2025-09-01", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    moved = found["moved"]
    off_diagonal = sum(n for row in found["migration"] for tier, n in row.items() if tier not in ("tier", row["tier"]))
    assert len(moved) == len({row["customer_id"] for row in moved}) == off_diagonal > 0
    for row in moved:
        assert row["tier_before"] != row["tier_after"]
        assert row["reasons"]
        if row["score_change"] is not None:
            assert sum(row["by_indicator"].values()) == pytest.approx(row["score_change"], abs=1e-6)
            assert sum(row["by_dimension"].values()) == pytest.approx(row["score_change"], abs=1e-6)


@pytest.mark.parametrize(("lang", "words"), [("en", "more customers moved"), ("zh", "另有")])
def test_movement_shows_a_few_customers_and_counts_the_rest(
    run: str, capsys: pytest.CaptureFixture[str], lang: str, words: str
) -> None:
    assert main(["movement", run, "2025-06-01", "2025-09-01", "--json", "--lang", lang]) == 0
    moved = json.loads(capsys.readouterr().out)["moved"]
    assert main(["movement", run, "2025-06-01", "2025-09-01", "--top", "2", "--lang", lang]) == 0
    told = capsys.readouterr().out
    assert [row["customer_id"] for row in moved if f"\n{row['customer_id']}  " in told] == [
        row["customer_id"] for row in moved[:2]
    ]
    assert moved[0]["reasons"][0] in told
    assert words in told
    assert f"{len(moved) - 2:,}" in told


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_movement_writes_everybody_who_moved(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    command = ["movement", run, "2025-06-01", "2025-09-01", "--lang", "zh"]
    file = tmp_path / f"moved.{kind}"
    assert main([*command, "--json"]) == 0
    moved = json.loads(capsys.readouterr().out)["moved"]
    assert main([*command, "--out", str(file)]) == 0
    assert file.stat().st_mode & 0o077 == 0
    first = file.read_bytes()
    if kind == "csv":
        lines = first.decode("utf-8-sig").splitlines()
        assert lines[0].startswith("客户编号,此前等级,现等级,")
        assert [line.split(",")[0] for line in lines[1:]] == [row["customer_id"] for row in moved]
    assert main([*command, "--out", str(file)]) == 2  # nothing is overwritten without --force
    assert main([*command, "--out", str(file), "--force"]) == 0
    assert file.read_bytes() == first
    theirs = tmp_path / f"theirs.{kind}"
    theirs.write_text("customer_id,tier\n1,A\n")
    assert main([*command, "--out", str(theirs), "--force"]) == 2


@pytest.mark.parametrize("dates", [("2025-09-01", "2025-06-01"), ("2025-09-01", "2025-09-01")])
def test_movement_refuses_dates_that_do_not_follow(
    run: str, capsys: pytest.CaptureFixture[str], dates: tuple[str, str]
) -> None:
    assert main(["movement", run, *dates, "--lang", "zh"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "E-US-041" in told.err
    assert dates[0] in told.err


@pytest.mark.parametrize(
    ("dates", "place"), [(("2025-6-1", "2025-09-01"), "BEFORE"), (("2025-06-01", "soon"), "AFTER")]
)
def test_movement_names_the_argument_that_is_no_date(
    run: str, capsys: pytest.CaptureFixture[str], dates: tuple[str, str], place: str
) -> None:
    assert main(["movement", run, *dates]) == 2
    assert f"E-US-001 {place}: " in capsys.readouterr().err


def test_validity_names_the_option_of_an_unknown_scheme(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validity", run, "--scheme", "five_stepp"]) == 2
    assert "E-SC-001 --scheme: there is no scheme 'five_stepp'; did you mean 'five_step'?" in capsys.readouterr().err


def test_movement_under_a_scheme_of_rules_tells_the_rule(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(Path(run).read_text().replace("tiered_management", "relationship_guide"))
    assert main(["movement", str(file), "2025-03-01", "2025-09-01", "--json"]) == 0
    moved = json.loads(capsys.readouterr().out)["moved"]
    both = [row for row in moved if "-" not in (row["tier_before"], row["tier_after"])]
    assert both
    for row in both:
        assert "2025-03-01" in " ".join(row["reasons"])
        assert "2025-09-01" in " ".join(row["reasons"])
