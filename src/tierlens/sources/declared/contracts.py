"""The eight tables, each a versioned contract.

The reader reads by them, the simulator writes by them, the documentation is made from them. Behind the door every time
is a whole day (int32 since 1970-01-01), money is int64 minor units, ids and words are text, and all tables have two
columns in common: ``day``, when a thing happened, and ``known_day``, from when it was known. Features read rows that
have both before the cutoff; of things that are known later than the row itself (a renewal, a payment, the judgement of
a ticket) the day is a column of its own.
"""

# fmt: off
from __future__ import annotations

import difflib
from collections.abc import Mapping

from tierlens.errors import UsageError
from tierlens.sources.declared.contract import Column, Contract, Derived, Kind
from tierlens.words import Text

ALWAYS = -719_162
"""Day number of 0001-01-01: the ``day`` of a row that holds from the beginning, because it does not say from when."""
KNOWN = Derived("known_day", "max(day, day of recorded_at)")
MINOR = "minor units"


def _customer() -> Column:
    return Column("customer_id", "id", Text("customer", "客户编号"), required=True)


def _recorded() -> Column:
    return Column("recorded_at", "time", Text("when it was recorded", "录入时间"),
                  blank=Text("recorded when it happened", "视为发生时即录入"))


def _day(name: str, title: Text, settled: str = "day", required: bool = True, blank: Text | None = None) -> Column:
    return Column(name, "time", title, required, settled=settled, blank=blank)


def _points(name: str, title: Text, least: float, most: float) -> Column:
    unit = f"points, {least:g} to {most:g}"
    return Column(name, "number", title, unit=unit, at_least=least, at_most=most)


def _money(name: str, title: Text, required: bool = False, blank: Text | None = None) -> Column:
    return Column(name, "money", title, required, MINOR, at_least=0, blank=blank)


def _plain(name: str, kind: Kind, title: Text) -> Column:
    return Column(name, kind, title)


TRANSACTIONS = Contract(
    "transactions", "1.0", Text("transactions", "交易"),
    (
        _customer(),
        _plain("order_id", "id", Text("order", "订单号")),
        _day("time", Text("when it was bought", "交易时间")),
        _plain("product_id", "id", Text("product", "商品编号")),
        Column("quantity", "number", Text("quantity", "数量"), unit="pieces"),
        Column("price", "money", Text("unit price", "单价"), unit=MINOR),
        Column("amount", "money", Text("amount", "金额"), unit=MINOR),
        _recorded(),
        Column("kind", "word", Text("purchase or return", "业务类型"),
               values={"purchase": "购买 销售", "return": "退货 退款"}),
        _plain("currency", "text", Text("currency", "币种")),
        _plain("line_id", "id", Text("key of the line", "流水号")),
    ),
    key=("line_id",), event="time", derived=(KNOWN,),
)
"""Read by rules of its own (:mod:`tierlens.sources.cleaning.transaction_sql`); what comes out is described at
:class:`~tierlens.sources.tables.Tables`."""

# Sections of GB/T 4754-2017, industrial classification for national economic activities, and how people write them.
SECTIONS: dict[str, str] = {
    "A": "农、林、牧、渔业 农林牧渔业 农业 農林牧漁業 agriculture",
    "B": "采矿业 採礦業 mining",
    "C": "制造业 製造業 manufacturing",
    "D": "电力、热力、燃气及水生产和供应业 电力热力燃气及水生产和供应业 公用事业 utilities",
    "E": "建筑业 建築業 construction",
    "F": "批发和零售业 批发零售业 批發和零售業 trade wholesale retail",
    "G": "交通运输、仓储和邮政业 交通运输仓储和邮政业 物流 物流业 logistics transport",
    "H": "住宿和餐饮业 住宿餐饮业 hospitality",
    "I": "信息传输、软件和信息技术服务业 信息传输软件和信息技术服务业 信息技术 it software",
    "J": "金融业 金融 金融業 finance",
    "K": "房地产业 房地产 房地產業 real_estate",
    "L": "租赁和商务服务业 商务服务业 business_services",
    "M": "科学研究和技术服务业 科研和技术服务业 research",
    "N": "水利、环境和公共设施管理业 水利环境和公共设施管理业 environment",
    "O": "居民服务、修理和其他服务业 居民服务修理和其他服务业 居民服务业 services",
    "P": "教育 education",
    "Q": "卫生和社会工作 卫生 医疗 health",
    "R": "文化、体育和娱乐业 文化体育和娱乐业 文化体育娱乐业 culture",
    "S": "公共管理、社会保障和社会组织 公共管理社会保障和社会组织 公共管理 政府 public",
    "T": "国际组织 國際組織 international_organisations",
}

