"""Tiers that go by the amount alone: found by looking, bounded by asking the scheme, and the fall told in money."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.tables_of import purchase, tables_of
from tierlens.features.catalog import CATALOG
from tierlens.grading.scheme.scheme import load_scheme
from tierlens.learning.spend_tiers import AMOUNT, is_spend_known, spend_deadlines, tier_bounds
from tierlens.learning.tasks import FALLING_BY_SPEND, tasks_of
from tierlens.risk.model.linear import logit
from tierlens.risk.spend_needed import chance_below, order_values
from tierlens.sources.report.quality import Quality
from tierlens.sources.tables import Currency
from tierlens.workspace.config import RunConfig
from tierlens.workspace.prepare import Shop, read_shop
from tierlens.workspace.study import study_of

CNY = Currency("CNY")
GUIDE = load_scheme("relationship_guide")


def config_of(**more: object) -> RunConfig:
    given = {"name": "t", "simulated": {"customers": 150, "months": 30}, "cutoff": "2025-03-01", "seed": 1,
             "scheme": "relationship_guide", "risk": {"first_cutoff": "2024-08-01", "tests": 1}}  # fmt: skip
    return RunConfig.model_validate({**given, **more})


def panel_of(*amounts: int) -> pa.Table:
    """Customers of a scheme's features, of which only the amount differs."""
    rows = len(amounts)
    columns = {"customer_id": [f"c{n}" for n in range(rows)], "cutoff": pa.array([1] * rows, pa.int32())}
    for name in set(GUIDE.features) & set(CATALOG):
        columns[name] = pa.array([1.0] * rows)
    return pa.table({**columns, AMOUNT: pa.array(amounts, pa.int64())})


def ranks(*found: int | None) -> pa.Table:
    return pa.table({"tier_rank": pa.array(found, pa.int32())})


def test_where_a_tier_ends_is_known_to_the_cent() -> None:
    # The document: high above 500,000, middle from 100,000 to 500,000, low below.
    panel = panel_of(90_000_000, 20_000_000, 3_000_000)
    assert tier_bounds(panel, ranks(1, 2, 3), GUIDE, CNY) == {1: 50_000_001.0, 2: 10_000_000.0}


def test_a_tier_that_nobody_has_has_no_bound() -> None:
    assert tier_bounds(panel_of(90_000_000, 3_000_000), ranks(1, 3), GUIDE, CNY) == {1: 50_000_001.0}
    assert tier_bounds(panel_of(3_000_000), ranks(3), GUIDE, CNY) is None


@pytest.mark.parametrize("found", [(2, 1, 3), (1, 3, 2)])
def test_amounts_that_overlap_are_no_scheme_by_the_amount(found: tuple[int, ...]) -> None:
    assert tier_bounds(panel_of(90, 20, 3), ranks(*found), GUIDE, CNY) is None


def test_a_scheme_that_does_not_read_the_amount_is_none_either() -> None:
    assert tier_bounds(panel_of(9, 2).drop_columns([AMOUNT]), ranks(1, 2), GUIDE, CNY) is None


def test_few_customers_of_a_scheme_by_points_do_not_pass_for_one_by_the_amount() -> None:
    scheme = load_scheme("relationship_rating")
    panel = panel_of(200_000_000, 1_000)
    assert tier_bounds(panel, ranks(1, 4), scheme, CNY) is None


def test_a_tier_that_costs_nothing_is_not_kept_by_spending(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tierlens.learning.spend_tiers._bound", lambda *_: 0.0)
    assert tier_bounds(panel_of(90, -20), ranks(1, 2), GUIDE, CNY) is None


def test_the_deadline_is_the_day_on_which_too_little_remains() -> None:
    rows = [purchase("a", "1", 10, 500), purchase("a", "2", 50, 300), purchase("b", "3", 290, 900)]
    shop = Shop(tables_of(rows, "duckdb"), Quality("t", 3, 3), False)
    config = config_of(window={"observe": 365, "gap": 0, "horizon": 90})
    # A purchase of day 10 is last seen at cutoff 375; 300 remain from cutoff 376 on, 76 days after 300.
    assert spend_deadlines(shop.tables, config.span, 300, {"a": 600.0, "b": 600.0}) == [76, None]
    assert spend_deadlines(shop.tables, config.span, 300, {"b": 600.0, "a": 200.0}) == [None, None]


def test_a_deadline_behind_the_gap_is_told_like_the_need_that_it_belongs_to() -> None:
    rows = [purchase("a", "1", 10, 500), purchase("a", "2", 50, 300), purchase("b", "3", 26, 900)]
    shop = Shop(tables_of(rows, "duckdb"), Quality("t", 3, 3), False)
    config = config_of(window={"observe": 365, "gap": 30, "horizon": 60})
    # 76 and 92 days: the first lies behind the horizon's length, but within gap + horizon; the second beyond both.
    assert spend_deadlines(shop.tables, config.span, 300, {"a": 600.0, "b": 600.0}) == [76, None]


def test_few_snapshots_tell_nothing() -> None:
    assert not is_spend_known(np.zeros(500))
    assert not is_spend_known(np.append(np.zeros(500), np.ones(99)))


@pytest.mark.slow
def test_the_run_learns_falls_by_spend() -> None:
    config = config_of()
    shop = read_shop(config)
    study = study_of(shop, config)
    churned, falling = tasks_of(study)
    assert falling.features == FALLING_BY_SPEND == ("fall_p", "fall_odds")
    chances = falling.rows["fall_p"].to_numpy()
    assert np.allclose(falling.rows["fall_odds"].to_numpy(), logit(chances))
    assert np.isfinite(falling.now["fall_odds"].to_numpy()).all()
    rows = falling.rows.to_pydict()
    for need, chance, fell in zip(rows["need"], rows["fall_p"], rows["downgrade"], strict=True):
        assert 0 <= chance <= 1
        assert (chance == 0) == (need <= 0)
        # Nothing needed, nothing lost, but for what is sent back in the horizon.
        assert need > 0 or fell == 0
    now = falling.now.to_pydict()
    assert all((days is not None) == (need > 0) for need, days in zip(now["need"], now["need_days"], strict=True))
    # Before any horizon has closed, the rhythm and the values of orders alone tell the chance.
    first = churned.rows.filter(pc.equal(churned.rows["cutoff"], min(rows["cutoff"]))).to_pandas()
    asked = falling.rows.filter(pc.equal(falling.rows["cutoff"], min(rows["cutoff"]))).to_pandas()
    whole = first.merge(asked[["customer_id", "need_money"]], on="customer_id", how="left")
    told = chance_below(whole, whole["need_money"], order_values(whole))
    assert np.allclose(told[~np.isnan(told)], asked["fall_p"])
