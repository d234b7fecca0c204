"""Where the files of a run are, and who may write there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tierlens.errors import BusyError, UsageError
from tierlens.words import Text

CUSTOMERS = "customers.parquet"
SNAPSHOTS = "snapshots.parquet"
TIERS = "tiers.parquet"
FINDINGS = "findings.json"
REPORT = "report.html"
RUN = "run.json"
REJECTS = "rejects.csv"
REJECTS_OF = "rejects_{}.csv"
"""Of a table other than the transactions."""
TESTED = "tested.parquet"
MOVED = "drift.parquet"
BACKTESTS = "backtests.json"
MODELS = "models"
RIVAL = "_baseline"
"""Ending of the folder of a baseline that ranked better than the model."""
LISTS = "lists"
LOCK = ".lock"


@contextmanager
def held(out: Path, force: bool = True, marker: str = RUN) -> Iterator[Path]:
    """Hold a folder for one run, so that two never mix their files.

    Parameters
    ----------
    out : Path
        Made when it is not there.
    force : bool
        Whether an earlier run may be written over.
    marker : str
        What a finished run leaves here.

    Raises
    ------
    UsageError
        ``E-RU-002`` when there is an earlier run and ``force`` is not set.
    BusyError
        ``E-RU-003`` when another process holds the folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, held(Path(folder) / "run") as out:
    ...     (out / LOCK).exists()
    True
    """
    if (out / marker).exists() and not force:
        raise UsageError(
            "E-RU-002",
            Text("there is an earlier run here", "此处已有先前的运行结果"),
            where=str(out),
            fix=Text("name another folder, or add --force", "请换一个目录，或加 --force"),
        )
    out.mkdir(parents=True, exist_ok=True)
    lock = out / LOCK
    _take(lock)
    try:
        yield out
    finally:
        lock.unlink(missing_ok=True)


def _take(lock: Path) -> None:
    for _ in range(2):
        try:
            handle = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        except FileExistsError:
            holder = lock.read_text("utf-8").strip()
            if _alive(holder):
                raise _busy(lock, holder) from None
            lock.unlink(missing_ok=True)
            continue
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(str(os.getpid()))
        return
    raise _busy(lock, "?")


def _alive(holder: str) -> bool:
    """Say whether a process still runs; a lock left by one that was killed is nobody's."""
    if not holder.isdigit() or int(holder) <= 0:
        return False
    try:
        os.kill(int(holder), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _busy(lock: Path, holder: str) -> BusyError:
    return BusyError(
        "E-RU-003",
        Text(f"process {holder} is writing here", f"进程 {holder} 正在写入此目录"),
        where=str(lock.parent),
        fix=Text("wait for it, or name another folder", "请等待其结束，或换一个目录"),
    )


def finished(out: Path, name: str) -> Path:
    """Return a file of a finished run.

    Raises
    ------
    UsageError
        ``E-RU-004`` when it is not there.
    """
    path = out / name
    if not path.is_file():
        raise UsageError(
            "E-RU-004",
            Text(f"there is no {name} here", f"此处没有 {name}"),
            where=str(out),
            fix=Text("run 'tierlens run FILE --out FOLDER' first", "请先运行 tierlens run FILE --out FOLDER"),
        )
    return path
