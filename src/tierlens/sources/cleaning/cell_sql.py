"""The SQL that reads one cell, whatever its column means: text, exact numbers and times of any type and form.

Plain values are read by the engine; the others go through :mod:`tierlens.sources.parsing.parse_values`, whose
functions are lent to the connection. Each column gets helpers beside it: ``<name>_raw`` (as text), ``<name>_native`` (a
number or time of its own type), ``<name>_odd`` (what a function made of it), ``<name>_is`` (the value)
and ``<name>_fault``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tierlens.sources.parsing.parse_values import SENTINELS
from tierlens.sources.parsing.part import Part, sql_literal, sql_name
from tierlens.sources.tables import FIRST_YEAR, LAST_YEAR

ODD_NUMBER = "STRUCT(value VARCHAR, unit VARCHAR, changed BOOLEAN, fault VARCHAR)"
ODD_TIME = "STRUCT(time TIMESTAMP, changed BOOLEAN, moved BOOLEAN, fault VARCHAR)"

_PLAIN_ID = "[!-~]+( [!-~]+)*"
_PLAIN_NUMBER = r"[+-]?[0-9]{1,12}(\.[0-9]{0,6})?"
_PLAIN_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T]([01][0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?"
_OFFSET = r"(Z|[+-][0-9]{2}:[0-9]{2})"
_SENTINEL_DAYS = "(" + ", ".join(f"DATE '{day}'" for day in sorted(SENTINELS) if day > "0001") + ")"


def sql_texts(values: Iterable[str]) -> str:
    """Return SQL of a list of texts, for ``IN``.

    Examples
    --------
    >>> sql_texts({"b", "a"})
    "('a', 'b')"
    """
    return "(" + ", ".join(sql_literal(value) for value in sorted(values)) + ")"


def as_text(column: str, kind: str) -> str:
    """Return SQL for a column as text; whole floats lose their point, NaN and empty text are missing.

    Examples
    --------
    >>> as_text('"id"', "BIGINT")
    '"id"::VARCHAR'
    """
    if kind == "VARCHAR":
        return f"nullif({column}, '')"
    if kind in ("DOUBLE", "FLOAT"):
        whole = f"{column} = trunc({column}) AND abs({column}) < 1e15"
        number = f"CASE WHEN {whole} THEN TRY_CAST({column} AS BIGINT)::VARCHAR ELSE {column}::VARCHAR END"
        return f"CASE WHEN NOT isnan({column}) THEN {number} END"
    if kind.startswith("DECIMAL"):
        return rf"regexp_replace({column}::VARCHAR, '(\.[0-9]*?)0+$', '\1').rtrim('.')"
    return f"{column}::VARCHAR"


def _is_native_time(kind: str) -> bool:
    return kind == "DATE" or kind.startswith("TIMESTAMP")


def _is_exact(kind: str) -> bool:
    return kind.startswith("DECIMAL") or kind.removeprefix("U").endswith("INT") or kind in ("INTEGER", "UINTEGER")


def raw_columns(
    part: Part, zone: str, roles: Sequence[str], times: Sequence[str], numbers: Mapping[str, str]
) -> list[str]:
    """Return SQL for each role as text, NULL where nothing carries it.

    Times and exact numbers of their own type need no reading: they stand beside, as ``<role>_native``.

    Parameters
    ----------
    part : Part
        The part.
    zone : str
        Business time zone.
    roles : sequence of str
        All columns of the vocabulary.
    times : sequence of str
        Those that are times.
    numbers : mapping of str to str
        Those that are numbers, and the DuckDB type that each is read as.
    """
    columns = []
    for role in roles:
        column, kind = part.column(role) or ("NULL", "VARCHAR")
        native = (role in times and _is_native_time(kind)) or (role in numbers and _is_exact(kind))
        columns.append(f"{'NULL::VARCHAR' if native else as_text(column, kind)} AS {role}_raw")
        if role in times:
            zoned = kind.startswith("TIMESTAMP WITH")
            here = f"timezone({sql_literal(zone)}, {column})" if zoned else column
            columns += [
                f"TRY_CAST({here if native else 'NULL'} AS TIMESTAMP) AS {role}_native",
                f"{column if native else 'NULL'} IS NOT NULL AS {role}_given",
                f"{zoned} AS {role}_zoned",
            ]
        if role in numbers:
            columns.append(f"TRY_CAST({column if native else 'NULL'} AS {numbers[role]}) AS {role}_native")
            columns.append(f"{column if native else 'NULL'} IS NOT NULL AS {role}_given")
    return columns


def lost_digits(part: Part, ids: Sequence[str]) -> str:
    """Return SQL that says whether an id of the part is a float of more than 15 digits."""
    carried = [part.column(role) for role in ids]
    floats = [column for column, kind in filter(None, carried) if kind in ("DOUBLE", "FLOAT")]
    return " OR ".join(f"(abs({column}) >= 1e15 AND NOT isnan({column}))" for column in floats) or "false"


def broken_ids(part: Part, ids: Sequence[str]) -> str:
    """Return SQL that says whether an id of the part is a float with decimals: it was a number, and no id."""
    carried = [part.column(role) for role in ids]
    floats = [column for column, kind in filter(None, carried) if kind in ("DOUBLE", "FLOAT")]
    broken = (f"({column} <> trunc({column}) AND abs({column}) < 1e15 AND NOT isnan({column}))" for column in floats)
    return " OR ".join(broken) or "false"


def line_fingerprint(part: Part, as_words: bool) -> str:
    """Return SQL of a hash of all original fields, in the order of their headers.

    Parameters
    ----------
    part : Part
        The part.
    as_words : bool
        Hash every field as text, so that files of different types can be compared.
    """
    order = sorted(range(len(part.headers)), key=lambda i: part.headers[i])
    names = [sql_name(part.fields[i]) for i in order]
    return f"hash({', '.join(as_text(n, part.types[i]) if as_words else n for n, i in zip(names, order, strict=True))})"


def id_columns(ids: Sequence[str]) -> list[str]:
    """Return SQL of clean ids; only odd ones cost a call."""
    raws = {role: f"{role}_raw" for role in ids}
    return [
        f"CASE WHEN regexp_full_match({raw}, '{_PLAIN_ID}') THEN {raw} ELSE clean_id({raw}) END AS {role}"
        for role, raw in raws.items()
    ]


def odd_numbers(numbers: Iterable[str], function: str = "odd_number") -> list[str]:
    """Return SQL of what a lent function makes of numbers that are not plain."""
    return [
        f"CASE WHEN NOT regexp_full_match({role}_raw, '{_PLAIN_NUMBER}') THEN {function}({role}_raw) END AS {role}_odd"
        for role in numbers
    ]


def odd_times(times: Sequence[str], date_format: str | None) -> list[str]:
    """Return SQL of what a lent function makes of times that are not plain; of all where a format is declared."""
    columns = []
    for role in times:
        raw = f"{role}_raw"
        plain = "" if date_format else f"NOT regexp_full_match({raw}, '{_PLAIN_TIME}{_OFFSET}?') AND "
        columns.append(f"CASE WHEN {plain} {raw} IS NOT NULL THEN odd_time({raw}) END AS {role}_odd")
    return columns


def number_columns(part: Part, numbers: Mapping[str, str]) -> list[str]:
    """Return SQL of each number, what is wrong with it, and its unit."""
    columns = []
    for role, width in numbers.items():
        odd, text = f"{role}_odd", f"CASE WHEN {role}_odd IS NULL THEN {role}_raw ELSE {role}_odd.value END"
        unit = part.roles[role].unit if role in part.roles else ""
        columns += [
            f"CASE WHEN {role}_raw IS NULL THEN {role}_native ELSE TRY_CAST({text} AS {width}) END AS {role}_is",
            f"CASE WHEN {odd}.fault IS NOT NULL THEN {odd}.fault "
            f"WHEN {role}_is IS NULL AND ({role}_given OR {text} IS NOT NULL) THEN 'bad_number' END AS {role}_fault",
            f"coalesce(nullif({odd}.unit, ''), {sql_literal(unit)}) AS {role}_unit",
        ]
    return columns


def time_columns(times: Sequence[str], zone: str) -> list[str]:
    """Return SQL of each time in the business time zone, what is wrong with it, and whether it was moved."""
    columns = []
    for role in times:
        raw, odd = f"{role}_raw", f"{role}_odd"
        with_offset = f"{role}_offset"
        moved = f"timezone({sql_literal(zone)}, TRY_CAST({raw} AS TIMESTAMPTZ))"
        plain = f"CASE WHEN {with_offset} THEN {moved} ELSE TRY_CAST({raw} AS TIMESTAMP) END"
        columns += [
            # A bare day has 10 characters and no offset; it needs no pattern.
            f"CASE WHEN length({raw}) > 10 THEN regexp_full_match({raw}, '{_PLAIN_TIME}{_OFFSET}') ELSE false END "
            f"AS {with_offset}",
            f"CASE WHEN {odd} IS NOT NULL THEN {odd}.time WHEN {raw} IS NULL THEN {role}_native "
            f"ELSE {plain} END AS {role}_any",
            f"CASE WHEN isfinite({role}_any) THEN {role}_any END AS {role}_is",
            f"CASE WHEN {odd}.fault IS NOT NULL THEN {odd}.fault "
            f"WHEN starts_with({raw}, '0000-00-00') THEN 'sentinel_date' "
            f"WHEN {role}_is IS NULL AND ({raw} IS NOT NULL OR {role}_given) THEN 'bad_date' "
            f"WHEN {role}_is::DATE IN {_SENTINEL_DAYS} THEN 'sentinel_date' "
            f"WHEN year({role}_is) NOT BETWEEN {FIRST_YEAR} AND {LAST_YEAR} THEN 'impossible_year' END "
            f"AS {role}_fault",
            f"{role}_is IS NOT NULL AND ({role}_zoned OR coalesce({odd}.moved, {with_offset}, false)) AS {role}_moved",
        ]
    return columns
