"""One text at a time: ids, numbers and times as people write them.

The reader settles plain values in the engine and hands only the others to these functions. Each is pure, and says in
its result what it changed (``changed``) or why it gave up (``fault``, a key of
:data:`tierlens.sources.messages.row_reasons.QUARANTINE`).
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

# Spaces, joiners, fillers, marks, tags and direction signs that nobody sees, and control characters but white space.
INVISIBLE = re.compile(
    "[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
LOOKALIKES = str.maketrans(
    "АВЕЅЗІЈКМНОРСТУХаеоԛрсуѕхіјԁһԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧοΫ", "ABES3IJKMHOPCTYXaeoqpcysxijdhwABEZHIKMNOPTYXoY"
)
"""Cyrillic and Greek letters that look like Latin ones (a part of Unicode's list of confusables)."""
JOINERS = "\u200c\u200d"  # they shape emoji and letters, and are kept in texts
SIGNS = {
    "CNY": ("¥", "RMB", "人民币", "元", "圆", "CN¥"),
    "JPY": ("¥", "円", "JP¥"),
    "GBP": ("£",),
    "USD": ("US$", "$"),
    "EUR": ("€",),
    "HKD": ("HK$", "$"),
    "TWD": ("NT$", "$"),
    "SGD": ("S$", "$"),
    "AUD": ("A$", "$"),
    "CAD": ("C$", "$"),
}
ALL_SIGNS = sorted({sign for signs in SIGNS.values() for sign in signs} | set(SIGNS) | {"₩", "₹", "₽"})
ALL_SIGNS.sort(key=len, reverse=True)
MEASURES = ("分", "人", "名")
UNITS = {"万": Decimal(10_000), "萬": Decimal(10_000), "亿": Decimal(100_000_000), "億": Decimal(100_000_000)}
TOTALS = frozenset(
    {
        "合计",
        "合計",
        "总计",
        "總計",
        "小计",
        "小計",
        "总和",
        "累计",
        "total",
        "totals",
        "subtotal",
        "sub total",
        "grand total",
        "sum",
    }
)
PURCHASES = frozenset({"purchase", "sale", "sales", "order", "buy", "购买", "購買", "销售", "銷售", "消费", "消費"})
RETURNS = frozenset(
    {"return", "returned", "refund", "cancellation", "credit", "退货", "退貨", "退款", "退单", "退單", "冲红", "沖紅"}
)
YES = frozenset(
    {"1", "y", "yes", "true", "t", "ok", "是", "有", "可", "可以", "同意", "已同意", "允许", "允許", "✓", "√", "☑"}
    | {"已续约", "续约", "续签", "已续签", "已續約", "續約"}
)
NO = frozenset(
    {"0", "n", "no", "false", "f", "否", "无", "無", "不", "不可", "不可以", "不同意", "未同意", "x", "×", "✗"}
    | {"拒绝", "拒絕", "禁止", "未续约", "未续签", "未續約"}
)
SENTINELS = frozenset({"9999-12-31", "0000-00-00", "1900-01-01", "0001-01-01"})

_PLAIN = re.compile(r"([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)?(\.[0-9]*)?(?:[eE][+-]?[0-9]{1,2})?")
_ENDLESS = re.compile(r"inf(inity)?|nan|[0-9][0-9.,]*e\+?[0-9]{3,}", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?:\s*日|(?!\d))", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?!\d)", re.ASCII)
_PACKED = re.compile(r"(\d{4})(\d{2})(\d{2})[T ]?(\d{2})(\d{2})(\d{2})?(?!\d)", re.ASCII)
_SLASHED = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?!\d)", re.ASCII)
_CLOCK = re.compile(
    r"(\d{1,2}):(?:(\d{1,2})(?::(?:(\d{1,2})(?:[.,](\d{1,9}))?)?)?)?\s*([AaPp]\.?[Mm]\.?)?(?!\d)", re.ASCII
)
_OFFSET = re.compile(r"[Zz]|(?:UTC|GMT)?([+-])(\d{2}):?(\d{2})?", re.ASCII)
_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xFFE5: 0xA5, 0xFFE1: 0xA3}
_HALF_WIDTH |= {0x2212: 0x2D, 0x2013: 0x2D}  # a typographic minus or dash
_CHINESE_CLOCK = {ord(mark): ":" for mark in "时時点點分"} | {ord("秒"): ""}


def _plain_text(text: str | None) -> str:
    """Return a text with half-width forms and without what nobody sees."""
    return INVISIBLE.sub("", text or "").translate(_HALF_WIDTH).strip()


def clean_id(text: str | None) -> str | None:
    """Return an id as text: without spaces around it, invisible characters and full-width forms; case is kept.

    Only emptiness is missing: ``NA``, ``null`` and ``None`` are ids.

    Examples
    --------
    >>> clean_id(" Ｃ１\u200b "), clean_id("00123"), clean_id("NA"), clean_id("  ")
    ('C1', '00123', 'NA', None)
    """
    if text is None:
        return None
    return unicodedata.normalize("NFKC", INVISIBLE.sub("", text)).strip() or None


