"""How tiers moved: history by replay, migration, and the exact reasons for a change of score.

Replaying is grading snapshots of several cutoffs; everything here reads the one table that comes of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tierlens.errors import UsageError
from tierlens.grading.scheme.scheme import Scheme
from tierlens.sources.tables import day_date
from tierlens.words import Text

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

NONE = "-"
"""Stands for customers that are not graded at a cutoff, or not in its population."""


def tier_history(graded: pa.Table) -> pa.Table:
    """Return the tier history of every customer.

    Parameters
    ----------
    graded : pyarrow.Table
        From ``grade``, several cutoffs.

    Returns
    -------
    pyarrow.Table
        One row a customer and cutoff, sorted by both: ``customer_id``, ``cutoff``, ``score``, ``tier``, ``tier_rank``,
        the same at the customer's cutoff before (``last_cutoff``, ``last_score``, ``last_tier``; missing at the first),
        ``score_change`` and ``moved`` (tiers gained; negative when the customer fell).

    Examples
    --------
    >>> import pyarrow as pa
    >>> graded = pa.table({"customer_id": ["a", "a"], "cutoff": pa.array([1, 2], pa.int32()), "score": [60.0, 80.0],
    ...                    "tier": ["C", "B"], "tier_rank": pa.array([3, 2], pa.int32())})
    >>> tier_history(graded).select(["last_tier", "tier", "moved"]).to_pylist()[1]
    {'last_tier': 'C', 'tier': 'B', 'moved': 1}
    """
    import duckdb

    columns = graded.select(["customer_id", "cutoff", "score", "tier", "tier_rank"])
    with duckdb.connect() as connection:
        rows = connection.from_arrow(columns)
        return rows.query(
            "graded",
            """
            SELECT customer_id, cutoff, score, tier, tier_rank,
                   lag(cutoff) OVER past AS last_cutoff, lag(score) OVER past AS last_score,
                   lag(tier) OVER past AS last_tier, score - lag(score) OVER past AS score_change,
                   lag(tier_rank) OVER past - tier_rank AS moved
            FROM graded WINDOW past AS (PARTITION BY customer_id ORDER BY cutoff) ORDER BY customer_id, cutoff
            """,
        ).to_arrow_table()


def in_order(before: int, after: int) -> None:
    """Refuse two cutoffs of which the second does not follow the first.

    Raises
    ------
    UsageError
        ``E-US-041``.

    Examples
    --------
    >>> in_order(15126, 15156)
    """
    if before >= after:
        first, second = day_date(before), day_date(after)
        raise UsageError(
            "E-US-041",
            Text(f"the later cutoff {second} does not follow the earlier one {first}",
                 f"后一截止日 {second} 不晚于前一截止日 {first}"),
            fix=Text("give the earlier date first, and two different dates", "请先写较早的日期，且两个日期不同"),
        )  # fmt: skip


def tier_migration(graded: pa.Table, scheme: Scheme, before: int, after: int) -> pa.Table:
    """Count customers by their tier at one cutoff and at a later one.

    Parameters
    ----------
    graded : pyarrow.Table
        From ``grade``, with both cutoffs.
    scheme : Scheme
        For the order of tiers.
    before, after : int
        Day numbers of the cutoffs.

    Returns
    -------
    pyarrow.Table
        ``tier`` (at ``before``, best first, ``-`` for not graded or not there) and one column a tier at ``after``; the
        sum of all cells is the number of customers graded at either cutoff.

    Raises
    ------
    UsageError
        ``E-US-006`` when a cutoff is not in the table, ``E-US-041`` when the second does not follow the first.
    """
    import pyarrow as pa

    in_order(before, after)
    tiers = [*(tier.id for tier in scheme.tiers), NONE]
    first, second = ({row["customer_id"]: row["tier"] or NONE for row in _at(graded, day)} for day in (before, after))
    counts = {(a, b): 0 for a in tiers for b in tiers}
    for customer in first.keys() | second.keys():
        counts[first.get(customer, NONE), second.get(customer, NONE)] += 1
    return pa.table({"tier": tiers, **{b: [counts[a, b] for a in tiers] for b in tiers}})


def _at(graded: pa.Table, cutoff: int) -> list[dict[str, Any]]:
    import pyarrow.compute as pc

    rows = graded.filter(pc.equal(graded["cutoff"], cutoff))
    if not rows.num_rows:
        known = ", ".join(str(day_date(day)) for day in sorted(set(graded["cutoff"].to_pylist())))
        raise UsageError(
            "E-US-006",
            Text(f"nobody was graded at {day_date(cutoff)}", f"{day_date(cutoff)} 没有评级结果"),
            fix=Text(f"there are {known}", f"现有截止日：{known}"),
        )
    found: list[dict[str, Any]] = rows.select(["customer_id", "tier"]).to_pylist()
    return found


def contributions_of(graded: pa.Table, scheme: Scheme) -> dict[str, Reals]:
    """Return what each indicator contributed to each row's score; over the indicators they sum to the score.

    Where values were missing, the weights of the others had grown, first inside the dimension, then between
    dimensions, as the score itself was computed.

    Parameters
    ----------
    graded : pyarrow.Table
        From ``grade``.
    scheme : Scheme
        The rules it was graded by.

    Returns
    -------
    dict of str to array
        By indicator, in the order of the scheme; 0 where it took no part, NaN where there is no score.
    """
    weights = effective_weights(graded, scheme)
    factor = float(scheme.to_score)
    import numpy as np

    return {name: np.nan_to_num(_points(graded, name)) * weight * factor for name, weight in weights.items()}


def effective_weights(graded: pa.Table, scheme: Scheme) -> dict[str, Reals]:
    """Return the share that each indicator really had in each row's score; NaN where there is no score."""
    import numpy as np

    inside: dict[str, Reals] = {}
    whole = np.zeros(graded.num_rows)
    alive: dict[str, Reals] = {}
    for dimension in scheme.dimensions:
        own = {i.id: float(scheme.inside[i.id]) * ~np.isnan(_points(graded, i.id)) for i in dimension.indicators}
        total = np.sum(list(own.values()), axis=0)
        alive[dimension.id] = float(scheme.between[dimension.id]) * (total > 0)
        whole = whole + alive[dimension.id]
        inside |= {name: weight / np.where(total > 0, total, 1.0) for name, weight in own.items()}
    whole = np.where(whole > 0, whole, np.nan)
    return {i.id: inside[i.id] * alive[d.id] / whole for d, i in scheme.indicators}


