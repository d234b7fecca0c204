"""The truth about the simulated shop: hazards are those by which customers leave, and causes are causes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from tierlens.datasets.simulate import Shock, ShopPlan, Simulated, World, simulated_shop, truth_at
from tierlens.datasets.simulate.grid import MONTH, monthly_grid, months_until
from tierlens.datasets.simulate.lives import NEVER, Lives, customer_health, draw_lives, leave_rate, order_rate
from tierlens.datasets.simulate.shop import TABLES
from tierlens.errors import UsageError
from tierlens.sources.tables import day_number

MONTHS = [dt.date(2023 + m // 12, m % 12 + 1, 1).isoformat() for m in range(36)]
LAST = day_number("2026-01-01")


@pytest.fixture(scope="module")
def shop() -> Simulated:
    return simulated_shop(customers=6000, seed=7, hazard_on=MONTHS)


@pytest.fixture(scope="module")
def asked(shop: Simulated) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for name in TABLES:
        lazy = shop.tables.transactions if name == "transactions" else shop.tables.others[name]
        connection.register(name, lazy.to_native().to_arrow_table())
    connection.register("truth", shop.truth)
    return connection


def column(table: pa.Table, name: str) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = table[name].to_numpy(zero_copy_only=False)
    return values


def z_score(happened: npt.NDArray[Any], chance: npt.NDArray[Any]) -> float:
    """How many standard deviations the number of events is away from what independent chances say."""
    return float((happened.sum() - chance.sum()) / np.sqrt((chance * (1 - chance)).sum()))


# Lives


def test_nothing_is_bought_or_said_before_the_start_or_after_the_end(asked: duckdb.DuckDBPyConnection) -> None:
    for name in ("transactions WHERE kind = 'purchase'", "tickets", "interactions", "surveys"):
        early, late = asked.execute(f"""
SELECT count(*) FILTER (day < started_on), count(*) FILTER (day >= ended_on)
FROM (FROM {name}) JOIN truth USING (customer_id)""").fetchall()[0]
        assert (early, late) == (0, 0), name


def test_customers_leave_by_their_hazard(shop: Simulated) -> None:
    """In each month as many leave as the hazards of its first day say, within four standard deviations in all."""
    ended = column(shop.truth, "ended_on")
    happened, chances = [], []
    for first, after in zip(MONTHS, [*MONTHS[1:], "2026-01-01"], strict=True):
        start, end = day_number(first), day_number(after)
        hazard = column(shop.truth, f"hazard_{first}")
        there = ~np.isnan(hazard) & (column(shop.truth, "started_on") < start)
        chances.append(1 - (1 - hazard[there]) ** ((end - start) / MONTH))
        happened.append((ended[there] >= start) & (ended[there] < end))
    scores = [z_score(*pair) for pair in zip(happened, chances, strict=True)]
    assert abs(z_score(np.concatenate(happened), np.concatenate(chances))) < 4
    assert np.mean(np.abs(scores) < 2.5) > 0.85


def test_higher_hazards_leave_more(shop: Simulated) -> None:
    hazard, ended = column(shop.truth, "hazard_2024-06-01"), column(shop.truth, "ended_on")
    day = day_number("2024-06-01")
    left = (ended >= day) & (ended < day + 90)
    there = ~np.isnan(hazard)
    order = np.argsort(hazard[there])
    thirds = [part.mean() for part in np.array_split(left[there][order], 3)]
    assert thirds[0] < thirds[1] < thirds[2]
    assert thirds[2] > 5 * thirds[0]


def test_health_is_slow_and_of_spread_one() -> None:
    plan = ShopPlan(customers=4000)
    moods = draw_lives(plan, monthly_grid(plan.world, 36), 0).moods
    assert moods.mean(axis=0) == pytest.approx(0, abs=0.06)
    assert moods.std(axis=0) == pytest.approx(1, abs=0.06)
    for lag in (1, 6):
        assert np.corrcoef(moods[:, 0], moods[:, lag])[0, 1] == pytest.approx(0.9**lag, abs=0.04)


# Shocks


def test_shocked_customers_churn_more(shop: Simulated) -> None:
    truth, ended = shop.truth, column(shop.truth, "ended_on")
    for name, day in (("price_rise", "2024-03-01"), ("service_failure", "2024-10-21")):
        start = day_number(day)
        there = (column(truth, "started_on") <= start) & ~(ended < start)
        hit = ~np.isnan(column(truth, f"{name}_on"))
        left = (ended >= start) & (ended < start + 120)
        assert hit.sum() > 300
        assert not (hit & ~there).any()
        assert left[hit].mean() > 1.8 * left[there & ~hit].mean()


def test_only_the_reached_are_hit(asked: duckdb.DuckDBPyConnection) -> None:
    regions = asked.execute("""
