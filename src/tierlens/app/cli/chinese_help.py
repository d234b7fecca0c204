"""``--help`` and slips of the command line in Chinese, laid out for wide characters."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any
from unicodedata import east_asian_width

from tierlens.app.cli.chinese_help_words import HELP
from tierlens.app.cli.help_layout import grouped_names
from tierlens.app.cli.terminal import SLIP, path_of_slip

MOST_WIDE = 80
NAMES_AT_MOST = 26
"""Columns of the names beside which a help still begins on the same line."""
STOPS = "，。；：、）”"
"""What never begins a line."""
TOKEN = re.compile(r"\s+|\[[^\]\s]*\]|[！-～\u3000-\u9fff]|[^\s！-～\u3000-\u9fff]+")
TYPES = {
    "path": "路径", "text": "文字", "str": "文字", "list[str]": "文字", "integer": "整数", "int": "整数",
    "int range": "整数", "float": "数字", "float range": "数字", "file": "文件", "directory": "文件夹",
}  # fmt: skip
KINDS = {"argument": "参数", "option": "选项", "parameter": "参数"}
SLIPS: tuple[tuple[str, str], ...] = (
    (r"No such command ('.*?')\. Did you mean (.*)\?", "没有 {0} 命令；是否想用 {1}？"),
    (r"No such command ('.*?')\. Did you mean (.*)", "没有 {0} 命令；是否想用 {1}"),
    (r"No such command ('.*')\.?", "没有 {0} 命令"),
    (r"Missing command\.", "缺少命令"),
    (r"No such option: (\S+?) \(Possible options: (.*)\)", "没有 {0} 选项；可用的选项：{1}"),
    (r"No such option: (\S+)", "没有 {0} 选项"),
    (r"Option ('.*') requires an argument\.", "选项 {0} 需要一个值"),
    (r"Option ('.*') requires (\d+) arguments\.", "选项 {0} 需要 {1} 个值"),
    (r"Option ('.*') does not take a value\.", "选项 {0} 不带值"),
    (r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", "多余的参数：{0}"),
    (r"Argument ('.*') takes (\d+) values\.", "参数 {0} 需要 {1} 个值"),
)
VALUES: tuple[tuple[str, str], ...] = (
    (r"(?:Value error, )?('.*') is not one of (.*?)\.?", "{0} 不在可选值 {1} 之中"),
    (r"Input should be a valid integer.*", "须为整数"),
    (r"Input should be a valid number.*", "须为数字"),
    (r"Input should be a finite number.*", "须为有限的数字"),
    (r"Input should be greater than or equal to (\S+)", "须大于等于 {0}"),
    (r"Input should be less than or equal to (\S+)", "须小于等于 {0}"),
)


def in_chinese(command: Any) -> None:
    """Let a command, and all under it, show their help in Chinese.

    Parameters
    ----------
    command : Command of typer
        Its texts that have no Chinese form stay as they are.
    """
    command.get_help = partial(_help, command)
    for inner in (getattr(command, "commands", None) or {}).values():
        in_chinese(inner)


def said_of_slip(problem: Any) -> str:
    """Return what is said of a slip on the command line in one line: what is wrong, and where help is."""
    path = path_of_slip(problem)
    return f"{SLIP} {path}：{_wrong(problem)}；查看帮助：{path} --help --lang zh"


def _wrong(problem: Any) -> str:
    message = " ".join(problem.format_message().split())
    if found := re.fullmatch(r"Invalid value(?: for (.*?))?: (.*)", message):
        where = f"{found[1]} 的值无效" if found[1] else "值无效"
        return f"{where}：{_matched(found[2], VALUES)}"
    if found := re.fullmatch(r"Missing (\w+) ('.*?')\. ?(.*)", message):
        return f"缺少{KINDS.get(found[1], '参数')} {found[2]}"
    return _matched(message, SLIPS)


def _matched(message: str, forms: Sequence[tuple[str, str]]) -> str:
    for form, chinese in forms:
        if found := re.fullmatch(form, message):
            return chinese.format(*found.groups())
    return message


def _help(command: Any, context: Any) -> str:
    """Return the help of a command in Chinese."""
    pairs = [(one.param_type_name, _record(one, context)) for one in command.get_params(context)]
    inner = {name: _first_line(command.get_command(context, name)) for name in _names(command, context)}
    groups = grouped_names(list(inner)) if inner else []
    lines = [*_usage(context), "", *_paragraphs(command.help)]
    for title, rows in (
        ("参数", [row for kind, row in pairs if kind == "argument"]),
        ("选项", [row for kind, row in pairs if kind != "argument"]),
        *((title.zh, [(name, inner[name]) for name in names]) for title, names in groups),
    ):
        lines += ["", f"{title}：", *_columns(rows)] if rows else []
    return "\n".join([*lines, "", *_paragraphs(command.epilog)] if command.epilog else lines)


def _names(command: Any, context: Any) -> list[str]:
    found: list[str] = command.list_commands(context) if hasattr(command, "list_commands") else []
    return found


def _usage(context: Any) -> list[str]:
    """Say how a command is used; words in capitals are the same as in the English help."""
    pieces = " ".join(context.command.collect_usage_pieces(context))
    return wrapped_text(f"用法：{context.command_path} {pieces}", _wide())


def _first_line(command: Any) -> str:
    return _said(command.help).split("\n\n")[0]


def _said(text: str | None) -> str:
    """Return the Chinese of a text, or the text itself where it has none."""
    plain = re.sub(r"(?<!\n)\n(?!\n)", " ", text or "")
    return HELP.get(plain, plain)


def _record(parameter: Any, context: Any) -> tuple[str, str]:
    """Return names and help of an option or argument, with what may be given and what holds where it is not."""
    names, said = parameter.get_help_record(context) or ("", "")
    extra = re.sub(r"^ *\[(.*)\]$", r"\1", said.removeprefix(parameter.help or ""))
    notes = "；".join(_note(one) for one in extra.split("; ") if one)
    names = re.sub(r"<([^<>|]*)>", lambda kind: f"<{TYPES.get(kind[1], kind[1])}>", names)
    return names, _said(parameter.help) + (f"  [{notes}]" if notes else "")


def _note(note: str) -> str:
    return "必填" if note == "required" else re.sub(r"^default: ", "默认：", note)


def _paragraphs(text: str | None) -> Iterator[str]:
    for number, paragraph in enumerate(_said(text).split("\n\n")):
        if number:
            yield ""
        yield from (f"  {line}" for line in wrapped_text(paragraph, _wide() - 2))


def _columns(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Lay out names and their help in two columns."""
    first = max((_width(name) for name, _ in rows if _width(name) <= NAMES_AT_MOST), default=0) + 2
    for name, said in rows:
        lines = wrapped_text(said, _wide() - first - 2)
        if _width(name) > first - 2:
            yield f"  {name}"
        else:
            yield f"  {name}{' ' * (first - _width(name))}{lines.pop(0)}".rstrip()
        yield from (f"{' ' * (first + 2)}{line}" for line in lines)


def _wide() -> int:
    return min(shutil.get_terminal_size().columns, MOST_WIDE)


def _width(text: str) -> int:
    return sum(1 + (east_asian_width(letter) in "WF") for letter in text)


def wrapped_text(text: str, width: int) -> list[str]:
    """Break a text into lines of so many columns, of which a Chinese character takes two.

    Words of other letters stay whole, and no line begins with a stop.

    Examples
    --------
    >>> wrapped_text("客户编号，可重复填写。", 10)
    ['客户编号，', '可重复填', '写。']
    """
    lines = [""]
    for piece in _pieces(text):
        if lines[-1] and _width(lines[-1] + piece.rstrip()) > width:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
        lines[-1] += piece if lines[-1] or len(lines) == 1 else piece.lstrip()
    return lines


def _pieces(text: str) -> list[str]:
    """Return what is kept together: a word or a character with the stops behind it."""
    pieces: list[str] = []
    for token in TOKEN.findall(text):
        if pieces and (token in STOPS or pieces[-1][-1:] in "（“"):
            pieces[-1] += token
        else:
            pieces.append(token)
    return pieces
