"""The grader against the documents, against an exact oracle, and against laws."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quicktions import Fraction

from tests.full_size import sized
from tests.grading.conftest import Lazy, on_duckdb, on_polars, random_customers, rows_of
from tests.grading.oracle import Oracle
from tierlens import strict_yaml
from tierlens.errors import DataError, UsageError
from tierlens.grading.reference import Reference, fit_reference
from tierlens.grading.scheme.scheme import Scheme, load_scheme, scheme_names
from tierlens.grading.scoring import grade, graded_columns
from tierlens.sources.tables import Currency

YUAN = Currency("CNY")
POUND = Currency("GBP", {"CNY": Decimal("10.2")})
RATING = load_scheme("relationship_rating")


def keyed(**columns: Any) -> pa.Table:
    number = len(next(iter(columns.values())))
    keys = {"customer_id": [f"C{n}" for n in range(number)], "cutoff": pa.array([1] * number, pa.int32())}
    return pa.table({**keys, **columns})


def test_the_worked_card_gives_80_625_and_b(lazy: Lazy):
    card = {
        "annual_amount": 8, "order_value": 7, "profit_contribution": 9, "tenure": 8, "renewal_rate": 10,
        "complaints": 7, "enquiries": 6, "custom_requests": 8, "service_satisfaction": 9, "industry_growth": 7,
        "expansion": 8, "new_demand_fit": 9,
    }  # fmt: skip
    table = keyed(**{f"points_{name}": [points] for name, points in card.items()})
    (row,) = rows_of(grade(lazy(table), RATING, YUAN))
    got = {name: row[f"score_{name}"] for name in ("value", "stability", "service", "potential")}
    assert got == {"value": 81.0, "stability": 84.5, "service": 76.0, "potential": 80.0}
    assert (row["score"], row["tier"], row["tier_rank"], row["coverage"]) == (80.625, "B", 2, 1.0)


@pytest.mark.parametrize("table_of_cuts", ["general", "manufacturing"])
@pytest.mark.parametrize("currency", [YUAN, POUND], ids=["CNY", "GBP"])
def test_the_expression_agrees_with_the_exact_oracle(lazy: Lazy, table_of_cuts: str, currency: Currency):
    agrees_with_oracle(RATING.with_table(table_of_cuts), currency, 300, lazy)


@pytest.mark.parametrize("name", [name for name in scheme_names() if name != "relationship_rating"])
def test_every_scheme_agrees_with_the_exact_oracle(lazy: Lazy, name: str):
    agrees_with_oracle(load_scheme(name), POUND, 300, lazy)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("name", scheme_names())
def test_many_customers_agree_with_the_oracle_on_every_engine(on_spark: Lazy, name: str):
    agrees_with_oracle(load_scheme(name), POUND, sized(100_000), on_duckdb, on_polars, on_spark)


def agrees_with_oracle(scheme: Scheme, currency: Currency, number: int, *engines: Lazy) -> None:
    table = random_customers(scheme, number)
    rows = table.sort_by([("cutoff", "ascending"), ("customer_id", "ascending")]).to_pylist()
    graded = [rows_of(grade(lazy(table), scheme, currency)) for lazy in engines]
    oracle = Oracle(scheme, currency, rows, set(table.column_names))
    for features, *many in zip(rows, *graded, strict=True):
        dues = oracle.grade(features)
        for got in many:
            for name in got.keys() & dues.keys():
                same(name, got[name], dues[name])


def same(name: str, got: Any, due: Any) -> None:
    if isinstance(due, Fraction) and got is not None:
        assert abs(Fraction(got) - due) <= Fraction(3, 10**8), (name, got, float(due))
    else:
        assert got == due, name


@given(seed=st.integers(0, 10**6))
@settings(max_examples=8, deadline=None)
def test_engines_agree(seed: int):
    table = random_customers(RATING, 40, seed)
    rows = [rows_of(grade(lazy(table), RATING, POUND)) for lazy in (on_duckdb, on_polars)]
    for ours, theirs in zip(*rows, strict=True):
        for name, value in ours.items():
            if isinstance(value, float):
                assert theirs[name] == pytest.approx(value, abs=2e-8), name
            else:
                assert theirs[name] == value, name


@pytest.mark.slow
def test_spark_agrees_with_duckdb(on_spark: Lazy):
    for name in scheme_names():
        scheme = load_scheme(name)
        table = random_customers(scheme, 300)
        ours, theirs = (rows_of(grade(lazy(table), scheme, POUND)) for lazy in (on_duckdb, on_spark))
        for due, got in zip(ours, theirs, strict=True):
            assert got == pytest.approx(due, abs=3e-8)


TINY = """
id: tiny
name: Tiny
label: 小
version: "1"
valid_from: 2026-01-01
source: {document: d, clause: c}
currency: CNY
borderline_margin: 1
features:
  monetary: {name: Amount, label: 金额, unit: money}
  grade: {name: Rating, label: 评级, unit: text}
  mark: {name: Mark, label: 评分, unit: score}
  tenure_days: {name: Tenure, label: 时长, unit: days}
