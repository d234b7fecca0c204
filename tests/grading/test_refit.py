"""A proposal brings shares nearer to the suggested ones, tells what it would change, and changes nothing."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from tests.grading.conftest import on_duckdb
from tests.grading.test_scoring import YUAN, keyed
from tierlens.errors import UsageError
from tierlens.grading import refit as module
from tierlens.grading.refit import refit_scheme, with_line
from tierlens.grading.scheme.scheme import load_scheme
from tierlens.grading.scoring import grade

RATING = load_scheme("relationship_rating")
MEASURED = ("average_order_value", "frequency", "profit_contribution", "tenure_days", "renewal_rate", "complaints_12m",
            "enquiries_per_month", "custom_requests_6m", "service_satisfaction", "industry_growth", "expansion_2y",
            "new_demand_fit")  # fmt: skip


@pytest.fixture(scope="module")
def crowd() -> pa.Table:
    """Customers whose indicators go together: some are better in everything."""
    chance = np.random.default_rng(1)
    good = chance.normal(size=300)
    columns = {name: (-good if name == "complaints_12m" else good) + chance.normal(size=300) / 3 for name in MEASURED}
    whole = {name: np.round(100 * values).astype(int) + 500 for name, values in columns.items()}
    return keyed(**{name: values.tolist() for name, values in whole.items()}, monetary=[60_000_000] * 300)


@pytest.fixture(scope="module")
def found(crowd: pa.Table) -> module.Refit:
    return refit_scheme(crowd, RATING, YUAN)


def outside(shares: tuple[float, ...]) -> float:
    bands = [(float(tier.share[0]), float(tier.share[1])) for tier in RATING.tiers if tier.share]
    return sum(max(low - share, share - high, 0) for share, (low, high) in zip(shares, bands, strict=True))


def test_where_indicators_go_together_every_tier_gets_its_share(found: module.Refit) -> None:
    assert outside(found.before) > 0.3
    assert outside(found.after) < 0.02
    assert found.told.en.startswith("Proposal, not applied: an average of")
    assert found.told.zh.startswith("建议（未应用）")


def test_the_search_looks_at_so_many_customers_at_most(crowd: pa.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    class SeenError(Exception): ...

    def look(features: pa.Table, *_: object) -> None:
        raise SeenError(features.num_rows)

    monkeypatch.setattr(module, "MOST_ROWS", 299)
    monkeypatch.setattr(module._Board, "of", look)
    with pytest.raises(SeenError, match=r"^150$"):
        refit_scheme(crowd, RATING, YUAN)


def test_what_is_told_is_what_the_grader_does(crowd: pa.Table, found: module.Refit) -> None:
    tiers = [
        grade(on_duckdb(crowd), scheme, YUAN).collect("pyarrow").to_native().sort_by("customer_id")["tier"].to_pylist()
        for scheme in (RATING, found.scheme)
    ]
    assert found.moved == sum(one != other for one, other in zip(*tiers, strict=True)) > 0
    assert found.after == tuple(tiers[1].count(tier.id) / 300 for tier in RATING.tiers)


def test_the_search_scores_as_the_grader_does(crowd: pa.Table) -> None:
    scheme = with_line(RATING, Decimal("7.35"), Decimal("2.15"))
    crowd = crowd.sort_by(module.ORDER)
    board = module._Board.of(crowd, module._graded(crowd, RATING, YUAN), crowd, RATING, YUAN)
    due = module._graded(crowd, scheme, YUAN)["score"].to_numpy()
    assert np.abs(board.scores(7.35, 2.15) - due).max() < 1e-6


def test_the_scheme_itself_stays_and_the_new_one_says_that_it_is_fitted() -> None:
    new = with_line(RATING, Decimal("7"), Decimal("2"))
    assert load_scheme("relationship_rating") == RATING
    assert new.id == "relationship_rating_refit"
    assert new.notes[-1].text.en.startswith("Fitted, not documented")
    assert new.tiers == RATING.tiers


@pytest.mark.parametrize("name", ["tiered_management", "five_step"])
def test_a_scheme_without_anything_to_fit_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="E-SC-007"):
        refit_scheme(keyed(monetary=[1]), load_scheme(name), YUAN)
