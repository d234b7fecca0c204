"""Exact path-dependent SHAP values of many rows: a forest planned once, its rows shared out over threads.

What Linear TreeSHAP (Yu and others 2022, arXiv 2209.08192) does row by row with polynomials is done here for blocks of
rows, with the polynomials held by their values at Gauss-Legendre points, at which the integral is exact.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from tierlens.risk.kernel.tree_plan import Planner, TreePlan
from tierlens.risk.kernel.tree_text import TreeText, read_model

Floats = npt.NDArray[np.float64]

PAYS = 3_000_000_000
"""Rows times ``effort`` from which compiling, which takes seconds, pays."""
CHUNK = 8192
"""Rows that a thread takes at a time; a multiple of the rows that lie side by side, so that threads change no bit."""
ROOM = 64 * 2**20
"""Bytes beyond which what a thread holds of a path is too much: trees that are thousands of splits deep."""


@dataclass(frozen=True)
class ShapForest:
    """Trees ready to be explained.

    Parameters
    ----------
    plan : TreePlan
    base : float
        What the model says on the whole.
    deepest : int
        Splits on the longest path.
    effort : int
        Sum over leaves of their squared depth: what LightGBM's own way costs for a row.
    """

    plan: TreePlan
    base: float
    deepest: int
    effort: int

    def pays(self, rows: int) -> bool:
        """Return whether so many rows are worth compiling for; it depends on nothing else, so that runs repeat."""
        return rows * self.effort >= PAYS

    def parts(self, values: Floats, threads: int = 0) -> Floats:
        """Return SHAP values, shape (n, p + 1), last the base; ``threads`` 0 for all cores."""
        run = shap_kernel()
        if run is None:
            raise RuntimeError("numba is not installed")
        rows, width = values.shape
        found = np.empty((rows, width + 1))

        def explain(begin: int) -> None:
            # A chunk that is a copy of its own is compiled for once, whatever the type and order of the whole.
            chunk = np.array(values[begin : begin + CHUNK], dtype=np.float64, order="C")
            run(chunk, found[begin : begin + CHUNK], self.plan, self.base, self.deepest)

        begins = range(0, rows, CHUNK)
        threads = min(threads if threads > 0 else os.cpu_count() or 1, len(begins))
        if threads <= 1:
            for begin in begins:
                explain(begin)
            return found
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(explain, begins))
        return found


def read_forest(boosters: Sequence[Any]) -> ShapForest | None:
    """Read boosters whose scores are averaged; None where LightGBM must do it.

    That is where numba is missing, a leaf holds a line, there are several classes, counts of rows do not add up (trees
    that were put together by hand), or a path is thousands of splits long.

    Examples
    --------
    >>> read_forest([]) is None
    True
    """
    if not boosters or shap_kernel() is None:
        return None
    return planned_forest([read_model(booster) for booster in boosters])


def planned_forest(models: Sequence[TreeText]) -> ShapForest | None:
    """Plan models that were read; None where LightGBM must do it."""
    planner = Planner()
    for model in models:
        if model.is_linear or model.per_iteration != 1:
            return None
        if not all(planner.add_tree(tree, 1.0 / len(models)) for tree in model.trees):
            return None
    plan = planner.plan()
    most = int(plan.trees["points"].max(initial=1))
    if planner.deepest * most * 2048 > ROOM:
        return None
    return ShapForest(plan, planner.base, planner.deepest, planner.effort)


@cache
def shap_kernel() -> Callable[..., None] | None:
    """Return the compiled loops; None without numba."""
    try:
        from tierlens.risk.kernel.compiled_loops import explain_rows
    except ImportError:
        return None
    return explain_rows
