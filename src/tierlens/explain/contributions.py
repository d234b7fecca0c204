"""How much each feature adds to or takes from a customer's risk.

Contributions are SHAP values on the log-odds scale: for every customer they and a base sum to the logit of the risk.
They are sums, so a family of features or a dimension contributes the sum of its members.

Source: Lundberg and others (2020), doi 10.1038/s42256-019-0138-9 (path-dependent TreeSHAP).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tierlens.errors import DataError, UsageError
from tierlens.explain.phrases import FAMILIES
from tierlens.features.catalog import DIMENSIONS, WHOLE, Feature
from tierlens.words import Text

if TYPE_CHECKING:
    from tierlens.explain.scheme_homes import Home

Floats = NDArray[np.float64]
Catalog = Mapping[str, Feature]

OTHER = "other"
"""Dimension of a feature that the catalog does not know."""


@dataclass(frozen=True)
class Contributions:
    """What each column adds to the log-odds of each customer's risk.

    Parameters
    ----------
    values : ndarray of float64, shape (n, f)
        Positive raises the risk. Finite; read-only.
    base : ndarray of float64, shape (n,)
        Log-odds before any feature is looked at; a single number is spread over the rows.
    names : tuple of str
        Name of each column: a feature, or a family or dimension once summed.

    Raises
    ------
    DataError
        ``E-EP-001`` when shapes do not match or a value is not finite.

    Examples
    --------
    >>> found = Contributions([[0.5, -0.25]], -1.0, ("recency_days", "monetary"))
    >>> found.log_odds()
    array([-0.75])
    """

    values: Floats
    base: Floats
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float64, order="C")
        names = tuple(str(name) for name in self.names)
        if values.ndim != 2 or values.shape[1] != len(names) or np.ndim(self.base) > 1:
            raise _broken(f"values of shape {values.shape} for {len(names)} names")
        if np.ndim(self.base) == 1 and len(self.base) != len(values):
            raise _broken(f"{len(self.base)} bases for {len(values)} customers")
        base = np.broadcast_to(np.asarray(self.base, dtype=np.float64), (len(values),)).copy()
        if not (np.isfinite(values).all() and np.isfinite(base).all()):
            raise _broken("a contribution or base that is not finite")
        values.setflags(write=False)
        base.setflags(write=False)
        for field, value in (("values", values), ("base", base), ("names", names)):
            object.__setattr__(self, field, value)

    def __len__(self) -> int:
        return len(self.values)

    def log_odds(self) -> Floats:
        """Return the log-odds of each customer's risk, shape (n,)."""
        total: Floats = self.base + self.values.sum(axis=1)
        return total

    def risk(self) -> Floats:
        """Return each customer's risk, shape (n,), 0 to 1."""
        from scipy.special import expit

        risk: Floats = expit(self.log_odds())
        return risk

    def by(self, groups: Mapping[str, str]) -> Contributions:
        """Sum columns by group.

        Parameters
        ----------
        groups : mapping of str to str
            Group of each name; a name that is not in it stays alone.

        Returns
        -------
        Contributions
            One column a group, in the order in which groups first appear; the same log-odds.

        Examples
        --------
        >>> found = Contributions([[0.5, -0.25, 0.1]], 0.0, ("a", "b", "c"))
        >>> summed = found.by({"a": "x", "c": "x"})
        >>> summed.names, summed.values
        (('x', 'b'), array([[ 0.6 , -0.25]]))
        """
        homes = [groups.get(name, name) for name in self.names]
        names = tuple(dict.fromkeys(homes))
        values = np.zeros((len(self), len(names)))
        for column, home in enumerate(homes):
            values[:, names.index(home)] += self.values[:, column]
        return Contributions(values, self.base, names)

    def by_family(self, catalog: Catalog = WHOLE) -> Contributions:
        """Sum by indicator family; a feature that the catalog does not know is its own family."""
        return self.by({name: family_of(name, catalog) for name in self.names})

    def by_dimension(self, catalog: Catalog = WHOLE) -> Contributions:
        """Sum by dimension; a feature that the catalog does not know goes to ``other``."""
        return self.by({name: dimension_of(name, catalog) for name in self.names})

    def check(self, risk: ArrayLike, tolerance: float = 1e-9) -> None:
        """Check the law: base and contributions sum to the logit of the risk.

        Parameters
        ----------
        risk : array of float, shape (n,)
            Between 0 and 1.
        tolerance : float
            In log-odds; a risk that is right to its last bits passes too.

        Raises
        ------
        DataError
            ``E-EP-002`` with the worst row.

        Examples
        --------
        >>> Contributions([[0.0]], 0.0, ("a",)).check([0.5])
        """
        given = np.asarray(risk, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            away = np.abs(self.log_odds() - (np.log(given) - np.log1p(-given)))
        # Near 0 and 1 the risk cannot hold the log-odds any finer than its own last bits.
        rounded = np.abs(given - self.risk()) <= 4 * np.finfo(np.float64).eps
        bad = ~((away <= tolerance) | rounded)
        if bad.any():
            row = int(np.argmax(np.where(bad, np.nan_to_num(away, nan=np.inf), -1.0)))
            raise DataError(
                "E-EP-002",
                Text(
                    f"contributions sum to {self.log_odds()[row]:.9g}, and the logit of the risk {given[row]:.9g} "
                    "is another number",
                    f"贡献值之和为 {self.log_odds()[row]:.9g}，与风险 {given[row]:.9g} 的对数几率不符",
                ),
                where=f"row {row}",
                fix=Text("explain the same model that gave the risk", "请解释给出该风险的同一个模型"),
            )


def explain(model: Any, table: Any, names: tuple[str, ...] | None = None) -> Contributions:
    """Return the contributions of a model's features to each customer's risk.

    Parameters
    ----------
    model : object
        Has ``contributions(X) -> (values, base)``, or is a LightGBM booster or classifier with one binary outcome
        (anything with ``predict(..., pred_contrib=True)``).
    table : Arrow table, data frame or array, shape (n, f)
        Columns in a table are found by name, in whatever order they stand.
    names : tuple of str, optional
        Columns to read, where the model does not name its own.

    Returns
    -------
    Contributions

    Raises
    ------
    UsageError
        ``E-EP-003`` for a model that cannot be explained or has more than two classes.
    DataError
        ``E-EP-004`` when columns are missing; ``E-EP-001`` when the model's contributions have the wrong shape.

    Examples
    --------
    >>> class Even:
    ...     def contributions(self, X):
    ...         return X.to_numpy() - 1.0, 0.25
    >>> import pandas as pd
    >>> explain(Even(), pd.DataFrame({"recency_days": [1.0, 3.0]})).log_odds()
    array([0.25, 2.25])
    """
    if hasattr(model, "contributions"):
        own = names or _model_names(model) or _columns(table)
        values, base = model.contributions(_only(table, own))[:2]
        return Contributions(values, base, own)
    booster = getattr(model, "booster_", model)
    if not hasattr(booster, "feature_name"):
        raise _unexplained(f"{type(model).__name__} has no contributions")
    own = tuple(booster.feature_name())
    both = np.asarray(booster.predict(float_matrix(table, own), pred_contrib=True), dtype=np.float64)
    if both.shape[1] != len(own) + 1:
        raise _unexplained(f"{type(model).__name__} has more than two classes")
    return Contributions(both[:, :-1], both[:, -1], names or own)


def _only(table: Any, names: tuple[str, ...]) -> Any:
    """Return the columns that a model names, in its order; a table that lacks one is left for the model to refuse."""
    frame = nw.from_native(table, eager_only=True, pass_through=True)
    if not isinstance(frame, nw.DataFrame) or not set(names) <= set(frame.columns):
        return table
    return frame.select(list(names)).to_native()


def float_matrix(table: Any, names: tuple[str, ...]) -> Floats:
    """Return columns of a table as float64, missing values as NaN; an array is taken as it stands.

    Raises
    ------
    DataError
        ``E-EP-004`` naming the columns that are missing.

    Examples
    --------
    >>> import pyarrow as pa
    >>> float_matrix(pa.table({"b": [1, None], "a": [3, 4]}), ("a", "b"))
    array([[ 3.,  1.],
           [ 4., nan]])
    """
    if isinstance(table, np.ndarray):
        if table.ndim != 2 or table.shape[1] != len(names):
            raise _missing(names)
        return np.asarray(table, dtype=np.float64)
    frame = nw.from_native(table, eager_only=True)
    missing = tuple(name for name in names if name not in frame.columns)
    if missing:
        raise _missing(missing)
    read = [frame.get_column(name).cast(nw.Float64).to_numpy() for name in names]
    return np.column_stack(read).astype(np.float64) if read else np.empty((len(frame), 0))


def importance(contributions: Contributions, catalog: Catalog = WHOLE, homes: Mapping[str, Home] | None = None) -> Any:
    """Return how much each feature, family and dimension moves the risk over all customers.

    Parameters
    ----------
    contributions : Contributions
        By feature.
    catalog : mapping of str to Feature
    homes : mapping of str to Home, optional
        From :func:`tierlens.explain.scheme_homes.homes_of`: dimensions are then those of that scheme, and a level
        ``indicator`` is added, where what has no indicator stands under its dimension. Default: the catalog's
        dimensions.

    Returns
    -------
    pyarrow.Table
        ``level`` (feature, family, dimension; indicator), ``name``, ``title_en``, ``title_zh``, ``mean_abs`` (mean
        absolute contribution, log-odds), ``share`` (of the level's total), ``raised`` (share of customers whose risk it
        raises). Within a level the largest first, ties by name. A family's contribution is the sum of its members
        before the absolute value is taken.

    Examples
    --------
    >>> found = Contributions([[0.5, -0.2], [-0.5, 0.2]], 0.0, ("recency_days", "overdue_ratio"))
    >>> table = importance(found).to_pydict()
    >>> list(zip(table["name"], [round(value, 3) for value in table["mean_abs"]]))
    [('recency_days', 0.5), ('overdue_ratio', 0.2), ('recency', 0.3), ('value', 0.5), ('stability', 0.2)]
    >>> from tierlens.explain.scheme_homes import homes_of
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> importance(found, homes=homes_of(load_scheme("five_step"))).to_pydict()["name"][3:]
    ['rfm', 'recency']
    """
    import pyarrow as pa

    rows: list[dict[str, Any]] = []
    for level, (part, titles) in _levels(contributions, catalog, homes).items():
        weights = np.abs(part.values).mean(axis=0) if len(part) else np.zeros(len(part.names))
        total = float(weights.sum())
        raised = (part.values > 0).mean(axis=0) if len(part) else np.zeros(len(part.names))
        for column in sorted(range(len(part.names)), key=lambda at: (-weights[at], part.names[at])):
            title = titles.get(part.names[column]) or title_of(part.names[column], level, catalog)
            rows.append(
                {
                    "level": level,
                    "name": part.names[column],
                    "title_en": title.en,
                    "title_zh": title.zh,
                    "mean_abs": float(weights[column]),
                    "share": float(weights[column]) / total if total else 0.0,
                    "raised": float(raised[column]),
                }
            )
    return pa.Table.from_pylist(rows)


def _levels(
    found: Contributions, catalog: Catalog, homes: Mapping[str, Home] | None
) -> dict[str, tuple[Contributions, Mapping[str, Text]]]:
    """Return contributions summed by level, and the titles that a scheme has for the names of that level."""
    levels: dict[str, tuple[Contributions, Mapping[str, Text]]] = {
        "feature": (found, {}),
        "family": (found.by_family(catalog), {}),
    }
    if homes is None:
        return levels | {"dimension": (found.by_dimension(catalog), {})}
    known = {name: homes[name] for name in found.names if name in homes}
    groups = {name: dimension_of(name, catalog, homes) for name in found.names}
    scored = {name: home.indicator or home.dimension for name, home in known.items()}
    titles = {home.dimension: home.dimension_title for home in known.values()}
    named = titles | {home.indicator: home.title for home in known.values() if home.indicator}
    return levels | {"dimension": (found.by(groups), titles), "indicator": (found.by(groups | scored), named)}


def family_of(name: str, catalog: Catalog = WHOLE) -> str:
    """Return the family of a feature; its own name where it has none or is not in the catalog."""
    return (catalog[name].family or name) if name in catalog else name


def dimension_of(name: str, catalog: Catalog = WHOLE, homes: Mapping[str, Home] | None = None) -> str:
    """Return the dimension of a feature, that of a scheme where homes are given; ``other`` where nobody knows it."""
    if homes is not None:
        return homes[name].dimension if name in homes else OTHER
    return catalog[name].dimension if name in catalog else OTHER


def title_of(name: str, level: str, catalog: Catalog = WHOLE) -> Text:
    """Return what people call a feature, family or dimension; its own name where nobody gave it a title."""
    titles = {"dimension": {**DIMENSIONS, OTHER: Text("other", "其他")}, "family": FAMILIES}.get(level, {})
    if name in titles:
        return titles[name]
    return catalog[name].title if name in catalog else Text(name, name)


def _model_names(model: Any) -> tuple[str, ...]:
    return tuple(getattr(model, "feature_names_in_", ()))


def _columns(table: Any) -> tuple[str, ...]:
    if isinstance(table, np.ndarray):
        return tuple(f"x{column}" for column in range(table.shape[1]))
    return tuple(nw.from_native(table, eager_only=True).columns)


def _broken(why: str) -> DataError:
    return DataError("E-EP-001", Text(f"contributions cannot be used: {why}", f"贡献值不可用：{why}"))


def _missing(names: tuple[str, ...]) -> DataError:
    return DataError(
        "E-EP-004",
        Text(f"missing columns: {', '.join(names)}", f"缺少列：{'、'.join(names)}"),
        fix=Text("pass the features that the model was trained on", "请提供模型训练时使用的特征"),
    )


def _unexplained(why: str) -> UsageError:
    return UsageError(
        "E-EP-003",
        Text(f"this model cannot be explained: {why}", f"无法解释该模型：{why}"),
        fix=Text(
            "pass a binary LightGBM model or one with contributions(X)",
            "请使用二分类 LightGBM 模型或带 contributions(X) 的模型",
        ),
    )
