"""Made-up customers whose spend to come follows from what they are: orders at their own rate, of their own value."""

from __future__ import annotations

import numpy as np

from tierlens.risk.spend_needed import READ


def spenders(cutoffs: int = 5, customers: int = 300, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return snapshots at days 0, 30, 60 ... with the columns that are read, ``cutoff``, ``helps``, and what was spent.

    ``helps`` tells of a part of the rate that the rhythm does not know.
    """
    rng = np.random.default_rng(seed)
    rows = cutoffs * customers
    rate, more, value = rng.gamma(1.0, 1.0, rows), rng.normal(0, 0.8, rows), 1000 * rng.lognormal(1.0, 0.8, rows)
    orders = 1.0 + rng.poisson(4 * rate)
    seen = orders * value * rng.lognormal(0, 0.2, rows)
    table = {name: seen * rng.uniform(0.1, 0.5, rows) for name in READ}
    table |= {
        "sea_p0": np.exp(-rate), "sea_expected": rate, "frequency": orders, "average_order_value": seen / orders,
        "spend": seen, "tenure_days": rng.integers(90, 700, rows).astype(float), "helps": more,
        "cutoff": np.repeat(np.arange(cutoffs) * 30.0, customers),
    }  # fmt: skip
    counts = rng.poisson(rate * np.exp(more))
    spent = np.where(counts > 0, rng.gamma(6.0 * np.maximum(counts, 1), value / 6.0), 0.0)
    return table, np.round(spent)
