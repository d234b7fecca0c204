"""Customers by hand who stand on a bound, or a hair beside it: a simulated shop has next to none of them.

Each is named after what it stands on. Everything else about such a customer is usual, so that only the bound speaks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

USUAL = 100_000
"""Minor units of a usual order."""
BOUNDS = (50_000, 100_000, 300_000, 500_000, 1_000_000, 3_000_000, 5_000_000)
"""Annual amounts that some document names, in yuan."""
HEADS = (500, 1000)
AGES = (1, 14, 30, 31, 61, 90, 91, 92, 121, 122, 152, 180, 182, 183, 270, 364, 365, 366, 547, 729, 730, 731)
"""Ages in days; each is taken with the day after it."""
BEFORE = 1_000_00
"""Minor units of the period that another is held against."""
SHARES = (70, 80, 100, 120)
"""Per cent of it that some document names."""
STARS, PLAIN = 9, 80
NPS = (50, 30, 0, -30)
WORDS = {
    "credit_rating": ("AAA", "AA", "A", "BBB", "BB", "B", "CCC", "CC", "C", "D"),
    "financial_position": ("excellent", "good", "fair", "poor", "bad"),
    "industry_outlook": ("excellent", "good", "fair", "poor", "bad"),
    "new_business_likelihood": ("high", "middle", "low"),
    "dependence": ("exclusive", "primary", "one_of_several", "occasional", "trial"),
    "demand_kind": ("product", "service", "custom", "产品升级"),
}

NUMBERS = ("profit_contribution", "industry_growth", "business_growth", "expansion_2y")
"""Ratings that are shares; the fit with new demand is 1 to 10."""


class Edges:
    """Rows of the eight tables, written one by one.

    Parameters
    ----------
    cutoff : int
        Days since 1970-01-01.
    """

    def __init__(self, cutoff: int) -> None:
        self.cutoff = cutoff
        self.rows: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def add(self, table: str, customer: str, age: int, late: int = 0, **columns: Any) -> None:
        """Write a row that is so many days old and was recorded so many days later."""
        day = self.cutoff - age
        self.rows[table].append({"customer_id": customer, "day": day, "known_day": day + late, **columns})

    def buy(self, customer: str, age: int, amount: int, late: int = 0, order: str = "") -> None:
        """Write a line of an order, or of a return where the amount is below zero."""
        kind = "purchase" if amount >= 0 else "return"
        number = order or f"{customer} {kind} {age}"
        self.add("transactions", customer, age, late, order_id=number, amount=amount, kind=kind, product_id="P1")

    def usual(self, customer: str) -> str:
        """Write the orders of a usual customer; return its name."""
        self.buy(customer, 40, USUAL)
        self.buy(customer, 500, USUAL)
        return customer


def edges(cutoff: int) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the eight tables."""
    made = Edges(cutoff)
    for write in (
        _amounts,
        _ages,
        _growth,
        _quarters,
        _declines,
        _half_years,
        _heads,
        _late,
        _served,
        _paid,
        _words,
        _numbers,
        _answers,
        _stars,
    ):
        write(made)
    return made.rows


def _beside(values: Iterable[int]) -> Sequence[int]:
    return sorted({value + step for value in values for step in (-1, 0, 1)})


def _amounts(made: Edges) -> None:
    """Annual amounts on the bounds, and 5 % away from them."""
    for minor in _beside(bound * share for bound in BOUNDS for share in (95, 100, 105)):
        made.buy(f"amount {minor}", 10, minor)
        made.buy(f"amount {minor}", 500, USUAL)
    for name, sums in {"goods back": (USUAL, -USUAL), "more back": (USUAL, -2 * USUAL), "only back": (-USUAL,)}.items():
        for place, amount in enumerate(sums):
            made.buy(f"{name}", 20 - place, amount)
        made.buy(f"{name}", 400, USUAL)


def _ages(made: Edges) -> None:
    """One purchase of an age; the same as the first of two; the same as the last of two."""
    for age in sorted({*AGES, *(age + 1 for age in AGES)}):
        made.buy(f"only {age}", age, USUAL)
        made.buy(f"first {age}", age, USUAL)
        made.buy(f"first {age}", 1, USUAL)
        made.buy(f"last {age}", age, USUAL)
        made.buy(f"last {age}", 900, USUAL)


