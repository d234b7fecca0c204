"""What a scheme's reading does on customers is told in plain sentences, with counts that add up."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tests.grading.conftest import on_duckdb
from tests.grading.test_scoring import YUAN, keyed
from tierlens.grading.effect import average_tier, average_told, scheme_effect
from tierlens.grading.scheme.scheme import load_scheme, scheme_names
from tierlens.grading.scoring import grade
from tierlens.words import Text, to_share

FIVE = {
    "monetary": [2_000_000_00, 500_000_00, 100_00, 100_00, 0, 0],
    "frequency": [3, 2, 1, 1, 0, 0],
    "recency_days": [5, 9, 20, 200, 500, None],
    "tenure_days": [900, 900, 900, 900, 900, None],
}


def said(table: pa.Table, name: str, counted: list[bool] | None = None) -> list[Text]:
    scheme = load_scheme(name)
    graded = grade(on_duckdb(table), scheme, YUAN).collect("pyarrow").to_native().sort_by("customer_id")
    return scheme_effect(graded, table.sort_by("customer_id"), scheme, YUAN, counted)


def test_shares_tiers_labels_and_triggers_are_told() -> None:
    told = said(keyed(**FIVE), "five_step")
    assert [text.en for text in told] == [
        "Of 5 graded customers: Strategic customers 20.0%; Core customers 20.0%; Development customers 40.0%; "
        "Prospective customers 20.0%",
        "Without a tier: 1 of 6 known customers (16.7%): fits no tier (1)",
        "Lifecycle stage: Potential 16.7%, Deal closed 66.7%, Churned 16.7%",
        "Low-value customer without a deal for more than 6 months: fires for 2 of 6 known customers",
    ]
    assert told[1].zh == "无等级：6 位已知客户中 1 位（16.7%）：不属于任何等级（1）"


def test_shares_are_those_of_the_population_where_one_is_named() -> None:
    table = keyed(**FIVE).sort_by("customer_id")
    told = said(table, "five_step", [count > 0 for count in table["frequency"].to_pylist()])
    assert told[0].en.startswith("Of 4 graded customers: Strategic customers 25.0%")
    assert "Churned 0.0 / 16.7" in told[2].en


def test_a_tier_that_nobody_reaches_is_told_with_the_best_value_against_the_bound() -> None:
    (why,) = [text for text in said(keyed(monetary=[100_00, 200_000_00], frequency=[1, 1]), "five_step")
              if "Strategic customers:" in text.en]  # fmt: skip
    assert why.en == (
        "Nobody is in Strategic customers: the rule asks that Annual amount is above 1,000,000 CNY; "
        "the largest is 200,000.00 CNY"
    )
    assert why.zh == "没有客户属于战略客户：规则要求年采购额＞1,000,000 CNY，最大值为 200,000.00 CNY"
    assert to_share(why) == Text(
        "Nobody is in Strategic customers: the rule asks that Annual amount is above 1,000,000 CNY",
        "没有客户属于战略客户：规则要求年采购额＞1,000,000 CNY",
    )


def test_a_score_that_nobody_has_is_told_with_the_centre_that_keeps_it_away() -> None:
    table = keyed(**{f: [1, 2, 3, 4, 50] for f in ("frequency", "tenure_days", "average_order_value")})
    told = [text.en for text in said(table, "relationship_rating")]
    assert any(text.startswith("Nobody is in tier A (Core customers): it begins at a score of 90;") for text in told)
    assert any(
        text.startswith("A customer who is average in everything gets 55 of 100, which is tier D") for text in told
    )
    assert any("Major complaint: fires for nobody: no data for" in text for text in told)


@pytest.mark.parametrize(("name", "score", "tier"), [("relationship_rating", 55, "D"), ("tiered_management", 50, "D")])
def test_where_the_average_customer_stands(name: str, score: int, tier: str) -> None:
    found = average_tier(load_scheme(name))
    assert found is not None
    assert (found[0], found[1].id) == (score, tier)


@pytest.mark.parametrize("name", scheme_names())
def test_every_scheme_tells_something_in_both_languages(name: str) -> None:
    told = said(keyed(**FIVE), name)
    assert told
    assert all(text.en and text.zh and text.en != text.zh for text in told)
    assert (average_told(load_scheme(name)) is not None) == (load_scheme(name).tier_by == "score")
