"""The SQL that settles the rows of any table but transactions, written from its contract.

The steps are those of :mod:`tierlens.sources.cleaning.transaction_sql`: ``raw`` (each column as text), ``odd`` (what is
not plain goes through :mod:`tierlens.sources.parsing.parse_values`), ``value`` (numbers, times, words and flags) and
``judged`` (days, minor units, and the first reason to quarantine).
"""

# ruff: noqa: S608 - every name and text in the SQL goes through quoted() or literal()

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

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
from tierlens.sources.cleaning.transaction_sql import NOTES
from tierlens.sources.declared.contract import Column, Contract, Kind
from tierlens.sources.declared.contracts import ALWAYS, JUDGED, SCORED
from tierlens.sources.declared.source import Source
from tierlens.sources.parsing.parse_values import NO, TOTALS, YES
from tierlens.sources.parsing.part import Part, sql_literal
from tierlens.sources.parsing.sql_steps import stepped_sql
from tierlens.sources.parsing.verdict import Check, verdict_columns

EXACT = "DECIMAL(28, 10)"
WORKING = ("part", "line", "reason", "notes", "fingerprint", "line_id", "recorded_at")
_SHARE = " AND NOT regexp_full_match({0}_raw, '[0-9]+(\\.[0-9]+)?%')"  # 85% is the plain form of a share
_HIDDEN = r"[\p{Cc}\p{Cf}]"
_UNTIDY = rf"^\s|\s$|{_HIDDEN}"
FIGURES: tuple[Kind, ...] = ("whole", "number", "share")


def _names(contract: Contract, *kinds: Kind) -> tuple[str, ...]:
    return tuple(column.name for column in contract.columns if column.kind in kinds)


def settled_spellings(values: Mapping[str, str]) -> dict[str, str]:
    """Return the settled word for each spelling of it, in lower case.

    Examples
    --------
    >>> settled_spellings({"visit": "Meeting 拜访"})
    {'visit': 'visit', 'meeting': 'visit', '拜访': 'visit'}
    """
    return {spelled.lower(): word for word, others in values.items() for spelled in (word, *others.split())}


def _lookup(key: str, known: Mapping[str, str]) -> str:
    """Return SQL of the word that a key stands for; NULL for a key that is not known."""
    by_word: dict[str, list[str]] = {}
    for spelled, word in known.items():
        by_word.setdefault(word, []).append(spelled)
    cases = (f"WHEN {key} IN {sql_texts(keys)} THEN {sql_literal(word)}" for word, keys in by_word.items())
    return f"CASE {' '.join(cases)} END"


def _said(name: str, raw: str, known: Mapping[str, str]) -> list[str]:
    """Return SQL of a word, and of whether anything was said at all; only odd texts cost a call."""
    return [
        f"{_lookup(f'lower(trim({raw}))', known)} AS {name}_plain",
        f"CASE WHEN {name}_plain IS NULL AND {raw} IS NOT NULL THEN clean_id({raw}) END AS {name}_other",
        f"coalesce({name}_plain, {_lookup(f'lower({name}_other)', known)}) AS {name}_found",
        f"{name}_plain IS NOT NULL OR {name}_other IS NOT NULL AS {name}_said",
    ]


def _word_columns(column: Column) -> list[str]:
    name = column.name
    found = _said(name, f"{name}_raw", settled_spellings(column.values))
    unknown = "'other'" if "other" in column.values else "NULL"
    fault = f"CASE WHEN {name}_said AND {name}_is IS NULL THEN 'bad_word' END"
    return [
        *found,
        f"CASE WHEN {name}_said THEN coalesce({name}_found, {unknown}) END AS {name}_is",
        f"{fault} AS {name}_fault",
        f"{name}_said AND {name}_found IS NULL AND {name}_is IS NOT NULL AS {name}_unknown",
    ]


def _flag_columns(column: Column) -> list[str]:
    name = column.name
    known = dict.fromkeys(YES, "yes") | dict.fromkeys(NO, "no")
    otherwise = "NULL::BOOLEAN" if column.otherwise is None else str(column.otherwise).lower()
    return [
        *_said(name, f"{name}_raw", known),
        f"CASE {name}_found WHEN 'yes' THEN true WHEN 'no' THEN false ELSE {otherwise} END AS {name}_is",
        f"{name}_said AND {name}_found IS NULL AS {name}_unknown",
    ]


