"""Agreement of segments and tiers: peers' numbers, intervals that hold, and the customers who stand out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, fisher_exact
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from tierlens.errors import DataError
from tierlens.explain.agreement import agreement, cross_table, disagreements
from tierlens.explain.measures import MEASURES

pairs = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ABCD")), min_size=2, max_size=60)


def measured(segments, tiers, **options):
    rows = agreement(segments, tiers, **{"resamples": 0, **options}).measures.to_pylist()
    return {row["measure"]: row for row in rows}


def drawn(count=400, strength=0.6, seed=0):
    rng = np.random.default_rng(seed)
    tiers = rng.choice(list("ABCD"), count, p=[0.05, 0.15, 0.3, 0.5])
    own = np.array(["ABCD".index(tier) for tier in tiers])
    return np.where(rng.random(count) < strength, own, rng.integers(0, 4, count)), tiers


@settings(max_examples=100, deadline=None)
@given(both=pairs)
def test_oracle_scikit_learn_and_scipy(both):
    segments, tiers = (list(part) for part in zip(*both, strict=True))
    found = measured(segments, tiers)
    assert found["adjusted_rand"]["value"] == pytest.approx(adjusted_rand_score(tiers, segments), abs=1e-9)
    if len(set(segments)) > 1 and len(set(tiers)) > 1:
        information = adjusted_mutual_info_score(tiers, segments)
        assert found["adjusted_mutual_information"]["value"] == pytest.approx(information, abs=1e-9)
        assert found["cramers_v"]["value"] ** 2 == pytest.approx(bergsma(segments, tiers) ** 2, abs=1e-9)


def bergsma(segments, tiers):
    """The formulas of the paper, one by one."""
    table = pd.crosstab(pd.Series(segments), pd.Series(tiers)).to_numpy()
    n, (r, c) = table.sum(), table.shape
    left = max(0.0, chi2_contingency(table, correction=False).statistic / n - (r - 1) * (c - 1) / (n - 1))
    least = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    return min(np.sqrt(left / least), 1.0) if least > 1e-9 else 0.0


@settings(max_examples=50, deadline=None)
@given(both=pairs, order=st.permutations(range(4)))
def test_law_new_names_and_a_new_row_order_change_no_measure(both, order):
    segments, tiers = (list(part) for part in zip(*both, strict=True))
    renamed = [f"segment {order[one]}" for one in reversed(segments)]
    one, other = measured(segments, tiers), measured(renamed, list(reversed(tiers)))
    for name in one:
        assert one[name]["value"] == pytest.approx(other[name]["value"], abs=1e-9)


def test_full_agreement_and_none():
    same = measured([0, 1, 2] * 20, ["A", "B", "C"] * 20, resamples=200)
    assert [row["value"] for row in same.values()] == pytest.approx([1, 1, 1])
    assert [row["high"] for row in same.values()] == [1, 1, 1]
    # Sixty customers without an exception leave room for one in twenty.
    assert all(0.6 < row["low"] < 1 for row in same.values())
    assert all(row["p_value"] == 1 / 201 for row in same.values())
    apart = measured([0, 1] * 20, ["A", "A", "B", "B"] * 10, resamples=200)
    assert apart["cramers_v"]["value"] == 0
    assert apart["adjusted_rand"]["value"] < 0.01
    assert all(row["p_value"] == 1 for row in apart.values())


@pytest.mark.parametrize("segments", [[0, 0, 0], [0, 1, 2]])
def test_one_segment_or_one_each_does_not_divide_by_nothing(segments):
    found = measured(segments, ["A", "A", "A"], resamples=20)
    assert all(np.isfinite(list(row.values())[3:]).all() for row in found.values())


def test_oracle_far_from_chance_the_interval_is_that_of_customers_drawn_one_by_one():
    segments, tiers = drawn(2000)
    found = measured(segments, tiers, resamples=500)
    rng = np.random.default_rng(1)
    rand, information = [], []
    for _ in range(300):
        rows = rng.integers(0, len(tiers), len(tiers))
        rand.append(adjusted_rand_score(tiers[rows], segments[rows]))
        information.append(adjusted_mutual_info_score(tiers[rows], segments[rows]))
    for name, values in (("adjusted_rand", rand), ("adjusted_mutual_information", information)):
        slow = np.quantile(values, [0.025, 0.975])
        assert [found[name]["low"], found[name]["high"]] == pytest.approx(slow.tolist(), abs=0.01)
        assert found[name]["low"] < found[name]["value"] < found[name]["high"]


TIERS = np.array([0.05, 0.15, 0.3, 0.5])
POPULATIONS = {
    "independent": np.outer([0.4, 0.25, 0.15, 0.12, 0.08], TIERS),
    "dependent": 0.3 * np.diag(TIERS) + 0.7 * np.outer(TIERS, np.full(4, 0.25)),
}


@pytest.mark.slow
@pytest.mark.parametrize(("shares", "customers"), [("independent", 100), ("independent", 1000), ("dependent", 300)])
def test_intervals_hold_the_population_as_often_as_they_say(shares, customers):
    rng = np.random.default_rng(7)
    tries, missed, claimed = 150, dict.fromkeys(MEASURES, 0), 0
    truth = {name: of.reported(of.slope(POPULATIONS[shares][None])[0])[0] for name, of in MEASURES.items()}
    for seed in range(tries):
        cells = rng.multinomial(customers, POPULATIONS[shares].ravel())
        segment, tier = np.divmod(np.repeat(np.arange(len(cells)), cells), 4)
        found = agreement(segment, tier.astype(str), resamples=99, seed=seed)
        claimed += "tiers agree better" in found.verdict.en
        for row in found.measures.to_pylist():
            assert row["low"] <= row["value"] <= row["high"]
            missed[row["measure"]] += not row["low"] - 1e-9 <= truth[row["measure"]] <= row["high"] + 1e-9
    # 7.5 of 150 are due; more than 17, or none, have a chance of less than one in a thousand.
    assert all(0 < count <= 17 for count in missed.values()), missed
    assert claimed <= 17 if shares == "independent" else claimed > 140


@given(both=pairs)
@settings(max_examples=30, deadline=None)
def test_law_only_the_test_decides_what_is_claimed(both):
    segments, tiers = (list(part) for part in zip(*both, strict=True))
    found = agreement(segments, tiers, resamples=60)
    assert ("tiers agree better than chance" in found.verdict.en) == (found.p_value < 0.05)
    assert ("高于随机水平" in found.verdict.zh) == (found.p_value < 0.05)
    for row in found.measures.to_pylist():
        assert row["low"] <= row["value"] <= row["high"]
        assert row["p_value"] < 0.05 or row["low"] <= 0 or min(len(set(segments)), len(set(tiers))) == 1


def test_without_draws_nothing_is_claimed():
    found = agreement([0, 1] * 50, ["A", "B"] * 50, resamples=0)
    assert found.verdict.en == "not tested against chance"
    assert all(np.isnan([row["low"], row["high"], row["p_value"]]).all() for row in found.measures.to_pylist())


def test_the_test_is_fishers_on_two_by_two():
    table = np.array([[12, 5], [6, 11]])
    segments, tiers = np.divmod(np.repeat(np.arange(4), table.ravel()), 2)
    found = agreement(segments, tiers.astype(str), resamples=4000)
    assert found.p_value == pytest.approx(fisher_exact(table).pvalue, abs=0.02)


def test_law_more_customers_and_less_confidence_narrow_the_interval():
    segments, tiers = drawn()
    wide = measured(segments, tiers, resamples=500)["adjusted_rand"]
    many = measured(np.tile(segments, 9), np.tile(tiers, 9), resamples=500)["adjusted_rand"]
    less = measured(segments, tiers, resamples=500, confidence=0.5)["adjusted_rand"]
    assert many["high"] - many["low"] < (wide["high"] - wide["low"]) / 2
    assert less["high"] - less["low"] < wide["high"] - wide["low"]


def test_law_a_seed_gives_the_same_interval_again():
    segments, tiers = drawn()
    one, two = (agreement(segments, tiers, resamples=50, seed=3) for _ in range(2))
    assert one.measures.equals(two.measures)
    assert not one.measures.equals(agreement(segments, tiers, resamples=50, seed=4).measures)


def test_the_cross_table_has_counts_and_three_shares():
    found = agreement([0, 0, 0, 1], ["A", "A", "B", "B"], resamples=0)
    assert found.customers == 4
    assert [tuple(row.values()) for row in found.cross.to_pylist()] == [
        (0, "A", 2, 2 / 3, 1.0, 0.5),
        (0, "B", 1, 1 / 3, 0.5, 0.25),
        (1, "A", 0, 0.0, 0.0, 0.0),
        (1, "B", 1, 1.0, 0.5, 0.25),
    ]
    assert found.cross.column_names[2:] == ["customers", "share_of_segment", "share_of_tier", "share_of_all"]


@settings(max_examples=50, deadline=None)
@given(both=pairs)
def test_law_the_cross_table_closes(both):
    segments, tiers = (list(part) for part in zip(*both, strict=True))
    cross = agreement(segments, tiers, resamples=0).cross.to_pandas()
    assert cross["customers"].sum() == len(both)
    assert np.allclose(cross.groupby("segment")["share_of_segment"].sum(), 1)
    assert np.allclose(cross.groupby("tier")["share_of_tier"].sum(), 1)


def test_columns_of_any_table_are_taken():
    segments, tiers = drawn(50)
    expected = agreement(segments, tiers, resamples=10)
    table = pa.table({"segment": segments, "tier": tiers.astype(str)})
    frame = table.to_pandas()
    for one, other in ((table["segment"], table["tier"]), (frame["segment"], frame["tier"])):
        assert agreement(one, other, resamples=10).cross.equals(expected.cross)


# --- who stands out


def test_the_best_segment_with_the_worst_tier_comes_first():
    ids = [f"c{number}" for number in range(12)]
    segments = [0] * 6 + [1] * 6
    tiers = ["A", "A", "A", "A", "B", "D"] + ["D"] * 5 + ["B"]
    rows = disagreements(ids, segments, tiers).to_pylist()
    assert [(row["customer_id"], row["segment"], row["tier"], row["usual_tier"]) for row in rows] == [
        ("c5", 0, "D", "A"),
        ("c11", 1, "B", "D"),
    ]
    assert [row["gap"] for row in rows] == pytest.approx([3 - 4 / 6, 1 - 16 / 6], abs=1e-6)
    assert rows[0]["text_en"] == "tier D in a segment that is mostly A (16.7% of it have D): worse than its segment"
    assert rows[1]["text_zh"] == "等级B，所在客群以D为主（其中16.7%为B）：高于同群水平"


def test_ties_go_by_customer_and_the_list_ends_where_asked():
    ids = ["z", "y", "x", *(f"c{number}" for number in range(30))]
    segments, tiers = [0] * 33, ["D"] * 3 + ["A"] * 30
    assert disagreements(ids, segments, tiers)["customer_id"].to_pylist() == ["x", "y", "z"]
    assert disagreements(ids, segments, tiers, most=2)["customer_id"].to_pylist() == ["x", "y"]


def test_nobody_stands_out_where_tiers_and_segments_agree():
    table = disagreements(list("abcd"), [0, 0, 1, 1], ["A", "A", "D", "D"])
    assert table.num_rows == 0
    assert table.schema.field("gap").type == pa.float64()
    assert table.schema.field("text_en").type == pa.string()


@settings(max_examples=50, deadline=None)
@given(both=pairs, seed=st.integers(0, 99))
def test_law_the_order_of_customers_changes_nothing(both, seed):
    segments, tiers = (np.array(part) for part in zip(*both, strict=True))
    ids = np.array([f"c{number:03}" for number in range(len(both))])
    order = np.random.default_rng(seed).permutation(len(both))
    one, other = disagreements(ids, segments, tiers), disagreements(ids[order], segments[order], tiers[order])
    assert one.equals(other)
    assert (np.abs(one["gap"].to_numpy()) >= 1).all()


def test_other_tiers_need_their_order():
    with pytest.raises(DataError, match="E-EP-012: tier 'gold' is none of A, B, C, D; pass order"):
        disagreements(["a", "b"], [0, 0], ["gold", "tin"])
    table = disagreements(list("abcd"), [0] * 4, ["tin", "gold", "gold", "gold"], order=("gold", "silver", "tin"))
    assert table["gap"].to_pylist() == [1.5]


@pytest.mark.parametrize(
    ("segments", "tiers", "words"),
    [
        ([0, 1], ["A"], "E-EP-010: 2 segments for 1 tiers"),
        ([], [], "E-EP-010: 0 segments for 0 tiers"),
        ([0, 1], ["A", None], "E-EP-011: 1 of tiers are missing"),
        ([0, float("nan")], ["A", "B"], "E-EP-011: 1 of segments are missing"),
        (pd.array([0, None], dtype="Int64"), ["A", "B"], "E-EP-011: 1 of segments are missing"),
    ],
)
def test_what_cannot_be_compared_is_refused(segments, tiers, words):
    with pytest.raises(DataError, match=words):
        cross_table(segments, tiers)


def test_customers_must_match_too():
    with pytest.raises(DataError, match="E-EP-010: 1 customers for 2 tiers"):
        disagreements(["a"], [0, 1], ["A", "B"])
