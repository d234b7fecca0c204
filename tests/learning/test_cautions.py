"""What a run says of risks that are not to be acted on is said of later scores too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from tests.publish.samples import make_findings
from tierlens.learning import cautions
from tierlens.publish.report.findings import Estimate, Risk


def learned(risk: Risk) -> Any:
    """What of a learned outcome is kept, with a model that only makes its folder."""
    model = SimpleNamespace(save=lambda folder: folder.mkdir(parents=True))
    return SimpleNamespace(outcome="churn", risk=risk, model=model)


@pytest.fixture
def risk() -> Risk:
    return make_findings().risks[0]


def test_a_model_below_its_baseline_is_noted_for_all_who_have_a_risk(risk: Risk, tmp_path: Path) -> None:
    below = replace(risk, edge=Estimate(-0.2, -0.3, -0.1), is_constant=False)
    cautions.keep_model(learned(below), tmp_path)
    found = cautions.with_kept_notes(pa.table({"churn_risk": [0.1, None, 0.3]}), tmp_path)
    assert below.caution is not None
    assert found["risk_note_en"].to_pylist() == [below.caution.en, None, below.caution.en]
    assert found["risk_note_zh"].to_pylist() == [below.caution.zh, None, below.caution.zh]


def test_equal_risks_are_noted_by_what_they_are_now(risk: Risk, tmp_path: Path) -> None:
    good = replace(risk, edge=Estimate(0.2, 0.1, 0.3), is_constant=True)
    cautions.keep_model(learned(good), tmp_path)
    apart = cautions.with_kept_notes(pa.table({"churn_risk": [0.1, 0.3]}), tmp_path)
    assert apart["risk_note_en"].to_pylist() == [None, None]
    same = cautions.with_kept_notes(pa.table({"churn_risk": [0.3, 0.3, None]}), tmp_path)
    assert good.caution is not None
    assert same["risk_note_zh"].to_pylist() == [good.caution.zh, good.caution.zh, None]


def test_one_customer_alone_is_not_equal_to_others() -> None:
    assert not cautions.are_same(pa.chunked_array([[0.3, None]]))


def test_of_a_model_kept_by_an_earlier_version_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "churn").mkdir()
    found = cautions.with_kept_notes(pa.table({"churn_risk": [0.3, 0.3]}), tmp_path)
    assert found["risk_note_en"].to_pylist() == [None, None]
    assert found.column_names == ["churn_risk", "risk_note_en", "risk_note_zh"]
