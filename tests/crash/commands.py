"""The commands that are broken: what was there before, what must be there after, and whether it is."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.process import Ended, started
from tests.tiny_shop import RUN, write_shop
from tierlens.errors import UsageError
from tierlens.scratch import is_scratch
from tierlens.workspace import run_folder

AREA = "results"
TIMES = ("started", "finished", "seconds", "peak_mebibytes")
State = dict[str, str]


@dataclass(frozen=True)
class Command:
    """A command and what it writes.

    Parameters
    ----------
    name : str
    arguments : tuple of str
        It writes into ``results`` of the folder that it stands in.
    before : tuple of (str, str)
        What is there: from a path of the template, to a path of the job.
    again : tuple of str
        Added to the arguments when it is run once more.
    """

    name: str
    arguments: tuple[str, ...]
    before: tuple[tuple[str, str], ...] = ()
    again: tuple[str, ...] = ("--force",)

    @property
    def is_run(self) -> bool:
        """Whether it makes a whole folder."""
        return self.arguments[0] == "run"


TO = f"{AREA}/T"
COMMANDS = (
    Command("run", ("run", "run.yaml", "--out", f"{AREA}/out")),
    Command("run --force", ("run", "run.yaml", "--out", f"{AREA}/out", "--force"), (("old", f"{AREA}/out"),), ()),
    Command("list", ("list", f"{TO}.csv", "--out", "new", "--force"), (("list.csv", f"{TO}.csv"),), ()),
    Command("list (xlsx)", ("list", f"{TO}.xlsx", "--out", "new", "--force"), (("list.xlsx", f"{TO}.xlsx"),), ()),
    Command("scheme import", ("scheme", "import", "book.xlsx", f"{TO}.yaml", "--force"),
            (("five.yaml", f"{TO}.yaml"),), ()),
    Command("twins", ("twins", "run.yaml", "--out", f"{TO}.csv"), (("answered.csv", f"{TO}.csv"),), ()),
)  # fmt: skip


def template(folder: Path) -> Path:
    """Make all that the commands start from: a shop, an old run with notes of a person in it, a new one, old files."""
    write_shop(folder)
    old = RUN.replace("everybody", "all").replace("seed: 1", "seed: 2\nwindow: {observe: 330}")
    (folder / "old.yaml").write_text(old, encoding="utf-8")
    for arguments in (
        ["run", "old.yaml", "--out", "old", "--lang", "zh"],
        ["run", "run.yaml", "--out", "new"],
        ["list", "list.csv", "--out", "old", "--lang", "zh"],
        ["list", "list.xlsx", "--out", "old", "--lang", "zh"],
        ["scheme", "explain", "tiered_management", "--to", "book.xlsx"],
        ["scheme", "explain", "five_step", "--to", "five.xlsx"],
        ["scheme", "import", "five.xlsx", "five.yaml"],
        ["twins", "run.yaml", "--out", "answered.csv"],
    ):
        done, _ = started(arguments, folder)
        if done.code:
            raise RuntimeError(f"{' '.join(arguments)}: {done.err}")
    (folder / "old" / "notes.txt").write_text("call C07", encoding="utf-8")
    answers = (folder / "answered.csv").read_text("utf-8-sig")
    (folder / "answered.csv").write_text(answers.replace("C00,,C01", "C00,C01,C01"), encoding="utf-8-sig")
    return folder


def fresh(command: Command, source: Path, folder: Path) -> Path:
    """Make the folder in which a command stands, as it is before."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("orders.csv", "customers.csv", "run.yaml", "book.xlsx"):
        shutil.copy2(source / name, folder)
    (folder / AREA).mkdir()
    for name, place in (*command.before, *(() if command.is_run else (("new", "new"),))):
        copy = shutil.copytree if (source / name).is_dir() else shutil.copy2
        copy(source / name, folder / place)
    return folder


def state(area: Path) -> State:
    """Return what lies in an area by path; of a record all but its times counts."""
    found = {}
    for path in sorted(area.rglob("*")):
        name = path.relative_to(area).as_posix()
        content = path.read_bytes() if path.is_file() else b"folder"
        found[name] = hashlib.sha256(_without_times(content) if path.name == run_folder.RUN else content).hexdigest()
    return found


def _without_times(record: bytes) -> bytes:
    try:
        return json.dumps({key: value for key, value in json.loads(record).items() if key not in TIMES}).encode()
    except ValueError:  # half written
        return record


def seen(found: State) -> State:
    """Return what of an area people and programs see."""
    return {name: digest for name, digest in found.items() if not (is_scratch(name) or name.endswith(".lock"))}


def reads(folder: Path, names: State) -> bool:
    """Say whether a reader takes a folder of results for a whole run."""
    try:
        return all(run_folder.finished_file(folder, name) for name in names)
    except UsageError:
        return False


@dataclass
class Tried:
    """What became of a command that was broken.

    Parameters
    ----------
    what : str
        Where it was broken.
    torn, mixed, leftovers, unequal, ends : list of str
        Files that are neither old nor new; files of a folder that is read although it is neither; what is there once
        the command has run again and ought not to be; what is other than after a clean run; wrong ends: a traceback,
        another exit code than due, no line with a code.
    reached : bool
        Whether the point was reached.
    """

    what: str
    torn: list[str] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    unequal: list[str] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    reached: bool = True

    @property
    def is_wrong(self) -> bool:
        """Whether anything is not as it must be."""
        return bool(self.torn or self.mixed or self.leftovers or self.unequal or self.ends)

    def said(self) -> str:
        """Return what is wrong."""
        kinds = ("torn", "mixed", "leftovers", "unequal", "ends")
        return "; ".join(f"{kind}: {', '.join(getattr(self, kind))}" for kind in kinds if getattr(self, kind))


def look(tried: Tried, command: Command, folder: Path, old: State, new: State) -> None:
    """See whether what a broken command left is the old state or the new one."""
    there = seen(state(folder / AREA))
    tried.torn += [name for name, digest in there.items() if digest not in (old.get(name), new.get(name))]
    if there in (seen(old), new):
        return
    names = {name.removeprefix("out/"): digest for name, digest in there.items() if name.startswith("out/")}
    listed = {name: digest for name, digest in names.items() if (folder / AREA / "out" / name).is_file()}
    if not command.is_run or reads(folder / AREA / "out", {n: d for n, d in listed.items() if n != "notes.txt"}):
        tried.mixed += sorted(name for name in {*there, *new} if there.get(name) != new.get(name))


def look_again(tried: Tried, folder: Path, done: Ended, new: State) -> None:
    """See whether the command, run again, left what a clean one leaves and nothing else."""
    there = state(folder / AREA)
    if done.code:
        tried.unequal.append(f"the next one left with {done.code}: {done.err.strip()}")
    tried.leftovers += [name for name in there if name not in new]
    tried.leftovers += [f"tmp/{path.name}" for path in (folder / "tmp").iterdir()]
    tried.unequal += [name for name in new if there.get(name) != new[name]]


def due(tried: Tried, done: Ended, codes: tuple[int, ...], words: tuple[str, ...]) -> None:
    """See whether a command ended as is due: with one of some codes, and a line that begins with one of some words."""
    lines = done.err.splitlines()
    if "Traceback" in done.err:
        tried.ends.append("a traceback")
    if done.code not in codes:
        tried.ends.append(f"exit code {done.code}: {' | '.join(lines[-2:])}")
    elif words and not any(line.startswith(words) for line in lines[-1:]):
        tried.ends.append(f"said {lines[-1:]}")
