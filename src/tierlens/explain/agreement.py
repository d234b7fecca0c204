"""Where the documented tiers and the discovered segments tell the same story, and for whom they do not.

Sources: adjusted Rand index, Hubert and Arabie (1985), doi 10.1007/BF01908075; adjusted mutual information, Vinh, Epps
and Bailey (2010), JMLR 11; Cramer's V, Cramer (1946), Mathematical Methods of Statistics; percentile bootstrap, Efron
and Tibshirani (1993).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tierlens.errors import DataError
from tierlens.words import Text

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Agreement:
    """Segments against tiers.

    Parameters
    ----------
    cross : pyarrow.Table
        One row a pair: ``segment``, ``tier``, ``customers``, ``share_of_segment``, ``share_of_tier``,
        ``share_of_all``; pairs without customers are there with 0.
    measures : pyarrow.Table
        One row a measure: ``measure`` (adjusted_rand, adjusted_mutual_information, cramers_v), ``title_en``,
        ``title_zh``, ``value``, ``low``, ``high`` (bootstrap interval over customers).
    customers : int
    """

    cross: Any
    measures: Any
    customers: int


PLACES = 6
"""Decimal places at which two gaps count as equal."""

TITLES = {
    "adjusted_rand": Text("adjusted Rand index", "调整兰德指数"),
    "adjusted_mutual_information": Text("adjusted mutual information", "调整互信息"),
    "cramers_v": Text("Cramér's V", "克拉默V系数"),
}


def agreement(
    segments: ArrayLike, tiers: ArrayLike, *, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> Agreement:
    """Compare segments with tiers.

    Parameters
    ----------
    segments : array, shape (n,)
        Segment of each customer: numbers or names.
    tiers : array of str, shape (n,)
        Tier of each customer.
    resamples : int
        Bootstrap resamples of the customers.
    confidence : float
        Of the intervals, between 0 and 1.
    seed : int

    Returns
    -------
    Agreement
        1 in every measure is full agreement, 0 is chance (for Cramér's V, no association).

    Raises
    ------
    DataError
        ``E-EP-010`` when the lengths differ or there are no customers; ``E-EP-011`` for a missing value.

    Notes
    -----
    Customers drawn with replacement are a multinomial draw of the cross table's cells, so a resample costs the same
    for a thousand customers or a million. The mutual information expected by chance is held at the observed margins.

    Examples
    --------
    >>> same = agreement([0, 0, 1, 1], ["A", "A", "B", "B"], resamples=50)
    >>> same.measures["value"].to_pylist()
    [1.0, 1.0, 1.0]
    >>> same.cross.to_pylist()[0]["share_of_segment"]
    1.0
    """
    import pyarrow as pa

    rows, columns, counts = cross_table(segments, tiers)
    total = int(counts.sum())
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(total, counts.ravel() / total, size=resamples).reshape(resamples, *counts.shape)
    chance = _expected_information(counts)
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    measures = []
    for name, values in _measures(np.concatenate([counts[None], drawn]), chance).items():
        low, high = np.quantile(values[1:], tails) if resamples else (np.nan, np.nan)
        title = TITLES[name]
        row = {"measure": name, "title_en": title.en, "title_zh": title.zh, "value": float(values[0])}
        measures.append({**row, "low": float(low), "high": float(high)})
    return Agreement(pa.Table.from_pylist(_cells(rows, columns, counts)), pa.Table.from_pylist(measures), total)


def cross_table(segments: ArrayLike, tiers: ArrayLike) -> tuple[list[Any], list[Any], Counts]:
    """Count customers by segment and tier.

    Returns
    -------
    tuple
        Segments and tiers, sorted, and counts of shape (segments, tiers).

    Raises
    ------
    DataError
        ``E-EP-010``, ``E-EP-011``: see ``agreement``.

    Examples
    --------
    >>> cross_table([0, 1, 1], ["B", "A", "A"])
    ([0, 1], ['A', 'B'], array([[0, 1],
           [2, 0]]))
    """
    one, other = _known(segments, "segments"), _known(tiers, "tiers")
    if len(one) != len(other) or not len(one):
        raise _uneven(Text(f"{len(one)} segments", f"分群 {len(one)} 个"), len(other))
    rows, row = np.unique(one, return_inverse=True)
    columns, column = np.unique(other, return_inverse=True)
    cells = np.bincount(row * len(columns) + column, minlength=len(rows) * len(columns))
    return rows.tolist(), columns.tolist(), cells.reshape(len(rows), len(columns)).astype(np.int64)


def disagreements(
    customer_ids: ArrayLike,
    segments: ArrayLike,
    tiers: ArrayLike,
    *,
    order: Sequence[str] = ("A", "B", "C", "D"),
    most: int = 100,
) -> Any:
    """Return the customers whose tier lies furthest from the tiers of their segment.

    Parameters
    ----------
    customer_ids : array of str, shape (n,)
    segments : array, shape (n,)
    tiers : array of str, shape (n,)
    order : sequence of str
        All tiers, best first.
    most : int
        Rows to return at most.

    Returns
    -------
    pyarrow.Table
        ``customer_id``, ``segment``, ``tier``, ``usual_tier`` (the most frequent in the segment), ``gap`` (steps from
        the segment's mean tier; positive is worse), ``share_of_segment`` (customers of the segment with that tier),
        ``text_en``, ``text_zh``. Largest gap first, then the rarer tier, then customer_id; without a gap of at least
        one step nobody is listed.

    Raises
    ------
    DataError
        ``E-EP-010``, ``E-EP-011``: see ``agreement``; ``E-EP-012`` for a tier that is not in ``order``.

    Examples
    --------
    >>> table = disagreements(list("abcde"), [0, 0, 0, 0, 1], ["A", "A", "A", "D", "D"])
    >>> table["customer_id"].to_pylist(), table["text_en"].to_pylist()
    (['d'], ['tier D in a segment that is mostly A (25.0 % of it have D): worse than its segment'])
    """
    import pyarrow as pa

    ids = _known(customer_ids, "customer_ids")
    rows, columns, counts = cross_table(segments, tiers)
    if len(ids) != counts.sum():
        raise _uneven(Text(f"{len(ids)} customers", f"客户 {len(ids)} 位"), int(counts.sum()))
    ranks = np.array([_rank(tier, order) for tier in columns], dtype=np.float64)
    row = np.searchsorted(np.array(rows), _known(segments, "segments"))
    column = np.searchsorted(np.array(columns), _known(tiers, "tiers"))
    mean = counts @ ranks / counts.sum(axis=1)
    gap = np.round(ranks[column] - mean[row], PLACES)
    share = (counts / counts.sum(axis=1, keepdims=True))[row, column]
    sequence = np.lexsort((ids, share, -np.abs(gap)))
    shown = sequence[np.abs(gap[sequence]) >= 1][:most]
    usual = [columns[best] for best in counts.argmax(axis=1)]
    said = [_say(columns[column[at]], usual[row[at]], share[at], gap[at] > 0) for at in shown]
    return pa.table(
        {
            "customer_id": ids[shown].tolist(),
            "segment": [rows[row[at]] for at in shown],
            "tier": [columns[column[at]] for at in shown],
            "usual_tier": [usual[row[at]] for at in shown],
            "gap": pa.array(gap[shown], pa.float64()),
            "share_of_segment": pa.array(share[shown], pa.float64()),
            "text_en": pa.array([text.en for text in said], pa.string()),
            "text_zh": pa.array([text.zh for text in said], pa.string()),
        }
    )


def _known(values: ArrayLike, name: str) -> NDArray[Any]:
    import pandas as pd

    array = np.asarray(values)
    missing = np.asarray(pd.isna(array))
    if missing.any():
        raise DataError(
            "E-EP-011",
            Text(f"{missing.sum()} of {name} are missing", f"{name} 中有 {missing.sum()} 个缺失"),
            fix=Text("leave these customers out on both sides", "请在两侧同时剔除这些客户"),
        )
    return np.array(array.tolist()) if array.dtype.kind == "O" else array


def _uneven(left: Text, tiers: int) -> DataError:
    return DataError(
        "E-EP-010",
        Text(f"{left.en} for {tiers} tiers", f"{left.zh}，等级 {tiers} 个，数量不符"),
        fix=Text("give all of them for each customer, at least one", "请为每位客户同时提供，至少一位"),
    )


def _rank(tier: str, order: Sequence[str]) -> int:
    if tier not in order:
        raise DataError(
            "E-EP-012",
            Text(f"tier {tier!r} is none of {', '.join(order)}", f"等级 {tier!r} 不在 {'、'.join(order)} 之中"),
            fix=Text("pass order=..., best first", "请用 order 给出从优到劣的等级"),
        )
    return list(order).index(tier)


def _measures(tables: Counts, chance: float) -> dict[str, Floats]:
    """Each measure for each table of a stack of shape (tables, segments, tiers)."""
    counts = tables.astype(np.float64)
    total = counts.sum(axis=(1, 2))
    rows, columns = counts.sum(axis=2), counts.sum(axis=1)
    return {
        "adjusted_rand": _adjusted_rand(counts, rows, columns, total),
        "adjusted_mutual_information": _adjusted_information(counts, rows, columns, chance),
        "cramers_v": _cramers_v(counts, rows, columns, total),
    }


def _adjusted_rand(counts: Floats, rows: Floats, columns: Floats, total: Floats) -> Floats:
    def pairs(of: Floats) -> Floats:
        return of * (of - 1) / 2

    both, one, other = pairs(counts).sum(axis=(1, 2)), pairs(rows).sum(axis=1), pairs(columns).sum(axis=1)
    expected = np.divide(one * other, pairs(total), out=np.zeros_like(one), where=total > 1)
    return _share(both - expected, (one + other) / 2 - expected)


def _adjusted_information(counts: Floats, rows: Floats, columns: Floats, chance: float) -> Floats:
    one, other = _entropy(rows), _entropy(columns)
    shared = one + other - _entropy(counts.reshape(len(counts), -1))
    return _share(shared - chance, (one + other) / 2 - chance)


def _entropy(counts: Floats) -> Floats:
    from scipy.special import entr

    entropy: Floats = entr(counts / counts.sum(axis=1, keepdims=True)).sum(axis=1)
    return entropy


def _cramers_v(counts: Floats, rows: Floats, columns: Floats, total: Floats) -> Floats:
    expected = rows[:, :, None] * columns[:, None, :] / total[:, None, None]
    squares = np.divide((counts - expected) ** 2, expected, out=np.zeros_like(counts), where=expected > 0)
    # A resample may lose a row or column; the degrees of freedom stay those of what it drew.
    least = np.minimum((rows > 0).sum(axis=1), (columns > 0).sum(axis=1)) - 1.0
    v: Floats = np.sqrt(_share(squares.sum(axis=(1, 2)) / total, least))
    return v


def _share(over: Floats, under: Floats) -> Floats:
    """Quotient; 1 where both are nothing, as two groupings without any split agree."""
    tiny = np.abs(under) < 1e-12
    quotient: Floats = np.where(tiny, 1.0, over / np.where(tiny, 1.0, under))
    return np.minimum(quotient, 1.0)


def _expected_information(counts: Counts) -> float:
    from sklearn.metrics.cluster import expected_mutual_information

    return float(expected_mutual_information(counts, int(counts.sum())))


def _cells(rows: list[Any], columns: list[Any], counts: Counts) -> list[dict[str, Any]]:
    by_row, by_column, total = counts.sum(axis=1), counts.sum(axis=0), counts.sum()
    return [
        {
            "segment": segment,
            "tier": tier,
            "customers": int(counts[i, j]),
            "share_of_segment": float(counts[i, j] / by_row[i]),
            "share_of_tier": float(counts[i, j] / by_column[j]),
            "share_of_all": float(counts[i, j] / total),
        }
        for i, segment in enumerate(rows)
        for j, tier in enumerate(columns)
    ]


def _say(tier: str, usual: str, share: float, worse: bool) -> Text:
    side = Text("worse", "低于") if worse else Text("better", "高于")
    return Text(
        f"tier {tier} in a segment that is mostly {usual} ({share * 100:.1f} % of it have {tier}): "
        f"{side.en} than its segment",
        f"等级{tier}，所在分群以{usual}为主（其中{share * 100:.1f}%为{tier}）：{side.zh}同群水平",
    )
