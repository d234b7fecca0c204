"""What a person can do about a line that was kept out, changed or flagged."""

from __future__ import annotations

from tierlens.sources.messages.row_reasons import REASONS
from tierlens.words import Text

_FIXES: dict[str, Text] = {
    "short_row": Text("fill the missing fields, or quote line breaks", "补全缺失的字段；字段内换行须加引号"),
    "digits_lost": Text("format the column as text and export again", "将该列设为文本格式后重新导出"),
    "id_fraction": Text("write the column as text or whole numbers", "将该列写为文本或整数"),
    "total_line": Text("nothing, or leave totals out of the export", "无需处理，或导出时去掉合计行"),
    "adjustment": Text("nothing; adjustments are left out by the run file", "无需处理；按运行文件排除调整行"),
    "missing_customer": Text("write the customer's id", "补填客户编号"),
    "missing_order": Text("write the order number", "补填订单号"),
    "missing_time": Text("write the date", "补填日期"),
    "sentinel_date": Text("write the true date", "填写真实日期"),
    "serial_date": Text("format the column as a date and export again", "将该列设为日期格式后重新导出"),
    "bad_date": Text("write it as 2026-01-05, or state date_format", "写成 2026-01-05，或声明 date_format"),
    "impossible_year": Text("write the true year", "填写真实年份"),
    "after_complete": Text("write the true date, or correct complete_until in the run file",
                           "填写真实日期，或更正运行文件中的 complete_until"),
    "bad_kind": Text("write purchase or return", "填写购买或退货"),
    "missing_amount": Text("write the amount, or quantity and price", "补填金额，或数量与单价"),
    "non_finite": Text("write the true number", "填写真实数值"),
    "foreign_sign": Text("add a column of the currency, or convert it", "增加币种列，或先换算"),
    "bad_number": Text("write a plain number such as 1234.50", "写成普通数字，如 1234.50"),
    "non_product": Text("nothing; keep it by policies: non_products", "无需处理；如需保留请设置 non_products"),
    "non_positive_price": Text("write the price, or non_positive_price: keep_zero",
                               "填写单价，或设置 non_positive_price: keep_zero"),
    "zero_amount": Text("nothing, or non_positive_price: keep_zero", "无需处理，或设置 non_positive_price: keep_zero"),
    "negative_amount": Text("mark it as a return, or returns: negative", "标为退货，或设置 returns: negative"),
    "missing_value": Text("fill the field", "补填该字段"),
    "bad_word": Text("write one of the words of the contract", "填写约定的取值之一"),
    "out_of_range": Text("write a value within the bounds of the contract", "填写约定范围内的数值"),
    "wrong_order": Text("correct one of the two dates", "更正其中一个日期"),
    "outlier": Text("look at the lines that the report lists", "请核对报告中列出的行"),
    "date_apart": Text("look at the dates; they do not move the end of the data", "请核对日期；不影响数据截止日的判定"),
    "return_first": Text("nothing, or read an earlier file too", "无需处理，或同时读入更早的文件"),
    "net_negative": Text("nothing, or read an earlier file too", "无需处理，或同时读入更早的文件"),
    "case_twins": Text("make the ids alike if they are one customer", "若为同一客户，请统一编号"),
    "non_product_kept": Text("nothing; they are kept by the run file", "无需处理；按运行文件保留"),
    "orphan": Text("add them to the customer table", "请补入客户表"),
    "conflict": Text("look at the rows; the newest holds", "请核对；以最新记录为准"),
    "hidden_sheet": Text("name the sheets to read under sheets", "在 sheets 中指明要读取的工作表"),
    "merged_cells": Text("unmerge them and fill the value into each row", "取消合并并在每行填入该值"),
    "lookalikes": Text("write the ids in one alphabet if they are one customer", "若为同一客户，请统一字母"),
    "name_same": Text("run 'tierlens twins' and confirm the pairs", "运行 tierlens twins 并确认配对"),
    "name_twins": Text("run 'tierlens twins' and confirm the pairs", "运行 tierlens twins 并确认配对"),
}  # fmt: skip
_BY_OUTCOME: dict[str, Text] = {
    "repeat": Text("nothing; the line counts once", "无需处理；该行只计一次"),
    "normalise": Text("nothing; it was changed as listed", "无需处理；已按所列方式转换"),
}


def fix_of(key: str) -> Text:
    """Return what can be done about a verdict.

    Parameters
    ----------
    key : str
        Of :data:`tierlens.sources.messages.row_reasons.REASONS`.

    Examples
    --------
    >>> fix_of("bad_kind").en, fix_of("duplicate").en
    ('write purchase or return', 'nothing; the line counts once')
    """
    return _FIXES[key] if key in _FIXES else _BY_OUTCOME[REASONS[key].outcome]
