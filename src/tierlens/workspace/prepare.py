"""First half of a run: tables in, then snapshots and tiers at every cutoff that the run needs."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

from tierlens.errors import DataError, UsageError
from tierlens.features.catalog import CATALOG, OTHERS, available_features
from tierlens.features.snapshot import KEY, build_snapshots, to_arrow
from tierlens.features.windows import Reach, Window, known_before, reach_of
from tierlens.grading.scheme.scheme import Scheme, load_scheme
from tierlens.grading.scoring import grade
from tierlens.grading.standing import grade_among
from tierlens.sources.engines import Frame, settle_frame
from tierlens.sources.report.quality import Quality
from tierlens.sources.tables import Tables, day_date
from tierlens.words import Text
from tierlens.workspace import notice
from tierlens.workspace.config import RunConfig, SimulatedSection, load_config


@dataclass(frozen=True)
class Shop:
    """What was read, and how.

    Parameters
    ----------
    tables : Tables
    quality : Quality
        Of simulated data, which come from no file, only the number of rows.
    is_simulated : bool
    """

    tables: Tables
    quality: Quality
    is_simulated: bool


@dataclass(frozen=True)
class Prepared:
    """Snapshots and tiers, keyed by customer and cutoff.

    Parameters
    ----------
    panel : pyarrow.Table
        All features that the tables allow, at the learning cutoffs and the cutoff of the run.
    tiers : pyarrow.Table
        Graded rows of the panel, in the same order.
    later : pyarrow.Table
        Key, ``tier``, ``tier_rank`` and ``flags`` of everybody graded one gap and horizon after each learning cutoff.
    idle : pyarrow.Table
        Graded rows of the panel as they will stand after the horizon if nothing more is bought; the same order.
    scheme : Scheme
    """

    panel: pa.Table
    tiers: pa.Table
    later: pa.Table
    idle: pa.Table
    scheme: Scheme

    def at(self, table: pa.Table, cutoff: int) -> pa.Table:
        """Return the rows of one cutoff."""
        return table.filter(pc.equal(table["cutoff"], cutoff))


def read_shop(config: RunConfig, at_cutoff: bool = False) -> Shop:
    """Read the source of a run, or make the simulated shop that it names.

    Parameters
    ----------
    config : RunConfig
    at_cutoff : bool
        Only what was known at the cutoff of the run: nothing that comes of it can depend on anything else.

    Raises
    ------
    DataError
        See :func:`tierlens.sources.read.read_tables`.
    """
    if config.source is None:
        return simulated_run_shop(config, at_cutoff)
    from tierlens.sources.read import read_tables

    source = config.source.model_copy(update={"name": config.name})
    found = read_tables(source, before=config.cutoff_day if at_cutoff else None)
    return Shop(found.tables, found.quality, False)


def simulated_run_shop(config: RunConfig, at_cutoff: bool = False) -> Shop:
    """Return the simulated shop of a run file; see :func:`read_shop`."""
    from tierlens.datasets.simulate import simulated_shop

    asked = config.simulated or SimulatedSection()
    whole = simulated_shop(customers=asked.customers, months=asked.months, seed=config.seed).tables
    tables = known_before(whole, config.cutoff_day) if at_cutoff else whole
    rows, every = (int(t.transactions.select(nw.len()).collect("pyarrow").item()) for t in (tables, whole))
    quality = dataclasses.replace(_counted(tables), name=config.name, rows_in=rows, used=rows, set_aside=every - rows)
    notice.note_simulated(config.name)
    return Shop(dataclasses.replace(tables, name=config.name), quality, True)


def _counted(tables: Tables) -> Quality:
    """Return the customers, orders and days of simulated tables."""
    lines = tables.transactions.select("customer_id", "order_id", "day").collect("pyarrow").to_native()
    days = pc.min_max(lines["day"]).as_py()
    first, last = ((day_date(day) if day is not None else None) for day in (days["min"], days["max"]))
    customers, orders = (pc.count_distinct(lines[name]).as_py() for name in ("customer_id", "order_id"))
    return Quality("", 0, 0, customers=customers, orders=orders, first_day=first, last_day=last)


def obtain_shop(config: RunConfig, tell: Callable[[Text], None], at_cutoff: bool = False) -> tuple[RunConfig, Shop]:
    """Read the shop of a run file; download it, or turn to the run file that takes its place, where it is nowhere.

    Parameters
    ----------
    config : RunConfig
    tell : callable
        Takes what the user must know: that something is fetched, or that simulated data stand in.
    at_cutoff : bool
        See :func:`read_shop`.

    Returns
    -------
    (RunConfig, Shop)
        The run file that was used in the end.
    """
    try:
        return config, told_of(read_shop(config, at_cutoff), config, tell)
    except DataError as problem:
        if problem.code not in ABSENT or (config.download is None and config.otherwise is None):
            raise
        tell(problem.what)
    if config.download is not None:
        from tierlens.datasets.examples import fetch_retail

        try:
            tell(Text("downloading it from its public archive", "正在从公开档案下载"))
            fetch_retail()
            return config, told_of(read_shop(config, at_cutoff), config, tell)
        except DataError as problem:
            if config.otherwise is None:
                raise
            tell(problem.what)
    other = load_config(Path(str(config.otherwise)))
    tell(Text(f"{other.name} takes its place", f"改用{other.name}"))
    return other, told_of(read_shop(other, at_cutoff), other, tell)


def told_of(shop: Shop, config: RunConfig, tell: Callable[[Text], None]) -> Shop:
    """Tell how many lines a run does not look at, and of lines dated after today; return the shop."""
    aside = sum(table.set_aside for table in (shop.quality, *shop.quality.others.values()))
    if aside:
        tell(
            Text(
                f"{aside:,} rows lie at or after the cutoff {config.cutoff}, or were recorded then: they are not used",
                f"{aside:,} 行发生或录入于截止日 {config.cutoff} 及以后，不予使用",
            )
        )
    latest, today = shop.quality.latest, dt.datetime.now().astimezone().date()
    if latest is not None and latest > today:
        tell(
            Text(
                f"warning: the last line is dated {latest}, after today; correct it, or say under source: "
                "complete_until up to which day the data are complete",
                f"警告：最后一行日期为 {latest}，晚于今天；请更正，或在 source 下用 complete_until 声明数据完整日期",
            )
        )
    return shop


def say_nothing(text: Text) -> None:
    """Say nothing: for commands whose output is their result."""


ABSENT = ("E-TX-120", "E-TX-121")
"""Codes of files that are nowhere, as against files that must not be read."""


def prepare_tables(shop: Shop, config: RunConfig) -> Prepared:
    """Build and grade everything that learning and reporting need.

    Raises
    ------
    DataError
        ``E-RU-001`` when nobody bought anything in the window before the cutoff.
    """
    scheme = load_scheme(config.scheme, "scheme")
    learning = config.learning_cutoffs()
    within_data(shop.tables, [config.cutoff_day], config.span)
    cutoffs = sorted({*learning, config.cutoff_day})
    panel = to_arrow(build_snapshots(shop.tables, cutoffs, config.span, features=panel_features(shop.tables, scheme)))
    if not pc.any(pc.equal(panel["cutoff"], config.cutoff_day)).as_py():
        raise no_customer_error(shop.tables, config.cutoff_day, config.span)
    features = arrow_as_frame(panel)
    currency = shop.tables.currency
    tiers = to_arrow(grade(features, scheme, currency))
    wait = config.window.gap + config.window.horizon
    wanted = graded_features(shop.tables, scheme)
    later = _graded_later(shop, config, scheme, [day + wait for day in learning])
    ahead = build_snapshots(shop.tables, cutoffs, config.span, features=wanted, everyone=True, ahead=wait)
    still = panel.select(list(KEY)).join(to_arrow(ahead), keys=list(KEY), join_type="left outer")
    idle = to_arrow(grade_among(still, panel, scheme, currency))
    return Prepared(panel, tiers, later, idle, scheme)


def graded_features(tables: Tables, scheme: Scheme) -> list[str]:
    """Return the features of the catalog that a scheme reads and the tables allow, in the catalog's order."""
    return available_features(tables, scheme.features)


