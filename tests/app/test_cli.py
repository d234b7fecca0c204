"""The command line as a stranger meets it: help, slips, languages, pipes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tierlens.app.cli.main import main
from tierlens.app.cli.terminal import exit_code_of, wanted_lang
from tierlens.errors import DataError
from tierlens.words import Text

SHOP = """
name: Shop
source:
  files: orders.csv
  currency: CNY
cutoff: "2026-07-01"
risk:
  first_cutoff: "2025-07-01"
"""
ORDERS = """客户编号,日期,订单号,金额
00123,2026-01-05,A1,19.90
00123,2026-03-05,A2,25.00
,2026-03-06,A3,7.00
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "orders.csv").write_text(ORDERS, encoding="utf-8")
    path = tmp_path / "run.yaml"
    path.write_text(SHOP + "", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["version"], 0),
        (["--help"], 0),
        (["features", "list"], 0),
        (["bogus"], 2),
        (["run"], 2),
        (["run", "no.yaml"], 2),
    ],
)
def test_exit_codes(arguments: list[str], code: int) -> None:
    assert main(arguments) == code


def test_too_many_bad_lines_stop_with_exit_code_3(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", str(shop)]) == 3
    said = capsys.readouterr()
    assert "E-TX-200" in said.err
    assert "missing_customer" in said.err
    assert said.out == ""


def test_an_error_is_told_in_the_language_asked_for(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["read", str(shop), "--lang", "zh"])
    assert "隔离的行过多" in capsys.readouterr().err


def test_the_quality_report_closes_and_rejects_are_kept(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop.write_text(SHOP.replace("  currency", "  policies:\n    reject_limit: 0.5\n  currency"), encoding="utf-8")
    rejects = shop.parent / "rejects.csv"
    assert main(["read", str(shop), "--json", "--rejects", str(rejects)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["rows_in"], report["used"], report["quarantined"]) == (3, 2, {"missing_customer": 1})
    assert "2026-03-06" in rejects.read_text("utf-8-sig")


def test_features_and_grades_of_a_tiny_shop(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop.write_text(SHOP.replace("  currency", "  policies:\n    reject_limit: 0.5\n  currency"), encoding="utf-8")
    out = str(shop.parent / "out")
    assert main(["features", "build", str(shop), "--out", out, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] > 0
    assert main(["grade", str(shop), "--out", out]) == 0
    assert "D: 1" in capsys.readouterr().out
    assert main(["grade", str(shop), "--sql"]) == 0
    assert "SELECT" in capsys.readouterr().out


def test_a_feature_is_shown_and_a_slip_is_helped(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["features", "show", "recency_days", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["other language"] == "距上次购买天数"
    assert main(["features", "show", "recency_day"]) == 2
    assert "did you mean recency_days?" in capsys.readouterr().err


def test_commands_on_a_run_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["explain", "C1"], ["list", "a.csv"], ["report"]):
        assert main([*command, "--out", str(tmp_path)]) == 2
        assert "run 'tierlens run FILE" in capsys.readouterr().err


def test_an_expected_error_and_a_fault_are_one_line_each(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def bad() -> int:
        raise DataError("E-XX-1", Text("bad", "坏"))

    def broken() -> int:
        raise ZeroDivisionError

    assert exit_code_of(bad, "en") == 3
    assert capsys.readouterr().err == "E-XX-1: bad\n"
    assert exit_code_of(broken, "en") == 1
    assert capsys.readouterr().err.startswith("E-IN-000 test_cli.py:")


@pytest.mark.parametrize(("arguments", "lang"), [(["--lang", "zh"], "zh"), (["--lang=en"], "en"), ([], "en")])
def test_the_language_is_found_before_the_command_runs(arguments: list[str], lang: str) -> None:
    assert wanted_lang(arguments) == lang


def test_a_closed_pipe_is_no_error() -> None:
    command = f"'{sys.executable}' -m tierlens features list | head -n 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr == ""


def test_output_is_utf8_whatever_the_locale(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tierlens", "features", "list", "--lang", "zh"]
    environment = {"LANG": "C", "LC_ALL": "C", "NO_COLOR": "1", "HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, check=True, env=environment)
    assert "距上次购买天数" in done.stdout.decode("utf-8")
    assert b"\x1b[" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["runn", "x"], "E-US-038 tierlens: No such command 'runn'"),
        (["--nope"], "E-US-038 tierlens: No such option: --nope"),
        (["run"], "E-US-038 tierlens run: Missing argument 'file'"),
        (["list", "a.csv", "--top", "0"], "E-US-038 tierlens list: Invalid value for '--top'"),
        (["list", "a.csv", "--lang", "xx"], "E-US-038 tierlens list: Invalid value for '--lang': 'xx' is not one of"),
    ],
)
def test_a_slip_on_the_command_line_is_one_line_with_a_code(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert told.startswith(said)
    assert told.count("\n") == 1
    assert "--help'" in told


def test_an_outcome_that_there_is_not_is_told_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "a", "b", "--outcome", "chrun"]) == 2
    assert "E-RU-023 --outcome: there is no outcome 'chrun'; did you mean 'churn'?" in capsys.readouterr().err
