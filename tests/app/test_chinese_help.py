"""Help and slips of the command line in Chinese: every text has its Chinese form, and no English sentence is left."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from tierlens.app.cli.chinese_help import in_chinese, said_of_slip, wrapped_text
from tierlens.app.cli.chinese_help_words import HELP
from tierlens.app.cli.main import app, main

CJK = re.compile("[一-鿿]")
LATIN = re.compile("[A-Za-z]+")
NAMES = {
    "tierlens", "YAML", "CSV", "JSON", "SQL", "ID", "MLflow", "Spark", "OUT", "RUN", "Ctrl", "C", "SIGTERM", "stdout",
    "html", "xlsx", "csv", "yaml", "report", "customer", "id", "contactable", "same", "as", "source", "duckdb",
    "spark", "en", "zh", "churn", "downgrade", "high", "medium", "low", "value", "stability", "train", "models",
    "scheme", "explain", "pareto",
}  # fmt: skip
"""Words that stay as they are: names of formats, files, columns, commands, values and products."""
SLIPS = [
    (["bogus"], "没有 'bogus' 命令"),
    (["rum"], "是否想用 'run'"),
    (["scheme", "lint"], "是否想用 'list'"),
    (["run"], "缺少参数 'file'"),
    (["card", "a", "b"], "缺少选项 '--customer'"),
    (["run", "--bogus"], "没有 --bogus 选项"),
    (["run", "--ou", "x"], "没有 --ou 选项；可用的选项：--json, --out"),
    (["run", "a", "b"], "多余的参数：b"),
    (["run", "a", "--out"], "选项 '--out' 需要一个值"),
    (["run", "a", "--json=3"], "选项 '--json' 不带值"),
    (["run", "a", "--engine", "z"], "'--engine' 的值无效：'z' 不在可选值 'duckdb', 'spark' 之中"),
    (["list", "a", "--top", "x"], "'--top' 的值无效：须为整数"),
    (["list", "a", "--top", "0"], "'--top' 的值无效：须大于等于 1"),
    (["tune", "a", "--budget", "q"], "'--budget' 的值无效：须为数字"),
    (["twins", "a", "--least", "2"], "'--least' 的值无效：须小于等于 1"),
]


def walk(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, inner in (getattr(command, "commands", None) or {}).items():
        yield from walk(inner, (*path, name))


COMMANDS = dict(walk(typer.main.get_command(app)))


def texts_of(command: Any) -> list[str]:
    """Every text of a command that a reader of its help sees."""
    whole = [command.help, *([command.epilog] if command.epilog else []), *(one.help for one in command.params)]
    return [re.sub(r"(?<!\n)\n(?!\n)", " ", text or "") for text in whole]


def help_of(path: tuple[str, ...], capsys: pytest.CaptureFixture[str], *more: str) -> str:
    assert main([*path, *more, "--help", "--lang", "zh"]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_text_of_every_command_is_chinese_too(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    for text in texts_of(command):
        assert text, f"{path}: a command, option or argument without help"
        assert text in HELP, f"{path}: {text!r} has no Chinese form"
        assert CJK.search(HELP[text])


def test_no_chinese_text_is_left_over() -> None:
    used = {text for command in COMMANDS.values() for text in texts_of(command)}
    assert set(HELP) - used == {"Show this message and exit."}


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_holds_no_english_sentence(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    said = help_of(path, capsys)
    assert "用法：" in said
    assert "选项：" in said
    typed = {word for name in (*path, *COMMANDS[path].commands) for word in LATIN.findall(name)} if hasattr(
        COMMANDS[path], "commands"
    ) else set(path)  # fmt: skip
    typed |= {word for one in COMMANDS[path].params for name in (one.name, *one.opts) for word in LATIN.findall(name)}
    said = re.sub(r"示例：[ -~\n]*", "", said)  # what is typed is the same in both languages
    prose = re.sub(r"(--[a-z-]+|<[^>]*>|\{[^}]*\}|\[[A-Z]+\]|\[默认[^]]*\]|\S+/\S+)", " ", said)
    assert set(LATIN.findall(prose)) - typed - NAMES - {"COMMAND", "ARGS", "OPTIONS", "help", "x"} == set()


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_lines_of_help_fit_the_terminal(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    for line in help_of(path, capsys).splitlines():
        assert sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in line) <= 80
        assert line == line.rstrip()
        assert line.strip()[:1] not in set("，。；：、）")


@pytest.mark.parametrize("path", [("run",), ("features",), ("features", "show"), ("scheme",), ("scheme", "list")])
def test_the_language_may_stand_anywhere(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    said = help_of(path, capsys)  # a language that stands before a command is its default
    for order in (["--lang", "zh", *path, "--help"], [*path, "--lang", "zh", "--help"], [*path, "--help", "--lang=zh"]):
        assert main(order) == 0
        assert capsys.readouterr().out.replace("[默认：zh]", "[默认：en]") == said


def test_a_group_hands_its_language_to_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scheme", "--lang", "zh", "list"]) == 0
    assert "方案" in capsys.readouterr().out


def test_the_environment_may_ask_for_chinese(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIERLENS_LANG", "zh")
    assert main(["run", "--help"]) == 0
    assert "用法：tierlens run" in capsys.readouterr().out


def test_english_help_is_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Usage: tierlens run [OPTIONS] {file}")
    assert not CJK.search(said)


def test_a_group_without_a_command_shows_its_chinese_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["features", "--lang", "zh"]) == 2
    assert "E-US-038 tierlens features：缺少命令" in capsys.readouterr().err
    assert main(["--lang", "zh"]) == 2
    assert "用法：tierlens" in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "words"), SLIPS, ids=[" ".join(given) for given, _ in SLIPS])
def test_a_slip_is_told_in_chinese(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lang", "zh", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("E-US-038 tierlens")
    assert words in said
    assert "--help --lang zh" in said
    assert not {"Error", "Usage", "Try", "Invalid", "Missing", "No", "Input"} & set(LATIN.findall(said))


def test_a_slip_of_unknown_words_keeps_them() -> None:
    class Odd(Exception):  # noqa: N818 - stands for a slip of typer's
        ctx = None

        def format_message(self) -> str:
            return "Something new."

    assert said_of_slip(Odd()) == "E-US-038 tierlens：Something new.；查看帮助：tierlens --help --lang zh"


def test_a_text_without_a_chinese_form_stays() -> None:
    made = typer.Typer()

    @made.command()
    def one() -> None:
        """Do one thing."""

    command: Any = typer.main.get_command(made)
    in_chinese(command)
    with command.make_context("one", []) as context:
        assert "Do one thing." in command.get_help(context)


def test_words_are_kept_whole_and_a_stop_never_begins_a_line() -> None:
    assert wrapped_text("客户编号，metrics.csv", 10) == ["客户编号，", "metrics.csv"]
    assert wrapped_text("一二三四五。六", 10) == ["一二三四", "五。六"]
    assert wrapped_text("a b", 10) == ["a b"]
    assert wrapped_text("", 10) == [""]
