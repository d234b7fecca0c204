"""The search of a run file: honest cutoffs, a study that goes on, and words that claim no more than was found."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tierlens.app.cli.main import main
from tierlens.learning.search_settings import NEAR, STUDIES, Searched, _digest
from tierlens.risk.tuning import Trial, Tuned

RUN = """
name: shop
simulated: {customers: 150, months: 36}
cutoff: "2025-07-01"
risk: {first_cutoff: "2024-06-01", tests: 2, seeds: 1}
seed: 2
"""


def found(gain: float) -> Searched:
    trials = (Trial(0, {"rounds": 80}, 0.7 + gain, "complete"), Trial(1, {"rounds": 60}, None, "pruned"))
    return Searched(Tuned({"rounds": 80} if gain > 0 else {}, 0.7 + max(gain, 0), 0.7, trials), ("2025-01-01",), "s")


@pytest.mark.parametrize("gain", [-0.01, 0.0, NEAR / 2])
def test_a_gain_that_is_no_gain_keeps_the_default(gain: float) -> None:
    searched = found(gain)
    assert searched.settings == {}
    assert "keep it" in searched.say().en
    assert "保持默认" in searched.say().zh


def test_a_gain_is_told_with_what_to_do() -> None:
    searched = found(2 * NEAR)
    assert searched.settings == {"rounds": 80}
    assert searched.say().en.startswith("2 trials, 1 stopped early: better settings were found, AUC 0.7000 -> 0.7040")
    assert "risk.trees" in searched.say().zh


def test_a_study_goes_on_with_the_same_rows_and_columns_only() -> None:
    y, cutoffs, names = np.array([0, 1]), np.array([5, 6]), ("a", "b")
    same = [(y, cutoffs, names), (y.copy(), cutoffs.copy(), list(names))]
    others = [(y[::-1], cutoffs, names), (y, cutoffs + 1, names), (y, cutoffs, ("a", "c")), (y, cutoffs, ("ab",))]
    assert len({_digest(*given) for given in same}) == 1
    assert len({_digest(*given) for given in (same[0], *others)}) == 5


@pytest.mark.slow
def test_the_command_goes_on_with_its_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, home = tmp_path / "run.yaml", tmp_path / "home"
    file.write_text(RUN, encoding="utf-8")
    told = []
    for trials in (2, 3):
        arguments = ["tune", str(file), "--trials", str(trials), "--home", str(home), "--no-track", "--json"]
        assert main(arguments) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert [one["trials"] for one in told] == [2, 3]
    assert told[0]["study"] == told[1]["study"]
    assert told[1]["auc_best"] >= told[1]["auc_default"]
    assert max(told[0]["cutoffs"]) < "2025-03-01"  # closes before the first tested cutoff
    assert (home / STUDIES).is_file()
