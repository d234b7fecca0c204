"""Grading 1,000,000 customers by 12 indicators: tierlens beside the same scheme written by hand.

``python benchmarks/grading.py [customers]`` prints one table: seconds (best of five, each way in a process of its own)
and peak memory. The scheme is ``tiered_management``: six percentiles, four word tables, two given scales. Every way
reads the same Parquet file and makes the same columns; their scores are compared before times are printed.
"""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

RATINGS = ("AAA", "AA", "A", "BBB", "BB", "B", "CCC", "CC", "C", "D")
WORDS = ("excellent", "good", "fair", "poor", "bad")
CHANCES = ("high", "middle", "low")
FIVE = dict(zip(WORDS, (100, 75, 50, 25, 0), strict=True))
THREE = dict(zip(CHANCES, (100, 50, 0), strict=True))
TEN = dict(zip(RATINGS, (100, 90, 80, 70, 60, 50, 40, 30, 20, 0), strict=True))
PERCENTILES = {
    "amount": "monetary", "frequency": "frequency", "profit_contribution": "profit_contribution",
    "business_growth": "business_growth", "payment_record": "on_time_share", "repeat_rate": "repeat_rate",
}  # fmt: skip
TABLES = {
    "industry_outlook": ("industry_outlook", FIVE), "new_business": ("new_business_likelihood", THREE),
    "credit_rating": ("credit_rating", TEN), "financial_position": ("financial_position", FIVE),
}  # fmt: skip
GIVEN = {"recommendation": ("recommend_score", 0, 10), "brand_regard": ("brand_regard", 1, 5)}
WEIGHTS = {
    "value": (50, {"amount": 30, "frequency": 10, "profit_contribution": 10}),
    "potential": (30, {"industry_outlook": 10, "business_growth": 10, "new_business": 10}),
    "credit": (15, {"credit_rating": 5, "payment_record": 5, "financial_position": 5}),
    "loyalty": (5, {"repeat_rate": 2, "recommendation": 2, "brand_regard": 1}),
}
ALL = {name: weight for _, inside in WEIGHTS.values() for name, weight in inside.items()}


def make_customers(path: Path, number: int) -> None:
    """Write made-up customers: one value in ten is missing."""

    def some(expression: str, seed: int) -> str:
        return f"CASE WHEN hash(i, {seed}) % 10 > 0 THEN {expression} END"

    def draw(seed: int) -> str:
        return f"(hash(i, {seed + 100}) % 1000000 / 1000000.0)"

    columns = [
        f"{some(f'(exp(8 + 2 * {draw(1)}) * 100)::BIGINT', 1)} AS monetary",
        f"{some(f'(1 + 40 * {draw(2)} ** 3)::BIGINT', 2)} AS frequency",
        f"{some(draw(3), 3)} AS profit_contribution",
        f"{some(f'{draw(4)} - 0.3', 4)} AS business_growth",
        f"{some(f'round({draw(5)}, 2)', 5)} AS on_time_share",
        f"{some(f'round({draw(6)}, 3)', 6)} AS repeat_rate",
        f"{some(f'floor(11 * {draw(7)})', 7)} AS recommend_score",
        f"{some(f'1 + floor(5 * {draw(8)})', 8)} AS brand_regard",
    ]
    for seed, (column, known) in enumerate(TABLES.values(), start=20):
        words = "[" + ", ".join(f"'{word}'" for word in known) + "]"
        columns.append(f"{some(f'{words}[1 + (hash(i, {seed + 100}) % {len(known)})::BIGINT]', seed)} AS {column}")
    sql = f"SELECT 'C' || i AS customer_id, 15126::INTEGER AS cutoff, {', '.join(columns)} FROM range({number}) t(i)"
    duckdb.sql(f"COPY ({sql}) TO '{path}' (FORMAT parquet)")


def by_tierlens(path: Path) -> Any:
    """Grade with the library."""
    import narwhals as nw

    from tierlens.grading import grade, load_scheme
    from tierlens.sources.tables import Currency

    features = nw.from_native(duckdb.read_parquet(str(path)))
    graded = grade(features, load_scheme("tiered_management"), Currency("CNY"))
    return graded.to_native().to_arrow_table()


