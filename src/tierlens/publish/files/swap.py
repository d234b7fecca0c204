"""Folders appear whole or not at all: written aside, synced, then put in the place of what was there in one step."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from tierlens.publish.files.atomic import OWNER_FILE, OWNER_FOLDER, sync_to_disk, with_file_name
from tierlens.scratch import is_scratch, scratch_folder
from tierlens.stopping import unbroken_block

CANNOT = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM)
"""What a system says that cannot exchange two names: by its file system, its age, or a filter of its calls."""
EXCHANGE = 2
"""RENAME_EXCHANGE of Linux's renameat2: two names change places in one step."""
HERE = -100
"""AT_FDCWD: paths are taken as they stand."""

RECORD = "models.json"
"""What models that were kept by themselves say of their files; such a folder stays together."""

Own = Callable[[str], bool]
"""Says of a file of the earlier folder, by its relative path, whether it may go with it."""


@contextmanager
def replacing_folder(place: Path, own: Own, kept: Callable[[str], None]) -> Iterator[Path]:
    """Give an empty private folder that takes the place of ``place`` when the block ends well.

    What is in the earlier folder and not its own goes over into the new one: the same files, by another name where the
    new folder has one of that name. A reader finds the old folder or the new one, whole, at every moment; where the
    system cannot exchange two folders in one step, the old one stands aside for a moment (see :func:`folder_in_place`).

    Parameters
    ----------
    place : Path
        Absolute; in a folder that exists.
    own : callable
        See ``Own``.
    kept : callable
        Told of each file that goes over by another name.

    Yields
    ------
    Path
        Where to write. After an error nothing of it is left, and the old folder is as it was.

    Raises
    ------
    OSError
        With the name of ``place``.
    """
    with with_file_name(place), scratch_folder(place.parent) as folder:
        yield folder
        _settle(folder)
        for name in carry_over(place, folder, own):
            kept(name)
        for one in (folder, *(path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink())):
            sync_to_disk(one)
        with unbroken_block():
            before = _names(place)
            swap_folder(folder, place)
            late = _names(folder) - before  # came while we hashed and synced
            carry_over(folder, place, lambda name: name not in late)
            sync_to_disk(place.parent)


def swap_folder(folder: Path, place: Path) -> None:
    """Put a folder in a place; what was there is then found where the folder was.

    Raises
    ------
    OSError
        When the system refuses; then both are where they were.
    """
    if not place.exists():
        folder.rename(place)
    elif not _exchange(folder, place):
        aside = _aside(place)
        place.rename(aside)
        try:
            folder.rename(place)
        except OSError:
            aside.rename(place)
            raise
        aside.rename(folder)


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places in one step; False where the system cannot."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if os.name == "posix" else None
    if call is None:
        return False
    if call(HERE, os.fsencode(one), HERE, os.fsencode(other), EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in CANNOT:
        return False
    raise OSError(number, os.strerror(number), str(other))


def _aside(place: Path) -> Path:
    return place.with_name(f"{_stem(place)}{secrets.token_hex(8)}")


def _stem(place: Path) -> str:
    return f".tierlens-{hashlib.sha256(os.fsencode(place.name)).hexdigest()[:16]}.aside-"


def folder_in_place(place: Path) -> Path:
    """Return where a folder is: in its place, or aside where its replacement was broken off between two renames."""
    if place.exists():
        return place
    return next(iter(place.parent.glob(f"{_stem(place)}*")), place)


def put_back(place: Path) -> None:
    """Bring a folder back that stands aside, and remove what stands aside of one that was replaced."""
    for aside in place.parent.glob(f"{_stem(place)}*"):
        if place.exists():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            aside.rename(place)


def carry_over(old: Path, new: Path, own: Own) -> list[str]:
    """Link what an old folder holds and is not its own into a new one; return those that had to take another name.

    Parameters
    ----------
    old : Path
        Nothing happens where it is not there.
    new : Path
    own : callable
        See ``Own``.

    Returns
    -------
    list of str
        Relative paths in the new folder. A file of the same content as the new one is not kept twice.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     old, new = Path(place) / "old", Path(place) / "new"
    ...     for folder, text in ((old, "with my notes"), (new, "made again")):
    ...         folder.mkdir()
    ...         _ = (folder / "list.csv").write_text(text)
    ...     carry_over(old, new, lambda name: False), sorted(path.name for path in new.iterdir())
    (['list.earlier.csv'], ['list.csv', 'list.earlier.csv'])
    """
    names = sorted(_names(old))
    wholes = {name: _free(name, old, new, lambda one, other: False) for name in _wholes(old, new, names, own)}
    renamed = set(wholes.values())
    for name in names:
        source = old / name
        if own(name) or (_is_folder(source) and any(source.iterdir())):
            continue
        whole = next((folder for folder in wholes if source.is_relative_to(old / folder)), None)
        other = _free(name, old, new) if whole is None else f"{wholes[whole]}{name.removeprefix(whole)}"
        if other is None:
            continue
        target = new / other
        _make_folders(old, target if _is_folder(source) else target.parent, new)
        if not _is_folder(source):
            _link(source, target)
        if whole is None and other != name:
            renamed.add(other)
    return sorted(name for name in renamed if name is not None)


def _wholes(old: Path, new: Path, names: list[str], own: Own) -> list[str]:
    """Return the folders that say themselves what is in them, where the new folder has one of that name."""
    folders = [name.removesuffix(f"/{RECORD}") for name in names if name.endswith(f"/{RECORD}") and not own(name)]
    return [folder for folder in folders if (new / folder).exists()]


def _make_folders(old: Path, wanted: Path, new: Path) -> None:
    """Make a folder in the new one, and those between, open to those to whom they are open in the old one."""
    for folder in (*reversed(wanted.parents), wanted):
        if not folder.exists():
            folder.mkdir(mode=OWNER_FOLDER)
            if (old / folder.relative_to(new)).is_dir():
                shutil.copymode(old / folder.relative_to(new), folder)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _same(one: Path, other: Path) -> bool:
    """Say whether two paths are links to one place, folders, or files of one content."""
    if one.is_symlink() or other.is_symlink():
        return one.is_symlink() and other.is_symlink() and one.readlink() == other.readlink()
    if one.is_dir() or other.is_dir():
        return one.is_dir() and other.is_dir()
    return one.samefile(other) or (one.stat().st_size == other.stat().st_size and _digest(one) == _digest(other))


def _free(name: str, old: Path, new: Path, same: Callable[[Path, Path], bool] = _same) -> str | None:
    """Return the name that something of an old folder can have in a new one; None where it is there already."""
    number, wanted, found = 1, PurePosixPath(name), name
    while os.path.lexists(new / found) or (found != name and os.path.lexists(old / found)):
        if os.path.lexists(new / found) and same(old / name, new / found):
            return None
        mark = ".earlier" if number == 1 else f".earlier-{number}"
        found, number = str(wanted.with_name(f"{wanted.stem}{mark}{wanted.suffix}")), number + 1
    return found


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _link(source: Path, target: Path) -> None:
    """Give a file a second name; a copy where the file system knows one name only."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _names(folder: Path) -> set[str]:
    """Return the relative paths of all that lies in a folder, but for what other processes are writing."""
    return {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if not is_scratch(path.relative_to(folder))
    }


def _settle(folder: Path) -> None:
    """Let nobody but the owner into what was written, and wait until it is on the disk."""
    folder.chmod(OWNER_FOLDER)
    for path in folder.rglob("*"):
        path.chmod(OWNER_FOLDER if path.is_dir() else OWNER_FILE)
        if not path.is_dir():
            sync_to_disk(path)
