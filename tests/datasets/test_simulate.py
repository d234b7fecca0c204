"""The simulated shop: what is drawn keeps its contracts, and is what was asked for."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tierlens.datasets.simulate import (
    SEASON,
    SHOCKS,
    TYPES,
    ShopPlan,
    Simulated,
    World,
    open_shop,
    simulated_shop,
    world_parameters,
    write_shop,
)
from tierlens.datasets.simulate.drawn import event_numbers, schema_of
from tierlens.datasets.simulate.grid import draw_events, monthly_grid
from tierlens.datasets.simulate.plan import GRAIN
from tierlens.datasets.simulate.shop import TABLES
from tierlens.datasets.simulate.world import Late, Trade
from tierlens.errors import UsageError
from tierlens.sources.declared.contracts import ALWAYS, CONTRACTS, JUDGED, OTHERS, SCORED
from tierlens.sources.tables import day_number

FIRST, LAST = day_number("2023-01-01"), day_number("2026-01-01")


@pytest.fixture(scope="module")
def shop() -> Simulated:
    return simulated_shop(customers=2000, seed=1)


def frame_of(shop: Simulated, name: str) -> pa.Table:
    lazy = shop.tables.transactions if name == "transactions" else shop.tables.others[name]
    table: pa.Table = lazy.to_native().to_arrow_table()
    return table


def query(shop: Simulated, sql: str, name: str = "transactions") -> list[Any]:
    lazy = shop.tables.transactions if name == "transactions" else shop.tables.others[name]
    rows: list[Any] = lazy.to_native().query("t", sql).fetchall()
    return rows


def with_truth(shop: Simulated, sql: str) -> list[Any]:
    """Ask the tables of a shop and ``truth`` together."""
    connection = duckdb.connect()
    for name in TABLES:
        connection.register(name, frame_of(shop, name))
    connection.register("truth", shop.truth)
    rows: list[Any] = connection.execute(sql).fetchall()
    return rows


# Determinism


def test_the_same_arguments_give_the_same_rows() -> None:
    one, two, other = (simulated_shop(customers=60, months=12, seed=seed) for seed in (5, 5, 6))
    assert all(frame_of(one, name).equals(frame_of(two, name)) for name in TABLES)
    assert one.truth.equals(two.truth)
    assert not any(frame_of(one, name).equals(frame_of(other, name)) for name in TABLES)


def test_the_same_plan_gives_the_same_bytes(tmp_path: Path) -> None:
    plan = ShopPlan(customers=80, months=6, seed=2)
    for folder in ("one", "two"):
        write_shop(plan, tmp_path / folder)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == sorted(f"{name}.parquet" for name in (*TABLES, "truth"))
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in names)


def test_the_size_of_a_block_changes_no_row(tmp_path: Path) -> None:
    plan, done = ShopPlan(customers=2 * GRAIN + 10, months=2), []
    write_shop(plan, tmp_path / "small", block=1, progress=lambda *counts: done.append(counts))
    write_shop(plan, tmp_path / "large", block=10**6)
    assert done == [(GRAIN, plan.customers), (2 * GRAIN, plan.customers), (plan.customers, plan.customers)]
    for name in (*TABLES, "truth"):
        small, large = (pq.read_table(tmp_path / folder / f"{name}.parquet") for folder in ("small", "large"))
        assert small.equals(large), name


def test_files_and_memory_hold_the_same_shop(tmp_path: Path) -> None:
    plan = ShopPlan(customers=50, months=12, seed=3)
    written, held = write_shop(plan, tmp_path), simulated_shop(50, 12, 3)
    for name in TABLES:
        rows = [query(each, "SELECT * FROM t ORDER BY ALL", name) for each in (written, held)]
        assert rows[0] == rows[1], name
    assert written.truth.equals(held.truth)
    assert open_shop(plan, tmp_path).tables.late_rows
    assert not list(tmp_path.glob("*.partial"))


def test_a_shock_leaves_the_draws_of_calm_customers_alone() -> None:
    """Streams are independent: what shocks do not touch is the same in a world without them."""
    shocked, calm = (simulated_shop(300, seed=4, world=World(shocks=shocks)) for shocks in (SHOCKS, ()))
    assert shocked.truth["ended_if_calm"].equals(calm.truth["ended_on"])
    assert shocked.truth["started_on"].equals(calm.truth["started_on"])
    assert calm.truth["cause"].null_count == 300


# Contracts


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_the_settled_form(shop: Simulated, name: str) -> None:
    table = frame_of(shop, name)
    assert table.column_names == schema_of(name).names
    assert [str(kind) for kind in table.schema.types] == [str(kind) for kind in schema_of(name).types]
    assert table.num_rows > 1000
    (row,) = query(shop, "SELECT count(*) FILTER (known_day < day), max(known_day), count(day) FROM t", name)
    assert row[0] == 0
    assert row[1] < LAST
    assert row[2] == table.num_rows


@pytest.mark.parametrize("name", OTHERS)
def test_keys_are_unique_and_numbers_within_bounds(shop: Simulated, name: str) -> None:
    contract = CONTRACTS[name]
    after = {column.name: column.after for column in contract.columns}
    key = ", ".join(f'"{after[column]}"' for column in contract.key)
    assert query(shop, f"SELECT {key} FROM t GROUP BY ALL HAVING count(*) > 1", name) == []
    for column in contract.columns:
        if column.at_least is not None:
            low, high = query(shop, f'SELECT min("{column.after}"), max("{column.after}") FROM t', name)[0]
            assert low >= column.at_least
            assert column.at_most is None or high <= column.at_most
        if column.values:
            found = {value for (value,) in query(shop, f'SELECT DISTINCT "{column.after}" FROM t', name)} - {None}
            assert found
            assert found <= set(column.values)


def test_ratings_say_what_they_may(shop: Simulated) -> None:
    for name, value, score in query(shop, "SELECT DISTINCT name, value, score FROM t", "ratings"):
        if name in JUDGED:
            assert value in JUDGED[name]
        elif name in SCORED:
            assert float(value) == score
            assert SCORED[name][1] <= score <= SCORED[name][2]
        else:
            assert (name, score) == ("demand_kind", None)
            assert value in ("product", "service", "custom")
    assert {row[0] for row in query(shop, "SELECT DISTINCT name FROM t", "ratings")} == {
        *JUDGED,
        *SCORED,
        "demand_kind",
    }


def test_what_is_known_later_has_its_own_day(shop: Simulated) -> None:
    asked = {
        "contracts": f"outcome_day < greatest(known_day, end_day) OR (end_day >= {LAST}) <> (renewed IS NULL) "
        "OR end_day - day <> 364 OR (renewed IS NULL) <> (fulfilled IS NULL)",
        "tickets": "rated_day < known_day OR (severity IS NOT NULL) <> (kind = 'complaint')",
        "payments": f"(paid_day IS NULL) <> (paid_amount IS NULL) OR paid_day >= {LAST} OR paid_amount > amount",
        "customers": f"(day = {ALWAYS}) <> (since_day <= {FIRST} AND day < {FIRST})",
    }
    for name, wrong in asked.items():
        assert query(shop, f"SELECT count(*) FROM t WHERE {wrong}", name) == [(0,)], name


def test_transactions_keep_their_contract(shop: Simulated) -> None:
    (row,) = query(
        shop,
        """
