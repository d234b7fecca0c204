"""Columns of the user's own beside the catalog: numbers for customers at cutoffs, and what is known of their making."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from tierlens.errors import DataError, UsageError
from tierlens.features.catalog import WHOLE
from tierlens.features.snapshot import KEY
from tierlens.learning.tasks import STANDING
from tierlens.risk.evaluation.leaks import Declared
from tierlens.sources.tables import day_number
from tierlens.words import Text
from tierlens.workspace.config import OwnSection

TAKEN = frozenset({*STANDING, "churn", "downgrade", "tier", "tier_rank", "bound", "need_money", "need_days"})
"""Names that tasks give to columns of their own."""


def read_own(section: OwnSection) -> tuple[pa.Table, dict[str, Declared]]:
    """Read the file of own columns.

    Parameters
    ----------
    section : OwnSection

    Returns
    -------
    (pyarrow.Table, dict of str to Declared)
        Key and columns as float64, one row a customer and cutoff; and what is known of each column.

    Raises
    ------
    UsageError
        ``E-OW-001`` where the file cannot be read, ``E-OW-002`` for a column that is not there, is no number, or has
        the name of a feature, of an outcome or of what a scheme says.
    DataError
        ``E-OW-003`` for a customer who is there twice at a cutoff.
    """
    path = Path(section.file)
    table = _table(path)
    for name in (*KEY, *((section.computed,) if section.computed else ())):
        if name not in table.column_names:
            raise _unfit(path, name, Text("is not there", "不存在"))
    days = {"cutoff": _days(table["cutoff"], path)}
    names = [name for name in table.column_names if name not in (*KEY, section.computed)]
    columns = {name: _number(table[name], name, path) for name in names}
    late = undated = 0.0
    if section.computed and table.num_rows:
        made = _days(table[section.computed], path)
        late = float(pc.mean(pc.greater_equal(made, days["cutoff"])).as_py() or 0.0)
        undated = made.null_count / table.num_rows
    how = f"column of {path.name}, computed on {section.computed}"
    told = {name: Declared(name, how, section.looks_at.get(name), late, undated) for name in names}
    found = pa.table({"customer_id": table["customer_id"].cast(pa.string()), **days, **columns})
    if found.group_by(list(KEY)).aggregate([]).num_rows < found.num_rows:
        raise DataError(
            "E-OW-003",
            Text("a customer is there twice at one cutoff", "同一客户在同一截止日出现两次"),
            where=str(path),
            fix=Text("give one row for each customer and cutoff", "每位客户每个截止日只能有一行"),
        )
    return found, told


def _table(path: Path) -> pa.Table:
    from pyarrow import csv, parquet

    try:
        if path.suffix.lower() == ".parquet":
            return parquet.read_table(path)
        options = csv.ConvertOptions(column_types={"customer_id": pa.string()})
        return csv.read_csv(path, convert_options=options)
    except (OSError, pa.ArrowInvalid) as problem:
        raise UsageError(
            "E-OW-001",
            Text(f"own columns cannot be read: {problem}", f"无法读取自有列：{problem}"),
            where=str(path),
            fix=Text(
                "give a CSV or Parquet file with customer_id and cutoff",
                "请提供含 customer_id 和 cutoff 的 CSV 或 Parquet",
            ),
        ) from None


def _days(column: pa.ChunkedArray, path: Path) -> pa.Array:
    """Days as int32: from dates, ISO texts or day numbers."""
    return pa.array([None if value is None else _day(value, path) for value in column.to_pylist()], pa.int32())


def _day(value: object, path: Path) -> int:
    if isinstance(value, int | str) or hasattr(value, "isoformat"):
        return day_number(value, f"{path.name}: cutoff")  # type: ignore[arg-type]
    raise _unfit(path, "cutoff", Text(f"holds {value!r}, which is no day", f"含非日期值 {value!r}"))


def _number(column: pa.ChunkedArray, name: str, path: Path) -> pa.ChunkedArray:
    if name in TAKEN:
        raise _unfit(path, name, Text("has the name of an outcome, or of what a scheme says", "与结果或方案列同名"))
    if name in WHOLE:
        raise _unfit(path, name, Text("has the name of a feature of the catalog", "与特征目录中的特征同名"))
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        raise _unfit(path, name, Text("holds no numbers", "不是数值列"))
    return column.cast(pa.float64())


def _unfit(path: Path, name: str, why: Text) -> UsageError:
    return UsageError(
        "E-OW-002",
        Text(f"column {name!r} {why.en}", f"列 {name!r} {why.zh}"),
        where=str(path),
        fix=Text(
            "own columns are numbers beside customer_id and cutoff, under names of their own",
            "自有列须为数值，与 customer_id、cutoff 并列，且名称不与特征重复",
        ),
    )
