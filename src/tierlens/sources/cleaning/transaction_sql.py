"""The SQL that settles the lines of one part: ids as text, days, whole minor units, and the first reason that holds.

It is DuckDB's own because this is the one place where times below a day and decimals are touched. Four steps follow
each other: ``raw`` (each role as text), ``odd`` (what is not plain goes through
:mod:`tierlens.sources.parsing.parse_values`),
``value`` (numbers, times and kinds) and ``judged`` (purchase or return, and the reason to quarantine).
"""

# ruff: noqa: S608 - every name and text in the SQL goes through quoted() or literal()

from __future__ import annotations

import datetime as dt

from tierlens.sources.cleaning.cell_sql import (
    broken_ids,
    id_columns,
    lost_digits,
    number_columns,
    odd_numbers,
    odd_times,
    raw_columns,
    sql_texts,
    time_columns,
)
from tierlens.sources.declared.source import ROLES, NonProducts, Policies, Source
from tierlens.sources.messages.row_reasons import NORMALISED
from tierlens.sources.parsing.parse_values import PURCHASES, RETURNS, TOTALS
from tierlens.sources.parsing.part import Part, sql_literal
from tierlens.sources.parsing.sql_steps import stepped_sql
from tierlens.sources.parsing.verdict import Check, verdict_columns

IDS = ("customer_id", "order_id", "product_id", "line_id")
NUMBERS = {"quantity": "DECIMAL(18, 6)", "price": "DECIMAL(20, 8)", "amount": "DECIMAL(28, 10)"}
TIMES = ("time", "recorded_at")
LARGEST, MOST_PIECES = 10**17, 10**9
"""Minor units and pieces of one line beyond which a number is a slip of the pen."""
# What is counted line by line: each is one bit of the column ``notes``.
NOTES = {key: 1 << place for place, key in enumerate(NORMALISED)}


def _word_columns(source: Source) -> list[str]:
    kind, code = "lower(trim(kind_raw))", "upper(trim(currency_raw))"
    return [
        f"CASE WHEN {kind} IN {sql_texts(PURCHASES)} THEN 'purchase' "
        f"WHEN {kind} IN {sql_texts(RETURNS)} THEN 'return' END AS kind_is",
        f"CASE WHEN {code} IS NULL OR {code} = '' THEN {sql_literal(source.currency.code)} "
        f"WHEN {code} IN ('RMB', '人民币', '人民幣') THEN 'CNY' ELSE {code} END AS currency_is",
    ]


def _money_columns(part: Part, source: Source) -> list[str]:
    """Return SQL of the exact amount, its unit, and whole minor units, rounded half away from zero."""
    by_amount = "amount" in part.roles
    exact = "amount_is::DECIMAL(38, 14)" if by_amount else "TRY((quantity_is * price_is)::DECIMAL(38, 14))"
    unit = "amount_unit" if by_amount else "price_unit"
    times = f"CASE {unit} WHEN '万' THEN 10000 WHEN '亿' THEN 100000000 ELSE 1 END"
    own = sql_literal(source.currency.code)
    fault = "amount_fault" if by_amount else "price_fault"
    return [
        f"{exact} AS exact",
        f"{unit} AS unit",
        f"CASE WHEN currency_is = {own} THEN TRY(CAST(exact * {times} * {source.currency.minor} AS BIGINT)) "
        f"ELSE to_minor(TRY(exact * {times})::VARCHAR, currency_is) END AS any_minor",
        f"CASE WHEN abs(any_minor) <= {LARGEST} THEN any_minor END AS minor",
        f"coalesce({fault}, quantity_fault, CASE WHEN quantity_unit <> '' THEN 'bad_number' END) AS money_fault",
    ]


def _is_return(policies: Policies, has_kind: bool) -> str:
    if policies.returns == "order_prefix":
        return f"coalesce(starts_with(order_id, {sql_literal(policies.return_prefix)}), false)"
    if policies.returns == "negative":
        return "coalesce(exact < 0 OR quantity_is < 0, false)"
    return "coalesce(kind_is = 'return', false)" if policies.returns == "kind" and has_kind else "false"


def non_product(rule: NonProducts) -> str:
    """Return SQL that says whether a line's code is no product."""
    listed = f"product_id IN {sql_texts(rule.codes)}" if rule.codes else "false"
    shaped = f"regexp_full_match(product_id, {sql_literal(rule.pattern)})" if rule.pattern else "false"
    return f"coalesce({listed} OR {shaped}, false)"


