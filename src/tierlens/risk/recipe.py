"""Which members a model has, how they are weighed, and how that is found on rows held out.

Snapshots of several cutoffs get a fixed recipe, an even blend of ranks and small trees: folds drawn at random from them
would learn one season by heart. A flat table gets members of different kinds, weighed by cross-validation. More than
``MANY`` rows are too dear for that: trees are then watched on rows held out, which also set the weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tierlens.risk.linear import Floats, sigmoid
from tierlens.risk.members import Inputs, LinearKind, LinearMember, Member, Sample, TreeMember, learn_line, learn_trees
from tierlens.risk.trees import SETTINGS, Growth, Setting

FEW = 300
"""Rows below which, or with fewer than ``RARE`` of an outcome, only lines are learned and nothing is chosen."""
RARE = 20
MANY = 100_000
HELD_OUT = 50_000
LINE_ROWS = 200_000
"""Rows that a line is learned from at most: more do not move it."""
RIDGES = (1.0, 10.0, 100.0)
PULL = 10.0
"""How strongly weights are drawn to those expected, in units of log loss."""
LINES_SHARE = 0.8
"""Weight that lines are expected to have together: where rows say little, what is simple is the safer bet."""
Fold = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


@dataclass(frozen=True)
class Recipe:
    """Members by name, and whether their weights are found on rows held out.

    Parameters
    ----------
    lines : tuple of {"ranks", "values"}
    trees : tuple of str
        Names in ``trees.SETTINGS``.
    how : {"even", "folds", "holdout"}
    ridges : tuple of float
        Ridge of the lines; more than one are chosen from by folds.
    """

    lines: tuple[LinearKind, ...]
    trees: tuple[str, ...]
    how: str
    ridges: tuple[float, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the members, lines first."""
        return (*self.lines, *self.trees)

    def with_ridge(self, ridge: float) -> Recipe:
        """Return the recipe with one given ridge."""
        return replace(self, ridges=(ridge,))


def recipe_for(sample: Sample, snapshots: bool) -> Recipe:
    """Choose the recipe by the rows at hand.

    Examples
    --------
    >>> inputs = Inputs(np.zeros((10, 1)), np.zeros((10, 1)), np.zeros(10))
    >>> recipe_for(Sample(inputs, np.arange(10) % 2.0, np.ones(10)), snapshots=False).names
    ('ranks', 'values')
    """
    rows = len(sample.outcome)
    fewest = min(float(sample.outcome.sum()), float((1 - sample.outcome).sum()))
    if rows < FEW or fewest < RARE:
        return Recipe(("ranks", "values"), (), "even", (1.0,))
    if snapshots:
        ridge = float(np.clip(rows / 40.0, 10.0, 1000.0))
        return Recipe(("ranks",), ("small",) if rows < MANY else ("slow",), "even", (ridge,))
    if rows < MANY:
        return Recipe(("ranks", "values"), ("slow", "medium"), "folds", RIDGES)
    return Recipe(("ranks", "values"), ("big",), "holdout", (10.0,))


@dataclass(frozen=True)
class Kitchen:
    """What learning a member needs besides rows.

    Parameters
    ----------
    categorical : sequence of int
    overrides : mapping
        Settings of trees that replace the recipe's, such as those that tuning found.
    seeds, folds, random_state, threads : int
    """

    categorical: Sequence[int]
    overrides: Mapping[str, Setting]
    seeds: int = 3
    folds: int = 5
    random_state: int = 0
    threads: int = 0

    def growth(self, name: str, seeds: int) -> Growth:
        """Return how trees of that name grow."""
        settings = {**SETTINGS[name], **self.overrides}
        return Growth(settings, tuple(self.categorical), seeds, self.random_state, self.threads)


