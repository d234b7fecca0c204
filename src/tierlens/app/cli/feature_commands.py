"""``tierlens features``: build them, look them up, write their page, hold them to the laws of a point in time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tierlens.app.cli.group_lang import group_lang
from tierlens.app.cli.help_layout import GroupedCommands
from tierlens.app.cli.terminal import print_line, print_progress, print_result, print_table
from tierlens.errors import UsageError
from tierlens.words import Lang, Text

if TYPE_CHECKING:
    from tierlens.features.audit import Audit

features_app = typer.Typer(
    cls=GroupedCommands, help="Build features, look them up, audit them.", no_args_is_help=True, callback=group_lang
)
RunFile = Annotated[Path, typer.Argument(help="Run file (YAML).", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
InLang = Annotated[Lang, typer.Option("--lang", help="Language of texts.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an earlier result.")]
PAGE = Path("docs/features.md")


@features_app.command("build")
def build(
    file: RunFile,
    out: Annotated[Path, typer.Option("--out", help="Folder for results.")] = Path("runs/latest"),
    force: Force = False,
    lang: InLang = "en",
    as_json: AsJson = False,
) -> None:
    """Build all features at the cutoff of the run and at those it learns from."""
    from tierlens.pipeline.single_steps import features_only
    from tierlens.workspace import output_files, run_folder
    from tierlens.workspace.config import load_config

    config = load_config(file)
    to = output_files.writable_path(
        out / run_folder.SNAPSHOTS, output_files.SNAPSHOTS, force, output_files.inputs_of(config, file)
    )
    done = features_only(config, to)
    print_result(done, [f"{key}: {value}" for key, value in done.items()], as_json)


@features_app.command("list")
def list_all(
    lang: InLang = "en",
    as_json: AsJson = False,
    dimension: Annotated[str | None, typer.Option(help="Only this dimension: value, stability, ...")] = None,
) -> None:
    """List the catalog: name, title, dimension, unit, direction and tables of every feature."""
    from tierlens.features.catalog_page import DIRECTIONS, TABLES, listed_features, tables_of

    found = listed_features(_known_dimension(dimension))
    if as_json:
        keys = ("title", "dimension", "unit", "direction")
        print_result({f.name: dict(zip(keys, (f.title.say(lang), f.dimension, f.unit, f.direction), strict=True)) |
              {"tables": list(tables_of(f))} for f in found}, [], True)  # fmt: skip
        return
    heads = [Text("name", "列名"), Text("title", "名称"), Text("dimension", "维度"), Text("unit", "单位"),
             Text("direction", "方向"), Text("tables", "数据表")]  # fmt: skip
    rows = [
        (f.name, f.title.say(lang), f.dimension, f.unit, DIRECTIONS[f.direction].say(lang),
         ", ".join(TABLES[name].say(lang) for name in tables_of(f)))
        for f in found
    ]  # fmt: skip
    print_table([head.say(lang) for head in heads], rows)


def _known_dimension(name: str | None) -> str | None:
    from tierlens.features.catalog import DIMENSIONS

    if name is None or name in DIMENSIONS:
        return name
    known = ", ".join(DIMENSIONS)
    raise UsageError(
        "E-FE-004",
        Text(f"there is no dimension {name!r}", f"没有名为 {name!r} 的维度"),
        where="--dimension",
        fix=Text(f"there are {known}", f"可用的维度：{known}"),
    )


@features_app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="Name of the feature.")], lang: InLang = "en", as_json: AsJson = False
) -> None:
    """Show one feature: formula, unit, direction, tables, what a missing value means."""
    from tierlens.features.catalog import catalog_entry
    from tierlens.features.catalog_page import titled_entry

    found = titled_entry(catalog_entry(name), lang, "en" if as_json else lang)
    width = 2 + max(len(key) for key in found)
    print_result(found, [f"{key:{width}}{value}" for key, value in found.items()], as_json)


@features_app.command("docs")
def docs(
    to: Annotated[Path, typer.Option("--to", help="Where to write.")] = PAGE,
    force: Force = False,
    lang: InLang = "en",
) -> None:
    """Write the page of all features, made from the catalog."""
    from tierlens.features.catalog_page import catalog_page
    from tierlens.publish.files.atomic import write_text
    from tierlens.workspace import output_files

    print_line(str(write_text(output_files.writable_path(to, output_files.PAGE, force), catalog_page(), private=False)))


@features_app.command("audit")
def audit(
    file: RunFile,
    cutoff: Annotated[list[str] | None, typer.Option(help="Cutoff; may be given again. Default: the run's.")] = None,
    customers: Annotated[int, typer.Option(min=1, help="Customers in the sample.")] = 200,
    lang: InLang = "en",
    as_json: AsJson = False,
) -> None:
    """Hold every feature to the laws of a point in time, on a sample of your own data; exit code 3 where one fails."""
    from tierlens.features.audit import audit_features as held_to_the_laws
    from tierlens.sources.tables import day_number
    from tierlens.workspace.config import load_config
    from tierlens.workspace.prepare import obtain_shop

    days = [day_number(one, "--cutoff") for one in cutoff or ()]
    config, shop = obtain_shop(load_config(file), lambda text: print_progress(text, lang))
    done = held_to_the_laws(shop.tables, days or [config.cutoff_day], config.span, customers=customers)
    if as_json:
        print_result(_plain(done), [], True)
    else:
        heads = [Text("law", "规律"), Text("claim", "内容"), Text("kept", "符合"), Text("broken", "违反"),
                 Text("exempt", "豁免")]  # fmt: skip
        print_table([head.say(lang) for head in heads], done.rows(lang))
        print_result({}, [breach.say().say(lang) for breach in done.breaches] or [_verdict(done).say(lang)], False)
    if not done.passed:
        raise typer.Exit(3)


def _verdict(done: Audit) -> Text:
    return Text(
        f"every feature keeps every law, on {done.customers} customers and {len(done.cutoffs)} cutoff(s)",
        f"全部特征符合全部规律（{done.customers} 位客户，{len(done.cutoffs)} 个截止日）",
    )


def _plain(done: Audit) -> dict[str, Any]:
    laws = {
        name: {"kept": kept, "broken": broken, "exempt": exempt} for name, _, kept, broken, exempt in done.rows("en")
    }
    breaches = [{"law": b.law, "feature": b.feature, "cutoff": b.cutoff, "customer": b.customer, "before": b.before,
                 "after": b.after, "customers": b.customers} for b in done.breaches]  # fmt: skip
    return {"passed": done.passed, "customers": done.customers, "laws": laws, "breaches": breaches}
