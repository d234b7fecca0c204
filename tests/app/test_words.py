"""What commands say: simulated data are called so, money is money, and both languages are read and written."""

from __future__ import annotations

import csv
import json
from contextlib import redirect_stdout
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from tierlens.app.cli.main import main
from tierlens.errors import SchemeError, UsageError
from tierlens.grading import load_scheme
from tierlens.grading.scheme_yaml import scheme_yaml
from tierlens.publish.lists.playbook import playbook_step
from tierlens.sources.report.duplicate_customers import read_answers
from tierlens.sources.report.simulated_note import SIMULATED
from tierlens.words import Lang
from tierlens.workspace.config import load_config

pytestmark = pytest.mark.slow  # whole runs

RUN = """name: 我的店
simulated: {customers: 120, months: 30}
cutoff: "2025-04-01"
scheme: relationship_guide
risk: {first_cutoff: "2024-09-01", tests: 1, trials: 0, seeds: 1, draws: 0, resamples: 50, trees: {rounds: 10}}
lists:
  - {name: 预警客户, tiers: [高价值客户, LOW VALUE], bands: [高, Low]}
track: false
"""
SMALL = RUN.replace("rounds: 10", "rounds: 2").replace("relationship_guide", "tiered_management").split("lists:")[0]
"""The same shop with a model that is quick to learn."""
NOTICE = "我的店: simulated data, no real customers"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run file and its finished run under ``out``; what the run printed is in ``said.txt``."""
    folder = tmp_path_factory.mktemp("words")
    (folder / "run.yaml").write_text(RUN, encoding="utf-8")
    (folder / "small.yaml").write_text(SMALL, encoding="utf-8")
    with (folder / "said.txt").open("w", encoding="utf-8") as said, redirect_stdout(said):
        assert main(["run", str(folder / "run.yaml"), "--out", str(folder / "out")]) == 0
    return folder


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


COMMANDS = {
    "read": ["read", "RUN"],
    "read --check": ["read", "RUN", "--check", "--out", "TO"],
    "twins": ["twins", "RUN", "--out", "TO/twins.csv"],
    "grade": ["grade", "RUN", "--out", "TO"],
    "segment": ["segment", "RUN", "--out", "TO"],
    "train": ["train", "SMALL", "--out", "TO"],
    "validity": ["validity", "RUN"],
    "movement": ["movement", "RUN", "2025-01-01", "2025-04-01"],
    "path": ["path", "RUN", "WHO"],
    "card": ["card", "RUN", "TO/card.html", "--customer", "WHO"],
    "features build": ["features", "build", "RUN", "--out", "TO/features.parquet"],
    "scheme new": ["scheme", "new", "RUN", "TO/own.yaml"],
    "explain": ["explain", "WHO", "--out", "OUT"],
    "list": ["list", "TO/some.csv", "--out", "OUT"],
    "report": ["report", "--out", "OUT", "--to", "TO/report.html"],
}


def customer_of(home: Path) -> str:
    return str(pq.read_table(home / "out" / "customers.parquet")["customer_id"][0])


@pytest.mark.parametrize("command", COMMANDS)
def test_the_first_line_says_that_data_are_simulated(
    command: str, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"RUN": str(home / "run.yaml"), "TO": str(tmp_path), "OUT": str(home / "out"), "WHO": customer_of(home),
              "SMALL": str(home / "small.yaml")}  # fmt: skip
    given = COMMANDS[command]
    for key, value in places.items():
        given = [one.replace(key, value, 1) if one.startswith(key) else one for one in given]
    assert said(capsys, *given).splitlines()[0] == NOTICE


def test_the_first_line_of_a_run_says_so_too(home: Path) -> None:
    assert (home / "said.txt").read_text(encoding="utf-8").splitlines()[0] == NOTICE


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_files_say_that_data_are_simulated(home: Path, tmp_path: Path, lang: Lang) -> None:
    """Each file that is handed on says it by itself, in its language; the table of customers in both."""
    run, out, who, note = str(home / "run.yaml"), str(home / "out"), customer_of(home), SIMULATED.say(lang)
    assert set(pq.read_table(home / "out" / "customers.parquet")[f"data_note_{lang}"].to_pylist()) == {note}
    tail = ["--lang", lang]
    for kind in ("csv", "xlsx"):
        assert main(["list", str(tmp_path / f"list.{kind}"), "--out", out, *tail]) == 0
        moves = str(tmp_path / f"moves.{kind}")
        assert main(["movement", run, "2025-01-01", "2025-04-01", "--out", moves, *tail]) == 0
    for kind in ("html", "xlsx"):
        assert main(["card", run, str(tmp_path / f"card.{kind}"), "--customer", who, *tail]) == 0
    for name in ("list", "moves"):
        with (tmp_path / f"{name}.csv").open(encoding="utf-8-sig", newline="") as lines:
            assert {row[{"en": "data", "zh": "数据"}[lang]] for row in csv.DictReader(lines)} == {note}
        rows = CalamineWorkbook.from_path(str(tmp_path / f"{name}.xlsx")).get_sheet_by_index(0).to_python()
        assert {row[-1] for row in rows[1:]} == {note}
    assert note in (tmp_path / "card.html").read_text(encoding="utf-8")
    sheet = CalamineWorkbook.from_path(str(tmp_path / "card.xlsx")).get_sheet_by_index(0).to_python()
    assert sheet[0][0] == note


@pytest.mark.parametrize(("command", "file"), [("grade", "tiers.parquet"), ("segment", "segments.parquet")])
def test_tables_of_single_commands_say_so(home: Path, tmp_path: Path, command: str, file: str) -> None:
    assert main([command, str(home / "run.yaml"), "--out", str(tmp_path)]) == 0
    assert set(pq.read_table(tmp_path / file)["data_note_zh"].to_pylist()) == {SIMULATED.zh}


def test_lists_of_a_simulated_run_say_so(home: Path) -> None:
    text = (home / "out" / "lists" / "预警客户.csv").read_text(encoding="utf-8-sig")
    assert text.splitlines()[0].endswith(",data")


def test_pairs_of_simulated_customers_say_so_and_keep_their_answers(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "twins.csv"
    command = ["twins", str(home / "run.yaml"), "--out", str(file), "--least", "0.5"]
    assert main(command) == 0
    first = file.read_bytes()
    header, *rows = list(csv.reader(first.decode("utf-8-sig").splitlines()))
    assert (header[-1], {row[-1] for row in rows}) == ("data_note", {f"{SIMULATED.en} / {SIMULATED.zh}"})
    assert read_answers(file) == []  # the note is nobody's answer
    assert main(command) == 0
    assert file.read_bytes() == first
    rows[0][1] = rows[0][2]
    with file.open("w", encoding="utf-8-sig", newline="") as lines:
        csv.writer(lines).writerows([header, *rows])
    filled = file.read_bytes()
    assert main(command) == 0
    assert file.read_bytes() == filled


def test_json_says_that_data_are_simulated(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(said(capsys, "read", str(home / "run.yaml"), "--json"))
    assert told["notice"] == NOTICE
    assert told["customers"] > 0
    assert told["first_day"] < told["last_day"]


def test_a_command_that_reads_no_data_says_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "read", str(home / "run.yaml"))
    assert "simulated" not in said(capsys, "scheme", "list")


def test_explain_writes_money_as_money(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    who = customer_of(home)
    told = json.loads(said(capsys, "explain", who, "--out", str(home / "out"), "--json"))
    plain = said(capsys, "explain", who, "--out", str(home / "out")).splitlines()
    assert f"net amount in the window: {told['monetary']:,.2f} {told['currency']}" in plain
    assert told["cutoff"] == "2025-04-01"
    assert "None" not in "".join(plain)
    chinese = said(capsys, "explain", who, "--out", str(home / "out"), "--lang", "zh")
    assert f"窗口内净交易额：{told['monetary']:,.2f} {told['currency']}" in chinese
    codes = {"customer_id", "risk_band", "monetary", "None", "missing", "middle"}
    assert not codes & set(chinese.replace("：", " ").split())


def test_lists_take_and_write_chinese_names(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (home / "out" / "lists" / "预警客户.csv").exists()
    file = tmp_path / "a.csv"
    said(capsys, "list", str(file), "--out", str(home / "out"), "--tier", "低价值客户", "--lang", "zh")
    with file.open(encoding="utf-8-sig", newline="") as opened:
        tiers = {row["等级"] for row in csv.DictReader(opened)}
    assert tiers == {"低价值客户"}
    english = tmp_path / "b.csv"
    said(capsys, "list", str(english), "--out", str(home / "out"), "--tier", "low")
    with english.open(encoding="utf-8-sig", newline="") as opened:
        assert {row["tier"] for row in csv.DictReader(opened)} == {"Low value"}


def test_a_tier_that_nobody_knows_is_refused_with_those_there_are(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", str(tmp_path / "a.csv"), "--out", str(home / "out"), "--tier", "甲", "--lang", "zh"]) == 2
    assert "低价值客户" in capsys.readouterr().err
    (tmp_path / "run.yaml").write_text(RUN.replace("高价值客户, LOW VALUE", "甲"), encoding="utf-8")
    assert main(["run", str(tmp_path / "run.yaml"), "--out", str(tmp_path / "out"), "--lang", "zh"]) == 2
    assert "E-LI-007 lists.0.tiers：方案中没有等级 '甲'；其等级为：high（高价值客户）" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["../x", "a/b", "", "con", "甲" * 41, "a b"])
def test_a_list_whose_name_no_file_can_bear_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(RUN.replace("name: 预警客户", f"name: '{name}'"), encoding="utf-8")
    with pytest.raises((SchemeError, UsageError), match=r"lists\.0\.name.*is no name for a file"):
        load_config(tmp_path / "run.yaml")


def test_reasons_say_tiers_by_name(home: Path) -> None:
    table = pq.read_table(home / "out" / "customers.parquet")
    names = [name for name in table.column_names if name.endswith("_zh") and ("_by_" in name or name == "reason_zh")]
    texts = [text for name in names for text in table[name].to_pylist() if text]
    assert len(names) == 11
    assert texts
    assert not [text for text in texts if "middle" in text or "high" in text]


@pytest.mark.parametrize("where", ["before", "after"])
def test_the_language_stands_before_or_after_a_command(where: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["scheme", "list"], ["scheme", "check", "five_step"], ["features", "list"]):
        chinese = ["--lang", "zh", *command] if where == "before" else [*command, "--lang", "zh"]
        assert said(capsys, *chinese) != said(capsys, *command)


def test_the_version_is_an_option_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "--version") == said(capsys, "version")


def test_measures_of_ones_own_scheme_are_the_next_step(tmp_path: Path) -> None:
    shipped = load_scheme("relationship_guide")
    text = scheme_yaml(shipped).replace("id: relationship_guide", "id: ours", 1)
    (tmp_path / "ours.yaml").write_text(text, encoding="utf-8")
    ours = load_scheme(tmp_path / "ours.yaml")
    high = playbook_step("high", "high", None, scheme=ours)
    assert high.zh == playbook_step("high", "high", None, scheme=shipped).zh
    assert high.zh.startswith("本月：")
    assert high.source.startswith("ours high")


def test_a_run_names_the_measures_of_its_own_scheme_first(home: Path) -> None:
    table = pq.read_table(home / "out" / "customers.parquet")
    assert table.num_rows
    for row in table.select(["tier", "next_step_source"]).to_pylist():
        if row["tier"] is not None:
            assert row["next_step_source"].startswith(f"relationship_guide {row['tier']} ("), row
