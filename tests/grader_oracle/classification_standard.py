"""Classification standard for customer information (客户信息管理分类标准)."""

from __future__ import annotations

from fractions import Fraction

from tests.grader_oracle.days import HALF_YEAR, MONTH, YEAR
from tests.grader_oracle.people import Customer, People, Verdict, Verdicts, each, tag, those
from tests.grader_oracle.points import first_that_holds, near

STRATEGIC_FROM, KEY_FROM = 5_000_000, 1_000_000
"""Amount of a year; ordinary is all below. Ranges that touch are half-open."""
STRATEGIC_EMPLOYEES, KEY_EMPLOYEES = 1000, 500
"""The upper figure of key is cut off in the document: 500 to 999 is the reading."""
NEW_UP_TO = 6 * MONTH
GROWTH_BELOW = MATURE_FROM = 24 * MONTH
DECLINING_FROM = 12 * MONTH
GROWS_BY = Fraction(20, 100)
FALLS_BY = Fraction(30, 100)

# Readings where the document is silent: the notes of the scheme.
QUARTERS_BELOW = 12 * MONTH
"""Before this cooperation has no year to be held against: quarters are held against each other."""
BORDERLINE = Fraction(5, 100)

SCALES = {"strategic": "战略客户", "key": "重点客户", "ordinary": "普通客户"}
STAGES = {"declining": "衰退", "new": "新客户", "growth": "成长", "mature": "成熟", "unclassified": "未归类"}
SECTIONS = {"C": "manufacturing", "J": "finance", "G": "logistics", "I": "it", "S": "public"}
"""Sections of GB/T 4754; the rest is other."""
INDUSTRIES = {
    "manufacturing": "制造业", "finance": "金融", "logistics": "物流", "it": "IT", "public": "公共部门", "other": "其他"
}  # fmt: skip


def graded(people: People) -> Verdicts:
    """Return tier, labels, tags and flag of each customer; nothing is scored."""
    return each(people, _verdict)


def _verdict(customer: Customer) -> Verdict:
    amount, heads = customer.bought.annual, customer.judged.employees
    scale, stage, industry = _scale(amount, heads), _stage(customer), _industry(customer.judged.section)
    close = near(amount, (STRATEGIC_FROM, KEY_FROM), BORDERLINE)
    close = close or near(heads, (STRATEGIC_EMPLOYEES, KEY_EMPLOYEES), BORDERLINE)
    tags = tag("行业", None if industry is None else INDUSTRIES[industry])
    tags += tag("规模", SCALES[scale]) + tag("生命周期", STAGES[stage]) + tag("需求", customer.judged.demand_kind)
    labels = {"scale": scale, "lifecycle": stage, "industry": industry}
    return Verdict(scale, labels=labels, tags=tags, flags=those({"borderline": close}))


def _scale(amount: Fraction, heads: int | None) -> str:
    """The larger of amount and employees counts."""
    if amount >= STRATEGIC_FROM or (heads is not None and heads >= STRATEGIC_EMPLOYEES):
        return "strategic"
    return "key" if amount >= KEY_FROM or (heads is not None and heads >= KEY_EMPLOYEES) else "ordinary"


def _stage(customer: Customer) -> str:
    """Declining, new, growth, mature, in this order; what fits none is unclassified."""
    tenure = customer.bought.tenure
    if tenure is None:
        return "unclassified"
    rules = [
        ("declining", tenure >= DECLINING_FROM and _declines(customer)),
        ("new", tenure <= NEW_UP_TO),
        ("growth", tenure < GROWTH_BELOW and _grows(customer)),
        ("mature", tenure >= MATURE_FROM and _is_steady(customer)),
    ]
    return str(first_that_holds(rules, "unclassified"))


def _years(customer: Customer) -> tuple[Fraction, Fraction]:
    """Purchases of the last year, and of the one before it."""
    return customer.bought.spent(YEAR), customer.bought.year_before


def _declines(customer: Customer) -> bool:
    """The year is 30 % or more below the year before, and it goes on falling.

    It does where each of the last two quarters is below the one before, where the last half-year is below the same
    half of the year before, and where there was no purchase in the whole year.
    """
    year, year_before = _years(customer)
    if not (year_before > 0 and year <= (1 - FALLS_BY) * year_before):
        return False
    last, before, first = customer.bought.quarters
    half, half_a_year_ago = customer.bought.spent(HALF_YEAR), customer.bought.spent(HALF_YEAR, YEAR)
    return last < before < first or half < half_a_year_ago or year == 0


def _grows(customer: Customer) -> bool:
    """Growth needs an amount to grow from: the year before, or, for who is known for less than a year, a quarter."""
    year, year_before = _years(customer)
    if _is_more(year, year_before):
        return True
    tenure = customer.bought.tenure
    last, before, _ = customer.bought.quarters
    return tenure is not None and tenure < QUARTERS_BELOW and _is_more(last, before)


def _is_more(now: Fraction, before: Fraction) -> bool:
    return before > 0 and now >= (1 + GROWS_BY) * before


def _is_steady(customer: Customer) -> bool:
    """Steady is what the document does not call a decline; who grows is steady too, as growth ends at 24 months."""
    year, year_before = _years(customer)
    return year_before > 0 and year > (1 - FALLS_BY) * year_before


def _industry(section: str | None) -> str | None:
    return None if section is None else SECTIONS.get(section, "other")
