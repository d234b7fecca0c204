"""The README is true: its example runs, its commands exist, its files are written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tierlens.app import outputs
from tierlens.app.cli import main
from tierlens.app.config import load_config

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def test_the_ten_lines_run() -> None:
    code = re.search(r"```python\n(.*?)```", README, re.S)
    assert code is not None
    assert len(code[1].strip().splitlines()) <= 12
    done = subprocess.run([sys.executable, "-c", code[1]], capture_output=True, text=True, check=True)
    assert "'tier':" in done.stdout


def test_every_command_named_exists() -> None:
    named = re.search(r"`tierlens (run \|.*?)`", README, re.S)
    assert named is not None
    for command in named[1].split(" |"):
        words = command.split()
        for word in words[1].split("|") if len(words) > 1 else [""]:
            assert main([words[0], *([word] if word else []), "--help"]) == 0, command


def test_every_file_named_is_one_that_a_run_writes() -> None:
    for name in (outputs.CUSTOMERS, outputs.SNAPSHOTS, outputs.TIERS, outputs.REPORT, outputs.FINDINGS, outputs.RUN):
        assert f"`{name}`" in README
    assert f"`{outputs.REJECTS}`" in README


def test_links_lead_somewhere() -> None:
    for page in ("README.md", "README.zh.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text("utf-8")):
            assert target.startswith("http") or (ROOT / target).exists(), (page, target)


def test_the_make_commands_of_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    assert set(re.findall(r"make ([a-z-]+)", README)) <= targets


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_the_run_file_of_ones_own_data_is_one(page: str, tmp_path: Path) -> None:
    code = re.search(r"```yaml\n(.*?)```", (ROOT / page).read_text("utf-8"), re.S)
    assert code
    (tmp_path / "run.yaml").write_text(code[1], encoding="utf-8")
    assert load_config(tmp_path / "run.yaml").learning_cutoffs()