def panel_features(tables: Tables, scheme: Scheme) -> list[str]:
    """Return what a panel holds: all features of transactions and of the tables at hand, and what the scheme reads."""
    return available_features(tables, {*CATALOG, *OTHERS, *scheme.features})


def _graded_later(shop: Shop, config: RunConfig, scheme: Scheme, days: Sequence[int]) -> pa.Table:
    if not days:
        return pa.table({name: pa.array([], kind) for name, kind in LATER.items()})
    features = settle_frame(
        build_snapshots(shop.tables, days, config.span, features=graded_features(shop.tables, scheme))
    )
    return to_arrow(grade(features, scheme, shop.tables.currency).select(*LATER))


LATER: dict[str, Any] = {
    "customer_id": pa.string(),
    "cutoff": pa.int32(),
    "score": pa.float64(),
    "tier": pa.string(),
    "tier_rank": pa.int32(),
    "flags": pa.string(),
}


def arrow_as_frame(table: pa.Table) -> Frame:
    """Put an Arrow table into a DuckDB of its own, for what reads lazy frames."""
    import duckdb

    frame: Frame = nw.from_native(duckdb.from_arrow(table, connection=duckdb.connect()))
    return frame


def closing_cutoffs(config: RunConfig) -> list[int]:
    """Return the cutoffs that a run learns from, at least one.

    Raises
    ------
    UsageError
        ``E-RU-031`` when no horizon closes between the first cutoff and the run's.
    """
    if learning := config.learning_cutoffs():
        return learning
    wait = config.window.gap + config.window.horizon
    last = day_date(config.cutoff_day - wait).replace(day=1)
    raise UsageError(
        "E-RU-031",
        Text(
            f"no month that begins on {config.risk.first_cutoff} or later has its {wait} days behind it at the cutoff "
            f"{config.cutoff}",
            f"自 {config.risk.first_cutoff} 起的各月初，到截止日 {config.cutoff} 均未满 {wait} 天",
        ),
        where="risk.first_cutoff",
        fix=Text(f"set it to {last} or earlier", f"请设为 {last} 或更早"),
    )


