"""Why a score will fall if nothing more is bought: points of the composite now and then, indicator by indicator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tierlens.grading.feature_columns import KEYS
from tierlens.grading.movement import contributions_of, effective_weights
from tierlens.grading.scheme.scheme import Scheme

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]


def fall_by_indicator(tiers: pa.Table, idle: pa.Table, scheme: Scheme) -> pa.Table:
    """Split the fall of each customer's score over the indicators, exactly.

    An indicator without data is treated as the scheme says. Where it is left out, the weights of the others grow: what
    an indicator gains or loses because the weights moved is part of its own change, and told apart in ``by_weight``.
    Nothing is left over.

    Parameters
    ----------
    tiers, idle : pyarrow.Table
        Graded rows of the same customers and cutoffs, in any order: as they stand, and as they will stand at the end of
        the horizon if nothing more is bought (see :class:`tierlens.workspace.prepare.Prepared`).
    scheme : Scheme
        The rules that both were graded by.

    Returns
    -------
    pyarrow.Table
        One row a customer, cutoff and indicator, in the order of ``tiers`` and of the scheme: ``customer_id``,
        ``cutoff``, ``dimension``, ``indicator``; ``points_now`` and ``points_then`` (of 100, weight counted in; over
        the indicators they sum to the score now and then), ``change`` (then less now), and ``by_weight``, that part of
        the change that comes of another share of the weight and not of another value. A score that can no longer be
        worked out counts as 0; customers without a score now are left out. Empty for a scheme without indicators.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> from tierlens.grading.scoring import grade
    >>> from tierlens.sources.tables import Currency
    >>> scheme, yuan = load_scheme("relationship_rating"), Currency("CNY")
    >>> rows = pa.table({"customer_id": ["a", "a"], "cutoff": [1, 2], "monetary": [100_000_000, 60_000_000],
    ...                  "points_tenure": [5.0, 5.0]})
    >>> graded = grade(rows, scheme, yuan).collect("pyarrow").to_native()
    >>> then = graded.slice(1).set_column(1, "cutoff", pa.array([1]))
    >>> fall = fall_by_indicator(graded.slice(0, 1), then, scheme)
    >>> [(row["indicator"], round(row["change"], 4)) for row in fall.to_pylist() if row["change"]]
    [('annual_amount', -16.3636)]
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    tiers = tiers.filter(pc.is_valid(tiers["score"]))
    idle = _same_order(tiers, idle.select([*KEYS, *(f"points_{i.id}" for _, i in scheme.indicators)]))
    names = [(dimension.id, indicator.id) for dimension, indicator in scheme.indicators]
    rows, wide = tiers.num_rows, len(names)
    now, then, weight = (
        _stacked(parts, rows)
        for parts in (contributions_of(tiers, scheme), contributions_of(idle, scheme), _by_weight(tiers, idle, scheme))
    )
    return pa.table({
        "customer_id": tiers["customer_id"].take(pa.array(np.repeat(np.arange(rows), wide))),
        "cutoff": tiers["cutoff"].take(pa.array(np.repeat(np.arange(rows), wide))),
        "dimension": pa.array([dimension for dimension, _ in names] * rows, pa.string()),
        "indicator": pa.array([indicator for _, indicator in names] * rows, pa.string()),
        "points_now": now, "points_then": then, "change": then - now, "by_weight": weight,
    })  # fmt: skip


def _same_order(tiers: pa.Table, idle: pa.Table) -> pa.Table:
    """Return the rows of the second table in the order of the first; empty rows where it has none."""
    import numpy as np
    import pyarrow as pa

    keys = tiers.select(list(KEYS)).append_column("at", pa.array(np.arange(tiers.num_rows)))
    there = idle.set_column(idle.column_names.index("cutoff"), "cutoff", idle["cutoff"].cast(keys["cutoff"].type))
    return keys.join(there, keys=list(KEYS), join_type="left outer").sort_by("at")


def _by_weight(tiers: pa.Table, idle: pa.Table, scheme: Scheme) -> dict[str, Reals]:
    """Return what the move of its weight gave or took of each indicator, at the points that it has or had."""
    import numpy as np

    old, new = (effective_weights(table, scheme) for table in (tiers, idle))
    factor = float(scheme.to_score)
    found = {}
    for name in old:
        before, after = (np.asarray(table[f"points_{name}"], dtype=np.float64) for table in (tiers, idle))
        points = np.nan_to_num(np.where(np.isnan(after), before, after))
        found[name] = points * (np.nan_to_num(new[name]) - np.nan_to_num(old[name])) * factor
    return found


def _stacked(parts: dict[str, Reals], rows: int) -> Reals:
    """Lay the indicators of one customer beside those of the next; what is not known is 0."""
    import numpy as np

    beside = np.column_stack(list(parts.values())) if parts else np.empty((rows, 0))
    found: Reals = np.nan_to_num(beside).reshape(-1)
    return found
