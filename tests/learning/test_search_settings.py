"""The search of a run file: honest cutoffs, a study that goes on, and words that claim no more than was found."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierlens.app.cli.main import main
from tierlens.errors import DataError, UsageError
from tierlens.learning import search_settings as settings_module
from tierlens.learning.search_settings import NEAR, STUDIES, Searched, Wish, _digest, _tracked, search_settings
from tierlens.publish.tracking.records import REFUSED, SearchRecord
from tierlens.risk.tuning import Trial, Tuned
from tierlens.words import Text
from tierlens.workspace.config import config_of_text

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


ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5)), min_size=1, max_size=6)
NAMES = st.lists(st.sampled_from(["a", "b", "ab", "c"]), max_size=3)


@settings(max_examples=60)
@given(ROWS, NAMES, ROWS, NAMES)
def test_studies_share_a_name_where_rows_and_columns_are_the_same_and_nowhere_else(
    rows: list[tuple[int, int]], names: list[str], others: list[tuple[int, int]], other_names: list[str]
) -> None:
    one, two = (
        _digest(np.array(given)[:, 0], np.array(given)[:, 1], called)
        for given, called in ((rows, names), (others, other_names))
    )
    assert (one == two) == ((rows, names) == (others, other_names))


@pytest.mark.parametrize(
    ("states", "words"),
    [
        (["complete"], "1 trials:"),
        (["complete", "pruned"], "2 trials, 1 stopped early:"),
        (["pruned"] * 3, "3 trials, 3 stopped early:"),
    ],
)
def test_trials_are_counted_with_those_that_were_stopped(states: list[str], words: str) -> None:
    trials = tuple(Trial(place, {}, None, state) for place, state in enumerate(states))
    said = Searched(Tuned({}, 0.7, 0.7, trials), (), "s").say()
    assert said.en.startswith(words)
    assert said.zh.startswith(f"{len(states)} 次试验")
    assert ("提前停止" in said.zh) == ("pruned" in states)


def tuned() -> Tuned:
    return Tuned({"rounds": 80}, 0.8, 0.7, tuple(Trial(n, {"rounds": n}, 0.7, "complete") for n in range(4)))


def test_only_trials_of_this_search_are_tracked_and_simulated_data_are_called_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept: list[SearchRecord] = []

    def track(record: SearchRecord, home: Path) -> str:
        kept.append(record)
        return f"id in {home}"

    monkeypatch.setattr("tierlens.publish.tracking.mlflow_store.track_search", track)
    assert _tracked(config_of_text(RUN), tuned(), {1, 3}, tmp_path, print) == f"id in {tmp_path}"
    assert [trial.number for trial in kept[0].trials] == [1, 3]
    assert (kept[0].experiment, kept[0].metrics) == ("shop (simulated)", {"auc_default": 0.7, "auc_best": 0.8})


@pytest.mark.parametrize("code", [REFUSED, "E-TK-001"])
def test_a_store_that_refuses_costs_no_search_its_result(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str
) -> None:
    def refuse(*_: object) -> str:
        raise UsageError(code, Text("no", "否"))

    monkeypatch.setattr("tierlens.publish.tracking.mlflow_store.track_search", refuse)
    told: list[Text] = []
    if code == REFUSED:
        assert _tracked(config_of_text(RUN), tuned(), set(), tmp_path, told.append) == ""
        assert told[0].en.startswith("E-TK-004")
        assert told[0].zh.startswith("E-TK-004")
    else:
        with pytest.raises(UsageError, match=code):
            _tracked(config_of_text(RUN), tuned(), set(), tmp_path, told.append)


def test_a_run_that_tests_all_it_has_leaves_no_cutoff_to_search_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class NoTask:
        rows = None

    monkeypatch.setattr(settings_module, "obtain_shop", lambda config, tell, at_cutoff: (config, None))
    monkeypatch.setattr(settings_module, "study_of", lambda shop, config: None)
    monkeypatch.setattr(settings_module, "tasks_of", lambda *_: (NoTask,))
    config = config_of_text(RUN.replace("tests: 2", "tests: 99"))
    with pytest.raises(DataError, match=r"E-RU-024 risk\.first_cutoff: too few cutoffs close before .* fewer cutoffs"):
        search_settings(config, Wish(1, {}, tmp_path / "home"), print)
    assert not (tmp_path / "home").exists()
