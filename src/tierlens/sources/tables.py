"""Contracts: what the tables look like once ``sources.read`` has settled them.

Everything after the door relies on two things only: time is whole days (int32 since 1970-01-01 in the business time
zone) and money is int64 minor units of one currency, so that one expression gives equal results on every engine.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import narwhals as nw

from tierlens.errors import UsageError
from tierlens.words import Text

EPOCH = dt.date(1970, 1, 1)
FIRST_YEAR, LAST_YEAR = 1900, 2100
"""Years of events and of cutoffs; what lies outside is a slip of the pen."""
WIDE = 10**15
"""Minor units of one customer up to which products of amounts and weights fit into 64 bits."""


def day_number(date: dt.date | str | int, where: str = "") -> int:
    """Return whole days since 1970-01-01; a cutoff is the start of that day.

    Parameters
    ----------
    date : date, str or int
    where : str
        Argument, option or file that it was read from, for the message.

    Raises
    ------
    UsageError
        ``E-US-001`` when the text is no ISO date of the years 1900 to 2100.

    Examples
    --------
    >>> day_number("2011-06-01"), day_number(dt.date(1970, 1, 2)), day_number(15126)
    (15126, 1, 15126)
    """
    if isinstance(date, int):
        return date
    if isinstance(date, str):
        given = date
        try:
            date = dt.date.fromisoformat(given)
        except ValueError:
            raise _no_date(given, where) from None
    if isinstance(date, dt.datetime):
        date = date.date()
    if not FIRST_YEAR <= date.year <= LAST_YEAR:
        raise _no_date(str(date), where)
    return (date - EPOCH).days


def _no_date(given: str, where: str) -> UsageError:
    years = f"{FIRST_YEAR}-{LAST_YEAR}"
    return UsageError(
        "E-US-001",
        Text(f"{given!r} is no date of the years {years}", f"{given!r} 不是 {years} 年间的日期"),
        where=where,
        fix=Text("write it as 2011-06-01", "请写成 2011-06-01"),
    )


def day_date(day: int) -> dt.date:
    """Return the date of a day number.

    Examples
    --------
    >>> day_date(15126)
    datetime.date(2011, 6, 1)
    """
    return EPOCH + dt.timedelta(days=int(day))


@dataclass(frozen=True)
class Currency:
    """The one currency of a project's money, and its declared rates to others.

    Parameters
    ----------
    code : str
        ISO 4217 code of the currency that ``amount`` is kept in.
    rates : mapping of str to Decimal
        Units of another currency for one unit of ``code``, as the user declares them.
    minor : int
        Minor units in one unit (100 for most).

    Examples
    --------
    >>> pound = Currency("GBP", {"CNY": Decimal("10.2")})
    >>> pound.to_minor(Decimal(1_000_000), "CNY")
    Decimal('9803921.568627450980392156863')
    """

    code: str
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    minor: int = 100

    def to_minor(self, amount: Decimal, currency: str) -> Decimal:
        """Return an amount of ``currency`` (whole units) in minor units of this one.

        Raises
        ------
        UsageError
            ``E-US-002`` when no rate is declared for ``currency``.
        """
        if currency == self.code:
            return amount * self.minor
        if currency not in self.rates:
            raise UsageError(
                "E-US-002",
                Text(
                    f"amounts are in {currency}, the data are in {self.code}, and no rate is declared",
                    f"金额以 {currency} 计，数据以 {self.code} 计，未声明汇率",
                ),
                fix=Text(
                    f"add 'rates: {{{currency}: ...}}' under 'currency' in the run file",
                    f"请在运行文件的 currency 下添加 'rates: {{{currency}: ...}}'",
                ),
            )
        return amount / self.rates[currency] * self.minor


@dataclass(frozen=True)
class Tables:
    """The tables of a project, settled: the only thing that features read.

    Parameters
    ----------
    transactions : lazy frame
        One row an invoice line (or an order, where there are no lines) with the columns of the transactions contract:

        ============  =========  ==================================================================
        customer_id   string     never missing
        order_id      string     never missing
        day           int32      day of the event in the business time zone
        known_day     int32      day from which the row was known: max(day, day of recording)
        amount        int64      minor units; purchases >= 0, returns <= 0
        kind          string     ``purchase`` or ``return``
        product_id    string     missing where there are no lines
        quantity      float64    missing where not given; returns negative
        time          timestamp  as it was in the source, business time zone, for people only
        ============  =========  ==================================================================
    currency : Currency
        The currency of ``amount``.
    name : str
        What the data are called in every output ("Online Retail II", "simulated shop").
    whole_orders : bool
        True when every row is a whole order (``order_id`` never repeats); features then skip the grouping of lines.
    late_rows : bool
        False when no row was recorded after its day (``known_day == day`` throughout); True is the safe answer, and
        costs time: what one row says of another (the interval since the last order) is then worked out per cutoff.
    wide_amounts : bool
        True where the amounts of a customer may sum to more than ``WIDE``: features then multiply them in 128 bits,
        which DuckDB and Polars have.
    end : int, optional
        First day that the data do not cover, by declaration; where nothing is declared, see
        :func:`tierlens.features.windows.reach_of`.
    others : mapping of str to lazy frame
        The optional tables (customers, contracts, tickets, ...), by the name of their contract.
    """

    transactions: nw.LazyFrame[Any]
    currency: Currency
    name: str = "data"
    whole_orders: bool = False
    late_rows: bool = True
    wide_amounts: bool = False
    end: int | None = None
    others: Mapping[str, nw.LazyFrame[Any]] = field(default_factory=dict)

    def has(self, table: str) -> bool:
        """Say whether a table is there."""
        return table == "transactions" or table in self.others
