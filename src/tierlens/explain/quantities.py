"""What each feature measures, and which quantities are near enough for a scheme's indicator to stand for both.

Everything here is declared, in one place and for all schemes; :mod:`tierlens.explain.scheme_homes` applies it to each.
A feature measures the quantity of its family in the catalog, unless it stands in ``APART``: some families hold features
of one table that measure different things (``ratings``: profit, outlook of the industry, credit, ...).
"""

from __future__ import annotations

from collections.abc import Mapping

from tierlens.explain.phrases import FAMILIES
from tierlens.features.catalog import WHOLE, Feature
from tierlens.words import Text

APART: dict[str, tuple[str, ...]] = {
    "amount": ("spend_expected", "spend_decay_30", "spend_decay_60", "spend_decay_120", "spend_decay_240"),
    "recency": ("sea_recency",),
    "frequency": (
        "orders_decay_15", "orders_decay_30", "orders_decay_60", "orders_decay_120", "orders_decay_240",
        "decay_rate_30", "decay_rate_60", "decay_rate_120", "decay_rate_240",
    ),
    "continuity": ("idle_months_6", "active_months_3", "active_months_6"),
    "slowing": ("decay_ratio_30_120", "decay_ratio_60_240"),
    "repeat": ("repeat_days",),
    "trend": ("recent_share",),
    "past_amount": ("amount_half_last_year", "amount_90_last_year", "spend_prev_year"),
    "novelty": ("new_products", "new_product_share"),
    "renewal": ("contracts_decided_2y", "contracts_renewed_2y", "renewal_rate", "contracts_running"),
    "fulfilment": ("contracts_judged_2y", "fulfilment_sum_2y", "contract_fulfilment"),
    "recommendation": ("nps", "recommend_score"),
    "satisfaction": ("survey_satisfaction",),
    "brand_regard": ("brand_regard",),
    "profit": ("profit_contribution",),
    "industry_outlook": ("industry_growth", "industry_outlook", "industry_outlook_rank"),
    "business_growth": ("business_growth", "expansion_judged", "expansion_counted", "expansion_2y"),
    "new_business": ("new_business_likelihood", "new_business_likelihood_rank", "new_demand_fit"),
    "credit_rating": ("credit_rating", "credit_rating_rank"),
    "financial_position": ("financial_position", "financial_position_rank"),
    "dependence": ("dependence", "dependence_rank"),
    "demand": ("demand_kind",),
    "industry": ("industry", "industry_section"),
    "company_size": ("company_size", "employees"),
    "head_count": ("employees_now", "employees_before"),
}  # fmt: skip
"""Features that measure something else than their family says, by what they measure."""

SPLIT = ("momentum", "contracts", "surveys", "ratings", "profile")
"""Families that are no quantity at all: each of their features stands in ``APART``."""

TITLES: dict[str, Text] = {
    "continuity": Text("months without a gap", "月度交易连续性"),
    "slowing": Text("whether orders slow down", "下单是否放缓"),
    "past_amount": Text("amount bought a year before", "上年交易额"),
    "novelty": Text("new products", "新品种"),
    "renewal": Text("renewal of contracts", "续约"),
    "fulfilment": Text("fulfilment of contracts", "合同履约"),
    "recommendation": Text("willingness to recommend", "推荐意愿"),
    "brand_regard": Text("regard for brand and product", "品牌及产品认可度"),
    "profit": Text("profit contribution", "利润贡献"),
    "industry_outlook": Text("outlook of the industry", "行业前景"),
    "business_growth": Text("growth of the customer's business", "客户业务增长"),
    "new_business": Text("likelihood of new business", "新业务可能性"),
    "credit_rating": Text("credit rating", "信用评级"),
    "financial_position": Text("financial position", "财务状况"),
    "dependence": Text("dependence", "依赖度"),
    "demand": Text("kind of demand", "需求类型"),
    "industry": Text("industry", "行业"),
    "company_size": Text("size of the customer", "客户规模"),
    "head_count": Text("head count in earlier years", "往年员工人数"),
}