def _text_columns(column: Column) -> list[str]:
    raw = f"{column.name}_raw"
    clean = f"CASE WHEN regexp_matches({raw}, '{_UNTIDY}') THEN clean_text({raw}) ELSE {raw} END"
    return [f"{clean} AS {column.name}_is", f"coalesce(regexp_matches({raw}, '{_HIDDEN}'), false) AS {column.name}_hid"]


def _figure_columns(column: Column) -> list[str]:
    """Return SQL of a bare number: per cent and 万 applied, bounds checked."""
    name = column.name
    exact = f"TRY({name}_is * CASE {name}_unit WHEN '万' THEN 10000 WHEN '亿' THEN 100000000 ELSE 1 END)"
    exact = f"CASE {name}_unit WHEN '%' THEN {name}_is / 100 ELSE {exact} END"
    whole = f" WHEN {name}_exact <> trunc({name}_exact) THEN 'bad_number'" if column.kind == "whole" else ""
    return [
        f"{exact} AS {name}_exact",
        f"CASE WHEN {name}_fault IS NOT NULL THEN {name}_fault{whole}{_outside(column, f'{name}_exact')} END "
        f"AS {name}_wrong",
    ]


def _money_columns(column: Column, source: Source) -> list[str]:
    name = column.name
    times = f"CASE {name}_unit WHEN '万' THEN 10000 WHEN '亿' THEN 100000000 ELSE 1 END"
    minor = f"TRY(CAST({name}_is::DECIMAL(38, 14) * {times} * {source.currency.minor} AS BIGINT))"
    lost = f" WHEN {name}_exact IS NULL AND {name}_is IS NOT NULL THEN 'bad_number'"
    return [
        f"{minor} AS {name}_exact",
        f"CASE WHEN {name}_fault IS NOT NULL THEN {name}_fault{lost}{_outside(column, f'{name}_exact')} END "
        f"AS {name}_wrong",
    ]


def _outside(column: Column, value: str) -> str:
    bounds = [f"{value} < {column.at_least}"] if column.at_least is not None else []
    bounds += [f"{value} > {column.at_most}"] if column.at_most is not None else []
    return f" WHEN {' OR '.join(bounds)} THEN 'out_of_range'" if bounds else ""


def _judgement_columns() -> list[str]:
    """Return SQL of what a rating says: a word of its list, a number in its bounds, or free text."""
    words = " ".join(
        f"WHEN {sql_literal(name)} THEN {_lookup('lower(clean_id(value_raw))', settled_spellings(values))}"
        for name, values in JUDGED.items()
    )
    scored = f"name_is IN {sql_texts(SCORED)} AND value_is IS NOT NULL"
    figure = f"CASE WHEN {scored} THEN odd_figure(value_is) END"
    bounds = " OR ".join(
        f"(name_is = {sql_literal(name)} AND (score NOT BETWEEN {least} AND {most}))"
        for name, (_, least, most) in SCORED.items()
    )
    return [
        f"CASE name_is {words} ELSE value_is END AS judged",
        f"{figure} AS figure",
        f"TRY_CAST(figure['value'] AS {EXACT}) / CASE figure['unit'] WHEN '%' THEN 100 ELSE 1 END AS score",
        f"CASE WHEN value_is IS NOT NULL AND judged IS NULL THEN 'bad_word' "
        f"WHEN figure['fault'] IS NOT NULL THEN figure['fault'] "
        f"WHEN figure IS NOT NULL AND (score IS NULL OR figure['unit'] NOT IN ('', '%')) THEN 'bad_number' "
        f"WHEN {bounds} THEN 'out_of_range' END AS judgement_wrong",
    ]


def _day(time: str) -> str:
    return f"date_diff('day', DATE '1970-01-01', ({time})::DATE)::INTEGER"


def _usable(contract: Contract) -> dict[str, str]:
    """Return SQL of each time; a placeholder in an optional one is empty."""
    times = _names(contract, "time")
    return {name: f"CASE WHEN {name}_fault IS NULL THEN {name}_is END" for name in times}


