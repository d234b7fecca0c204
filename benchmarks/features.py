"""Features at full size: the catalog beside hand-written SQL, pandas, Polars, a raw scan and a peer's RFM function.

``python benchmarks/features.py [--rows 20000000] [--large 100000000] [--folder DIR] [--best 2]`` prints one table. Rows
are generated (24 months, one Parquet file a month, one row an order) once into a temporary folder, or into ``--folder``
and kept there. Every way runs in a process of its own, so that its peak memory is its own, reads the same files and
writes one of its own, in order of the customers (so that two runs give the same bytes); what the ways computed is
compared before ratios are printed. ``make peers`` installs the peers beside the project
(``lifetimes`` is archived, so it is no dependency); without them their rows are left out.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from _machine import machine

PEERS = Path(__file__).parents[1] / "build" / "peers"
CUTOFF = 20454  # 2026-01-01
FIRST = CUTOFF - 730
PANEL = [CUTOFF - 30 * back for back in range(5, -1, -1)]
CORE = (
    "recency_days", "frequency", "monetary", "average_order_value", "tenure_days", "active_months", "amount_90",
    "amount_prev_90", "recent_share",
)  # fmt: skip
THIRTEEN = (*CORE, "interval_mean_days", "interval_spread_days", "longest_gap_days", "trend_12")
RFM = ("recency_days", "frequency", "monetary")
PEER_ROWS = 1_000_000


def generate(folder: Path, rows: int, customers: int) -> None:
    """Write 24 files of orders: a few customers order much, most little, some not at all."""
    connection = duckdb.connect()
    each = rows // 24
    for month in range(24):
        first, number = FIRST + month * 30 + month // 3, f"{month} * {each} + i"
        sql = f"""
SELECT 'C' || lpad(floor({customers} * (hash(n, 1) % 1000000007 / 1000000007.0) ** 1.35)::BIGINT::VARCHAR, 8, '0')
           AS customer_id,
       'O' || n AS order_id, {first} + (hash(n, 2) % 30)::INTEGER AS day, day AS known_day,
       (exp(7 + 2.5 * (hash(n, 3) % 1000003 / 1000003.0)))::BIGINT * CASE WHEN back THEN -1 ELSE 1 END AS amount,
       CASE WHEN back THEN 'return' ELSE 'purchase' END AS kind
