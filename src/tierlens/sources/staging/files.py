"""Which files a source names, in which order, and whether they held still while they were read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tierlens.sources.declared.table_source import ADDRESSES
from tierlens.sources.messages.refusals import EMPTY_FOLDER, NO_FILE, file_refusal
from tierlens.words import Text

TEXT_TYPES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
BOOK_TYPES = (".xlsx", ".xlsm", ".xls", ".ods")
FOLDER_TYPES = (*TEXT_TYPES, *BOOK_TYPES, ".parquet")
DATABASE_TYPES = (".duckdb", ".ddb", ".db", ".sqlite", ".sqlite3")
TYPES = (*FOLDER_TYPES, *DATABASE_TYPES)
UNPACKED = 6


def cache_folder() -> Path:
    """Return where downloads are kept: ``$XDG_CACHE_HOME/tierlens``, else ``~/.cache/tierlens``; it need not exist."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "tierlens"


def _data_folders() -> list[Path]:
    named = os.environ.get("TIERLENS_DATA")
    beside = Path(__file__).resolve().parents[3].parent / "shared" / "data"
    return [folder for folder in (Path(named) if named else beside, cache_folder()) if folder.is_dir()]


def data_folder() -> Path | None:
    """Return the folder that holds the example data, or None where they are nowhere.

    It is ``TIERLENS_DATA`` where that is set, else ``../shared/data`` beside the project, else the download cache.
    """
    return next(iter(_data_folders()), None)


def expand_paths(files: tuple[str, ...]) -> list[Path]:
    """Return the files that paths, globs and folders stand for, each once, in order.

    Parameters
    ----------
    files : tuple of str
        Globs and folders give their files by name; hidden files, databases and files of other types in a folder are
        left out. A path that starts with ``data:`` lies in the data folder. Addresses of servers are no files and are
        left out.

    Raises
    ------
    DataError
        ``E-TX-120`` nothing is there; ``E-TX-121`` there is no data folder; ``E-TX-123`` a file is of another type.

    Examples
    --------
    >>> expand_paths(("nowhere.csv",))
    Traceback (most recent call last):
    tierlens.errors.DataError: E-TX-120 nowhere.csv: no such file; check the path in the run file
    """
    found: dict[Path, None] = {}
    for name in (name for name in files if not name.startswith(ADDRESSES)):
        found.update(dict.fromkeys(_expand_one(name)))
    return list(found)


def _expand_one(name: str) -> list[Path]:
    path = _locate(name)
    if path.is_file():
        if not path.name.lower().endswith(TYPES):
            raise file_refusal("E-TX-123", name)
        return [path]
    inside = path.iterdir() if path.is_dir() else path.parent.glob(path.name) if path.parent.is_dir() else ()
    listed = sorted(
        p for p in inside if p.is_file() and p.name.lower().endswith(FOLDER_TYPES) and p.name[0] not in ".~"
    )
    if not listed:
        raise file_refusal("E-TX-120", name, **(EMPTY_FOLDER if path.is_dir() else NO_FILE))
    return listed


def _locate(name: str) -> Path:
    if not name.startswith("data:"):
        return Path(name)
    folders = _data_folders()
    if not folders:
        raise file_refusal("E-TX-121", name)
    paths = [folder / name.removeprefix("data:") for folder in folders]
    return next((path for path in paths if path.exists()), paths[0])


@contextmanager
def held_still(path: Path) -> Iterator[None]:
    """Refuse a file that changes while it is read.

    Raises
    ------
    DataError
        ``E-TX-021``.
    """
    before = path.stat()
    yield
    after = path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise file_refusal("E-TX-021", path.name, detail=f"{before.st_size} -> {after.st_size} bytes")


def refuse_without_room(paths: Sequence[Path], folder: Path) -> None:
    """Refuse files whose copy the temporary folder could not hold, before anything is copied.

    Parquet files are read where they stand; of gzip files so much is counted as text of their kind commonly unpacks to.

    Raises
    ------
    DataError
        ``E-TX-043``.
    """
    copied = [path for path in paths if path.suffix.lower() != ".parquet"]
    needed = sum(path.stat().st_size * (UNPACKED if path.suffix.lower() == ".gz" else 1) for path in copied)
    free = shutil.disk_usage(folder).free
    if needed > free:
        place = ", ".join(path.name for path in copied[:3])
        detail = Text(
            f"a copy needs about {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free",
            f"临时副本约需 {needed / 1e9:.1f} GB，可用 {free / 1e9:.1f} GB",
        )
        raise file_refusal("E-TX-043", place, detail=detail)
