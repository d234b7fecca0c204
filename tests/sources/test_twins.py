"""Records that may be one customer are reported, never merged; what a person writes down is merged everywhere."""

from __future__ import annotations

import builtins
import csv
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.other_tables import row_of, tables_with
from tests.sources.shop import source_of
from tierlens.errors import DataError, MissingExtraError, UsageError
from tierlens.sources.cleaning.merged_customers import load_merges
from tierlens.sources.read import Read, connect_duckdb, read_tables
from tierlens.sources.report.duplicate_customers import (
    WHY,
    duplicate_pairs,
    name_core,
    name_key,
    shared_names,
    write_twins,
)
from tierlens.sources.report.quality import Quality

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12)


def pairs_of(*names: str | tuple[str, str], least: float = 0.85) -> list[dict[str, Any]]:
    """The pairs found among customers of these names (full, or full and short), called by their place."""
    both = [name if isinstance(name, tuple) else (name, None) for name in names]
    rows = [row_of("customers", f"C{i}", 1, name=full, short_name=short) for i, (full, short) in enumerate(both)]
    return duplicate_pairs(tables_with({"customers": rows}), least).to_pylist()


ALIKE = [
    ("国际贸易有限公司", " 国际贸易有限公司", "identical name"),
    ("國際貿易有限公司", "国际贸易有限公司", "same name"),
    ("Ａcme (Shanghai)", "acme shanghai", "same name"),
    ("北京华兴科技有限公司", "华兴科技集团", "same core"),
    ("Acme Trading Co., Ltd.", "ACME Trading Inc", "same core"),
    ("腾讯科技（深圳）有限公司", "腾讯", "short name"),
    ("中国石油化工股份有限公司", "石油化", "short name"),
    ("Northwind Traders Ltd", "Northwind Trader Ltd", "short name"),
    ("Contoso Pharmaceuticals", "Contoso Pharmaceutcals", "alike"),
]


@pytest.mark.parametrize(("one", "other", "why"), ALIKE)
def test_46_names_of_one_company_are_a_pair(one: str, other: str, why: str) -> None:
    (pair,) = pairs_of(one, other)
    assert (pair["customer_id"], pair["other_id"], pair["why"]) == ("C0", "C1", why)
    assert (pair["name"], pair["other_name"]) == (one, other)
    assert why in WHY
    assert 0.85 <= pair["likeness"] <= 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("华兴科技有限公司", "长城汽车有限公司"), ("Acme Ltd", "Contoso Ltd"), ("上海贸易公司", "北京机械公司")],
)
def test_other_names_are_none(one: str, other: str) -> None:
    assert pairs_of(one, other) == []


def test_a_short_name_of_its_own_counts_too() -> None:
    (pair,) = pairs_of(("长江电力股份有限公司", "长电"), "长电")
    assert pair["why"] == "identical name"
    assert pairs_of(("", ""), ("", "")) == []


@pytest.mark.parametrize(
    ("names", "counts"),
    [
        (["长城", "长城", "長城", "国贸"], {"name_same": 2, "name_twins": 1}),
        (["长城"] * 80, {"name_same": 80}),
        (["國貿", "国贸"], {"name_twins": 2}),
        (["国贸", "长城", ""], {}),
    ],
)
def test_identical_names_are_told_from_those_that_are_written_otherwise(
    names: list[str], counts: dict[str, int]
) -> None:
    rows = [row_of("customers", f"C{i}", 1, name=name) for i, name in enumerate(names)]
    assert shared_names(tables_with({"customers": rows})) == counts
    assert "简繁" not in Quality("shop", 0, 0).said("name_same").zh


def test_the_highest_come_first_and_many_of_one_name_are_chained() -> None:
    found = pairs_of("Contoso Pharmaceuticals", "Contoso Pharmaceutcals", "国贸", "國貿")
    assert [pair["likeness"] for pair in found] == sorted((pair["likeness"] for pair in found), reverse=True)
    assert len(pairs_of(*["华兴科技"] * 60)) == 59


@settings(max_examples=60, deadline=None)
@given(NAMES)
def test_a_key_is_a_fixed_point_and_never_fails(name: str) -> None:
    key = name_key(name)
    assert name_key(key) == key
    assert bool(name_core(key)) == bool(key)


