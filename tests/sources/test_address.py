"""Addresses of servers: nothing that is shown, told or kept has a password in it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sources.shop import source_of
from tierlens.errors import DataError, UsageError
from tierlens.passwords import without_passwords
from tierlens.sources.declared.source import Source
from tierlens.sources.read import read_tables
from tierlens.sources.staging.files import expand_paths
from tierlens.sources.staging.server_address import (
    HIDDEN,
    configuration_without_passwords,
    hushed_message,
    shown_address,
)
from tierlens.words import Text
from tierlens.workspace.config import RunConfig, load_config

WHOLE = "postgresql://me:hush@db.example:5433/crm?password=hush&sslmode=require"
BROKEN = (
    "postgresql://me:hu/sh@h:5432/db", "postgresql://me:12/hush@h/db", "postgresql://me:hu#sh@h/db",
    "postgresql://me:12?hush@h/db", "postgresql://[me:hush@h/db", "postgresql://h/db?password=a@hush",
    "postgresql://me:hush@h1:1,h2:2/db",
)  # fmt: skip


def test_a_whole_address_is_shown_without_person_and_kept_without_password() -> None:
    assert shown_address(WHOLE) == "postgresql://db.example:5433/crm"
    assert configuration_without_passwords({"tables": {"tickets": (WHOLE, 1, None, "hush.csv")}}) == {
        "tables": {"tickets": ["postgresql://me@db.example:5433/crm?sslmode=require", 1, None, "hush.csv"]}
    }


@pytest.mark.parametrize("address", BROKEN)
def test_nothing_of_an_unclear_address_is_shown_or_kept(address: str) -> None:
    assert shown_address(address) == configuration_without_passwords(address) == HIDDEN


def test_what_a_driver_says_is_told_without_the_private_pieces() -> None:
    address = "postgresql://me:hu sh@h/db"
    assert hushed_message('unexpected spaces found in "hu sh"', address) == 'unexpected spaces found in "..."'
    assert hushed_message('server at "h": no role "you"', address) == 'server at "h": no role "you"'


@pytest.mark.parametrize("address", [*BROKEN[:2], "postgresql://me:hu%zzsh@127.0.0.1:1/db", "postgresql://h:99999/db"])
def test_a_broken_address_is_refused_in_words(address: str) -> None:
    pytest.importorskip("adbc_driver_postgresql")
    with pytest.raises(DataError, match="E-TX-126 postgresql://") as caught:
        read_tables(source_of(Path("x"), files=f"{address}?connect_timeout=1"))
    assert "hu%zzsh" not in str(caught.value)


def test_a_server_is_no_file_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n", encoding="utf-8")
    assert expand_paths((WHOLE, str(tmp_path / "a.csv"))) == [tmp_path / "a.csv"]
    assert expand_paths((WHOLE,)) == []


def test_a_run_keeps_no_password() -> None:
    given = {"name": "t", "source": {"files": WHOLE, "table": "sales", "currency": "CNY"}, "cutoff": "2025-03-01",
             "risk": {"first_cutoff": "2024-08-01"}}  # fmt: skip
    told = configuration_without_passwords(RunConfig.model_validate(given).model_dump(mode="json"))
    assert "hush" not in str(told)
    assert RunConfig.model_validate(told).source.files == ("postgresql://me@db.example:5433/crm?sslmode=require",)


PASSWORDS = st.text("abcXYZ0189!#$^*_+~.?%=@:/", min_size=6).filter(lambda text: text.strip(".?") == text)
ADDRESSES = (
    "postgresql://me:{}@db.example/crm", "POSTGRESQL://me:{}@db.example:5433/crm", "mysql://me:{}@db.example/crm",
    "postgresql+psycopg2://me:{}@db.example/crm", "postgresql://me@db.example/crm?password={}",
    "postgresql://me@db.example/crm?sslmode=require&PassWord={}",
)  # fmt: skip
KEYS = ("host=db user=me password={}", "password='{}' port=1", 'settings {{"password": "{}"}}', "PGPASSWORD={} psql")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ADDRESSES), PASSWORDS)
def test_no_spelling_of_an_address_lets_its_password_out(form: str, password: str) -> None:
    for secret in (quote(password, safe=""), password) if "?" not in form else (quote(password, safe=""),):
        address = form.format(secret)
        shown = [without_passwords(address), str(configuration_without_passwords({"files": [address]})), *told(address)]
        assert not [text for text in shown if secret in text]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(KEYS), PASSWORDS)
def test_no_spelling_of_a_setting_lets_its_password_out(form: str, password: str) -> None:
    text = form.format(password)
    assert not [said for said in (without_passwords(text), *told(text)) if password in said]


def told(text: str) -> list[str]:
    error = DataError("E-X", Text(f"cannot open {text}", f"无法打开 {text}"), where=text)
    return [error.say("en"), error.say("zh"), str(error), error.where]


@pytest.mark.parametrize("address", [form.format("hunter2-pw") for form in (*ADDRESSES[2:4], KEYS[0])])
def test_a_refused_address_is_told_without_its_password(address: str) -> None:
    with pytest.raises(ValueError, match="addresses are not read") as caught:
        Source(files=address, currency="CNY")
    assert "hunter2" not in str(caught.value)
    assert "//me" not in str(caught.value)


@pytest.mark.parametrize("text", ["a@b.c", "no password: given", "orders.csv:3:time", "C:\\data\\a.csv", "http://h/x"])
def test_texts_without_a_password_stay(text: str) -> None:
    assert without_passwords(text) == text


@pytest.mark.parametrize("address", ["mysql://me@h/x", "host=h password=x", "postgresql+psycopg2://me@h/x", "s3://b/a"])
def test_servers_of_other_kinds_are_refused_by_name(address: str) -> None:
    with pytest.raises(
        ValueError, match="addresses are not read; what is read: files, and postgresql://user@host/database"
    ):
        Source(files=address, currency="CNY")


def test_an_address_in_capitals_is_one() -> None:
    assert Source(files="POSTGRES://me@h/x", currency="CNY").files == ("postgres://me@h/x",)


def test_an_address_in_the_place_of_a_run_file_is_told_as_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^E-RU-063: mysql: is an address, not a run file") as caught:
        load_config(Path("mysql://someone:hunter2@h/db"))
    assert not [word for word in ("hunter2", "someone") if word in str(caught.value)]
