"""Customers who moved between tiers, as a list for CSV and XLSX and as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from tierlens.grading.moved import Move
from tierlens.grading.scheme.scheme import Scheme
from tierlens.publish.lists.customer_lists import HEADERS as LIST_HEADERS
from tierlens.publish.lists.customer_lists import CustomerList
from tierlens.sources.report.simulated_note import DATA_NOTE
from tierlens.words import Lang, Text

HEADERS: dict[str, Text] = {
    "customer_id": Text("customer ID", "客户编号"),
    "tier_before": Text("tier before", "此前等级"),
    "tier_after": Text("tier after", "现等级"),
    "tiers_gained": Text("tiers gained", "升降级数"),
    "score_before": Text("score before", "此前评分"),
    "score_after": Text("score after", "现评分"),
    "score_change": Text("change of the score", "评分变化"),
    "reason_1": Text("main reason", "主要原因"),
    "reason_2": Text("second reason", "第二原因"),
    "reason_3": Text("third reason", "第三原因"),
    "triggers": Text("triggers", "触发项"),
}
"""Columns of the file, before one for the part of each dimension in the change of the score."""
UNGRADED = Text("not graded", "未评级")


def headers_of(scheme: Scheme) -> dict[str, Text]:
    """Return the columns of the file under a scheme, in order; the last only where data are simulated.

    Examples
    --------
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> list(headers_of(load_scheme("relationship_rating")).values())[-2].en
    'change by Potential'
    """
    parts = {f"by_dimension_{d.id}": Text(f"change by {d.title.en}", f"其中：{d.title.zh}") for d in scheme.dimensions}
    return HEADERS | parts | {DATA_NOTE: LIST_HEADERS[DATA_NOTE]}


def tier_name(tier: str, scheme: Scheme, lang: Lang) -> str:
    """Say a tier by its title, behind its letter where it has one.

    Examples
    --------
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> tier_name("A", load_scheme("relationship_rating"), "zh"), tier_name("-", load_scheme("five_step"), "en")
    ('A 核心客户', 'not graded')
    """
    return next((each.full for each in scheme.tiers if each.id == tier), UNGRADED).say(lang)


def moves_list(moves: Sequence[Move], scheme: Scheme, lang: Lang, note: Text | None = None) -> CustomerList:
    """Put moves into the columns of ``headers_of``, for ``sheets.write_list``; a note stands in each row."""
    rows = [_row(move, scheme, lang) for move in moves]
    kinds = {name: pa.string() if _is_text(name) else pa.float64() for name in headers_of(scheme) if name != DATA_NOTE}
    kinds["tiers_gained"] = pa.int64()
    table = pa.Table.from_pylist(rows, schema=pa.schema(list(kinds.items())))
    if note is not None:
        table = table.append_column(DATA_NOTE, pa.array([note.say(lang)] * len(rows), pa.string()))
    return CustomerList(table, ((Text("moved", "等级变动"), len(rows)),), lang)


def _is_text(name: str) -> bool:
    return name in {"customer_id", "tier_before", "tier_after", "triggers"} or name.startswith("reason_")


def _row(move: Move, scheme: Scheme, lang: Lang) -> dict[str, Any]:
    reasons = {f"reason_{place}": text for place, text in enumerate(move.reasons[:3], start=1)}
    parts = {f"by_dimension_{name}": part for name, part in move.by_dimension.items()}
    tiers = {name: tier_name(getattr(move, name), scheme, lang) for name in ("tier_before", "tier_after")}
    known = {name: getattr(move, name) for name in HEADERS if hasattr(move, name)}
    return known | tiers | reasons | parts | {"triggers": Text("; ", "；").say(lang).join(move.triggers) or None}


def plain_moves(moves: Sequence[Move]) -> list[dict[str, Any]]:
    """Return moves whole as plain values, ready for JSON; numbers are rounded to 9 places."""
    return [{name: _rounded(value) for name, value in asdict(move).items()} for move in moves]


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _rounded(part) for name, part in value.items()}
    return round(value, 9) if isinstance(value, float) else value
