"""A folder takes the place of another as a whole, and what a person put into the old one is in the new one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tierlens.publish.files import swap
from tierlens.publish.files.swap import carry_over, folder_in_place, put_back, replacing_folder

Swap = Callable[[Path, Path], bool]


def nothing(name: str) -> None:
    """Say nothing."""


def files_of(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def fill(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def own(*names: str) -> Callable[[str], bool]:
    return lambda name: name in names


@pytest.fixture(params=["in one step", "in two"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of the system to exchange two folders."""
    if request.param == "in two":
        monkeypatch.setattr(swap, "_exchange", lambda one, other: False)
    return str(request.param)


REPLACED = """
import sys
from pathlib import Path
from tierlens.publish.files.swap import put_back, replacing_folder
place = Path(sys.argv[1])
put_back(place)
with replacing_folder(place, lambda name: name == "a", lambda name: None) as new:
    (new / "a").write_text("new")
"""


def under_strace(place: Path, *inject: str) -> subprocess.CompletedProcess[str]:
    """Replace a folder in a process whose calls are refused, or which is killed at one of them."""
    options = [option for one in inject for option in ("-e", f"inject={one}")]
    command = ["strace", "-f", "-qq", "-o", os.devnull, "-e", "trace=rename,renameat2", *options,
               sys.executable, "-c", REPLACED, str(place)]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=False)


needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")


@needs_strace
@pytest.mark.parametrize("error", ["ENOSYS", "EINVAL", "EOPNOTSUPP", "EPERM"])
def test_a_system_that_cannot_exchange_two_folders(tmp_path: Path, error: str) -> None:
    place = fill(tmp_path / "run", a="old", notes="mine")
    done = under_strace(place, f"renameat2:error={error}")
    assert (done.returncode, done.stderr) == (0, "")
    assert files_of(tmp_path) == {"run/a": "new", "run/notes": "mine"}
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@needs_strace
def test_a_disk_that_refuses_the_exchange_is_told_of(tmp_path: Path) -> None:
    place = fill(tmp_path / "run", a="old")
    done = under_strace(place, "renameat2:error=EIO")
    assert f"Input/output error: '{place}'" in done.stderr
    assert files_of(tmp_path) == {"run/a": "old"}


@needs_strace
@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("how", ["signal=KILL", "error=EIO", "error=EXDEV", "error=EROFS"])
def test_broken_between_the_two_renames_the_old_folder_or_the_new_one_is_whole(
    tmp_path: Path, number: int, how: str
) -> None:
    place = fill(tmp_path / "run", a="old", notes="mine")
    done = under_strace(place, "renameat2:error=ENOSYS", f"rename:{how}:when={number}")
    assert done.returncode != 0
    there = files_of(folder_in_place(place))
    assert there in ({"a": "old", "notes": "mine"}, {"a": "new", "notes": "mine"})
    assert there["a"] == ("new" if number == 3 else "old")
    again = under_strace(place)
    assert (again.returncode, again.stderr) == (0, "")
    assert files_of(tmp_path) == {"run/a": "new", "run/notes": "mine"}
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_the_new_folder_is_there_and_the_old_is_gone(tmp_path: Path, way: str) -> None:
    place = fill(tmp_path / "run", a="old", lists__b="old")
    with replacing_folder(place, own("a", "lists/b"), nothing) as new:
        fill(new, a="new")
        assert files_of(place) == {"a": "old", "lists/b": "old"}
    assert files_of(place) == {"a": "new"}
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert [path.name for path in place.iterdir()] == ["a"]


@pytest.mark.parametrize("there", [True, False])
def test_after_an_error_nothing_has_changed(tmp_path: Path, there: bool) -> None:
    place = tmp_path / "run"
    if there:
        fill(place, a="old")
    with pytest.raises(ZeroDivisionError), replacing_folder(place, own("a"), nothing) as new:  # noqa: PT012
        fill(new, a="new")
        raise ZeroDivisionError
    assert files_of(tmp_path) == ({"run/a": "old"} if there else {})
    assert [path.name for path in tmp_path.iterdir()] == (["run"] if there else [])


def test_what_a_person_put_there_goes_over(tmp_path: Path, way: str) -> None:
    place = fill(tmp_path / "run", a="old", notes="mine", lists__mine="mine", lists__a="old", deep__er__x="mine")
    (place / "empty").mkdir()
    (place / "link").symlink_to("notes")
    (place / "deep").chmod(0o750)
    (place / "notes").chmod(0o640)
    inode = (place / "notes").stat().st_ino
    with replacing_folder(place, own("a", "lists/a"), nothing) as new:
        fill(new, a="new", lists__a="new")
    assert files_of(place) == {"a": "new", "lists/a": "new", "lists/mine": "mine", "notes": "mine", "link": "mine",
                               "deep/er/x": "mine"}  # fmt: skip
    assert (place / "empty").is_dir()
    assert (place / "link").is_symlink()
    assert (place / "deep").stat().st_mode & 0o777 == 0o750
    # The very file of the person, as they had it; what was made is for its owner alone.
    assert (place / "notes").stat().st_ino == inode
    assert (place / "notes").stat().st_mode & 0o777 == 0o640
    assert (place / "a").stat().st_mode & 0o777 == 0o600
    assert (place / "lists").stat().st_mode & 0o777 == 0o700


