"""Bounds of a scheme on the columns of a table: exact at every rate, and the same on every engine."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.grading.conftest import Lazy, on_polars
from tests.grading.test_scoring import tiny
from tierlens.errors import UsageError
from tierlens.grading.feature_columns import (
    Columns,
    has_history,
    kinds_of,
    kinds_of_frame,
    rounded_points,
    settle_numbers,
)
from tierlens.grading.rules import first_of, lower_ends, rule_holds
from tierlens.grading.scheme.grammar import Band, Condition
from tierlens.grading.scheme.scheme import load_scheme
from tierlens.sources.tables import Currency

TINY = tiny()
RATES = st.decimals("0.01", "20", places=4)
BOUNDS = st.decimals(-50, 50, places=3)
AMOUNTS = list(range(-60, 60))


@st.composite
def bands(draw: st.DrawFn) -> Band:
    low, high = sorted(draw(st.lists(BOUNDS, min_size=2, max_size=2, unique=True)))
    lower = draw(st.sampled_from([{}, {"at_least": low}, {"above": low}]))
    upper = draw(st.sampled_from([{}, {"below": high}, {"at_most": high}]))
    return Band(**lower, **upper)


def chosen(frame: pl.DataFrame, condition: nw.Expr) -> list[Any]:
    return list(nw.from_native(frame).select(condition.alias("is"))["is"].to_list())


@given(band=bands(), rate=RATES, minor=st.sampled_from([1, 100, 1000]))
@settings(max_examples=30, deadline=None)
def test_whole_amounts_meet_a_bound_as_exact_fractions_do(band: Band, rate: Decimal, minor: int) -> None:
    currency = Currency("GBP", {"CNY": rate}, minor=minor)
    columns = Columns(TINY, currency, {"monetary": "whole"})
    due = [band.holds(Fraction(value) / minor * Fraction(rate)) for value in AMOUNTS]
    assert chosen(pl.DataFrame({"monetary": AMOUNTS}), columns.within("monetary", band)) == due
    assert [columns.holds("monetary", band, value) for value in AMOUNTS] == due


@given(band=bands())
@settings(max_examples=20, deadline=None)
def test_what_is_no_money_is_not_exchanged(band: Band) -> None:
    columns = Columns(TINY, Currency("GBP", {"CNY": Decimal(7)}), {"mark": "real"})
    values = [value / 4 for value in AMOUNTS]
    found = chosen(pl.DataFrame({"mark": values}), columns.within("mark", band))
    assert found == [band.holds(Fraction(value)) for value in values]


def test_a_currency_without_a_rate_is_told_before_anything_is_compared() -> None:
    columns = Columns(TINY, Currency("GBP"), {"monetary": "whole"})
    with pytest.raises(UsageError, match="E-US-002"):
        columns.within("monetary", Band(at_least=1))
    assert columns.per_unit("mark") == columns.per_unit("unheard_of") == 1


def test_kinds_are_those_of_arrow_pandas_and_polars_types_alike() -> None:
    table = pa.table({
        "a": pa.array([1], pa.int8()), "b": pa.array([1], pa.uint64()), "c": pa.array([1.0], pa.float32()),
        "d": pa.array([Decimal("1.5")], pa.decimal128(9, 2)), "e": pa.array([True]), "f": pa.array(["x"]),
        "g": pa.array(["x"]).dictionary_encode(),
    })  # fmt: skip
    due = {"a": "whole", "b": "whole", "c": "real", "d": "real", "e": "flag", "f": "text", "g": "text"}
    assert kinds_of(table.schema) == kinds_of_frame(on_polars(table)) == due
    frame = pd.DataFrame({"a": [1], "c": [0.5], "e": [True], "f": ["x"]})
    assert kinds_of(pa.Schema.from_pandas(frame)) == {name: due[name] for name in frame.columns}


def test_no_number_is_a_missing_value_in_the_columns_that_the_scheme_reads(lazy: Lazy) -> None:
    odd = [1.5, float("nan"), float("inf"), float("-inf"), None]
    table = pa.table({"mark": pa.array(odd, pa.float32()), "points_amount": odd, "monetary": [1, 2, 3, 4, None],
                      "beside": odd})  # fmt: skip
    frame = lazy(table)
    settled = settle_numbers(frame, Columns(TINY, Currency("CNY"), kinds_of_frame(frame)))
    found = settled.collect("pyarrow").to_native()
    assert found["mark"].to_pylist() == found["points_amount"].to_pylist() == [1.5, None, None, None, None]
    assert found["mark"].type == pa.float64()
    assert found["monetary"].to_pylist() == table["monetary"].to_pylist()
    assert found["beside"].is_valid().to_pylist() == table["beside"].is_valid().to_pylist()


def test_engines_round_halves_of_the_last_place_alike_and_upward(lazy: Lazy) -> None:
    whole = np.random.default_rng(0).integers(0, 10**11, 400).tolist()
    halves = [(2 * n + 1) / 2e9 for n in whole]  # the nearest double to a half of the ninth place
    frame = lazy(pa.table({"x": halves}))
    found = frame.select(rounded_points(nw.col("x")).alias("x")).collect("pyarrow").to_native()["x"].to_pylist()
    assert [round(one * 1e9) for one in found] == [n + 1 for n in whole]


HISTORY = [(None, None, False), (None, 0, False), (None, 3, True), (40, None, True), (40, 0, True), (0, 0, True)]


def test_who_has_a_first_purchase_or_an_order_has_a_history(lazy: Lazy) -> None:
    tenure, orders, due = (list(column) for column in zip(*HISTORY, strict=True))
    table = pa.table({"tenure_days": pa.array(tenure, pa.int64()), "frequency": pa.array(orders, pa.int64())})
    told = has_history(Columns(TINY, Currency("CNY"), kinds_of(table.schema)))
    assert told is not None
    assert lazy(table).select(told.alias("is")).collect("pyarrow").to_native()["is"].to_pylist() == due
    assert has_history(Columns(TINY, Currency("CNY"), {"frequency": "whole"})) is None


def test_a_proxy_stands_in_only_where_the_column_itself_is_not_there() -> None:
    for name in ("relationship_rating", "tiered_management", "classification_standard"):
        scheme = load_scheme(name)
        money = Currency("CNY")
        for _, indicator in scheme.indicators:
            proxy = None if indicator.proxy is None else indicator.proxy.feature
            both = Columns(scheme, money, {indicator.feature: "real", str(proxy): "real"})
            assert both.source_of(indicator) == indicator.feature
            assert Columns(scheme, money, {str(proxy): "real"}).source_of(indicator) == (
                proxy if scheme.use_proxies else None
            )
            assert Columns(scheme, money, {}).source_of(indicator) is None


@given(times=st.decimals("0.001", "5", places=3), pairs=st.lists(st.tuples(*[st.integers(-999, 999)] * 2), min_size=1))
@settings(max_examples=30, deadline=None)
def test_multiples_of_a_whole_column_are_exact(times: Decimal, pairs: list[tuple[int, int]]) -> None:
    columns = Columns(TINY, Currency("CNY"), {"x": "whole", "y": "whole"})
    # Beside what was drawn, pairs that stand exactly on the bound.
    over, under = times.as_integer_ratio()
    pairs = [*pairs, (over, under), (over + 1, under), (over - 1, under), (0, 0)]
    frame = pl.DataFrame({"x": [x for x, _ in pairs], "y": [y for _, y in pairs]})
    for name, is_due in {
        "at_least": Fraction.__ge__, "above": Fraction.__gt__, "at_most": Fraction.__le__, "below": Fraction.__lt__,
    }.items():  # fmt: skip
        condition = Condition(**{name: times}, of="y")
        expression = rule_holds(({"x": condition},), columns)
        assert expression is not None
        due = [is_due(Fraction(x), Fraction(times) * y) for x, y in pairs]
        assert chosen(frame, expression) == due
        assert [condition.holds_times(Fraction(x), Fraction(y)) for x, y in pairs] == due


def test_one_of_several_alternatives_is_enough_and_each_wants_all_its_parts(lazy: Lazy) -> None:
    table = pa.table({"a": [1, 5, 5, None], "b": ["x", "y", "x", "x"]})
    when = ({"a": Condition(at_least=3), "b": Condition(among=("x", "z"))}, {"a": Condition(missing=True)})
    expression = rule_holds(when, Columns(TINY, Currency("CNY"), kinds_of(table.schema)))
    assert expression is not None
    found = lazy(table).select(expression.alias("is")).collect("pyarrow").to_native()["is"].to_pylist()
    assert [bool(one) for one in found] == [False, False, True, True]
    assert rule_holds(({"gone": Condition(at_least=3)},), Columns(TINY, Currency("CNY"), {"a": "whole"})) is None


@given(cuts=st.lists(BOUNDS, min_size=1, max_size=5, unique=True), closed=st.booleans(), order=st.randoms())
@settings(max_examples=40, deadline=None)
def test_asked_from_the_top_down_the_lower_ends_find_the_same_band(
    cuts: list[Decimal], closed: bool, order: Any
) -> None:
    cuts = sorted(cuts)
    lower, upper = ("at_least", "below") if closed else ("above", "at_most")
    parts = [
        {**({} if low is None else {lower: low}), **({} if high is None else {upper: high})}
        for low, high in zip([None, *cuts], [*cuts, None], strict=True)
    ]
    many = [Band(**part) for part in parts]
    order.shuffle(many)
    for value in [*cuts, *(cut + Decimal("0.0005") for cut in cuts), Decimal(-99), Decimal(99)]:
        (due,) = [place for place, band in enumerate(many) if band.holds(value)]
        assert next(place for place, ask in lower_ends(many) if ask.holds(value)) == due


@given(bounds=st.lists(st.integers(-9, 9), max_size=5), values=st.lists(st.integers(-12, 12), min_size=1))
@settings(max_examples=30, deadline=None)
def test_the_first_condition_that_holds_gives_the_value(bounds: list[int], values: list[int]) -> None:
    chain = first_of([(nw.col("x") >= bound, nw.lit(place)) for place, bound in enumerate(bounds)], nw.lit(-1))
    due = [next((place for place, bound in enumerate(bounds) if value >= bound), -1) for value in values]
    frame = nw.from_native(pl.DataFrame({"x": values})).with_columns(chain.alias("got"))
    assert frame["got"].to_list() == due
