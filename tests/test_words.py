"""Texts in two languages, and those of which others are told less."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierlens.words import Private, Text, composed_text, to_share

SECRET = Private.of(Text("Zhang bought for 5 CNY", "张某消费 5 元"), Text("somebody bought", "某客户有消费"))
PLAIN = st.builds(Text, st.text("abc ", max_size=5), st.text("甲乙丙", max_size=5))
PARTS = st.lists(st.one_of(PLAIN, st.just(SECRET)), max_size=5)


def joined(parts: Sequence[Text]) -> Text:
    return Text("; ".join(part.en for part in parts), "；".join(part.zh for part in parts))


def test_a_text_is_its_two_languages_in_order() -> None:
    english, chinese = Text("tier", "等级")
    assert [Text("tier", "等级").say("en"), Text("tier", "等级").say("zh")] == [english, chinese] == ["tier", "等级"]


@pytest.mark.parametrize(
    ("pattern", "values", "said"),
    [
        (Text("{n} rows", "{n} 行"), {"n": 3}, ("3 rows", "3 行")),
        (
            Text("{n:,} of {m}", "{m} 中的 {n:,}"),
            {"n": 1234567, "m": "all"},
            ("1,234,567 of all", "all 中的 1,234,567"),
        ),
        (Text("{name!r}", "{name!r}"), {"name": "a b"}, ("'a b'", "'a b'")),
        (Text("{{{n}}}", "{{{n}}}"), {"n": "x"}, ("{x}", "{x}")),
        (Text("plain", "{n} 行"), {"n": 1}, ("plain", "1 行")),
    ],
)
def test_values_are_filled_into_both_languages(pattern: Text, values: dict[str, object], said: tuple[str, str]) -> None:
    assert pattern.fill(**values) == said


def test_a_value_that_looks_like_a_place_is_not_filled_again() -> None:
    assert Text("{a} and {b}", "{a}与{b}").fill(a="{b}", b="x") == ("{b} and x", "{b}与x")


@settings(max_examples=60)
@given(PARTS)
def test_what_is_made_of_parts_tells_others_what_its_parts_do(parts: list[Text]) -> None:
    made = composed_text(joined, parts)
    assert made == joined(parts)
    assert to_share(made) == joined([to_share(part) for part in parts])
    assert isinstance(made, Private) == any(isinstance(part, Private) for part in parts)
    assert "Zhang" not in to_share(made).en
    assert "张" not in to_share(made).zh


@settings(max_examples=30)
@given(PARTS, PARTS)
def test_made_of_what_was_made_is_made_of_all(first: list[Text], second: list[Text]) -> None:
    nested = composed_text(joined, [composed_text(joined, first), composed_text(joined, second)])
    assert to_share(nested) == joined([joined([*map(to_share, first)]), joined([*map(to_share, second)])])


def test_what_a_secret_is_not_part_of_stays_open() -> None:
    made = composed_text(lambda parts: parts[1], [SECRET, Text("open", "公开")])
    assert to_share(made) is made


def test_a_secret_stays_one_when_values_are_filled_into_it() -> None:
    pattern = Private.of(Text("{name} spent {n}", "{name}消费 {n}"), Text("a customer spent", "某客户消费"))
    filled = pattern.fill(name="Zhang", n=5)
    assert filled == ("Zhang spent 5", "Zhang消费 5")
    assert to_share(filled) == ("a customer spent", "某客户消费")


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda text: pickle.loads(pickle.dumps(text))])
def test_a_copy_of_a_secret_keeps_it(again: object) -> None:
    assert callable(again)
    assert again(SECRET) == SECRET
    assert to_share(again(SECRET)) == to_share(SECRET)
