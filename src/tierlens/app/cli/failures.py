"""What went wrong, for people: an error of any origin as one line with a code, and the exit code that goes with it."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import NamedTuple

from tierlens.errors import TierlensError
from tierlens.words import Text


class Failure(NamedTuple):
    """An error as it is told: its exit code, and one line."""

    exit_code: int
    said: Text


class _Kind(NamedTuple):
    """A kind of error of the operating system.

    Parameters
    ----------
    code : str
    exit_code : int
        2 where the path is at fault, 4 where somebody holds it, 1 where the machine is.
    what, fix : Text
    """

    code: str
    exit_code: int
    what: Text
    fix: Text


_FULL = _Kind(
    "E-IO-001",
    1,
    Text("the disk is full", "磁盘空间不足"),
    Text("make room, or write to another disk (results: --out; temporary files: TMPDIR)",
         "请释放空间，或改用其他磁盘（结果：--out；临时文件：TMPDIR）"),
)  # fmt: skip
_BROKEN = _Kind(
    "E-IO-002",
    1,
    Text("the disk cannot be read or written", "磁盘读写失败"),
    Text("check the disk and its connection, then run again", "请检查磁盘及其连接后重新运行"),
)
_FORBIDDEN = _Kind(
    "E-IO-003",
    2,
    Text("you are not allowed to read or write this", "没有读写权限"),
    Text("name another place, or change the permissions", "请换一个位置，或修改权限"),
)
_ABSENT = _Kind(
    "E-IO-004",
    2,
    Text("there is no such file or folder", "文件或目录不存在"),
    Text("check the path", "请检查路径"),
)
_OTHERWISE = _Kind(
    "E-IO-005",
    2,
    Text("a file is where a folder is needed, or a folder where a file is", "需要目录处是文件，或需要文件处是目录"),
    Text("name another path", "请换一个路径"),
)
_NAME = _Kind(
    "E-IO-006",
    2,
    Text("the system does not accept this name", "系统不接受此名称"),
    Text("use a shorter, plain name", "请使用较短的普通名称"),
)
_FILES = _Kind(
    "E-IO-007",
    1,
    Text("too many files are open", "打开的文件过多"),
    Text("raise the limit (ulimit -n), or read fewer files at once", "请提高上限（ulimit -n），或减少一次读取的文件"),
)
_BUSY = _Kind(
    "E-IO-008",
    4,
    Text("another program uses this", "其他程序正在使用"),
    Text("close it there, and run again", "请在该程序中关闭后重新运行"),
)
_MEMORY = _Kind(
    "E-IO-009",
    1,
    Text("memory does not suffice", "内存不足"),
    Text("close other programs, or use a machine with more memory", "请关闭其他程序，或使用内存更大的机器"),
)
_KINDS: dict[int, _Kind] = {
    getattr(errno, name): kind
    for kind, names in (
        (_FULL, ("ENOSPC", "EDQUOT", "EFBIG")),
        (_BROKEN, ("EIO", "ENXIO", "ENODEV", "ESTALE", "ETIMEDOUT")),
        (_FORBIDDEN, ("EACCES", "EPERM", "EROFS")),
        (_ABSENT, ("ENOENT",)),
        (_OTHERWISE, ("ENOTDIR", "EISDIR", "EEXIST", "ENOTEMPTY")),
        (_NAME, ("ENAMETOOLONG", "ELOOP", "EILSEQ")),
        (_FILES, ("EMFILE", "ENFILE")),
        (_BUSY, ("EBUSY", "ETXTBSY", "EAGAIN", "EDEADLK")),
        (_MEMORY, ("ENOMEM",)),
    )
    for name in names
    if hasattr(errno, name)
}
_WORDS = (
    ("No space left on device", _FULL),
    ("disk is full", _FULL),
    ("max_temp_directory_size", _FULL),
    ("Input/output error", _BROKEN),
    ("disk I/O error", _BROKEN),
    ("Out of Memory Error", _MEMORY),
    ("bad allocation", _MEMORY),
    ("bad_alloc", _MEMORY),
)
"""What libraries of other languages say in the place of an error number."""


def failure_of(problem: BaseException) -> Failure:
    """Return how an error is told.

    Parameters
    ----------
    problem : BaseException
        One of tierlens' own; of the operating system or of a library that met it; or a fault, whose traceback is then
        kept in a file.

    Examples
    --------
    >>> failure_of(PermissionError(13, "Permission denied", "/srv/out")).said.en
    'E-IO-003 /srv/out: you are not allowed to read or write this; name another place, or change the permissions'
    """
    if isinstance(problem, TierlensError):
        return Failure(problem.exit_code, Text(problem.say("en"), problem.say("zh")))
    kind = _kind_of(problem)
    if kind is None:
        return _fault(problem)
    name = getattr(problem, "filename", None)
    place = os.fsdecode(name) if isinstance(name, str | bytes | os.PathLike) else ""
    error = TierlensError(kind.code, kind.what, where=place, fix=kind.fix)
    return Failure(kind.exit_code, Text(error.say("en"), error.say("zh")))


def _kind_of(problem: BaseException) -> _Kind | None:
    """Return the kind of an error that the machine or the path is at fault for."""
    if isinstance(problem, MemoryError):
        return _MEMORY
    if isinstance(problem, OSError) and problem.errno is not None:
        return _KINDS.get(problem.errno) or _other(problem)
    said = str(problem)
    return next((kind for words, kind in _WORDS if words in said), None)


def _other(problem: OSError) -> _Kind:
    said = problem.strerror or os.strerror(problem.errno or 0)
    what = Text(f"the system refuses: {said}", f"系统拒绝：{said}")
    return _Kind("E-IO-010", 1, what, Text("see to it, then run again", "请处理后重新运行"))


def _fault(problem: BaseException) -> Failure:
    """Keep the traceback of a fault in a file for its owner alone, and say where."""
    frames = traceback.extract_tb(problem.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    kind = type(problem).__name__
    what = Text(f"a fault of tierlens ({kind})", f"tierlens 内部错误（{kind}）")
    try:
        handle, name = tempfile.mkstemp(prefix="tierlens-fault-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(traceback.format_exception(problem))
        fix = Text(f"please report it with the file {name}", f"请附文件 {name} 上报")
    except OSError:
        fix = Text("please report it; no file could be written about it", "请上报；无法写入说明文件")
    error = TierlensError("E-IN-000", what, where=place, fix=fix)
    return Failure(1, Text(error.say("en"), error.say("zh")))


def settle_streams() -> None:
    """Send the rest of an output that nobody takes (a closed pipe, a full disk) nowhere, so that leaving is quiet."""
    for stream, number in ((sys.stdout, 1), (sys.stderr, 2)):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)
