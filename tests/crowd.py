"""A crowd: rows of all eight tables for many customers at once, thick at the days on which windows begin and end.

One build of a crowd tries what a hundred builds of a handful of rows would.
"""

from __future__ import annotations

import random
from typing import Any

from tests.other_tables import Rows, row_of
from tests.tables_of import Row
from tierlens.sources.declared.contracts import ALWAYS, JUDGED, OTHERS, SCORED

EDGES = (0, 1, 2, 14, 15, 30, 60, 89, 90, 91, 92, 180, 181, 182, 183, 184, 270, 271, 275, 276, 364, 365, 366, 455, 456,
         545, 546, 547, 548, 729, 730, 731)  # fmt: skip
"""Days before a cutoff at which something begins or ends."""
WORDS = {name: tuple(words) for name, words in JUDGED.items()} | {"demand_kind": ("product", "service")}


class _Draw:
    def __init__(self, seed: int, cutoff: int, customers: int, late: bool) -> None:
        self.rng, self.cutoff, self.late = random.Random(seed), cutoff, late
        self.names = [f"{self.rng.randrange(16**4):04x}" for _ in range(customers)]

    def one(self, *values: Any) -> Any:
        return self.rng.choice(values)

    def day(self) -> int:
        edge = self.cutoff - self.rng.choice(EDGES)
        return self.one(
            edge, self.rng.randrange(0, self.cutoff + 300), self.rng.randrange(self.cutoff - 400, self.cutoff)
        )

    def known(self, day: int) -> int:
        return day + (self.one(0, 0, 0, 1, 40) if self.late else 0)

    def score(self) -> float | None:
        return self.one(None, *(number / 2 for number in range(2, 11)))

    def detail(self, name: str, day: int, known: int) -> Row:
        later = self.one(0, 3, 90, 400)
        if name == "contracts":
            end = self.one(day + self.rng.randrange(500), self.cutoff - self.one(0, 1, 730, 731))
            row = {"end_day": max(end, day), "value": 1000, "outcome_day": max(known, end + later)}
            row |= {"renewed": self.one(True, False, None), "fulfilled": self.one(None, 0.5, 0.25)}
            return row if self.rng.randrange(6) else row | {"end_day": None, "outcome_day": None}
        if name == "tickets":
            return {"kind": self.one("enquiry", "complaint", "custom", "other"), "satisfaction": self.score(),
                    "severity": self.one(None, "minor", "major"), "rated_day": known + later}  # fmt: skip
        if name == "payments":
            amount, paid = self.rng.randrange(900), self.one(None, -5, 0, 1, 40, 300)
            return {"amount": amount, "paid_day": None if paid is None else day + paid,
                    "paid_amount": None if paid is None else amount // self.one(1, 2)}  # fmt: skip
        if name == "surveys":
            return {column: self.score() for column in ("nps", "recommend", "satisfaction", "regard")}
        if name == "customers":
            return {"industry": self.one("a", "b", None), "industry_section": self.one("C", "J"),
                    "employees": self.one(None, 5, 50), "company_size": self.one("s", "m")}  # fmt: skip
        return self.rating() if name == "ratings" else {"kind": self.one("visit", "call", "mail", None)}

    def rating(self) -> Row:
        name = self.one(*WORDS, *SCORED)
        if name in WORDS:
            return {"name": name, "value": self.one(*WORDS[name], "unheard of")}
        score = self.rng.randrange(1, 9) / 8
        return {"name": name, "value": str(score), "score": score}

    def other(self, name: str, customer: str) -> Row:
        day = self.day()
        known = self.known(day)
        if name == "customers" and self.rng.randrange(2):
            day = known = ALWAYS
        return row_of(name, customer, day, known_day=known, **self.detail(name, day, known))

    def order(self, customer: str) -> list[Row]:
        """One order of one to three lines, now and then a return, now and then a line recorded late."""
        day, back = self.day(), self.rng.randrange(9) == 0
        number = f"{customer}-{day}-{'r' if back else self.rng.randrange(3)}"
        return [self.line(customer, number, day, back) for _ in range(self.one(1, 1, 2, 3))]

    def line(self, customer: str, number: str, day: int, back: bool) -> Row:
        amount = self.rng.randrange(1, 10_000_000)
        return {"customer_id": customer, "order_id": number, "day": day, "known_day": self.known(day),
                "amount": -amount if back else amount, "kind": "return" if back else "purchase",
                "product_id": self.one("P1", "P2", "P3", "P4", None),
                "quantity": self.one(None, 1.0, 2.5) if self.late else 1.0}  # fmt: skip


def crowd(seed: int, cutoff: int = 800, customers: int = 40, *, late: bool = True) -> Rows:
    """Draw rows of all tables; some customers have hardly any, some have none of a table.

    Days run from 0 to 300 days after the cutoff. Without ``late``, every row is recorded when it happens.
    """
    draw = _Draw(seed, cutoff, customers, late)
    rows: Rows = {name: [] for name in ("transactions", *OTHERS)}
    for customer in draw.names:
        for _ in range(draw.one(0, 1, 2, 5, 20, 60)):
            rows["transactions"] += draw.order(customer)
        for name in OTHERS:
            rows[name] += [draw.other(name, customer) for _ in range(draw.one(0, 1, 2, 8))]
    return rows
