"""Snapshots and outcomes as frames: what was known of each customer at a cutoff, and what happened after it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tierlens.api.dataset import Dataset
from tierlens.api.native_frames import Day, as_days, as_library, as_user_frame
from tierlens.api.tier_frames import as_scheme
from tierlens.errors import UsageError
from tierlens.features.catalog import WHOLE, available_features
from tierlens.features.snapshot import build_snapshots as lazy_snapshots
from tierlens.features.snapshot import to_arrow
from tierlens.features.windows import Window, cutoff_days, month_starts
from tierlens.grading import grade
from tierlens.grading.scheme.scheme import Scheme
from tierlens.risk import outcome as outcomes_of
from tierlens.sources.engines import Frame, settle_frame
from tierlens.sources.tables import day_date
from tierlens.words import Text

Outcome = Literal["churn", "downgrade", "spend", "not_renewed"]
OUTCOMES: tuple[Outcome, ...] = ("churn", "downgrade", "spend", "not_renewed")
RFM = ("recency_days", "frequency", "monetary", "tenure_days")
PARTS = 5
UNKNOWN = r"(^| )(not_graded|short_tenure)($| )"
"""Flags of a row whose tier nobody can tell."""


def monthly_cutoffs(first: Day, last: Day) -> list[dt.date]:
    """Return the first day of each month from ``first`` to ``last``, both included where they are such days.

    Examples
    --------
    >>> [str(day) for day in monthly_cutoffs("2025-01-01", "2025-03-15")]
    ['2025-01-01', '2025-02-01', '2025-03-01']
    """
    return [day_date(day) for day in month_starts(*as_days([first, last]))]


def snapshots(
    data: Dataset,
    cutoffs: Sequence[Day] | Day,
    window: Window | None = None,
    *,
    features: Iterable[str] | None = None,
    everyone: bool = False,
) -> Any:
    """Build the features of every customer at every cutoff: nothing at or after a cutoff is read.

    Parameters
    ----------
    data : Dataset
    cutoffs : date, ISO text, or a sequence of them
        Each the start of a day.
    window : Window, optional
        Default: 365 days are looked at.
    features : iterable of str, optional
        Names in the catalog (docs/features.md); default: all features of transactions.
    everyone : bool
        Also customers without a purchase in the window.

    Returns
    -------
    frame
        Of the library of ``data``: ``customer_id`` (text), ``cutoff`` (date) and one column a feature, money in whole
        units. Missing values mean what the catalog says.

    Raises
    ------
    UsageError
        ``E-FE-001`` for an unknown feature, ``E-FE-002`` for one whose table is not there, ``E-US-036`` when ``data``
        is no ``Dataset``.

    Examples
    --------
    >>> from tierlens.api.dataset import simulate
    >>> shop = simulate(customers=50, seed=1)
    >>> snapshots(shop, "2025-01-01", features=["recency_days", "monetary"]).columns.tolist()
    ['customer_id', 'cutoff', 'recency_days', 'monetary']
    """
    _refuse_no_dataset(data)
    found = to_arrow(lazy_snapshots(data.tables, as_days(cutoffs), window, features=features, everyone=everyone))
    return as_library(as_user_frame(found, data.currency), data.frames)


def feature_names(frame: Any) -> list[str]:
    """Return the columns of a frame that are features in numbers: what a model learns from.

    Parameters
    ----------
    frame : frame of pandas, Polars or Arrow
        From :func:`snapshots`; keys, outcomes and columns that are not in the catalog are left out.

    Examples
    --------
    >>> feature_names(pa.table({"customer_id": ["a"], "recency_days": [3], "churn": [0]}))
    ['recency_days']
    """
    schema = nw.from_native(frame).collect_schema()
    return [name for name, kind in schema.items() if name in WHOLE and (kind.is_numeric() or kind == nw.Boolean)]


def rfm(data: Dataset, cutoff: Day, window: Window | None = None) -> Any:
    """Return recency, frequency and monetary value of each customer, and scores of 1 to 5 for each.

    Parameters
    ----------
    data : Dataset
    cutoff : date or ISO text
    window : Window, optional
        Default: 365 days are looked at.

    Returns
    -------
    frame
        ``customer_id``, ``cutoff``, ``recency_days``, ``frequency`` (orders), ``monetary`` (net, whole units),
        ``tenure_days``; ``r``, ``f``, ``m``: the fifth of the customers that each stands in, 5 the best, customers of
        one value in one fifth (by the middle of their ranks); ``rfm``: the three together, such as ``"543"``.

    Examples
    --------
    >>> from tierlens.api.dataset import simulate
    >>> rfm(simulate(customers=50, seed=1), "2025-01-01").columns.tolist()[-4:]
    ['r', 'f', 'm', 'rfm']
    """
    _refuse_no_dataset(data)
    table = as_user_frame(to_arrow(lazy_snapshots(data.tables, as_days(cutoff), window, features=RFM)), data.currency)
    scores = {"r": _fifths(table["recency_days"], -1), "f": _fifths(table["frequency"], 1),
              "m": _fifths(table["monetary"], 1)}  # fmt: skip
    for name, values in scores.items():
        table = table.append_column(name, pa.array(values, pa.int64()))
    together = [f"{r}{f}{m}" for r, f, m in zip(*scores.values(), strict=True)]
    return as_library(table.append_column("rfm", pa.array(together, pa.string())), data.frames)


def outcomes(
    data: Dataset,
    cutoffs: Sequence[Day] | Day,
    window: Window | None = None,
    *,
    outcome: Outcome = "churn",
    scheme: str | Scheme | None = None,
) -> Any:
    """Say what happened to each customer in the horizon after each cutoff.

    Parameters
    ----------
    data : Dataset
    cutoffs : date, ISO text, or a sequence of them
        The horizon of each must have closed within the data.
    window : Window, optional
        Default: 365 days are looked at, the horizon is 90 days.
    outcome : {"churn", "downgrade", "spend", "not_renewed"}
        No purchase in the horizon; a lower tier at its end than at the cutoff; net amount bought in the horizon; a
        contract that ended and was not renewed.
    scheme : str or Scheme, optional
        For ``downgrade``: the scheme whose tiers are meant.

    Returns
    -------
    frame
        ``customer_id``, ``cutoff`` and a column named as the outcome; one row for each customer for whom it is decided.

    Raises
    ------
    UsageError
        ``E-US-037`` for an outcome that there is not, or a downgrade without a scheme; ``E-US-036``.
    DataError
        ``E-RI-001`` for a cutoff whose horizon ends after the data do.

    Examples
    --------
    >>> from tierlens.api.dataset import simulate
    >>> outcomes(simulate(customers=50, seed=1), "2025-01-01")["churn"].isin([0, 1]).all()
    np.True_
    """
    _refuse_no_dataset(data)
    days, span, tables = list(cutoff_days(as_days(cutoffs))), window or Window(), data.tables
    if outcome == "churn":
        found = outcomes_of.churn_outcomes(tables, days, span)
    elif outcome == "spend":
        found = outcomes_of.spend_in_horizon(tables, days, span)
    elif outcome == "not_renewed":
        found = outcomes_of.not_renewed(tables, days, span)
    elif outcome == "downgrade" and scheme is not None:
        found = _downgrade(data, days, span, as_scheme(scheme))
    else:
        raise _no_outcome(outcome)
    table = to_arrow(found)
    if outcome == "spend":
        units = pc.divide(table["spend_in_horizon"].cast(pa.float64()), float(data.currency.minor))
        table = table.select(["customer_id", "cutoff"]).append_column("spend", units)
    return as_library(as_user_frame(table.rename_columns(["customer_id", "cutoff", outcome])), data.frames)


def _downgrade(data: Dataset, days: Sequence[int], window: Window, scheme: Scheme) -> Frame:
    """Grade at the cutoffs and at the ends of their horizons, and compare."""
    tables = data.tables
    closed = outcomes_of.all_closed(tables, days, window)
    ends = [day + window.gap + window.horizon for day in closed]
    wanted = [name for name in scheme.features if name in WHOLE]
    features = settle_frame(
        lazy_snapshots(tables, sorted({*closed, *ends}), window, features=available_features(tables, wanted))
    )
    graded = grade(features, scheme, data.currency)
    # Who fits no tier by the rules has fallen; who lacks data or time is not known to have.
    unknown = nw.col("flags").str.contains(UNKNOWN).alias("is_unknown")
    ranks = settle_frame(graded.select("customer_id", "cutoff", "tier_rank", unknown))
    return outcomes_of.downgrade_outcomes(ranks, closed, window, len(scheme.tiers))


def _fifths(column: pa.ChunkedArray, sign: int) -> list[int]:
    """Return the fifth of each value, 5 the best; ties stand in the fifth of the middle of their ranks."""
    values = sign * column.to_numpy().astype(np.float64)
    ordered = np.sort(values)
    below, upto = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    middle = (below + upto) / 2 / max(len(values), 1)
    return [int(fifth) for fifth in np.minimum(np.floor(PARTS * middle), PARTS - 1) + 1]


def _refuse_no_dataset(data: object) -> None:
    if not isinstance(data, Dataset):
        given = type(data).__name__
        raise UsageError(
            "E-US-036",
            Text(f"a {given} is no Dataset", f"{given} 不是 Dataset"),
            where="data",
            fix=Text("make one with tl.from_frame(orders, currency) or tl.read(files, currency)",
                     "请用 tl.from_frame(orders, currency) 或 tl.read(files, currency) 生成"),
        )  # fmt: skip


def _no_outcome(outcome: object) -> UsageError:
    if outcome == "downgrade":
        what, fix = Text("a downgrade needs a scheme", "降级需要方案"), Text("give scheme=", "请给出 scheme=")
    else:
        known = ", ".join(OUTCOMES)
        what = Text(f"there is no outcome {outcome!r}", f"没有结果 {outcome!r}")
        fix = Text(f"there are {known}", f"可用：{known}")
    return UsageError("E-US-037", what, where="outcome", fix=fix)
