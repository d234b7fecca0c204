"""How a command line of the catalogue is tried: files in a folder, a command in it, its exit code and its one line."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import hashlib
import io
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.bad_inputs.kit import CHINESE, Got, NotAsSpecifiedError, expect
from tierlens.app.cli.main import main

Content = str | bytes
START = dt.date(2024, 1, 1)
RUN_FILE = """name: Tiny shop
source:
  files: orders.csv
  currency: CNY
cutoff: "2025-11-01"
scheme: tiered_management
risk: {first_cutoff: "2025-03-01", tests: 1, seeds: 1, draws: 0, resamples: 50, trees: {rounds: 5}}
track: false
"""


@cache
def orders(customers: int = 80, days: int = 720, seed: int = 1) -> str:
    """Return a CSV of a small shop that opens on 2024-01-01; some customers stop buying before the end."""
    draw = random.Random(seed)
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(["customer_id", "order_id", "time", "amount"])
    number = 0
    for customer in range(customers):
        every = draw.choice([15, 30, 45, 80])
        day, end = draw.randrange(300), draw.choice([days, draw.randrange(100, days)])
        while day < end:
            number += 1
            amount = f"{draw.randrange(10, 2000)}.50"
            writer.writerow([f"C{customer:03d}", f"O{number}", START + dt.timedelta(days=day), amount])
            day += max(1, int(draw.expovariate(1 / every)))
    return sink.getvalue()


def shop(run_file: str = RUN_FILE, **files: Content) -> dict[str, Content]:
    """Return the files of the tiny shop, and others beside them (``name__csv`` for ``name.csv``)."""
    more = {name.replace("__", "."): content for name, content in files.items()}
    return {"orders.csv": orders(), "run.yaml": run_file, **more}


def changed(old: str, new: str) -> str:
    """Return the run file of the tiny shop with one part changed."""
    expect(True, old in RUN_FILE, f"the run file has {old!r}")
    return RUN_FILE.replace(old, new)


@cache
def _finished() -> Path:
    """Run the tiny shop once; every probe gets a copy of its own."""
    home = Path(tempfile.mkdtemp(prefix="tierlens-bad-inputs-"))
    for name, content in shop().items():
        (home / name).write_bytes(content.encode() if isinstance(content, str) else content)
    code, _, told = command(home, ["run", "run.yaml", "--out", "out"])
    expect(0, code, f"exit code of the run that the cases start from ({told})")
    return home


def finished_run(folder: Path) -> None:
    """Put the tiny shop with a finished run of it (``out``) into a folder."""
    shutil.copytree(_finished(), folder, dirs_exist_ok=True)


def command(folder: Path, arguments: Sequence[str]) -> tuple[int, str, str]:
    """Run a command line in a folder; return exit code, stdout and stderr. Without data anywhere but there."""
    out, err = io.StringIO(), io.StringIO()
    kept = dict(os.environ)
    os.environ.pop("TIERLENS_LANG", None)
    try:
        with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(list(arguments))
    finally:
        os.environ.clear()
        os.environ.update(kept)
    return code, out.getvalue(), err.getvalue()


def digest(folder: Path) -> dict[str, str]:
    """Return the content of every file of a folder, as hashes by path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@dataclass(frozen=True)
class Run:
    """A command that must end as stated, in both languages, and touch no file that was there.

    Parameters
    ----------
    arguments : sequence of str
        Run in the folder of the probe.
    exit : int
    code : str
        Of the error; empty where the command must succeed.
    files : mapping of str to str or bytes
        Written first.
    says : tuple of str
        What stdout and stderr must hold between them, in English.
    before : callable, optional
        Prepares the folder further.
    after : callable, optional
        Checks the folder at the end.
    touches : tuple of str
        Files that the command may change.
    """

    arguments: Sequence[str]
    exit: int
    code: str = ""
    files: Mapping[str, Content] = field(default_factory=shop)
    says: tuple[str, ...] = ()
    before: Callable[[Path], object] | None = None
    after: Callable[[Path], object] | None = None
    touches: tuple[str, ...] = ()

    def run(self, folder: Path) -> Got:
        """Try it in English, and where it is refused in Chinese too."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        if self.before is not None:
            self.before(folder)
        kept = digest(folder)
        exit_code, out, err = command(folder, self.arguments)
        line = err.strip().splitlines()[-1] if err.strip() else ""
        expect(self.exit, exit_code, f"exit code ({line})")
        expect(False, "Traceback" in out + err, "a traceback")
        self._refused(folder, line)
        for words in self.says:
            expect(True, words in out + err, f"says {words!r} ({out.strip()[-300:]} | {line})")
        self._left_alone(kept, digest(folder))
        if self.after is not None:
            self.after(folder)
        return Got((self.code,) if self.code else (), self._place(line))

    def _refused(self, folder: Path, line: str) -> None:
        if not self.code:
            return
        expect(self.code, line.split(" ", maxsplit=1)[0].rstrip(":"), f"code of {line!r}")
        if "--lang" in self.arguments:
            return
        _, _, err = command(folder, [*self.arguments, "--lang", "zh"])
        chinese = err.strip().splitlines()[-1] if err.strip() else ""
        expect((True, True), (self.code in chinese, bool(CHINESE.search(chinese))), f"the same in Chinese: {chinese!r}")

    def _left_alone(self, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        moved = {name for name in before if before[name] != after.get(name) and name not in self.touches}
        if moved:
            raise NotAsSpecifiedError(f"changed or removed: {', '.join(sorted(moved))}")

    def _place(self, line: str) -> str:
        words = line.removeprefix(self.code).strip().split(": ")
        return words[0] if self.code and len(words) > 1 and " " not in words[0] else ""
