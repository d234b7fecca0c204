"""``--help`` of the whole program: commands in groups, each with its first sentence; and an example of each command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typer.core import TyperGroup

from tierlens.words import Lang, Text

COMMANDS = Text("Commands", "命令")
EXAMPLE = Text("Example: {command}", "示例：{command}")
GROUPS: tuple[tuple[Text, tuple[str, ...]], ...] = (
    (Text("A whole run, and what comes of it", "整次运行及其结果"), ("run", "explain", "list", "report", "mlflow")),
    (Text("Data, and single steps of a run", "数据与运行的各个步骤"),
     ("read", "twins", "features", "grade", "segment", "train", "score")),
    (Text("Tiers under review", "等级审阅"), ("scheme", "movement", "path", "card", "validity")),
    (Text("Models over time", "模型的后续检验"), ("backtest", "compare", "tune")),
    (Text("This program", "本程序"), ("version",)),
)  # fmt: skip
EXAMPLES = {
    "run": "tierlens run shop.yaml --out runs/june",
    "explain": "tierlens explain C0042 --out runs/june",
    "list": "tierlens list fading.xlsx --out runs/june --tier A --band high",
    "report": "tierlens report --out runs/june --force",
    "mlflow": "tierlens mlflow --home runs",
    "read": "tierlens read shop.yaml --check",
    "twins": "tierlens twins shop.yaml --out twins.csv",
    "features build": "tierlens features build shop.yaml --out runs/june",
    "features list": "tierlens features list",
    "features show": "tierlens features show overdue_ratio",
    "features docs": "tierlens features docs --to features.md",
    "features audit": "tierlens features audit shop.yaml",
    "grade": "tierlens grade shop.yaml --out runs/june",
    "segment": "tierlens segment shop.yaml --out runs/june",
    "train": "tierlens train shop.yaml --out runs/june",
    "score": "tierlens score shop.yaml --out runs/june",
    "scheme list": "tierlens scheme list",
    "scheme check": "tierlens scheme check relationship_rating --data shop.yaml",
    "scheme explain": "tierlens scheme explain five_step --lang zh",
    "scheme import": "tierlens scheme import ours.xlsx ours.yaml",
    "scheme new": "tierlens scheme new shop.yaml ours.yaml",
    "movement": "tierlens movement shop.yaml 2025-01-01 2025-04-01",
    "path": "tierlens path shop.yaml C0042",
    "card": "tierlens card shop.yaml card.html --customer C0042",
    "validity": "tierlens validity shop.yaml --scheme tiered_management",
    "backtest": "tierlens backtest runs/june",
    "compare": "tierlens compare runs/june runs/july",
    "tune": "tierlens tune shop.yaml --budget 120",
    "version": "tierlens version",
}
"""An example of each command, by its path."""


def grouped_names(names: Sequence[str]) -> list[tuple[Text, list[str]]]:
    """Return the names of commands in groups; one group where they are not those of the whole program.

    Examples
    --------
    >>> [(title.en, names) for title, names in grouped_names(["build", "list"])]
    [('Commands', ['build', 'list'])]
    >>> grouped_names([name for _, inner in GROUPS for name in inner])[0][1][:2]
    ['run', 'explain']
    """
    if set(names) != {name for _, inner in GROUPS for name in inner}:
        return [(COMMANDS, list(names))]
    return [(title, list(inner)) for title, inner in GROUPS]


class GroupedCommands(TyperGroup):
    """A group of commands whose help names them in groups, with their whole first sentence."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands into the help."""
        for title, names in grouped_names(self.list_commands(ctx)):
            rows = [(name, first_sentence(self.get_command(ctx, name))) for name in names]
            with formatter.section(title.en):
                formatter.write_dl(rows)


def first_sentence(command: Any) -> str:
    """Return the first paragraph of a command's help, on one line."""
    return " ".join((command.help or "").split("\n\n")[0].split())


def add_examples(command: Any, lang: Lang, path: tuple[str, ...] = ()) -> None:
    """Let the help of each command end in its example.

    Parameters
    ----------
    command : Command of typer
        The whole program, or a group of commands.
    lang : {"en", "zh"}
        Of the word before it; what is typed is the same in both.
    path : tuple of str
        Names that lead to the command.
    """
    for name, inner in (getattr(command, "commands", None) or {}).items():
        whole = (*path, name)
        if example := EXAMPLES.get(" ".join(whole)):
            inner.epilog = EXAMPLE.fill(command=example).say(lang)
        add_examples(inner, lang, whole)
