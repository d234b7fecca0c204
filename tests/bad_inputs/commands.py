"""Cases 70-75 and 97-107: commands, folders of results, damaged runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bad_inputs.command_kit import RUN_FILE, Run, finished_run, shop
from tests.bad_inputs.kit import Case, Do, Got, expect

RUN = ["run", "run.yaml", "--out", "out"]


def _damaged(name: str, content: bytes) -> Callable[[Path], None]:
    """Return what puts a finished run into a folder, and damages one file of it."""

    def damage(folder: Path) -> None:
        finished_run(folder)
        (folder / "out" / name).write_bytes(content)

    return damage


def _of_damaged(number: int, what: str, name: str, content: bytes, *arguments: str) -> Case:
    probe = Run([*arguments, "out"], 2, "E-RU-042", {}, (name,), _damaged(name, content))
    return Case(number, what, "REJECT, exit 2", (probe,))


def _after_run(number: int, what: str, code: str, *arguments: str) -> Case:
    return Case(number, what, "REJECT, exit 2", (Run(arguments, 2, code, {}, before=finished_run),))


def _reader_gone(folder: Path) -> Got:
    """The reader of the output closes it before the first line."""
    with subprocess.Popen([sys.executable, "-m", "tierlens", "features", "list"], cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as program:  # fmt: skip
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.close()
        said = program.stderr.read()
    expect((0, b""), (program.returncode, said), "exit code and what is said")
    return Got()


CASES = (
    _after_run(70, "an earlier run in the folder", "E-RU-002", *RUN),
    Case(71, "--out is a file, or below one", "REJECT, exit 2",
         (Run(["run", "run.yaml", "--out", "orders.csv", "--force"], 2, "E-RU-040"),
          Run(["run", "run.yaml", "--out", "/dev/null/x"], 2, "E-IO-005"))),
    Case(72, "a run file with a blank and Hanzi in its name; 300 letters", "KEEP; REJECT",
         (Run(["read", "我 的.yaml", "--check"], 0, files={**shop(), "我 的.yaml": RUN_FILE}),
          Run(["read", "x" * 300 + ".yaml", "--check"], 2, "E-YA-001"))),
    Case(73, "an unknown command, option, language", "REJECT, exit 2",
         (Run(["rum"], 2, says=("Did you mean 'run'?",)), Run(["run", "run.yaml", "--nope"], 2, says=("--nope",)),
          Run(["run", "run.yaml", "--lang", "fr"], 2, says=("'fr'",)))),
    _of_damaged(74, "a model that was tampered with", "models/churn/model.json", b"[]", "score", "run.yaml", "--force",
                "--out"),
    Case(75, "the reader of the output goes away", "quiet exit", (Do(_reader_gone),)),
    _of_damaged(97, "garbage for customers.parquet", "customers.parquet", b"x", "explain", "C001", "--out"),
    _of_damaged(98, "a broken run.json", "run.json", b"{", "backtest"),
    _of_damaged(99, "a broken findings.json", "findings.json", b"[", "report", "--out"),
    _after_run(100, "a customer who is not in the run", "E-RU-005", "explain", "NOBODY", "--out", "out"),
    Case(101, "a folder without a run", "REJECT, exit 2",
         (Run(["explain", "C001", "--out", "nowhere"], 2, "E-RU-004", {}),)),
    _after_run(102, "compare with a folder that is not there", "E-RU-004", "compare", "out", "nowhere"),
    _after_run(103, "a list named a.txt", "E-RU-027", "list", "a.txt", "--out", "out"),
    _after_run(104, "a list over a person's file", "E-RU-044", "list", "orders.csv", "--out", "out"),
    _after_run(105, "a tier that nobody has", "E-LI-003", "list", "a.csv", "--out", "out", "--tier", "Z"),
    Case(106, "a file of data for a run file", "REJECT, exit 2",
         (Run(["read", "orders.csv", "--check"], 2, "E-RU-032"), Run(["read", "mysql://me:pw@h/x"], 2, "E-RU-063"))),
    Case(107, "a data file that is not there", "REJECT, exit 3",
         (Run(["grade", "run.yaml", "--out", "o"], 3, "E-TX-120", {"run.yaml": RUN_FILE}),)),
)  # fmt: skip
