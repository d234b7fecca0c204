"""Everybody known at the cutoff is in a run, and what is said of those who buy is what it was without the others."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.other_tables import row_of, sale, tables_with
from tests.tiny_shop import write_shop
from tierlens.app.cli.main import main
from tierlens.features.audit import lent_tables
from tierlens.features.snapshot import build_snapshots, to_arrow
from tierlens.grading import grade, load_scheme, scheme_names
from tierlens.pipeline.customers import customers_of
from tierlens.sources.tables import day_number
from tierlens.workspace.config import RunConfig, config_of_text
from tierlens.workspace.known_customers import Everybody, everybody_at
from tierlens.workspace.prepare import (
    Prepared,
    Shop,
    arrow_as_frame,
    graded_features,
    prepare_tables,
    simulated_run_shop,
)

pytestmark = pytest.mark.slow  # whole runs

RUN = """
name: Simulated shop
simulated: {customers: 200, months: 36}
cutoff: "2025-06-01"
scheme: tiered_management
risk: {first_cutoff: "2025-02-01"}
seed: 3
"""
KINDS = {"active", "lapsed", "prospect"}


@pytest.fixture(scope="module")
def config() -> RunConfig:
    return config_of_text(RUN)


@pytest.fixture(scope="module")
def shop(config: RunConfig) -> Shop:
    return simulated_run_shop(config)


@pytest.fixture(scope="module")
def everybody(shop: Shop, config: RunConfig) -> Everybody:
    return everybody_at(shop, config, load_scheme("tiered_management"))


def of_activity(everybody: Everybody, kind: str) -> set[str]:
    return set(everybody.features.filter(pc.equal(everybody.activity, kind))["customer_id"].to_pylist())


def raw(shop: Shop, table: str, before: int) -> list[dict[str, Any]]:
    """Return the rows that were known before a day."""
    frame = shop.tables.transactions if table == "transactions" else shop.tables.others[table]
    rows = frame.drop("time") if table == "transactions" else frame
    return [
        row
        for row in rows.collect("pyarrow").to_native().to_pylist()
        if row["day"] < before and row["known_day"] < before
    ]


def test_everybody_is_there_once_and_told_apart_by_raw_rows(shop: Shop, everybody: Everybody) -> None:
    """Counted by hand."""
    cutoff = day_number("2025-06-01")
    bought = [row for row in raw(shop, "transactions", cutoff) if row["kind"] == "purchase" and row["amount"] > 0]
    active = {row["customer_id"] for row in bought if row["day"] >= cutoff - 365}
    ever = {row["customer_id"] for row in bought}
    listed = {row["customer_id"] for row in raw(shop, "customers", cutoff)}
    assert of_activity(everybody, "active") == active
    assert of_activity(everybody, "lapsed") == ever - active
    assert of_activity(everybody, "prospect") == listed - ever
    assert all(of_activity(everybody, kind) for kind in KINDS)


def test_who_is_first_seen_at_the_cutoff_or_recorded_then_is_not_there(
    shop: Shop, config: RunConfig, everybody: Everybody
) -> None:
    frames = {"transactions": shop.tables.transactions, **shop.tables.others}
    whole = {name: frame.collect("pyarrow").to_native() for name, frame in frames.items()}
    table = whole["customers"]
    rows, cutoff = table.slice(0, 3).to_pylist(), config.cutoff_day
    for row, name, day, known in zip(
        rows, ("at the cutoff", "later", "recorded late"), (0, 40, -10), (0, 40, 0), strict=True
    ):
        row.update(customer_id=name, day=cutoff + day, known_day=cutoff + known)
    more = {**whole, "customers": pa.concat_tables([table, pa.Table.from_pylist(rows, schema=table.schema)])}
    found = everybody_at(replace(shop, tables=lent_tables(more, shop.tables)), config, load_scheme("tiered_management"))
    assert found.features.equals(everybody.features)
    assert found.graded.equals(everybody.graded)


@pytest.mark.parametrize("name", scheme_names())
def test_who_buys_is_graded_to_the_bit_as_without_the_others(name: str, shop: Shop, config: RunConfig) -> None:
    scheme, money = load_scheme(name), shop.tables.currency
    alone = to_arrow(
        build_snapshots(shop.tables, config.cutoff_day, config.span, features=graded_features(shop.tables, scheme))
    )
    found = everybody_at(shop, config, scheme)
    active = found.graded.filter(pc.equal(found.activity, "active"))
    assert active.equals(to_arrow(grade(arrow_as_frame(alone), scheme, money)))


def test_counts_add_up_and_say_why_somebody_has_no_tier(shop: Shop, config: RunConfig, everybody: Everybody) -> None:
    known = everybody.counted(load_scheme("tiered_management"))
    assert known.customers == everybody.features.num_rows
    assert all(line.customers == line.graded + sum(one.customers for one in line.ungraded) for line in known.lines)
    assert "never bought" in known.lines[2].told.en
    assert known.told.zh.startswith(f"已知客户 {known.customers} 位 = 活跃")
    scheme = load_scheme("five_step")
    lapsed = everybody_at(shop, config, scheme).counted(scheme).lines[1]
    assert (lapsed.graded, lapsed.ungraded[0].why.en) == (0, "fits no tier")


def test_without_a_table_of_customers_known_is_who_ever_bought(shop: Shop, config: RunConfig) -> None:
    few = replace(shop, tables=replace(shop.tables, others={}))
    found = everybody_at(few, config, load_scheme("tiered_management"))
    assert set(found.activity.to_pylist()) == {"active", "lapsed"}
    assert found.features["tenure_days"].null_count == 0


def test_who_only_returned_is_no_prospect_unless_the_table_of_customers_tells_of_him(
    shop: Shop, config: RunConfig
) -> None:
    back = {"kind": "return", "amount": -500, "quantity": -1.0}
    rows = [sale("buys", config.cutoff_day - 30), *({**sale(name, config.cutoff_day - 20), **back} for name in "xy")]
    listed = [row_of("customers", name, 1) for name in ("buys", "x", "never")]
    given = tables_with({"transactions": rows, "customers": listed})
    found = everybody_at(replace(shop, tables=given), config, load_scheme("tiered_management"))
    told = dict(zip(found.features["customer_id"].to_pylist(), found.activity.to_pylist(), strict=True))
    assert told == {"buys": "active", "x": "prospect", "never": "prospect"}
    assert found.returned_only == 1


@pytest.fixture(scope="module")
def prepared(shop: Shop, config: RunConfig) -> Prepared:
    return prepare_tables(shop, config)


def test_the_rows_of_who_buys_are_those_of_a_run_without_the_others(
    shop: Shop, config: RunConfig, prepared: Prepared, everybody: Everybody
) -> None:
    money, day = shop.tables.currency, config.cutoff_day
    whole = customers_of(prepared, None, [], day, money, everybody.others())
    active = whole.filter(pc.equal(whole["activity"], "active"))
    alone = customers_of(prepared, None, [], day, money)
    assert active.select(alone.column_names).equals(alone)
    assert whole["customer_id"].to_pylist() == sorted(everybody.features["customer_id"].to_pylist())


def test_the_others_have_no_risk_and_are_told_why(
    shop: Shop, config: RunConfig, prepared: Prepared, everybody: Everybody
) -> None:
    whole = customers_of(prepared, None, [], config.cutoff_day, shop.tables.currency, everybody.others())
    for row in whole.filter(pc.not_equal(whole["activity"], "active")).to_pylist():
        assert row["churn_risk"] is None
        assert row["segment"] is None
        assert row["risk_note_en"].startswith("No risk:")
        assert row["risk_note_zh"].startswith("无风险值")
        assert (row["tier"] is None) == (row["score"] is None)
        assert ("wake: ask" if row["activity"] == "lapsed" else "learn what is needed") in row["next_step_en"].lower()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a shop whose run is in its ``out``: C60 and C61 never bought, C62 long ago."""
    folder = tmp_path_factory.mktemp("known") / "shop"
    run = write_shop(folder)
    with (folder / "customers.csv").open("a", encoding="utf-8") as file:
        file.write("C60,Maple\nC61,Oak\nC62,Elm\n")
    with (folder / "orders.csv").open("a", encoding="utf-8") as file:
        file.write("C62,O-old,2024-03-01,100.00\n")
    text = run.read_text(encoding="utf-8")
    run.write_text(text.replace("lists: [", "lists: [{name: asleep, activity: [沉睡, prospect]}, "), encoding="utf-8")
    assert main(["run", str(run), "--out", str(folder / "out")]) == 0
    return folder


