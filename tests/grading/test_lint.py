"""The linter finds what was put wrong on purpose, and nothing wrong in the documents."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.grading.conftest import checked
from tests.grading.test_scheme import LABEL
from tests.grading.test_scoring import TINY, tiny
from tierlens import strict_yaml
from tierlens.grading import lint, probe
from tierlens.grading.lint import Finding, check_scheme, indicator_contributions, score_range
from tierlens.grading.rule_cells import label_cells
from tierlens.grading.scheme.scheme import Scheme, load_scheme, scheme_names


def told(findings: list[Finding], level: str) -> list[str]:
    return [f"{f.place}: {f.text.en}" for f in findings if f.level == level]


def found(scheme: Scheme, level: str) -> list[str]:
    return told(check_scheme(scheme), level)


@pytest.mark.parametrize("name", scheme_names())
def test_the_documented_schemes_have_no_error(name: str):
    assert told(checked(name), "error") == []


def test_what_the_documents_leave_open_is_warned_of():
    assert told(checked("five_step"), "warning") == [
        "labels.value: no rule fits, for instance: monetary 299999.999, frequency 0, tenure_days 0"
    ]
    assert "tiers: suggested shares sum to 80-105%; they are reported, never forced" in told(
        checked("relationship_rating"), "note"
    )


@pytest.mark.parametrize("name", [name for name in scheme_names() if load_scheme(name).dimensions])
def test_shares_sum_to_one_and_spans_to_the_range_of_the_score(name: str):
    scheme = load_scheme(name)
    parts = indicator_contributions(scheme)
    assert sum(part.share for part in parts) == 1
    low, high = score_range(scheme)
    assert sum(part.span for part in parts) == high - low
    assert high <= 100


def test_the_range_follows_the_points_that_can_occur():
    assert score_range(load_scheme("relationship_rating")) == (Fraction(118, 10), 100)
    assert score_range(tiny()) == (Fraction(1, 2) * 10 + Fraction(1, 4) * 40 + Fraction(1, 4) * 10, 100)


SCHEMES = [
    (TINY.replace("at_most: 50, points: 1}", "above: 0, at_most: 50, points: 1}, {at_most: 0, points: 1}")
         .replace("label: 金额, unit: money}", "label: 金额, unit: money, at_least: 1}"),
     "error", "one.amount: no value can lie in (-∞, 0]"),
    (TINY.replace("{AAA: 10, B: 4}", "{AAA: 4, B: 4}"), "warning", "one.rated: every value gets 4 points"),
    (TINY.replace("at_least: 50, source", "at_least: 101, source").replace("below: 50, source", "below: 101, source"),
     "warning", "tiers.A: tier A cannot be reached"),
    (TINY.replace("at_least: 50, source", "at_least: 5, source").replace("below: 50, source", "below: 5, source"),
     "warning", "tiers.B: tier B cannot be reached"),
    (TINY.replace("at_least: 50, source", "share: [0.2, 0.3], at_least: 50, source")
         .replace("below: 50, source", "share: [0.2, 0.3], below: 50, source"),
     "error", "tiers: suggested shares cannot sum to 100%"),
    (TINY + LABEL.replace("source: c}]\n", "source: c}, {value: small, when: {monetary: {at_least: 7}}, source: c}]\n"),
     "error", "labels.size: rule 2 (small) can never fire"),
    (TINY + LABEL.replace("    otherwise: small\n", ""), "error", "labels.size: nothing gives 'small'"),
    (TINY + LABEL.replace("    otherwise: small\n", ""), "warning", "for instance: monetary 4.999"),
    (TINY + LABEL.replace("{at_least: 5}", "{at_least: 0.5, of: mark}").replace("    otherwise: small\n", ""),
     "warning", "no rule fits, for instance: monetary / mark 0.499"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "level", "words"), SCHEMES)
def test_what_was_put_wrong_is_found(text: str, level: str, words: str):
    lines = found(strict_yaml.build_model(Scheme, text), level)
    assert [line for line in lines if words in line], lines


def test_a_label_with_too_many_cells_is_said_to_be_unchecked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tierlens.grading.rule_cells.MAX_CELLS", 2)
    monkeypatch.setattr(lint, "probe_scheme", lambda _: [])  # takes its time, and knows nothing of cells
    scheme = load_scheme("relationship_guide")
    assert label_cells(scheme, scheme.labels[0]) is None
    assert "labels.value: too many cells to look at all of them" in found(scheme, "warning")


def test_a_change_with_the_unit_or_the_number_of_customers_is_an_error(monkeypatch: pytest.MonkeyPatch):
    turns = iter(["A", "B", "C"])
    monkeypatch.setattr(probe, "_tiers", lambda *_, **__: [next(turns)])
    assert [text.en for text in probe.probe_scheme(load_scheme("five_step"))] == [
        "the unit of money changes tiers",
        "counting every customer twice changes tiers",
    ]
    monkeypatch.setattr(lint, "probe_scheme", lambda _: [probe.Text("x", "某")])
    assert found(tiny(), "error") == ["grade: x"]


def test_parameters_that_no_command_reads_say_so() -> None:
    notes = {found.place: found.text for found in checked("classification_standard")}
    assert "no command reads it yet" in notes["parameters.audit_share"].en
    assert "目前没有命令读取" in notes["parameters.trial_months"].zh
