"""The columns of a feature table as a scheme sees them: which are there, of what kind, and exact bounds on them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from operator import and_
from typing import Any, Literal

import narwhals as nw

from tierlens.grading.scheme.grammar import Band
from tierlens.grading.scheme.parts import Indicator
from tierlens.grading.scheme.scheme import Scheme
from tierlens.sources.tables import Currency

Kind = Literal["whole", "real", "text", "flag"]
Frame = nw.LazyFrame[Any]

KEYS = ("customer_id", "cutoff")
PLACES = 9
"""Points and scores are rounded to this many places before they are compared, so that ties with bounds are kept."""

NUDGE = 1e-13


@dataclass(frozen=True)
class Columns:
    """What the compiler knows of a feature table.

    Parameters
    ----------
    scheme : Scheme
        The rules.
    currency : Currency
        The currency whose minor units the money columns are in.
    kinds : mapping of str to str
        The columns that are there: ``whole`` and ``real`` numbers, ``text``, ``flag``.
    """

    scheme: Scheme
    currency: Currency
    kinds: Mapping[str, Kind]

    def has(self, column: str) -> bool:
        """Say whether a column is there."""
        return column in self.kinds

    def source_of(self, indicator: Indicator) -> str | None:
        """Return the column that an indicator reads: its feature, else its proxy, else nothing."""
        if self.has(indicator.feature):
            return indicator.feature
        proxy = indicator.proxy
        usable = proxy is not None and self.scheme.use_proxies and self.has(proxy.feature)
        return proxy.feature if proxy is not None and usable else None

    def per_unit(self, column: str) -> Fraction:
        """Return how many units of a column stand for one unit in the scheme: minor units for money, else 1.

        Raises
        ------
        UsageError
            ``E-US-002`` when the data are in a currency without a declared rate.
        """
        use = self.scheme.features.get(column)
        code = self.scheme.currency
        if use is None or use.unit != "money" or code is None:
            return Fraction(1)
        if code == self.currency.code:
            return Fraction(self.currency.minor)
        self.currency.to_minor(Decimal(1), code)
        return self.currency.minor / Fraction(self.currency.rates[code])

    def bound(self, column: str, value: Decimal) -> Fraction:
        """Return a bound of the scheme in the units of a column, exactly."""
        return Fraction(value) * self.per_unit(column)

    def holds(self, column: str, band: Band, value: Any) -> bool:
        """Say exactly whether one value of a column lies in a band."""
        return band.holds(Fraction(value) / self.per_unit(column))

    def within(self, column: str, band: Band) -> nw.Expr:
        """Return the condition that a number lies in a band; exact on whole numbers, whatever the rate."""
        x = nw.col(column)
        whole = self.kinds[column] == "whole"
        parts: list[nw.Expr] = []
        if band.start is not None:
            parts.append(_from(x, self.bound(column, band.start[0]), whole, included=band.start[1] == 0))
        if band.end is not None:
            parts.append(_up_to(x, self.bound(column, band.end[0]), whole, included=band.end[1] == 1))
        return reduce(and_, parts) if parts else ~x.is_null()


def _from(x: nw.Expr, bound: Fraction, whole: bool, *, included: bool) -> nw.Expr:
    if whole:
        # On whole numbers ``x > b`` is ``x >= floor(b) + 1``, so that a bound that is no whole number stays exact.
        return x >= (math.ceil(bound) if included else math.floor(bound) + 1)
    return x >= float(bound) if included else x > float(bound)


def _up_to(x: nw.Expr, bound: Fraction, whole: bool, *, included: bool) -> nw.Expr:
    if whole:
        return x < (math.floor(bound) + 1 if included else math.ceil(bound))
    return x <= float(bound) if included else x < float(bound)


def has_history(columns: Columns) -> nw.Expr | None:
    """Say whether a customer bought anything before the cutoff; None where the table does not tell."""
    if not (columns.has("frequency") and columns.has("tenure_days")):
        return None
    return ~nw.col("tenure_days").is_null() | (nw.col("frequency").fill_null(0) > 0)


def columns_of_frame(features: Frame, scheme: Scheme, currency: Currency) -> Columns:
    """Look at the columns of a feature table.

    Examples
    --------
    >>> import duckdb
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> frame = nw.from_native(duckdb.sql("select 'a' as customer_id, 1::int as cutoff, 5::bigint as monetary"))
    >>> columns_of_frame(frame, load_scheme("relationship_rating"), Currency("CNY")).kinds["monetary"]
    'whole'
    """
    return Columns(scheme, currency, kinds_of_frame(features))


def kinds_of_frame(features: Frame) -> dict[str, Kind]:
    """Return the columns of a feature table and their kinds."""
    return {name: _kind(dtype) for name, dtype in features.collect_schema().items()}


def kinds_of(schema: Any) -> dict[str, Kind]:
    """Return the columns of an Arrow schema and their kinds."""
    return {name: _kind(dtype) for name, dtype in nw.from_native(schema.empty_table()).schema.items()}


def _kind(dtype: Any) -> Kind:
    if dtype.is_integer():
        return "whole"
    if dtype.is_numeric():
        return "real"
    return "flag" if dtype == nw.Boolean else "text"


def rounded_points(x: nw.Expr) -> nw.Expr:
    """Round to 9 places, halves upward.

    Engines disagree on halves, and halves are common among weighted sums; a nudge far below the last place, added by
    the same arithmetic everywhere, leaves no half to disagree on.
    """
    return (x + NUDGE).round(PLACES)


def add_columns(frame: Frame, columns: Sequence[nw.Expr]) -> Frame:
    """Add columns, or nothing where there are none."""
    return frame.with_columns(*columns) if columns else frame


def settle_numbers(features: Frame, columns: Columns) -> Frame:
    """Turn values that are no numbers (NaN, infinity) into missing ones, in the columns that the scheme reads."""
    used = {*columns.scheme.features, *(f"points_{indicator.id}" for _, indicator in columns.scheme.indicators)}
    reals = [name for name, kind in columns.kinds.items() if kind == "real" and name in used]
    if not reals:
        return features
    # Decimals and single precision become doubles, which is what bounds are compared with.
    doubles = {name: nw.col(name).cast(nw.Float64) for name in reals}
    return features.with_columns(nw.when(x.is_finite()).then(x).alias(name) for name, x in doubles.items())