CUSTOMERS = Contract(
    "customers", "1.0", Text("customers", "客户"),
    (
        _customer(),
        _plain("name", "text", Text("full name", "客户名称")),
        _plain("short_name", "text", Text("short name", "客户简称")),
        _plain("industry", "text", Text("industry", "行业")),
        Column("industry_section", "word", Text("industry (section of GB/T 4754)", "行业门类（GB/T 4754）"),
               values=SECTIONS),
        Column("employees", "whole", Text("employees", "员工人数"), unit="people", at_least=0, at_most=10_000_000),
        _plain("company_size", "text", Text("size", "规模")),
        _plain("region", "text", Text("region", "地区")),
        _day("since", Text("customer since", "合作起始日"), "since_day", required=False),
        Column("contactable", "flag", Text("may be contacted", "可联系"), otherwise=False,
               blank=Text("not contactable", "视为不可联系")),
        _day("valid_from", Text("holds from", "生效日期"), required=False,
             blank=Text("holds from the beginning", "视为一直有效")),
        _recorded(),
    ),
    key=("customer_id", "valid_from"), event="valid_from", derived=(KNOWN,),
)
"""Who the customers are. A customer may have several rows, each holding from its ``day`` until the next one's; where a
row does not say from when it holds, ``day`` is :data:`ALWAYS`. ``contactable`` is true only for a word that says yes;
it is asked at export, never at the cutoff."""

CONTRACTS_TABLE = Contract(
    "contracts", "1.0", Text("contracts", "合同"),
    (
        _customer(),
        _plain("contract_id", "id", Text("contract", "合同编号")),
        _day("start", Text("first day", "开始日期")),
        _day("end", Text("last day", "结束日期"), "end_day", required=False, blank=Text("open-ended", "无固定期限")),
        _money("value", Text("value", "合同金额")),
        Column("renewed", "flag", Text("renewed", "是否续约"),
               blank=Text("not decided, counts for nothing", "未定，不计入")),
        Column("fulfilled", "share", Text("share fulfilled", "履约率"), unit="share", at_least=0, at_most=1),
        _day("decided_at", Text("when renewal and fulfilment were known", "续约确定日期"), "outcome_day",
             required=False, blank=Text("known on the last day", "视为到期日已知")),
        _recorded(),
    ),
    key=("contract_id",), event="start", derived=(KNOWN,), ordered=("start", "end"),
)
"""``outcome_day``: from when ``renewed`` and ``fulfilled`` were known, max(known_day, decided_at or else end); missing
where neither is given."""

TICKETS = Contract(
    "tickets", "1.0", Text("tickets", "工单"),
    (
        _customer(),
        _plain("ticket_id", "id", Text("ticket", "工单编号")),
        _day("time", Text("when it was opened", "提交时间")),
        Column("kind", "word", Text("kind", "类型"), required=True, values={
            "enquiry": "inquiry question consultation 咨询 售后咨询 询问 諮詢 售後諮詢",
            "complaint": "投诉 抱怨 投訴",
            "custom": "custom_request customisation customization 定制 定制化 定制需求 定制化需求 定製 客製 客製化",
            "other": "repair 其他 报修 维修 其它 報修 維修",
        }),
        Column("severity", "word", Text("severity of a complaint", "严重程度"), values={
            "minor": "low normal medium 一般 轻微 普通 低 中 輕微",
            "major": "high critical serious 重大 严重 紧急 高 嚴重 緊急",
        }),
        _points("satisfaction", Text("satisfaction with the response", "服务响应满意度"), 1, 5),
        _day("closed_at", Text("when it was closed and judged", "关闭时间"), "rated_day", required=False,
             blank=Text("judged when it was known", "视为已知时即评价")),
        _recorded(),
    ),
    key=("ticket_id",), event="time", derived=(KNOWN,), ordered=("time", "closed_at"),
)
"""``rated_day``: from when ``satisfaction`` was known, max(known_day, closed_at); never missing."""

INTERACTIONS = Contract(
    "interactions", "1.0", Text("interactions", "互动"),
    (
        _customer(),
        _plain("interaction_id", "id", Text("interaction", "互动编号")),
        _day("time", Text("when it took place", "互动时间")),
        Column("kind", "word", Text("kind", "互动方式"), values={
            "visit": "meeting 拜访 上门 会议 面谈 走访 拜訪 會議",
            "call": "phone 电话 致电 通话 電話",
            "mail": "email message sms wechat 邮件 短信 微信 信函 郵件 簡訊",
            "other": "event 其他 活动 其它 活動",
        }),
        _recorded(),
    ),
    key=("interaction_id",), event="time", derived=(KNOWN,),
)

SURVEYS = Contract(
    "surveys", "1.0", Text("surveys", "调研"),
    (
        _customer(),
        _plain("survey_id", "id", Text("survey", "问卷编号")),
        _day("time", Text("when it was answered", "答卷时间")),
        _points("nps", Text("NPS", "NPS"), -100, 100),
        _points("recommend", Text("willingness to recommend", "推荐意愿"), 0, 10),
        _points("satisfaction", Text("satisfaction", "满意度"), 1, 5),
        _points("regard", Text("regard for brand and product", "品牌及产品认可度"), 1, 5),
        _recorded(),
    ),
    key=("survey_id",), event="time", derived=(KNOWN,),
)
"""One row an answered survey; what was not asked is missing."""

