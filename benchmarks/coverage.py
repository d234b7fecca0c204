"""How often the intervals that tierlens prints hold the true value, and how often its tests alarm for nothing.

Run: ``python benchmarks/coverage.py [--tries 300] [--seed 1]``. Customers are drawn again and again from populations
whose values are known, from the formula or from half a million customers; each time the interval is taken as a run
takes it. An interval at 95 % should hold the value in 95 of 100 tries; what lies outside 92 to 98 is marked. With 300
tries the share itself is uncertain by 0.025.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one process a core is quicker than threads inside each
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np
import pandas as pd

from _machine import machine, peak_megabytes
from tierlens.explain.agreement import agreement
from tierlens.explain.measures import MEASURES
from tierlens.learning.evaluate import _top_lift as lift
from tierlens.publish.report.validity import outcome_rate, wilson_interval
from tierlens.risk.evaluation.bootstrap import Interval, Rows, metric_table, paired_difference, percentile_interval
from tierlens.risk.evaluation.drift import measure_drift
from tierlens.risk.evaluation.metrics import auc, average_precision, brier
from tierlens.risk.evaluation.risk_interval import Asked, Known, risk_bounds
from tierlens.risk.model.classifier import RiskClassifier

DRAWS = 200
BOUND = 3.6
"""Amount above which a customer is of the best tier: one in ten."""
METRICS = {"AUC": auc, "average precision": average_precision, "lift of the top tenth": lift, "Brier": brier}


class Line(NamedTuple):
    """One line of the table: shares of the tries in which the interval held the value, lay below it, lay above it."""

    what: str
    population: str
    nominal: float
    holds: float
    below: float
    above: float
    tries: int


def counted(what: str, population: str, found: list[tuple[float, float]], truth: float, nominal: float = 0.95) -> Line:
    """Count the intervals that held a value."""
    low, high = np.array(found).T
    below, above = float((high < truth - 1e-9).mean()), float((low > truth + 1e-9).mean())
    return Line(what, population, nominal, 1 - below - above, below, above, len(found))


# --- risks against what happened


def scored(rng: np.random.Generator, customers: int, cutoffs: int) -> tuple[Rows, dict[str, np.ndarray]]:
    """Draw customers with a lasting and a passing part of their risk, told by a better and a worse model."""
    lasting = np.tile(rng.normal(size=customers), cutoffs)
    truth = 1.2 * (0.8 * lasting + 0.6 * rng.normal(size=customers * cutoffs)) - 0.7
    outcome = (rng.random(len(truth)) < 1 / (1 + np.exp(-truth))).astype(float)
    noise = np.tile(rng.normal(size=customers), cutoffs)
    better = 0.8 * truth - 0.2 + 0.5 * noise
    risks = {"a": better, "b": better + 0.7 * rng.normal(size=len(truth))}
    rows = Rows(outcome, np.tile(np.arange(customers), cutoffs), np.repeat(np.arange(cutoffs), customers))
    return rows, {name: 1 / (1 + np.exp(-value)) for name, value in risks.items()}


def models(customers: int, cutoffs: int, tries: int, seed: int) -> list[Line]:
    """Figures of a model and differences of two, by bootstrap of customers."""
    rng = np.random.default_rng(seed)
    rows, risks = scored(rng, 500_000, 1)
    everybody = {
        (name, model): metric(rows.outcome, risk, np.ones(len(risk)))
        for name, metric in METRICS.items() for model, risk in risks.items()
    }  # fmt: skip
    found: dict[str, list[Interval]] = {}
    for number in range(tries):
        rows, risks = scored(rng, customers, cutoffs)
        for name, metric in METRICS.items():
            drawn = metric_table(metric, rows, risks, draws=DRAWS, seed=number)
            found.setdefault(name, []).append(percentile_interval(drawn["a"]))
            found.setdefault(f"{name}, difference", []).append(paired_difference(drawn, "a", "b"))
    truth = {name: everybody[name, "a"] for name in METRICS}
    truth |= {f"{name}, difference": everybody[name, "a"] - everybody[name, "b"] for name in METRICS}
    said = f"{customers:,} customers, {cutoffs} cutoff{'s' if cutoffs > 1 else ''}"
    return [counted(name, said, [(i.low, i.high) for i in found[name]], truth[name]) for name in truth]


def rates(customers: int, cutoffs: int, tries: int, seed: int) -> list[Line]:
    """Rates of churn by tier: customers stay for some of the cutoffs, each with a rate of its own."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(tries):
        own = rng.beta(0.8, 3.2, size=customers)
        there = rng.random((customers, cutoffs)) < (0.7 if cutoffs > 1 else 1)
        who = np.repeat(np.arange(customers), there.sum(axis=1))
        told = outcome_rate((rng.random(len(who)) < own[who]).astype(float), who)
        found.append((told.low, told.high))
    said = f"{customers:,} customers, {cutoffs} cutoff{'s' if cutoffs > 1 else ''}"
    return [counted("rate of an outcome in a tier", said, found, 0.2)]


