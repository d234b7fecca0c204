"""Pictures are the same for the same numbers, ask nothing of other machines, and have every letter."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from tests.publish.samples import make_findings, make_risk, make_why
from tierlens.publish.report import drawing, pictures
from tierlens.publish.report.findings import Findings, Swarm, Weight, Why
from tierlens.words import Text

FINDINGS = make_findings()
NAMES = {"tiers", "segments"} | {
    f"{outcome}_{kind}" for outcome in ("churn", "downgrade") for kind in ("lift", "calibration", "importance", "swarm")
}


@pytest.fixture(scope="module", params=["en", "zh"])
def drawn(request: pytest.FixtureRequest) -> dict[str, str]:
    return pictures.draw_all(FINDINGS, request.param)


def test_all_pictures_are_there_and_the_same_twice() -> None:
    found = pictures.draw_all(FINDINGS, "en")
    assert found.keys() == NAMES
    assert found == pictures.draw_all(FINDINGS, "en")


def test_well_formed_scalable_and_self_contained(drawn: dict[str, str]) -> None:
    for svg in drawn.values():
        root = ET.fromstring(svg)
        assert "width" not in root.attrib
        assert root.attrib["viewBox"]
        assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", svg)
        assert "<metadata" not in svg
        assert "<style" not in svg


def test_ids_are_unique_over_all_pictures_and_every_reference_has_its_end() -> None:
    page = "".join(svg for lang in ("en", "zh") for svg in pictures.draw_all(FINDINGS, lang).values())
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', page)) <= set(ids)


def test_words_are_words_in_the_language_asked_for() -> None:
    english, chinese = (pictures.draw_all(FINDINGS, lang) for lang in ("en", "zh"))
    assert "suggested by the document" in english["tiers"]
    if drawing.chinese_font():
        assert "文件建议区间" in chinese["tiers"]
        assert "距上次购买天数" in chinese["churn_importance"]


def test_without_a_chinese_font_labels_are_english(monkeypatch: pytest.MonkeyPatch) -> None:
    drawing._drawable.cache_clear()
    monkeypatch.setattr(drawing, "chinese_font", lambda: None)
    try:
        found = pictures.draw_all(FINDINGS, "zh")
    finally:
        drawing._drawable.cache_clear()
    assert found.keys() == NAMES
    assert all(svg.isascii() or not re.search("[\u4e00-\u9fff]", svg) for svg in found.values())


def test_settings_of_matplotlib_are_as_before() -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    pictures.draw_all(FINDINGS, "en")
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "a & b", "$x^2$", "\u202eevil", "\U0010ffff", "😀", "x" * 500]
)
def test_nasty_names_are_drawn_as_text(name: str) -> None:
    assert FINDINGS.tiers is not None
    line = replace(FINDINGS.tiers.lines[0], name=Text(name, name))
    svg = pictures.draw_all(
        replace(FINDINGS, tiers=replace(FINDINGS.tiers, lines=(line,)), segments=None, risks=()), "en"
    )
    root = ET.fromstring(svg["tiers"])
    assert not root.findall(".//{*}script")
    texts = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert all(len(text) <= 60 for text in texts)
    assert not any("\u202e" in text for text in texts)


def test_label_counts_chinese_letters_double() -> None:
    assert drawing.picture_label("abcdef", "en", 4) == "abc…"
    if drawing.chinese_font():
        assert drawing.picture_label("客户等级", "zh", 6) == "客户…"


def test_few_numbers_are_enough() -> None:
    risk = replace(make_risk(), curves=(), bins=make_risk().bins[:1], why=replace(make_why(), swarms=()))
    small = Findings(FINDINGS.about, (), None, None, (risk,))
    assert pictures.draw_all(small, "en").keys() == {"churn_calibration", "churn_importance"}


@pytest.mark.parametrize("values", [(), (float("nan"),), (1.0,), (2.0, 2.0, 2.0)])
def test_swarms_of_few_or_equal_or_missing_values(values: tuple[float, ...]) -> None:
    swarm = Swarm(Text("x", "x"), tuple(0.0 for _ in values), values)
    why = replace(make_why(), swarms=(swarm,))
    found = pictures.draw_all(Findings(FINDINGS.about, (), risks=(replace(make_risk(), why=why),)), "en")
    assert "churn_swarm" in found


def test_ranks_are_between_0_and_1_with_ties_alike() -> None:
    ranks = pictures._ranks(np.array([5.0, 1.0, np.nan, 5.0, 3.0]))
    np.testing.assert_array_equal(ranks, [1.0, 0.0, np.nan, 1.0, 0.5])


def test_dimensions_of_a_scheme_have_colours_of_their_own_and_what_is_outside_is_grey() -> None:
    names = ("value", "rfm", "label_stage", "outside", "other", "health")
    weights = tuple(Weight(Text(name, name), name, 0.1) for name in names)
    colours = pictures._dimension_colours(Why(weights, weights, ()))
    assert colours["value"] == pictures.DIMENSION_COLOURS["value"]
    own = [colours[name] for name in ("value", "rfm", "label_stage", "health")]
    assert len(set(own)) == 4
    assert "outside" not in colours
    assert "other" not in colours
    findings = replace(FINDINGS, risks=(replace(make_risk(), why=Why(weights, weights, ())),))
    drawn = pictures.draw_all(findings, "en")["churn_importance"]
    assert all(colour in drawn for colour in (*own, drawing.MUTED))
