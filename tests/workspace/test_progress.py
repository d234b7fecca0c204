"""Every step of a run has a name in both languages."""

from __future__ import annotations

import re
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tierlens
from tierlens.words import Text
from tierlens.workspace.progress import STAGES, Clock, say_times


def test_every_step_is_named_in_chinese() -> None:
    code = "".join(path.read_text("utf-8") for path in Path(tierlens.__file__).parent.rglob("*.py"))
    steps = {*re.findall(r"clock\.step\(\"([^\"]+)\"", code), "churn", "downgrade"}
    assert steps == set(STAGES)
    times = say_times(dict.fromkeys(steps, 1.0)).zh
    assert not re.search("[A-Za-z]", times)


def test_a_step_is_told_and_timed_under_its_key() -> None:
    told: list[Text] = []
    clock = Clock(told.append)
    with clock.step("read", Text("reading", "读取数据源")):
        pass
    assert told == [Text("reading", "读取数据源")]
    assert list(clock.seconds) == ["read"]


class Hands:
    """A clock whose hands move by what it is given, each time that somebody looks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *gaps: float) -> None:
        self.times = iter(accumulate(gaps))
        monkeypatch.setattr("tierlens.workspace.progress.time.perf_counter", lambda: next(self.times))


STEP = Text("step", "步骤")


def test_a_step_that_is_entered_again_adds_its_times(monkeypatch: pytest.MonkeyPatch) -> None:
    Hands(monkeypatch, 0, 2.5, 100, 0.25)
    clock = Clock(lambda _: None)
    for _ in range(2):
        with clock.step("read", STEP):
            pass
    assert clock.seconds == {"read": 2.75}


def test_a_step_that_fails_is_timed_and_its_error_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    Hands(monkeypatch, 5, 1.5)
    clock = Clock(lambda _: None)
    with pytest.raises(ZeroDivisionError), clock.step("read", STEP):
        raise ZeroDivisionError
    assert clock.seconds == {"read": 1.5}


def test_a_step_within_another_is_part_of_both(monkeypatch: pytest.MonkeyPatch) -> None:
    Hands(monkeypatch, 0, 1, 2, 4)
    clock = Clock(lambda _: None)
    with clock.step("outer", STEP), clock.step("inner", STEP):
        pass
    assert clock.seconds == {"inner": 2, "outer": 7}


def test_a_step_is_told_before_it_begins() -> None:
    told: list[str] = []
    clock = Clock(lambda text: told.append(text.en))
    with clock.step("read", STEP):
        told.append("work")
    assert told == ["step", "work"]


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from([*STAGES, "a step of tomorrow"]), st.floats(0, 9999), max_size=6))
def test_times_are_told_in_the_order_of_the_steps_to_a_tenth_of_a_second(seconds: dict[str, float]) -> None:
    for lang, stop in (("en", ", "), ("zh", "，")):
        said = say_times(seconds).en if lang == "en" else say_times(seconds).zh
        parts = [part.rsplit(" ", 1) for part in said.split(stop)] if said else []
        names = [STAGES[key].en if lang == "en" else STAGES[key].zh for key in seconds if key in STAGES]
        assert [name for name, _ in parts if name != "a step of tomorrow"] == names
        assert all(abs(float(part[1]) - value) <= 0.0501 for part, value in zip(parts, seconds.values(), strict=True))
