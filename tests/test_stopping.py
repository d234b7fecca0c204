"""A command can be stopped at any moment: one line, the exit code of the signal, and nothing half written."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tierlens import stopping
from tierlens.app.cli.main import main
from tierlens.app.cli.terminal import exit_code_of

SAID = "interrupted; what was there before is intact\n"
# Stands in for a run: it waits in the middle of its work, in Python or outside of it.
STARTED = """
import sys, time
from pathlib import Path
import tierlens.app.cli.main
from tierlens.publish.files.atomic import replacing_file
from tierlens.__main__ import entry

def main():
    place = Path(sys.argv[1]) / "customers.parquet"
    with replacing_file(place) as temporary:
        temporary.write_bytes(b"half")
        print("ready", flush=True)
        {work}
    return 0

tierlens.app.cli.main.main = main
entry()
"""
IN_PYTHON = "time.sleep(60)"
SWALLOWED = """
        for _ in range(600):
            try:
                time.sleep(0.1)
            except BaseException:
                pass
"""
ELSEWHERE = """
        import ctypes
        ctypes.CDLL(None).sleep(1)
        ctypes.CDLL(None).sleep(60)
"""
LOST = """
        import os, signal, weakref
        class Gone: pass
        gone = Gone()
        watch = weakref.ref(gone, lambda _: os.kill(os.getpid(), signal.SIGINT) or sum(range(1000)))
        del gone
        time.sleep(60)
"""
CHANGED = """
        try:
            time.sleep(60)
        except BaseException:
            raise RuntimeError("Query interrupted")
"""


def started(work: str, place: Path) -> subprocess.Popen[str]:
    program = STARTED.replace("{work}", work)
    command = [sys.executable, "-c", program, str(place)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_each_signal_ends_a_command_with_a_line_and_its_own_code(tmp_path: Path, number: int, code: int) -> None:
    process = started(IN_PYTHON, tmp_path)
    process.send_signal(number)
    assert (process.communicate(timeout=30), process.returncode) == (("", SAID), code)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("work", [SWALLOWED, ELSEWHERE, CHANGED])
def test_a_library_that_does_not_listen_does_not_hold_it_up(tmp_path: Path, work: str) -> None:
    process = started(work, tmp_path)
    for _ in range(3):  # impatience changes nothing
        process.send_signal(signal.SIGINT)
    assert (process.communicate(timeout=40), process.returncode) == (("", SAID), 130)
    assert list(tmp_path.iterdir()) == []


def test_a_signal_that_the_caller_ignores_stays_ignored(tmp_path: Path) -> None:
    program = STARTED.replace("{work}", "time.sleep(1)")
    command = ["nohup", sys.executable, "-c", program, str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert (tmp_path / "customers.parquet").read_bytes() == b"half"


@pytest.mark.parametrize("delay", [0.05, 0.1, 0.15, 0.2, 0.3])
def test_imports_can_be_stopped_too(delay: float, tmp_path: Path) -> None:
    # The interpreter's own start, some hundredths of a second, is before anything of ours: wait for our first module.
    marker = tmp_path / "started"
    program = (
        f"import tierlens, pathlib; pathlib.Path({str(marker)!r}).touch(); import tierlens.__main__ as m; m.entry()"
    )
    command = [sys.executable, "-c", program, "explain", "C1", "--out", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not marker.exists():
        time.sleep(0.001)
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert out == ""
    assert "Traceback" not in err
    assert (process.returncode, err) in ((130, SAID), (2, err))
    assert err.count("\n") == 1


def test_a_block_that_must_not_be_broken_is_not() -> None:
    program = """
import os, signal, time
from tierlens import stopping
stopping.listen_for_signals(lambda: None)
try:
    with stopping.unbroken_block():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.2)
        print("whole")
    print("never")
except stopping.Stopped:
    print(stopping.exit_code())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "whole\n143\n"


def test_a_stop_within_the_interpreter_of_a_caller_is_told_too(capsys: pytest.CaptureFixture[str]) -> None:
    def stopped() -> int:
        raise KeyboardInterrupt

    assert exit_code_of(stopped, "zh") == 130
    assert capsys.readouterr().err == "已中断；原有文件未受影响\n"
    assert not stopping.is_asked()
    assert main(["version"]) == 0


def test_a_stop_that_the_interpreter_cannot_raise_is_raised_again(tmp_path: Path) -> None:
    process = started(LOST, tmp_path)
    began = time.monotonic()
    assert (process.communicate(timeout=30), process.returncode) == (("", SAID), 130)
    assert time.monotonic() - began < stopping.GRACE
    assert list(tmp_path.iterdir()) == []
