"""Files appear whole or not at all."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierlens.publish.files.atomic import replacing_file, write_bytes, write_parquet, write_text


def test_new_file_and_new_folder(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a" / "b.txt", "等级\r\n")
    assert path.read_bytes() == "等级\r\n".encode()


def test_old_file_stays_when_writing_fails(tmp_path: Path) -> None:
    path = write_bytes(tmp_path / "a.bin", b"old")
    with pytest.raises(RuntimeError, match="disk"), replacing_file(path) as temporary:  # noqa: PT012
        temporary.write_bytes(b"half")
        raise RuntimeError("disk")
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.bin"]


def test_block_that_writes_nothing_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replacing_file(tmp_path / "a.bin"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with replacing_file(path) as first, replacing_file(path) as second:
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"
    assert len(list(tmp_path.iterdir())) == 1


@given(order=st.permutations(range(6)))
def test_parquet_bytes_depend_on_rows_only(tmp_path_factory: pytest.TempPathFactory, order: list[int]) -> None:
    folder = tmp_path_factory.mktemp("parquet")
    table = pa.table({
        "customer_id": ["b", "a", "c", "b", "a", "c"],
        "cutoff": pa.array([1, 1, 1, 2, 2, 2], pa.int32()),
        "score": [1.5, None, 3.0, 4.0, 5.0, 6.0],
    })  # fmt: skip
    first = write_parquet(folder / "first.parquet", table)
    second = write_parquet(folder / "second.parquet", table.take(pa.array(order)))
    assert first.read_bytes() == second.read_bytes()


def test_parquet_has_dates_and_no_metadata_of_a_library(tmp_path: Path) -> None:
    frame = pd.DataFrame({"customer_id": ["x"], "cutoff": pd.array([15126], dtype="int32")})
    path = write_parquet(tmp_path / "t.parquet", pa.Table.from_pandas(frame))
    schema = pq.read_schema(path)
    assert schema.field("cutoff").type == pa.date32()
    assert not schema.metadata
    assert pq.read_table(path)["cutoff"].to_pylist() == [dt.date(2011, 6, 1)]


def test_parquet_without_keys_keeps_the_order(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", pa.table({"value": [3, 1, 2]}))
    assert pq.read_table(path)["value"].to_pylist() == [3, 1, 2]
