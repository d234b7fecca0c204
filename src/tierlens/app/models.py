"""Commands about models over time: what became of past scores, and which of two runs' models is better."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tierlens.app.terminal import give, table
from tierlens.words import Lang, Text

InLang = Annotated[Lang, typer.Option("--lang", help="Language of texts.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


def backtest(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.", show_default=False)],
    file: Annotated[Path | None, typer.Option(help="Run file that says where newer data are.")] = None,
    lang: InLang = "en",
    as_json: AsJson = False,
) -> None:
    """Hold a run's churn scores against what happened, once their horizon has passed."""
    from tierlens.app.afterwards import backtest_again, told_of

    past, found = backtest_again(folder, file)
    told = {"run": str(folder), **found.figures(), "lift_band": found.band, "level": found.level}
    give(told, [told_of(past, found).say(lang)], as_json)


def compare(
    champion: Annotated[Path, typer.Argument(help="Folder of the run in use.", show_default=False)],
    challenger: Annotated[Path, typer.Argument(help="Folder of the other run.", show_default=False)],
    outcome: Annotated[str, typer.Option(help="churn or downgrade.")] = "churn",
    tests: Annotated[int, typer.Option(min=1, help="Latest cutoffs that both were tested on.")] = 6,
    lang: InLang = "en",
    as_json: AsJson = False,
) -> None:
    """Say which of two runs' models is better on the same customers, or that chance explains the difference."""
    from tierlens.app.afterwards import compared

    found = compared(champion, challenger, outcome, tests)
    if as_json:
        give(_plain(found), [], True)
        return
    give({}, [found.say().say(lang)], False)
    heads = (
        Text("figure|champion|challenger|challenger less champion", "指标|现用|挑战|挑战减现用").say(lang).split("|")
    )
    rows = [
        (name, str(found.champion[name]), str(found.challenger[name]), str(found.apart[name])) for name in found.apart
    ]
    table(heads, rows)


def _plain(found: Any) -> dict[str, Any]:
    """Return a comparison as plain values."""
    told: dict[str, Any] = {"better": found.better, "rows": found.rows, "cutoffs": found.cutoffs}
    for name, apart in found.apart.items():
        told[name] = {
            "champion": found.champion[name].value, "challenger": found.challenger[name].value,
            "difference": apart.value, "low": apart.low, "high": apart.high,
        }  # fmt: skip
    return told
