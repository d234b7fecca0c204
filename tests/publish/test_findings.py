"""Findings close, claim no more than their intervals, and come back from their file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.publish.samples import make_findings, make_risk
from tierlens.errors import DataError, UsageError
from tierlens.publish.report.findings import Estimate, QualityLine
from tierlens.publish.report.findings_file import read_findings, write_findings
from tierlens.words import Text


def test_quality_that_does_not_close_is_refused() -> None:
    findings = make_findings()
    with pytest.raises(DataError, match="E-RP-001 quality report: 1,067,371 rows came in and 1,067,376 are accounted"):
        replace(findings, quality=(*findings.quality, QualityLine(Text("odd", "异常"), 5, "quarantined")))


@given(st.lists(st.integers(0, 1000), min_size=3, max_size=3), st.integers(0, 1000))
def test_notes_stay_out_of_the_sum(rows: list[int], note: int) -> None:
    fates = ("used", "quarantined", "deduplicated")
    lines = [QualityLine(Text("x", "x"), count, fate) for count, fate in zip(rows, fates, strict=True)]
    lines += [QualityLine(Text("x", "x"), sum(rows), "in"), QualityLine(Text("x", "x"), note, "note")]
    assert replace(make_findings(), quality=tuple(lines)).rows("in") == sum(rows)


@pytest.mark.parametrize(
    ("edge", "standing", "words"),
    [
        (Estimate(0.012, 0.009, 0.015), "above", "ranks customers better than the best baseline"),
        (Estimate(0.012, -0.001, 0.02), "level", "cannot be told from the best baseline; use the simpler one"),
        (Estimate(0.012, 0.0, 0.02), "level", "cannot be told"),
        (Estimate(-0.0002, -0.0003, -0.0001), "level", "rank customers alike"),
        (Estimate(0.0004, 0.0001, 0.0008), "level", "rank customers alike"),
        (Estimate(0.0, 0.0, 0.0), "level", "rank customers alike"),
        (Estimate(-0.012, -0.02, -0.001), "below", "ranks customers worse than the best baseline; do not use it"),
        (Estimate(0.5), "unknown", "no interval was taken, so nothing is claimed"),
        (Estimate(float("nan"), 0.1, 0.2), "unknown", "nothing is claimed"),
    ],
)
def test_verdict_claims_no_more_than_the_interval(edge: Estimate, standing: str, words: str) -> None:
    risk = make_risk(edge=edge)
    assert risk.standing == standing
    assert words in risk.verdict.en
    assert risk.verdict.zh.startswith("流失：")


def test_verdict_names_the_baseline_and_the_interval() -> None:
    assert make_risk().verdict.en == (
        "Churn: the model ranks customers better than the best baseline (logistic regression on log-RFM). AUC 0.797, "
        "difference +0.012, 95% interval +0.009 to +0.015."
    )


@pytest.mark.parametrize(
    ("edge", "figures"),
    [
        (Estimate(-0.00004, -0.00006, -0.00002), "difference -0.00004, 95% interval -0.00006 to -0.00002."),
        (Estimate(0.002, -0.0004, 0.004), "difference +0.0020, 95% interval -0.0004 to +0.0040."),
        (Estimate(0.0, 0.0, 0.0), "difference 0.000, 95% interval 0.000 to 0.000."),
        (Estimate(-1e-12, -1e-11, 0.0), "difference 0.000000, 95% interval 0.000000 to 0.000000."),
    ],
)
def test_a_small_difference_has_enough_digits(edge: Estimate, figures: str) -> None:
    verdict = make_risk(edge=edge).verdict
    assert verdict.en.endswith(figures)
    assert " to " not in verdict.zh
    assert "至" in verdict.zh


def test_a_risk_that_is_not_to_be_acted_on_says_so() -> None:
    worse = Estimate(-0.012, -0.02, -0.001)
    assert make_risk().caution is None
    assert make_risk(edge=Estimate(-0.012, -0.02, 0.001)).caution is None
    below = make_risk("downgrade", worse).caution
    assert below is not None
    assert below.en == (
        "Downgrade risk: when tested, the model ranked customers worse than the best baseline "
        "(logistic regression on log-RFM); do not act on it."
    )
    assert below.zh.startswith("降级风险：")
    constant = replace(make_risk(), is_constant=True).caution
    assert constant == Text(
        "Churn risk: the model gives every customer the same risk, which tells nobody apart; do not act on it.",
        "流失风险：模型给所有客户的风险相同，无法区分客户，不宜据此行动。",
    )


def test_findings_come_back(tmp_path: Path) -> None:
    findings = make_findings()
    path = write_findings(findings, tmp_path / "findings.json")
    again = read_findings(path)
    # NaN is unlike itself, so the texts are compared.
    assert repr(again) == repr(findings)
    assert write_findings(again, tmp_path / "again.json").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("content", [None, "", "{}", '{"about": 3}'])
def test_no_findings_is_told(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "findings.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match=r"E-RP-002 .*findings\.json: no findings can be read: .*; run 'tierlens run'"):
        read_findings(path)