def shares(customers: int, kind: str, tries: int, seed: int) -> list[Line]:
    """Share of the best tier of a cutoff: by bounds of the document, or by two percentiles among the customers."""

    def best(rng: np.random.Generator, size: int) -> int:
        amount = rng.lognormal(0.0, 1.0, size)
        orders = amount**0.5 * rng.lognormal(0.0, 0.8, size)
        if kind == "by bounds":
            return int((amount > BOUND).sum())
        ranks = [(np.argsort(np.argsort(values)) + 0.5) / size for values in (amount, orders)]
        return int((100 * (ranks[0] + ranks[1]) / 2 >= 85).sum())

    rng = np.random.default_rng(seed)
    truth = best(np.random.default_rng(0), 2_000_000) / 2_000_000
    found = [wilson_interval(best(rng, customers), customers, customers) for _ in range(tries)]
    said = f"{customers:,} customers, tiers {kind}"
    return [counted("share of a tier", said, [(one.low or 0.0, one.high or 0.0) for one in found], truth)]


def risks(customers: int, tries: int, seed: int) -> list[Line]:
    """Intervals of each customer's own risk, over customers whose true risk is known."""
    rng = np.random.default_rng(seed)
    below, above = [], []
    for number in range(tries):
        X = rng.normal(size=(customers + 500, 6))
        truth = 1 / (1 + np.exp(-(1.0 * X[:, 0] - 0.6 * np.abs(X[:, 1]) + 0.4 * X[:, 2] - 0.3)))
        y = (rng.random(len(X)) < truth).astype(int)
        known = Known(X[:customers], y[:customers], np.arange(customers))
        model = RiskClassifier(n_jobs=1, seeds=2).fit(known.X, known.y)
        low, high = risk_bounds(model, known, Asked(X[customers:]), draws=6, seed=number)
        below.append((high < truth[customers:]).mean())
        above.append((low > truth[customers:]).mean())
    shares = float(np.mean(below)), float(np.mean(above))
    return [Line("risk of a customer", f"{customers:,} customers", 0.9, 1 - sum(shares), *shares, tries * 500)]


# --- segments and tiers

TIERS = np.array([0.05, 0.15, 0.3, 0.5])
CROSSED = {
    "independent, 5 x 4 groups": np.outer([0.4, 0.25, 0.15, 0.12, 0.08], TIERS),
    "independent, 4 x 4 equal groups": np.full((4, 4), 1 / 16),
    "dependent, 10 % copied": 0.1 * np.diag(TIERS) + 0.9 * np.outer(TIERS, np.full(4, 0.25)),
    "dependent, 30 % copied": 0.3 * np.diag(TIERS) + 0.7 * np.outer(TIERS, np.full(4, 0.25)),
    "dependent, 80 % copied": 0.8 * np.diag(TIERS) + 0.2 * np.outer(TIERS, np.full(4, 0.25)),
}


CROSSED_AT = {name: (300, 3000) if "equal" in name or "10 %" in name else (100, 300, 1000, 3000) for name in CROSSED}


def crossed(name: str, customers: int, tries: int, seed: int) -> list[Line]:
    """Agreement of segments and tiers."""
    rng = np.random.default_rng(seed)
    shares = CROSSED[name]
    found: dict[str, list[tuple[float, float]]] = {measure: [] for measure in MEASURES}
    claimed = 0
    for number in range(tries):
        cells = rng.multinomial(customers, shares.ravel())
        segment, tier = np.divmod(np.repeat(np.arange(len(cells)), cells), shares.shape[1])
        told = agreement(segment, tier, resamples=DRAWS, seed=number)
        claimed += told.p_value < 0.05
        for row in told.measures.to_pylist():
            found[row["measure"]].append((row["low"], row["high"]))
    said = f"{name}, {customers:,} customers"
    lines = [
        counted(MEASURES[measure].title.en, said, ends, float(of.reported(of.slope(shares[None])[0])[0]))
        for (measure, of), ends in zip(MEASURES.items(), found.values(), strict=True)
    ]
    claims = Line("claim: agree better than chance", said, 0.05, claimed / tries, 0.0, claimed / tries, tries)
    return [*lines, *([claims] if name.startswith("independent") else [])]


