"""The laws of a point in time hold for every feature of the catalog, and catch features that break them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.crowd import crowd
from tests.other_tables import sale, tables_with
from tests.tables_of import tables_of
from tierlens.datasets.simulate import simulated_shop
from tierlens.errors import DataError
from tierlens.features.audit import (
    Audit,
    Breach,
    any_late,
    audit_features,
    column_difference,
    sampled_customers,
    whole_catalog,
    with_added,
)
from tierlens.features.catalog import EXPECTED, WHOLE
from tierlens.features.laws import LAWS, Raw
from tierlens.features.snapshot import KEY, build_snapshots, order_totals, to_arrow
from tierlens.features.windows import Window
from tierlens.sources.tables import Tables, day_number

CUTOFF = 800
NAMES = [law.name for law in LAWS]


def lend(raw: Raw, like: Tables) -> Tables:
    """Polars plans small tables fastest."""
    frames: dict[str, Any] = {name: nw.from_native(pl.from_arrow(table).lazy()) for name, table in raw.items()}
    return dataclasses.replace(like, transactions=frames.pop("transactions"), others=frames, late_rows=any_late(raw))


# --- the catalog keeps them


@pytest.fixture(scope="module", params=["crowd", pytest.param("shop", marks=pytest.mark.slow)])
def found(request: pytest.FixtureRequest) -> Audit:
    """One audit of the whole catalog, by every law: of rows thick at the edges of windows, and of a shop."""
    if request.param == "crowd":
        return audit_features(tables_with(crowd(7, CUTOFF)), [CUTOFF], lend=lend)
    return audit_features(simulated_shop(customers=60, seed=5).tables, ["2025-06-01"], lend=lend)


@pytest.mark.parametrize("law", NAMES)
def test_every_feature_keeps_the_law(found: Audit, law: str) -> None:
    assert [breach.say().en for breach in found.breaches if breach.law == law] == []
    kept = {name: (held, exempt) for name, _, held, broken, exempt in found.rows("en")}
    assert kept[law] == ((len(WHOLE) - len(EXPECTED), len(EXPECTED)) if law == "others_removed" else (len(WHOLE), 0))
    assert found.passed


def test_rows_without_delay_take_the_short_way_and_keep_the_laws() -> None:
    """Intervals are then worked out once for all cutoffs, over rows of the future too."""
    rows = crowd(13, CUTOFF, late=False)
    tables, window = tables_with({"transactions": rows["transactions"]}), Window(observe=180, gap=7, horizon=60)
    done = audit_features(tables, [CUTOFF], window, lend=lend)
    assert not any_late(sampled_customers(tables_with(rows)))
    assert done.passed, [breach.say().en for breach in done.breaches]


# --- four rows, a million rows


def test_four_rows() -> None:
    rows = [sale("a", CUTOFF - 1, 500) | {"known_day": CUTOFF}, sale("a", CUTOFF, 100),
            sale("b", CUTOFF - 365, 300), sale("b", CUTOFF - 366, 200)]  # fmt: skip
    done = audit_features(tables_with({"transactions": rows}), [CUTOFF], lend=lend)
    assert done.passed
    assert done.customers == 2


@pytest.mark.slow
def test_a_million_rows_from_the_cutoff_on_change_nothing() -> None:
    shop = simulated_shop(customers=500, seed=5).tables
    rows = sum(table.num_rows for table in sampled_customers(shop, 500).values())
    laws = [law for law in with_added(1_000_000 / rows + 1) if law.name == "future_added"]
    added = laws[0].change(sampled_customers(shop, 500), day_number("2025-06-01"), np.random.default_rng(0))
    assert sum(table.num_rows for table in added.values()) - rows >= 1_000_000
    assert audit_features(shop, ["2025-06-01"], laws=laws, customers=500).passed


@pytest.mark.slow
def test_a_million_rows_keep_every_law() -> None:
    shop = simulated_shop(customers=5_000, seed=6).tables
    rows = sum(table.num_rows for table in sampled_customers(shop, 5_000).values())
    assert rows > 1_000_000
    assert audit_features(shop, ["2025-06-01"], customers=5_000, lend=lend).passed


# --- features that leak are caught


def _of(tables: Tables, cutoffs: Sequence[int], value: nw.Expr, known: nw.Expr | None = None) -> pa.Table:
    """Pair all transactions with the cutoffs, by hand, and aggregate."""
    days = nw.from_native(pl.LazyFrame({"cutoff": pl.Series(list(cutoffs), dtype=pl.Int32)}))
    rows = tables.transactions.join(days, how="cross")
    everybody = rows.filter((nw.col("day") < nw.col("cutoff")) & (nw.col("known_day") < nw.col("cutoff")))
    rows = rows.filter(known) if known is not None else rows
    told = rows.group_by(*KEY).agg(value.alias("planted"))
    return to_arrow(everybody.select(*KEY).unique().join(told, on=list(KEY), how="left"))


PAST_ROWS = (nw.col("day") < nw.col("cutoff")) & (nw.col("known_day") < nw.col("cutoff"))
AMOUNT = nw.col("amount").sum()


def reads_the_future(tables: Tables, cutoffs: Sequence[int], _: Window) -> pa.Table:
    return _of(tables, cutoffs, AMOUNT, nw.col("day") < nw.col("cutoff") + 30)


def reads_the_cutoff(tables: Tables, cutoffs: Sequence[int], _: Window) -> pa.Table:
    return _of(tables, cutoffs, AMOUNT, nw.col("day") <= nw.col("cutoff"))


def ignores_when_it_was_recorded(tables: Tables, cutoffs: Sequence[int], _: Window) -> pa.Table:
    return _of(tables, cutoffs, AMOUNT, nw.col("day") < nw.col("cutoff"))


def sums_over_all_time(tables: Tables, cutoffs: Sequence[int], _: Window) -> pa.Table:
    return _of(tables, cutoffs, nw.len())


def reads_another_customer(tables: Tables, cutoffs: Sequence[int], window: Window) -> pa.Table:
    mine = _of(tables, cutoffs, AMOUNT, PAST_ROWS)
    before = pa.array([None, *mine["planted"].to_pylist()[:-1]], pa.int64())
    return mine.set_column(2, "planted", before)


def weighs_against_the_shop(tables: Tables, cutoffs: Sequence[int], window: Window) -> pa.Table:
    mine = _of(tables, cutoffs, AMOUNT, PAST_ROWS)
    share = pc.divide(mine["planted"].cast(pa.float64()), pc.sum(mine["planted"]).cast(pa.float64()))
    return mine.set_column(2, "planted", share)


def takes_the_first_row(tables: Tables, cutoffs: Sequence[int], _: Window) -> pa.Table:
    rows = order_totals(tables).collect("pyarrow").to_native()
    raw = tables.transactions.collect("pyarrow").to_native()
    first = dict(reversed(list(zip(raw["customer_id"].to_pylist(), raw["amount"].to_pylist(), strict=True))))
    ids = sorted(set(rows.filter(pc.less(rows["day"], cutoffs[0]))["customer_id"].to_pylist()))
    days = pa.array([cutoffs[0]] * len(ids), pa.int32())
    return pa.table({"customer_id": ids, "cutoff": days, "planted": [first[name] for name in ids]})


def counts_from_a_date(tables: Tables, cutoffs: Sequence[int], _: Window) -> pa.Table:
    return _of(tables, cutoffs, nw.when(nw.col("day") > 600).then(1).otherwise(0).sum(), PAST_ROWS)


def compares_with_an_amount(tables: Tables, cutoffs: Sequence[int], _: Window) -> pa.Table:
    return _of(tables, cutoffs, nw.when(nw.col("amount") > 9_000_000).then(1).otherwise(0).sum(), PAST_ROWS)


def reads_the_name(tables: Tables, cutoffs: Sequence[int], _: Window) -> pa.Table:
    mine = _of(tables, cutoffs, AMOUNT, PAST_ROWS)
    return mine.set_column(2, "planted", pa.array([ord(name[0]) for name in mine["customer_id"].to_pylist()]))


def counts_cutoffs(tables: Tables, cutoffs: Sequence[int], _: Window) -> pa.Table:
    return _of(tables, cutoffs, AMOUNT + len(cutoffs), PAST_ROWS)


def knows_how_contracts_end(tables: Tables, cutoffs: Sequence[int], window: Window) -> pa.Table:
    bare = dataclasses.replace(tables, transactions=tables.others["contracts"])
    return _of(bare, cutoffs, nw.when(nw.col("renewed")).then(1).otherwise(0).sum(), PAST_ROWS)


PLANTED = {
    reads_the_future: {"future_dropped", "future_scrambled", "future_added", "at_the_cutoff"},
    reads_the_cutoff: {"future_dropped", "at_the_cutoff"},
    ignores_when_it_was_recorded: {"future_dropped", "future_scrambled", "recorded_late"},
    sums_over_all_time: {"future_dropped", "future_scrambled", "future_added", "at_the_cutoff", "recorded_late"},
    reads_another_customer: {"others_removed", "ids_renamed"},
    weighs_against_the_shop: {"others_removed"},
    takes_the_first_row: {"rows_shuffled"},
    counts_from_a_date: {"days_moved"},
    compares_with_an_amount: {"money_tenfold"},
    reads_the_name: {"ids_renamed"},
    counts_cutoffs: {"among_cutoffs"},
    knows_how_contracts_end: {"future_dropped", "future_scrambled"},
}
"""Leaks of twelve kinds, and the laws that must catch each."""


@pytest.mark.parametrize("leak", PLANTED, ids=lambda leak: leak.__name__)
def test_a_planted_leak_is_caught(leak: Any) -> None:
    laws = [law for law in LAWS if law.name in PLANTED[leak]]
    done = audit_features(tables_with(crowd(8, CUTOFF)), [CUTOFF], build=leak, laws=laws, lend=lend)
    assert {law for law in PLANTED[leak] if done.broken(law) == ["planted"]} == PLANTED[leak]
    assert not done.passed


BROKEN = {
    "the cutoff is taken in": ("tierlens.features.windows.known_rows", lambda: nw.col("day") <= nw.col("cutoff"),
                               "at_the_cutoff", {"frequency", "complaints_12m", "invoices_due_12m", "btyd_expected"}),
    "recording is forgotten": ("tierlens.features.windows.known_rows", lambda: nw.col("day") < nw.col("cutoff"),
                               "recorded_late", {"spend", "products", "interactions_6m", "nps", "employees", "sea_p0"}),
    "later columns are believed": ("tierlens.features.families.event_rows.known_since",
                                   lambda column, since: nw.col(column),
                                   "future_dropped", {"renewal_rate", "contract_fulfilment", "overdue_amount"}),
}  # fmt: skip


@pytest.mark.parametrize("fault", BROKEN)
def test_a_fault_in_the_one_place_where_time_is_cut_is_caught(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalog itself, broken on purpose."""
    place, wrong, law, features = BROKEN[fault]
    monkeypatch.setattr(place, wrong)
    laws = [one for one in LAWS if one.name == law]
    done = audit_features(tables_with(crowd(8, CUTOFF)), [CUTOFF], laws=laws, lend=lend)
    assert features <= set(done.broken(law)), sorted(features - set(done.broken(law)))


