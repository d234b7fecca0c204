"""Expressions that features of several tables share."""

from __future__ import annotations

import narwhals as nw

from tierlens.features.feature import rounded_whole
from tierlens.features.windows import trailing_rows

YEAR, HALF_YEAR, QUARTER = 365, 182, 90
PART = 1 << 20
"""Scores and shares are summed in whole parts of one, so that no row order or engine touches the last digit."""


def count_of(condition: nw.Expr) -> nw.Expr:
    """Count the rows for which a condition holds."""
    return rounded_whole(nw.when(condition).then(1).otherwise(0).sum())


def parts_of(column: str, condition: nw.Expr) -> nw.Expr:
    """Sum a column over the rows for which a condition holds, rounded to parts of 2^-20 each."""
    parts = (nw.col(column).cast(nw.Float64) * PART).round().cast(nw.Int64)
    return nw.when(condition & ~nw.col(column).is_null()).then(parts).otherwise(0).sum().cast(nw.Float64) / float(PART)


def is_kind(kind: str, days: int) -> nw.Expr:
    """Rows of a kind in the ``days`` days before the cutoff."""
    return trailing_rows(days) & (nw.col("kind") == kind)
