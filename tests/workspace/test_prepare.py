"""The first half of a run: cutoffs within the data, advice that helps, and data that are nowhere or dated too late."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.other_tables import row_of, sale, tables_with
from tests.tables_of import tables_of
from tierlens.errors import DataError, UsageError
from tierlens.features.windows import Window
from tierlens.grading import load_scheme, scheme_names
from tierlens.sources.report.quality import Quality
from tierlens.words import Text
from tierlens.workspace.config import RunConfig, config_of_text
from tierlens.workspace.known_customers import Everybody, activity_of, without_idle_scores
from tierlens.workspace.prepare import (
    Shop,
    closing_cutoffs,
    columns_of,
    graded_features,
    obtain_shop,
    panel_features,
    told_of,
    within_data,
)

SHOP = tables_with({"transactions": [sale("a", 100), sale("a", 150), sale("b", 200)]})


@pytest.mark.parametrize(
    ("cutoffs", "is_within"),
    [([100], False), ([101], True), ([230], True), ([231], False), ([50, 101], True), ([150, 231], False)],
)
def test_the_latest_cutoff_must_have_data_before_it_and_in_its_window(cutoffs: list[int], is_within: bool) -> None:
    if is_within:
        within_data(SHOP, cutoffs, Window(observe=30))
        return
    with pytest.raises(DataError, match=r"E-RU-001 cutoff: nobody bought .* 30 days .*: 1970-04-11 - 1970-07-20"):
        within_data(SHOP, cutoffs, Window(observe=30))


def test_a_shop_without_a_purchase_has_no_cutoff() -> None:
    with pytest.raises(DataError, match=r"E-RU-001 cutoff: .* the data known then: -"):
        within_data(tables_of([]), [100], Window())


def config_of(cutoff: dt.date, first: dt.date, gap: int, horizon: int) -> RunConfig:
    return RunConfig.model_validate({
        "name": "a", "simulated": {}, "cutoff": str(cutoff), "window": {"gap": gap, "horizon": horizon},
        "risk": {"first_cutoff": str(first)},
    })  # fmt: skip


@settings(max_examples=60)
@given(st.dates(dt.date(2015, 1, 1), dt.date(2030, 1, 1)), st.integers(1, 400), st.integers(0, 60), st.integers(1, 200))
def test_the_first_cutoff_that_is_advised_can_be_learned_from(
    cutoff: dt.date, before: int, gap: int, horizon: int
) -> None:
    config = config_of(cutoff, cutoff - dt.timedelta(before), gap, horizon)
    found = config.learning_cutoffs()
    if not found:
        with pytest.raises(UsageError, match=r"E-RU-031 risk\.first_cutoff") as caught:
            closing_cutoffs(config)
        advised = str(caught.value.fix and caught.value.fix.en).removeprefix("set it to ").removesuffix(" or earlier")
        assert closing_cutoffs(config_of(cutoff, dt.date.fromisoformat(advised), gap, horizon))
        return
    assert closing_cutoffs(config) == found
    days = [dt.date(1970, 1, 1) + dt.timedelta(day) for day in found]
    assert all(day.day == 1 and day >= config.risk.first_cutoff for day in days)
    assert all(day + dt.timedelta(gap + horizon) <= cutoff for day in days)


@pytest.mark.parametrize("name", scheme_names())
def test_a_panel_holds_what_the_scheme_reads_in_the_same_order_and_only_what_tables_allow(name: str) -> None:
    scheme = load_scheme(name)
    graded, panel = graded_features(SHOP, scheme), panel_features(SHOP, scheme)
    assert [one for one in panel if one in graded] == graded
    assert set(graded) <= set(scheme.features)
    tickets = replace(SHOP, others=tables_with({"tickets": [row_of("tickets", "a", 120)]}).others)
    assert set(panel) < set(panel_features(tickets, scheme))


@pytest.mark.parametrize(("aside", "others"), [(0, 0), (3, 0), (0, 4), (1200, 34)])
def test_rows_that_are_not_looked_at_are_told_over_all_tables(aside: int, others: int) -> None:
    quality = Quality("a", 1, 1, set_aside=aside, others={"tickets": Quality("t", 1, 1, set_aside=others)})
    told: list[Text] = []
    shop = Shop(SHOP, quality, False)
    config = config_of(dt.date(2025, 9, 1), dt.date(2025, 1, 1), 0, 90)
    assert told_of(shop, config, told.append) is shop
    assert [text.en.split(" ")[0] for text in told] == ([f"{aside + others:,}"] if aside + others else [])


def test_a_line_of_the_future_is_warned_of_and_one_of_the_past_is_not() -> None:
    config = config_of(dt.date(2025, 9, 1), dt.date(2025, 1, 1), 0, 90)
    for day, is_warned in ((dt.date(2999, 1, 1), True), (dt.date(2020, 1, 1), False)):
        told: list[Text] = []
        told_of(Shop(SHOP, Quality("a", 1, 1, latest=day), False), config, told.append)
        assert [text.zh.startswith("警告") for text in told] == [True] * is_warned


NOWHERE = """name: shop
source: {files: nowhere.csv, currency: CNY}
cutoff: "2025-01-01"
risk: {first_cutoff: "2024-01-01"}
"""


def test_where_data_are_nowhere_another_run_file_takes_their_place_if_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "here.csv").write_text("customer_id,time,amount\na,2024-05-05,3\n", encoding="utf-8")
    (tmp_path / "other.yaml").write_text(NOWHERE.replace("nowhere", "here").replace("shop", "other"), encoding="utf-8")
    told: list[Text] = []
    with pytest.raises(DataError, match="E-TX-12"):
        obtain_shop(config_of_text(NOWHERE, tmp_path), told.append)
    config, shop = obtain_shop(config_of_text(NOWHERE + "otherwise: other.yaml\n", tmp_path), told.append)
    assert (config.name, shop.quality.used, shop.is_simulated) == ("other", 1, False)
    assert told[-1] == Text("other takes its place", "改用other")


def test_data_that_must_not_be_read_are_not_replaced_by_others(tmp_path: Path) -> None:
    (tmp_path / "nowhere.csv").write_text("customer_id,time,amount\n", encoding="utf-8")
    (tmp_path / "other.yaml").write_text(NOWHERE, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        obtain_shop(config_of_text(NOWHERE + "otherwise: other.yaml\n", tmp_path), print)
    assert not caught.value.code.startswith("E-TX-12")


def test_columns_come_in_the_order_asked_for_and_those_that_are_not_there_not_at_all() -> None:
    assert columns_of(pa.table({"a": [1], "b": [2], "c": [3]}), ["c", "x", "a"]).column_names == ["c", "a"]


# --- everybody known


ROWS = st.lists(
    st.tuples(st.sampled_from([None, 0, 1, 7]), st.sampled_from([None, 0, 900]), st.sampled_from(["A", None])),
    min_size=1, max_size=8,
)  # fmt: skip


@settings(max_examples=50)
@given(ROWS)
def test_activity_and_scores_are_those_of_a_plain_loop(rows: list[tuple[int | None, int | None, str | None]]) -> None:
    bought, tenure, tiers = (list(column) for column in zip(*rows, strict=True))
    table = pa.table({"frequency": pa.array(bought, pa.int64()), "tenure_days": pa.array(tenure, pa.int64())})
    wanted = ["active" if n else ("prospect" if days is None else "lapsed") for n, days, _ in rows]
    assert activity_of(table).to_pylist() == wanted
    graded = pa.table({"score": pa.array([50.0] * len(rows)), "tier": pa.array(tiers, pa.string())})
    found = without_idle_scores(graded)
    assert found["score"].to_pylist() == [50.0 if tier else None for tier in tiers]
    assert without_idle_scores(found).equals(found)
    ids = pa.array([f"c{place}" for place in range(len(rows))])
    everybody = Everybody(table.append_column("customer_id", ids), graded, activity_of(table))
    assert everybody.others().activity.to_pylist() == [kind for kind in wanted if kind != "active"]
    assert everybody.only("c0").activity.to_pylist() == wanted[:1]
    assert everybody.only("nobody").features.num_rows == 0
