"""A next step for every kind of customer, from a document."""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierlens.errors import SchemeError
from tierlens.features.catalog import WHOLE
from tierlens.publish.playbook import BANDS, load_playbook, next_step, risk_band, step, with_next_steps

RISK = st.none() | st.floats(0, 1)
SOURCES = ("relationship_rating", "tiered_management", "five_step", "relationship_guide", "classification_standard")


@pytest.mark.parametrize("tier", ["A", "B", "C", "D", "other"])
@pytest.mark.parametrize("band", list(BANDS))
def test_every_tier_and_band_has_a_documented_measure(tier: str, band: str) -> None:
    measure = load_playbook().measures[tier][band]
    assert measure.source.startswith(SOURCES) or (tier, measure.source) == ("other", "tierlens")
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


def slow_band(churn: float | None, downgrade: float | None) -> str:
    bounds = load_playbook().bands
    ranks = []
    for risk, limits in ((churn, bounds.churn), (downgrade, bounds.downgrade)):
        if risk is not None:
            ranks.append((round(risk, 9) >= limits.medium) + (round(risk, 9) >= limits.high))
    return ("low", "medium", "high")[max(ranks)] if ranks else "unknown"


@given(st.lists(st.tuples(RISK, RISK), min_size=1))
def test_bands_equal_the_slow_loop(pairs: list[tuple[float | None, float | None]]) -> None:
    churn, downgrade = (pa.array([pair[place] for pair in pairs], pa.float64()) for place in (0, 1))
    assert risk_band(churn, downgrade).to_pylist() == [slow_band(*pair) for pair in pairs]


def test_a_bound_belongs_to_the_higher_band() -> None:
    nearly = math.nextafter(0.6, 0)
    assert risk_band(pa.array([0.6, nearly, 0.3, 0.2999]), pa.nulls(4)).to_pylist() == ["high", "high", "medium", "low"]


@given(RISK, RISK, RISK)
def test_more_risk_is_never_a_lower_band(churn: float | None, downgrade: float | None, more: float | None) -> None:
    order = ["unknown", "low", "medium", "high"]
    before, after = risk_band(
        pa.array([churn, max(churn or 0, more or 0)], pa.float64()), pa.array([downgrade, downgrade], pa.float64())
    ).to_pylist()
    assert order.index(after) >= order.index(before)


def test_columns_equal_single_steps() -> None:
    table = pa.table({
        "tier": ["A", "B", None, "C"],
        "churn_risk": [0.9, None, 0.4, 0.1],
        "downgrade_risk": pa.array([None, None, 0.1, 0.3]),
        "reason_1_code": ["R-RECENCY", None, "R-ORDER-VALUE", "R-ODD"],
    })  # fmt: skip
    found = with_next_steps(table)
    families = ["recency", None, "order_value", None]
    for row, family in zip(found.to_pylist(), families, strict=True):
        expected = step(row["tier"], row["risk_band"], family)
        assert (row["next_step_en"], row["next_step_zh"], row["next_step_source"]) == tuple(
            getattr(expected, part) for part in ("en", "zh", "source")
        )
    assert found.column_names[:4] == table.column_names


def test_no_customers_is_no_error() -> None:
    empty = pa.table({"tier": [], "churn_risk": [], "downgrade_risk": [], "reason_1_code": []})
    assert with_next_steps(empty).num_rows == 0


def test_a_slip_in_an_own_playbook_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("format: 1\nbnads: {}\n", "utf-8")
    with pytest.raises(SchemeError, match=r"mine\.yaml:2:\d+: there is no key 'bnads' here; did you mean 'bands'"):
        load_playbook(path)
