"""Each family by hand: a few rows whose features anybody can work out on paper, and rows just beyond each edge."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from tests.other_tables import Rows, row_of, tables_with
from tests.tables_of import Row, purchase, tables_of
from tierlens.features.families import (
    basket,
    contract_endings,
    credit_payment,
    history,
    judgements,
    loyalty,
    other_rates,
    potential,
    rhythm,
    service_tickets,
    stability,
    value,
)
from tierlens.features.feature import Feature
from tierlens.features.snapshot import build_snapshots, to_arrow
from tierlens.features.windows import Window
from tierlens.sources.declared.contracts import ALWAYS, JUDGED

C = 2_000
"""The cutoff."""
near = pytest.approx


def buys(ago: int, amount: int = 100, order: str = "", **more: Any) -> Row:
    """A purchase line so many days before the cutoff."""
    return purchase("a", order or f"o{ago}", C - ago, amount, **more)


def returns(ago: int, amount: int) -> Row:
    return buys(ago, -amount, f"r{ago}", kind="return")


def names_of(features: Sequence[Feature]) -> list[str]:
    return [feature.name for feature in features]


def of(rows: list[Row], names: list[str], window: Window | None = None) -> dict[str, Any]:
    """Features of the one customer of some transactions."""
    table = to_arrow(build_snapshots(tables_of(rows), C, window, features=names, everyone=True))
    return dict(table.to_pylist()[0])


def beside(rows: Rows, names: list[str]) -> dict[str, Any]:
    """Features of the one customer of some tables, who once bought something."""
    rows = {"transactions": [buys(730)], **rows}
    table = to_arrow(build_snapshots(tables_with(rows), C, features=names, everyone=True))
    return dict(table.to_pylist()[0])


def at(name: str, ago: int, /, **more: Any) -> Row:
    return row_of(name, "a", C - ago, **more)


def told(found: dict[str, Any], **truth: Any) -> None:
    """Compare what is named, floats nearly."""
    assert {name: found[name] for name in truth} == {
        name: near(value) if isinstance(value, float) else value for name, value in truth.items()
    }


# --- transactions


def test_value_of_three_orders_and_a_return() -> None:
    found = of(
        [buys(10, 300), buys(40, 100), buys(365, 200), buys(366, 5000), returns(5, 50)], names_of(value.FEATURES)
    )
    told(found, recency_days=10, frequency=3, spend=600, monetary=550, average_order_value=200.0, tenure_days=366,
         active_months=3)  # fmt: skip


def test_a_customer_who_bought_long_ago_has_a_history_and_nothing_in_the_window() -> None:
    found = of([buys(500, 700)], names_of(value.FEATURES))
    told(found, recency_days=500, frequency=0, spend=0, monetary=0, average_order_value=None, tenure_days=500,
         active_months=0)  # fmt: skip


def test_a_shorter_window_sees_less_and_forgets_no_first_purchase() -> None:
    found = of([buys(10, 300), buys(31, 100)], names_of(value.FEATURES), Window(observe=30))
    told(found, frequency=1, spend=300, recency_days=10, tenure_days=31)


def test_stability_of_a_customer_with_pauses_of_10_20_and_60_days() -> None:
    rows = [buys(100), buys(90), buys(70), buys(10), buys(10, 40, "again"), returns(10, 120)]
    found = of(rows, names_of(stability.FEATURES))
    spread = math.sqrt((20**2 + 10**2 + 30**2) / 2)
    told(found, gaps=3, gap_days=90, gap_squares=100 + 400 + 3600, interval_mean_days=30.0,
         interval_spread_days=spread, regularity=30 / (30 + spread), longest_gap_days=60, overdue_ratio=1 / 3,
         idle_months_6=3, returned=120, return_share=120 / 440)  # fmt: skip


@pytest.mark.parametrize(("later", "counted"), [(365, 1), (366, 0)])
def test_a_pause_belongs_to_the_window_of_its_later_day(later: int, counted: int) -> None:
    told(of([buys(later + 30), buys(later)], ["gaps", "gap_days"]), gaps=counted, gap_days=30 * counted)


def test_like_clockwork_is_1_and_one_interval_is_no_spread() -> None:
    weekly = [buys(ago) for ago in range(7, 71, 7)]
    told(of(weekly, ["regularity", "interval_spread_days"]), regularity=1.0, interval_spread_days=0.0)
    told(of(weekly[:2], ["regularity", "interval_mean_days"]), regularity=None, interval_mean_days=7.0)


def test_potential_of_amounts_on_either_side_of_every_edge() -> None:
    rows = [buys(90, 1), buys(91, 10), buys(180, 100), buys(181, 1_000), buys(182, 10_000), buys(365, 100_000),
            buys(366, 1_000_000), buys(455, 10_000_000), buys(456, 100_000_000)]  # fmt: skip
    found = of(rows, names_of(potential.FEATURES))
    told(found, amount_90=1, amount_prev_90=110, recent_share=1 / 111, spend_year=111_111, amount_half=11_111,
         amount_half_last_year=111_000_000, amount_90_last_year=11_000_000, growth_yoy=None,
         season_growth=1 / 11_000_000 - 1)  # fmt: skip
    longer = of([*rows, buys(547, 0 + 7)], ["growth_yoy"])
    told(longer, growth_yoy=11_111 / 111_000_007 - 1)


def test_a_steady_spend_has_no_trend_and_one_that_only_begins_rises() -> None:
    monthly = [buys(round(15 + 365 / 12 * number), 500) for number in range(12)]
    told(of(monthly, ["trend_12"]), trend_12=0.0)
    # A mean of 500 / 12, and all of it in the latest of twelve periods: slope 5.5 / 143 of the sum.
    told(of(monthly[:1], ["trend_12"]), trend_12=5.5 / 143 * 12)
    told(of(monthly[-1:], ["trend_12"]), trend_12=-5.5 / 143 * 12)


def test_products_that_are_new_repeated_or_without_a_name() -> None:
    rows = [buys(300, product_id="old"), buys(80, product_id="old"), buys(60, product_id="new"),
            buys(60, product_id=None), buys(20, product_id="new")]  # fmt: skip
    found = of(rows, names_of(potential.FEATURES))
    told(found, products=2, products_90=2, new_products=1, new_product_share=0.5, repeat_products=2, repeat_share=1.0)
    # Who has only just begun tries nothing new: everything is.
    told(of(rows[2:], ["new_products", "products_90"]), new_products=0, products_90=1)


def test_rhythm_of_two_orders_a_half_life_apart() -> None:
    found = of([buys(60, 400), buys(30, 100)], names_of(rhythm.FEATURES))
    told(found, orders_decay_30=0.75, orders_decay_60=near(0.5 + 2**-0.5, abs=1e-5),
         spend_decay_30=near(150.0, abs=0.1), orders_14=0, orders_30=1, orders_60=2,
         decay_rate_30=near(0.75 * math.log(2) / 30 / (1 - 0.25), abs=1e-7),
         amount_30=100, amount_180=500, purchase_days=2, repeat_days=1, order_rate=2 / 60, spend_rate=500 / 60,
         active_months_3=2, active_month_share=1.0, interval_last_days=30, interval_shortest_days=30,
         interval_last_ratio=1.0, overdue_last=1.0, overdue_longest=1.0)  # fmt: skip


def test_the_last_interval_is_the_latest_and_not_the_longest() -> None:
    found = of([buys(900), buys(700), buys(30), buys(20), buys(20, 5, "same day")], names_of(rhythm.FEATURES))
    told(found, interval_last_days=10, interval_shortest_days=10, repeat_days=3, purchase_days=2, overdue_last=2.0)


@pytest.mark.parametrize(
    ("window", "ago", "count"),
    [
        (Window(horizon=90), 365, 1),
        (Window(horizon=90), 276, 1),
        (Window(horizon=90), 275, 0),
        (Window(horizon=90), 366, 0),
        (Window(gap=10, horizon=30), 355, 1),
        (Window(gap=10, horizon=30), 356, 0),
        (Window(gap=10, horizon=30), 326, 1),
        (Window(gap=10, horizon=30), 325, 0),
    ],
)
def test_last_years_season_is_that_of_the_days_to_come(window: Window, ago: int, count: int) -> None:
    """A year before the cutoff + gap begins what a year later is the horizon."""
    told(of([buys(ago)], ["orders_ahead_last_year"], window), orders_ahead_last_year=count)


def test_baskets_lines_pieces_and_the_orders_at_both_ends() -> None:
    rows = [buys(100, 50, "x", quantity=2.0), buys(30, 100, "y", product_id="P2", quantity=0.5), buys(30, 90, "z"),
            buys(30, 200, "y", product_id="P3", quantity=None), returns(9, 10), returns(8, 10)]  # fmt: skip
    found = of(rows, names_of(basket.FEATURES))
    told(found, lines=4, pieces=3.5, price_level=440 / 3.5, lines_per_order=4 / 3, products_per_order=1.0,
         products_per_line=0.75, pieces_per_line=3.5 / 4, largest_order=300, last_order_spend=300, last_order_lines=2,
         first_order_spend=50, last_order_ratio=300 / (440 / 3), largest_order_ratio=300 / (440 / 3), return_orders=2,
         return_rate=2 / 3)  # fmt: skip


def test_what_lies_further_back_and_what_rolls_out() -> None:
    rows = [
        buys(365, 1_000),
        buys(300, 200),
        buys(276, 30),
        buys(275, 4),
        buys(100, 500),
        returns(280, 100),
        buys(400, 9),
    ]
    found = of(rows, names_of(history.FEATURES), Window(horizon=90))
    told(found, spend_prev_year=9, amount_before_prev_90=0, roll_off_amount=1_130, roll_off_share=1_130 / 1_634,
         spend_needed=1_130, needed_pace=1_130 / (1_734 / 365 * 90), spend_ever=1_743, repeat_rate=4 / 5)  # fmt: skip
    told(found, gaps_to_30=2, interval_share_30=2 / 5, gaps_to_90=4, interval_share_90=4 / 5)


def test_a_horizon_longer_than_the_window_rolls_all_of_it_out_and_returns_need_nothing() -> None:
    found = of([buys(20, 80), returns(10, 30)], ["roll_off_amount", "roll_off_share"], Window(observe=60, horizon=90))
    told(found, roll_off_amount=50, roll_off_share=1.0)
    back = of([buys(20, 80), returns(300, 30)], ["roll_off_amount", "spend_needed"])
    told(back, roll_off_amount=-30, spend_needed=0)


# --- the other tables


def test_service_by_kind_and_age_and_by_when_it_was_judged() -> None:
    tickets = [
        at("tickets", 365, kind="enquiry"),
        at("tickets", 366, kind="enquiry"),
        at("tickets", 182, kind="custom"),
        at("tickets", 183, kind="custom"),
        at("tickets", 90, kind="complaint", severity="major"),
        at("tickets", 91, kind="complaint", severity="major"),
        at("tickets", 30, kind="complaint", severity=None),
        at("tickets", 700, kind="other", satisfaction=5.0, rated_day=C - 365),
        at("tickets", 700, kind="other", satisfaction=1.0, rated_day=C - 366),
        at("tickets", 9, kind="other", satisfaction=2.0, rated_day=C - 1),
        at("tickets", 9, kind="other", satisfaction=4.0, rated_day=C),
    ]
    found = beside({"tickets": tickets}, names_of(service_tickets.FEATURES))
    told(found, enquiries_12m=1, enquiries_per_month=1 / 12, custom_requests_6m=1, complaints_12m=3,
         major_complaints_90=1, days_since_complaint=30, tickets_judged_12m=2, satisfaction_points_12m=7.0,
         service_satisfaction=3.5)  # fmt: skip


def test_contracts_that_end_run_and_are_judged() -> None:
    def contract(ends: int | None, known: int, renewed: bool | None, fulfilled: float | None) -> Row:
        end = None if ends is None else C - ends
        return at("contracts", 900, end_day=end, outcome_day=C - known, renewed=renewed, fulfilled=fulfilled)

    contracts = [contract(730, 700, True, 1.0), contract(731, 700, True, 1.0), contract(1, 1, False, 0.5),
                 contract(1, 0, True, 0.0), contract(100, 50, None, 0.25), contract(0, -30, None, None),
                 contract(None, -30, None, None)]  # fmt: skip
    found = beside({"contracts": contracts, "interactions": []}, names_of(contract_endings.FEATURES))
    told(found, contracts_decided_2y=2, contracts_renewed_2y=1, renewal_rate=0.5, contracts_judged_2y=3,
         fulfilment_sum_2y=1.75, contract_fulfilment=1.75 / 3, contracts_running=2, interactions_6m=0,
         days_since_contact=None)  # fmt: skip


def test_being_in_touch() -> None:
    met = [at("interactions", ago, kind=kind) for ago, kind in
           ((182, "call"), (183, "visit"), (365, "visit"), (366, "visit"), (40, None))]  # fmt: skip
    found = beside({"contracts": [], "interactions": met}, names_of(contract_endings.FEATURES))
    told(found, interactions_6m=2, interactions_per_month=2 / 6, visits_12m=2, days_since_contact=40, renewal_rate=None)


def test_payments_on_time_late_short_and_missing() -> None:
    def invoice(due: int, paid: int | None, amount: int | None = 100) -> Row:
        return at("payments", due, amount=100, paid_day=None if paid is None else C - paid,
                  paid_amount=None if paid is None else amount)  # fmt: skip

    invoices = [invoice(365, 365), invoice(366, None), invoice(100, 101), invoice(100, 93), invoice(50, 50, 60),
                invoice(20, None), invoice(9, 0)]  # fmt: skip
    found = beside({"payments": invoices}, names_of(credit_payment.FEATURES[:8]))
    # The last one was paid on the day of the cutoff: nobody knew by then, it is nine days late.
    told(found, invoices_due_12m=6, invoices_on_time_12m=2, on_time_share=1 / 3, late_share=2 / 3,
         days_late_12m=7 + 20 + 9, days_late_mean=6.0, days_late_longest=20, overdue_amount=340)  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "nps"),
    [
        ([(365, 365, 4.0)], 4.0),
        ([(366, 366, 4.0)], None),
        ([(30, 30, 4.0), (20, 20, 2.0)], 2.0),
        ([(30, 30, 4.0), (20, 20, None)], 4.0),
        ([(30, 10, 4.0), (30, 20, 5.0)], 4.0),
        ([(30, 20, 4.0), (30, 20, 5.0)], 5.0),
        ([(30, 30, 4.0), (20, 0, 2.0)], 4.0),
    ],
)
def test_the_latest_answer_counts_then_the_last_recorded_then_the_larger(
    answers: list[tuple[int, int, float | None]], nps: float | None
) -> None:
    rows = [at("surveys", ago, known_day=C - known, nps=score, regard=score) for ago, known, score in answers]
    told(beside({"surveys": rows}, names_of(loyalty.FEATURES)), nps=nps, brand_regard=nps, recommend_score=None)


def test_ratings_are_believed_for_two_years_and_told_apart_by_name() -> None:
    ratings = [at("ratings", 730, name="dependence", value="high"),
               at("ratings", 731, name="demand_kind", value="product"),
               at("ratings", 10, name="expansion_2y", value="0.25", score=0.25),
               at("ratings", 10, name="industry_growth", value="-0.5", score=-0.5)]  # fmt: skip
    names = ["dependence", "demand_kind", "industry_growth", "expansion_judged", "expansion_2y", "credit_rating"]
    found = beside({"ratings": ratings, "customers": []}, names)
    told(found, dependence="high", demand_kind=None, industry_growth=-0.5, expansion_judged=0.25, expansion_2y=0.25,
         credit_rating=None)  # fmt: skip


def test_head_counts_two_years_apart_make_a_growth() -> None:
    rows = [row_of("customers", "a", ALWAYS, employees=10, industry="retail"), at("customers", 730, employees=40),
            at("customers", 100, employees=60, industry="steel")]  # fmt: skip
    names = [name for name in names_of(judgements.FEATURES) if name in ("industry", "employees", "employees_now")]
    names += ["employees_before", "expansion_counted", "expansion_2y"]
    told(beside({"customers": rows}, names), industry="steel", employees=60, employees_now=60, employees_before=40,
         expansion_counted=0.5, expansion_2y=0.5)  # fmt: skip
    # A row that holds from the beginning has no date, and one of two years ago is no news.
    undated = beside({"customers": rows[:1]}, names)
    told(undated, employees=10, employees_now=None, employees_before=None, expansion_2y=None)
    told(beside({"customers": rows[:2]}, names), employees_now=None, employees_before=40, expansion_counted=None)


def test_rates_count_the_months_that_the_customer_was_there() -> None:
    asked = ["complaint_rate", "enquiry_rate", "complaint_share", "tickets_12m", "overdue_share", "amount_due_12m"]
    rows = {"transactions": [buys(73)], "tickets": [at("tickets", 5, kind="complaint"), at("tickets", 6, kind="other")],
            "payments": [at("payments", 400, amount=70), at("payments", 30, amount=100)]}  # fmt: skip
    # 73 days are a fifth of a year: 2.4 months; ten years of it would be no more than 12.
    told(beside(rows, asked), complaint_rate=1 / 2.4, enquiry_rate=0.0, complaint_share=0.5, tickets_12m=2,
         amount_due_12m=100, overdue_share=1.7)  # fmt: skip
    told(beside(rows | {"transactions": [buys(1_900)]}, asked), complaint_rate=1 / 12)


@pytest.mark.parametrize("name", [name for name in names_of(other_rates.FEATURES) if name.endswith("_rank")])
def test_words_are_ranked_from_the_last_of_their_list_up_and_others_are_not(name: str) -> None:
    of_rating = name.removesuffix("_rank")
    words = list(JUDGED[of_rating])
    ranks = [beside({"ratings": [at("ratings", 9, name=of_rating, value=word)]}, [name])[name] for word in words]
    assert ranks == [float(len(words) - place) for place in range(len(words))]
    assert beside({"ratings": [at("ratings", 9, name=of_rating, value="unheard of")]}, [name])[name] is None


# --- all of them


SETS = {"value": value, "stability": stability, "potential": potential, "rhythm": rhythm, "basket": basket,
        "history": history}  # fmt: skip


@pytest.mark.parametrize("family", SETS)
def test_an_order_in_several_lines_is_one_order_of_their_sum(family: str) -> None:
    """Splitting every line in two, in another order of rows, changes only what counts lines."""
    rows = [buys(5, 200, quantity=2.0), buys(90, 60, quantity=4.0), buys(200, 1000, quantity=6.0), buys(500, 10)]
    halves = [dict(row, amount=row["amount"] // 2, quantity=row["quantity"] / 2) for row in rows for _ in range(2)]
    names = [name for name in names_of(SETS[family].FEATURES) if "line" not in name]
    assert of(halves[::-1], names) == of(rows, names)


@pytest.mark.parametrize("family", [family for family in SETS if family != "basket"])
def test_a_line_of_an_order_recorded_later_is_there_from_then_on(family: str) -> None:
    """All but the basket, which looks at what was recorded of an order on one day."""
    late = [buys(5, 200), buys(90, 60), buys(90, 40, known_day=C - 1)]
    never = [*late[:2], buys(90, 40, known_day=C)]
    names = [name for name in names_of(SETS[family].FEATURES) if "line" not in name]
    assert of(late, names) == of([buys(5, 200), buys(90, 100, quantity=2.0)], names)
    assert of(never, names) == of(late[:2], names)


def test_declared_whole_orders_and_wide_amounts_are_the_same_numbers() -> None:
    rows = [buys(5, 200), buys(90, 60), returns(60, 10)]
    names = [name for module in (value, stability, basket) for name in names_of(module.FEATURES)]
    plain = tables_of(rows)
    tables = [plain, dataclasses.replace(plain, whole_orders=True), dataclasses.replace(plain, wide_amounts=True)]
    found: list[pa.Table] = [to_arrow(build_snapshots(one, C, features=names, everyone=True)) for one in tables]
    assert found[0].to_pylist() == found[1].to_pylist() == found[2].to_pylist()
