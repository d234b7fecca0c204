"""Frames of pandas, Polars and Arrow, given back as they came; money in whole units, cutoffs as dates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

from tierlens.errors import DataError, MissingExtraError, UsageError
from tierlens.features.catalog import WHOLE
from tierlens.grading.scheme.scheme import Scheme
from tierlens.sources.engines import arrow_of
from tierlens.sources.tables import Currency
from tierlens.words import Text

Day = dt.date | str
"""A date, a datetime (its own day) or ISO text; ``numpy.datetime64`` and ``pandas.Timestamp`` too."""
Library = Literal["pandas", "polars", "pyarrow"]
LIBRARIES: tuple[Library, ...] = ("pandas", "polars", "pyarrow")
MOST = 2.0**53
"""Minor units above which a float does not hold every whole number."""
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


def as_user_frame(table: pa.Table, currency: Currency | None = None, scheme: Scheme | None = None) -> pa.Table:
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


def as_inner_frame(frame: Any, where: str, currency: Currency | None = None, scheme: Scheme | None = None) -> pa.Table:
    """Return a frame of a user as the packages below hold it: the opposite of :func:`as_user_frame`.

    Raises
    ------
    UsageError
        ``E-US-030`` when it is no table, ``E-US-035`` when ``cutoff`` is no date.
    """
    table = _arrow(frame, where)
    if "cutoff" in table.column_names:
        table = _with(table, "cutoff", _days(table["cutoff"], where))
    if "customer_id" in table.column_names and table.schema.field("customer_id").type != pa.string():
        table = _with(table, "customer_id", table["customer_id"].cast(pa.string()))
    if currency is not None:
        for name in money_columns(table, scheme):
            table = _with(table, name, _minor(table[name], currency.minor, f"{where}.{name}"))
    return table


def keyed_table(table: pa.Table, where: str) -> pa.Table:
    """Return a table of one row for each customer and cutoff, and refuse any other.

    Raises
    ------
    DataError
        ``E-US-039`` when a key is missing, or stands in several rows.
    """
    keys = [name for name in ("customer_id", "cutoff") if name in table.column_names]
    missing = [name for name in keys if table[name].null_count]
    if missing:
        raise _unkeyed(where, Text(f"{missing[0]} is missing in {table[missing[0]].null_count:,} rows",
                                   f"{missing[0]} 有 {table[missing[0]].null_count:,} 行缺失"))  # fmt: skip
    twice = table.num_rows - table.select(keys).group_by(keys).aggregate([]).num_rows if keys else 0
    if twice:
        raise _unkeyed(where, Text(f"{twice:,} rows are of a customer and cutoff that are there already",
                                   f"有 {twice:,} 行的客户与截止日重复"))  # fmt: skip
    return table


def _unkeyed(where: str, what: Text) -> DataError:
    fix = Text("give one row for each customer and cutoff", "请为每个客户与截止日各给出一行")
    return DataError("E-US-039", what, where=where, fix=fix)


def as_days(given: Any) -> Any:
    """Return one cutoff, or several, as dates or text; dates of numpy, pandas and Arrow are turned into plain ones.

    Examples
    --------
    >>> import numpy as np
    >>> as_days(np.datetime64("2025-01-31T10:00")), as_days(["2025-01-31"])
    (datetime.date(2025, 1, 31), ['2025-01-31'])
    """
    if isinstance(given, Iterable) and not isinstance(given, str):
        return [as_days(one) for one in given]
    if hasattr(given, "as_py"):
        given = given.as_py()
    if type(given).__module__ == "numpy" and hasattr(given, "astype"):
        given = given.astype("datetime64[D]").item()
    if isinstance(given, dt.datetime):
        return given.date()
    if not isinstance(given, dt.date | str):
        raise UsageError(
            "E-US-035",
            Text(f"{given!r} is no date", f"{given!r} 不是日期"),
            where="cutoffs",
            fix=Text("give dates, or text such as 2026-01-31", "请给出日期，或形如 2026-01-31 的文本"),
        )
    return given


def _arrow(frame: Any, where: str) -> pa.Table:
    try:
        return arrow_of(frame, where)
    except (nw.exceptions.DuplicateError, pa.ArrowException, ValueError) as problem:
        said = str(problem).splitlines()[0]
        raise UsageError(
            "E-US-030",
            Text(f"the table cannot be read: {said}", f"无法读取该表：{said}"),
            where=where,
            fix=Text("give columns of one kind, each with a name of its own", "请使每列类型一致且列名不重复"),
        ) from None


def money_columns(table: pa.Table, scheme: Scheme | None = None) -> list[str]:
    """Return the columns of a table that hold money, by the catalog of features and by a scheme."""
    used: Mapping[str, Any] = scheme.features if scheme is not None else {}
    units = {name: WHOLE[name].unit if name in WHOLE else getattr(used.get(name), "unit", "")
             for name in table.column_names}  # fmt: skip
    return [name for name, unit in units.items() if unit == "money"]


def _with(table: pa.Table, name: str, column: Any) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, column)


def _minor(column: Any, minor: int, where: str) -> Any:
    """Return amounts in minor units: whole numbers where all of them are, else as they come; NaN is missing."""
    try:
        given = column.cast(pa.float64())
    except pa.ArrowException:
        raise UsageError(
            "E-US-040",
            Text(f"{column.type} is no amount of money", f"{column.type} 不是金额"),
            where=where,
            fix=Text("give numbers in whole units of the currency", "请给出以货币整单位计的数字"),
        ) from None
    exact = pc.multiply(pc.if_else(pc.is_finite(given), given, pa.scalar(None, pa.float64())), float(minor))
    whole = pc.round(exact)
    off, most = pc.max(pc.abs(pc.subtract(exact, whole))).as_py(), pc.max(pc.abs(exact)).as_py()
    return whole.cast(pa.int64()) if off is None or (off <= NEARLY and most < MOST) else exact


def _days(column: Any, where: str) -> Any:
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        column = pc.local_timestamp(column)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return column.cast(pa.date32()).cast(pa.int32())
    if pa.types.is_integer(kind):
        return column.cast(pa.int32())
    try:
        return pc.cast(column, pa.date32()).cast(pa.int32())
    except pa.ArrowException:
        raise UsageError(
            "E-US-035",
            Text(f"cutoff is {kind}, no date", f"cutoff 的类型为 {kind}，不是日期"),
            where=where,
            fix=Text("give dates, or text such as 2026-01-31", "请给出日期，或形如 2026-01-31 的文本"),
        ) from None