def clean_text(text: str | None) -> str | None:
    r"""Return a text as people see it: no control or direction characters, no spaces around it; all else is kept.

    Examples
    --------
    >>> clean_text(" \u202e𠮷野家🙂\t"), clean_text(" ")
    ('𠮷野家🙂', None)
    """
    if text is None:
        return None
    kept = (" " if c in "\t\r\n" else c for c in text if c in JOINERS or c in "\t\r\n" or not _is_hidden(c))
    return "".join(kept).strip() or None


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf")


class Number(NamedTuple):
    """A number as it was read.

    Parameters
    ----------
    value : str or None
        A plain decimal, the unit not yet applied; None when missing or at fault.
    unit : str
        ``万``, ``亿`` or nothing.
    changed : bool
        Whether separators, signs or full-width digits were taken away.
    fault : str or None
        Key of the reason it cannot be used for.
    """

    value: str | None
    unit: str = ""
    changed: bool = False
    fault: str | None = None


def _without_sign(text: str, currency: str, any_sign: bool) -> str | None:
    """Take a currency sign off either end; None when it is another currency's."""
    own = {currency, *SIGNS.get(currency, ())}
    for sign in ALL_SIGNS if currency in ALL_SIGNS else [currency, *ALL_SIGNS]:
        if text.startswith(sign) or text.endswith(sign):
            if not any_sign and sign not in own:
                return None
            return text.removeprefix(sign).removesuffix(sign).strip()
    return text


def _split_minus(text: str) -> tuple[str, str]:
    """Return the sign and the rest; accounting brackets are a minus."""
    if text.startswith("(") and text.endswith(")"):
        return "-", text[1:-1].strip()
    if text[:1] in "+-" and text:
        return ("-" if text[0] == "-" else ""), text[1:].strip()
    return "", text


def parse_number(text: str | None, currency: str, any_sign: bool = False) -> Number:
    """Read a number as people write it.

    Parameters
    ----------
    text : str or None
        For example ``1,234.50``, ``￥100``, ``(123)``, ``１２３４``, ``1.2万``.
    currency : str
        Its own sign is taken off; another currency's is a fault.
    any_sign : bool
        Take off any currency's sign, because a column of its own names the currency.

    Examples
    --------
    >>> parse_number("￥1,234.50", "CNY")
    Number(value='1234.50', unit='', changed=True, fault=None)
    >>> parse_number("(1.2万)", "CNY")
    Number(value='-1.2', unit='万', changed=True, fault=None)
    >>> parse_number("$5", "CNY").fault, parse_number("1e400", "CNY").fault, parse_number("five", "CNY").fault
    ('foreign_sign', 'non_finite', 'bad_number')
    """
    clean = _plain_text(text)
    if not clean:
        return Number(None)
    minus, rest = _split_minus(clean)
    bare = _without_sign(rest, currency, any_sign)
    if bare is None:
        return Number(None, fault="foreign_sign")
    second, bare = _split_minus(bare) if not minus else ("", bare)
    unit = bare[-1:] if bare[-1:] in UNITS else ""
    value, fault = _plain(bare.removesuffix(unit).strip() if unit else bare)
    if fault or value is None:
        return Number(None, fault=fault)
    unit = {"萬": "万", "億": "亿"}.get(unit, unit)
    return Number(minus + second + value, unit, changed=value != text)


def parse_figure(text: str | None) -> Number:
    """Read a number that is no money: a score, a share, a head count.

    Parameters
    ----------
    text : str or None
        For example ``7.5``, ``8分``, ``85%``, ``1.2万人``, ``１２``.

    Examples
    --------
    >>> parse_figure("85%"), parse_figure("8分").value, parse_figure("1.2万人")[:2], parse_figure("￥5").fault
    (Number(value='85', unit='%', changed=True, fault=None), '8', ('1.2', '万'), 'bad_number')
    """
    clean = _plain_text(text).replace("％", "%")
    for measure in MEASURES:
        clean = clean.removesuffix(measure).rstrip()
    share = clean.endswith("%")
    read = parse_number(clean.removesuffix("%").rstrip(), "")
    if read.fault or read.value is None:
        fault = "bad_number" if read.fault == "foreign_sign" or (clean and not read.fault) else read.fault
        return Number(None, fault=fault)
    return Number(read.value, "%" if share else read.unit, changed=read.value != text)


def _plain(text: str) -> tuple[str | None, str | None]:
    """Return a plain decimal, or a fault."""
    if _ENDLESS.fullmatch(text):
        return None, "non_finite"
    digits = _PLAIN.fullmatch(text)
    if digits is None or not (digits.group(1) or (digits.group(2) or ".") != "."):
        return None, "bad_number"
    return f"{Decimal(text.replace(',', '')):f}", None


class Moment(NamedTuple):
    """A time as it was read.

    Parameters
    ----------
    time : datetime or None
        In the business time zone, without an offset.
    changed : bool
        Whether it stood in another form than ``2026-01-05 08:30``.
    moved : bool
        Whether it carried an offset and was moved to the business time zone.
    fault : str or None
        Key of the reason it cannot be used for.
    """

    time: dt.datetime | None
    changed: bool = False
    moved: bool = False
    fault: str | None = None


