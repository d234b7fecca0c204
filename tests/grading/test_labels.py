"""Rules, tags and flags: exact at their bounds, silent about missing values, alike on both engines."""

from __future__ import annotations

from fractions import Fraction

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.grading.conftest import Lazy, on_polars, rows_of
from tests.grading.test_scoring import YUAN, keyed, tiny
from tierlens.features.snapshot import to_arrow
from tierlens.grading.feature_columns import Columns, settle_numbers
from tierlens.grading.labels import having_tags, say_flags
from tierlens.grading.reference import fit_reference
from tierlens.grading.scheme.grammar import Band
from tierlens.grading.scheme.scheme import load_scheme
from tierlens.grading.scoring import grade
from tierlens.sources.tables import Currency
from tierlens.workspace.prepare import arrow_as_frame

GUIDE, STANDARD = load_scheme("relationship_guide"), load_scheme("classification_standard")

LABEL = """
labels:
  - id: l
    name: L
    label: 标
    values: [{id: yes_, name: Y, label: 是}, {id: no_, name: N, label: 否}]
    otherwise: no_
    source: c
    rules: [{value: yes_, when: %s, source: c}]
"""

CONDITIONS = [
    ("{mark: {at_least: 3}}", [False, True, True, False]),
    ("{mark: {above: 3}}", [False, False, True, False]),
    ("{mark: {below: 3}}", [True, False, False, False]),
    ("{mark: {at_most: 3}}", [True, True, False, False]),
    ("{mark: {is: 3}}", [False, True, False, False]),
    ("{mark: {missing: true}}", [False, False, False, True]),
    ("{mark: {missing: false}}", [True, True, True, False]),
    ("{grade: {is: AAA}}", [True, False, False, False]),
    ("{grade: {in: [AAA, B]}}", [True, True, False, False]),
    ("{mark: {above: 2}, grade: {is: B}}", [False, True, False, False]),
    ("[{mark: {above: 4}}, {grade: {is: AAA}}]", [True, False, True, False]),
    ("{monetary: {at_least: 2, of: tenure_days}}", [False, True, True, False]),
    ("{monetary: {above: 2, of: tenure_days}}", [False, False, True, False]),
    ("{monetary: {above: 1, at_most: 2.5, of: tenure_days}}", [True, True, False, False]),
    ("{score: {missing: false}}", [True, True, True, False]),
    ("{tier: {is: A}}", [False, True, True, False]),
    ("{points_marked: {at_most: 1}}", [True, False, False, False]),
]


@pytest.mark.parametrize(("when", "due"), CONDITIONS)
def test_a_rule_holds_where_it_says(lazy: Lazy, when: str, due: list[bool]):
    table = keyed(
        mark=[1.0, 3.0, 5.0, None],
        grade=["AAA", "B", "C", None],
        monetary=pa.array([15, 20, 26, None]),
        tenure_days=pa.array([10, 10, 10, 10]),
    )
    rows = rows_of(grade(lazy(table), tiny(LABEL % when), YUAN))
    # Scores: (1 + 10 x .25 + 1 x .25 ...) put the second and third customer into A.
    if "tier" in when:
        due = [row["tier"] == "A" for row in rows]
    assert [row["label_l"] == "yes_" for row in rows] == due


def test_a_column_that_is_not_there_is_missing_for_everybody(lazy: Lazy):
    rows = rows_of(grade(lazy(keyed(mark=[1.0])), tiny(LABEL % "{grade: {missing: true}}"), YUAN))
    assert rows[0]["label_l"] == "yes_"
    rows = rows_of(grade(lazy(keyed(mark=[1.0])), tiny(LABEL % "{monetary: {at_least: 1, of: tenure_days}}"), YUAN))
    assert rows[0]["label_l"] == "no_"


def test_the_margin_counts_as_borderline_to_its_end(lazy: Lazy):
    points = [4.899999, 4.9, 5.0, 5.1, 5.100001]
    names = {f"points_{name}": points for name in ("amount", "rated", "marked")}
    rows = rows_of(grade(lazy(keyed(**names)), tiny(), YUAN))
    assert [row["score"] for row in rows] == [48.99999, 49.0, 50.0, 51.0, 51.00001]
    assert ["borderline" in row["flags"] for row in rows] == [False, True, True, True, False]


def test_a_share_of_a_bound_counts_as_borderline_where_tiers_go_by_rules(lazy: Lazy):
    amounts = [94_999_999, 95_000_000, 100_000_000, 105_000_000, 105_000_001]
    rows = rows_of(grade(lazy(keyed(monetary=amounts)), STANDARD, YUAN))
    assert ["borderline" in row["flags"] for row in rows] == [False, True, True, True, False]


