"""Downgrade on Online Retail II: who falls a tier within 90 days, tierlens beside the roll-off rule and other models.

Run: ``python benchmarks/downgrade.py [--draws 500]``. Tiers by the spend of the 365 days before a cutoff (before
returns): A the top 5 %, B the next 15 %, C the next 30 %, D the rest, as the amounts stood on 2010-12-01. Downgrade: a
lower tier 90 days later. Test cutoffs: the first of March to June 2011. All models are learned from monthly cutoffs
whose 90 days had passed by then; every choice was made on cutoffs before March 2011 (``--tests`` shows those).
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from _machine import machine, peak_megabytes
from tierlens.datasets.examples import retail_source
from tierlens.features.catalog import CATALOG
from tierlens.features.seasonal_btyd import EXPECTATIONS, season_table, seasonal_expectations
from tierlens.features.snapshot import build_snapshots, to_arrow
from tierlens.features.windows import Window, cutoff_days, month_starts
from tierlens.risk.evaluation.baselines import boosted_fit, roll_off
from tierlens.risk.evaluation.bootstrap import Rows, metric_table, paired_difference, percentile_interval
from tierlens.risk.evaluation.metrics import auc, average_precision, calibration_error
from tierlens.risk.falling import learn_spending
from tierlens.risk.model.level import forecast_rate
from tierlens.risk.model.linear import logit
from tierlens.risk.outcome import closed_cutoffs, spend_in_horizon
from tierlens.risk.spend_needed import HISTORY
from tierlens.sources.read import read_tables
from tierlens.sources.tables import Tables, day_date

KEY = ["customer_id", "cutoff"]
WINDOW = Window(observe=365, gap=0, horizon=90)
FIRST, FIXED, TESTS = "2010-03-01", "2010-12-01", ("2011-03-01", "2011-06-01")
SHARES = (0.50, 0.80, 0.95)
RFM = ["recency_days", "frequency", "spend", "bound"]
ROLLED = ["bound", "left", "need", "need_share"]
REGULARISED = {"num_leaves": 15, "learning_rate": 0.02, "rounds": 300, "feature_fraction": 0.5}
RULE, ROLL = "roll-off rule", "LightGBM, roll-off"
Scores = dict[str, Any]


def rows_of(tables: Tables, cutoffs: list[int]) -> pd.DataFrame:
    """Features, expectations, what is left of the spend when the horizon ends, and what was spent in it."""
    ahead = build_snapshots(tables, cutoffs, WINDOW, features=["spend"], everyone=True, ahead=WINDOW.horizon)
    left = to_arrow(ahead).to_pandas().rename(columns={"spend": "left"})
    found = to_arrow(build_snapshots(tables, cutoffs, WINDOW)).to_pandas().merge(left, on=KEY, validate="1:1")
    for part in (seasonal_expectations(tables, cutoffs, WINDOW), to_arrow(spend_in_horizon(tables, cutoffs, WINDOW))):
        found = found.merge(part.to_pandas(), on=KEY, validate="1:1")
    return found


def with_tiers(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the least spend that keeps each customer's tier, the need, and whether the tier falls."""
    cuts = np.quantile(rows.loc[rows["cutoff"] == cutoff_days(FIXED)[0], "spend"], SHARES)
    place = np.searchsorted(cuts, rows["spend"], side="right") - 1
    bound = np.where(place >= 0, cuts[np.maximum(place, 0)], np.nan)
    need = bound - rows["left"]
    fell = (rows["left"] + rows["spend_in_horizon"] < bound).astype(float).where(place >= 0)
    return rows.assign(bound=bound, need=need, need_share=need / bound, downgrade=fell)


def tierlens_risk(rows: pd.DataFrame, test: int, season: pd.DataFrame) -> Any:
    """Chance of spending less than the need, by what was known at the test cutoff."""
    train, new = rows[rows["cutoff"] + WINDOW.horizon <= test], rows[rows["cutoff"] == test]
    names = [name for name in (*CATALOG, *EXPECTATIONS) if name not in HISTORY]
    model = learn_spending(train, train["spend_in_horizon"], train["cutoff"], names)
    rates = {int(day): float(rate) for day, rate in (train["bought"] == 0).groupby(train["cutoff"]).mean().items()}
    known = {day: float(season["known_p0"][day]) for day in rates}
    guess = float(season["mean_p0"][test])
    level = float(logit(forecast_rate(rates, known, guess)) - logit(guess))
    return model.chance(new, new["need"], new["cutoff"], level=level)