FROM (SELECT {number} AS n, hash({number}, 4) % 50 = 0 AS back FROM range({each}) t(i))"""
        connection.execute(f"COPY ({sql}) TO '{folder}/orders_{month:02}.parquet' (FORMAT parquet)")


def _rows(connection: duckdb.DuckDBPyConnection, folder: Path) -> duckdb.DuckDBPyRelation:
    return connection.sql(
        f"SELECT customer_id, order_id, day, known_day, amount, kind, NULL::VARCHAR AS product_id, "
        f"NULL::DOUBLE AS quantity FROM read_parquet('{folder}/orders_*.parquet')"
    )


def _catalog(folder: Path, names: tuple[str, ...] | None, cutoffs: list[int], memory: str = "") -> Any:
    import narwhals as nw

    from tierlens.features.snapshot_files import write_panel
    from tierlens.sources.tables import Currency, Tables, day_date

    (folder / "made").mkdir(exist_ok=True)

    connection = duckdb.connect()
    if memory:
        connection.execute(f"SET memory_limit = '{memory}'")
        connection.execute(f"SET temp_directory = '{folder}/spill'")
    tables = Tables(nw.from_native(_rows(connection, folder)), Currency("CNY"), whole_orders=True, late_rows=False)
    write_panel(tables, cutoffs, folder / "made", features=names, everyone=True)
    return _told(folder / "made" / f"snapshots_{day_date(CUTOFF)}.parquet")


def _told(file: Path) -> list[float]:
    """Return what the ways must agree about: rows and the sums of the core columns, as far as they are there."""
    made = duckdb.read_parquet(str(file))
    sums = ", ".join(f"coalesce(sum({name}), 0)::DOUBLE" for name in CORE if name in made.columns)
    return [round(float(value), 3) for value in made.aggregate(f"count(*), {sums}").fetchall()[0]]


def every() -> tuple[str, ...]:
    """All features of transactions but those that ask which product was bought: the orders name none."""
    from tierlens.features.catalog import CATALOG, needed_features

    return tuple(name for name in CATALOG if all(need.plane != "products" for need in needed_features([name])))


def by_scan(folder: Path) -> Any:
    """Read the four columns that the core features need."""
    columns = "max(customer_id), sum(day), sum(amount), max(kind)"
    return [float(duckdb.sql(f"SELECT {columns} FROM read_parquet('{folder}/orders_*.parquet')").fetchall()[0][1]), 0.0]


HAND = """
SELECT customer_id, {cutoff} AS cutoff,
  min(CASE WHEN amount > 0 THEN {cutoff} - day END) AS recency_days,
  count(CASE WHEN amount > 0 AND age <= 365 THEN 1 END) AS frequency,
  sum(CASE WHEN age <= 365 THEN amount ELSE 0 END)::BIGINT AS monetary,
  sum(CASE WHEN amount > 0 AND age <= 365 THEN amount ELSE 0 END)::BIGINT AS spend,
  spend / nullif(frequency, 0) AS average_order_value,
  max(CASE WHEN amount > 0 THEN {cutoff} - day END) AS tenure_days,
  bit_count(bit_or(CASE WHEN amount > 0 AND age <= 365 THEN 1 << ((age - 1) * 12 // 365) ELSE 0 END)) AS active_months,
  sum(CASE WHEN amount > 0 AND age <= 90 THEN amount ELSE 0 END)::BIGINT AS amount_90,
  sum(CASE WHEN amount > 0 AND age BETWEEN 91 AND 180 THEN amount ELSE 0 END)::BIGINT AS amount_prev_90,
  amount_90 / nullif(amount_90 + amount_prev_90, 0) AS recent_share
FROM (SELECT customer_id, day, amount, {cutoff} - day AS age FROM read_parquet('{folder}/orders_*.parquet')
      WHERE day < {cutoff} AND known_day < {cutoff})
GROUP BY customer_id ORDER BY customer_id
"""


def by_hand_sql(folder: Path) -> Any:
    """Compute the core nine as somebody who knows DuckDB would write them."""
    sql = HAND.format(cutoff=CUTOFF, folder=folder)
    duckdb.sql(f"COPY ({sql}) TO '{folder}/made.parquet' (FORMAT parquet)")
    return _told(folder / "made.parquet")


def by_pandas(folder: Path) -> Any:
    """Compute the core nine in vectorised pandas."""
    import pandas as pd

    rows = pd.read_parquet(
        sorted(folder.glob("orders_*.parquet")), columns=["customer_id", "day", "known_day", "amount"]
    )
    rows = rows[(rows["day"] < CUTOFF) & (rows["known_day"] < CUTOFF)]
    age = (CUTOFF - rows["day"]).to_numpy()
    bought = (rows["amount"] > 0).to_numpy()
    near, amount = age <= 365, rows["amount"].to_numpy()
    wide = pd.DataFrame({"customer_id": rows["customer_id"].to_numpy(), "frequency": (bought & near).astype("int64")})
    wide["monetary"] = amount * near
    wide["spend"] = amount * (near & bought)
    wide["amount_90"] = amount * ((age <= 90) & bought)
    wide["amount_prev_90"] = amount * ((age > 90) & (age <= 180) & bought)
    out = wide.groupby("customer_id").sum()
    bought_age = pd.DataFrame({"customer_id": wide["customer_id"][bought].to_numpy(), "age": age[bought]})
    ages = bought_age.groupby("customer_id")["age"].agg(["min", "max"])
    out["recency_days"], out["tenure_days"] = ages["min"], ages["max"]
    months = bought_age[bought_age["age"] <= 365].assign(month=lambda frame: (frame["age"] - 1) * 12 // 365)
    distinct = months.drop_duplicates(["customer_id", "month"]).groupby("customer_id").size()
    out["active_months"] = distinct.reindex(out.index, fill_value=0)
    out["average_order_value"] = out["spend"] / out["frequency"].where(out["frequency"] > 0)
    both = out["amount_90"] + out["amount_prev_90"]
    out["recent_share"] = out["amount_90"] / both.where(both > 0)
    out.reset_index().to_parquet(folder / "made.parquet")
    return _told(folder / "made.parquet")


def by_polars(folder: Path) -> Any:
    """Compute the core nine in lazy Polars."""
    import polars as pl

    age, amount = CUTOFF - pl.col("day"), pl.col("amount")
    near, bought = age <= 365, amount > 0
    out = (
        pl.scan_parquet(f"{folder}/orders_*.parquet")
        .filter((pl.col("day") < CUTOFF) & (pl.col("known_day") < CUTOFF))
        .group_by("customer_id")
        .agg(
            age.filter(bought).min().alias("recency_days"), age.filter(bought).max().alias("tenure_days"),
            (near & bought).sum().alias("frequency"), amount.filter(near).sum().alias("monetary"),
            amount.filter(near & bought).sum().alias("spend"),
            ((age - 1) * 12 // 365).filter(near & bought).n_unique().alias("active_months"),
            amount.filter((age <= 90) & bought).sum().alias("amount_90"),
            amount.filter((age > 90) & (age <= 180) & bought).sum().alias("amount_prev_90"),
        )
        .with_columns(
            pl.when(pl.col("frequency") > 0).then(pl.col("spend") / pl.col("frequency")).alias("average_order_value"),
            pl.when(pl.col("amount_90") + pl.col("amount_prev_90") > 0)
            .then(pl.col("amount_90") / (pl.col("amount_90") + pl.col("amount_prev_90"))).alias("recent_share"),
        )
    )  # fmt: skip
    out.sort("customer_id").collect().write_parquet(folder / "made.parquet")
    return _told(folder / "made.parquet")


def by_spark(folder: Path) -> Any:
    """Compute the core nine by the same catalog on Spark; starting the session is not counted."""
    import narwhals as nw

    from tierlens.features.snapshot import build_snapshots
    from tierlens.pipeline.spark_run import spark_session
    from tierlens.sources.tables import Currency, Tables

    session = spark_session()
    start = time.perf_counter()
    rows = session.read.parquet(*(str(file) for file in sorted(folder.glob("orders_*.parquet"))))
    rows = rows.selectExpr("*", "cast(null as string) as product_id", "cast(null as double) as quantity")
    tables = Tables(nw.from_native(rows), Currency("CNY"), whole_orders=True, late_rows=False)
    made = build_snapshots(tables, [CUTOFF], features=CORE, everyone=True).to_native()
    made.write.mode("overwrite").parquet(str(folder / "made_by_spark"))
    seconds = time.perf_counter() - start
    return [*_told(folder / "made_by_spark" / "*.parquet"), seconds]


def by_lifetimes(folder: Path) -> Any:
    """Call the peer's RFM function; reading is not counted."""
    sys.path.append(str(PEERS))
    from lifetimes.utils import summary_data_from_transaction_data

    sql = f"SELECT customer_id, make_date(day) AS date, amount FROM read_parquet('{folder}/orders_*.parquet')"
    rows = duckdb.sql(sql).df()
    start = time.perf_counter()
    made = summary_data_from_transaction_data(rows, "customer_id", "date", monetary_value_col="amount")
    return [float(len(made)), time.perf_counter() - start]


WAYS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "scan": ("raw scan of 4 columns", by_scan),
    "core": ("core nine, tierlens", lambda folder: _catalog(folder, CORE, [CUTOFF])),
    "sql": ("core nine, hand-written SQL", by_hand_sql),
    "polars": ("core nine, Polars", by_polars),
    "pandas": ("core nine, pandas", by_pandas),
    "spark": ("core nine, tierlens on Spark", by_spark),
    "rfm": ("RFM, tierlens (with reading)", lambda folder: _catalog(folder, RFM, [CUTOFF])),
    "lifetimes": ("RFM, lifetimes (without reading)", by_lifetimes),
    "core panel": ("core nine, tierlens, 6 cutoffs", lambda folder: _catalog(folder, CORE, PANEL)),
    "intervals": ("core nine and intervals, 1 cutoff", lambda folder: _catalog(folder, THIRTEEN, [CUTOFF])),
    "interval panel": ("core nine and intervals, 6 cutoffs", lambda folder: _catalog(folder, THIRTEEN, PANEL)),
    "all": ("all features of orders, 1 cutoff", lambda folder: _catalog(folder, every(), [CUTOFF])),
    "panel": ("all features of orders, 6 cutoffs", lambda folder: _catalog(folder, every(), PANEL)),
    "limit": ("core nine, tierlens, 2 GiB limit", lambda folder: _catalog(folder, CORE, [CUTOFF], "2GiB")),
}


LONG = ("lifetimes", "spark", "core panel", "intervals", "interval panel", "all", "panel")
"""Ways that run once: they take long enough."""


def one(way: str, folder: Path, best: int) -> dict[str, Any]:
    """Run one way and return its best time, its peak memory and what it found."""
    seconds, told = float("inf"), []
    for _ in range(best):
        start = time.perf_counter()
        told = WAYS[way][1](folder)
        seconds = min(seconds, time.perf_counter() - start)
    if way in ("lifetimes", "spark"):
        seconds = told.pop()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "peak": peak, "told": told}


def run(way: str, folder: Path, best: int) -> dict[str, Any]:
    """Run one way in a process of its own."""
    command = [sys.executable, __file__, "--one", way, "--folder", str(folder), "--best", str(best)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{way} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _folder(base: Path, rows: int, customers: int) -> Path:
    folder = base / f"orders_{rows}"
    if not folder.is_dir():
        folder.mkdir(parents=True)
        generate(folder, rows, customers)
    return folder


def _agree(found: dict[str, dict[str, Any]]) -> None:
    told = {way: found[way]["told"] for way in ("core", "sql", "polars", "pandas", "spark") if way in found}
    first = next(iter(told.values()))
    for way, values in told.items():
        if any(abs(a - b) > 1e-9 * max(abs(a), 1.0) for a, b in zip(first, values, strict=True)):
            raise SystemExit(f"{way} found something else: {values} instead of {first}")


def report(base: Path, rows: int, large: int, best: int) -> None:
    """Print the table and the bars."""
    folder = _folder(base, rows, rows // 20)
    found: dict[str, dict[str, Any]] = {}
    print(f"{rows:,} orders, {rows // 20:,} customers, 24 months, 24 Parquet files; best of {best}")
    print(machine("duckdb", "narwhals", "polars", "pandas"), flush=True)
    print(f"\n{'way':44} {'seconds':>8} {'peak MB':>8} {'rows':>12}")
    ways = [way for way in WAYS if way != "limit" and (way != "lifetimes" or PEERS.is_dir())]
    for way in ways:
        found[way] = run(way, folder, 1 if way in LONG else best)
        _line(WAYS[way][0], found[way])
    _agree(found)
    if PEERS.is_dir():
        small = _folder(base, PEER_ROWS, PEER_ROWS // 20)
        for way in ("rfm", "lifetimes"):
            found[f"small {way}"] = run(way, small, best)
            _line(f"{WAYS[way][0]}, {PEER_ROWS:,}", found[f"small {way}"])
    if large:
        found["limit"] = run("limit", _folder(base, large, large // 20), 1)
        _line(f"{WAYS['limit'][0]}, {large:,}", found["limit"])
    _bars({way: each["seconds"] for way, each in found.items()}, max(found[way]["peak"] for way in ("all", "panel")))


def _line(title: str, each: dict[str, Any]) -> None:
    print(f"{title:44} {each['seconds']:8.2f} {each['peak']:8.0f} {each['told'][0]:12,.0f}", flush=True)


def _bars(seconds: dict[str, float], peak: float) -> None:
    print(f"\n{'ratio':58} {'found':>8} {'asked':>8}")
    asked = [
        ("core nine, tierlens / hand-written SQL", seconds["core"] / seconds["sql"], "<= 1.3"),
        ("core nine, pandas / tierlens", seconds["pandas"] / seconds["core"], ">= 3.3"),
        ("core nine, 6 cutoffs / 1 cutoff", seconds["core panel"] / seconds["core"], ""),
        ("core nine and intervals, 6 cutoffs / 1 cutoff", seconds["interval panel"] / seconds["intervals"], ""),
        ("all features, 6 cutoffs / 1 cutoff", seconds["panel"] / seconds["all"], "<= 3.0"),
        ("all features, peak GiB", peak / 1024, "< 3"),
    ]
    if "lifetimes" in seconds:
        asked.append(("RFM, lifetimes / tierlens", seconds["lifetimes"] / seconds["rfm"], ">= 5"))
    if "limit" in seconds:
        asked.append(("core nine with a 2 GiB limit, seconds", seconds["limit"], "< 60"))
    for title, value, bar in asked:
        print(f"{title:58} {value:8.2f} {bar:>8}")


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--large", type=int, default=100_000_000, help="0: leave it out")
    parser.add_argument("--best", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--one", choices=list(WAYS))
    told = parser.parse_args()
    if told.one:
        print(json.dumps(one(told.one, told.folder, told.best)))
        return
    if told.folder:
        report(told.folder, told.rows, told.large, told.best)
        return
    with tempfile.TemporaryDirectory() as folder:
        report(Path(folder), told.rows, told.large, told.best)


if __name__ == "__main__":
    main()
