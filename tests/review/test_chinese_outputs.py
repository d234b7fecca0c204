"""What reviewers read under ``--lang zh`` holds no English word: evidence, reasons of moves, ways, cards."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.publish.samples import make_findings
from tierlens.app.cli.main import main
from tierlens.grading.evidence import grade_evidence
from tierlens.grading.scheme.scheme import load_scheme, scheme_names
from tierlens.grading.value_words import value_word
from tierlens.pipeline import explaining
from tierlens.publish.lists.playbook import load_playbook, say_source
from tierlens.review import questions
from tierlens.words import Lang, Text
from tierlens.workspace.config import RunConfig, config_of_text

RUN = """
name: 店
simulated: {{customers: 300, months: 24}}
cutoff: "2024-10-01"
scheme: {scheme}
risk: {{first_cutoff: "2024-01-01"}}
"""
DAYS = ("2024-04-01", "2024-10-01")
CODES = {"CNY", "GB", "IT", "NPS", "RFM", "AAA", "AA", "BBB", "BB", "CCC", "CC"}
"""No English: a currency, a standard, short names that the documents use, credit ratings; single letters neither."""
CUSTOMER = re.compile(r"\bK\d+\b")
CITED = re.compile(r"\w+ [\d.]+ · \w+\.txt")
"""A scheme's identifier with its version, and the file of its document."""


def english(texts: list[str]) -> dict[str, str]:
    """Return the Latin words that are left, each with a text that has it."""
    found = {}
    for text in texts:
        for word in re.findall("[A-Za-z]+", CITED.sub("", CUSTOMER.sub("", text))):
            found[word] = text
    return {word: text for word, text in found.items() if word not in CODES and len(word) > 1}


def shown(page: str) -> Iterator[str]:
    """Yield the texts of a page."""
    bare = re.sub(r"<(style|script|title).*?</\1>", "", page, flags=re.DOTALL)
    yield from (html.unescape(line) for line in re.sub("<[^>]+>", "\n", bare).splitlines() if line.strip())


@pytest.fixture(scope="module", params=scheme_names())
def config(request: pytest.FixtureRequest) -> RunConfig:
    return config_of_text(RUN.format(scheme=request.param))


def test_evidence_is_chinese(config: RunConfig) -> None:
    found = questions.graded_at(config, lambda used: [used.cutoff_day])
    lines = grade_evidence(found.grades, found.features, found.scheme, found.shop.tables.currency, "zh")
    assert english([line for one in lines for line in one]) == {}


def test_moves_ways_and_cards_are_chinese(config: RunConfig, tmp_path: Path) -> None:
    found = questions.movement_between(config, *DAYS, "zh")
    texts = [*found["by_dimension"], *found["triggers"], *found["tiers"].values()]
    texts += [text for move in found["moved"] for text in (*move["reasons"], *move["triggers"])]
    who = [move["customer_id"] for move in found["moved"] if move["tiers_gained"] is not None][:1]
    way = questions.way_of(config, who[0], "zh")
    texts += [way["tier_name"], *way["steps"], *way["roll_off"], *way["note"]]
    page = questions.write_cards(config, who, tmp_path / "card.html", "zh").read_text("utf-8")
    texts += [text for text in shown(page) if text != "客户评级卡 · tierlens"]
    assert english(texts) == {}


def test_a_table_of_moves_names_tiers_in_chinese(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(RUN.format(scheme="five_step"), encoding="utf-8")
    assert main(["movement", str(file), *DAYS, "--lang", "zh"]) == 0
    head = next(line for line in capsys.readouterr().out.splitlines() if DAYS[0] in line)
    assert re.findall("[A-Za-z]+", head) == []
    assert "战略客户" in head


@pytest.mark.parametrize(
    ("scheme", "column", "value", "chinese"),
    [
        ("relationship_guide", "dependence", "primary", "主要"),
        ("relationship_guide", "demand_kind", "service", "服务"),
        ("relationship_guide", "label_stage", "lost", "流失客户"),
        ("tiered_management", "industry_outlook", "bad", "很差"),
        ("tiered_management", "credit_rating", "AAA", "AAA"),
        ("tiered_management", "industry_outlook", "never heard of", "never heard of"),
        ("tiered_management", "industry_outlook", "优秀", "优秀"),
        ("five_step", "label_value", True, "是"),
    ],
)
def test_a_value_is_called_by_the_documents_word(scheme: str, column: str, value: str | bool, chinese: str) -> None:
    assert value_word(load_scheme(scheme), column, value).zh == chinese


def test_words_are_paired_only_where_it_is_plain_which_is_which() -> None:
    content = load_scheme("relationship_guide").model_dump(by_alias=True)
    scale = content["dimensions"][0]["indicators"][3]["ordinal"]
    scale.update({"main": scale["primary"]})
    unsure = type(load_scheme("relationship_guide")).model_validate({**content, "id": "ours"})
    assert value_word(unsure, "dependence", "primary") == Text("primary", "primary")
    assert value_word(unsure, "dependence", "trial").zh == "试用"


def test_sources_of_next_steps_are_chinese() -> None:
    book = load_playbook()
    sources = [measure.source for by_band in book.measures.values() for measure in by_band.values()]
    sources += [measure.source for measure in book.focus.values()]
    assert english([say_source(source, "zh") for source in sources if source != "tierlens"]) == {}
    assert say_source("mine A: gist", "zh") == "mine A: gist"
    assert say_source("five_step B (stories)", "en") == "five_step B (stories)"


@pytest.mark.parametrize(("lang", "title"), [("en", "evidence of the tier:"), ("zh", "评级依据：")])
def test_no_line_of_an_explanation_ends_in_a_space(lang: Lang, title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explaining, "_findings", lambda _: make_findings())
    row = {"score": 12.5, "evidence": "one\ntwo", "next_step_source": "five_step C (care)"}
    lines = explaining.lines_of(row, Path("out"), lang)
    assert f"{title}\n  one\n  two" in lines
    assert not [line for whole in lines for line in whole.splitlines() if line != line.rstrip()]
