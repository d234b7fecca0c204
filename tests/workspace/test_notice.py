"""The line that says that data are simulated: said once a command, kept for JSON, forgotten by the next command."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierlens.sources.report.simulated_note import SIMULATED
from tierlens.words import Lang
from tierlens.workspace import notice


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    notice.begin_notices("en")
    yield
    notice.begin_notices("en")


@pytest.mark.parametrize(("lang", "said"), [("en", "店: " + SIMULATED.en), ("zh", "店：" + SIMULATED.zh)])
def test_the_line_is_in_the_language_of_the_command(lang: Lang, said: str) -> None:
    notice.begin_notices(lang)
    notice.note_simulated("店")
    assert notice.command_notice() == said
    assert notice.first_line() == said


def test_of_data_of_ones_own_nothing_is_said() -> None:
    assert notice.first_line() is None
    assert notice.command_notice() is None


def test_data_that_are_read_after_a_line_of_output_are_still_told_of() -> None:
    assert notice.first_line() is None
    notice.note_simulated("shop")
    assert notice.first_line() == f"shop: {SIMULATED.en}"


STEPS = st.lists(st.sampled_from(["begin", "simulated", "first", "whole"]), max_size=12)


@settings(max_examples=60)
@given(STEPS)
def test_between_two_commands_the_first_line_is_said_at_most_once_and_the_notice_stays(steps: list[str]) -> None:
    notice.begin_notices("en")
    is_simulated, lines = False, 0
    for step in steps:
        if step == "begin":
            notice.begin_notices("en")
            is_simulated, lines = False, 0
        elif step == "simulated":
            notice.note_simulated("shop")
            is_simulated = True
        elif step == "first":
            said = notice.first_line()
            assert (said is not None) == (is_simulated and not lines)
            lines += said is not None
        else:
            assert (notice.command_notice() is not None) == is_simulated
