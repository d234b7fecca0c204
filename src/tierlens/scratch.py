"""Private folders for what is being written: one process holds each, and what a dead process left is swept.

A scratch folder lies where its content shall go (a rename never crosses file systems), is readable by its owner alone,
and is locked by the process that made it. The kernel frees the lock when the process ends, however it ends; so a folder
whose lock is free is nobody's, and the next command that writes in the same place removes it. Where a file system or a
platform has no such locks, nothing can be known of other processes, and what they left is not touched.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from tierlens.stopping import unbroken_block

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

_PARTIAL = re.compile(r"\.tierlens-[0-9a-f]{16}\.partial")
_LOCK = re.compile(r"\.tierlens-[0-9a-f]{16}\.lock")
PAUSE = 0.05
"""Seconds between two attempts to take a lock."""
_held: dict[Path, int] = {}
"""Scratch folders and locks of this process (absolute paths), with the open handles that hold them."""


class HeldError(Exception):
    """Another process holds a lock.

    Parameters
    ----------
    holder : str
        What that process wrote into it: its id.
    """

    def __init__(self, holder: str) -> None:
        self.holder = holder
        super().__init__(holder)


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Give an empty private folder inside ``parent``; it is gone when the block ends, however that ends.

    Parameters
    ----------
    parent : Path
        Made where it is not there, and taken away again if nothing came to lie in it. What dead processes left in it
        is swept.

    Yields
    ------
    Path

    Raises
    ------
    OSError
        When no folder can be made there.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as place:
    ...     with scratch_folder(Path(place) / "new") as folder:
    ...         found = folder.is_dir(), is_scratch(folder)
    ...     found, list(Path(place).iterdir())
    ((True, True), [])
    """
    with made_folder(parent):
        sweep_leftovers(parent)
        folder: Path | None = None
        try:
            with unbroken_block():
                folder = _make(parent)
            yield folder
        finally:
            if folder is not None:
                with unbroken_block():
                    _remove(folder)


@contextmanager
def made_folder(folder: Path) -> Iterator[None]:
    """Make a folder and those above it, and take away at the end those of them that were made and are empty."""
    new = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        with suppress(OSError):
            for one in new:
                one.rmdir()


def is_scratch(path: str | os.PathLike[str]) -> bool:
    """Say whether a path is a scratch folder or lies in one."""
    return any(_PARTIAL.fullmatch(part) for part in Path(path).parts)


def sweep_leftovers(parent: Path) -> None:
    """Remove scratch folders and locks that dead processes of this user left in a folder."""
    if fcntl is None:
        return
    try:
        there = list(parent.absolute().iterdir())
    except PermissionError:  # who may write into a folder may perhaps not list it
        return
    for path in (one for one in there if _PARTIAL.fullmatch(one.name) or _LOCK.fullmatch(one.name)):
        with suppress(OSError):
            _sweep_one(path)


def _sweep_one(path: Path) -> None:
    # Network file systems grant a lock to a process that already has it, so our own are known by name.
    if path in _held or path.lstat().st_uid != os.geteuid():
        return
    handle = os.open(path, os.O_NOFOLLOW | (os.O_RDWR if _LOCK.fullmatch(path.name) else os.O_DIRECTORY))
    try:
        if _take(handle) and _is_at(handle, path):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
    finally:
        os.close(handle)


@contextmanager
def locked_place(place: Path, patience: float = 0.0) -> Iterator[None]:
    """Hold a place for this process, whether anything lies there or not.

    Parameters
    ----------
    place : Path
        In a folder that exists; the lock is a hidden file beside it, which holds the process id for people to read.
    patience : float
        Seconds to wait for another process.

    Raises
    ------
    HeldError
        When another process holds it, and still does after so long.
    OSError
        When no file can be made there.
    """
    lock, until = place.absolute().with_name(f".tierlens-{_digest(place.name)}.lock"), time.monotonic() + patience
    held = False
    try:
        while not held:
            with unbroken_block():
                held = _hold(lock, place, time.monotonic() < until)
            if not held:
                time.sleep(PAUSE)
        yield
    finally:
        if held:
            with unbroken_block():
                lock.unlink(missing_ok=True)
                os.close(_held.pop(lock))


def _hold(lock: Path, place: Path, may_wait: bool) -> bool:
    """Take a lock; False where another process has it and there is time to wait."""
    try:
        _held[lock] = _lock(lock)
    except HeldError:
        if may_wait:
            return False
        raise
    except OSError as problem:
        problem.filename = str(place)
        raise
    return True


def _lock(lock: Path) -> int:
    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if _take(handle) is False:
                raise HeldError(os.read(handle, 100).decode("utf-8", "replace").strip())
            if _is_at(handle, lock):  # else its holder removed it between our opening and locking
                _sign(handle, lock)
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _sign(handle: int, lock: Path) -> None:
    try:
        os.ftruncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
    except OSError:
        lock.unlink(missing_ok=True)
        raise


@lru_cache(maxsize=1)
def temporary_folder() -> Path:
    """Return this process's own scratch folder in the temporary folder of the system; it is removed at the end.

    Raises
    ------
    OSError
        When no folder can be made there.
    """
    parent = Path(tempfile.gettempdir())
    sweep_leftovers(parent)
    with unbroken_block():
        folder = _make(parent)
        atexit.register(_remove, folder)
    return folder


def clear_scratch() -> None:
    """Remove every scratch folder and lock of this process."""
    for folder in list(_held):
        _remove(folder)


def _named(parent: Path) -> Path:
    return parent.absolute() / f".tierlens-{secrets.token_hex(8)}.partial"


def _make(parent: Path) -> Path:
    while True:
        folder = _named(parent)
        folder.mkdir(mode=0o700)
        try:
            handle = os.open(folder, os.O_DIRECTORY) if fcntl is not None else -1
            if handle < 0 or (_take(handle) is not False and _is_at(handle, folder)):
                _held[folder] = handle
                return folder
            os.close(handle)  # another process swept it before it was locked
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise


def _remove(folder: Path) -> None:
    if _LOCK.fullmatch(folder.name):
        folder.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    handle = _held.pop(folder, -1)
    if handle >= 0:
        os.close(handle)


def _take(handle: int) -> bool | None:
    """Lock a file or folder for this process; False where another has it, None where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except FileNotFoundError:
        return False


def _digest(name: str) -> str:
    """Return a name of fixed length: one that is as long as the system allows has no room for more."""
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:16]
