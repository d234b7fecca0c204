"""Break the commands and print what came of it: ``python -m tests.crash``."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.crash.commands import AREA, COMMANDS, Command, State, Tried, due, fresh, look, look_again, state, template
from tests.crash.process import Precomputed, Stop, forked, in_parts, started, warm
from tests.crash.trace import Point, attach, breaking, points, recording, strace, touched, was_broken

HEADS = ("command", "broken by", "tried", "torn", "mixed", "leftovers", "unequal", "wrong end", "not reached")
WIDTHS = (15, 13, 7, 6, 7, 11, 9, 11, 11)
DUE = {
    "signal=KILL": ((-9,), ()),
    "error=ENOSPC": ((0, 1), ("E-IO-001",)),
    "error=EIO": ((0, 1), ("E-IO-002",)),
}
STOPS = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
SAID = "interrupted; what was there before is intact"
TRIES = 3
"""How often a call is waited for: the tracer may miss one, and a thread may make one more or less."""
AGAIN = 1_000_000
"""First number of names in the command that is run again: others than those of the broken one."""


class Crash:
    """One session of breaking: a shop, what is computed of it, and how many children do the work."""

    def __init__(self, home: Path, parts: int, every: int) -> None:
        self.home, self.parts, self.every = home, parts, every
        self.source = template(home / "template")
        self.precomputed = Precomputed(self.source)

    def folder(self, part: int) -> Path:
        """Return where a part of the children works."""
        return self.home / f"part{part}"

    def clean(self, command: Command) -> tuple[State, State]:
        """Return what is there before a command, and after it."""
        folder = fresh(command, self.source, self.folder(0))
        before = state(folder / AREA)
        done = forked(command.arguments, folder, self.precomputed, 1)
        if done.code:
            raise RuntimeError(f"{command.name}: {done.err}")
        after = state(folder / AREA)
        if command.is_run:  # what is computed beforehand must be what a command by itself computes
            started([*command.arguments[:2], "--out", f"{AREA}/by itself"], folder)
            whole, place = state(folder / AREA / "by itself"), state(folder / AREA / "out")
            if whole != {name: digest for name, digest in place.items() if name != "notes.txt"}:
                raise RuntimeError("a run of parts computed before is not as a run by itself")
        return before, after

    def every_call(self, command: Command) -> tuple[list[Tried], list[Tried]]:
        """Break a command at each call that touches its results, and at some of them when its user has started it."""
        old, new = self.clean(command)
        folder, file = fresh(command, self.source, self.folder(0)), self.home / "trace"
        forked(command.arguments, folder, self.precomputed, 1, attach(recording(file)))
        calls, paths = touched(file, folder / AREA)
        there = points(calls)

        def work(part: int, jobs: Iterator[tuple[Point, bool]]) -> list[tuple[Tried, bool]]:
            mine = [path.replace(str(self.folder(0)), str(self.folder(part)), 1) for path in paths]
            return [(self.broken(command, point, part, (mine, old, new), itself), itself) for point, itself in jobs]

        some = [there[len(there) * place // 8] for place in (1, 4, 7)]
        jobs = [*((point, True) for point in some), *((point, False) for point in there[:: self.every])]
        found = in_parts(jobs, self.parts, work)
        return tuple([tried for tried, itself in found if itself is wanted] for wanted in (False, True))

    def broken(
        self, command: Command, point: Point, part: int, known: tuple[Sequence[str], State, State], by_itself: bool
    ) -> Tried:
        """Break a command at one call, look, run it again, and look again."""
        for _ in range(TRIES - 1):
            tried = self.broken_once(command, point, part, known, by_itself)
            if tried.reached:
                return tried
        return self.broken_once(command, point, part, known, by_itself)

    def broken_once(
        self, command: Command, point: Point, part: int, known: tuple[Sequence[str], State, State], by_itself: bool
    ) -> Tried:
        """Break a command at one call; one that is not reached is a wrong end."""
        paths, old, new = known
        folder, file = fresh(command, self.source, self.folder(part)), self.home / f"trace{part}"
        file.unlink(missing_ok=True)
        options = breaking(point, paths, file)
        if by_itself:
            by = [strace(), "-f", "-qq", *options, sys.executable, "-m", "tests.crash.launch"]
            done, _ = started(command.arguments, folder, by=by)
        else:
            done = forked(command.arguments, folder, self.precomputed, 1, attach(options))
        tried = Tried(f"{point.how} {point.call} {point.number}", reached=was_broken(file))
        if not tried.reached:
            tried.ends.append("the call was not reached")
        codes, words = DUE[point.how]
        due(tried, done, codes, words if done.code == 1 else ())
        look(tried, command, folder, old, new)
        return self.after(tried, command, folder, known[1:], tidy=point.how != "signal=KILL")

    def moments(self, commands: Sequence[Command], count: int) -> list[tuple[str, Tried]]:
        """Stop commands, started as their users start them, at random moments."""
        draw = random.Random(7)
        known = {command.name: (self.clean(command), self.duration(command)) for command in commands}
        jobs = []
        for number in range(count):
            command = commands[number % len(commands)]
            stop = Stop(STOPS[number // len(commands) % 3], draw.uniform(0.05, known[command.name][1]))
            jobs.append((command, stop))

        def work(part: int, mine: Iterator[tuple[Command, Stop]]) -> list[tuple[str, Tried]]:
            return [(one.name, self.stopped(one, stop, part, known[one.name][0])) for one, stop in mine]

        return in_parts(jobs, self.parts, work)

    def duration(self, command: Command) -> float:
        """Return how many seconds a command takes."""
        return started(command.arguments, fresh(command, self.source, self.folder(0)))[1]

    def stopped(self, command: Command, stop: Stop, part: int, known: tuple[State, State]) -> Tried:
        """Stop a command at a moment, look, run it again, and look again."""
        old, new = known
        folder = fresh(command, self.source, self.folder(part))
        done, _ = started(command.arguments, folder, stop)
        tried = Tried(f"{stop.number.name} after {stop.after:.2f} s", reached=done.code != 0)
        codes = {signal.SIGKILL: -9, signal.SIGINT: 130, signal.SIGTERM: 143}
        due(tried, done, (0, codes[stop.number]), (SAID,) if done.code > 0 else ())
        look(tried, command, folder, old, new)
        return self.after(tried, command, folder, known, tidy=stop.number != signal.SIGKILL)

    def after(self, tried: Tried, command: Command, folder: Path, known: tuple[State, State], *, tidy: bool) -> Tried:
        """Look at what a broken command left hidden, run it again, and look again.

        Where all is as it was before, hidden files and temporary ones included, the next command is the clean one.
        """
        old, new = known
        now, spilled = state(folder / AREA), sorted(path.name for path in (folder / "tmp").iterdir())
        if tidy:
            tried.leftovers += [*(name for name in now if name not in {**old, **new}), *spilled]
        if now != old or spilled:
            again = forked([*command.arguments, *command.again], folder, self.precomputed, AGAIN)
            look_again(tried, folder, again, new)
        return tried


class Table:
    """Lines told as they come, and the faults behind them."""

    def __init__(self) -> None:
        self.faults: list[tuple[str, Tried]] = []
        self.totals = [0] * (len(HEADS) - 2)
        self.say(HEADS)

    def say(self, cells: Sequence[str]) -> None:
        """Print a line."""
        sys.stdout.write("".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip() + "\n")
        sys.stdout.flush()

    def add(self, name: str, how: str, found: Sequence[Tried]) -> None:
        """Print what came of a command that was broken in one way."""
        kinds = [[getattr(one, kind) for one in found] for kind in ("torn", "mixed", "leftovers", "unequal", "ends")]
        counts = [sum(map(bool, kind)) for kind in kinds]
        numbers = [len(found), *counts, sum(not one.reached for one in found)]
        self.say([name, how, *map(str, numbers)])
        self.totals = [whole + n for whole, n in zip(self.totals, numbers, strict=True)]
        self.faults += [(name, one) for one in found if one.is_wrong]


def broken_ways(crash: Crash, table: Table, moments: int) -> None:
    """Break every command at every call, then at random moments."""
    for command in COMMANDS:
        found, some = crash.every_call(command)
        for how in DUE:
            table.add(command.name, how.partition("=")[2], [one for one in found if one.what.startswith(how)])
        table.add(command.name, "some of all", some)
    for some in (COMMANDS[:2], COMMANDS[2:]) if moments else ():
        at = crash.moments(some, moments)
        for command in some:
            table.add(command.name, "moments", [one for name, one in at if name == command.name])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line a command and way of breaking; return 0 when nothing was torn, mixed, left or unequal."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only every so many-th call (1: each)")
    parser.add_argument("--moments", type=int, default=40, help="random moments for runs, and as many for the others")
    parser.add_argument("--parts", type=int, default=2, help="processes at once")
    asked = parser.parse_args(arguments)
    began = time.monotonic()
    quick = Path("/dev/shm")  # in memory: waiting for a disk would take most of the time
    home = Path(tempfile.mkdtemp(prefix="tierlens-crash-", dir=quick if os.access(quick, os.W_OK) else None))
    sys.stdout.write(
        f"Calls are broken by {strace()} in processes forked from one that has computed what a run writes, and some\n"
        "of all in commands started by themselves; moments are drawn over whole commands started by themselves, from\n"
        f"when they hear signals. All of it lies in {home}.\n"
    )
    try:
        warm()
        crash, table = Crash(home, asked.parts, asked.every), Table()
        broken_ways(crash, table, asked.moments)
        table.say(["all", "", *map(str, table.totals)])
    finally:
        shutil.rmtree(home, ignore_errors=True)
    for name, one in table.faults:
        sys.stdout.write(f"{name}, {one.what}: {one.said()}\n")
    sys.stdout.write(f"{len(table.faults)} faults in {time.monotonic() - began:.0f} s\n")
    return min(len(table.faults), 1)


if __name__ == "__main__":
    raise SystemExit(main())
