"""The reviewer's commands: schemes, movement, the way to a tier, rating cards, and whether a scheme works."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tierlens.app.cli.group_lang import group_lang
from tierlens.app.cli.help_layout import GroupedCommands
from tierlens.app.cli.terminal import print_line, print_result, print_table
from tierlens.errors import UsageError
from tierlens.words import Lang, Text

if TYPE_CHECKING:
    from tierlens.workspace.scheme_on_data import OnData

scheme_app = typer.Typer(
    cls=GroupedCommands, help="Check, explain, start or import a scheme.", no_args_is_help=True, callback=group_lang
)
InLang = Annotated[Lang, typer.Option("--lang", help="Language of texts.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an earlier file of the same kind.")]
RunFile = Annotated[Path, typer.Argument(help="Run file (YAML).", show_default=False)]
Name = Annotated[str, typer.Argument(help="Name of a shipped scheme, or a scheme file.", show_default=False)]


@scheme_app.command("list")
def scheme_list(lang: InLang = "en") -> None:
    """List the shipped schemes."""
    from tierlens.grading import load_scheme, scheme_names

    heads = Text("scheme|name", "方案|名称").say(lang).split("|")
    print_table(heads, [(name, load_scheme(name).title.say(lang)) for name in scheme_names()])


@scheme_app.command("check")
def scheme_check(
    name: Name,
    data: Annotated[
        Path | None, typer.Option(help="Run file: tell also what the scheme does on its customers.")
    ] = None,
    propose: Annotated[
        bool, typer.Option("--propose", help="With --data: propose a centre and spread nearer to the suggested shares.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="With --propose: write the proposal as a new scheme (.yaml).")
    ] = None,
    force: Force = False,
    lang: InLang = "en",
    as_json: AsJson = False,
) -> None:
    """Hold a scheme against the linter, and print what each indicator can contribute.

    With --data it is tried on the customers of a run file: shares of tiers beside the suggested ones, tiers that nobody
    reaches and why, customers without a tier, triggers that fire for nobody. --propose changes nothing by itself.
    """
    from tierlens.review.questions import checked_scheme

    found = checked_scheme(name, lang)
    tried = _on_data(name, data, propose, out, force)
    if as_json:
        print_result({**found, **(tried.to_dict(lang) if tried else {})}, [], True)
        return
    heads = Text("dimension|indicator|share|points|moves the score by", "维度|指标|权重|得分|最多影响总分").say(lang)
    print_table(heads.split("|"), found["contributions"], f"{found['scheme']}  sha256 {found['sha256'][:12]}")
    for level, place, text in found["findings"]:
        print_line(f"{level}  {place}: {text}")
    if tried is not None:
        _tell_on_data(tried, out, lang)
    if any(level == "error" for level, _, _ in found["findings"]):
        raise typer.Exit(2)


def _on_data(name: str, data: Path | None, propose: bool, out: Path | None, force: bool) -> OnData | None:
    """Try a scheme on a run file's customers where one is given, and write the proposal where asked."""
    from tierlens.workspace import output_files
    from tierlens.workspace.config import load_config
    from tierlens.workspace.scheme_on_data import on_data, write_proposal

    if data is None or (out is not None and not propose):
        if propose or out is not None:
            raise _needs_data()
        return None
    config = load_config(data)
    if out is not None:
        output_files.writable_path(out, output_files.SCHEME, force, [Path(name), *output_files.inputs_of(config, data)])
    found = on_data(config, name, propose=propose)
    if out is not None:
        write_proposal(found, out)
    return found


def _needs_data() -> UsageError:
    return UsageError(
        "E-RU-048",
        Text("a proposal needs customers, and --out needs a proposal", "建议须有客户数据，--out 须与 --propose 同用"),
        where="scheme check",
        fix=Text("give --data RUN.yaml --propose, and --out as well if it is to be written",
                 "请使用 --data 运行文件 --propose，需写出时再加 --out"),
    )  # fmt: skip


def _tell_on_data(found: OnData, out: Path | None, lang: Lang) -> None:
    """Print what a scheme does on customers, and the proposal with its effect."""
    for text in found.says:
        print_line(text.say(lang))
    one = found.proposal
    if one is None:
        return
    heads = Text("tier|now|proposed|suggested", "等级|现占比|建议后|文档建议").say(lang).split("|")
    shares = zip(one.scheme.tiers, one.before, one.after, strict=True)
    rows = [[tier.id, f"{now:.1%}", f"{then:.1%}", _band(tier.share)] for tier, now, then in shares]
    print_line(one.told.say(lang))
    print_table(heads, rows)
    if out is not None:
        print_line(str(out))


