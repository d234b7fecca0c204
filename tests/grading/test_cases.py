"""Every documented number: the case files pass, and no bound of a scheme is without a case on each side."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from tierlens import strict_yaml
from tierlens.errors import SchemeError
from tierlens.grading import cases
from tierlens.grading.clauses import stated_at
from tierlens.grading.scheme.grammar import Edge
from tierlens.grading.scheme.scheme import Scheme, load_scheme, scheme_names

FOLDER = Path(__file__).parents[1] / "schemes"
FILES = sorted(FOLDER.glob("*.yaml"))


def test_every_scheme_has_a_case_file():
    assert [file.stem for file in FILES] == scheme_names()


@cache
def outcomes_of(file: Path) -> list[cases.Outcome]:
    return list(cases.run_cases(file))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_cases_pass(file: Path):
    outcomes = outcomes_of(file)
    assert not [outcome for outcome in outcomes if not outcome.passed]
    assert len(outcomes) > 30


def edges(scheme: Scheme) -> Iterator[tuple[str, str, Edge]]:
    """Every bound that a value is held against: the table of cuts, the column, the edge."""
    for _, indicator in scheme.indicators:
        for table, cuts in indicator.cut_tables():
            yield from ((table, indicator.feature, e) for cut in cuts for e in (cut.start, cut.end) if e)
    if scheme.tier_by == "score":
        yield from (("", "score", tier.start) for tier in scheme.tiers if tier.start)
    whens = [rule.when for label in scheme.labels for rule in label.rules] + [t.when for t in scheme.triggers]
    for alternative in (alternative for when in whens for alternative in when):
        for column, condition in alternative.items():
            if condition.of is None:
                yield from (("", column, e) for e in (condition.start, condition.end) if e)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_bound_has_a_case_on_each_side(file: Path):
    known = strict_yaml.build_model(cases.CaseFile, file)
    scheme = load_scheme(known.scheme)
    for table, column, (bound, after) in set(edges(scheme)):
        values = {
            Decimal(value)
            for case in known.cases
            for name, value in [*case.given.items(), *case.expect.items(), *_means(scheme, case)]
            if name == column and isinstance(value, Decimal) and (not table or case.table == table)
        }
        near = max(abs(bound) / 100, Decimal(1))
        close = [value for value in values if abs(value - bound) <= near]
        below = [value for value in close if value < bound or (value == bound and after)]
        above = [value for value in close if value > bound or (value == bound and not after)]
        assert below, (scheme.id, column, bound)
        assert above, (scheme.id, column, bound)


def _means(scheme: Scheme, case: cases.Case) -> Iterator[tuple[str, cases.Value]]:
    """Mean points of a dimension, where a case gives the same points to every indicator."""
    for dimension in scheme.dimensions:
        given = {case.given.get(f"points_{indicator.id}") for indicator in dimension.indicators}
        yield from ((f"points_{dimension.id}", value) for value in given if len(given) == 1)


def test_every_number_and_word_outside_scoring_is_stated():
    for file in FILES:
        known = strict_yaml.build_model(cases.CaseFile, file)
        scheme = load_scheme(known.scheme)
        due = {f"parameters.{parameter.id}.value" for parameter in scheme.parameters}
        due |= {f"tiers.{tier.id}.share" for tier in scheme.tiers if tier.share}
        due |= {f"tiers.{tier.id}.measures.zh" for tier in scheme.tiers} | {"label"}
        due |= {f"tiers.{tier.id}.label" for tier in scheme.tiers}
        due |= {f"practices.{practice.id}.label" for practice in scheme.practices}
        if not scheme.normalise_weights:
            due |= {f"dimensions.{dimension.id}.weight" for dimension in scheme.dimensions}
            due |= {f"indicators.{indicator.id}.weight" for _, indicator in scheme.indicators}
        assert due <= {state.at for state in known.states}, scheme.id


def test_there_are_enough_cases_and_each_has_its_clause():
    outcomes = [outcome for file in FILES for outcome in outcomes_of(file)]
    assert len(outcomes) >= 420
    assert len({(outcome.scheme, outcome.name) for outcome in outcomes}) == len(outcomes)  # none is counted twice
    assert not [outcome for outcome in outcomes if not outcome.clause]


@pytest.mark.parametrize(
    ("path", "due"),
    [
        ("dimensions.credit.weight", (Decimal("0.15"), "分级指标：信用状况（15%）")),
        ("indicators.credit_rating.ordinal.AAA", (100, "信用状况：信用评级（5%）")),
        ("tiers.D.measures.0.zh", ("风险评估与监控", "客户等级：D级，55分以下")),
        ("practices.appeal.kind", ("process", "分级流程：申诉")),
        ("points.high", (100, "分级客户管理办法")),
        ("tiers.D.measures.9.zh", (None, "客户等级：D级，55分以下")),
        ("tiers.Z.label", (None, "分级客户管理办法")),
        ("nothing", (None, "分级客户管理办法")),
    ],
)
def test_what_stands_in_a_scheme_and_where_the_document_says_it(path: str, due: tuple[object, str]):
    assert stated_at(load_scheme("tiered_management"), path) == due


def test_measures_of_several_clauses_name_them_all():
    guide = load_scheme("relationship_rating")
    assert stated_at(guide, "tiers.D.measures.zh")[1] == "等级应用：D级；等级划分：60分以下，占比20%-30%"
    assert stated_at(guide, "tiers.B.measures.4.zh") == ("优化服务流程", "评级卡示例")


WRONG = """
scheme: five_step
states:
  - {at: parameters.new_high_potential.value, is: 99}
  - {at: tiers.none.label, is: 战略客户}
  - {at: parameters.wake_after_months.value, is: 6, clause: 第三步}
cases:
  - {name: too low, given: {monetary: 1, frequency: 1}, expect: {tier: core, flags: proxy}}
"""


def test_a_fault_says_what_is_and_what_must_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "five_step.yaml").write_text(WRONG)
    assert cases.main(str(tmp_path)) == 4
    told = capsys.readouterr().out
    assert "five_step                        4 cases     0 passed" in told
    assert "parameters.new_high_potential.value: is 100, must be 99" in told
    assert "wake_after_months.value: cites 第一步：激活超过6个月未交易的低价值客户, must cite 第三步" in told
    assert "too low: tier is 'development', must be 'core'; flags is" in told


def test_a_misspelt_key_of_a_case_is_told(tmp_path: Path):
    file = tmp_path / "x.yaml"
    file.write_text("scheme: five_step\ncases:\n  - {name: x, givn: {}, expect: {tier: core}}\n")
    with pytest.raises(SchemeError, match="did you mean 'given'"):
        cases.run_cases(file)
