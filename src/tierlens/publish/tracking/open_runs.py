"""Runs of the store that are not at their end: which process has each, and what becomes of those whose process died.

A tracked run is finished when its folder is in place, not before. A process that is killed in between cannot say so;
the next one that writes to the store sees that it is gone and marks its run ``KILLED``.
"""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from tierlens.stopping import Stopped

TAG = "tierlens.process"
"""Tag of a run: this machine (hashed: host name, id, and where its processes are numbered), its start (hashed), the
process, and when that began."""
_MACHINE, _NUMBERED = Path("/etc/machine-id"), Path("/proc/self/ns/pid")
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def end_run(client: Any, run_id: str, status: str = "FINISHED") -> None:
    """Mark a run as ended.

    Parameters
    ----------
    client : mlflow.tracking.MlflowClient
    run_id : str
    status : str
        ``FINISHED``, ``FAILED`` or ``KILLED``, as MLflow names them.
    """
    client.set_terminated(run_id, status)


@contextmanager
def begun_run(client: Any, experiment: str, name: str, tags: Mapping[str, str]) -> Iterator[Any]:
    """Give a new run of this process; where the block does not come to its end, neither does the run.

    Yields
    ------
    mlflow.entities.RunInfo
    """
    run = client.create_run(experiment, run_name=name, tags={**tags, TAG: process_mark()})
    try:
        yield run.info
    except BaseException as problem:
        with suppress(Exception):  # a store that fails here too has told why already
            end_run(client, run.info.run_id, broken_off(problem))
        raise


def broken_off(problem: BaseException) -> str:
    """Return how a run ended that did not come to its end: ``KILLED`` by a signal, ``FAILED`` by any other error.

    Examples
    --------
    >>> broken_off(OSError()), broken_off(KeyboardInterrupt())
    ('FAILED', 'KILLED')
    """
    return "KILLED" if isinstance(problem, Stopped | KeyboardInterrupt) else "FAILED"


def end_those_of_dead(client: Any, experiment: str) -> list[str]:
    """Mark the runs of an experiment ``KILLED`` whose process of this machine is gone; return their ids.

    Runs of other machines, and of processes that live, are not touched.
    """
    found = client.search_runs([experiment], filter_string="attributes.status = 'RUNNING'")
    dead = [run.info.run_id for run in found if is_dead(run.data.tags.get(TAG, ""))]
    for run_id in dead:
        with suppress(Exception):  # another command may have done so meanwhile; a store that refuses tells later
            end_run(client, run_id, "KILLED")
    return dead


def process_mark(process: int | None = None) -> str:
    """Return what tells a process of this machine from all others, before and after a restart too.

    Examples
    --------
    >>> is_dead(process_mark()), is_dead("no mark")
    (False, False)
    """
    number = os.getpid() if process is None else process
    return " ".join((_machine(), _boot(), str(number), _began(number)))


def is_dead(mark_of: str) -> bool:
    """Say whether a mark is of a process of this machine that is gone; False where nothing can be known."""
    parts = mark_of.split(" ")
    if len(parts) != 4 or parts[0] != _machine() or not parts[2].isdigit():
        return False
    return mark_of != process_mark(int(parts[2]))


def _machine() -> str:
    """Tell this machine from others of the same name, and containers from each other: their processes are not ours."""
    known = [socket.gethostname()]
    with suppress(OSError):
        known.append(_MACHINE.read_text("utf-8", "replace").strip())
    with suppress(OSError):
        known.append(str(_NUMBERED.readlink()))
    return _hashed("\n".join(known))


@lru_cache(maxsize=1)
def _boot() -> str:
    return _hashed(_BOOT.read_text("ascii")) if _BOOT.exists() else "-"


def _hashed(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8")).hexdigest()[:16]


def _began(process: int) -> str:
    """Return when a process began, in ticks since the start of the machine; ``gone`` where there is none."""
    place = Path(f"/proc/{process}/stat")
    if _BOOT.exists():
        try:
            return place.read_text("ascii", "replace").rpartition(")")[2].split()[19]
        except OSError:
            return "gone"
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return "gone"
    except OSError:
        return "-"
    return "-"
