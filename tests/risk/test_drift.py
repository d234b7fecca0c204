"""Drift: silent where nothing moved, loud where something did, and right about how often it is wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from tierlens.errors import DataError
from tierlens.risk.evaluation.drift import BANDS, measure_drift, stability_index


def shop(rows=2000, seed=0, **moves):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "spend": rng.lognormal(size=rows),
            "orders": rng.poisson(3, rows).astype(float),
            "country": rng.choice(["UK", "DE", "FR"], rows, p=[0.8, 0.15, 0.05]),
        }
    )
    table.loc[rng.random(rows) < 0.1, "orders"] = np.nan
    return table.assign(**{name: move(table[name]) for name, move in moves.items()})


def found(before, now, **options):
    return {column.name: column for column in measure_drift(before, now, **options)}


def test_alarms_are_as_rare_as_stated():
    alarms = sum(any(c.alarm for c in measure_drift(shop(600, 2 * n), shop(600, 2 * n + 1))) for n in range(120))
    assert alarms <= 14  # 5 % of 120 is 6; 14 has a chance of less than one in a thousand


def test_only_what_moved_raises_an_alarm():
    columns = found(shop(seed=1), shop(seed=2, spend=lambda s: s * 3))
    assert columns["spend"].alarm
    assert columns["spend"].band == "moved"
    assert not columns["orders"].alarm
    assert not columns["country"].alarm
    assert set(BANDS) >= {column.band for column in columns.values()}


def test_the_furthest_comes_first():
    names = [c.name for c in measure_drift(shop(), shop(seed=3, spend=lambda s: s * 1.5, orders=lambda o: o + 4))]
    assert names[:2] == ["orders", "spend"]


def test_missing_values_and_new_levels_are_seen():
    gone = found(shop(), shop(seed=4, orders=lambda o: o.where(np.arange(len(o)) % 2 == 0)))["orders"]
    assert gone.alarm
    assert gone.missing_before == pytest.approx(0.1, abs=0.03)
    assert gone.missing_now == pytest.approx(0.55, abs=0.03)
    new = found(shop(), shop(seed=5, country=lambda c: c.replace("FR", "PL")))["country"]
    assert new.new_levels == ("PL",)
    assert new.alarm


@given(st.integers(0, 500), st.floats(0, 1))
def test_the_distance_is_scipys(seed, step):
    rng = np.random.default_rng(seed)
    old, new = rng.integers(0, 6, 40).astype(float), rng.integers(0, 6, 30) + step
    distance = measure_drift(pd.DataFrame({"a": old}), pd.DataFrame({"a": new}))[0].distance
    assert distance == pytest.approx(ks_2samp(old, new).statistic)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=8))
def test_the_index_is_never_negative_and_the_same_both_ways(counts):
    old, new = (np.array(column, dtype=float) for column in zip(*counts, strict=True))
    assert stability_index(old, new) >= -1e-12
    assert stability_index(old, new) == pytest.approx(stability_index(new, old))


def panel(customers, cutoffs, turnover, seed, columns=5):
    """Rows of training cutoffs and of the next one: lasting customers with a habit, nothing moves."""
    rng = np.random.default_rng(seed)
    ids, habit = np.arange(customers), rng.normal(size=(customers, columns))
    found = []
    for cutoff in range(cutoffs + 1):
        leave = rng.random(customers) < (turnover if cutoff else 0)
        ids = np.where(leave, ids + customers, ids)
        habit = np.where(leave[:, None], rng.normal(size=(customers, columns)), habit)
        now = 0.9 * habit + np.sqrt(1 - 0.81) * rng.normal(size=(customers, columns))
        found.append((now, ids))
    # One frame a side: a frame a cutoff would take longer than what is tried with them.
    past, ids = (np.concatenate(parts) for parts in zip(*found[:-1], strict=True))
    names = [f"x{k}" for k in range(columns)]
    old, new = (pd.DataFrame(rows, columns=names) for rows in (past, found[-1][0]))
    return old.assign(id=ids), new.assign(id=found[-1][1])


def alarmed(old, new):
    """Whether any column raises an alarm, with the customer of each row given."""
    tables = [table.drop(columns="id") for table in (old, new)]
    return any(column.alarm for column in measure_drift(*tables, customers=(old["id"], new["id"])))


@pytest.mark.slow
@pytest.mark.parametrize(("cutoffs", "turnover"), [(1, 0.0), (1, 1.0), (6, 0.03), (6, 1.0), (12, 0.0), (12, 0.03)])
def test_alarms_are_as_rare_as_stated_where_customers_stay_or_go(cutoffs, turnover):
    false = sum(alarmed(*panel(200, cutoffs, turnover, seed)) for seed in range(120))
    # 6 are due; none, or more than 14, have a chance of less than one in four hundred.
    assert 0 < false <= 14


def test_alarms_are_as_rare_as_stated_where_all_present_customers_are_new():
    false = 0
    for seed in range(120):
        old, _ = panel(200, 12, 0.0, seed)
        new, _ = panel(200, 1, 0.0, seed + 1000)
        false += alarmed(old, new.assign(id=new["id"] + 10_000))
    assert 0 < false <= 14


def test_many_customers_are_grouped_and_alarm_all_the_same():
    columns = found(shop(5000, 1), shop(5000, 2, spend=lambda s: s * 1.2))
    assert columns["spend"].alarm
    assert not columns["orders"].alarm


def test_law_the_order_of_rows_changes_no_alarm():
    old, new = panel(2500, 2, 0.5, 1)
    order = np.random.default_rng(0).permutation(len(old))
    both = [measure_drift(one.drop(columns="id"), new.drop(columns="id"), customers=(one["id"], new["id"]))
            for one in (old, old.iloc[order])]  # fmt: skip
    assert both[0] == both[1]


def test_a_constant_that_becomes_another_constant_raises_an_alarm():
    assert measure_drift(pd.DataFrame({"a": np.zeros(50)}), pd.DataFrame({"a": np.ones(50)}))[0].alarm
    assert measure_drift(pd.DataFrame({"a": np.zeros(50)}), pd.DataFrame({"a": np.full(50, np.nan)}))[0].alarm


@pytest.mark.parametrize("rows", [1, 2, 5, 20])
def test_a_handful_of_customers_is_no_reason_for_an_alarm(rows):
    assert sum(any(c.alarm for c in measure_drift(shop(500, n), shop(rows, n + 500))) for n in range(100)) <= 12


def test_a_column_that_never_varies_raises_no_alarm():
    still = pd.DataFrame({"a": np.ones(50), "b": np.full(50, np.nan)})
    assert not any(column.alarm for column in measure_drift(still, still))


def test_tables_that_cannot_be_compared_are_refused():
    with pytest.raises(DataError, match=r"E-RI-040 before, now: two tables with rows"):
        measure_drift(shop(), shop().drop(columns="spend"))
    with pytest.raises(DataError, match="E-RI-040"):
        measure_drift(shop(), shop().iloc[:0])
    with pytest.raises(DataError, match="E-RI-041 customers: 2000 and 3 customers for 2000 and 2000 rows"):
        measure_drift(shop(), shop(), customers=(np.arange(2000), np.arange(3)))