def test_a_run_has_everybody(finished: Path) -> None:
    out = finished / "out"
    table = pq.read_table(out / "customers.parquet")
    counts = {row["values"]: row["counts"] for row in table["activity"].value_counts().to_pylist()}
    assert counts["prospect"] == 2
    assert sum(counts.values()) == 63
    rows = json.loads((out / "run.json").read_text(encoding="utf-8"))["rows"]
    assert {kind: rows[kind] for kind in KINDS} == counts
    page = (out / "report.html").read_text(encoding="utf-8")
    assert f"63 customers are known = {counts['active']} active + {counts['lapsed']} lapsed + 2 prospects" in page
    asleep = (out / "lists" / "asleep.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(asleep) == 1 + counts["lapsed"] + 2
    assert {line.split(",")[1] for line in asleep[1:]} == {"lapsed", "prospect"}


def test_a_list_is_picked_by_activity_in_either_language(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, file = finished / "out", finished / "asked.csv"
    assert main(["list", str(file), "--out", str(out), "--activity", "潜在", "--lang", "zh"]) == 0
    assert "其他活跃状态" in capsys.readouterr().out
    assert [line.split(",")[0] for line in file.read_text(encoding="utf-8-sig").splitlines()[1:]] == ["C60", "C61"]
    assert main(["list", str(finished / "no.csv"), "--out", str(out), "--activity", "asleep"]) == 2
    assert "E-LI-008" in capsys.readouterr().err


def test_single_commands_know_everybody(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, out = str(finished / "run.yaml"), finished / "graded"
    customers = pq.read_table(finished / "out" / "customers.parquet")
    assert main(["grade", run, "--out", str(out)]) == 0
    assert "prospect: 2 (2 not graded: no history" in capsys.readouterr().out
    graded = pq.read_table(out / "tiers.parquet")
    assert graded.num_rows == 63
    for table in (graded, customers):  # a score without a tier says nothing
        idle = table.filter(pc.is_null(table["tier"]))
        assert idle["score"].null_count == idle.num_rows > 0
    same = customers.filter(pc.equal(customers["activity"], "active"))
    again = graded.filter(pc.equal(graded["activity"], "active"))
    assert pa.chunked_array(again["score"]).to_pylist() == same["score"].to_pylist()
    for customer, words in (("C62", "days before the cutoff"), ("C60", "there was none yet")):
        assert main(["path", run, customer]) == 0
        assert words in capsys.readouterr().out
        assert main(["explain", customer, "--out", str(finished / "out")]) == 0
        assert "No risk" in capsys.readouterr().out
        assert main(["card", run, str(finished / f"{customer}.html"), "--customer", customer]) == 0
    assert main(["path", run, "C99"]) == 2
    assert "E-RU-005 CUSTOMER: " in capsys.readouterr().err
    assert main(["card", run, str(finished / "none.html"), "--customer", "C99"]) == 2
    assert "E-RU-005 --customer: " in capsys.readouterr().err
