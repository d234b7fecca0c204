"""Passwords in texts: however they are written they go, and nothing else does."""

from __future__ import annotations

import json
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierlens.passwords import MASK, without_passwords

SECRETS = st.text("abcXYZ0189-_.~", min_size=6, max_size=12)
AROUND = st.text("abc XYZ019,.;客户", max_size=8)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mysql://me:se@cret@db/crm", "mysql://me:***@db/crm"),
        ("redis://:hush@cache:6379/0", "redis://:***@cache:6379/0"),
        (
            "jdbc:postgresql://db/crm?user=me&password=hush&ssl=true",
            "jdbc:postgresql://db/crm?user=me&password=***&ssl=true",
        ),
        ("sqlite:/me:hush@file", "sqlite:/me:***@file"),
        ("from a://x:one@h to b://y:two@k", "from a://x:***@h to b://y:***@k"),
        ("SSLPASSWORD = 'a b' port=1", "SSLPASSWORD = *** port=1"),
        ('{"token": "a\\"b", "port": 1}', '{"token": ***, "port": 1}'),
        ("https://h/x?access_token=abc#top", "https://h/x?access_token=***"),
        ("dsn=x%26password%3Dhush", "dsn=x%26password%3D***"),
        ("passphrase=hush,next", "passphrase=***,next"),
        ("passwd='it''s' port=1", "passwd=*** port=1"),
        ("Driver=x;PWD={a;b}}c};Server=h", "Driver=x;PWD=***;Server=h"),
        ("password='it\\'s' user=me", "password=*** user=me"),
    ],
)
def test_spellings_of_people_and_drivers(text: str, shown: str) -> None:
    assert without_passwords(text) == shown


@pytest.mark.parametrize(
    "text",
    ["surpass=5", "compwd=3", "tokens=12", "password", "a password is due", "time 08:30@home", "C:/data/a@b.csv",
     "E-TX-012 a.csv:3:8: wrong", "mailto:me@h", "客户编号=密码"],
)  # fmt: skip
def test_words_that_only_look_like_it_stay(text: str) -> None:
    assert without_passwords(text) == text


@settings(max_examples=60)
@given(AROUND, SECRETS, AROUND)
def test_what_stands_around_an_address_stays(before: str, secret: str, after: str) -> None:
    text = f"{before} db://me:{secret}@host/x {after}"
    assert without_passwords(text) == f"{before} db://me:{MASK}@host/x {after}"


@settings(max_examples=60)
@given(st.text("ab:/@=?&'\"{} passwordtoken", max_size=40))
def test_taking_passwords_out_twice_changes_nothing_more(text: str) -> None:
    assert without_passwords(without_passwords(text)) == without_passwords(text)


@settings(max_examples=60)
@given(st.text(min_size=1, max_size=8), st.sampled_from(["me", "张"]))
def test_an_address_without_its_password_is_the_same_address(secret: str, person: str) -> None:
    address = f"postgresql://{quote(person)}:{quote(secret, safe='')}@db.example:5433/crm"
    shown, given_ = urlsplit(without_passwords(address)), urlsplit(address)
    assert (shown.username, shown.hostname, shown.port, shown.path) == (
        given_.username, given_.hostname, given_.port, given_.path,
    )  # fmt: skip
    assert shown.password == MASK


@settings(max_examples=60)
@given(SECRETS)
def test_settings_as_json_lose_their_password_and_no_other(secret: str) -> None:
    text = json.dumps({"host": "h", "password": secret, "port": 5432, "pwd": secret})
    shown = without_passwords(text)
    assert secret not in shown
    assert '"host": "h"' in shown
    assert '"port": 5432' in shown
