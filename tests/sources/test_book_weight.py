"""Workbooks are weighed before they are unpacked: far cells, bombs and entities are refused, large honest ones pass."""

from __future__ import annotations

import io
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter

from tests.bad_inputs.kit import book
from tests.sources.shop import column, counted, source_of
from tierlens.errors import DataError
from tierlens.sources.read import read_tables
from tierlens.sources.staging import workbook_weight
from tierlens.sources.staging.workbook_weight import refuse_heavy

CELLS = [["customer_id", "time", "amount"], ["C1", "2026-01-05", 10], ["C2", "2026-01-06", 20]]
SHEET = "xl/worksheets/sheet1.xml"
FAR = b'<row r="{row}"><c r="{name}"><v>1</v></c></row></sheetData>'


def changed(path: Path, change: Callable[[bytes], bytes]) -> Path:
    """Write a workbook whose sheet was changed after it was made."""
    with zipfile.ZipFile(io.BytesIO(book(CELLS))) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    parts[SHEET] = change(parts[SHEET])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return path


def with_cell(name: str, row: int) -> Callable[[bytes], bytes]:
    cell = f'<row r="{row}"><c r="{name}"><v>1</v></c></row></sheetData>'.encode()
    return lambda sheet: sheet.replace(b"</sheetData>", cell)


def bomb(path: Path, megabytes: int) -> Path:
    """Write a workbook whose sheet unpacks to so many megabytes of blanks."""
    with (
        zipfile.ZipFile(io.BytesIO(book(CELLS))) as old,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new,
    ):
        for name in old.namelist():
            with new.open(name, "w") as part:
                part.write(old.read(name))
                for _ in range(megabytes if name == SHEET else 0):
                    part.write(b" " * 1_000_000)
    return path


@pytest.mark.parametrize(
    ("name", "row", "words"),
    [
        ("XFD1048576", 1048576, "cell XFD1048576 stretches a sheet to 1,048,576 rows and 16,384 columns"),
        ("A1048576", 1048576, ""),  # within what a full sheet of the three columns takes
        ("XFD9999", 9999, "cell XFD9999 stretches"),
        ("XFD9", 9, ""),
        ("ZZ1048576", 1, "1,048,576 rows and 702 columns"),  # the row does not say how far its cell lies
    ],
)
def test_a_stray_cell_far_away_is_named(tmp_path: Path, name: str, row: int, words: str) -> None:
    path = changed(tmp_path / "orders.xlsx", with_cell(name, row))
    if not words:
        refuse_heavy(path)
        return
    with pytest.raises(DataError, match=f"^E-TX-153 orders.xlsx: .*{words}"):
        read_tables(source_of(path))


PLACES = {
    "small letters": (b'<row r="1048576"><c r="xfd1048576"><v>1</v></c></row>', "XFD1048576"),
    "other quotes": (b"<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>", "XFD1048576"),
    "blanks": (b'<row r = "1048576"><c\n r = "XFD1048576"><v>1</v></c></row>', "XFD1048576"),
    "not said": (b'<row r="1048576">' + b"<c/>" * 16383 + b"<c><v>1</v></c></row>", "XFD1048576"),
    "after a far one": (b'<row r="1048576"><c r="XFC1048576"/><c><v>1</v></c></row>', "XFD1048576"),
    "beyond the last row": (b'<row r="4000000000"><c r="A4000000000"><v>1</v></c></row>', "A4000000000"),
}


@pytest.mark.parametrize("how", PLACES)
def test_a_far_cell_is_named_however_its_place_is_written(tmp_path: Path, how: str) -> None:
    row, cell = PLACES[how]
    path = changed(tmp_path / "orders.xlsx", lambda sheet: sheet.replace(b"</sheetData>", row + b"</sheetData>"))
    with pytest.raises(DataError, match=f"^E-TX-153 orders.xlsx: cell {cell} stretches"):
        read_tables(source_of(path))


