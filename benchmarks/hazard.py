"""Simulated shop: predicted risk of churn beside the true one, and who of those hit by a shock is found.

Run: ``python benchmarks/hazard.py [--customers 3000] [--seed 1]``. The process that makes the data gives each
customer's true probability of no purchase in 90 days, and the true hazard of leaving, at any cutoff. Three cutoffs are
tested: six weeks after a service failure that hit most customers of two regions, and two calm ones. Population: a
purchase in the 365 days before. Models are learned from monthly cutoffs whose 90 days had passed by then.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import argparse
import time
from typing import Any

import numpy as np
import pandas as pd

from _machine import machine, peak_megabytes
from tierlens.datasets.simulate import Simulated, simulated_shop
from tierlens.features.catalog import CATALOG, available_features
from tierlens.features.seasonal_btyd import season_table, seasonal_expectations
from tierlens.features.snapshot import build_snapshots, to_arrow
from tierlens.features.windows import Window, cutoff_days, month_starts
from tierlens.risk.evaluation.baselines import BASELINES
from tierlens.risk.model.classifier import RiskClassifier
from tierlens.risk.model.level import forecast_rate
from tierlens.risk.outcome import churn_outcomes
from tierlens.sources.tables import Tables, day_date, day_number

KEY = ["customer_id", "cutoff"]
WINDOW = Window(observe=365, gap=0, horizon=90)
FIRST, TESTS = "2023-07-01", ("2024-12-01", "2025-04-01", "2025-09-01")
SHOCK, AFTER = "service_failure_on", "2024-12-01"
BINS = 10


def rows_of(tables: Tables, cutoffs: list[int]) -> pd.DataFrame:
    """All features that the tables allow, expectations and outcome."""
    found = to_arrow(build_snapshots(tables, cutoffs, WINDOW, features=available_features(tables))).to_pandas()
    for part in (seasonal_expectations(tables, cutoffs, WINDOW), to_arrow(churn_outcomes(tables, cutoffs, WINDOW))):
        found = found.merge(part.to_pandas(), on=KEY, validate="1:1")
    return found


def coded(rows: pd.DataFrame) -> pd.DataFrame:
    """Give levels of text as numbers, which is all that plain LightGBM takes; missing stays missing."""
    texts = [name for name in rows if name not in KEY and not pd.api.types.is_numeric_dtype(rows[name])]
    codes = {name: rows[name].astype("category").cat.codes.where(rows[name].notna()) for name in texts}
    return rows.assign(**codes)


def scores_at(rows: pd.DataFrame, test: int, season: pd.DataFrame, beside: list[str]) -> dict[str, Any]:
    """Risk at a cutoff by tierlens and baselines, with and without the tables beside transactions."""
    train, new = rows[rows["cutoff"] + WINDOW.horizon <= test], rows[rows["cutoff"] == test]
    rates = {int(day): float(rate) for day, rate in train.groupby("cutoff")["churn"].mean().items()}
    known = {day: float(season["known_p0"][day]) for day in rates}
    rate = forecast_rate(rates, known, float(season["mean_p0"][test]))
    plain = list(CATALOG)
    found = {}
    for name, columns in (("tierlens", [*plain, *beside]), ("tierlens, transactions alone", plain)):
        names = [*columns, "sea_p0"]
        model = RiskClassifier("sea_p0", seeds=1, n_jobs=0).fit(train[names], train["churn"], cutoffs=train["cutoff"])
        found[name] = model.predict_proba(new[names], cutoffs=new["cutoff"], base_rate=rate)[:, 1]
    train, new = coded(train), coded(new)
    for name, columns in (("LightGBM, default", [*plain, *beside]), ("LightGBM, transactions alone", plain)):
        found[name] = BASELINES["lightgbm"].fit(train[columns], train["churn"])(new[columns])
    found["log-RFM regression"] = BASELINES["log_rfm"].fit(train, train["churn"])(new)
    found["BG/NBD, no labels"] = BASELINES["btyd_p0"].fit(None, [])(new)
    found["recency"] = BASELINES["recency"].fit(None, [])(new)
    return found


def truth_beside(shop: Simulated, new: pd.DataFrame, test: int) -> pd.DataFrame:
    """Return the true chance of no purchase, the true hazard of those still there, and whom the shock hit."""
    risk = shop.truth_at(test, WINDOW.horizon).to_pandas().set_index("customer_id").loc[new["customer_id"]]
    story = shop.truth.to_pandas().set_index("customer_id").loc[new["customer_id"]]
    hit = story[SHOCK].notna() & (story[SHOCK] < test)
    lost = hit & (story["cause"] == SHOCK.removesuffix("_on").replace("_", " "))
    return risk.assign(hit=hit, lost=lost & risk["active"])


def tops(score: Any) -> Any:
    """Say who belongs to the tenth with the highest scores."""
    return pd.Series(np.asarray(score)).rank(method="first", ascending=False).to_numpy() <= len(score) / BINS


def measures(score: Any, truth: pd.DataFrame, *, is_risk: bool) -> dict[str, float]:
    """Rank correlation with the truth, and mean distance from it by tenths of predicted risk."""
    from scipy.stats import spearmanr

    active = truth["active"].to_numpy()
    found = {
        "rank": float(spearmanr(score, truth["no_purchase"]).statistic),
        "hazard": float(spearmanr(np.asarray(score)[active], truth["hazard"].to_numpy()[active]).statistic),
        "apart": np.nan,
    }
    if is_risk:
        bins = deciles(score, truth)
        found["apart"] = float((bins["predicted"] - bins["true"]).abs().mean())
    return found


def deciles(score: Any, truth: pd.DataFrame) -> pd.DataFrame:
    """Mean predicted and mean true probability by tenths of predicted risk."""
    place = pd.qcut(pd.Series(np.asarray(score)).rank(method="first"), BINS, labels=False)
    table = pd.DataFrame({"predicted": np.asarray(score), "true": truth["no_purchase"].to_numpy()})
    return table.groupby(place.to_numpy()).mean()


def shocked(score: Any, truth: pd.DataFrame) -> tuple[float, float, float]:
    """Shares found in the top tenth: of those hit; among those still there, of those hit and of those who leave for it.

    The top tenth of all has mostly left already, which the truth knows and the shock need not have done.
    """
    active, hit = truth["active"].to_numpy(), truth["hit"].to_numpy()
    there = tops(score[active])
    return (
        float(tops(score)[hit].mean()),
        float(there[hit[active]].mean()),
        float(there[truth["lost"].to_numpy()[active]].mean()),
    )


def print_hit(test: int, truth: pd.DataFrame) -> None:
    """Say how many the shock hit."""
    hit, active = truth["hit"], truth["active"]
    print(f"{day_date(test)}: {len(truth)} customers, {hit.sum()} of them hit by the shock; {(hit & active).sum()} of "
          f"these are still there, and {truth['lost'].sum()} will leave for it")  # fmt: skip


def print_models(found: dict[str, list[dict[str, float]]], finds: dict[str, tuple[float, float, float]]) -> None:
    """One line a model, means over the cutoffs."""
    print("rank correlation with the true chance of no purchase, and with the true hazard among those still there; "
          "mean distance\nof predicted and true chance by tenths of risk; shares found in the top tenth")  # fmt: skip
    head = f"{'model':32s}{'rank corr.':>11s}{'with hazard':>12s}{'by decile':>10s}"
    print(f"\n{head}{'hit':>8s}{'hit, there':>12s}{'leaving, there':>16s}")
    for name, values in found.items():
        mean = pd.DataFrame(values).mean()
        apart = f"{mean['apart']:10.4f}" if np.isfinite(mean["apart"]) else f"{'-':>10s}"
        print(f"{name:32s}{mean['rank']:11.4f}{mean['hazard']:12.4f}{apart}"
              + f"{finds[name][0]:8.3f}{finds[name][1]:12.3f}{finds[name][2]:16.3f}")  # fmt: skip


def print_deciles(tables: list[pd.DataFrame]) -> None:
    """Predicted and true probability of tierlens by tenths of predicted risk, means over the cutoffs."""
    mean = sum(tables) / len(tables)
    print()
    for name in ("predicted", "true"):
        print(f"tierlens, {name:10s}" + "".join(f"{value:7.3f}" for value in mean[name]))


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    started = time.perf_counter()
    print(machine("lightgbm", "scikit-learn", "duckdb"))
    shop = simulated_shop(customers=args.customers, months=36, seed=args.seed)
    tests = cutoff_days(TESTS)
    cutoffs = month_starts(FIRST, TESTS[-1])
    rows = rows_of(shop.tables, cutoffs)
    season = season_table(shop.tables, cutoffs, WINDOW).to_pandas().set_index("cutoff")
    beside = [name for name in available_features(shop.tables) if name not in CATALOG]
    print(f"{args.customers} customers, {len(rows)} snapshots of {len(cutoffs)} cutoffs, {len(CATALOG)} features of "
          f"transactions, {len(beside)} of other tables")  # fmt: skip
    found: dict[str, list[dict[str, float]]] = {}
    finds: dict[str, tuple[float, float, float]] = {}
    tables = []
    for test in tests:
        truth = truth_beside(shop, rows[rows["cutoff"] == test], test)
        scores = {"truth": truth["no_purchase"].to_numpy(), **scores_at(rows, test, season, beside)}
        tables.append(deciles(scores["tierlens"], truth))
        if test == day_number(AFTER):
            finds = {name: shocked(score, truth) for name, score in scores.items()}
            print_hit(test, truth)
        for name, score in scores.items():
            found.setdefault(name, []).append(measures(score, truth, is_risk=name not in ("recency", "truth")))
    print_models(found, finds)
    print_deciles(tables)
    print(f"\n{time.perf_counter() - started:.0f} s, peak {peak_megabytes():.0f} MB")


if __name__ == "__main__":
    main()
