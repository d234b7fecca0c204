"""Where the files of a run are, who may write there, and whether they are those that the run wrote."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tierlens.errors import BusyError, UsageError
from tierlens.publish.files import run_json, swap
from tierlens.scratch import HeldError, locked_place, made_folder
from tierlens.words import Text

CUSTOMERS = "customers.parquet"
SNAPSHOTS = "snapshots.parquet"
TIERS = "tiers.parquet"
SEGMENTS = "segments.parquet"
SCORES = "scores.parquet"
FINDINGS = "findings.json"
REPORT = "report.html"
RUN = "run.json"
REJECTS = "rejects.csv"
REJECTS_OF = "rejects_{}.csv"
"""Of a table other than the transactions."""
REASONS = "reasons.parquet"
TESTED = "tested.parquet"
MOVED = "drift.parquet"
BACKTESTS = "backtests.json"
MODELS = "models"
RIVAL = "_baseline"
"""Ending of the folder of a baseline that is shown to rank better than the model."""
LISTS = "lists"
SETTLED = "settled"
SCORED = "customers"
"""Folders of a run on Spark: what was read, and every customer with tier and risks."""
QUALITY = "quality.json"
ALONE = swap.RECORD
"""Record of models that were trained by themselves; those of a run stand in its own."""
MOUNTED = Text("a file system is mounted here; it cannot be replaced", "此处是挂载点，不能整体替换")
A_RUN = (RUN, CUSTOMERS, SNAPSHOTS, TIERS, FINDINGS, REPORT, REJECTS, REASONS, TESTED, MOVED, BACKTESTS, MODELS)
"""What a run writes, whatever its run file asks for."""
ON_SPARK = (RUN, SETTLED, SCORED)
RESULTS = frozenset({*A_RUN, *ON_SPARK, SEGMENTS, SCORES, LISTS, QUALITY, ALONE})
"""All that commands write into a folder of results; what is named otherwise is somebody's."""


@contextmanager
def held_folder(
    out: Path, force: bool = True, writes: Sequence[str] = A_RUN, inputs: Sequence[Path] = ()
) -> Iterator[Path]:
    """Hold a folder for one command, and see that it may be replaced as a whole.

    Parameters
    ----------
    out : Path
        Whether it is there or not.
    force : bool
        Whether earlier results may be replaced.
    writes : sequence of str
        What the command writes there; the first is the record of it all.
    inputs : sequence of Path
        What the command reads.

    Yields
    ------
    Path
        The folder, absolute and without links, to be given to :func:`replaced_folder`.

    Raises
    ------
    UsageError
        ``E-RU-002`` when there are earlier results and ``force`` is not set, ``E-RU-040`` when ``out`` is no folder,
        ``E-RU-041`` when it cannot be replaced as a whole, ``E-RU-045`` when what would be replaced is read.
    BusyError
        ``E-RU-003`` when another process holds it.
    OSError
        When nothing can be made there.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, held_folder(Path(folder) / "run") as place:
    ...     with replaced_folder(place) as new:
    ...         _ = (new / "customers.parquet").write_bytes(b"")
    ...     [path.name for path in place.iterdir()]
    ['customers.parquet']
    """
    place = Path(os.path.realpath(out))
    if place == place.parent:
        raise _not_replaced(out, MOUNTED)
    try:
        with made_folder(place.parent), locked_place(place):
            swap.put_back(place)
            if place.exists():
                _refuse(out, place, force, writes)
                _refuse_inputs(place, writes[0], inputs)
            yield place
    except HeldError as problem:
        raise BusyError(
            "E-RU-003",
            Text(f"process {problem.holder} is writing here", f"进程 {problem.holder} 正在写入此目录"),
            where=str(out),
            fix=Text("wait for it, or name another folder", "请等待其结束，或换一个目录"),
        ) from None


def _refuse(out: Path, place: Path, force: bool, writes: Sequence[str]) -> None:
    another = Text("name another folder", "请换一个目录")
    if not place.is_dir():
        raise UsageError("E-RU-040", Text("this is no folder", "这不是目录"), where=str(out), fix=another)
    there = [name for name in writes if os.path.lexists(place / name)]
    if there and not force:
        what = Text(f"there is an earlier run here ({there[0]})", f"此处已有先前的运行结果（{there[0]}）")
        fix = Text("name another folder, or add --force", "请换一个目录，或加 --force")
        raise UsageError("E-RU-002", what, where=str(out), fix=fix)
    if Path(os.path.realpath(Path.cwd())).is_relative_to(place):
        what = Text("the command stands in the folder that it would replace", "当前目录位于将被替换的目录之内")
        fix = Text("call it from another folder", "请在其他目录中执行")
        raise UsageError("E-RU-041", what, where=str(out), fix=fix)
    hindrance = _hindrance(place, writes[0])
    if hindrance is not None:
        raise _not_replaced(out, hindrance)


def _not_replaced(out: Path, what: Text) -> UsageError:
    inside = Path(out) / "results"
    fix = Text(f"name a folder of its own, such as {inside}", f"请指定专用目录，例如 {inside}")
    return UsageError("E-RU-041", what, where=str(out), fix=fix)


