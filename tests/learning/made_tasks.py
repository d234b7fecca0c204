"""Tasks made by hand: rows at some cutoffs, in which the chance to leave rises with recency."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from tierlens.learning.tasks import Task
from tierlens.words import Text


def made_task(cutoffs: Sequence[int], customers: int = 60, seed: int = 0, outcome: str = "churn") -> Task:
    """Make a task of as many rows a cutoff as there are customers."""
    rng = np.random.default_rng(seed)
    rows = len(cutoffs) * customers
    recency = rng.integers(1, 300, rows)
    left = (rng.random(rows) < recency / 300).astype(np.int8)
    table = pa.table({
        "customer_id": [f"c{row % customers:03}" for row in range(rows)],
        "cutoff": pa.array(np.repeat(list(cutoffs), customers), pa.int32()),
        "recency_days": recency, "frequency": rng.integers(1, 9, rows), "spend": rng.integers(100, 9999, rows),
        "btyd_p0": recency / 301, outcome: left,
    })  # fmt: skip
    now = table.slice(0, customers).drop_columns([outcome])
    return Task(outcome, Text("Churn", "流失"), Text("all", "全部"), table, now, ("recency_days", "frequency"))


def with_outcome(task: Task, outcome: Sequence[int]) -> Task:
    """Return a task whose rows met the outcome as given."""
    rows = task.rows.drop_columns([task.outcome])
    rows = rows.append_column(task.outcome, pa.array(outcome, pa.int8()))
    return Task(task.outcome, task.title, task.population, rows, task.now, task.features)