def test_an_honest_feature_passes_where_leaks_are_planted() -> None:
    def honest(tables: Tables, cutoffs: Sequence[int], _: Window) -> pa.Table:
        return _of(tables, cutoffs, nw.len(), PAST_ROWS)

    assert audit_features(tables_with(crowd(8, CUTOFF)), [CUTOFF], build=honest, lend=lend).passed


def test_who_is_in_the_snapshot_is_held_to_the_laws_too() -> None:
    def nobody_new(tables: Tables, cutoffs: Sequence[int], _: Window) -> pa.Table:
        rows = tables.transactions.with_columns(cutoff=nw.lit(cutoffs[0]).cast(nw.Int32))
        return to_arrow(rows.select(*KEY).unique().with_columns(planted=nw.lit(1)))

    laws = [law for law in LAWS if law.name == "future_dropped"]
    done = audit_features(tables_with(crowd(8, CUTOFF)), [CUTOFF], build=nobody_new, laws=laws, lend=lend)
    assert done.broken("future_dropped") == ["customers"]


# --- parts


def test_a_breach_names_feature_law_customer_and_values() -> None:
    said = Breach("rows_shuffled", "first", 15126, "A1", 3, 4, 9).say()
    assert "3 became 4 for customer A1" in said.en
    assert "违反 rows_shuffled" in said.zh


