"""Made-up snapshots for tests of the model: a prior that knows most, features that know the rest, seasons of level."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd


class Snapshots(NamedTuple):
    """Features, outcome, cutoff of each row, and the true probability."""

    X: pd.DataFrame
    y: np.ndarray
    cutoffs: np.ndarray
    truth: np.ndarray


def snapshots(cutoffs: int = 6, customers: int = 400, seed: int = 0) -> Snapshots:
    """Draw snapshots at days 0, 30, 60 ...; the level of each cutoff differs, the order of customers does not."""
    rng = np.random.default_rng(seed)
    days = np.repeat(np.arange(cutoffs) * 30, customers)
    n = len(days)
    a, b, c = rng.normal(size=(3, n))
    level = rng.normal(0, 0.4, cutoffs)[days // 30]
    z = 1.2 * a + 0.8 * b + level
    truth = 1 / (1 + np.exp(-z))
    X = pd.DataFrame(
        {
            "prior": 1 / (1 + np.exp(-1.2 * a)),
            "helps": np.exp(b) * (1 + days),  # grows with history: only its rank is worth anything
            "noise": np.where(rng.random(n) < 0.2, np.nan, c),
            "kind": rng.choice(["x", "y", "z"], n),
        }
    )
    return Snapshots(X, (rng.random(n) < truth).astype(int), days, truth)
