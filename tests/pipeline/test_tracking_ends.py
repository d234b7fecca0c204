"""How a tracked run ends: told to the store as it was, and a store that refuses is told of, never raised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tierlens.errors import MissingExtraError, UsageError
from tierlens.pipeline.run_tracking import Tracking
from tierlens.publish.tracking.records import REFUSED
from tierlens.words import Text

STORE = "tierlens.publish.tracking.mlflow_store"


class Run:
    """What a store answers."""

    run_id = "r1"

    def say(self) -> Text:
        return Text("model kept", "模型已保存")


class Store:
    """A store that remembers how runs ended, and refuses where it is told to."""

    def __init__(self, patch: pytest.MonkeyPatch, refuses: str = "", code: str = REFUSED) -> None:
        self.ended: list[tuple[str, str]] = []

        def may(step: str) -> None:
            if step == refuses:
                raise UsageError(code, Text("locked", "已锁定"), where="store")

        def end(run_id: str, home: Path, status: str) -> list[Run]:
            may("end")
            self.ended.append((run_id, status))
            return [Run()]

        def track(record: Any, home: Path, *, is_over: bool) -> Run:
            may("track")
            assert not is_over
            return Run()

        patch.setattr(f"{STORE}.warm_up", lambda home: may("warm up"))
        patch.setattr(f"{STORE}.track_run", track)
        patch.setattr(f"{STORE}.end_run", end)


RECORD: Any = None


@pytest.mark.parametrize(
    ("problem", "status"), [(None, "FINISHED"), (OSError(), "FAILED"), (KeyboardInterrupt(), "KILLED")]
)
def test_the_store_hears_how_a_run_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, problem: BaseException | None, status: str
) -> None:
    store, told = Store(monkeypatch), list[Text]()
    tracking = Tracking(tmp_path, told.append)
    with tracking:
        assert tracking.keep(RECORD) == "r1"
    store.ended.clear()
    tracking.__exit__(None if problem is None else type(problem), problem, None)
    assert store.ended == [("r1", status)]
    assert told[-1].en == "model kept"


def test_a_run_that_never_reached_the_store_ends_without_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    store = Store(monkeypatch)
    with Tracking(tmp_path, print):
        pass
    assert store.ended == []


@pytest.mark.parametrize(("step", "run_id"), [("warm up", ""), ("track", ""), ("end", "r1")])
def test_a_store_that_refuses_is_told_of_once_and_the_run_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, step: str, run_id: str
) -> None:
    Store(monkeypatch, step)
    told: list[Text] = []
    with Tracking(tmp_path, told.append) as tracking:
        assert tracking.keep(RECORD) == run_id
    (line,) = told
    assert line.en.startswith("E-TK-004 store: not tracked, but written whole: locked")
    assert line.zh.startswith("E-TK-004 store：未被跟踪")


@pytest.mark.parametrize("step", ["warm up", "track"])
def test_an_error_that_is_no_refusal_is_raised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, step: str) -> None:
    Store(monkeypatch, step, "E-TK-001")
    with pytest.raises(UsageError, match="E-TK-001"):
        Tracking(tmp_path, print).keep(RECORD)


def test_a_fault_while_the_store_is_made_ready_is_raised_where_the_store_is_needed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fault(home: Path) -> None:
        raise ZeroDivisionError

    Store(monkeypatch)
    monkeypatch.setattr(f"{STORE}.warm_up", fault)
    tracking = Tracking(tmp_path, print)
    with pytest.raises(ZeroDivisionError):
        tracking.keep(RECORD)


def test_without_mlflow_a_run_is_refused_before_it_computes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"E-EX-001: mlflow is not installed; pip install 'tierlens\[track\]'"):
        Tracking(tmp_path, print)
