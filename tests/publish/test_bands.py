"""Bands of risk: shares hold up to ties, nobody is in two, more risk is never a lower band, rows come in any order."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, nextafter
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.publish.samples import make_customers, make_findings
from tierlens import strict_yaml
from tierlens.publish.lists.bands import (
    BANDS,
    Bands,
    Bounds,
    Cut,
    OwnBands,
    band_begins,
    band_headers,
    band_lines,
    band_sentences,
    bands_of,
    worse_band,
)
from tierlens.publish.lists.playbook import load_playbook
from tierlens.publish.report.findings_file import read_findings, write_findings
from tierlens.publish.report.html import render_report

ORDER = ["low", "medium", "high"]
# Few different values, so that many customers are equal, and any at all.
RISKS = st.lists(
    st.none() | st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0]) | st.floats(0, 1), min_size=1, max_size=60
).map(lambda risks: pa.array(risks, pa.float64()))
SHARES = st.tuples(st.integers(1, 60), st.integers(1, 40)).map(lambda pair: (pair[0] / 100, pair[1] / 100))
FIXED = st.floats(0.01, 1)


def by_share(high: float, medium: float) -> Bounds:
    return Bounds(high=Cut(share=high), medium=Cut(share=medium))


CUTS = st.one_of(
    SHARES.map(lambda pair: by_share(*pair)),
    st.tuples(FIXED, FIXED).map(lambda pair: Bounds(high=max(pair), medium=min(pair))),
    st.tuples(FIXED, SHARES).map(lambda pair: Bounds(high=pair[0], medium={"share": pair[1][1]})),
    st.tuples(SHARES, FIXED).map(lambda pair: Bounds(high={"share": pair[0][0]}, medium=pair[1])),
)


def known(risks: pa.Array) -> list[float]:
    return [round(risk, 9) for risk in risks.to_pylist() if risk is not None]


@given(RISKS, SHARES)
def test_shares_hold_up_to_ties(risks: pa.Array, shares: tuple[float, float]) -> None:
    found = list(zip(known(risks), bands_of(risks, by_share(*shares)).drop_null().to_pylist(), strict=True))
    for bands, share in (
        (("high",), Fraction(str(shares[0]))),
        (("high", "medium"), sum(map(Fraction, map(str, shares)))),
    ):
        inside = [risk for risk, band in found if band in bands]
        asked = ceil(share * len(found))
        assert len(inside) >= asked
        # Without those who have the very risk at which the band begins, there are fewer than asked for.
        assert len([risk for risk in inside if risk > min(inside)]) < max(asked, 1)


@given(RISKS, CUTS)
def test_every_customer_with_a_risk_has_one_band_and_nobody_else(risks: pa.Array, bounds: Bounds) -> None:
    found = bands_of(risks, bounds).to_pylist()
    assert [band is None for band in found] == [risk is None for risk in risks.to_pylist()]
    assert set(found) - {None} <= set(ORDER)


@given(RISKS, CUTS, st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(risks: pa.Array, bounds: Bounds, chance: Any) -> None:
    order = list(range(len(risks)))
    chance.shuffle(order)
    assert bands_of(risks.take(pa.array(order)), bounds).equals(bands_of(risks, bounds).take(pa.array(order)))


@given(RISKS, CUTS)
def test_higher_risk_is_never_a_lower_band_and_equal_risks_are_together(risks: pa.Array, bounds: Bounds) -> None:
    bands = bands_of(risks, bounds).drop_null().to_pylist()
    pairs = sorted(zip(known(risks), map(ORDER.index, bands), strict=True))
    assert [rank for _, rank in pairs] == sorted(rank for _, rank in pairs)
    assert len(set(pairs)) == len({risk for risk, _ in pairs})


@given(RISKS, CUTS)
def test_a_band_begins_where_it_says(risks: pa.Array, bounds: Bounds) -> None:
    high, medium = band_begins(risks, bounds)
    expected = ["high" if risk >= high else "medium" if risk >= medium else "low" for risk in known(risks)]
    assert bands_of(risks, bounds).drop_null().to_pylist() == expected


@pytest.mark.parametrize(
    ("count", "high", "medium"), [(1, 1, 0), (2, 1, 0), (3, 1, 0), (4, 1, 1), (10, 1, 2), (30, 3, 6), (4324, 433, 865)]
)
def test_a_tenth_and_a_fifth_are_whole_customers_rounded_up(count: int, high: int, medium: int) -> None:
    found = bands_of(pa.array([place / count for place in range(count)]), by_share(0.1, 0.2)).to_pylist()
    assert (found.count("high"), found.count("medium")) == (high, medium)


def test_equal_risks_go_together_into_the_higher_band() -> None:
    risks = pa.array([0.9, *[0.5] * 5, *[0.1] * 4])
    assert bands_of(risks, by_share(0.2, 0.1)).to_pylist() == ["high"] * 6 + ["low"] * 4
    assert set(bands_of(pa.array([0.4] * 10), by_share(0.1, 0.2)).to_pylist()) == {"high"}
    # What is printed as one risk is one risk: the ninth place decides.
    assert bands_of(pa.array([0.6, nextafter(0.6, 0), 0.1]), by_share(0.3, 0.3)).to_pylist() == ["high", "high", "low"]


def test_a_share_below_a_fixed_risk_is_of_the_next_customers() -> None:
    risks = pa.array([0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    found = bands_of(risks, Bounds(high={"at_least": 0.75}, medium={"share": 0.2}))
    assert found.to_pylist() == ["high"] * 3 + ["medium"] * 2 + ["low"] * 5


def test_without_any_risk_there_is_no_band() -> None:
    for risks in (pa.array([], pa.float64()), pa.array([None, float("nan")], pa.float64())):
        assert bands_of(risks, by_share(0.1, 0.2)).null_count == len(risks)


@given(RISKS, CUTS)
def test_the_worse_band_equals_the_slow_loop(risks: pa.Array, bounds: Bounds) -> None:
    one, other = bands_of(risks, bounds), bands_of(risks.take(pa.array(range(len(risks))[::-1])), bounds)
    slow = [
        max((band for band in pair if band is not None), key=ORDER.index, default="unknown")
        for pair in zip(one.to_pylist(), other.to_pylist(), strict=True)
    ]
    assert worse_band(one, other).to_pylist() == slow


@pytest.mark.parametrize(
    ("text", "en", "zh"),
    [
        ("high: {share: 0}\nmedium: {share: 0.2}", "<text>:1:15: high.share: ", "high.share："),
        ("high: {share: 1}\nmedium: {share: 0.2}", "<text>:1:15: high.share: ", "high.share："),
        ("high: {share: 0.1}\nmedium: {at_least: 1.2}", "<text>:2:20: medium.at_least: ", "medium.at_least："),
        ("high: {share: 0.6}\nmedium: {share: 0.41}", "more than 1 together (0.6 and 0.41)", "之和大于 1"),
        ("high: 0.3\nmedium: 0.6", "medium begins above high (0.6 and 0.3)", "medium 的起点高于 high"),
        ("high: {share: 0.1, at_least: 0.5}\nmedium: 0.2", "give either 'share'", "二者取一"),
        ("high: {}\nmedium: 0.2", "give either 'share'", "二者取一"),
        ("high: {shar: 0.1}\nmedium: 0.2", "no key 'shar' here; did you mean 'share'?", "是否指 'share'"),
        ("high: {cost: 3}\nmedium: 0.2", "there is no key 'cost' here", "没有键 'cost'"),
        ("high: 0.6", "medium", "medium"),
        ("high: often\nmedium: 0.2", "high.at_least: ", "high.at_least："),
    ],
)
def test_a_slip_is_told_with_its_place(text: str, en: str, zh: str) -> None:
    with pytest.raises(Exception, match="E-YA-020") as caught:
        strict_yaml.build_model(Bounds, text)
    assert en in str(caught.value)
    assert zh in caught.value.say("zh")  # type: ignore[attr-defined]


def test_shares_may_be_everybody() -> None:
    assert by_share(0.7, 0.3).medium.share == 0.3
    with pytest.raises(ValidationError):
        by_share(0.7, 0.31)


def test_a_run_file_may_state_one_risk_and_leave_the_other() -> None:
    shipped = load_playbook().bands
    found = OwnBands(churn=by_share(0.05, 0.1)).over(shipped)
    assert found == Bands(churn=by_share(0.05, 0.1), downgrade=shipped.downgrade)
    assert OwnBands().over(shipped).churn == by_share(0.1, 0.2)


def test_the_report_and_the_findings_tell_where_a_band_begins(tmp_path: Any) -> None:
    customers = make_customers(60)
    lines = band_lines(customers, load_playbook().bands)
    for outcome in ("churn", "downgrade"):
        of = {line.band: line for line in lines if line.outcome == outcome}
        rows = [row for row in customers.to_pylist() if row[f"{outcome}_risk"] is not None]
        assert {line.whole for line in of.values()} == {len(rows)} == {sum(line.customers for line in of.values())}
        for band in ("high", "medium"):
            inside = [row[f"{outcome}_risk"] for row in rows if row[f"{outcome}_band"] == band]
            assert len(inside) == of[band].customers
            assert round(min(inside), 9) == of[band].begins
    findings = make_findings()
    object.__setattr__(findings, "bands", lines)
    page = render_report(findings, "zh", {"en": {}, "zh": {}})
    for line in lines:
        assert line.told.en in page
        assert line.told.zh in page
    assert read_findings(write_findings(findings, tmp_path / "findings.json")).bands == lines
    assert len(band_sentences(lines)) == 2
    headers = band_headers(lines)
    assert headers["churn_band"].en == "churn band (high: 0.9438 and more; medium: 0.8123 and more)"
    assert headers["downgrade_band"].zh == "降级风险档（高：不低于 0.9；中：不低于 0.7）"


def test_who_has_no_such_risk_is_not_told_of() -> None:
    customers = make_customers(12)
    place = customers.column_names.index("downgrade_band")
    without = customers.set_column(place, "downgrade_band", pa.nulls(12, pa.string()))
    assert {line.outcome for line in band_lines(without, load_playbook().bands)} == {"churn"}


def test_a_fixed_risk_is_told_as_one() -> None:
    fixed = Bounds(high=0.5, medium=0.2)
    lines = band_lines(make_customers(60), Bands(churn=fixed, downgrade=fixed))
    assert lines[0].told.en.startswith("high: a risk of 0.5 and more (")
    assert lines[1].told.zh.startswith("中：风险值不低于 0.2（")
    assert lines[2].told.en.startswith("low: the rest (")
    assert set(BANDS) == {"high", "medium", "low", "unknown"}
