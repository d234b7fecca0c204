"""What a scheme file may say: cases 58 and 63-67 of the bad-input catalogue, and everything that must hang together."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.grading.test_scoring import TINY
from tierlens import strict_yaml
from tierlens.errors import SchemeError
from tierlens.grading.scheme.grammar import Band, Condition, partition_fault, plain_number
from tierlens.grading.scheme.scheme import Scheme, load_scheme, scheme_names

LABEL = """
labels:
  - id: size
    name: Size
    label: 规模
    values: [{id: big, name: Big, label: 大}, {id: small, name: Small, label: 小}]
    otherwise: small
    source: c
    rules: [{value: big, when: {monetary: {at_least: 5}}, source: c}]
"""

REFUSED = [
    ("weight: 0.5", "wieght: 0.5", "s.yaml:26:17: there is no key 'wieght' here; did you mean 'weight'?"),
    ("feature: monetary", "feature: monetery", "is no feature 'monetery' under 'features'; did you mean 'monetary'"),
    ("weight: 0.5", "weight: 0.49", "the weights of the indicators of 'one' sum to 0.99, not 1"),
    ("weight: 0.5", "weight: 50", "sum to 50.5, not 1"),
    ("weight: 0.5", "weight: -0.5", "greater than or equal to 0"),
    ("weight: 0.5", "weight: .nan", "'.nan' can be read in two ways"),
    ("weight: 0.5", "weight: half", "'half' is no plain decimal number"),
    ("weight: 0.5", "weight: true", "True is no plain decimal number"),
    ("at_least: 50, source", "at_least: 60, source", "s.yaml:32:3: tiers: nothing covers 50 up to 60"),
    ("below: 50, source", "below: 60, source", "tiers: (-∞, 60) and [50, ∞) overlap"),
    ("at_least: 50, source", "at_least: 50, below: 100, source", "tiers: nothing covers what is over 100"),
    ("above: 50, below: 100", "above: 60, below: 100", "nothing covers 50 up to 60"),
    ("above: 50, below: 100", "at_least: 50, below: 100", "overlap"),
    ("{at_least: 100, points: 10}", "{at_least: 100, points: 4}", "points do not go up with the value"),
    ("{at_least: 100, points: 10}", "{at_least: 100, points: 11}", "amount: 11 points lie outside 1-10"),
    ("{at_least: 100, points", "{at_least: 100, above: 100, points", "give 'at_least' or 'above', not both"),
    ("above: 50, below: 100", "above: 100, below: 100", "nothing lies in (100, 100)"),
    ("name: Tiny", "name: true", "name: Input should be a valid string"),
    ("name: Tiny", "name: 7", "name: Input should be a valid string"),
    ("id: tiny", "id: tiny scheme", "id: String should match pattern"),
    ("valid_from: 2026-01-01", "valid_from: 2026-02-30", "valid_from"),
    ("currency: CNY", "currency: yuan", "currency"),
    ("currency: CNY\n", "", "amounts need a 'currency'"),
    ("unit: money", "unit: dollars", "features.monetary.unit"),
    ("given: {from: 1, to: 5}", "given: {from: 5, to: 1}", "'from' must be below 'to'"),
    ("given: {from: 1, to: 5}", "given: {from: 1, to: 5}, ordinal: {A: 1}", "give one of 'cuts'"),
    ("given: {from: 1, to: 5}", "normalise: {method: z_score}", "z_score needs both"),
    ("given: {from: 1, to: 5}", "normalise: {method: min_max, centre: 5, slope: 1}", "'slope' go with z_score"),
    ("id: rated", "id: amount", "dimensions: 'amount' is there twice"),
    ("{id: B, name", "{id: A, name", "tiers: 'A' is there twice"),
    ("cuts: [{at_least: 100, points: 10}, {above: 50, below: 100, points: 5}, {at_most: 50, points: 1}]",
     "tables: {general: [{points: 1}]}", "amount has no table None; there are general"),
    ("tiers:", "tier_by: size\ntiers:", "tier_by names no label: 'size'"),
]  # fmt: skip


@pytest.mark.parametrize(("good", "bad", "words"), REFUSED)
def test_a_faulty_scheme_is_refused_with_its_place(good: str, bad: str, words: str):
    assert good in TINY
    with pytest.raises(SchemeError) as told:
        strict_yaml.build_model(Scheme, TINY.replace(good, bad, 1), "s.yaml")
    assert words in str(told.value)
    assert "s.yaml:" in str(told.value)
    assert "\n" not in str(told.value)


MORE = [
    (LABEL.replace("value: big, when", "value: huge, when"), "'huge' is no value of 'size'"),
    (LABEL.replace("otherwise: small", "otherwise: none"), "'none' is no value of 'size'"),
    (LABEL.replace("{monetary: {at", "{money: {at"), "there is no feature 'money' under 'features'"),
    (LABEL.replace("{at_least: 5}", "{at_least: 5, of: spend}"), "there is no feature 'spend'"),
    (LABEL.replace("{at_least: 5}", "{}"), "give bounds, 'is', 'in' or 'missing'"),
    (LABEL.replace("{at_least: 5}", "{is: 5, at_least: 5}"), "one kind of them"),
    (LABEL.replace("{at_least: 5}", "{of: grade, missing: true}"), "'of' goes with bounds"),
    (LABEL + "tier_by: size\n", "tiers are not the values of label 'size'"),
    ("tags: [{id: t, name: T, label: 标, source: c}]\n", "give 'of' or 'when', one of the two"),
    ("tags: [{id: t, name: T, label: 标, of: nothing, source: c}]\n", "there is no feature 'nothing'"),
    ("minimum_coverage: 2\n", "less than or equal to 1"),
    ("minimum_tenure_days: -1\n", "greater than or equal to 0"),
]


@pytest.mark.parametrize(("more", "words"), MORE)
def test_parts_must_hang_together(more: str, words: str):
    with pytest.raises(SchemeError) as told:
        strict_yaml.build_model(Scheme, TINY + more, "s.yaml")
    assert words in str(told.value)


def test_chinese_is_spoken_too():
    with pytest.raises(SchemeError) as told:
        strict_yaml.build_model(Scheme, TINY.replace("weight: 0.5", "weight: 0.49"), "s.yaml")
    assert "权重合计为 0.99，应为 1" in told.value.say("zh")


def test_weights_that_do_not_sum_are_divided_where_that_is_declared():
    scheme = strict_yaml.build_model(Scheme, TINY.replace("weight: 0.5", "weight: 2") + "normalise_weights: true\n")
    assert [str(share) for share in scheme.shares.values()] == ["4/5", "1/10", "1/10"]


def test_ten_tenths_are_one():
    ten = "".join(
        f"      - {{id: i{n}, name: n, label: n, feature: mark, weight: 0.1, source: c, given: {{from: 1, to: 5}}}}\n"
        for n in range(10)
    )
    head, tail = TINY[: TINY.index("      - id: amount")], TINY[TINY.index("tiers:") :]
    scheme = strict_yaml.build_model(Scheme, head + ten + tail)
    assert sum(scheme.shares.values()) == 1


def test_a_value_may_be_a_word_that_other_readers_take_for_a_boolean():
    scheme = strict_yaml.build_model(Scheme, TINY.replace("ordinal: {AAA: 10, B: 4}", "ordinal: {no: 1, on: 10}"))
    assert list(list(scheme.indicators)[1][1].ordinal or {}) == ["no", "on"]


def test_the_hash_depends_on_content_only():
    scheme = strict_yaml.build_model(Scheme, TINY)
    same = "# a comment\n" + TINY.replace("weight: 0.5", "weight: 0.50").replace("label: 小", "label:   小")
    assert strict_yaml.build_model(Scheme, same).sha256 == scheme.sha256
    assert strict_yaml.build_model(Scheme, TINY.replace("points: 5}", "points: 6}")).sha256 != scheme.sha256
    assert len(scheme.sha256) == 64


def test_a_scheme_is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        load_scheme("five_step").version = "2"  # type: ignore[misc]


def test_schemes_come_by_name_or_path(tmp_path: Path):
    file = tmp_path / "mine.yaml"
    file.write_text(TINY)
    assert load_scheme(file).id == load_scheme(str(file)).id == "tiny"
    assert load_scheme("five_step") is load_scheme("five_step")
    with pytest.raises(SchemeError, match=r"E-SC-001: there is no scheme 'five_steps'; did you mean 'five_step'\?"):
        load_scheme("five_steps")
    with pytest.raises(SchemeError, match=r"E-SC-001 --scheme: .*; there are classification_standard; five_step; "):
        load_scheme("zzz", "--scheme")
    with pytest.raises(SchemeError, match="E-YA-001"):
        load_scheme(tmp_path / "none.yaml")


def test_a_file_may_not_pass_for_a_scheme_of_the_package(tmp_path: Path):
    text = resources.files("tierlens.grading").joinpath("schemes", "five_step.yaml").read_text("utf-8")
    file = tmp_path / "ours.yaml"
    file.write_text(text, encoding="utf-8")
    assert load_scheme(file) == load_scheme("five_step")
    file.write_text(text.replace("borderline_share: 0.05", "borderline_share: 0.06"), encoding="utf-8")
    with pytest.raises(SchemeError, match=r"E-SC-005 .*ours\.yaml: .*five_step 1\.0.*version of its own"):
        load_scheme(file)
    file.write_text(file.read_text("utf-8").replace('version: "1.0"', 'version: "1.1"'), encoding="utf-8")
    assert str(load_scheme(file).borderline_share) == "0.06"


@pytest.mark.parametrize("name", scheme_names())
def test_every_part_names_its_source_and_every_title_has_both_languages(name: str):
    scheme = load_scheme(name)
    parts = [*scheme.dimensions, *(i for _, i in scheme.indicators), *scheme.tiers, *scheme.labels, *scheme.triggers]
    parts += [*scheme.tags, *scheme.parameters, *scheme.practices]
    assert all(part.source for part in parts)
    assert all(part.title.en.isascii() and part.title.zh for part in parts if part.id != "it")
    for _, indicator in scheme.indicators:
        for _, cuts in indicator.cut_tables():
            assert all(cut.source or indicator.source for cut in cuts)
    assert scheme.currency == "CNY"
    assert scheme.notes


numbers = st.decimals(-100, 100, places=1, allow_nan=False, allow_infinity=False)


@given(st.lists(numbers, min_size=1, max_size=6, unique=True), st.data())
def test_bands_between_sorted_cuts_are_a_partition(cuts, data):
    cuts = sorted(cuts)
    after = [data.draw(st.booleans()) for _ in cuts]
    uppers = [{"at_most": c} if a else {"below": c} for c, a in zip(cuts, after, strict=True)]
    lowers = [{"above": c} if a else {"at_least": c} for c, a in zip(cuts, after, strict=True)]
    bands = [Band(**low, **up) for low, up in zip([{}, *lowers], [*uppers, {}], strict=True)]
    assert partition_fault(bands) == ""
    value = data.draw(numbers)
    assert sum(band.holds(value) for band in bands) == 1
    assert partition_fault(bands[:-1]) or len(bands) == 1
    assert partition_fault([*bands, bands[0]])


@given(numbers)
def test_numbers_are_written_without_exponent_or_zeros(number):
    text = plain_number(number)
    assert "E" not in text
    assert not ("." in text and text.endswith("0"))


def test_conditions_are_written_for_people():
    assert Condition(missing=True).words() == "missing"
    assert Condition(missing=False).words() == "not missing"
    assert Condition(**{"is": "a"}).words() == "= a"
    assert Condition(**{"in": ["a", "b"]}).words() == "in a, b"
