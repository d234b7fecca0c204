"""Settling a Spark DataFrame where it is: the same columns, days and minor units as the reader's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from tierlens.errors import MissingExtraError
from tierlens.sources.declared.source import Money
from tierlens.sources.messages.refusals import file_refusal
from tierlens.sources.tables import FIRST_YEAR, LAST_YEAR, day_number
from tierlens.words import Text

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

FIRST_DAY, LAST_DAY = day_number(f"{FIRST_YEAR}-01-01"), day_number(f"{LAST_YEAR}-12-31")
# Widths whose products fit into 38 digits, so that Spark never rounds on the way.
AMOUNT, QUANTITY, PRICE, MINOR = "decimal(24,10)", "decimal(15,6)", "decimal(17,8)", "decimal(4,0)"


def settle_spark(frame: DataFrame, money: Money, timezone: str) -> nw.LazyFrame[Any]:
    """Return a Spark DataFrame in the form of the transactions contract.

    Parameters
    ----------
    frame : pyspark.sql.DataFrame
        With the columns that :func:`~tierlens.sources.from_frame.tables_from_frame` names; ids are text or whole
        numbers, times are dates or timestamps.
    money : Money
        Currency of the amounts.
    timezone : str
        Business time zone; timestamps are moved to it, naive ones (TIMESTAMP_NTZ) are in it.

    Raises
    ------
    DataError
        ``E-TX-200`` when a row has no customer, time or amount; one pass over the data finds out.
    MissingExtraError
        pyspark is not installed.
    """
    try:
        from pyspark.sql import functions as f
    except ImportError:
        raise MissingExtraError("spark", "pyspark") from None
    time = _moment(frame, "time", timezone) if "time" in frame.columns else None
    day = _days(time) if time is not None else f.col("day").try_cast("int")
    exact = _exact_minor(frame, money)
    kind = f.lower(f.trim("kind")) if "kind" in frame.columns else f.when(exact < 0, "return").otherwise("purchase")
    minor, quantity = f.round(exact, 0).cast("bigint"), _optional(frame, "quantity", "double")
    settled = frame.select(
        f.nullif(f.trim(f.col("customer_id").cast("string")), f.lit("")).alias("customer_id"),
        _order(frame, day).alias("order_id"),
        day.alias("day"),
        f.greatest(day, _recorded(frame, day, timezone)).alias("known_day"),
        f.when(kind == "return", -f.abs(minor)).otherwise(minor).alias("amount"),
        kind.alias("kind"),
        _optional(frame, "product_id", "string").alias("product_id"),
        f.when(kind == "return", -f.abs(quantity)).otherwise(quantity).alias("quantity"),
        (time if time is not None else f.date_add(f.lit("1970-01-01").cast("date"), day))
        .cast("timestamp_ntz")
        .alias("time"),
    )
    _refuse_unusable(settled)
    lazy: nw.LazyFrame[Any] = nw.from_native(settled)
    return lazy


def _exact_minor(frame: DataFrame, money: Money) -> Column:
    from pyspark.sql import functions as f

    minor = f.lit(money.minor).cast(MINOR)
    if "amount" in frame.columns:
        return f.col("amount").cast(AMOUNT) * minor
    return f.col("price").cast(PRICE) * minor * f.col("quantity").cast(QUANTITY)


def _days(time: Column) -> Column:
    from pyspark.sql import functions as f

    return f.datediff(time.cast("date"), f.lit("1970-01-01").cast("date"))


def _moment(frame: DataFrame, column: str, timezone: str) -> Column:
    """Return a time in the business time zone, without a zone."""
    from pyspark.sql import functions as f

    if dict(frame.dtypes)[column] != "timestamp":
        return f.col(column).cast("timestamp_ntz")
    return f.convert_timezone(f.current_timezone(), f.lit(timezone), f.col(column).cast("timestamp_ntz"))


def _recorded(frame: DataFrame, day: Column, timezone: str) -> Column:
    return _days(_moment(frame, "recorded_at", timezone)) if "recorded_at" in frame.columns else day


def _order(frame: DataFrame, day: Column) -> Column:
    from pyspark.sql import functions as f

    if "order_id" in frame.columns:
        return f.col("order_id").cast("string")
    return f.concat(
        f.col("customer_id").cast("string"),
        f.lit("@"),
        f.date_add(f.lit("1970-01-01").cast("date"), day).cast("string"),
    )


def _optional(frame: DataFrame, column: str, kind: str) -> Column:
    from pyspark.sql import functions as f

    return (f.col(column) if column in frame.columns else f.lit(None)).cast(kind)


def _refuse_unusable(settled: DataFrame) -> None:
    """Refuse rows without a customer, order, day, amount or kind, of impossible years, and purchases below zero."""
    from pyspark.sql import functions as f

    checks = {column: f.col(column).isNull() for column in ("customer_id", "order_id", "day", "amount")}
    checks["kind"] = ~f.coalesce(f.col("kind").isin("purchase", "return"), f.lit(False))
    checks["impossible_year"] = ~f.col("day").between(FIRST_DAY, LAST_DAY)
    checks["negative_amount"] = (f.col("kind") == "purchase") & (f.col("amount") < 0)
    row = settled.agg(*(f.count_if(check).alias(name) for name, check in checks.items())).first()
    bad = {name: count for name, count in row.asDict().items() if count} if row else {}
    if bad:
        raise file_refusal("E-TX-200", "Spark", reasons=_said(bad))


_WRONG = {"customer_id": "缺少客户编号", "order_id": "缺少订单号", "day": "缺少日期", "amount": "缺少金额",
          "kind": "类别无效", "impossible_year": "年份不合理", "negative_amount": "购买金额为负"}  # fmt: skip


def _said(bad: dict[str, int]) -> Text:
    """Count what is wrong in both languages; the Chinese words keep the name."""
    en = ", ".join(f"{name}: {count} rows" for name, count in bad.items())
    return Text(en, "、".join(f"{_WRONG[name]}（{name}）{count} 行" for name, count in bad.items()))
