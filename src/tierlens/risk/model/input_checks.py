"""What is checked before a model learns: two classes, one cutoff a row, a prior that is a column."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from tierlens.errors import DataError, UsageError
from tierlens.risk.model.input_columns import Columns
from tierlens.risk.model.linear import Floats
from tierlens.sources.tables import day_number
from tierlens.words import Text

Ints = npt.NDArray[np.int64]


def two_classes(model: BaseEstimator, y: Any, rows: int) -> tuple[Floats, npt.NDArray[Any]]:
    """Return the outcome as 0 and 1, and its two classes in order.

    Parameters
    ----------
    model : estimator
        Named where ``y`` is not given.
    y : array, shape (n,)
    rows : int

    Raises
    ------
    DataError
        ``E-RI-020`` when there are not exactly two classes.
    ValueError
        In scikit-learn's words, when ``y`` is missing or not as long as the table.
    """
    if y is None:
        raise ValueError(
            f"{type(model).__name__} requires y to be passed, but the target y is None; this estimator learns from it"
        )
    labels = column_or_1d(y, warn=True)
    assert_all_finite(labels, input_name="y")
    check_classification_targets(labels)
    kind = type_of_target(labels, input_name="y", raise_unknown=True)
    classes, counts = np.unique(labels, return_counts=True)
    if kind != "binary" or len(classes) != 2:
        found = ", ".join(f"{value}: {count:,}" for value, count in zip(classes[:5], counts[:5], strict=True))
        raise DataError(
            "E-RI-020",
            Text(
                f"Only binary classification is supported. The type of the target is {kind}. "
                f"Classifier can't train when there are {len(classes)} classes, 1 class included; "
                f"rows of each: {found}",
                f"仅支持二分类，目标有 {len(classes)} 个类别；各类行数：{found}",
            ),
            where="y",
            fix=Text(
                "give rows of both outcomes; a longer horizon, or more cutoffs, may hold some of each",
                "请提供两种结果的数据行；可加长预测期或增加截止日",
            ),
        )
    if len(labels) != rows:
        raise ValueError(f"Found input variables with inconsistent numbers of samples: {[rows, len(labels)]}")
    return (labels == classes[1]).astype(np.float64), classes


def _as_days(cutoffs: npt.ArrayLike) -> Ints:
    """Return dates as whole days, each its own day where it has a time zone; numbers as they are."""
    series = nw.from_native(cutoffs, series_only=True, pass_through=True)
    if isinstance(series, nw.Series) and isinstance(series.dtype, nw.Datetime) and series.dtype.time_zone is not None:
        cutoffs = series.dt.replace_time_zone(None).to_numpy()
    given = np.asarray(cutoffs)
    if given.dtype.kind in "OUT" and given.size and all(isinstance(one, dt.date | str) for one in given.flat):
        given = np.array([day_number(one) for one in given.ravel().tolist()]).reshape(given.shape)
    if given.dtype.kind == "M":
        given = given.astype("datetime64[D]")
    if given.dtype.kind not in "iufM" or not np.isfinite(given).all():
        raise DataError(
            "E-RI-021",
            Text("a cutoff is missing, or no date", "有截止日缺失或不是日期"),
            where="cutoffs",
            fix=Text(
                "give a date, or whole days since 1970-01-01, for each row", "请为每行给出日期或自1970-01-01起的天数"
            ),
        )
    return given.astype(np.int64)


def days_of(cutoffs: npt.ArrayLike | None, rows: int) -> Ints | None:
    """Return the cutoff of each row as whole days, None where there are no cutoffs.

    Raises
    ------
    DataError
        ``E-RI-021`` when there is not one a row.

    Examples
    --------
    >>> days_of([14_000, 14_031], 2), days_of(np.array(["2008-05-01"], dtype="datetime64[s]"), 1)
    (array([14000, 14031]), array([14000]))
    """
    if cutoffs is None:
        return None
    days = _as_days(cutoffs)
    if days.shape != (rows,):
        raise DataError(
            "E-RI-021",
            Text(f"{rows} rows and cutoffs of shape {days.shape}", f"{rows} 行数据，截止日形状为 {days.shape}"),
            where="cutoffs",
            fix=Text("give one cutoff a row", "请为每行给出一个截止日"),
        )
    return days


def place_of(prior: str | None, columns: Columns) -> int | None:
    """Return the place of the prior among the columns, None where there is no prior.

    Raises
    ------
    UsageError
        ``E-RI-022`` when it is no column.

    Examples
    --------
    >>> place_of("p0", Columns(("a", "p0"), (None, None)))
    1
    """
    if prior is None:
        return None
    if prior not in columns.names:
        raise UsageError(
            "E-RI-022",
            Text(f"the prior {prior!r} is no column", f"先验列 {prior!r} 不存在"),
            where="prior",
            fix=Text("leave prior out, or add the column", "请去掉 prior，或添加该列"),
        )
    return columns.names.index(prior)


def signs_of(monotone: Mapping[str, int] | None, columns: Columns) -> tuple[int, ...]:
    """Return the direction of each column, 1, -1 or 0; nothing where none is given.

    Raises
    ------
    UsageError
        ``E-RI-024`` for a name that is no column of numbers, or a direction that is none.

    Examples
    --------
    >>> signs_of({"a": -1}, Columns(("a", "b"), (None, None)))
    (-1, 0)
    """
    if not monotone:
        return ()
    numbers = {name for name, levels in zip(columns.names, columns.levels, strict=True) if levels is None}
    for name, sign in monotone.items():
        if name not in numbers or sign not in (-1, 0, 1):
            raise UsageError(
                "E-RI-024",
                Text(f"no column of numbers can go by {name!r}: {sign}", f"没有可按 {name!r}: {sign} 约束的数值列"),
                where="monotone",
                fix=Text("name columns of numbers, with 1, -1 or 0", "请给出数值列名，方向为 1、-1 或 0"),
            )
    return tuple(int(monotone.get(name, 0)) for name in columns.names)
