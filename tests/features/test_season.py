"""The seasonal clock and the expectations that are told by it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tables_of import purchase, tables_of
from tierlens.datasets.examples import simulated_shop
from tierlens.features.seasonal_btyd import (
    COLUMNS,
    EXPECTATIONS,
    GROWTH,
    HISTORY,
    RECENT,
    learn_rhythm,
    season_table,
    seasonal_clock,
    seasonal_expectations,
)
from tierlens.features.snapshot import build_snapshots, to_arrow
from tierlens.features.windows import Window

WINDOW = Window(horizon=60)


def shop_rows(days=800, customers=60, seed=0, busy=1.0):
    """Customers who arrive all the time, each at his own pace; in the last fifth of a year ``busy`` times as often."""
    rng = np.random.default_rng(seed)
    season = np.where(np.arange(days) % 365 >= 292, busy, 1.0)
    first, pace = rng.integers(0, days - 50, customers), rng.uniform(15, 90, customers)
    buys = rng.random((customers, days)) < season / pace[:, None]
    buys[np.arange(customers), first] = True
    buys &= np.arange(days) >= first[:, None]
    # each purchase is the last with a chance of one in twenty
    buys &= np.cumsum(buys, axis=1) <= rng.geometric(0.05, customers)[:, None]
    found = zip(*np.nonzero(buys), strict=True)
    return [purchase(f"c{customer:03d}", f"{customer}-{day}", int(day), 1000) for customer, day in found]


@given(st.lists(st.integers(0, 20), min_size=1, max_size=200), st.integers(-50, 50))
def test_a_clock_runs_as_many_units_as_days_and_never_backwards(daily, first):
    clock = seasonal_clock(np.array(daily, dtype=float), first)
    times = clock.at(np.arange(first, first + len(daily) + 1))
    assert times[0] == 0.0
    assert times[-1] == pytest.approx(len(daily))
    assert (np.diff(times) >= 0).all()


def test_an_even_shop_has_plain_days():
    clock = seasonal_clock(np.full(800, 4.0), 0)
    assert clock.at([0, 10, 400]) == pytest.approx([0, 10, 400])
    assert clock.ahead(90) == pytest.approx(90)
    assert clock.ahead(90, skip=10) == pytest.approx(90)


def test_the_horizon_runs_as_last_year_did():
    busy = np.where(np.arange(730) % 365 >= 300, 3.0, 1.0)
    october = seasonal_clock(busy[:665], 0)
    assert october.ahead(65) > 1.8 * 65 / (1 + 2 * 65 / 365)
    spring = seasonal_clock(busy[:500], 0)
    assert spring.ahead(65) < 65


def test_growth_since_last_year_counts_in_part():
    grown = np.concatenate([np.full(365, 1.0), np.full(182, 4.0)])
    clock = seasonal_clock(grown, 0)
    days = 90
    last_year = clock.pace[547 - 365 : 547 - 365 + days].mean()
    known = GROWTH
    expected = last_year * 4.0 ** (known / (known + GROWTH)) * days
    assert clock.ahead(days) == pytest.approx(expected, rel=0.05)


def test_a_young_shop_runs_on_at_its_latest_pace():
    rising = seasonal_clock(np.arange(1.0, 201.0), 0)
    assert rising.ahead(60) == pytest.approx(rising.pace[-RECENT:].mean() * 60)
    assert seasonal_clock(np.zeros(30), 0).ahead(10) == pytest.approx(10)


def test_expectations_stand_beside_snapshots():
    tables = tables_of(shop_rows())
    cutoffs = [500, 600, 700]
    found = seasonal_expectations(tables, cutoffs, WINDOW)
    beside = to_arrow(build_snapshots(tables, cutoffs, WINDOW, features=["frequency"]))
    assert found.select(["customer_id", "cutoff"]).equals(beside.select(["customer_id", "cutoff"]))
    assert found.column_names[2:] == list(EXPECTATIONS)
    for name in EXPECTATIONS:
        column = found[name].to_numpy()
        assert np.isfinite(column).all()
        assert (column >= 0).all()
        assert (column <= 1).all() or not name.endswith("p0")


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 1000))
def test_the_future_and_the_order_of_rows_change_nothing(seed):
    rows = shop_rows(customers=25, seed=seed)
    past = [row for row in rows if row["day"] < 600]
    moved = [rows[place] for place in np.random.default_rng(seed).permutation(len(rows))]
    later = [*past, purchase("c000", "new", 600, 9), purchase("new", "new2", 650, 9)]
    found = [seasonal_expectations(tables_of(given), 600, WINDOW) for given in (rows, past, moved, later)]
    assert all(other.equals(found[0]) for other in found[1:])


def test_what_was_recorded_late_is_not_known_yet():
    rows = shop_rows(customers=25)
    late = [*rows, purchase("c001", "late", 590, 9, known_day=610)]
    assert seasonal_expectations(tables_of(late), 600, WINDOW).equals(
        seasonal_expectations(tables_of(rows), 600, WINDOW)
    )


def test_engines_agree():
    rows = shop_rows(customers=20)
    one, two = (seasonal_expectations(tables_of(rows, engine), [500, 600], WINDOW) for engine in ("polars", "duckdb"))
    for name in ("customer_id", "cutoff"):
        assert one[name].to_pylist() == two[name].to_pylist()
    for name in EXPECTATIONS:
        assert one[name].to_numpy() == pytest.approx(two[name].to_numpy(), rel=1e-9)


def test_purchases_of_one_day_are_one():
    rows = shop_rows(customers=25)
    twice = [*rows, *(row | {"order_id": row["order_id"] + "b"} for row in rows)]
    one, two = (seasonal_expectations(tables_of(given), 600, WINDOW) for given in (rows, twice))
    assert one["btyd_p0"].to_numpy() == pytest.approx(two["btyd_p0"].to_numpy())


def test_a_gap_makes_churn_likelier():
    tables = tables_of(shop_rows())
    plain, waited = (seasonal_expectations(tables, 600, Window(gap=gap, horizon=60)) for gap in (0, 60))
    for name in ("btyd_p0", "mbg_p0"):
        assert (waited[name].to_numpy() >= plain[name].to_numpy() - 1e-9).all()


def test_the_clock_knows_a_busy_season_that_days_do_not():
    """Before the second busy season the seasonal probability of no purchase lies lower, and nearer to what happens."""
    rows = shop_rows(days=800, customers=400, busy=4.0, seed=3)
    table = seasonal_expectations(tables_of(rows), 650, WINDOW)
    bought = {row["customer_id"] for row in rows if 650 <= row["day"] < 710}
    rate = np.mean([name not in bought for name in table["customer_id"].to_pylist()])
    plain, season = (float(np.mean(table[name].to_numpy())) for name in ("mbg_p0", "sea_p0"))
    assert season < plain
    assert abs(season - rate) < abs(plain - rate)


def test_the_season_table_knows_volumes_of_closed_horizons_only():
    rows = shop_rows(customers=60)
    tables = tables_of(rows, end=800)
    found = season_table(tables, [500, 740, 741], WINDOW)
    assert found.schema.names == ["cutoff", "mean_p0", "known_p0"]
    assert found["known_p0"].is_null().to_pylist() == [False, False, True]
    own = seasonal_expectations(tables, [500], WINDOW)["sea_p0"].to_numpy().mean()
    assert found["mean_p0"][0].as_py() == pytest.approx(own)


def test_cutoffs_without_customers_give_no_rows():
    tables = tables_of([purchase("a", "1", 100, 5), purchase("a", "2", 150, 5)])
    found = seasonal_expectations(tables, [50], WINDOW)
    assert isinstance(found, pa.Table)
    assert found.num_rows == 0
    assert season_table(tables, [50], WINDOW).num_rows == 0


def test_a_kept_rhythm_tells_a_batch_what_all_are_told_and_keeps_nobody():
    shop = simulated_shop(customers=80, seed=1).tables
    rhythm, told = learn_rhythm(shop, "2024-06-01"), list(COLUMNS)
    whole = seasonal_expectations(shop, "2024-06-01", names=told)
    rows = to_arrow(build_snapshots(shop, "2024-06-01", features=HISTORY))
    for first in (0, 10):
        batch = rhythm.tell(rows.slice(first, 10), told)
        for name in told:
            np.testing.assert_allclose(
                batch[name], np.asarray(whole[name])[first : first + 10], rtol=1e-9, err_msg=name
            )
    assert all(len(values) == 0 for values in rhythm.tell(rows.slice(0, 0), told).values())
    assert len(rhythm.fits.moment.spend) == len(rhythm.fits.here) == len(rhythm.fits.plain) == 0
