"""What is kept about a run."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tierlens.errors import UsageError
from tierlens.publish.files.run_json import (
    RunFile,
    code_hash,
    file_record,
    peak_mebibytes,
    read_run,
    text_hash,
    write_run,
)


def make_run(**changes: object) -> RunFile:
    run = RunFile(
        "shop", "0.1.0", 7, {"window": {"observe": 365}, "scheme": "relationship_rating"}, "relationship_rating",
        text_hash("scheme"), code_hash(), (), (), {"rows": 10}, {"read": 0.5, "train": 2.25}, 300.5,
        "2026-01-01T10:00:00+08:00", "2026-01-01T10:00:03+08:00",
    )  # fmt: skip
    return replace(run, **changes)


def test_run_comes_back(tmp_path: Path) -> None:
    source = tmp_path / "input.csv"
    source.write_bytes(b"a,b\n")
    run = make_run(inputs=(file_record(source),), outputs=(file_record(source, "lists/a.csv"),))
    again = read_run(write_run(run, tmp_path / "run.json"))
    assert again == run
    content = json.loads((tmp_path / "run.json").read_text("utf-8"))
    assert list(content["seconds"]) == ["read", "train"]
    assert content["configuration_sha256"] == run.configuration_sha256


def test_file_record_hashes_the_content_and_keeps_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "数据.csv"
    path.write_bytes(b"x" * 100_000)
    record = file_record(path)
    assert (record.name, record.size) == ("数据.csv", 100_000)
    assert record.sha256 == hashlib.sha256(b"x" * 100_000).hexdigest()


def test_configuration_hash_knows_values_not_order() -> None:
    one = make_run(configuration={"a": 1, "b": {"c": 2, "d": 3}})
    two = make_run(configuration={"b": {"d": 3, "c": 2}, "a": 1})
    other = make_run(configuration={"a": 1, "b": {"c": 2, "d": 4}})
    assert one.configuration_sha256 == two.configuration_sha256 != other.configuration_sha256


def test_code_hash_is_stable() -> None:
    assert code_hash() == code_hash()
    assert len(code_hash()) == 64


def test_peak_memory_is_plausible() -> None:
    peak = peak_mebibytes()
    assert peak is None or 20 < peak < 100_000


@pytest.mark.parametrize("content", [None, "no json", "{}", '{"inputs": 3}'])
def test_no_run_is_told(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "run.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(
        UsageError, match=r"E-RN-001 .*run\.json: no run can be read: .*; name the folder of a finished"
    ):
        read_run(path)
