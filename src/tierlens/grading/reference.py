"""Points by comparison with a population: min-max, z-score and percentile.

The population is the customers graded at the same cutoff, unless a reference that was fitted before is handed in. Sums
run over whole numbers in decimal arithmetic, so that neither the order of rows nor the number of threads matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any

import narwhals as nw

from tierlens.errors import DataError
from tierlens.grading.feature_columns import (
    KEYS,
    Columns,
    Frame,
    add_columns,
    columns_of_frame,
    has_history,
    rounded_points,
    settle_numbers,
)
from tierlens.grading.labels import label_column
from tierlens.grading.scheme.parts import Indicator, Normalise
from tierlens.grading.scheme.scheme import Scheme
from tierlens.grading.staircase import part_below, population_steps
from tierlens.sources.tables import Currency
from tierlens.words import Text

if TYPE_CHECKING:
    import pyarrow as pa

WIDE = nw.Decimal(38, 0)
LEVELS = 100
STAIRS = ("values", "below", "through")
Params = Mapping[str, nw.Expr]


def compared_indicators(columns: Columns) -> list[tuple[Indicator, Normalise, str]]:
    """Return the indicators that are compared with a population, and the column that each reads."""
    found = []
    for _, indicator in columns.scheme.indicators:
        source = columns.source_of(indicator)
        if indicator.normalise is not None and source is not None:
            found.append((indicator, indicator.normalise, source))
    return found


def with_population(features: Frame, columns: Columns, among: nw.Expr | None = None) -> Frame:
    """Add to each row what its population says: mean and spread, lowest and highest, or the part that stands below.

    Parameters
    ----------
    features : narwhals.LazyFrame
        Also rows that others are not compared with: they are placed in the population without being part of it.
    columns : Columns
    among : narwhals.Expr, optional
        Condition on who others are compared with, besides being graded.
    """
    wanted = compared_indicators(columns)
    counted = counts_among(columns, among)
    crowd = features if counted is None else features.filter(counted)
    summed = [(i, n, source) for i, n, source in wanted if n.method != "percentile"]
    found = features
    for indicator, normalise, source in wanted:
        if normalise.method == "percentile":
            found = found.join(_parts(features, counted, indicator, source), on=["cutoff", source], how="left")
    if not summed:
        return found
    population = (
        crowd.group_by("cutoff")
        .agg(expr for i, n, source in summed for expr in _sums(i, n, source, columns))
        .select("cutoff", *(expr for i, n, source in summed for expr in _summary(i, n, source, columns)))
    )
    return found.join(population, on="cutoff", how="left")


def counts_among(columns: Columns, among: nw.Expr | None = None) -> nw.Expr | None:
    """Return the condition that others are compared with a customer; None where it holds for everybody.

    Who gets no tier is nobody to be compared with: one who never bought where tiers go by score, one whom no rule
    gives a tier where they go by a label that can be told before anything is scored.
    """
    graded = has_history(columns) if columns.scheme.tier_by == "score" else _has_label(columns)
    conditions = [condition.fill_null(False) for condition in (graded, among) if condition is not None]
    return reduce(and_, conditions) if conditions else None


def _has_label(columns: Columns) -> nw.Expr | None:
    """Say whether a rule gives a tier; None where the rules read what is known only after scoring, or hold for all."""
    label = next(label for label in columns.scheme.labels if label.id == columns.scheme.tier_by)
    read = {name for rule in label.rules for when in rule.when for name in when}
    if label.otherwise is not None or any(name.startswith(AFTERWARDS) for name in read):
        return None
    # A label of which no column is there is a bare literal: beside a column it is told row by row.
    return nw.when(~nw.col(KEYS[0]).is_null()).then(~label_column(label, columns).is_null())


AFTERWARDS = ("score", "points_", "label_", "coverage", "tier")
"""Beginnings of the names of columns that are there only after scoring."""


def graded_population(features: Frame, columns: Columns) -> Frame:
    """Return the customers that others are compared with."""
    counted = counts_among(columns)
    return features if counted is None else features.filter(counted)


def _parts(features: Frame, counted: nw.Expr | None, indicator: Indicator, source: str) -> Frame:
    """Return for each value at a cutoff the part of the population below it, those that are equal counting half.

    Counting equal values first and sorting only these is several times faster than ranking rows. A value that only
    somebody outside the population has is there with nobody equal to it.
    """
    equals = nw.len() if counted is None else nw.when(counted).then(nw.lit(1)).otherwise(nw.lit(0)).sum()
    valued = features.filter(~nw.col(source).is_null())
    found = valued.group_by("cutoff", source).agg(equals.alias("equal"))
    equal = nw.col("equal").cast(nw.Float64)
    up_to, everybody = equal.cum_sum().over("cutoff", order_by=source), equal.sum().over("cutoff")
    part = nw.when(everybody > 0).then((up_to - equal * 0.5) / everybody)
    return found.select("cutoff", source, part.alias(f"part_{indicator.id}"))


def parts_of_unit(source: str, columns: Columns) -> int:
    """Parts of one unit that a real number is cut into before it is summed exactly."""
    if columns.kinds[source] == "whole":
        return 1
    use = columns.scheme.features.get(source)
    return 100 if use is not None and use.unit == "money" else 1_000_000


def _sums(indicator: Indicator, normalise: Normalise, source: str, columns: Columns) -> Iterable[nw.Expr]:
    x = nw.col(source)
    if normalise.method == "min_max":
        return x.min().alias(f"low_{indicator.id}"), x.max().alias(f"high_{indicator.id}")
    fine = parts_of_unit(source, columns)
    whole = (x if fine == 1 else (x * fine).round(0)).cast(WIDE)
    return (
        x.count().cast(WIDE).alias(f"n_{indicator.id}"),
        whole.sum().cast(WIDE).alias(f"sum_{indicator.id}"),
        (whole * whole).sum().cast(WIDE).alias(f"squares_{indicator.id}"),
    )


def _summary(indicator: Indicator, normalise: Normalise, source: str, columns: Columns) -> Iterable[nw.Expr]:
    if normalise.method == "min_max":
        return nw.col(f"low_{indicator.id}").cast(nw.Float64), nw.col(f"high_{indicator.id}").cast(nw.Float64)
    n, total, squares = (nw.col(f"{name}_{indicator.id}") for name in ("n", "sum", "squares"))
    fine = parts_of_unit(source, columns)
    count = nw.when(n > 0).then(n.cast(nw.Float64) * fine)
    # The difference is taken before it leaves decimal arithmetic: nothing cancels.
    spread = (n * squares - total * total).cast(nw.Float64).sqrt()
    return (
        (total.cast(nw.Float64) / count).alias(f"mean_{indicator.id}"),
        (spread / count).alias(f"spread_{indicator.id}"),
    )


def population_columns(indicator: Indicator) -> Params:
    """Return the parameters of an indicator as ``with_population`` added them to the rows."""
    names = ("mean", "spread", "low", "high", "part")
    return {name: nw.col(f"{name}_{indicator.id}") for name in names}


def points_by_reference(x: nw.Expr, indicator: Indicator, scheme: Scheme, params: Params) -> nw.Expr:
    """Return the points of a raw value by comparison with its population.

    Parameters
    ----------
    x : narwhals.Expr
        The raw value.
    indicator : Indicator
        With ``normalise``.
    scheme : Scheme
        For the scale of points.
    params : mapping of str to narwhals.Expr
        ``mean`` and ``spread``, ``low`` and ``high``, or ``part`` (of the population below).

    Returns
    -------
    narwhals.Expr
        Points, rounded to 9 places; the middle where all of the population are equal; missing where ``x`` is.
    """
    normalise = indicator.normalise
    low, high, middle = (float(p) for p in (scheme.points.low, scheme.points.high, scheme.points.middle))
    sign = 1.0 if indicator.direction == "up" else -1.0
    if normalise is None:
        raise TypeError(indicator.id)
    if normalise.method == "z_score" and normalise.centre is not None and normalise.slope is not None:
        centre, slope = float(normalise.centre), sign * float(normalise.slope)
        line = centre + slope * ((x.cast(nw.Float64) - params["mean"]) / params["spread"])
        points = nw.when(params["spread"] > 0).then(line.clip(low, high)).otherwise(nw.lit(centre))
    else:
        part = _part(x, params, normalise.method)
        whole_range = (nw.lit(low) if sign > 0 else nw.lit(high)) + part * (sign * (high - low))
        points = nw.when(~part.is_null()).then(whole_range.clip(low, high)).otherwise(nw.lit(middle))
    return nw.when(~x.is_null()).then(rounded_points(points))


def _part(x: nw.Expr, params: Params, method: str) -> nw.Expr:
    """How far up in its population a value stands, 0 to 1; missing where all are equal."""
    if method == "min_max":
        width = params["high"] - params["low"]
        return nw.when(width > 0).then((x.cast(nw.Float64) - params["low"]) / width)
    return params["part"]


def fit_reference(features: Frame, scheme: Scheme, currency: Currency) -> pa.Table:
    """Measure a population once, so that later customers can be compared with it.

    Parameters
    ----------
    features : narwhals.LazyFrame
        A feature table with ``customer_id`` and ``cutoff``.
    scheme : Scheme
        The rules.
    currency : Currency
        The currency of the table.

    Returns
    -------
    pyarrow.Table
        One row for each cutoff and normalised indicator: ``cutoff``, ``indicator``, ``feature``, ``method``, ``n``,
        ``mean``, ``spread`` (of the population), ``low`` and ``high``; for percentiles ``values``, ``below`` and
        ``through`` (``staircase.corners``) and, for those who read references made before these, ``levels`` (101
        values: the lowest that stands at or above 0 %, 1 %, ... of the population); in the units of the table.

    Examples
    --------
    >>> import duckdb
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> rows = "select 'c' || i as customer_id, 1::int as cutoff, i::bigint as frequency from range(1, 4) t(i)"
    >>> table = fit_reference(nw.from_native(duckdb.sql(rows)), load_scheme("relationship_rating"), Currency("CNY"))
    >>> table.select(["indicator", "n", "mean"]).to_pylist()
    [{'indicator': 'frequency', 'n': 3, 'mean': 2.0}]
    """
    import pyarrow as pa

    columns = columns_of_frame(features, scheme, currency)
    wanted = compared_indicators(columns)
    rows: list[dict[str, Any]] = []
    if wanted:
        sources = sorted({source for _, _, source in wanted})
        crowd = graded_population(settle_numbers(features, columns), columns)
        table = crowd.select("cutoff", *sources).collect("pyarrow").to_native()
        for cutoff in sorted(set(table["cutoff"].to_pylist())):
            here = table.filter(pa.compute.equal(table["cutoff"], cutoff))
            for indicator, normalise, source in wanted:
                row = {"cutoff": cutoff, "indicator": indicator.id, "feature": source, "method": normalise.method}
                rows.append(row | _measured(normalise, here[source], parts_of_unit(source, columns)))
    lists = ("levels", *STAIRS)
    kinds = {"cutoff": pa.int32(), "n": pa.int64()} | {name: pa.list_(pa.float64()) for name in lists}
    kinds |= {name: pa.string() for name in ("indicator", "feature", "method")}
    kinds |= {name: pa.float64() for name in ("mean", "spread", "low", "high")}
    order = ["cutoff", "indicator", "feature", "method", "n", "mean", "spread", "low", "high", *lists]
    return pa.Table.from_pylist(rows, schema=pa.schema([(name, kinds[name]) for name in order]))


def _measured(normalise: Normalise, column: Any, fine: int) -> dict[str, Any]:
    import numpy as np

    values = np.sort(np.asarray(column.drop_null().to_numpy(), dtype=np.float64))
    if not len(values):
        return {"n": 0}
    # Mean and spread are of values cut to parts of a unit, as they are summed when the population is at hand.
    cut = np.round(values * fine) / fine - values[0]
    found = {"n": len(values), "mean": float(cut.mean() + values[0]), "spread": float(cut.std())}
    found |= {"low": float(values[0]), "high": float(values[-1])}
    return found | _stairs(values) if normalise.method == "percentile" else found


def _stairs(values: Any) -> dict[str, Any]:
    import numpy as np

    steps = np.searchsorted(values, values, "left") + np.searchsorted(values, values, "right")
    at = np.searchsorted(steps / (2 * len(values)), np.arange(LEVELS + 1) / LEVELS, "left")
    return {"levels": [float(values[i]) if i < len(values) else float("inf") for i in at], **population_steps(values)}


class Reference:
    """A fitted reference, as expressions.

    Parameters
    ----------
    table : pyarrow.Table
        From ``fit_reference``; with one cutoff it serves every cutoff, with several each serves its own.

    Raises
    ------
    DataError
        ``E-GR-001`` when it does not know an indicator that is asked for.
    """

    def __init__(self, table: pa.Table) -> None:
        self.rows = table.to_pylist()
        self.single = len({row["cutoff"] for row in self.rows}) == 1

    def knows(self, indicator: Indicator, source: str | None) -> bool:
        """Say whether an indicator was measured by this column; one that compares with nobody needs no measure."""
        found = any(row["indicator"] == indicator.id and row["feature"] == source for row in self.rows)
        return indicator.normalise is None or found

    def params(self, indicator: Indicator, source: str) -> Params:
        """Return the parameters of an indicator, each chosen by the row's cutoff."""
        rows = [row for row in self.rows if row["indicator"] == indicator.id and row["feature"] == source]
        if not rows:
            raise DataError(
                "E-GR-001",
                Text(
                    f"the reference does not know {indicator.id} by {source}",
                    f"参考总体中没有 {indicator.id}（{source}）",
                ),
                fix=Text("fit it on a table that has this column", "请用含该列的特征表重新拟合"),
            )
        params = {name: self._chosen(rows, name) for name in ("mean", "spread", "low", "high")}
        return params | {"part": nw.col(f"part_{indicator.id}")}

    def with_parts(self, features: Frame, columns: Columns) -> Frame:
        """Add to each row the part of the population that stands below its values, for ``params`` to name."""
        found = []
        # Spark takes minutes to plan hundreds of nested conditions: there the population is known by whole per cents.
        is_flat = features.implementation.is_pyspark()
        for indicator, normalise, source in compared_indicators(columns):
            rows = [row for row in self.rows if row["indicator"] == indicator.id and row["feature"] == source]
            if normalise.method == "percentile" and rows:
                found.append(self._share(rows, nw.col(source), is_flat).alias(f"part_{indicator.id}"))
        return add_columns(features, found)

    def _chosen(self, rows: list[dict[str, Any]], name: str) -> nw.Expr:
        if self.single:
            return nw.lit(rows[0][name], dtype=nw.Float64)
        found = nw.lit(None, dtype=nw.Float64)
        for row in reversed(rows):
            here = nw.col("cutoff") == row["cutoff"]
            found = nw.when(here).then(nw.lit(row[name], dtype=nw.Float64)).otherwise(found)
        return found

    def _share(self, rows: list[dict[str, Any]], x: nw.Expr, is_flat: bool) -> nw.Expr:
        found = nw.lit(None, dtype=nw.Float64)
        for row in reversed(rows):
            if row["levels"] is None:  # nobody had a value at that cutoff
                continue
            share = part_below(x, row) if row.get("values") and not is_flat else _by_levels(row, x)
            here = nw.lit(True) if self.single else nw.col("cutoff") == row["cutoff"]
            found = nw.when(here).then(share).otherwise(found)
        return found


def _by_levels(row: Mapping[str, Any], x: nw.Expr) -> nw.Expr:
    """Return the share by levels alone, to a whole per cent, cut down: of older references, and on Spark."""
    levels = [level for level in row["levels"][1:] if level != float("inf")]
    below = nw.sum_horizontal(*((x >= level).cast(nw.Int32) for level in levels), nw.lit(0))
    return nw.when(x > row["high"]).then(nw.lit(1.0)).otherwise(below.cast(nw.Float64) / LEVELS)
