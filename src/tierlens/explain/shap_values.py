"""SHAP values of any LightGBM model of one outcome, exact, and many times faster than LightGBM's own.

Source: Lundberg and others (2020), doi 10.1038/s42256-019-0138-9 (path-dependent TreeSHAP); docs/tree_shap.md says how.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tierlens.errors import DataError, UsageError
from tierlens.explain.contributions import float_matrix
from tierlens.risk.kernel.shap_forest import ShapForest, planned_forest, shap_kernel
from tierlens.risk.kernel.tree_text import TreeText, read_model
from tierlens.words import Text

Floats = NDArray[np.float64]


def tree_shap(booster: Any, X: Any, *, n_jobs: int | None = None, forest: ShapForest | None = None) -> Floats:
    """Return the SHAP values of a LightGBM model: what each feature adds to the raw score of each row.

    Parameters
    ----------
    booster : lightgbm.Booster or fitted LGBMClassifier or LGBMRegressor
        One outcome: binary, a number, a rank. Its best iteration counts where there is one.
    X : Arrow table, data frame or array, shape (n, p)
        Columns in a table are found by name; values are taken as float64, missing ones as NaN.
    n_jobs : int, optional
        Threads; all cores by default. The values do not depend on it.
    forest : ShapForest, optional
        What ``prepare_shap`` made of the same model, so that many small tables are explained without reading the
        model again; it is then used however few the rows are.

    Returns
    -------
    ndarray of float64, shape (n, p + 1)
        Those of ``booster.predict(X, pred_contrib=True)`` to about 1e-12; the last column is the base, and a row sums
        to its raw score. Where numba is missing, and for so few rows that compiling would not pay, LightGBM gives them.

    Raises
    ------
    UsageError
        ``E-EP-020`` for what is no fitted LightGBM model, ``E-EP-021`` for several classes, ``E-EP-022`` for linear
        trees.
    DataError
        ``E-EP-004`` when columns are missing; ``E-EP-023`` for a table where the model turns categories into codes.

    Examples
    --------
    >>> import lightgbm as lgb
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> model = lgb.LGBMRegressor(n_estimators=5, n_jobs=1, verbose=-1).fit(X, X[:, 0])
    >>> values = tree_shap(model, X, n_jobs=1)
    >>> values.shape, bool(np.allclose(values.sum(axis=1), model.predict(X)))
    ((200, 4), True)
    """
    own = _booster(booster)
    told = None if forest is not None else _read(own)
    if getattr(own, "pandas_categorical", None) and not isinstance(X, np.ndarray):
        raise _categories()
    values = float_matrix(X, tuple(own.feature_name()))
    threads = n_jobs if n_jobs is not None and n_jobs > 0 else 0
    if told is not None and shap_kernel() is not None:
        planned = planned_forest([told])
        forest = planned if planned is not None and planned.pays(len(values)) else None
    if forest is None:
        return np.asarray(own.predict(values, pred_contrib=True, num_threads=threads), dtype=np.float64)
    return forest.parts(values, threads)


def prepare_shap(booster: Any) -> ShapForest | None:
    """Read a model once for many calls of ``tree_shap``; None where only LightGBM can explain it.

    A model that learns on afterwards must be prepared again.

    Examples
    --------
    >>> import lightgbm as lgb
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> prepare_shap(lgb.LGBMRegressor(n_estimators=2, n_jobs=1, verbose=-1).fit(X, X[:, 0])).deepest > 1
    True
    """
    told = _read(_booster(booster))
    return planned_forest([told]) if shap_kernel() is not None else None


def _booster(model: Any) -> Any:
    found = getattr(model, "booster_", model)
    if not hasattr(found, "model_to_string"):
        raise UsageError(
            "E-EP-020",
            Text(
                f"{type(model).__name__} is no fitted LightGBM model",
                f"{type(model).__name__} 不是已训练的 LightGBM 模型",
            ),
            fix=Text(
                "pass a lightgbm.Booster, or a fitted LGBMClassifier or LGBMRegressor",
                "请提供 lightgbm.Booster，或已训练的 LGBMClassifier、LGBMRegressor",
            ),
        )
    return found


def _read(booster: Any) -> TreeText:
    told = read_model(booster)
    if told.per_iteration != 1:
        raise UsageError(
            "E-EP-021",
            Text(
                f"the model has {told.per_iteration} classes, and SHAP values are given for one outcome",
                f"该模型有 {told.per_iteration} 个类别，而 SHAP 值只针对单一结果",
            ),
            fix=Text("train a model of one class against the others", "请训练“一类对其余”的模型"),
        )
    if told.is_linear:
        raise UsageError(
            "E-EP-022",
            Text("the leaves of this model are lines (linear_tree)", "该模型的叶节点为线性模型（linear_tree）"),
            fix=Text(
                "train without linear_tree: path-dependent SHAP values are not defined for such leaves",
                "请不使用 linear_tree 训练：此类叶节点没有路径依赖的 SHAP 值",
            ),
        )
    return told


def _categories() -> DataError:
    return DataError(
        "E-EP-023",
        Text(
            "the model learned from pandas categories, whose codes a table may number otherwise",
            "该模型由 pandas 分类列训练，表中的编码可能与之不同",
        ),
        fix=Text(
            "pass an array with the codes of the training data, NaN where missing",
            "请提供使用训练数据编码的数组，缺失处为 NaN",
        ),
    )