SELECT count(*) FILTER (kind = 'purchase' AND (amount <= 0 OR quantity <= 0)),
  count(*) FILTER (kind = 'return' AND (amount >= 0 OR quantity >= 0)),
  count(*) FILTER ("time"::DATE <> DATE '1970-01-01' + day OR customer_id IS NULL OR product_id IS NULL),
  count(*) FILTER (kind = 'return' AND day - order_day NOT BETWEEN 1 AND 30),
  min(day), max(day), count(*) - count(DISTINCT (order_id, product_id))
FROM t LEFT JOIN (SELECT order_id[2:] AS number, min(day) AS order_day FROM t WHERE kind = 'purchase' GROUP BY 1)
  ON order_id[2:] = number""",
    )
    assert row[:4] == (0, 0, 0, 0)
    assert FIRST <= row[4] <= row[5] < LAST
    assert row[6] == 0


def test_invoices_are_those_of_the_orders(shop: Simulated) -> None:
    """Oracle: the amount of an invoice is the sum of the lines of its order."""
    rows = with_truth(
        shop,
        """
SELECT count(*), count(*) FILTER (p.amount <> o.amount) FROM payments AS p
JOIN (SELECT customer_id, order_id, sum(amount) AS amount FROM transactions WHERE kind = 'purchase' GROUP BY ALL) AS o
  ON p.invoice_id[2:] = o.order_id[2:]""",
    )
    assert rows[0][0] > 10_000
    assert rows[0][1] == 0


# What was asked for


def test_nobody_orders_on_a_weekend(shop: Simulated) -> None:
    found = query(shop, "SELECT DISTINCT isodow(\"time\") FROM t WHERE kind = 'purchase' ORDER BY 1")
    assert found == [(day,) for day in range(1, 6)]


def test_shares_and_hazards_are_those_of_the_types(shop: Simulated) -> None:
    kinds = np.array(shop.truth["type"].to_pylist())
    hazard = shop.truth["base_hazard"].to_numpy()
    for name, kind in TYPES.items():
        mine = kinds == name
        assert mine.mean() == pytest.approx(kind.share, abs=0.03)
        assert hazard[mine].mean() == pytest.approx(kind.hazard, rel=0.15)


def test_the_season_shows_most_in_seasonal_customers(shop: Simulated) -> None:
    rows = with_truth(
        shop,
        """SELECT type, month("time"), count(DISTINCT order_id) FROM transactions JOIN truth USING (customer_id)
