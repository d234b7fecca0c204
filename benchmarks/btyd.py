"""BG/NBD and gamma-gamma on the CDNOW sample beside the published figures, and the time to fit 100,000 customers.

Run: ``python benchmarks/btyd.py [--customers 100000]``. The sample is Fader and Hardie's, 2,357 customers, known to
1997-09-30, in weeks; gamma-gamma sees the mean value of the repeat purchase days. The published figures are those of
Fader, Hardie and Lee (2005) and Fader and Hardie (2013), to the digits commonly reproduced. The crowd is drawn
from the fitted model, its days whole. The peer is the plain way: scipy on one term a customer, no gradient.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, gammaln

from _machine import machine, peak_megabytes
from tierlens.datasets.examples import cdnow_source
from tierlens.features.btyd import BuyTillDie, Histories, fit_btyd, fit_gamma_gamma
from tierlens.sources.staging.files import expand_paths
from tierlens.sources.tables import day_number

END = day_number("1997-09-30")
PUBLISHED = {"r": "0.2426", "alpha": "4.4136", "a": "0.7929", "b": "2.4259", "log-likelihood": "-9582.429",
             "p": "6.2496", "q": "3.7442", "v": "15.4435"}  # fmt: skip
LIMIT = 2.0
"""Seconds that 100,000 customers may take."""


def purchases(path: Path) -> dict[str, dict[int, float]]:
    """Amount of each purchase day of each customer, up to the end; orders without a value count as purchases."""
    found: dict[str, dict[int, float]] = {}
    with path.open(encoding="utf-8") as lines:
        for _, customer, date, _, amount in csv.reader(lines, delimiter=" ", skipinitialspace=True):
            day = day_number(f"{date[:4]}-{date[4:6]}-{date[6:]}")
            if day <= END:
                days = found.setdefault(customer, {})
                days[day] = days.get(day, 0.0) + float(amount)
    return found


def histories(days: dict[str, dict[int, float]]) -> Histories:
    """Return repeats, time to the last one and time known, in weeks."""
    first, last = (np.array([pick(days[name]) for name in sorted(days)]) for pick in (min, max))
    repeats = np.array([len(days[name]) - 1.0 for name in sorted(days)])
    return Histories(repeats, (last - first) / 7, (END - first) / 7)


def crowd(model: BuyTillDie, customers: int, seed: int) -> Histories:
    """Draw customers from a model, known for 1 to 365 days, purchases told by the day."""
    rng = np.random.default_rng(seed)
    known = rng.integers(1, 366, customers) / 7
    rate, leave = rng.gamma(model.r, 1 / model.alpha, customers), rng.beta(model.a, model.b, customers)
    now, last, repeats, alive = np.zeros(customers), np.zeros(customers), np.zeros(customers), np.ones(customers, bool)
    while alive.any():
        now = now + rng.exponential(1.0, customers) / np.maximum(rate, 1e-12)
        alive &= now < known
        last, repeats = np.where(alive, now, last), repeats + alive
        alive &= rng.random(customers) >= leave
    return Histories(repeats, np.floor(last * 7) / 7, known)


def plain_fit(known: Histories) -> Any:
    """Fit BG/NBD as it is usually written: every customer a term, gradients by differences."""
    scale = known.T.max() / 10
    x, t_x, end = known.x, known.t_x / scale, known.T / scale

    def loss(theta: Any) -> float:
        r, alpha, a, b = np.exp(theta)
        first = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        stay = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + end)
        gone = betaln(a + 1, b + np.maximum(x, 1) - 1) - betaln(a, b) - (r + x) * np.log(alpha + t_x)
        return -float((first + np.where(x > 0, np.logaddexp(stay, gone), stay)).mean())

    best = minimize(loss, np.zeros(4), method="L-BFGS-B", bounds=[(-9, 9)] * 4, options={"ftol": 1e-12, "gtol": 1e-8})
    return -best.fun * len(known) - known.x.sum() * np.log(scale)


def timed(work: Any, times: int = 3) -> tuple[Any, float]:
    """Return the result and the least of some times."""
    spent, found = [], None
    for _ in range(times):
        started = time.perf_counter()
        found = work()
        spent.append(time.perf_counter() - started)
    return found, min(spent)


def main() -> int:
    """Print the tables; 1 where a published digit or the time is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    asked = parser.parse_args()
    print(machine("scipy", "numpy"))
    days = purchases(expand_paths(cdnow_source().files)[0])
    known = histories(days)
    found, took = timed(lambda: fit_btyd(known))
    values = [[days[n][day] for day in sorted(days[n])[1:]] for n in sorted(days) if len(days[n]) > 1]
    spending = fit_gamma_gamma([len(v) for v in values], [float(np.mean(v)) for v in values])
    ours = {"r": found.r, "alpha": found.alpha, "a": found.a, "b": found.b, "log-likelihood": found.log_likelihood,
            "p": spending.p, "q": spending.q, "v": spending.v}  # fmt: skip
    print(f"\nCDNOW sample, {len(known):,} customers, BG/NBD in {took:.3f} s")
    print(f"{'':16}{'tierlens':>14}{'published':>14}  same digits")
    missed = 0
    for name, digits in PUBLISHED.items():
        said = f"{ours[name]:.{len(digits.split('.')[1])}f}"
        missed += said != digits
        print(f"{name:16}{said:>14}{digits:>14}  {'yes' if said == digits else 'NO'}")
    many = crowd(found, asked.customers, seed=1)
    again, fast = timed(lambda: fit_btyd(many))
    likelihood, slow = timed(lambda: plain_fit(many), times=1)
    rows = len(np.unique(np.column_stack([many.x, many.t_x, many.T]), axis=0))
    print(f"\n{len(many):,} customers drawn from it, known for 1 to 365 days ({rows:,} different histories)")
    print(f"{'way':34}{'seconds':>9}{'log-likelihood':>17}")
    print(f"{'tierlens, grouped':34}{fast:>9.2f}{again.log_likelihood:>17.3f}")
    print(f"{'scipy, one term a customer':34}{slow:>9.2f}{likelihood:>17.3f}")
    print(f"{slow / fast:.1f} times as fast; {'under' if fast < LIMIT else 'OVER'} {LIMIT:.0f} s")
    for how, model in (("drawn with", found), ("found again", again)):
        print(f"{how:14}r {model.r:.4f}  alpha {model.alpha:.4f}  a {model.a:.4f}  b {model.b:.4f}")
    print(f"peak {peak_megabytes():.0f} MB")
    return int(missed > 0 or fast >= LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
