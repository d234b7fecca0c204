"""SHAP values: tierlens beside LightGBM's own and shap.TreeExplainer, and the product's own model.

Run: ``python benchmarks/explain.py``. 500 trees of 63 leaves on 60 columns, ten of them with missing values; tierlens
explains 200,000 rows, compiling included, the others 10,000, each in a process of its own. ``--woodelf FOLDER`` names a
folder that woodelf was installed into (``pip install --no-deps --target FOLDER woodelf``); it is no dependency.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np

# numba, which shap and the kernel need, imports the package ``coverage``; a file of that name stands beside this one.
HERE = str(Path(__file__).parent)
sys.path.insert(0, HERE)
from _machine import machine, peak_megabytes  # noqa: E402

sys.path[:] = [path for path in sys.path if path != HERE]

THREADS = len(os.sched_getaffinity(0))
COLUMNS = 60
CHECKED = 200
"""Rows of each way that are held against LightGBM's."""


def made(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Generate values, ten columns with gaps, and an outcome."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, COLUMNS))
    z = X[:, 0] + 0.5 * X[:, 1] + 0.7 * (X[:, 2] > 0.5) + 0.4 * X[:, 3] * X[:, 4] + X[:, 5:20] @ np.full(15, 0.1)
    for column in range(5, 15):
        X[rng.random(rows) < 0.1, column] = np.nan
    return X, (rng.random(rows) < 1 / (1 + np.exp(-z))).astype(np.int64)


def explain(what: str, model: Path, X: np.ndarray) -> np.ndarray:
    """Explain rows in one of the ways."""
    if what == "RiskClassifier":
        from tierlens.risk.model.classifier import RiskClassifier

        parts = RiskClassifier.load(model).contributions(X)
        return np.column_stack([parts.values, parts.base])
    booster = lgb.Booster(model_file=str(model))
    if what == "tierlens":
        from tierlens.explain import tree_shap

        return tree_shap(booster, X, n_jobs=THREADS)
    if what == "woodelf":
        from woodelf import WoodelfExplainer  # type: ignore[import-not-found]

        return np.asarray(WoodelfExplainer(booster).shap_values(X))
    if what == "shap.TreeExplainer":
        import shap

        return np.asarray(shap.TreeExplainer(booster).shap_values(X))
    return np.asarray(booster.predict(X, pred_contrib=True, num_threads=THREADS))


def part(what: str, model: Path, rows: int, give: Any) -> None:
    """Do one way and hand back its figures."""
    X, _ = made(rows, seed=1)
    if what == "shap.TreeExplainer":
        import shap  # noqa: F401
    before, started, spent = peak_megabytes(), time.perf_counter(), time.process_time()
    values = explain(what, model, X)
    found = {"seconds": time.perf_counter() - started, "cpu": time.process_time() - spent}
    found["peak"] = peak_megabytes() - before
    if what != "RiskClassifier":
        own = lgb.Booster(model_file=str(model)).predict(X[:CHECKED], pred_contrib=True, num_threads=THREADS)
        found["apart"] = float(np.abs(values[:CHECKED, :COLUMNS] - own[:, :COLUMNS]).max())
    give.put(json.dumps(found))


def measured(what: str, model: Path, rows: int) -> dict[str, float]:
    """Run a way in a process of its own, so that memory and compiling are its own too."""
    context = multiprocessing.get_context("spawn")
    give = context.Queue()
    process = context.Process(target=part, args=(what, model, rows, give))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{what} failed")
    found: dict[str, float] = json.loads(give.get())
    return found


def forest_table(folder: Path, rows: int, others: int, ways: list[str]) -> None:
    """Print the table of the large forest."""
    X, y = made(100_000, seed=0)
    fixed = {"objective": "binary", "num_leaves": 63, "verbose": -1, "num_threads": THREADS, "seed": 1}
    model = folder / "model.txt"
    lgb.train(fixed, lgb.Dataset(X, y), 500).save_model(model)
    print(f"500 trees x 63 leaves, {COLUMNS} columns\n")
    print("times: how often as fast a row as the first; cpu: in processor seconds, less moved by neighbours\n")
    heads = f"{'us a row':>10s}{'times':>7s}{'cpu us':>9s}{'times':>7s}{'MB above start':>16s}{'apart':>9s}"
    print(f"{'':20s}{'rows':>9s}{'seconds':>9s}{heads}")
    slow = slow_cpu = 0.0
    for what in ways:
        count = rows if what == "tierlens" else others
        found = measured(what, model, count)
        each, cpu = found["seconds"] / count * 1e6, found["cpu"] / count * 1e6
        slow, slow_cpu = slow or each, slow_cpu or cpu
        line = (
            f"{what:20s}{count:9,d}{found['seconds']:9.1f}{each:10.1f}{slow / each:7.1f}{cpu:9.1f}{slow_cpu / cpu:7.1f}"
        )
        print(f"{line}{found['peak']:16.0f}{found['apart']:9.0e}", flush=True)


def product_table(folder: Path, rows: int) -> None:
    """Print what the product's own model takes."""
    from tierlens.risk.model.classifier import RiskClassifier

    for named, count, cutoffs in (("snapshots", 60_000, 6), ("a flat table", 40_000, 0)):
        X, y = made(count, seed=0)
        days = np.sort(np.arange(count) % cutoffs) if cutoffs else None
        model = RiskClassifier(n_jobs=THREADS).fit(X, y, cutoffs=days)
        found = measured("RiskClassifier", model.save(folder / named.split()[0]), rows)
        print(f"RiskClassifier.contributions, {named}: {rows:,} rows in {found['seconds']:.1f} s "
              f"({found['cpu']:.1f} s of processors), {found['peak']:.0f} MB above start", flush=True)  # fmt: skip


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--others", type=int, default=10_000)
    parser.add_argument("--woodelf")
    parser.add_argument("--product", action="store_true", help="the second table only")
    args = parser.parse_args()
    print(machine("lightgbm", "numba", "numpy", "shap"))
    ways = ["shap.TreeExplainer", "pred_contrib", "tierlens"]
    if args.woodelf:
        sys.path.append(args.woodelf)
        os.environ["PYTHONPATH"] = f"{os.environ.get('PYTHONPATH', '')}:{args.woodelf}"
        ways.append("woodelf")
    with tempfile.TemporaryDirectory() as folder:
        if not args.product:
            forest_table(Path(folder), args.rows, args.others, ways)
            print()
        product_table(Path(folder), args.rows)


if __name__ == "__main__":
    main()
