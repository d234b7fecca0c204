"""The leak gate: planted leaks of every kind are found, honest columns are left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tierlens.datasets.examples import retail_source
from tierlens.datasets.simulate import simulated_shop
from tierlens.features.catalog import CATALOG
from tierlens.features.seasonal_btyd import EXPECTATIONS, seasonal_expectations
from tierlens.features.snapshot import KEY, build_snapshots, to_arrow
from tierlens.features.windows import Window
from tierlens.risk.evaluation.leaks import BLOCK, WARN, Declared, _by_groups, _by_missing, find_leaks
from tierlens.risk.evaluation.metrics import auc
from tierlens.risk.outcome import churn_outcomes
from tierlens.sources.read import read_tables
from tierlens.sources.tables import Tables

WINDOW = Window(observe=365, gap=7, horizon=90)
ROWS = 1_200
RNG = np.random.default_rng(4)
LEFT = RNG.integers(0, 2, ROWS)


def rows_with(**columns: Any) -> pa.Table:
    return pa.table({"customer_id": [f"c{n % 400}" for n in range(ROWS)], "cutoff": [n // 400 for n in range(ROWS)],
                     "churn": LEFT, **columns})  # fmt: skip


def found(**columns: Any) -> list[tuple[str, str, str]]:
    leaks = find_leaks(rows_with(**columns), list(columns), "churn", {}, WINDOW)
    return [(leak.column, leak.kind, leak.severity) for leak in leaks]


NOISY = np.where(RNG.random(ROWS) < 0.02, 1 - LEFT, LEFT)
WORDS = np.where(LEFT == 1, RNG.choice(["closed", "gone"], ROWS), RNG.choice(["open", "active"], ROWS))
PLANTED = {
    "the outcome itself": (LEFT, "ranking", "block"),
    "its opposite": (1 - LEFT, "ranking", "block"),
    "nearly it": (NOISY, "ranking", "block"),
    "purchases to come": ((1 - LEFT) * RNG.integers(1, 90, ROWS), "ranking", "block"),
    "as a truth value": (LEFT.astype(bool), "ranking", "block"),
    "under other numbers": (np.where(LEFT == 1, RNG.choice([2, 9, 5], ROWS), RNG.choice([1, 7, 4], ROWS)), "copy",
                            "block"),
    "in words": (WORDS, "copy", "block"),
    "far from the middle": (np.where(LEFT == 1, 1, 10) * RNG.choice([-1.0, 1.0], ROWS) * RNG.uniform(0.9, 1, ROWS),
                            "copy", "block"),
    "by being empty": (pa.array(RNG.random(ROWS), mask=LEFT == 1), "missing", "block"),
    "strong": (LEFT + RNG.normal(0, 0.5, ROWS), "ranking", "warn"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_leak_is_found(name: str) -> None:
    values, kind, severity = PLANTED[name]
    assert found(planted=values) == [("planted", kind, severity)]


def test_honest_columns_are_left_alone() -> None:
    many = {f"c{n}": LEFT * 0.8 + RNG.normal(0, 1, ROWS) for n in range(5)}
    sparse = np.where(RNG.random(ROWS) < 0.01, LEFT, np.nan)
    empty, constant = np.full(ROWS, np.nan), np.ones(ROWS)
    ids = [f"c{n % 400}-{n}" for n in range(ROWS)]
    assert found(**many, luck=RNG.random(ROWS), sparse=sparse, empty=empty, constant=constant, ids=ids) == []


def test_the_gravest_comes_first_and_says_what_and_how_much() -> None:
    rows = rows_with(strong=LEFT + RNG.normal(0, 0.5, ROWS), copied=LEFT)
    leaks = find_leaks(rows, ["strong", "copied"], "churn", {}, WINDOW)
    assert [leak.column for leak in leaks] == ["copied", "strong"]
    assert leaks[0].what.en == "copied alone ranks the outcome with an AUC of 1.000"
    assert "仅凭 copied" in leaks[0].what.zh
    assert WARN <= leaks[1].value < BLOCK


@pytest.mark.parametrize(
    ("made", "kinds"),
    [
        ({"looks_at": (-365, 0)}, []),
        ({"looks_at": (-30, 1)}, [("overlap", "block")]),
        ({"looks_at": (0, 30)}, [("overlap", "block")]),
        ({"computed_late": 0.01}, [("late", "block")]),
        ({"undated": 0.5}, [("undated", "warn")]),
        ({"looks_at": (0, 9), "computed_late": 1.0}, [("overlap", "block"), ("late", "block")]),
    ],
)
def test_what_is_known_of_its_making_counts_whatever_the_values(made: dict[str, Any], kinds: list[Any]) -> None:
    rows = rows_with(luck=np.random.default_rng(1).random(ROWS))
    leaks = find_leaks(rows, ["luck"], "churn", {"luck": Declared("luck", "drawn", **made)}, WINDOW)
    assert [(leak.kind, leak.severity) for leak in leaks] == kinds
    assert all("luck" in text for leak in leaks for text in leak.what)


def test_an_overlap_says_whether_it_reaches_the_horizon() -> None:
    rows = rows_with(luck=np.random.default_rng(1).random(ROWS))
    for days, words in ((7, "into the gap"), (8, "into the horizon")):
        leak = find_leaks(rows, ["luck"], "churn", {"luck": Declared("luck", "d", (0, days))}, WINDOW)[0]
        assert words in leak.what.en


def test_too_few_rows_are_not_judged() -> None:
    few = rows_with(copied=LEFT).slice(0, 20)
    assert find_leaks(few, ["copied"], "churn", {}, WINDOW) == ()


def test_of_very_many_rows_a_part_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tierlens.risk.evaluation.leaks.MOST", 300)
    assert found(planted=LEFT) == [("planted", "ranking", "block")]
    assert found(luck=RNG.random(ROWS)) == []


@pytest.mark.parametrize("seed", range(5))
def test_counting_groups_equals_scoring_every_row(seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes, half = rng.integers(0, 6, 200), rng.random(200) < 0.5
    happened = (rng.random(200) < codes / 8).astype(int)
    score = np.full(200, happened.mean())
    for row in range(200):
        taught = (codes == codes[row]) & (half != half[row])
        score[row] = happened[taught].mean() if taught.any() else score[row]
    slow = auc(happened, score)
    assert _by_groups(codes, happened, half) == pytest.approx(max(slow, 1 - slow))
    slow = auc(happened, codes == 0)
    assert _by_missing(happened, codes == 0) == pytest.approx(max(slow, 1 - slow))


def test_a_key_is_of_one_column_definition_and_outcome() -> None:
    one = Declared("score", "score of the CRM", (-90, 0))
    keys = {one.key("churn"), one.key("downgrade"), Declared("score", "another", (-90, 0)).key("churn"),
            Declared("other", "score of the CRM", (-90, 0)).key("churn"),
            Declared("score", "score of the CRM", (-90, 30)).key("churn")}  # fmt: skip
    assert len(keys) == 5
    assert Declared("score", "score of the CRM", (-90, 0), computed_late=0.5).key("churn") == one.key("churn")


def leaks_of(tables: Tables, cutoffs: list[str], names: list[str]) -> list[Any]:
    panel = to_arrow(build_snapshots(tables, cutoffs, features=names))
    for other in (seasonal_expectations(tables, cutoffs), to_arrow(churn_outcomes(tables, cutoffs))):
        panel = panel.join(other, keys=list(KEY))
    return list(find_leaks(panel, [*names, *EXPECTATIONS], "churn", {}, Window()))


def test_honest_features_of_the_simulated_shop_pass() -> None:
    tables = simulated_shop(customers=400, seed=3).tables
    assert leaks_of(tables, ["2024-12-01", "2025-06-01"], list(CATALOG)) == []


@pytest.mark.slow
@pytest.mark.usefixtures("retail_files")
def test_honest_features_of_online_retail_pass() -> None:
    tables = read_tables(retail_source()).tables
    assert leaks_of(tables, ["2010-12-01", "2011-03-01", "2011-06-01"], list(CATALOG)) == []