def _points(graded: pa.Table, indicator: str) -> Reals:
    import numpy as np

    return np.asarray(graded[f"points_{indicator}"].to_numpy(), dtype=np.float64)


def score_change(graded: pa.Table, scheme: Scheme, before: int, after: int) -> pa.Table:
    """Decompose the change of each customer's score between two cutoffs, exactly.

    Parameters
    ----------
    graded : pyarrow.Table
        From ``grade``, with both cutoffs.
    scheme : Scheme
        The rules it was graded by.
    before, after : int
        Day numbers of the cutoffs.

    Returns
    -------
    pyarrow.Table
        One row for each customer with a score at both cutoffs, sorted: ``customer_id``, ``score_before``,
        ``score_after``, ``change``, ``by_<indicator>`` and ``by_dimension_<dimension>``. Over the indicators, as over
        the dimensions, the parts sum to the change to 9 places.

    Raises
    ------
    UsageError
        ``E-US-006`` when a cutoff is not in the table, ``E-US-041`` when the second does not follow the first.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    in_order(before, after)
    scored = graded.filter(pc.is_valid(graded["score"])).sort_by("customer_id")
    both = _in_both(graded, scored, (before, after))
    first, second = (part.filter(pc.is_in(part["customer_id"], both)) for part in _cut(scored, (before, after)))
    old, new = (contributions_of(part, scheme) for part in (first, second))
    parts = {name: new[name] - old[name] for name in new}
    scores = {name: np.asarray(part["score"]) for name, part in (("before", first), ("after", second))}
    table = {"customer_id": first["customer_id"], "score_before": scores["before"], "score_after": scores["after"]}
    table |= {"change": scores["after"] - scores["before"]}
    table |= {f"by_{name}": part for name, part in parts.items()}
    table |= {f"by_dimension_{d.id}": np.sum([parts[i.id] for i in d.indicators], axis=0) for d in scheme.dimensions}
    return pa.table(table)


def _cut(scored: pa.Table, cutoffs: Iterable[int]) -> list[pa.Table]:
    import pyarrow.compute as pc

    return [scored.filter(pc.equal(scored["cutoff"], day)) for day in cutoffs]


def _in_both(graded: pa.Table, scored: pa.Table, cutoffs: tuple[int, int]) -> pa.Array:
    import pyarrow as pa

    for day in cutoffs:
        _at(graded, day)
    known = [set(part["customer_id"].to_pylist()) for part in _cut(scored, cutoffs)]
    return pa.array(sorted(known[0] & known[1]), pa.string())
