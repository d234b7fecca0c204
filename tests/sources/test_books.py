"""Workbooks: cells as people left them."""

from __future__ import annotations

import builtins
import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.shop import column, counted, lines_of, source_of
from tierlens.errors import DataError, MissingExtraError
from tierlens.sources.read import Read, read_tables
from tierlens.sources.staging.workbooks import cell_text

HEADER = ["客户编号", "日期", "金额"]
DAY = dt.datetime(2026, 1, 5, 8, 30)  # noqa: DTZ001
Sheet = Sequence[Sequence[Any]]


def book(path: Path, **sheets: Sheet) -> Path:
    """Write a workbook; times are cells with a date format."""
    workbook = xlsxwriter.Workbook(path, {"strings_to_numbers": False, "strings_to_formulas": False})
    dated = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for name, rows in sheets.items():
        sheet = workbook.add_worksheet(name)
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                if isinstance(cell, dt.datetime):
                    sheet.write_datetime(i, j, cell, dated)
                elif cell is not None:
                    sheet.write(i, j, cell)
    workbook.close()
    return path


def read_book(folder: Path, content: dict[str, Sheet], **settings: Any) -> Read:
    return read_tables(source_of(book(folder / "orders.xlsx", **content), **settings))


def test_cells_become_what_they_show(tmp_path: Path) -> None:
    rows = [
        ["00123", DAY, 19.9],
        [17850, DAY, "￥1,000"],
        ["C3", "2026年1月5日", 5],
        ["C4", 46023, 1],
        ["C5", 20260105, 1],
    ]
    result = read_book(tmp_path, {"orders": [HEADER, *rows]})
    assert column(result, "customer_id") == ["00123", "17850", "C3", "C4", "C5"]
    assert column(result, "amount") == [1990, 100000, 500, 100, 100]
    assert [str(day.date()) for day in column(result, "time")] == ["2026-01-05"] * 3 + ["2026-01-01", "2026-01-05"]
    assert column(result, "time")[0] == DAY
    assert result.quality.normalised == {"number_form": 1, "date_form": 2, "excel_serial": 1}


def test_3_long_numbers_have_lost_their_digits(tmp_path: Path) -> None:
    rows = [[1234567890123456789, DAY, 1], ["1234567890123456789", DAY, 2], [123456789012345, DAY, 3]]
    result = read_book(tmp_path, {"orders": [HEADER, *rows]})
    assert column(result, "customer_id") == ["1234567890123456789", "123456789012345"]
    assert result.quality.quarantined == {"digits_lost": 1}


@pytest.mark.parametrize("above", [0, 1, 9])
def test_23_the_header_is_found_below_titles(tmp_path: Path, above: int) -> None:
    title = [["2026 年销售明细"]] + [[None]] * 8
    result = read_book(tmp_path, {"orders": [*title[:above], HEADER, ["C1", DAY, 1]]})
    assert column(result, "amount") == [100]


def test_23_no_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"E-TX-023 orders.xlsx: no header with customer_id, time, amount"):
        read_book(tmp_path, {"orders": [*[["x"]] * 10, HEADER, ["C1", DAY, 1]]})


def test_merged_cells_over_the_header(tmp_path: Path) -> None:
    workbook = xlsxwriter.Workbook(tmp_path / "orders.xlsx")
    sheet = workbook.add_worksheet()
    sheet.merge_range("B2:D2", "销售明细")
    sheet.write_row(2, 1, HEADER)
    sheet.write_row(3, 1, ["C1", "2026-01-05", 7])
    workbook.close()
    assert column(read_tables(source_of(tmp_path / "orders.xlsx")), "amount") == [700]


