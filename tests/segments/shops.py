"""Made-up customers of known kinds, in the columns and units of a snapshot."""

from __future__ import annotations

import numpy as np
import pandas as pd

# recency_days, frequency, monetary (minor units), tenure_days: typical of each kind
KINDS = {
    "best": (12, 14, 600_000, 700),
    "steady": (45, 5, 120_000, 500),
    "new": (20, 1, 25_000, 25),
    "gone": (280, 1, 18_000, 300),
}


def shop(each: int = 80, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Return customers and their kind's number, best first; kinds lie well apart, amounts are skewed."""
    rng = np.random.default_rng(seed)
    kinds = np.repeat(np.arange(len(KINDS)), each)
    typical = np.array(list(KINDS.values()), dtype=float)[kinds]
    noise = np.exp(rng.normal(0, 0.18, typical.shape))
    table = pd.DataFrame(np.round(typical * noise), columns=["recency_days", "frequency", "monetary", "tenure_days"])
    table["frequency"] = table["frequency"].clip(lower=1)
    tenure = table[["tenure_days", "recency_days"]].max(axis=1)
    # who ordered once had the first purchase on the day of the last
    table["tenure_days"] = tenure.where(table["frequency"] > 1, table["recency_days"])
    return table.astype("int64"), kinds
