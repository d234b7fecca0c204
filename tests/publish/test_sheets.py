"""Lists as files: what a spreadsheet reads back is what was written, and nothing in it is live."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from python_calamine import CalamineWorkbook

from tests.publish.samples import make_customers
from tierlens.errors import UsageError
from tierlens.explain.reason_columns import REASONS
from tierlens.publish.lists import list_files
from tierlens.publish.lists.customer_lists import BAND_COLUMNS, HEADERS, OPTIONAL, CustomerList, customer_list
from tierlens.publish.lists.list_files import write_list
from tierlens.spreadsheets import is_formula_like

NASTY = [
    '=HYPERLINK("x")',
    "+86 10",
    "@x",
    "\t=1",
    "-1",
    "00042",
    "1e5",
    "http://example.org",
    "a\u202eb",
    "𠮷\u0000",
    '1,2\n"3',
]


@pytest.fixture(scope="module")
def chosen() -> CustomerList:
    return customer_list(make_customers(40))


@pytest.fixture(scope="module")
def nasty() -> CustomerList:
    customers = make_customers(len(NASTY))
    for name in ("customer_id", "reason_en", "churn_lowered_by_2_en", "segment_en"):
        customers = customers.set_column(customers.schema.get_field_index(name), name, pa.array(NASTY))
    return customer_list(customers)


def is_number(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return True


def rows_of(path: Path) -> list[list[object]]:
    if path.suffix == ".csv":
        return [list(row) for row in csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""))]
    return [
        list(row) for row in CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python(skip_empty_area=False)
    ]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_same_list_same_bytes(tmp_path: Path, ending: str, lang: str) -> None:
    first, second = (
        write_list(customer_list(make_customers(40), lang=lang), tmp_path / f"{name}.{ending}")
        for name in ("first", "second")
    )
    assert first.read_bytes() == second.read_bytes()
    assert rows_of(first)[0] == [
        text.say(lang) for name, text in HEADERS.items() if name not in OPTIONAL or name in BAND_COLUMNS
    ]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_read_back(tmp_path: Path, chosen: CustomerList, ending: str) -> None:
    rows = rows_of(write_list(chosen, tmp_path / f"list.{ending}"))[1:]
    assert len(rows) == chosen.table.num_rows
    for values, source in zip(rows, chosen.table.to_pylist(), strict=True):
        row = dict(zip(chosen.table.column_names, values, strict=True))
        assert row["customer_id"] == source["customer_id"]
        assert float(str(row["churn_risk"])) == pytest.approx(source["churn_risk"], abs=5e-5)
        fall = row["downgrade_risk"]
        assert fall == "" if source["downgrade_risk"] is None else float(str(fall)) >= 0
        for name in ("churn_band", "downgrade_band", "reason", *REASONS):
            assert row[name] == (source[name] or "")


def test_csv_opens_as_utf8_and_ends_lines_as_spreadsheets_do(tmp_path: Path, chosen: CustomerList) -> None:
    content = write_list(chosen, tmp_path / "list.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.endswith(b"\r\n")


def test_csv_guards_texts_and_leaves_numbers(tmp_path: Path, nasty: CustomerList) -> None:
    rows = rows_of(write_list(nasty, tmp_path / "list.csv"))[1:]
    for row in rows:
        assert not is_formula_like(str(row[0]))
        assert not [value for value in row if not is_number(value) and is_formula_like(str(value))]
        assert float(str(row[2])) > 0
    assert {"'+86 10", "-1", "00042", "ab", "𠮷"} <= {str(row[0]) for row in rows}


def test_negative_numbers_stay_numbers_in_csv(tmp_path: Path, chosen: CustomerList) -> None:
    table = chosen.table.set_column(2, "score", pa.array([-1.5] * chosen.table.num_rows))
    rows = rows_of(write_list(replace(chosen, table=table), tmp_path / "list.csv"))
    assert rows[1][2] == "-1.5"


def test_xlsx_has_text_ids_and_nothing_live(tmp_path: Path, nasty: CustomerList) -> None:
    path = write_list(nasty, tmp_path / "list.xlsx")
    found = {row[0] for row in rows_of(path)[1:]}
    assert {'=HYPERLINK("x")', "+86 10", "00042", "1e5", "http://example.org", "ab", "𠮷"} <= found
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet
        assert "<f " not in sheet
        assert "<hyperlink" not in sheet
        assert "quotePrefix" in archive.read("xl/styles.xml").decode()
        assert 'state="frozen"' in sheet
        assert "<autoFilter" in sheet
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}


def test_empty_list_has_its_header(tmp_path: Path, chosen: CustomerList) -> None:
    empty = replace(chosen, table=chosen.table.slice(0, 0))
    for ending in ("csv", "xlsx"):
        assert len(rows_of(write_list(empty, tmp_path / f"list.{ending}"))) == 1


def test_other_endings_are_refused(tmp_path: Path, chosen: CustomerList) -> None:
    with pytest.raises(UsageError, match=r"E-LI-004 .*list\.xls: a list cannot be written as '\.xls'; end the name in"):
        write_list(chosen, tmp_path / "list.xls")


def test_a_list_longer_than_a_sheet_is_refused_whole(
    tmp_path: Path, chosen: CustomerList, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_files, "MAX_ROWS", 10)
    with pytest.raises(UsageError, match=r"E-LI-005 .*: a sheet holds 10 rows, the list has 40; write \.csv"):
        write_list(chosen, tmp_path / "list.xlsx")
    assert list(tmp_path.iterdir()) == []
