"""Outcomes: what happened in the horizon, by a slow loop, and never for a horizon that is still open."""

from __future__ import annotations

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.other_tables import row_of, sale, tables_with
from tests.tables_of import Row, purchase, tables_of, transaction_rows
from tierlens.errors import DataError, UsageError
from tierlens.features.windows import Window, reach_of
from tierlens.risk.outcome import (
    churn_outcomes,
    closed_cutoffs,
    downgrade_outcomes,
    lost_outcomes,
    not_renewed,
    spend_in_horizon,
)

WINDOW = Window(observe=365, gap=10, horizon=60)


def bought(rows: list[Row], customer: str, first: int, end: int) -> int:
    """Sum of a customer's purchases on days in [first, end)."""
    return sum(
        row["amount"]
        for row in rows
        if row["customer_id"] == customer and row["kind"] == "purchase" and first <= row["day"] < end
    )


def records(frame: nw.LazyFrame) -> list[tuple]:
    return sorted(frame.collect("pyarrow").to_native().to_pandas().itertuples(index=False, name=None))


@settings(deadline=None, max_examples=30)
@given(transaction_rows(), st.integers(100, 900))
def test_churn_and_spend_are_those_of_a_loop(rows, cutoff):
    end = cutoff + WINDOW.gap + WINDOW.horizon
    tables = tables_of(rows, end=end)
    customers = sorted({row["customer_id"] for row in rows})
    inside = [name for name in customers if bought(rows, name, cutoff - WINDOW.observe, cutoff) > 0]
    spent = {name: bought(rows, name, cutoff + WINDOW.gap, end) for name in inside}
    assert records(churn_outcomes(tables, [cutoff], WINDOW)) == [
        (name, cutoff, int(spent[name] == 0)) for name in inside
    ]
    found = spend_in_horizon(tables, [cutoff], WINDOW).select("customer_id", "spend_in_horizon")
    assert records(found) == [(name, spent[name]) for name in inside]


def test_churn_is_int8_and_a_return_keeps_nobody():
    rows = [
        purchase("a", "1", 100, 10),
        purchase("a", "2", 130, -10, kind="return"),
        purchase("b", "3", 100, 10),
        purchase("b", "4", 199, 10),
    ]
    found = churn_outcomes(tables_of(rows), [110], Window(horizon=90))
    assert found.collect_schema()["churn"] == nw.Int8
    assert records(found) == [("a", 110, 1), ("b", 110, 0)]


def test_a_horizon_closes_on_the_day_after_the_last_one_known():
    tables = tables_of([purchase("a", str(day), day, 10) for day in range(100, 200)])
    window = Window(horizon=90)
    assert (reach_of(tables).last, reach_of(tables).end) == (199, 200)
    assert closed_cutoffs(tables, [110, 111], window) == ([110], [111])
    with pytest.raises(DataError, match=r"E-RI-001: the outcome of 1 cutoffs is not known yet: 1970-04-22"):
        churn_outcomes(tables, [110, 111], window)
    with pytest.raises(DataError, match=r"the data end on 1970-07-19: set a cutoff"):
        spend_in_horizon(tables, [111], window)


def test_an_outcome_is_what_was_known_when_its_horizon_ended():
    """A purchase or an ending recorded later changes nothing, whenever the outcome is looked at."""
    rows = [purchase(name, name, 100, 10) for name in "ab"]
    rows += [purchase("a", "in time", 130, 10, known_day=179), purchase("b", "too late", 130, 10, known_day=180)]
    tables = tables_of([*rows, *(purchase("z", str(day), day, 1) for day in range(90, 300))])
    window = Window(gap=10, horizon=60)
    assert [row for row in records(churn_outcomes(tables, [110], window)) if row[0] != "z"] == [
        ("a", 110, 0),
        ("b", 110, 1),
    ]
    endings = [contract("a", 0, 130, False, outcome_day=179), contract("b", 0, 130, False, outcome_day=180)]
    tables = tables_with({"transactions": [sale("z", day) for day in range(300)], "contracts": endings})
    assert records(not_renewed(tables, [110], window)) == [("a", 110, 1)]


def test_engines_agree_on_outcomes():
    rows = [purchase("abc"[n % 3], str(n), 40 * n, 10 + n) for n in range(20)]
    cutoffs = [300, 400, 500]
    found = [records(churn_outcomes(tables_of(rows, engine), cutoffs, WINDOW)) for engine in ("polars", "duckdb")]
    assert found[0] == found[1]


def ranks_of(*rows: tuple[str, int, int | None]) -> nw.LazyFrame:
    schema = {"customer_id": pl.String, "cutoff": pl.Int32, "tier_rank": pl.Int64}
    return nw.from_native(pl.LazyFrame(rows, schema=schema, orient="row"))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (1, 1, [0]),
        (1, 2, [1]),
        (3, 1, [0]),
        (3, 4, [1]),
        (4, 4, []),  # nobody falls from the lowest tier
        (None, 2, []),  # not graded, so there is nothing to fall from
        (2, None, [1]),  # there, and fits no tier
    ],
)
def test_downgrade_compares_tiers_at_both_ends(before, after, expected):
    ranks = ranks_of(("a", 0, before), ("a", 90, after), ("x", 0, 4), ("x", 90, 4))
    found = downgrade_outcomes(ranks, [0], Window(horizon=90), lowest=4)
    assert found.collect("pyarrow")["downgrade"].to_list() == expected


