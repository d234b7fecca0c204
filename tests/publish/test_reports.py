"""The report is one safe file in both languages, the same for the same findings."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.publish.samples import make_findings, make_risk
from tierlens.publish.report.findings import Estimate, Findings
from tierlens.publish.report.html import Pictures, draw_both, render_report, write_report

EMPTY = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta"}


class Reader(HTMLParser):
    """Collects tags and checks that they close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def drawn() -> Pictures:
    return draw_both(make_findings())


@pytest.fixture(scope="module")
def page(drawn: Pictures) -> str:
    return render_report(make_findings(), "en", drawn)


def test_same_findings_same_bytes(tmp_path: Path, page: str) -> None:
    assert write_report(make_findings(), tmp_path / "report.html").read_text("utf-8") == page


def test_nothing_is_asked_of_another_machine(page: str) -> None:
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg\")", page)
    for tag, attributes in Reader(page).tags:
        assert tag not in {"link", "iframe", "object", "embed", "base"}
        for name in ("src", "href"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:image/png;base64,"))
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)


def test_every_tag_closes_and_every_link_has_its_end(page: str) -> None:
    reader = Reader(page)
    assert reader.open == []
    ids = {attributes["id"] for _, attributes in reader.tags if "id" in attributes}
    links = {attributes.get("href") for tag, attributes in reader.tags if tag == "a"}
    assert {str(link).removeprefix("#") for link in links} <= ids


def test_policy_allows_only_the_own_script(page: str) -> None:
    script = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(script) == 1
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "default-src 'none'" in page
    assert not re.search(r"\son\w+=", page)


def test_verdicts_come_first_in_both_languages(page: str) -> None:
    risk = make_risk()
    for text, word in zip(risk.verdict, ("Scheme", "方案："), strict=True):
        assert 0 < page.index(text) < page.index(word)


@pytest.mark.parametrize(("lang", "marked"), [("en", '<html lang="en">'), ("zh", '<html lang="zh-CN">')])
def test_language_shown_first(lang: str, marked: str, drawn: Pictures) -> None:
    found = render_report(make_findings(), lang, drawn)
    assert marked in found
    assert "How to read this" in found
    assert "如何阅读" in found


def test_texts_of_the_data_are_escaped(page: str, drawn: Pictures) -> None:
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    hostile = replace(make_findings().about, project='"><img src=x onerror=alert(1)>\u202e')
    found = render_report(replace(make_findings(), about=hostile), "en", drawn)
    assert "<img" not in found
    assert "\u202e" not in found


def test_quality_closes_on_the_page(page: str) -> None:
    words = "|".join(" ".join(Reader(page).words).split())
    assert "used|+|quarantined|+|deduplicated" in words
    assert "1,067,371|100.00%" in words


def test_simulated_data_are_named_as_such(page: str, drawn: Pictures) -> None:
    banner = "Simulated data: these customers are made up."
    assert banner not in page
    simulated = render_report(make_findings(simulated=True), "en", drawn)
    assert banner in simulated
    assert "模拟数据：客户均为虚构" in simulated


def test_missing_parts_leave_no_empty_headings() -> None:
    bare = Findings(make_findings().about, ())
    found = render_report(bare, "en")
    assert "No risk was predicted in this run." in found
    for heading in ('id="tiers"', 'id="segments"', 'id="customers"', 'id="notes"'):
        assert heading not in found


def test_no_probability_is_a_dash_not_a_number(drawn: Pictures) -> None:
    risk = replace(make_risk(), models=tuple(replace(line, lift=Estimate(float("nan"))) for line in make_risk().models))
    found = render_report(replace(make_findings(), risks=(risk,)), "en", drawn)
    assert "nan" not in re.sub(r"base64,[^\"]*", "", found).lower()


def test_no_time_of_making_is_in_it(page: str) -> None:
    years = set(re.findall(r"\b20[0-9]{2}-[0-9]{2}-[0-9]{2}\b", "".join(Reader(page).words)))
    assert years == {"2011-06-01", "2011-01-01"}


def test_shares_stand_beside_what_chance_moves_them_by(drawn: Pictures) -> None:
    findings = make_findings()
    assert findings.tiers is not None
    lines = tuple(replace(line, by_chance=(0.021, 0.042)) for line in findings.tiers.lines)
    found = render_report(replace(findings, tiers=replace(findings.tiers, lines=lines)), pictures=drawn)
    assert "2.1%–4.2%" in found
    assert "随机范围" in found


def test_shares_that_no_document_suggests_are_not_spoken_of(page: str) -> None:
    assert "suggested" in page
    assert "建议" in page
    findings = make_findings()
    assert findings.tiers is not None
    lines = tuple(replace(line, suggested=None) for line in findings.tiers.lines)
    found = render_report(replace(findings, tiers=replace(findings.tiers, lines=lines)))
    assert "suggested" not in found
    assert "文件建议" not in found
    assert "建议区间" not in found


def test_a_risk_that_is_not_to_be_acted_on_is_marked_at_the_head_and_beside_each_risk(page: str) -> None:
    mark = "(do not act on it)"
    assert mark not in page
    findings = make_findings()
    constant = replace(findings.risks[0], is_constant=True)
    found = render_report(replace(findings, risks=(constant, findings.risks[1])))
    head = found[found.index('<ul class="verdicts">') : found.index("</nav>")]
    assert constant.caution is not None
    assert constant.caution.en in head
    assert constant.caution.zh in head
    shown = sum(line.churn_risk is not None for spot in findings.spotlights for line in spot.lines)
    assert found.count(mark) == found.count("（不宜据此行动）") == shown > 0