def within_data(tables: Tables, cutoffs: Iterable[int], window: Window) -> None:
    """Refuse a cutoff so long after the data that nobody can have bought in its window, or cutoffs all before them.

    Raises
    ------
    DataError
        ``E-RU-001`` with the first and last day of the data.
    """
    latest, reach = max(cutoffs), _reach(tables)
    if reach is None or not reach.first < latest <= reach.last + window.observe:
        raise no_customer_error(tables, latest, window)


def _reach(tables: Tables) -> Reach | None:
    """Return the days that the data cover; None without any."""
    return reach_of(tables) if tables.transactions.select(nw.len()).collect("pyarrow").item() else None


def no_customer_error(tables: Tables, cutoff: int, window: Window) -> DataError:
    """Return the error for a cutoff at which there is no customer."""
    reach = _reach(tables)
    span = f"{day_date(reach.first)} - {day_date(reach.last)}" if reach else "-"
    day = day_date(cutoff)
    return DataError(
        "E-RU-001",
        Text(
            f"nobody bought anything in the {window.observe} days before {day}; the data known then: {span}",
            f"{day} 之前 {window.observe} 天内没有任何购买；当时已知的数据：{span}",
        ),
        where="cutoff",
        fix=Text("set a cutoff within the time of the data", "请将截止日设在数据时间范围内"),
    )


def columns_of(table: pa.Table, names: Iterable[str]) -> pa.Table:
    """Return those of the columns that the table has, in the order asked for."""
    return table.select([name for name in names if name in table.column_names])
