"""Cases 108-118, 159, 160: full disks, permissions, signals, two commands at once, and what Python hands in."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
from pydantic import ValidationError

from tests.bad_inputs.command_kit import RUN_FILE, Run, command, digest, finished_run, shop
from tests.bad_inputs.kit import CHINESE, Case, Do, Got, NotAsSpecifiedError, expect, refusal_of
from tierlens.features.snapshot import build_snapshots
from tierlens.grading import grade, load_scheme
from tierlens.publish.lists.customer_lists import customer_list
from tierlens.risk.model.classifier import RiskClassifier
from tierlens.sources.declared.source import Policies, Source
from tierlens.sources.from_frame import tables_from_frame
from tierlens.sources.read import read_tables
from tierlens.sources.tables import Currency
from tierlens.workspace import run_folder
from tierlens.workspace.config import config_of_text, load_config

PROGRAM = [sys.executable, "-m", "tierlens"]
AGAIN = ["run", "run.yaml", "--out", "out", "--force", "--no-track"]
INTERRUPTED = {"en": "interrupted; what was there before is intact", "zh": "已中断"}
ROW = {"customer_id": ["C1"], "cutoff": [20000], "monetary": [100]}
ORDERS = {"customer_id": ["a", "b", "c"], "amount": [1.0, 2.0, 3.0]}
FAR = 2**63 - 1
CNY = Currency("CNY")


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "TIERLENS_LANG"}
    return {**kept, "OMP_WAIT_POLICY": "passive"}


def _in_shell(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which ``T`` is the program."""
    program = f"T() {{ '{sys.executable}' -m tierlens \"$@\"; }}; {line}"
    return subprocess.run(["bash", "-c", program], cwd=folder, env=_environment(), capture_output=True, text=True,
                          check=False)  # fmt: skip


def _shop_in(folder: Path) -> None:
    for name, content in shop().items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def _one_line(said: str, code: str) -> None:
    """Raise unless the last line of what was said has the code, and nothing is a traceback."""
    expect(False, "Traceback" in said, "a traceback")
    last = said.strip().splitlines()[-1] if said.strip() else ""
    expect(code, last.split(" ", maxsplit=1)[0].rstrip(":"), f"code of {last!r}")


def _output_full(folder: Path) -> Got:
    """The terminal's file lies on a full disk."""
    for lang in ("en", "zh"):
        done = _in_shell(folder, f"T features list --lang {lang} > /dev/full")
        expect(1, done.returncode, "exit code")
        expect("E-IO-001", done.stderr[:8], "code")
        expect(lang == "zh", bool(CHINESE.search(done.stderr)), "Chinese")
    return Got(("E-IO-001",))


@contextlib.contextmanager
def _full(most: int = 8192) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes, as on a full disk; what is heard of it is an OSError."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _disk_full(folder: Path) -> Got:
    """No file may grow beyond 8 kB, as on a full disk: while a source is read, and while results are written."""
    _shop_in(folder)
    before = digest(folder)
    for line in ("grade run.yaml --out o", "read run.yaml --check --out o", "features docs --to page.md"):
        with _full():
            code, _, said = command(folder, line.split())
        expect(1, code, f"exit code of {line}")
        _one_line(said, "E-IO-001")
        expect(before, digest(folder), "files")
    return Got(("E-IO-001",))


def _earlier_kept(folder: Path) -> Got:
    """A page that was there stays as it was where the disk is full."""
    page = ["features", "docs", "--to", "page.md"]
    expect(0, command(folder, page)[0], "exit code")
    before = digest(folder)
    with _full():
        code, _, said = command(folder, [*page, "--force"])
    _one_line(said, "E-IO-001")
    expect((1, before), (code, digest(folder)), "exit code and files")
    return Got(("E-IO-001",))


def _working(folder: Path, arguments: Sequence[str]) -> subprocess.Popen[str]:
    """Start a command in a folder and wait until it has told of its first step."""
    program = subprocess.Popen([*PROGRAM, *arguments], cwd=folder, env=_environment(), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)  # fmt: skip
    assert program.stderr is not None
    program.stderr.readline()
    return program


