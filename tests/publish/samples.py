"""Made-up but plausible findings and customers for the tests of this layer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa

from tierlens.explain.reason_columns import OUTCOMES, reason_columns, with_main_reason
from tierlens.publish.lists.playbook import with_next_steps
from tierlens.publish.report.findings import (
    About,
    Bin,
    Curve,
    CustomerLine,
    Estimate,
    Findings,
    ModelLine,
    QualityLine,
    Risk,
    SegmentLine,
    Segments,
    Spotlight,
    Swarm,
    TierLine,
    Tiers,
    Trait,
    Weight,
    Why,
)  # fmt: skip
from tierlens.words import Text

REASONS = (
    Text(
        "86 days since the last purchase, usually every 21 days",
        "距上次购买 86 天，平时约 21 天一次",
    ),
    Text("spend of the last quarter 41 % below the one before", "最近一季度金额比上一季度低 41%"),
    Text("3 orders in the window", "窗口内 3 个订单"),
)
CODES = ("R-RECENCY", "R-TREND", "R-FREQUENCY")


def make_why(seed: int = 0) -> Why:
    chance = np.random.default_rng(seed)
    names = (
        (Text("days since the last purchase", "距上次购买天数"), "value"),
        (Text("pause against the usual rhythm", "当前停购与平时节奏之比"), "stability"),
        (Text("months with a purchase", "有购买的月数"), "value"),
        (Text("orders in the window", "窗口内订单数"), "value"),
        (Text("share of spend in the last quarter", "最近一季度金额占比"), "potential"),
        (Text("spread of the days between purchases", "购买间隔离散度"), "stability"),
        (Text("products bought", "购买产品数"), "potential"),
    )
    shares = np.sort(chance.dirichlet(np.ones(len(names)) * 2))[::-1]
    features = tuple(Weight(name, key, float(share)) for (name, key), share in zip(names, shares, strict=True))
    sums = {
        key: sum(part.share for part in features if part.dimension == key)
        for key in ("value", "stability", "potential")
    }
    titles = {
        "value": Text("value", "价值"),
        "stability": Text("stability", "稳定性"),
        "potential": Text("potential", "潜力"),
    }
    dimensions = tuple(
        Weight(titles[key], key, share) for key, share in sorted(sums.items(), key=lambda item: -item[1])
    )
    swarms = []
    for weight in features:
        values = chance.gamma(2.0, 30, 150)
        pushes = (values - values.mean()) / values.std() * weight.share * 2 + chance.normal(0, 0.05, 150)
        values[:10] = math.nan
        swarms.append(Swarm(weight.name, tuple(map(float, pushes)), tuple(map(float, values))))
    return Why(dimensions, features, tuple(swarms))


def make_risk(outcome: str = "churn", edge: Estimate | None = None) -> Risk:
    shares = tuple(round(0.05 * place, 2) for place in range(1, 21))
    curves = tuple(
        Curve(name, shares, tuple(1 + slope * (1 - share) ** 1.5 for share in shares))
        for name, slope in (
            (Text("tierlens", "tierlens"), 1.05),
            (Text("recency", "最近购买天数"), 0.7),
            (Text("logistic regression on log-RFM", "RFM 对数逻辑回归"), 0.95),
        )
    )
    bins = tuple(Bin(0.05 + place * 0.1, min(1, 0.02 + place * 0.098), 900 - 70 * place) for place in range(10))
    lines = (
        ModelLine(Text("tierlens", "tierlens"), True, Estimate(0.797, 0.789, 0.805), Estimate(0.74, 0.73, 0.75),
                  Estimate(1.72, 1.68, 1.76), Estimate(0.171, 0.168, 0.174), Estimate(0.052, 0.047, 0.058)),
        ModelLine(Text("recency", "最近购买天数"), False, Estimate(0.741, 0.733, 0.749), Estimate(0.66, 0.65, 0.67),
                  Estimate(1.5, 1.45, 1.55)),
        ModelLine(Text("logistic regression on log-RFM", "RFM 对数逻辑回归"), False, Estimate(0.786, 0.778, 0.793),
                  Estimate(0.72, 0.71, 0.73), Estimate(1.66, 1.61, 1.7), Estimate(0.18, 0.178, 0.183),
                  Estimate(0.08, 0.07, 0.09)),
    )  # fmt: skip
    title = Text("Churn", "流失") if outcome == "churn" else Text("Downgrade", "降级")
    population = Text(
        "Customers with a purchase in the last 365 days, at 6 monthly cutoffs from 2011-01-01 to 2011-06-01",
        "最近 365 天有购买的客户，2011-01-01 至 2011-06-01 共 6 个月度截止日",
    )
    return Risk(outcome, title, population, 21_714, 0.43, lines, lines[2].name,
                edge or Estimate(0.0117, 0.0086, 0.0146), curves, bins, make_why())  # fmt: skip


def make_findings(*, simulated: bool = False, project: str = "Online shop") -> Findings:
    quality = (
        QualityLine(Text("rows read", "读入行数"), 1_067_371, "in"),
        QualityLine(Text("used", "使用"), 779_495, "used"),
        QualityLine(Text("no customer", "无客户编号"), 235_289, "quarantined"),
        QualityLine(Text("not a product (postage, fees)", "非商品（邮费、手续费）"), 30_270, "quarantined"),
        QualityLine(Text("both sheets hold the row", "两表重叠"), 22_317, "deduplicated"),
        QualityLine(Text("of them cancellations", "其中取消单"), 18_390, "note"),
    )
    tiers = Tiers(
        Text("customer relationship rating", "客户关系评级体系"),
        (
            TierLine("A", Text("core", "核心客户"), 130, 0.03, (0.10, 0.15)),
            TierLine("B", Text("important", "重要客户"), 820, 0.19, (0.20, 0.25)),
            TierLine("C", Text("potential", "潜力客户"), 1460, 0.34, (0.30, 0.35)),
            TierLine("D", Text("basic", "基础客户"), 1890, 0.44, (0.20, 0.30)),
        ),
        12,
        0.62,
        (Text("profit contribution", "利润贡献率"), Text("renewal rate", "续约率")),
    )
    traits = (
        Trait("recency_days", Text("days since the last purchase", "距上次购买天数"), "days"),
        Trait("frequency", Text("orders in the window", "窗口内订单数"), "orders"),
        Trait("monetary", Text("net amount in the window", "窗口内净交易额"), "money"),
        Trait("return_share", Text("share returned", "退货占比"), "share"),
    )
    segments = Segments(
        traits,
        ("A", "B", "C", "D"),
        (
            SegmentLine(Text("frequent big buyers", "高频大额客户"), 420,
                        (12.0, 14.0, 512_300.0, 0.012), (118, 260, 40, 2)),
            SegmentLine(Text("steady, medium amounts", "稳定中等客户"), 1500,
                        (38.0, 5.0, 121_000.0, 0.0), (12, 480, 820, 188)),
            SegmentLine(Text("one order, long ago", "久未购买的一次性客户"), 2380,
                        (210.0, 1.0, 28_900.0, math.nan), (0, 80, 600, 1700)),
        ),
        Estimate(0.31, 0.28, 0.34),
        Estimate(0.27, 0.25, 0.29),
        Text("segments and tiers agree better than chance (permutation test, p = 0.001)",
             "客群与等级的一致程度高于随机水平（置换检验，p = 0.001）"),
        Text("k from 2 to 8 with the highest silhouette", "k 取 2 到 8 中轮廓系数最高者"),
    )  # fmt: skip
    line = CustomerLine("13047", "B", 81.2, segments.lines[1].name, 0.82, 0.34, Text("high", "高"), REASONS[:2],
                        Text("High-level visit this month", "本月安排高层拜访"))  # fmt: skip
    other = CustomerLine(
        "<script>alert(1)</script>",
        "C",
        None,
        Text("none", "无"),
        None,
        None,
        Text("unknown", "未知"),
        (),
        Text("", ""),
    )
    notes = (
        Text(
            "No winter lies in the training cutoffs; winter risks run about 0.09 low.",
            "训练截止日不含冬季，冬季风险约偏低 0.09。",
        ),
    )
    spots = (Spotlight(Text("High risk, best scores first", "高风险客户，按评分排序"), (line, other)),)
    about = About(project, simulated, "GBP", 100, 15126, 365, 0, 90)
    return Findings(about, quality, tiers, segments, (make_risk(), make_risk("downgrade")), spots, notes)


def make_customers(count: int = 40, seed: int = 0) -> pa.Table:
    chance = np.random.default_rng(seed)
    told: dict[str, Any] = {name: pa.nulls(count, kind) for outcome in OUTCOMES
                            for name, kind in reason_columns(outcome).items()}  # fmt: skip
    for place, (code, reason) in enumerate(zip(CODES, REASONS, strict=True), start=1):
        one = {"code": code, "points": 30.0 / place, "en": reason.en, "zh": reason.zh}
        told |= {f"churn_raised_by_{place}_{end}": [value] * count for end, value in one.items()}
    table = pa.table({
        "customer_id": [f"{place:05d}" for place in chance.permutation(count)],
        "cutoff": pa.array([15126] * count, pa.int32()),
        "tier": chance.choice(list("ABCD"), count).tolist(),
        "score": chance.uniform(20, 100, count),
        "segment_en": ["steady, medium amounts"] * count,
        "segment_zh": ["稳定中等客户"] * count,
        "churn_risk": chance.uniform(0, 1, count),
        "downgrade_risk": pa.array([None if place % 4 == 0 else place / count for place in range(count)], pa.float64()),
        **told,
    })  # fmt: skip
    return with_next_steps(with_main_reason(table))
