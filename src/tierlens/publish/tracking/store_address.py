"""Where the tracking store is, and how commands meet in it: a store of one file appears whole, one writes at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from tierlens.errors import UsageError
from tierlens.publish.files.atomic import OWNER_FILE, sync_to_disk
from tierlens.scratch import HeldError, locked_place
from tierlens.words import Text

ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}
"""Settings of mlflow, where the user has made none: no telemetry, no pickles, no chatter."""
SQLITE = "sqlite:///"
OF_THE_STORE = ("mlflow", "sqlalchemy", "alembic", "sqlite3", "requests", "urllib3")
"""Packages whose errors are the store's; an error of any other is a fault of ours."""
PATIENCE = 600.0
"""Seconds that one command waits while another writes to the same store: minutes, for on a busy machine the other may
need them, and a run that was not tracked must be repeated."""


def store_uri(home: Path, uri: str | None = None) -> str:
    """Return the address of the store: as given, else ``MLFLOW_TRACKING_URI``, else SQLite in the folder ``home``.

    Examples
    --------
    >>> store_uri(Path("/srv/shop"), "http://tracking.example")
    'http://tracking.example'
    """
    return uri or os.environ.get("MLFLOW_TRACKING_URI") or f"{SQLITE}{home.resolve() / 'mlflow.db'}"


def artifact_address(home: Path) -> str:
    """Return the address of the files that belong to a store in the folder ``home``.

    Examples
    --------
    >>> artifact_address(Path("/srv/shop"))
    'file:///srv/shop/artifacts'
    """
    return (home.resolve() / "artifacts").as_uri()


def serve_command(home: Path, uri: str | None = None, port: int = 5000) -> tuple[list[str], dict[str, str]]:
    """Return the command, and what to add to its environment, that opens the store's pages in their light setting.

    One worker and no job runner: a tenth of the memory and a quarter of the start of mlflow's own setting.

    Examples
    --------
    >>> command, extra = serve_command(Path("runs"), "sqlite:///mlflow.db")
    >>> command[1:4], extra["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"]
    (['-m', 'mlflow', 'server'], 'false')
    """
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store_uri(home, uri),
               "--default-artifact-root", artifact_address(home), "--workers", "1", "--host", "127.0.0.1",
               "--port", str(port)]  # fmt: skip
    return command, {**ENVIRONMENT, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def is_of_the_store(problem: Exception) -> bool:
    """Say whether an error is one of the store, or of what stands between."""
    return type(problem).__module__.partition(".")[0] in OF_THE_STORE


def refusal_line(problem: Exception) -> Text:
    """Say in one line why a store refuses; statements and their values are left out."""
    if isinstance(problem, HeldError):
        return Text(f"process {problem.holder} is writing to the store", f"进程 {problem.holder} 正在写入跟踪库")
    said = next((line for line in str(problem).splitlines() if line.strip()), type(problem).__name__)
    return Text(f"the tracking store refuses: {said}", f"跟踪库拒绝：{said}")


def file_of(address: str) -> Path | None:
    """Return the file of a store in SQLite; None for a server, and for an address that says more than a path."""
    path = address.removeprefix(SQLITE)
    return Path(path) if address.startswith(SQLITE) and path and path != ":memory:" and "?" not in path else None


@contextmanager
def locked_store(address: str) -> Iterator[None]:
    """Let no other command write to a store of one file: its migration and its champions go by what they read."""
    file = file_of(address)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    can = file is not None and os.access(file.parent, os.W_OK)
    with locked_place(file, PATIENCE) if file is not None and can else nullcontext():
        yield


def place_file(new: Path, place: Path) -> None:
    """Give a file its place, unless there is one.

    Raises
    ------
    FileExistsError
        When there is one.
    """
    new.chmod(OWNER_FILE)
    sync_to_disk(new)
    try:
        os.link(new, place)
    except FileExistsError:
        raise
    except OSError:  # the file system knows one name for a file
        if not place.exists():
            new.rename(place)
    sync_to_disk(place.parent)


def not_tracked(problem: UsageError) -> Text:
    """Return what is said when the tracking store refuses, and how to track later."""
    note = UsageError(
        "E-TK-004",
        Text(f"not tracked, but written whole: {problem.what.en}", f"未被跟踪，但结果已完整写出：{problem.what.zh}"),
        where=problem.where,
        fix=Text("mend the store or set MLFLOW_TRACKING_URI, then run the same command again (run: with --force)",
                 "请修复跟踪库或设置 MLFLOW_TRACKING_URI，然后重新执行同一命令（run 请加 --force）"),
    )  # fmt: skip
    return Text(" ".join(note.say("en").split()), " ".join(note.say("zh").split()))