def test_the_file_for_a_person_runs_no_formula(tmp_path: Path) -> None:
    rows = [row_of("customers", name, 1, name="=国贸") for name in ("A", "B")]
    assert write_twins(duplicate_pairs(tables_with({"customers": rows})), tmp_path / "twins.csv") == 1
    with (tmp_path / "twins.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = list(csv.DictReader(file))
    assert (row["customer_id"], row["same_as"], row["other_id"], row["name"]) == ("A", "", "B", "'=国贸")


def test_without_a_customer_table_or_a_share_it_says_so() -> None:
    with pytest.raises(UsageError, match=r"E-US-013 source.tables: .*and there is none") as caught:
        duplicate_pairs(tables_with({}), 0.9)
    assert "likeness" not in str(caught.value)
    with pytest.raises(UsageError, match=r"E-US-013 least: a likeness is a number from 0 to 1, not 2.0"):
        duplicate_pairs(tables_with({"customers": []}), 2.0)


@pytest.mark.parametrize("package", ["rapidfuzz", "opencc"])
def test_the_extra_is_named_when_it_is_missing(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from tierlens.sources.report import duplicate_customers as module

    real = builtins.__import__

    def gone(name: str, *rest: Any) -> Any:
        if name.startswith(package):
            raise ImportError
        return real(name, *rest)

    module._converter.cache_clear()
    monkeypatch.setattr(builtins, "__import__", gone)
    with pytest.raises(MissingExtraError, match=r"tierlens\[twins\]"):
        pairs_of("a", "b")


# --- merging what a person confirmed


def merged(tmp_path: Path, same: str, **settings: Any) -> Read:
    (tmp_path / "orders.csv").write_text(
        "customer_id,order_id,time,amount\nA,1,2026-01-05,10\nB,2,2026-01-06,5\nC,3,2026-01-07,1\n", encoding="utf-8"
    )
    (tmp_path / "customers.csv").write_text("customer_id,name\nA,国贸\nB,國貿\nC,长城\n", encoding="utf-8")
    (tmp_path / "tickets.csv").write_text("customer_id,time,kind\nB,2026-01-05,投诉\n", encoding="utf-8")
    (tmp_path / "same.csv").write_text(same, encoding="utf-8")
    tables = {name: str(tmp_path / f"{name}.csv") for name in ("customers", "tickets")}
    return read_tables(
        source_of(tmp_path / "orders.csv", tables=tables, same_customer=str(tmp_path / "same.csv"), **settings)
    )


def ids(frame: Any) -> list[str]:
    return [row[0] for row in frame.select("customer_id").collect("pyarrow").rows()]


def test_46_a_confirmed_pair_is_merged_in_every_table_and_counted(tmp_path: Path) -> None:
    tables, quality = merged(tmp_path, "customer_id,same_as,name\nB,A,國貿\nC,,\n")
    assert ids(tables.transactions) == ["A", "A", "C"]
    assert ids(tables.others["customers"]) == ["A", "C"]
    assert ids(tables.others["tickets"]) == ["A"]
    assert quality.normalised["customer_merged"] == 1
    assert quality.others["customers"].deduplicated == {"merged": 1}
    assert quality.others["tickets"].normalised["customer_merged"] == 1
    assert quality.customers == 2


def test_chains_are_followed_and_an_unknown_customer_keeps_its_records(tmp_path: Path) -> None:
    tables, quality = merged(tmp_path, "重复编号,主客户编号\nA,B\nB,X\n")
    assert ids(tables.transactions) == ["X", "X", "C"]
    assert ids(tables.others["customers"]) == ["X", "X", "C"]
    assert quality.others["customers"].deduplicated == {}


@pytest.mark.parametrize("same", ["A,B\nB,A\n", "A,B\nA,C\n", ",B\n"])
def test_what_contradicts_itself_is_refused(tmp_path: Path, same: str) -> None:
    with pytest.raises(DataError, match=r"E-TX-128 same\.csv") as caught:
        merged(tmp_path, f"customer_id,same_as\n{same}")
    assert "主客户" in caught.value.say("zh")


def test_nothing_declared_is_nothing_merged() -> None:
    assert not load_merges(connect_duckdb(), None)
