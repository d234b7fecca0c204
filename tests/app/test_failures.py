"""Whatever goes wrong is one line with a code; only a fault of tierlens has a traceback, in a file."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tierlens.app.cli.failures import failure_of
from tierlens.app.cli.terminal import exit_code_of
from tierlens.errors import DataError
from tierlens.words import Text


@pytest.mark.parametrize(
    ("number", "code", "exit_code"),
    [
        (errno.ENOSPC, "E-IO-001", 1), (errno.EDQUOT, "E-IO-001", 1), (errno.EIO, "E-IO-002", 1),
        (errno.EACCES, "E-IO-003", 2), (errno.EPERM, "E-IO-003", 2), (errno.EROFS, "E-IO-003", 2),
        (errno.ENOENT, "E-IO-004", 2), (errno.ENOTDIR, "E-IO-005", 2), (errno.EISDIR, "E-IO-005", 2),
        (errno.EEXIST, "E-IO-005", 2), (errno.ENAMETOOLONG, "E-IO-006", 2), (errno.EMFILE, "E-IO-007", 1),
        (errno.EBUSY, "E-IO-008", 4), (errno.ENOMEM, "E-IO-009", 1), (errno.EXDEV, "E-IO-010", 1),
    ],
)  # fmt: skip
def test_an_error_of_the_system_is_told_by_its_kind(number: int, code: str, exit_code: int) -> None:
    found = failure_of(OSError(number, os.strerror(number), "/srv/runs/out"))
    assert found.exit_code == exit_code
    assert found.said.en.startswith(f"{code} /srv/runs/out: ")
    assert found.said.zh.startswith(f"{code} /srv/runs/out：")
    assert "; " in found.said.en


class OutOfMemoryException(Exception):  # noqa: N818 - as DuckDB names it
    """Stands for an error of another library."""


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (MemoryError(), "E-IO-009"),
        (OutOfMemoryException("Out of Memory Error: could not allocate block of size 256.0 KiB"), "E-IO-009"),
        (OutOfMemoryException("Out of Memory Error: failed; see max_temp_directory_size"), "E-IO-001"),
        (RuntimeError("IO Error: Could not write to file: No space left on device"), "E-IO-001"),
        (RuntimeError("(sqlite3.OperationalError) database or disk is full"), "E-IO-001"),
        (RuntimeError("disk I/O error"), "E-IO-002"),
        (RuntimeError("std::bad_alloc"), "E-IO-009"),
    ],
)
def test_what_libraries_say_of_the_machine_is_told_as_such(problem: Exception, code: str) -> None:
    found = failure_of(problem)
    assert (found.exit_code, found.said.en.split(":")[0]) == (1, code)


def test_a_fault_is_one_line_and_a_file_for_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def broken() -> int:
        customer = "C-0815"
        raise ZeroDivisionError(len(customer))

    assert exit_code_of(broken, "en") == 1
    (file,) = tmp_path.iterdir()
    said = capsys.readouterr().err
    assert said.startswith("E-IN-000 test_failures.py:")
    assert said.endswith(f": a fault of tierlens (ZeroDivisionError); please report it with the file {file}\n")
    assert said.count("\n") == 1
    told = file.read_text("utf-8")
    assert told.startswith("Traceback")
    assert "ZeroDivisionError: 6" in told
    assert "C-0815" not in told  # lines of the program, and what the error says; no value of a variable
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_fault_is_told_where_no_file_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere/at/all")
    assert "no file could be written about it" in failure_of(ZeroDivisionError()).said.en


def test_every_message_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def bad() -> int:
        raise DataError("E-XX-1", Text("bad\nnews", "坏"), where="a\nb")

    assert exit_code_of(bad, "en") == 3
    assert capsys.readouterr().err == "E-XX-1 a b: bad news\n"


def tierlens(*arguments: str, **streams: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tierlens", *arguments]
    return subprocess.run(command, text=True, check=False, **{"stderr": subprocess.PIPE, **streams})


@pytest.mark.parametrize("command", [["version"], ["features", "list"], ["--help"]])
def test_a_full_output_is_told_and_leaves_no_traceback(command: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = tierlens(*command, stdout=full)
        assert done.returncode == 1
        assert done.stderr.startswith("E-IO-001: the disk is full; ")
        assert done.stderr.count("\n") == 1
        silent = subprocess.run([sys.executable, "-m", "tierlens", "bogus"], stderr=full, stdout=full, check=False)
        assert silent.returncode == 2


def test_closed_streams_are_no_error_and_no_file_takes_their_number(tmp_path: Path) -> None:
    target = tmp_path / "features.md"
    command = f"'{sys.executable}' -m tierlens features docs --to '{target}' >&- 2>&-"
    assert subprocess.run(["bash", "-c", command], check=False).returncode == 0
    assert target.read_text("utf-8").startswith("# Features")
    assert str(target) not in target.read_text("utf-8")
