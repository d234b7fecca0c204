"""What the benchmarks run on: times and memory mean nothing without it."""

from __future__ import annotations

import os
import platform
import resource
import sys
from importlib.metadata import version


def machine(*packages: str) -> str:
    """Return one line: cores, load, memory, Python and the versions of packages."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    named = ", ".join(f"{package} {version(package)}" for package in packages)
    return (
        f"{cores} cores (load {load:.1f}), {memory:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {sys.version.split()[0]}" + (f", {named}" if named else "")
    )


def peak_megabytes() -> float:
    """Return the most memory that this process has held so far, in MB."""
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held / 1024 if sys.platform != "darwin" else held / 2**20
