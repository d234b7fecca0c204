"""What each segment is like: its size, its medians, how it differs from everybody, and a plain name."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import ArrayLike

from tierlens.errors import DataError
from tierlens.features.catalog import CATALOG
from tierlens.segments.choose import Floats, Labels
from tierlens.segments.figures import say_value
from tierlens.segments.naming import Trait, Traits, name_segments
from tierlens.sources.tables import Currency
from tierlens.words import Text

KEY = ("customer_id", "cutoff")

# feature, how the description says its median
TYPICAL = (
    ("recency_days", Text("last purchase {value} ago", "{value}前购买")),
    ("frequency", Text("{value}", "下单{value}")),
    ("monetary", Text("{value} net", "净消费{value}")),
    ("tenure_days", Text("first purchase {value} ago", "首购距今{value}")),
)


@dataclass(frozen=True)
class Profile:
    """Segments in numbers and words.

    Parameters
    ----------
    segments : pyarrow.Table
        One row a segment: ``segment``, ``name_en``, ``name_zh``, ``about_en``, ``about_zh``, ``customers``, ``share``.
    features : pyarrow.Table
        One row a segment and feature: ``segment``, ``feature``, ``title_en``, ``title_zh``, ``unit``, ``median``,
        ``population_median``, ``difference`` (standard deviations from the population, by normal scores: neither skew
        nor unit matters), ``missing_share``. Missing values are null.
    names, about : dict of int to Text
        Name and one-line description of each segment.
    """

    segments: Any
    features: Any
    names: dict[int, Text]
    about: dict[int, Text]


def segment_profile(
    table: Any, labels: ArrayLike, *, currency: Currency, features: Sequence[str] | None = None
) -> Profile:
    """Describe segments.

    Parameters
    ----------
    table : Arrow table, pandas or Polars frame
        One row a customer; may hold more columns than the clustering used, and the names profit from them.
    labels : array of int, shape (n,)
        Segment of each row.
    currency : Currency
        Money is in its minor units, and is written in whole units.
    features : sequence of str, optional
        Columns to describe; default: the numeric ones of the catalog, or all numeric ones where there are none.

    Returns
    -------
    Profile

    Raises
    ------
    DataError
        ``E-SG-006`` when labels and rows do not match, or there are no rows.

    Examples
    --------
    >>> import pyarrow as pa
    >>> money = [900_000, 800_000, 900, 700]
    >>> shop = pa.table({"recency_days": [5, 9, 300, 250], "frequency": [9, 8, 1, 1], "monetary": money})
    >>> shown = segment_profile(shop, [0, 0, 1, 1], currency=Currency("GBP"))
    >>> shown.names[1].en, shown.about[0].en
    ('Lapsing small one-time buyers',
     '2 customers (50%); typical: last purchase 7 days ago, 8.5 orders, 8,500 GBP net')
    """
    import pyarrow as pa

    frame = nw.from_native(table, eager_only=True)
    given: Labels = np.asarray(labels, dtype=np.int64)
    if len(given) != len(frame) or not len(given):
        raise DataError(
            "E-SG-006",
            Text(f"{len(given)} labels for {len(frame)} customers", f"{len(frame)} 个客户对应 {len(given)} 个客群标签"),
            fix=Text("give one label for each row, at least one", "请为每行提供一个标签，至少一行"),
        )
    names = list(features) if features is not None else _described(frame)
    columns = {name: _floats(frame, name) for name in names}
    numbers = [int(number) for number in np.unique(given)]
    rows = list(_feature_rows(columns, given, numbers))
    traits: list[dict[str, Trait]] = [{} for _ in numbers]
    for row in rows:
        trait = Trait(row["median"], row.pop("upper"), row["difference"])
        traits[numbers.index(row["segment"])][row["feature"]] = trait
    called = dict(zip(numbers, name_segments(traits), strict=True))
    counts = {number: int((given == number).sum()) for number in numbers}
    about = {n: _about(counts[n], counts[n] / len(given), t, currency) for n, t in zip(numbers, traits, strict=True)}
    segments = [_segment_row(n, called[n], about[n], counts[n], counts[n] / len(given)) for n in numbers]
    return Profile(pa.Table.from_pylist(segments), pa.Table.from_pylist(_nulls(rows)), called, about)


def normal_scores(column: Floats) -> Floats:
    """Return each value's normal score: how far up the population it stands, in standard deviations.

    Parameters
    ----------
    column : ndarray of float64, shape (n,)
        Missing values are NaN.

    Returns
    -------
    ndarray of float64, shape (n,)
        Mean 0 and standard deviation 1 over the known values, ties sharing a score; 0 where all are equal; NaN stays.

    Notes
    -----
    Van der Waerden scores: the normal quantile of rank / (n + 1).

    Examples
    --------
    >>> normal_scores(np.array([10.0, 20.0, 1e9, np.nan])).round(3)
    array([-1.225,  0.   ,  1.225,    nan])
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    scores = np.full(len(column), np.nan)
    known = ~np.isnan(column)
    if not known.any():
        return scores
    score: Floats = ndtri(rankdata(column[known]) / (known.sum() + 1))
    spread = score.std()
    scores[known] = (score - score.mean()) / spread if spread > 1e-12 else 0.0
    return scores


