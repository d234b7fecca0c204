"""A sample of ``make crash``: no file is torn, no folder mixed, nothing left, and the next command is a clean one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.crash.trace import Point, points, touched


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_a_sample_of_calls_and_moments() -> None:
    # In a process of its own: children are forked from it, and pytest's must not have threads of LightGBM or DuckDB.
    command = [sys.executable, "-m", "tests.crash", "--every", "10", "--moments", "4"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    table = [line for line in done.stdout.splitlines() if line.startswith(("run", "list", "scheme import", "twins"))]
    assert {line.split("  ")[0] for line in table} == {
        "run", "run --force", "list", "list (xlsx)", "scheme import", "twins"
    }  # fmt: skip


def test_calls_are_counted_where_they_touch_the_area(tmp_path: Path) -> None:
    lines = [
        f'7 openat(AT_FDCWD</>, "{tmp_path}/a", O_WRONLY) = 3<{tmp_path}/a>',
        f'7 write(3<{tmp_path}/a>, ""..., 5) = 5', '7 write(2</dev/null>, ""..., 5) = 5',
        f'7 rename("{tmp_path}/b", "c") = 0', f"8 fsync(4<{tmp_path}>) = 0", "7 +++ exited with 0 +++",
        f'7 mkdir("{tmp_path}y", 0777) = 0',
    ]  # fmt: skip
    (tmp_path / "trace").write_text("\n".join(lines), encoding="utf-8")
    calls, paths = touched(tmp_path / "trace", tmp_path)
    assert calls == {"openat": 1, "write": 1, "rename": 1, "fsync": 1}
    assert paths == [str(tmp_path), f"{tmp_path}/a", f"{tmp_path}/b"]
    assert points(Counter(write=1, unlink=1)) == [
        Point("write", 1, "signal=KILL"), Point("unlink", 1, "signal=KILL"),
        Point("write", 1, "error=ENOSPC"), Point("write", 1, "error=EIO"),
    ]  # fmt: skip