dimensions:
  - id: one
    name: One
    label: 一
    weight: 1
    source: c
    indicators:
      - id: amount
        name: Amount
        label: 金额
        feature: monetary
        weight: 0.5
        source: c
        cuts: [{at_least: 100, points: 10}, {above: 50, below: 100, points: 5}, {at_most: 50, points: 1}]
      - {id: rated, name: Rating, label: 评级, feature: grade, weight: 0.25, source: c, ordinal: {AAA: 10, B: 4}}
      - {id: marked, name: Mark, label: 评分, feature: mark, weight: 0.25, source: c, given: {from: 1, to: 5}}
tiers:
  - {id: A, name: A, label: 甲, at_least: 50, source: c}
  - {id: B, name: B, label: 乙, below: 50, source: c}
"""


def tiny(more: str = "") -> Scheme:
    return strict_yaml.build_model(Scheme, TINY + more)


def test_a_bound_that_is_no_whole_number_of_pennies_is_exact(lazy: Lazy):
    # 100 yuan are 980.39... pence: 980 pence are below, 981 are not; 50 yuan are 490.19... pence.
    table = keyed(monetary=pa.array([980, 981, 490, 491]))
    got = [row["points_amount"] for row in rows_of(grade(lazy(table), tiny(), POUND))]
    assert got == [5.0, 10.0, 1.0, 5.0]


def test_a_scale_given_on_an_amount_is_read_in_the_units_of_the_data(lazy: Lazy):
    i, j = TINY.index("        cuts: [{at_least: 100"), TINY.index("      - {id: rated")
    scheme = strict_yaml.build_model(Scheme, f"{TINY[:i]}        given: {{from: 0, to: 90}}\n{TINY[j:]}")
    rows = rows_of(grade(lazy(keyed(monetary=pa.array([0, 4500, 9000, 9001]))), scheme, YUAN))
    assert [row["points_amount"] for row in rows] == [1.0, 5.5, 10.0, None]


def test_a_rate_that_divides_evenly_keeps_the_tie(lazy: Lazy):
    table = keyed(monetary=pa.array([3333, 3334, 3333_00, 3332_99]))
    third = Currency("XYZ", {"CNY": Decimal(3)})
    scheme = tiny()
    got = [row["points_amount"] for row in rows_of(grade(lazy(table), scheme, third))]
    assert got == [5.0, 10.0, 10.0, 10.0]


def test_real_amounts_are_compared_with_the_exact_bound(lazy: Lazy):
    table = keyed(monetary=pa.array([980.39, 980.4, 10000.0, float("nan"), float("inf"), None]))
    got = [row["points_amount"] for row in rows_of(grade(lazy(table), tiny(), POUND))]
    assert got == [5.0, 10.0, 10.0, None, None, None]


def test_words_and_marks_become_points_and_odd_ones_are_flagged(lazy: Lazy):
    table = keyed(grade=["AAA", "B", "C", None], mark=[1.0, 3.0, 5.0, 5.5])
    rows = rows_of(grade(lazy(table), tiny(), YUAN))
    assert [row["points_rated"] for row in rows] == [10.0, 4.0, None, None]
    assert [row["points_marked"] for row in rows] == [1.0, 5.5, 10.0, None]
    assert [row["flags"] for row in rows] == [
        "missing", "missing", "missing unknown_value", "not_graded missing out_of_range",
    ]  # fmt: skip
    assert [row["score"] for row in rows] == [55.0, 47.5, 100.0, None]


POLICIES = [
    ("renormalise", [100.0, None], [0.5, 0.0], ["A", None]),
    ("worst", [55.0, 10.0], [0.5, 0.0], ["A", "B"]),
    ("neutral", [77.5, 55.0], [0.5, 0.0], ["A", "A"]),
    ("not_graded", [100.0, None], [0.5, 0.0], [None, None]),
]


@pytest.mark.parametrize(("policy", "scores", "coverage", "tiers"), POLICIES)
def test_missing_values_follow_the_declared_policy(lazy: Lazy, policy, scores, coverage, tiers):
    rows = rows_of(grade(lazy(keyed(monetary=pa.array([10000, None]))), tiny(f"missing: {policy}\n"), YUAN))
    assert [row["score"] for row in rows] == scores
    assert [row["coverage"] for row in rows] == coverage
    assert [row["tier"] for row in rows] == tiers
    refused = [tier is None for tier in tiers]
    assert [("not_graded" in row["flags"]) for row in rows] == refused


def test_a_customer_known_for_too_short_is_not_graded(lazy: Lazy):
    scheme = tiny("minimum_tenure_days: 30\nminimum_coverage: 0.5\nlow_coverage: 0.9\n")
    table = keyed(monetary=pa.array([10000, 10000, 10000, None]), tenure_days=pa.array([29, 30, None, 99]))
    rows = rows_of(grade(lazy(table), scheme, YUAN))
    assert [(row["tier"], row["flags"]) for row in rows] == [
        (None, "short_tenure missing low_coverage"),
        ("A", "missing low_coverage"),
        ("A", "missing low_coverage"),
        (None, "not_graded missing low_coverage"),
    ]


def test_points_given_by_hand_win_and_are_checked(lazy: Lazy):
    table = keyed(monetary=pa.array([1, 1, 1]), points_amount=pa.array([7.5, 11.0, None]))
    rows = rows_of(grade(lazy(table), tiny(), YUAN))
    assert [row["points_amount"] for row in rows] == [7.5, 1.0, 1.0]
    assert [("out_of_range" in row["flags"]) for row in rows] == [False, True, False]


def test_a_proxy_stands_in_and_can_be_refused():
    table = keyed(growth_yoy=[0.1, 0.3])
    (row, _) = rows_of(grade(on_duckdb(table), RATING, YUAN))
    assert row["points_expansion"] == 4.0
    assert "proxy" in row["flags"]
    strict = RATING.model_copy(update={"use_proxies": False})
    assert rows_of(grade(on_duckdb(table), strict, YUAN))[0]["points_expansion"] is None


def test_all_customers_alike_get_the_middle(lazy: Lazy):
    rows = rows_of(grade(lazy(keyed(frequency=[3, 3, 3], growth_yoy=[0.1, 0.1, 0.1])), RATING, YUAN))
    assert {(row["points_frequency"], row["points_expansion"]) for row in rows} == {(5.5, 5.5)}


def test_an_unknown_currency_and_a_missing_key_are_told():
    with pytest.raises(UsageError, match="E-US-002: amounts are in CNY"):
        grade(on_duckdb(keyed(monetary=[1])), RATING, Currency("USD"))
    with pytest.raises(DataError, match="E-GR-002: the feature table has no column 'cutoff'"):
        grade(on_duckdb(pa.table({"customer_id": ["a"]})), RATING, YUAN)


def test_columns_are_there_whatever_the_features(lazy: Lazy):
    graded = grade(lazy(keyed(nothing=["x"])), RATING, YUAN)
    assert graded.columns == ["customer_id", "cutoff", *graded_columns(RATING)]
    (row,) = rows_of(graded)
    assert (row["score"], row["tier"], row["coverage"], row["flags"]) == (
        None,
        None,
        0.0,
        "not_graded missing low_coverage",
    )


@given(seed=st.integers(0, 10**6), copies=st.integers(2, 3))
@settings(max_examples=8, deadline=None)
def test_order_and_number_of_copies_change_nothing(seed: int, copies: int):
    table = random_customers(RATING, 30, seed)
    again = []
    for copy in range(copies):
        ids = pa.array([f"{name}-{copy}" for name in table["customer_id"].to_pylist()])
        again.append(table.set_column(0, "customer_id", ids))
    doubled = pa.concat_tables(again).take(list(reversed(range(30 * copies))))
    before = {row["customer_id"]: row for row in rows_of(grade(on_polars(table), RATING, YUAN))}
    for row in rows_of(grade(on_polars(doubled), RATING, YUAN)):
        due = before[row["customer_id"].rpartition("-")[0]]
        assert {**row, "customer_id": ""} == pytest.approx({**due, "customer_id": ""}, abs=2e-8)


@given(seed=st.integers(0, 10**6), unit=st.sampled_from([10, 100, 1000]))
@settings(max_examples=8, deadline=None)
def test_the_unit_of_money_changes_nothing(seed: int, unit: int):
    table = random_customers(RATING, 30, seed)
    finer = table
    for name, use in RATING.features.items():
        if use.unit == "money":
            scaled = [None if v is None else v * unit for v in table[name].to_pylist()]
            finer = finer.set_column(finer.column_names.index(name), name, pa.array(scaled, table[name].type))
    rows = rows_of(grade(on_polars(table), RATING, YUAN))
    for row, due in zip(rows_of(grade(on_polars(finer), RATING, Currency("CNY", minor=100 * unit))), rows, strict=True):
        assert row == pytest.approx(due, abs=1e-6)


@given(st.lists(st.integers(0, 20), min_size=2, max_size=25))
@settings(max_examples=10, deadline=None)
def test_ties_are_scored_alike_and_better_is_never_worse(values: list[int]):
    scheme = load_scheme("relationship_rating")
    table = keyed(
        frequency=pa.array(values), complaints_12m=pa.array(values), monetary=pa.array([v * 10**7 for v in values])
    )
    rows = sorted(rows_of(grade(on_polars(table), scheme, YUAN)), key=lambda row: values[int(row["customer_id"][1:])])
    ordered = sorted(values)
    for name, sign in (("points_frequency", 1), ("points_complaints", -1), ("points_annual_amount", 1)):
        points = [sign * row[name] for row in rows]
        assert points == sorted(points)
        assert all(p == q for p, q, a, b in zip(points, points[1:], ordered, ordered[1:], strict=False) if a == b)


@given(seed=st.integers(0, 10**6), data=st.data())
@settings(max_examples=8, deadline=None)
def test_a_better_value_never_lowers_the_tier(seed: int, data: st.DataObject):
    table = random_customers(RATING, 12, seed, missing=0.0)
    reference = Reference(fit_reference(on_polars(table), RATING, YUAN).slice(0))
    name = data.draw(st.sampled_from(["monetary", "frequency", "complaints_12m", "renewal_rate"]))
    step = data.draw(st.integers(0, 10**9)) if name == "monetary" else data.draw(st.integers(0, 5))
    sign = -1 if name == "complaints_12m" else 1
    better = [v + sign * step for v in table[name].to_pylist()]
    changed = table.set_column(table.column_names.index(name), name, pa.array(better, table[name].type))
    before, after = (rows_of(grade(on_polars(t), RATING, YUAN, reference)) for t in (table, changed))
    for old, new in zip(before, after, strict=True):
        assert new["tier_rank"] <= old["tier_rank"]
        assert new["score"] >= old["score"]


def test_a_stored_reference_gives_what_its_population_gave(lazy: Lazy):
    table = random_customers(RATING, 60)
    fitted = fit_reference(lazy(table), RATING, YUAN)
    fresh, stored = (
        rows_of(grade(lazy(table), RATING, YUAN)),
        rows_of(grade(lazy(table), RATING, YUAN, Reference(fitted))),
    )
    for new, due in zip(stored, fresh, strict=True):
        assert new == pytest.approx(due, abs=1e-6)
    one = table.slice(0, 1)
    (alone,) = rows_of(grade(lazy(one), RATING, YUAN, Reference(fitted)))
    assert alone == pytest.approx(fresh[0], abs=1e-6)


def test_a_reference_that_does_not_know_an_indicator_is_refused():
    fitted = fit_reference(on_duckdb(keyed(frequency=[1, 2])), RATING, YUAN)
    with pytest.raises(DataError, match="E-GR-001: the reference does not know tenure by tenure_days"):
        grade(on_duckdb(keyed(tenure_days=[1])), RATING, YUAN, Reference(fitted))


def test_triggers_compare_whole_amounts_exactly(lazy: Lazy):
    table = keyed(
        amount_90=pa.array([70, 71, 0, 0, None]),
        amount_prev_90=pa.array([100, 100, 0, 1, 5]),
        major_complaints_90=pa.array([0, 1, None, 0, 0]),
    )
    rows = rows_of(grade(lazy(table), RATING, YUAN))
    assert [row["trigger_amount_down"] for row in rows] == [True, False, False, True, False]
    assert [row["trigger_major_complaint"] for row in rows] == [False, True, False, False, False]


def test_weights_are_whole_numbers_in_the_expression():
    sql = grade(on_duckdb(keyed(monetary=[1], average_order_value=[1.0])), RATING, YUAN).to_native().sql_query()
    assert '"points_annual_amount" * 3.0' in sql
