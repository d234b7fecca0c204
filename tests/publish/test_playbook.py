"""A next step for every kind of customer, from a document."""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierlens import strict_yaml
from tierlens.errors import SchemeError
from tierlens.features.catalog import WHOLE
from tierlens.grading.scheme.duties import measures_at
from tierlens.grading.scheme.scheme import Scheme, load_scheme, scheme_names
from tierlens.publish.lists import playbook
from tierlens.publish.lists.bands import BANDS
from tierlens.publish.lists.playbook import Playbook, load_playbook, next_step, playbook_step, with_next_steps
from tierlens.words import Lang

RISK = st.none() | st.floats(0, 1)
KINDS = [(name, tier.id, band) for name in scheme_names() for tier in load_scheme(name).tiers for band in BANDS]
SOURCES = ("relationship_rating", "tiered_management", "five_step", "relationship_guide", "classification_standard")


@pytest.mark.parametrize("tier", ["A", "B", "C", "D", "other"])
@pytest.mark.parametrize("band", list(BANDS))
def test_every_tier_and_band_has_a_documented_measure(tier: str, band: str) -> None:
    measure = load_playbook().measures[tier][band]
    assert measure.source.startswith(SOURCES) or (tier, measure.source) == ("other", "tierlens")
    assert tier != "other" or measure.source == "tierlens"  # no document says what to do without a tier
    assert measure.en.isascii()
    assert not measure.zh.isascii()


def test_every_family_of_the_catalog_has_a_focus() -> None:
    families = {feature.family for feature in WHOLE.values() if feature.family}
    assert families <= load_playbook().focus.keys()


@pytest.mark.parametrize(
    ("tier", "band", "family", "lang", "expected"),
    [
        ("A", "high", "recency", "en", "Executive visit this month, led by senior management; agree a tailored "
         "solution; ask why the purchases stopped"),
        ("D", "low", None, "zh", "保持基本联系，减少拜访，关注潜力"),
        ("战略客户", "unknown", "no such family", "en", "Dedicated account manager, after-sales priority"),
        (None, None, None, "en", "Standard service until there is a tier"),
        ("Z", "purple", "returns", "en", "Standard service until there is a tier; settle returns and quality first"),
    ],
)  # fmt: skip
def test_cases(tier: str | None, band: str | None, family: str | None, lang: str, expected: str) -> None:
    assert next_step(tier, band, family, lang) == expected


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(("name", "tier", "band"), KINDS)
def test_the_scheme_in_use_comes_first(name: str, tier: str, band: str, lang: Lang) -> None:
    """For all five schemes: what their own document states for the tier, then what another one adds."""
    scheme = load_scheme(name)
    own = next(one for one in scheme.tiers if one.id == tier)
    found = playbook_step(tier, band, "recency", scheme=scheme)
    assert found.source.startswith(f"{name} {tier} (")
    said = found.text.say(lang)
    stated = [one.text.say(lang) for one in measures_at(own.measures, band)]
    places = [said.casefold().find(words.casefold()) for words in stated]
    assert stated
    assert -1 not in places
    assert places == sorted(places)
    focus = load_playbook().focus["recency"]
    assert said.endswith(focus.text.say(lang))
    added = "" if name == "relationship_guide" else "supplement: "
    assert found.source.endswith(f"; relationship_guide ({added}tag for a renewal risk, no order in the last 3 months)")
    assert found.source.count("supplement") == found.source.count(" (") - 1 - (not added)
    others = [said.find(word) for word in ("as a supplement", "补充") if word in said]
    assert all(place > max(places) for place in others)
    assert bool(others) == (name == "classification_standard")


def test_a_middle_customer_of_the_guide_gets_its_maintenance_plan() -> None:
    guide = load_scheme("relationship_guide")
    assert "季度沟通" in playbook_step("middle", "medium", None, scheme=guide).zh
    assert "half-yearly contact" in playbook_step("low", "medium", None, scheme=guide).en


def test_development_and_prospective_customers_get_the_strategy_for_low_value() -> None:
    five = load_scheme("five_step")
    for tier in ("development", "prospective"):
        assert "automated nurturing" in playbook_step(tier, "high", None, scheme=five).en
        assert next_step(tier, "high", None) == next_step("C", "high", None)


def own_scheme(measures: str) -> Scheme:
    text = f"""
id: ours
name: Ours
label: 自有
version: "1"
valid_from: 2026-01-01
source: {{document: ours.txt, clause: all}}
currency: CNY
features: {{monetary: {{name: Amount, label: 金额, unit: money}}}}
labels:
  - id: value
    name: Value
    label: 价值
    source: one
    values: [{{id: gold, name: Gold, label: 金}}, {{id: tin, name: Tin, label: 锡}}]
    rules:
      - {{value: gold, when: {{monetary: {{at_least: 10}}}}, source: one}}
      - {{value: tin, when: {{monetary: {{below: 10}}}}, source: one}}
tier_by: value
tiers:
  - {{id: gold, name: Gold, label: 金, source: clause 2, measures: {measures}}}
  - {{id: tin, name: Tin, label: 锡, source: clause 3}}
"""
    return strict_yaml.build_model(Scheme, text)


