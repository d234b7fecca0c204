"""Files that a hard look found to be read wrongly, each as it must be read now."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.sources.shop import GOOD, HEADER, column, counted, read_bytes, read_rows, refused, source_of
from tierlens.app.cli.main import main
from tierlens.errors import DataError, UsageError
from tierlens.sources.consent import read_consent
from tierlens.sources.read import read_tables

DAY = "2026-01-05"


def parquet(folder: Path, **columns: object) -> Path:
    pq.write_table(pa.table(columns), folder / "orders.parquet")
    return folder / "orders.parquet"


def database(folder: Path, *statements: str) -> Path:
    with duckdb.connect(str(folder / "shop.duckdb")) as made:
        for statement in statements:
            made.execute(statement)
    return folder / "shop.duckdb"


def lite(folder: Path, *rows: tuple[object, ...]) -> Path:
    with closing(sqlite3.connect(folder / "shop.db")) as made:
        made.execute("CREATE TABLE transactions (customer_id, time, amount)")
        made.executemany("INSERT INTO transactions VALUES (?, ?, ?)", rows)
        made.commit()
    return folder / "shop.db"


def test_ten_thousand_columns_are_read(tmp_path: Path) -> None:
    header = "customer_id,time,amount," + ",".join(f"x{n}" for n in range(10_000)) + "\n"
    line = f"C1,{DAY},10,{',' * 9_999}\n"
    result = read_bytes(tmp_path, header + line + line)
    assert counted(result) == {"used": 1, "duplicate": 1}
    assert len(result.quality.files[0].ignored) == 10_000


@pytest.mark.parametrize("length", [131_073, 3_000_000])
def test_a_long_field_is_read(tmp_path: Path, length: int) -> None:
    text = f"customer_id,time,amount,note\nC1,{DAY},10,{'x' * length}\n"
    assert read_bytes(tmp_path, text).quality.used == 1


def test_a_field_without_end_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tierlens.sources.staging.text_files.LONGEST_FIELD", 1000)
    error = refused(tmp_path, HEADER + GOOD + f"C1,O2,{DAY},{'1' * 2000}\n")
    assert (error.code, error.where) == ("E-TX-159", "orders.csv:3")


@pytest.mark.parametrize(
    "mark", ["\u034f", "\ufe0f", "\u3164", "\u2800", "\u115f", "\uffa0", "\U000e0041", "\x01", "\x7f"]
)
def test_what_cannot_be_seen_in_an_id_is_taken_away(tmp_path: Path, mark: str) -> None:
    result = read_rows(tmp_path, GOOD.strip(), f"C{mark}1,O2,{DAY},1", f"C1{mark},O3,{DAY},2")
    assert column(result, "customer_id") == ["C1"] * 3
    assert counted(result) == {"used": 3, "id_cleaned": 2}


def test_letters_of_another_alphabet_are_flagged_where_they_look_like_an_id(tmp_path: Path) -> None:
    rows = [GOOD.strip(), f"\u04211,O2,{DAY},1", f"\u041c\u0438\u0440,O3,{DAY},1", f"C9,O4,{DAY},1"]
    result = read_rows(tmp_path, *rows)
    assert counted(result) == {"used": 4, "lookalikes": 2}


def test_nul_is_refused_whatever_the_source(tmp_path: Path) -> None:
    for path in (lite(tmp_path, ("A\0B", DAY, 1)), parquet(tmp_path, customer_id=["a", "A\0B"], time=[DAY] * 2,
                                                             amount=[1.0] * 2)):  # fmt: skip
        with pytest.raises(DataError, match=r"E-TX-018 .*:[12]"):
            read_tables(source_of(path))


def test_whole_floats_are_ids_without_a_point(tmp_path: Path) -> None:
    path = parquet(tmp_path, customer_id=pa.array([17850.0, None, float("nan"), 1.5]), time=[DAY] * 4, amount=[1.0] * 4)
    result = read_tables(source_of(path))
    assert column(result, "customer_id") == ["17850"]
    assert counted(result) == {"used": 1, "missing_customer": 2, "id_fraction": 1}


def test_parquet_without_rows_is_refused_like_other_files(tmp_path: Path) -> None:
    empty = {
        "customer_id": pa.array([], pa.string()),
        "time": pa.array([], pa.string()),
        "amount": pa.array([], pa.int64()),
    }
    path = parquet(tmp_path, **empty)
    with pytest.raises(DataError, match="E-TX-020"):
        read_tables(source_of(path))
    assert read_tables(source_of(path, allow_empty=True)).quality.rows_in == 0


@pytest.mark.parametrize("ids", [[b"a"], [["a"]], [{"x": 1}]])
def test_binary_and_nested_columns_are_refused(tmp_path: Path, ids: list[object]) -> None:
    with pytest.raises(DataError, match=r"E-TX-127 .*'customer_id' holds binary values, lists or records"):
        read_tables(source_of(parquet(tmp_path, customer_id=ids, time=[DAY], amount=[1.0])))


def test_a_column_may_bear_the_name_that_the_engine_gives_rows(tmp_path: Path) -> None:
    path = parquet(tmp_path, customer_id=["a", None, "b"], time=[DAY] * 3, amount=[1.0] * 3, file_row_number=[7, 8, 9])
    result = read_tables(source_of(path))
    assert column(result, "customer_id") == ["a", "b"]
    result.quality.write_rejects(tmp_path / "rejects.csv")
    assert (tmp_path / "rejects.csv").read_text("utf-8-sig").splitlines()[1].startswith("orders.parquet,2,customer_id")


def test_dates_outside_all_time_are_quarantined(tmp_path: Path) -> None:
    path = database(
        tmp_path,
        "CREATE TABLE transactions AS SELECT 'C' || n AS customer_id, d AS time, 1 AS amount FROM "
        "(VALUES (1, DATE '290000-01-01'), (2, DATE 'infinity'), (3, DATE '2026-01-05'), "
        "(4, DATE '5000000-01-01')) v(n, d)",
    )
    report = read_tables(source_of(path)).quality
    assert report.used == 1
    assert sum(report.quarantined.values()) == 3
    assert set(report.quarantined) <= {"bad_date", "impossible_year"}


def test_a_view_that_reads_another_file_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("not for tierlens", encoding="utf-8")
    path = database(
        tmp_path,
        f"CREATE VIEW transactions AS SELECT content AS customer_id, '{DAY}' AS time, 1 AS amount "
        f"FROM read_text('{secret}')",
    )
    with pytest.raises(DataError, match=r"E-TX-154 .*view 'transactions' reads from outside the database"):
        read_tables(source_of(path))


def test_a_view_of_the_database_itself_is_a_table(tmp_path: Path) -> None:
    path = database(
        tmp_path, f"CREATE TABLE t AS SELECT 'C1' AS customer_id, DATE '{DAY}' AS time, 1.5 AS amount",
        "CREATE VIEW transactions AS FROM t",
    )  # fmt: skip
    assert column(read_tables(source_of(path)), "amount") == [150]


def test_rejects_hold_no_name_and_no_column_that_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(HEADER + GOOD)
    (tmp_path / "customers.csv").write_text(
        "客户编号,客户名称,简称,地区,联系电话,密码\n,Canary Ltd,Canary,华东,13800000000,hunter2\nC1,Other,O,华北,1,2\n",
        encoding="utf-8",
    )
    tables = {"customers": {"files": str(tmp_path / "customers.csv"), "reject_limit": 1.0}}
    report = read_tables(source_of(tmp_path / "orders.csv", tables=tables)).quality.others["customers"]
    assert report.quarantined == {"missing_customer": 1}
    report.write_rejects(tmp_path / "rejects.csv")
    written = (tmp_path / "rejects.csv").read_text("utf-8-sig")
    assert "华东" in written
    assert not [word for word in ("Canary", "13800000000", "hunter2", "电话", "密码") if word in written]
    assert report.files[0].ignored == ("联系电话", "密码")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(HEADER + GOOD)
    (tmp_path / "orders.csv").chmod(0)
    with pytest.raises(DataError, match=r"E-TX-155 orders\.csv: the file may not be read: Permission denied"):
        read_tables(source_of(tmp_path / "orders.csv"))


@pytest.mark.parametrize("word", ["RMB", "人民币", "¥", "￥"])
def test_other_words_for_yuan_are_read(tmp_path: Path, word: str) -> None:
    text = "customer_id,time,amount,currency\nC1,2026-01-05,10,RMB\n"
    result = read_bytes(tmp_path, text, currency=word)
    assert result.tables.currency.code == "CNY"
    assert column(result, "amount") == [1000]


def test_a_pattern_that_is_none_is_refused_with_its_fault(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'\[' is no regular expression \(missing \]: \[\)"):
        source_of(tmp_path, policies={"non_products": {"pattern": "["}})


def test_a_file_of_orders_is_no_run_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "orders.csv").write_text(HEADER + GOOD)
    assert main(["read", str(tmp_path / "orders.csv")]) == 2
    said = capsys.readouterr().err
    assert "E-RU-032" in said
    assert "source: {files: orders.csv, currency: CNY}" in said


def test_a_refused_file_of_consent_advises_the_option(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"E-TX-120 .*none.csv: no such file; check the path after --consent") as caught:
        read_consent(tmp_path / "none.csv")
    assert "--consent" in caught.value.say("zh")
    (tmp_path / "c.csv").write_text("customer_id,phone\nC1,1\n")
    with pytest.raises(DataError, match=r"E-TX-119 c.csv.*the file of --consent.*; the file has: customer_id, phone"):
        read_consent(tmp_path / "c.csv")
    with pytest.raises(UsageError, match=rf"E-US-042 {tmp_path}: this is a folder.*--consent"):
        read_consent(tmp_path)


@pytest.mark.parametrize("form", ["gb18030", "utf-8", "xlsx", "parquet"])
def test_consent_is_read_like_orders(tmp_path: Path, form: str) -> None:
    from tests.bad_inputs.kit import book

    rows = [["客户编号", "是否可联系", "电话"], ["00123", "是", "1"], ["C2", "否", "2"], ["", "是", "3"]]
    path = tmp_path / "consent.csv"
    if form == "xlsx":
        path = path.with_suffix(".xlsx")
        path.write_bytes(book(rows))
    elif form == "parquet":
        path = path.with_suffix(".parquet")
        pq.write_table(pa.table(dict(zip(rows[0], zip(*rows[1:], strict=True), strict=True))), path)
    else:
        path.write_bytes("\n".join(",".join(row) for row in rows).encode(form))
    assert read_consent(path).to_pylist() == [
        {"customer_id": "00123", "contactable": "是"}, {"customer_id": "C2", "contactable": "否"},
    ]  # fmt: skip
