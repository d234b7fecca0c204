"""A panel in files is the panel in one table."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tierlens.datasets.simulate import simulated_shop
from tierlens.features.snapshot import build_snapshots, to_arrow
from tierlens.features.snapshot_files import write_panel
from tierlens.features.windows import Window

CUTOFFS = ["2024-10-01", "2024-07-01", "2024-08-01"]
SHOP = simulated_shop(customers=60, months=30, seed=3).tables


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("features", [None, ["frequency", "amount_90"], ["interval_mean_days"]])
def test_files_hold_the_rows_of_one_table(tmp_path: Path, late: bool, features: list[str] | None) -> None:
    shop = SHOP if late else dataclasses.replace(SHOP, late_rows=False)
    files = write_panel(shop, CUTOFFS, tmp_path, Window(observe=180), features=features)
    whole = to_arrow(build_snapshots(shop, CUTOFFS, Window(observe=180), features=features))
    assert [file.name for file in files] == [f"snapshots_{day}.parquet" for day in sorted(CUTOFFS)]
    assert pa.concat_tables([pq.read_table(file) for file in files]).equals(whole.cast(pq.read_schema(files[0])))


def test_another_engine_writes_the_same(tmp_path: Path) -> None:
    pytest.importorskip("polars")
    import narwhals as nw
    import polars as pl

    def on_polars(frame: nw.LazyFrame) -> nw.LazyFrame:
        return nw.from_native(pl.from_arrow(frame.collect("pyarrow").to_native()).lazy())

    (tmp_path / "polars").mkdir()
    shop = dataclasses.replace(
        SHOP, transactions=on_polars(SHOP.transactions), others={k: on_polars(v) for k, v in SHOP.others.items()}
    )
    names = ["recency_days", "frequency", "monetary", "active_months", "gap_squares"]
    ours = write_panel(SHOP, CUTOFFS[:2], tmp_path, features=names)
    theirs = write_panel(shop, CUTOFFS[:2], tmp_path / "polars", features=names)
    for one, other in zip(ours, theirs, strict=True):
        assert pq.read_table(one).to_pylist() == pq.read_table(other).to_pylist()
