"""Parquet files with times that DuckDB cannot hold: copied with these brought to where they are seen as impossible."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

MOST_SECONDS = 9_000_000_000_000
"""From 1970, either way: about 285,000 years, which DuckDB still holds as microseconds."""
UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000}
"""Parts of a second; nanoseconds reach from 1677 to 2262 only, and are always held."""


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


def _most(kind: pa.DataType) -> int | None:
    return MOST_SECONDS * UNITS[kind.unit] if pa.types.is_timestamp(kind) and kind.unit in UNITS else None


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
    if column.physical_type != "INT64":  # the old 96-bit times, which DuckDB reads by rules of its own
        return True
    said = column.statistics
    if said is None or not said.has_min_max:
        return said is not None and said.has_null_count and said.null_count == column.num_values
    return bool(-most <= said.min_raw and said.max_raw <= most)


def _clipped(batch: pa.RecordBatch, most: dict[str, int]) -> pa.RecordBatch:
    for name, bound in most.items():
        place = batch.schema.get_field_index(name)
        numbers = batch.column(place).cast(pa.int64())
        held = pc.max_element_wise(pc.min_element_wise(numbers, bound, skip_nulls=False), -bound, skip_nulls=False)
        batch = batch.set_column(place, batch.schema.field(place), held.cast(batch.column(place).type))
    return batch