def _case(column: str, known: dict[str, int]) -> str:
    return f"CASE {column} " + " ".join(f"WHEN '{word}' THEN {points}.0" for word, points in known.items()) + " END"


def hand_sql(source: str) -> str:
    """Write the scheme as somebody who knows DuckDB would."""
    counted = ", ".join(
        f"counted_{name} AS (SELECT cutoff, {c}, count(*) AS equal FROM people WHERE {c} IS NOT NULL GROUP BY ALL), "
        f"placed_{name} AS (SELECT cutoff, {c}, 100 * (sum(equal) OVER (PARTITION BY cutoff ORDER BY {c}) - equal / 2)"
        f" / sum(equal) OVER (PARTITION BY cutoff) AS raw_{name} FROM counted_{name})"
        for name, c in PERCENTILES.items()
    )
    joins = " ".join(f"LEFT JOIN placed_{name} USING (cutoff, {c})" for name, c in PERCENTILES.items())
    points = [f"round(raw_{name}, 9) AS points_{name}" for name in PERCENTILES]
    points += [f"{_case(column, known)} AS points_{name}" for name, (column, known) in TABLES.items()]
    for name, (c, low, high) in GIVEN.items():
        line = f"round(({c} - {low}) * {100 / (high - low)}, 9)"
        points.append(f"CASE WHEN {c} BETWEEN {low} AND {high} THEN {line} END AS points_{name}")
    means = []
    for dimension, (_, inside) in WEIGHTS.items():
        over = " + ".join(f"coalesce({weight} * points_{name}, 0)" for name, weight in inside.items())
        under = " + ".join(
            f"CASE WHEN points_{name} IS NULL THEN 0 ELSE {weight} END" for name, weight in inside.items()
        )
        means.append(f"({over}) / nullif({under}, 0) AS mean_{dimension}")
    known = " + ".join(f"CASE WHEN points_{name} IS NULL THEN 0 ELSE {weight} END" for name, weight in ALL.items())
    over = " + ".join(f"coalesce({weight} * mean_{d}, 0)" for d, (weight, _) in WEIGHTS.items())
    under = " + ".join(f"CASE WHEN mean_{d} IS NULL THEN 0 ELSE {weight} END" for d, (weight, _) in WEIGHTS.items())
    scores = ", ".join(f"round(mean_{d}, 9) AS score_{d}" for d in WEIGHTS)
    listed = ", ".join(f"points_{name}" for name in ALL)
    return f"""
    WITH people AS (FROM {source}), {counted},
    pointed AS (SELECT customer_id, people.cutoff, {", ".join(points)} FROM people {joins}),
    meant AS (SELECT *, {", ".join(means)}, ({known}) / 100.0 AS coverage FROM pointed),
    scored AS (SELECT *, {scores}, round(({over}) / nullif({under}, 0), 9) AS score FROM meant)
    SELECT customer_id, cutoff, {listed}, {", ".join(f"score_{d}" for d in WEIGHTS)}, score,
           CASE WHEN score >= 85 THEN 'A' WHEN score >= 70 THEN 'B' WHEN score >= 55 THEN 'C'
                WHEN score < 55 THEN 'D' END AS tier,
           CASE WHEN score >= 85 THEN 1 WHEN score >= 70 THEN 2 WHEN score >= 55 THEN 3
                WHEN score < 55 THEN 4 END::INTEGER AS tier_rank, coverage, '' AS tags,
           rtrim(concat(CASE WHEN score IS NULL THEN 'not_graded ' ELSE '' END,
                        CASE WHEN coverage < 1 THEN 'missing ' ELSE '' END,
                        CASE WHEN coverage < 0.5 THEN 'low_coverage ' ELSE '' END,
                        CASE WHEN score BETWEEN 54 AND 56 OR score BETWEEN 69 AND 71 OR score BETWEEN 84 AND 86
                             THEN 'borderline ' ELSE '' END)) AS flags
    FROM scored
    """


def by_hand_sql(path: Path) -> Any:
    """Grade with SQL written by hand."""
    return duckdb.sql(hand_sql(f"read_parquet('{path}')")).to_arrow_table()


