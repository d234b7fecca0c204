"""What a command asks of the system where it writes, and how one of those calls is broken: by strace."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

WRITES = ("write", "pwrite64", "writev", "ftruncate")
SYNCS = ("fsync", "fdatasync")
RENAMES = ("rename", "renameat", "renameat2")
OTHERS = ("mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "link", "linkat")
CALLS = (*WRITES, *SYNCS, *RENAMES, *OTHERS)
REFUSED = (*WRITES, *SYNCS, *RENAMES, "mkdir", "mkdirat")
"""Calls that the disk refuses; where it refuses a second name (link), a copy is made, and no tidying waits for it."""
_LINE = re.compile(r"^\d+\s+(\w+)\((.*)$")


@dataclass(frozen=True)
class Point:
    """The n-th call of one name on the paths of a command, and what happens there.

    Parameters
    ----------
    call : str
    number : int
        From 1.
    how : str
        ``signal=KILL``, ``error=ENOSPC``, ``error=EIO``.
    """

    call: str
    number: int
    how: str


def strace() -> str:
    """Return the path of strace.

    Raises
    ------
    FileNotFoundError
        When it is not installed.
    """
    found = shutil.which("strace")
    if found is None:
        raise FileNotFoundError("strace is not installed: apt-get install strace (make installs it for root)")
    return found


def attach(options: Sequence[str]) -> Callable[[int], subprocess.Popen[bytes]]:
    """Return what traces a process that waits, all its threads included."""

    def begin(process: int) -> subprocess.Popen[bytes]:
        command = [strace(), "-f", "-qq", *options, "-p", str(process)]
        tracer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while "TracerPid:\t0" in Path(f"/proc/{process}/status").read_text("utf-8"):
            if tracer.poll() is not None:
                raise RuntimeError(f"strace cannot attach: {command}")
            time.sleep(0.002)
        return tracer

    return begin


def recording(file: Path) -> list[str]:
    """Return the options of strace that write all calls of interest to a file."""
    return ["-y", "-s", "0", "-e", f"trace={','.join(CALLS)}", "-o", str(file)]


def touched(file: Path, area: Path) -> tuple[Counter[str], list[str]]:
    """Return how often each call touched an area, and the paths in it that were touched."""
    calls: Counter[str] = Counter()
    paths: set[str] = set()
    inside = re.compile(rf'["<]({re.escape(str(area))}(?:/[^">]*)?)[">]')
    for line in file.read_text("utf-8").splitlines():
        match = _LINE.match(line)
        found = inside.findall(match[2]) if match else []
        if match and found:
            calls[match[1]] += 1
            paths.update(path.removesuffix(" (deleted)") for path in found)
    return calls, sorted(paths)


def points(calls: Counter[str]) -> list[Point]:
    """Return every point at which a command is broken."""
    found = [Point(call, number, "signal=KILL") for call in CALLS for number in range(1, calls[call] + 1)]
    for error in ("ENOSPC", "EIO"):
        found += [Point(call, number, f"error={error}") for call in REFUSED for number in range(1, calls[call] + 1)]
    return found


def breaking(point: Point, paths: Sequence[str], file: Path) -> list[str]:
    """Return the options of strace that break a process at a point; what it saw goes to a file."""
    only = [option for path in paths for option in ("-P", path)]
    inject = f"inject={point.call}:{point.how}:when={point.number}"
    return [*only, "-e", f"trace={point.call}", "-e", inject, "-o", str(file)]


def was_broken(file: Path) -> bool:
    """Say whether strace came to the point."""
    text = file.read_text("utf-8", "replace") if file.exists() else ""
    return "INJECTED" in text or "SIGKILL" in text