PAYMENTS = Contract(
    "payments", "1.0", Text("payments", "付款"),
    (
        _customer(),
        _plain("invoice_id", "id", Text("invoice", "账单编号")),
        _day("due", Text("due on", "应付日期")),
        _day("paid", Text("paid on", "付款日期"), "paid_day", required=False, blank=Text("not paid", "尚未付款")),
        _money("amount", Text("amount due", "应付金额"), required=True),
        _money("paid_amount", Text("amount paid", "实付金额"),
               blank=Text("all of it, where there is a day of payment", "有付款日期则视为全额付款")),
        _recorded(),
    ),
    key=("invoice_id",), event="due", derived=(KNOWN,),
)
"""``paid_day`` and ``paid_amount`` hold from max(known_day, paid_day) on: before it an invoice is unpaid. Behind the
door ``paid_amount`` is missing exactly where ``paid_day`` is."""

RATINGS = Contract(
    "ratings", "1.0", Text("ratings", "评价"),
    (
        _customer(),
        Column("name", "word", Text("what is judged", "评价项"), required=True, values={
            "credit_rating": "credit 信用评级 信用等级 信用評級",
            "financial_position": "financial finances 财务状况 財務狀況",
            "industry_outlook": "outlook 行业发展前景 行业前景 行業前景",
            "industry_growth": "行业增长率 行業增長率",
            "business_growth": "业务增长趋势 业务增长率 業務增長趨勢",
            "new_business_likelihood": "new_business 拓展新业务可能性 新业务可能性 拓展新業務可能性",
            "new_demand_fit": "intent_to_buy 新需求匹配度 购买意向 新产品购买意愿 購買意向",
            "expansion_2y": "expansion 客户规模扩张速度 扩张速度 擴張速度",
            "profit_contribution": "profit 利润贡献率 利潤貢獻率",
            "dependence": "依赖度 依賴度",
            "demand_kind": "demand 需求类型 需求 需求類型",
            "other": "其他 其它",
        }),
        Column("value", "text", Text("judgement", "评价值"), required=True),
        _day("judged_at", Text("when it was judged", "评价日期")),
        _recorded(),
    ),
    key=("customer_id", "name", "judged_at"), event="judged_at",
    derived=(KNOWN, Derived("score", "value where it is a number; a share is 1 for 100 %", "double")),
)
"""Judgements by people or agencies, one a row, in the form of name and value; see :data:`JUDGED` and :data:`SCORED`
for what each may say. ``name`` is one of those listed; a row of another name is read as ``other`` and counted."""

_QUALITY = {"excellent": "优秀 優秀", "good": "良好", "fair": "一般 average", "poor": "较差 較差", "bad": "很差 差"}
JUDGED: dict[str, Mapping[str, str]] = {
    "credit_rating": {
        grade: f"{grade}+ {grade}-" for grade in ("AAA", "AA", "A", "BBB", "BB", "B", "CCC", "CC", "C", "D")
    },
    "financial_position": _QUALITY,
    "industry_outlook": _QUALITY,
    "new_business_likelihood": {"high": "高", "middle": "medium 中", "low": "低"},
    "dependence": {
        "exclusive": "独家 獨家 独家供应商", "primary": "main 主要 主要供应商",
        "one_of_several": "several 多家之一 多家供应商之一", "occasional": "偶尔 偶爾", "trial": "试用 試用",
    },
}
"""Ratings that are words: the words they may have, and what else is read as each. Other words are quarantined."""
SCORED: dict[str, tuple[str, float, float]] = {
    "industry_growth": ("share", -1.0, 10.0),
    "business_growth": ("share", -1.0, 100.0),
    "expansion_2y": ("share", -1.0, 100.0),
    "profit_contribution": ("share", -1.0, 1.0),
    "new_demand_fit": ("points, 1 to 10", 1.0, 10.0),
}
"""Ratings that are numbers: unit, least and most. ``demand_kind`` is free text."""

CONTRACTS: dict[str, Contract] = {
    contract.name: contract
    for contract in (
        TRANSACTIONS, CUSTOMERS, CONTRACTS_TABLE, TICKETS, INTERACTIONS, SURVEYS, PAYMENTS, RATINGS,
    )
}
"""All eight, by name."""
OTHERS = tuple(name for name in CONTRACTS if name != "transactions")
"""The seven that stand in ``Tables.others``."""


def contract_of(name: str) -> Contract:
    """Return the contract of a table.

    Raises
    ------
    UsageError
        ``E-US-012`` when there is no such table.

    Examples
    --------
    >>> contract_of("payments").event
    'due'
    >>> contract_of("payment")
    Traceback (most recent call last):
    tierlens.errors.UsageError: E-US-012 tables: there is no table 'payment'; did you mean payments?
    """
    if name in CONTRACTS:
        return CONTRACTS[name]
    near = difflib.get_close_matches(name, CONTRACTS, n=1)
    known = ", ".join(CONTRACTS)
    hint = Text(f"did you mean {near[0]}?", f"是否指 {near[0]}？") if near else None
    raise UsageError(
        "E-US-012",
        Text(f"there is no table {name!r}", f"没有名为 {name!r} 的表"),
        where="tables",
        fix=hint or Text(f"there are {known}", f"可用的表：{known}"),
    )