def by_pandas(path: Path) -> Any:
    """Grade with vectorised pandas."""
    import numpy as np
    import pandas as pd

    people = pd.read_parquet(path)
    out = people[["customer_id", "cutoff"]].assign(**_pandas_points(people))
    over, under = 0.0, 0.0
    for dimension, (share, inside) in WEIGHTS.items():
        points = out[[f"points_{name}" for name in inside]].to_numpy()
        there = ~np.isnan(points) * np.array(list(inside.values()))
        total = there.sum(axis=1)
        mean = np.nansum(points * there, axis=1) / np.where(total > 0, total, np.nan)
        out[f"score_{dimension}"] = mean.round(9)
        over, under = over + np.nan_to_num(mean) * share, under + share * (total > 0)
    out["score"] = score = pd.Series((over / np.where(under > 0, under, np.nan)).round(9))
    steps = [score >= 85, score >= 70, score >= 55, score < 55]
    out["tier"] = np.select(steps, list("ABCD"), default="")
    out["tier_rank"] = np.select(steps, [1, 2, 3, 4], default=0)
    known = ~np.isnan(out[[f"points_{name}" for name in ALL]].to_numpy())
    out["coverage"] = (known * np.array(list(ALL.values()))).sum(axis=1) / 100
    near = score.between(54, 56) | score.between(69, 71) | score.between(84, 86)
    flags = pd.Series(np.where(score.isna(), "not_graded ", ""))
    for word, where in (
        ("missing", out["coverage"] < 1),
        ("low_coverage", out["coverage"] < 0.5),
        ("borderline", near),
    ):
        flags += np.where(where, f"{word} ", "")
    out["flags"] = flags.str.rstrip()
    return out


def _pandas_points(people: Any) -> dict[str, Any]:
    groups = people.groupby("cutoff")
    points = {}
    for name, column in PERCENTILES.items():
        share = (groups[column].rank(method="average") - 0.5) / groups[column].transform("count")
        points[f"points_{name}"] = (100 * share).round(9)
    for name, (column, known) in TABLES.items():
        points[f"points_{name}"] = people[column].map(known).astype("float64")
    for name, (column, low, high) in GIVEN.items():
        value = people[column].where(people[column].between(low, high))
        points[f"points_{name}"] = ((value - low) * 100 / (high - low)).round(9)
    return points


WAYS: dict[str, Callable[[Path], Any]] = {"tierlens": by_tierlens, "hand-written SQL": by_hand_sql, "pandas": by_pandas}


def one(way: str, path: Path) -> None:
    """Run one way five times; print seconds, megabytes and what the scores add up to."""
    best = float("inf")
    table: Any = None
    for _ in range(5):
        table = None
        start = time.perf_counter()
        table = WAYS[way](path)
        best = min(best, time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    frame = table.select(["score", "tier_rank"]).to_pandas() if way != "pandas" else table
    total, ranks = frame["score"].sum(), frame["tier_rank"].sum()
    print(f"{best} {peak} {total:.3f} {int(ranks)}")


def main(number: int) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "customers.parquet"
        make_customers(path, number)
        found = {}
        for way in WAYS:
            command = [sys.executable, __file__, "--one", way, str(path)]
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
            found[way] = (float(told[0]), float(told[1]), told[2:])
    if len({tuple(rest) for *_, rest in found.values()}) != 1:
        raise SystemExit(f"the ways disagree: { {way: rest for way, (_, _, rest) in found.items()} }")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    print(f"{number:,} customers x 12 indicators (tiered_management); {os.cpu_count()} cores, {memory:.0f} GiB,")
    print(f"Python {platform.python_version()}, DuckDB {duckdb.__version__}, {platform.machine()}")
    print(f"\n{'way':20} {'seconds':>8} {'x hand SQL':>11} {'peak MB':>8}")
    hand = found["hand-written SQL"][0]
    for way, (seconds, peak, _) in found.items():
        print(f"{way:20} {seconds:8.2f} {seconds / hand:11.2f} {peak:8.0f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], Path(sys.argv[3]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