@pytest.mark.parametrize("cell", [b'<c r="XFD1048576" s="1"/>', b'<c r="xfd1048576"></c>', b'<c s="1"/>'])
def test_a_far_cell_without_a_value_leaves_the_sheet_readable(tmp_path: Path, cell: bytes) -> None:
    row = b'<row r="1048576">' + cell + b"</row></sheetData>"
    path = changed(tmp_path / "orders.xlsx", lambda sheet: sheet.replace(b"</sheetData>", row))
    assert read_tables(source_of(path)).quality.used == 2


def ods(rows: str) -> bytes:
    """Return an ODS workbook of one good line, and rows in the XML of the format."""
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    cells = [["customer_id", "time", "amount"], ["C1", "2026-01-05", "10"]]
    lines = "".join(f"<table:table-row>{''.join(map(ods_cell, line))}</table:table-row>" for line in cells)
    body = f'<office:body><office:spreadsheet><table:table table:name="S">{lines}{rows}</table:table>'
    content = f"<office:document-content{names}>{body}</office:spreadsheet></office:body></office:document-content>"
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        packed.writestr("content.xml", content)
        packed.writestr("META-INF/manifest.xml", "<manifest/>")
    return sink.getvalue()


def ods_cell(text: str) -> str:
    return f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'


def test_a_stray_cell_of_an_ods_workbook_is_told(tmp_path: Path) -> None:
    blank = '<table:table-cell table:number-columns-repeated="16383"/>'
    rows = f'<table:table-row table:number-rows-repeated="1048573">{blank}</table:table-row>'
    path = tmp_path / "orders.ods"
    path.write_bytes(ods(f"{rows}<table:table-row>{blank}{ods_cell('x')}</table:table-row>"))
    with pytest.raises(DataError, match=r"^E-TX-153 orders.ods: cell XFD1048576 stretches a sheet to"):
        read_tables(source_of(path))
    path.write_bytes(ods(rows))
    assert read_tables(source_of(path)).quality.used == 1


def test_a_bomb_is_refused_by_its_declared_size(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^E-TX-152 orders.xlsx: the workbook unpacks to 300 MB"):
        read_tables(source_of(bomb(tmp_path / "orders.xlsx", 300)))


def test_a_declared_size_that_lies_is_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = bomb(tmp_path / "orders.xlsx", 2)
    content = path.read_bytes()
    with zipfile.ZipFile(path) as packed:
        size = packed.getinfo(SHEET).file_size
    path.write_bytes(content.replace(size.to_bytes(4, "little"), (500).to_bytes(4, "little")))
    with pytest.raises(DataError, match=r"^E-TX-021"):
        refuse_heavy(path)


def test_too_many_parts_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_weight, "MOST_ENTRIES", 3)
    (tmp_path / "orders.xlsx").write_bytes(book(CELLS))
    with pytest.raises(DataError, match=r"^E-TX-152"):
        refuse_heavy(tmp_path / "orders.xlsx")


def test_entities_are_refused(tmp_path: Path) -> None:
    entity = b'<!DOCTYPE x [<!ENTITY c SYSTEM "file:///etc/passwd">]><worksheet'
    path = changed(tmp_path / "orders.xlsx", lambda sheet: sheet.replace(b"<worksheet", entity, 1))
    with pytest.raises(DataError, match=r"^E-TX-021 .*document type"):
        read_tables(source_of(path))


