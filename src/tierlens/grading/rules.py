"""Conditions of rules, compiled to expressions."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import reduce
from operator import and_, or_

import narwhals as nw

from tierlens.grading.feature_columns import Columns
from tierlens.grading.scheme.grammar import Band, Condition

Alternatives = tuple[dict[str, Condition], ...]


def rule_holds(when: Alternatives, columns: Columns) -> nw.Expr | None:
    """Return the condition that one of the alternatives holds; ``None`` where no column lets any of them hold.

    A missing value meets no condition but ``missing``; a column that is not there is missing for everybody.
    """
    found = [together for together in (_all_hold(alternative, columns) for alternative in when) if together is not None]
    return reduce(or_, found) if found else None


def _all_hold(alternative: dict[str, Condition], columns: Columns) -> nw.Expr | None:
    parts: list[nw.Expr] = []
    for column, condition in alternative.items():
        if not columns.has(column) or (condition.of is not None and not columns.has(condition.of)):
            if condition.missing is not True:
                return None
            continue
        parts.append(_one(column, condition, columns))
    return reduce(and_, parts) if parts else nw.lit(True)


def _one(column: str, condition: Condition, columns: Columns) -> nw.Expr:
    x = nw.col(column)
    if condition.missing is not None:
        return x.is_null() if condition.missing else ~x.is_null()
    if condition.among is not None:
        return x.is_in(list(condition.among))
    if condition.equals is not None:
        return _equals(column, condition.equals, columns)
    if condition.of is not None:
        return _against(column, condition, columns)
    return columns.within(column, condition)


def _equals(column: str, value: bool | Decimal | str, columns: Columns) -> nw.Expr:
    x = nw.col(column)
    if isinstance(value, bool):
        return x if value else ~x
    if isinstance(value, str):
        return x == value
    bound = columns.bound(column, value)
    return x == (int(bound) if bound.denominator == 1 else float(bound))


def _against(column: str, condition: Condition, columns: Columns) -> nw.Expr:
    """Compare with multiples of another column; on whole numbers both sides are multiplied out, which is exact."""
    other = str(condition.of)
    whole = columns.kinds[column] == "whole" and columns.kinds[other] == "whole"
    parts: list[nw.Expr] = []
    for edge, lower in ((condition.start, True), (condition.end, False)):
        if edge is None:
            continue
        over, under = edge[0].as_integer_ratio()
        left = nw.col(column) * under if whole and under != 1 else nw.col(column)
        right = nw.col(other) * (over if whole else float(edge[0])) if edge[0] != 1 else nw.col(other)
        # (v, 0) lies just before v, (v, 1) just after it.
        included = (edge[1] == 0) if lower else (edge[1] == 1)
        sides = (left, right) if lower else (right, left)
        parts.append(sides[0] >= sides[1] if included else sides[0] > sides[1])
    return reduce(and_, parts)


def first_of(branches: list[tuple[nw.Expr, nw.Expr]], otherwise: nw.Expr) -> nw.Expr:
    """Return the value of the first condition that holds.

    Examples
    --------
    >>> import duckdb
    >>> frame = nw.from_native(duckdb.sql("select unnest([1, 2, 3]) as x"))
    >>> x = nw.col("x")
    >>> many = first_of([(x > 2, nw.lit("high")), (x > 1, nw.lit("middle"))], nw.lit("low"))
    >>> frame.select(many.alias("x")).collect("pyarrow").to_native()["x"].to_pylist()
    ['low', 'middle', 'high']
    """
    if not branches:
        return otherwise
    chain = nw.when(branches[0][0]).then(branches[0][1])
    for condition, value in branches[1:]:
        chain = chain.when(condition).then(value)
    return chain.otherwise(otherwise)


def lower_ends(bands: Sequence[Band]) -> list[tuple[int, Band]]:
    """Return positions of bands from the top down, with the question that is left once those above were asked.

    Examples
    --------
    >>> [(n, ask.say()) for n, ask in lower_ends([Band(below=60), Band(at_least=60, below=75), Band(at_least=75)])]
    [(2, '[75, ∞)'), (1, '[60, ∞)'), (0, '(-∞, 60)')]
    """
    order = sorted(range(len(bands)), key=lambda n: bands[n].start or (Decimal("-Infinity"), 0), reverse=True)
    asked = [(n, Band(at_least=bands[n].at_least, above=bands[n].above)) for n in order[:-1]]
    # The lowest keeps its upper end: a missing value must meet no question at all.
    last = bands[order[-1]]
    return [*asked, (order[-1], Band(below=last.below, at_most=last.at_most))]
