"""The command line. Each command is a few lines: it reads its options and calls the layer that does the work."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tierlens import __version__
from tierlens.app.cli import data_commands, feature_commands, model_commands, review_commands
from tierlens.app.cli.group_lang import language_defaults
from tierlens.app.cli.help_layout import GroupedCommands, add_examples
from tierlens.app.cli.terminal import (
    EXIT_CODES,
    SLIP,
    exit_code_of,
    path_of_slip,
    plain_output,
    print_line,
    print_progress,
    print_result,
    wanted_lang,
)
from tierlens.words import Lang
from tierlens.workspace import notice

if TYPE_CHECKING:
    from tierlens.workspace.config import RunConfig

app = typer.Typer(
    name="tierlens",
    cls=GroupedCommands,
    help="Documented customer tiers, discovered segments and predicted risk, with the reason for each.",
    epilog=EXIT_CODES,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def before_any_command(
    context: typer.Context,
    lang: Annotated[
        Lang | None, typer.Option("--lang", help="Language of texts, here or after the command.", show_default=False)
    ] = None,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Take what may stand before any command."""
    if show_version:
        print_result({}, [__version__], False)
        raise typer.Exit
    if lang is not None:
        context.default_map = language_defaults(context.command, lang)
    if context.invoked_subcommand is None:
        print_result({}, [context.get_help()], False)
        raise typer.Exit(2)


app.add_typer(feature_commands.features_app, name="features")
app.add_typer(review_commands.scheme_app, name="scheme")
for command in (
    data_commands.read,
    data_commands.twins,
    review_commands.movement,
    review_commands.path,
    review_commands.card,
    review_commands.validity,
    model_commands.backtest,
    model_commands.compare,
    model_commands.tune,
):
    app.command()(command)

RunFile = Annotated[Path, typer.Argument(help="Run file (YAML).", show_default=False)]
Out = Annotated[Path, typer.Option("--out", help="Folder for results.")]
Force = Annotated[bool, typer.Option("--force", help="Replace earlier results.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")]
InLang = Annotated[Lang, typer.Option("--lang", help="Language of texts.")]
Engine = Literal["duckdb", "spark"]
OUT = Path("runs/latest")


def _config(path: Path) -> RunConfig:
    from tierlens.workspace.config import load_config

    return load_config(path)


@app.command()
def run(
    file: RunFile,
    out: Out = OUT,
    force: Force = False,
    lang: InLang = "en",
    as_json: AsJson = False,
    dry_run: DryRun = False,
    track: Annotated[bool, typer.Option(help="Keep the run in MLflow.")] = True,
    engine: Annotated[Engine, typer.Option(help="spark: features, grades and risks of all customers by Spark.")] = (
        "duckdb"
    ),
) -> None:
    """Do everything: read, features, tiers, segments, risk, reasons, lists, report, tracked run.

    With --engine spark the run goes as far as tiers and risks of every customer; models kept under OUT/models by
    'tierlens train' are used where they are there, else learned first.
    """
    from tierlens.pipeline.run import Options, run_all

    if engine == "spark":
        from tierlens.pipeline.spark_run import run_on_spark

        told = run_on_spark(_config(file), out, lambda text: print_progress(text, lang), force, file)
        print_result(told, [f"{key}: {value}" for key, value in told.items()], as_json)
        return
    options = Options(out, force, lang, dry_run, track, file)
    done = run_all(_config(file), options, lambda text: print_progress(text, options.lang))
    print_result(done.to_dict(), done.lines(options.lang), as_json)


@app.command()
def grade(
    file: RunFile,
    out: Out = OUT,
    force: Force = False,
    sql: Annotated[bool, typer.Option("--sql", help="Print the scheme as SQL and stop.")] = False,
    lang: InLang = "en",
    as_json: AsJson = False,
) -> None:
    """Grade the customers of the run's cutoff by its scheme."""
    from tierlens.pipeline.single_steps import grade_only, scheme_sql
    from tierlens.workspace import output_files, run_folder

    config = _config(file)
    if sql:
        print_result({}, [scheme_sql(config)], False)
        return
    to = output_files.writable_path(
        out / run_folder.TIERS, output_files.TIERS, force, output_files.inputs_of(config, file)
    )
    done = grade_only(config, to, lang)
    print_result(done, [f"{key}: {value}" for key, value in done.items()], as_json)


