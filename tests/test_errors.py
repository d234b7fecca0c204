"""Errors of tierlens: what they say in both languages, what they are to Python, and how they travel."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierlens.errors import BusyError, DataError, MissingExtraError, SchemeError, TierlensError, UsageError
from tierlens.words import Text

WHAT, FIX = Text("the file is empty", "文件为空"), Text("export it again", "请重新导出")
KINDS: list[type[TierlensError]] = [TierlensError, UsageError, DataError, SchemeError, BusyError]
AGAIN: list[Callable[[TierlensError], TierlensError]] = [
    copy.copy,
    copy.deepcopy,
    lambda error: pickle.loads(pickle.dumps(error)),
]


@pytest.mark.parametrize(
    ("where", "fix", "english", "chinese"),
    [
        ("", None, "E-X-1: the file is empty", "E-X-1：文件为空"),
        ("a.csv:3", None, "E-X-1 a.csv:3: the file is empty", "E-X-1 a.csv:3：文件为空"),
        ("", FIX, "E-X-1: the file is empty; export it again", "E-X-1：文件为空；请重新导出"),
        ("a.csv", FIX, "E-X-1 a.csv: the file is empty; export it again", "E-X-1 a.csv：文件为空；请重新导出"),
    ],
)
def test_an_error_is_one_sentence_in_each_language(where: str, fix: Text | None, english: str, chinese: str) -> None:
    error = TierlensError("E-X-1", WHAT, where=where, fix=fix)
    assert (error.say("en"), error.say("zh"), str(error)) == (english, chinese, english)


@pytest.mark.parametrize(
    ("kind", "code", "caught_as"),
    [
        (TierlensError, 1, Exception),
        (UsageError, 2, ValueError),
        (SchemeError, 2, UsageError),
        (DataError, 3, ValueError),
        (BusyError, 4, TierlensError),
    ],
)
def test_each_kind_has_its_exit_code_and_its_place_in_python(
    kind: type[TierlensError], code: int, caught_as: type[Exception]
) -> None:
    with pytest.raises(caught_as) as caught:
        raise kind("E-X-1", WHAT)
    assert isinstance(caught.value, TierlensError)
    assert caught.value.exit_code == code


def test_a_missing_extra_is_an_import_error_that_names_the_command() -> None:
    with pytest.raises(ImportError) as caught:
        raise MissingExtraError("excel", "python-calamine")
    error = caught.value
    assert isinstance(error, MissingExtraError)
    assert (error.exit_code, error.code) == (5, "E-EX-001")
    assert "pip install 'tierlens[excel]'" in error.say("en")
    assert "python-calamine" in error.say("zh")


@pytest.mark.parametrize("again", AGAIN)
@pytest.mark.parametrize("kind", KINDS)
def test_an_error_of_a_worker_arrives_as_it_was_raised(
    kind: type[TierlensError], again: Callable[[TierlensError], TierlensError]
) -> None:
    error = kind("E-X-1", WHAT, where="a.csv:3", fix=FIX)
    arrived = again(error)
    assert type(arrived) is kind
    assert (arrived.code, arrived.what, arrived.where, arrived.fix) == ("E-X-1", WHAT, "a.csv:3", FIX)
    assert str(arrived) == str(error)


@pytest.mark.parametrize("again", AGAIN)
def test_a_missing_extra_of_a_worker_arrives_too(again: Callable[[TierlensError], TierlensError]) -> None:
    error = MissingExtraError("spark", "pyspark")
    assert (type(again(error)), str(again(error))) == (MissingExtraError, str(error))


@settings(max_examples=40)
@given(st.text("abcXYZ019", min_size=6, max_size=12))
def test_no_part_of_an_error_holds_a_password(secret: str) -> None:
    address = f"postgresql://me:{secret}@db/crm?password={secret}"
    error = DataError("E-X-1", Text(address, address), where=address, fix=Text(address, address))
    shown = [str(error), repr(error), error.say("zh"), error.where, *error.what, *(error.fix or ())]
    assert not [text for text in shown if f":{secret}@" in text or f"={secret}" in text]
    assert all("postgresql://me:***@db/crm?password=***" in text for text in shown)
