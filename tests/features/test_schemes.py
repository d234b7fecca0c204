"""What the five documents ask for can be had: every indicator has a feature, and a shop with all tables fills it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

import tierlens.grading
from tierlens import strict_yaml
from tierlens.datasets.simulate import simulated_shop
from tierlens.features.catalog import EVERY, available_features
from tierlens.features.snapshot import build_snapshots, to_arrow
from tierlens.grading.scheme.scheme import load_scheme
from tierlens.sources.tables import Tables

FOLDER = Path(tierlens.grading.__file__).parent / "schemes"
SCHEMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


@pytest.fixture(scope="module")
def shop() -> Tables:
    return simulated_shop(customers=300, seed=2).tables


@pytest.fixture(scope="module")
def snapshot(shop: Tables) -> pa.Table:
    wanted = sorted({name for scheme in SCHEMES for name in load_scheme(scheme).features})
    return to_arrow(build_snapshots(shop, ["2025-06-01"], features=wanted))


def read_by(node: object) -> set[str]:
    """Every ``feature:`` anywhere in a scheme's file, a stand-in's too."""
    if isinstance(node, dict):
        own = {str(node["feature"])} if "feature" in node else set()
        return own.union(*(read_by(value) for value in node.values()))
    return set().union(*(read_by(value) for value in node)) if isinstance(node, list) else set()


def test_there_are_five() -> None:
    assert len(SCHEMES) == 5


@pytest.mark.parametrize("name", SCHEMES)
def test_every_indicator_names_a_feature_of_the_catalog(name: str) -> None:
    asked = read_by(strict_yaml.load_yaml(FOLDER / f"{name}.yaml"))
    declared = set(load_scheme(name).features)
    assert declared
    assert asked <= declared <= set(EVERY)


@pytest.mark.parametrize("name", SCHEMES)
def test_a_shop_with_all_tables_fills_every_indicator(name: str, shop: Tables, snapshot: pa.Table) -> None:
    wanted = load_scheme(name).features
    assert set(available_features(shop, wanted)) == set(wanted)
    empty = [one for one in wanted if snapshot[one].null_count == snapshot.num_rows]
    assert empty == []


@pytest.mark.parametrize("name", SCHEMES)
def test_words_of_the_shop_are_words_of_the_scheme(name: str, snapshot: pa.Table) -> None:
    """A rating that the scheme turns into points says nothing that the scheme does not know."""
    for _, indicator in load_scheme(name).indicators:
        if indicator.ordinal is not None and indicator.feature in snapshot.column_names:
            said = set(snapshot[indicator.feature].drop_null().to_pylist())
            assert said <= set(indicator.ordinal), indicator.id