def test_measures_of_ones_own_come_first_and_at_the_risk_that_they_name() -> None:
    ours = own_scheme(
        "[{en: R&D visit, zh: 研发拜访, at_risk: [high]}, {en: A letter, zh: 写信, at_risk: [low], source: clause 9}, "
        "{en: Call, zh: 致电}]"
    )
    high, low = (playbook_step("gold", band, None, scheme=ours) for band in ("high", "low"))
    assert (high.en, high.zh) == ("This month: R&D visit; call", "本月：研发拜访；致电")
    assert (low.en, low.zh) == ("A letter; call", "写信；致电")
    assert (high.source, low.source) == ("ours gold (clause 2)", "ours gold (clause 9; clause 2)")
    assert playbook_step("gold", "purple", None, scheme=ours).zh == "致电"


def test_a_tier_without_measures_says_so_before_it_borrows() -> None:
    tin = playbook_step("tin", "low", None, scheme=own_scheme("[{en: Call, zh: 致电}]"))
    assert tin.en == playbook_step("D", "low", None).en
    assert tin.source.startswith("ours tin (states no measures); relationship_rating D (supplement: fewer")


def test_a_risk_that_no_measure_can_name_is_refused() -> None:
    with pytest.raises(SchemeError, match="at_risk"):
        own_scheme("[{en: Call, zh: 致电, at_risk: [hihg]}]")


@pytest.fixture(scope="module")
def own_book(tmp_path_factory: pytest.TempPathFactory) -> Playbook:
    """A company's own playbook, whose bands are fixed risks."""
    shipped = Path(playbook.__file__).with_name("playbook.yaml").read_text("utf-8")
    by_share = (
        "churn: {high: {share: 0.10}, medium: {share: 0.20}}\n  downgrade: {high: {share: 0.10}, medium: {share: 0.20}}"
    )
    assert by_share in shipped
    path = tmp_path_factory.mktemp("own") / "ours.yaml"
    fixed = "churn: {high: 0.60, medium: 0.30}\n  downgrade: {high: {at_least: 0.50}, medium: 0.20}"
    path.write_text(shipped.replace(by_share, fixed), "utf-8")
    return load_playbook(path)


def own_bands(book: Playbook, churn: list[float | None], downgrade: list[float | None]) -> list[str]:
    risks = {"churn_risk": pa.array(churn, pa.float64()), "downgrade_risk": pa.array(downgrade, pa.float64())}
    nothing = pa.nulls(len(churn), pa.string())
    found: list[str] = with_next_steps(pa.table({**risks, "tier": nothing, "reason_code": nothing}), book)[
        "risk_band"
    ].to_pylist()
    return found


def slow_band(churn: float | None, downgrade: float | None) -> str:
    ranks = []
    for risk, high, medium in ((churn, 0.6, 0.3), (downgrade, 0.5, 0.2)):
        if risk is not None:
            ranks.append((round(risk, 9) >= medium) + (round(risk, 9) >= high))
    return ("low", "medium", "high")[max(ranks)] if ranks else "unknown"


@given(st.lists(st.tuples(RISK, RISK), min_size=1))
def test_fixed_risks_of_an_own_playbook_equal_the_slow_loop(
    own_book: Playbook, pairs: list[tuple[float | None, float | None]]
) -> None:
    churn, downgrade = ([pair[place] for pair in pairs] for place in (0, 1))
    assert own_bands(own_book, churn, downgrade) == [slow_band(*pair) for pair in pairs]


def test_a_fixed_risk_belongs_to_the_higher_band(own_book: Playbook) -> None:
    risks = [0.6, math.nextafter(0.6, 0), 0.3, 0.2999]
    assert own_bands(own_book, risks, [None] * 4) == ["high", "high", "medium", "low"]


@given(RISK, RISK, RISK)
def test_more_risk_is_never_a_lower_band(
    own_book: Playbook, churn: float | None, downgrade: float | None, more: float | None
) -> None:
    order = ["unknown", "low", "medium", "high"]
    before, after = own_bands(own_book, [churn, max(churn or 0, more or 0)], [downgrade, downgrade])
    assert order.index(after) >= order.index(before)


def test_columns_equal_single_steps(own_book: Playbook) -> None:
    table = pa.table({
        "tier": ["A", "B", None, "C"],
        "churn_risk": [0.9, None, 0.4, 0.1],
        "downgrade_risk": pa.array([None, None, 0.1, 0.3]),
        "reason_code": ["R-RECENCY", None, "R-ORDER-VALUE", "R-ODD"],
    })  # fmt: skip
    found = with_next_steps(table, own_book)
    assert found["risk_band"].to_pylist() == ["high", "unknown", "medium", "medium"]
    assert found["churn_band"].to_pylist() == ["high", None, "medium", "low"]
    assert found["downgrade_band"].to_pylist() == [None, None, "low", "medium"]
    families = ["recency", None, "order_value", "odd"]
    for row, family in zip(found.to_pylist(), families, strict=True):
        expected = playbook_step(row["tier"], row["risk_band"], family)
        assert (row["next_step_en"], row["next_step_zh"], row["next_step_source"]) == tuple(
            getattr(expected, part) for part in ("en", "zh", "source")
        )
    assert found.column_names[:4] == table.column_names


def test_no_customers_is_no_error() -> None:
    empty = pa.table({"tier": [], "churn_risk": [], "downgrade_risk": [], "reason_code": []})
    assert with_next_steps(empty).num_rows == 0


def test_a_slip_in_an_own_playbook_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("format: 1\nbnads: {}\n", "utf-8")
    with pytest.raises(SchemeError, match=r"mine\.yaml:2:\d+: there is no key 'bnads' here; did you mean 'bands'"):
        load_playbook(path)