def _growth(made: Edges) -> None:
    """A year held against the year before, for a customer of one to two years and for one of more."""
    for amount in _beside(share * BEFORE // 100 for share in SHARES):
        for first in (729, 730, 900):
            customer = f"growth {amount} {first}"
            made.buy(customer, 200, amount)
            made.buy(customer, 400, BEFORE - 1)
            made.buy(customer, first, 1)
        made.buy(f"young growth {amount}", 200, amount)
        made.buy(f"young growth {amount}", 400, BEFORE)


def _quarters(made: Edges) -> None:
    """Three quarters one after the other: falling, level, and down by 30 %."""
    for last in _beside(share * BEFORE // 100 for share in SHARES):
        for step in (-1, 0, 1):
            customer = f"quarters {last} {step}"
            made.buy(customer, 45, last)
            made.buy(customer, 135, BEFORE)
            made.buy(customer, 225, BEFORE + step)
            made.buy(customer, 600, 10 * BEFORE)


def _declines(made: Edges) -> None:
    """Falling quarters, and a year that is down by about 30 %."""
    for last in (-1, 0, 1):
        customer = f"down by 30 % and {last}"
        for age, amount in ((45, 10 * USUAL), (135, 20 * USUAL), (225, 40 * USUAL + last), (400, 100 * USUAL)):
            made.buy(customer, age, amount)


def _half_years(made: Edges) -> None:
    """Half-years held against the same half a year before; quarters of who is known for less than a year."""
    for step in (-1, 0, 1):
        for age, amount in ((100, 10 * USUAL + step), (465, 10 * USUAL), (600, 90 * USUAL)):
            made.buy(f"half-year {step}", age, amount)
        for first in (182, 183, 364, 365):
            for age, amount in ((45, 120 * BEFORE // 100 + step), (135, BEFORE), (first, 1)):
                made.buy(f"young quarters {step} {first}", age, amount)
    for age in (366, 547, 548, 730, 731):
        made.buy(f"nothing in the year, before that at {age}", age, USUAL)
        made.buy(f"nothing in the year, before that at {age}", 900, 1)


def _heads(made: Edges) -> None:
    """Head counts on the bounds and 5 % away; a count that is two years old to the day."""
    for heads in _beside(bound * share // 100 for bound in HEADS for share in (95, 100, 105)):
        made.add("customers", made.usual(f"heads {heads}"), 600, employees=heads, industry_section="C")
    for age in (729, 730, 731):
        customer = made.usual(f"heads of {age} days ago")
        made.add("customers", customer, 1000, employees=100)
        made.add("customers", customer, age, employees=150)
    for section in "ACGIJS":
        row: dict[str, Any] = {"industry_section": section, "industry": f"行业{section}", "company_size": "中型"}
        made.add("customers", made.usual(f"section {section}"), 600, **row)


def _late(made: Edges) -> None:
    """Rows that were recorded on the eve of the cutoff, on it, and after it; rows of that day."""
    for late in (4, 5, 8):
        customer = made.usual(f"recorded {late} days late")
        made.buy(customer, 5, 500 * USUAL, late)
        made.buy(customer, 6, USUAL, 0, "of two lines")
        made.buy(customer, 6, 200 * USUAL, late + 1, "of two lines")
        made.add("tickets", customer, 5, late, kind="complaint", severity="major", rated_day=made.cutoff - 1)
        made.add("ratings", customer, 5, late, name="credit_rating", value="AAA")
        made.add("ratings", customer, 5, 0, name="credit_rating", value="B")
        made.add("customers", customer, 5, late, employees=2000)
        made.add("surveys", customer, 5, late, nps=-100.0)
    for age in (0, -1):
        made.buy(made.usual(f"bought at {age}"), age, 500 * USUAL)
    customer = made.usual("one number on two days")
    for age in (50, 51):
        made.buy(customer, age, USUAL, 0, "one number")


def _served(made: Edges) -> None:
    """Tickets, contracts and contacts at the ends of their windows."""
    for kind, age in (("complaint", 90), ("complaint", 365), ("enquiry", 365), ("custom", 182)):
        for day in (age, age + 1):
            row: dict[str, Any] = {
                "kind": kind,
                "severity": "major",
                "satisfaction": 4.0,
                "rated_day": made.cutoff - day,
            }
            made.add("tickets", made.usual(f"{kind} of {day}"), day, **row)
    for day in (1, 0, -1):
        row = {"kind": "enquiry", "satisfaction": 1.0, "rated_day": made.cutoff - day}
        made.add("tickets", made.usual(f"judged at {day}"), 30, **row)
    for end, known in ((1, 1), (1, 0), (730, 730), (731, 731)):
        row = {"renewed": True, "fulfilled": 0.5}
        customer = made.usual(f"contract {end} {known}")
        made.add("contracts", customer, 900, end_day=made.cutoff - end, outcome_day=made.cutoff - known, **row)
        lost: dict[str, Any] = {
            "end_day": made.cutoff - 100,
            "outcome_day": made.cutoff - 100,
            "renewed": False,
            "fulfilled": 1.0,
        }
        made.add("contracts", customer, 800, **lost)
    for times in (0, 1, 5, 6, 11, 12, 17, 18):
        customer = made.usual(f"{times} contacts")
        for day in [*[182] * times, 183]:
            made.add("interactions", customer, day, kind="call")


def _paid(made: Edges) -> None:
    """Invoices paid on the day, a day late, in part, not at all; and due at the ends of the year."""
    for due in (1, 100, 365, 366):
        for paid in (due, due - 1, None):
            for amount in (USUAL, USUAL - 1):
                customer = made.usual(f"due {due} paid {paid} of {amount}")
                day = None if paid is None else made.cutoff - paid
                row: dict[str, Any] = {"paid_day": day, "paid_amount": None if paid is None else amount}
                made.add("payments", customer, due, amount=USUAL, **row)
                made.add("payments", customer, 50, amount=USUAL, paid_day=made.cutoff - 50, paid_amount=USUAL)


def _words(made: Edges) -> None:
    """Each word of each rating; ratings at the end of their time."""
    for name, words in WORDS.items():
        for word in words:
            made.add("ratings", made.usual(f"{name} {word}"), 100, name=name, value=word)
        for age in (730, 731):
            made.add("ratings", made.usual(f"{name} of {age}"), age, name=name, value=words[0])


def _numbers(made: Edges) -> None:
    """Ratings that are numbers, below zero too."""
    for name in NUMBERS:
        for value in ("-0.05", "0", "0.000015", "0.1", "0.3"):
            made.add("ratings", made.usual(f"{name} {value}"), 100, name=name, value=value)
    for fit in range(1, 11):
        made.add("ratings", made.usual(f"fit {fit}"), 100, name="new_demand_fit", value=str(fit))


def _stars(made: Edges) -> None:
    """The best in all that a rating compares, each a little less in one part than the one before; many plain ones."""
    ended = made.cutoff - 60
    for place in range(STARS):
        customer = f"star {place}"
        made.buy(customer, 1500, USUAL)
        made.buy(customer, 30, 10_000 * USUAL)
        made.add("contracts", customer, 700, end_day=ended, outcome_day=ended, renewed=True, fulfilled=1.0)
        for age in range(1, 31):
            row: dict[str, Any] = {"satisfaction": 5.0, "rated_day": made.cutoff - age}
            made.add("tickets", customer, age, kind="enquiry", **row)
            made.add("tickets", customer, age, kind="custom", **row)
        for name in NUMBERS:
            made.add("ratings", customer, 100, name=name, value=f"{3 - place / 5:.1f}")
        made.add("ratings", customer, 100, name="new_demand_fit", value="10")
    for place in range(PLAIN):
        customer = made.usual(f"plain {place}")
        made.add("contracts", customer, 700, end_day=ended, outcome_day=ended, renewed=False, fulfilled=0.5)
        for age in range(100, 105):
            made.add("tickets", customer, age, kind="complaint", severity="minor", rated_day=made.cutoff - age)
        for name in NUMBERS:
            made.add("ratings", customer, 100, name=name, value="0")
        made.add("ratings", customer, 100, name="new_demand_fit", value="1")


def _answers(made: Edges) -> None:
    """NPS on its bounds; answers at the end of their time; the ends of the other scales."""
    for nps in _beside(NPS):
        made.add("surveys", made.usual(f"nps {nps}"), 100, nps=float(nps))
    for age in (365, 366):
        made.add("surveys", made.usual(f"answer of {age}"), age, nps=50.0, recommend=10.0, regard=5.0)
    for recommend, regard in ((0, 1), (5, 3), (10, 5)):
        customer = made.usual(f"answers {recommend} {regard}")
        made.add("surveys", customer, 100, recommend=float(recommend), regard=float(regard))
        made.add("surveys", customer, 30, nps=0.0)
