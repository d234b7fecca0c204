"""How a reason is said: a phrase for the features that deserve one, a plain form for every other."""

from __future__ import annotations

from tierlens.words import Text

# {value} is the customer's own value with its unit.
PHRASES: dict[str, Text] = {
    "recency_days": Text("No purchase for {value}", "已{value}未购买"),
    "frequency": Text("{value} in the window", "窗口内下单{value}"),
    "spend": Text("Bought for {value} in the window", "窗口内购买{value}"),
    "monetary": Text("Net amount {value} in the window", "窗口内净交易额{value}"),
    "spend_year": Text("Bought for {value} in the last year", "近一年购买{value}"),
    "average_order_value": Text("{value} an order", "平均每单{value}"),
    "tenure_days": Text("Customer for {value}", "合作{value}"),
    "active_months": Text("Bought in {value} of the last year", "近一年有{value}购买"),
    "active_months_3": Text("Bought in {value} of the last three", "近3个月中有{value}购买"),
    "active_months_6": Text("Bought in {value} of the last six", "近6个月中有{value}购买"),
    **{
        f"orders_{days}": Text(f"{{value}} in the last {days} days", f"近{days}天下单{{value}}")
        for days in (14, 30, 60, 90, 180, 270)
    },
    **{
        f"amount_{days}": Text(f"Bought for {{value}} in the last {days} days", f"近{days}天购买{{value}}")
        for days in (30, 90, 180, 270)
    },
    **{
        f"orders_decay_{days}": Text(
            "Recent orders, the latest counting most: {value}", "近期订单（越近权重越高）{value}"
        )
        for days in (15, 30, 60, 120, 240)
    },
    **{
        f"spend_decay_{days}": Text(
            "Recent purchases, the latest counting most: {value}", "近期购买额（越近权重越高）{value}"
        )
        for days in (30, 60, 120, 240)
    },
    **{f"decay_rate_{days}": Text("Recent pace of {value}", "近期节奏{value}") for days in (30, 60, 120, 240)},
    "order_rate": Text("A pace of {value}", "下单节奏{value}"),
    "spend_rate": Text("Buys at a pace of {value}", "购买节奏{value}"),
    "interval_spread_days": Text("Intervals between purchases vary by {value}", "购买间隔波动{value}"),
    "interval_last_days": Text("Last interval between purchases {value}", "最近一次购买间隔{value}"),
    "trend_12": Text("Purchases change by {value} of their mean a month", "购买额每月变化均值的{value}"),
    "interval_mean_days": Text("Usually buys every {value}", "平均每{value}购买一次"),
    "longest_gap_days": Text("Longest pause between purchases {value}", "最长{value}未购买"),
    "overdue_ratio": Text("Pause is {value} times the usual interval", "当前停购为平均间隔的{value}倍"),
    "idle_months_6": Text("{value} without a purchase in the last six", "近6个月中{value}无购买"),
    "return_share": Text("Returns {value} of purchases", "退货占购买额{value}"),
    "returned": Text("Returned goods for {value}", "退货{value}"),
    "amount_prev_90": Text("Bought for {value} in the 90 days before the last 90", "此前90天购买{value}"),
    "amount_half": Text("Bought for {value} in the last half-year", "近半年购买{value}"),
    "recent_share": Text(
        "{value} of the last 180 days' purchases fell in the last 90", "近180天购买额中近90天占{value}"
    ),
    "growth_yoy": Text("Change on the year before: {value}", "同比变化{value}"),
    "season_growth": Text("Change on the same 90 days last year: {value}", "90天同比变化{value}"),
    "products": Text("{value} in the window", "窗口内购买{value}"),
    "products_90": Text("{value} in the last 90 days", "近90天购买{value}"),
    "new_products": Text("{value} tried for the first time in the last 90 days", "近90天首次购买{value}"),
    "repeat_products": Text("{value} bought again on a later day", "复购{value}"),
    "repeat_share": Text("{value} of products were bought again", "{value}的品种有复购"),
}

PLAIN = Text("{title}: {value}", "{title}：{value}")

FAMILIES: dict[str, Text] = {
    "recency": Text("time since the last purchase", "距上次购买时间"),
    "frequency": Text("number of orders", "购买频次"),
    "amount": Text("amount bought", "交易额"),
    "order_value": Text("average order value", "客单价"),
    "tenure": Text("time as a customer", "合作时长"),
    "regularity": Text("regularity of purchases", "购买规律性"),
    "returns": Text("returns", "退货"),
    "recent": Text("recent purchases", "近期购买"),
    "trend": Text("trend of purchases", "购买趋势"),
    "growth": Text("growth on the year before", "同比增长"),
    "breadth": Text("variety of products", "购买品种"),
    "repeat": Text("products bought again", "复购品种"),
    "momentum": Text("momentum of purchases", "购买动量"),
    "season": Text("same season last year", "去年同期"),
    "basket": Text("what an order holds", "订单构成"),
    "rhythm": Text("own rhythm of purchases", "自身购买节奏"),
    "standing": Text("standing under the scheme", "方案评分状况"),
    "complaints": Text("complaints", "投诉"),
    "enquiries": Text("enquiries", "咨询"),
    "custom_requests": Text("custom requests", "定制化需求"),
    "satisfaction": Text("satisfaction with service", "服务满意度"),
    "contracts": Text("contracts", "合同"),
    "interactions": Text("contacts with the customer", "客户互动"),
    "payments": Text("payments", "付款"),
    "ratings": Text("ratings", "评价"),
    "surveys": Text("surveys", "调研"),
    "profile": Text("size of the customer", "客户规模"),
}