@dataclass(frozen=True)
class Blend:
    """Members and the weight of each; log-odds beyond the offset = intercept + weighted sum of raw scores."""

    names: tuple[str, ...]
    members: tuple[Member, ...]
    weights: Floats
    intercept: float

    def raw(self, inputs: Inputs, threads: int = 0) -> Floats:
        """Return log-odds beyond the offset, shape (n,)."""
        total = np.full(len(inputs.offset), self.intercept)
        for member, weight in zip(self.members, self.weights, strict=True):
            if weight:
                total += weight * member.raw(inputs, threads)
        return total

    def parts(self, inputs: Inputs, threads: int = 0) -> Floats:
        """Return the part of each feature, shape (n, p + 1), last the base."""
        total = np.zeros((len(inputs.offset), inputs.values.shape[1] + 1))
        for member, weight in zip(self.members, self.weights, strict=True):
            if weight:
                total += weight * member.parts(inputs, threads)
        total[:, -1] += self.intercept
        return total


def cook(recipe: Recipe, sample: Sample, kitchen: Kitchen) -> Blend:
    """Learn the members and their weights."""
    if recipe.how == "folds":
        return _by_folds(recipe, sample, kitchen)
    if recipe.how == "holdout":
        return _by_holdout(recipe, sample, kitchen)
    members: list[Member] = [_line(kind, sample, kitchen, recipe.ridges[0]) for kind in recipe.lines]
    members += [learn_trees(kitchen.growth(name, kitchen.seeds), sample) for name in recipe.trees]
    return Blend(recipe.names, tuple(members), np.full(len(members), 1.0 / len(members)), 0.0)


