"""Files appear whole or not at all: written in a private folder beside their place, synced, then renamed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tierlens.scratch import is_scratch, scratch_folder
from tierlens.stopping import unbroken_block

OWNER_FILE, OWNER_FOLDER = 0o600, 0o700
BUFFER = 1 << 20


@contextmanager
def replacing_file(path: Path, *, private: bool = True) -> Iterator[Path]:
    """Give a temporary path that takes the place of ``path`` when the block ends well.

    Parameters
    ----------
    path : Path
        Where the file shall be; missing folders are made. Inside a folder that itself appears whole or not at all (see
        :func:`tierlens.scratch.scratch_folder`) this is the temporary path too: nobody sees it yet.
    private : bool
        Whether the file is for its owner alone (mode 0600), whatever the umask.

    Yields
    ------
    Path
        Where to write. After an error nothing of it is left, and the old file is as it was.

    Raises
    ------
    OSError
        With the name of ``path``.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     place = Path(folder) / "a.txt"
    ...     with replacing_file(place) as temporary:
    ...         _ = temporary.write_text("whole")
    ...     place.read_text(), len(list(Path(folder).iterdir()))
    ('whole', 1)
    """
    if is_scratch(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        yield path
        return
    with with_file_name(path), scratch_folder(path.parent) as folder:
        temporary = folder / path.name
        yield temporary
        if private:
            temporary.chmod(OWNER_FILE)
        sync_to_disk(temporary)
        with unbroken_block():
            temporary.replace(path)
        sync_to_disk(path.parent)


@contextmanager
def with_file_name(path: Path) -> Iterator[None]:
    """Give an error of the system that names no file, or a scratch folder that nobody knows, the name of ``path``."""
    try:
        yield
    except OSError as problem:
        if not isinstance(problem.filename, str) or is_scratch(problem.filename):
            problem.filename, problem.filename2 = str(path), None
        raise


def sync_to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    if os.name != "posix" and path.is_dir():  # elsewhere a folder cannot be opened
        return
    handle = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, content: bytes, *, private: bool = True) -> Path:
    """Write a file whole; see :func:`replacing_file`."""
    with replacing_file(path, private=private) as temporary:
        temporary.write_bytes(content)
    return path


def write_text(path: Path, content: str, *, private: bool = True) -> Path:
    """Write a text in UTF-8 whole, line ends as they stand; see :func:`replacing_file`."""
    return write_bytes(path, content.encode("utf-8"), private=private)


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
    with replacing_file(path) as temporary, pa.output_stream(str(temporary), buffer_size=BUFFER) as stream:
        pq.write_table(table.replace_schema_metadata(None), stream, compression="zstd")
    return path