SELECT DISTINCT region FROM customers JOIN truth USING (customer_id)
WHERE service_failure_on IS NOT NULL AND region IS NOT NULL ORDER BY 1""").fetchall()
    assert regions == [("华南",), ("西南",)]


def test_shocks_only_hasten_and_only_those_they_hit(shop: Simulated) -> None:
    truth = shop.truth
    ended, calm = (np.nan_to_num(column(truth, name), nan=1e9) for name in ("ended_on", "ended_if_calm"))
    spared = np.isnan(column(truth, "price_rise_on")) & np.isnan(column(truth, "service_failure_on"))
    caused = np.array([cause is not None for cause in truth["cause"].to_pylist()])
    assert (ended <= calm).all()
    assert (ended[spared] == calm[spared]).all()
    assert (ended < calm)[~spared].any()
    assert (calm[caused] > ended[caused] + 182).all()
    assert not (caused & spared).any()
    assert set(truth["cause"].to_pylist()) == {None, "price rise", "service failure"}


def test_more_leave_through_shocks_than_without(shop: Simulated) -> None:
    """The causal effect is the difference to the calm life; the causes named make up most of it."""
    ended, calm = (~np.isnan(column(shop.truth, name)) for name in ("ended_on", "ended_if_calm"))
    named = shop.truth.num_rows - shop.truth["cause"].null_count
    assert 0 < ended.sum() - calm.sum() <= named


def test_a_shock_outside_the_months_does_not_happen() -> None:
    shop = simulated_shop(500, 12, world=World(shocks=(Shock("flood", "2031-05-01", 1.0, (), 5.0),)))
    assert shop.truth["flood_on"].null_count == 500
    assert shop.truth["ended_on"].equals(shop.truth["ended_if_calm"])


# What health drives


@pytest.mark.parametrize(
    ("measured", "sign"),
    [
        ("SELECT customer_id, avg((coalesce(paid_day, 99999) > day)::INT) AS x FROM payments GROUP BY 1", -1),
        ("SELECT customer_id, avg(satisfaction) AS x FROM tickets GROUP BY 1", 1),
        ("SELECT customer_id, avg(nps) AS x FROM surveys GROUP BY 1", 1),
        ("SELECT customer_id, avg(recommend) AS x FROM surveys GROUP BY 1", 1),
        ("SELECT customer_id, avg(fulfilled) AS x FROM contracts GROUP BY 1", 1),
        ("SELECT customer_id, avg(score) AS x FROM ratings WHERE name = 'new_demand_fit' GROUP BY 1", 1),
        (
            """SELECT customer_id, count(*) FILTER (kind = 'complaint') / any_value(days) AS x FROM tickets
            JOIN (SELECT customer_id, coalesce(ended_on, 20454) - greatest(started_on, 19358) AS days FROM truth
                  WHERE days > 365) USING (customer_id) GROUP BY 1""",
            -1,
        ),
    ],
)
def test_health_shows_in_the_tables(
    shop: Simulated, asked: duckdb.DuckDBPyConnection, measured: str, sign: int
) -> None:
    """The mean health of a customer's life goes with what is measured of it, in the right direction."""
    mean = pa.table({"customer_id": shop.truth["customer_id"], "health": _mean_health(shop)})
    asked.register("mean_health", mean)
    ((found, rows),) = asked.execute(f"""
SELECT corr(x, health), count(*) FROM ({measured}) JOIN mean_health USING (customer_id)
WHERE x IS NOT NULL""").fetchall()
    assert rows > 500
    assert sign * found > max(0.08, 4 / np.sqrt(rows))


def _mean_health(shop: Simulated) -> npt.NDArray[np.float64]:
    periods, means = monthly_grid(shop.plan.world, shop.plan.months), []
    for block in shop.plan.grains:
        lives = draw_lives(shop.plan, periods, block)
        there = (lives.start[:, None] < periods.bounds[1:]) & (lives.end[:, None] > periods.bounds[:-1])
        means.append((customer_health(lives, periods) * there).sum(axis=1) / np.maximum(there.sum(axis=1), 1))
    return np.concatenate(means)


def test_orders_thin_out_with_health(shop: Simulated, asked: duckdb.DuckDBPyConnection) -> None:
    """Customers hit by the service failure order less in the two months after it than others, against before."""
    day = day_number("2024-10-21")
    rows = dict(
        asked.execute(f"""
SELECT service_failure_on IS NOT NULL,
  count(DISTINCT order_id) FILTER (day BETWEEN {day} AND {day + 59})
    / count(DISTINCT order_id) FILTER (day BETWEEN {day - 60} AND {day - 1})
FROM transactions JOIN truth USING (customer_id)
WHERE kind = 'purchase' AND started_on < {day - 60} AND coalesce(ended_on, 99999) > {day + 60} GROUP BY 1""").fetchall()
    )
    assert rows[True] < 0.75 * rows[False]


# Risk at a cutoff