def _hindrance(place: Path, record: str) -> Text | None:
    """Say why a folder cannot be replaced as a whole."""
    if place.is_mount():
        return MOUNTED
    if not (place / record).exists():
        names = sorted(path.name for path in place.iterdir())
        strange = [name for name in names if not (name in RESULTS or name.startswith((".", "rejects_")))]
        if strange:
            return Text(
                f"the folder holds what no run wrote: {strange[0]}", f"目录中有并非运行结果的内容：{strange[0]}"
            )
    for path in place.rglob("*"):
        if not os.access(path, os.R_OK, follow_symlinks=False):
            return Text(f"{path.name} in it cannot be read", f"其中的 {path.name} 无法读取")
    return None


def _refuse_inputs(place: Path, record: str, inputs: Sequence[Path]) -> None:
    for name in listed_files(place / record):
        for path in inputs:
            if path.exists() and (place / name).exists() and path.samefile(place / name):
                raise UsageError(
                    "E-RU-045",
                    Text(f"{name} is read by this command", f"本命令要读取其中的 {name}"),
                    where=str(place),
                    fix=Text("name another folder", "请换一个目录"),
                )


def listed_files(record: Path) -> dict[str, run_json.FileRecord]:
    """Return the files that a record says its folder has; none where it cannot be read."""
    try:
        return run_json.records_of(run_json.read_record(record))
    except UsageError:
        return {}


def _nothing(text: Text) -> None:
    """Say nothing."""


@contextmanager
def replaced_folder(
    place: Path,
    tell: Callable[[Text], None] = _nothing,
    record: str = RUN,
    only: Collection[str] | None = None,
) -> Iterator[Path]:
    """Give an empty folder that takes the place of a held one when the block ends well.

    Earlier files go with it where the earlier record has them and they are as it says. Everything else is somebody's,
    a list with notes in it too, and goes over into the new folder.

    Parameters
    ----------
    place : Path
        From :func:`held_folder`.
    tell : callable
        Told of what goes over by another name.
    record : str
        Name of the record.
    only : collection of str, optional
        Nothing of the earlier results is replaced but these.
    """
    records = listed_files(place / record)

    def own(name: str) -> bool:
        if only is not None and name not in only:
            return False
        return name == record or (name in records and records[name].fits(place / name))

    def kept(name: str) -> None:
        tell(Text(f"{name} is kept: it was not as the earlier run wrote it", f"保留 {name}：其内容并非先前运行所写"))

    with swap.replacing_folder(place, own, kept) as folder:
        yield folder


def finished_file(out: Path, name: str) -> Path:
    """Return a file of a finished run, as the run wrote it: the one way to read a folder of results.

    Raises
    ------
    UsageError
        ``E-RU-004`` when it is not there, ``E-RU-042`` when it is not what the run wrote.
    """
    told: Mapping[str, Any] | None = None
    while True:
        folder, before = swap.folder_in_place(Path(out)), told
        told = run_record(folder, out)
        record = run_json.records_of(told).get(name)
        if record is None:
            raise absent_file_error(out, name)
        if record.fits(folder / name):
            return folder / name
        if told == before:  # else another run took its place while we looked
            raise not_whole(out, name)


def kept_models(out: Path) -> Path:
    """Return the folder of the models that a run or ``tierlens train`` kept, as they were kept.

    Raises
    ------
    UsageError
        ``E-RU-043`` when there are none, ``E-RU-042`` when one is not as it was kept.
    """
    folder = swap.folder_in_place(Path(out))
    models = folder / MODELS
    if not models.is_dir():
        raise no_model(out / MODELS)
    record = models / ALONE if (models / ALONE).is_file() else folder / RUN
    for name, one in listed_files(record).items():
        path = record.parent / name
        if path.is_relative_to(models) and not one.fits(path):
            raise not_whole(out, path.relative_to(folder).as_posix())
    return models


def no_model(place: Path) -> UsageError:
    """Return the error for a place where no model was kept."""
    return UsageError(
        "E-RU-043",
        Text("there is no model here", "此处没有模型"),
        where=str(place),
        fix=Text("run 'tierlens train FILE --out FOLDER' first", "请先运行 tierlens train FILE --out FOLDER"),
    )


def run_record(folder: Path, out: Path | None = None) -> Mapping[str, Any]:
    """Return what ``run.json`` of a folder holds.

    Parameters
    ----------
    folder : Path
    out : Path, optional
        What the user calls it.

    Raises
    ------
    UsageError
        ``E-RU-004`` when there is none, ``E-RU-042`` when it is no record of a run.
    """
    if not (folder / RUN).is_file():
        raise absent_file_error(out or folder, RUN)
    try:
        return run_json.read_record(folder / RUN)
    except UsageError:
        raise not_whole(out or folder, RUN) from None


def absent_file_error(out: Path, name: str) -> UsageError:
    """Return the error for a file that a folder of results does not have."""
    return UsageError(
        "E-RU-004",
        Text(f"there is no {name} here", f"此处没有 {name}"),
        where=str(out),
        fix=Text("run 'tierlens run FILE --out FOLDER' first", "请先运行 tierlens run FILE --out FOLDER"),
    )


def not_whole(out: Path, name: str) -> UsageError:
    """Return the error for a folder of results in which a file is not as the run wrote it."""
    return UsageError(
        "E-RU-042",
        Text(f"this is not a whole run: {name} is not as it was written", f"运行结果不完整：{name} 与写入时不符"),
        where=str(out),
        fix=Text("make it again with 'tierlens run FILE --out FOLDER --force'",
                 "请用 tierlens run FILE --out FOLDER --force 重新生成"),
    )  # fmt: skip
