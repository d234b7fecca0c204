"""Tables of the layers below become parts of the report without losing a customer or a row."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from tests.publish.samples import make_customers
from tierlens.explain.agreement import agreement
from tierlens.explain.contributions import Contributions
from tierlens.explain.scheme_homes import homes_of
from tierlens.grading.scheme.scheme import load_scheme, scheme_names
from tierlens.publish.report.findings import About, Findings
from tierlens.publish.report.gather import picked_spotlights, quality_lines, segments_of, tiers_of, why_of
from tierlens.segments.profile import segment_profile
from tierlens.sources.report.quality import Quality
from tierlens.sources.tables import Currency
from tierlens.words import Text

TIERS = ("A", "B", "C", "D")


def test_quality_closes_in_findings_too() -> None:
    quality = Quality("shop", 10, 6, {"missing_customer": 3, "total_line": 0}, {"duplicate": 1}, flags={})
    lines = quality_lines(quality)
    assert [(line.rows, line.fate) for line in lines] == [
        (10, "in"), (6, "used"), (3, "quarantined"), (1, "deduplicated")
    ]  # fmt: skip
    Findings(About("shop", False, "GBP", 100, 15126, 365, 0, 90), lines)


def test_every_customer_is_in_one_tier_or_ungraded() -> None:
    scheme = load_scheme("relationship_rating")
    graded = pa.table({
        "tier": ["A", "C", None, "C", "D", "D", "D"],
        "coverage": [0.5, 0.5, 0.0, 1.0, 0.5, 0.5, 0.5],
        "points_annual_amount": [10, 7, None, 7, 3, 3, 3],
        "points_renewal_rate": pa.nulls(7, pa.float64()),
    })  # fmt: skip
    found = tiers_of(graded, scheme)
    assert [(line.tier, line.customers) for line in found.lines] == [("A", 1), ("B", 0), ("C", 2), ("D", 3)]
    assert found.ungraded == 1
    assert sum(line.share for line in found.lines) == pytest.approx(1)
    assert found.coverage == pytest.approx(0.5)
    assert found.lines[0].suggested == (0.10, 0.15)
    for line in found.lines:
        assert line.by_chance is not None
        assert 0 <= line.by_chance[0] <= line.share <= line.by_chance[1] <= 1
    assert [text.zh for text in found.no_data] == ["续约率（近2年）"]


def test_nobody_graded_is_no_error() -> None:
    found = tiers_of(pa.table({"tier": pa.nulls(2, pa.string())}), load_scheme("relationship_rating"))
    assert (found.ungraded, sum(line.share for line in found.lines)) == (2, 0)
    assert {line.by_chance for line in found.lines} == {None}


def test_segments_equal_the_slow_count() -> None:
    chance = np.random.default_rng(0)
    labels, tiers = chance.integers(0, 3, 60), chance.choice(TIERS, 60)
    table = pa.table({
        "recency_days": chance.integers(1, 300, 60) + 200 * labels,
        "frequency": chance.integers(1, 9, 60),
        "monetary": [None if label == 2 else int(value) for label, value in zip(labels, range(60), strict=True)],
    })  # fmt: skip
    found = segments_of(
        segment_profile(table, labels, currency=Currency("GBP")),
        agreement(labels, tiers, resamples=20),
        TIERS,
        Text("k", "k"),
    )
    assert [trait.feature for trait in found.traits] == ["recency_days", "frequency", "monetary"]
    pairs = Counter(zip(labels.tolist(), tiers.tolist(), strict=True))
    for label, line in enumerate(found.lines):
        assert line.customers == int((labels == label).sum()) == sum(line.by_tier)
        assert line.by_tier == tuple(pairs[label, tier] for tier in TIERS)
        assert line.medians[0] == np.median(table["recency_days"].to_numpy()[labels == label])
    assert math.isnan(found.lines[2].medians[2])
    assert found.rand.low is not None
    assert found.rand != found.information
    assert found.verdict == agreement(labels, tiers, resamples=20).verdict


def test_why_sums_to_one_and_samples_the_same_rows() -> None:
    chance = np.random.default_rng(1)
    names = ("recency_days", "frequency", "trend_12")
    table = pa.table({name: chance.normal(size=50) for name in names})
    pushes = chance.normal(size=(50, 3)) * [3, 1, 0]
    found = why_of(Contributions(pushes, 0.0, names), table, sample=20)
    assert [weight.dimension for weight in found.features] == ["value", "value"]
    assert sum(weight.share for weight in found.features) == pytest.approx(1)
    assert sum(weight.share for weight in found.dimensions) == pytest.approx(1)
    recency = found.swarms[0]
    rows = {
        (round(push, 6), value) for push, value in zip(pushes[:, 0], table["recency_days"].to_pylist(), strict=True)
    }
    assert len(recency.values) == 20
    assert set(zip(recency.contributions, recency.values, strict=True)) <= rows
    assert found == why_of(Contributions(pushes, 0.0, names), table, sample=20)


@pytest.mark.parametrize("name", scheme_names())
def test_dimensions_are_those_of_the_scheme_in_use(name: str) -> None:
    scheme = load_scheme(name)
    chance = np.random.default_rng(2)
    names = ("recency_days", "monetary", "complaints_12m", "tenure_days", "mine")
    table = pa.table({one: chance.normal(size=30) for one in names})
    pushes = Contributions(chance.normal(size=(30, 5)), 0.0, names)
    homes = homes_of(scheme, extra=["mine"])
    found = why_of(pushes, table, homes=homes)
    assert {weight.dimension for weight in found.dimensions} == {homes[one].dimension for one in names}
    assert {weight.name for weight in found.dimensions} == {homes[one].dimension_title for one in names}
    assert sum(weight.share for weight in found.dimensions) == pytest.approx(1)
    assert {weight.dimension for weight in found.features} == {weight.dimension for weight in found.dimensions}
    assert found.swarms == why_of(pushes, table).swarms


def test_spotlights_are_the_best_the_worst_and_those_at_risk() -> None:
    customers = make_customers(40)
    found = picked_spotlights(customers, 5)
    rows = sorted(customers.to_pylist(), key=lambda row: (-row["score"], row["customer_id"]))
    ids = [[line.customer_id for line in spot.lines] for spot in found]
    assert ids[0] == [row["customer_id"] for row in rows if row["risk_band"] == "high"][:5]
    assert ids[1] == [row["customer_id"] for row in rows][:5]
    assert ids[2] == [row["customer_id"] for row in reversed(rows)][:5]
    assert found[0].lines[0].reasons[0].zh.startswith("流失：距上次购买")
    assert found[0].lines[0].reasons[0].en.startswith("Churn: 86 days since the last purchase")
    assert found[0].lines[0].next_step.en


def test_headings_without_customers_are_left_out() -> None:
    assert picked_spotlights(make_customers(40).slice(0, 0)) == ()