def test_floats_may_differ_in_the_last_digit_and_nothing_else_may() -> None:
    old = pa.array([1.0, 0.0, None, 5.0])
    assert not column_difference(old, pa.array([1.0 + 1e-13, 0.0, None, 5.0]), 1e-11).any()
    assert column_difference(old, pa.array([1.0, 1e-300, 0.0, None]), 1e-11).tolist() == [False, True, True, True]
    assert column_difference(pa.array(["a", None]), pa.array(["b", None]), 1.0).tolist() == [True, False]
    assert column_difference(pa.array([10**15]), pa.array([10**15 + 1]), 1.0).tolist() == [True]


def test_a_cutoff_before_the_data_is_refused() -> None:
    with pytest.raises(DataError, match=r"E-FE-030.*no customer before 1970-01-02"):
        audit_features(tables_with({"transactions": [sale("a", 10)]}), [1], lend=lend)


def test_the_sample_is_the_same_each_time_and_whole_customers() -> None:
    tables = tables_with(crowd(9, CUTOFF))
    one, two = sampled_customers(tables, 10), sampled_customers(tables, 10)
    assert one == two
    assert len(pc.unique(one["transactions"]["customer_id"])) <= 10
    everybody = sampled_customers(tables, 1_000)
    ids = one["transactions"]["customer_id"].to_pylist()
    whole = everybody["transactions"].filter(pc.is_in(everybody["transactions"]["customer_id"], pa.array(ids)))
    assert whole.num_rows == len(ids)


