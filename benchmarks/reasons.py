"""The reasons of finished runs: what tells them, what moves the risks, and whether any sentence breaks a rule.

Run: ``python benchmarks/reasons.py RUN [RUN ...]`` with folders of finished runs; ``make reasons`` makes the demo and a
run of the simulated shop first. It fails when a rule is broken. The rules are asked of the values in
``reasons.parquet``, ``customers.parquet`` and ``snapshots.parquet``, not of the code that made the sentences:

1. a value is never printed equal to what it is compared with;
2. the side agrees with the direction that the catalog declares, or the reason is marked as background;
3. no missing value is a reason;
4. no reason has less than one point of risk;
5. no reason speaks of a learned input, or of a feature that no reader knows by its name;
6. base, level, reasons and what is left unsaid sum to the risk;
7. at most three reasons raise a risk and two lower it, none told twice.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from _machine import machine
from tierlens.explain.reason_words import SILENT
from tierlens.features.catalog import WHOLE
from tierlens.features.expected import EXPECTED
from tierlens.segments.figures import say_value
from tierlens.sources.tables import Currency

LEARNED = {*EXPECTED, "rule_p", "fall_p", "fall_odds"}
OUTCOMES = ("churn", "downgrade")
TOLD = [f"raised_by_{n}" for n in (1, 2, 3)] + [f"lowered_by_{n}" for n in (1, 2)]


def is_equal_in_print(row: pd.Series, currency: Currency) -> bool:
    """Say whether the two values of a reason are written alike."""
    unit = WHOLE[row.feature].unit if row.feature in WHOLE else "points"
    return say_value(row.value, unit, currency).en == say_value(row.compared, unit, currency).en


def is_on_the_wrong_side(row: pd.Series) -> bool:
    """Say whether the value stands on the side that the declared direction of its feature forbids."""
    if row.feature not in WHOLE:
        return False
    direction = WHOLE[row.feature].direction
    if direction == "none":
        return not row.is_background
    worse = row.value < row.compared if direction == "up" else row.value > row.compared
    return bool(worse) != (row.side == "raises")


def does_not_sum(customers: pd.DataFrame, outcome: str) -> int:
    """Count customers whose points do not lead from the base to the risk."""
    rows = customers[customers[f"{outcome}_risk"].notna() & customers[f"{outcome}_base"].notna()]
    told = sum((rows[f"{outcome}_{name}_points"].fillna(0.0) for name in TOLD), pd.Series(0.0, rows.index))
    points = told + rows[f"{outcome}_level_points"] + rows[f"{outcome}_other_points"]
    return int(((100 * rows[f"{outcome}_base"] + points - 100 * rows[f"{outcome}_risk"]).abs() > 1e-4).sum())


def broken_rules(reasons: pd.DataFrame, customers: pd.DataFrame, currency: Currency) -> dict[str, int]:
    """Count the sentences (of rule 6: the customers) that break each rule."""
    many = reasons.groupby(["customer_id", "risk", "side"]).size()
    most = many.index.get_level_values("side").map({"raises": 3, "lowers": 2}).to_numpy()
    twice = reasons.duplicated(["customer_id", "risk", "topic"]).sum()
    asked: dict[str, Callable[[], int]] = {
        "1 equal to what it is compared with": lambda: reasons.apply(
            is_equal_in_print, axis=1, currency=currency
        ).sum(),
        "2 on the wrong side": lambda: reasons.apply(is_on_the_wrong_side, axis=1).sum(),
        "3 a missing value": lambda: reasons[["value", "compared"]].isna().any(axis=1).sum(),
        "4 under one point": (reasons.points.abs() < 1.0).sum,
        "5 a name that nobody knows": lambda: reasons.feature.isin(LEARNED | SILENT).sum(),
        "6 points that do not sum": lambda: sum(does_not_sum(customers, outcome) for outcome in OUTCOMES),
        "7 too many, or one twice": lambda: int((many.to_numpy() > most).sum()) + int(twice),
    }
    return {name: int(count()) for name, count in asked.items()}


def shares(reasons: pd.DataFrame, column: str) -> str:
    """Return the commonest values of a column of the strongest reasons that raise a risk, in per cent."""
    first = reasons[(reasons.side == "raises") & (reasons["rank"] == 1)]
    counts = first[column].fillna("outside the scheme").value_counts(normalize=True)
    return ", ".join(f"{name} {share:.0%}" for name, share in counts.head(8).items())


def told_points(customers: pd.DataFrame, outcome: str) -> str:
    """Say how much of what moves the risks is told: absolute points told beside those left unsaid."""
    rows = customers[customers[f"{outcome}_base"].notna()]
    told = np.nansum([rows[f"{outcome}_{name}_points"].abs() for name in TOLD])
    left = rows[f"{outcome}_other_points"].abs().sum()
    return f"{told / max(len(rows), 1):.1f} points told a customer, {left / max(len(rows), 1):.1f} left unsaid (net)"


def report(folder: Path) -> int:
    """Print the figures of a run and return how many sentences break a rule."""
    reasons, customers = (pd.read_parquet(folder / name) for name in ("reasons.parquet", "customers.parquet"))
    findings = json.loads((folder / "findings.json").read_text("utf-8"))
    currency = Currency(findings["about"]["currency"], minor=findings["about"]["minor"])
    print(f"\n{folder}: {len(customers):,} customers, {len(reasons):,} reasons")
    for risk in findings["risks"]:
        outcome = risk["outcome"]
        mine = reasons[reasons.risk == outcome]
        print(f"  {outcome}: {len(mine):,} reasons; {told_points(customers, outcome)}")
        for title, column in (("strongest that raises", "code"), ("its indicator", "indicator")):
            print(f"    {title:22} {shares(mine, column)}")
        for title, key in (("|SHAP| by indicator", "indicators"), ("|SHAP| by dimension", "dimensions"),
                           ("|SHAP| by feature", "features")):  # fmt: skip
            weights = risk["why"][key][:8]
            print(f"    {title:22} " + ", ".join(f"{one['name'][0]} {one['share']:.1%}" for one in weights))
    broken = broken_rules(reasons, customers, currency)
    for name, count in broken.items():
        print(f"  rule {name:38} {count:6,} of {len(customers if name[0] == '6' else reasons):,}")
    return sum(broken.values())


def main() -> int:
    """Print all runs; fail where a rule is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    print(machine("lightgbm"))
    broken = sum(report(folder) for folder in parser.parse_args().runs)
    print(f"\n{broken:,} sentences break a rule")
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
