"""Which outcomes of a run can be learned and tested, and why the others cannot."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from tierlens.errors import DataError, TierlensError, UsageError
from tierlens.learning.tasks import CHURN, DOWNGRADE, Task, at_cutoffs
from tierlens.publish.report.findings_file import read_findings
from tierlens.publish.report.left_out import LeftOut
from tierlens.risk.evaluation.split import SnapshotSplit
from tierlens.sources.tables import day_date
from tierlens.words import Text
from tierlens.workspace import notice, run_folder
from tierlens.workspace.config import RunConfig
from tierlens.workspace.prepare import closing_cutoffs

LEAST = 2
"""Fewest rows of each result from which a model is learned; to test it, one of each is enough."""
Folds = list[tuple[list[int], int]]


def nothing_closed(config: RunConfig) -> tuple[LeftOut, ...]:
    """Return every outcome as left out where no cutoff can be learned from; nothing where one can."""
    try:
        closing_cutoffs(config)
    except UsageError as problem:
        return tuple(left_out(part, title, problem) for part, title in (("churn", CHURN), ("downgrade", DOWNGRADE)))
    return ()


def left_out(part: str, title: Text, problem: TierlensError) -> LeftOut:
    """Return an error of one part as the reason why the run leaves it out."""
    return LeftOut(part, title, problem.what, problem.fix or Text("give more data", "请提供更多数据"), problem.code)


def folds_of(task: Task, config: RunConfig) -> Folds:
    """Return the training and test cutoffs of an outcome: those with rows, learned from both results.

    Parameters
    ----------
    task : Task
    config : RunConfig

    Raises
    ------
    DataError
        ``E-RI-070`` when nobody can meet the outcome, ``E-RI-071`` when no cutoff can be tested, ``E-RI-072`` when
        there are too few rows of one result to learn from or to test on, ``E-RI-075`` when every column is constant.
    """
    if not task.rows.num_rows or not task.now.num_rows:
        raise _nobody(task)
    if all(pc.count_distinct(task.rows[name], mode="only_valid").as_py() < 2 for name in task.features):
        raise _constant(task)
    planned = SnapshotSplit(config.span, max_folds=config.risk.tests).folds(config.learning_cutoffs())
    held = set(task.rows["cutoff"].to_pylist())
    found = [(train, test) for train, test in planned if test in held and held.intersection(train)]
    if not found:
        raise _untested(config)
    both = [(train, test) for train, test in found if _fewest(task, train) >= LEAST]
    if not both:
        raise _one_result(task, task.rows)
    if not _fewest(task, [test for _, test in both]):
        raise _none_tested(task, [test for _, test in both])
    return both


def _fewest(task: Task, cutoffs: Sequence[int]) -> int:
    """Rows of the rarer result."""
    rows = at_cutoffs(task.rows, cutoffs)
    happened = int(pc.sum(rows[task.outcome]).as_py() or 0)
    return int(min(happened, rows.num_rows - happened))


def _nobody(task: Task) -> DataError:
    return DataError(
        "E-RI-070",
        Text(f"there is no customer to learn it from or to tell it of ({task.population.en})",
             f"没有可学习或可预测的客户（{task.population.zh}）"),
        where=task.outcome,
        fix=Text("use a scheme whose higher tiers customers reach, or more data",
                 "请采用有客户达到较高等级的方案，或补充数据"),
    )  # fmt: skip


def _constant(task: Task) -> DataError:
    return DataError(
        "E-RI-075",
        Text(f"all {task.rows.num_rows:,} rows have the same values in every column that the model reads",
             f"模型读取的各列在全部 {task.rows.num_rows:,} 行中取值相同"),
        where=task.outcome,
        fix=Text("give data in which customers differ, or another scheme", "请提供客户间有差异的数据，或改用其他方案"),
    )  # fmt: skip


def _untested(config: RunConfig) -> DataError:
    wait, observe = config.window.gap + config.window.horizon, config.window.observe
    first = day_date(config.cutoff_day - 2 * wait).replace(day=1)
    return DataError(
        "E-RI-071",
        Text(
            f"no cutoff can be tested: one that is learned from must lie {wait} days before one that is tested, and "
            f"that one {wait} days before {config.cutoff}, each with customers who bought in the {observe} days before",
            f"没有可检验的截止日：用于学习的截止日须早于检验截止日 {wait} 天，"
            f"检验截止日须早于 {config.cutoff} {wait} 天，且各自之前 {observe} 天内须有客户购买",
        ),
        where="risk.first_cutoff",
        fix=Text(
            f"set risk.first_cutoff to {first} or earlier, with data from before it, or shorten window.horizon",
            f"请将 risk.first_cutoff 设为 {first} 或更早并提供此前的数据，或缩短 window.horizon",
        ),
    )


def _one_result(task: Task, rows: pa.Table) -> DataError:
    happened = int(pc.sum(rows[task.outcome]).as_py() or 0)
    return DataError(
        "E-RI-072",
        Text(
            f"of {rows.num_rows:,} past customers {happened:,} met this outcome; {LEAST} who did and {LEAST} who did "
            "not are needed to learn it, and one of each to test it",
            f"{rows.num_rows:,} 个历史客户中有 {happened:,} 个发生该结果；"
            f"学习至少需要发生与未发生各 {LEAST} 个，检验至少各一个",
        ),
        where=task.outcome,
        fix=Text(
            "give more cutoffs (an earlier risk.first_cutoff), more customers or a longer window.horizon",
            "请增加截止日（提前 risk.first_cutoff）、增加客户或加长 window.horizon",
        ),
    )


def _none_tested(task: Task, tests: Sequence[int]) -> DataError:
    rows, days = at_cutoffs(task.rows, tests), [str(day_date(day)) for day in tests]
    happened, whole = (int(pc.sum(one[task.outcome]).as_py() or 0) for one in (rows, task.rows))
    return DataError(
        "E-RI-072",
        Text(
            f"at the cutoffs that would be tested ({', '.join(days)}) {happened:,} of {rows.num_rows:,} customers met "
            f"this outcome, over all past cutoffs {whole:,} of {task.rows.num_rows:,}; a test needs one who did and "
            "one who did not",
            f"可检验的截止日（{'、'.join(days)}）上 {rows.num_rows:,} 个客户中有 {happened:,} 个发生该结果，"
            f"全部历史截止日 {task.rows.num_rows:,} 个中有 {whole:,} 个；检验至少需发生与未发生各一个",
        ),
        where=task.outcome,
        fix=Text(
            f"test more cutoffs (risk.tests is {len(days)}), or bring more customers or a longer window.horizon",
            f"请检验更多截止日（risk.tests 现为 {len(days)}）、增加客户或加长 window.horizon",
        ),
    )


def parts_left_out(out: Path) -> tuple[LeftOut, ...]:
    """Return what the run of a folder left out; nothing where its findings cannot be read."""
    try:
        return read_findings(run_folder.finished_file(Path(out), run_folder.FINDINGS)).left_out
    except TierlensError:
        return ()


def note_simulated(out: Path) -> None:
    """Note that the run of a folder was of simulated data, where it was and its findings can be read."""
    with suppress(TierlensError):
        about = read_findings(run_folder.finished_file(Path(out), run_folder.FINDINGS)).about
        if about.is_simulated:
            notice.note_simulated(about.project)


def refuse_left_out(out: Path, part: str) -> None:
    """Refuse what asks for a part that the run of a folder left out.

    Raises
    ------
    UsageError
        ``E-RU-060`` with the reason.
    """
    for one in parts_left_out(out):
        if one.part == part:
            what = Text(f"this run has no {one.title.en.lower()} ({one.reason.en})",
                        f"本次运行不含{one.title.zh}（{one.reason.zh}）")  # fmt: skip
            raise UsageError("E-RU-060", what, where=str(out), fix=one.fix)
