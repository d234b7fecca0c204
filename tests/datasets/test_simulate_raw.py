"""The shop as raw files: read strictly, they give the settled tables again, and the dirt is counted as declared."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from tierlens.datasets.simulate import Simulated, simulated_shop, write_raw
from tierlens.datasets.simulate.dirt import REPEATED, SPOILED, kinds_of
from tierlens.datasets.simulate.raw import Form, raw_header, raw_table
from tierlens.datasets.simulate.shop import TABLES
from tierlens.errors import UsageError
from tierlens.sources.declared.contracts import CONTRACTS, OTHERS
from tierlens.sources.declared.source import Columns, Source
from tierlens.sources.parsing.header_matching import match_roles
from tierlens.sources.read import read_tables
from tierlens.words import Lang

FORMS: list[tuple[Form, Lang, str]] = [
    ("csv", "zh", "utf-8-sig"),
    ("csv", "en", "gb18030"),
    ("csv", "zh", "utf-16"),
    ("parquet", "zh", ""),
    ("xlsx", "en", ""),
]
KEY = [(name, "ascending") for name in ("day", "order_id", "product_id", "quantity")]


@pytest.fixture(scope="module")
def shop() -> Simulated:
    return simulated_shop(customers=60, months=12, seed=3)


@pytest.mark.parametrize(("form", "lang", "encoding"), FORMS)
def test_transactions_survive_the_way_out_and_in(
    shop: Simulated, tmp_path: Path, form: Form, lang: Lang, encoding: str
) -> None:
    """Every kind of dirt, each in another number: the reader counts the same, and uses exactly the sound rows."""
    dirt = {kind: number + 1 for number, kind in enumerate(kinds_of("transactions"))}
    raw = write_raw(shop, tmp_path, form, lang=lang, encoding=encoding, dirt={"transactions": dirt})
    settled, quality = read_tables(Source(files=str(raw.files["transactions"]), currency="CNY"), check=False)
    found = {**quality.quarantined, **quality.deduplicated, **quality.normalised}
    found.pop("encoding", None)
    assert quality.rows_in == raw.rows["transactions"]
    assert {kind: count for kind, count in found.items() if count} == dirt == raw.dirt["transactions"]
    expected = shop.tables.transactions.collect("pyarrow").to_native().sort_by(KEY)
    assert settled.transactions.collect("pyarrow").to_native().sort_by(KEY).equals(expected)


@pytest.mark.parametrize(("form", "lang"), [("csv", "zh"), ("parquet", "en")])
def test_the_seven_other_tables_survive_too(shop: Simulated, tmp_path: Path, form: Form, lang: Lang) -> None:
    """All eight in one go; the dirt of each is counted, and exactly the sound rows are used."""
    dirt = {name: dict.fromkeys(kinds_of(name), 2) for name in OTHERS}
    raw = write_raw(shop, tmp_path, form, lang=lang, dirt=dirt)
    tables = {name: str(raw.files[name]) for name in OTHERS}
    result = read_tables(Source(files=str(raw.files["transactions"]), currency="CNY", tables=tables), check=False)
    for name in OTHERS:
        report, expected = result.quality.others[name], shop.tables.others[name].collect("pyarrow").to_native()
        found = {**report.quarantined, **report.deduplicated, **report.normalised}
        assert report.rows_in == raw.rows[name]
        assert found == dirt[name]
        settled = result.tables.others[name].collect("pyarrow").to_native()
        key = [(column, "ascending") for column in settled.column_names]
        assert settled.sort_by(key).equals(expected.sort_by(key))


def test_clean_files_have_nothing_to_report(shop: Simulated, tmp_path: Path) -> None:
    raw = write_raw(shop, tmp_path)
    quality = read_tables(Source(files=str(raw.files["transactions"]), currency="CNY")).quality
    assert quality.used == quality.rows_in == shop.tables.transactions.collect("pyarrow").shape[0]
    assert not any({**quality.quarantined, **quality.deduplicated, **quality.normalised}.values())
    assert set(raw.files) == set(TABLES)
    assert raw.dirt == {}


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", TABLES)
def test_headers_are_known_and_tell_columns_apart(shop: Simulated, name: str, lang: Lang) -> None:
    columns = raw_table(shop, name, lang).column_names
    headers = [raw_header(name, column, lang) for column in columns]
    assert len(set(headers)) == len(headers)
    assert set(columns) <= set(CONTRACTS[name].names)
    assert set(CONTRACTS[name].needed) <= set(columns)
    if name == "transactions":
        found = match_roles(headers, Columns(), "CNY", "here")
        assert {role: columns[at.place] for role, at in found.items()} == {role: role for role in columns}


@pytest.mark.parametrize("name", OTHERS)
def test_every_row_is_there_as_text(shop: Simulated, name: str) -> None:
    table = raw_table(shop, name, "zh")
    assert table.num_rows == shop.tables.others[name].collect("pyarrow").shape[0]
    assert set(table.schema.types) == {pa.string()}
    assert sum(column.null_count for column in table.columns) == 0
    known = CONTRACTS[name].of_kind("word")
    for column in known:
        allowed = set(column.values) | {word for words in column.values.values() for word in words.split()} | {""}
        assert set(table[column.name].to_pylist()) <= allowed


def test_texts_read_as_people_write_them(shop: Simulated) -> None:
    contracts, tickets = raw_table(shop, "contracts", "zh"), raw_table(shop, "tickets", "zh")
    assert set(contracts["renewed"].to_pylist()) == {"是", "否", ""}
    assert all(share.endswith("%") or not share for share in contracts["fulfilled"].to_pylist())
    assert set(tickets["kind"].to_pylist()) == {"咨询", "投诉", "定制"}
    assert set(raw_table(shop, "tickets", "en")["kind"].to_pylist()) == {"enquiry", "complaint", "custom"}
    ratings = raw_table(shop, "ratings", "zh")
    assert {"信用评级", "依赖度"} <= set(ratings["name"].to_pylist())
    assert {"AAA", "较差", "独家"} <= set(ratings["value"].to_pylist())
    payments = raw_table(shop, "payments", "en").to_pylist()
    settled = shop.tables.others["payments"].collect("pyarrow").to_native().to_pylist()
    assert [round(float(row["amount"]) * 100) for row in payments] == [row["amount"] for row in settled]
    assert [row["paid"] == "" for row in payments] == [row["paid_day"] is None for row in settled]


@pytest.mark.parametrize("name", OTHERS)
def test_each_kind_adds_or_changes_its_rows(shop: Simulated, tmp_path: Path, name: str) -> None:
    asked = dict.fromkeys(kinds_of(name), 2)
    raw = write_raw(shop, tmp_path, "parquet", dirt={name: asked})
    extra = sum(count for kind, count in asked.items() if kind in SPOILED[name] or kind == REPEATED)
    for other in OTHERS:
        clean = shop.tables.others[other].collect("pyarrow").shape[0]
        assert raw.rows[other] == clean + (extra if other == name else 0)


def test_dirt_is_the_same_each_time(shop: Simulated, tmp_path: Path) -> None:
    files = [
        write_raw(shop, tmp_path / folder, dirt={"surveys": {"duplicate": 3, "out_of_range": 2}}).files["surveys"]
        for folder in ("one", "two")
    ]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    ("dirt", "code", "said"),
    [
        (
            {"tickets": {"bad_kind": 1}},
            "E-US-021",
            "tickets cannot have dirt of the kind 'bad_kind'; there are missing",
        ),
        ({"surveys": {"duplicate": 10**6}}, "E-US-020", "dirt of surveys: 1000000 is out of bounds"),
    ],
)
def test_dirt_that_cannot_be_is_refused(
    shop: Simulated, tmp_path: Path, dirt: dict[str, dict[str, int]], code: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        write_raw(shop, tmp_path, dirt=dirt)
    assert caught.value.code == code
