"""The gate before learning: suspected leaks stop a run, unless a person has signed for the column by name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field

from tierlens import strict_yaml
from tierlens.errors import DataError, SchemeError, UsageError
from tierlens.features.catalog import WHOLE
from tierlens.features.windows import Window
from tierlens.learning.tasks import Task
from tierlens.risk.evaluation.leaks import Declared, Leak, find_leaks
from tierlens.sources.declared.contracts import ALWAYS
from tierlens.sources.tables import Tables
from tierlens.words import Private, Text
from tierlens.workspace.config import Day, RunConfig


class Waiver(BaseModel):
    """A signature for one column: that it is no leak, who says so, when and why.

    Parameters
    ----------
    column, outcome : str
    definition : str
        The hash that the error named: of outcome, column and definition, so that it serves no other.
    reason, signed_by : str
    date : date
        When it was signed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str
    outcome: str = "churn"
    definition: str = Field(pattern=r"^[0-9a-f]{16}$")
    reason: str = Field(min_length=10)
    signed_by: str = Field(min_length=2)
    date: Day


class _Waivers(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    waivers: tuple[Waiver, ...]


def read_waivers(path: Path | None) -> tuple[Waiver, ...]:
    """Read a file of waivers; none without a file.

    Raises
    ------
    UsageError
        ``E-YA-...`` with line and key, when something is wrong in it: a waiver without a reason, say.
    """
    if path is None:
        return ()
    try:
        return strict_yaml.build_model(_Waivers, path, error=UsageError).waivers
    except SchemeError as problem:
        raise UsageError(problem.code, problem.what, where=problem.where, fix=problem.fix) from None


def check_files(config: RunConfig) -> None:
    """Read waivers and own columns, to find what is wrong in them before anything is computed."""
    read_waivers(Path(config.waivers) if config.waivers else None)
    if config.own is not None:
        from tierlens.learning.extra_columns import read_own

        read_own(config.own)


def check_for_leaks(task: Task, tables: Tables, window: Window, waivers: str | Path | None = None) -> tuple[Text, ...]:
    """Let a task through to learning, or stop the run.

    Parameters
    ----------
    task : Task
    tables : Tables
        For what is known of the rows that columns are read from.
    window : Window
    waivers : str or pathlib.Path, optional
        File of waivers.

    Returns
    -------
    tuple of Text
        What the report must say: columns that were waived, and warnings. Who signed and why is for the folder of the
        run alone; see :func:`tierlens.words.to_share`.

    Raises
    ------
    DataError
        ``E-LK-001``, naming every column that is blocked, why, and what to do.
    UsageError
        ``E-LK-002`` for a waiver that was signed for another definition.
    """
    declared = declared_of(task, tables, window)
    found = find_leaks(_open(task), task.features, task.outcome, declared, window)
    signed = _signed(read_waivers(Path(waivers) if waivers else None), found, task, declared)
    blocked = [leak for leak in found if leak.severity == "block" and leak.column not in signed]
    if blocked:
        raise _blocked(blocked, task, declared)
    return tuple(_note(leak, signed.get(leak.column)) for leak in found)


def _open(task: Task) -> pa.Table:
    """Return the rows whose outcome is open: who has no point to lose cannot fall, which is arithmetic and no leak."""
    rows = task.rows
    return (
        rows.filter(pc.greater(rows["need"], 0))
        if task.outcome == "downgrade" and "need" in rows.column_names
        else rows
    )


def declared_of(task: Task, tables: Tables, window: Window) -> dict[str, Declared]:
    """Say how each column of a task is made: features by the catalog, own columns by the run file."""
    found = {}
    for name in task.features:
        if name in task.own:
            found[name] = task.own[name]
        elif name in WHOLE:
            entry = WHOLE[name]
            definition = f"{entry.formula} [{entry.unit}] of {', '.join(entry.tables)} over {window}"
            undated = _undated(tables) if entry.plane == "customers" and name == "employees" else 0.0
            found[name] = Declared(name, definition, undated=undated)
        else:
            found[name] = Declared(name, name)
    return found


def _undated(tables: Tables) -> float:
    """Share of the rows of customers that do not say from when they hold."""
    if not tables.has("customers"):
        return 0.0
    always = nw.when(nw.col("day") == ALWAYS).then(1.0).otherwise(0.0).mean()
    return float(tables.others["customers"].select(always.alias("share")).collect("pyarrow")["share"][0] or 0.0)


def _signed(
    waivers: Sequence[Waiver], found: Sequence[Leak], task: Task, declared: Mapping[str, Declared]
) -> dict[str, Waiver]:
    """Return the waivers that serve this task, by column; one for another definition is refused, never passed over."""
    suspected = {leak.column for leak in found if leak.severity == "block"}
    signed = {}
    for waiver in (waiver for waiver in waivers if waiver.outcome == task.outcome and waiver.column in suspected):
        key = declared[waiver.column].key(task.outcome)
        if waiver.definition != key:
            raise UsageError(
                "E-LK-002",
                Text(
                    f"the waiver of {waiver.column} was signed for another definition ({waiver.definition}, not {key})",
                    f"{waiver.column} 的豁免是为另一定义签署的（{waiver.definition}，而非 {key}）",
                ),
                where="waivers",
                fix=Text("look at the column again, and sign anew", "请重新核查该列后再次签署"),
            )
        signed[waiver.column] = waiver
    return signed


def _blocked(leaks: Sequence[Leak], task: Task, declared: Mapping[str, Declared]) -> DataError:
    said = [leak.what for leak in leaks]
    keys = {leak.column: declared[leak.column].key(task.outcome) for leak in leaks}
    entries = ", ".join(
        f"{{column: {column}, outcome: {task.outcome}, definition: {key}}}" for column, key in keys.items()
    )
    return DataError(
        "E-LK-001",
        Text(
            f"likely leak of {task.outcome}: " + "; ".join(text.en for text in said),
            f"疑似泄漏{task.title.zh}结果：" + "；".join(text.zh for text in said),
        ),
        where=", ".join(keys),
        fix=Text(
            f"leave the column out; or, if it is known before the cutoff, have a person sign for it in the file under "
            f"'waivers': {entries} with reason, signed_by and date",
            f"请去除该列；若确为截止日前可知，请由负责人在 waivers 文件中签署：{entries}，"
            "并填写 reason、signed_by 和 date",
        ),
    )


def _note(leak: Leak, waiver: Waiver | None) -> Text:
    if waiver is None:
        return Text(f"Warning of the leak gate: {leak.what.en}.", f"泄漏检查提示：{leak.what.zh}。")
    day: dt.date = waiver.date
    return Private.of(
        Text(
            f"Waived: {leak.what.en}; {waiver.signed_by} signed on {day} that it is no leak: {waiver.reason}",
            f"已豁免：{leak.what.zh}；{waiver.signed_by} 于 {day} 签署确认并非泄漏：{waiver.reason}",
        ),
        Text(
            f"Waived: {leak.column}; a waiver of {day} lets it through",
            f"已豁免：{leak.column}；{day} 的豁免准许使用该列",
        ),
    )
