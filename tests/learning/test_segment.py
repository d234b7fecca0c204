"""Segments of a run: groups that lie apart are found whatever the order of rows, and held against the tiers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tierlens.errors import UsageError
from tierlens.learning.segment import UNGRADED, Grouped, group_or_not, known_tiers, segment_customers
from tierlens.segments import SEGMENT_FEATURES
from tierlens.sources.tables import Currency
from tierlens.workspace.config import RunConfig

CNY = Currency("CNY")
SIDES = 40


def config_of(**segments: object) -> RunConfig:
    return RunConfig.model_validate({
        "name": "a", "simulated": {}, "cutoff": "2025-09-01", "risk": {"first_cutoff": "2025-01-01"},
        "segments": segments,
    })  # fmt: skip


def snapshot_of(sides: list[int]) -> pa.Table:
    """Customers of two kinds: those who buy much and lately, and those who do not."""
    rng = np.random.default_rng(0)
    side = np.array(sides)
    columns: dict[str, object] = {
        "customer_id": [f"c{row}" for row in range(len(sides))],
        "cutoff": pa.array([20_000] * len(sides), pa.int32()),
    }
    for place, name in enumerate(SEGMENT_FEATURES):
        columns[name] = 10.0 + place + 200 * side + rng.normal(0, 2, len(sides))
    return pa.table(columns)


def tiers_of(sides: list[int]) -> pa.Table:
    return pa.table({"tier": pa.array(["A" if side else None for side in sides], pa.string())})


@pytest.fixture(scope="module")
def sides() -> list[int]:
    return [0, 1] * SIDES


@pytest.fixture(scope="module")
def found(sides: list[int]) -> Grouped:
    return segment_customers(snapshot_of(sides), tiers_of(sides), config_of(n_clusters=2), CNY)


def test_two_kinds_of_customers_are_two_segments(found: Grouped, sides: list[int]) -> None:
    pairs = set(zip(found.labels.to_pylist(), sides, strict=True))
    assert len(pairs) == 2
    assert {side for _, side in pairs} == {0, 1}
    assert sum(found.profile.segments["customers"].to_pylist()) == 2 * SIDES
    assert found.how.en == "2 segments, as the run file asks"
    assert found.how.zh == "2 个客群，由运行文件指定"


def test_segments_that_are_the_tiers_agree_with_them_wholly(found: Grouped) -> None:
    measures = {row["measure"]: row["value"] for row in found.agreement.measures.to_pylist()}
    assert measures["adjusted_rand"] == pytest.approx(1.0)


def test_the_order_of_customers_changes_nobodys_segment(found: Grouped, sides: list[int]) -> None:
    order = np.random.default_rng(1).permutation(len(sides))
    snapshot, tiers = snapshot_of(sides).take(order), tiers_of(sides).take(order)
    again = segment_customers(snapshot, tiers, config_of(n_clusters=2), CNY)
    assert again.labels.to_pylist() == [found.labels[int(row)].as_py() for row in order]
    assert again.profile.names == found.profile.names


def test_a_segment_is_found_by_the_features_of_the_run_file_alone(sides: list[int]) -> None:
    snapshot = snapshot_of(sides)
    other = np.tile([0, 0, 1, 1], SIDES // 2)
    snapshot = snapshot.set_column(
        snapshot.column_names.index("recency_days"), "recency_days", pa.array(1.0 + 300 * other + np.arange(2 * SIDES))
    )
    labels = segment_customers(
        snapshot, tiers_of(sides), config_of(n_clusters=2, features=["recency_days"]), CNY
    ).labels
    assert len(set(zip(labels.to_pylist(), other.tolist(), strict=True))) == 2


@pytest.mark.parametrize(
    ("name", "near"), [("recency_day", "recency_days"), ("customer_id", "recency_days"), ("zzz", "recency_days")]
)
def test_what_is_no_number_of_a_customer_is_refused_with_the_nearest(name: str, near: str, sides: list[int]) -> None:
    with pytest.raises(UsageError, match=rf"E-RU-061 segments.features: no feature .* {name}; did you mean {near}\?"):
        segment_customers(snapshot_of(sides), tiers_of(sides), config_of(features=[name]), CNY)


@pytest.mark.parametrize("sides", [[0], [0, 1]])
def test_too_few_customers_have_no_segments_and_are_told_why(sides: list[int]) -> None:
    grouped, missing = group_or_not(snapshot_of(sides), tiers_of(sides), config_of(), CNY)
    assert grouped is None
    (one,) = missing
    assert one.part == "segments"
    assert one.code.startswith("E-SG-")
    assert one.said.en.startswith("Segments are left out: ")
    assert one.said.zh.startswith("未包含客群：")


def test_segments_that_can_be_found_leave_nothing_out(found: Grouped, sides: list[int]) -> None:
    grouped, missing = group_or_not(snapshot_of(sides), tiers_of(sides), config_of(n_clusters=2), CNY)
    assert grouped is not None
    assert missing == ()
    assert grouped.labels.equals(found.labels)


def test_who_has_no_tier_is_a_group_of_his_own_beside_the_tiers() -> None:
    assert known_tiers(pa.table({"tier": ["B", None, "A", None]})) == ["B", UNGRADED, "A", UNGRADED]