# --- drift


def moving(
    rng: np.random.Generator, customers: int, cutoffs: int, turnover: float, last: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Snapshots of the cutoffs learned from and of the next: lasting habits, leavers replaced, nothing moves."""
    ids, habit = np.arange(customers), rng.normal(size=(customers, 5))
    found = []
    for cutoff in range(cutoffs + 1):
        leave = rng.random(customers) < (0 if not cutoff else last if cutoff == cutoffs else turnover)
        ids = np.where(leave, ids + customers, ids)
        habit = np.where(leave[:, None], rng.normal(size=habit.shape), habit)
        now = 0.9 * habit + np.sqrt(0.19) * rng.normal(size=habit.shape)
        whole = np.column_stack([np.exp(now[:, :2]), np.floor(np.exp(now[:, 2:4])), now[:, 4]])
        found.append(pd.DataFrame(whole, columns=list("abcde")).assign(id=ids))
    return pd.concat(found[:-1]), found[-1]


def drifting(customers: int, cutoffs: int, turnover: float, last: float, tries: int, seed: int) -> list[Line]:
    """Count false alarms of drift over five columns together."""
    rng = np.random.default_rng(seed)
    false = 0
    for _ in range(tries):
        old, new = moving(rng, customers, cutoffs, turnover, last)
        told = measure_drift(old.drop(columns="id"), new.drop(columns="id"), customers=(old["id"], new["id"]))
        false += any(column.alarm for column in told)
    said = f"{customers:,} customers, {cutoffs} cutoff{'s' if cutoffs > 1 else ''}, "
    said += f"{turnover:.0%} new a month" if last == turnover else "all new after these"
    return [Line("drift: a false alarm", said, 0.05, false / tries, 0.0, false / tries, tries)]


Job = tuple[Callable[..., list[Line]], tuple[object, ...]]


def jobs(tries: int) -> list[Job]:
    """Return what is to be tried, the longest first; a seed is added to each."""
    few = max(tries // 16, 4)
    return [
        *((models, (customers, cutoffs, tries)) for customers, cutoffs in ((300, 3), (1000, 1), (200, 1))),
        *((crossed, (name, size, tries)) for name, sizes in CROSSED_AT.items() for size in sizes),
        *(
            (drifting, (400, cutoffs, *turnover, tries))
            for cutoffs in (1, 6, 12)
            for turnover in ((0.0, 0.0), (0.03, 0.03), (1.0, 1.0), (0.0, 1.0))
        ),
        *((rates, (customers, cutoffs, 5 * tries)) for customers in (30, 300) for cutoffs in (1, 6)),
        *(
            (shares, (customers, kind, 5 * tries))
            for customers in (50, 300, 3000)
            for kind in ("by bounds", "by percentiles")
        ),
        *((risks, (customers, few)) for customers in (400, 1500)),
    ]


def run(job: Job, seed: int) -> list[Line]:
    """Run one job."""
    what, given = job
    return what(*given, seed)


def mark(line: Line) -> str:
    """Mark what is further from its nominal share than it should be."""
    return " *" if round(abs(line.holds - line.nominal), 6) > (0.025 if line.nominal < 0.5 else 0.03) else ""


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--only", default="", help="names of functions: models, crossed, drifting, rates, shares, risks"
    )
    args = parser.parse_args()
    started = time.perf_counter()
    print(machine("numpy", "scipy", "lightgbm"))
    asked = [job for job in jobs(args.tries) if not args.only or job[0].__name__ in args.only.split(",")]
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        found = list(pool.map(run, asked, range(args.seed, args.seed + len(asked))))
    print("\n| what | population | nominal | measured | value above | value below | tries |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for line in sorted((line for lines in found for line in lines), key=lambda line: line.what):
        print(f"| {line.what} | {line.population} | {line.nominal:.2f} | {line.holds:.3f}{mark(line)} | "
              f"{line.below:.3f} | {line.above:.3f} | {line.tries:,} |")  # fmt: skip
    print(f"\n{time.perf_counter() - started:.0f} s, peak {peak_megabytes():.0f} MB")


if __name__ == "__main__":
    main()
