"""Names: each rule as a case, distinct always; and numbers as people write them."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierlens.segments.figures import UNKNOWN, say_value
from tierlens.segments.naming import APART, COMPARED, Trait, name_segments
from tierlens.sources.tables import Currency

POUND, YEN = Currency("GBP", {"CNY": Decimal(9)}), Currency("JPY", minor=1)


def traits(**differences):
    return {name: Trait(5.0, 9.0, value) for name, value in differences.items()}


SEEN = {"recency_days": Trait(9, 12, 0)}
CASES = [
    (traits(recency_days=0.5, monetary=0.5, frequency=0.5), "Lapsing big frequent buyers", "流失边缘的高额高频客户"),
    (traits(recency_days=-0.5, monetary=-0.5, frequency=-0.5), "Active small few-order buyers", "活跃的低额少单客户"),
    (traits(recency_days=0.49, monetary=-0.49, frequency=0.0), "Repeat buyers", "回头客"),
    (traits(frequency=0.8, regularity=0.6), "Regular buyers", "稳定客户"),
    (traits(frequency=0.8, regularity=math.nan), "Frequent buyers", "高频客户"),
    (traits(monetary=1.0), "Big customers", "高额客户"),
    (traits(spend=-1.0), "Small customers", "低额客户"),
    (traits(spend=-1.0, monetary=0.0), "Customers", "客户"),
    (traits(recency_days=-0.6, tenure_days=-0.7, frequency=0.0), "New repeat buyers", "新近的回头客"),
    (
        {**traits(recency_days=-0.6, frequency=0.0), "tenure_days": Trait(181, 300, -0.7)},
        "Active repeat buyers",
        "活跃的回头客",
    ),
    (traits(recency_days=0.6, tenure_days=-0.7, frequency=0.0), "Lapsing repeat buyers", "流失边缘的回头客"),
    (traits(recency_days=math.nan, frequency=0.0), "Repeat buyers", "回头客"),
    ({"frequency": Trait(1, 1, -0.2)}, "One-time buyers", "单次客户"),
    ({"frequency": Trait(1, 2, -0.2)}, "Buyers", "普通客户"),
    ({"frequency": Trait(1, 1, -0.2), **SEEN, "tenure_days": Trait(9, 14, 0)}, "One-time buyers", "单次客户"),
    ({"frequency": Trait(1, 1, -0.7), **SEEN, "tenure_days": Trait(400, 500, 0)}, "Few-order buyers", "少单客户"),
]


@pytest.mark.parametrize(("one", "english", "chinese"), CASES)
def test_the_words_follow_the_traits(one, english, chinese):
    assert name_segments([one]) == [(english, chinese)]


def test_segments_of_one_name_are_told_apart_by_what_differs_most():
    base = {"recency_days": -1.0, "frequency": 1.0}
    names = name_segments([traits(**base, monetary=0.2, products=0.9), traits(**base, monetary=0.1, products=-0.4)])
    assert [name.en for name in names] == [
        "Active frequent buyers, more products",
        "Active frequent buyers, fewer products",
    ]
    assert [name.zh for name in names] == ["活跃的高频客户（品种较多）", "活跃的高频客户（品种较少）"]


def test_three_of_one_name_are_split_twice():
    three = [traits(frequency=0.0, monetary=at, products=of) for at, of in ((0.4, 0), (-0.3, 1), (-0.4, -1))]
    assert [name.en for name in name_segments(three)] == [
        "Repeat buyers, more products, spending more",
        "Repeat buyers, more products, spending less",
        "Repeat buyers, fewer products",
    ]


def test_segments_that_nothing_tells_apart_are_numbered():
    same = [traits(frequency=0.0)] * 2
    assert [name.en for name in name_segments(same)] == ["Repeat buyers, group 1", "Repeat buyers, group 2"]
    assert [name.zh for name in name_segments(same)] == ["回头客（第1组）", "回头客（第2组）"]


differences = st.one_of(st.floats(-2, 2), st.just(math.nan))
segments = st.dictionaries(
    st.sampled_from([rule[0] for rule in COMPARED]), st.builds(Trait, st.floats(0, 9), st.floats(0, 9), differences)
)


@given(st.lists(segments, min_size=1, max_size=8))
def test_law_names_are_distinct_in_both_languages(several):
    names = name_segments(several)
    assert len({name.en for name in names}) == len({name.zh for name in names}) == len(several)


MEANT = [
    ("lapsing", "recency_days", 1),
    ("active", "recency_days", -1),
    ("big", "monetary", 1),
    ("small", "monetary", -1),
    ("frequent", "frequency", 1),
    ("new", "tenure_days", -1),
    ("regular", "regularity", 1),
]


@given(st.lists(segments, min_size=1, max_size=8))
def test_law_a_name_never_says_the_contrary_of_the_profile(several):
    for one, name in zip(several, name_segments(several), strict=True):
        said = name.en.split(",")[0].lower().split()
        for word, feature, sign in MEANT:
            if word in said:
                assert one[feature].difference * sign >= APART


FIGURES = [
    (51, "days", "51 days", "51天"),
    (1, "days", "1 day", "1天"),
    (7.46, "days", "7.5 days", "7.5天"),
    (16.5, "days", "16 days", "16天"),
    (1234, "orders", "1,234 orders", "1,234单"),
    (3, "months", "3 months", "3个月"),
    (59, "products", "59 products", "59种商品"),
    (341_250, "money", "3,412 GBP", "3,412 GBP"),
    (-17_900, "money", "-179 GBP", "-179 GBP"),
    (-10, "money", "0 GBP", "0 GBP"),
    (0.118, "share", "11.8%", "11.8%"),
    (1, "share", "100%", "100%"),
    (-0.35, "share", "-35%", "-35%"),
    (2.5, "ratio", "2.5", "2.5"),
    (1500.0, "ratio", "1,500", "1,500"),
    (-0.001, "ratio", "0", "0"),
    (0.02, "orders a day", "7.3 orders a year", "每年7.3单"),
    (1000.0, "money a day", "3,650 GBP a year", "每年3,650 GBP"),
    (12.345, "squared days", "12.35", "12.35"),
]


@pytest.mark.parametrize(("value", "unit", "english", "chinese"), FIGURES)
def test_numbers_as_people_write_them(value, unit, english, chinese):
    assert say_value(value, unit, POUND) == (english, chinese)


def test_bare_numbers_missing_ones_and_currencies_without_minor_units():
    assert say_value(51, "days", POUND, bare=True) == ("51", "51天")
    assert say_value(0.5, "share", POUND, bare=True) == ("50%", "50%")
    assert say_value(math.nan, "money", POUND) is UNKNOWN
    assert say_value(3412, "money", YEN).en == "3,412 JPY"