def test_a_file_without_a_second_name_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_link(*args: object, **more: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", no_link)
    place = fill(tmp_path / "run", notes="mine")
    with replacing_folder(place, own(), nothing) as new:
        fill(new, a="new")
    assert files_of(place) == {"a": "new", "notes": "mine"}


def test_what_would_be_written_over_takes_another_name_and_is_told(tmp_path: Path) -> None:
    place = fill(tmp_path / "run", **{"a.csv": "with notes", "same.csv": "same", "old.csv": "old"})
    (place / "link.csv").symlink_to("a.csv")
    new_files = {"a.csv": "new", "same.csv": "same", "link.csv": "new"}
    said: list[str] = []
    with replacing_folder(place, own("old.csv"), said.append) as new:
        fill(new, **new_files)
    assert files_of(place) == {**new_files, "a.earlier.csv": "with notes", "link.earlier.csv": "new"}
    assert said == ["a.earlier.csv", "link.earlier.csv"]
    (place / "a.csv").write_text("with notes again")
    with replacing_folder(place, own(), said.append) as new:
        fill(new, **new_files)
    assert files_of(place)["a.earlier.csv"] == "with notes"
    assert files_of(place)["a.earlier-2.csv"] == "with notes again"
    assert (place / "link.earlier.csv").readlink() == Path("a.csv")


def test_models_that_were_trained_by_themselves_stay_together(tmp_path: Path) -> None:
    place = fill(tmp_path / "run", **{"models__models.json": "{}", "models__churn__model.json": "trained"})
    said: list[str] = []
    with replacing_folder(place, own(), said.append) as new:
        fill(new, **{"models__churn__model.json": "of the run"})
    assert files_of(place) == {
        "models/churn/model.json": "of the run", "models.earlier/models.json": "{}",
        "models.earlier/churn/model.json": "trained",
    }  # fmt: skip
    assert said == ["models.earlier"]


def test_what_comes_while_the_new_folder_is_written_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = fill(tmp_path / "run", a="old")
    real = swap.swap_folder

    def late(folder: Path, there: Path) -> None:
        fill(there, late="mine")
        real(folder, there)

    monkeypatch.setattr(swap, "swap_folder", late)
    with replacing_folder(place, own("a"), nothing) as new:
        fill(new, a="new")
    assert files_of(place) == {"a": "new", "late": "mine"}


def test_a_break_between_two_renames_is_seen_by_readers_and_mended_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = fill(tmp_path / "run", a="old")
    new = fill(tmp_path / "new", a="new")
    monkeypatch.setattr(swap, "_exchange", lambda one, other: False)
    real = Path.rename

    def broken(self: Path, target: Path) -> Path:
        if self == new:
            raise KeyboardInterrupt  # as good as a kill: what follows is not run
        return real(self, target)

    monkeypatch.setattr(Path, "rename", broken)
    with pytest.raises(KeyboardInterrupt):
        swap.swap_folder(new, place)
    assert not place.exists()
    assert files_of(folder_in_place(place)) == {"a": "old"}
    put_back(place)
    assert files_of(place) == {"a": "old"}
    assert folder_in_place(place) == place


def test_a_refusal_of_the_second_rename_puts_the_old_folder_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, new = fill(tmp_path / "run", a="old"), tmp_path / "nowhere"
    monkeypatch.setattr(swap, "_exchange", lambda one, other: False)
    with pytest.raises(FileNotFoundError):
        swap.swap_folder(new, place)
    assert files_of(place) == {"a": "old"}


def test_an_old_folder_that_stands_aside_of_a_new_one_is_removed(tmp_path: Path) -> None:
    place = fill(tmp_path / "run", a="new")
    fill(swap._aside(place), a="old")
    fill(swap._aside(tmp_path / "other"), a="other's")
    put_back(place)
    assert sorted(files_of(tmp_path).values()) == ["new", "other's"]


def test_an_error_names_the_place_and_no_hidden_folder(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left") as caught, replacing_folder(tmp_path / "run", own(), nothing):
        raise OSError(28, "No space left on device")
    assert caught.value.filename == str(tmp_path / "run")


def test_nothing_to_carry_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    assert carry_over(tmp_path / "nowhere", tmp_path / "new", own()) == []
