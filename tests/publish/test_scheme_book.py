"""A scheme survives the workbook, in both languages, and a manager's change comes back as it was typed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
import xlsxwriter
from python_calamine import load_workbook

from tierlens.errors import SchemeError
from tierlens.grading.scheme.scheme import load_scheme, scheme_names
from tierlens.publish.documents.scheme_book import read_scheme_book, write_scheme_book
from tierlens.words import Lang


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", scheme_names())
def test_the_round_trip_is_exact(tmp_path: Path, name: str, lang: Lang):
    scheme = load_scheme(name)
    back = read_scheme_book(write_scheme_book(scheme, tmp_path / "scheme.xlsx", lang))
    assert back == scheme
    assert back.sha256 == scheme.sha256


def test_the_same_scheme_gives_the_same_bytes(tmp_path: Path):
    scheme = load_scheme("five_step")
    files = [write_scheme_book(scheme, tmp_path / f"{n}.xlsx", "zh").read_bytes() for n in range(2)]
    assert files[0] == files[1]


def test_a_sheet_reads_like_the_document(tmp_path: Path):
    book = load_workbook(write_scheme_book(load_scheme("relationship_rating"), tmp_path / "s.xlsx", "zh"))
    assert book.sheet_names[:6] == ["方案", "特征", "维度", "指标", "评分标准", "等级"]
    rows = book.get_sheet_by_name("等级").to_python()
    assert rows[0][:3] == ["编号", "英文名称", "中文名称"]
    assert rows[1][:4] == ["A", "Core customers", "核心客户", 90.0]
    about = book.get_sheet_by_name("方案").to_python()
    assert "审批人" in about[-1][0]


def changed(scheme_name: str, path: Path, sheet_name: str, place: tuple[int, int], value: object) -> Path:
    """The workbook of a scheme with one cell typed over."""
    book = load_workbook(write_scheme_book(load_scheme(scheme_name), path, "en"))
    with xlsxwriter.Workbook(str(path)) as out:
        for name in book.sheet_names:
            sheet = out.add_worksheet(name)
            for r, row in enumerate(book.get_sheet_by_name(name).to_python()):
                for c, cell in enumerate(row):
                    typed = value if (name, (r, c)) == (sheet_name, place) else cell
                    if typed not in ("", None):
                        sheet.write(r, c, typed)
    return path


def test_a_changed_number_comes_back_as_it_was_typed(tmp_path: Path):
    scheme = read_scheme_book(changed("classification_standard", tmp_path / "s.xlsx", "parameters", (1, 3), 0.07))
    assert scheme.parameters[0].value == Decimal("0.07")


FAULTS = [
    ("tiers", (1, 3), "ninety", SchemeError, "E-SC-003 tiers!2: 'ninety' does not belong under 'at least"),
    ("tiers", (0, 3), "colour", SchemeError, "E-SC-004 tiers: nobody knows column 'colour'"),
    ("dimensions", (1, 3), 0.31, SchemeError, "the weights of the dimensions sum to 1.01, not 1"),
    ("indicators", (1, 4), "monetery", SchemeError, "there is no feature 'monetery' under 'features'; did you"),
    ("indicators", (1, 5), True, SchemeError, "E-SC-003 indicators!2: True does not belong under 'weight'"),
    ("scheme", (6, 3), "", SchemeError, "E-SC-002: the tables do not say document"),
    ("triggers", (1, 12), 1.5, SchemeError, "E-SC-003 triggers!2"),
]  # fmt: skip


@pytest.mark.parametrize(("sheet", "place", "value", "error", "words"), FAULTS)
def test_what_a_manager_can_get_wrong_is_told(tmp_path: Path, sheet, place, value, error, words):
    path = changed("relationship_rating", tmp_path / "s.xlsx", sheet, place, value)
    with pytest.raises(error) as told:
        read_scheme_book(path)
    assert words in str(told.value)


def test_a_file_that_is_no_workbook_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(SchemeError, match=r"E-SC-006 orders\.csv: this is not an XLSX workbook"):
        read_scheme_book(tmp_path / "orders.csv")
