"""Panels that do not fit into memory: one file a cutoff, each built by itself from orders that are settled once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tierlens.features.snapshot import KEY, Plan, built_from_orders, order_rows, orders_plane, with_periods
from tierlens.features.windows import Cutoff, Window, at_cutoffs, cutoff_days
from tierlens.scratch import scratch_folder
from tierlens.sources.engines import Frame, parked_frame
from tierlens.sources.tables import Tables, day_date

UNREAD = ("order_id", "purchase")
"""Columns of orders that no feature reads once they are paired with their neighbours."""


def write_panel(
    tables: Tables,
    cutoffs: Sequence[Cutoff] | Cutoff,
    folder: str | Path,
    window: Window | None = None,
    *,
    features: Iterable[str] | None = None,
    everyone: bool = False,
) -> list[Path]:
    """Build the snapshots of many cutoffs and write one Parquet file for each.

    The same rows as :func:`tierlens.features.snapshot.build_snapshots` gives in one table. Orders are worked out
    once and laid aside on disk; each cutoff is then one pass over them, so that memory goes with the customers of
    one cutoff and neither with those of all nor with the orders.

    Parameters
    ----------
    tables : Tables
        Settled tables.
    cutoffs, window, features, everyone
        As for ``snapshots``.
    folder : path
        An existing folder; files of the same cutoffs are replaced.

    Returns
    -------
    list of Path
        ``snapshots_2011-06-01.parquet`` and so on, in order of the cutoffs; rows in order of the customers.

    Examples
    --------
    >>> import tempfile
    >>> from tierlens.datasets.examples import simulated_shop
    >>> shop = simulated_shop(customers=50, seed=1).tables
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [file.name for file in write_panel(shop, ["2025-01-01"], folder, features=["frequency"])]
    ['snapshots_2025-01-01.parquet']
    """
    plan = Plan.of(tables, features, window, everyone=everyone)
    days = cutoff_days(cutoffs)
    files = [Path(folder) / f"snapshots_{day_date(day)}.parquet" for day in days]
    with scratch_folder(Path(folder)) as aside:
        rows = None
        if len(days) > 1 and not (plan.neighbours and tables.late_rows):
            held = order_rows(tables, plan)
            kept = [name for name in held.collect_schema().names() if name not in UNREAD]
            rows = parked_frame(held.select(kept), aside / "orders.parquet")
        for day, file in zip(days, files, strict=True):
            paired = orders_plane(tables, [day], plan) if rows is None else _paired(rows, day)
            built_from_orders(tables, [day], plan, paired).sort(*KEY).sink_parquet(file)
    return files


def _paired(rows: Frame, day: int) -> Frame:
    return with_periods(at_cutoffs(rows, [day]))
