"""A risk that is not to be acted on is said beside each risk that the model gives."""

from __future__ import annotations

from typing import Any, cast

import pyarrow as pa
import pytest

from tests.publish.samples import make_risk
from tierlens.explain.reason_columns import OUTCOMES, reason_columns
from tierlens.learning.learn import Learned
from tierlens.pipeline.customers import _with_unknown, risk_of, with_risk_notes
from tierlens.publish.report.findings import Estimate

WORSE = Estimate(-0.012, -0.02, -0.001)


def learned(outcome: str, risks: list[float | None], edge: Estimate | None = None) -> Learned:
    now = pa.table({f"{outcome}_risk": pa.array(risks, pa.float64())})
    return Learned(outcome, cast(Any, None), (), make_risk(outcome, edge), now, {}, {})


@pytest.mark.parametrize(
    ("risks", "constant"), [([0.08, None, 0.08], True), ([0.08, 0.09], False), ([0.5, None], False), ([None], False)]
)
def test_a_risk_is_constant_when_all_customers_have_the_same(risks: list[float | None], constant: bool) -> None:
    assert risk_of(learned("churn", risks)).is_constant is constant


def test_notes_stand_only_beside_risks_that_a_doubtful_model_gives() -> None:
    both = [learned("churn", [0.3, 0.2, None]), learned("downgrade", [0.1, None, 0.2], WORSE)]
    table = with_risk_notes(pa.table({"churn_risk": [0.3, 0.2, None], "downgrade_risk": [0.1, None, 0.2]}), both)
    notes = table["risk_note_en"].to_pylist()
    assert [note is not None for note in notes] == [True, False, True]
    assert notes[0].startswith("Downgrade risk: ")
    assert table["risk_note_zh"].to_pylist()[0].startswith("降级风险：")


def test_two_doubtful_models_are_both_named() -> None:
    both = [learned("churn", [0.3, 0.3]), learned("downgrade", [0.1, None], WORSE)]
    table = with_risk_notes(pa.table({"churn_risk": [0.3, 0.3], "downgrade_risk": [0.1, None]}), both)
    first, second = table["risk_note_en"].to_pylist()
    assert ("Churn risk: " in first, "Downgrade risk: " in first) == (True, True)
    assert ("Churn risk: " in second, "Downgrade risk: " in second) == (True, False)


def test_models_that_may_be_used_leave_the_notes_empty() -> None:
    table = with_risk_notes(pa.table({"churn_risk": [0.3, 0.2]}), [learned("churn", [0.3, 0.2])])
    assert table["risk_note_en"].null_count == table["risk_note_zh"].null_count == 2


REASONS = [name for outcome in OUTCOMES for name in reason_columns(outcome)]


def test_risks_and_reasons_of_what_was_not_learned_are_there_without_values() -> None:
    learned_of = {"customer_id": ["a", "b"], "churn_risk": [0.5, None], "churn_raised_by_1_en": ["x", "y"]}
    found = _with_unknown(pa.table(learned_of))
    assert set(found.column_names) == {"customer_id", "churn_risk", "downgrade_risk", *REASONS}
    assert found["churn_risk"].to_pylist() == [0.5, None]
    assert found["churn_raised_by_1_en"].to_pylist() == ["x", "y"]
    assert found["downgrade_risk"].null_count == found["downgrade_raised_by_3_zh"].null_count == 2
    assert found.schema.field("downgrade_lowered_by_2_points").type == pa.float64()
    assert _with_unknown(found).equals(found)
