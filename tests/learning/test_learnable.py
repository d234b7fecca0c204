"""What can be learned and tested: counted by a plain loop over the cutoffs; each reason against it has its code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.learning.made_tasks import made_task, with_outcome
from tests.publish.samples import make_findings
from tierlens.errors import DataError, UsageError
from tierlens.learning.learnable import (
    LEAST,
    folds_of,
    left_out,
    note_simulated,
    nothing_closed,
    parts_left_out,
    refuse_left_out,
)
from tierlens.learning.tasks import Task, at_cutoffs
from tierlens.publish.files.run_json import write_folder_record
from tierlens.publish.report.findings_file import write_findings
from tierlens.publish.report.left_out import LeftOut
from tierlens.words import Text
from tierlens.workspace import notice, run_folder
from tierlens.workspace.config import RunConfig


def config_of(tests: int = 3, horizon: int = 60, first: str = "2025-01-01") -> RunConfig:
    return RunConfig.model_validate({
        "name": "a", "simulated": {}, "cutoff": "2025-09-01", "window": {"horizon": horizon},
        "risk": {"first_cutoff": first, "tests": tests},
    })  # fmt: skip


CONFIG = config_of()
DAYS = CONFIG.learning_cutoffs()
FLAGS = st.lists(st.booleans(), min_size=len(DAYS) * 4, max_size=len(DAYS) * 4)


def task_of(outcome: list[bool], held: set[int]) -> Task:
    task = with_outcome(made_task(DAYS, customers=4), [int(one) for one in outcome])
    return replace(task, rows=at_cutoffs(task.rows, sorted(held)))


@settings(max_examples=60)
@given(FLAGS, st.sets(st.sampled_from(DAYS), min_size=1), st.integers(1, 5))
def test_a_cutoff_is_tested_where_both_results_were_known_by_then(
    outcome: list[bool], held: set[int], tests: int
) -> None:
    task, config = task_of(outcome, held), config_of(tests)
    rows = list(zip(task.rows["cutoff"].to_pylist(), task.rows["churn"].to_pylist(), strict=True))
    planned = [(day, [one for one in DAYS if one + 60 <= day]) for day in DAYS]
    wanted = []
    for day, known in [one for one in planned if one[1]][-tests:]:
        told = [result for at, result in rows if at in known]
        if day in held and min(told.count(0), told.count(1)) >= LEAST:
            wanted.append((known, day))
    at_tests = {result for at, result in rows if at in [day for _, day in wanted]}
    if wanted and at_tests == {0, 1}:
        assert folds_of(task, config) == wanted
    else:
        with pytest.raises(DataError, match=r"E-RI-07[12]"):
            folds_of(task, config)


@pytest.mark.parametrize(
    ("outcome", "held", "code"),
    [
        ([True, False] * 2 * len(DAYS), set(DAYS[-1:]), "E-RI-071 risk.first_cutoff: no cutoff can be tested"),
        ([True] * 4 * len(DAYS), set(DAYS), "E-RI-072 churn: of 28 past customers 28 met"),
        ([False] * 4 * len(DAYS), set(DAYS), "E-RI-072 churn: of 28 past customers 0 met"),
        (
            [True, False] * 2 * (len(DAYS) - 3) + [False] * 12,
            set(DAYS),
            "E-RI-072 churn: at the cutoffs that would be tested .* 0 of 12 customers .* over all past cutoffs 8 of 28",
        ),
    ],
)
def test_what_cannot_be_learned_says_why(outcome: list[bool], held: set[int], code: str) -> None:
    with pytest.raises(DataError, match=code):
        folds_of(task_of(outcome, held), CONFIG)


def test_nobody_to_learn_from_and_nobody_to_tell_of_is_one_reason() -> None:
    task = made_task(DAYS, customers=4)
    for empty in (replace(task, rows=task.rows.slice(0, 0)), replace(task, now=task.now.slice(0, 0))):
        with pytest.raises(DataError, match=r"E-RI-070 churn: there is no customer .*\(all\)"):
            folds_of(empty, CONFIG)


def test_one_column_that_differs_is_enough_to_learn() -> None:
    task = made_task(DAYS, customers=4)
    same = pa.array([3] * task.rows.num_rows)
    flat = task.rows.set_column(task.rows.column_names.index("frequency"), "frequency", same)
    assert folds_of(replace(task, rows=flat), CONFIG)
    flat = flat.set_column(flat.column_names.index("recency_days"), "recency_days", same)
    with pytest.raises(DataError, match="E-RI-075 churn: all 28 rows have the same values"):
        folds_of(replace(task, rows=flat), CONFIG)


def test_the_date_that_an_untested_run_is_told_to_begin_at_is_early_enough() -> None:
    late = config_of(first="2025-06-15")
    task = made_task(late.learning_cutoffs(), customers=4)
    with pytest.raises(DataError, match=r"set risk\.first_cutoff to 2025-05-01 or earlier"):
        folds_of(task, late)
    early = config_of(first="2025-05-01")
    task = with_outcome(made_task(early.learning_cutoffs(), customers=4), [0, 1] * 2 * len(early.learning_cutoffs()))
    assert folds_of(task, early)


@pytest.mark.parametrize(("first", "parts"), [("2025-01-01", []), ("2025-08-15", ["churn", "downgrade"])])
def test_where_no_horizon_has_closed_both_outcomes_are_left_out(first: str, parts: list[str]) -> None:
    found = nothing_closed(config_of(first=first))
    assert [one.part for one in found] == parts
    assert all(one.code == "E-RU-031" and "2025-08-15" in one.reason.en for one in found)


def test_an_error_without_advice_is_left_out_with_some() -> None:
    error = DataError("E-XX-1", Text("bad", "坏"))
    assert left_out("churn", Text("Churn", "流失"), error).said.en == (
        "Churn is left out: bad; to have it, give more data."
    )
    error = DataError("E-XX-1", Text("bad", "坏"), fix=Text("wait", "请等待"))
    assert left_out("segments", Text("Segments", "客群"), error).said.zh == "未包含客群：坏；如需得到，请等待。"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The folder of a simulated run that left downgrade out."""
    missing = LeftOut("downgrade", Text("Downgrade", "降级"), Text("few", "过少"), Text("add", "请增加"), "E-RI-072")
    write_findings(replace(make_findings(simulated=True), left_out=(missing,)), tmp_path / run_folder.FINDINGS)
    write_folder_record(tmp_path, run_folder.RUN)
    return tmp_path


def test_a_part_that_a_run_left_out_is_refused_with_its_reason(out: Path) -> None:
    assert [one.part for one in parts_left_out(out)] == ["downgrade"]
    refuse_left_out(out, "churn")
    with pytest.raises(UsageError, match=r"E-RU-060 .*: this run has no downgrade \(few\); add") as caught:
        refuse_left_out(out, "downgrade")
    assert "本次运行不含降级（过少）；请增加" in caught.value.say("zh")


def test_of_a_folder_that_cannot_be_read_nothing_is_said(out: Path) -> None:
    notice.begin_notices("en")
    (out / run_folder.FINDINGS).write_text("{}", encoding="utf-8")
    for folder in (out, out / "nowhere"):
        assert parts_left_out(folder) == ()
        refuse_left_out(folder, "downgrade")
        note_simulated(folder)
    assert notice.command_notice() is None


def test_a_run_of_simulated_data_is_noted_by_its_name(out: Path) -> None:
    notice.begin_notices("en")
    note_simulated(out)
    assert notice.command_notice() == "Online shop: simulated data, no real customers"
    notice.begin_notices("en")
