"""What documents ask of a company: strict, shown in both languages, and never lost in a workbook."""

from __future__ import annotations

import pytest

from tests.grading.conftest import checked
from tests.grading.test_scoring import TINY
from tierlens import strict_yaml
from tierlens.errors import SchemeError
from tierlens.grading.scheme.parts import Notes
from tierlens.grading.scheme.scheme import Scheme, load_scheme, scheme_names
from tierlens.grading.workbook.from_workbook import scheme_from_tables
from tierlens.grading.workbook.to_workbook import scheme_tables

PRACTICE = "practices: [{id: calls, kind: kpi, name: Calls, label: 致电, source: c, note: {en: ours, zh: 自定}}]\n"


def test_a_practice_of_ones_own_loads_and_survives_its_tables():
    scheme = strict_yaml.build_model(Scheme, TINY + PRACTICE)
    assert scheme.practices[0].note[0].en == "ours"
    assert scheme_from_tables(scheme_tables(scheme)) == scheme


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("kind: kpi", "kind: kpis", "kind"),
        ("source: c, note", "note", "source"),
        ("label: 致电", "label: 致电, months: 3", "months"),
        ("[{id: calls", "[{id: calls, kind: goal, name: x, label: x, source: c}, {id: calls", "'calls' is there twice"),
    ],
)
def test_a_slip_in_a_practice_is_refused(old: str, new: str, told: str):
    with pytest.raises(SchemeError, match=told):
        strict_yaml.build_model(Scheme, TINY + PRACTICE.replace(old, new, 1))


def test_the_linter_says_what_no_command_reads():
    found = {one.place: one.text for one in checked("tiered_management")}
    assert found["practices.measures_done"].zh == "考核指标：管理措施执行率：仅供查阅，目前没有命令读取"
    assert found["practices.appeal"].en.endswith(
        "is investigated and answered: stated for people; no command reads it yet"
    )


@pytest.mark.parametrize("name", scheme_names())
def test_every_scheme_says_what_is_its_own_reading(name: str):
    """Windows and net amounts are read by us in all five: their notes say so in both languages."""
    notes: Notes = load_scheme(name).notes
    for part in ("365", "net of returns", "at_risk"):
        assert any(part in note.en for note in notes), part
    for part in ("365", "扣除退货", "at_risk"):
        assert any(part in note.zh for note in notes), part


@pytest.mark.parametrize("name", scheme_names())
def test_settings_that_no_document_states_have_a_note(name: str):
    scheme = load_scheme(name)
    said = " ".join(note.en for note in scheme.notes)
    assert not scheme.borderline_margin or "borderline_margin" in said
    assert not scheme.low_coverage or "low_coverage" in said
    assert not scheme.borderline_share or "within 5 % of a cut" in said
    if any(indicator.proxy for _, indicator in scheme.indicators):
        assert "use_proxies" in said


def test_measures_of_the_sample_card_say_so():
    tier = next(one for one in load_scheme("relationship_rating").tiers if one.id == "B")
    of_card = [one for one in tier.measures if one.source == "评级卡示例"]
    assert [one.zh for one in of_card][-1] == "优化服务流程"
    assert all(one.note is not None and "sample card" in one.note.en for one in of_card)
    assert len(of_card) == 4