def _stopped(number: int, code: int, lang: str) -> Callable[[Path], Got]:
    """Return what stops a run over an earlier one in its midst; the earlier one must be as it was."""

    def stop(folder: Path) -> Got:
        finished_run(folder)
        before = digest(folder)
        program = _working(folder, [*AGAIN, "--lang", lang])
        time.sleep(0.5)
        program.send_signal(number)
        out, said = program.communicate(timeout=60)
        expect((code, ""), (program.returncode, out), "exit code and stdout")
        expect(True, INTERRUPTED[lang] in said.splitlines()[-1], f"says that it was stopped: {said[-200:]!r}")
        expect(False, "Traceback" in said, "a traceback")
        expect(before, digest(folder), "files")
        return Got()

    return stop


def _killed(folder: Path) -> Got:
    """After a kill the earlier run is as it was, and the next command works."""
    finished_run(folder)
    before = digest(folder / "out")
    program = _working(folder, AGAIN)
    time.sleep(0.5)
    program.kill()
    program.communicate(timeout=60)
    now = digest(folder / "out")
    expect(before, {name: now.get(name) for name in before}, "the earlier run")
    for line in ("explain C001 --out out", "report --out out"):
        code, _, said = command(folder, line.split())
        expect((0, False), (code, "Traceback" in said), f"exit code of {line} ({said})")
    return Got()


def _held(folder: Path) -> Got:
    """Another command holds the folder of results."""
    finished_run(folder)
    with run_folder.held_folder(folder / "out"):
        code, _, said = command(folder, ["report", "--out", "out"])
    expect(4, code, "exit code")
    _one_line(said, "E-RU-003")
    return Got(("E-RU-003",))


def _misspelt(folder: Path) -> Got:
    """Keys of classes that Python fills in; each names the key."""
    makers: list[tuple[Callable[[], object], str]] = [
        (lambda: Source(files="a.csv", curency="CNY"), "curency"),
        (lambda: Policies(dupplicates="keep"), "dupplicates"),
    ]
    for make, key in makers:
        try:
            make()
        except ValidationError as error:
            expect(True, key in str(error), f"names {key}")
        else:
            raise NotAsSpecifiedError(f"{key} was taken")
    run = RUN_FILE.replace("cutoff:", "cutof:")
    wrong = [
        refusal_of(lambda: config_of_text(run), "E-YA-020"),
        refusal_of(lambda: RiskClassifier(trees={"num_leafs": 4}).fit([[1.0], [2.0]], [0, 1]), "E-RI-074"),
        refusal_of(lambda: load_scheme("five_stepp"), "E-SC-001"),
    ]
    return Got(tuple(got.codes[0] for got in wrong))


def _kinds(folder: Path) -> Got:
    """Texts, lists, None and frames of another kind at the doors of the library."""
    scheme = load_scheme("relationship_rating")
    doors: list[tuple[Callable[[], Any], str]] = [
        (lambda: read_tables("orders.csv"), "E-US-016"),
        (lambda: read_tables(None), "E-US-016"),
        (lambda: tables_from_frame("orders.csv", "CNY"), "E-US-015"),
        (lambda: tables_from_frame(None, "CNY"), "E-US-015"),
        (lambda: tables_from_frame(pd.DataFrame(ROW), "yuan"), "E-US-014"),
        (lambda: tables_from_frame(pd.DataFrame(ROW), "CNY"), "E-US-010"),
        (lambda: build_snapshots(pd.DataFrame(ROW), ["2025-01-01"]), "E-US-031"),
        (lambda: build_snapshots(None, ["2025-01-01"]), "E-US-031"),
        (lambda: grade([1], scheme, CNY), "E-US-030"),
        (lambda: grade(pd.DataFrame(ROW), "relationship_rating", CNY), "E-US-032"),
        (lambda: customer_list("customers.parquet"), "E-US-030"),
        (lambda: customer_list(pa.table({"a": [1]})), "E-LI-001"),
        (lambda: load_config(folder / "no.yaml"), "E-YA-001"),
    ]
    return Got(tuple(dict.fromkeys(refusal_of(call, code).codes[0] for call, code in doors)))


