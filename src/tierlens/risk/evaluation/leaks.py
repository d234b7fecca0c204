"""The leak gate: columns that know too much of the outcome, or were made too late, are named before learning.

A column alone is seldom telling. One whose ranking all but gives the outcome away, one that is the outcome under
another name, one that looks past the cutoff or was computed after it: each is a leak until a person has signed that it
is none.

Source: Kaufman, Rosset, Perlich and Stitelman (2012), Leakage in data mining, doi 10.1145/2382577.2382579; that
published figures above 0.95 are nearly always leaks is what the projects compared here found.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tierlens.features.windows import Window
from tierlens.risk.evaluation.metrics import auc
from tierlens.words import Text

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Kind = Literal["ranking", "copy", "missing", "late", "overlap", "undated"]
Severity = Literal["block", "warn"]

BLOCK, WARN = 0.95, 0.90
"""AUC of one column alone from which on it blocks training, or is only told."""
LEAST = 30
"""Rows of each outcome that a judgement needs."""
MOST = 100_000
"""Rows that are looked at, evenly drawn: a leak shows in a part as in the whole."""
BINS = 30
"""Parts into which the values of a column are cut when a copy under other numbers is looked for."""


@dataclass(frozen=True)
class Declared:
    """What is known of how a column was made.

    Parameters
    ----------
    column : str
    definition : str
        What it is, in words that change when it does: its formula, unit and tables.
    looks_at : (int, int), optional
        Days it looks at, from and to, counted from the cutoff: (-365, 0) is the year before it.
    computed_late : float
        Share of its rows that were computed at or after their cutoff.
    undated : float
        Share of the rows it is read from that do not say from when they hold.
    """

    column: str
    definition: str
    looks_at: tuple[int, int] | None = None
    computed_late: float = 0.0
    undated: float = 0.0

    def key(self, outcome: str) -> str:
        """Return the hash that a waiver signs: of outcome, name and definition, 16 characters.

        Examples
        --------
        >>> one = Declared("score", "score of the CRM")
        >>> one.key("churn") == Declared("score", "another score").key("churn"), len(one.key("churn"))
        (False, 16)
        """
        told = json.dumps([outcome, self.column, self.definition, self.looks_at], ensure_ascii=False)
        return hashlib.sha256(told.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Leak:
    """A column that is suspected.

    Parameters
    ----------
    column : str
    kind : str
        ``ranking`` (its order gives the outcome away), ``copy`` (the outcome under other values), ``missing`` (where it
        is empty does), ``late`` (computed at or after the cutoff), ``overlap`` (its window runs past the cutoff),
        ``undated`` (read from rows that do not say from when they hold).
    severity : {"block", "warn"}
    value : float
        The AUC, the share of rows, or the days.
    what : Text
    """

    column: str
    kind: Kind
    severity: Severity
    value: float
    what: Text


def find_leaks(
    rows: pa.Table, columns: Sequence[str], outcome: str, declared: Mapping[str, Declared], window: Window
) -> tuple[Leak, ...]:
    """Look at each column alone, and at what is known of how it was made.

    Parameters
    ----------
    rows : pyarrow.Table
        The rows that are learned from: ``customer_id``, ``cutoff``, the columns and the outcome.
    columns : sequence of str
        What a model would read; numbers, words or truth values.
    outcome : str
        Column of 0 and 1.
    declared : mapping of str to Declared
        By column; one that is not there is judged by its values alone.
    window : Window

    Returns
    -------
    tuple of Leak
        The gravest first; of each column and severity the kind that tells most.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> left = rng.integers(0, 2, 400)
    >>> rows = pa.table({"customer_id": [f"c{n}" for n in range(400)], "cutoff": [1] * 400, "churn": left,
    ...                  "luck": rng.random(400), "orders_next_month": (1 - left) * rng.integers(1, 9, 400)})
    >>> found = find_leaks(rows, ["luck", "orders_next_month"], "churn", {}, Window())
    >>> [(leak.column, leak.kind, leak.severity) for leak in found]
    [('orders_next_month', 'ranking', 'block')]
    """
    if rows.num_rows > MOST:
        rows = rows.take(pa.array(np.linspace(0, rows.num_rows - 1, MOST).astype(np.int64)))
    happened = np.asarray(rows[outcome]).astype(np.int64)
    half = _halves(rows)
    found: list[Leak] = []
    for name in columns:
        told = declared.get(name)
        found += _made(told, window) if told else []
        leak = _telling(name, rows[name], happened, half)
        found += [leak] if leak else []
    return tuple(sorted(found, key=lambda leak: (leak.severity != "block", -leak.value, leak.column)))


def _halves(rows: pa.Table) -> Bools:
    """Part customers in two, by their names, so that what one half teaches is tried on the other."""
    coded = rows["customer_id"].combine_chunks().dictionary_encode()
    side = np.array([zlib.crc32(str(name).encode()) % 2 == 0 for name in coded.dictionary.to_pylist()], dtype=bool)
    found: Bools = side[np.asarray(coded.indices)] if len(side) else np.zeros(0, dtype=bool)
    return found


def _telling(name: str, column: pa.ChunkedArray, happened: Any, half: Bools) -> Leak | None:
    """Judge a column by its values: the way of reading it that tells most."""
    if min(int(happened.sum()), len(happened) - int(happened.sum())) < LEAST:
        return None
    missing = np.asarray(pc.is_null(column, nan_is_null=True))
    tried: list[tuple[float, Kind]] = [(_by_missing(happened, missing), "missing")]
    there = happened[~missing]
    if min(int(there.sum()), len(there) - int(there.sum())) >= LEAST:
        numbers = _numbers(column)
        if numbers is not None:
            tried.append((_either_way(there, numbers[~missing]), "ranking"))
        tried.append((_by_groups(_codes(column, numbers), happened, half), "copy"))
    # A plain reading is told before a roundabout one that is no better.
    value, kind = max(tried, key=lambda one: (round(one[0], 3), one[1] == "ranking", one[1] == "missing"))
    if value < WARN:
        return None
    return Leak(name, kind, "block" if value >= BLOCK else "warn", value, _SAID[kind].fill(column=name, value=value))


_SAID: dict[str, Text] = {
    "ranking": Text(
        "{column} alone ranks the outcome with an AUC of {value:.3f}", "仅凭 {column} 即可以 {value:.3f} 的AUC排出结果"
    ),
    "copy": Text(
        "{column} is nearly the outcome under other values: AUC {value:.3f} for customers it was not read from",
        "{column} 几乎就是换了取值的结果：在未参与学习的客户上AUC为 {value:.3f}",
    ),
    "missing": Text(
        "where {column} is empty gives the outcome away: AUC {value:.3f}",
        "{column} 是否缺失即可透露结果：AUC为 {value:.3f}",
    ),
}


def _either_way(happened: Any, score: Floats) -> float:
    found = auc(happened, score)
    return max(found, 1.0 - found)


def _numbers(column: pa.ChunkedArray) -> Floats | None:
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        return None
    filled = pc.fill_null(column.cast(pa.float64()), float("nan"))
    found: Floats = np.clip(np.asarray(filled), -1e300, 1e300)
    return found


def _codes(column: pa.ChunkedArray, numbers: Floats | None) -> npt.NDArray[np.int64]:
    """Cut the values into a few groups; what is missing is a group of its own, 0."""
    if numbers is None:
        text = pc.fill_null(column.cast(pa.string()), "").combine_chunks().dictionary_encode()
        return np.asarray(text.indices).astype(np.int64) + 1
    known = numbers[~np.isnan(numbers)]
    values = np.unique(known)
    edges = values if len(values) <= BINS else np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)))
    return np.where(np.isnan(numbers), 0, 1 + np.searchsorted(edges, numbers)).astype(np.int64)


def _by_missing(happened: Any, missing: Bools) -> float:
    """AUC of being empty: two groups, so that their shares say it."""
    return 0.5 + abs(float(missing[happened == 1].mean()) - float(missing[happened == 0].mean())) / 2.0


def _by_groups(codes: npt.NDArray[np.int64], happened: Any, half: Bools) -> float:
    """AUC of a group's mean outcome among the other half of the customers; the mean of all where it has nobody there.

    Rows of one group and half share a score, so that counting them is enough.
    """
    width = int(codes.max(initial=0)) + 1
    counts = [
        [np.bincount(codes[side & (happened == outcome)], minlength=width).astype(np.float64) for outcome in (1, 0)]
        for side in (half, ~half)
    ]
    outcomes, scores, weights = [], [], []
    for (left, stayed), taught in zip(counts, reversed(counts), strict=True):
        whole = taught[0] + taught[1]
        mean = np.where(whole > 0, taught[0] / np.maximum(whole, 1.0), float(happened.mean()))
        for outcome, weight in ((1, left), (0, stayed)):
            there = weight > 0
            outcomes.append(np.full(int(there.sum()), outcome))
            scores.append(mean[there])
            weights.append(weight[there])
    found = auc(np.concatenate(outcomes), np.concatenate(scores), np.concatenate(weights))
    return max(found, 1.0 - found)


def _made(told: Declared, window: Window) -> list[Leak]:
    """Judge a column by what is known of how it was made."""
    found = []
    name = told.column
    if told.looks_at is not None and told.looks_at[1] > 0:
        days = told.looks_at[1]
        into = Text("into the horizon", "并进入预测期") if days > window.gap else Text("into the gap", "并进入间隔期")
        what = Text(
            f"{name} looks at days up to {days} after the cutoff, {into.en}",
            f"{name} 的窗口延伸至截止日之后 {days} 天，{into.zh}",
        )
        found.append(Leak(name, "overlap", "block", float(days), what))
    if told.computed_late > 0:
        what = Text(
            f"{told.computed_late:.1%} of the rows of {name} were computed at or after their cutoff",
            f"{name} 有 {told.computed_late:.1%} 的行在截止日当天或之后计算",
        )
        found.append(Leak(name, "late", "block", told.computed_late, what))
    if told.undated > 0:
        what = Text(
            f"{name} is read from rows of which {told.undated:.0%} do not say from when they hold: they are taken to "
            "have held always, and may say what is true today",
            f"{name} 所读的行有 {told.undated:.0%} 未注明生效日期，按一直有效处理，可能是今天的情况",
        )
        found.append(Leak(name, "undated", "warn", told.undated, what))
    return found
