"""Addresses of servers: nothing that is shown, told or kept has a password in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sources.shop import source_of
from tierlens.app.config import RunConfig
from tierlens.errors import DataError
from tierlens.sources.address import HIDDEN, hushed, kept, shown
from tierlens.sources.files import expand
from tierlens.sources.read import read

WHOLE = "postgresql://me:hush@db.example:5433/crm?password=hush&sslmode=require"
BROKEN = (
    "postgresql://me:hu/sh@h:5432/db", "postgresql://me:12/hush@h/db", "postgresql://me:hu#sh@h/db",
    "postgresql://me:12?hush@h/db", "postgresql://[me:hush@h/db", "postgresql://h/db?password=a@hush",
    "postgresql://me:hush@h1:1,h2:2/db",
)  # fmt: skip


def test_a_whole_address_is_shown_without_person_and_kept_without_password() -> None:
    assert shown(WHOLE) == "postgresql://db.example:5433/crm"
    assert kept({"tables": {"tickets": (WHOLE, 1, None, "hush.csv")}}) == {
        "tables": {"tickets": ["postgresql://me@db.example:5433/crm?sslmode=require", 1, None, "hush.csv"]}
    }


@pytest.mark.parametrize("address", BROKEN)
def test_nothing_of_an_unclear_address_is_shown_or_kept(address: str) -> None:
    assert shown(address) == kept(address) == HIDDEN


def test_what_a_driver_says_is_told_without_the_private_pieces() -> None:
    address = "postgresql://me:hu sh@h/db"
    assert hushed('unexpected spaces found in "hu sh"', address) == 'unexpected spaces found in "..."'
    assert hushed('server at "h": no role "you"', address) == 'server at "h": no role "you"'


@pytest.mark.parametrize("address", [*BROKEN[:2], "postgresql://me:hu%zzsh@127.0.0.1:1/db", "postgresql://h:99999/db"])
def test_a_broken_address_is_refused_in_words(address: str) -> None:
    pytest.importorskip("adbc_driver_postgresql")
    with pytest.raises(DataError, match="E-TX-126 postgresql://") as caught:
        read(source_of(Path("x"), files=f"{address}?connect_timeout=1"))
    assert "hu%zzsh" not in str(caught.value)


def test_a_server_is_no_file_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n", encoding="utf-8")
    assert expand((WHOLE, str(tmp_path / "a.csv"))) == [tmp_path / "a.csv"]
    assert expand((WHOLE,)) == []


def test_a_run_keeps_no_password() -> None:
    given = {"name": "t", "source": {"files": WHOLE, "table": "sales", "currency": "CNY"}, "cutoff": "2025-03-01",
             "risk": {"first_cutoff": "2024-08-01"}}  # fmt: skip
    told = kept(RunConfig.model_validate(given).model_dump(mode="json"))
    assert "hush" not in str(told)
    assert RunConfig.model_validate(told).source.files == ("postgresql://me@db.example:5433/crm?sslmode=require",)
