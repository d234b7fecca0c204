"""RiskClassifier: calibrated probability of an outcome, from snapshots or from any flat table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from tierlens.errors import UsageError
from tierlens.risk.model.input_checks import Ints, days_of, place_of, signs_of, two_classes
from tierlens.risk.model.input_columns import as_table, learn_columns
from tierlens.risk.model.level import recent_mean, shift_to, shifts_by
from tierlens.risk.model.linear import Floats, logit, sigmoid
from tierlens.risk.model.members import Inputs, Sample
from tierlens.risk.model.ranks import Curve, learn_curves, ranker_of
from tierlens.risk.model.recipe import Blend, MemberSettings, fit_blend, recipe_for
from tierlens.risk.model.tree_settings import Bound, check_settings, check_whole
from tierlens.risk.model.trees import Setting
from tierlens.words import Text


class Parts(NamedTuple):
    """Contributions in log-odds: ``values`` (n, p) by feature, ``base`` (n,); a row sums to the logit of its risk.

    ``level`` (n,) is the part of the base that sets the level: that of the latest closed cutoffs and of the base rate.
    """

    values: Floats
    base: Floats
    level: Floats


class RiskClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Blend of logistic regression on percentile ranks and small boosted trees around a prior expectation.

    Given snapshots of several cutoffs, customers are compared with those of their own cutoff, what each cutoff's level
    was is set aside while the order is learned, and the level of a new cutoff is a forecast: the latest closed cutoffs'
    or a ``base_rate`` handed in. A flat table gets a wider blend whose weights are found by cross-validation.

    Parameters
    ----------
    prior : str, optional
        Column with a probability of the outcome that is known without labels, such as ``sea_p0``; members then learn
        where the outcome differs from it, and do not read it: it moves the risk by its own log-odds and in no other
        way, so that what it was computed from explains it exactly. To let members bend it, give them a copy.
    trees : mapping of str to number, optional
        Settings of LightGBM that replace the recipe's, and ``rounds``.
    ridge : float, optional
        Weight of the penalty of the lines, in place of the recipe's.
    seeds : int
        Boosters averaged for snapshots, at least 1; a flat table keeps those of its folds.
    folds : int
        Folds by which a flat table's members are weighed, at least 2.
    random_state : int
    n_jobs : int, optional
        Threads; all cores by default. Results do not depend on it.
    monotone : mapping of str to int, optional
        Columns along which the trees may only raise (1) or only lower (-1) the risk. Measured on churn it neither helps
        nor harms the ranking by more than 0.0002 AUC; it is for those who must be able to promise the direction.

    Attributes
    ----------
    classes_ : array, shape (2,)
        The second one is the outcome.
    n_features_in_ : int
    feature_names_in_ : array of str
        Where the table had names.
    members_ : tuple of str
        Names of the members.
    weights_ : array of float
        Their weights.
    shifts_ : dict of int to float
        Level of each training cutoff above the prior, in log-odds.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 3))
    >>> y = (X[:, 0] + rng.normal(size=200) > 0).astype(int)
    >>> model = RiskClassifier().fit(X, y)
    >>> risk = model.predict_proba(X)[:, 1]
    >>> parts = model.contributions(X)
    >>> bool(np.allclose(parts.base + parts.values.sum(axis=1), np.log(risk / (1 - risk))))
    True
    """

    def __init__(
        self,
        prior: str | None = None,
        *,
        trees: Mapping[str, Setting] | None = None,
        ridge: float | None = None,
        seeds: int = 3,
        folds: int = 5,
        random_state: int = 0,
        n_jobs: int | None = None,
        monotone: Mapping[str, int] | None = None,
    ) -> None:
        self.prior = prior
        self.trees = trees
        self.ridge = ridge
        self.seeds = seeds
        self.folds = folds
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.monotone = monotone

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, cutoffs: npt.ArrayLike | None = None) -> Self:
        """Learn.

        Parameters
        ----------
        X : table or array, shape (n, p)
            Numbers, with missing values; text, categories and truth values are taken as categories.
        y : array, shape (n,)
            Two classes.
        sample_weight : array of float, shape (n,), optional
            A row of weight 0 is as good as absent.
        cutoffs : array of date or int, shape (n,), optional
            Cutoff of each row: a date, or whole days since 1970-01-01.

        Raises
        ------
        DataError
            ``E-RI-020`` when there are not exactly two classes, ``E-RI-021`` when ``cutoffs`` do not fit.
        UsageError
            ``E-RI-022`` when the prior is no column, ``E-RI-024`` when a direction has none, ``E-RI-073`` when a
            parameter is out of bounds, ``E-RI-074`` when a setting of the trees is unknown or out of bounds.
        """
        sample = self.prepare(X, y, sample_weight, cutoffs=cutoffs)
        recipe = recipe_for(sample, snapshots=cutoffs is not None)
        if self.ridge is not None:
            recipe = recipe.with_ridge(self.ridge)
        self.blend_: Blend = fit_blend(recipe, sample, self.member_settings())
        return self

    def prepare(self, X: Any, y: Any, sample_weight: Any = None, *, cutoffs: npt.ArrayLike | None = None) -> Sample:
        """Check rows and learn all that comes before the members: columns, levels and ranks; arguments as in ``fit``.

        Returns
        -------
        Sample
            The rows as members see them, those of weight 0 left out.
        """
        self._check_parameters()
        values = self._matrix(X, reset=True)
        outcome, self.classes_ = two_classes(self, y, len(values))
        weight = _check_sample_weight(sample_weight, values, dtype=np.float64)
        days = days_of(cutoffs, len(values))
        kept = weight > 0
        if not kept.all():
            values, outcome, weight = values[kept], outcome[kept], weight[kept]
            days = days[kept] if days is not None else None
        self.prior_place_ = place_of(self.prior, self.columns_)
        self.reads_prior_ = False
        before = self._before(values)
        self.shifts_ = shifts_by(before, outcome, weight, days)
        self.prior_mean_ = float(weight @ before / weight.sum())
        values = self._read_by_members(values)
        latest = np.ones(len(values), dtype=bool) if days is None else days == days.max()
        self.curves_ = learn_curves(values[latest], weight[latest])
        known, place = np.unique(np.zeros(len(values)) if days is None else days, return_inverse=True)
        level = np.array([self.shifts_[int(day)] for day in known])[place]
        return Sample(Inputs(values, ranker_of(values, days, self.curves_), before + level), outcome, weight)

    def _check_parameters(self) -> None:
        """Refuse parameters out of bounds before anything is learned."""
        check_settings(self.trees)
        check_whole("seeds", self.seeds, 1)
        check_whole("folds", self.folds, 2)
        check_whole("random_state", self.random_state, 0)
        check_whole("n_jobs", self.n_jobs, -1, none=True)
        if self.ridge is not None and not Bound(0, 1e12, with_low=False).admits(self.ridge):
            raise UsageError(
                "E-RI-073",
                Text(f"ridge is {self.ridge!r}", f"ridge 为 {self.ridge!r}"),
                where="ridge",
                fix=Text("give a number above 0, or None", "请给出大于 0 的数，或 None"),
            )

    def member_settings(self) -> MemberSettings:
        """Return what members are learned with."""
        settings = dict(self.trees or {})
        signs = signs_of(self.monotone, self.columns_)
        threads = self.n_jobs or 0
        return MemberSettings(
            self.columns_.categorical, settings, self.seeds, self.folds, self.random_state, threads, signs
        )

    @property
    def members_(self) -> tuple[str, ...]:
        """Names of the members."""
        return self.blend_.names

    @property
    def weights_(self) -> Floats:
        """Weights of the members."""
        return self.blend_.weights

    def predict_proba(
        self,
        X: Any,
        *,
        cutoffs: npt.ArrayLike | None = None,
        base_rate: float | Mapping[int, float] | None = None,
    ) -> Floats:
        """Return the probability of each class, shape (n, 2); the second column is the risk.

        Parameters
        ----------
        X : table or array, shape (n, p)
            The columns of ``fit``.
        cutoffs : array of int, shape (n,), optional
            Cutoff of each row; rows are ranked within it. Without it they are ranked as the latest cutoff learned from.
        base_rate : float or mapping of int to float, optional
            Forecast share with the outcome, for all rows or by cutoff: the level is set to it. The rows must then be
            all customers of a cutoff.
        """
        risk = sigmoid(self.log_odds(X, cutoffs=cutoffs, base_rate=base_rate))
        return np.column_stack([1.0 - risk, risk])

    def predict(self, X: Any, *, cutoffs: npt.ArrayLike | None = None) -> npt.NDArray[Any]:
        """Return the more likely class of each row."""
        likely = self.predict_proba(X, cutoffs=cutoffs)[:, 1] > 0.5
        found: npt.NDArray[Any] = self.classes_[likely.astype(int)]
        return found

    def log_odds(
        self,
        X: Any,
        *,
        cutoffs: npt.ArrayLike | None = None,
        base_rate: float | Mapping[int, float] | None = None,
    ) -> Floats:
        """Return the log-odds of the risk, shape (n,)."""
        inputs, days = self.inputs(X, cutoffs)
        found = inputs.offset + self.blend_.raw(inputs, self.n_jobs or 0)
        return found + self.level_shift(found, days, base_rate)

    def contributions(
        self,
        X: Any,
        *,
        cutoffs: npt.ArrayLike | None = None,
        base_rate: float | Mapping[int, float] | None = None,
    ) -> Parts:
        """Return what each feature adds to the log-odds: weights x rank above the mean, TreeSHAP, and the prior.

        Parameters
        ----------
        X, cutoffs, base_rate
            As in ``predict_proba``.

        Returns
        -------
        Parts
            ``values`` (n, p), ``base`` (n,) and the part of it that is ``level`` (n,): exact, values and base sum to
            the logit of the risk.
        """
        inputs, days = self.inputs(X, cutoffs)
        parts = self.blend_.parts(inputs, self.n_jobs or 0)
        values, base = parts[:, :-1], parts[:, -1] + inputs.offset
        latest = recent_mean(self.shifts_)
        if self.prior_place_ is not None:
            own = inputs.offset - latest - self.prior_mean_
            values[:, self.prior_place_] += own
            base = base - own
        shift = self.level_shift(base + values.sum(axis=1), days, base_rate)
        return Parts(values, base + shift, latest + shift)

    def save(self, folder: Path | str) -> Path:
        """Keep the model in a folder as text, numbers and checksums; see ``risk.model.saved``."""
        from tierlens.risk.model.saved import save_classifier

        check_is_fitted(self, "blend_")
        return save_classifier(self, Path(folder))

    @classmethod
    def load(cls, folder: Path | str) -> RiskClassifier:
        """Read a model that ``save`` kept; nothing in it is code.

        Raises
        ------
        DataError
            ``E-RI-030`` when a file is missing or not what was kept.
        """
        from tierlens.risk.model.saved import load_classifier

        return load_classifier(Path(folder))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags

    def _matrix(self, X: Any, *, reset: bool) -> Floats:
        """Return the table as numbers; learn its columns on ``reset``, else hold it against those learned."""
        table = as_table(X)
        if table is None:
            X = validate_data(self, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan")
            if reset:
                self.columns_ = learn_columns(X)
            return np.asarray(X, dtype=np.float64)
        validate_data(self, table, reset=reset, skip_check_array=True)
        if reset:
            self.columns_ = learn_columns(table)
        return self.columns_.matrix(table)

    def _before(self, values: Floats) -> Floats:
        """Log-odds of the prior; 0 where there is none, or it is missing."""
        if self.prior_place_ is None:
            return np.zeros(len(values))
        given = values[:, self.prior_place_]
        return logit(np.where(np.isfinite(given), given, 0.5))

    def _read_by_members(self, values: Floats) -> Floats:
        """Blank the prior's column: one without values teaches members nothing. Those of old models do read it."""
        if self.prior_place_ is None or self.reads_prior_:
            return values
        found = values.copy()
        found[:, self.prior_place_] = np.nan
        return found

    def inputs(self, X: Any, cutoffs: npt.ArrayLike | None = None) -> tuple[Inputs, Ints | None]:
        """Return rows as the members see them, and their cutoffs; arguments as in ``predict_proba``."""
        check_is_fitted(self, "blend_")
        values = self._matrix(X, reset=False)
        days = days_of(cutoffs, len(values))
        offset = self._before(values) + recent_mean(self.shifts_)
        values = self._read_by_members(values)
        return Inputs(values, ranker_of(values, days, self.curves_, compiled=True), offset), days

    @staticmethod
    def level_shift(log_odds: Floats, days: Ints | None, base_rate: float | Mapping[int, float] | None) -> Floats:
        """Return what sets the level of log-odds to a base rate, shape (n,); 0 where there is none.

        Raises
        ------
        UsageError
            ``E-RI-023`` for base rates by cutoff without the cutoff of each row.
        """
        added = np.zeros(len(log_odds))
        if base_rate is None or not len(log_odds):
            return added
        if days is None or not isinstance(base_rate, Mapping):
            if isinstance(base_rate, Mapping):
                raise UsageError(
                    "E-RI-023",
                    Text("base rates by cutoff need the cutoff of each row", "按截止日给出的基准率需要各行的截止日"),
                    fix=Text("pass cutoffs=", "请传入 cutoffs="),
                )
            return added + shift_to(log_odds, base_rate)
        for day in np.unique(days):
            if int(day) in base_rate:
                here = days == day
                added[here] = shift_to(log_odds[here], base_rate[int(day)])
        return added


__all__ = ["Curve", "Parts", "RiskClassifier"]
