"""Files that a command writes to a path that the user names: nothing of a person's is overwritten.

A path is written to when nothing is there. With ``--force`` a file is replaced if it is one that the same command
wrote: its ending fits, and it begins (or, for a workbook or a table, describes itself) as such a file does. Never
replaced are a folder, a file of any other content, a file that the command itself reads, whatever links lead to it, and
a file of a finished run, whose record would no longer hold.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tierlens.errors import DataError, UsageError
from tierlens.publish.documents.moved_customers import HEADERS as MOVE_HEADERS
from tierlens.publish.lists.customer_lists import HEADERS, OPTIONAL
from tierlens.publish.lists.list_files import BOOKS
from tierlens.sources.report.duplicate_customers import is_twins_file
from tierlens.words import Text
from tierlens.workspace import run_folder
from tierlens.workspace.config import RunConfig

HEAD = 1 << 16
"""Bytes at the beginning of a file that are looked at."""


@dataclass(frozen=True)
class Kind:
    """A kind of file that commands write.

    Parameters
    ----------
    name : Text
        What people call it.
    known : dict of str to callable
        By ending: says of a file whether tierlens wrote it as this kind.
    """

    name: Text
    known: dict[str, Callable[[Path], bool]]


def _begins(pattern: str) -> Callable[[Path], bool]:
    """Look for a pattern in the first lines of a text file."""
    wanted = re.compile(pattern)

    def known(path: Path) -> bool:
        with path.open("rb") as file:
            return wanted.search(file.read(HEAD).decode("utf-8-sig", "replace")) is not None

    return known


def _book(kind: str) -> Callable[[Path], bool]:
    """Look for the kind of a workbook in its own description."""

    def known(path: Path) -> bool:
        try:
            with zipfile.ZipFile(path) as parts, parts.open("docProps/core.xml") as core:
                return f"<cp:category>{kind}<" in core.read(HEAD).decode("utf-8", "replace")
        # NotImplementedError is how zipfile tells of a compression (or an encryption) that it does not know.
        except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError):
            # No zip; no such part; packed by a method that zipfile does not know; locked. Then it is not one of ours.
            return False

    return known


def _table(*columns: str) -> Callable[[Path], bool]:
    """Look for the columns of a Parquet file."""

    def known(path: Path) -> bool:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return {"customer_id", "cutoff", *columns} <= set(pq.read_schema(path).names)
        except pa.ArrowInvalid:
            return False

    return known


def _page(kind: str) -> Callable[[Path], bool]:
    return _begins(f'<meta name="generator" content="tierlens {kind}">')


_PLAIN = [text for name, text in HEADERS.items() if name not in OPTIONAL]
_LIST = "|".join(
    ",".join(column) for heads in (list(HEADERS.values()), _PLAIN) for column in zip(*heads[:3], strict=True)
)
_SCHEME = r"(?m)^source:(?s:.*)^(features|dimensions):"
LIST = Kind(Text("a list", "名单"), {".csv": _begins(rf"\A({_LIST}),"), ".xlsx": _book(BOOKS["list"])})
_MOVES = "|".join(",".join(column) for column in zip(*list(MOVE_HEADERS.values())[:3], strict=True))
MOVES = Kind(
    Text("customers who moved", "等级变动客户"), {".csv": _begins(rf"\A({_MOVES}),"), ".xlsx": _book(BOOKS["moves"])}
)
CARD = Kind(Text("rating cards", "评级卡"), {".html": _page("cards"), ".xlsx": _book(BOOKS["cards"])})
REPORT = Kind(Text("a report", "报告"), {".html": _page("report")})
SCHEME = Kind(Text("a scheme", "方案"), {".yaml": _begins(_SCHEME), ".yml": _begins(_SCHEME)})
BOOK = Kind(Text("a scheme's workbook", "方案工作簿"), {".xlsx": _book(BOOKS["scheme"])})
REJECTS = Kind(Text("rejects", "隔离行"), {".csv": _begins(r"\Afile,line,column,code,reason,")})
TWINS = Kind(Text("pairs of customers", "疑似重复客户"), {".csv": is_twins_file})
QUALITY = Kind(Text("a quality report", "质量报告"), {".json": _begins(r'\A\{\s*"name":.*\s*"rows_in":')})
PAGE = Kind(Text("the page of features", "特征说明页"), {".md": _begins("Made by `tierlens features docs`")})
SNAPSHOTS = Kind(Text("snapshots", "快照"), {".parquet": _table()})
TIERS = Kind(Text("tiers", "等级"), {".parquet": _table("tier", "score")})
SEGMENTS = Kind(Text("segments", "客群"), {".parquet": _table("segment")})
SCORES = Kind(Text("scores", "评分"), {".parquet": _table("churn_risk")})


def writable_path(path: Path, kind: Kind, force: bool, inputs: Iterable[Path] = ()) -> Path:
    """Return a path, once it is sure that nothing of a person's is lost by writing there.

    Parameters
    ----------
    path : Path
        As the user named it.
    kind : Kind
        Of what shall be written.
    force : bool
        Whether the user asked to replace a file.
    inputs : iterable of Path
        What the command reads; see :func:`inputs_of`.

    Raises
    ------
    UsageError
        ``E-RU-027`` for another ending, ``E-RU-044`` when a file is there and ``force`` is not set, ``E-RU-045`` when
        the command reads it, ``E-RU-046`` when it is a folder or another kind of file, ``E-RU-047`` when it belongs
        to a finished run.
    """
    if path.suffix.lower() not in kind.known:
        ends = " or ".join(kind.known), "或".join(kind.known)
        raise UsageError(
            "E-RU-027",
            Text(f"{kind.name.en} cannot be written as {path.suffix!r}", f"{kind.name.zh}不能写为 {path.suffix!r}"),
            where=str(path),
            fix=Text(f"end the name in {ends[0]}", f"文件名请以 {ends[1]} 结尾"),
        )
    if os.path.lexists(path):
        _refuse(path, kind, force, inputs)
    return path


def _refuse(path: Path, kind: Kind, force: bool, inputs: Iterable[Path]) -> None:
    another = Text("name another file", "请换一个文件名")
    if path.is_dir():
        raise UsageError("E-RU-046", Text("this is a folder", "这是目录"), where=str(path), fix=another)
    if any(path.exists() and one.exists() and path.samefile(one) for one in inputs):
        raise UsageError(
            "E-RU-045", Text("this command reads this file", "本命令要读取此文件"), where=str(path), fix=another
        )
    of_no_run(path)
    if not force:
        fix = Text("name another file, or add --force to replace it", "请换一个文件名，或加 --force 替换")
        raise UsageError("E-RU-044", Text("there is a file here already", "此处已有文件"), where=str(path), fix=fix)
    if path.exists() and not kind.known[path.suffix.lower()](path):
        what = Text(f"tierlens did not write this file as {kind.name.en}", f"此文件不是 tierlens 所写的{kind.name.zh}")
        raise UsageError("E-RU-046", what, where=str(path), fix=another)


def of_no_run(path: Path) -> Path:
    """Return a path, once it is sure that no finished run has it, or anything below it, among its files.

    Raises
    ------
    UsageError
        ``E-RU-047`` when one has.
    """
    place = Path(os.path.realpath(path))
    for folder in place.parents:
        if (folder / run_folder.RUN).is_file():
            name = place.relative_to(folder).as_posix()
            if any(f"{one}/".startswith(f"{name}/") for one in run_folder.listed_files(folder / run_folder.RUN)):
                raise UsageError(
                    "E-RU-047",
                    Text("this belongs to a finished run", "此内容属于已完成的运行"),
                    where=str(path),
                    fix=Text("name another place; 'tierlens run --force' makes a run again",
                             "请换一个位置；如需重新生成，请用 tierlens run --force"),
                )  # fmt: skip
    return path


def inputs_of(config: RunConfig, *more: Path | str | None) -> list[Path]:
    """Return the files that a run file makes a command read: sources, tables, scheme, own columns, waivers.

    Parameters
    ----------
    config : RunConfig
    more : Path or str, optional
        Further files: the run file itself, a workbook, a consent file.
    """
    from tierlens.sources.staging.files import expand_paths

    named: list[str] = [str(path) for path in (config.scheme, config.waivers, config.otherwise, *more) if path]
    named += [config.own.file] if config.own else []
    source = config.source
    if source is not None:
        named += [source.same_customer] if source.same_customer else []
        for files in (source.files, *(table.files for table in source.tables.values())):
            try:
                named += [str(path) for path in expand_paths(files)]
            except DataError:  # told when it is read
                named += files
    return [Path(name) for name in named]
