"""Every transaction feature beside a slow, obvious loop over one customer's rows."""

from __future__ import annotations

import math
import statistics
from typing import Any

import pytest

from tests.crowd import crowd
from tests.tables_of import Row, tables_of
from tierlens.features.catalog import CATALOG, PAST
from tierlens.features.snapshot import build_snapshots, to_arrow

CUTOFF = 900


class Customer:
    """One customer's rows, asked in the plainest way."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = [row for row in rows if row["day"] < CUTOFF]
        self.bought = [row for row in self.rows if row["kind"] == "purchase"]
        self.days = sorted({row["day"] for row in self.bought})

    def between(self, days: int, ago: int = 0) -> list[Row]:
        return [row for row in self.bought if CUTOFF - ago - days <= row["day"] < CUTOFF - ago]

    def spent(self, days: int, ago: int = 0) -> int:
        return sum(row["amount"] for row in self.between(days, ago))

    def orders(self, days: int) -> int:
        return len({(row["order_id"], row["day"]) for row in self.between(days)})

    def per_order(self, days: int, ago: int = 0) -> list[Row]:
        """Orders as one row each, oldest first, the smaller one first on a day."""
        orders: dict[tuple[int, str], Row] = {}
        for row in self.between(days, ago):
            order = orders.setdefault((row["day"], row["order_id"]), {"day": row["day"], "spend": 0, "lines": 0})
            order["spend"] += row["amount"]
            order["lines"] += 1
        return sorted(orders.values(), key=lambda order: (order["day"], order["spend"], order["lines"]))

    def decayed(self, half_life: int, column: str, scale: int) -> float:
        weight = {o["day"]: round(math.exp((CUTOFF - o["day"]) * (-math.log(2) / half_life)) * scale)
                  for o in self.per_order(CUTOFF)}  # fmt: skip
        return sum((o["spend"] if column == "spend" else 1) * weight[o["day"]] for o in self.per_order(CUTOFF)) / scale

    def return_orders(self) -> int:
        back = {(row["order_id"], row["day"]) for row in self.rows if row["kind"] == "return"}
        return len([day for _, day in back if day >= CUTOFF - 365])

    def returned(self) -> int:
        back = [row for row in self.rows if row["kind"] == "return" and row["day"] >= CUTOFF - 365]
        return -sum(row["amount"] for row in back)

    def intervals(self) -> list[int]:
        pairs = zip(self.days, self.days[1:], strict=False)
        return [later - earlier for earlier, later in pairs if later >= CUTOFF - 365]

    def twelfths(self, days: int, first: int = 12) -> int:
        numbers = {(CUTOFF - 1 - row["day"]) * 12 // 365 for row in self.between(days)}
        return len([number for number in numbers if number < first])

    def products(self, days: int) -> set[str]:
        return {row["product_id"] for row in self.between(days) if row["product_id"]}

    def product_days(self, product: str) -> list[int]:
        return sorted({row["day"] for row in self.bought if row["product_id"] == product})


def over(a: float, b: float) -> float | None:
    return a / b if b > 0 else None


def expected(c: Customer) -> dict[str, Any]:
    gaps = c.intervals()
    mean = statistics.fmean(gaps) if gaps else None
    spread = statistics.stdev(gaps) if len(gaps) > 1 else None
    recency, tenure = CUTOFF - c.days[-1], CUTOFF - c.days[0]
    year = [sum(r["amount"] for r in c.between(365) if (CUTOFF - 1 - r["day"]) * 12 // 365 == k) for k in range(12)]
    slope = sum((5.5 - k) * amount for k, amount in enumerate(year)) / 143
    listed = [row for row in c.bought if row["product_id"]]
    first_listed = min((row["day"] for row in listed), default=CUTOFF)
    fresh = [p for p in c.products(90) if c.product_days(p)[0] >= CUTOFF - 90 and CUTOFF - first_listed > 90]
    again = [p for p in c.products(365) if len(c.product_days(p)) > 1]
    half, half_before = c.spent(182), c.spent(182, 365)
    quarter, quarter_before = c.spent(90), c.spent(90, 365)
    return {
        "recency_days": recency, "frequency": c.orders(365), "spend": c.spent(365), "returned": c.returned(),
        "monetary": c.spent(365) - c.returned(), "average_order_value": over(c.spent(365), c.orders(365)),
        "tenure_days": tenure, "active_months": c.twelfths(365), "orders_30": c.orders(30), "orders_90": c.orders(90),
        "orders_180": c.orders(180), "gaps": len(gaps), "gap_days": sum(gaps), "gap_squares": sum(g * g for g in gaps),
        "interval_mean_days": mean, "interval_spread_days": spread,
        "regularity": mean / (mean + spread) if spread is not None and mean else None,
        "longest_gap_days": max(gaps, default=None), "overdue_ratio": over(recency, mean or 0),
        "idle_months_6": 6 - c.twelfths(183, 6), "return_share": over(c.returned(), c.spent(365)),
        "amount_90": quarter, "amount_prev_90": c.spent(90, 90),
        "recent_share": over(quarter, quarter + c.spent(90, 90)), "spend_year": c.spent(365),
        "trend_12": over(slope * 12, c.spent(365)), "amount_half": half, "amount_half_last_year": half_before,
        "growth_yoy": half / half_before - 1 if tenure >= 547 and half_before else None,
        "amount_90_last_year": quarter_before,
        "season_growth": quarter / quarter_before - 1 if tenure >= 455 and quarter_before else None,
        "products": len(c.products(365)), "products_90": len(c.products(90)), "new_products": len(fresh),
        "new_product_share": over(len(fresh), len(c.products(90))), "repeat_products": len(again),
        "repeat_share": over(len(again), len(c.products(365))),
    }  # fmt: skip


def rhythm(c: Customer) -> dict[str, Any]:
    tenure, recency = CUTOFF - c.days[0], CUTOFF - c.days[-1]
    seen, gaps = min(tenure, 365), [b - a for a, b in zip(c.days, c.days[1:], strict=False)]
    inside = c.intervals()
    last = gaps[-1] if gaps else None
    found: dict[str, Any] = {f"orders_{days}": c.orders(days) for days in (14, 60, 270)}
    found |= {f"amount_{days}": c.spent(days) for days in (30, 180, 270)}
    found |= {f"orders_decay_{h}": c.decayed(h, "buys", 1 << 20) for h in (15, 30, 60, 120, 240)}
    found |= {f"spend_decay_{h}": c.decayed(h, "spend", 1 << 13) for h in (30, 60, 120, 240)}
    for h in (30, 60, 120, 240):
        found[f"decay_rate_{h}"] = found[f"orders_decay_{h}"] * math.log(2) / h / (1 - 2 ** (-tenure / h))
    return found | {
        "orders_prev_90": len(c.per_order(90, 90)), "orders_ahead_last_year": len(c.per_order(90, 275)),
        "purchase_days": len([day for day in c.days if day >= CUTOFF - 365]), "repeat_days": len(c.days) - 1,
        "decay_ratio_30_120": over(found["orders_decay_30"], found["orders_decay_120"]),
        "decay_ratio_60_240": over(found["orders_decay_60"], found["orders_decay_240"]),
        "order_rate": c.orders(365) / seen, "spend_rate": c.spent(365) / seen,
        "active_months_3": c.twelfths(92, 3), "active_months_6": c.twelfths(183, 6),
        "active_month_share": c.twelfths(365) / math.ceil(seen * 12 / 365), "interval_last_days": last,
        "interval_shortest_days": min(gaps, default=None),
        "interval_last_ratio": over(last or 0, statistics.fmean(inside)) if inside else None,
        "overdue_last": over(recency, last or 0), "overdue_longest": over(recency, max(inside, default=0)),
    }  # fmt: skip


def basket(c: Customer) -> dict[str, Any]:
    year, ever = c.per_order(365), c.per_order(CUTOFF)
    lines, orders, products = sum(o["lines"] for o in year), len(year), len(c.products(365))
    pieces = sum(row["quantity"] for row in c.between(365))
    largest = max((o["spend"] for o in year), default=None)
    average = over(c.spent(365), orders)
    return {
        "lines": lines, "pieces": pieces, "price_level": over(c.spent(365), pieces), "largest_order": largest,
        "lines_per_order": over(lines, orders), "products_per_order": over(products, orders),
        "products_per_line": over(products, lines), "pieces_per_line": over(pieces, lines),
        "last_order_spend": ever[-1]["spend"], "last_order_lines": ever[-1]["lines"],
        "first_order_spend": ever[0]["spend"], "last_order_ratio": over(ever[-1]["spend"], average or 0),
        "largest_order_ratio": over(largest or 0, average or 0), "return_orders": c.return_orders(),
        "return_rate": over(c.return_orders(), orders),
    }  # fmt: skip


def past(c: Customer) -> dict[str, Any]:
    gaps, days = c.intervals(), len([day for day in c.days if day >= CUTOFF - 365])
    net = c.spent(365) - c.returned()
    back = [row for row in c.rows if row["kind"] == "return" and CUTOFF - 365 <= row["day"] < CUTOFF - 275]
    leaves = c.spent(90, 275) + sum(row["amount"] for row in back)
    rate = c.spent(365) / min(CUTOFF - c.days[0], 365)
    mean = statistics.fmean(gaps) if gaps else 0
    found: dict[str, Any] = {
        "spend_prev_year": c.spent(365, 365), "amount_before_prev_90": c.spent(90, 180), "roll_off_amount": leaves,
        "roll_off_share": over(leaves, net), "spend_needed": max(leaves, 0),
        "needed_pace": over(max(leaves, 0), rate * 90), "spend_ever": c.spent(CUTOFF),
        "repeat_rate": over(days - 1, days),
        "interval_variation": over(statistics.stdev(gaps), mean) if len(gaps) > 1 else None,
    }  # fmt: skip
    for most in (30, 90):
        found[f"gaps_to_{most}"] = len([gap for gap in gaps if gap <= most])
        found[f"interval_share_{most}"] = over(found[f"gaps_to_{most}"], len(gaps))
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_every_feature_equals_the_obvious_loop(seed: int) -> None:
    rows = crowd(seed, CUTOFF, customers=60, late=False)["transactions"]
    names = [*CATALOG, *PAST]
    table = to_arrow(build_snapshots(tables_of(rows), CUTOFF, everyone=True, features=names)).to_pylist()
    buyers = {row["customer_id"] for row in rows if row["kind"] == "purchase" and row["day"] < CUTOFF}
    assert len(buyers) > 30
    for found in table:
        if found["customer_id"] not in buyers:
            assert found["recency_days"] is None
            continue
        customer = Customer([row for row in rows if row["customer_id"] == found["customer_id"]])
        truth = expected(customer) | rhythm(customer) | basket(customer) | past(customer)
        for name, value in truth.items():
            same = found[name] == value or (value is not None and math.isclose(found[name], value, rel_tol=1e-9))
            assert same or found[name] == pytest.approx(value, abs=1e-9), (name, found[name], value)


def test_the_loop_covers_the_catalog() -> None:
    sample = Customer([{"kind": "purchase", "day": 1, "amount": 5, "product_id": None, "order_id": "o", "quantity": 1}])
    inner = {"trend_sum"}
    assert set(expected(sample)) | set(rhythm(sample)) | set(basket(sample)) | inner == set(CATALOG)
    assert set(past(sample)) == set(PAST)