def _time_checks(contract: Contract, required: Sequence[str]) -> Iterator[Check]:
    for name in _names(contract, "time"):
        if name in required:
            yield Check(f"{name}_fault", f"{name}_fault IS NOT NULL", name)
            yield Check("'missing_time'", f"{name}_is IS NULL", name)
        elif name != "recorded_at":
            yield Check(f"{name}_fault", f"{name}_fault <> 'sentinel_date'", name)


def _checks(contract: Contract) -> Iterator[Check]:
    """Yield what keeps a row out, in the order of judgement."""
    required = [column.name for column in contract.columns if column.required]
    yield Check("fault", "fault IS NOT NULL")
    yield Check("'digits_lost'", "digits_lost")
    yield Check("'id_fraction'", "id_fraction")
    yield Check("'total_line'", f"lower(customer_id) IN {sql_texts(TOTALS)}", "customer_id")
    yield Check("'missing_customer'", "customer_id IS NULL", "customer_id")
    yield from _time_checks(contract, required)
    for name in _names(contract, *FIGURES, "money"):
        yield Check(f"{name}_wrong", f"{name}_wrong IS NOT NULL", name)
    for name in _names(contract, "word"):
        yield Check(f"{name}_fault", f"{name}_fault IS NOT NULL", name)
    if contract.name == "ratings":
        yield Check("judgement_wrong", "judgement_wrong IS NOT NULL", "value")
    for name in required:
        if name not in _names(contract, "time", "id"):
            yield Check("'missing_value'", f"{name}_is IS NULL", name)
    if contract.ordered:
        first, last = (_usable(contract)[name] for name in contract.ordered)
        yield Check("'wrong_order'", f"{_day(last)} < {_day(first)}", contract.ordered[1])


def _any(conditions: Iterable[str]) -> str:
    return " OR ".join(conditions) or "false"


def _notes(contract: Contract) -> str:
    times, optional = _names(contract, "time"), [c.name for c in contract.of_kind("time") if not c.required]
    ids = (f"({name} IS DISTINCT FROM {name}_raw AND {name} IS NOT NULL)" for name in _names(contract, "id"))
    numbers, shares = _names(contract, *FIGURES, "money"), _names(contract, "share")
    bits = {
        "id_cleaned": _any(ids),
        "number_form": _any(
            f"coalesce({name}_odd.changed, false){_SHARE.format(name) if name in shares else ''}" for name in numbers
        ),
        "unit": _any(f"{name}_unit IN ('万', '亿')" for name in numbers),
        "date_form": _any(f"coalesce({name}_odd.changed, false)" for name in times),
        "zone": _any(f"{name}_moved" for name in times),
        "recorded_unknown": "recorded_at_fault IS NOT NULL",
        "text_cleaned": _any(f"{name}_hid" for name in _names(contract, "text")),
        "other_word": _any(f"{name}_unknown" for name in _names(contract, "word")),
        "flag_unknown": _any(f"{name}_unknown" for name in _names(contract, "flag")),
        "sentinel_blank": _any(
            f"coalesce({name}_fault = 'sentinel_date', false)" for name in optional if name != "recorded_at"
        ),
    }
    return " + ".join(f"CASE WHEN {check} THEN {NOTES[key]} ELSE 0 END" for key, check in bits.items())


def _settled(contract: Contract, recorded: str) -> list[str]:
    """Return SQL of the columns behind the door, by the name each has there."""
    usable = _usable(contract)
    columns: dict[str, str] = {}
    for column in contract.columns:
        name = column.name
        if column.kind == "time":
            columns[column.after] = _day(usable[name])
        elif column.kind in (*FIGURES, "money"):
            columns[column.after] = f"{name}_exact::{'BIGINT' if column.kind in ('whole', 'money') else 'DOUBLE'}"
        else:
            columns[column.after] = name if column.kind == "id" else f"{name}_is"
    columns.pop("recorded_at")
    columns["day"] = f"coalesce({columns['day']}, {ALWAYS})::INTEGER"
    columns["known_day"] = f"greatest({columns['day']}, {_day(recorded)})::INTEGER"
    if contract.name in SPECIAL:
        columns |= SPECIAL[contract.name](columns)
    return [f"{columns[name]} AS {name}" for name in contract.schema]


