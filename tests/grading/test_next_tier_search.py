"""The search for the least action and the greatest loss, held against looking at every size."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierlens.grading.next_tier.actions import (
    CONTACTS,
    MOST,
    TICKETS,
    Action,
    action_effort,
    action_sizes,
    features_after,
    most_less,
    taken_all,
    usual_order,
)
from tierlens.grading.next_tier.search import Case, Found, Trial, in_step, losing_plan, raising_plan
from tierlens.grading.next_tier.whatif import Bench, Change, Result
from tierlens.grading.scheme.scheme import load_scheme
from tierlens.sources.tables import Currency

FIVE = load_scheme("five_step")
RATING = load_scheme("relationship_rating")
Row = Mapping[str, Any]
Rank = Callable[[Row], int]


def buyer(monetary: int, frequency: int, name: str = "a", rank: int = 2) -> Case:
    return Case(name, 7, {"monetary": monetary, "frequency": frequency}, rank, FIVE, 365)


def from_amount(bound: int) -> Rank:
    """Rank 1 from an amount on, 2 below it, 3 below half of it."""

    def rank(row: Row) -> int:
        return 1 if row["monetary"] >= bound else 2 if 2 * row["monetary"] >= bound else 3

    return rank


def answered(
    search: Generator[list[Trial], list[Result], list[Found]], near: Rank, exact: Rank | None = None
) -> list[Found]:
    """Let a rule of one line grade whatever a search asks for."""
    results: list[Result] | None = None
    try:
        while True:
            trials = next(search) if results is None else search.send(results)
            results = [Result(((exact or near) if trial.exact else near)(trial.row), 0.0) for trial in trials]
    except StopIteration as over:
        found: list[Found] = over.value
        return found


@given(monetary=st.integers(20, 3_000), frequency=st.integers(1, 20), short=st.integers(1, 12_000))
@settings(max_examples=15, deadline=None)
def test_the_least_purchase_is_the_first_of_all_sizes_that_raises(monetary: int, frequency: int, short: int) -> None:
    case = buyer(monetary, frequency)
    found = answered(raising_plan(case), from_amount(monetary + short))
    orders = [n for n in range(1, MOST * frequency + 1) if usual_order(case.row, n) >= short]
    due = ([Action("buy", short)] if short <= MOST * monetary else []) + [Action("orders", n) for n in orders[:1]]
    assert {one.plan for one in found} == {(action,) for action in due}
    assert [one.effort for one in found] == sorted(action_effort(case.row, action) for action in due)
    assert all(one.rank == 1 and one.after == taken_all(case.row, one.plan) for one in found)


@given(monetary=st.integers(20, 3_000), frequency=st.integers(1, 20), bound=st.integers(1, 6_000))
@settings(max_examples=15, deadline=None)
def test_the_greatest_loss_is_the_last_of_all_sizes_that_keeps_the_tier(
    monetary: int, frequency: int, bound: int
) -> None:
    rank = from_amount(bound)
    case = buyer(monetary, frequency, rank=rank({"monetary": monetary}))
    most = most_less(case.row)
    holding = [size for size in range(1, most + 1) if rank({"monetary": monetary - size}) <= case.rank]
    found = answered(losing_plan(case), rank)
    assert [one.plan[0].size for one in found] == holding[-1:]
    assert [one.limit for one in found] == [holding[-1] < most for _ in holding[-1:]]


@pytest.mark.parametrize(("late", "size"), [(0, 400), (1, 401), (2, 402), (4, 405), (11, 420), (21, None)])
def test_a_little_more_is_taken_where_the_whole_population_wants_it(late: int, size: int | None) -> None:
    """The quick grader is short by the last place at most; what the whole population denies is not offered."""
    found = answered(raising_plan(buyer(1000, 3)), from_amount(1400), from_amount(1400 + late))
    assert [one.plan[0].size for one in found if one.plan[0].kind == "buy"] == ([] if size is None else [size])


@pytest.mark.parametrize(
    ("late", "size", "limit"), [(0, 400, True), (1, 399, True), (3, 395, False), (99, None, False)]
)
def test_a_little_less_may_be_lost_where_the_whole_population_wants_it(
    late: int, size: int | None, limit: bool
) -> None:
    near, exact = from_amount(600), from_amount(600 + late)
    found = answered(losing_plan(buyer(1000, 3, rank=1)), near, exact)
    assert [(one.plan[0].size, one.limit) for one in found] == ([] if size is None else [(size, limit)])


def test_a_loss_that_is_made_good_further_down_is_no_limit() -> None:
    """Between two sizes that lose the tier lies one that keeps it: nothing is said of all larger ones."""

    def islands(row: Row) -> int:
        return 1 if row["monetary"] >= 600 or 100 <= row["monetary"] <= 200 else 2

    (found,) = answered(losing_plan(buyer(1000, 3, rank=1)), islands)
    assert (found.plan[0].size, found.limit) == (400, False)


def cared_for(contacts: int, answer: int) -> Rank:
    """Two things must come together."""

    def rank(row: Row) -> int:
        return 1 if row["interactions_6m"] >= contacts and row["nps"] >= answer else 2

    return rank


KNOWN = {"interactions_6m": 2, "interactions_per_month": 1 / 3, "nps": -15}
CARED = Case("a", 7, KNOWN, 2, load_scheme("relationship_guide"), 365)


@pytest.mark.parametrize(("contacts", "answer"), [(3, 0), (9, 50), (2 + CONTACTS, 100)])
def test_of_actions_together_none_can_be_left_out_or_taken_back(contacts: int, answer: int) -> None:
    rank = cared_for(contacts, answer)
    (found,) = answered(raising_plan(CARED), rank)
    steps = {ladder[0].kind: ladder for ladder in action_sizes(CARED.scheme, KNOWN, 365)}
    assert {action.kind for action in found.plan} == {"contact", "answer"}
    for place, action in enumerate(found.plan):
        others = (*found.plan[:place], *found.plan[place + 1 :])
        less = [step for step in steps[action.kind] if step.size < action.size]
        for plan in [others, *((*others, step) for step in less)]:
            after = taken_all(KNOWN, plan)
            assert after is not None
            assert rank(after) == 2


@pytest.mark.parametrize(("contacts", "answer"), [(3 + CONTACTS, 0), (3, 101)])
def test_what_no_action_reaches_is_not_offered(contacts: int, answer: int) -> None:
    assert answered(raising_plan(CARED), cared_for(contacts, answer)) == []


def test_old_judgements_stay_in_the_mean_however_many_new_ones_come() -> None:
    row = {"service_satisfaction": 2.0, "tickets_judged_12m": 2, "satisfaction_points_12m": 4.0}
    best = features_after(row, Action("ticket", TICKETS))
    assert best is not None
    assert best["service_satisfaction"] == pytest.approx((4 + 5 * TICKETS) / (2 + TICKETS))


@dataclass(frozen=True)
class ByRule(Bench):
    """A population in which an amount alone decides."""

    bound: int = 0

    def near(self, changes: Sequence[Change]) -> list[Result]:
        return [Result(from_amount(self.bound)(change.row), 0.0) for change in changes]

    def exact(self, changes: Sequence[Change]) -> list[Result]:
        return self.near(changes)


@given(
    customers=st.lists(st.tuples(st.integers(20, 3_000), st.integers(1, 20)), min_size=1, max_size=4),
    bound=st.integers(50, 4_000),
)
@settings(max_examples=8, deadline=None)
def test_searches_in_step_find_what_each_finds_alone(customers: list[tuple[int, int]], bound: int) -> None:
    rank = from_amount(bound)
    cases = [buyer(m, f, f"C{n}", rank({"monetary": m})) for n, (m, f) in enumerate(customers)]
    empty = pa.table({"customer_id": pa.array([], pa.string()), "cutoff": pa.array([], pa.int32())})
    both = [(case, way(case)) for way in (raising_plan, losing_plan) for case in cases]
    found = in_step(both, ByRule(empty, FIVE, Currency("CNY"), bound=bound))
    assert found == [answered(way(case), rank) for way in (raising_plan, losing_plan) for case in cases]


@given(monetary=st.integers(1, 500), frequency=st.integers(1, 9), steps=st.lists(st.integers(1, 4), min_size=1))
@settings(max_examples=40, deadline=None)
def test_orders_one_after_the_other_are_as_many_orders_at_once(monetary: int, frequency: int, steps: list[int]) -> None:
    """Where each order is of the same whole amount."""
    row = {
        "monetary": monetary * frequency, "spend": monetary * frequency, "frequency": frequency, "recency_days": 40,
        "average_order_value": float(monetary), "amount_90": 0, "amount_prev_90": monetary, "recent_share": 0.0,
        "orders_180": 1,
    }  # fmt: skip
    apart = taken_all(row, tuple(Action("orders", step) for step in steps))
    assert apart == features_after(row, Action("orders", sum(steps)))
    assert apart is not None
    assert apart["recent_share"] == sum(steps) / (sum(steps) + 1)


@given(monetary=st.integers(0, 5_000), frequency=st.integers(0, 30), more=st.integers(1, 100))
@settings(max_examples=40, deadline=None)
def test_less_can_be_bought_up_to_an_amount_and_not_a_unit_further(monetary: int, frequency: int, more: int) -> None:
    row = {"monetary": monetary, "frequency": frequency}
    most = most_less(row)
    if most:
        after = features_after(row, Action("less", most))
        assert after is not None
        assert after["monetary"] >= frequency  # no order without an amount
        assert after["frequency"] == frequency
    assert features_after(row, Action("less", most + more)) is None


def test_no_ladder_is_offered_to_who_has_no_purchases_and_no_data() -> None:
    nothing = dict.fromkeys(RATING.features)
    kinds = {ladder[0].kind for ladder in action_sizes(RATING, nothing, 365)}
    assert kinds.isdisjoint({"buy", "orders", "overdue", "contract", "rate"})
    offered = [action for ladder in action_sizes(RATING, nothing, 365) for action in ladder]
    assert all(features_after(nothing, action) is None for action in offered if action.kind in ("contact", "ticket"))