@pytest.mark.parametrize(("rank", "is_unknown", "expected"), [(None, True, []), (None, False, [1]), (2, True, [0])])
def test_a_tier_that_is_missing_for_want_of_data_is_no_fall(rank, is_unknown, expected):
    rows = [("a", 0, 2, False), ("a", 90, rank, is_unknown)]
    schema = {"customer_id": pl.String, "cutoff": pl.Int32, "tier_rank": pl.Int64, "is_unknown": pl.Boolean}
    ranks = nw.from_native(pl.LazyFrame(rows, schema=schema, orient="row"))
    found = downgrade_outcomes(ranks, [0], Window(horizon=90), lowest=4)
    assert found.collect("pyarrow")["downgrade"].to_list() == expected


def test_who_has_left_the_population_has_fallen():
    ranks = ranks_of(("gone", 0, 3), ("x", 0, 1), ("x", 90, 1))
    assert records(downgrade_outcomes(ranks, [0], Window(horizon=90), lowest=4)) == [("gone", 0, 1), ("x", 0, 0)]


def test_a_downgrade_needs_tiers_at_the_end():
    with pytest.raises(DataError, match="E-RI-002"):
        downgrade_outcomes(ranks_of(("a", 0, 1)), [0], Window(horizon=90), lowest=4)


def contract(customer: str, start: int, end: int | None, renewed: bool | None, **more: int) -> Row:
    more = {"outcome_day": end} | more
    return row_of(
        "contracts", customer, start, contract_id=f"{customer}{start}{end}", end_day=end, renewed=renewed, **more
    )


@pytest.mark.parametrize(
    ("start", "end", "renewed", "known", "expected"),
    [
        (0, 110, False, 0, [1]),  # the first day of the horizon, after the gap
        (0, 109, False, 0, []),  # ends in the gap
        (0, 169, True, 0, [0]),  # the last day of the horizon
        (0, 170, True, 0, []),
        (0, 90, False, 0, []),  # over at the cutoff
        (0, 130, None, 0, []),  # not decided: never labelled
        (0, None, None, 0, []),  # open-ended
        (100, 130, False, 100, []),  # begins after the cutoff
        (0, 130, False, 100, []),  # recorded after the cutoff
    ],
)
def test_a_contract_counts_where_it_is_known_and_ends_in_the_horizon(start, end, renewed, known, expected):
    rows = [contract("a", start, end, renewed, known_day=known)]
    tables = tables_with({"transactions": [sale("a", 400)], "contracts": rows})
    found = not_renewed(tables, [100], WINDOW).collect("pyarrow")["not_renewed"].to_list()
    assert found == expected


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"), st.integers(0, 150), st.integers(0, 200), st.sampled_from([True, False, None])
        ),
        max_size=8,
    ),
    st.integers(60, 140),
)
def test_renewal_is_that_of_a_loop(given_rows, cutoff):
    rows = [contract(who, start, start + length, renewed) for who, start, length, renewed in given_rows]
    tables = tables_with({"transactions": [sale("z", 400)], "contracts": rows})
    expected = []
    for who in "ab":
        ends = [
            row["renewed"]
            for row in rows
            if row["customer_id"] == who and row["day"] < cutoff and cutoff + 10 <= row["end_day"] < cutoff + 70
        ]
        if False in ends or (ends and None not in ends):
            expected.append((who, cutoff, int(False in ends)))
    assert records(not_renewed(tables, [cutoff], WINDOW)) == expected


def test_renewal_needs_contracts_and_a_closed_horizon():
    with pytest.raises(UsageError, match="E-RI-005"):
        not_renewed(tables_of([purchase("a", "1", 100, 10)]), [50])
    tables = tables_with({"transactions": [sale("a", 120)], "contracts": [contract("a", 0, 110, True)]})
    with pytest.raises(DataError, match="E-RI-001"):
        not_renewed(tables, [100], WINDOW)


@settings(deadline=None, max_examples=30)
@given(transaction_rows(), st.integers(100, 900), st.sampled_from([1, 3, 6, 24]))
def test_lost_is_that_of_a_loop(rows, cutoff, months):
    end = cutoff + WINDOW.gap + WINDOW.horizon
    limit = months * 365 / 12
    expected = []
    for name in sorted({row["customer_id"] for row in rows}):
        days = [row["day"] for row in rows if row["customer_id"] == name and row["kind"] == "purchase"]
        before = [day for day in days if day < cutoff]
        if before and cutoff - max(before) <= limit:
            expected.append((name, cutoff, int(end - max(day for day in days if day < end) > limit)))
    assert records(lost_outcomes(tables_of(rows, end=end), [cutoff], months, WINDOW)) == expected


def test_three_months_are_those_of_the_documents():
    rows = [purchase("a", "1", 100, 10), purchase("b", "2", 99, 10), purchase("z", "3", 300, 10)]
    # At day 100 + 91 the last purchase of a is 91 days ago (not lost: 3 months are 91.25), that of b 92.
    found = lost_outcomes(tables_of(rows), [101], 3, Window(horizon=90))
    assert records(found) == [("a", 101, 0), ("b", 101, 1)]
    assert found.collect_schema()["lost"] == nw.Int8


def test_a_stage_needs_some_time():
    with pytest.raises(UsageError, match="E-RI-006"):
        lost_outcomes(tables_of([purchase("a", "1", 100, 10)]), [50], 0)


def test_engines_agree_on_the_other_outcomes():
    sales = [sale("abc"[n % 3], 40 * n) for n in range(20)]
    contracts = [contract("abc"[n % 3], 30 * n, 30 * n + 200, [True, False, None][n % 3 - 1]) for n in range(15)]
    found = []
    for engine in ("polars", "duckdb"):
        tables = tables_with({"transactions": sales, "contracts": contracts}, engine)
        found.append(
            (records(not_renewed(tables, [300, 400], WINDOW)), records(lost_outcomes(tables, [300, 400], 3, WINDOW)))
        )
    assert found[0] == found[1]
    assert found[0][0]
