"""CustomerSegmenter: scikit-learn's own checks, laws (unit, row order, reruns) and refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.segments.shops import shop
from tierlens.errors import DataError, UsageError
from tierlens.segments import SEGMENT_FEATURES, CustomerSegmenter, Rule
from tierlens.segments.segmenter import _order


@parametrize_with_checks([CustomerSegmenter(n_clusters=3), CustomerSegmenter(rule=Rule(candidates=(2, 3), refits=2))])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_finds_the_kinds_of_a_shop_and_their_number():
    table, kinds = shop()
    found = CustomerSegmenter().fit(table)
    assert found.n_clusters_ == found.choice_.segments == 4
    assert adjusted_rand_score(kinds, found.labels_) > 0.98
    assert list(found.feature_names_in_) == list(SEGMENT_FEATURES)


def test_segments_are_numbered_from_the_best_down():
    table, _ = shop()
    found = CustomerSegmenter(4).fit(table)
    medians = table["monetary"].groupby(found.labels_).median().tolist()
    assert found.order_by_ == "monetary"
    assert medians == sorted(medians, reverse=True)


def test_another_column_can_number_them():
    table, _ = shop()
    found = CustomerSegmenter(4, order_by="recency_days").fit(table)
    medians = table["recency_days"].groupby(found.labels_).median().tolist()
    assert medians == sorted(medians, reverse=True)


# --- laws


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), factor=st.sampled_from([10, 0.1, 100, 7, 1e6]), column=st.sampled_from([0, 1, 2, 3]))
def test_law_the_unit_of_a_column_changes_no_label(seed, factor, column):
    table, _ = shop(each=25, seed=seed)
    other = table.astype(float)
    other.iloc[:, column] *= factor
    assert (CustomerSegmenter(3).fit_predict(other) == CustomerSegmenter(3).fit_predict(table)).all()


def test_law_the_unit_of_money_changes_neither_the_chosen_number_nor_a_label():
    table, _ = shop(each=120, seed=3)
    one, ten = CustomerSegmenter().fit(table), CustomerSegmenter().fit(table.assign(monetary=table["monetary"] * 10))
    assert one.choice_ == ten.choice_
    assert (one.labels_ == ten.labels_).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), sample_rows=st.sampled_from([60, 50_000]))
def test_law_the_order_of_rows_changes_no_label(seed, sample_rows):
    table, _ = shop(each=25, seed=seed % 7)
    order = np.random.default_rng(seed).permutation(len(table))
    model = CustomerSegmenter(3, sample_rows=sample_rows)
    first = model.fit_predict(table)
    assert (model.fit_predict(table.iloc[order]) == first[order]).all()


def test_law_a_rerun_gives_the_same_to_the_last_bit():
    table, _ = shop(each=60)
    one, other = CustomerSegmenter(random_state=5).fit(table), CustomerSegmenter(random_state=5).fit(table)
    assert one.cluster_centers_.tobytes() == other.cluster_centers_.tobytes()
    assert one.labels_.tobytes() == other.labels_.tobytes()
    assert one.choice_ == other.choice_


def test_law_the_labels_are_what_predict_says_and_the_nearest_centre():
    table, _ = shop()
    found = CustomerSegmenter(4).fit(table)
    assert (found.predict(table) == found.labels_).all()
    assert (found.transform(table).argmin(axis=1) == found.labels_).all()
    assert list(found.get_feature_names_out()) == [f"customersegmenter{number}" for number in range(4)]


def test_law_a_row_gets_its_label_whoever_else_is_there():
    table, _ = shop(each=40)
    found = CustomerSegmenter(4).fit(table)
    one_by_one = [found.predict(table.iloc[[row]])[0] for row in range(0, len(table), 13)]
    assert one_by_one == found.labels_[::13].tolist()


# --- inputs


def test_the_kind_of_table_does_not_matter():
    table, _ = shop(each=30)
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    expected = CustomerSegmenter(3).fit_predict(table)
    for same in (arrow, pl.from_arrow(arrow), table.astype(float), table.astype("Int64")):
        assert (CustomerSegmenter(3).fit_predict(same) == expected).all()
    assert (CustomerSegmenter(3, order_by="x2").fit_predict(table.to_numpy()) == expected).all()


def test_a_missing_value_takes_the_median_of_the_fit():
    table, _ = shop(each=30)
    model = CustomerSegmenter(3).fit(table)
    middle = table["recency_days"].median()
    row = table.iloc[[0]].astype(float)
    missing, filled = row.assign(recency_days=np.nan), row.assign(recency_days=middle)
    assert np.allclose(model.transform(missing), model.transform(filled), atol=1e-8)


def test_missing_values_and_empty_columns_do_not_stop_a_fit():
    table, kinds = shop(each=50)
    holes = table.astype(float).mask(np.random.default_rng(0).random(table.shape) < 0.05)
    holes["nothing"], holes["constant"] = np.nan, 3.0
    found = CustomerSegmenter(4).fit(holes)
    assert adjusted_rand_score(kinds, found.labels_) > 0.7
    assert found.scaling_.varies.tolist() == [True, True, True, True, False, False]


def test_a_sample_finds_nearly_what_all_rows_find():
    table, _ = shop(each=1500)
    model = CustomerSegmenter(4, sample_rows=1000)
    on_sample, on_all = model.fit(table), CustomerSegmenter(4).fit(table)
    assert adjusted_rand_score(on_sample.labels_, on_all.labels_) > 0.98


def test_oracle_kmeans_on_the_scaled_rows():
    table, _ = shop(each=60)
    found = CustomerSegmenter(4).fit(table)
    scaled = found.scaling_.apply(table.to_numpy(dtype=float))
    peer = KMeans(4, n_init=10, random_state=1).fit(scaled)
    assert adjusted_rand_score(peer.labels_, found.labels_) == 1.0
    ours = ((scaled - found.cluster_centers_[found.labels_]) ** 2).sum()
    assert ours == pytest.approx(peer.inertia_, rel=1e-9)


def test_works_inside_a_pipeline_of_scikit_learn():
    table, _ = shop(each=30)
    pipe = make_pipeline(FunctionTransformer(lambda frame: frame[["recency_days", "monetary"]]), CustomerSegmenter(2))
    assert set(pipe.fit_predict(table)) == {0, 1}


def test_one_segment_is_everybody():
    table, _ = shop(each=5)
    assert set(CustomerSegmenter(1).fit_predict(table)) == {0}


def test_order_breaks_ties_by_the_centres():
    centres = np.array([[1.0, 0.0], [0.0, 0.0]])
    assert _order(np.array([5.0, 5.0]), np.array([0, 1]), centres).tolist() == [1, 0]
    assert _order(np.array([np.nan, 5.0]), np.array([1, 0]), centres).tolist() == [0, 1]


# --- refusals


@pytest.mark.parametrize(
    ("model", "rows", "code", "words"),
    [
        (CustomerSegmenter(8), [[1, 2], [3, 4]], "E-SG-001", "n_samples = 2: fewer customers than the 8"),
        (CustomerSegmenter(), [[1, 2], [3, 4], [5, 6]], "E-SG-001", "fewer customers than the 4"),
        (CustomerSegmenter(2), [[1, 2]] * 9, "E-SG-002", "no feature varies over the 9 customers"),
        (CustomerSegmenter(), [[0.1, None]] * 9, "E-SG-002", "no feature varies"),
        (CustomerSegmenter(3), [[1, 2], [3, 4]] * 9, "E-SG-003", "only 2 different customers for 3 segments"),
        (CustomerSegmenter(), [[1, 2], [3, 4]] * 9, "E-SG-003", "only 2 different customers for 3 segments"),
    ],
)
def test_too_little_to_group_is_refused(model, rows, code, words):
    with pytest.raises(DataError, match=words) as caught:
        model.fit(pd.DataFrame(rows, columns=["a", "b"], dtype=float))
    assert caught.value.code == code
    assert caught.value.say("zh").startswith(code)


def test_impossible_parameters_are_refused():
    table, _ = shop(each=5)
    with pytest.raises(UsageError, match="E-SG-004: n_clusters is 0"):
        CustomerSegmenter(0).fit(table)
    with pytest.raises(UsageError, match="E-SG-005: order_by='spend' is no column; choose one of recency_days"):
        CustomerSegmenter(2, order_by="spend").fit(table)


def test_infinite_values_and_other_columns_are_refused():
    table, _ = shop(each=5)
    with pytest.raises(ValueError, match="infinity"):
        CustomerSegmenter(2).fit(table.astype(float).replace(table.iloc[0, 0], np.inf))
    with pytest.raises(ValueError, match="feature names"):
        CustomerSegmenter(2).fit(table).predict(table.rename(columns={"monetary": "money"}))


@pytest.mark.data
def test_segments_of_the_real_shop_are_stable_and_ordered(retail_files):
    import duckdb

    sheets = ", ".join(f"'{file}'" for file in retail_files)
    query = f"""
        select date_diff('day', max(InvoiceDate)::date, date '2011-06-01') recency_days,
               count(distinct Invoice) frequency, sum(Quantity * Price * 100)::bigint monetary,
               date_diff('day', min(InvoiceDate)::date, date '2011-06-01') tenure_days
        from (select distinct * from read_parquet([{sheets}]))
        where "Customer ID" is not null and Quantity > 0 and Price > 0
          and InvoiceDate < '2011-06-01' and InvoiceDate >= '2010-06-01'
        group by "Customer ID" order by "Customer ID"
    """
    table = duckdb.connect().sql(query).to_arrow_table()
    found = CustomerSegmenter().fit(table)
    chosen = next(row for row in found.choice_.candidates if row.chosen)
    assert chosen.qualifies
    assert chosen.segments == found.n_clusters_
    other = CustomerSegmenter(found.n_clusters_, random_state=1).fit(table)
    assert adjusted_rand_score(found.labels_, other.labels_) > 0.95