def test_all_sheets_with_the_columns_are_read_in_order_and_others_counted(tmp_path: Path) -> None:
    sheets: dict[str, Sheet] = {
        "notes": [["nothing here"]],
        "y2025": [HEADER, ["C1", DAY, 1]],
        "empty": [],
        "y2026": [["金额", "客户编号", "日期"], [2, "C2", DAY]],
    }
    result = read_book(tmp_path, sheets)
    assert column(result, "amount") == [100, 200]
    assert result.quality.normalised == {"sheet_skipped": 2}
    assert [count.file for count in result.quality.files] == ["orders.xlsx[y2025]", "orders.xlsx[y2026]"]


def test_named_sheets_alone_are_read(tmp_path: Path) -> None:
    sheets: dict[str, Sheet] = {"a": [HEADER, ["C1", DAY, 1]], "b": [HEADER, ["C1", DAY, 2]]}
    assert column(read_book(tmp_path, sheets, sheets="b"), "amount") == [200]
    with pytest.raises(DataError, match="there is no column 'c'"):
        read_book(tmp_path, sheets, sheets="c")


def test_blank_rows_are_counted_and_places_are_those_of_the_sheet(tmp_path: Path) -> None:
    result = read_book(tmp_path, {"orders": [HEADER, ["C1", DAY, 1], [None], ["", DAY, 1], ["合计", None, 2]]})
    assert counted(result) == {"used": 1, "missing_customer": 1, "total_line": 1, "blank_line": 1}
    result.quality.write_rejects(tmp_path / "rejects.csv")
    text = (tmp_path / "rejects.csv").read_text(encoding="utf-8-sig")
    assert [line.split(",")[1] for line in text.splitlines()[1:]] == ["4", "5"]


def test_a_cell_beyond_the_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"E-TX-009 orders.xlsx\[orders\]:2"):
        read_book(tmp_path, {"orders": [HEADER, ["C1", DAY, 1, "?"]]})


def test_a_header_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="E-TX-020"):
        read_book(tmp_path, {"orders": [HEADER]})
    assert read_book(tmp_path, {"orders": [HEADER]}, allow_empty=True).quality.rows_in == 0


@pytest.mark.parametrize("content", [b"no workbook", b"PK\x03\x04 cut short"])
def test_21_a_damaged_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "orders.xlsx"
    path.write_bytes(content)
    with pytest.raises(DataError, match="E-TX-021"):
        read_tables(source_of(path))


def test_the_extra_is_named_when_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = book(tmp_path / "orders.xlsx", orders=[HEADER, ["C1", DAY, 1]])
    real = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name == "python_calamine":
            raise ImportError(name)
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"pip install 'tierlens\[excel\]'"):
        read_tables(source_of(path))


@given(st.datetimes(dt.datetime(1950, 1, 1), dt.datetime(2100, 1, 1)))  # noqa: DTZ001
def test_times_of_cells_are_rounded_to_the_millisecond(time: dt.datetime) -> None:
    shown = dt.datetime.fromisoformat(cell_text(time))
    assert abs(shown - time) <= dt.timedelta(microseconds=500)
    assert shown.microsecond % 1000 == 0


@given(st.integers(0, 10**15 - 1))
def test_whole_numbers_have_no_point(number: int) -> None:
    assert cell_text(float(number)) == str(number) == cell_text(number)


def test_other_cells() -> None:
    assert [cell_text(cell) for cell in (True, 0.1, 1e15, dt.date(2026, 1, 5), dt.time(8, 30), "")] == [
        "TRUE",
        "0.1",
        "1000000000000000.0",
        "2026-01-05",
        "08:30:00",
        "",
    ]


def test_text_and_workbooks_and_parquet_are_one_table(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    (tmp_path / "a.csv").write_text("customer_id,time,amount\nC1,2026-01-05,1\n")
    book(tmp_path / "b.xlsx", orders=[HEADER, ["C2", DAY, 2]])
    pq.write_table(pa.table({"customer_id": [17850.0], "time": [DAY], "amount": [3.0]}), tmp_path / "c.parquet")
    result = read_tables(source_of(tmp_path))
    assert [(row["customer_id"], row["amount"]) for row in lines_of(result)] == [
        ("C1", 100),
        ("C2", 200),
        ("17850", 300),
    ]