def parse_time(text: str | None, zone: str, date_format: str | None = None, day_first: bool | None = None) -> Moment:
    """Read a time as people write it.

    Parameters
    ----------
    text : str or None
        For example ``2026-01-05``, ``2026年1月5日 8:30``, ``20260105``, ``2026-06-30T16:00:00Z``.
    zone : str
        The business time zone; times without an offset are in it.
    date_format : str, optional
        strptime format that alone is tried.
    day_first : bool, optional
        How ``05/06/2026`` is meant; a bad date where it is not known.

    Examples
    --------
    >>> parse_time("2026年1月5日", "Asia/Shanghai").time
    datetime.datetime(2026, 1, 5, 0, 0)
    >>> parse_time("2026-06-30T16:00:00Z", "Asia/Shanghai").time
    datetime.datetime(2026, 7, 1, 0, 0)
    >>> parse_time("2026-06-30 24:00", "Asia/Shanghai").time
    datetime.datetime(2026, 7, 1, 0, 0)
    >>> parse_time("2026-02-30", "Asia/Shanghai").fault, parse_time("46023", "Asia/Shanghai").fault
    ('bad_date', 'serial_date')
    """
    clean = _plain_text(text)
    if not clean:
        return Moment(None)
    if date_format:
        return _by_format(clean, zone, date_format)
    if re.fullmatch(r"[0-9]{5}(\.[0-9]+)?", clean):
        return Moment(None, fault="serial_date")
    date, rest = _date(clean, day_first)
    if date is None:
        return Moment(None, fault="bad_date")
    if "{:04d}-{:02d}-{:02d}".format(*date) in SENTINELS:
        return Moment(None, fault="sentinel_date")
    return _moment(date, rest, zone)


def _by_format(text: str, zone: str, date_format: str) -> Moment:
    try:
        time = dt.datetime.strptime(text, date_format)  # noqa: DTZ007 - the offset is looked at next
    except ValueError:
        return Moment(None, fault="bad_date")
    if f"{time.year:04d}-{time.month:02d}-{time.day:02d}" in SENTINELS:
        return Moment(None, fault="sentinel_date")
    return _at_home(time, zone)


def _at_home(time: dt.datetime, zone: str) -> Moment:
    if time.tzinfo is None:
        return Moment(time, changed=True)
    try:
        return Moment(time.astimezone(ZoneInfo(zone)).replace(tzinfo=None), moved=True)
    except OverflowError:
        return Moment(None, fault="bad_date")


def _date(text: str, day_first: bool | None) -> tuple[tuple[int, int, int] | None, str]:
    """Return year, month and day, and the rest of the text."""
    packed = _PACKED.match(text)
    if packed:
        hour, minute, second = packed.group(4), packed.group(5), packed.group(6) or "00"
        year, month, day = (int(part) for part in packed.groups()[:3])
        return (year, month, day), f"{hour}:{minute}:{second}{text[packed.end() :]}"
    for pattern in (_DATE, _COMPACT):
        if found := pattern.match(text):
            year, month, day = (int(part) for part in found.groups())
            return (year, month, day), text[found.end() :]
    slashed = _SLASHED.match(text)
    if slashed is None or day_first is None:
        return None, ""
    first, second_part, year = (int(part) for part in slashed.groups())
    day, month = (first, second_part) if day_first else (second_part, first)
    return (year, month, day), text[slashed.end() :]


def _moment(date: tuple[int, int, int], rest: str, zone: str) -> Moment:
    """Join a date, a clock and an offset."""
    rest = rest.lstrip("T, ").strip()
    hours, rest = _clock(rest)
    offset = _OFFSET.fullmatch(rest.strip()) if rest.strip() else None
    if hours is None or (rest.strip() and offset is None):
        return Moment(None, fault="bad_date")
    try:
        time = dt.datetime(*date) + hours  # noqa: DTZ001 - naive times are in the business time zone
        if offset is None:
            return Moment(time, changed=True)
        sign = -1 if offset.group(1) == "-" else 1
        shift = sign * dt.timedelta(hours=int(offset.group(2) or 0), minutes=int(offset.group(3) or 0))
        return _at_home(time.replace(tzinfo=dt.timezone(shift)), zone)
    except (ValueError, OverflowError):
        return Moment(None, fault="bad_date")


def _clock(text: str) -> tuple[dt.timedelta | None, str]:
    """Return the time of day, and the rest of the text; 24:00 is the end of the day."""
    text = text.translate(_CHINESE_CLOCK)
    found = _CLOCK.match(text)
    if found is None:
        return dt.timedelta(0), text
    hour, minute, second = (int(part or 0) for part in found.groups()[:3])
    micro = int((found.group(4) or "").ljust(6, "0")[:6])
    half = (found.group(5) or "").replace(".", "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None, ""
        hour = hour % 12 + (12 if half == "pm" else 0)
    fits = (hour < 24 and minute < 60 and second < 60) or (hour, minute, second, micro) == (24, 0, 0, 0)
    clock = dt.timedelta(hours=hour, minutes=minute, seconds=second, microseconds=micro)
    return (clock if fits else None), text[found.end() :]
