"""Scratch folders: private, gone with their process, and swept when it died without a chance to clean up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tierlens.scratch import (
    HeldError,
    is_scratch,
    locked_place,
    made_folder,
    scratch_folder,
    sweep_leftovers,
    temporary_folder,
)

WAIT = """
import sys, time
from pathlib import Path
from tierlens.scratch import locked_place, scratch_folder
place = Path(sys.argv[1])
with locked_place(place / "run"), scratch_folder(place) as folder:
    (folder / "customers.parquet").write_bytes(b"half")
    print("ready", flush=True)
    time.sleep(600)
"""


@contextmanager
def another(place: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds a scratch folder and a lock in a place."""
    process = subprocess.Popen([sys.executable, "-c", WAIT, str(place)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextmanager
def umask(mask: int) -> Iterator[None]:
    old = os.umask(mask)
    try:
        yield
    finally:
        os.umask(old)


@pytest.mark.parametrize("mask", [0o000, 0o022])
def test_it_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    with umask(mask), scratch_folder(tmp_path) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert is_scratch(folder / "a.csv")
    assert not is_scratch(tmp_path / "a.csv")


def test_nothing_is_left_after_an_error_not_even_the_folders_above(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), scratch_folder(tmp_path / "a" / "b") as folder:  # noqa: PT012
        (folder / "half").write_text("half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_folders_that_were_there_or_hold_something_stay(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with made_folder(tmp_path / "a"):
        pass
    with made_folder(tmp_path / "b" / "c"):
        (tmp_path / "b" / "notes.txt").write_text("mine")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b", "notes.txt"]


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_holds_is_not(tmp_path: Path) -> None:
    with another(tmp_path) as process:
        sweep_leftovers(tmp_path)
        assert len(list(tmp_path.iterdir())) == 2
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert len(list(tmp_path.iterdir())) == 2
        with scratch_folder(tmp_path) as folder:
            assert list(tmp_path.iterdir()) == [folder]
    assert list(tmp_path.iterdir()) == []


def test_files_of_others_that_look_alike_are_left_alone(tmp_path: Path) -> None:
    names = [".tierlens-12.partial", ".customers.parquet.724f02e5", ".tierlens-0123456789abcdef.partial.txt", ".lock"]
    for name in names:
        (tmp_path / name).write_text("mine")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.txt").write_text("mine")
    (tmp_path / ".tierlens-0123456789abcdef.partial").symlink_to(elsewhere)
    with scratch_folder(tmp_path):
        pass
    assert (elsewhere / "mine.txt").read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {*names, "elsewhere", ".tierlens-0123456789abcdef.partial"}


def test_a_place_is_held_by_one_process_and_free_when_that_dies(tmp_path: Path) -> None:
    with another(tmp_path) as process:
        with pytest.raises(HeldError) as caught, locked_place(tmp_path / "run"):
            pass
        assert caught.value.holder == str(process.pid)
        with locked_place(tmp_path / "other"):
            pass
        process.kill()
        process.wait()
        with locked_place(tmp_path / "run"):
            pass


def test_a_lock_whose_number_is_now_another_program_is_free(tmp_path: Path) -> None:
    with locked_place(tmp_path / "run"):
        (lock,) = tmp_path.iterdir()
    for left in (b"1", b"\xff\xfe", b""):  # process 1 always runs; what is no text is nobody's either
        lock.write_bytes(left)
        with locked_place(tmp_path / "run"):
            assert lock.read_text("utf-8") == str(os.getpid())
        assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_place_of_the_lock_is_told(tmp_path: Path) -> None:
    with locked_place(tmp_path / "run"):
        (lock,) = tmp_path.iterdir()
    lock.mkdir()
    with pytest.raises(IsADirectoryError), locked_place(tmp_path / "run"):
        pass


def test_the_longest_name_has_room_for_its_lock(tmp_path: Path) -> None:
    with locked_place(tmp_path / ("名" * 85)):
        assert len(list(tmp_path.iterdir())) == 1


def test_a_process_has_one_folder_for_temporary_files_and_leaves_none(tmp_path: Path) -> None:
    assert temporary_folder() == temporary_folder()
    program = "from tierlens.scratch import temporary_folder as own; (own() / 'spill').write_text('x'); print(own())"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert Path(done.stdout.strip()).parent == tmp_path
    assert list(tmp_path.iterdir()) == []
