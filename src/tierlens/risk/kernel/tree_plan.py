"""The plan of the loops: every tree as a list of steps down and up, with all that a step needs beside it.

A split whose children are a leaf and a split has the split as its first child, so that the loops know three shapes
only. Splits on a feature that was tested further up name the depth of that test and the share of rows that passed it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from tierlens.risk.kernel.tree_text import CATEGORY, LEFT_BY_DEFAULT, NAN, ZERO, Tree

NUMBER, ZERO_MISSING, LEVELS = 0, 1, 2
"""How a split decides: a number against a threshold, the same with zero taken as missing, or a set of categories."""


SPLIT = np.dtype(
    [
        ("feature", "i8"), ("kind", "i8"), ("threshold", "f8"),
        # What is missing goes left; the first child is the right one; which words of ``bits`` hold the set.
        ("missing", "i8"), ("swapped", "i8"), ("bit_from", "i8"), ("bit_to", "i8"),
        # Depth, slot of the split's numbers, and how many children are splits (0 to 2); values of those that are not.
        ("depth", "i8"), ("slot", "i8"), ("inner", "i8"), ("one", "f8"), ("two", "f8"),
        # Share of rows that go to the first child, and that passed the tests of the feature above; the last of them.
        ("share", "f8"), ("above", "f8"), ("earlier", "i8"), ("earlier_side", "i8"),
    ]
)  # fmt: skip
TREE = np.dtype([("first_step", "i8"), ("end_step", "i8"), ("first_point", "i8"), ("points", "i8")])


class TreePlan(NamedTuple):
    """Trees end to end.

    ``trees`` and ``splits`` are rows of ``TREE`` and ``SPLIT``; ``steps`` numbers of splits on the way down, their
    complements (~) on the way up; ``points`` and ``weights`` Gauss-Legendre quadratures on [0, 1]; ``bits`` the sets of
    categories, 32 to a word.
    """

    trees: Any
    splits: Any
    steps: Any
    points: Any
    weights: Any
    bits: Any


class Tested(NamedTuple):
    """The last test of a feature on a path: its depth, the side taken, and the share of rows that pass all of them."""

    depth: int
    side: int
    share: float


class Decision(NamedTuple):
    """How a split sends rows, in the words of ``SPLIT``."""

    kind: int
    threshold: float
    missing: bool
    bit_from: int
    bit_to: int


class Visit(NamedTuple):
    """A split to be planned; ``done`` says that its children are and only the step up is left."""

    place: int
    depth: int
    side: int
    path: Mapping[float, Tested]
    done: int = -1


@dataclass
class Planner:
    """Collects the plan of tree after tree."""

    base: float = 0.0
    deepest: int = 1
    effort: int = 0
    trees: list[tuple[int, ...]] = field(default_factory=list)
    splits: list[tuple[Any, ...]] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    points: list[float] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    bits: list[int] = field(default_factory=list)
    quadratures: dict[int, int] = field(default_factory=dict)

    def add_tree(self, tree: Tree, scale: float) -> bool:
        """Plan a tree whose leaves count ``scale`` times; return False where its counts do not add up."""
        values = tree["leaf_value"] * scale
        if not len(tree["split_feature"]):
            self.base += float(values[0])
            return True
        if not counts_add_up(tree):
            return False
        self.base += float(values @ tree["leaf_count"]) / float(tree["internal_count"][0])
        first, words = len(self.steps), len(self.bits)
        self.bits.extend(int(word) for word in tree["cat_threshold"])
        lists = {name: array.tolist() for name, array in tree.items()} | {"leaf_value": values.tolist()}
        points = (max(self._visits(lists, words)) + 1) // 2
        self.trees.append((first, len(self.steps), self._quadrature(points), points))
        return True

    def _visits(self, tree: dict[str, list[Any]], words: int) -> Iterator[int]:
        """Plan split after split, from the root; yield how many features each path has tested."""
        waiting = [Visit(0, 0, 0, {})]
        while waiting:
            now = waiting.pop()
            if now.done >= 0:
                self.steps.append(~now.done)
                continue
            number = len(self.splits)
            children = self._add_split(tree, now, words)
            if children:
                self.steps.append(number)
            waiting.append(now._replace(done=number))
            # The first child lies on top: it is gone through whole before the second begins.
            waiting.extend(reversed(children))
            self.deepest = max(self.deepest, now.depth + 1)
            self.effort += (2 - len(children)) * (now.depth + 2) ** 2
            yield len(now.path) + (tree["split_feature"][now.place] not in now.path)

    def _add_split(self, tree: dict[str, list[Any]], now: Visit, words: int) -> list[Visit]:
        """Write down one split; return its children that are splits too, the first one first."""
        place, depth = now.place, now.depth
        left, right = int(tree["left_child"][place]), int(tree["right_child"][place])
        swapped = left < 0 <= right
        ends = (right, left) if swapped else (left, right)
        feature = tree["split_feature"][place]
        before = now.path.get(feature, Tested(-1, 0, 1.0))
        shares = [
            tree["internal_count" if end >= 0 else "leaf_count"][max(end, ~end)] / tree["internal_count"][place]
            for end in ends
        ]
        leaves = [tree["leaf_value"][~end] if end < 0 else 0.0 for end in ends]
        decision = _decision(tree, place, words)
        inner = sum(end >= 0 for end in ends)
        how = (decision.kind, decision.threshold, decision.missing, swapped, decision.bit_from, decision.bit_to)
        where = (depth, 2 * depth + now.side, inner, *leaves)
        self.splits.append((int(feature), *how, *where, shares[0], before.share, before.depth, before.side))
        return [
            Visit(end, depth + 1, side, {**now.path, feature: Tested(depth, side, before.share * shares[side])})
            for side, end in enumerate(ends)
            if end >= 0
        ]

    def _quadrature(self, points: int) -> int:
        """Return where the points of a quadrature begin; it is added where no tree before needed it."""
        if points not in self.quadratures:
            self.quadratures[points] = len(self.points)
            places, weights = np.polynomial.legendre.leggauss(points)
            self.points.extend((places + 1.0) / 2.0)
            self.weights.extend(weights / 2.0)
        return self.quadratures[points]

    def plan(self) -> TreePlan:
        """Return the plan of all trees so far; its types are the same whatever is in it, so that loops compile once."""
        return TreePlan(
            np.array(self.trees, dtype=TREE),
            np.array(self.splits, dtype=SPLIT),
            np.array(self.steps, dtype=np.int64),
            np.array(self.points, dtype=np.float64),
            np.array(self.weights, dtype=np.float64),
            np.array(self.bits, dtype=np.int64),
        )


def counts_add_up(tree: Tree) -> bool:
    """Return whether the rows of every split are those of its two sides, and none of them is without rows.

    Examples
    --------
    >>> ends = {"left_child": np.array([-1.0]), "right_child": np.array([-2.0]), "internal_count": np.array([5.0])}
    >>> [counts_add_up({**ends, "leaf_count": np.array(rows)}) for rows in ([2.0, 3.0], [2.0, 2.0], [0.0, 5.0])]
    [True, False, False]
    """
    leaf, split = tree["leaf_count"], tree["internal_count"]
    if len(leaf) != len(split) + 1 or leaf.min() <= 0:
        return False
    both = np.concatenate([split, leaf[::-1]])
    # A child below 0 is ~leaf, so it is found from the end of the leaves turned round.
    left, right = (both[tree[name].astype(np.int64)] for name in ("left_child", "right_child"))
    return bool((left + right == split).all())


def _decision(tree: dict[str, list[Any]], place: int, words: int) -> Decision:
    """How a split sends rows: threshold or set of categories, and whether what is missing goes left."""
    kind, threshold = int(tree["decision_type"][place]), float(tree["threshold"][place])
    if kind & CATEGORY:
        begin, end = (words + int(bound) for bound in tree["cat_boundaries"][int(threshold) : int(threshold) + 2])
        return Decision(LEVELS, 0.0, False, begin, end)
    # What is missing counts as 0 where no missing value was seen in training.
    to_left = bool(kind & LEFT_BY_DEFAULT) if kind & (NAN | ZERO) else threshold >= 0.0
    return Decision(ZERO_MISSING if kind & ZERO else NUMBER, threshold, to_left, 0, 0)