def _contracts(columns: Mapping[str, str]) -> dict[str, str]:
    decided = f"coalesce({columns['outcome_day']}, {columns['end_day']})"
    return {"outcome_day": f"CASE WHEN {decided} IS NOT NULL THEN greatest({columns['known_day']}, {decided}) END"}


def _tickets(columns: Mapping[str, str]) -> dict[str, str]:
    return {"rated_day": f"greatest({columns['known_day']}, {columns['rated_day']})"}


def _payments(columns: Mapping[str, str]) -> dict[str, str]:
    paid = f"coalesce({columns['paid_amount']}, {columns['amount']})"
    return {"paid_amount": f"CASE WHEN {columns['paid_day']} IS NOT NULL THEN {paid} END"}


def _ratings(columns: Mapping[str, str]) -> dict[str, str]:
    return {"value": "judged", "score": "score::DOUBLE"}


SPECIAL = {"contracts": _contracts, "tickets": _tickets, "payments": _payments, "ratings": _ratings}
"""Columns behind the door that say more than the column of the file, by table."""


def _key(contract: Contract, part: Part) -> str:
    """Return SQL of a text that tells rows apart, NULL where it cannot."""
    times = _names(contract, "time")
    if any(name not in part.roles for name in contract.key if name not in times):
        return "NULL::VARCHAR"
    words = _names(contract, "word")
    texts_of = {name: f"coalesce({_day(_usable(contract)[name])}, {ALWAYS})::VARCHAR" for name in times}
    texts_of |= {name: f"{name}_is" for name in words}
    return " || '@' || ".join(texts_of.get(name, name) for name in contract.key)


def settled_rows(part: Part, number: int, source: Source, contract: Contract, hashed: str) -> str:
    """Return SQL that settles every row of a part.

    Parameters
    ----------
    part : Part
        The part.
    number : int
        Its place among the parts.
    source : Source
        Business time zone, currency, and the format of dates.
    contract : Contract
        Of the table.
    hashed : str
        SQL of the fingerprint of a row, or a constant where none is needed.
    """
    times, figures, money = _names(contract, "time"), _names(contract, *FIGURES), _names(contract, "money")
    numbers = dict.fromkeys((*figures, *money), EXACT)
    odd = [*id_columns(_names(contract, "id")), *odd_numbers(money), *odd_numbers(figures, "odd_figure")]
    odd += odd_times(times, source.date_format)
    value = [*number_columns(part, numbers), *time_columns(times, source.timezone)]
    value += [sql for column in contract.of_kind("word") for sql in _word_columns(column)]
    value += [sql for column in contract.of_kind("flag") for sql in _flag_columns(column)]
    value += [sql for column in contract.of_kind("text") for sql in _text_columns(column)]
    exact = [sql for column in contract.of_kind(*FIGURES) for sql in _figure_columns(column)]
    exact += [sql for column in contract.of_kind("money") for sql in _money_columns(column, source)]
    exact += _judgement_columns() if contract.name == "ratings" else []
    recorded = "CASE WHEN recorded_at_fault IS NULL THEN recorded_at_is END"
    units = [f"{name}_unit" for name in money]
    raw = f"""
SELECT {part.line} AS line, {part.fault} AS fault,
  {lost_digits(part, _names(contract, "id"))} AS digits_lost,
  {broken_ids(part, _names(contract, "id"))} AS id_fraction, {hashed} AS fingerprint,
  {", ".join(raw_columns(part, source.timezone, contract.names, times, numbers))}
FROM {part.relation}"""
    return f"""
SELECT {number}::INTEGER AS part, line::BIGINT AS line, reason, blamed,
  ({_notes(contract)})::INTEGER AS notes, fingerprint, {_key(contract, part)} AS line_id, {recorded} AS recorded_at,
  {", ".join([*_settled(contract, recorded), *units])}
FROM ({stepped_sql(raw, [*odd, *value, *exact, *verdict_columns(_checks(contract))])})"""
