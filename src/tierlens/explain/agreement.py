"""Where the documented tiers and the discovered segments tell the same story, and for whom they do not.

The measures are in ``measures``, their intervals and the test against chance in ``inversion``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tierlens.errors import DataError
from tierlens.explain.inversion import by_chance, inverted_interval
from tierlens.explain.measures import MEASURES
from tierlens.words import Text

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
LEVEL = 0.05
"""Chance that agreement is claimed where there is none."""


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
        ``title_zh``, ``value``, ``low``, ``high`` (interval of the population's value; not a number without draws),
        ``p_value`` (share of deals by chance that agree as well; 1 where one side has a single group).
    customers : int
    """

    cross: Any
    measures: Any
    customers: int

    @property
    def p_value(self) -> float:
        """By mutual information, which is above chance for any dependence; not a number without draws."""
        rows = self.measures.to_pylist()
        return float(next(row["p_value"] for row in rows if row["measure"] == "adjusted_mutual_information"))

    @property
    def verdict(self) -> Text:
        """Say whether segments and tiers agree better than chance, only when the test says so."""
        p = self.p_value
        if np.isnan(p):
            return Text("not tested against chance", "未与随机水平作检验")
        said = Text(f"(permutation test, p = {p:.3f})", f"（置换检验，p = {p:.3f}）")
        if p < LEVEL:
            return Text(
                f"segments and tiers agree better than chance {said.en}", f"客群与等级的一致程度高于随机水平{said.zh}"
            )
        return Text(
            f"segments and tiers do not agree better than chance would have it {said.en}",
            f"客群与等级的一致程度与随机水平无异{said.zh}",
        )


PLACES = 6
"""Decimal places at which two gaps count as equal."""


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
        Tables drawn for each of some 20 populations behind an interval, and for the test against chance; with 0 there
        is neither.
    confidence : float
        Of the intervals, between 0 and 1.
    seed : int

    Returns
    -------
    Agreement
        1 in every measure is full agreement, 0 is chance.

    Raises
    ------
    DataError
        ``E-EP-010`` when the lengths differ or there are no customers; ``E-EP-011`` for a missing value.

    Notes
    -----
    The intervals are of the measures of the population that the customers were drawn from. They are inverted tests (see
    ``inversion``); how often they hold the true value is in docs/coverage.md. The test deals the tiers out anew among
    the customers and counts how often chance agrees as well as the data. Time does not grow with the customers.

    Examples
    --------
    >>> same = agreement([0, 0, 1, 1] * 25, ["A", "A", "B", "B"] * 25, resamples=200)
    >>> same.measures["value"].to_pylist(), same.measures["high"].to_pylist()
    ([1.0, 1.0, 1.0], [1.0, 1.0, 1.0])
    >>> same.cross.to_pylist()[0]["share_of_segment"]
    1.0
    >>> same.verdict.en
    'segments and tiers agree better than chance (permutation test, p = 0.005)'
    """
    import pyarrow as pa

    rows, columns, counts = cross_table(segments, tiers)
    measures = _measured(counts, resamples, confidence, np.random.default_rng(seed))
    cells = _cells(rows, columns, counts)
    return Agreement(pa.Table.from_pylist(cells), pa.Table.from_pylist(measures), int(counts.sum()))


def _measured(counts: Counts, draws: int, confidence: float, rng: np.random.Generator) -> list[dict[str, Any]]:
    """One row a measure: value, interval, and how often chance alone reaches the value."""
    table = counts.astype(np.float64)
    tables = by_chance(table, draws, rng).astype(np.float64) if min(counts.shape) > 1 and draws else None
    found = []
    for name, measure in MEASURES.items():
        own = float(measure.estimate(table[None])[0])
        value = _exact_information(counts) if name == "adjusted_mutual_information" else own
        low, high, p = (value, value, 1.0) if draws else (np.nan, np.nan, np.nan)
        if tables is not None:
            # Tables of the same margins share what chance expects: the exact and the short form rank them alike.
            p = (1 + int((measure.estimate(tables) >= own - 1e-12).sum())) / (1 + draws)
            low, high = inverted_interval(measure, table, draws=draws, confidence=confidence, rng=rng)
            # What the test takes for chance must not have an interval that leaves chance out.
            low, high = min(low, value, 0.0 if p >= 1 - confidence else 1.0), max(high, value)
        value, low, high = measure.reported(np.array([value, low, high])).tolist()
        row = {"measure": name, "title_en": measure.title.en, "title_zh": measure.title.zh, "value": value}
        found.append({**row, "low": low, "high": high, "p_value": p})
    return found


def _exact_information(counts: Counts) -> float:
    from sklearn.metrics.cluster import expected_mutual_information

    total = int(counts.sum())
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    entropies = [_entropy(of / total) for of in (rows, columns)]
    shared = sum(entropies) - _entropy(counts.ravel() / total)
    chance = float(expected_mutual_information(counts, total))
    most = sum(entropies) / 2 - chance
    return min((shared - chance) / most, 1.0) if abs(most) > 1e-12 else 1.0


def _entropy(shares: Floats) -> float:
    from scipy.special import entr

    return float(entr(shares).sum())


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
        raise _uneven(Text(f"{len(one)} segments", f"客群 {len(one)} 个"), len(other))
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
    (['d'], ['tier D in a segment that is mostly A (25.0% of it have D): worse than its segment'])
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
        f"tier {tier} in a segment that is mostly {usual} ({share * 100:.1f}% of it have {tier}): "
        f"{side.en} than its segment",
        f"等级{tier}，所在客群以{usual}为主（其中{share * 100:.1f}%为{tier}）：{side.zh}同群水平",
    )
