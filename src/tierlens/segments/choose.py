"""Choose the number of segments by a stated rule, and keep the whole table of candidates.

The rule: among the numbers of segments that come out alike on resampled customers (mean adjusted Rand index of the
refits at least ``least_stability``) and leave no segment below ``least_share`` of the customers, the best separated
one (highest mean silhouette, compared at two decimals); ties go to fewer segments. Where none qualifies, the most
stable one, ties to fewer, and the choice says so.

Sources: silhouette, Rousseeuw (1987), doi 10.1016/0377-0427(87)90125-7; stability on resamples, Hennig (2007),
doi 10.1016/j.csda.2006.11.025; adjusted Rand index, Hubert and Arabie (1985), doi 10.1007/BF01908075.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tierlens.words import Text

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

STARTS, RESTARTS = 10, 3
"""KMeans starts for a candidate, and for each of its refits."""


@dataclass(frozen=True)
class Rule:
    """How the number of segments is chosen.

    Parameters
    ----------
    candidates : tuple of int
        Numbers of segments to try, each 2 or more.
    least_stability : float
        Mean adjusted Rand index between refits on resamples that a candidate must reach, up to 1.
    least_share : float
        Share of customers that the smallest segment must reach, 0 to 1.
    refits : int
        Refits on resampled customers, at least 2.
    rows : int
        Rows that silhouette and refits work on (silhouette takes the square of it in memory).
    """

    candidates: tuple[int, ...] = (3, 4, 5, 6, 7, 8)
    least_stability: float = 0.8
    least_share: float = 0.03
    refits: int = 8
    rows: int = 4_000


@dataclass(frozen=True)
class Candidate:
    """One number of segments and how well it does.

    Parameters
    ----------
    segments : int
    silhouette : float
        Mean over customers, -1 to 1; high is well separated.
    stability : float
        Mean adjusted Rand index between refits on resamples; 1 is always the same, 0 is chance.
    smallest_share : float
        Share of customers in the smallest segment.
    inertia : float
        Mean squared distance to the centre.
    qualifies : bool
        Whether it is stable enough and leaves no segment too small.
    chosen : bool
    """

    segments: int
    silhouette: float
    stability: float
    smallest_share: float
    inertia: float
    qualifies: bool
    chosen: bool = False


@dataclass(frozen=True)
class Choice:
    """The number of segments chosen, why, and every candidate.

    Parameters
    ----------
    segments : int
    candidates : tuple of Candidate
    why : Text
        One sentence with the numbers that decided.
    """

    segments: int
    candidates: tuple[Candidate, ...]
    why: Text

    def table(self) -> Any:
        """Return the candidates as a ``pyarrow.Table``, one row a candidate."""
        import pyarrow as pa

        return pa.Table.from_pylist([asdict(candidate) for candidate in self.candidates])


def choose_segments(values: Floats, rule: Rule | None = None, *, seed: int = 0) -> Choice:
    """Choose the number of segments.

    Parameters
    ----------
    values : ndarray of float64, shape (n, f)
        Scaled rows, nothing missing. More than ``rule.rows`` are thinned to an even seeded sample.
    rule : Rule, optional
        Default: ``Rule()``.
    seed : int

    Returns
    -------
    Choice
        Of those candidates that there are enough different rows for.

    Raises
    ------
    ValueError
        No candidate has enough different rows (``possible_candidates`` says which have).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> blobs = np.concatenate([rng.normal(at, 0.1, (50, 2)) for at in (0, 1, 2, 3)])
    >>> choice = choose_segments(blobs)
    >>> choice.segments, choice.candidates[1].qualifies
    (4, True)
    """
    from sklearn.metrics import pairwise_distances

    rule = rule or Rule()
    rng = np.random.default_rng(seed)
    if len(values) > rule.rows:
        values = values[np.sort(rng.choice(len(values), rule.rows, replace=False))]
    resamples = [rng.integers(0, len(values), len(values)) for _ in range(rule.refits)]
    numbers = possible_candidates(values, rule.candidates)
    if not numbers:
        raise ValueError(f"{len(values)} rows are too few or too alike for {rule.candidates} segments")
    far: Floats = pairwise_distances(values)
    return decided_number([_candidate(values, far, number, resamples, rule, seed) for number in numbers], rule)


def possible_candidates(values: Floats, candidates: Sequence[int]) -> list[int]:
    """Return the candidates that there are rows for: at least as many different rows, and one row more."""
    different = len(np.unique(values, axis=0))
    return sorted({number for number in candidates if 2 <= number <= min(different, len(values) - 1)})


def decided_number(candidates: Sequence[Candidate], rule: Rule) -> Choice:
    """Apply the rule to measured candidates.

    Examples
    --------
    >>> measured = [Candidate(3, 0.301, 0.90, 0.1, 1.0, True), Candidate(4, 0.304, 0.85, 0.1, 0.9, True),
    ...             Candidate(5, 0.400, 0.60, 0.1, 0.8, False)]
    >>> decided_number(measured, Rule()).segments
    3
    """
    qualified = [candidate for candidate in candidates if candidate.qualifies]
    if qualified:
        best = max(qualified, key=lambda one: (round(one.silhouette, 2), -one.segments))
        why = Text(
            "{n} segments: the best separated (silhouette {s:.2f}) of the numbers that stay alike on resampled "
            "customers (here {a:.2f}, at least {least:.2f}) with no segment below {share:.0%} of the customers",
            "{n}个客群：在重抽样下保持稳定（此处{a:.2f}，至少{least:.2f}）且最小客群不低于{share:.0%}的方案中，"
            "轮廓系数最高（{s:.2f}）",
        )
    else:
        best = max(candidates, key=lambda one: (round(one.stability, 2), -one.segments))
        why = Text(
            "{n} segments: no number stayed alike on resampled customers (at least {least:.2f}) with no segment below "
            "{share:.0%} of the customers; this is the most stable ({a:.2f}). Read these segments with care",
            "{n}个客群：没有方案同时满足重抽样稳定性（至少{least:.2f}）与最小占比（{share:.0%}），"
            "此为最稳定者（{a:.2f}），请谨慎解读",
        )
    filled = why.fill(
        n=best.segments, s=best.silhouette, a=best.stability, least=rule.least_stability, share=rule.least_share
    )
    rows = [Candidate(**{**asdict(one), "chosen": one is best}) for one in candidates]
    return Choice(best.segments, tuple(rows), filled)


def fit_kmeans(values: Floats, segments: int, starts: int, seed: int) -> Any:
    """Fit KMeans on one thread.

    On more than two, the order in which the threads' sums meet changes the last digits from run to run.
    """
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(limits=1):
        return KMeans(segments, n_init=starts, random_state=seed).fit(values)


def _candidate(values: Floats, far: Floats, segments: int, resamples: list[Labels], rule: Rule, seed: int) -> Candidate:
    from sklearn.metrics import silhouette_score

    model = fit_kmeans(values, segments, STARTS, seed)
    share = float(np.bincount(model.labels_, minlength=segments).min() / len(values))
    stability = _stability(values, segments, resamples, seed)
    return Candidate(
        segments,
        float(silhouette_score(far, model.labels_, metric="precomputed")),
        stability,
        share,
        float(model.inertia_ / len(values)),
        stability >= rule.least_stability and share >= rule.least_share,
    )


def _stability(values: Floats, segments: int, resamples: list[Labels], seed: int) -> float:
    """Mean adjusted Rand index over all pairs of refits, each refit assigning all the rows."""
    from sklearn.metrics import adjusted_rand_score

    refits = []
    for number, rows in enumerate(resamples):
        drawn = values[rows]
        if len(np.unique(drawn, axis=0)) < segments:
            continue
        refits.append(fit_kmeans(drawn, segments, RESTARTS, seed + number).predict(values))
    scores = [adjusted_rand_score(one, other) for one, other in combinations(refits, 2)]
    return float(np.mean(scores)) if scores else 0.0
