"""Customers who moved, as files that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from tierlens.grading.moved import Move
from tierlens.grading.scheme.scheme import load_scheme
from tierlens.publish.documents.moved_customers import headers_of, moves_list, plain_moves
from tierlens.publish.lists.list_files import write_list

RATING = load_scheme("relationship_rating")
PARTS = {dimension.id: -3.5 for dimension in RATING.dimensions}
MOVES = (
    Move("=1+1", "A", "B", -1, 91.0, 77.0, -14.0, PARTS, {}, ("=cmd()", "second"), ("@fired",)),
    Move("00012", "-", "C", None, None, 60.5, None, {}, {}, ("Not graded at 2025-06-01",), ()),
)


def test_a_csv_holds_no_formula_and_the_parts_add_up(tmp_path: Path):
    file = write_list(moves_list(MOVES, RATING, "en"), tmp_path / "m.csv", headers_of(RATING), "moves")
    with file.open(encoding="utf-8-sig", newline="") as lines:
        first, second = csv.DictReader(lines)
    assert (first["customer ID"], first["main reason"], first["triggers"]) == ("'=1+1", "'=cmd()", "'@fired")
    parts = [float(value) for name, value in first.items() if name.startswith("change by ")]
    assert len(parts) == len(RATING.dimensions)
    assert sum(parts) == pytest.approx(float(first["change of the score"]))
    assert (second["customer ID"], second["tier before"], second["tiers gained"]) == ("00012", "not graded", "")


def test_a_workbook_keeps_texts_as_texts(tmp_path: Path):
    file = write_list(moves_list(MOVES, RATING, "zh"), tmp_path / "m.xlsx", headers_of(RATING), "moves")
    rows = CalamineWorkbook.from_path(str(file)).get_sheet_by_index(0).to_python()
    assert [row[0] for row in rows] == ["客户编号", "=1+1", "00012"]
    assert rows[2][1] == "未评级"
    with zipfile.ZipFile(file) as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")


def test_plain_values_hold_everything():
    first, second = plain_moves(MOVES)
    assert first["by_dimension"] == PARTS
    assert second["score_change"] is None
