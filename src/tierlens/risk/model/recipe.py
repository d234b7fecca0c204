"""Which members a model has, how they are weighed, and how that is found on rows held out.

Snapshots of several cutoffs get a fixed recipe, an even blend of ranks and small trees: folds drawn at random from them
would learn one season by heart. A flat table gets members of different kinds: two lines (on ranks and on values) and
two kinds of trees, weighed by the log loss on rows that they did not see. By the number of rows:

=====================  ===========================================================================================
below ``FEW``          lines only, evenly
to ``SOME``            folds: each row is scored by members that did not see it; the boosters of all folds are kept
to ``MANY``            one part held out stops the trees and sets the weights; then all rows are learned from
above                  the same with one kind of larger trees, and no second round; lines from ``LINE_ROWS`` rows
snapshots              ``MANY`` and more get larger trees, one booster, and weights found on the latest cutoff
=====================  ===========================================================================================
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tierlens.risk.model.linear import Floats, sigmoid
from tierlens.risk.model.members import (
    Inputs,
    LinearKind,
    LinearMember,
    Member,
    Sample,
    TreeMember,
    learn_line,
    learn_lines,
    learn_trees,
)
from tierlens.risk.model.trees import SETTINGS, Forest, Growth, Setting

FEW = 100
"""Rows below which, or with fewer than ``RARE`` of an outcome, only lines are learned and nothing is chosen."""
RARE = 20
ENOUGH = 300
"""Rows from which a second, larger kind of trees is tried."""
SOME, MANY = 30_000, 100_000
HELD_OUT = 50_000
LINE_ROWS = 100_000
"""Rows that a line is learned from at most: more do not move it."""
RIDGES = (100.0, 10.0, 1.0)
PULL = 30.0
"""How strongly weights are drawn to the chance of each member to be the best one, in units of log loss."""
BLOCK = 32_768
"""Rows scored at a time."""
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
    >>> from tierlens.risk.model.ranks import Ranker
    >>> inputs = Inputs(np.zeros((10, 1)), Ranker([], None, {}), np.zeros(10))
    >>> recipe_for(Sample(inputs, np.arange(10) % 2.0, np.ones(10)), snapshots=False).names
    ('ranks', 'values')
    """
    rows = len(sample.outcome)
    fewest = min(float(sample.outcome.sum()), float((1 - sample.outcome).sum()))
    if rows < FEW or fewest < RARE:
        return Recipe(("ranks", "values"), (), "even", (1.0,))
    if snapshots:
        ridge = float(np.clip(rows / 40.0, 10.0, 1000.0))
        return Recipe(("ranks",), ("small",) if rows < MANY else ("large",), "even", (ridge,))
    trees = ("slow", "medium") if rows >= ENOUGH else ("slow",)
    if rows < MANY:
        return Recipe(("ranks", "values"), trees, "folds" if rows < SOME else "holdout", RIDGES)
    return Recipe(("ranks", "values"), ("big",), "holdout", (10.0,))


@dataclass(frozen=True)
class MemberSettings:
    """What learning a member needs besides rows.

    Parameters
    ----------
    categorical : sequence of int
    overrides : mapping
        Settings of trees that replace the recipe's, such as those that tuning found.
    seeds, folds, random_state, threads : int
    signs : tuple of int
        Direction of each column for the trees; nothing where they are free.
    """

    categorical: Sequence[int]
    overrides: Mapping[str, Setting]
    seeds: int = 3
    folds: int = 5
    random_state: int = 0
    threads: int = 0
    signs: tuple[int, ...] = ()

    def growth(self, name: str, seeds: int) -> Growth:
        """Return how trees of that name grow."""
        settings = {**SETTINGS[name], **self.overrides}
        return Growth(settings, tuple(self.categorical), seeds, self.random_state, self.threads, self.signs)


@dataclass(frozen=True)
class Blend:
    """Members and the weight of each; log-odds beyond the offset = intercept + weighted sum of raw scores."""

    names: tuple[str, ...]
    members: tuple[Member, ...]
    weights: Floats
    intercept: float

    def raw(self, inputs: Inputs, threads: int = 0) -> Floats:
        """Return log-odds beyond the offset, shape (n,); many rows go block by block, so that little is held."""
        if len(inputs.offset) <= BLOCK:
            return self._raw(inputs, threads)
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(threads if threads > 0 else os.cpu_count()) as pool:
            return np.concatenate(list(pool.map(lambda part: self._raw(part, 1), inputs.blocks(BLOCK))))

    def _raw(self, inputs: Inputs, threads: int) -> Floats:
        total = np.full(len(inputs.offset), self.intercept)
        for member, weight in zip(self.members, self.weights, strict=True):
            if weight:
                total += weight * member.raw(inputs, threads)
        return total

    def parts(self, inputs: Inputs, threads: int = 0) -> Floats:
        """Return the part of each feature, shape (n, p + 1), last the base; lines go block by block, as in ``raw``."""
        total = np.zeros((len(inputs.offset), inputs.values.shape[1] + 1))
        for member, weight in zip(self.members, self.weights, strict=True):
            size = len(total) if isinstance(member, TreeMember) else BLOCK
            for place, rows in enumerate(inputs.blocks(max(size, 1)) if weight else ()):
                part = member.parts(rows, threads)
                part *= weight
                total[place * size : place * size + len(part)] += part
        total[:, -1] += self.intercept
        return total


