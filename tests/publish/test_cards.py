"""Rating cards: the document's own card, in both languages, as a page and as a workbook, and safe to open."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from python_calamine import load_workbook

from tests.grading.conftest import on_polars
from tests.publish.test_reports import Reader
from tierlens.errors import DataError
from tierlens.grading.next_tier.next_tier import path_to_tier
from tierlens.grading.scheme.scheme import load_scheme
from tierlens.grading.scoring import grade
from tierlens.publish.documents.card_pages import render_cards, sheet_rows, write_cards_html, write_cards_xlsx
from tierlens.publish.documents.cards import Card, rating_cards
from tierlens.sources.tables import Currency
from tierlens.words import Lang, Text

YUAN = Currency("CNY")
RATING = load_scheme("relationship_rating")
POINTS = {
    "annual_amount": 8, "order_value": 7, "profit_contribution": 9, "tenure": 8, "renewal_rate": 10, "complaints": 7,
    "enquiries": 6, "custom_requests": 8, "service_satisfaction": 9, "industry_growth": 7, "expansion": 8,
    "new_demand_fit": 9,
}  # fmt: skip
NASTY = '=HYPERLINK("http://x")<script>alert(1)</script>\u202e'


def documents_card() -> list[Card]:
    """The worked card of CRM-2024-001."""
    keys = {"customer_id": ["CRM-2024-001"], "cutoff": pa.array([15126], pa.int32())}
    features = pa.table({**keys, **{f"points_{name}": [float(p)] for name, p in POINTS.items()}})
    graded = grade(on_polars(features), RATING, YUAN).collect("pyarrow").to_native()
    return rating_cards(graded, features, RATING, YUAN, ["CRM-2024-001"], 15126)


def two_cutoffs(name: str = "C1") -> tuple[pa.Table, pa.Table]:
    features = pa.table(
        {
            "customer_id": [name, name, "C2", "C2"],
            "cutoff": pa.array([15096, 15126] * 2, pa.int32()),
            "monetary": [40_000_000, 60_000_000, 1_000_000, 2_000_000],
            "frequency": [3, 4, 1, 2],
            "amount_90": [70, 70, 5, 5],
            "amount_prev_90": [100, 100, 5, 5],
        }
    )
    return grade(on_polars(features), RATING, YUAN).collect("pyarrow").to_native(), features


def test_the_documents_card_is_reproduced():
    (card,) = documents_card()
    assert (card.score, card.tier, card.tier_title.zh, card.day) == (80.625, "B", "重要客户", "2011-06-01")
    assert [group.points for group in card.groups] == [8.1, 8.45, 7.6, 8.0]
    value = {line.title.zh: line.weighted for line in card.groups[0].lines if line.weighted is not None}
    assert value == {"年交易额": 2.4, "客单价": 2.1, "利润贡献率": 3.6}
    follow_up = ("每月至少1次高层拜访", "优先参与新品试用", "定期满意度调研", "优化服务流程")
    due = ["有持续合作意愿，需常规跟进", *(f"{one}（评级卡示例）" for one in follow_up)]
    assert [text.zh for text in card.measures] == due


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_page_reads_and_closes(lang: Lang):
    graded, features = two_cutoffs()
    found = rating_cards(
        graded, features, RATING, YUAN, ["C1", "C2"], 15126, path_to_tier(graded, features, RATING, YUAN)
    )
    html = render_cards(found, lang)
    page = Reader(html)
    assert page.open == []
    words = " ".join(page.words)
    due = {
        "en": ["Customer rating card", "C2", "600,000.00 CNY", "at least 500,000 CNY", "down by 30%", "2011-05-02"],
        "zh": ["客户评级卡", "C2", "600,000.00 CNY", "≥500,000 CNY", "交易额下降30%", "2011-05-02"],
    }
    assert all(word in words for word in due[lang])
    assert render_cards(found, lang) == html
    assert "http" not in html.replace("http-equiv", "")


def test_a_card_names_its_document_by_title():
    (card,) = documents_card()
    title = Text("Customer relationship rating system", "客户关系评级体系")
    assert card.source == Text(f"version 1.0 · document: {title.en}", f"版本 1.0 · 依据文件：{title.zh}")
    assert ".txt" not in render_cards([card], "zh")


def test_the_weight_used_grows_where_others_have_no_data():
    graded, features = two_cutoffs()
    (card,) = rating_cards(graded, features, RATING, YUAN, ["C1"], 15126)
    amount = card.groups[0].lines[0]
    assert (amount.weight, amount.used, amount.points, amount.weighted) == (0.3, 1.0, 7.0, 7.0)
    assert [line.value.en for line in card.groups[1].lines] == ["-"] * 4
    assert [(day, tier.en) for day, _, tier in card.history] == [("2011-05-02", "D"), ("2011-06-01", "C")]


def test_scores_on_a_card_add_up():
    (card,) = documents_card()
    for group in card.groups:
        assert sum(line.weighted or 0 for line in group.lines) == pytest.approx(group.points)
    assert sum(group.weight * (group.score or 0) for group in card.groups) == pytest.approx(card.score)


def test_names_from_the_data_are_harmless(tmp_path: Path):
    graded, features = two_cutoffs(NASTY)
    found = rating_cards(graded, features, RATING, YUAN, [NASTY], 15126)
    html = write_cards_html(found, tmp_path / "c.html", "en").read_text()
    assert "<script>alert" not in html
    assert "\u202e" not in html
    book = load_workbook(write_cards_xlsx(found, tmp_path / "c.xlsx", "en"))
    assert book.get_sheet_by_name("1").to_python()[1][1].startswith("=HYPERLINK")


def test_a_workbook_has_a_sheet_a_customer_and_the_same_bytes(tmp_path: Path):
    graded, features = two_cutoffs()
    found = rating_cards(graded, features, RATING, YUAN, ["C1", "C2"], 15126)
    files = [write_cards_xlsx(found, tmp_path / f"{n}.xlsx", "zh") for n in range(2)]
    assert files[0].read_bytes() == files[1].read_bytes()
    book = load_workbook(files[0])
    assert book.sheet_names == ["1", "2"]
    rows = book.get_sheet_by_name("2").to_python()
    assert rows[1][:2] == ["客户编号", "C2"]
    assert rows[3][:3] == ["评级维度", "评级指标", "权重"]
    assert len(sheet_rows(found[0], "zh")) == len(book.get_sheet_by_name("1").to_python())


def test_a_customer_without_a_grade_at_the_cutoff_is_told():
    graded, features = two_cutoffs()
    with pytest.raises(DataError, match="E-CA-001: C9 was not graded at 2011-06-01"):
        rating_cards(graded, features, RATING, YUAN, ["C9"], 15126)


def test_a_score_without_a_tier_is_not_shown_nor_in_the_history():
    graded, features = two_cutoffs()
    place = graded.column_names.index("tier")
    bare = graded.set_column(place, "tier", pa.nulls(graded.num_rows, pa.string()))
    (card,) = rating_cards(bare, features, RATING, YUAN, ["C1"], 15126)
    assert graded["score"].null_count == 0
    assert (card.score, [score for _, score, _ in card.history]) == (None, [None, None])


def test_a_scheme_without_a_score_has_a_card_too():
    scheme = load_scheme("classification_standard")
    features = pa.table({"customer_id": ["a"], "cutoff": pa.array([15126], pa.int32()), "monetary": [600_000_000]})
    graded = grade(on_polars(features), scheme, YUAN).collect("pyarrow").to_native()
    (card,) = rating_cards(graded, features, scheme, YUAN, ["a"], 15126)
    assert (card.tier, card.score, card.groups) == ("strategic", None, ())
    assert "Strategic" in render_cards([card], "en")