@pytest.mark.parametrize(
    ("cutoff", "horizon"), [("2023-07-10", 90), ("2024-02-15", 30), ("2024-10-01", 90), ("2025-09-01", 120)]
)
def test_true_risks_are_what_happens(
    shop: Simulated, asked: duckdb.DuckDBPyConnection, cutoff: str, horizon: int
) -> None:
    """No purchase and leaving happen as often as the true risk says: in all, and in each fifth of it."""
    risk, day = shop.truth_at(cutoff, horizon), day_number(cutoff)
    bought = {
        customer
        for (customer,) in asked.execute(f"""
SELECT DISTINCT customer_id FROM transactions
WHERE kind = 'purchase' AND day >= {day} AND day < {day + horizon}""").fetchall()
    }
    ended, active = column(shop.truth, "ended_on"), column(risk, "active").astype(bool)
    quiet = np.array([customer not in bought for customer in risk["customer_id"].to_pylist()])
    for happened, name in ((quiet, "no_purchase"), (ended < day + horizon, "leaves")):
        chance = column(risk, name)
        assert abs(z_score(happened[active], chance[active])) < 4
        order = np.argsort(chance[active])
        for fifth in np.array_split(order, 5):
            assert abs(z_score(happened[active][fifth], chance[active][fifth])) < 4
    gone = ended < day
    assert (column(risk, "no_purchase")[gone] == 1).all()
    assert quiet[gone].all()
    assert risk["no_purchase"].null_count == (column(shop.truth, "started_on") >= day).sum()


def test_true_risk_equals_many_futures_drawn_one_by_one() -> None:
    """Oracle: draw the future of a customer day by day, 4,000 times."""
    plan, cutoff, horizon = ShopPlan(customers=6, months=12, seed=3), day_number("2023-09-12"), 75
    lives = draw_lives(plan, monthly_grid(plan.world, 12), 0)
    risk = truth_at(plan, cutoff, horizon).to_pylist()
    rng = np.random.default_rng(0)
    for place, row in enumerate(risk):
        if row["active"]:
            stays, quiet = _futures(rng, plan, lives, place, cutoff, horizon)
            assert 1 - stays == pytest.approx(row["leaves"], abs=0.025)
            assert quiet == pytest.approx(row["no_purchase"], abs=0.025)


def _futures(
    rng: np.random.Generator, plan: ShopPlan, lives: Lives, place: int, cutoff: int, horizon: int, n: int = 4000
) -> tuple[float, float]:
    """Return the shares of futures in which a customer stays, and in which it buys nothing; it is hit by no shock."""
    alike: list[Any] = [field[place : place + 1].repeat(n, axis=0) for field in lives[1:]]
    one = Lives(plan.world, *alike)
    periods = monthly_grid(plan.world, 24)
    month = int(periods.month[periods.at(cutoff - 1)])
    mood, stays, quiet = one.moods[:, month], np.ones(n, bool), np.ones(n, bool)
    for day in range(cutoff, cutoff + horizon):
        period = periods.at(day)
        if periods.month[period] != month:
            month = int(periods.month[period])
            mood = 0.9 * mood + np.sqrt(1 - 0.9**2) * rng.standard_normal(n)
        stays &= rng.random(n) >= 1 - np.exp(-leave_rate(one, mood))
        if np.is_busday(np.datetime64(day, "D")):
            quiet &= ~stays | (rng.random(n) < np.exp(-order_rate(one, periods, period, mood)))
    return float(stays.mean()), float(quiet.mean())


def test_a_longer_horizon_has_fewer_without_a_purchase_and_more_who_leave(shop: Simulated) -> None:
    risks = [shop.truth_at("2025-12-20", horizon) for horizon in (1, 30, 90, 400)]
    quiet, leaves = ([column(risk, name) for risk in risks] for name in ("no_purchase", "leaves"))
    for place in range(3):
        assert (quiet[place + 1] <= quiet[place] + 1e-12).all()
        assert (leaves[place + 1] >= leaves[place] - 1e-12).all()


def test_risks_are_known_up_to_the_day_after_the_last() -> None:
    plan = ShopPlan(customers=20, months=12)
    assert truth_at(plan, "2024-01-01", 90).num_rows == 20
    with pytest.raises(UsageError, match="cutoff: 19724 is out of bounds"):
        truth_at(plan, "2024-01-02")
    with pytest.raises(UsageError, match="horizon: 0 is out of bounds"):
        truth_at(plan, "2023-06-01", 0)
    with pytest.raises(UsageError, match="hazard_on: 19723 is out of bounds"):
        simulated_shop(5, 12, hazard_on=["2024-01-01"])


def test_who_stays_has_no_end(shop: Simulated) -> None:
    lives = draw_lives(shop.plan, monthly_grid(shop.plan.world, 36), 0)
    ended = column(shop.truth, "ended_on")[: len(lives.end)]
    assert (np.isnan(ended) == (lives.end == NEVER)).all()
    assert (ended[~np.isnan(ended)] < LAST).all()


def test_months_reach_up_to_a_day() -> None:
    assert [months_until(World(), day_number(day)) for day in ("2023-02-01", "2023-02-02", "2026-01-01")] == [1, 2, 36]
