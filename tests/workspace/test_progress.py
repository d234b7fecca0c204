"""Every step of a run has a name in both languages."""

from __future__ import annotations

import re
from pathlib import Path

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