# --- laws of the builder that are no matter of time


def test_declaring_whole_orders_saves_work_and_changes_nothing() -> None:
    rows = list({row["order_id"]: row for row in crowd(10, CUTOFF, late=False)["transactions"]}.values())
    one, two = (
        to_arrow(build_snapshots(tables_of(rows, **flags), CUTOFF, everyone=True))
        for flags in ({}, {"whole_orders": True, "late_rows": False})
    )
    for name in one.column_names:
        assert not column_difference(one[name].combine_chunks(), two[name].combine_chunks(), 1e-12).any(), name


def test_many_cutoffs_of_prompt_rows_are_what_each_gives_alone() -> None:
    rows = crowd(11, CUTOFF, late=False)["transactions"]
    cutoffs = [CUTOFF - 300, CUTOFF, CUTOFF + 250]
    many = to_arrow(build_snapshots(tables_of(rows, late_rows=False), cutoffs, everyone=True))
    for cutoff in cutoffs:
        here, alone = many.filter(pc.equal(many["cutoff"], cutoff)), to_arrow(
            build_snapshots(tables_of(rows), cutoff, everyone=True))  # fmt: skip
        for name in alone.column_names:
            assert not column_difference(here[name].combine_chunks(), alone[name].combine_chunks(), 1e-12).any(), name


def test_all_that_the_tables_allow_is_built() -> None:
    bare = whole_catalog(tables_with({"transactions": crowd(12, CUTOFF)["transactions"]}), [CUTOFF], Window())
    assert [name for name in WHOLE if WHOLE[name].tables == ("transactions",)] == bare.column_names[2:]
