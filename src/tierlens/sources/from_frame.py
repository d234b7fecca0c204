"""Transactions from a table in memory, or a Spark DataFrame, whose columns have the names of the vocabulary."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import ValidationError

from tierlens.errors import UsageError
from tierlens.scratch import scratch_folder, temporary_folder
from tierlens.sources.declared.source import ROLES, Columns, Money, Policies, Source
from tierlens.sources.declared.table_source import TableSource
from tierlens.sources.parsing.header_matching import guess_roles, missing_roles
from tierlens.sources.parsing.odd_times import MOST_DAYS, table_with_times_held
from tierlens.sources.read import Read, read_tables
from tierlens.sources.tables import Tables
from tierlens.words import Text


def tables_from_frame(
    frame: Any,
    currency: str | Money,
    *,
    name: str = "data",
    timezone: str = "Asia/Shanghai",
    policies: Policies | None = None,
) -> Tables:
    """Settle a table that has the columns of the vocabulary.

    Parameters
    ----------
    frame : pandas, Polars, Arrow or PySpark table
        Columns ``customer_id``, ``time`` (or ``day``: whole days since 1970-01-01), ``amount`` in whole units of the
        currency (or ``quantity`` and ``price``), and optionally ``order_id``, ``product_id``, ``recorded_at``,
        ``kind``, ``currency``, ``line_id``. Others are left alone.
    currency : str or Money
        Of the amounts.
    name, timezone
        See :class:`~tierlens.sources.declared.source.Source`.
    policies : Policies, optional
        Where not given, repeats are kept, returns are told by ``kind`` or else by a minus, and not one row may be
        quarantined. Not used on Spark.

    Returns
    -------
    Tables
        In a private DuckDB; a Spark table stays in Spark.

    Raises
    ------
    UsageError
        ``E-US-010`` a needed column is missing; ``E-US-014`` the currency is none; ``E-US-015`` the frame is no table;
        ``E-US-017`` a column holds values of several kinds; ``E-US-018`` ``day`` is not of whole numbers.
    DataError
        ``E-TX-200`` rows that cannot be used.

    Examples
    --------
    >>> orders = pa.table({"customer_id": ["a", "a"], "time": ["2026-01-05", "2026-02-01"], "amount": [19.9, 5.0]})
    >>> tables_from_frame(orders, "CNY").transactions.select("day", "amount").collect("pyarrow").rows()
    [(20458, 1990), (20485, 500)]
    """
    narwhal = _narwhal(frame)
    if narwhal.implementation.is_pyspark():
        from tierlens.sources.from_spark import settle_spark

        _needed(narwhal.collect_schema().names())
        money = known_money(currency)
        return Tables(settle_spark(frame, money, timezone), money.currency(), name)
    return tables_and_quality(frame, currency, name=name, timezone=timezone, policies=policies).tables


def tables_and_quality(
    frame: Any,
    currency: str | Money,
    *,
    name: str = "data",
    timezone: str = "Asia/Shanghai",
    policies: Policies | None = None,
    others: Mapping[str, str] | None = None,
) -> Read:
    """Settle a table in memory, and say what became of every row; arguments as in :func:`tables_from_frame`.

    Parameters
    ----------
    frame, currency, name, timezone, policies
        See there; no Spark.
    others : mapping of str to str, optional
        Files of the other tables, by the name of their contract.
    """
    money, narwhal = known_money(currency), _narwhal(frame)
    names = narwhal.collect_schema().names()
    _needed(names)
    table = _arrow(narwhal)
    kinds = "kind" if "kind" in names else "negative"
    rules = policies or Policies(returns=kinds, duplicates="keep", reject_limit=0.0)
    with scratch_folder(temporary_folder()) as folder:
        path = folder / name.replace("/", "-")
        pq.write_table(table_with_times_held(_with_time(table)), path.with_suffix(".parquet"))
        columns = Columns(**{role: role if role in table.column_names or role == "time" else None for role in ROLES})
        files = (str(path.with_suffix(".parquet")),)
        tables = {table: TableSource.model_validate(place) for table, place in (others or {}).items()}
        return read_tables(
            Source(name=name, files=files, columns=columns, currency=money, timezone=timezone, policies=rules,
                   tables=tables)
        )  # fmt: skip


def _needed(names: Sequence[str]) -> None:
    """Refuse a table that lacks a needed column."""
    if missing := missing_roles(["time" if column == "day" else column for column in names]):
        raise _without(missing, names)


def known_money(currency: str | Money) -> Money:
    """Return a currency by its code, or as it is.

    Raises
    ------
    UsageError
        ``E-US-014`` when it is none.
    """
    try:
        return Money.model_validate(currency)
    except ValidationError:
        raise UsageError(
            "E-US-014",
            Text(f"{currency!r} is no currency", f"{currency!r} 不是币种"),
            where="currency",
            fix=Text("give a code such as 'CNY', or a Money with rates", "请填写代码，如 'CNY'，或带汇率的 Money"),
        ) from None


def _narwhal(frame: Any) -> Any:
    try:
        return nw.from_native(frame)
    except TypeError:
        raise UsageError(
            "E-US-015",
            Text(f"a {type(frame).__name__} is no table", f"{type(frame).__name__} 不是数据表"),
            where="frame",
            fix=Text(
                "give a pandas, Polars, Arrow or PySpark table; for files see tierlens.sources.read.read_tables",
                "请提供 pandas、Polars、Arrow 或 PySpark 表；文件请用 tierlens.sources.read.read_tables",
            ),
        ) from None


def _without(missing: Sequence[str], names: Sequence[str]) -> UsageError:
    """Return the error of a table without some columns, with what it has and what of that is meant."""
    guessed = {role: names[places[0]] for role, places in guess_roles(names, Columns()).items() if places}
    meant = ", ".join(f"{name!r} -> {role!r}" for role, name in guessed.items() if role != name)
    has = ", ".join(map(repr, names)) or "-"
    fix = Text(f"rename {meant}", f"请重命名：{meant}") if meant else Text(
        "rename its columns to customer_id, time, amount", "请将各列重命名为 customer_id、time、amount"
    )  # fmt: skip
    return UsageError(
        "E-US-010",
        Text(
            f"the table has no {', '.join(missing)}; its columns are {has}",
            f"表中缺少 {', '.join(missing)}；现有列：{has}",
        ),
        where="frame",
        fix=fix,
    )


def _with_time(table: pa.Table) -> pa.Table:
    """Return the table with ``time`` from ``day`` where it has no other."""
    if "time" in table.column_names:
        return table
    days = table["day"]
    try:
        if not (pa.types.is_integer(days.type) or pa.types.is_floating(days.type)):
            raise pa.ArrowInvalid(str(days.type))
        known = pc.if_else(pc.is_finite(days), days, pa.scalar(None, days.type))
        held = pc.max_element_wise(
            pc.min_element_wise(known, MOST_DAYS, skip_nulls=False), -MOST_DAYS, skip_nulls=False
        )
        return table.append_column("time", held.cast(pa.int32()).cast(pa.date32()))
    except pa.ArrowInvalid:
        raise UsageError(
            "E-US-018",
            Text("days are whole numbers, counted from 1970-01-01", "day 列须为整数，即自 1970-01-01 起的天数"),
            where="day",
            fix=Text("give dates or times as the column 'time'", "日期或时间请放在 time 列"),
        ) from None


def _arrow(narwhal: Any) -> pa.Table:
    """Return a table as Arrow; refuse a column of which Arrow cannot tell the kind."""
    try:
        with warnings.catch_warnings():
            # Of pandas, whose next version hands times with a zone to Arrow in another way; what arrives is the same.
            warnings.simplefilter("ignore", DeprecationWarning)
            return (narwhal.collect("pyarrow") if isinstance(narwhal, nw.LazyFrame) else narwhal).to_arrow()
    except pa.ArrowException as error:
        detail = " ".join(str(part) for part in error.args).removesuffix(".")
        raise UsageError(
            "E-US-017",
            Text(f"a column holds values of several kinds: {detail}", f"有一列混有多种类型的值：{detail}"),
            where="frame",
            fix=Text(
                "give all values of a column one type, texts where in doubt", "请使同一列的值类型一致，拿不准时用文本"
            ),
        ) from None
