"""The reasons of one risk as they are told: what raises it and what lowers it, in points, and how much is left unsaid.

A topic is a family of features, so that recency is not given three times under three names; its strength is the sum of
its members. It is told by a member whose value says so: held against the customer's own past, else against the middle
of the tier, else of all customers, it stands on the side that its direction asks for. Where no member can say so, the
topic is not told, and its points are among what is left unsaid.

Points are percentage points of risk. A risk is no sum, its log-odds are: each contribution is multiplied by one number
a customer, (risk - risk at the cutoff's level) / (their log-odds), so that points sum to what lies between the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tierlens.explain.comparisons import KINDS, SCHEME, compared_values
from tierlens.explain.contributions import Contributions, Floats
from tierlens.explain.phrases import PHRASES
from tierlens.explain.reason_words import Known, say_reason, speakers_of, topic_of, with_own, with_points
from tierlens.explain.rhythm_parts import ITEMS, LEVEL
from tierlens.words import Text

Ints = npt.NDArray[np.intp]
LEAST = 1.0
"""Points of risk below which nothing is a reason."""
RAISES, LOWERS = "raises", "lowers"
MOST = {RAISES: 3, LOWERS: 2}
"""Reasons told of each side."""
DIRECTIONS = {"up": 1, "down": -1, "none": 0}


@dataclass(frozen=True)
class Reasons:
    """Reasons of one risk.

    Parameters
    ----------
    table : pyarrow.Table
        One row a reason: ``row`` (0-based), ``side`` (raises or lowers), ``rank`` (1 is the strongest of its side),
        ``code``, ``topic``, ``feature``, ``value``, ``compared_with``, ``compared``, ``points``, ``log_odds``,
        ``is_background``, ``text_en``, ``text_zh``. Sorted by row, side (raises first) and rank.
    base : array of float, shape (n,)
        Risk before any of the customer's own is looked at, 0 to 1.
    level, other : array of float, shape (n,)
        Points of the level and the season, and of all that is left unsaid. Base, level, other and the points told sum
        to the risk.
    """

    table: pa.Table
    base: Floats
    level: Floats
    other: Floats


def points_of(found: Contributions) -> tuple[Floats, Floats]:
    """Return contributions in points of risk, shape (n, k), and the base risk, shape (n,).

    The level comes first, from the base risk to that of the cutoff; the customer's own then lead from there to the
    risk.

    Examples
    --------
    >>> points, base = points_of(Contributions([[1.0, -1.0, 1.0]], 0.0, ("a", "b", "c")))
    >>> points.round(1), base
    (array([[ 23.1, -23.1,  23.1]]), array([0.5]))
    """
    from scipy.special import expit

    at = [place for place, name in enumerate(found.names) if name == LEVEL]
    level = found.values[:, at].sum(axis=1)
    own = found.values.sum(axis=1) - level
    base = expit(found.base)
    start = expit(found.base + level)
    still = np.abs(own) < 1e-9
    rise = expit(found.base + level + own) - start
    slope = np.where(still, start * (1.0 - start), rise / np.where(still, 1.0, own))
    points = 100.0 * slope[:, None] * found.values
    points[:, at] = 100.0 * (start - base)[:, None]
    return points, base


def tell_reasons(found: Contributions, known: Known) -> Reasons:
    """Tell the reasons of each customer's risk.

    Parameters
    ----------
    found : Contributions
        By feature, shape (n, k).
    known : Known
        Of the same rows.

    Returns
    -------
    Reasons

    Examples
    --------
    >>> from tierlens.sources.tables import Currency
    >>> columns = {"recency_days": np.array([74.0, 9.0]), "interval_mean_days": np.array([21.0, 20.0])}
    >>> found = Contributions([[1.5], [-1.0]], -1.0, ("recency_days",))
    >>> told = tell_reasons(found, Known(columns, Currency("GBP"))).table.to_pydict()
    >>> told["text_en"][0], told["code"][0]
    ('No purchase for 74 days; usually every 21 days (+35 points)', 'R-RECENCY')
    >>> told["text_en"][1], told["side"][1]
    ('No purchase for 9 days; usually every 20 days (-15 points)', 'lowers')
    """
    known = with_own(known, found.names)
    points, base = points_of(found)
    topics = [topic_of(name, known.catalog) for name in found.names]
    told = [(_said_topic if topic in known.said else _topic)(topic, _members(topic, topics), (found, points), known)
            for topic in sorted(set(topics)) if topic not in ITEMS]  # fmt: skip
    table = _ranked([rows for rows in told if rows is not None], found)
    level = points[:, [place for place, name in enumerate(found.names) if name in ITEMS]].sum(axis=1)
    said = np.zeros(len(found))
    np.add.at(said, table["row"].to_numpy(), table["points"].to_numpy())
    return Reasons(table, base, level, points.sum(axis=1) - level - said)


def _members(topic: str, topics: Sequence[str]) -> list[int]:
    return [place for place, other in enumerate(topics) if other == topic]


@dataclass(frozen=True)
class _Rows:
    """Reasons of one topic: place of the customer, what tells it, what it is held against, and its strength."""

    topic: str
    row: Ints
    feature: npt.NDArray[np.object_]
    value: Floats
    kind: npt.NDArray[np.int8]
    compared: Floats
    points: Floats
    log_odds: Floats
    english: npt.NDArray[np.object_]
    chinese: npt.NDArray[np.object_]
    is_background: npt.NDArray[np.bool_]


def _topic(topic: str, members: list[int], both: tuple[Contributions, Floats], known: Known) -> _Rows | None:
    """Tell one topic of all customers whom it moves by a point or more."""
    found, points = both
    total = points[:, members].sum(axis=1)
    rows = np.flatnonzero(np.abs(total) >= LEAST)
    speakers = [name for name in speakers_of(topic, known.catalog) if name in known.columns]
    if not len(rows) or not speakers:
        return None
    side = np.where(total[rows] > 0, 1, -1).astype(np.int8)
    kinds, against, pushes = [], [], []
    for name in speakers:
        direction = DIRECTIONS[known.catalog[name].direction]
        sign = np.zeros(len(points), dtype=np.int8)
        sign[rows] = -side * direction
        unit = (known.catalog[name].unit, known.currency)
        compared = compared_values(name, known.columns, known.tiers, sign, unit)
        own = points[rows, found.names.index(name)] * side if name in found.names else np.zeros(len(rows))
        # Those with a direction come before those without, then those with words of their own, then the strongest.
        pushes.append(own + 1e3 * (name in PHRASES) + 1e6 * (direction != 0))
        kinds.append(compared.kind[rows])
        against.append(compared.value[rows])
    can = np.array(kinds) >= 0
    best = np.where(can, np.array(pushes), -np.inf).argmax(axis=0)
    said = np.flatnonzero(can.any(axis=0))
    one, at = best[said], rows[said]
    names = np.array(speakers, dtype=object)[one]
    values = np.array([known.columns[name][row] for name, row in zip(names, at, strict=True)], dtype=np.float64)
    kind, value = (np.array(part)[one, said] for part in (kinds, against))
    english, chinese = _texts(names, values, (kind, value), total[at], (at, known))
    background = np.array([DIRECTIONS[known.catalog[name].direction] == 0 for name in names], dtype=bool)
    log_odds = found.values[:, members].sum(axis=1)[at]
    return _Rows(topic, at, names, values, kind, value, total[at], log_odds, english, chinese, background)


def _said_topic(topic: str, members: list[int], both: tuple[Contributions, Floats], known: Known) -> _Rows | None:
    """Tell a topic by the sentences that it has, where they speak of the side that it moves the risk to."""
    found, points = both
    total, said = points[:, members].sum(axis=1), known.said[topic]
    rows = [row for row in np.flatnonzero(np.abs(total) >= LEAST).tolist()
            if (one := said[row]) is not None and one.side == (RAISES if total[row] > 0 else LOWERS)]  # fmt: skip
    if not rows:
        return None
    at = np.array(rows)
    told = [one for one in (said[row] for row in rows) if one is not None]
    texts = [with_points(one.words, float(total[row])) for one, row in zip(told, rows, strict=True)]
    return _Rows(
        topic, at, np.array([one.feature for one in told], dtype=object), np.array([one.value for one in told]),
        np.full(len(at), KINDS.index(SCHEME), dtype=np.int8), np.array([one.compared for one in told]), total[at],
        found.values[:, members].sum(axis=1)[at], *_both_languages(texts), np.zeros(len(at), dtype=bool),
    )  # fmt: skip


def _both_languages(texts: Sequence[Text]) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
    return np.array([text.en for text in texts], dtype=object), np.array([text.zh for text in texts], dtype=object)


def _texts(
    names: npt.NDArray[np.object_],
    values: Floats,
    compared: tuple[npt.NDArray[np.int8], Floats],
    points: Floats,
    whose: tuple[Ints, Known],
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
    at, known = whose
    tiers = [None] * len(at) if known.tiers is None else known.tiers[at].tolist()
    rows = zip(names, values.tolist(), *(part.tolist() for part in compared), points.tolist(), tiers, strict=True)
    texts = [say_reason(name, value, (kind, other), strength, (tier, known))
             for name, value, kind, other, strength, tier in rows]  # fmt: skip
    return _both_languages(texts)


SCHEMA = pa.schema(
    [
        ("row", pa.int64()), ("side", pa.string()), ("rank", pa.int32()), ("code", pa.string()),
        ("topic", pa.string()), ("feature", pa.string()), ("value", pa.float64()), ("compared_with", pa.string()),
        ("compared", pa.float64()), ("points", pa.float64()), ("log_odds", pa.float64()),
        ("is_background", pa.bool_()), ("text_en", pa.string()), ("text_zh", pa.string()),
    ]
)  # fmt: skip


def _ranked(told: list[_Rows], found: Contributions) -> pa.Table:
    """Put the topics together, and keep the strongest of each side of each customer; ties go by the topic's name."""
    if not told:
        return SCHEMA.empty_table()
    names = [one.name for one in fields(_Rows) if one.name != "topic"]
    join = {name: np.concatenate([getattr(rows, name) for rows in told]) for name in names}
    topic = np.concatenate([np.full(len(rows.row), rows.topic, dtype=object) for rows in told])
    lowers = join["points"] < 0
    order = np.lexsort((topic.astype(str), -np.round(np.abs(join["points"]), 9), lowers, join["row"]))
    row, lowers = join["row"][order], lowers[order]
    starts = np.flatnonzero(np.append(True, (row[1:] != row[:-1]) | (lowers[1:] != lowers[:-1])))
    rank = np.arange(len(row)) - np.repeat(starts, np.diff(np.append(starts, len(row)))) + 1
    kept = np.flatnonzero(rank <= np.where(lowers, MOST[LOWERS], MOST[RAISES]))
    order = order[kept]
    topics = topic[order].tolist()
    return pa.table(
        {
            "row": join["row"][order], "side": np.where(lowers[kept], LOWERS, RAISES), "rank": rank[kept],
            "code": [reason_code(name) for name in topics], "topic": topics, "feature": join["feature"][order],
            "value": join["value"][order],
            "compared_with": [KINDS[kind] for kind in join["kind"][order]], "compared": join["compared"][order],
            "points": join["points"][order], "log_odds": join["log_odds"][order],
            "is_background": join["is_background"][order],
            "text_en": join["english"][order], "text_zh": join["chinese"][order],
        },
        schema=SCHEMA,
    )  # fmt: skip


def reason_code(topic: str) -> str:
    """Return the short stable code of a topic's reason.

    Examples
    --------
    >>> reason_code("order_value")
    'R-ORDER-VALUE'
    """
    return "R-" + topic.upper().replace("_", "-")
