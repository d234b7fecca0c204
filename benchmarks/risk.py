"""Churn on Online Retail II: tierlens beside its baselines, every choice made before the cutoff that is tested.

Run: ``python benchmarks/risk.py [--draws 500]``. Population: a purchase in the 365 days before a cutoff. Churn: none in
the 90 days from it on. Test cutoffs: the first of the months January to June 2011. For each, everything, calibration
and the level included, is learned from monthly cutoffs whose 90 days had passed by then.
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
from tierlens.datasets.examples import retail_source
from tierlens.features.catalog import CATALOG
from tierlens.features.product_mix import learn_mix, product_mix
from tierlens.features.seasonal_btyd import EXPECTATIONS, season_table, seasonal_expectations
from tierlens.features.snapshot import build_snapshots, to_arrow
from tierlens.features.windows import Window, month_starts
from tierlens.risk.evaluation.baselines import BASELINES, float_column
from tierlens.risk.evaluation.bootstrap import Rows, metric_table, paired_difference, percentile_interval
from tierlens.risk.evaluation.metrics import auc, average_precision, brier, calibration_error, lift_at
from tierlens.risk.evaluation.profit import expected_maximum_profit
from tierlens.risk.model.classifier import RiskClassifier
from tierlens.risk.model.level import forecast_rate
from tierlens.risk.model.linear import Rows as Lines
from tierlens.risk.model.linear import logit, ridge_logistic, sigmoid
from tierlens.risk.outcome import churn_outcomes, closed_cutoffs
from tierlens.sources.read import read_tables
from tierlens.sources.tables import Tables, day_date

KEY = ["customer_id", "cutoff"]
WINDOW = Window(observe=365, gap=0, horizon=90)
FIRST, TESTS = "2010-02-01", ("2011-01-01", "2011-06-01")
CATALOG_COLUMNS = list(CATALOG)
BASELINES_ONLY = [name for name in EXPECTATIONS if name != "sea_p0"]
"""Expectations that the model does not read: of all of them it adds to one, whose inputs explain it."""


def rows_of(tables: Tables, cutoffs: list[int]) -> pd.DataFrame:
    """Features, expectations and outcome of all cutoffs."""
    parts = [
        to_arrow(build_snapshots(tables, cutoffs, WINDOW)),
        seasonal_expectations(tables, cutoffs, WINDOW),
        to_arrow(churn_outcomes(tables, cutoffs, WINDOW)),
    ]
    found = parts[0].to_pandas()
    for part in parts[1:]:
        found = found.merge(part.to_pandas(), on=KEY, validate="1:1")
    return found


def log_rfm_and_p0(train: pd.DataFrame, outcome: Any) -> Any:
    """Logistic regression on log-RFM and the seasonal probability: a stronger yardstick than what is usual."""

    def design(rows: pd.DataFrame) -> Any:
        rfm = [np.log1p(np.maximum(float_column(rows, name), 0)) for name in ("recency_days", "frequency", "monetary")]
        return np.column_stack([*rfm, logit(float_column(rows, "sea_p0"))])

    y = np.asarray(outcome, dtype=float)
    line = ridge_logistic(Lines(design(train), y, np.ones(len(y)), np.zeros(len(y))), 1.0)
    return lambda rows: sigmoid(line.intercept + design(rows) @ line.weights)


def tierlens_risk(tables: Tables, rows: pd.DataFrame, test: int, season: pd.DataFrame) -> Any:
    """Risk at the test cutoff by the default model, with what was known at that cutoff."""
    closed, _ = closed_cutoffs(tables, sorted(set(rows["cutoff"])), WINDOW)
    past = [day for day in closed if WINDOW.closes(day) <= test]
    here = rows[rows["cutoff"].isin([*past, test])]
    axes = learn_mix(tables, test, WINDOW)
    here = here.merge(product_mix(tables, [*past, test], axes, WINDOW).to_pandas(), on=KEY, validate="1:1")
    train, new = here[here["cutoff"] < test], here[here["cutoff"] == test]
    names = [name for name in here if name not in (*KEY, "churn", *BASELINES_ONLY)]
    model = RiskClassifier(prior="sea_p0", n_jobs=1).fit(train[names], train["churn"], cutoffs=train["cutoff"])
    rates = {int(day): float(rate) for day, rate in train.groupby("cutoff")["churn"].mean().items()}
    known = {day: float(season["known_p0"][day]) for day in past}
    rate = forecast_rate(rates, known, float(season["mean_p0"][test]))
    return model.predict_proba(new[names], cutoffs=new["cutoff"], base_rate=rate)[:, 1]


def baseline_scores(rows: pd.DataFrame, test: int) -> dict[str, Any]:
    """Score of each baseline at the test cutoff."""
    train, new = rows[rows["cutoff"] + WINDOW.horizon <= test], rows[rows["cutoff"] == test]
    found = {}
    for name, baseline in BASELINES.items():
        names = list(baseline.needs) or CATALOG_COLUMNS
        found[name] = baseline.fit(train[names], train["churn"])(new[names])
    found["log_rfm_sea_p0"] = log_rfm_and_p0(train, train["churn"])(new)
    return found


def print_ranking(rows: Rows, scores: dict[str, Any], draws: int) -> None:
    """Mean over test cutoffs of ranking measures, and the paired differences of AUC."""
    drawn = metric_table(auc, rows, scores, draws=draws, seed=1)
    others = {
        "AP": metric_table(average_precision, rows, scores, draws=0),
        "lift": metric_table(lambda y, p, w: lift_at(y, p, 0.1, w), rows, scores, draws=0),
    }
    print(f"\n{'model':24s}{'AUC':>8s}{'95 % interval':>18s}{'AP':>8s}{'lift 10 %':>10s}   tierlens minus it")
    for name in sorted(scores, key=lambda name: -drawn[name][0]):
        own = percentile_interval(drawn[name])
        apart = "" if name == "tierlens" else str(paired_difference(drawn, "tierlens", name))
        line = f"{name:24s}{own.value:8.4f}{own.low:9.4f} - {own.high:.4f}"
        print(f"{line}{others['AP'][name][0]:8.4f}{others['lift'][name][0]:10.3f}   {apart}")


def print_probability(rows: Rows, scores: dict[str, Any]) -> None:
    """Mean over test cutoffs of what probabilities are worth, for models that give one."""
    is_risk = [name for name in scores if name not in BASELINES or BASELINES[name].is_risk]
    print(f"\n{'model':24s}{'Brier':>8s}{'calibration error':>20s}{'mean risk - rate':>20s}{'EMP':>8s}")
    y = np.asarray(rows.outcome)
    for name in is_risk:
        values = [
            (brier(y[p], scores[name][p]), calibration_error(y[p], scores[name][p]),
             abs(scores[name][p].mean() - y[p].mean()), expected_maximum_profit(y[p], scores[name][p]).profit)
            for p in rows.parts()
        ]  # fmt: skip
        mean = np.mean(values, axis=0)
        print(f"{name:24s}{mean[0]:8.4f}{mean[1]:20.4f}{mean[2]:20.4f}{mean[3]:8.2f}")


def print_cutoffs(rows: pd.DataFrame, tests: list[int], scores: dict[str, Any]) -> None:
    """Cutoff by cutoff: customers, rate, mean risk, and AUC of tierlens and the two best-known baselines."""
    named = ("tierlens", "btyd_p0", "log_rfm")
    print(f"\n{'cutoff':12s}{'rows':>7s}{'rate':>8s}{'mean risk':>11s}" + "".join(f"{name:>10s}" for name in named))
    days = rows["cutoff"].to_numpy()
    y = rows["churn"].to_numpy()
    for test in tests:
        here = days == test
        aucs = "".join(f"{auc(y[here], scores[name][here]):10.4f}" for name in named)
        risk = scores["tierlens"][here].mean()
        print(f"{day_date(test)!s:12s}{here.sum():7d}{y[here].mean():8.3f}{risk:11.3f}{aucs}")


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=500, help="bootstrap draws of customers")
    parser.add_argument("--tests", nargs=2, default=TESTS, metavar=("FROM", "TO"), help="first and last test cutoff")
    args = parser.parse_args()
    started = time.perf_counter()
    print(machine("lightgbm", "scikit-learn", "duckdb"))
    tables = read_tables(retail_source()).tables
    tests = month_starts(*args.tests)
    cutoffs = closed_cutoffs(tables, month_starts(FIRST, args.tests[1]), WINDOW)[0]
    rows = rows_of(tables, cutoffs)
    season = season_table(tables, cutoffs, WINDOW).to_pandas().set_index("cutoff")
    print(f"{len(rows)} snapshots of {len(cutoffs)} cutoffs, {len(CATALOG_COLUMNS) + len(EXPECTATIONS)} features, "
          f"ready after {time.perf_counter() - started:.1f} s")  # fmt: skip
    blocks: dict[str, list[Any]] = {}
    for test in tests:
        found = {"tierlens": tierlens_risk(tables, rows, test, season), **baseline_scores(rows, test)}
        for name, score in found.items():
            blocks.setdefault(name, []).append(score)
    scores = {name: np.concatenate(parts) for name, parts in blocks.items()}
    tested = rows[rows["cutoff"].isin(tests)]
    given = Rows(tested["churn"].to_numpy(), tested["customer_id"].to_numpy(), tested["cutoff"].to_numpy())
    print_ranking(given, scores, args.draws)
    print_probability(given, scores)
    print_cutoffs(tested, tests, scores)
    print(f"\n{time.perf_counter() - started:.0f} s, peak {peak_megabytes():.0f} MB")


if __name__ == "__main__":
    main()
