"""A small trained model with missing values, in the columns of a snapshot."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pandas as pd

NAMES = ("recency_days", "overdue_ratio", "frequency", "monetary", "return_share", "warehouse")


def customers(count: int = 300, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Return features, two with holes and one that no catalog knows, and whether each customer left."""
    rng = np.random.default_rng(seed)
    recency = rng.integers(1, 365, count)
    table = pd.DataFrame(
        {
            "recency_days": recency,
            "overdue_ratio": np.where(rng.random(count) < 0.4, np.nan, recency / rng.integers(5, 90, count)),
            "frequency": rng.integers(1, 30, count),
            "monetary": rng.integers(-5_000, 2_000_000, count),
            "return_share": np.where(rng.random(count) < 0.1, np.nan, rng.random(count) / 4),
            "warehouse": rng.integers(1, 4, count).astype(float),
        }
    )
    chance = 1 / (1 + np.exp(-(recency - 150) / 60 + table["frequency"] / 10 - 0.5 * (table["warehouse"] == 2)))
    return table, (rng.random(count) < chance).to_numpy().astype(int)


def trained(seed: int = 0) -> tuple[lgb.LGBMClassifier, pd.DataFrame]:
    """Return a classifier and the customers that it learned from."""
    table, left = customers(seed=seed)
    settings = {"n_estimators": 25, "num_leaves": 7, "min_child_samples": 10, "n_jobs": 1, "verbose": -1}
    return lgb.LGBMClassifier(**settings, random_state=seed).fit(table, left), table
