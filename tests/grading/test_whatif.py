"""A changed customer graded alone, his points placed in the population, is graded as with the whole population."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.grading.tied import tied_customers
from tierlens.grading.next_tier import whatif
from tierlens.grading.next_tier.whatif import Bench, Change
from tierlens.grading.reference import Reference, fit_reference
from tierlens.grading.scheme.scheme import Scheme, load_scheme, scheme_names
from tierlens.grading.scoring import grade
from tierlens.sources.tables import Currency

YUAN = Currency("CNY")


def changes(scheme: Scheme, number: int) -> tuple[Any, list[Change]]:
    """Each customer with the values of another: of the extremes, of himself, and of some who lack a value."""
    table = tied_customers(scheme, number, seed=5)
    rows = table.to_pylist()
    draw = random.Random(3)
    pairs = [(row, draw.choice(rows)) for row in rows] + [(row, row) for row in rows[:5]]
    return table, [Change(row["customer_id"], row["cutoff"], other) for row, other in pairs]


def agree(bench: Bench, asked: list[Change]) -> None:
    for near, exact in zip(bench.near(asked), bench.exact(asked), strict=True):
        assert near.score == pytest.approx(exact.score, abs=1e-7)
        assert near.rank == exact.rank


@pytest.mark.parametrize("name", scheme_names())
def test_placed_points_are_those_of_the_population(name: str):
    scheme = load_scheme(name)
    table, asked = changes(scheme, 30)
    agree(Bench(table, scheme, YUAN), asked)


def test_between_the_lowest_and_the_highest_too(tmp_path: Path):
    source = (Path(whatif.__file__).parents[1] / "schemes" / "relationship_rating.yaml").read_text(encoding="utf-8")
    file = tmp_path / "own.yaml"
    own = source.replace("{method: z_score, centre: 5.5, slope: 1.5}", "{method: min_max}")
    file.write_text(own.replace("id: relationship_rating", "id: own_rating", 1), encoding="utf-8")
    assert "min_max" in str(yaml.safe_load(file.read_text(encoding="utf-8")))
    scheme = load_scheme(file)
    for number in (1, 2, 30):
        table, asked = changes(scheme, number)
        agree(Bench(table, scheme, YUAN), asked)


def test_a_population_measured_before_is_not_moved_by_a_change():
    from tests.grading.conftest import on_duckdb

    scheme = load_scheme("relationship_rating")
    table, asked = changes(scheme, 30)
    fitted = fit_reference(on_duckdb(table), scheme, YUAN)
    same = [change for change in asked if change.row["customer_id"] == change.customer_id]
    graded = grade(on_duckdb(table), scheme, YUAN, Reference(fitted)).collect("pyarrow").to_native().to_pylist()
    scores = {row["customer_id"]: row["score"] for row in graded}
    for change, result in zip(same, Bench(table, scheme, YUAN, fitted).exact(same), strict=True):
        assert result.score == pytest.approx(scores[change.customer_id])
