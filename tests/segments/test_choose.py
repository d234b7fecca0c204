"""The number of segments: the rule as a table of cases, and shops whose number is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import silhouette_score

from tierlens.segments.choose import Candidate, Rule, choose_segments, decided_number, fit_kmeans, possible_candidates

QUICK = Rule(refits=3)


def blobs(count: int, each: int = 40, spread: float = 0.08, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    angles = 2 * np.pi * np.arange(count) / count
    return np.concatenate([rng.normal((np.cos(at), np.sin(at)), spread, (each, 2)) for at in angles])


def row(segments, silhouette, stability=0.9, share=0.1):
    rule = Rule()
    qualifies = stability >= rule.least_stability and share >= rule.least_share
    return Candidate(segments, silhouette, stability, share, 1.0, qualifies)


CASES = {
    "best separated": ([row(3, 0.30), row(4, 0.40), row(5, 0.35)], 4),
    "a tie at two decimals goes to fewer": ([row(3, 0.301), row(4, 0.304), row(5, 0.296)], 3),
    "an unstable one is passed over": ([row(3, 0.30), row(4, 0.50, stability=0.79), row(5, 0.40)], 5),
    "at the bound it is stable": ([row(3, 0.30), row(4, 0.50, stability=0.80)], 4),
    "one with a tiny segment is passed over": ([row(3, 0.30), row(4, 0.50, share=0.02)], 3),
    "none qualifies: the most stable": ([row(3, 0.5, stability=0.5), row(4, 0.3, stability=0.7)], 4),
    "none qualifies: a tie goes to fewer": ([row(3, 0.1, stability=0.7), row(4, 0.3, stability=0.7)], 3),
}


@pytest.mark.parametrize("case", CASES)
def test_the_rule(case):
    candidates, expected = CASES[case]
    choice = decided_number(candidates, Rule())
    assert choice.segments == expected
    assert [one.segments for one in choice.candidates if one.chosen] == [expected]
    assert [replace(one, chosen=False) for one in choice.candidates] == candidates


def test_the_choice_says_why_in_both_languages():
    met = decided_number(CASES["best separated"][0], Rule())
    assert met.why.en.startswith("4 segments: the best separated (silhouette 0.40)")
    assert met.why.zh.startswith("4个客群：在重抽样下保持稳定（此处0.90，至少0.80）")
    unmet = decided_number(CASES["none qualifies: the most stable"][0], Rule())
    assert "Read these segments with care" in unmet.why.en
    assert "请谨慎解读" in unmet.why.zh


@pytest.mark.parametrize("count", [3, 4, 5, 6])
def test_finds_the_number_of_well_separated_groups(count):
    choice = choose_segments(blobs(count), QUICK)
    assert choice.segments == count
    chosen = choice.candidates[count - 3]
    assert chosen.chosen
    assert chosen.stability == pytest.approx(1.0)
    assert chosen.smallest_share == pytest.approx(1 / count)


def test_noise_without_groups_is_called_unstable_or_keeps_the_bound():
    noise = np.random.default_rng(0).normal(size=(150, 6))
    choice = choose_segments(noise, replace(QUICK, least_stability=0.95))
    assert not any(one.qualifies for one in choice.candidates)
    assert "no number stayed alike" in choice.why.en


def test_oracle_silhouette_and_share():
    values = blobs(3, spread=0.5)
    for one in choose_segments(values, replace(QUICK, candidates=(3, 4))).candidates:
        labels = fit_kmeans(values, one.segments, 10, 0).labels_
        assert one.silhouette == pytest.approx(silhouette_score(values, labels))
        assert one.smallest_share == np.bincount(labels).min() / len(values)


def test_more_rows_than_the_rule_takes_are_thinned():
    assert choose_segments(blobs(4, each=500), replace(QUICK, rows=200)).segments == 4


def test_the_table_holds_every_candidate():
    table = choose_segments(blobs(3), QUICK).table()
    assert table.column_names == [
        "segments", "silhouette", "stability", "smallest_share", "inertia", "qualifies", "chosen",
    ]  # fmt: skip
    assert table["segments"].to_pylist() == [3, 4, 5, 6, 7, 8]
    assert sum(table["chosen"].to_pylist()) == 1


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.integers(0, 5), min_size=1, max_size=12))
def test_law_only_numbers_that_there_are_rows_for_are_tried(rows):
    values = np.array(rows, dtype=float)[:, None]
    found = possible_candidates(values, range(1, 10))
    assert found == [k for k in range(2, 10) if k <= len(set(rows)) and k < len(rows)]


def test_resamples_with_too_few_different_rows_are_left_out():
    values = np.array([[0.0], [1.0], [2.0], [2.0]])
    choice = choose_segments(values, Rule(candidates=(3,), refits=6))
    assert choice.segments == 3
    assert 0 <= choice.candidates[0].stability <= 1


def test_too_few_rows_are_refused():
    with pytest.raises(ValueError, match="2 rows are too few or too alike"):
        choose_segments(np.array([[0.0], [1.0]]))