def _described(frame: nw.DataFrame[Any]) -> list[str]:
    numeric = [name for name, kind in frame.schema.items() if kind.is_numeric() and name not in KEY]
    return [name for name in numeric if name in CATALOG] or numeric


def _floats(frame: nw.DataFrame[Any], name: str) -> Floats:
    column = frame.get_column(name).cast(nw.Float64).to_numpy()
    return np.asarray(column, dtype=np.float64)


def _feature_rows(columns: dict[str, Floats], labels: Labels, numbers: list[int]) -> Iterator[dict[str, Any]]:
    scores = {name: normal_scores(column) for name, column in columns.items()}
    everybody = {name: _quantile(column, 0.5) for name, column in columns.items()}
    for number in numbers:
        rows = labels == number
        for name, column in columns.items():
            feature, mine = CATALOG.get(name), column[rows]
            known = ~np.isnan(mine)
            yield {
                "segment": number,
                "feature": name,
                "title_en": feature.title.en if feature else name,
                "title_zh": feature.title.zh if feature else name,
                "unit": feature.unit if feature else "",
                "median": _quantile(mine, 0.5),
                "upper": _quantile(mine, 0.75),
                "population_median": everybody[name],
                "difference": float(scores[name][rows][known].mean()) if known.any() else float("nan"),
                "missing_share": float(1 - known.mean()),
            }


def _quantile(column: Floats, share: float) -> float:
    known = column[~np.isnan(column)]
    return float(np.quantile(known, share)) if len(known) else float("nan")


def _nulls(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    def known(value: Any) -> Any:
        return None if isinstance(value, float) and math.isnan(value) else value

    return [{key: known(value) for key, value in row.items()} for row in rows]


def _about(customers: int, share: float, traits: Traits, currency: Currency) -> Text:
    said = []
    for feature, phrase in TYPICAL:
        if feature in traits and not math.isnan(traits[feature].median):
            value = say_value(traits[feature].median, CATALOG[feature].unit, currency)
            said.append(Text(phrase.en.format(value=value.en), phrase.zh.format(value=value.zh)))
    part = say_value(share, "share", currency)
    english = f"{customers:,} customers ({part.en})"
    chinese = f"{customers:,}位客户（{part.zh}）"
    if not said:
        return Text(english, chinese)
    return Text(
        f"{english}; typical: {', '.join(text.en for text in said)}",
        f"{chinese}；中位水平：{'，'.join(text.zh for text in said)}",
    )


def _segment_row(segment: int, name: Text, about: Text, customers: int, share: float) -> dict[str, Any]:
    return {
        "segment": segment,
        "name_en": name.en,
        "name_zh": name.zh,
        "about_en": about.en,
        "about_zh": about.zh,
        "customers": customers,
        "share": share,
    }
