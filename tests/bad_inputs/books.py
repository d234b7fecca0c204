"""Cases 134, 135 and 169-178: workbooks."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.bad_inputs.kit import Case, Do, Got, Refuse, Take, book, closed, counted, expect, refusal_of
from tests.sources.shop import source_of
from tests.sources.test_book_weight import bomb, changed, ods, ods_cell, with_cell
from tierlens.sources.read import read_tables

HEAD = ["customer_id", "time", "amount"]
NAME = "orders.xlsx"
ONE = ["C1", "2026-01-05", 1]
CUT = book([HEAD, ONE])[:3000]
FAULTY = [HEAD, ["C1", "2026-01-05", "#N/A"], ["C2", "2026-01-05", 1]]
BLANK = '<table:table-cell table:number-columns-repeated="16383"/>'
FAR_ODS = f'<table:table-row table:number-rows-repeated="1048573">{BLANK}</table:table-row>' + (
    f"<table:table-row>{BLANK}{ods_cell('x')}</table:table-row>"
)


OFTEN_ODS = f'<table:table-row table:number-rows-repeated="4000000000">{ods_cell("x")}</table:table-row>'
FAR_LINE_ODS = '<table:table-row table:number-rows-repeated="4000000"/>' + (
    f"<table:table-row>{ods_cell('C2')}{ods_cell('2026-01-05')}{ods_cell('1')}</table:table-row>"
)


def _binary() -> bytes:
    """Return the outline of a binary workbook."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as packed:
        packed.writestr("xl/workbook.bin", b"x")
    return sink.getvalue()


def _refused(write: Callable[[Path], object], code: str) -> Do:
    def call(folder: Path) -> Got:
        path = folder / "orders.xlsx"
        write(path)
        return refusal_of(lambda: read_tables(source_of(path)), code, "orders.xlsx")

    return Do(call)


def _formatted(folder: Path) -> Got:
    row = b'<row r="1048576"><c r="XFD1048576" s="1"/></row></sheetData>'
    path = changed(folder / "orders.xlsx", lambda sheet: sheet.replace(b"</sheetData>", row))
    report = read_tables(source_of(path)).quality
    expect((2, {}), (report.used, counted(report)), "lines used, and other counts")
    return Got(closes=closed(report))


CASES = (
    Case(134, "an ODS row repeated 4,000,000,000 times", "REJECT",
         (Refuse(ods(OFTEN_ODS), "E-TX-153", "orders.ods", "orders.ods"),
          Refuse(ods(FAR_LINE_ODS), "E-TX-153", "orders.ods", "orders.ods"),
          Take(ods('<table:table-row table:number-rows-repeated="4000000000"><table:table-cell/></table:table-row>'), 1,
               name="orders.ods"))),
    Case(135, "a binary workbook named .xlsx", "REJECT", (Refuse(_binary(), "E-TX-123", NAME, NAME),)),
    Case(169, "a cell in XFD1048576", "REJECT",
         (_refused(lambda path: changed(path, with_cell("XFD1048576", 1048576)), "E-TX-153"),)),
    Case(170, "a cell in xfd1048576", "REJECT",
         (_refused(lambda path: changed(path, with_cell("xfd1048576", 1048576)), "E-TX-153"),)),
    Case(171, "a far cell that is only formatted", "KEEP", (Do(_formatted),)),
    Case(172, "a workbook that unpacks to 100 times", "REJECT", (_refused(lambda path: bomb(path, 300), "E-TX-152"),)),
    Case(173, "a far cell in ODS", "REJECT", (Refuse(ods(FAR_ODS), "E-TX-153", "orders.ods", "orders.ods"),)),
    Case(174, "a CSV named .xlsx", "REJECT", (Refuse("a,b\n1,2\n", "E-TX-021", NAME, NAME),)),
    Case(175, "a cut workbook", "REJECT", (Refuse(CUT, "E-TX-021", NAME, NAME),)),
    Case(176, "a workbook without lines", "REJECT", (Refuse(book([HEAD]), "E-TX-020", "orders.xlsx[Sheet1]", NAME),)),
    Case(177, "a cell #N/A", "QUARANTINE",
         (Take(book(FAULTY), 1, {"bad_number": 1}, name=NAME),)),
    Case(178, "text beyond the header", "REJECT",
         (Refuse(book([HEAD, ["C1", "2026-01-05", 1, "x"]]), "E-TX-009", "orders.xlsx[Sheet1]:2", "orders.xlsx"),)),
)  # fmt: skip