def test_a_wide_honest_sheet_passes(tmp_path: Path) -> None:
    header = ["customer_id", "time", "amount", *(f"x{n}" for n in range(900))]
    (tmp_path / "orders.xlsx").write_bytes(book([header, *([f"C{n}", "2026-01-05", 1] for n in range(50))]))
    assert read_tables(source_of(tmp_path / "orders.xlsx")).quality.used == 50


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["far", "bomb"])
def test_a_refusal_takes_little_memory(tmp_path: Path, kind: str) -> None:
    """Two hundred megabytes above what the reader takes for an honest workbook of two rows."""
    path = tmp_path / "orders.xlsx"
    if kind == "far":
        changed(path, with_cell("XFD1048576", 1048576))
    else:
        bomb(path, 1_500)
    honest = tmp_path / "honest.xlsx"
    honest.write_bytes(book(CELLS))
    script = textwrap.dedent("""
        import resource, sys
        from tierlens.errors import DataError
        from tierlens.sources.read import read_tables
        from tierlens.sources.declared.source import Source
        peaks = []
        for file in sys.argv[1:]:
            try:
                read_tables(Source(files=file, currency="CNY"))
            except DataError as error:
                print(error.code)
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        print((peaks[1] - peaks[0]) // 1024)
    """)
    done = subprocess.run(
        [sys.executable, "-c", script, str(honest), str(path)], capture_output=True, text=True, check=True
    )
    code, mebibytes = done.stdout.split()
    assert code == {"far": "E-TX-153", "bomb": "E-TX-152"}[kind]
    assert int(mebibytes) < 200


def sheets(path: Path, **states: str) -> Path:
    with xlsxwriter.Workbook(path) as workbook:
        for name, state in states.items():
            sheet = workbook.add_worksheet(name)
            for number, row in enumerate(CELLS):
                sheet.write_row(
                    number, 0, [f"{name}{cell}" if number and not at else cell for at, cell in enumerate(row)]
                )
            if state:
                getattr(sheet, state)()
    return path


def test_hidden_sheets_are_read_and_named(tmp_path: Path) -> None:
    path = sheets(tmp_path / "orders.xlsx", open="", away="hide", deep="very_hidden")
    report = read_tables(source_of(path)).quality
    assert (report.used, report.flags) == (6, {"hidden_sheet": 4})
    assert report.said("hidden_sheet").en == "lines of hidden sheets, kept: orders.xlsx[away], orders.xlsx[deep]"
    assert ("标记（保留）：隐藏工作表中的行（保留）：orders.xlsx[away], orders.xlsx[deep]", 4) in report.rows("zh")


def test_merged_cells_are_told_of(tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet("orders")
        for number, row in enumerate([*CELLS, ["", "2026-01-07", 30]]):
            sheet.write_row(number, 0, row)
        sheet.merge_range(2, 0, 3, 0, "C2")
    result = read_tables(source_of(path))
    assert counted(result) == {"used": 2, "missing_customer": 1, "merged_cells": 1}
    assert column(result, "customer_id") == ["C1", "C2"]


SECRET = (
    b'<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    b'<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml">'
    b"<manifest:encryption-data/></manifest:file-entry></manifest:manifest>"
)
"""As LibreOffice says that a part is encrypted."""


def _changed_ods(path: Path, change: Callable[[str, bytes], bytes]) -> bytearray:
    with zipfile.ZipFile(io.BytesIO(ods(""))) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return bytearray(path.read_bytes())


def test_an_ods_workbook_with_a_password_is_told_to_have_one(tmp_path: Path) -> None:
    path = tmp_path / "orders.ods"
    parts = {"content.xml": b"\x93\x12\xff\x00" * 50, "META-INF/manifest.xml": SECRET}
    _changed_ods(path, parts.get)
    with pytest.raises(DataError, match=r"^E-TX-124 orders\.ods"):
        read_tables(source_of(path))


def test_an_ods_workbook_in_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.ods"
    raw = _changed_ods(path, lambda name, content: content)
    for mark, flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # of each entry, and of the directory
        at = raw.find(mark)
        while at >= 0:
            raw[at + flag] |= 1
            at = raw.find(mark, at + 4)
    path.write_bytes(raw)
    with pytest.raises(DataError, match=r"^E-TX-021 orders\.ods: .*[Pp]assword"):
        read_tables(source_of(path))


@pytest.mark.parametrize("cut", [0, 466, 900])
def test_a_damaged_ods_workbook_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "orders.ods"
    _changed_ods(path, lambda name, content: content[:cut] if name == "content.xml" else content)
    with pytest.raises(DataError, match=r"^E-TX-0(20|21|23) orders\.ods"):
        read_tables(source_of(path))
