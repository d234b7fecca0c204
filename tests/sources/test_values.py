"""What people write, one text at a time: laws and tables."""

# ruff: noqa: DTZ001 - business times are naive

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierlens.sources.messages.row_reasons import QUARANTINE
from tierlens.sources.parsing.parse_values import SIGNS, clean_id, parse_number, parse_time

ZONE = "Asia/Shanghai"
DECIMALS = st.decimals(-(10**9), 10**9, places=2)
TIMES = st.datetimes(dt.datetime(1950, 1, 1), dt.datetime(2100, 1, 1))


@given(st.text())
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = clean_id(text)
    assert once is None or once.strip() == once != ""
    if once and once.isascii():
        assert clean_id(once) == once


@given(st.text("abcXYZ0189-_/", min_size=1))
def test_plain_ids_are_left_alone(text: str) -> None:
    assert clean_id(text) == text


@given(DECIMALS)
def test_numbers_come_back_in_every_spelling(number: Decimal) -> None:
    bare = f"{abs(number):,}"
    spellings = [
        str(number),
        f"{number:,}",
        f"{'-' if number < 0 else ''}￥{bare}",
        f"({bare})" if number < 0 else f"{bare} 元",
    ]
    for text in spellings:
        read = parse_number(text, "CNY")
        assert read.fault is None
        assert Decimal(read.value or "nan") == number


@pytest.mark.parametrize("currency", sorted(SIGNS))
def test_every_currency_knows_its_own_signs(currency: str) -> None:
    for sign in (*SIGNS[currency], currency):
        assert parse_number(f"{sign}12", currency).value == "12"
        assert parse_number(f"12 {sign}", currency).value == "12"


@pytest.mark.parametrize(
    ("text", "value", "fault"),
    [
        ("12.", "12", None),
        (".5", "0.5", None),
        ("+7", "7", None),
        ("−7", "-7", None),
        ("1e3", "1000", None),
        ("-￥5", "-5", None),
        ("￥-5", "-5", None),
        ("", None, None),
        (" \u200b", None, None),
        ("1,23", None, "bad_number"),
        ("1,2345", None, "bad_number"),
        ("1.234,50", None, "bad_number"),
        (".", None, "bad_number"),
        ("--5", None, "bad_number"),
        ("-(5)", None, "bad_number"),
        ("10²", None, "bad_number"),
        ("١٢", None, "bad_number"),
        ("0x10", None, "bad_number"),
        ("1_000", None, "bad_number"),
        ("八", None, "bad_number"),
        ("US$ 5", None, "foreign_sign"),
        ("5 EUR", None, "foreign_sign"),
        ("-inf", None, "non_finite"),
        ("Infinity", None, "non_finite"),
        ("NaN", None, "non_finite"),
        ("1e999", None, "non_finite"),
    ],
)
def test_numbers(text: str, value: str | None, fault: str | None) -> None:
    read = parse_number(text, "CNY")
    assert (read.value, read.fault) == (value, fault)


def test_any_sign_is_taken_off_where_a_column_names_the_currency() -> None:
    assert parse_number("$5", "CNY", any_sign=True).value == "5"


@given(st.text(max_size=12))
def test_numbers_never_raise(text: str) -> None:
    read = parse_number(text, "CNY")
    assert read.fault is None or read.fault in QUARANTINE
    assert read.value is None or Decimal(read.value).is_finite()


@given(TIMES)
def test_times_come_back_in_every_spelling(time: dt.datetime) -> None:
    minute = time.replace(second=0, microsecond=0)
    spellings = {
        time.isoformat(): time,
        time.isoformat(sep=" "): time,
        f"{time:%Y/%m/%d %H:%M}": minute,
        f"{time:%Y.%m.%d}": minute.replace(hour=0, minute=0),
        f"{time.year}年{time.month}月{time.day}日 {time.hour}:{time.minute:02d}": minute,
        f"{time:%Y%m%d%H%M%S}": time.replace(microsecond=0),
        f"{time:%Y-%m-%d %I:%M %p}": minute,
    }
    for text, meant in spellings.items():
        assert parse_time(text, ZONE).time == meant


@given(TIMES, st.sampled_from(["Asia/Shanghai", "Europe/London", "America/New_York", "UTC"]), st.integers(-12, 14))
def test_offsets_are_moved_to_the_business_zone(time: dt.datetime, zone: str, hours: int) -> None:
    aware = time.replace(tzinfo=dt.timezone(dt.timedelta(hours=hours)))
    read = parse_time(aware.isoformat(), zone)
    assert read.time == aware.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert read.moved


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("2026-02-30", "bad_date"),
        ("2026-1", "bad_date"),
        ("2026-01-05 25:00", "bad_date"),
        ("2026-01-05 24:01", "bad_date"),
        ("2026-01-05 13:00 PM", "bad_date"),
        ("2026-01-05 8:30 +25", "bad_date"),
        ("2026-01-05 and more", "bad_date"),
        ("2026-01-055", "bad_date"),
        ("5/6/26", "bad_date"),
        ("05/06/2026", "bad_date"),
        ("46023", "serial_date"),
        ("9999-12-31 23:59:59", "sentinel_date"),
        ("0000-00-00", "sentinel_date"),
        ("1900年1月1日", "sentinel_date"),
        ("", None),
    ],
)
def test_times_at_fault(text: str, fault: str | None) -> None:
    read = parse_time(text, ZONE)
    assert (read.time, read.fault) == (None, fault)


@pytest.mark.parametrize(("day_first", "month"), [(True, 6), (False, 5)])
def test_the_reading_of_a_slashed_date_is_told(day_first: bool, month: int) -> None:
    read = parse_time("05/06/2026 8:30", ZONE, day_first=day_first)
    assert read.time is not None
    assert read.time.month == month


@pytest.mark.parametrize(
    ("text", "form", "time"),
    [
        ("05.06.26", "%d.%m.%y", dt.datetime(2026, 6, 5)),
        ("2026-06-30 16:00 +0000", "%Y-%m-%d %H:%M %z", dt.datetime(2026, 7, 1)),
        ("5 June", "%d.%m.%y", None),
        ("31.12.9999", "%d.%m.%Y", None),
    ],
)
def test_a_declared_format_alone_is_tried(text: str, form: str, time: dt.datetime | None) -> None:
    assert parse_time(text, ZONE, form).time == time


@given(st.text("0123456789-/.:年月日TZ +", max_size=24))
def test_times_never_raise(text: str) -> None:
    read = parse_time(text, ZONE, day_first=True)
    assert read.fault is None or read.fault in QUARANTINE