def _band(share: Sequence[Decimal] | None) -> str:
    return "-" if share is None else "-".join(f"{100 * end:.0f}" for end in share) + "%"


@scheme_app.command("explain")
def scheme_explain(
    name: Name,
    to: Annotated[Path | None, typer.Option(help="Write it as a workbook (.xlsx) in the same layout.")] = None,
    force: Force = False,
    lang: InLang = "en",
) -> None:
    """Show a scheme as the tables that a sales manager can sign."""
    from tierlens.review.questions import explained_scheme

    if to is not None:
        from tierlens.grading import load_scheme
        from tierlens.publish.documents.scheme_book import write_scheme_book
        from tierlens.workspace import output_files

        output_files.writable_path(to, output_files.BOOK, force, [Path(name)])
        print_line(str(write_scheme_book(load_scheme(name, "NAME"), to, lang)))
        return
    for title, headers, rows in explained_scheme(name, lang):
        used = [at for at, _ in enumerate(headers) if any(row[at] != "" for row in rows)]
        print_table([headers[at] for at in used], [[str(row[at]) for at in used] for row in rows], title)
        print_line("")


@scheme_app.command("import")
def scheme_import(
    book: Annotated[Path, typer.Argument(help="Workbook in the layout of 'scheme explain --to'.")],
    to: Annotated[Path, typer.Argument(help="Scheme file (.yaml) to write.")],
    force: Force = False,
    lang: InLang = "en",
) -> None:
    """Make a scheme file of a workbook; the round trip is exact."""
    from tierlens.grading.scheme.scheme import own_version
    from tierlens.grading.scheme_yaml import scheme_yaml
    from tierlens.publish.documents.scheme_book import read_scheme_book
    from tierlens.publish.files.atomic import write_text
    from tierlens.workspace import output_files

    output_files.writable_path(to, output_files.SCHEME, force, [book])
    scheme = own_version(read_scheme_book(book), str(book))
    print_line(str(write_text(to, scheme_yaml(scheme), private=False)))


@scheme_app.command("new")
def scheme_new(
    file: RunFile,
    to: Annotated[Path, typer.Argument(help="Scheme file (.yaml) to write.")],
    name: Annotated[str, typer.Option(help="Identifier of the scheme.")] = "ours",
    force: Force = False,
    lang: InLang = "en",
) -> None:
    """Write a starter scheme for the features of a run file."""
    from tierlens.features.snapshot import build_snapshots, to_arrow
    from tierlens.grading.scheme_yaml import starter_scheme
    from tierlens.publish.files.atomic import write_text
    from tierlens.workspace import output_files
    from tierlens.workspace.config import load_config
    from tierlens.workspace.prepare import arrow_as_frame, obtain_shop, say_nothing

    config = load_config(file)
    output_files.writable_path(to, output_files.SCHEME, force, output_files.inputs_of(config, file))
    config, shop = obtain_shop(config, say_nothing)
    features = arrow_as_frame(to_arrow(build_snapshots(shop.tables, config.cutoff_day, config.span)))
    print_line(str(write_text(to, starter_scheme(features, name, shop.tables.currency.code), private=False)))


def movement(
    file: RunFile,
    before: Annotated[str, typer.Argument(help="Earlier cutoff, such as 2011-03-01.")],
    after: Annotated[str, typer.Argument(help="Later cutoff.")],
    out: Annotated[Path | None, typer.Option("--out", help="Write everybody who moved: .csv or .xlsx.")] = None,
    force: Force = False,
    top: Annotated[int, typer.Option(min=0, help="Customers to show; --json and --out hold all.")] = 10,
    lang: InLang = "en",
    as_json: AsJson = False,
) -> None:
    """Show who moved between tiers and why, what moved the scores, and which triggers fired."""
    from tierlens.review.questions import movement_between
    from tierlens.workspace import output_files
    from tierlens.workspace.config import load_config

    config = load_config(file)
    if out is not None:
        output_files.writable_path(out, output_files.MOVES, force, output_files.inputs_of(config, file))
    found = movement_between(config, before, after, lang, out)
    if as_json:
        print_result(found, [], True)
        return
    rows: list[dict[str, Any]] = found["migration"]
    words = {tier: tier if len(tier) == 1 else name for tier, name in found["tiers"].items()}
    heads = [words.get(tier, tier) for tier in list(rows[0])[1:]]
    print_table(
        [f"{before} \\ {after}", *heads], [[words.get(tier, tier), *counts] for tier, *counts in map(dict.values, rows)]
    )
    for line in (*_changes(found, lang), *_moves(found, top, lang), *([str(out)] if out else [])):
        print_line(line)


