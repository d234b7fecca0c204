"""Where customers would stand in a population that they are not part of: percentiles, whole columns at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from tierlens.grading.feature_columns import Frame, columns_of_frame
from tierlens.grading.reference import Reference, compared_indicators, fit_reference, graded_population
from tierlens.grading.scheme.parts import Indicator
from tierlens.grading.scheme.scheme import Scheme
from tierlens.grading.scoring import grade
from tierlens.sources.engines import lazy_of
from tierlens.sources.tables import Currency

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Floats = npt.NDArray[np.float64]


def grade_among(features: pa.Table, population: pa.Table, scheme: Scheme, currency: Currency) -> Frame:
    """Grade customers as they stand in another table's population, cutoff by cutoff.

    Parameters
    ----------
    features, population, scheme, currency
        See :func:`with_standing`.

    Returns
    -------
    narwhals.LazyFrame
        As of :func:`tierlens.grading.scoring.grade`. Graded among themselves, customers come out as ``grade`` has them.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> crowd = pa.table({"customer_id": ["a", "b"], "cutoff": [1, 1], "monetary": [100, 300]})
    >>> asked = pa.table({"customer_id": ["c"], "cutoff": [1], "monetary": [200]})
    >>> graded = grade_among(asked, crowd, load_scheme("tiered_management"), Currency("CNY"))
    >>> graded.collect("pyarrow").to_native()["score"].to_pylist()
    [50.0]
    """
    import pyarrow.compute as pc

    measured = fit_reference(lazy_of(population, "population"), scheme, currency)
    # Percentiles stand as points already, exactly; of the others the reference holds the mean and the ends.
    besides = measured.filter(pc.not_equal(measured["method"], "percentile"))
    placed = with_standing(features, population, scheme, currency)
    return grade(lazy_of(placed, "features"), scheme, currency, Reference(besides))


def with_standing(features: pa.Table, population: pa.Table, scheme: Scheme, currency: Currency) -> pa.Table:
    """Add points by percentile in another table's population, cutoff by cutoff, for ``grade`` to take as they are.

    A fitted reference holds a few hundred values of each; this is exact, and quick for many cutoffs.

    Parameters
    ----------
    features : pyarrow.Table
        Customers to be placed, with ``cutoff``.
    population : pyarrow.Table
        Customers to be compared with, with ``cutoff`` and the same features.
    scheme : Scheme
    currency : Currency
        Of both tables.

    Returns
    -------
    pyarrow.Table
        ``features`` with ``points_<indicator>`` for each indicator normalised by percentile, missing where the value
        is or where nobody had one. No column is left out: cuts, labels and triggers may read the same ones. Who gets no
        tier because he never bought stands in nobody's way.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> crowd = pa.table({"customer_id": ["a", "b"], "cutoff": [1, 1], "monetary": [100, 300]})
    >>> asked = pa.table({"customer_id": ["c"], "cutoff": [1], "monetary": [200]})
    >>> placed = with_standing(asked, crowd, load_scheme("tiered_management"), Currency("CNY"))
    >>> placed["points_amount"].to_pylist()
    [50.0]
    """
    import numpy as np
    import pyarrow as pa

    columns = columns_of_frame(nw.from_native(features).lazy(), scheme, currency)
    found = [(i, source) for i, n, source in compared_indicators(columns) if n.method == "percentile"]
    known = columns_of_frame(nw.from_native(population).lazy(), scheme, currency)
    bought = graded_population(lazy_of(population, "population"), known).collect("pyarrow").to_native()
    days, crowd_days = (np.asarray(table["cutoff"]) for table in (features, bought))
    for indicator, source in found:
        share = np.full(features.num_rows, np.nan)
        values, crowd = (_floats(table, source) for table in (features, bought))
        for day in np.unique(days):
            here = days == day
            share[here] = _share(values[here], crowd[crowd_days == day])
        points = _points(share, indicator, scheme)
        features = features.append_column(f"points_{indicator.id}", pa.array(points, mask=np.isnan(points)))
    return features


def _floats(table: pa.Table, name: str) -> Floats:
    import numpy as np

    column = table[name].to_numpy().astype(np.float64)
    return np.where(np.isfinite(column), column, np.nan)


def _share(values: Floats, crowd: Floats) -> Floats:
    """Share of the crowd below each value, those equal to it counted by half; missing values stay missing."""
    import numpy as np

    crowd = np.sort(crowd[~np.isnan(crowd)])
    if not len(crowd):
        return np.full(len(values), np.nan)
    below, through = (np.searchsorted(crowd, values, side) for side in ("left", "right"))
    return np.where(np.isnan(values), np.nan, (below + through) / (2 * len(crowd)))


def _points(share: Floats, indicator: Indicator, scheme: Scheme) -> Floats:
    import numpy as np

    low, high = float(scheme.points.low), float(scheme.points.high)
    up = indicator.direction == "up"
    points: Floats = np.round((low if up else high) + share * ((high - low) if up else (low - high)), 9)
    return points