WHERE kind = 'purchase' GROUP BY ALL ORDER BY ALL""",
    )

    def swing(kind: str) -> float:
        months = np.array([count for of, _, count in rows if of == kind])
        return float(np.corrcoef(months, SEASON)[0, 1] * months.std() / months.mean())

    assert swing("seasonal") > 2 * swing("key account") > 0


@pytest.mark.parametrize("name", ["transactions", "tickets", "interactions", "surveys", "payments"])
def test_late_rows_are_as_many_as_declared(shop: Simulated, name: str) -> None:
    ((late, delay),) = query(
        shop, "SELECT avg((known_day > day)::INT), avg(known_day - day) FILTER (known_day > day) FROM t", name
    )
    assert late == pytest.approx(0.02, abs=0.007)
    assert delay == pytest.approx(9, rel=0.2)


def test_a_world_may_have_neither_late_rows_nor_returns() -> None:
    world = World(late=Late(share=0), trade=Trade(returned=0))
    shop = simulated_shop(50, 12, world=world)
    assert not shop.tables.late_rows
    assert query(shop, "SELECT count(*) FILTER (kind = 'return' OR known_day <> day) FROM t") == [(0,)]


def test_few_lines_come_back(shop: Simulated) -> None:
    (share,) = query(shop, "SELECT count(*) FILTER (kind = 'return') / count(*) FILTER (kind = 'purchase') FROM t")[0]
    assert share == pytest.approx(0.03, abs=0.004)


def test_one_customer_buys_neighbouring_products(shop: Simulated) -> None:
    (many,) = query(shop, "SELECT median(n) FROM (SELECT count(DISTINCT product_id) AS n FROM t GROUP BY customer_id)")[
        0
    ]
    (all_,) = query(shop, "SELECT count(DISTINCT product_id) FROM t")[0]
    assert many < 60 < all_ == 240


def test_prices_rise_for_those_whom_the_rise_hits(shop: Simulated) -> None:
    rows = with_truth(
        shop,
        f"""
SELECT price_rise_on IS NOT NULL, avg(after / before) FROM (
  SELECT price_rise_on, product_id, avg(amount / quantity) FILTER (day < {day_number("2024-03-01")}) AS before,
    avg(amount / quantity) FILTER (day >= {day_number("2024-03-01")}) AS after
  FROM transactions JOIN truth USING (customer_id) WHERE kind = 'purchase' GROUP BY ALL)
GROUP BY 1 ORDER BY 1""",
    )
    assert dict(rows) == pytest.approx({False: 1.0, True: 1.08}, abs=0.001)


def test_the_smallest_shop() -> None:
    smallest = simulated_shop(customers=1, months=1)
    assert smallest.truth.num_rows == 1
    assert set(smallest.tables.others) == set(OTHERS)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"customers": 0}, "customers: 0 is out of bounds; give a whole number from 1"),
        ({"months": 601}, "months: 601 is out of bounds"),
        ({"seed": -1}, "seed: -1 is out of bounds"),
        ({"world": World(first_day="2023-01-02")}, "world.first_day"),
    ],
)
def test_a_plan_out_of_bounds_is_refused(change: dict[str, Any], where: str) -> None:
    with pytest.raises(UsageError, match=where) as caught:
        ShopPlan(**change)
    assert caught.value.code == "E-US-020"


# Parts


def test_every_number_has_a_unit_and_a_reason() -> None:
    listed = world_parameters()
    assert len({row.name for row in listed}) == len(listed) > 90
    assert all(row.unit and row.reason for row in listed)
    assert {row.name.split(".")[0] for row in listed} == {field.name for field in dataclasses.fields(World)}
    with pytest.raises(dataclasses.FrozenInstanceError):
        World().first_day = "2024-01-01"  # type: ignore[misc]


def test_periods_are_months_cut_by_shocks() -> None:
    periods = monthly_grid(World(), 36)
    assert (periods.first, periods.last) == (FIRST, LAST)
    assert day_number("2024-10-21") in periods.bounds
    assert (np.diff(periods.bounds) > 0).all()
    assert len(periods.worked) == periods.offset[-1] == np.busday_count("2023-01-01", "2026-01-01")
    assert all(periods.at(int(day)) == place for place, day in enumerate(periods.bounds[:-1]))
    assert len(monthly_grid(World(shocks=()), 36).month) == 36


def test_events_fall_on_working_days_at_their_rate() -> None:
    periods = monthly_grid(World(), 12)
    rates = np.full((400, len(periods.month)), 0.2)
    rates[200:] = 0
    customer, day = draw_events(np.random.default_rng(0), rates, periods)
    assert np.isin(day, periods.worked).all()
    assert customer.max() < 200
    assert (np.diff(customer) >= 0).all()
    assert len(day) == pytest.approx(200 * 0.2 * len(periods.worked), rel=0.03)


def test_numbers_of_events_count_from_zero_for_each_customer() -> None:
    """Oracle: a loop over the events."""
    customers = np.sort(np.random.default_rng(1).integers(0, 30, 200))
    seen: dict[int, int] = {}
    for customer, number in zip(customers.tolist(), event_numbers(7, customers).tolist(), strict=True):
        assert number == (customer + 7) * 100_000 + seen.get(customer, 0)
        seen[customer] = seen.get(customer, 0) + 1
    assert len(event_numbers(0, customers[:0])) == 0
