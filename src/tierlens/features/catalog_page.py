"""The catalog as a page: what ``docs/features.md`` is made from."""

from __future__ import annotations

from collections.abc import Iterable

from tierlens.features.catalog import DIMENSIONS, WHOLE, Feature
from tierlens.words import Lang, Text

DIRECTIONS: dict[str, Text] = {
    "up": Text("more is better", "越多越好"),
    "down": Text("less is better", "越少越好"),
    "none": Text("neither", "不分好坏"),
}
TABLES: dict[str, Text] = {
    "transactions": Text("transactions", "交易"),
    "customers": Text("customers", "客户"),
    "contracts": Text("contracts", "合同"),
    "tickets": Text("tickets", "工单"),
    "interactions": Text("interactions", "互动"),
    "surveys": Text("surveys", "调研"),
    "payments": Text("payments", "付款"),
    "ratings": Text("ratings", "评价"),
}
HEAD = """# Features / 特征目录

Made by `tierlens features docs`; do not edit it here. 由 `tierlens features docs` 生成，请勿手工修改。

{count} features, one column of a snapshot each. Nothing at or after the cutoff is read, nor anything recorded then:
`tierlens features audit` holds each of them to that on your own data. Money is in minor units of the one currency; a
"window" is the observed one (365 days unless the run file says otherwise), the "horizon" what is predicted.
"""


def tables_of(feature: Feature) -> tuple[str, ...]:
    """Return all tables that a feature is made from, those of what it needs included.

    Examples
    --------
    >>> tables_of(WHOLE["complaint_rate"])
    ('transactions', 'tickets')
    """
    own = set(feature.tables) if feature.plane != "derived" or not feature.needs else set()
    found = own.union(*(tables_of(WHOLE[need]) for need in feature.needs))
    return tuple(name for name in TABLES if name in found)


def listed_features(dimension: str | None = None) -> list[Feature]:
    """Return the features of a dimension, or all of them, dimension by dimension in the order of the catalog.

    Examples
    --------
    >>> [feature.name for feature in listed_features("credit")][:2]
    ['invoices_due_12m', 'invoices_on_time_12m']
    """
    wanted = DIMENSIONS if dimension is None else [dimension]
    return [feature for name in wanted for feature in WHOLE.values() if feature.dimension == name]


def titled_entry(feature: Feature, lang: Lang, keys: Lang | None = None) -> dict[str, str]:
    """Return all that the catalog says of a feature, under headings of the same or another language.

    Examples
    --------
    >>> titled_entry(WHOLE["nps"], "en")["a missing value means"]
    'no answer in 365 days'
    """
    other: Lang = "zh" if lang == "en" else "en"
    said = {
        Text("name", "列名"): feature.name,
        Text("title", "名称"): feature.title.say(lang),
        Text("other language", "另一语言"): feature.title.say(other),
        Text("dimension", "维度"): DIMENSIONS[feature.dimension].say(lang),
        Text("unit", "单位"): feature.unit,
        Text("direction", "方向"): DIRECTIONS[feature.direction].say(lang),
        Text("formula", "公式"): feature.formula,
        Text("tables", "数据表"): ", ".join(TABLES[name].say(lang) for name in tables_of(feature)),
        Text("a missing value means", "缺失含义"): feature.missing or Text("never missing", "不缺失").say(lang),
        Text("needs", "依赖"): ", ".join(feature.needs),
        Text("family", "原因归类"): feature.family,
        Text("learned", "学习所得"): LEARNED.say(lang) if feature.is_learned else "",
    }
    return {heading.say(keys or lang): value for heading, value in said.items() if value}


LEARNED = Text("from all customers known at the cutoff, without outcomes", "由截止日已知的全体客户学得，不使用结果")


def catalog_page() -> str:
    """Return ``docs/features.md``: one table a dimension, both languages.

    Examples
    --------
    >>> catalog_page().splitlines()[0]
    '# Features / 特征目录'
    """
    parts = [HEAD.format(count=len(WHOLE))]
    for name, title in DIMENSIONS.items():
        parts.append(f"\n## {title.en[0].upper()}{title.en[1:]} / {title.zh}\n\n" + _table(listed_features(name)))
    return "".join(parts)


def _table(features: Iterable[Feature]) -> str:
    heads = ("name", "meaning", "中文", "unit", "direction", "formula", "tables", "missing means")
    lines = [_line(heads), _line(["---"] * len(heads))]
    lines += [_line(_cells(feature)) for feature in features]
    return "\n".join(lines) + "\n"


def _cells(feature: Feature) -> list[str]:
    formula = f"{feature.formula}; learned {LEARNED.en}" if feature.is_learned else feature.formula
    tables = ", ".join(tables_of(feature))
    return [f"`{feature.name}`", feature.title.en, feature.title.zh, feature.unit, feature.direction, formula, tables,
            feature.missing or "-"]  # fmt: skip


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
