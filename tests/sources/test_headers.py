"""Which column is which."""

from __future__ import annotations

import pytest

from tierlens.errors import DataError
from tierlens.sources.declared.source import ROLES, Columns
from tierlens.sources.parsing.header_matching import ALIASES, match_roles, name_blanks

NEEDED = ["customer_id", "time", "amount"]


def places(headers: list[str], columns: Columns | None = None, currency: str = "CNY") -> dict[str, int]:
    roles = match_roles(headers, columns or Columns(), currency, "a.csv")
    return {role: header.place for role, header in roles.items()}


@pytest.mark.parametrize("role", ROLES)
def test_every_alias_is_found_in_any_spelling(role: str) -> None:
    for alias in ALIASES[role].split():
        others = [name for name in NEEDED if name != role]
        for spelled in (alias, alias.upper(), alias.replace("_", " ").title(), f" {alias}\u200b"):
            assert places([*others, spelled])[role] == len(others)


def test_no_alias_stands_for_two_roles() -> None:
    names = [alias for words in ALIASES.values() for alias in words.split()]
    assert len(set(names)) == len(names)


def test_a_declared_header_wins_and_null_is_not_read() -> None:
    headers = ["customer_id", "time", "amount", "buyer", "kind"]
    assert places(headers, Columns(customer_id="buyer", kind=None)) == {"customer_id": 3, "time": 1, "amount": 2}


def test_unknown_columns_are_left_alone() -> None:
    assert places(["remark", "time", "customer_id", "备注", "amount"]) == {"customer_id": 2, "time": 1, "amount": 4}


@pytest.mark.parametrize(
    ("headers", "columns", "code", "words"),
    [
        (["customer_id", "time", "time", "amount"], Columns(), "E-TX-011", "two columns are called 'time'"),
        (["customer_id", "time", "日期", "amount"], Columns(), "E-TX-012", "could each be time"),
        (
            ["customer_id", "time", "amount"],
            Columns(time="tine"),
            "E-TX-118",
            "there is no column 'tine'; the file has: time",
        ),
        (["customer_id", "amount"], Columns(), "E-TX-119", "no column for time"),
        (["customer_id", "time", "price"], Columns(), "E-TX-119", "quantity and price"),
        (["customer_id", "time", "amount ($)"], Columns(amount="amount ($)"), "E-TX-041", "amounts in"),
    ],
)
def test_what_is_refused(headers: list[str], columns: Columns, code: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        match_roles(headers, columns, "CNY", "a.csv")
    assert caught.value.code == code
    assert words in str(caught.value)


def test_a_header_in_another_currency_is_legal_beside_a_currency_column() -> None:
    assert places(["customer_id", "time", "amount (USD)", "currency"])["amount"] == 2


@pytest.mark.parametrize(
    ("header", "unit"), [("金额(万元)", "万"), ("金额（億）", "亿"), ("amount (RMB)", ""), ("amount [net]", "")]
)
def test_units(header: str, unit: str) -> None:
    assert match_roles(["customer_id", "time", header], Columns(), "CNY", "a.csv")["amount"].unit == unit


def test_blank_headers_are_called_by_their_place() -> None:
    assert name_blanks(["a", None, " \ufeff"]) == ("a", "column 2", "column 3")
