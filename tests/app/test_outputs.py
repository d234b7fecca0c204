"""A folder belongs to one run at a time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tierlens.app.outputs import LOCK, RUN, finished, held
from tierlens.app.run import _rejects
from tierlens.errors import BusyError, UsageError
from tierlens.sources.quality import Quality


def test_the_lock_is_gone_afterwards(tmp_path: Path) -> None:
    with held(tmp_path / "run") as out:
        assert (out / LOCK).read_text("utf-8") == str(os.getpid())
    assert not (out / LOCK).exists()


def test_the_lock_is_gone_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), held(tmp_path):
        raise RuntimeError
    assert not (tmp_path / LOCK).exists()


def test_a_second_run_is_told_who_writes(tmp_path: Path) -> None:
    told = f"process {os.getpid()} is writing here"
    with held(tmp_path), pytest.raises(BusyError, match=told) as caught, held(tmp_path):
        pass
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("holder", ["999999999", "", "nobody"])
def test_a_lock_that_a_killed_run_left_is_nobodys(tmp_path: Path, holder: str) -> None:
    (tmp_path / LOCK).write_text(holder, encoding="utf-8")
    with held(tmp_path) as out:
        assert (out / LOCK).read_text("utf-8") == str(os.getpid())


def test_an_earlier_run_is_not_written_over_without_force(tmp_path: Path) -> None:
    (tmp_path / RUN).write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match="add --force"), held(tmp_path, force=False):
        pass
    with held(tmp_path, force=True):
        pass


def test_what_is_missing_of_a_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no customers\.parquet here; run 'tierlens run"):
        finished(tmp_path, "customers.parquet")


def test_each_table_that_lost_a_row_has_its_rejects(tmp_path: Path) -> None:
    others = {"tickets": Quality("shop: tickets", 2, 1, quarantined={"out_of_range": 1}), "surveys": Quality("s", 1, 1)}
    (tmp_path / "rejects_surveys.csv").write_text("of an earlier run", encoding="utf-8")
    _rejects(Quality("shop", 1, 1, others=others), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rejects.csv", "rejects_tickets.csv"]
