"""From any table of features to a matrix of float64: missing values stay missing, categories become codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """How the columns of a table are read.

    Parameters
    ----------
    names : tuple of str
        Names of the columns; ``x0``, ``x1`` ... for an array.
    levels : tuple of (tuple of str or None)
        Levels of a categorical column in alphabetical order, None for a number.

    Examples
    --------
    >>> import pandas as pd
    >>> known = learn_columns(pd.DataFrame({"size": [1.5, None], "kind": ["b", "a"]}))
    >>> known.levels
    (None, ('a', 'b'))
    >>> known.matrix(pd.DataFrame({"size": [2, 3], "kind": ["a", "new"]}))
    array([[ 2.,  0.],
           [ 3., nan]])
    """

    names: tuple[str, ...]
    levels: tuple[tuple[str, ...] | None, ...]

    @property
    def categorical(self) -> list[int]:
        """Places of the categorical columns."""
        return [place for place, levels in enumerate(self.levels) if levels is not None]

    def matrix(self, X: Any) -> Floats:
        """Return the table as numbers, shape (n, p); a level that is new, or missing, is nan."""
        from sklearn.utils.validation import check_array

        table = as_table(X)
        if table is None:
            found: Floats = check_array(X, dtype=np.float64, ensure_all_finite="allow-nan")
            return found
        parts = [_column(table[name], levels) for name, levels in zip(list(table.columns), self.levels, strict=True)]
        stacked = np.column_stack(parts) if parts else np.empty((len(table), 0))
        return np.asarray(check_array(stacked, dtype=np.float64, ensure_all_finite="allow-nan"), dtype=np.float64)


def learn_columns(X: Any) -> Columns:
    """Learn names and levels from a table (pandas, Arrow or Polars) or an array of numbers.

    Text, categories and truth values are categorical; everything else must be a number.

    Examples
    --------
    >>> learn_columns(np.zeros((2, 2))).names
    ('x0', 'x1')
    """
    table = as_table(X)
    if table is None:
        shape = np.shape(X)
        width = shape[1] if len(shape) > 1 else 1
        return Columns(tuple(f"x{number}" for number in range(width)), (None,) * width)
    levels = tuple(_levels(table[name]) for name in table.columns)
    return Columns(tuple(str(name) for name in table.columns), levels)


def as_table(X: Any) -> Any:
    """Return a pandas frame where the table has columns of its own types (pandas, Arrow, Polars), else None.

    Examples
    --------
    >>> as_table(np.zeros((1, 1))) is None
    True
    """
    if hasattr(X, "to_pandas"):
        X = X.to_pandas()
    return X if hasattr(X, "dtypes") and hasattr(X, "columns") else None


def _is_number(column: Any) -> bool:
    kind = getattr(column.dtype, "kind", "O")
    return kind in "iuf"


def _levels(column: Any) -> tuple[str, ...] | None:
    if _is_number(column):
        return None
    if column.dtype == object and _all_numbers(column[~column.isna()]):
        return None
    return tuple(sorted({str(value) for value in column.dropna().unique()}))


def _all_numbers(column: Any) -> bool:
    return all(isinstance(value, int | float | np.number) and not isinstance(value, bool) for value in column)


def _column(column: Any, levels: Sequence[str] | None) -> Floats:
    if levels is None:
        return np.asarray(column.to_numpy(dtype="float64", na_value=np.nan), dtype=np.float64)
    import pandas as pd

    places = {level: float(place) for place, level in enumerate(levels)}
    codes, known = pd.factorize(column)
    # A missing value has the code -1, which is the last entry.
    found = np.array([*(places.get(str(value), np.nan) for value in known), np.nan], dtype=np.float64)
    return np.asarray(found[codes], dtype=np.float64)
