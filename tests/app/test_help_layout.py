"""The help of the program: every command stands in one group, is told whole, and has an example that it takes."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
import typer

from tierlens.app.cli.help_layout import EXAMPLES, GROUPS, first_sentence
from tierlens.app.cli.main import app, main
from tierlens.words import Lang

PROGRAM: Any = typer.main.get_command(app)


def commands_below(group: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Return every command that does something, by its path."""
    found: dict[tuple[str, ...], Any] = {}
    for name, inner in group.commands.items():
        found |= commands_below(inner, (*path, name)) if hasattr(inner, "commands") else {(*path, name): inner}
    return found


LEAVES = commands_below(PROGRAM)


def test_every_command_stands_in_one_group() -> None:
    named = [name for _, names in GROUPS for name in names]
    assert sorted(named) == sorted(PROGRAM.commands)


def test_every_command_has_an_example_and_no_other() -> None:
    assert {" ".join(path) for path in LEAVES} == set(EXAMPLES)


@pytest.mark.parametrize("path", EXAMPLES)
def test_a_command_takes_its_example(path: str) -> None:
    words = shlex.split(EXAMPLES[path])
    depth = len(path.split())
    assert words[: depth + 1] == ["tierlens", *path.split()]
    context = LEAVES[tuple(path.split())].make_context(path, words[depth + 1 :])
    assert not context.args


@pytest.mark.parametrize("path", EXAMPLES)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_help_ends_in_the_example(path: str, lang: Lang, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*path.split(), "--help", "--lang", lang]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.endswith(("示例：" if lang == "zh" else "Example: ") + EXAMPLES[path])


def test_no_command_is_cut_short(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for name, command in PROGRAM.commands.items():
        assert f"{name} {first_sentence(command)}" in said
