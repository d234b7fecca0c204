"""A scheme tried on the customers of a run file, on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tierlens.app.cli.main import main
from tierlens.grading import load_scheme

RUN = """
name: Simulated shop
simulated: {customers: 150, months: 30}
cutoff: "2025-03-01"
scheme: tiered_management
risk: {first_cutoff: "2024-12-01"}
seed: 3
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("tried") / "run.yaml"
    file.write_text(RUN, encoding="utf-8")
    return str(file)


@pytest.mark.parametrize(("lang", "words"), [("en", "Of "), ("zh", "已评级")])
def test_a_check_with_data_tells_what_the_scheme_does(
    lang: str, words: str, run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scheme", "check", "relationship_rating", "--data", run, "--json", "--lang", lang]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["on_data"][0].startswith(words)
    assert "--propose" in found["on_data"][-1]
    assert "proposal" not in found


@pytest.mark.slow
def test_a_proposal_is_told_and_written_only_when_asked(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked, to = ["scheme", "check", "relationship_rating", "--data", run, "--propose"], tmp_path / "ours.yaml"
    assert main([*asked, "--json"]) == 0
    proposal = json.loads(capsys.readouterr().out)["proposal"]
    assert not list(tmp_path.iterdir())
    assert [row[0] for row in proposal["tiers"]] == list("ABCD")
    assert main([*asked, "--out", str(to)]) == 0
    assert "Proposal, not applied" in capsys.readouterr().out
    written = load_scheme(to)
    assert written.id == "relationship_rating_refit"
    assert {str(i.normalise.centre) for _, i in written.indicators if i.normalise} == {proposal["centre"]}
    assert main([*asked, "--out", str(to)]) == 2  # it is there


@pytest.mark.parametrize("given", [["--propose"], ["--out", "x.yaml"]])
def test_a_proposal_without_customers_is_refused(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scheme", "check", "relationship_rating", *given]) == 2
    assert "E-RU-048" in capsys.readouterr().err


def test_a_scheme_with_nothing_to_fit_is_refused(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scheme", "check", "five_step", "--data", run, "--propose"]) == 2
    assert "E-SC-007" in capsys.readouterr().err
