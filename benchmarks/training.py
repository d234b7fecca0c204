"""Training on a million snapshots and scoring two million, beside plain LightGBM with the same trees.

Run: ``python benchmarks/training.py [--rows 1000000] [--score 2000000] [--columns 60]``. Each part runs in a process of
its own, so that its memory is its own; the rows are generated, a tenth of the values in ten columns are missing. Bars:
at most 1.3 times the time and memory of training, at least 0.9 of the rows a second of scoring, calibration included.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import multiprocessing
import time
from typing import Any

import numpy as np

from _machine import machine, peak_megabytes

THREADS = len(os.sched_getaffinity(0))
CUTOFFS = 10


def made(rows: int, columns: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Generate values, outcome and cutoffs; the first column is a prior."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, columns))
    z = X[:, 0] + 0.5 * X[:, 1] + 0.7 * (X[:, 2] > 0.5) + 0.4 * X[:, 3] * X[:, 4]
    X[:, 0] = 1 / (1 + np.exp(-X[:, 0]))
    for column in range(5, 15):
        X[rng.random(rows) < 0.1, column] = np.nan
    y = (rng.random(rows) < 1 / (1 + np.exp(-z))).astype(np.int64)
    return X, y, np.sort(rng.integers(0, CUTOFFS, rows))


def plain_trees(X: np.ndarray, y: np.ndarray) -> Any:
    """Train LightGBM, nothing else, with the settings that the model takes for so many snapshots."""
    import lightgbm as lgb

    from tierlens.risk.model.trees import OURS, SETTINGS

    settings = SETTINGS["large"]
    own = {key: value for key, value in settings.items() if key not in OURS}
    data = lgb.Dataset(X, y, params={"max_bin": settings["max_bin"], "verbose": -1})
    fixed = {"objective": "binary", "verbose": -1, "num_threads": THREADS, "deterministic": True, "seed": 1,
             "force_row_wise": True}  # fmt: skip
    return lgb.train({**fixed, **own}, data, int(settings["rounds"]))


def ours(X: np.ndarray, y: np.ndarray, days: np.ndarray) -> Any:
    """Train the model as it comes."""
    from tierlens.risk.model.classifier import RiskClassifier

    return RiskClassifier(n_jobs=THREADS).fit(X, y, cutoffs=days)


def part(what: str, rows: int, score: int, columns: int, give: Any) -> None:
    """Do one part and hand back its figures."""
    X, y, days = made(rows, columns)
    before = peak_megabytes()
    started, spent = time.perf_counter(), time.process_time()
    model = plain_trees(X, y) if what == "plain" else ours(X, y, days)
    found = {"train": time.perf_counter() - started, "peak": peak_megabytes(), "data": before}
    found["train_cpu"] = time.process_time() - spent
    del X
    new, outcome, cutoffs = made(score, columns, seed=1)
    started, spent = time.perf_counter(), time.process_time()
    if what == "plain":
        risk = model.predict(new, num_threads=THREADS)
    else:
        risk = model.predict_proba(new, cutoffs=cutoffs, base_rate=0.5)[:, 1]
    found |= {"score": time.perf_counter() - started, "score_cpu": time.process_time() - spent}
    from tierlens.risk.evaluation.metrics import auc

    found["auc"] = auc(outcome, risk)
    give.put(json.dumps(found))


def measured(what: str, rows: int, score: int, columns: int) -> dict[str, float]:
    """Run a part in a process of its own."""
    context = multiprocessing.get_context("spawn")
    give = context.Queue()
    process = context.Process(target=part, args=(what, rows, score, columns, give))
    process.start()
    found: dict[str, float] = json.loads(give.get())
    process.join()
    return found


def main() -> None:
    """Print both, and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--score", type=int, default=2_000_000)
    parser.add_argument("--columns", type=int, default=60)
    args = parser.parse_args()
    print(machine("lightgbm", "numpy"))
    print(f"trained on {args.rows:,} x {args.columns}, scored {args.score:,}, {THREADS} threads\n")
    print(f"{'':10s}{'training s':>12s}{'peak MB':>10s}{'of it data':>12s}{'scoring s':>11s}{'rows/s':>10s}{'AUC':>8s}")
    found = {}
    for what in ("plain", "tierlens"):
        figures = found[what] = measured(what, args.rows, args.score, args.columns)
        speed = args.score / figures["score"]
        line = f"{what:10s}{figures['train']:12.1f}{figures['peak']:10.0f}{figures['data']:12.0f}"
        print(f"{line}{figures['score']:11.1f}{speed:10.0f}{figures['auc']:8.4f}", flush=True)
    time_ratio, memory, speed = (
        found["tierlens"]["train"] / found["plain"]["train"],
        found["tierlens"]["peak"] / found["plain"]["peak"],
        found["plain"]["score"] / found["tierlens"]["score"],
    )
    print(f"\ntraining time x {time_ratio:.2f} (bar 1.3), memory x {memory:.2f} (bar 1.3), "
          f"scoring speed x {speed:.2f} (bar 0.9)")  # fmt: skip
    cpu = [found["tierlens"][name] / found["plain"][name] for name in ("train_cpu", "score_cpu")]
    print(f"in processor seconds, less moved by neighbours: training x {cpu[0]:.2f}, scoring speed x {1 / cpu[1]:.2f}")


if __name__ == "__main__":
    main()
