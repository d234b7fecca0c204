"""Ranks of many rows at once: the loop of ``ranks.ranks`` compiled, with an index that makes most searches one step.

Each column's span is cut into equal cells, and each cell knows between which knots it lies. Knots and values get their
cell by the same arithmetic, which keeps order, so that the answer is exact. Rows go in small blocks that stay in the
cache while their columns are looked up one after the other. Without numba nothing is lost but time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CELLS = 2048
BLOCK = 256


@dataclass(frozen=True)
class Index:
    """Curves of several columns end to end.

    Parameters
    ----------
    starts : array of int, shape (p + 1,)
        Where each column's knots begin.
    knots, heights : array of float
        Values and ranks.
    cells : array of int, shape (p, CELLS + 2)
        Last knot that lies in a cell before this one.
    origin, scale : array of float, shape (p,)
        Cell of a value = (value - origin) x scale, rounded down.
    """

    starts: Ints
    knots: Floats
    heights: Floats
    cells: Ints
    origin: Floats
    scale: Floats


def index_of(values: Sequence[Floats], heights: Sequence[Floats]) -> Index:
    """Make the index of curves given as ascending values and their ranks.

    Examples
    --------
    >>> found = index_of([np.array([0.0, 1.0])], [np.array([-0.25, 0.25])])
    >>> found.starts.tolist(), found.cells.shape
    ([0, 2], (1, 2050))
    """
    starts = np.cumsum([0, *(len(knots) for knots in values)])
    origin = np.array([knots[0] for knots in values])
    span = np.array([knots[-1] - knots[0] for knots in values])
    with np.errstate(over="ignore", divide="ignore"):
        scale = np.where(
            (span > 0) & np.isfinite(CELLS / np.maximum(span, 1e-300)), CELLS / np.maximum(span, 1e-300), 0.0
        )
    cells = np.empty((len(values), CELLS + 2), dtype=np.int64)
    for place, knots in enumerate(values):
        own = np.minimum(((knots - origin[place]) * scale[place]).astype(np.int64), CELLS)
        before = np.searchsorted(own, np.arange(CELLS + 2), side="left") - 1
        cells[place] = starts[place] + np.maximum(before, 0)
    return Index(starts, np.concatenate(list(values)), np.concatenate(list(heights)), cells, origin, scale)


@cache
def lookup_kernel() -> Callable[[Floats, Index], Floats] | None:
    """Return the compiled loop: heights (n, p) of values (n, p) by an index, missing ones 0; None without numba."""
    try:
        from numba import njit
    except ImportError:
        return None

    one = njit(nogil=True, inline="always")(_one)
    compiled = njit(nogil=True)(_loop(one))

    def run(values: Floats, index: Index) -> Floats:
        parts = (index.starts, index.knots, index.heights, index.cells, index.origin, index.scale)
        found: Floats = compiled(np.ascontiguousarray(values), *parts)
        return found

    return run


def _one(x: float, last: int, knots: Any, heights: Any, low: int, high: int) -> float:
    """Height at a value that lies between the knots ``low`` and ``high`` + 1."""
    while low < high:
        middle = (low + high + 1) // 2
        if knots[middle] <= x:
            low = middle
        else:
            high = middle - 1
    if low == last or knots[low] == x:
        return float(heights[low])
    slope = (heights[low + 1] - heights[low]) / (knots[low + 1] - knots[low])
    return float(slope * (x - knots[low]) + heights[low])


def _loop(one: Any) -> Any:
    """Return the loop over blocks, columns and rows, with the step that looks one value up."""

    def looked_up(values: Any, starts: Any, knots: Any, heights: Any, cells: Any, origin: Any, scale: Any) -> Any:
        rows, width = values.shape
        found = np.zeros((rows, width))
        for block in range(0, rows, BLOCK):
            for place in range(width):
                first, last = starts[place], starts[place + 1] - 1
                for row in range(block, min(block + BLOCK, rows)):
                    x = values[row, place]
                    if np.isfinite(x):
                        x = min(max(x, knots[first]), knots[last])
                        cell = min(int((x - origin[place]) * scale[place]), CELLS)
                        found[row, place] = one(x, last, knots, heights, cells[place, cell], cells[place, cell + 1])
        return found

    return looked_up