@app.command()
def segment(file: RunFile, out: Out = OUT, force: Force = False, lang: InLang = "en", as_json: AsJson = False) -> None:
    """Find segments and hold them against the tiers."""
    from tierlens.pipeline.single_steps import segment_only
    from tierlens.workspace import output_files, run_folder

    config = _config(file)
    to = output_files.writable_path(
        out / run_folder.SEGMENTS, output_files.SEGMENTS, force, output_files.inputs_of(config, file)
    )
    done = segment_only(config, to, lang)
    print_result(done, [f"{name}: {about}" for name, about in done["segments"].items()], as_json)


@app.command()
def train(file: RunFile, out: Out = OUT, force: Force = False, lang: InLang = "en", as_json: AsJson = False) -> None:
    """Train the risk models, hold them against their baselines, keep them under OUT/models."""
    from tierlens.pipeline.single_steps import train_only
    from tierlens.workspace import output_files, run_folder

    config, models = _config(file), output_files.of_no_run(out / run_folder.MODELS)
    inputs = output_files.inputs_of(config, file)
    done = train_only(config, models, lambda text: print_progress(text, lang), force=force, inputs=inputs)
    print_result(done, [verdict.say(lang) for verdict in done["verdicts"]], as_json)


@app.command()
def score(file: RunFile, out: Out = OUT, force: Force = False, lang: InLang = "en", as_json: AsJson = False) -> None:
    """Score the customers of the run's cutoff with the models kept under OUT/models."""
    from tierlens.pipeline.single_steps import score_only
    from tierlens.workspace import output_files, run_folder

    config = _config(file)
    to = output_files.writable_path(
        out / run_folder.SCORES, output_files.SCORES, force, output_files.inputs_of(config, file)
    )
    done = score_only(config, out, to)
    _tell_left_out(out, lang)
    print_result(done, [f"{key}: {value}" for key, value in done.items()], as_json)


@app.command()
def explain(
    customer: Annotated[str, typer.Argument(help="Customer ID.")],
    out: Out = OUT,
    lang: InLang = "en",
    as_json: AsJson = False,
) -> None:
    """Explain one customer of a finished run: tier with its evidence, risks with their reasons, next step."""
    from tierlens.pipeline.explaining import lines_of, row_of

    found = row_of(out, customer, lang)
    _tell_left_out(out, lang)
    print_result(found, [] if as_json else lines_of(found, out, lang), as_json)


@app.command("list")
def make_list(  # noqa: PLR0913, PLR0917 - each option of a command is an argument
    file: Annotated[Path, typer.Argument(help="List to write: .csv or .xlsx.")],
    out: Out = OUT,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier list.")] = False,
    tier: Annotated[list[str] | None, typer.Option(help="Only this tier; may be given again.")] = None,
    band: Annotated[
        list[str] | None, typer.Option(help="Only this risk band, the worse of both risks: high, medium, low.")
    ] = None,
    churn_band: Annotated[list[str] | None, typer.Option(help="Only this band of churn risk.")] = None,
    downgrade_band: Annotated[list[str] | None, typer.Option(help="Only this band of downgrade risk.")] = None,
    segment: Annotated[list[str] | None, typer.Option(help="Only this segment.")] = None,
    consent: Annotated[
        Path | None,
        typer.Option(help="Only customers who agreed, by this CSV of customer_id and contactable as known now."),
    ] = None,
    top: Annotated[int | None, typer.Option(min=1, help="At most so many, the first of them.")] = None,
    by: Annotated[
        Literal["risk", "value_at_risk"],
        typer.Option(help="Who comes first: the riskiest, or most money at risk (risk times amount of the window)."),
    ] = "risk",
    activity: Annotated[list[str] | None, typer.Option(help="Only active, lapsed or prospect.")] = None,
    lang: InLang = "en",
) -> None:
    """Write a list of customers of a finished run, with reasons and a next step for each."""
    from tierlens.pipeline.single_steps import list_written
    from tierlens.publish.lists.customer_lists import Pick
    from tierlens.workspace import output_files

    output_files.writable_path(file, output_files.LIST, force, [consent] if consent else [])
    tiers, bands, segments, activities, churn_bands, downgrade_bands = (
        tuple(each or ()) for each in (tier, band, segment, activity, churn_band, downgrade_band)
    )
    pick = Pick(tiers, bands, segments, consent is not None, top, activities, churn_bands, downgrade_bands, by)
    counts = list_written(out, file, pick, lang, consent)
    _tell_left_out(out, lang)
    print_result({}, [f"{key}: {value:,}" for key, value in counts.items()], False)


