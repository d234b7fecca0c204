"""How a number is written for people: in its unit, in both languages, no finer than anybody reads it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tierlens.sources.tables import Currency
from tierlens.words import Text

Floats = npt.NDArray[np.float64]

_COUNTED = {
    "days": Text("day", "天"),
    "months": Text("month", "个月"),
    "orders": Text("order", "单"),
    "products": Text("product", "种商品"),
    "lines": Text("line", "行"),
    "pieces": Text("piece", "件"),
    "tickets": Text("ticket", "个工单"),
}

UNKNOWN = Text("no data", "无数据")
DAILY = " a day"
DAYS_A_YEAR = 365


def say_value(value: float, unit: str, currency: Currency, *, bare: bool = False) -> Text:
    """Write a value in its unit.

    Parameters
    ----------
    value : float
        NaN is missing. Money is in minor units of ``currency``, a share is a fraction.
    unit : str
        Unit of a catalog entry; one that is not known here is left out. What is counted a day is said a year.
    currency : Currency
    bare : bool
        Leave an English counting word out ("51" for "51 days"), where the sentence has it already.

    Returns
    -------
    Text
        Money in whole units of the currency, shares in per cent with at most one decimal, days and other counts with
        one only below 10, anything else with two.

    Examples
    --------
    >>> pound = Currency("GBP")
    >>> say_value(341_250, "money", pound)
    Text(en='3,412 GBP', zh='3,412 GBP')
    >>> say_value(0.118, "share", pound), say_value(1, "days", pound).en, say_value(7.46, "days", pound).zh
    (Text(en='11.8%', zh='11.8%'), '1 day', '7.5天')
    >>> say_value(float("nan"), "days", pound).en
    'no data'
    """
    if math.isnan(value):
        return UNKNOWN
    if unit.endswith(DAILY):
        yearly = say_value(value * DAYS_A_YEAR, unit.removesuffix(DAILY), currency)
        return Text(f"{yearly.en} a year", f"每年{yearly.zh}")
    if unit == "money":
        amount = f"{_whole(value / currency.minor)} {currency.code}"
        return Text(amount, amount)
    if unit == "share":
        percent = _short(value * 100, below=100)
        return Text(f"{percent}%", f"{percent}%")
    if unit in _COUNTED:
        number, word = _short(value, below=10), _COUNTED[unit]
        plural = word.en if number == "1" else f"{word.en}s"
        return Text(number if bare else f"{number} {plural}", f"{number}{word.zh}")
    number = f"{value:,.2f}".rstrip("0").rstrip(".")
    number = "0" if number == "-0" else number
    return Text(number, number)


def _whole(value: float) -> str:
    text = f"{value:,.0f}"
    return "0" if text == "-0" else text


def _short(value: float, below: float) -> str:
    """At most one decimal, and that only where there is one and the number is small."""
    text = f"{value:,.1f}"
    if abs(value) >= below or text.endswith(".0"):
        return _whole(value)
    return text


def shown_values(values: Floats, unit: str, currency: Currency) -> Floats:
    """Round values to what ``say_value`` writes of them: equal here is equal in print.

    Parameters
    ----------
    values : array of float, shape (n,)
    unit : str
    currency : Currency

    Examples
    --------
    >>> shown_values(np.array([7.46, 7.52, 12.4, np.nan]), "days", Currency("GBP"))
    array([ 7.5,  7.5, 12. ,  nan])
    """
    if unit.endswith(DAILY):
        return shown_values(values * DAYS_A_YEAR, unit.removesuffix(DAILY), currency)
    if unit == "money":
        return np.round(values / currency.minor)
    if unit == "share":
        return _rounded(values * 100, below=100)
    return _rounded(values, below=10) if unit in _COUNTED else _nearest(values, 2)


def _rounded(values: Floats, below: float) -> Floats:
    return np.where(np.abs(values) >= below, np.round(values), _nearest(values, 1))


def _nearest(values: Floats, digits: int) -> Floats:
    """Round as a format does, by the exact value: NumPy takes some that are only near to a half for one."""
    scaled = values * 10.0**digits
    found: Floats = np.round(values, digits)
    near = np.abs(np.abs(scaled - np.trunc(scaled)) - 0.5) < 1e-9 * (1.0 + np.abs(scaled))
    found[near] = [round(value, digits) for value in values[near].tolist()]
    return found
