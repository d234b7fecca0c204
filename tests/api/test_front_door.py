"""``import tierlens as tl``: its names, frames that come back as they came, and figures equal to the engine's."""

from __future__ import annotations

import datetime as dt
import math
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import tierlens as tl
from tierlens.api.native_frames import as_inner_frame, as_user_frame, money_columns
from tierlens.errors import DataError, UsageError
from tierlens.features.catalog import available_features
from tierlens.features.snapshot import to_arrow
from tierlens.features.windows import Window
from tierlens.grading import grade

NAMES = [
    "CustomerSegmenter", "Dataset", "RiskClassifier", "Run", "Scheme", "SnapshotSplit", "TierlensError", "Window",
    "agreement", "customer_list", "evidence", "explain", "feature_names", "from_frame", "grade", "importance",
    "load_scheme", "monthly_cutoffs", "outcomes", "read", "reasons", "rfm", "run", "scheme_names", "simulate",
    "snapshots",
]  # fmt: skip
HEAVY = ("pandas", "polars", "pyarrow", "duckdb", "narwhals", "numpy", "sklearn", "lightgbm", "mlflow", "pydantic")
MAKERS = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}
KINDS = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.Table}


def test_the_names_are_these_and_all_resolve() -> None:
    assert tl.__all__ == NAMES
    assert all(callable(getattr(tl, name)) for name in NAMES)
    assert set(NAMES) <= set(dir(tl))
    with pytest.raises(AttributeError, match="no attribute 'segmnts'"):
        tl.segmnts  # noqa: B018


def test_the_import_loads_nothing_heavy() -> None:
    program = f"import sys, tierlens; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("first", ["import tierlens.explain", "import tierlens.explain.contributions", "pass"])
def test_explain_is_the_function_whatever_was_imported(first: str) -> None:
    program = f"{first}\nimport tierlens as tl\nprint(callable(tl.explain), tl.explain.__name__)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "True tierlens.explain\n"


def lines(count: int = 240) -> dict[str, list[Any]]:
    draw = np.random.default_rng(3)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(draw.integers(0, 600, count), unit="D")
    amounts = [round(float(value), 2) for value in draw.uniform(5, 900, count)]
    return {"Customer ID": [f"0{number % 30}" for number in range(count)], "Invoice": [f"I{n}" for n in range(count)],
            "InvoiceDate": list(days.to_pydatetime()), "amount": amounts}  # fmt: skip


def rows(frame: Any) -> list[dict[str, Any]]:
    """Return the rows of any frame; whole floats as whole numbers, NaN as nothing."""

    def plain(value: Any) -> Any:
        if isinstance(value, float) and math.isnan(value):
            return None
        return value.date() if isinstance(value, dt.datetime) else value

    return [{name: plain(value) for name, value in row.items()} for row in as_inner_frame(frame, "frame").to_pylist()]


def made_of(orders: Any) -> list[Any]:
    """Return a frame of each kind that is made from orders."""
    shop = tl.from_frame(orders, "GBP", rates={"CNY": 9.1})
    cutoffs = tl.monthly_cutoffs("2025-01-01", "2025-03-01")
    features = tl.snapshots(shop, cutoffs)
    graded = tl.grade(features, "tiered_management", shop.currency)
    return [features, tl.outcomes(shop, cutoffs), tl.rfm(shop, "2025-06-01"), shop.transactions, graded]


@pytest.fixture(scope="module")
def wanted() -> list[list[dict[str, Any]]]:
    return [rows(frame) for frame in made_of(pa.table(lines()))]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_come_back_as_they_came_and_say_the_same(library: str, wanted: list[list[dict[str, Any]]]) -> None:
    for frame, expected in zip(made_of(MAKERS[library](lines())), wanted, strict=True):
        assert isinstance(frame, KINDS[library])
        assert rows(frame) == expected


def test_frames_of_arrow_come_back_as_such() -> None:
    shop = tl.from_frame(pa.table(lines()), "GBP")
    made = [tl.snapshots(shop, "2025-01-01", features=["monetary"]), tl.outcomes(shop, "2025-01-01"), shop.transactions]
    assert all(isinstance(frame, pa.Table) for frame in made)


def test_money_is_in_whole_units_and_ids_are_text() -> None:
    orders = pd.DataFrame({"customer_id": ["007"] * 2, "time": ["2025-01-05", "2025-01-06"], "amount": [19.9, 0.11]})
    shop = tl.from_frame(orders, "CNY")
    row = tl.snapshots(shop, "2025-02-01", features=["monetary"]).iloc[0]
    assert (row["customer_id"], row["monetary"], row["cutoff"]) == ("007", 20.01, pd.Timestamp("2025-02-01"))
    assert shop.transactions["amount"].tolist() == [19.9, 0.11]
    assert tl.outcomes(tl.simulate(60, seed=2), "2025-01-01", outcome="spend")["spend"].dtype == np.float64


@pytest.mark.parametrize("scheme", ["tiered_management", "five_step", "relationship_guide", "relationship_rating",
                                    "classification_standard"])  # fmt: skip
def test_grades_of_frames_are_those_of_the_engine(scheme: str) -> None:
    shop = tl.simulate(200, seed=4)
    rules = tl.load_scheme(scheme)
    frame = tl.snapshots(shop, ["2025-06-01", "2025-09-01"], features=available_features(shop.tables, rules.features))
    from tierlens.features.snapshot import build_snapshots as engine

    raw = engine(shop.tables, ["2025-06-01", "2025-09-01"], features=available_features(shop.tables, rules.features))
    expected = as_user_frame(to_arrow(grade(raw, rules, shop.currency)))
    found = as_inner_frame(tl.grade(frame, rules, shop.currency), "found")
    assert found.to_pylist() == as_inner_frame(expected, "expected").to_pylist()
    again, before = as_inner_frame(frame, "frame", shop.currency, rules), to_arrow(raw)
    for name in money_columns(before, rules):
        values, expected_values = (table[name].to_numpy() for table in (again, before))
        if pa.types.is_integer(before.schema.field(name).type):
            assert values.tolist() == expected_values.tolist()
        else:
            np.testing.assert_allclose(values, expected_values, rtol=1e-15)


