"""Reasons as columns, one row a customer, for tables and lists."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tierlens.explain.reasons import LOWERS, MOST, RAISES, SCHEMA, Reasons
from tierlens.words import Text

OUTCOMES = ("churn", "downgrade")
SIDES = ((RAISES, "raised_by"), (LOWERS, "lowered_by"))
REASONS: dict[str, Text] = {
    f"{outcome}_{side}_{number}": Text(f"{words.en} {number}", f"{words.zh}{number}")
    for outcome, side, words, most in (
        ("churn", "raised_by", Text("raises churn", "流失风险升高原因"), MOST[RAISES]),
        ("churn", "lowered_by", Text("lowers churn", "流失风险降低原因"), MOST[LOWERS]),
        ("downgrade", "raised_by", Text("raises downgrade", "降级风险升高原因"), MOST[RAISES]),
        ("downgrade", "lowered_by", Text("lowers downgrade", "降级风险降低原因"), MOST[LOWERS]),
    )
    for number in range(1, most + 1)
}
"""Reasons of each risk by itself, as a reader's columns are headed."""
PARTS = (("code", "code"), ("points", "points"), ("text_en", "en"), ("text_zh", "zh"))


def reason_columns(outcome: str) -> dict[str, pa.DataType]:
    """Return the columns of ``reasons_beside`` with their types, in order.

    Examples
    --------
    >>> list(reason_columns("churn"))[:4]
    ['churn_raised_by_1_code', 'churn_raised_by_1_points', 'churn_raised_by_1_en', 'churn_raised_by_1_zh']
    """
    places = [(way, words, number) for way, words in SIDES for number in range(1, MOST[way] + 1)]
    found = {
        f"{outcome}_{words}_{number}_{end}": SCHEMA.field(name).type
        for _, words, number in places
        for name, end in PARTS
    }
    return found | {f"{outcome}_{end}": pa.float64() for end in ("base", "level_points", "other_points")}


def reasons_beside(reasons: Reasons, outcome: str) -> pa.Table:
    """Return reasons as columns, one row a customer.

    Parameters
    ----------
    reasons : Reasons
    outcome : str
        Begins the name of each column.

    Returns
    -------
    pyarrow.Table
        ``<outcome>_raised_by_1_code``, ``_points``, ``_en`` and ``_zh`` to ``raised_by_3``, ``lowered_by_1`` and
        ``lowered_by_2`` likewise, ``<outcome>_base`` (risk, 0-1), ``<outcome>_level_points`` and
        ``<outcome>_other_points``.

    Examples
    --------
    >>> from tierlens.explain.contributions import Contributions
    >>> from tierlens.explain.reasons import Known, tell_reasons
    >>> from tierlens.sources.tables import Currency
    >>> found = Contributions([[1.5], [0.0]], -1.0, ("recency_days",))
    >>> known = Known({"recency_days": np.array([74.0, 9.0])}, Currency("GBP"))
    >>> beside = reasons_beside(tell_reasons(found, known), "churn")
    >>> beside["churn_raised_by_1_en"].to_pylist()
    ['No purchase for 74 days (half of customers: 42 days) (+35 points)', None]
    """
    columns = columns_beside(reasons.table, len(reasons.base), outcome)
    for end, values in (("base", reasons.base), ("level_points", reasons.level), ("other_points", reasons.other)):
        columns = columns.append_column(f"{outcome}_{end}", pa.array(np.round(values, 9)))
    return columns


def columns_beside(table: pa.Table, rows: int, outcome: str) -> pa.Table:
    """Return the reasons of a table as columns, one row a customer, without base, level and what is left unsaid.

    Parameters
    ----------
    table : pyarrow.Table
        ``Reasons.table``, or some of its rows.
    rows : int
        Customers that were explained; who has no reason stays, with nulls.
    outcome : str
    """
    row, rank, side = (table[name].to_numpy(zero_copy_only=False) for name in ("row", "rank", "side"))
    columns: dict[str, pa.Array] = {}
    for way, words in SIDES:
        for number in range(1, MOST[way] + 1):
            at = np.flatnonzero((rank == number) & (side == way))
            where = np.full(rows, -1)
            where[row[at]] = at
            take = pa.array(where, mask=where < 0)
            for name, end in PARTS:
                columns[f"{outcome}_{words}_{number}_{end}"] = table[name].combine_chunks().take(take)
    return pa.table(columns)


TITLES = {"churn": Text("Churn", "流失"), "downgrade": Text("Downgrade", "降级")}


def with_main_reason(table: pa.Table) -> pa.Table:
    """Add the strongest reason of the greater risk: ``reason_code``, and ``reason_en`` and ``reason_zh``.

    Parameters
    ----------
    table : pyarrow.Table
        With the risks and the columns of their reasons; missing where nothing raises the greater risk by a point.
    """
    first = {outcome: [table[f"{outcome}_raised_by_1_{end}"].to_pylist() for end in ("code", "en", "zh")]
             for outcome in OUTCOMES}  # fmt: skip
    churn, downgrade = (table[f"{outcome}_risk"].to_pylist() for outcome in OUTCOMES)
    whose = ["downgrade" if (fall or 0.0) > (leave or 0.0) else "churn"
             for leave, fall in zip(churn, downgrade, strict=True)]  # fmt: skip
    said = [[first[outcome][place][row] for row, outcome in enumerate(whose)] for place in range(3)]
    en = [text and f"{TITLES[outcome].en}: {text}" for text, outcome in zip(said[1], whose, strict=True)]
    zh = [text and f"{TITLES[outcome].zh}：{text}" for text, outcome in zip(said[2], whose, strict=True)]
    for name, told in (("reason_code", said[0]), ("reason_en", en), ("reason_zh", zh)):
        table = table.append_column(name, pa.array(told, pa.string()))
    return table