def hurdle(train: pd.DataFrame, new: pd.DataFrame) -> Any:
    """P(no purchase) + P(purchase) x P(log spend < log need): two regularised LightGBMs and a normal distribution."""
    import lightgbm as lgb
    from scipy.stats import norm

    names = list(CATALOG)
    never = boosted_fit(**REGULARISED)(train[names], train["bought"] == 0)(new[names])
    buyers = train[train["bought"] > 0]
    y = np.log(buyers["spend_in_horizon"].to_numpy())
    settings = {"objective": "l2", "verbose": -1, "seed": 1, "deterministic": True, "force_row_wise": True}
    settings |= {name: value for name, value in REGULARISED.items() if name != "rounds"}
    booster = lgb.train(settings, lgb.Dataset(buyers[names].to_numpy(dtype=float), y), REGULARISED["rounds"])
    spread = float(np.std(y - booster.predict(buyers[names].to_numpy(dtype=float))))
    log_need = np.log(np.maximum(new["need"], 1e-9))
    below = norm.cdf((log_need - booster.predict(new[names].to_numpy(dtype=float))) / spread)
    return np.where(new["need"] > 0, never + (1 - never) * below, 0.0)


def baseline_scores(rows: pd.DataFrame, test: int) -> Scores:
    """Score of each baseline for those who can fall at the test cutoff or not, all above the lowest tier."""
    past = rows[rows["cutoff"] + WINDOW.horizon <= test]
    above, new = past[past["downgrade"].notna()], rows[(rows["cutoff"] == test) & rows["downgrade"].notna()]
    wide = [*CATALOG, *ROLLED]
    fits: dict[str, tuple[Callable[..., Any], list[str]]] = {
        "LightGBM, RFM": (boosted_fit(**REGULARISED), RFM),
        ROLL: (boosted_fit(), wide),
        f"{ROLL}, regularised": (boosted_fit(**REGULARISED), wide),
    }
    found: Scores = {RULE: roll_off("bound", "left").fit(None, [])(new)}
    for name, (fit, names) in fits.items():
        found[name] = fit(above[names], above["downgrade"])(new[names])
    can = above[above["need"] > 0]
    inside = boosted_fit(**REGULARISED)(can[wide], can["downgrade"])(new[wide])
    found[f"{ROLL}, among those who can fall"] = np.where(new["need"] > 0, inside, 0.0)
    found["hurdle"] = hurdle(past, new)
    return found


def print_ranking(rows: Rows, scores: Scores, draws: int) -> None:
    """Mean over test cutoffs of AUC and AP, and paired differences of AP, resampled by customer."""
    drawn = metric_table(average_precision, rows, scores, draws=draws, seed=1)
    ranked = metric_table(auc, rows, scores, draws=0)
    print(f"{'model':48s}{'AUC':>8s}{'AP':>8s}{'95 % interval':>18s}   tierlens minus it (AP)")
    for name in sorted(scores, key=lambda name: -drawn[name][0]):
        own = percentile_interval(drawn[name])
        apart = "" if name == "tierlens" else str(paired_difference(drawn, "tierlens", name))
        print(f"{name:48s}{ranked[name][0]:8.4f}{own.value:8.4f}{own.low:9.4f} - {own.high:.4f}   {apart}")


def print_probability(rows: Rows, scores: Scores) -> dict[str, float]:
    """Mean probability beside the base rate, and calibration error; return the largest miss of each model's mean."""
    y, parts = np.asarray(rows.outcome), rows.parts()
    print(f"{'model':48s}{'mean risk':>10s}{'base rate':>10s}{'largest miss':>13s}{'calibration error':>18s}")
    missed = {}
    for name in (name for name in scores if name != RULE):
        apart = [float(scores[name][part].mean() - y[part].mean()) for part in parts]
        missed[name] = max(apart, key=abs)
        error = np.mean([calibration_error(y[part], scores[name][part]) for part in parts])
        means = [np.mean([values[part].mean() for part in parts]) for values in (scores[name], y)]
        print(f"{name:48s}{means[0]:10.3f}{means[1]:10.3f}{missed[name]:+13.3f}{error:18.4f}")
    return missed


