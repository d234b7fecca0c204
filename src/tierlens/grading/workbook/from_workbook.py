"""From the tables of a scheme back to the data of its file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tierlens import strict_yaml
from tierlens.errors import SchemeError
from tierlens.grading.scheme.scheme import Scheme
from tierlens.grading.workbook.to_workbook import BOUNDS, NAMED, Table
from tierlens.words import Text

Rows = Sequence[Mapping[str, Any]]
Data = dict[str, Any]
WORDS = {"id", "name", "label", "version", "valid_from", "document", "clause", "currency", "table", "tier_by"}


def scheme_from_tables(tables: Iterable[Table]) -> Scheme:
    """Read a scheme from its tables.

    Parameters
    ----------
    tables : iterable of Table
        As ``book.scheme_tables`` gives them, in any order.

    Raises
    ------
    SchemeError
        ``E-SC-002`` when an entry is not there, ``E-YA-020`` when the scheme breaks the language.

    Examples
    --------
    >>> from tierlens.grading.workbook.to_workbook import scheme_tables
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> scheme_from_tables(scheme_tables(load_scheme("five_step"))) == load_scheme("five_step")
    True
    """
    data = plain_scheme({table.sheet.key: table.rows for table in tables})
    return strict_yaml.build_model(Scheme, strict_yaml.Document(data, "workbook", ""))


def _missing_entry(what: str) -> SchemeError:
    start = "tierlens scheme explain --out scheme.xlsx"
    return SchemeError(
        "E-SC-002",
        Text(f"the tables do not say {what}", f"表格中缺少 {what}"),
        fix=Text(f"start from '{start}'", f"请从 {start} 生成的文件改起"),
    )


def plain_scheme(tables: Mapping[str, Rows]) -> Data:
    """Return the data of a scheme file.

    Parameters
    ----------
    tables : mapping of str to rows
        Cells by key, empty ones left out; see ``book.scheme_tables``.

    Raises
    ------
    SchemeError
        ``E-SC-002`` when something needed is not there.
    """
    rows = [(str(row["key"]), row["value"]) for row in tables.get("scheme", ()) if "value" in row]
    # A spreadsheet may have turned the version into a number.
    about = {key: str(value) if key in WORDS else value for key, value in rows}
    for key in ("document", "clause", "points_from", "points_to"):
        if key not in about:
            raise _missing_entry(key)
    data: Data = {
        key: value for key, value in about.items() if key not in ("document", "clause", "points_from", "points_to")
    }
    data["source"] = {key: about[key] for key in ("document", "clause")}
    data["points"] = {"from": about["points_from"], "to": about["points_to"]}
    data["features"] = {row["id"]: _without(row, "id") for row in tables.get("features", ())}
    data["dimensions"] = list(_dimensions(tables))
    data["tiers"] = list(_tiers(tables))
    data["labels"] = list(_labels(tables))
    data["triggers"] = [_ruled(rows) for rows in _groups(tables.get("triggers", ()), "id")]
    data["tags"] = [_ruled(rows) for rows in _groups(tables.get("tags", ()), "id")]
    data["parameters"] = [_with_notes(row) for row in tables.get("parameters", ())]
    data["practices"] = [_with_notes(row) for row in tables.get("practices", ())]
    data["notes"] = [dict(row) for row in tables.get("notes", ())]
    return data


def _without(row: Mapping[str, Any], *keys: str) -> Data:
    return {key: value for key, value in row.items() if key not in keys}


def _only(row: Mapping[str, Any], *keys: str) -> Data:
    return {key: row[key] for key in keys if key in row}


def _notes(row: Mapping[str, Any], name: str = "note") -> list[Data]:
    pairs = zip(str(row.get(f"{name}_en", "")).split("\n"), str(row.get(f"{name}_zh", "")).split("\n"), strict=False)
    return [{"en": en, "zh": zh} for en, zh in pairs if en or zh]


def _with_notes(row: Mapping[str, Any]) -> Data:
    return {**_without(row, "note_en", "note_zh"), "note": _notes(row)}


def _groups(rows: Rows, key: str) -> Iterator[list[Mapping[str, Any]]]:
    """Rows up to the next one with the key belong together."""
    group: list[Mapping[str, Any]] = []
    for row in rows:
        if key in row and group:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _dimensions(tables: Mapping[str, Rows]) -> Iterator[Data]:
    for row in tables.get("dimensions", ()):
        mine = [each for each in tables.get("indicators", ()) if each.get("dimension") == row["id"]]
        yield {**_with_notes(row), "indicators": [_indicator(each, tables.get("points", ())) for each in mine]}


def _indicator(row: Mapping[str, Any], points: Rows) -> Data:
    data = _only(row, *NAMED, "feature", "weight", "direction", "missing", "source")
    data["note"] = _notes(row)
    if "proxy" in row:
        data["proxy"] = {"feature": row["proxy"], "note": _notes(row, "proxy_note")}
    mine = [each for each in points if each.get("indicator") == row["id"]]
    return data | _method(row, mine)


def _method(row: Mapping[str, Any], points: Rows) -> Data:
    method = row.get("method")
    if method == "given":
        return {"given": {"from": row.get("given_from"), "to": row.get("given_to")}}
    if method == "ordinal":
        return {"ordinal": {str(each["word"]): each["points"] for each in points if "word" in each}}
    if method == "cuts":
        return {"cuts": [_cut(each) for each in points]}
    if method == "tables":
        names = dict.fromkeys(str(each.get("table")) for each in points)
        return {"tables": {name: [_cut(p) for p in points if p.get("table") == name] for name in names}}
    return {"normalise": _only(row, "method", "centre", "slope")}


def _cut(row: Mapping[str, Any]) -> Data:
    return {**_only(row, *BOUNDS, "points", "source"), "note": _notes(row)}


def _tiers(tables: Mapping[str, Rows]) -> Iterator[Data]:
    for row in tables.get("tiers", ()):
        data = {**_only(row, *NAMED, *BOUNDS, "source"), "note": _notes(row)}
        if "share_from" in row:
            data["share"] = [row["share_from"], row.get("share_to")]
        for meaning in _notes(row, "meaning"):
            data["meaning"] = meaning
        data["measures"] = [_measure(each) for each in tables.get("measures", ()) if each["tier"] == row["id"]]
        yield data


def _measure(row: Mapping[str, Any]) -> Data:
    return {**_only(row, "en", "zh", "at_risk", "source"), "note": next(iter(_notes(row)), None)}


def _labels(tables: Mapping[str, Rows]) -> Iterator[Data]:
    for rows in _groups(tables.get("labels", ()), "id"):
        values = [{"id": r["value"], "name": r["value_name"], "label": r["value_label"]} for r in rows if "value" in r]
        head = {**_only(rows[0], *NAMED, "otherwise", "source"), "note": _notes(rows[0]), "values": values}
        yield {**head, "rules": list(_rules(tables.get("rules", ()), str(rows[0]["id"])))}


def _rules(rows: Rows, label: str) -> Iterator[Data]:
    for group in _groups(rows, "of_label"):
        if group[0]["of_label"] == label:
            head = {**_only(group[0], "value", "flag", "source"), "note": _notes(group[0])}
            yield {**head, "when": _when(group)}


def _ruled(rows: Rows) -> Data:
    head = _only(rows[0], *NAMED, "rows_days", "of", "per", "suffix", "source")
    when = _when(rows)
    return {**head, "note": _notes(rows[0]), **({"when": when} if when else {})}


def _when(rows: Iterable[Mapping[str, Any]]) -> list[Data]:
    found: dict[Any, Data] = {}
    for row in rows:
        if "column" in row:
            found.setdefault(row.get("alternative", 1), {})[str(row["column"])] = _condition(row)
    return list(found.values())


def _condition(row: Mapping[str, Any]) -> Data:
    data = _only(row, *BOUNDS, "missing", "is")
    if "times" in row:
        data["of"] = row["times"]
    if "in" in row:
        data["in"] = str(row["in"]).split(" | ")
    # A whole number is a number, wherever it was read from.
    return {key: Decimal(value) if type(value) is int else value for key, value in data.items()}
