"""Tierlens grades as the second grader does, on a simulated shop and on customers who stand on a bound."""

from __future__ import annotations

import ast
from fractions import Fraction
from pathlib import Path

import pytest

from tests.grader_oracle import relationship_rating
from tests.grader_oracle.__main__ import CROWDS, SCHEMES, Compared, compared

CLOSE = 1e-5
"""Scores are on 0-100. Shares are cut to millionths before a mean is taken; the rest is exact to nine places."""


@pytest.fixture(scope="module")
def both() -> dict[tuple[str, str], Compared]:
    return {(each.scheme, each.who): each for each in compared(customers=300, seed=7, cutoff="2025-10-01")}


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "who"), [(scheme, who) for scheme in SCHEMES for who in CROWDS])
def test_the_two_say_the_same(both: dict[tuple[str, str], Compared], scheme: str, who: str) -> None:
    pair = both[scheme, who]
    assert len(pair.due) > 100
    assert {part: pair.differing(part) for part in ("tier", "labels", "triggers", "tags")} == {
        "tier": [], "labels": [], "triggers": [], "tags": []
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "who"), [(scheme, who) for scheme in SCHEMES for who in CROWDS])
def test_scores_are_close(both: dict[tuple[str, str], Compared], scheme: str, who: str) -> None:
    assert max(both[scheme, who].score_gaps(), default=0.0) < CLOSE


def test_the_oracle_agrees_with_the_worked_card() -> None:
    """The card of CRM-2024-001: 80.625, tier B. What is not on its form weighs nothing."""
    card = {
        "annual_amount": 8, "order_value": 7, "frequency": 1, "profit_contribution": 9,
        "tenure": 8, "renewal_rate": 10, "contract_fulfilment": 1, "complaints": 7,
        "enquiries": 6, "custom_requests": 8, "service_satisfaction": 9,
        "industry_growth": 7, "expansion": 8, "new_demand_fit": 9,
    }  # fmt: skip
    scores = relationship_rating.scores_of({name: Fraction(points) for name, points in card.items()})
    assert scores["score"] == Fraction("80.625")
    assert relationship_rating.tier_of(scores["score"]) == "B"


def test_the_oracle_stands_alone() -> None:
    """Only what compares the two knows tierlens."""
    for file in Path(__file__).parent.glob("*.py"):
        if file.name in ("__main__.py", "test_oracle.py"):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.startswith("tierlens")], file.name
