"""No text of the data becomes a formula or hides what it is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierlens.publish.files.safe_text import guarded_text, plain_text
from tierlens.spreadsheets import is_formula_like


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('=HYPERLINK("x")', '\'=HYPERLINK("x")'),
        ("+8613800000000", "'+8613800000000"),
        ("@x", "'@x"),
        ("-5", "-5"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
        ("\u202e=1", "'=1"),
        ("\u0000=1", "'=1"),
        ("a=1", "a=1"),
        ("阿里😀𠮷", "阿里😀𠮷"),
        ("", ""),
    ],
)
def test_cases(text: str, shown: str) -> None:
    assert guarded_text(text) == shown


@given(st.text())
def test_nothing_guarded_starts_a_formula(text: str) -> None:
    assert not is_formula_like(guarded_text(text))


@given(st.text())
def test_a_guard_adds_one_apostrophe_or_nothing(text: str) -> None:
    assert guarded_text(text).removeprefix("'") == plain_text(text).removeprefix("'")
    assert is_formula_like(plain_text(text)) == (guarded_text(text) != plain_text(text))


@given(st.text())
def test_no_control_or_direction_character_is_left(text: str) -> None:
    kept = plain_text(text)
    assert all(letter in "\t\n\r" or unicodedata.category(letter) not in {"Cc", "Cs"} for letter in kept)
    assert not any(
        unicodedata.bidirectional(letter) in {"RLO", "LRO", "RLI", "LRI", "PDF", "PDI", "FSI"} for letter in kept
    )


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_what_is_readable_stays(text: str) -> None:
    assert plain_text(text) == text