def _beyond(folder: Path) -> Got:
    """Times beyond any calendar, in each library's frames: impossible years, counted."""
    frames = [
        pd.DataFrame({**ORDERS, "time": pd.Series([10**12, -(10**12), 0], dtype="datetime64[s]")}),
        pl.DataFrame({**ORDERS, "time": pl.Series([FAR, -FAR, 0]).cast(pl.Datetime("us"))}),
        pa.table({**ORDERS, "time": pa.array([FAR, -FAR, 0], pa.timestamp("s"))}),
        pa.table({**ORDERS, "time": pa.array([2**31 - 1, -(2**31), 0], pa.date32())}),
        pa.table({**ORDERS, "day": pa.array([2**40, -(2**40), 0])}),
    ]
    kept = Policies(returns="negative", duplicates="keep", reject_limit=1.0)
    for frame in frames:
        refusal_of(lambda frame=frame: tables_from_frame(frame, "CNY"), "E-TX-200")
        days = tables_from_frame(frame, "CNY", policies=kept).transactions.select("day").collect("pyarrow").to_native()
        expect([0], days["day"].to_pylist(), "days that are kept")
    return Got(("E-TX-200",))


def _mixed(folder: Path) -> Got:
    """A column of a frame that holds values of several kinds, and days that are no whole numbers."""
    texts = pd.DataFrame({**ORDERS, "time": pd.Series([dt.date(2026, 1, 5), "2026-01-05", 3], dtype=object)})
    parts = pa.table({**ORDERS, "day": [1.5, 2.0, 3.0]})
    return Got((*refusal_of(lambda: tables_from_frame(texts, "CNY"), "E-US-017", "frame").codes,
                *refusal_of(lambda: tables_from_frame(parts, "CNY"), "E-US-018", "day").codes))  # fmt: skip


CASES = (
    Case(108, "the output goes to a full disk", "one line, exit 1", (Do(_output_full),)),
    Case(109, "the disk is full while reading and writing", "one line, exit 1; nothing half written",
         (Do(_disk_full), Do(_earlier_kept))),
    Case(110, "a place where nobody may write", "REJECT, exit 2",
         (Run(["grade", "run.yaml", "--out", "/sys/tierlens"], 2, "E-IO-003"),
          Run(["run", "run.yaml", "--out", "/sys/tierlens"], 2, "E-IO-003"))),
    Case(111, "a file in the place of a folder", "REJECT, exit 2",
         (Run(["grade", "run.yaml", "--out", "orders.csv"], 2, "E-IO-005"),
          Run(["train", "run.yaml", "--out", "orders.csv/x"], 2, "E-IO-005"))),
    Case(112, "a folder, or what cannot be read, in the place of a file", "REJECT, exit 2",
         (Run(["read", ".", "--check"], 2, "E-YA-001"), Run(["read", "/proc/self/mem", "--check"], 2, "E-YA-001"))),
    Case(113, "Ctrl-C in the midst of a run", "exit 130; the earlier run intact",
         (Do(_stopped(signal.SIGINT, 130, "en")),)),
    Case(114, "SIGTERM, SIGHUP in the midst of a run", "exit 143, 129; the earlier run intact",
         (Do(_stopped(signal.SIGTERM, 143, "zh")), Do(_stopped(signal.SIGHUP, 129, "en")))),
    Case(115, "SIGKILL in the midst of a run", "the earlier run intact, the next works", (Do(_killed),)),
    Case(116, "two commands on one folder of results", "exit 4", (Do(_held),)),
    Case(117, "misspelt keys, settings and names from Python", "REJECT, named", (Do(_misspelt),)),
    Case(118, "a text, None, a list, another frame at a door", "REJECT, one sentence", (Do(_kinds),)),
    Case(159, "times beyond any calendar in frames", "QUARANTINE as impossible years", (Do(_beyond),)),
    Case(160, "mixed kinds in a column, days and a half", "REJECT", (Do(_mixed),)),
)  # fmt: skip
