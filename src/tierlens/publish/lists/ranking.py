"""In which order customers stand on a list: by risk, or by the money at risk."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from tierlens.errors import UsageError
from tierlens.words import Text

WAYS: dict[str, Text] = {
    "risk": Text("risk", "风险"),
    "value_at_risk": Text("value at risk", "风险金额"),
}
"""Ways to rank a list: ``value_at_risk`` is the risk times the amount of the window."""

Keys = list[tuple[str, str]]


def ranked_rows(customers: pa.Table, by: str = "risk", outcome: str = "churn") -> pa.Array:
    """Return the places of customers in the order of a list; any order of rows gives the same list.

    Parameters
    ----------
    customers : pyarrow.Table
        With ``customer_id``, ``churn_risk`` and ``downgrade_risk``; and ``monetary`` where ranked by it.
    by : {"risk", "value_at_risk"}
        ``risk``: by falling churn risk, then downgrade risk. ``value_at_risk``: by falling value at risk. Ties go by
        customer; who has no such figure comes last.
    outcome : {"churn", "downgrade"}
        Whose risk the value at risk is made of.

    Raises
    ------
    UsageError
        See ``value_at_risk``, and ``E-LI-014`` for another way to rank.

    Examples
    --------
    >>> shop = pa.table({"customer_id": ["a", "b", "c"], "churn_risk": [0.9, 0.5, None], "monetary": [100, 900, 5],
    ...                  "downgrade_risk": pa.nulls(3, pa.float64())})
    >>> ranked_rows(shop).to_pylist(), ranked_rows(shop, "value_at_risk").to_pylist()
    ([0, 1, 2], [1, 0, 2])
    """
    if by not in WAYS:
        raise UsageError(
            "E-LI-014",
            Text(f"a list cannot be ranked by {by!r}", f"名单不能按 {by!r} 排序"),
            where="--by",
            fix=Text("rank it by risk or value_at_risk", "请按 risk（风险）或 value_at_risk（风险金额）排序"),
        )
    names = ["value_at_risk"] if by == "value_at_risk" else ["churn_risk", "downgrade_risk"]
    keys = customers.select(["customer_id"])
    for name in names:
        column = value_at_risk(customers, outcome) if name == "value_at_risk" else customers[name]
        keys = keys.append_column(name, pc.fill_null(column.cast(pa.float64()), float("-inf")))
    order: Keys = [*((name, "descending") for name in names), ("customer_id", "ascending")]
    return pc.sort_indices(keys, sort_keys=order)


def value_at_risk(customers: pa.Table, outcome: str = "churn", minor: int = 1) -> pa.ChunkedArray:
    """Return the risk of each customer times the amount of the window; missing where either is.

    Parameters
    ----------
    customers : pyarrow.Table
        With ``monetary`` in minor units.
    outcome : {"churn", "downgrade"}
    minor : int
        Minor units in one unit of the result.

    Raises
    ------
    UsageError
        ``E-LI-015`` when nobody knows the amounts.

    Examples
    --------
    >>> value_at_risk(pa.table({"churn_risk": [0.5, None], "monetary": [9000, 100]}), minor=100).to_pylist()
    [45.0, None]
    """
    if "monetary" not in customers.column_names:
        raise UsageError(
            "E-LI-015",
            Text("the customers' table does not hold the amount of the window", "客户表中没有窗口内的金额"),
            where="by: value_at_risk",
            fix=Text("make it with 'tierlens run', or rank by risk", "请用 tierlens run 生成，或按风险排序"),
        )
    risk, amount = (customers[name].cast(pa.float64()) for name in (f"{outcome}_risk", "monetary"))
    return pc.divide(pc.multiply(risk, amount), float(minor))
