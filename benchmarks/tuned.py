"""Is the default as good as what a search finds? Churn on Online Retail II, the default beside tuned settings.

Run: ``python benchmarks/tuned.py [--trials 30]``. The search sees cutoffs that had closed by 2011-01-01 and no other;
both are then tested on the first of the months January to June 2011, one booster each. The bar: the default within
0.002 AUC.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import argparse
import time

import numpy as np

from _machine import machine
from risk import BASELINES_ONLY, FIRST, KEY, TESTS, WINDOW, rows_of
from tierlens.datasets.examples import retail_source
from tierlens.features.product_mix import learn_mix, product_mix
from tierlens.features.windows import month_starts
from tierlens.risk.evaluation.bootstrap import Rows, metric_table, paired_difference
from tierlens.risk.evaluation.metrics import auc
from tierlens.risk.evaluation.split import SnapshotSplit
from tierlens.risk.model.classifier import RiskClassifier
from tierlens.risk.outcome import closed_cutoffs
from tierlens.risk.tuning import Search, tune_trees
from tierlens.sources.read import read_tables

BAR = 0.002


def main() -> None:
    """Search, test, and print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=30)
    args = parser.parse_args()
    started = time.perf_counter()
    print(machine("lightgbm", "optuna"))
    tables = read_tables(retail_source()).tables
    tests = month_starts(*TESTS)
    closed = closed_cutoffs(tables, month_starts(FIRST, TESTS[1]), WINDOW)[0]
    rows = rows_of(tables, closed)
    # Axes of products as they were known at the first test: what is searched and what is tested see the same columns.
    rows = rows.merge(
        product_mix(tables, closed, learn_mix(tables, tests[0], WINDOW), WINDOW).to_pandas(), on=KEY, validate="1:1"
    )
    names = [name for name in rows if name not in (*KEY, "churn", *BASELINES_ONLY)]
    model = RiskClassifier(prior="sea_p0", seeds=1, n_jobs=1)
    inner = rows[rows["cutoff"] + WINDOW.horizon <= tests[0]]
    found = tune_trees(model, inner[names], inner["churn"], inner["cutoff"], SnapshotSplit(WINDOW), Search(args.trials))
    print(f"inner cutoffs: default {found.default:.4f}, best of {len(found.trials)} trials {found.value:.4f}, "
          f"{found.value - found.default:+.4f} ({time.perf_counter() - started:.0f} s)")  # fmt: skip
    print(f"settings: {dict(found.settings)}")
    scores: dict[str, list[np.ndarray]] = {"default": [], "tuned": []}
    for test in tests:
        train, new = rows[rows["cutoff"] + WINDOW.horizon <= test], rows[rows["cutoff"] == test]
        for name, settings in (("default", None), ("tuned", found.settings or None)):
            fitted = RiskClassifier(**{**model.get_params(), "trees": settings})
            fitted.fit(train[names], train["churn"], cutoffs=train["cutoff"])
            scores[name].append(fitted.predict_proba(new[names], cutoffs=new["cutoff"])[:, 1])
    tested = rows[rows["cutoff"].isin(tests)]
    given = Rows(tested["churn"].to_numpy(), tested["customer_id"].to_numpy(), tested["cutoff"].to_numpy())
    drawn = metric_table(auc, given, {name: np.concatenate(parts) for name, parts in scores.items()}, draws=200, seed=1)
    apart = paired_difference(drawn, "tuned", "default")
    print(f"test cutoffs: default {drawn['default'][0]:.4f}, tuned {drawn['tuned'][0]:.4f}")
    print(f"tuned minus default {apart}; bar {BAR}: {'met' if apart.value <= BAR else 'missed'}")
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