@app.command()
def report(
    out: Out = OUT,
    to: Annotated[Path | None, typer.Option(help="Where to write; OUT/report.html by default.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier report at --to.")] = False,
    lang: InLang = "en",
) -> None:
    """Write the report of a finished run again, without its data."""
    from tierlens.pipeline.single_steps import report_again
    from tierlens.workspace import output_files

    if to is not None:
        output_files.writable_path(to, output_files.REPORT, force)
    _tell_left_out(out, lang)
    print_result({}, [str(report_again(out, to, lang, lambda text: print_progress(text, lang)))], False)


def _tell_left_out(out: Path, lang: Lang) -> None:
    """Say on stderr what the run of a folder left out, and note that its data are simulated where they are."""
    from tierlens.learning.learnable import note_simulated, parts_left_out

    note_simulated(out)
    for one in parts_left_out(out):
        print_progress(one.said, lang)


@app.command()
def mlflow(
    home: Annotated[Path, typer.Option(help="Folder of the store.")] = Path("runs"),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 5000,
    lang: InLang = "en",
) -> None:
    """Open MLflow's pages on this machine, in a light setting."""
    from tierlens.pipeline.single_steps import serve_mlflow

    serve_mlflow(home, port)


@app.command()
def version(lang: InLang = "en") -> None:
    """Print the version."""
    print_result({}, [__version__], False)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Examples
    --------
    >>> main(["version"])
    0.1.0
    0
    """
    given: list[str] = sys.argv[1:] if arguments is None else arguments
    plain_output()
    lang = wanted_lang(given)
    notice.begin_notices(lang)
    command = _spoken(lang)

    def call() -> int:
        try:
            with command.make_context("tierlens", list(given)) as context:
                command.invoke(context)
        except typer.Exit as end:
            return end.exit_code
        except Exception as problem:
            if not hasattr(problem, "exit_code") or not hasattr(problem, "show"):
                raise
            with suppress(OSError):
                _show(problem, lang)
            return int(problem.exit_code)
        return 0

    return exit_code_of(call, lang)


def _spoken(lang: Lang) -> Any:
    """Return the tree of commands, whose help is in one language."""
    command = typer.main.get_command(app)
    add_examples(command, lang)
    if lang == "zh":
        from tierlens.app.cli.chinese_help import in_chinese

        in_chinese(command)
    return command


def _show(problem: Any, lang: Lang) -> None:
    """Tell of a slip on the command line."""
    if type(problem).__name__ == "NoArgsIsHelpError":
        print_line(str(problem.format_message()), aside=True)
        return
    if lang == "zh":
        from tierlens.app.cli.chinese_help import said_of_slip

        print_line(said_of_slip(problem), aside=True)
        return
    path = path_of_slip(problem)
    told = " ".join(problem.format_message().split()).replace("Value error, ", "").removesuffix(".")
    print_line(f"{SLIP} {path}: {told}; see '{path} --help'", aside=True)
