"""Profiles: sizes, medians, differences, and descriptions with the right numbers."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.segments.shops import shop
from tierlens.errors import DataError
from tierlens.segments import CustomerSegmenter
from tierlens.segments.profile import normal_scores, segment_profile
from tierlens.sources.tables import Currency

POUND = Currency("GBP")


@pytest.fixture(scope="module")
def made():
    table, _ = shop()
    labels = CustomerSegmenter(4).fit_predict(table)
    return table, labels, segment_profile(table, labels, currency=POUND)


def test_names_are_true_to_the_kinds(made):
    _, _, shown = made
    assert [shown.names[number].en for number in range(4)] == [
        "Active big frequent buyers",
        "Repeat buyers",
        "New one-time buyers",
        "Lapsing small one-time buyers",
    ]
    assert [shown.names[number].zh for number in range(4)] == [
        "活跃的高额高频客户",
        "回头客",
        "新近的单次客户",
        "流失边缘的低额单次客户",
    ]


def test_one_row_a_segment_and_one_a_segment_and_feature(made):
    table, labels, shown = made
    assert shown.segments.column_names == [
        "segment", "name_en", "name_zh", "about_en", "about_zh", "customers", "share",
    ]  # fmt: skip
    assert shown.segments["customers"].to_pylist() == np.bincount(labels).tolist()
    assert sum(shown.segments["share"].to_pylist()) == pytest.approx(1)
    assert shown.features.num_rows == 4 * table.shape[1]


def test_oracle_medians_by_pandas(made):
    table, labels, shown = made
    wide = shown.features.to_pandas().pivot(index="segment", columns="feature", values="median")
    expected = table.groupby(labels).median()
    assert np.allclose(wide[table.columns], expected)
    everybody = shown.features.to_pandas().groupby("feature")["population_median"].first()
    assert np.allclose(everybody[table.columns], table.median())


def test_the_description_states_the_numbers_in_whole_units_of_the_currency(made):
    table, labels, shown = made
    best = table[labels == 0].median()
    assert shown.about[0].en == (
        f"{(labels == 0).sum()} customers (25%); typical: last purchase {best.recency_days:.0f} days ago, "
        f"{best.frequency:.0f} orders, {best.monetary / 100:,.0f} GBP net, "
        f"first purchase {best.tenure_days:.0f} days ago"
    )
    assert f"净消费{best.monetary / 100:,.0f} GBP" in shown.about[0].zh
    assert "." not in shown.about[0].zh.split("；")[1]


def test_titles_and_units_come_from_the_catalog(made):
    _, _, shown = made
    row = next(row for row in shown.features.to_pylist() if row["feature"] == "monetary")
    assert (row["title_en"], row["title_zh"], row["unit"]) == ("net amount in the window", "窗口内净交易额", "money")


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 500), factor=st.sampled_from([10, 0.01, 1e6]))
def test_law_differences_depend_neither_on_unit_nor_on_row_order(seed, factor):
    table, kinds = shop(each=10, seed=seed)
    order = np.random.default_rng(seed).permutation(len(table))
    other = table.assign(monetary=table["monetary"] * factor).iloc[order]
    one, two = (segment_profile(t, k, currency=POUND) for t, k in ((table, kinds), (other, kinds[order])))
    assert np.allclose(one.features["difference"].to_numpy(), two.features["difference"].to_numpy())
    assert one.names == two.names


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.one_of(st.integers(-50, 50), st.just(math.nan)), min_size=1, max_size=40))
def test_law_normal_scores_are_standard_and_keep_order_and_ties(values):
    column = np.array(values, dtype=float)
    scores = normal_scores(column)
    known = ~np.isnan(column)
    assert (np.isnan(scores) == ~known).all()
    if len(set(column[known])) > 1:
        assert scores[known].mean() == pytest.approx(0, abs=1e-9)
        assert scores[known].std() == pytest.approx(1)
        order = np.argsort(column[known], kind="stable")
        steps = np.diff(column[known][order])
        assert ((np.diff(scores[known][order]) > 0) == (steps > 0)).all()
    else:
        assert (scores[known] == 0).all()


def test_law_differences_average_to_nothing_over_the_population(made):
    _, labels, shown = made
    rows = shown.features.to_pandas()
    share = pd.Series(np.bincount(labels) / len(labels))
    total = (rows["difference"] * rows["segment"].map(share)).groupby(rows["feature"]).sum()
    assert np.allclose(total, 0, atol=1e-9)


def test_missing_values_are_counted_and_a_segment_without_any_is_null():
    table = pa.table({"regularity": [0.5, None, None, None], "frequency": [9, 8, 1, 1]})
    shown = segment_profile(table, [0, 0, 1, 1], currency=POUND)
    first, second = (row for row in shown.features.to_pylist() if row["feature"] == "regularity")
    assert (first["median"], first["missing_share"]) == (0.5, 0.5)
    assert (second["median"], second["difference"], second["missing_share"]) == (None, None, 1.0)


def test_any_table_and_only_the_columns_asked_for():
    table, kinds = shop(each=5)
    table = table.assign(customer_id=[f"c{i}" for i in range(len(table))], cutoff=15126, shoe_size=40)
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    expected = segment_profile(table, kinds, currency=POUND)
    assert set(expected.features["feature"].to_pylist()) == {"recency_days", "frequency", "monetary", "tenure_days"}
    for same in (arrow, pl.from_arrow(arrow)):
        assert segment_profile(same, kinds, currency=POUND).features.equals(expected.features)
    shoes = segment_profile(table, kinds, currency=POUND, features=["shoe_size"])
    assert shoes.features["title_en"].to_pylist() == ["shoe_size"] * 4
    assert shoes.about[0].en == "5 customers (25%)"


def test_columns_that_no_catalog_knows_are_described_as_they_are():
    shown = segment_profile(pa.table({"shoe_size": [40, 41]}), [0, 1], currency=POUND)
    assert shown.features["feature"].to_pylist() == ["shoe_size", "shoe_size"]
    assert [name.en for name in shown.names.values()] == ["Customers, group 1", "Customers, group 2"]


@pytest.mark.parametrize(("rows", "labels"), [([1, 2, 3], [0, 1]), ([], [])])
def test_labels_must_match_the_rows(rows, labels):
    with pytest.raises(DataError, match=f"E-SG-006: {len(labels)} labels for {len(rows)} customers"):
        segment_profile(pa.table({"frequency": pa.array(rows, pa.int64())}), labels, currency=POUND)