def fit_blend(recipe: Recipe, sample: Sample, member_settings: MemberSettings) -> Blend:
    """Learn the members and their weights."""
    if recipe.how == "folds":
        return _by_folds(recipe, sample, member_settings)
    if recipe.how == "holdout":
        return _by_holdout(recipe, sample, member_settings)
    count = len(recipe.names)
    weights = np.full(count, 1.0 / count)
    if len(sample.outcome) >= MANY:
        weights = _by_last_cutoff(recipe, sample, member_settings, weights)
    members: list[Member] = [_line(kind, sample, member_settings, recipe.ridges[0]) for kind in recipe.lines]
    seeds = member_settings.seeds if len(sample.outcome) < MANY else 1
    members += [learn_trees(member_settings.growth(name, seeds), sample) for name in recipe.trees]
    return Blend(recipe.names, tuple(members), weights, 0.0)


def _by_last_cutoff(recipe: Recipe, sample: Sample, member_settings: MemberSettings, even: Floats) -> Floats:
    """Weigh members on a draw from the latest cutoff, learned from a draw from the earlier ones; ``even`` without such.

    Few snapshots keep even weights, which last; many can tell what is true of the next cutoff.
    """
    days = sample.inputs.ranker.days
    if days is None or (days < days.max()).sum() < MANY // 2:
        return even
    rng = np.random.default_rng(member_settings.random_state)
    before, last = (rng.permutation(np.flatnonzero(part)) for part in (days < days.max(), days == days.max()))
    seen, unseen = sample.take(np.sort(before[: MANY // 2])), sample.take(np.sort(last[:HELD_OUT]))
    tried = _Tried(recipe, len(unseen.outcome))
    tried.learn(seen, unseen, np.arange(len(unseen.outcome)), member_settings, watched=False)
    return tried.weighed(unseen)[1]


def _some(sample: Sample) -> Sample:
    """Return the rows that lines are learned from, evenly drawn."""
    step = -(-len(sample.outcome) // LINE_ROWS)
    return sample.take(np.arange(0, len(sample.outcome), step)) if step > 1 else sample


def _line(kind: LinearKind, sample: Sample, member_settings: MemberSettings, ridge: float) -> LinearMember:
    return learn_line(kind, _some(sample), member_settings.categorical, ridge)


def _folds(sample: Sample, member_settings: MemberSettings) -> Iterator[Fold]:
    from sklearn.model_selection import StratifiedKFold

    splitter = StratifiedKFold(member_settings.folds, shuffle=True, random_state=member_settings.random_state)
    yield from splitter.split(np.zeros((len(sample.outcome), 1)), sample.outcome)


def _by_folds(recipe: Recipe, sample: Sample, member_settings: MemberSettings) -> Blend:
    """Score each row by members that did not see it, and weigh them by that.

    The boosters of all folds together are the member of trees: five that saw four fifths each, stopped in time, rank no
    worse than one that saw all, and cost no second round.
    """
    tried = _Tried(recipe, len(sample.outcome))
    for learn, held in _folds(sample, member_settings):
        tried.learn(sample.take(learn), sample.take(held), held, member_settings)
    chosen, weights, intercept = tried.weighed(sample)
    members: list[Member] = [_line(kind, sample, member_settings, ridge) for kind, ridge in chosen]
    members += [TreeMember(Forest(tuple(tried.boosters[name]))) for name in recipe.trees]
    return Blend(recipe.names, tuple(members), weights, intercept)


def _by_holdout(recipe: Recipe, sample: Sample, member_settings: MemberSettings) -> Blend:
    """Hold a part out, on which trees stop growing and members are weighed; up to ``MANY`` rows are then all used."""
    rows = len(sample.outcome)
    drawn = np.random.default_rng(member_settings.random_state).permutation(rows)
    held = np.sort(drawn[: min(HELD_OUT, rows // 10 if rows >= MANY else rows // 5)])
    unseen = sample.take(held)
    tried = _Tried(recipe, len(held))
    tried.learn(sample.take(np.sort(drawn[len(held) :])), unseen, np.arange(len(held)), member_settings)
    chosen, weights, intercept = tried.weighed(unseen)
    members: list[Member] = [_line(kind, sample, member_settings, ridge) for kind, ridge in chosen]
    for name in recipe.trees:
        grown = Forest(tuple(tried.boosters[name]))
        again = (
            learn_trees(member_settings.growth(name, 1), sample, rounds=_more(grown.rounds)) if rows < MANY else None
        )
        members.append(again or TreeMember(grown))
    return Blend(recipe.names, tuple(members), weights, intercept)


def _more(rounds: int) -> int:
    """Trees for all rows: a tenth more than those that a part was given, as there are more rows to learn from."""
    return max(round(1.1 * rounds), 1)


class _Tried:
    """Candidates' scores of rows that they did not see, and the boosters that gave them."""

    def __init__(self, recipe: Recipe, rows: int) -> None:
        self.recipe = recipe
        self.lines = [(kind, ridge) for kind in recipe.lines for ridge in recipe.ridges]
        self.scores = np.zeros((rows, len(self.lines) + len(recipe.trees)))
        self.boosters: dict[str, list[Any]] = {name: [] for name in recipe.trees}

    def learn(
        self,
        seen: Sample,
        unseen: Sample,
        at: npt.NDArray[np.int64],
        member_settings: MemberSettings,
        *,
        watched: bool = True,
    ) -> None:
        """Learn all candidates from some rows and score others, on which trees stop growing where they are watched."""
        few, place = _some(seen), 0
        for kind in self.recipe.lines:
            for member in learn_lines(kind, few, member_settings.categorical, self.recipe.ridges):
                self.scores[at, place] = member.raw(unseen.inputs)
                place += 1
        for name in self.recipe.trees:
            grown = learn_trees(member_settings.growth(name, 1), seen, unseen if watched else None)
            self.boosters[name] += grown.forest.boosters
            self.scores[at, place] = grown.raw(unseen.inputs, member_settings.threads)
            place += 1

    def weighed(self, sample: Sample) -> tuple[list[tuple[LinearKind, float]], Floats, float]:
        """Return the ridge of each kind of line that lost least, and the members' weights with their intercept."""
        losses = [log_loss(sample, self.scores[:, place]) for place in range(len(self.lines))]
        chosen = [min(self._of(kind), key=lambda place: losses[place]) for kind in self.recipe.lines]
        columns = [*chosen, *range(len(self.lines), self.scores.shape[1])]
        weights, intercept = member_weights(sample, self.scores[:, columns])
        return [self.lines[place] for place in chosen], weights, intercept

    def _of(self, kind: LinearKind) -> list[int]:
        return [place for place, (name, _) in enumerate(self.lines) if name == kind]


def log_loss(sample: Sample, raw: Floats) -> float:
    """Mean log loss of raw scores."""
    z = sample.inputs.offset + raw
    return float(sample.weight @ (np.logaddexp(0.0, z) - sample.outcome * z) / sample.weight.sum())


def member_chances(sample: Sample, scores: Floats) -> Floats:
    """Return how likely each member is the right one, from the log loss on rows that it did not see.

    Posterior weights of models with even odds before: few rows tell a bad member apart, and where they cannot, members
    share.

    Examples
    --------
    >>> from tierlens.risk.model.ranks import Ranker
    >>> sample = Sample(Inputs(np.zeros((2, 1)), Ranker([], None, {}), np.zeros(2)), np.array([0.0, 1.0]), np.ones(2))
    >>> member_chances(sample, np.array([[-1.0, 1.0], [1.0, -1.0]])).round(2)
    array([0.88, 0.12])
    """
    mass = float(sample.weight.sum())
    losses = np.array([log_loss(sample, scores[:, place]) for place in range(scores.shape[1])]) * mass
    found = np.exp(losses.min() - losses)
    return np.asarray(found / found.sum(), dtype=np.float64)


def member_weights(sample: Sample, scores: Floats) -> tuple[Floats, float]:
    """Find weights of members, none below 0, that give the least log loss on rows they did not see.

    They are drawn to the chances of the members: free weights would cost a small table more than they bring.

    Parameters
    ----------
    sample : Sample
    scores : array of float, shape (n, m)
        Raw score of each member.

    Returns
    -------
    (array of float, shape (m,), float)
        Weights, and the intercept that goes with them.

    Examples
    --------
    >>> from tierlens.risk.model.ranks import Ranker
    >>> rng = np.random.default_rng(0)
    >>> good, noise = rng.normal(size=(2, 1000))
    >>> y = (rng.random(1000) < sigmoid(good)).astype(float)
    >>> sample = Sample(Inputs(np.zeros((1000, 1)), Ranker([], None, {}), np.zeros(1000)), y, np.ones(1000))
    >>> weights, _ = member_weights(sample, np.column_stack([good, noise]))
    >>> bool(weights[0] > 0.8), bool(weights[1] < 0.1)
    (True, True)
    """
    from scipy.optimize import minimize

    count, guess = scores.shape[1], member_chances(sample, scores)

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


__all__ = ["Blend", "MemberSettings", "Recipe", "TreeMember", "fit_blend", "log_loss", "member_weights", "recipe_for"]
