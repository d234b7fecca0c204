"""Commands in processes of their own: forked from one that has imported and computed everything, or started anew."""

from __future__ import annotations

import dataclasses
import itertools
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # a forked child must not wait for threads that its parent had

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit code (negative: killed by that signal), and what it said on stderr."""

    code: int
    err: str


class Precomputed:
    """What is the same in every run of one shop, computed once, so that a run in a child only writes.

    A child runs the whole command; only the functions named in ``serve`` return what they returned before. None of them
    touches an output: the computing of a run (read, features, tiers, segments, models), the text of the report, the
    hash of the code, the tree of the commands.
    """

    def __init__(self, shop: Path) -> None:
        import typer.main

        from tierlens.app.cli import main
        from tierlens.learning.leak_gate import check_files
        from tierlens.pipeline import run
        from tierlens.publish.files import run_json
        from tierlens.publish.report import html
        from tierlens.workspace import config, progress

        here = Path.cwd()
        os.chdir(shop)
        try:
            settings = config.load_config(Path("run.yaml"))
            check_files(settings)
            parts = run.computed_run(settings, progress.Clock(lambda text: None))
            self.rejects = parts.study.shop.quality.rejects.to_arrow_table()
            self.parts = parts
            self.customers, findings = run.explained_customers(parts)
            self.findings = findings
            with_notes, _ = run._over_time(parts, findings, shop / "nowhere", lambda text: None)
            self.pictures = run.draw_both(with_notes)
            self.report = html.render_report(with_notes, "en", self.pictures)
            self.code = run_json.code_hash()
            self.command = typer.main.get_command(main.app)
        finally:
            os.chdir(here)

    def serve(self) -> None:
        """Put what was computed in the place of the functions that computed it."""
        import duckdb
        import typer.main

        from tierlens import scratch
        from tierlens.pipeline import run
        from tierlens.publish.files import run_json
        from tierlens.publish.report import html

        quality = self.parts.study.shop.quality
        fresh = dataclasses.replace(quality, rejects=duckdb.connect().from_arrow(self.rejects))
        shop = dataclasses.replace(self.parts.study.shop, quality=fresh)
        parts = dataclasses.replace(self.parts, study=dataclasses.replace(self.parts.study, shop=shop))
        # Reading takes a temporary folder, and sweeps what dead processes left beside it.
        run.computed_run = lambda *given: (scratch.temporary_folder(), parts)[1]  # type: ignore[assignment]
        run.explained_customers = lambda *given: (self.customers, self.findings)  # type: ignore[assignment]
        run.draw_both = lambda *given: self.pictures  # type: ignore[assignment]
        html.render_report = lambda *given: self.report  # type: ignore[assignment]
        run_json.code_hash = lambda: self.code  # type: ignore[assignment]
        typer.main.get_command = lambda app: self.command


def warm() -> None:
    """Import all that the commands import."""
    import lightgbm  # noqa: F401
    import matplotlib.figure  # noqa: F401
    import opencc  # noqa: F401
    import python_calamine  # noqa: F401
    import rapidfuzz.distance  # noqa: F401
    import xlsxwriter.exceptions  # noqa: F401


def name_by_number(first: int) -> None:
    """Let the names of scratch folders and temporary files be numbers in each folder, so that two runs call alike."""
    from tierlens import scratch

    numbers: dict[Path, Iterator[int]] = defaultdict(lambda: itertools.count(first))
    scratch._named = lambda parent: parent.absolute() / f".tierlens-{next(numbers[parent]):016x}.partial"
    tempfile._name_sequence = (f"{number}" for number in itertools.count(first))  # type: ignore[attr-defined]
    tempfile.tempdir = None


def forked(
    arguments: Sequence[str],
    folder: Path,
    precomputed: Precomputed | None,
    first: int,
    traced: Callable[[int], Any] | None = None,
) -> Ended:
    """Run a command in a child of this process.

    Parameters
    ----------
    arguments : sequence of str
    folder : Path
        Where it stands; ``tmp`` in it is its temporary folder, ``err`` gets what it says on stderr.
    precomputed : Precomputed
    first : int
        See :func:`name_by_number`.
    traced : callable, optional
        Takes the id of the child and returns, once it is traced, a process to wait for.
    """
    (folder / "tmp").mkdir(exist_ok=True)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(writing)
        _be(arguments, folder, precomputed, first, reading)
    os.close(reading)
    tracer = traced(child) if traced else None
    os.write(writing, b"!")
    os.close(writing)
    _, status = os.waitpid(child, 0)
    if tracer is not None:
        tracer.wait()
    return Ended(os.waitstatus_to_exitcode(status), (folder / "err").read_text("utf-8"))


def _be(arguments: Sequence[str], folder: Path, precomputed: Precomputed, first: int, ready: int) -> None:
    """Be the child: run the command, and end."""
    code = 70
    try:
        os.chdir(folder)
        os.environ["TMPDIR"] = str(folder / "tmp")
        for number, path in ((1, os.devnull), (2, folder / "err")):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(handle, number)
            os.close(handle)
        sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8") for number in (1, 2))
        name_by_number(first)
        from tierlens import scratch
        from tierlens.__main__ import entry

        scratch._held.clear()
        scratch.temporary_folder.cache_clear()
        precomputed.serve()
        os.read(ready, 1)
        sys.argv = ["tierlens", *arguments]
        try:
            entry()
        except SystemExit as end:
            code = int(end.code or 0)
        scratch.clear_scratch()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


@dataclass(frozen=True)
class Stop:
    """A signal, and the seconds after which it comes, counted from when tierlens hears signals.

    Before that, for some hundredths of a second, the interpreter starts; what it does on a signal is not tierlens'.
    """

    number: signal.Signals
    after: float


def started(
    arguments: Sequence[str], folder: Path, stop: Stop | None = None, by: Sequence[str] = ("-m", "tierlens")
) -> tuple[Ended, float]:
    """Run a command as its user does; return how it ended, and after how many seconds.

    Parameters
    ----------
    arguments : sequence of str
    folder : Path
        See :func:`forked`.
    stop : Stop, optional
    by : sequence of str
        What Python is started with; its first word may be another program that starts Python.
    """
    (folder / "tmp").mkdir(exist_ok=True)
    sources = os.pathsep.join(map(str, (ROOT / "src", ROOT)))
    environment = {**os.environ, "TMPDIR": str(folder / "tmp"), "PYTHONPATH": sources}
    python = [] if sys.executable in by else [sys.executable]
    began = time.monotonic()
    process = subprocess.Popen([*python, *by, *arguments], cwd=folder, env=environment, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)  # fmt: skip
    if stop is not None:
        _until_heard(process)
        try:
            process.wait(stop.after)
        except subprocess.TimeoutExpired:
            process.send_signal(stop.number)
    _, err = process.communicate()
    return Ended(process.returncode, err), time.monotonic() - began


def _until_heard(process: subprocess.Popen[str]) -> None:
    """Wait until a process has a handler for SIGTERM."""
    bit = 1 << (signal.SIGTERM - 1)
    while process.poll() is None:
        caught = re.search(r"SigCgt:\t([0-9a-f]+)", Path(f"/proc/{process.pid}/status").read_text("utf-8"))
        if caught and int(caught[1], 16) & bit:
            return
        time.sleep(0.002)


def in_parts(jobs: Sequence[Any], parts: int, work: Callable[[int, Iterator[Any]], Sequence[Any]]) -> list[Any]:
    """Let several children of this process do the jobs, every so many-th each; return what they found."""
    import pickle

    handles = []
    for part in range(parts):
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            try:
                found = pickle.dumps(list(work(part, iter(jobs[part::parts]))))
                with os.fdopen(writing, "wb") as stream:
                    stream.write(found)
                os._exit(0)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        os.close(writing)
        handles.append((child, reading))
    found: list[Any] = []
    for child, reading in handles:
        with os.fdopen(reading, "rb") as stream:
            content = stream.read()
        os.waitpid(child, 0)
        found += pickle.loads(content)
    return found