Near = tuple[tuple[str, Text], ...]
NEAR: dict[str, Near] = {
    "recent": (("amount", Text("an amount over other days", "其他期间的交易额")),),
    "past_amount": (
        ("growth", Text("growth is told from it", "同比增长由其算出")),
        ("amount", Text("an amount over other days", "其他期间的交易额")),
    ),
    "trend": (
        ("growth", Text("both say how the amount moves", "均反映交易额的走势")),
        ("past_amount", Text("the amount is held against an earlier one", "与此前交易额相比")),
    ),
    "growth": (("past_amount", Text("the amount is held against that of the year before", "与上年交易额相比")),),
    "returns": (("amount", Text("the net amount is purchases less returns", "净交易额为购买减退货")),),
    "order_value": (("amount", Text("what orders are worth, in sum, is the amount", "各单金额合计即交易额")),),
    "basket": (
        ("order_value", Text("what an order holds makes what it is worth", "订单构成决定客单价")),
        ("amount", Text("what orders hold, in sum, is the amount", "各单所含合计即交易额")),
    ),
    "recency": (
        ("continuity", Text("a pause now is a month without a purchase", "停购即月度断档")),
        ("frequency", Text("the pause is the interval that is still running", "停购时长即尚未结束的购买间隔")),
    ),
    "continuity": (
        ("recency", Text("an empty month is a pause", "断档月份即停购")),
        ("frequency", Text("who buys often leaves no month empty", "购买频繁则少有断档")),
    ),
    "regularity": (
        ("continuity", Text("both say how evenly purchases come", "均反映交易是否均匀持续")),
        ("frequency", Text("the interval between purchases is the frequency, turned round", "购买间隔为频率的倒数")),
    ),
    "slowing": (
        ("frequency", Text("recent orders are held against earlier ones", "近期订单与此前订单相比")),
        ("continuity", Text("orders that slow down leave months empty", "下单放缓即出现断档")),
    ),
    "rhythm": (
        ("frequency", Text("told from how often and how lately the customer buys", "由购买频率与近度推算")),
        ("continuity", Text("told from how evenly the customer buys", "由交易持续性推算")),
    ),
    "season": (("frequency", Text("orders in another window", "其他期间的订单数")),),
    "frequency": (("continuity", Text("who buys often leaves no month empty", "购买频繁则少有断档")),),
    "repeat": (("frequency", Text("buying again is buying more often", "重复购买即购买更频繁")),),
    "novelty": (("new_business", Text("new products tried are new business begun", "试购新品种即开始新业务")),),
    "industry": (("industry_outlook", Text("the outlook is that of the industry", "行业前景取决于所属行业")),),
    "head_count": (
        ("business_growth", Text("growth of the customer is told from it", "客户扩张由其算出")),
        ("company_size", Text("the head count is the size", "员工人数即规模")),
    ),
    "complaints": (("satisfaction", Text("a complaint is dissatisfaction", "投诉即不满意")),),
}
"""Which other quantities may stand for one that a scheme does not score, the nearest first, and why they may.

One step only: what is near to something near is not taken."""

_PLACED = {name: quantity for quantity, names in APART.items() for name in names}


def quantity_of(name: str, catalog: Mapping[str, Feature] = WHOLE) -> str:
    """Return what a feature measures; its own name where nobody said.

    Examples
    --------
    >>> quantity_of("amount_90"), quantity_of("renewal_rate"), quantity_of("mine")
    ('recent', 'renewal', 'mine')
    """
    if name in _PLACED:
        return _PLACED[name]
    return (catalog[name].family or name) if name in catalog else name


def quantity_title(quantity: str) -> Text:
    """Return what people call a quantity.

    Examples
    --------
    >>> quantity_title("renewal").zh, quantity_title("amount").zh
    ('续约', '交易额')
    """
    return TITLES.get(quantity) or FAMILIES.get(quantity) or Text(quantity, quantity)
