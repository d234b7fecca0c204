"""The segmenter: groups of customers that look alike, numbered from the best customers down."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from tierlens.errors import DataError, UsageError
from tierlens.segments.choose import Choice, Floats, Labels, Rule, choose_segments, fit_kmeans, possible_candidates
from tierlens.segments.scaling import Scaling, fit_scaling, typical_size
from tierlens.words import Text

MOST = "monetary"


class CustomerSegmenter(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Cluster customers on any numeric features, whatever their units and skew.

    Columns are divided by their typical size, put on a signed logarithm where they are very skewed, and standardised;
    a missing value takes the column's median. KMeans is fitted on a seeded sample and assigns everybody. Neither the
    unit of a column nor the order of the rows changes a label.

    Parameters
    ----------
    n_clusters : int or None, default=None
        Number of segments; None chooses it by the rule in ``tierlens.segments.choose``.
    order_by : str or None, default=None
        Column that numbers the segments: 0 has the highest mean rank in it. None takes ``monetary`` where there is
        such a column, else the first.
    max_skew : float, default=1.0
        Columns more skewed than this go on a signed logarithm, if that makes them less skewed.
    sample_rows : int, default=50_000
        Rows that KMeans is fitted on; all rows are assigned.
    n_init : int, default=10
        KMeans starts, the best of which is kept.
    rule : Rule or None, default=None
        How to choose the number of segments; None takes ``Rule()``. Unused where ``n_clusters`` is given.
    random_state : int, default=0
        Seed of the sample, the starts and the resamples.

    Attributes
    ----------
    labels_ : ndarray of int64, shape (n,)
        Segment of each row of the fit, 0 the best by ``order_by``.
    n_clusters_ : int
    cluster_centers_ : ndarray of float64, shape (n_clusters_, f)
        On the scale of ``scaling_``.
    scaling_ : Scaling
    choice_ : Choice or None
        Candidates and reason; None where ``n_clusters`` was given.
    order_by_ : str
        Name (or ``x0``) of the column that numbered the segments.
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn.

    Examples
    --------
    >>> import pandas as pd
    >>> shop = pd.DataFrame({"recency_days": [5, 7, 6, 200, 210, 190], "monetary": [9e5, 8e5, 8e5, 2e4, 1e4, 3e4]})
    >>> CustomerSegmenter(n_clusters=2).fit_predict(shop)
    array([0, 0, 0, 1, 1, 1])
    """

    def __init__(
        self,
        n_clusters: int | None = None,
        *,
        order_by: str | None = None,
        max_skew: float = 1.0,
        sample_rows: int = 50_000,
        n_init: int = 10,
        rule: Rule | None = None,
        random_state: int = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.order_by = order_by
        self.max_skew = max_skew
        self.sample_rows = sample_rows
        self.n_init = n_init
        self.rule = rule
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn the scale of the columns and the segments.

        Parameters
        ----------
        X : table or array, shape (n, f)
            Numbers; missing values allowed, infinite ones not.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        DataError
            ``E-SG-001`` fewer customers than segments; ``E-SG-002`` no feature varies; ``E-SG-003`` fewer different
            customers than segments.
        UsageError
            ``E-SG-004`` an impossible ``n_clusters``; ``E-SG-005`` an ``order_by`` that is no column.
        """
        values: Floats = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        column = self._check(len(values))
        size = typical_size(values)
        sample = values[self._sample(values / size)]
        self.scaling_: Scaling = fit_scaling(sample, size, self.max_skew)
        scaled = self.scaling_.apply(sample)
        self._check_different(scaled)
        segments, self.choice_ = self._choose(scaled)
        centres: Floats = fit_kmeans(scaled, segments, self.n_init, self.random_state).cluster_centers_
        everybody = self.scaling_.apply(values)
        order = _order(values[:, column], _nearest(everybody, centres), centres)
        self.cluster_centers_: Floats = centres[order]
        self.n_clusters_, self._n_features_out = segments, segments
        self.labels_: Labels = _nearest(everybody, self.cluster_centers_)
        return self

    def predict(self, X: ArrayLike) -> Labels:
        """Return the segment of each row.

        Parameters
        ----------
        X : table or array, shape (n, f)
            The columns of the fit; missing values take the median of the fit.

        Returns
        -------
        ndarray of int64, shape (n,)
        """
        return _nearest(self._scaled(X), self.cluster_centers_)

    def transform(self, X: ArrayLike) -> Floats:
        """Return the distance of each row to each segment's centre, in standard deviations.

        Parameters
        ----------
        X : table or array, shape (n, f)

        Returns
        -------
        ndarray of float64, shape (n, n_clusters_)
        """
        from sklearn.metrics import pairwise_distances

        distances: Floats = pairwise_distances(self._scaled(X), self.cluster_centers_)
        return distances

    def _scaled(self, X: ArrayLike) -> Floats:
        check_is_fitted(self)
        values: Floats = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        return self.scaling_.apply(values)

    def _sample(self, sized: Floats) -> NDArray[np.intp]:
        """Rows to learn from, in an order that the caller's order of rows does not touch."""
        rng = np.random.default_rng(self.random_state)
        # A sum of columns in fixed proportions puts equal rows side by side; it costs one sort, not one a column.
        key: Floats = np.zeros(len(sized))
        for column in range(sized.shape[1]):
            key = key + rng.uniform(1.0, 2.0) * np.nan_to_num(sized[:, column], nan=-1.0)
        order = np.argsort(key, kind="stable")
        if len(order) <= self.sample_rows:
            return order
        return order[np.sort(rng.choice(len(order), self.sample_rows, replace=False))]

    def _check(self, rows: int) -> int:
        """Check the parameters; return the position of the column that numbers the segments."""
        if self.n_clusters is not None and self.n_clusters < 1:
            raise UsageError(
                "E-SG-004",
                Text(f"n_clusters is {self.n_clusters}", f"客群数为 {self.n_clusters}"),
                fix=Text("give 1 or more, or None to have it chosen", "请给出不小于1的整数，或用 None 自动选择"),
            )
        least = self.n_clusters or min((self.rule or Rule()).candidates) + 1
        if rows < least:
            raise DataError(
                "E-SG-001",
                Text(
                    f"n_samples = {rows}: fewer customers than the {least} that are needed",
                    f"n_samples = {rows}：客户数少于所需的 {least} 个",
                ),
                fix=Text("take more customers or fewer segments", "请增加客户或减少客群数"),
            )
        names = list(getattr(self, "feature_names_in_", [f"x{i}" for i in range(self.n_features_in_)]))
        wanted = self.order_by if self.order_by is not None else MOST if MOST in names else names[0]
        if wanted not in names:
            raise UsageError(
                "E-SG-005",
                Text(f"order_by={wanted!r} is no column", f"order_by={wanted!r} 不是列名"),
                fix=Text(f"choose one of {', '.join(names)}", f"可选：{'、'.join(names)}"),
            )
        self.order_by_ = wanted
        return names.index(wanted)

    def _check_different(self, scaled: Floats) -> None:
        if not self.scaling_.varies.any() and self.n_clusters != 1:
            raise DataError(
                "E-SG-002",
                Text(
                    f"no feature varies over the {len(scaled)} customers, so there is nothing to group by",
                    f"{len(scaled)} 个客户的所有特征取值相同，无法划分客群",
                ),
                fix=Text("choose features that differ between customers", "请选择客户之间有差异的特征"),
            )
        wanted = [self.n_clusters] if self.n_clusters else list((self.rule or Rule()).candidates)
        if self.n_clusters != 1 and not possible_candidates(np.vstack([scaled, scaled[:1]]), wanted):
            different = len(np.unique(scaled, axis=0))
            raise DataError(
                "E-SG-003",
                Text(
                    f"only {different} different customers for {min(wanted)} segments",
                    f"只有 {different} 个互不相同的客户，不足 {min(wanted)} 个客群",
                ),
                fix=Text("take fewer segments or more features", "请减少客群数或增加特征"),
            )

    def _choose(self, scaled: Floats) -> tuple[int, Choice | None]:
        if self.n_clusters is not None:
            return self.n_clusters, None
        choice = choose_segments(scaled, self.rule, seed=self.random_state)
        return choice.segments, choice

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _nearest(scaled: Floats, centres: Floats) -> Labels:
    from sklearn.metrics import pairwise_distances_argmin

    return np.asarray(pairwise_distances_argmin(scaled, centres), dtype=np.int64)


def _order(column: Floats, labels: Labels, centres: Floats) -> NDArray[np.intp]:
    """Segments from the highest mean rank in a column down; ties by their centres, so that numbering never wavers."""
    from scipy.stats import rankdata

    ranks = rankdata(np.nan_to_num(column, nan=-np.inf))
    counts = np.bincount(labels, minlength=len(centres))
    mean = np.bincount(labels, weights=ranks, minlength=len(centres)) / np.maximum(counts, 1)
    return np.lexsort((*centres.T[::-1].round(9), -mean.round(6)))
