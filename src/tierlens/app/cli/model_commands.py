"""Commands about models over time: what became of past scores, and which of two runs' models is better."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tierlens.app.cli.terminal import print_result, print_table
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
    from tierlens.learning.learnable import note_simulated
    from tierlens.learning.monitor import backtest_again, told_of

    note_simulated(folder)
    past, found = backtest_again(folder, file)
    told = {"run": str(folder), **found.figures(), "lift_band": found.band, "level": found.level}
    print_result(told, [told_of(past, found).say(lang)], as_json)


def compare(
    champion: Annotated[Path, typer.Argument(help="Folder of the run in use.", show_default=False)],
    challenger: Annotated[Path, typer.Argument(help="Folder of the other run.", show_default=False)],
    outcome: Annotated[str, typer.Option(help="churn or downgrade.")] = "churn",
    tests: Annotated[int, typer.Option(min=1, help="Latest cutoffs that both were tested on.")] = 6,
    lang: InLang = "en",
    as_json: AsJson = False,
) -> None:
    """Say which of two runs' models is better on the same customers, or that chance explains the difference."""
    from tierlens.learning.learnable import note_simulated
    from tierlens.learning.monitor import compared_runs
    from tierlens.risk.evaluation.compare import TITLES

    note_simulated(champion)
    note_simulated(challenger)
    found = compared_runs(champion, challenger, outcome, tests)
    if as_json:
        print_result(_plain(found), [], True)
        return
    print_result({}, [found.say().say(lang)], False)
    heads = (
        Text("figure|champion|challenger|challenger less champion", "指标|现用|挑战|挑战减现用").say(lang).split("|")
    )
    rows = [
        (
            TITLES[name].say(lang),
            *(one.say(lang) for one in (found.champion[name], found.challenger[name])),
            apart.say(lang, signed=True),
        )
        for name, apart in found.apart.items()
    ]
    print_table(heads, rows)


def tune(
    file: Annotated[Path, typer.Argument(help="Run file (YAML).", show_default=False)],
    budget: Annotated[float, typer.Option(min=0, help="Seconds after which no trial starts.")] = 120.0,
    trials: Annotated[
        int | None, typer.Option(min=1, help="Trials in all, those of earlier searches included.")
    ] = None,
    space: Annotated[Path | None, typer.Option(help="Search space (YAML).")] = None,
    home: Annotated[Path, typer.Option(help="Folder of studies and of the MLflow store.")] = Path("runs"),
    track: Annotated[bool, typer.Option(help="Keep each trial in MLflow.")] = True,
    lang: InLang = "en",
    as_json: AsJson = False,
) -> None:
    """Search settings of the churn model within a budget; a study that was begun goes on."""
    from tierlens.app.cli.terminal import print_progress
    from tierlens.learning.search_settings import MOST, Wish, search_settings
    from tierlens.risk.space import load_space
    from tierlens.workspace.config import load_config

    wish = Wish(budget, load_space(space), home, trials or MOST, track)
    found = search_settings(load_config(file), wish, lambda text: print_progress(text, lang))
    told = {"study": found.study, "cutoffs": list(found.cutoffs), "auc_default": found.tuned.default,
            "auc_best": found.tuned.value, "trials": len(found.tuned.trials), "trees": dict(found.settings),
            "mlflow_run": found.tracked}  # fmt: skip
    print_result(
        told, [found.say().say(lang), *(f"  {key}: {value}" for key, value in found.settings.items())], as_json
    )


def _plain(found: Any) -> dict[str, Any]:
    """Return a comparison as plain values."""
    told: dict[str, Any] = {"better": found.better, "rows": found.rows, "cutoffs": found.cutoffs}
    for name, apart in found.apart.items():
        told[name] = {
            "champion": found.champion[name].value, "challenger": found.challenger[name].value,
            "difference": apart.value, "low": apart.low, "high": apart.high,
        }  # fmt: skip
    return told
