"""Whether a scheme works: rates and intervals against slow counts, and what is said of them."""

from __future__ import annotations

import math
import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from tests.grading.conftest import on_polars, random_customers
from tierlens.grading.scheme.scheme import load_scheme
from tierlens.grading.scoring import grade
from tierlens.publish.report.validity import chance_below, outcome_rate, say_validity, tier_validity, wilson_interval
from tierlens.sources.tables import Currency

RATING = load_scheme("relationship_rating")


@given(st.integers(0, 60), st.integers(1, 60))
def test_intervals_are_wilsons(hits: int, more: int):
    rows = hits + more
    due = binomtest(hits, rows).proportion_ci(method="wilson")
    found = wilson_interval(hits, rows, rows)
    assert (found.low, found.high) == pytest.approx((due.low, due.high), abs=1e-12)
    assert wilson_interval(hits, rows, max(rows // 2, 1)).high >= found.high - 1e-12


def test_rows_of_one_customer_count_for_what_they_are_worth():
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(100).astype(str), 6)
    once = (rng.random(100) < 0.3).astype(float)
    same = outcome_rate(np.repeat(once, 6), who)
    assert same.say() == wilson_interval(once.sum(), 100, 99).say()  # six times the same tells no more than once
    free = outcome_rate((rng.random(600) < 0.3).astype(float), who)
    assert free.high - free.low < 0.6 * (same.high - same.low)
    least = wilson_interval(free.value * 600, 600, 600)
    assert free.high - free.low >= least.high - least.low - 1e-12


def test_where_all_fare_alike_customers_are_counted():
    who = np.repeat(np.array(["a", "b", "c"]), 4)
    assert outcome_rate(np.ones(12), who) == wilson_interval(12, 12, 3)
    assert outcome_rate(np.zeros(12), who) == wilson_interval(0, 12, 3)
    assert math.isnan(outcome_rate(np.full(12, np.nan), who).value)


def test_nobody_has_no_rate():
    assert math.isnan(wilson_interval(0, 0, 0).value)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_the_chance_is_one_less_the_area_under_the_curve(pairs):
    value, outcome = np.array([float(v) for v, _ in pairs]), np.array([float(o) for _, o in pairs])
    if 0 < outcome.sum() < len(outcome):
        assert chance_below(value, outcome) == pytest.approx(1 - roc_auc_score(outcome, value))
    else:
        assert math.isnan(chance_below(value, outcome))


def graded_customers() -> tuple[pa.Table, list[float | None], list[float | None], list[float]]:
    table = random_customers(RATING, 400, seed=3)
    graded = grade(on_polars(table), RATING, Currency("CNY")).collect("pyarrow").to_native()
    draw = np.random.default_rng(0)
    churn = [None if draw.random() < 0.1 else float(draw.random() < 0.3) for _ in range(400)]
    fell = [None if tier == "D" else float(draw.random() < 0.2) for tier in graded["tier"].to_pylist()]
    return graded, churn, fell, list(draw.lognormal(5, 2, 400))


def test_rates_are_what_counting_gives():
    graded, churn, fell, amount = graded_customers()
    found = tier_validity(graded, RATING, churn, fell, amount)
    tiers = graded["tier"].to_pylist()
    for line in found.tiers:
        mine = [n for n, tier in enumerate(tiers) if tier == line.tier]
        known = [churn[n] for n in mine if churn[n] is not None]
        assert line.rows == len(mine)
        assert line.share == pytest.approx(len(mine) / sum(tier is not None for tier in tiers))
        if known:
            assert line.churn.value == pytest.approx(sum(known) / len(known))
            assert line.churn.low <= line.churn.value <= line.churn.high
        assert math.isnan(line.downgrade.value) == (line.tier == "D" or not mine)
    money = sorted(amount, reverse=True)
    assert found.top_fifth_brings == pytest.approx(sum(money[:80]) / sum(money))
    count = round(found.four_fifths_from * 400)
    assert sum(money[: count - 1]) < 0.8 * sum(money) <= sum(money[:count])
    assert [line.indicator for line in found.indicators] == [i.id for _, i in RATING.indicators]


def test_half_is_counted_inside_each_cutoff():
    graded = pa.table({"customer_id": list("abcdef"), "cutoff": [1, 1, 1, 2, 2, 2], "score": [1.0, 2, 3, 7, 8, 9],
                       "tier": ["D"] * 6})  # fmt: skip
    scheme = RATING.model_copy(update={"dimensions": ()})
    found = tier_validity(graded, scheme, [1, 0, 0, 1, 0, 1], [None] * 6, [1] * 6)
    assert found.below_half.value == pytest.approx(2 / 3)
    assert found.best_tier_brings == 0


def test_an_indicator_that_tells_nobody_apart_is_named():
    keys = {"customer_id": list("abcd"), "cutoff": pa.array([1] * 4, pa.int32())}
    features = pa.table({**keys, "monetary": [1, 2, 3, 4], "frequency": [1, 2, 3, 4], "tenure_days": [1, 2, 3, 4]})
    graded = grade(on_polars(features), RATING, Currency("CNY")).collect("pyarrow").to_native()
    found = tier_validity(graded, RATING, [1, 0, 1, 0], [None] * 4, [4, 3, 2, 1])
    idle = {line.indicator for line in found.indicators if line.idle}
    assert "annual_amount" in idle
    assert not idle & {"tenure", "frequency", "renewal_rate"}
    said = {
        "en": ("have data and tell hardly anybody apart", "have no data"),
        "zh": ("有数据但几乎没有区分作用", "没有数据"),
    }
    for lang, (same, empty) in said.items():
        lines = say_validity(found, lang)
        amount, renewal = (next(i for _, i in RATING.indicators if i.id == name).title.say(lang)
                           for name in ("annual_amount", "renewal_rate"))  # fmt: skip
        (told,) = [line for line in lines if same in line]
        assert amount in told
        assert renewal not in told
        (told,) = [line for line in lines if empty in line]
        assert renewal in told
        assert amount not in told


@pytest.mark.parametrize("policy", ["renormalise", "worst", "neutral"])
def test_points_that_stand_in_for_data_are_no_data(policy: str):
    scheme = RATING.model_copy(update={"missing": policy})
    keys = {"customer_id": list("abcd"), "cutoff": pa.array([1] * 4, pa.int32())}
    features = pa.table({**keys, "monetary": [1, 200000000, 3, 4], "frequency": [1, 2, 3, 4]})
    graded = grade(on_polars(features), scheme, Currency("CNY")).collect("pyarrow").to_native()
    found = tier_validity(graded, scheme, [1, 0, 1, 0], [None] * 4, [4, 3, 2, 1], features)
    empty = {line.indicator for line in found.indicators if line.no_data}
    assert "renewal_rate" in empty
    assert not empty & {"annual_amount", "frequency"}
    assert not [line.indicator for line in found.indicators if line.idle and line.no_data]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("churn", [None, 0.0])
def test_no_sentence_holds_a_dash_or_nan_in_the_place_of_a_number(lang: str, churn: float | None):
    scheme = RATING.model_copy(update={"dimensions": ()})
    graded = pa.table({"customer_id": ["a"], "cutoff": [1], "score": [1.0], "tier": ["D"]})
    lines = say_validity(tier_validity(graded, scheme, [churn], [None], [0]), lang)
    assert lines
    for line in lines:
        assert "nan" not in line
        assert not re.search(r"(^|[\s（(])-([\s）)。.]|$)", line)


def test_shares_and_order_are_said():
    scheme = RATING.model_copy(update={"dimensions": ()})
    tiers = ["A"] + ["B"] * 2 + ["C"] * 3 + ["D"] * 4
    ids, scores = [str(n) for n in range(10)], [float(n) for n in range(10)]
    graded = pa.table({"customer_id": ids, "cutoff": [1] * 10, "score": scores, "tier": tiers})
    lines = say_validity(tier_validity(graded, scheme, [1, 0, 0, 0, 0, 0, 1, 1, 1, 1], [None] * 10, [1] * 10), "en")
    assert "Tier A holds 10.0%, inside the suggested 10-15%." in lines
    assert "Tier D holds 40.0%, above the suggested 20-30%." in lines
    assert "Tier A churned more than tier B." in lines


def test_no_money_brings_nothing():
    scheme = RATING.model_copy(update={"dimensions": ()})
    graded = pa.table({"customer_id": ["a"], "cutoff": [1], "score": [1.0], "tier": ["D"]})
    found = tier_validity(graded, scheme, [None], [None], [0])
    assert math.isnan(found.top_fifth_brings)
    assert say_validity(found, "en")[1] == "No customer brings an amount, so what the tiers bring cannot be said."