def test_tags_keep_their_form_whatever_the_data(lazy: Lazy):
    table = keyed(
        industry=["a]b[c", None, "制造业"],
        tenure_days=[729, 730, 0],
        monetary=[0, 60_000_000, 0],
        recency_days=[1, 1, 92],
    )
    tags = [row["tags"] for row in rows_of(grade(lazy(table), GUIDE, YUAN))]
    assert tags == [
        "[行业:a)b(c][合作时长:1年]",
        "[合作时长:2年][高价值]",
        "[行业:制造业][合作时长:0年][续约风险]",
    ]


def test_customers_are_found_by_combinations_of_tags(lazy: Lazy):
    table = keyed(industry=["制造业", "制造业", "金融"], monetary=[60_000_000, 0, 60_000_000])
    graded = grade(lazy(table), GUIDE, YUAN)
    assert [row["customer_id"] for row in rows_of(having_tags(graded, 行业="制造业", 高价值=""))] == ["C0"]
    assert rows_of(having_tags(graded, 行业="制造")) == []


def test_flags_are_said_in_both_languages():
    assert say_flags("borderline undocumented_band", "zh") == "接近分界；处于文档未列区间"
    assert say_flags("our_own", "en") == "our_own"


bounds = st.decimals(-1000, 1000, places=2, allow_nan=False)
rates = st.decimals("0.01", 20, places=4, allow_nan=False)


@given(
    value=st.integers(-200_000, 200_000),
    low=bounds,
    width=st.decimals("0.01", 50, places=2),
    rate=rates,
    data=st.data(),
)
@settings(max_examples=80, deadline=None)
def test_compiled_bounds_are_exact_at_any_rate(value, low, width, rate, data):
    ends = data.draw(
        st.sampled_from([("at_least", "below"), ("above", "at_most"), ("above", "below"), ("at_least", "at_most")])
    )
    band = Band(**{ends[0]: low, ends[1]: low + width})
    columns = Columns(load_scheme("five_step"), Currency("XYZ", {"CNY": rate}), {"monetary": "whole"})
    # A bound hit exactly is drawn on purpose now and then.
    if data.draw(st.booleans()):
        value = int(Fraction(low) * 100 / Fraction(rate))
    frame = on_polars(pa.table({"monetary": pa.array([value], pa.int64())}))
    got = frame.select(columns.within("monetary", band).alias("in")).collect("pyarrow")["in"].to_list()
    exact = Fraction(value) * Fraction(rate) / 100
    assert got == [band.holds(exact)]
    assert columns.holds("monetary", band, value) == band.holds(exact)


def test_what_is_no_number_is_missing(lazy: Lazy):
    columns = Columns(tiny(), YUAN, {"mark": "real", "tenure_days": "real", "other": "real"})
    table = pa.table(
        {"mark": [1.0, float("nan"), float("-inf")], "tenure_days": [1.0] * 3, "other": [float("nan")] * 3}
    )
    settled = settle_numbers(lazy(table), columns).collect("pyarrow").to_native()
    assert settled["mark"].to_pylist() == [1.0, None, None]
    assert settled["other"].null_count == 0


def test_one_order_is_not_close_to_a_bound_of_orders() -> None:
    """``frequency >= 1`` has no other whole number within 5 %; an amount has."""
    rows = pa.table(
        {
            "customer_id": ["one order", "close", "at the bound"],
            "cutoff": pa.array([20000] * 3, pa.int32()),
            "monetary": [5_000_000_00, 1_010_000_00, 1_000_000_00],
            "frequency": [1, 1, 9],
            "tenure_days": [400] * 3,
            "recency_days": [10] * 3,
        }
    )
    graded = to_arrow(grade(arrow_as_frame(rows), load_scheme("five_step"), Currency("CNY"))).to_pylist()
    assert {row["customer_id"]: ("borderline" in row["flags"], row["tier"]) for row in graded} == {
        "one order": (False, "strategic"),
        "close": (True, "strategic"),
        "at the bound": (True, "core"),
    }


@pytest.mark.parametrize("scheme", ["tiered_management", "relationship_rating"])
def test_who_never_bought_is_not_in_the_population(scheme: str) -> None:
    """Customers who are refused a tier move nobody else's points; a fitted population leaves them out as well."""
    rows = {
        "customer_id": ["a", "b", "c", "never"],
        "cutoff": pa.array([20000] * 4, pa.int32()),
        "monetary": [100, 300, 900, 0],
        "frequency": [1, 2, 5, 0],
        "tenure_days": [400, 300, 900, None],
    }
    everyone = pa.table(rows)
    loaded, currency = load_scheme(scheme), Currency("CNY")
    some = to_arrow(grade(arrow_as_frame(everyone.slice(0, 3)), loaded, currency)).sort_by("customer_id")
    found = to_arrow(grade(arrow_as_frame(everyone), loaded, currency)).sort_by("customer_id")
    assert found.slice(0, 3).equals(some)
    assert "no_history" in found["flags"][3].as_py()
    assert fit_reference(arrow_as_frame(everyone), loaded, currency).equals(
        fit_reference(arrow_as_frame(everyone.slice(0, 3)), loaded, currency)
    )
