"""What a finished run knows of one customer, in words: money with its currency, titles in the reader's language."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tierlens.errors import UsageError
from tierlens.explain.reason_columns import OUTCOMES, REASONS, reason_columns
from tierlens.features.catalog import CATALOG
from tierlens.grading.labels import say_flags
from tierlens.publish.lists.activities import ACTIVITIES
from tierlens.publish.lists.bands import BANDS
from tierlens.publish.lists.customer_lists import BAND_COLUMNS, HEADERS
from tierlens.publish.lists.playbook import say_source
from tierlens.publish.report.findings import Findings
from tierlens.publish.report.findings_file import read_findings
from tierlens.segments.figures import say_value
from tierlens.sources.report.simulated_note import DATA_NOTE
from tierlens.sources.tables import Currency
from tierlens.words import Lang, Text
from tierlens.workspace import run_folder

TITLES: dict[str, Text] = {
    **HEADERS,
    "cutoff": Text("cutoff", "截止日"),
    "coverage": Text("weight with data", "有数据的权重"),
    "flags": Text("flags", "标记"),
    "evidence": Text("evidence of the tier", "评级依据"),
    "segment": Text("segment", "客群"),
    "downgrade_risk_low": Text("downgrade risk, at least", "降级风险下限"),
    "downgrade_risk_high": Text("downgrade risk, at most", "降级风险上限"),
    "need": Text("points lacking at the end of the horizon", "预测期末所差分数"),
    "need_days": Text("days until the amount is too small", "金额不足前的天数"),
    "need_money": Text("to be spent by the end of the horizon", "预测期末前须消费"),
    "next_step_source": Text("source of the next step", "下一步的依据"),
    "churn_base": Text("churn risk before anything of the customer is looked at", "未考虑该客户自身情况时的流失风险"),
    "churn_level_points": Text("churn risk by the level of the month, points", "流失风险中整体水平的影响（个百分点）"),
    "churn_other_points": Text("churn risk by all else, points", "流失风险中其余因素合计（个百分点）"),
    "downgrade_base": Text("downgrade risk before anything of the customer is looked at",
                           "未考虑该客户自身情况时的降级风险"),
    "downgrade_level_points": Text("downgrade risk by the level of the month, points",
                                   "降级风险中整体水平的影响（个百分点）"),
    "downgrade_other_points": Text("downgrade risk by all else, points", "降级风险中其余因素合计（个百分点）"),
}  # fmt: skip
"""Titles of what is no feature; features have theirs in the catalog."""

LEFT = tuple(f"{outcome}_{end}" for outcome in OUTCOMES for end in ("level_points", "other_points"))
"""Points of what is no reason of one customer."""
CODES = ("reason_code", *(name for outcome in OUTCOMES for name in reason_columns(outcome)
                          if name.endswith(("_code", "_points")) and name not in LEFT))  # fmt: skip
"""Names for programs: in the JSON only. The points of a reason stand in its sentence."""

NONE = Text("none", "无")
MONEY = ("need_money",)


def row_of(out: Path, customer: str, lang: Lang) -> dict[str, Any]:
    """Return what a finished run knows of one customer, as a program reads it.

    Returns
    -------
    dict
        Money in whole units of the currency, which stands under ``currency``; texts in ``lang`` only.

    Raises
    ------
    UsageError
        ``E-RU-005`` when the run has no such customer.
    """
    file = run_folder.finished_file(out, run_folder.CUSTOMERS)
    table = pq.read_table(file, filters=[("customer_id", "=", customer)])
    if not table.num_rows:
        some = ", ".join(pq.read_table(file, columns=["customer_id"])["customer_id"][:3].to_pylist())
        raise UsageError(
            "E-RU-005",
            Text(f"the run has no customer {customer!r}", f"该次运行中没有客户 {customer!r}"),
            where=str(out),
            fix=Text(
                f"only customers known before its cutoff are in it, for instance: {some}",
                f"其中仅有截止日前已知的客户，例如：{some}",
            ),
        )
    about = _findings(out).about
    other = "_en" if lang == "zh" else "_zh"
    row = {
        key.removesuffix(f"_{lang}"): value for key, value in table.to_pylist()[0].items() if not key.endswith(other)
    }
    money = [key for key in row if key in MONEY or (key in CATALOG and CATALOG[key].unit == "money")]
    return {**row, **{key: _whole(row[key], about.minor) for key in money}, "currency": about.currency}


def lines_of(row: Mapping[str, Any], out: Path, lang: Lang) -> list[str]:
    """Return a customer as lines for people: a title and a value each."""
    found = _findings(out)
    currency = Currency(found.about.currency, minor=found.about.minor)
    hidden = {*CODES, DATA_NOTE, "currency", *(key for key in REASONS if row.get(key) is None)}
    shown = [key for key in row if key not in hidden]  # the first line says the note
    colon = "：" if lang == "zh" else ": "
    said = {key: _said(key, row[key], found, currency, lang) for key in shown}
    # Where the value begins on a line of its own, the colon ends its line.
    return [f"{_title(key, lang)}{colon.strip() if text[:1] == chr(10) else colon}{text}" for key, text in said.items()]


def _findings(out: Path) -> Findings:
    return read_findings(run_folder.finished_file(out, run_folder.FINDINGS))


def _whole(value: Any, minor: int) -> float | None:
    return None if value is None else round(float(value) / minor, 2)


def _title(key: str, lang: Lang) -> str:
    if key in CATALOG:
        return CATALOG[key].title.say(lang)
    return TITLES[key].say(lang) if key in TITLES else key


def _said(key: str, value: Any, found: Findings, currency: Currency, lang: Lang) -> str:
    """Write one value as a person reads it."""
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return NONE.say(lang)
    as_asked: dict[str, Callable[[], str]] = {
        "tier": lambda: _tier(str(value), found, lang),
        "flags": lambda: say_flags(str(value), lang),
        "next_step_source": lambda: say_source(str(value), lang),
        "activity": lambda: ACTIVITIES[str(value)].say(lang),
        **dict.fromkeys(BAND_COLUMNS, lambda: BANDS[value].say(lang) if value in BANDS else str(value)),
        "evidence": lambda: "".join(f"\n  {line}" for line in str(value).splitlines()),
        "score": lambda: f"{value:.2f}",
        "need": lambda: f"{value:.1f}",
    }
    if key in as_asked:
        return as_asked[key]()
    if key in LEFT:
        return f"{value:+.1f}"
    if key in MONEY or (key in CATALOG and CATALOG[key].unit == "money"):
        return f"{value:,.2f} {currency.code}"
    if key in CATALOG:
        return say_value(float(value), CATALOG[key].unit, currency).say(lang)
    return f"{value:.1%}" if isinstance(value, float) else str(value)


def _tier(tier: str, found: Findings, lang: Lang) -> str:
    lines = found.tiers.lines if found.tiers else ()
    names = [line.name.say(lang) for line in lines if line.tier == tier]
    return " ".join(dict.fromkeys([tier, *names])) if len(tier) == 1 else (names or [tier])[0]
