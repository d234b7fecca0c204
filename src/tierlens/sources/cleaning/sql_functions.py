"""The functions of :mod:`tierlens.sources.parsing.parse_values`, lent to a DuckDB connection while it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import duckdb
import pyarrow as pa

from tierlens.sources.cleaning.cell_sql import ODD_NUMBER, ODD_TIME
from tierlens.sources.declared.source import Source
from tierlens.sources.parsing.parse_values import clean_id, clean_text, parse_figure, parse_number, parse_time
from tierlens.sources.tables import Currency

_NUMBER = pa.struct([("value", pa.string()), ("unit", pa.string()), ("changed", pa.bool_()), ("fault", pa.string())])
_TIME = pa.struct(
    [("time", pa.timestamp("us")), ("changed", pa.bool_()), ("moved", pa.bool_()), ("fault", pa.string())]
)
Day = dict[str, bool | None]
LARGEST = Decimal(2**63 - 1)


def whole_minor(exact: str | None, code: str | None, currency: Currency) -> int | None:
    """Return an amount of another currency in whole minor units of this one, rounded half away from zero.

    None where there is no rate, or no room for the number.

    Examples
    --------
    >>> whole_minor("10.20", "CNY", Currency("GBP", {"CNY": Decimal("10.2")}))
    100
    """
    if exact is None or code is None or code not in currency.rates:
        return None
    try:
        minor = currency.to_minor(Decimal(exact), code).quantize(Decimal(1), ROUND_HALF_UP)
    except InvalidOperation:
        return None
    return int(minor) if abs(minor) <= LARGEST else None


def _each(parse: Callable[[str], Any], kind: pa.DataType) -> Callable[[Any], Any]:
    """Return a function over a column that parses each text and leaves missing ones missing."""

    def column(texts: Any) -> Any:
        parsed = (None if text is None else parse(text) for text in texts.to_pylist())
        rows = [value._asdict() if isinstance(value, tuple) else value for value in parsed]  # type: ignore[attr-defined]
        return pa.array(rows, kind)

    return column


@contextmanager
def register_functions(
    connection: duckdb.DuckDBPyConnection, source: Source, any_sign: bool, days: Day
) -> Iterator[None]:
    """Register the functions in a connection, and take them out again at the end.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        A private connection.
    source : Source
        Currency, zone and date format.
    any_sign : bool
        A column names each line's currency, so any sign may stand at an amount.
    days : dict
        ``first``: how ``05/06/2026`` is meant in the part at hand; the reader sets it before each part.
    """
    money, zone, form = source.currency.currency(), source.timezone, source.date_format

    def minors(amounts: Any, codes: Any) -> Any:
        pairs = zip(amounts.to_pylist(), codes.to_pylist(), strict=True)
        return pa.array([whole_minor(amount, code, money) for amount, code in pairs], pa.int64())

    functions: dict[str, tuple[Callable[..., Any], list[str], str]] = {
        "clean_id": (_each(clean_id, pa.string()), ["VARCHAR"], "VARCHAR"),
        "odd_number": (_each(lambda t: parse_number(t, money.code, any_sign), _NUMBER), ["VARCHAR"], ODD_NUMBER),
        "clean_text": (_each(clean_text, pa.string()), ["VARCHAR"], "VARCHAR"),
        "odd_figure": (_each(parse_figure, _NUMBER), ["VARCHAR"], ODD_NUMBER),
        "odd_time": (_each(lambda t: parse_time(t, zone, form, days.get("first")), _TIME), ["VARCHAR"], ODD_TIME),
        "to_minor": (minors, ["VARCHAR", "VARCHAR"], "BIGINT"),
    }
    for name, (function, given, returned) in functions.items():
        connection.create_function(name, function, given, returned, type="arrow", null_handling="special")
    try:
        yield
    finally:
        for name in functions:
            connection.remove_function(name)
