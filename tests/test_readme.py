"""The README is true: its example runs, its commands exist, its files are written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from tierlens.app.cli.main import app, main
from tierlens.workspace import run_folder
from tierlens.workspace.config import load_config

ROOT = Path(__file__).parents[1]
ORDERS = """
import os
from pathlib import Path
import pandas as pd
files = sorted((Path(os.environ["TIERLENS_DATA"]) / "online_retail_II").glob("*.parquet"))[-1:]
orders = pd.concat([pd.read_parquet(file) for file in files]).dropna(subset=["Customer ID"]).drop_duplicates()
orders = orders[orders["Price"] > 0]"""
CHECKS = """
print(str(type(found)).replace(" ", ""), len(found))
assert set(found["tier"]) <= {"A", "B"}
assert all(len(reason) > 10 for reason in found["reason"])
"""
README = (ROOT / "README.md").read_text("utf-8")


def test_the_ten_lines_run() -> None:
    code = re.search(r"```python\n(.*?)```", README, re.S)
    assert code is not None
    assert len([line for line in code[1].splitlines() if line]) <= 12
    done = subprocess.run([sys.executable, "-c", code[1]], capture_output=True, text=True, check=True)
    assert "customer_id" in done.stdout
    assert "next_step" in done.stdout


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_the_ten_lines_run_on_online_retail(library: str) -> None:
    code = re.search(r"```python\n(.*?)```", README, re.S)
    assert code is not None
    polars = "\nimport polars as pl\norders = pl.from_pandas(orders)" if library == "polars" else ""
    changes = {r"^orders = .*$": ORDERS + polars,
               '"CNY"': '"GBP", rates={"CNY": 10.2}', "2025-01-01": "2011-04-01", "2025-06-01": "2011-05-01",
               "2025-10-01": "2011-09-01", r"[.]T[)]$": ")"}  # fmt: skip
    if library == "polars":
        changes[r"[.]merge[(](.*)[)]  #"] = r".join(\1, on=['customer_id', 'cutoff'])  #"
    text = code[1]
    for old, new in changes.items():
        text = re.sub(old, new, text, flags=re.M)
    text = text.replace("print(", "found = (") + CHECKS
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        f"<class'{library}.{'' if library == 'pandas' else 'dataframe.frame.'}DataFrame'>",
        "2",
    ]


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_every_command_is_named(page: str) -> None:
    named = re.search(r"`tierlens (run \|.*?)`", (ROOT / page).read_text("utf-8"), re.S)
    assert named is not None
    listed = {command.split()[0] for command in named[1].split(" |")}
    assert listed == set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def test_every_command_named_exists() -> None:
    named = re.search(r"`tierlens (run \|.*?)`", README, re.S)
    assert named is not None
    for command in named[1].split(" |"):
        words = command.split()
        for word in words[1].split("|") if len(words) > 1 else [""]:
            assert main([words[0], *([word] if word else []), "--help"]) == 0, command


def test_every_file_named_is_one_that_a_run_writes() -> None:
    for name in (
        run_folder.CUSTOMERS,
        run_folder.SNAPSHOTS,
        run_folder.TIERS,
        run_folder.REPORT,
        run_folder.FINDINGS,
        run_folder.RUN,
    ):
        assert f"`{name}`" in README
    assert f"`{run_folder.REJECTS}`" in README


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
