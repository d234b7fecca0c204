"""Texts that a spreadsheet would run: what people open runs nothing, and what they read is what stood there."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierlens.spreadsheets import inert_text, is_formula_like

STARTS = "=+-@＝＋－＠\t\r\n"
BLANKS = " \u00a0\u3000"
TEXTS = st.text(st.sampled_from([*STARTS, *BLANKS, *"0159.,%aA'客"]), max_size=8)


def by_hand(text: str) -> bool:
    """Walk over the blanks, look at what stands there, and let a number with a minus be one."""
    place = 0
    while place < len(text) and text[place] in BLANKS:
        place += 1
    if place == len(text) or text[place] not in STARTS:
        return False
    body = text[1:-1] if text.endswith("%") else text[1:]
    is_number = text[0] == "-" and body != "" and all(sign in "0123456789.," for sign in body)
    return not is_number


@settings(max_examples=200)
@given(TEXTS)
def test_a_walk_over_the_signs_finds_the_same_formulas(text: str) -> None:
    assert is_formula_like(text) == by_hand(text)


@settings(max_examples=100)
@given(TEXTS)
def test_making_a_text_harmless_twice_changes_nothing_more(text: str) -> None:
    assert inert_text(inert_text(text)) == inert_text(text)
    assert not is_formula_like(inert_text(text))
    assert inert_text(text) in (text, f"'{text}")


@settings(max_examples=50)
@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_a_row_of_a_csv_comes_back_with_its_apostrophes(row: list[str]) -> None:
    sink = io.StringIO(newline="")
    csv.writer(sink).writerow(map(inert_text, row))
    (back,) = csv.reader(io.StringIO(sink.getvalue(), newline="")) if any(row) else ([inert_text(one) for one in row],)
    assert [one.removeprefix("'") for one in back] == [one.removeprefix("'") for one in row]
    assert not any(map(is_formula_like, back))


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("-12.50", "-12.50"),
        ("-1,234.5%", "-1,234.5%"),
        ("-1e5", "'-1e5"),
        ("- 5", "'- 5"),
        ("-5-3", "'-5-3"),
        ("+86 138", "'+86 138"),
        ("\u3000＠SUM(A1)", "'\u3000＠SUM(A1)"),
        ("\u00a0=1", "'\u00a0=1"),
        ("a=1", "a=1"),
        (None, ""),
        ("", ""),
    ],
)
def test_cells_as_people_have_written_them(text: str | None, harmless: str) -> None:
    assert inert_text(text) == harmless
