"""Rating cards as pages: HTML for reading and printing, XLSX for filing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tierlens.grading.evidence import number_text
from tierlens.grading.labels import say_flags
from tierlens.publish.documents.cards import Card
from tierlens.publish.files.atomic import write_text
from tierlens.publish.files.safe_text import plain_text
from tierlens.publish.lists.list_files import new_book
from tierlens.publish.report.html import template_environment
from tierlens.spreadsheets import is_formula_like
from tierlens.words import Lang, Text

LINE = "_" * 14
WORDS: dict[str, Text] = {
    "card": Text("Customer rating card", "客户评级卡"),
    "customer": Text("Customer", "客户编号"),
    "day": Text("Cutoff", "评级日期"),
    "dimension": Text("Dimension", "评级维度"),
    "indicator": Text("Indicator", "评级指标"),
    "weight": Text("Weight", "权重"),
    "value": Text("Value", "实际值"),
    "points": Text("Points", "得分"),
    "weighted": Text("Weighted", "加权得分"),
    "evidence": Text("Evidence", "评分依据"),
    "dimension_score": Text("Dimension (points, 0-100)", "维度得分（分值、百分制）"),
    "score": Text("Composite score", "综合得分"),
    "tier": Text("Tier", "客户等级"),
    "none": Text("not graded", "未评级"),
    "coverage": Text("Weight with data", "有数据的权重"),
    "flags": Text("Flags", "标记"),
    "reasons": Text("Why", "评级说明"),
    "measures": Text("Measures", "跟进措施"),
    "path": Text("The way to the next tier", "升级与保级路径"),
    "history": Text("History", "历史评级"),
    "signed": Text(
        f"Rated by: {LINE}   Approved by: {LINE}   Date: {LINE}", f"评级人：{LINE}   审批人：{LINE}   日期：{LINE}"
    ),
}


def write_cards_html(found: Sequence[Card], path: Path, lang: Lang) -> Path:
    """Write cards as one HTML file, a page each when printed; it asks nothing of any other machine.

    Parameters
    ----------
    found : sequence of Card
        From ``cards``.
    path : Path
        Where to write.
    lang : {"en", "zh"}
        Language.

    Raises
    ------
    MissingExtraError
        When ``tierlens[report]`` is not installed.
    """
    return write_text(path, render_cards(found, lang))


def render_cards(found: Sequence[Card], lang: Lang) -> str:
    """Return cards as HTML; every text is escaped, and the same cards give the same text."""
    template = template_environment().get_template("cards.html.j2")
    helpers = {"say": lambda text: text.say(lang), "number": _number, "flags": say_flags}
    text: str = template.render(cards=found, lang=lang, words=WORDS, **helpers)
    return text


def _number(value: float | None) -> str:
    return "–" if value is None or math.isnan(value) else number_text(value)


def write_cards_xlsx(found: Sequence[Card], path: Path, lang: Lang) -> Path:
    """Write cards as XLSX, a sheet each; ids are text, and no cell is a formula.

    Parameters
    ----------
    found : sequence of Card
        From ``cards``.
    path : Path
        Where to write.
    lang : {"en", "zh"}
        Language.

    Raises
    ------
    MissingExtraError
        When ``tierlens[excel]`` is not installed.
    """
    with new_book(path, WORDS["card"].say(lang), "cards") as book:
        formats = {
            "bold": book.add_format({"bold": True}),
            "text": book.add_format({"num_format": "@", "valign": "top"}),
            "quoted": book.add_format({"num_format": "@", "quote_prefix": True}),
        }
        for place, card in enumerate(found, start=1):
            _fill(book.add_worksheet(f"{place}"), card, formats, lang)
    return path


def _fill(sheet: Any, card: Card, formats: dict[str, Any], lang: Lang) -> None:
    for first, last, width in ((0, 1, 28), (2, 5, 14), (6, 6, 80)):
        sheet.set_column(first, last, width)
    for row, cells in enumerate(sheet_rows(card, lang)):
        for column, cell in enumerate(cells):
            _write(sheet, (row, column), cell, formats)


def _write(sheet: Any, place: tuple[int, int], cell: Any, formats: dict[str, Any]) -> None:
    if isinstance(cell, str) and cell:
        kind = "quoted" if is_formula_like(cell) else ("bold" if place[1] == 0 else "text")
        sheet.write_string(*place, plain_text(cell), formats[kind])
    elif isinstance(cell, int | float) and math.isfinite(cell):
        sheet.write_number(*place, cell)


def sheet_rows(card: Card, lang: Lang) -> list[list[Any]]:
    """Return the rows of a card's sheet, in the order of the document's form."""
    say = {key: text.say(lang) for key, text in WORDS.items()}
    columns = ("dimension", "indicator", "weight", "value", "points", "weighted", "evidence")
    tier = card.tier_full.say(lang) if card.tier else say["none"]
    rows: list[list[Any]] = [
        *([[card.data_note.say(lang)]] if card.data_note else []),
        [f"{say['card']} · {card.scheme.say(lang)}", card.source.say(lang)],
        [say["customer"], card.customer_id],
        [say["day"], card.day],
        [say[key] for key in columns],
        *_lines(card, lang, say["dimension_score"]),
        [say["score"], card.score],
        [say["tier"], tier],
        [say["coverage"], card.coverage],
        [say["flags"], say_flags(card.flags, lang)],
    ]
    for key, texts in (("reasons", card.reasons), ("measures", card.measures), ("path", card.path)):
        rows += [[say[key] if n == 0 else "", text.say(lang)] for n, text in enumerate(texts)]
    rows += [
        [say["history"] if n == 0 else "", day, score, tier.say(lang)]
        for n, (day, score, tier) in enumerate(card.history)
    ]
    return [*rows, [], [say["signed"]]]


def _lines(card: Card, lang: Lang, total: str) -> list[list[Any]]:
    rows: list[list[Any]] = []
    for group in card.groups:
        title = group.title.say(lang)
        for line in group.lines:
            told = [line.title.say(lang), line.weight, line.value.say(lang), line.points, line.weighted]
            rows.append([title, *told, line.evidence.say(lang)])
        rows.append([f"{title} · {total}", "", group.weight, "", group.points, group.score])
    return rows
