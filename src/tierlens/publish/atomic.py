"""Files appear whole or not at all: written beside their place, synced, then renamed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path in the same folder that takes the place of ``path`` when the block ends well.

    Parameters
    ----------
    path : Path
        Where the file shall be; missing folders are made.

    Yields
    ------
    Path
        Where to write. After an error it is removed, and the old file is as it was.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     place = Path(folder) / "a.txt"
    ...     with replacing(place) as temporary:
    ...         _ = temporary.write_text("whole")
    ...     place.read_text(), len(list(Path(folder).iterdir()))
    ('whole', 1)
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    if os.name == "posix":  # elsewhere a folder cannot be opened to be synced
        _sync(path.parent)


def _sync(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    handle = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, content: bytes) -> Path:
    """Write a file whole."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    return path


def write_text(path: Path, content: str) -> Path:
    """Write a text in UTF-8, line ends as they stand."""
    return write_bytes(path, content.encode("utf-8"))


def write_parquet(path: Path, table: pa.Table) -> Path:
    """Write a table for people and programs: the same rows give the same bytes.

    Parameters
    ----------
    path : Path
    table : pyarrow.Table
        An int32 ``cutoff`` becomes a date; rows are put in the order of ``cutoff`` and ``customer_id``, where it has
        them; metadata that a library left (pandas indexes, for one) is dropped.

    Examples
    --------
    >>> import tempfile
    >>> table = pa.table({"customer_id": ["b", "a"], "cutoff": pa.array([15126, 15126], pa.int32())})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_parquet(Path(folder) / "t.parquet", table)
    ...     pq.read_table(path).to_pylist()[0]
    {'customer_id': 'a', 'cutoff': datetime.date(2011, 6, 1)}
    """
    keys = [(name, "ascending") for name in ("cutoff", "customer_id") if name in table.column_names]
    if keys:
        table = table.sort_by(keys)
    place = table.schema.get_field_index("cutoff")
    if place >= 0 and pa.types.is_int32(table.schema.field(place).type):
        table = table.set_column(place, "cutoff", table["cutoff"].cast(pa.date32()))
    with replacing(path) as temporary:
        pq.write_table(table.replace_schema_metadata(None), temporary, compression="zstd")
    return path