def print_cutoffs(rows: pd.DataFrame, scores: Scores) -> None:
    """Cutoff by cutoff: rows, shares that can fall and that fall, mean risk, and AP."""
    print(f"{'cutoff':12s}{'rows':>6s}{'can fall':>9s}{'fall':>7s}{'mean risk':>10s}   AP of {', '.join(scores)}")
    for day, part in rows.reset_index(drop=True).groupby("cutoff"):
        here = part.index.to_numpy()
        shares = f"{(part['need'] > 0).mean():9.3f}{part['downgrade'].mean():7.3f}"
        found = "".join(f"{average_precision(part['downgrade'], values[here]):7.3f}" for values in scores.values())
        print(f"{day_date(day)!s:12s}{len(part):6d}{shares}{scores['tierlens'][here].mean():10.3f}   {found}")


def print_bars(drawn: dict[str, Any], missed: float) -> None:
    """Say of each bar whether it was reached."""
    from_rule = paired_difference(drawn, "tierlens", RULE)
    rivals = [name for name in drawn if name.startswith(ROLL)]
    best = max(rivals, key=lambda name: float(drawn[name][0]))
    from_best = paired_difference(drawn, "tierlens", best)
    for text, reached in (
        (f"AP above the rule by 0.04: {from_rule}", from_rule.value >= 0.04),
        (f"AP above the best of {len(rivals)} LightGBMs with roll-off features ({best}): {from_best}",
         from_best.above(0.0)),
        (f"mean probability within 0.03 of the base rate at every cutoff: {missed:+.3f}", abs(missed) <= 0.03),
    ):  # fmt: skip
        print(f"{'reached' if reached else 'MISSED':8s} {text}")


def score_all(tables: Tables, tests: list[int]) -> tuple[pd.DataFrame, Scores]:
    """Rows above the lowest tier at the test cutoffs, and the score of every model for them."""
    cutoffs = closed_cutoffs(tables, month_starts(FIRST, day_date(max(tests[-1], cutoff_days(FIXED)[0]))), WINDOW)[0]
    rows = with_tiers(rows_of(tables, cutoffs))
    season = season_table(tables, cutoffs, WINDOW).to_pandas().set_index("cutoff")
    blocks: dict[str, list[Any]] = {}
    for test in tests:
        asked = rows.loc[rows["cutoff"] == test, "downgrade"].notna().to_numpy()
        found = {"tierlens": tierlens_risk(rows, test, season)[asked], **baseline_scores(rows, test)}
        for name, score in found.items():
            blocks.setdefault(name, []).append(score)
    tested = rows[rows["cutoff"].isin(tests) & rows["downgrade"].notna()]
    return tested, {name: np.concatenate(parts) for name, parts in blocks.items()}


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=500, help="bootstrap draws of customers")
    parser.add_argument("--tests", nargs=2, default=TESTS, metavar=("FROM", "TO"), help="first and last test cutoff")
    args = parser.parse_args()
    started = time.perf_counter()
    print(machine("lightgbm", "scikit-learn", "duckdb"))
    tested, scores = score_all(read_tables(retail_source()).tables, month_starts(*args.tests))
    given = Rows(*(tested[name].to_numpy() for name in ("downgrade", "customer_id", "cutoff")))
    can = (tested["need"] > 0).to_numpy()
    inside = Rows(*(np.asarray(values)[can] for values in (given.outcome, given.customers, given.cutoffs)))
    within = {name: values[can] for name, values in scores.items()}
    print(f"\nAll {len(tested)} rows above the lowest tier")
    print_ranking(given, scores, args.draws)
    missed = print_probability(given, scores)
    print(f"\nThe {can.sum()} rows among them that can fall")
    print_ranking(inside, within, args.draws)
    print_probability(inside, within)
    print()
    print_cutoffs(tested, scores)
    print()
    print_bars(metric_table(average_precision, given, scores, draws=args.draws, seed=1), missed["tierlens"])
    print(f"\n{time.perf_counter() - started:.0f} s, peak {peak_megabytes():.0f} MB")


if __name__ == "__main__":
    main()
