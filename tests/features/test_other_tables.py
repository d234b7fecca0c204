"""Features of the tables beside transactions: a slow obvious loop, and the laws of a point in time."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest

from tests.crowd import WORDS, crowd
from tests.other_tables import Rows, row_of, sale, tables_with
from tests.tables_of import Row
from tierlens.errors import UsageError
from tierlens.features.audit import NEAR, column_difference
from tierlens.features.catalog import (
    CATALOG,
    DIMENSIONS,
    EVERY,
    EXPECTED,
    OTHERS,
    PAST,
    WHOLE,
    available_features,
    catalog_entry,
    lacking_tables,
)
from tierlens.features.snapshot import build_snapshots, to_arrow
from tierlens.grading.scheme.scheme import load_scheme
from tierlens.sources.declared.contracts import ALWAYS
from tierlens.sources.declared.contracts import OTHERS as TABLES

CUTOFF = 800
NAMES = list(OTHERS)
RATES = ("complaint_rate", "enquiry_rate", "visit_rate")
LATER = {"contracts": ("outcome_day", ("renewed", "fulfilled")), "tickets": ("rated_day", ("satisfaction",)),
         "payments": ("paid_day", ("paid_amount", "paid_day"))}  # fmt: skip


def built(rows: Rows, cutoffs: list[int] | int = CUTOFF, names: list[str] | None = None, **more: Any) -> pa.Table:
    engine = more.pop("engine", "polars")
    wanted = ["frequency", *(names or NAMES)]
    return to_arrow(build_snapshots(tables_with(rows, engine), cutoffs, features=wanted, everyone=True, **more))


def each(rows: Rows, change: Callable[[str, Row], Row | None]) -> Rows:
    """Change every row, or leave it out."""
    changed = {name: [change(name, row) for row in listed] for name, listed in rows.items()}
    return {name: [row for row in listed if row is not None] for name, listed in changed.items()}


def as_known(name: str, row: Row, cutoff: int = CUTOFF) -> Row | None:
    """A row as it was known at a cutoff."""
    if row["day"] >= cutoff or row["known_day"] >= cutoff:
        return None
    since, columns = LATER.get(name, ("day", ()))
    hidden = row[since] is None or row[since] >= cutoff
    return row | dict.fromkeys(columns, None) if hidden else row


# --- the obvious loop


def latest(rows: list[Row], column: str, age: int) -> Any:
    """The largest value among the rows of the latest day and recording, if they are not too old."""
    rows = [row for row in rows if row[column] is not None]
    top = max(((row["day"], row["known_day"]) for row in rows), default=None)
    best = [row[column] for row in rows if (row["day"], row["known_day"]) == top and CUTOFF - row["day"] <= age]
    return max(best, default=None)


def within(rows: list[Row], days: int, column: str = "day") -> list[Row]:
    return [row for row in rows if row[column] is not None and CUTOFF - days <= row[column] < CUTOFF]


def over(a: float, b: float) -> float | None:
    return a / b if b else None


def of_tickets(rows: list[Row]) -> dict[str, Any]:
    def count(kind: str, days: int) -> int:
        return len([row for row in within(rows, days) if row["kind"] == kind])

    judged = [row["satisfaction"] for row in within(rows, 365, "rated_day") if row["satisfaction"] is not None]
    complaints = [CUTOFF - row["day"] for row in rows if row["kind"] == "complaint"]
    major = [row for row in within(rows, 90) if row["kind"] == "complaint" and row["severity"] == "major"]
    return {
        "enquiries_12m": count("enquiry", 365), "enquiries_per_month": count("enquiry", 365) / 12,
        "custom_requests_6m": count("custom", 182), "complaints_12m": count("complaint", 365),
        "major_complaints_90": len(major), "days_since_complaint": min(complaints, default=None),
        "tickets_judged_12m": len(judged), "satisfaction_points_12m": sum(judged),
        "service_satisfaction": over(sum(judged), len(judged)),
    }  # fmt: skip


def of_contracts(rows: list[Row], contacts: list[Row]) -> dict[str, Any]:
    ended = within(rows, 730, "end_day")
    decided = [row["renewed"] for row in ended if row["renewed"] is not None]
    fulfilled = [row["fulfilled"] for row in ended if row["fulfilled"] is not None]
    running = [row for row in rows if row["end_day"] is None or row["end_day"] >= CUTOFF]
    recent = within(contacts, 182)
    return {
        "contracts_decided_2y": len(decided), "contracts_renewed_2y": sum(decided),
        "renewal_rate": over(sum(decided), len(decided)), "contracts_judged_2y": len(fulfilled),
        "fulfilment_sum_2y": sum(fulfilled), "contract_fulfilment": over(sum(fulfilled), len(fulfilled)),
        "contracts_running": len(running), "interactions_6m": len(recent), "interactions_per_month": len(recent) / 6,
        "visits_12m": len([row for row in within(contacts, 365) if row["kind"] == "visit"]),
        "days_since_contact": min((CUTOFF - row["day"] for row in contacts), default=None),
    }  # fmt: skip


def of_payments(rows: list[Row]) -> dict[str, Any]:
    due = within(rows, 365)
    on_time = [r for r in due if r["paid_day"] is not None and r["paid_day"] <= r["day"]
               and r["paid_amount"] >= r["amount"]]  # fmt: skip
    late = [max((CUTOFF if row["paid_day"] is None else row["paid_day"]) - row["day"], 0) for row in due]
    share = over(len(on_time), len(due))
    return {
        "invoices_due_12m": len(due), "invoices_on_time_12m": len(on_time), "on_time_share": share,
        "late_share": None if share is None else 1 - share, "days_late_12m": sum(late),
        "days_late_mean": over(sum(late), len(due)), "days_late_longest": max(late, default=0),
        "overdue_amount": sum(max(row["amount"] - (row["paid_amount"] or 0), 0) for row in rows),
    }  # fmt: skip


def of_judgements(ratings: list[Row], surveys: list[Row]) -> dict[str, Any]:
    def rated(name: str, column: str) -> Any:
        mine = [row for row in ratings if row["name"] == name]
        top = max(((row["day"], row["known_day"]) for row in mine), default=None)
        return latest([row for row in mine if (row["day"], row["known_day"]) == top], column, 730)

    scored = ("profit_contribution", "industry_growth", "business_growth", "new_demand_fit")
    words = ("industry_outlook", "new_business_likelihood", "dependence", "demand_kind", "credit_rating",
             "financial_position")  # fmt: skip
    questions = {"nps": "nps", "recommend_score": "recommend", "survey_satisfaction": "satisfaction",
                 "brand_regard": "regard"}  # fmt: skip
    found = {name: rated(name, "score") for name in scored} | {name: rated(name, "value") for name in words}
    found["expansion_judged"] = rated("expansion_2y", "score")
    return found | {name: latest(surveys, question, 365) for name, question in questions.items()}


def of_customers(rows: list[Row]) -> dict[str, Any]:
    def held(listed: list[Row]) -> list[Row]:
        top = max(((row["day"], row["known_day"]) for row in listed), default=None)
        return [row for row in listed if (row["day"], row["known_day"]) == top]

    def most(listed: list[Row], column: str) -> Any:
        return max((row[column] for row in listed if row[column] is not None), default=None)

    now = held(rows)
    before = [row for row in held([row for row in rows if CUTOFF - row["day"] >= 730]) if row["day"] > ALWAYS]
    fresh = [row for row in now if CUTOFF - row["day"] < 730]
    heads = most(fresh, "employees"), most(before, "employees")
    found = {name: most(now, name) for name in ("industry", "industry_section", "company_size", "employees")}
    counted = heads[0] / heads[1] - 1 if None not in heads else None
    return found | {"employees_now": heads[0], "employees_before": heads[1], "expansion_counted": counted}


def of_rates(found: dict[str, Any], mine: Rows) -> dict[str, Any]:
    bought = [row["day"] for row in mine["transactions"] if row["kind"] == "purchase"]
    months = min(CUTOFF - min(bought), 365) * 12 / 365 if bought else 0.0
    tickets, due = len(within(mine["tickets"], 365)), sum(row["amount"] for row in within(mine["payments"], 365))
    ranks = {f"{name}_rank": dict(zip(reversed(words), range(1, 20), strict=False)).get(found[name])
             for name, words in WORDS.items() if name != "demand_kind"}  # fmt: skip
    return ranks | {
        "tickets_12m": tickets, "complaint_share": over(found["complaints_12m"], tickets),
        "complaint_rate": over(found["complaints_12m"], months), "enquiry_rate": over(found["enquiries_12m"], months),
        "visit_rate": over(found["visits_12m"], months), "amount_due_12m": due,
        "overdue_share": over(found["overdue_amount"], due),
    }  # fmt: skip


def expected(rows: Rows, customer: str) -> dict[str, Any]:
    mine = {name: [row for row in listed if row["customer_id"] == customer] for name, listed in rows.items()}
    found = of_tickets(mine["tickets"]) | of_contracts(mine["contracts"], mine["interactions"])
    found |= of_payments(mine["payments"]) | of_judgements(mine["ratings"], mine["surveys"])
    found |= of_customers(mine["customers"])
    found |= of_rates(found, mine)
    judged = found["expansion_judged"]
    return found | {"expansion_2y": found["expansion_counted"] if judged is None else judged}


@pytest.mark.parametrize("seed", [1, 2])
def test_every_feature_equals_the_obvious_loop(seed: int) -> None:
    rows = crowd(seed, CUTOFF)
    known = each(rows, as_known)
    table = built(rows).to_pylist()
    assert len(table) > 30
    for found in table:
        truth = expected(known, found["customer_id"])
        assert set(truth) == set(OTHERS)
        for name, value in truth.items():
            near = pytest.approx(value, abs=1e-9) if isinstance(value, float) else value
            assert found[name] == near, (name, found["customer_id"])


# --- laws; those of a point in time are held in test_point_in_time


def same(one: pa.Table, other: pa.Table) -> list[str]:
    """Columns that differ."""
    pairs = {name: (one[name].combine_chunks(), other[name].combine_chunks()) for name in one.column_names}
    return [name for name, (a, b) in pairs.items() if len(a) != len(b) or column_difference(a, b, NEAR).any()]


def test_looking_back_from_later_equals_waiting_with_nothing_happening() -> None:
    rows = crowd(3, CUTOFF)
    waited = built(each(rows, as_known), CUTOFF + 117)
    ahead = built(rows, CUTOFF, ahead=117)
    assert ahead["cutoff"].to_pylist() == [CUTOFF] * ahead.num_rows
    assert same(waited.drop(["cutoff"]), ahead.drop(["cutoff"])) == []


def test_engines_agree() -> None:
    rows = crowd(4, CUTOFF)
    assert same(built(rows), built(rows, engine="duckdb")) == []


# --- cases


def test_53_a_survey_of_another_year_or_from_after_the_cutoff_says_nothing() -> None:
    days = {"a": CUTOFF - 366, "b": CUTOFF - 365, "c": CUTOFF}
    rows = {"surveys": [row_of("surveys", name, day, nps=40.0) for name, day in days.items()],
            "transactions": [sale(name, CUTOFF - 10) for name in days]}  # fmt: skip
    assert built(rows, names=["nps"])["nps"].to_pylist() == [None, 40.0, None]


def test_53_an_answer_recorded_late_is_not_known_before() -> None:
    rows = {"surveys": [row_of("surveys", "a", CUTOFF - 9, nps=1.0, known_day=CUTOFF + 1),
                        row_of("surveys", "a", CUTOFF - 99, nps=2.0)],
            "transactions": [sale("a", CUTOFF - 10)]}  # fmt: skip
    assert built(rows, names=["nps"])["nps"].to_pylist() == [2.0]
    assert built(rows, CUTOFF + 2, names=["nps"])["nps"].to_pylist() == [1.0]


def test_44_a_customer_without_a_transaction_is_there_and_says_so() -> None:
    rows = {"customers": [row_of("customers", "a", ALWAYS), row_of("customers", "new", CUTOFF)],
            "transactions": [sale("b", CUTOFF - 10)]}  # fmt: skip
    tables = tables_with(rows)
    table = to_arrow(build_snapshots(tables, CUTOFF, everyone=True)).to_pylist()
    assert [row["customer_id"] for row in table] == ["a", "b"]
    nobody = {name: table[0][name] for name in CATALOG}
    assert [name for name, value in nobody.items() if value is None and not CATALOG[name].missing and name in (
        "recency_days", "tenure_days")] == ["recency_days", "tenure_days"]  # fmt: skip
    zero = [name for name, feature in CATALOG.items() if feature.plane in ("orders", "products")
            and not feature.missing and name not in ("recency_days", "tenure_days", "idle_months_6")]  # fmt: skip
    assert {nobody[name] for name in zero} == {0}
    assert nobody["idle_months_6"] == 6
    assert to_arrow(build_snapshots(tables, CUTOFF))["customer_id"].to_pylist() == ["b"]


def test_a_renewal_counts_from_the_day_it_was_known() -> None:
    contract = row_of("contracts", "a", 100, end_day=500, renewed=True, fulfilled=1.0, outcome_day=550)
    rows = {"contracts": [contract], "transactions": [sale("a", 90)]}
    cutoffs = [500, 501, 550, 551, 1230, 1231]
    table = built(rows, cutoffs, ["renewal_rate", "contracts_running"])
    assert table["renewal_rate"].to_pylist() == [None, None, None, 1.0, 1.0, None]
    assert table["contracts_running"].to_pylist() == [1, 0, 0, 0, 0, 0]


def test_an_invoice_is_unpaid_until_it_is_paid() -> None:
    invoice = row_of("payments", "a", 100, amount=500, paid_amount=500, paid_day=130)
    table = built({"payments": [invoice], "transactions": [sale("a", 90)]}, [100, 101, 130, 131],
                  ["overdue_amount", "days_late_longest", "on_time_share"])  # fmt: skip
    assert table["overdue_amount"].to_pylist() == [0, 500, 500, 0]
    assert table["days_late_longest"].to_pylist() == [0, 1, 30, 30]
    assert table["on_time_share"].to_pylist() == [None, 0.0, 0.0, 0.0]


def test_a_customer_without_rows_has_none_of_what_is_counted() -> None:
    rows = {name: [row_of(name, "z", 10)] for name in TABLES} | {"transactions": [sale("a", CUTOFF - 10)]}
    for row in built(rows).to_pylist():
        counted = {name: row[name] for name, feature in OTHERS.items() if feature.without is not None}
        asked = {row[name] for name, feature in OTHERS.items() if feature.missing and name not in RATES}
        if row["customer_id"] == "a":
            assert set(counted.values()) == {0}
            assert asked == {None}


# --- the catalog


def test_features_of_other_tables_are_built_only_when_asked_for() -> None:
    tables = tables_with({name: [] for name in TABLES} | {"transactions": [sale("a", CUTOFF - 10)]})
    assert list(to_arrow(build_snapshots(tables, CUTOFF)).column_names) == ["customer_id", "cutoff", *CATALOG]
    assert available_features(tables) == list(EVERY)


def test_a_table_that_is_not_there_is_named() -> None:
    tables = tables_with({"transactions": [sale("a", 10)], "ratings": []})
    with pytest.raises(UsageError, match=r"E-FE-002.*renewal_rate needs the table contracts") as caught:
        build_snapshots(tables, CUTOFF, features=["renewal_rate"])
    assert "需要表 contracts" in caught.value.say("zh")
    assert lacking_tables("expansion_2y", tables) == []
    assert lacking_tables("expansion_2y", tables_with({})) == ["ratings"]
    assert available_features(tables, ["renewal_rate", "credit_rating", "unheard of"]) == ["credit_rating"]


@pytest.mark.parametrize("present", ["ratings", "customers"])
def test_expansion_takes_what_there_is(present: str) -> None:
    given = {
        "ratings": [row_of("ratings", "a", 700, name="expansion_2y", value="0.5", score=0.5)],
        "customers": [row_of("customers", "a", 10, employees=100), row_of("customers", "a", 700, employees=120)],
    }
    rows = {present: given[present], "transactions": [sale("a", CUTOFF - 10)]}
    found = built(rows, names=["expansion_2y"])["expansion_2y"].to_pylist()
    assert found == [pytest.approx(0.5 if present == "ratings" else 0.2)]


@pytest.mark.parametrize("name", WHOLE)
def test_every_entry_says_all(name: str) -> None:
    feature = catalog_entry(name)
    assert feature.title.en.isascii()
    assert not feature.title.zh.isascii() or feature.title.zh == "NPS"
    assert feature.dimension in DIMENSIONS
    assert feature.formula
    assert feature.unit
    assert feature.family
    assert feature.direction in ("up", "down", "none")
    assert set(feature.needs) <= set(EVERY)
    if name in OTHERS:
        assert feature.missing or feature.without is not None or feature.plane == "derived"


@pytest.mark.parametrize(
    "scheme", ["relationship_rating", "tiered_management", "five_step", "relationship_guide", "classification_standard"]
)
def test_every_indicator_of_the_schemes_has_an_entry(scheme: str) -> None:
    wanted = load_scheme(scheme).features
    assert set(wanted) <= set(EVERY)
    for name, use in wanted.items():
        assert (use.unit == "text") == (EVERY[name].unit == "text"), name
        assert (use.unit == "money") == (EVERY[name].unit == "money"), name


def test_names_are_distinct_and_needs_come_first() -> None:
    assert len(WHOLE) == len(CATALOG) + len(PAST) + len(OTHERS) + len(EXPECTED)
    for one, other in pairwise(NAMES):
        assert one != other
