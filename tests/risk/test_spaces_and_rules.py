"""Search spaces as files, simple rules that a model must beat, and who may need what: case by case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.risk.spenders import spenders
from tierlens.errors import UsageError
from tierlens.risk.evaluation.baselines import BASELINES, RFM, float_column, roll_off
from tierlens.risk.falling import Spending, learn_spending
from tierlens.risk.model.tree_settings import ALLOWED
from tierlens.risk.model.trees import SETTINGS
from tierlens.risk.space import Range, load_space

few = settings(max_examples=15, deadline=None)

# --- spaces


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("settings: {}", "nothing"),
        ("settings: {depth: {low: 1, high: 2}}", "depth"),
        ("settings: {patience: {low: 1, high: 2}}", "patience"),
        ("settings: {rounds: {low: 3, high: 3}}", "low must lie below high"),
        ("settings: {lambda_l2: {low: 0, high: 3, log: true}}", "above 0 with log"),
        ("settings: {rounds: {low: 0, high: 3}}", "out of bounds"),
        ("settings: {rounds: {low: 1.5, high: 30}}", "out of bounds"),
        ("settings: {learning_rate: {low: 0.1, high: 2}}", "out of bounds"),
        ("settings: {rounds: {low: 1, high: 3, step: 2}}", "step"),
        ("settings: {rounds: {low: 1}}", "high"),
        ("settings: [rounds]", "settings"),
        ("rounds: {low: 1, high: 3}", "rounds"),
        ("", "E-YA-"),
    ],
)
def test_what_is_no_space_is_refused_with_its_place(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text(text + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match="E-YA-") as told:
        load_space(file)
    assert words in str(told.value)
    assert "space.yaml" in str(told.value)


def test_the_shipped_space_holds_what_small_trees_have_and_only_what_is_allowed() -> None:
    for name, asked in load_space().items():
        assert float(asked.low) <= float(SETTINGS["small"][name]) <= float(asked.high)
        assert ALLOWED[name].admits(asked.low)
        assert ALLOWED[name].admits(asked.high)
        assert asked.is_whole == ALLOWED[name].is_whole


@pytest.mark.parametrize(("low", "high", "whole"), [(1, 5, True), (1, 5.0, False), (0.5, 5, False)])
def test_a_range_is_whole_where_both_ends_were_written_so(low: float, high: float, whole: bool) -> None:
    assert Range(low=low, high=high).is_whole is whole


# --- rules


@few
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 50)), min_size=1, max_size=20))
def test_rules_of_one_column_rank_as_it_stands(rows: list[tuple[int, int]]) -> None:
    table = {"recency_days": [one for one, _ in rows], "frequency": [other for _, other in rows]}
    recency, frequency = (BASELINES[name].fit(table, [])(table) for name in ("recency", "frequency"))
    assert recency.tolist() == [float(one) for one, _ in rows]
    assert frequency.tolist() == [-float(other) for _, other in rows]


@few
@given(st.integers(0, 1000), st.floats(0.01, 100))
def test_the_unit_of_money_changes_no_need(seed: int, rate: float) -> None:
    rng = np.random.default_rng(seed)
    bound, left = rng.integers(1, 10_000, 30) * 1.0, rng.integers(0, 10_000, 30) * 1.0
    score = roll_off("bound", "left").fit(None, [])
    found = score({"bound": bound, "left": left})
    assert score({"bound": bound * rate, "left": left * rate}) == pytest.approx(found)
    # Above 0 just where the tier would fall, and never above 1.
    assert ((found > 0) == (left < bound)).all()
    assert (found <= 1).all()


@pytest.mark.parametrize("make", [dict, pd.DataFrame, pa.table])
def test_columns_of_any_table_are_read_with_their_gaps(make: Any) -> None:
    table = make({"a": [1.0, None, 3.0]})
    np.testing.assert_array_equal(float_column(table, "a"), [1.0, np.nan, 3.0])


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_every_baseline_says_what_it_reads_in_words_and_columns(name: str) -> None:
    baseline = BASELINES[name]
    rng = np.random.default_rng(0)
    table = pd.DataFrame({each: rng.integers(1, 90, 60) * 1.0 for each in {*RFM, *baseline.needs}})
    outcome = np.arange(60) % 2
    # The columns that it names are enough, and rows are scored one by one.
    given = table[list(baseline.needs)] if baseline.needs else table
    score = baseline.fit(given, outcome)
    found = score(given)
    assert found.shape == (60,)
    assert score(given.iloc[:7]) == pytest.approx(found[:7])
    if baseline.is_risk and name != "btyd_p0":
        assert ((found > 0) & (found < 1)).all()
    assert baseline.name.en
    assert baseline.name.zh


# --- spend to come


@pytest.fixture(scope="module")
def spending() -> tuple[Spending, dict[str, Any]]:
    table, spend = spenders(cutoffs=2, customers=80)
    return learn_spending(table, spend, table["cutoff"], ["spend", "helps"], seeds=1, threads=1), table


def test_a_customer_has_his_chance_whoever_of_another_cutoff_is_asked_for(
    spending: tuple[Spending, dict[str, Any]],
) -> None:
    model, table = spending
    need = table["average_order_value"] * 1.5
    both = model.chance(table, need, table["cutoff"], threads=1)
    for day in (0.0, 30.0):
        here = table["cutoff"] == day
        alone = {name: values[here] for name, values in table.items()}
        assert model.chance(alone, need[here], alone["cutoff"], threads=1) == pytest.approx(both[here])
    assert ((both > 0) & (both < 1)).all()


def test_a_need_beyond_all_bounds_is_hardly_ever_met_and_one_of_a_cent_nearly_always_by_who_buys(
    spending: tuple[Spending, dict[str, Any]],
) -> None:
    model, table = spending
    ones = np.ones(len(table["cutoff"]))
    most, least = (model.chance(table, ones * need, table["cutoff"], threads=1) for need in (1e12, 0.01))
    assert most.min() > 0.95
    assert (least < most).all()
    # To spend less than a cent is to buy nothing: its chance follows that of the rhythm.
    assert np.corrcoef(least, table["sea_p0"])[0, 1] > 0.8
