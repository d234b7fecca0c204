"""Tiers as frames: grade customers by a documented scheme, and the sentences behind each grade."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa

from tierlens.api.native_frames import as_inner_frame, as_library, as_user_frame, keyed_table, library_of
from tierlens.errors import DataError
from tierlens.grading import grade as lazy_grade
from tierlens.grading import grade_evidence as sentences
from tierlens.grading.feature_columns import KEYS
from tierlens.grading.reference import Reference
from tierlens.grading.scheme.scheme import Scheme, load_scheme
from tierlens.sources.engines import lazy_of
from tierlens.sources.tables import Currency
from tierlens.words import Lang, Text

SchemeLike = str | Path | Scheme
"""A loaded scheme, or its name or path."""


def as_scheme(scheme: SchemeLike) -> Scheme:
    """Return a scheme, loaded where its name or path is given."""
    return load_scheme(scheme) if isinstance(scheme, str | Path) else scheme


def grade(features: Any, scheme: SchemeLike, currency: Currency | str, *, reference: Reference | None = None) -> Any:
    """Grade customers by a scheme.

    Parameters
    ----------
    features : frame of pandas, Polars or Arrow
        One row for each (``customer_id``, ``cutoff``), as :func:`tierlens.snapshots` returns it: money in whole units,
        cutoffs as dates. Columns that the scheme reads and that are not there are missing for everybody.
    scheme : str or Scheme
        Name of a scheme of the package, path of a scheme file, or a loaded scheme.
    currency : Currency or str
        Of the money; ``data.currency`` of a dataset carries the rates that a scheme in another currency needs.
    reference : Reference, optional
        A population measured before, for indicators without cuts.

    Returns
    -------
    frame
        Of the library of ``features``, in the order of its rows: ``customer_id``, ``cutoff``, ``points_...``,
        ``score_...``, ``score`` (0-100), ``tier``, ``tier_rank``, ``coverage`` (0-1), ``label_...``, ``trigger_...``,
        ``tags``, ``flags``; see :func:`tierlens.grading.grade`.

    Raises
    ------
    UsageError
        ``E-US-002`` when the scheme's currency has no declared rate, ``E-US-030`` when ``features`` is no table.
    DataError
        ``E-GR-002`` when a key column is not there, ``E-US-039`` when a key is missing or there twice.

    Notes
    -----
    Customers without a purchase in the window (``everyone=True``) are placed among those who bought and are not part of
    the population, as in a run.

    Examples
    --------
    >>> import pandas as pd
    >>> features = pd.DataFrame({"customer_id": ["C1"], "cutoff": ["2025-06-01"], "monetary": [600_000.0]})
    >>> grade(features, "relationship_rating", "CNY")[["score", "tier", "coverage"]].values.tolist()
    [[70.0, 'C', 0.09]]
    """
    rules, money = as_scheme(scheme), _currency(currency)
    table = keyed_table(as_inner_frame(features, "features", money, rules), "features")
    among = nw.col("frequency") > 0 if "frequency" in table.column_names else None
    lazy = lazy_grade(lazy_of(table, "features"), rules, money, reference, among=among)
    graded = lazy.collect("pyarrow").to_native()
    rows = pa.table({**{name: table[name] for name in KEYS}, "row": pa.array(range(table.num_rows), pa.int64())})
    ordered = rows.join(graded, keys=list(KEYS), join_type="inner").sort_by("row").drop_columns(["row"])
    return as_library(as_user_frame(ordered), library_of(features))


def evidence(graded: Any, features: Any, scheme: SchemeLike, currency: Currency | str, *, lang: Lang = "en") -> Any:
    """Say which rule of which clause gave which points for which value.

    Parameters
    ----------
    graded : frame
        From :func:`grade`.
    features : frame
        What was graded.
    scheme, currency
        As given to :func:`grade`.
    lang : {"en", "zh"}

    Returns
    -------
    frame
        ``customer_id``, ``cutoff``, ``evidence``: sentences, a line each, in the order of ``graded``.

    Examples
    --------
    >>> import pandas as pd
    >>> features = pd.DataFrame({"customer_id": ["C1"], "cutoff": ["2025-06-01"], "monetary": [600_000.0]})
    >>> graded = grade(features, "relationship_rating", "CNY")
    >>> "600,000" in evidence(graded, features, "relationship_rating", "CNY")["evidence"][0]
    True
    """
    rules, money = as_scheme(scheme), _currency(currency)
    marks = keyed_table(as_inner_frame(graded, "graded"), "graded")
    table = keyed_table(as_inner_frame(features, "features", money, rules), "features")
    keys = ["cutoff", "customer_id"]
    places = pa.table({**{name: table[name] for name in keys}, "place": pa.array(range(table.num_rows), pa.int64())})
    order = marks.select(keys).append_column("row", pa.array(range(marks.num_rows), pa.int64()))
    joined = order.join(places, keys=keys, join_type="inner").sort_by("row")
    if joined.num_rows != marks.num_rows:
        raise DataError(
            "E-GR-003",
            Text(f"{marks.num_rows - joined.num_rows:,} graded rows are not among the features",
                 f"有 {marks.num_rows - joined.num_rows:,} 行评级结果不在特征表中"),
            where="features",
            fix=Text("give the features that were graded", "请给出评级所用的特征表"),
        )  # fmt: skip
    rows = sentences(marks.take(joined["row"]), table.take(joined["place"]), rules, money, lang)
    told = marks.take(joined["row"]).select(["customer_id", "cutoff"])
    told = told.append_column("evidence", pa.array(["\n".join(lines) for lines in rows], pa.string()))
    return as_library(as_user_frame(told), library_of(graded))


def _currency(currency: Currency | str) -> Currency:
    if isinstance(currency, Currency):
        return currency
    from tierlens.api.dataset import money_of

    return money_of(currency, None).currency()
