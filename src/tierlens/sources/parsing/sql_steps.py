"""Expressions that use each other, written as levels of subqueries.

DuckDB writes an alias out wherever the same SELECT uses it again, so that a chain of aliases grows by the product of
its uses (measured: a file of one row of ratings took 100 s to plan). On levels, each expression is planned once.
"""

# ruff: noqa: S608 - the expressions are SQL that the caller has written

from __future__ import annotations

import re
from collections.abc import Iterable

_LITERAL = re.compile(r"'(?:[^']|'')*'")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def column_levels(columns: Iterable[str]) -> list[list[str]]:
    """Return the columns by level: each uses only names of the levels before its own.

    Parameters
    ----------
    columns : iterable of str
        SQL of the form ``expression AS name``, in an order in which a name is defined before it is used.

    Examples
    --------
    >>> column_levels(["a + 1 AS b", "a * 2 AS c", "b + c AS d", "'b' AS e"])
    [['a + 1 AS b', 'a * 2 AS c', "'b' AS e"], ['b + c AS d']]
    """
    found: dict[str, int] = {}
    listed: list[list[str]] = []
    for column in columns:
        expression, _, name = column.rpartition(" AS ")
        used = set(_NAME.findall(_LITERAL.sub("", expression)))
        level = max((found[other] + 1 for other in used & found.keys()), default=0)
        found[name] = level
        if level == len(listed):
            listed.append([])
        listed[level].append(column)
    return listed


def stepped_sql(select: str, columns: Iterable[str]) -> str:
    """Return SQL of a SELECT with further columns, which may use its columns and each other.

    Examples
    --------
    >>> stepped_sql("SELECT 1 AS a", ["a + 1 AS b", "b * 2 AS c"])
    'SELECT *, b * 2 AS c FROM (SELECT *, a + 1 AS b FROM (SELECT 1 AS a))'
    """
    for level in column_levels(columns):
        select = f"SELECT *, {', '.join(level)} FROM ({select})"
    return select