def test_a_downgrade_is_what_grading_at_both_ends_says() -> None:
    shop = tl.simulate(120, seed=5)
    found = tl.outcomes(shop, "2025-03-01", outcome="downgrade", scheme="tiered_management")
    rules = tl.load_scheme("tiered_management")
    wanted = available_features(shop.tables, rules.features)
    graded = [tl.grade(tl.snapshots(shop, day, features=wanted), rules, shop.currency)
              for day in ("2025-03-01", "2025-05-30")]  # fmt: skip
    ranks = [one.set_index("customer_id")["tier_rank"] for one in graded]
    for customer, fell in zip(found["customer_id"], found["downgrade"], strict=True):
        assert fell == int(ranks[1].get(customer, len(rules.tiers)) > ranks[0][customer])
    assert set(found["customer_id"]) == set(ranks[0][ranks[0] < len(rules.tiers)].index)


def test_evidence_follows_the_order_of_the_grades() -> None:
    shop = tl.simulate(60, seed=6)
    frame = tl.snapshots(
        shop, "2025-06-01", features=available_features(shop.tables, tl.load_scheme("tiered_management").features)
    )
    graded = tl.grade(frame, "tiered_management", shop.currency).iloc[::-1].reset_index(drop=True)
    told = tl.evidence(graded, frame.sample(frac=1, random_state=1), "tiered_management", shop.currency)
    assert told["customer_id"].tolist() == graded["customer_id"].tolist()
    straight = tl.evidence(graded, frame, "tiered_management", shop.currency, lang="zh")
    assert straight["customer_id"].tolist() == graded["customer_id"].tolist()
    assert all(straight["evidence"].str.len() > 20)


def test_quality_counts_rows_of_frames_and_other_tables_are_taken() -> None:
    orders = pd.DataFrame({"customer_id": ["a", "b", None], "time": ["2025-01-05"] * 3, "amount": [1.0, 2.0, 3.0]})
    with pytest.raises(DataError, match="E-TX-200"):
        tl.from_frame(orders, "CNY")
    shop = tl.from_frame(
        orders, "CNY", policies={"returns": "negative", "limits": {"missing_customer": 0.5}, "reject_limit": 0.5},
        tables={"customers": pd.DataFrame({"customer_id": ["a", "b"], "region": ["N", "S"]})},
    )  # fmt: skip
    assert shop.quality is not None
    assert (shop.quality.rows_in, shop.quality.used) == (3, 2)
    assert shop.tables.has("customers")


FRAME = pd.DataFrame(lines())
ROW = pd.DataFrame({"customer_id": ["a"], "tier": ["A"], "score": [9.0]})
SLIPS = {
    "E-US-036 data: a str is no Dataset": lambda: tl.snapshots("orders.csv", "2025-01-01"),
    "E-US-014 currency: 'yuan' is no currency": lambda: tl.from_frame(FRAME, "yuan"),
    "E-US-033 rates.CNY": lambda: tl.from_frame(FRAME, "GBP", rates={"CNY": "dear"}),
    "E-US-033 columns: there is no column 'client'": lambda: tl.from_frame(FRAME, "GBP", columns={"client": "x"}),
    "E-US-010 columns.time: the frame has no column 'x'": lambda: tl.from_frame(FRAME, "GBP", columns={"time": "x"}),
    "E-US-033 retuns": lambda: tl.from_frame(FRAME, "GBP", policies={"retuns": "kind"}),
    "E-US-010 frame": lambda: tl.from_frame(pd.DataFrame({"a": [1]}), "GBP"),
    "E-US-015 frame": lambda: tl.from_frame([1], "GBP"),
    "E-US-034 frames: 'dask' is no library": lambda: tl.read("nowhere.csv", "CNY", frames="dask"),
    "E-US-033 zone": lambda: tl.read("nowhere.csv", "CNY", zone="UTC"),
    "E-US-037 outcome: there is no outcome 'chrun'": lambda: tl.outcomes(small_shop(), "2025-01-01", outcome="chrun"),
    "E-US-037 outcome: a downgrade needs a scheme": lambda: tl.outcomes(
        small_shop(), "2025-01-01", outcome="downgrade"
    ),
    "E-US-035 features": lambda: tl.grade(ROW.assign(cutoff=["soon"]), "five_step", "CNY"),
    "E-LI-009 churn": lambda: tl.customer_list(ROW, [0.1, 0.2]),
}


def small_shop() -> tl.Dataset:
    return tl.simulate(20)


@pytest.mark.parametrize("said", list(SLIPS))
def test_slips_are_told_in_one_line(said: str) -> None:
    with pytest.raises((UsageError, DataError)) as caught:
        SLIPS[said]()
    assert str(caught.value).startswith(said)
    assert "http" not in str(caught.value)


def test_a_window_is_kept_by_all() -> None:
    shop, window = tl.simulate(60, seed=7), Window(observe=180, horizon=30)
    asked = ["recency_days"]
    rows = tl.snapshots(shop, "2025-06-01", window, features=asked)
    whole = tl.snapshots(shop, "2025-06-01", features=asked)
    assert len(rows) == len(tl.outcomes(shop, "2025-06-01", window)) < len(whole)
