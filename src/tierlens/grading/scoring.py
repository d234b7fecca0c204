"""Grade customers: points, dimension scores, composite, tier, labels, triggers, tags and flags, as one lazy expression.

The same expression runs on DuckDB, Polars and PySpark; nothing is computed before the result is collected. Bounds are
converted to the minor units of the data when the expression is built, weights are whole numbers, and points and scores
are rounded to 9 places before they are compared: ties with a bound are kept.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import reduce
from operator import add, or_
from typing import Any

import narwhals as nw

from tierlens.errors import DataError, UsageError
from tierlens.grading.feature_columns import (
    KEYS,
    Columns,
    Frame,
    add_columns,
    columns_of_frame,
    rounded_points,
    settle_numbers,
)
from tierlens.grading.labels import after_scoring, with_tiers_and_labels, with_words
from tierlens.grading.reference import (
    Reference,
    points_by_reference,
    population_columns,
    with_population,
)
from tierlens.grading.rules import first_of, lower_ends
from tierlens.grading.scheme.grammar import Band
from tierlens.grading.scheme.parts import Dimension, Indicator, Scale
from tierlens.grading.scheme.scheme import Scheme
from tierlens.grading.tag_words import in_words
from tierlens.sources.engines import lazy_of
from tierlens.sources.tables import Currency
from tierlens.words import Text

NOTHING = nw.lit(None, dtype=nw.Float64)


def grade(
    features: Any,
    scheme: Scheme,
    currency: Currency,
    reference: Reference | None = None,
    among: nw.Expr | None = None,
) -> Frame:
    """Grade customers by a scheme.

    Parameters
    ----------
    features : lazy frame, or table of pandas, Polars or Arrow
        One row for each (``customer_id``, ``cutoff``), best on DuckDB, Polars or PySpark. Columns that the scheme reads
        and that are not there are missing for everybody. A column ``points_<indicator>`` holds points given by hand;
        they win over computed ones where they are not missing.
    scheme : Scheme
        The rules.
    currency : Currency
        The currency whose minor units the money columns are in.
    reference : Reference, optional
        A population measured before, for indicators without cuts; the customers graded at the same cutoff otherwise.
    among : narwhals.Expr, optional
        Condition on ``features``: only the customers for whom it holds are those that others are compared with. The
        rest are placed among them and change nothing.

    Returns
    -------
    narwhals.LazyFrame
        ``customer_id``, ``cutoff``; ``points_<indicator>`` (on the scheme's scale); ``score_<dimension>`` and ``score``
        (0-100); ``tier`` and ``tier_rank`` (1 is the best; both missing for customers that are not graded);
        ``coverage`` (share of the weight that had data, 0-1); ``label_<label>``; ``trigger_<trigger>``; ``tags``
        (Chinese, ``[规模:重点]...``); ``flags`` (words with a space between them, empty where there is none).

    Raises
    ------
    DataError
        ``E-GR-002`` when a key column is not there.
    UsageError
        ``E-US-002`` when the scheme's currency has no declared rate, ``E-US-030`` when ``features`` is no table,
        ``E-US-032`` when ``scheme`` is no scheme.

    Notes
    -----
    Indicators that are compared with the graded population read ``features`` again, once for all means and once for
    each percentile; hand in a table that is computed already (``sources.engines.settle_frame``).

    Flags: ``no_history`` (never bought before the cutoff), ``not_graded`` (a value is missing that must not be, too
    little has data, or there is no score), ``short_tenure``, ``unclassified`` (tiers go by rules and none fits),
    ``missing`` (an indicator with weight had no value), ``low_coverage``, ``borderline``, ``out_of_range`` (given
    points off the scale, which count as missing), ``unknown_value`` (a word that no ordinal table knows), ``proxy``,
    and those of the scheme's rules.

    Examples
    --------
    >>> import duckdb
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> rows = "select 'C1' as customer_id, 15126::int as cutoff, 60000000::bigint as monetary"
    >>> graded = grade(nw.from_native(duckdb.sql(rows)), load_scheme("relationship_rating"), Currency("CNY"))
    >>> graded.select("points_annual_amount", "score", "tier", "coverage").collect("pyarrow").to_native().to_pylist()
    [{'points_annual_amount': 7.0, 'score': 70.0, 'tier': 'C', 'coverage': 0.09}]
    """
    _refuse_no_scheme(scheme)
    features = lazy_of(features, "features")
    columns = columns_of_frame(features, scheme, currency)
    for key in KEYS:
        if not columns.has(key):
            raise DataError("E-GR-002", Text(f"the feature table has no column {key!r}", f"特征表缺少列 {key!r}"))
    settled = settle_numbers(features, columns)
    compared = with_population(settled, columns, among) if reference is None else reference.with_parts(settled, columns)
    pointed = add_columns(compared, [*_raw_columns(columns), *_points_columns(columns, reference)])
    scored = _with_scores(pointed, columns)
    full = after_scoring(columns)
    labelled, full = with_tiers_and_labels(scored, full)
    return in_words(with_words(labelled, full), scheme).select(*KEYS, *graded_columns(scheme))


def _refuse_no_scheme(scheme: object) -> None:
    if not isinstance(scheme, Scheme):
        given = type(scheme).__name__
        raise UsageError(
            "E-US-032",
            Text(f"a {given} is no scheme", f"{given} 不是方案"),
            where="scheme",
            fix=Text("give load_scheme(name or path)", "请给出 load_scheme(名称或路径)"),
        )


def graded_columns(scheme: Scheme) -> list[str]:
    """Return the columns that grading adds, in order.

    Examples
    --------
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> graded_columns(load_scheme("relationship_rating"))[-7:]
    ['tier', 'tier_rank', 'coverage', 'trigger_amount_down', 'trigger_major_complaint', 'tags', 'flags']
    """
    points = [f"points_{indicator.id}" for _, indicator in scheme.indicators]
    scores = [*(f"score_{dimension.id}" for dimension in scheme.dimensions), "score", "tier", "tier_rank", "coverage"]
    labels = [f"label_{label.id}" for label in scheme.labels]
    triggers = [f"trigger_{trigger.id}" for trigger in scheme.triggers]
    return [*points, *scores, *labels, *triggers, "tags", "flags"]


def _raw_columns(columns: Columns) -> list[nw.Expr]:
    """Points given by hand, kept aside so that a value off the scale can be flagged."""
    return [nw.col(name).alias(f"given_{name}") for name in _given(columns)]


def _given(columns: Columns) -> list[str]:
    return [f"points_{i.id}" for _, i in columns.scheme.indicators if columns.has(f"points_{i.id}")]


def _points_columns(columns: Columns, reference: Reference | None) -> list[nw.Expr]:
    return [
        points.alias(f"points_{indicator.id}")
        for _, indicator in columns.scheme.indicators
        for points in [_points(indicator, columns, reference)]
    ]


def _points(indicator: Indicator, columns: Columns, reference: Reference | None) -> nw.Expr:
    """Points of one indicator, missing where there is no value."""
    source, name = columns.source_of(indicator), f"points_{indicator.id}"
    if columns.has(name) and reference is not None and not reference.knows(indicator, source):
        source = None  # the points stand already, and there is nothing to compare a stand-in with
    computed = None if source is None else _computed_points(indicator, source, columns, reference)
    if not columns.has(name):
        return NOTHING if computed is None else computed
    low, high = float(columns.scheme.points.low), float(columns.scheme.points.high)
    by_hand = nw.col(name).cast(nw.Float64)
    fits = (by_hand >= low) & (by_hand <= high)
    return nw.when(fits).then(rounded_points(by_hand)).otherwise(NOTHING if computed is None else computed)


def _computed_points(indicator: Indicator, source: str, columns: Columns, reference: Reference | None) -> nw.Expr:
    if indicator.normalise is not None:
        params = population_columns(indicator) if reference is None else reference.params(indicator, source)
        return points_by_reference(nw.col(source), indicator, columns.scheme, params)
    if indicator.ordinal is not None:
        words = [(nw.col(source) == word, nw.lit(float(points))) for word, points in indicator.ordinal.items()]
        return first_of(words, NOTHING)
    if indicator.given is not None:
        return _stretched(indicator, source, indicator.given, columns)
    cuts = columns.scheme.cuts_of(indicator)
    asked = [(columns.within(source, ask), nw.lit(float(cuts[n].points))) for n, ask in lower_ends(cuts)]
    return first_of(asked, NOTHING)


def _stretched(indicator: Indicator, source: str, given: Scale, columns: Columns) -> nw.Expr:
    """Stretch a score on its own range onto the scale of points; missing where it lies outside its range."""
    points = columns.scheme.points
    # The ends of the range in the units of the column: an amount comes in minor units.
    low, high = columns.bound(source, given.low), columns.bound(source, given.high)
    ratio = float(Fraction(points.high - points.low) / (high - low))
    x = nw.col(source).cast(nw.Float64)
    up = indicator.direction == "up"
    line = (x - float(low) if up else float(high) - x) * ratio + float(points.low)
    return nw.when(columns.within(source, Band(at_least=given.low, at_most=given.high))).then(rounded_points(line))


def _numerators(weights: dict[str, Fraction]) -> dict[str, int]:
    """Whole numbers in the same proportions: 0.30, 0.30 and 0.40 become 3, 3 and 4."""
    common = math.lcm(*(weight.denominator for weight in weights.values()))
    whole = {name: int(weight * common) for name, weight in weights.items()}
    divisor = math.gcd(*whole.values()) or 1
    return {name: weight // divisor for name, weight in whole.items()}


def _may_have(indicator: Indicator, columns: Columns) -> bool:
    return columns.source_of(indicator) is not None or columns.has(f"points_{indicator.id}")


def _filled(indicator: Indicator, columns: Columns) -> nw.Expr:
    """Points after the policy for missing values; still missing where the policy leaves the indicator out."""
    policy = columns.scheme.policy(indicator)
    points = nw.col(f"points_{indicator.id}")
    if policy == "worst":
        return points.fill_null(float(columns.scheme.points.low))
    return points.fill_null(float(columns.scheme.points.middle)) if policy == "neutral" else points


def _counts(indicator: Indicator, columns: Columns) -> bool:
    """Whether an indicator can take part in a score at all."""
    return _may_have(indicator, columns) or columns.scheme.policy(indicator) in ("worst", "neutral")


def _mean(parts: list[tuple[int, nw.Expr]]) -> nw.Expr:
    """Weighted mean of the parts that are there; missing where none is."""
    parts = [(weight, part) for weight, part in parts if weight]
    if not parts:
        return NOTHING
    over = reduce(add, ((part * float(weight)).fill_null(0.0) for weight, part in parts))
    there = (nw.when(~part.is_null()).then(nw.lit(float(weight))).otherwise(nw.lit(0.0)) for weight, part in parts)
    under = reduce(add, there)
    return nw.when(under > 0).then(over / under)


def _with_scores(pointed: Frame, columns: Columns) -> Frame:
    scheme = columns.scheme
    means = [_dimension_mean(dimension, columns).alias(f"mean_of_{dimension.id}") for dimension in scheme.dimensions]
    policies = [(i, scheme.policy(i)) for _, i in scheme.indicators]
    filled = [_filled(i, columns).alias(f"points_{i.id}") for i, policy in policies if policy in ("worst", "neutral")]
    meant = pointed.with_columns(*means, *filled, _coverage(columns).alias("coverage"), *_oddities(columns))
    between = _numerators(scheme.between) if scheme.dimensions else {}
    raw = {dimension.id: nw.col(f"mean_of_{dimension.id}") for dimension in scheme.dimensions}
    factor = float(scheme.to_score)
    scores = [rounded_points(mean * factor).alias(f"score_{name}") for name, mean in raw.items()]
    points = [rounded_points(mean).alias(f"points_{name}") for name, mean in raw.items()]
    whole = _mean([(between[name], mean) for name, mean in raw.items()]) * factor
    return meant.with_columns(*scores, *points, rounded_points(whole).alias("score"))


def _dimension_mean(dimension: Dimension, columns: Columns) -> nw.Expr:
    inside = _numerators({i.id: columns.scheme.inside[i.id] for i in dimension.indicators})
    return _mean([(inside[i.id], _filled(i, columns)) for i in dimension.indicators if _counts(i, columns)])


def _coverage(columns: Columns) -> nw.Expr:
    scheme = columns.scheme
    if not scheme.dimensions:
        return nw.lit(1.0)
    shares = _numerators(scheme.shares)
    there = [
        nw.when(~nw.col(f"points_{i.id}").is_null()).then(nw.lit(shares[i.id])).otherwise(nw.lit(0))
        for _, i in scheme.indicators
        if shares[i.id] and _may_have(i, columns)
    ]
    total = reduce(add, there) if there else nw.lit(0)
    return rounded_points(total.cast(nw.Float64) / float(sum(shares.values())))


def _oddities(columns: Columns) -> list[nw.Expr]:
    """Say what must be known of values before the policy fills them: lacking, off the scale, an unknown word."""
    scheme = columns.scheme
    lacking, off, unknown = [], [], []
    for _, indicator in scheme.indicators:
        name, source = f"points_{indicator.id}", columns.source_of(indicator)
        lost = nw.col(name).is_null()
        if scheme.policy(indicator) == "not_graded" and scheme.shares[indicator.id]:
            lacking.append(lost)
        if columns.has(name):
            given = nw.col(f"given_{name}")
            low, high = float(scheme.points.low), float(scheme.points.high)
            off.append(((given < low) | (given > high)).fill_null(False))
        if source is not None and indicator.given is not None:
            off.append(~nw.col(source).is_null() & lost)
        if source is not None and indicator.ordinal is not None:
            unknown.append(~nw.col(source).is_null() & lost)
    found = {"lacking": lacking, "off_scale": off, "unknown_word": unknown}
    return [(reduce(or_, some) if some else nw.lit(False)).alias(name) for name, some in found.items()]
