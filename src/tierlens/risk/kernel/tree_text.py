"""Trees as LightGBM writes them: its own text read into arrays, with the bits that say where a row goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Tree = dict[str, Floats]

CATEGORY, LEFT_BY_DEFAULT, ZERO, NAN = 1, 2, 4, 8
"""Bits of LightGBM's ``decision_type``: kind of split, where missing values go, and what counts as missing."""

FIELDS = (
    "split_feature", "threshold", "decision_type", "left_child", "right_child", "leaf_value", "leaf_count",
    "internal_count", "cat_boundaries", "cat_threshold",
)  # fmt: skip


@dataclass(frozen=True)
class TreeText:
    """What the text of a booster says.

    Parameters
    ----------
    trees : tuple of dict
        Arrays of each tree under LightGBM's names; empty where the text has none.
    per_iteration : int
        Trees of an iteration: more than 1 where there are several classes.
    is_linear : bool
        Whether a leaf holds a line instead of a number.
    """

    trees: tuple[Tree, ...]
    per_iteration: int
    is_linear: bool


def read_model(booster: Any) -> TreeText:
    r"""Read a booster's trees, up to the best iteration where there is one, as its ``predict`` takes them.

    Examples
    --------
    >>> class Told:
    ...     def model_to_string(self):
    ...         return "tree\n\nTree=0\nleaf_value=0.5\n\nend of trees\n\nleaf_value=7"
    >>> read_model(Told()).trees[0]["leaf_value"]
    array([0.5])
    """
    # What follows the trees names columns, which may be called like a field of a tree.
    head, *parts = booster.model_to_string().split("\nend of trees")[0].split("\nTree=")
    told = [_lines(part) for part in parts]
    top = _lines(head)
    trees = tuple({name: np.array(lines.get(name, "").split(), dtype=np.float64) for name in FIELDS} for lines in told)
    return TreeText(
        trees,
        int(top.get("num_tree_per_iteration", "1")),
        any(lines.get("is_linear", "0") == "1" for lines in told),
    )


def _lines(part: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in part.splitlines() if "=" in line)
