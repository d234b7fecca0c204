"""The fall of a score, indicator by indicator: it sums to the fall for everybody, and orders leave on the right day."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.grading.conftest import on_polars, random_customers
from tests.other_tables import sale, tables_with
from tierlens.datasets.examples import simulated_shop
from tierlens.features.snapshot import build_snapshots, to_arrow
from tierlens.features.windows import Window
from tierlens.grading.fall_by_indicator import fall_by_indicator
from tierlens.grading.movement import effective_weights
from tierlens.grading.next_tier.roll_off import orders_rolling_off, roll_off
from tierlens.grading.scheme.scheme import Scheme, load_scheme
from tierlens.grading.scoring import grade
from tierlens.sources.tables import Currency
from tierlens.workspace.config import RunConfig
from tierlens.workspace.prepare import Prepared, Shop, prepare_tables, simulated_run_shop

YUAN = Currency("CNY")
SCORED = ("relationship_rating", "tiered_management", "relationship_guide", "five_step")
CONFIG = {"name": "small", "simulated": {"customers": 120, "months": 24}, "cutoff": "2025-06-01", "seed": 3,
          "risk": {"first_cutoff": "2025-01-01"}}  # fmt: skip


def config_of(name: str) -> RunConfig:
    return RunConfig.model_validate({**CONFIG, "scheme": name})


@lru_cache(maxsize=1)
def shop() -> Shop:
    return simulated_run_shop(config_of("five_step"))


@lru_cache(maxsize=5)
def prepared(name: str) -> Prepared:
    return prepare_tables(shop(), config_of(name))


def summed(fall: pa.Table, column: str) -> dict[tuple[str, int], float]:
    sums = fall.group_by(["customer_id", "cutoff"]).aggregate([(column, "sum")]).to_pylist()
    return {(row["customer_id"], row["cutoff"]): row[f"{column}_sum"] for row in sums}


def scores(table: pa.Table) -> dict[tuple[str, int], float | None]:
    return {(row["customer_id"], row["cutoff"]): row["score"] for row in table.to_pylist()}


def holds(tiers: pa.Table, idle: pa.Table, scheme: Scheme) -> int:
    """Hold every law of the table against both sides; return the customers that it speaks of."""
    fall = fall_by_indicator(tiers, idle, scheme)
    now, then = scores(tiers), scores(idle)
    graded = [key for key, score in now.items() if score is not None]
    for column, score in (("points_now", now), ("points_then", then)):
        sums = summed(fall, column)
        assert sums.keys() == set(graded)
        assert max(abs(sums[key] - (score[key] or 0.0)) for key in graded) <= 1e-8
    changes = summed(fall, "change")
    assert all(abs(changes[key] - ((then[key] or 0.0) - (now[key] or 0.0))) <= 1e-8 for key in graded)
    assert fall["indicator"].to_pylist() == [i.id for _, i in scheme.indicators] * len(graded)
    return len(graded)


@pytest.mark.parametrize("name", SCORED)
def test_it_sums_to_the_fall_for_every_customer_of_a_shop(name: str) -> None:
    found = prepared(name)
    assert holds(found.tiers, found.idle, found.scheme) == found.panel.num_rows > 300


@pytest.mark.parametrize("name", SCORED)
@pytest.mark.parametrize("policy", ["renormalise", "worst", "neutral", "not_graded"])
@given(seed=st.integers(0, 10**6), missing=st.sampled_from([0.0, 0.15, 0.6, 0.95]))
@settings(max_examples=4, deadline=None)
def test_it_sums_to_the_fall_whatever_is_missing(name: str, policy: str, seed: int, missing: float) -> None:
    scheme = load_scheme(name)
    own = {**scheme.model_dump(by_alias=True), "id": "own", "missing": policy}
    scheme = Scheme.model_validate(own)
    tables = [random_customers(scheme, 30, seed + place, missing) for place in (0, 1)]
    now, then = (grade(on_polars(table), scheme, YUAN).collect("pyarrow").to_native() for table in tables)
    shuffled = then.take(pa.array(np.random.default_rng(seed).permutation(30)))
    holds(now, shuffled, scheme)


def test_a_scheme_without_indicators_has_no_rows() -> None:
    found = prepared("classification_standard")
    fall = fall_by_indicator(found.tiers, found.idle, found.scheme)
    assert fall.num_rows == 0
    assert fall.column_names == ["customer_id", "cutoff", "dimension", "indicator", "points_now", "points_then",
                                 "change", "by_weight"]  # fmt: skip


def two_points(**columns: list[float | None]) -> tuple[pa.Table, pa.Table, Scheme]:
    """Points of one customer now and then, by the rating system, for indicators by name."""
    scheme = load_scheme("relationship_rating")
    keys = {"customer_id": ["a", "a"], "cutoff": pa.array([1, 2], pa.int32())}
    graded = grade(pa.table({**keys, **columns}), scheme, YUAN).collect("pyarrow").to_native().sort_by("cutoff")
    then = graded.slice(1).set_column(1, "cutoff", pa.array([1], pa.int32()))
    return graded.slice(0, 1), then, scheme


def changes_of(tiers: pa.Table, idle: pa.Table, scheme: Scheme) -> dict[str, tuple[float, float]]:
    rows = fall_by_indicator(tiers, idle, scheme).to_pylist()
    return {row["indicator"]: (row["change"], row["by_weight"]) for row in rows if row["points_now"] or row["change"]}


def test_without_a_change_of_weights_nothing_is_laid_on_them() -> None:
    found = changes_of(*two_points(points_annual_amount=[10.0, 3.0], points_tenure=[5.0, 5.0]))
    assert found["annual_amount"] == (pytest.approx(-7 * 10 * 0.30 / 0.55, abs=1e-9), 0)
    assert found["tenure"] == (0, 0)


def test_what_loses_its_data_hands_its_weight_on() -> None:
    """Worked by hand: value 0.30 and stability 0.25; without tenure the amount carries the whole weight."""
    found = changes_of(*two_points(points_annual_amount=[10.0, 3.0], points_tenure=[5.0, None]))
    assert found["annual_amount"][0] == pytest.approx(30 - 1000 * 0.30 / 0.55 / 10, abs=1e-9)
    assert found["annual_amount"][1] == pytest.approx(30 * (1 - 0.30 / 0.55), abs=1e-9)
    assert found["tenure"] == (pytest.approx(-50 * 0.25 / 0.55, abs=1e-9),) * 2


def test_a_score_that_can_no_longer_be_worked_out_is_lost_whole() -> None:
    found = changes_of(*two_points(points_annual_amount=[10.0, None]))
    assert found == {"annual_amount": (-100, -100)}


def test_by_weight_is_nothing_where_the_weights_stay() -> None:
    found = prepared("tiered_management")
    fall = fall_by_indicator(found.tiers, found.idle, found.scheme)
    old, new = (effective_weights(table, found.scheme) for table in (found.tiers, found.idle))
    same = np.all([np.isclose(old[name], new[name], atol=1e-15) for name in old], axis=0)
    by = fall["by_weight"].to_numpy().reshape(len(same), -1)
    assert same.any()
    assert np.abs(by[same]).max() <= 1e-12


WINDOW = Window(observe=365, gap=7, horizon=90)


def test_orders_that_roll_off_are_what_leaves_day_by_day() -> None:
    tables = simulated_shop(customers=120, months=24, seed=3).tables
    cutoff = 20_240
    orders, days = orders_rolling_off(tables, cutoff, WINDOW), roll_off(tables, cutoff, WINDOW)
    assert orders.num_rows > 100
    sums = orders.group_by(["customer_id", "day"]).aggregate([("amount", "sum")]).to_pylist()
    assert {(r["customer_id"], r["day"]): r["amount_sum"] for r in sums} == {
        (r["customer_id"], r["day"]): r["leaves"] for r in days.to_pylist()
    }
    assert all(0 < days <= 97 for days in orders["days"].to_pylist())
    ahead = to_arrow(build_snapshots(tables, [cutoff], WINDOW, features=["monetary"], everyone=True, ahead=97))
    now = to_arrow(build_snapshots(tables, [cutoff], WINDOW, features=["monetary"], everyone=True))
    left, had = ({r["customer_id"]: r["monetary"] for r in table.to_pylist()} for table in (ahead, now))
    gone = {r["customer_id"]: 0 for r in now.to_pylist()}
    for row in orders.to_pylist():
        gone[row["customer_id"]] += row["amount"]
    assert {name: had[name] - left[name] for name in had} == gone


def test_an_order_leaves_the_day_after_the_window_has_passed_it() -> None:
    tables = tables_with({"transactions": [sale("a", 100), sale("a", 150), sale("b", 101)]})
    found = orders_rolling_off(tables, 120, Window(observe=30, horizon=12))
    rows = [(row["customer_id"], row["bought"], row["day"], row["days"]) for row in found.to_pylist()]
    assert rows == [("a", 100, 131, 11), ("b", 101, 132, 12)]
    assert orders_rolling_off(tables, 120, Window(observe=30, horizon=12), ["b"]).num_rows == 1
    assert orders_rolling_off(tables, 120, Window(observe=30, horizon=10)).num_rows == 0