def _changes(found: dict[str, Any], lang: Lang) -> Iterator[str]:
    """Say what moved the scores of all, and which triggers fired how often."""
    yield Text("-: not graded", "-：未评级").say(lang)
    mean = Text(", ", "，").say(lang).join(f"{name} {value:+.3f}" for name, value in found["by_dimension"].items())
    words = Text("mean change of the score {change:+.3f}: {mean}", "评分平均变化 {change:+.3f}：{mean}")
    yield words.fill(change=found["mean_change"], mean=mean).say(lang)
    for title, count in found["triggers"].items():
        yield Text("{title}: {count:,}", "{title}：{count:,}").fill(title=title, count=count).say(lang)


def _moves(found: dict[str, Any], top: int, lang: Lang) -> Iterator[str]:
    """Say who moved and why: those who moved furthest, and how many more there are."""
    moves: list[dict[str, Any]] = found["moved"]
    gained = [move["tiers_gained"] or 0 for move in moves]
    counts = {"up": sum(n > 0 for n in gained), "down": sum(n < 0 for n in gained), "other": sum(not n for n in gained)}
    words = Text("{up:,} moved up, {down:,} moved down, {other:,} were graded at one date only",
                 "升级 {up:,} 位，降级 {down:,} 位，仅在其中一日有评级 {other:,} 位")  # fmt: skip
    yield words.fill(**counts).say(lang)
    for move in moves[:top]:
        tiers = " -> ".join(found["tiers"][move[name]] for name in ("tier_before", "tier_after"))
        score = ""
        if move["score_change"] is not None:
            score = Text("  score {:.1f} -> {:.1f}", "  评分 {:.1f} -> {:.1f}").say(lang)
            score = score.format(move["score_before"], move["score_after"])
        yield f"{move['customer_id']}  {tiers}{score}"
        yield from (f"    {reason}" for reason in move["reasons"][:3])
        yield from (Text("    Trigger: {}", "    触发：{}").say(lang).format(trigger) for trigger in move["triggers"])
    if len(moves) > top:
        words = Text("{rest:,} more customers moved; --top, --json or --out show them",
                     "另有 {rest:,} 位客户等级有变动，可用 --top、--json 或 --out 查看")  # fmt: skip
        yield words.fill(rest=len(moves) - top).say(lang)


def path(
    file: RunFile,
    customer: Annotated[str, typer.Argument(help="Customer ID.")],
    lang: InLang = "en",
    as_json: AsJson = False,
) -> None:
    """Show what raises a customer's tier, what may be lost without losing it, and what leaves the window when."""
    from tierlens.review.questions import way_of
    from tierlens.workspace.config import load_config

    found = way_of(load_config(file), customer, lang)
    print_result(
        found,
        [
            f"{customer}  {found['tier_name']}  {_score(found['score'])}",
            *found["steps"],
            found["note"],
            *found["roll_off"],
        ],
        as_json,
    )


def _score(score: float | None) -> str:
    return "-" if score is None else str(score)


def card(
    file: RunFile,
    to: Annotated[Path, typer.Argument(help="File to write: .html or .xlsx.")],
    customer: Annotated[list[str], typer.Option(help="Customer ID; may be given again.")],
    force: Force = False,
    lang: InLang = "en",
) -> None:
    """Write the rating card of customers in the form of the document."""
    from tierlens.review.questions import write_cards
    from tierlens.workspace import output_files
    from tierlens.workspace.config import load_config

    config = load_config(file)
    output_files.writable_path(to, output_files.CARD, force, output_files.inputs_of(config, file))
    print_line(str(write_cards(config, customer, to, lang)))


def validity(
    file: RunFile,
    scheme: Annotated[str | None, typer.Option(help="Another scheme than the run file's.")] = None,
    lang: InLang = "en",
    as_json: AsJson = False,
) -> None:
    """Say whether a scheme works: churn and downgrade by tier, shares, Pareto, idle indicators."""
    from tierlens.review.questions import validity_of
    from tierlens.workspace.config import load_config

    found = validity_of(load_config(file), scheme, lang)
    if as_json:
        print_result(found, [], True)
        return
    heads = Text("tier|rows|share|churn|downgrade", "等级|行数|占比|流失|降级").say(lang).split("|")
    rows = [[name, count, f"{share:.1%}", left, fell] for name, count, share, left, fell in found["tiers"]]
    title = Text("{scheme}, {rows:,} rows", "{scheme}，{rows:,} 行").fill(scheme=found["scheme"], rows=found["rows"])
    print_table(heads, rows, title.say(lang))
    for line in found["says"]:
        print_line(line)
