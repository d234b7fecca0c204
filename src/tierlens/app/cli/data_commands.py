"""The commands that only read: the quality report, and customers that may be one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tierlens.app.cli.terminal import print_line, print_progress, print_result, print_table
from tierlens.words import Lang, Text

if TYPE_CHECKING:
    from tierlens.pipeline.check_data import Checked

RunFile = Annotated[Path, typer.Argument(help="Run file (YAML).", show_default=False)]
InLang = Annotated[Lang, typer.Option("--lang", help="Language of texts.")]
Force = Annotated[bool, typer.Option("--force", help="Replace earlier files of the same kind.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


def read(
    file: RunFile,
    is_check: Annotated[
        bool, typer.Option("--check", help="Report on every table in both languages; write what was kept out to OUT.")
    ] = False,
    out: Annotated[Path, typer.Option("--out", help="Folder for what --check writes.")] = Path("runs/check"),
    rejects: Annotated[Path | None, typer.Option(help="Write quarantined lines to this CSV file.")] = None,
    force: Force = False,
    allow_empty: Annotated[bool, typer.Option("--allow-empty", help="Files without a line are legal.")] = False,
    lang: InLang = "en",
    as_json: AsJson = False,
) -> None:
    """Read the source strictly and print the quality report."""
    from tierlens.workspace import output_files
    from tierlens.workspace.config import load_config

    config = load_config(file)
    inputs = output_files.inputs_of(config, file)
    if not is_check:
        from tierlens.pipeline.single_steps import read_only

        if rejects is not None:
            output_files.writable_path(rejects, output_files.REJECTS, force, inputs)
        quality = read_only(config, rejects, lambda text: print_progress(text, lang), allow_empty)
        if as_json:
            print_result(quality.to_dict(), [], True)
        else:
            print_table([Text("what", "项目").say(lang), Text("rows", "行数").say(lang)], quality.rows(lang))
        return
    from tierlens.pipeline.check_data import check_tables, write_out

    found = check_tables(config, allow_empty)
    written = write_out(found.quality, lambda path, kind: output_files.writable_path(out / path, kind, force, inputs))
    if as_json:
        print_result(
            {**found.quality.to_dict(), "later": found.later, "written": [str(path) for path in written]}, [], True
        )
    else:
        _show(found, lang)
        print_line("\n".join(str(path) for path in written))
    found.quality.enforce()


def _show(found: Checked, lang: Lang) -> None:
    """Print every table's report in both languages, and the sum that closes."""
    from tierlens.pipeline.check_data import IGNORED, LATER, report_rows, report_sum

    for name, quality in {"transactions": found.quality, **found.quality.others}.items():
        rows = list(report_rows(quality))
        if name == "transactions" and found.later:
            rows.append(("", LATER.en, LATER.zh, f"{found.later:,}"))
        print_table(["code", "what", "项目", "rows"], rows, name)
        sum_of = Text("rows in = used + quarantined + deduplicated", "读入 = 使用 + 隔离 + 去重")
        print_line(f"{sum_of.say(lang)}: {report_sum(quality)}")
        for count in (count for count in quality.files if count.ignored):
            print_line(f"{IGNORED.say(lang)} ({count.file}): {', '.join(count.ignored)}")
        print_line("")


def twins(
    file: RunFile,
    out: Annotated[Path, typer.Option("--out", help="CSV file for a person to fill in.")] = Path("runs/twins.csv"),
    least: Annotated[float, typer.Option(min=0, max=1, help="Least likeness of two names.")] = 0.85,
    lang: InLang = "en",
    as_json: AsJson = False,
) -> None:
    """Find customers that may be one, and write them for a person to confirm; nothing is ever merged by guessing.

    Fill in same_as where two are one, name the file in the run file (source: same_customer), and the records are merged
    in every table. Found again into the same file, pairs keep what was filled in.
    """
    from tierlens.pipeline.check_data import read_unlimited
    from tierlens.publish.files.atomic import replacing_file
    from tierlens.sources.report.duplicate_customers import WHY, read_answers, write_twins
    from tierlens.sources.report.duplicate_customers import duplicate_pairs as pairs_of
    from tierlens.workspace import output_files
    from tierlens.workspace.config import load_config

    config = load_config(file)
    # An earlier file of pairs may be read by this very command (same_customer): its answers are kept, none is lost.
    given = config.source.same_customer if config.source else None
    inputs = [path for path in output_files.inputs_of(config, file) if str(path) != given]
    output_files.writable_path(out, output_files.TWINS, force=True, inputs=inputs)
    _, shop = read_unlimited(config)
    pairs = pairs_of(shop.tables, least)
    with replacing_file(out) as temporary:
        write_twins(pairs, temporary, read_answers(out) if out.exists() else (), shop.is_simulated)
    by_why = {WHY[why].say(lang): pairs["why"].to_pylist().count(why) for why in WHY}
    counts = {what: number for what, number in by_why.items() if number}
    lines = [f"{what}: {number:,}" for what, number in counts.items()]
    print_result({"file": str(out), "pairs": pairs.num_rows, **counts}, [f"{out}: {pairs.num_rows:,}", *lines], as_json)
