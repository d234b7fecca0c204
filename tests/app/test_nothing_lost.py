"""A person's files and answers survive every command that writes, with force and without."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path

import pytest

from tests.tiny_shop import RUN, write_shop
from tierlens.app.cli.main import main
from tierlens.grading import load_scheme
from tierlens.sources.report.duplicate_customers import COLUMNS

pytestmark = pytest.mark.slow  # whole runs


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with a finished run."""
    folder = tmp_path_factory.mktemp("shop")
    assert main(["run", str(write_shop(folder)), "--out", str(folder / "out")]) == 0
    return folder


@pytest.fixture
def shop(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, in which the test stands."""
    folder = tmp_path / "shop"
    shutil.copytree(finished, folder)
    monkeypatch.chdir(folder)
    return folder


def state(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


COMMANDS = {
    "twins": ["twins", "run.yaml", "--out", "T.csv"],
    "scheme new": ["scheme", "new", "run.yaml", "T.yaml"],
    "scheme import": ["scheme", "import", "book.xlsx", "T.yaml"],
    "scheme explain": ["scheme", "explain", "five_step", "--to", "T.xlsx"],
    "list csv": ["list", "T.csv", "--out", "out"],
    "list xlsx": ["list", "T.xlsx", "--out", "out"],
    "card html": ["card", "run.yaml", "T.html", "--customer", "C00"],
    "card xlsx": ["card", "run.yaml", "T.xlsx", "--customer", "C00"],
    "report": ["report", "--out", "out", "--to", "T.html"],
    "rejects": ["read", "run.yaml", "--rejects", "T.csv"],
    "features docs": ["features", "docs", "--to", "T.md"],
}


def written(command: list[str]) -> str:
    return next(part for part in command if part.startswith("T."))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_is_written_once_and_again_with_force_only(
    shop: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = COMMANDS[name]
    main(["scheme", "explain", "five_step", "--to", "book.xlsx"])
    assert main(command) == 0
    first = Path(written(command)).read_bytes()
    if name != "twins":
        assert main(command) == 2
        assert "E-RU-044" in capsys.readouterr().err
        command = [*command, "--force"]
    assert main(command) == 0
    assert Path(written(command)).read_bytes() == first
    assert not [path for path in shop.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_of_a_person_is_not_replaced_with_force_either(
    shop: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["scheme", "explain", "five_step", "--to", "book.xlsx"])
    command = list(COMMANDS[name])
    target = Path(written(command))
    forced = [] if name == "twins" else ["--force"]
    for mine in (b"customer_id,same_as\nC00,C01\n", b"", b"PK\x03\x04 nothing", "我的笔记".encode()):
        target.write_bytes(mine)
        assert main([*command, *forced]) == 2
        assert "E-RU-046" in capsys.readouterr().err
        assert target.read_bytes() == mine


@pytest.mark.parametrize(
    "command",
    [
        ["list", "orders.csv", "--out", "out"],
        ["list", "customers.csv", "--out", "out", "--consent", "customers.csv"],
        ["twins", "run.yaml", "--out", "customers.csv"],
        ["twins", "run.yaml", "--out", "orders.csv"],
        ["scheme", "new", "run.yaml", "run.yaml"],
        ["scheme", "new", "run.yaml", "other.xlsx"],
        ["scheme", "import", "book.xlsx", "book.xlsx"],
        ["read", "run.yaml", "--rejects", "orders.csv"],
        ["read", "run.yaml", "--rejects", "link.csv"],
        ["read", "run.yaml", "--rejects", "out"],
        ["card", "run.yaml", "run.yaml", "--customer", "C00"],
        ["report", "--out", "out", "--to", "out/report.html"],
        ["list", "out/lists/everybody.csv", "--out", "out"],
        ["grade", "run.yaml", "--out", "out"],
        ["train", "run.yaml", "--out", "out"],
        ["features", "build", "run.yaml", "--out", "out"],
        ["grade", "run.yaml", "--out", "orders.csv"],
        ["run", "run.yaml", "--out", "orders.csv"],
        ["run", "run.yaml", "--out", "."],
    ],
)
def test_no_input_no_run_and_no_other_file_is_written_over(
    shop: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["scheme", "explain", "five_step", "--to", "book.xlsx"])
    os.link("orders.csv", "link.csv")
    capsys.readouterr()
    before = state(shop)
    for forced in ([], [] if command[0] == "twins" else ["--force"]):
        assert main([*command, *forced]) == 2
        said = capsys.readouterr()
        assert said.err.startswith(("E-RU-", "E-IO-005"))
        assert said.err.count("\n") == 1
        assert state(shop) == before


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["grade"], "tiers.parquet"), (["segment"], "segments.parquet"), (["features", "build"], "snapshots.parquet"),
        (["read", "--check"], "quality.json"),
        pytest.param(["train"], "models/models.json", marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_a_result_in_a_folder_is_replaced_with_force_only(
    shop: Path, command: list[str], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*command, "run.yaml", "--out", "alone"]
    assert main(arguments) == 0
    first = state(Path("alone"))
    assert name in first
    assert main(arguments) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(("E-RU-044", "E-RU-002"))
    assert main([*arguments, "--force"]) == 0
    assert state(Path("alone")) == first
    assert all(path.stat().st_mode & 0o077 == 0 for path in Path("alone").rglob("*") if path.is_file())


def test_scores_stand_beside_a_run_and_a_run_again_keeps_them(shop: Path) -> None:
    assert main(["score", "run.yaml", "--out", "out"]) == 0
    scores = Path("out/scores.parquet").read_bytes()
    Path("out/notes.txt").write_text("call C07", encoding="utf-8")
    assert main(["list", "out/lists/mine.xlsx", "--out", "out"]) == 0
    edited = Path("out/lists/everybody.csv")
    edited.write_text(edited.read_text("utf-8-sig") + "called\n", encoding="utf-8")
    before = state(Path("out"))
    assert main(["run", "run.yaml", "--out", "out", "--force"]) == 0
    after = state(Path("out"))
    assert after["scores.parquet"] == scores
    assert after["notes.txt"] == b"call C07"
    assert after["lists/mine.xlsx"] == before["lists/mine.xlsx"]
    assert after["lists/everybody.earlier.csv"] == before["lists/everybody.csv"]
    assert set(after) == {*before, "lists/everybody.earlier.csv"}
    assert main(["explain", "C00", "--out", "out"]) == 0


def test_models_that_were_trained_before_a_run_are_kept(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "run.yaml", "--out", "new"]) == 0
    assert main(["score", "run.yaml", "--out", "new"]) == 0
    trained = state(Path("new/models"))
    assert main(["run", "run.yaml", "--out", "new"]) == 2
    assert "E-RU-002 new: there is an earlier run here (models)" in capsys.readouterr().err
    assert main(["run", "run.yaml", "--out", "new", "--force"]) == 0
    assert state(Path("new/models.earlier")) == trained
    assert main(["score", "run.yaml", "--out", "new", "--force"]) == 0


def test_the_record_lists_every_file_and_the_report_made_again_goes_into_it(shop: Path) -> None:
    def listed() -> dict[str, str]:
        return {one["name"]: one["sha256"] for one in json.loads(Path("out/run.json").read_text("utf-8"))["outputs"]}

    before = listed()
    assert {*before, "run.json"} == set(state(Path("out")))
    assert {"lists/everybody.xlsx", "models/churn/model.json", "rejects.csv", "report.html"} <= set(before)
    assert main(["report", "--out", "out", "--lang", "zh"]) == 0
    after = listed()
    assert {name for name in before if before[name] != after[name]} == {"report.html"}
    assert '<html lang="zh-CN">' in Path("out/report.html").read_text("utf-8")
    assert main(["report", "--out", "out"]) == 0
    assert listed() == before


@pytest.mark.parametrize(
    ("damage", "command"),
    [
        ("out/customers.parquet", ["explain", "C00", "--out", "out"]),
        ("out/customers.parquet", ["list", "l.csv", "--out", "out"]),
        ("out/findings.json", ["report", "--out", "out"]),
        ("out/tested.parquet", ["compare", "out", "out"]),
        ("out/run.json", ["backtest", "out"]),
        ("out/run.json", ["explain", "C00", "--out", "out"]),
        ("out/models/churn/model.json", ["score", "run.yaml", "--out", "out"]),
    ],
)
@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"PAR1"])
def test_a_damaged_folder_is_told_in_one_line(
    shop: Path, damage: str, command: list[str], content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = Path(damage).read_bytes()
    Path(damage).write_bytes(whole[: len(whole) // 2] if content is None else content)
    assert main(command) == 2
    said = capsys.readouterr().err
    assert said.startswith("E-RU-042 out: this is not a whole run: ")
    assert said.count("\n") == 1


def test_a_score_without_models_says_so(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "run.yaml", "--out", "nowhere", "--lang", "zh"]) == 2
    assert "E-RU-043 nowhere/models：此处没有模型；请先运行 tierlens train" in capsys.readouterr().err
    assert not Path("nowhere").exists()


def rows_of(path: Path, encoding: str = "utf-8-sig") -> list[list[str]]:
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.reader(file))


def test_twins_again_keep_answers_and_remarks(shop: Path) -> None:
    path = Path("T.csv")
    assert main(["twins", "run.yaml", "--out", "T.csv"]) == 0
    header, *pairs = rows_of(path)
    assert header == list(COLUMNS)
    assert [row[0::2][:2] for row in pairs] == [["C00", "C01"], ["C02", "C03"]]
    # A person answers in a spreadsheet that keeps GB18030, adds a column, and turns one pair round.
    first = [*pairs[0], "电话确认"]
    first[1] = "C01"
    second = [pairs[1][2], "", pairs[1][0], pairs[1][4], pairs[1][3], *pairs[1][5:], "待查"]
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([[*header, ""], first, second])
    assert main(["twins", "run.yaml", "--out", "T.csv"]) == 0
    again, *kept = rows_of(path)
    assert again == [*COLUMNS, "note 1"]
    assert kept == [first, second]
    # The confirmed pair is one customer now: the file is read by the very command, and its answer stays.
    text = Path("run.yaml").read_text("utf-8")
    Path("run.yaml").write_text(text.replace("  currency", "  same_customer: T.csv\n  currency"), encoding="utf-8")
    for _ in range(2):
        assert main(["twins", "run.yaml", "--out", "T.csv"]) == 0
        _, *kept = rows_of(path)
        assert kept[0] == second
        assert kept[1][:3] == ["C00", "C01", "C01"]
        assert kept[1][6:] == ["no longer found", "不再匹配", "电话确认"]


def test_two_lists_of_one_name_are_refused(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for lists in ("[{name: all}, {name: all}]", "[{name: all}, {name: a}, {name: ALL}]"):
        Path("run.yaml").write_text(RUN.replace("[{name: everybody}]", lists), encoding="utf-8")
        assert main(["run", "run.yaml", "--dry-run", "--lang", "zh"]) == 2
        assert "E-YA-020 run.yaml:12:" in capsys.readouterr().err


def test_slips_of_a_person_leave_with_2(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("run.yaml").write_text(RUN.replace("tiered_management", "tiered_managment"), encoding="utf-8")
    Path("own.yaml").write_text("id: a\nbogus: 1\n", encoding="utf-8")
    Path("book.xlsx").write_bytes(b"no book")
    for command in (["grade", "run.yaml"], ["scheme", "check", "five_stp"], ["scheme", "check", "own.yaml"]):
        assert main(command) == 2
        assert capsys.readouterr().err.startswith(("E-SC-001", "E-YA-0"))
    assert load_scheme("five_step")
