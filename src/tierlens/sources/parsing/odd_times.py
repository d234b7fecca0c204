"""Times that DuckDB cannot hold, in Parquet files and tables: brought to where they are seen as impossible."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

MOST_SECONDS = 9_000_000_000_000
"""From 1970, either way: about 285,000 years, which DuckDB still holds as microseconds."""
UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000}
"""Parts of a second."""
MOST_NANOSECONDS = 9_223_372_036_000_000_000
"""From 1970, either way, to 1677 and 2262; the last numbers beyond stand for no end of time."""
MOST_DAYS = MOST_SECONDS // 86_400
INTEGERS = ("INT64", "INT32")

Batch = TypeVar("Batch", pa.RecordBatch, pa.Table)


def with_times_held(path: Path, folder: Path) -> Path:
    """Return a Parquet file whose times DuckDB can read, in the same lines and order.

    Parameters
    ----------
    path : Path
        The file.
    folder : Path
        Where a copy is written, if one is needed.

    Returns
    -------
    Path
        The file itself, unless the statistics of a top-level column say that a time lies beyond ``MOST_SECONDS``, or do
        not say; then a copy in which such a time stands at that bound. The reader keeps these lines out, for their
        impossible year.

    Raises
    ------
    OSError, pyarrow.ArrowException
        The file is damaged.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     far = pa.array([0, 2**62], pa.timestamp("ms"))
    ...     pq.write_table(pa.table({"time": far}), f"{name}/a.parquet")
    ...     held = with_times_held(Path(name) / "a.parquet", Path(name))
    ...     held.stem[:4], pq.read_table(held)["time"].cast(pa.int64()).to_pylist()
    ('held', [0, 9000000000000000])
    """
    schema = pq.read_schema(path)
    most = {field.name: bound for field in schema if (bound := _most(field.type)) is not None}
    if not most or _within(pq.read_metadata(path), most):
        return path
    copy = folder / f"held{len(list(folder.iterdir()))}.parquet"
    with pq.ParquetFile(path) as file, pq.ParquetWriter(copy, file.schema_arrow) as writer:
        for batch in file.iter_batches():
            writer.write_batch(_clipped(batch, most))
    return copy


def table_with_times_held(table: pa.Table) -> pa.Table:
    """Return a table whose times and dates Parquet and DuckDB can hold, see :func:`with_times_held`.

    Examples
    --------
    >>> far = pa.table({"time": pa.array([0, -(2**63), None], pa.timestamp("s"))})
    >>> table_with_times_held(far)["time"].cast(pa.int64()).to_pylist()
    [0, -9000000000000, None]
    """
    return _clipped(table, {field.name: bound for field in table.schema if (bound := _most(field.type)) is not None})


def _most(kind: pa.DataType) -> int | None:
    """Return how far from 1970 values of a kind may lie, in its units; None where it is no time."""
    if pa.types.is_date32(kind):
        return MOST_DAYS
    if pa.types.is_date64(kind):
        return MOST_SECONDS * UNITS["ms"]
    if not pa.types.is_timestamp(kind):
        return None
    return MOST_SECONDS * UNITS[kind.unit] if kind.unit in UNITS else MOST_NANOSECONDS


def _within(metadata: Any, most: dict[str, int]) -> bool:
    """Say whether the statistics of every group of rows hold all times within bounds."""
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group)
        for place in range(rows.num_columns):
            column = rows.column(place)
            if column.path_in_schema in most and not _known_within(column, most[column.path_in_schema]):
                return False
    return True


def _known_within(column: Any, most: int) -> bool:
    if column.physical_type not in INTEGERS:  # the old 96-bit times, which DuckDB reads by rules of its own
        return True
    said = column.statistics
    if said is None or not said.has_min_max:
        return said is not None and said.has_null_count and said.null_count == column.num_values
    return bool(-most <= said.min_raw and said.max_raw <= most)


def _clipped(batch: Batch, most: dict[str, int]) -> Batch:
    for name, bound in most.items():
        place = batch.schema.get_field_index(name)
        whole = pa.int32() if pa.types.is_date32(batch.column(place).type) else pa.int64()
        numbers = batch.column(place).cast(whole)
        least, largest = pa.scalar(-bound, whole), pa.scalar(bound, whole)
        held = pc.max_element_wise(pc.min_element_wise(numbers, largest, skip_nulls=False), least, skip_nulls=False)
        batch = batch.set_column(place, batch.schema.field(place), held.cast(batch.column(place).type))
    return batch
