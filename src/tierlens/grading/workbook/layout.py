"""Names of the tables and columns that a scheme is written in, and what kind of cell stands where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tierlens.words import Text

Kind = Literal["text", "number", "whole", "flag", "any"]


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    key : str
        How programs know it.
    title : Text
        How people know it.
    kind : str
        What stands in its cells.
    """

    key: str
    title: Text
    kind: Kind = "text"


@dataclass(frozen=True)
class Sheet:
    """A table.

    Parameters
    ----------
    key : str
        How programs know it.
    title : Text
        How people know it.
    columns : tuple of Column
        In order.
    """

    key: str
    title: Text
    columns: tuple[Column, ...]


COLUMNS: dict[str, Column] = {
    column.key: column
    for column in (
        Column("key", Text("entry", "条目")),
        Column("title_en", Text("meaning (English)", "含义（英文）")),
        Column("title_zh", Text("meaning (Chinese)", "含义（中文）")),
        Column("id", Text("identifier", "编号")),
        Column("name", Text("English name", "英文名称")),
        Column("label", Text("Chinese name", "中文名称")),
        Column("unit", Text("unit", "单位")),
        Column("whole", Text("whole numbers", "仅整数"), "flag"),
        Column("at_least", Text("at least (≥)", "≥"), "number"),
        Column("above", Text("above (>)", "＞"), "number"),
        Column("below", Text("below (<)", "＜"), "number"),
        Column("at_most", Text("at most (≤)", "≤"), "number"),
        Column("weight", Text("weight", "权重"), "number"),
        Column("source", Text("source", "依据")),
        Column("note_en", Text("note (English)", "说明（英文）")),
        Column("note_zh", Text("note (Chinese)", "说明（中文）")),
        Column("dimension", Text("dimension", "维度")),
        Column("indicator", Text("indicator", "指标")),
        Column("feature", Text("feature", "特征")),
        Column("direction", Text("better when", "方向")),
        Column("method", Text("scored by", "计分方式")),
        Column("centre", Text("points at the mean", "均值得分"), "number"),
        Column("slope", Text("points a standard deviation", "每标准差分值"), "number"),
        Column("given_from", Text("scale from", "量表下限"), "number"),
        Column("given_to", Text("scale to", "量表上限"), "number"),
        Column("missing", Text("without a value", "缺失时")),
        Column("proxy", Text("proxy", "代理指标")),
        Column("proxy_note_en", Text("about the proxy (English)", "代理说明（英文）")),
        Column("proxy_note_zh", Text("about the proxy (Chinese)", "代理说明（中文）")),
        Column("table", Text("table", "分段表")),
        Column("word", Text("word", "取值")),
        Column("points", Text("points", "得分"), "number"),
        Column("share_from", Text("suggested share from", "建议占比下限"), "number"),
        Column("share_to", Text("suggested share to", "建议占比上限"), "number"),
        Column("meaning_en", Text("meaning (English)", "含义（英文）")),
        Column("meaning_zh", Text("meaning (Chinese)", "含义（中文）")),
        Column("tier", Text("tier", "等级")),
        Column("at_risk", Text("named at risk", "适用风险")),
        Column("kind", Text("kind", "类别")),
        Column("en", Text("English", "英文")),
        Column("zh", Text("Chinese", "中文")),
        Column("otherwise", Text("otherwise", "其余")),
        Column("value_name", Text("value, English", "取值英文名称")),
        Column("value_label", Text("value, Chinese", "取值中文名称")),
        Column("of_label", Text("label", "标签")),
        Column("number", Text("rule", "规则序号"), "whole"),
        Column("flag", Text("flag", "标记")),
        Column("alternative", Text("alternative", "备选条件"), "whole"),
        Column("column", Text("condition on", "条件字段")),
        Column("times", Text("times", "倍数基准")),
        Column("is", Text("is", "等于"), "any"),
        Column("in", Text("is one of", "属于")),
        Column("rows_days", Text("days shown as the reason", "展示明细天数"), "whole"),
        Column("of", Text("value from", "取值来源")),
        Column("per", Text("divided by", "除以"), "number"),
        Column("suffix", Text("suffix", "后缀")),
    )
}
VALUE = Column("value", Text("value", "取值"))
AMOUNT = Column("value", Text("value", "数值"), "number")
ENTRY = Column("value", Text("value", "内容"), "any")
MISSING = Column("missing", Text("missing", "缺失"), "flag")

_BOUNDS = "at_least above below at_most"
_ABOUT = "source note_en note_zh"
_WHEN = f"alternative column {_BOUNDS} times is in"


def _sheet(key: str, title: Text, columns: str, **own: Column) -> Sheet:
    return Sheet(key, title, tuple(own.get(name) or COLUMNS[name] for name in columns.split()))


SHEETS: dict[str, Sheet] = {
    sheet.key: sheet
    for sheet in (
        _sheet("scheme", Text("scheme", "方案"), "key title_en title_zh value", value=ENTRY),
        _sheet("features", Text("features", "特征"), "id name label unit whole at_least at_most"),
        _sheet("dimensions", Text("dimensions", "维度"), f"id name label weight {_ABOUT}"),
        _sheet(
            "indicators",
            Text("indicators", "指标"),
            "dimension id name label feature weight direction method centre slope given_from given_to missing "
            f"proxy proxy_note_en proxy_note_zh {_ABOUT}",
        ),
        _sheet("points", Text("points", "评分标准"), f"indicator table {_BOUNDS} word points {_ABOUT}"),
        _sheet(
            "tiers",
            Text("tiers", "等级"),
            f"id name label {_BOUNDS} share_from share_to meaning_en meaning_zh {_ABOUT}",
        ),
        _sheet("measures", Text("measures", "管理措施"), f"tier en zh at_risk {_ABOUT}"),
        _sheet(
            "labels",
            Text("labels", "标签"),
            f"id name label otherwise value value_name value_label {_ABOUT}",
            value=VALUE,
        ),
        _sheet(
            "rules", Text("rules", "标签规则"), f"of_label number value {_WHEN} missing flag {_ABOUT}",
            value=VALUE, missing=MISSING,
        ),
        _sheet(
            "triggers", Text("triggers", "触发条件"), f"id name label {_WHEN} missing rows_days {_ABOUT}",
            missing=MISSING,
        ),
        _sheet(
            "tags", Text("tags", "客户标签"), f"id name label of per suffix {_WHEN} missing {_ABOUT}",
            missing=MISSING,
        ),
        _sheet("parameters", Text("parameters", "其他参数"), f"id name label value unit {_ABOUT}", value=AMOUNT),
        _sheet("practices", Text("practices", "管理要求"), f"id kind name label {_ABOUT}"),
        _sheet("notes", Text("notes", "说明"), "en zh"),
    )
}  # fmt: skip
