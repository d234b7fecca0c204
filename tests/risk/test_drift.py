"""Drift: silent where nothing moved, loud where something did, and right about how often it is wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from tierlens.errors import DataError
from tierlens.risk.drift import BANDS, chance_bound, drift, stability_index


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
    return {column.name: column for column in drift(before, now, **options)}


def test_alarms_are_as_rare_as_stated():
    alarms = sum(any(c.alarm for c in drift(shop(600, 2 * n), shop(600, 2 * n + 1))) for n in range(120))
    assert alarms <= 14  # 5 % of 120 is 6; 14 has a chance of less than one in a thousand


def test_only_what_moved_raises_an_alarm():
    columns = found(shop(seed=1), shop(seed=2, spend=lambda s: s * 3))
    assert columns["spend"].alarm
    assert columns["spend"].band == "moved"
    assert not columns["orders"].alarm
    assert not columns["country"].alarm
    assert set(BANDS) >= {column.band for column in columns.values()}


def test_the_furthest_comes_first():
    names = [c.name for c in drift(shop(), shop(seed=3, spend=lambda s: s * 1.5, orders=lambda o: o + 4))]
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
    distance = drift(pd.DataFrame({"a": old}), pd.DataFrame({"a": new}))[0].distance
    assert distance == pytest.approx(ks_2samp(old, new).statistic)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=8))
def test_the_index_is_never_negative_and_the_same_both_ways(counts):
    old, new = (np.array(column, dtype=float) for column in zip(*counts, strict=True))
    assert stability_index(old, new) >= -1e-12
    assert stability_index(old, new) == pytest.approx(stability_index(new, old))


def test_the_bound_is_what_chance_exceeds():
    rng = np.random.default_rng(0)
    shares, bound = np.full(10, 0.1), chance_bound(10, 1000, 800, 0.05)
    far = [
        stability_index(rng.multinomial(1000, shares).astype(float), rng.multinomial(800, shares).astype(float)) > bound
        for _ in range(2000)
    ]
    assert np.mean(far) == pytest.approx(0.05, abs=0.02)


def test_tables_that_cannot_be_compared_are_refused():
    with pytest.raises(DataError, match=r"E-RI-040 before, now: two tables with rows"):
        drift(shop(), shop().drop(columns="spend"))
    with pytest.raises(DataError, match="E-RI-040"):
        drift(shop(), shop().iloc[:0])
