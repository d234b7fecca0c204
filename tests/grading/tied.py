"""Random customers whose values agree with one another, within their bounds."""

from __future__ import annotations

import random
from typing import Any

import pyarrow as pa

from tests.grading.conftest import bounds_of
from tierlens.grading.scheme.scheme import Scheme
from tierlens.sources.declared.contracts import JUDGED

INDUSTRIES = ("C", "J", "G", "S")


def tied_customers(scheme: Scheme, number: int, seed: int = 0, cutoff: int = 20000) -> pa.Table:
    """Customers with a purchase in the last year: amounts, quotients and counts of each agree."""
    rows = [_customer(random.Random(seed * 100_003 + place), scheme) for place in range(number)]
    keys = {
        "customer_id": [f"C{place:06d}" for place in range(number)],
        "cutoff": pa.array([cutoff] * number, pa.int32()),
    }
    columns = {name: pa.array([row[name] for row in rows]) for name in rows[0]}
    return pa.table(
        {**keys, **{n: c.cast(pa.float64()) if pa.types.is_null(c.type) else c for n, c in columns.items()}}
    )


def _customer(draw: random.Random, scheme: Scheme) -> dict[str, Any]:
    frequency = 1 + int(draw.lognormvariate(1.5, 1))
    bounds = [int(bound * 100) for bound in bounds_of(scheme, "monetary")] or [50_000_000]
    near = draw.choice(bounds) + draw.choice([-1, 0, 1, 5_000])
    spend = max(near if draw.random() < 0.3 else int(draw.choice(bounds) * draw.lognormvariate(-0.3, 1)), frequency)
    recency, tenure = draw.randint(1, 365), draw.randint(366, 3000)
    cuts = sorted(draw.randint(0, spend) for _ in range(3))
    quarters = [cuts[0], cuts[1] - cuts[0], cuts[2] - cuts[1], spend - cuts[2]]
    for place, end in enumerate((90, 180, 270)):
        if recency > end:
            quarters[place + 1 if place < 3 else 3] += quarters[place]
            quarters[place] = 0
    half = sum(quarters[:2])
    row = {
        "spend": spend, "monetary": spend - draw.choice([0, 0, spend // 10]), "frequency": frequency,
        "average_order_value": spend / frequency, "recency_days": recency, "tenure_days": tenure,
        "amount_90": quarters[0], "amount_prev_90": quarters[1], "amount_before_prev_90": quarters[2],
        "amount_half": half, "amount_half_last_year": draw.randint(0, 2 * spend), "spend_year": spend,
        "spend_prev_year": draw.randint(0, 2 * spend), "orders_180": 0 if recency > 180 else draw.randint(1, frequency),
        "idle_months_6": 6 if recency > 183 else draw.randint(0 if recency <= 31 else 1, 5),
        "purchase_days": draw.randint(1, frequency), "employees": draw.randint(1, 2000),
    }  # fmt: skip
    days, before = row["purchase_days"], row["amount_half_last_year"]
    row["repeat_rate"] = (days - 1) / days
    row["growth_yoy"] = half / before - 1.0 if tenure >= 547 and before else None
    return row | _products(draw) | _service(draw) | _judged(draw)


def _products(draw: random.Random) -> dict[str, Any]:
    products = draw.randint(1, 20)
    recent = draw.randint(0, products)
    new, again = draw.randint(0, recent), draw.randint(0, products)
    return {"products": products, "products_90": recent, "new_products": new, "repeat_products": again,
            "repeat_share": again / products, "new_product_share": new / recent if recent else None}  # fmt: skip


def _service(draw: random.Random) -> dict[str, Any]:
    contacts, judged, ended = draw.randint(0, 20), draw.randint(0, 6), draw.randint(0, 4)
    points, renewed = sum(draw.randint(1, 5) for _ in range(judged)), draw.randint(0, ended)
    fulfilled = sum(draw.randint(0, 4) / 4 for _ in range(ended))
    return {
        "interactions_6m": contacts, "interactions_per_month": contacts / 6.0, "complaints_12m": draw.randint(0, 5),
        "major_complaints_90": 0, "tickets_judged_12m": judged, "satisfaction_points_12m": float(points),
        "service_satisfaction": points / judged if judged else None, "contracts_running": draw.randint(0, 3),
        "contracts_decided_2y": ended, "contracts_renewed_2y": renewed, "contracts_judged_2y": ended,
        "fulfilment_sum_2y": fulfilled, "renewal_rate": renewed / ended if ended else None,
        "contract_fulfilment": fulfilled / ended if ended else None, "enquiries_per_month": draw.randint(0, 24) / 12.0,
        "custom_requests_6m": draw.randint(0, 5),
    }  # fmt: skip


def _judged(draw: random.Random) -> dict[str, Any]:
    def maybe(value: Any) -> Any:
        return None if draw.random() < 0.2 else value

    words = {name: maybe(draw.choice(list(JUDGED[name]))) for name in JUDGED}
    return words | {
        "nps": maybe(float(draw.randint(-10, 10) * 10)), "recommend_score": maybe(float(draw.randint(0, 10))),
        "brand_regard": maybe(float(draw.randint(1, 5))), "profit_contribution": maybe(draw.random() * 0.1),
        "industry_growth": maybe(draw.uniform(-0.1, 0.3)), "expansion_2y": maybe(draw.uniform(-0.3, 0.5)),
        "business_growth": maybe(draw.uniform(-0.3, 0.5)), "new_demand_fit": maybe(float(draw.randint(1, 10))),
        "on_time_share": maybe(draw.random()), "industry_section": draw.choice(INDUSTRIES),
    }  # fmt: skip
