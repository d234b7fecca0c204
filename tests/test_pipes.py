"""Pipes and devices where a file is due: refused in one line, and nothing waits for them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tierlens.app.cli.main import main

RUN = 'name: A\nsource: {files: o.csv, currency: CNY}\ncutoff: "2025-01-01"\nrisk: {first_cutoff: "2024-06-01"}\n'

COMMANDS = {
    "run": ["run", "PIPE"],
    "read": ["read", "PIPE"],
    "grade": ["grade", "PIPE"],
    "scheme check": ["scheme", "check", "PIPE"],
    "scheme import": ["scheme", "import", "PIPE", "own.yaml"],
    "tune --space": ["tune", "run.yaml", "--space", "PIPE"],
    "twins --out": ["twins", "run.yaml", "--out", "PIPE"],
    "read --rejects": ["read", "run.yaml", "--rejects", "PIPE"],
    "report --to": ["report", "--out", ".", "--to", "PIPE"],
    "list": ["list", "PIPE.csv", "--out", "."],
    "a source": ["read", "piped.yaml"],
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_pipe_or_a_device_is_no_file(
    command: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("odd.yaml", "odd.csv"):
        os.mkfifo(name) if kind == "pipe" else Path(name).symlink_to("/dev/zero")
    Path("o.csv").write_text("customer_id,order_id,time,amount\na,1,2024-06-01,5\n", encoding="utf-8")
    Path("run.yaml").write_text(RUN, encoding="utf-8")
    Path("piped.yaml").write_text(RUN.replace("o.csv", "odd.csv"), encoding="utf-8")
    given = [one.replace("PIPE.csv", "odd.csv").replace("PIPE", "odd.yaml") for one in COMMANDS[command]]
    assert main(given) in (1, 2, 3)
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert "E-IN-000" not in told
    assert told.strip()
