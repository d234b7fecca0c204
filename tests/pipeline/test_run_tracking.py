"""Runs meet in one tracking store, and a store that refuses costs no run its results."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.commands import TIMES, state
from tests.tiny_shop import RUN, write_shop


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    write_shop(tmp_path).write_text(RUN.replace("track: false", "track: true"), encoding="utf-8")
    return tmp_path


def started(shop: Path, out: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tierlens", "run", "run.yaml", "--out", out]
    return subprocess.Popen(command, cwd=shop, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
                            env={**os.environ, **environment})  # fmt: skip


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of runs, with its store, after one run that nothing disturbed."""
    place = tmp_path_factory.mktemp("clean")
    write_shop(place).write_text(RUN.replace("track: false", "track: true"), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        first = started(place, "runs/a")
    assert (first.communicate(timeout=300), first.returncode)[1] == 0
    return place / "runs"


@pytest.mark.slow
def test_two_runs_at_once_make_one_store(shop: Path) -> None:
    both = [started(shop, f"runs/{name}") for name in "ab"]
    said = [one.communicate(timeout=300)[1] for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert not any("E-TK" in text for text in said), said
    with sqlite3.connect(shop / "runs" / "mlflow.db") as store:
        assert store.execute("select status, count(*) from runs group by 1").fetchall() == [("FINISHED", 2)]
        assert store.execute("select count(*) from registered_model_aliases where alias = 'champion'").fetchone() > (0,)
    assert {path.name for path in (shop / "runs").iterdir()} == {"a", "b", "artifacts", "mlflow.db", ".tierlens-key"}


def no_database(file: Path) -> str:
    file.write_bytes(b"no database" * 1000)
    return f"sqlite:///{file}"


def read_only(file: Path) -> str:
    sqlite3.connect(file).close()
    return f"sqlite:///file:{file}?mode=ro&uri=true"


def newer(file: Path) -> str:
    with sqlite3.connect(file) as store:
        store.executescript(
            "create table experiments (experiment_id integer); create table alembic_version (version_num text);"
            "insert into alembic_version values ('ffffffffffff')"
        )
    return f"sqlite:///{file}"


def folder(file: Path) -> str:
    file.mkdir()
    return f"sqlite:///{file}"


@pytest.mark.slow
@pytest.mark.parametrize("make", [no_database, read_only, newer, folder])
def test_a_store_that_refuses_costs_no_run_its_results(shop: Path, make: Callable[[Path], str]) -> None:
    run = started(shop, "runs/a", MLFLOW_TRACKING_URI=make(shop / "store.db"))
    said = run.communicate(timeout=300)[1].splitlines()
    assert run.returncode == 0, said
    (line,) = [line for line in said if line.startswith("E-")]
    assert line.startswith("E-TK-004 sqlite:///")
    assert "not tracked, but written whole: the tracking store refuses: " in line
    assert "Traceback" not in "".join(said)
    assert {"run.json", "report.html", "customers.parquet"} <= {path.name for path in (shop / "runs" / "a").iterdir()}


@pytest.mark.slow
def test_a_locked_store_is_given_up(shop: Path, clean: Path) -> None:
    shutil.copytree(clean, shop / "runs", ignore=shutil.ignore_patterns("a"))
    with sqlite3.connect(shop / "runs" / "mlflow.db", isolation_level=None) as store:
        store.execute("begin exclusive")
        run = started(shop, "runs/a")
        said = run.communicate(timeout=300)[1]
    assert run.returncode == 0, said
    assert said.count("E-TK-004 ") == 1
    assert "locked" in said
    assert (shop / "runs" / "a" / "run.json").is_file()


def folder_of(run: Path) -> dict[str, str]:
    """Return what a run wrote, but for its times and its id in the store."""
    found = state(run)
    told = json.loads((run / "run.json").read_text("utf-8"))
    assert told.pop("tracked")
    kept = {key: value for key, value in told.items() if key not in (*TIMES, "out")}
    return {**found, "run.json": json.dumps(kept, sort_keys=True)}


@pytest.mark.slow
def test_a_run_killed_while_it_is_tracked_is_nothing_the_next_one_stumbles_over(shop: Path, clean: Path) -> None:
    moments = (0.2, 0.9)
    for after in moments:
        run = started(shop, "runs/a")
        assert run.stderr is not None
        for line in run.stderr:
            if "keeping the run in MLflow" in line:
                break
        time.sleep(after)
        run.kill()
        run.communicate(timeout=60)
        if (shop / "runs" / "a").exists():  # it was quicker than we; then it is whole
            assert folder_of(shop / "runs" / "a") == folder_of(clean / "a")
            shutil.rmtree(shop / "runs" / "a")
    last = started(shop, "runs/a")
    said = last.communicate(timeout=300)[1]
    assert last.returncode == 0, said
    assert "E-" not in said
    assert folder_of(shop / "runs" / "a") == folder_of(clean / "a")
    assert {path.name for path in (shop / "runs").iterdir()} == {"a", "artifacts", "mlflow.db", ".tierlens-key"}
    with sqlite3.connect(shop / "runs" / "mlflow.db") as store:
        counts = dict(store.execute("select status, count(*) from runs group by 1").fetchall())
        uris = [uri for (uri,) in store.execute("select storage_location from model_versions v join "
                "registered_model_aliases a on v.name = a.name and v.version = a.version")]  # fmt: skip
    assert set(counts) <= {"FINISHED", "KILLED"}
    assert counts["FINISHED"] >= 1
    assert sum(counts.values()) <= len(moments) + 1
    assert uris
    assert all((Path(uri.removeprefix("file://")) / "MLmodel").is_file() for uri in uris)


@pytest.mark.slow
def test_a_run_whose_folder_cannot_be_put_in_place_is_tracked_as_failed(shop: Path) -> None:
    program = """
import errno, sys
from tierlens.publish.files import swap
from tierlens.__main__ import entry
def refuse(folder, place):
    raise OSError(errno.EIO, "Input/output error", str(place))
swap.swap_folder = refuse
sys.argv = ["tierlens", "run", "run.yaml", "--out", "runs/a"]
entry()
"""
    run = subprocess.run([sys.executable, "-c", program], cwd=shop, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1].startswith("E-IO-002")
    assert not (shop / "runs" / "a").exists()
    with sqlite3.connect(shop / "runs" / "mlflow.db") as store:
        assert store.execute("select status from runs").fetchall() == [("FAILED",)]
        assert store.execute("select count(*) from registered_model_aliases").fetchone() == (0,)
