"""Frames of pandas, Polars and Arrow, given back as they came; money in whole units, cutoffs as dates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

from tierlens.errors import MissingExtraError, UsageError
from tierlens.features.catalog import WHOLE
from tierlens.grading.scheme import Scheme
from tierlens.sources.engines import arrow_of
from tierlens.sources.tables import Currency
from tierlens.words import Text

Library = Literal["pandas", "polars", "pyarrow"]
LIBRARIES: tuple[Library, ...] = ("pandas", "polars", "pyarrow")
NEARLY = 1e-6
"""Minor units by which an amount may miss a whole number that it stands for: a float of whole units cannot hold all."""


def library_of(frame: Any) -> Library:
    """Return the library of a frame; Arrow for anything that is of neither pandas nor Polars.

    Examples
    --------
    >>> library_of(pa.table({"a": [1]}))
    'pyarrow'
    """
    found = nw.from_native(frame, pass_through=True)
    implementation = getattr(found, "implementation", None)
    if implementation is not None and implementation.is_pandas():
        return "pandas"
    return "polars" if implementation is not None and implementation.is_polars() else "pyarrow"


def as_library(table: pa.Table, library: Library) -> Any:
    """Return an Arrow table as a frame of a library.

    Raises
    ------
    UsageError
        ``E-US-034`` for a library that is none of ``LIBRARIES``.
    MissingExtraError
        When Polars is asked for and not installed.
    """
    if library == "pyarrow":
        return table
    if library == "pandas":
        return table.to_pandas(date_as_object=False)
    if library == "polars":
        try:
            import polars as pl
        except ImportError:
            raise MissingExtraError("polars", "polars") from None
        return pl.from_arrow(table)
    raise UsageError(
        "E-US-034",
        Text(f"{library!r} is no library of frames", f"{library!r} 不是数据表库"),
        where="frames",
        fix=Text(f"give one of {', '.join(LIBRARIES)}", f"可用：{', '.join(LIBRARIES)}"),
    )


def shown(table: pa.Table, currency: Currency | None = None, scheme: Scheme | None = None) -> pa.Table:
    """Return a table as users see it: cutoffs as dates, money in whole units of the currency.

    Parameters
    ----------
    table : pyarrow.Table
        With int32 ``cutoff`` and money in minor units, as the packages below hold them.
    currency : Currency, optional
        Money is left as it stands where it is not given.
    scheme : Scheme, optional
        Says which columns that are not in the catalog are money.
    """
    if "cutoff" in table.column_names and pa.types.is_int32(table.schema.field("cutoff").type):
        table = _with(table, "cutoff", table["cutoff"].cast(pa.date32()))
    if currency is not None:
        for name in money_columns(table, scheme):
            table = _with(table, name, pc.divide(table[name].cast(pa.float64()), float(currency.minor)))
    return table


def inner(frame: Any, where: str, currency: Currency | None = None, scheme: Scheme | None = None) -> pa.Table:
    """Return a frame of a user as the packages below hold it: the opposite of :func:`shown`.

    Raises
    ------
    UsageError
        ``E-US-030`` when it is no table, ``E-US-035`` when ``cutoff`` is no date.
    """
    table = arrow_of(frame, where)
    if "cutoff" in table.column_names:
        table = _with(table, "cutoff", _days(table["cutoff"], where))
    if currency is not None:
        for name in money_columns(table, scheme):
            table = _with(table, name, _minor(table[name], currency.minor))
    return table


def money_columns(table: pa.Table, scheme: Scheme | None = None) -> list[str]:
    """Return the columns of a table that hold money, by the catalog of features and by a scheme."""
    used: Mapping[str, Any] = scheme.features if scheme is not None else {}
    units = {name: WHOLE[name].unit if name in WHOLE else getattr(used.get(name), "unit", "")
             for name in table.column_names}  # fmt: skip
    return [name for name, unit in units.items() if unit == "money"]


def _with(table: pa.Table, name: str, column: Any) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, column)


def _minor(column: Any, minor: int) -> Any:
    """Return amounts in minor units: whole numbers where all of them are, else as they come."""
    exact = pc.multiply(column.cast(pa.float64()), float(minor))
    whole = pc.round(exact)
    off = pc.max(pc.abs(pc.subtract(exact, whole))).as_py()
    return whole.cast(pa.int64()) if off is None or off <= NEARLY else exact


def _days(column: Any, where: str) -> Any:
    kind = column.type
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return column.cast(pa.date32()).cast(pa.int32())
    if pa.types.is_integer(kind):
        return column.cast(pa.int32())
    try:
        return pc.cast(column, pa.date32()).cast(pa.int32())
    except pa.ArrowInvalid:
        raise UsageError(
            "E-US-035",
            Text(f"cutoff is {kind}, no date", f"cutoff 的类型为 {kind}，不是日期"),
            where=where,
            fix=Text("give dates, or text such as 2026-01-31", "请给出日期，或形如 2026-01-31 的文本"),
        ) from None
