"""The loops that give SHAP values, compiled; only ``shap_forest`` imports this, once numba is known to be there.

Every loop goes over ``WIDTH`` rows that lie side by side, so that the processor takes several of them at a time.

A split sends the share r of its rows to its first child; p is 1 for a row that goes there too, else 0. At a point t of
the quadrature, let G be the product over the features tested above of ``t P + (1 - t) R`` (P: the row passes all tests
of the feature, R: the share of rows that do), and B what the leaves below add, each times the same product over the
tests between here and there. With ``z = P (p - r)`` and ``h = t / (t + (1 - t) R)``, where P and R are those of the
split's own feature (1 where it was not tested above), the first child takes ``r + h z`` of G and the second child the
rest; going up, ``B = B2 + (r + h z) (B1 - B2)``, and the feature gets ``R z G (B1 - B2) / (t + (1 - t) R) ** 2``.
Summed over points and splits this is the sum over leaves of docs/tree_shap.md, without a term for each leaf.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import njit

from tierlens.risk.kernel.tree_plan import LEVELS, ZERO_MISSING, TreePlan

F = TypeVar("F", bound=Callable[..., Any])

WIDTH = 128
"""Rows side by side: enough that what is checked before a loop costs little, few enough that all stays in the cache."""
LIKE_ZERO = 1e-35
"""LightGBM takes numbers that are this small as zero."""
FAR = 2.0**31
"""Codes of categories from which none is known."""


class Work(NamedTuple):
    """Room for one block of rows; the last axis is the row.

    ``values`` and ``parts`` have a row a feature; ``flow`` two slots a depth with G on the way down and B on the way
    up, by point; ``passed``, ``before`` and ``pull`` (p P, P and z) are by depth.
    """

    values: Any
    parts: Any
    flow: Any
    passed: Any
    before: Any
    pull: Any
    total: Any


def loop(function: F) -> F:
    """Return a function compiled; sums keep their order, and a product and a sum may be one step."""
    return cast(F, njit(nogil=True, fastmath={"contract"})(function))


@loop
def _by_number(split: Any, x: Any, passed: Any) -> None:
    threshold, missing, zero = split.threshold, split.missing != 0, split.kind == ZERO_MISSING
    for row in range(WIDTH):
        value = x[row]
        gone = (value != value) | ((value == 0.0) & zero)  # noqa: PLR0124
        passed[row] = 1.0 if (gone & missing) | ((not gone) & (value <= threshold)) else 0.0


@loop
def _by_level(split: Any, bits: Any, x: Any, passed: Any) -> None:
    for row in range(WIDTH):
        value, found = x[row], 0
        if -1.0 < value < FAR:
            code = int(value)
            if split.bit_from + code // 32 < split.bit_to:
                found = (bits[split.bit_from + code // 32] >> (code % 32)) & 1
        passed[row] = float(found)


@loop
def _prepare(split: Any, bits: Any, work: Work) -> None:
    """Fill ``passed``, ``before`` and ``pull`` at the depth of a split."""
    share = split.share
    passed, before, pull = work.passed[split.depth], work.before[split.depth], work.pull[split.depth]
    if split.kind == LEVELS:
        _by_level(split, bits, work.values[split.feature], passed)
    else:
        _by_number(split, work.values[split.feature], passed)
    flip, side = float(split.swapped), 1.0 - 2.0 * split.swapped
    for row in range(WIDTH):
        passed[row] = flip + side * passed[row]
        pull[row] = passed[row] - share
    before[:] = 1.0
    if split.earlier < 0:
        return
    first, all_of_it = work.passed[split.earlier], work.before[split.earlier]
    second = float(split.earlier_side)
    for row in range(WIDTH):
        # Who passed the tests before this one: those who went to the first child there, or those who did not.
        same = second * all_of_it[row] + (1.0 - 2.0 * second) * first[row]
        before[row] = same
        passed[row] *= same
        pull[row] = passed[row] - share * same


@loop
def _down_two(flow: Any, slots: Any, at: int, pull: Any, share: float, h: float) -> None:
    here, one, two = flow[slots[0], at], flow[slots[1], at], flow[slots[1] + 1, at]
    for row in range(WIDTH):
        whole = here[row]
        part = whole * (share + h * pull[row])
        one[row] = part
        two[row] = whole - part


@loop
def _down_one(flow: Any, slots: Any, at: int, pull: Any, share: float, h: float) -> None:
    here, one = flow[slots[0], at], flow[slots[1], at]
    for row in range(WIDTH):
        one[row] = here[row] * (share + h * pull[row])


@loop
def _down(split: Any, points: Any, work: Work) -> None:
    """Share G out to the children."""
    share, above, slots = split.share, split.above, (split.slot, 2 * split.depth + 2)
    pull, flow = work.pull[split.depth], work.flow
    for at in range(len(points)):
        h = points[at] / (points[at] + (1.0 - points[at]) * above)
        if split.inner == 2:
            _down_two(flow, slots, at, pull, share, h)
        else:
            _down_one(flow, slots, at, pull, share, h)


@loop
def _up_two(flow: Any, slots: Any, at: int, pull: Any, total: Any, numbers: Any) -> None:
    here, one, two = flow[slots[0], at], flow[slots[1], at], flow[slots[1] + 1, at]
    share, h, scale = numbers
    for row in range(WIDTH):
        gap = one[row] - two[row]
        total[row] += here[row] * scale * gap
        here[row] = two[row] + (share + h * pull[row]) * gap


@loop
def _up_one(flow: Any, slots: Any, at: int, pull: Any, total: Any, numbers: Any, two: float) -> None:
    here, one = flow[slots[0], at], flow[slots[1], at]
    share, h, scale = numbers
    for row in range(WIDTH):
        gap = one[row] - two
        total[row] += here[row] * scale * gap
        here[row] = two + (share + h * pull[row]) * gap


@loop
def _up_none(here: Any, pull: Any, total: Any, level: float, slope: float, step: float) -> None:
    for row in range(WIDTH):
        total[row] += here[row] * step
        here[row] = level + slope * pull[row]


@loop
def _up(split: Any, points: Any, work: Work) -> None:
    """Gather B from the children in place of G, and give the feature its part."""
    inner, share, above, two, gap = split.inner, split.share, split.above, split.two, split.one - split.two
    slots = (split.slot, 2 * split.depth + 2)
    pull, flow, total = work.pull[split.depth], work.flow, work.total
    total[:] = 0.0
    for at in range(len(points)):
        inverse = 1.0 / (points[at] + (1.0 - points[at]) * above)
        h, scale = points[at] * inverse, inverse * inverse
        if inner == 2:
            _up_two(flow, slots, at, pull, total, (share, h, scale))
        elif inner == 1:
            _up_one(flow, slots, at, pull, total, (share, h, scale), two)
        else:
            _up_none(flow[slots[0], at], pull, total, two + share * gap, h * gap, scale * gap)
    parts = work.parts[split.feature]
    for row in range(WIDTH):
        parts[row] += above * total[row] * pull[row]


@loop
def _load(values: Any, begin: int, end: int, work: Work) -> None:
    work.parts[:] = 0.0
    for row in range(begin, end):
        for feature in range(values.shape[1]):
            value = values[row, feature]
            work.values[feature, row - begin] = 0.0 if abs(value) <= LIKE_ZERO else value


@loop
def _room(features: int, deepest: int, plan: TreePlan) -> Work:
    most = 1
    for place in range(len(plan.trees)):
        most = max(most, plan.trees[place].points)
    x, parts, by_depth = np.zeros((features, WIDTH)), np.zeros((features, WIDTH)), np.zeros((3, deepest, WIDTH))
    flow = np.zeros((2 * deepest + 2, most, WIDTH))
    return Work(x, parts, flow, by_depth[0], by_depth[1], by_depth[2], np.zeros(WIDTH))


@loop
def explain_rows(values: Any, found: Any, plan: TreePlan, base: float, deepest: int) -> None:
    """Write the SHAP values of rows (n, p) into ``found`` (n, p + 1); the last column is the base."""
    rows, width = values.shape
    work = _room(width, deepest, plan)
    for begin in range(0, rows, WIDTH):
        end = min(begin + WIDTH, rows)
        _load(values, begin, end, work)
        for tree in plan.trees:
            points = plan.points[tree.first_point : tree.first_point + tree.points]
            for at in range(len(points)):
                work.flow[0, at, :] = plan.weights[tree.first_point + at]
            for step in plan.steps[tree.first_step : tree.end_step]:
                split = plan.splits[max(step, ~step)]
                if step >= 0 or split.inner == 0:
                    _prepare(split, plan.bits, work)
                if step >= 0:
                    _down(split, points, work)
                else:
                    _up(split, points, work)
        for row in range(begin, end):
            found[row, :width] = work.parts[:, row - begin]
            found[row, width] = base