def _line(kind: LinearKind, sample: Sample, kitchen: Kitchen, ridge: float) -> LinearMember:
    step = max(len(sample.outcome) // LINE_ROWS, 1)
    few = sample.take(np.arange(0, len(sample.outcome), step)) if step > 1 else sample
    return learn_line(kind, few, kitchen.categorical, ridge)


def _folds(sample: Sample, kitchen: Kitchen) -> Iterator[Fold]:
    from sklearn.model_selection import StratifiedKFold

    splitter = StratifiedKFold(kitchen.folds, shuffle=True, random_state=kitchen.random_state)
    yield from splitter.split(np.zeros((len(sample.outcome), 1)), sample.outcome)


def _by_folds(recipe: Recipe, sample: Sample, kitchen: Kitchen) -> Blend:
    """Score each row by members that did not see it; choose ridges and numbers of trees; weigh; learn from all rows."""
    candidates = [(kind, ridge) for kind in recipe.lines for ridge in recipe.ridges]
    scores = np.zeros((len(sample.outcome), len(candidates) + len(recipe.trees)))
    rounds: dict[str, list[int]] = {name: [] for name in recipe.trees}
    for learn, held in _folds(sample, kitchen):
        seen, unseen = sample.take(learn), sample.take(held)
        for place, (kind, ridge) in enumerate(candidates):
            scores[held, place] = _line(kind, seen, kitchen, ridge).raw(unseen.inputs)
        for place, name in enumerate(recipe.trees, start=len(candidates)):
            member = learn_trees(kitchen.growth(name, 1), seen, unseen)
            rounds[name].append(member.forest.rounds)
            scores[held, place] = member.raw(unseen.inputs, kitchen.threads)
    losses = [log_loss(sample, scores[:, place]) for place in range(len(candidates))]
    chosen = [min(_of(kind, candidates), key=lambda place: losses[place]) for kind in recipe.lines]
    columns = [*chosen, *range(len(candidates), scores.shape[1])]
    weights, intercept = weigh(sample, scores[:, columns], expected(recipe))
    members: list[Member] = [_line(*_pick(candidates, place, sample, kitchen)) for place in chosen]
    members += [
        learn_trees(kitchen.growth(name, kitchen.seeds), sample, rounds=_more(rounds[name])) for name in recipe.trees
    ]
    return Blend(recipe.names, tuple(members), weights, intercept)


def _pick(
    candidates: Sequence[tuple[LinearKind, float]], place: int, sample: Sample, kitchen: Kitchen
) -> tuple[LinearKind, Sample, Kitchen, float]:
    kind, ridge = candidates[place]
    return kind, sample, kitchen, ridge


def _of(kind: LinearKind, candidates: Sequence[tuple[LinearKind, float]]) -> list[int]:
    return [place for place, (name, _) in enumerate(candidates) if name == kind]


def _more(rounds: Sequence[int]) -> int:
    """Trees for all rows: as many as the folds stopped at, and a tenth more as there are more rows to learn from."""
    return max(round(1.1 * sum(rounds) / len(rounds)), 1)


def _by_holdout(recipe: Recipe, sample: Sample, kitchen: Kitchen) -> Blend:
    """Learn once, from all rows but those held out, on which trees stop growing and weights are found."""
    rows = len(sample.outcome)
    drawn = np.random.default_rng(kitchen.random_state).permutation(rows)
    held = np.sort(drawn[: min(HELD_OUT, rows // 10)])
    learn = np.sort(drawn[len(held) :])
    seen, unseen = sample.take(learn), sample.take(held)
    members: list[Member] = [_line(kind, seen, kitchen, recipe.ridges[0]) for kind in recipe.lines]
    members += [learn_trees(kitchen.growth(name, 1), seen, unseen) for name in recipe.trees]
    scores = np.column_stack([member.raw(unseen.inputs, kitchen.threads) for member in members])
    weights, intercept = weigh(unseen, scores, expected(recipe))
    return Blend(recipe.names, tuple(members), weights, intercept)


def log_loss(sample: Sample, raw: Floats) -> float:
    """Mean log loss of raw scores."""
    z = sample.inputs.offset + raw
    return float(sample.weight @ (np.logaddexp(0.0, z) - sample.outcome * z) / sample.weight.sum())


def expected(recipe: Recipe) -> Floats:
    """Return the weights that members are expected to have before any row is seen.

    Examples
    --------
    >>> expected(Recipe(("ranks", "values"), ("slow", "medium"), "folds", RIDGES))
    array([0.4, 0.4, 0.1, 0.1])
    """
    lines, trees = len(recipe.lines), len(recipe.trees)
    return np.append(np.full(lines, LINES_SHARE / lines), np.full(trees, (1.0 - LINES_SHARE) / max(trees, 1)))


def weigh(sample: Sample, scores: Floats, guess: Floats) -> tuple[Floats, float]:
    """Find weights of members, none below 0, that give the least log loss on rows they did not see.

    Parameters
    ----------
    sample : Sample
    scores : array of float, shape (n, m)
        Raw score of each member.
    guess : array of float, shape (m,)
        Weights that are kept where the rows say little.

    Returns
    -------
    (array of float, shape (m,), float)
        Weights, and the intercept that goes with them.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> good, noise = rng.normal(size=(2, 1000))
    >>> y = (rng.random(1000) < sigmoid(good)).astype(float)
    >>> sample = Sample(Inputs(np.zeros((1000, 1)), np.zeros((1000, 1)), np.zeros(1000)), y, np.ones(1000))
    >>> weights, _ = weigh(sample, np.column_stack([good, noise]), np.full(2, 0.5))
    >>> bool(weights[0] > 0.8), bool(weights[1] < 0.1)
    (True, True)
    """
    from scipy.optimize import minimize

    count = scores.shape[1]

    def loss(theta: Floats) -> tuple[float, Floats]:
        z = sample.inputs.offset + theta[-1] + scores @ theta[:-1]
        away = theta[:-1] - guess
        value = float(sample.weight @ (np.logaddexp(0.0, z) - sample.outcome * z)) + PULL * float(away @ away)
        miss = sample.weight * (sigmoid(z) - sample.outcome)
        slope = np.append(scores.T @ miss + 2 * PULL * away, miss.sum())
        return value / len(z), slope / len(z)

    start = np.append(guess, 0.0)
    bounds: list[tuple[float | None, float | None]] = [(0.0, None)] * count + [(None, None)]
    asked: dict[str, Any] = {"jac": True, "bounds": bounds, "options": {"maxiter": 500, "ftol": 1e-14, "gtol": 1e-9}}
    best = minimize(loss, start, method="L-BFGS-B", **asked)
    return np.asarray(best.x[:-1], dtype=np.float64), float(best.x[-1])


__all__ = ["Blend", "Kitchen", "Recipe", "TreeMember", "cook", "log_loss", "recipe_for", "weigh"]
