"""A risk that is not to be acted on is said beside each risk that the model gives."""

from __future__ import annotations

from typing import Any, cast

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.publish.samples import make_risk
from tierlens.learning.learn import Learned
from tierlens.pipeline.customers import _pushed, _with_fall, _with_unknown, risk_of, with_risk_notes
from tierlens.publish.report.findings import Estimate
from tierlens.sources.tables import Currency

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


REASONS = [f"reason_{place}_{part}" for place in (1, 2, 3) for part in ("code", "en", "zh")]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=6))
def test_a_new_first_reason_moves_the_others_down_and_drops_the_last(rows: list[tuple[bool, bool]]) -> None:
    """By the slow loop: a list of three, into which the new one is put."""
    first = ["new" if is_new else None for is_new, _ in rows]
    old = [[None if empty and place == 2 else f"old{place}" for place in range(3)] for _, empty in rows]
    table = pa.table({f"reason_{p + 1}_en": pa.array([one[p] for one in old], pa.string()) for p in range(3)})
    found = _pushed(table, "en", first)
    told = zip(*(found[f"reason_{place}_en"].to_pylist() for place in (1, 2, 3)), strict=True)
    wanted = [([new, *one] if new else one)[:3] for new, one in zip(first, old, strict=True)]
    assert list(map(list, told)) == wanted


def test_risks_and_reasons_of_what_was_not_learned_are_there_without_values() -> None:
    found = _with_unknown(pa.table({"customer_id": ["a", "b"], "churn_risk": [0.5, None], "reason_1_en": ["x", "y"]}))
    assert set(found.column_names) == {"customer_id", "churn_risk", "downgrade_risk", *REASONS}
    assert found["churn_risk"].to_pylist() == [0.5, None]
    assert found["reason_1_en"].to_pylist() == ["x", "y"]
    assert found["downgrade_risk"].null_count == found["reason_3_zh"].null_count == 2
    assert _with_unknown(found).equals(found)


@pytest.mark.parametrize(
    ("need", "fall", "leave", "is_told"),
    [
        (4.0, 0.6, 0.5, True),
        (4.0, 0.5, 0.5, False),
        (4.0, 0.1, None, True),
        (0.0, 0.6, 0.5, False),
        (-3.0, 0.6, 0.5, False),
        (4.0, None, 0.5, False),
    ],
)
def test_a_fall_is_told_first_only_where_something_is_needed_and_it_is_likelier_than_leaving(
    need: float, fall: float | None, leave: float | None, is_told: bool
) -> None:
    row = {"tier": "A", "need": need, "downgrade_risk": fall, "churn_risk": leave, **dict.fromkeys(REASONS, "other")}
    table = pa.table(
        {name: pa.array([value], None if value is not None else pa.float64()) for name, value in row.items()}
    )
    (told,) = _with_fall(table, {}, Currency("CNY")).to_pylist()
    assert (told["reason_1_code"] == "R-STANDING") == is_told
    assert [told[f"reason_{place}_zh"] for place in (2, 3)] == ["other", "other"]


def test_without_a_need_nothing_of_a_fall_is_said() -> None:
    table = pa.table({name: ["other"] for name in REASONS})
    assert _with_fall(table, {}, Currency("CNY")) is table