def _checks(part: Part, policies: Policies, complete_until: dt.date | None) -> list[Check]:
    """Return what keeps a line out, in the order of :data:`~tierlens.sources.messages.row_reasons.QUARANTINE`."""
    late = f"time_is::DATE > DATE '{complete_until}'" if complete_until else "false"
    prefix, money = policies.adjustment_prefix, "amount" if "amount" in part.roles else "price"
    has_kind = policies.returns == "kind" and "kind" in part.roles
    strict = policies.non_positive_price == "quarantine"
    adjusted = f"starts_with(order_id, {sql_literal(prefix)})" if prefix else "false"
    not_given = "amount_is IS NULL" if money == "amount" else "quantity_is IS NULL OR price_is IS NULL"
    listed = "not_a_product" if policies.non_products.action == "quarantine" else "false"
    return [
        Check("fault", "fault IS NOT NULL"),
        Check("'digits_lost'", "digits_lost"),
        Check("'id_fraction'", "id_fraction"),
        Check("'total_line'", f"lower(customer_id) IN {sql_texts(TOTALS)}", "customer_id"),
        Check("'total_line'", f"lower(order_id) IN {sql_texts(TOTALS)}", "order_id"),
        Check("'adjustment'", adjusted, "order_id"),
        Check("'missing_customer'", "customer_id IS NULL", "customer_id"),
        Check("'missing_order'", "order_id IS NULL" if "order_id" in part.roles else "false", "order_id"),
        Check("time_fault", "time_fault IS NOT NULL", "time"),
        Check("'missing_time'", "time_is IS NULL", "time"),
        Check("'after_complete'", late, "time"),
        Check("'bad_kind'", "kind_is IS NULL" if has_kind else "false", "kind"),
        Check(f"{money}_fault", f"{money}_fault IS NOT NULL", money),
        Check("money_fault", "money_fault IS NOT NULL", "quantity"),
        Check("'missing_amount'", f"exact IS NULL AND ({not_given})", money),
        Check("'bad_number'", "minor IS NULL", money),
        Check("'bad_number'", f"abs(quantity_is) > {MOST_PIECES}", "quantity"),
        Check("'non_product'", listed, "product_id"),
        Check(
            "'non_positive_price'", f"NOT is_return AND (price_is < 0{' OR price_is = 0' if strict else ''})", "price"
        ),
        Check("'zero_amount'", "quantity_is = 0" if strict else "false", "quantity"),
        Check("'zero_amount'", "exact = 0" if strict else "false", money),
        Check("'negative_amount'", "NOT is_return AND quantity_is < 0", "quantity"),
        Check("'negative_amount'", "NOT is_return AND exact < 0", money),
    ]


def _notes() -> str:
    changed_ids = " OR ".join(f"({role} IS DISTINCT FROM {role}_raw AND {role} IS NOT NULL)" for role in IDS)
    bits = {
        "id_cleaned": changed_ids,
        "number_form": " OR ".join(f"coalesce({role}_odd.changed, false)" for role in NUMBERS),
        "unit": "unit <> ''",
        "date_form": "coalesce(time_odd.changed, false) OR coalesce(recorded_at_odd.changed, false)",
        "zone": "time_moved OR recorded_at_moved",
        "return_sign": "is_return AND exact > 0",
        "currency": "foreign_money",
        "recorded_unknown": "recorded_at_fault IS NOT NULL",
    }
    return " + ".join(f"CASE WHEN {check} THEN {NOTES[key]} ELSE 0 END" for key, check in bits.items())


def settled_lines(part: Part, number: int, source: Source, hashed: str) -> str:
    """Return SQL that settles every line of a part.

    Parameters
    ----------
    part : Part
        The part.
    number : int
        Its place among the parts.
    source : Source
        Declared rules.
    hashed : str
        SQL of the fingerprint of a line, or a constant where none is needed.
    """
    policies = source.policies
    order = "order_id" if "order_id" in part.roles else "customer_id || '@' || strftime(time_is, '%Y-%m-%d')"
    recorded = "CASE WHEN recorded_at_fault IS NULL THEN recorded_at_is END"
    odd = [*id_columns(IDS), *odd_numbers(NUMBERS), *odd_times(TIMES, source.date_format)]
    value = [*number_columns(part, NUMBERS), *time_columns(TIMES, source.timezone), *_word_columns(source)]
    sign = "CASE WHEN is_return THEN -abs({0}) ELSE {0} END"
    raw = f"""
SELECT {part.line} AS line, {part.fault} AS fault, {lost_digits(part, IDS)} AS digits_lost,
  {broken_ids(part, IDS)} AS id_fraction, {hashed} AS fingerprint,
  {", ".join(raw_columns(part, source.timezone, ROLES, TIMES, NUMBERS))}
FROM {part.relation}"""
    judged = [
        f"{_is_return(policies, 'kind' in part.roles)} AS is_return",
        f"{non_product(policies.non_products)} AS not_a_product",
        f"currency_is <> {sql_literal(source.currency.code)} AS foreign_money",
    ]
    last = verdict_columns(_checks(part, policies, source.complete_until))
    return f"""
SELECT {number}::INTEGER AS part, line::BIGINT AS line, customer_id, {order} AS order_id,
  date_diff('day', DATE '1970-01-01', time_is::DATE)::INTEGER AS day,
  greatest(day, date_diff('day', DATE '1970-01-01', ({recorded})::DATE))::INTEGER AS known_day,
  {sign.format("minor")} AS amount, CASE WHEN is_return THEN 'return' ELSE 'purchase' END AS kind,
  product_id, {sign.format("quantity_is")}::DOUBLE AS quantity, time_is AS "time",
  reason, blamed, ({_notes()})::INTEGER AS notes, not_a_product,
  fingerprint, line_id, {recorded} AS recorded_at, unit,
  CASE WHEN foreign_money THEN currency_is END AS foreign_currency
FROM ({stepped_sql(raw, [*odd, *value, *_money_columns(part, source), *judged, *last])})"""
