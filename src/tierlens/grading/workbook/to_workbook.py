"""A scheme as plain tables that a manager can read, sign and change, and back again without loss.

``scheme_tables`` gives one table a part of the scheme: the whole file, nothing left out; ``unbook`` reads the
same tables, whoever has changed them. They are what ``tierlens scheme explain`` shows and what the workbook holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tierlens.grading.rules import Alternatives
from tierlens.grading.scheme.parts import Indicator
from tierlens.grading.scheme.scheme import Scheme
from tierlens.grading.workbook.layout import SHEETS, Sheet
from tierlens.words import Lang, Text

Cell = str | int | Decimal | bool | None
Row = dict[str, Cell]
BOUNDS = ("at_least", "above", "below", "at_most")
NAMED = ("id", "name", "label")


@dataclass(frozen=True)
class Table:
    """One part of a scheme.

    Parameters
    ----------
    sheet : Sheet
        Its name and columns.
    rows : tuple of dict
        Cells by the key of their column; a missing key is an empty cell.
    """

    sheet: Sheet
    rows: tuple[Row, ...]

    def header(self, lang: Lang) -> list[str]:
        """Return the titles of the columns."""
        return [column.title.say(lang) for column in self.sheet.columns]

    def cells(self) -> list[list[Cell]]:
        """Return the rows in the order of the columns."""
        return [[row.get(column.key) for column in self.sheet.columns] for row in self.rows]


def scheme_tables(scheme: Scheme) -> list[Table]:
    """Return a scheme as tables, in a fixed order; empty tables are left out.

    Examples
    --------
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> tables = scheme_tables(load_scheme("five_step"))
    >>> [table.sheet.title.zh for table in tables][:4]
    ['方案', '特征', '维度', '指标']
    """
    makers: dict[str, Iterable[dict[str, Any]]] = {
        "scheme": _about(scheme), "features": _features(scheme), "dimensions": _dimensions(scheme),
        "indicators": _indicators(scheme), "points": _points(scheme), "tiers": _tiers(scheme),
        "measures": _measures(scheme), "labels": _labels(scheme), "rules": _rules(scheme),
        "triggers": _ruled(scheme.triggers, "rows_days"), "tags": _ruled(scheme.tags, "of", "per", "suffix"),
        "parameters": (_of(p, *NAMED, "value", "unit", "source") | _notes(p) for p in scheme.parameters),
        "practices": (_of(p, *NAMED, "kind", "source") | _notes(p) for p in scheme.practices),
        "notes": ({"en": note.en, "zh": note.zh} for note in scheme.notes),
    }  # fmt: skip
    tables = [Table(SHEETS[key], tuple(_filled(row) for row in rows)) for key, rows in makers.items()]
    return [table for table in tables if table.rows]


def _filled(row: Mapping[str, Any]) -> Row:
    return {key: value for key, value in row.items() if value is not None and value != ""}


def _of(part: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(part, name) for name in names}


def _notes(part: Any, name: str = "note") -> dict[str, Any]:
    """Several notes stand in one cell, a line each."""
    notes = getattr(part, name) or ()
    notes = notes if isinstance(notes, tuple) else (notes,)
    return {f"{name}_{lang}": "\n".join(getattr(n, lang).replace("\n", " ") for n in notes) for lang in ("en", "zh")}


def _about(scheme: Scheme) -> Iterator[dict[str, Any]]:
    values = {**_of(scheme, *NAMED, "version", "valid_from"), **_of(scheme.source, "document", "clause")}
    values |= {"points_from": scheme.points.low, "points_to": scheme.points.high}
    rest = [column for column in ABOUT if column not in values]
    values |= _of(scheme, *rest)
    for key, title in ABOUT.items():
        if values[key] is not None:
            yield {"key": key, "title_en": title.en, "title_zh": title.zh, "value": values[key]}


ABOUT: dict[str, Text] = {
    "id": Text("identifier", "编号"),
    "name": Text("English name", "英文名称"),
    "label": Text("Chinese name", "中文名称"),
    "version": Text("version", "版本"),
    "valid_from": Text("in force from", "生效日期"),
    "document": Text("document", "文件"),
    "clause": Text("clause", "条款"),
    "currency": Text("currency of amounts", "金额币种"),
    "points_from": Text("fewest points", "最低分值"),
    "points_to": Text("most points", "最高分值"),
    "weights_are": Text("weights of indicators are", "指标权重口径"),
    "normalise_weights": Text("weights are divided by their sum", "权重按合计归一"),
    "missing": Text("without a value", "缺失值处理"),
    "table": Text("table of cuts in force", "采用的分段表"),
    "use_proxies": Text("proxies may stand in", "允许代理指标"),
    "minimum_tenure_days": Text("least days of tenure", "最短合作天数"),
    "minimum_coverage": Text("least coverage", "最低覆盖率"),
    "low_coverage": Text("low coverage below", "低覆盖率标记线"),
    "borderline_margin": Text("borderline, points from a bound", "边界幅度（分）"),
    "borderline_share": Text("borderline, share of a bound", "边界幅度（比例）"),
    "tier_by": Text("tiers go by", "等级依据"),
}


def _features(scheme: Scheme) -> Iterator[dict[str, Any]]:
    for name, use in scheme.features.items():
        yield {"id": name, **_of(use, "name", "label", "unit", "at_least", "at_most"), "whole": use.whole or None}


def _dimensions(scheme: Scheme) -> Iterator[dict[str, Any]]:
    yield from (_of(d, *NAMED, "weight", "source") | _notes(d) for d in scheme.dimensions)


def _indicators(scheme: Scheme) -> Iterator[dict[str, Any]]:
    for dimension, indicator in scheme.indicators:
        proxy = {} if indicator.proxy is None else {"proxy": indicator.proxy.feature, **_proxy_notes(indicator)}
        part = _of(indicator, *NAMED, "feature", "weight", "direction", "missing", "source")
        yield {"dimension": dimension.id, **part, **_method(indicator), **proxy, **_notes(indicator)}


def _proxy_notes(indicator: Indicator) -> dict[str, Any]:
    return {f"proxy_{key}": value for key, value in _notes(indicator.proxy).items()}


def _method(indicator: Indicator) -> dict[str, Any]:
    if indicator.normalise is not None:
        return _of(indicator.normalise, "method", "centre", "slope")
    if indicator.given is not None:
        return {"method": "given", "given_from": indicator.given.low, "given_to": indicator.given.high}
    ways = {"cuts": indicator.cuts, "tables": indicator.tables, "ordinal": indicator.ordinal}
    return {"method": next(name for name, way in ways.items() if way is not None)}


def _points(scheme: Scheme) -> Iterator[dict[str, Any]]:
    for _, indicator in scheme.indicators:
        for table, cuts in indicator.cut_tables():
            for cut in cuts:
                own = _of(cut, *BOUNDS, "points", "source") | _notes(cut)
                yield {"indicator": indicator.id, "table": table, **own}
        for word, points in (indicator.ordinal or {}).items():
            yield {"indicator": indicator.id, "word": word, "points": points}


def _tiers(scheme: Scheme) -> Iterator[dict[str, Any]]:
    for tier in scheme.tiers:
        share = {} if tier.share is None else {"share_from": tier.share[0], "share_to": tier.share[1]}
        yield _of(tier, *NAMED, *BOUNDS, "source") | share | _notes(tier, "meaning") | _notes(tier)


def _measures(scheme: Scheme) -> Iterator[dict[str, Any]]:
    for tier in scheme.tiers:
        for one in tier.measures:
            at_risk = " ".join(one.at_risk)
            yield {"tier": tier.id, **_of(one, "en", "zh", "source"), "at_risk": at_risk, **_notes(one)}


def _labels(scheme: Scheme) -> Iterator[dict[str, Any]]:
    for label in scheme.labels:
        head = _of(label, *NAMED, "otherwise", "source") | _notes(label)
        for number, value in enumerate(label.values):
            own = {"value": value.id, "value_name": value.name, "value_label": value.label}
            yield {**(head if number == 0 else {}), **own}


def _rules(scheme: Scheme) -> Iterator[dict[str, Any]]:
    for label in scheme.labels:
        for number, rule in enumerate(label.rules, start=1):
            head = {"of_label": label.id, "number": number, **_of(rule, "value", "flag", "source"), **_notes(rule)}
            yield from _with_conditions(head, rule.when)


def _ruled(parts: Iterable[Any], *more: str) -> Iterator[dict[str, Any]]:
    for part in parts:
        head = _of(part, *NAMED, *more, "source") | _notes(part)
        yield from _with_conditions(head, part.when) if part.when is not None else [head]


def _with_conditions(head: dict[str, Any], when: Alternatives) -> Iterator[dict[str, Any]]:
    """One row a condition; what belongs to the rule stands in its first row."""
    rows = [(n, column, c) for n, alternative in enumerate(when, start=1) for column, c in alternative.items()]
    for number, (alternative, column, condition) in enumerate(rows):
        own = {"alternative": alternative, "column": column, **_of(condition, *BOUNDS, "missing")}
        own |= {"times": condition.of, "is": condition.equals}
        own["in"] = None if condition.among is None else " | ".join(condition.among)
        yield {**(head if number == 0 else {}), **own}
