"""``run.json``: what a run read, how it was set, what it wrote and how long it took. Time stamps stand only here."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tierlens.errors import UsageError
from tierlens.publish.files.atomic import write_text
from tierlens.sources.staging.server_address import configuration_without_passwords
from tierlens.words import Text


@dataclass(frozen=True)
class FileRecord:
    """A file by name, size and content.

    Parameters
    ----------
    name : str
        Of an input its own name, so that no folder of a person gets into a file that is handed on; of an output its
        path in the folder of the run, parted by ``/``.
    size : int
        Bytes.
    sha256 : str
    """

    name: str
    size: int
    sha256: str

    def fits(self, path: Path) -> bool:
        """Say whether a file is as it was recorded.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = write_text(Path(folder) / "a.txt", "whole")
        ...     found = file_record(path)
        ...     before = found.fits(path)
        ...     _ = path.write_text("changed")
        ...     before, found.fits(path)
        (True, False)
        """
        try:
            return path.stat().st_size == self.size and file_record(path).sha256 == self.sha256
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return False


@dataclass(frozen=True)
class RunFile:
    """Everything that is kept about a run.

    Parameters
    ----------
    project, version, python : str
        Name of the data, version of tierlens and of Python.
    seed : int
    configuration : mapping
        The run file as it was understood.
    configuration_sha256, scheme, scheme_sha256, code_sha256 : str
        Hashes by which two runs are compared.
    inputs : tuple of FileRecord
    outputs : tuple of FileRecord
        Every file of the run but ``run.json`` itself.
    rows : mapping of str to int
        Counts of rows and customers by step.
    seconds : mapping of str to float
        Time of each step, in the order of the run.
    peak_mebibytes : float, optional
        Most memory held at once; missing where the system does not tell.
    started, finished : str
        Moments in ISO 8601, as the command saw them.
    tracked : str
        Id of the tracked run; empty when tracking was off.
    """

    project: str
    version: str
    seed: int
    configuration: Mapping[str, object]
    scheme: str
    scheme_sha256: str
    code_sha256: str
    inputs: tuple[FileRecord, ...]
    outputs: tuple[FileRecord, ...]
    rows: Mapping[str, int]
    seconds: Mapping[str, float]
    peak_mebibytes: float | None
    started: str
    finished: str
    python: str = field(default=".".join(map(str, sys.version_info[:3])))
    tracked: str = ""

    @property
    def configuration_sha256(self) -> str:
        """Hash of the configuration, whatever the order of its keys."""
        return text_hash(json.dumps(self.configuration, sort_keys=True, default=str))


def text_hash(text: str) -> str:
    """Return the SHA-256 of a text.

    Examples
    --------
    >>> text_hash("a")[:8]
    'ca978112'
    """
    return hashlib.sha256(text.encode()).hexdigest()


def file_record(path: Path, name: str | None = None) -> FileRecord:
    """Hash a file, block by block.

    Parameters
    ----------
    path : Path
    name : str, optional
        What to call it; its own name by default.
    """
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return FileRecord(name or path.name, path.stat().st_size, digest)


def folder_records(folder: Path, record: str) -> tuple[FileRecord, ...]:
    """Hash every file of a folder but its record, in the order of their paths."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / record)
    return tuple(file_record(path, path.relative_to(folder).as_posix()) for path in files)


def write_folder_record(folder: Path, record: str) -> Path:
    """Write what files a folder has into a record of that name in it, where it is no run that has more to say."""
    told = {"outputs": [asdict(one) for one in folder_records(folder, record)]}
    return write_text(folder / record, json.dumps(told, indent=2) + "\n")


def records_of(content: Mapping[str, Any]) -> dict[str, FileRecord]:
    """Return the files that a record (``run.json``) says its folder has, by their paths in it."""
    return {entry["name"]: FileRecord(**entry) for entry in content["outputs"]}


def read_record(record: Path) -> dict[str, Any]:
    """Return what a record (``run.json``) holds; ``outputs`` in it can be read.

    Raises
    ------
    UsageError
        ``E-RN-001`` when there is none, or it is of another shape.
    """
    try:
        content: dict[str, Any] = json.loads(record.read_text("utf-8"))
        records_of(content)
    except (OSError, ValueError, RecursionError, TypeError, KeyError) as problem:
        raise _unread(record, problem) from None
    return content


def _unread(record: Path, problem: Exception) -> UsageError:
    kind = type(problem).__name__
    return UsageError(
        "E-RN-001",
        Text(f"no run can be read: {kind}", f"无法读取运行记录：{kind}"),
        where=str(record),
        fix=Text("name the folder of a finished run", "请给出已完成运行的目录"),
    )


def code_hash() -> str:
    """Return one hash of tierlens' own source and data files, in the order of their names."""
    import tierlens

    home = Path(tierlens.__file__).parent
    paths = sorted(path for path in home.rglob("*") if path.is_file() and path.suffix in _CODE)
    return _joined((path.relative_to(home).as_posix(), path.read_bytes()) for path in paths)


_CODE = frozenset({".py", ".yaml", ".j2", ".css", ".js"})


def _joined(parts: Iterable[tuple[str, bytes]]) -> str:
    whole = hashlib.sha256()
    for name, content in parts:
        # Line ends differ between checkouts; the code is the same.
        whole.update(name.encode() + b"\0" + content.replace(b"\r\n", b"\n") + b"\0")
    return whole.hexdigest()


def peak_mebibytes() -> float | None:
    """Return the most memory this process held at once, MiB; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20, 1)


def write_run(run: RunFile, path: Path) -> Path:
    """Write ``run.json``; addresses in the configuration are kept without passwords."""
    run = replace(run, configuration=configuration_without_passwords(run.configuration))
    content = {**asdict(run), "configuration_sha256": run.configuration_sha256}
    return write_text(path, json.dumps(content, ensure_ascii=False, indent=2, default=str) + "\n")


def read_run(path: Path) -> RunFile:
    """Read ``run.json``.

    Raises
    ------
    UsageError
        ``E-RN-001`` when there is none, or it is of another shape.
    """
    content = read_record(path)
    content.pop("configuration_sha256", None)
    try:
        for name in ("inputs", "outputs"):
            content[name] = tuple(FileRecord(**entry) for entry in content[name])
        return RunFile(**content)
    except (TypeError, KeyError) as problem:
        raise _unread(path, problem) from None
