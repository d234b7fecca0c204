"""Every verdict that the reader can give a line, under a stable code and in both languages.

Three outcomes exist and none is silent: a file is refused (:class:`~tierlens.errors.DataError`), a line is kept out of
the tables (``quarantine`` or ``repeat``), or a value is changed in a listed way (``normalise``). ``flag`` marks what is
kept as it is and worth a look. The last three digits of a code up to 056 are the number of the case in the catalogue
of bad inputs; from 101 on they are the reader's own.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from tierlens.words import Text

Outcome = Literal["quarantine", "repeat", "normalise", "flag"]


class Reason(NamedTuple):
    """One verdict.

    Parameters
    ----------
    key : str
        Short name, used in ``policies.limits`` and in the report's tables.
    code : str
        Stable code such as ``E-TX-008``.
    outcome : {"quarantine", "repeat", "normalise", "flag"}
        What happens to the line or value.
    text : Text
        The verdict in words.
    """

    key: str
    code: str
    outcome: Outcome
    text: Text


def _all(*reasons: Reason) -> dict[str, Reason]:
    return {reason.key: reason for reason in reasons}


# The order is the order of judgement: a line carries the first reason that holds.
QUARANTINE = _all(
    Reason(
        "short_row", "E-TX-010", "quarantine", Text("the line has fewer fields than the header", "行的列数少于表头")
    ),
    Reason(
        "digits_lost",
        "E-TX-003",
        "quarantine",
        Text(
            "an id of more than 15 digits is stored as a number: digits were lost in Excel, format the column as text",
            "超过 15 位的编号以数字存储：Excel 已丢失末位数字，请将该列设为文本格式",
        ),
    ),
    Reason("id_fraction", "E-TX-162", "quarantine", Text("an id is a number with decimals", "编号是带小数的数字")),
    Reason("total_line", "E-TX-022", "quarantine", Text("a total line, no customer", "合计行，不是客户")),
    Reason("adjustment", "E-TX-102", "quarantine", Text("an accounting adjustment, no sale", "账务调整，不是销售")),
    Reason("missing_customer", "E-TX-008", "quarantine", Text("no customer", "缺少客户编号")),
    Reason("missing_order", "E-TX-101", "quarantine", Text("no order number", "缺少订单号")),
    Reason("missing_time", "E-TX-103", "quarantine", Text("no time", "缺少时间")),
    Reason(
        "sentinel_date",
        "E-TX-037",
        "quarantine",
        Text("a placeholder date such as 9999-12-31", "占位日期，如 9999-12-31"),
    ),
    Reason("serial_date", "E-TX-035", "quarantine", Text("a bare number where a date is due", "应为日期，却是数字")),
    Reason(
        "bad_date",
        "E-TX-034",
        "quarantine",
        Text("no date that exists, or not readable as one", "日期不存在或无法识别"),
    ),
    Reason(
        "impossible_year",
        "E-TX-148",
        "quarantine",
        Text("a year before 1900 or after 2100", "年份早于 1900 或晚于 2100"),
    ),
    Reason(
        "after_complete",
        "E-TX-149",
        "quarantine",
        Text("a date after the day up to which the data are complete", "日期晚于声明的数据完整日期"),
    ),
    Reason(
        "bad_kind", "E-TX-104", "quarantine", Text("the kind is neither purchase nor return", "类型既非购买也非退货")
    ),
    Reason(
        "missing_amount", "E-TX-105", "quarantine", Text("no amount, or no quantity or price", "缺少金额、数量或单价")
    ),
    Reason("non_finite", "E-TX-027", "quarantine", Text("an infinite or undefined number", "数值为无穷或非数")),
    Reason("foreign_sign", "E-TX-025", "quarantine", Text("another currency's sign", "带有其他货币符号")),
    Reason(
        "bad_number",
        "E-TX-106",
        "quarantine",
        Text("not readable as a number, or too large", "无法识别为数字，或数值过大"),
    ),
    Reason("non_product", "E-TX-107", "quarantine", Text("a code that is no product", "非商品代码")),
    Reason("non_positive_price", "E-TX-108", "quarantine", Text("a price of zero or less", "单价为零或负数")),
    Reason(
        "zero_amount",
        "E-TX-029",
        "quarantine",
        Text("a zero quantity or amount: no purchase", "数量或金额为零，不算购买"),
    ),
    Reason(
        "negative_amount",
        "E-TX-028",
        "quarantine",
        Text("a negative amount on a line that is no return", "非退货行出现负数金额"),
    ),
    # Of the other tables.
    Reason("missing_value", "E-TX-130", "quarantine", Text("a needed field is empty", "必填字段为空")),
    Reason("bad_word", "E-TX-131", "quarantine", Text("none of the words that the column allows", "不在允许取值之内")),
    Reason("out_of_range", "E-TX-052", "quarantine", Text("a number out of its bounds", "数值超出允许范围")),
    Reason("wrong_order", "E-TX-132", "quarantine", Text("it ends before it begins", "结束早于开始")),
)

REPEATS = _all(
    Reason("overlap", "E-TX-109", "repeat", Text("stands in a later file too", "与后一文件重叠的行")),
    Reason("duplicate", "E-TX-032", "repeat", Text("an exact repeat of a line", "完全重复的行")),
    Reason(
        "superseded",
        "E-TX-110",
        "repeat",
        Text("replaced by a later record of the same line", "已被同一行的后续记录取代"),
    ),
    Reason(
        "merged",
        "E-TX-146",
        "repeat",
        Text("a second record of a customer, merged by the declared file", "按指定文件合并的客户重复记录"),
    ),
)

NORMALISED = _all(
    Reason(
        "id_cleaned",
        "E-TX-007",
        "normalise",
        Text("ids with spaces, zero-width or full-width characters", "编号含空格、零宽或全角字符"),
    ),
    Reason(
        "encoding",
        "E-TX-014",
        "normalise",
        Text("files decoded from another encoding than UTF-8", "非 UTF-8 编码的文件"),
    ),
    Reason("blank_line", "E-TX-111", "normalise", Text("blank lines left out", "略去的空行")),
    Reason(
        "number_form",
        "E-TX-024",
        "normalise",
        Text("numbers with separators, signs or full-width digits", "带分隔符、货币符号或全角数字的数值"),
    ),
    Reason("unit", "E-TX-026", "normalise", Text("numbers in 万 or 亿", "以万或亿为单位的数值")),
    Reason("date_form", "E-TX-036", "normalise", Text("dates in another form than 2026-01-05", "其他写法的日期")),
    Reason(
        "excel_serial",
        "E-TX-035",
        "normalise",
        Text("Excel's day numbers turned into dates", "由 Excel 序列号换算的日期"),
    ),
    Reason("zone", "E-TX-040", "normalise", Text("times moved to the business time zone", "换算至业务时区的时间")),
    Reason("return_sign", "E-TX-112", "normalise", Text("returns given without a minus", "未带负号的退货")),
    Reason("currency", "E-TX-041", "normalise", Text("amounts converted at the declared rate", "按声明汇率换算的金额")),
    Reason(
        "recorded_unknown",
        "E-TX-113",
        "normalise",
        Text("unreadable times of recording, taken as the time itself", "无法识别的录入时间，按发生时间处理"),
    ),
    Reason(
        "sheet_skipped", "E-TX-114", "normalise", Text("sheets without the needed columns left out", "略去的无关工作表")
    ),
    Reason(
        "text_cleaned",
        "E-TX-047",
        "normalise",
        Text("texts with control or direction characters", "含控制或方向字符的文本"),
    ),
    Reason("other_word", "E-TX-056", "normalise", Text("unknown words, read as 'other'", "未知取值，归入“其他”")),
    Reason(
        "flag_unknown",
        "E-TX-050",
        "normalise",
        Text("words that say neither yes nor no, not taken as yes", "既非是也非否的取值，不视为“是”"),
    ),
    Reason(
        "sentinel_blank",
        "E-TX-137",
        "normalise",
        Text("placeholder dates such as 9999-12-31 in optional fields, taken as empty", "可选字段中的占位日期，视为空"),
    ),
    Reason(
        "customer_merged",
        "E-TX-147",
        "normalise",
        Text("rows moved to the customer that the declared file names", "按指定文件并入主客户的行"),
    ),
)

FLAGS = _all(
    Reason("outlier", "E-TX-031", "flag", Text("lines of an absurd amount, kept", "金额异常的行（保留）")),
    Reason(
        "date_apart",
        "E-TX-150",
        "flag",
        Text("lines dated far before or after all others, kept", "日期远离其他各行的行（保留）"),
    ),
    Reason(
        "return_first", "E-TX-030", "flag", Text("returns before the customer's first purchase", "早于首次购买的退货")
    ),
    Reason(
        "net_negative", "E-TX-115", "flag", Text("customers who returned more than they bought", "退货多于购买的客户")
    ),
    Reason("case_twins", "E-TX-116", "flag", Text("customer ids that differ in case only", "仅大小写不同的客户编号")),
    Reason(
        "non_product_kept",
        "E-TX-117",
        "flag",
        Text("lines of codes that are no product, kept", "非商品代码的行（保留）"),
    ),
    Reason(
        "orphan", "E-TX-042", "flag", Text("lines of customers that the customer table lacks", "客户表中没有的客户的行")
    ),
    Reason(
        "conflict",
        "E-TX-045",
        "flag",
        Text("rows of customers whose later rows say otherwise", "与后续记录不一致的客户行"),
    ),
    Reason(
        "name_twins",
        "E-TX-046",
        "flag",
        Text(
            "customers whose name is another's but for script, case or marks",
            "名称仅简繁、大小写或标点不同的客户",
        ),
    ),
    Reason(
        "name_same", "E-TX-169", "flag", Text("customers whose name is identical with another's", "名称完全相同的客户")
    ),
    Reason("hidden_sheet", "E-TX-156", "flag", Text("lines of hidden sheets, kept", "隐藏工作表中的行（保留）")),
    Reason(
        "merged_cells",
        "E-TX-157",
        "flag",
        Text("merged cells, of which only the first holds the value", "合并单元格（仅首个单元格有值）"),
    ),
    Reason(
        "lookalikes",
        "E-TX-158",
        "flag",
        Text(
            "customer ids that look alike, one with Greek or Cyrillic letters",
            "外形相同的客户编号（其中含希腊或西里尔字母）",
        ),
    ),
)

REASONS = QUARANTINE | REPEATS | NORMALISED | FLAGS
