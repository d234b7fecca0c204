"""Which files a source names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tierlens.errors import DataError
from tierlens.sources.staging.encoding import detect_encoding, undecodable_line
from tierlens.sources.staging.files import cache_folder, data_folder, expand_paths, held_still


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.csv", "a.csv", "c.parquet", "d.XLSX", "e.txt.gz", "notes.md", ".hidden.csv", "~$d.xlsx"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "deeper").mkdir()
    return tmp_path


def names(folder: Path, *patterns: str) -> list[str]:
    return [path.name for path in expand_paths(tuple(str(folder / pattern) for pattern in patterns))]


def test_folders_and_globs_go_by_name_and_the_order_given_is_kept(folder: Path) -> None:
    assert names(folder, "") == ["a.csv", "b.csv", "c.parquet", "d.XLSX", "e.txt.gz"]
    assert names(folder, "*.csv") == ["a.csv", "b.csv"]
    assert names(folder, "b.csv", "a.csv", "*.csv") == ["b.csv", "a.csv"]


@pytest.mark.parametrize(("name", "code"), [("nothing.csv", "E-TX-120"), ("*.tsv", "E-TX-120"), ("deeper", "E-TX-120"),
                                            ("notes.md", "E-TX-123"), ("no/where/*.csv", "E-TX-120")])  # fmt: skip
def test_what_is_refused(folder: Path, name: str, code: str) -> None:
    with pytest.raises(DataError) as caught:
        names(folder, name)
    assert caught.value.code == code


def test_a_folder_without_files_is_not_said_to_be_absent(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=rf"E-TX-120 {tmp_path}: the folder is empty, or holds no file of a type"
    ) as caught:
        expand_paths((str(tmp_path),))
    assert "目录为空" in caught.value.say("zh")


def test_paths_with_spaces_and_hanzi(tmp_path: Path) -> None:
    (tmp_path / "订单 2026.csv").write_text("x")
    assert names(tmp_path, "订单 2026.csv") == ["订单 2026.csv"]


def test_data_paths_lie_in_the_named_folder_then_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIERLENS_DATA", str(tmp_path / "named"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cache_folder() == tmp_path / "cache" / "tierlens"
    assert data_folder() is None
    with pytest.raises(DataError, match=r"E-TX-121.*set TIERLENS_DATA"):
        expand_paths(("data:a.csv",))
    (cache_folder()).mkdir(parents=True)
    (cache_folder() / "a.csv").write_text("x")
    assert expand_paths(("data:a.csv",)) == [cache_folder() / "a.csv"]
    (tmp_path / "named").mkdir()
    assert data_folder() == tmp_path / "named"
    assert expand_paths(("data:a.csv",)) == [cache_folder() / "a.csv"]
    (tmp_path / "named" / "a.csv").write_text("x")
    assert expand_paths(("data:a.csv",)) == [tmp_path / "named" / "a.csv"]
    with pytest.raises(DataError, match="E-TX-120"):
        expand_paths(("data:b.csv",))


def test_21_a_file_that_grows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x")
    with held_still(path):
        pass
    with pytest.raises(DataError, match=r"E-TX-021 a.csv.*still being written"), held_still(path):
        path.write_text("xx")


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"", "utf-8"),
        (b"abc\n", "utf-8"),
        ("客户\n".encode(), "utf-8"),
        ("é\n".encode(), "utf-8"),
        ("a\n客户名称\n".encode("gb18030"), "gb18030"),
        ("𠮷野家百货商店\n".encode("gb18030"), "gb18030"),
        ("客户".encode("utf-8-sig"), "utf-8-sig"),
        ("客户".encode("utf-16"), "utf-16"),
        ("客户".encode("utf-32"), "utf-32"),
    ],
)
def test_encodings_are_told(tmp_path: Path, content: bytes, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert detect_encoding(path) == encoding
    assert undecodable_line(path, encoding) == 0 or encoding in ("utf-16", "utf-32")


@pytest.mark.parametrize(
    "content", ["naïve café olé".encode("cp1252"), "Größe ähnlich".encode("latin-1"), b"\xff\xff\xff"]
)
def test_what_is_no_chinese_is_not_guessed(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match="E-TX-122"):
        detect_encoding(path)


def test_a_character_across_two_blocks_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tierlens.sources.staging.encoding.BLOCK", 2)
    path = tmp_path / "a.csv"
    path.write_text("客户\n", encoding="utf-8")
    assert detect_encoding(path) == "utf-8"
