"""The seven tables beside transactions: read by their contracts, strictly, each with a sum that closes."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from tests.other_tables import TYPES
from tests.sources.shop import source_of
from tierlens.errors import DataError
from tierlens.sources.declared.contract import Column
from tierlens.sources.declared.contracts import ALWAYS, CONTRACTS, JUDGED, OTHERS, SCORED
from tierlens.sources.declared.source import Columns, Source
from tierlens.sources.other_tables import read_other
from tierlens.sources.parsing.header_matching import match_roles
from tierlens.sources.read import Read, connect_duckdb, read_tables
from tierlens.sources.report.quality import Quality
from tierlens.sources.tables import day_number

ORDERS = "customer_id,order_id,time,amount\nA,O1,2026-01-05,10\n"
DAY = day_number("2026-01-05")
PLAIN: dict[str, tuple[str, str, dict[str, Any]]] = {
    "customers": (
        "客户编号,客户名称,行业门类,员工人数,可联系,建档日期,生效日期",
        "A,国贸,制造业,1.2万人,是,2020-01-01,2026-01-05",
        {"name": "国贸", "industry_section": "C", "employees": 12000, "contactable": True, "since_day": 18262},
    ),
    "contracts": (
        "客戶編號,合同編號,開始日期,結束日期,合同金額(萬元),是否續約,履約率(%)",
        "A,K1,2026-01-05,2026-12-31,12,Y,95",
        {"contract_id": "K1", "end_day": 20818, "value": 12000000, "renewed": True, "fulfilled": 0.95,
         "outcome_day": 20818},
    ),
    "tickets": (
        "客户编号,工单号,提交时间,类型,严重程度,满意度,关闭时间",
        "A,T1,2026年1月5日,投诉,重大,4分,2026-01-09",
        {"ticket_id": "T1", "kind": "complaint", "severity": "major", "satisfaction": 4.0, "rated_day": DAY + 4},
    ),
    "interactions": ("customer_id,Date,Type", "A,2026-01-05,拜访", {"kind": "visit"}),
    "surveys": (
        "customer_id,survey_date,NPS,recommend,满意度",
        "A,2026-01-05,-20,8.5,4",
        {"nps": -20.0, "recommend": 8.5, "satisfaction": 4.0, "regard": None},
    ),
    "payments": (
        "customer_id,invoice_no,due_date,paid_date,amount,amount_paid",
        'A,P1,2026-01-05,2026-01-08,"￥1,200.50",',
        {"invoice_id": "P1", "paid_day": DAY + 3, "amount": 120050, "paid_amount": 120050},
    ),
    "ratings": (
        "客户编号,评价项,评价值,评价日期",
        "A,信用评级,aa+,2026-01-05",
        {"name": "credit_rating", "value": "AA", "score": None},
    ),
}  # fmt: skip


def read_table(folder: Path, name: str, text: str | bytes, orders: str = ORDERS, **entry: Any) -> Read:
    """Read one table beside one line of transactions."""
    (folder / "orders.csv").write_text(orders, encoding="utf-8")
    (folder / f"{name}.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    table = {"files": str(folder / f"{name}.csv"), "reject_limit": 1.0} | entry
    return read_tables(source_of(folder / "orders.csv", tables={name: table}, policies={"orphan_limit": 1.0}))


def settle(folder: Path, name: str, text: str, **entry: Any) -> tuple[pa.Table, Quality]:
    """Read one table alone: what stands behind the door, and what became of every row."""
    (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    table = {"files": str(folder / f"{name}.csv"), "reject_limit": 1.0} | entry
    connection = connect_duckdb()
    with tempfile.TemporaryDirectory() as place:
        quality = read_other(connection, source_of(folder / "none.csv", tables={name: table}), name, Path(place), False)
    quality.enforce()
    return connection.table(name).to_arrow_table(), quality


def rows_of(result: Read, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = result.tables.others[name].collect("pyarrow").to_native().to_pylist()
    return rows


def counted(report: Quality) -> dict[str, int]:
    parts = (report.quarantined, report.deduplicated, report.normalised, report.flags)
    return {"used": report.used, **{key: n for part in parts for key, n in part.items()}}


def closes(report: Quality) -> bool:
    return report.rows_in == report.used + sum(report.quarantined.values()) + sum(report.deduplicated.values())


# --- contracts


@pytest.mark.parametrize("name", OTHERS)
def test_what_comes_out_is_the_contract(tmp_path: Path, name: str) -> None:
    header, row, wanted = PLAIN[name]
    table, quality = settle(tmp_path, name, f"{header}\n{row}\n")
    assert {field.name: field.type for field in table.schema} == {
        column: TYPES[kind] for column, kind in CONTRACTS[name].schema.items()
    }
    (found,) = table.to_pylist()
    assert {key: found[key] for key in wanted} == wanted
    assert (found["customer_id"], found["day"], found["known_day"]) == ("A", DAY, DAY)
    assert counted(quality)["used"] == 1


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_alias_of_a_table_stands_for_one_column(name: str) -> None:
    contract = CONTRACTS[name]
    spelled = [alias for words in contract.aliases.values() for alias in words.split()]
    assert len(spelled) == len(set(spelled))
    needed = [column for column in contract.needed if column != "customer_id"]
    for column, aliases in contract.aliases.items():
        for alias in aliases.split():
            wanted = dict.fromkeys(("customer_id", *needed, "amount" if name == "transactions" else "customer_id"))
            others = [each for each in wanted if each != column]
            roles = match_roles([*others, alias], Columns(), "CNY", "a.csv", contract)
            assert roles[column].place == len(others)


@pytest.mark.parametrize("name", CONTRACTS)
def test_contracts_hang_together(name: str) -> None:
    contract = CONTRACTS[name]
    times = {column.name for column in contract.of_kind("time")}
    assert contract.event in times
    assert {*contract.key, *contract.ordered} <= set(contract.names)
    assert "known_day" in contract.schema
    for column in contract.columns:
        assert (column.kind == "word") == bool(column.values)
        assert column.title.en
        assert column.title.zh
    assert contract.version == "1.0"


def test_words_of_ratings_are_of_known_names() -> None:
    names = set(CONTRACTS["ratings"].columns[1].values)
    assert set(JUDGED) | set(SCORED) | {"demand_kind", "other"} == names


def _words(column: Column) -> list[tuple[str, str]]:
    return [(spelled, word) for word, others in column.values.items() for spelled in (word, *others.split())]


@pytest.mark.parametrize(("name", "column"), [("tickets", "kind"), ("tickets", "severity"), ("interactions", "kind"),
                                              ("customers", "industry_section")])  # fmt: skip
def test_every_spelling_of_a_word_is_read(tmp_path: Path, name: str, column: str) -> None:
    words = _words(next(each for each in CONTRACTS[name].columns if each.name == column))
    more = {"tickets": "time,kind", "interactions": "time", "customers": "valid_from"}[name]
    header = f"customer_id,{more},{column}" if column != "kind" else "customer_id,time,kind"
    fixed = {"tickets": "2026-01-05,咨询,", "interactions": "2026-01-05,", "customers": ","}[name]
    fixed = "2026-01-05," if column == "kind" else fixed
    text = header + "\n" + "".join(f"A{i},{fixed}{spelled.upper()}\n" for i, (spelled, _) in enumerate(words))
    assert settle(tmp_path, name, text)[0][column].to_pylist() == [word for _, word in words]


# --- cases of the catalogue


CASES: list[tuple[str, str, str, dict[str, int]]] = [
    ("8-no customer", "tickets", "customer_id,time,kind\n,2026-01-05,投诉\n", {"used": 0, "missing_customer": 1}),
    ("10-short", "tickets", "customer_id,time,kind\nA,2026-01-05\n", {"used": 0, "short_row": 1}),
    ("22-total", "payments", "customer_id,due,amount\n合计,,100\n", {"used": 0, "total_line": 1}),
    ("27-endless", "payments", "customer_id,due,amount\nA,2026-01-05,inf\n", {"used": 0, "non_finite": 1}),
    ("28-negative", "payments", "customer_id,due,amount\nA,2026-01-05,-5\n", {"used": 0, "out_of_range": 1}),
    ("25-sign", "payments", "customer_id,due,amount\nA,2026-01-05,$5\n", {"used": 0, "foreign_sign": 1}),
    ("130-empty", "payments", "customer_id,due,amount\nA,2026-01-05,\n", {"used": 0, "missing_value": 1}),
    ("34-no day", "payments", "customer_id,due,paid,amount\nA,2026-01-05,2026-02-30,5\n", {"used": 0, "bad_date": 1}),
    ("37-placeholder", "payments", "customer_id,due,amount\nA,9999-12-31,5\n", {"used": 0, "sentinel_date": 1}),
    ("37-optional", "payments", "customer_id,due,paid,amount\nA,2026-01-05,9999-12-31,5\n",
     {"used": 1, "sentinel_blank": 1}),
    ("103-no time", "surveys", "customer_id,time,nps\nA,,5\n", {"used": 0, "missing_time": 1}),
    ("32-repeat", "surveys", "customer_id,time,nps\nA,2026-01-05,5\nA,2026-01-05,5\n", {"used": 1, "duplicate": 1}),
    ("32-later record", "surveys",
     "customer_id,survey_id,time,nps,recorded_at\nA,1,2026-01-05,5,2026-01-06\nA,1,2026-01-05,6,2026-01-07\n",
     {"used": 1, "superseded": 1}),
    ("131-no such word", "ratings", "customer_id,name,value,judged_at\nA,财务状况,so so,2026-01-05\n",
     {"used": 0, "bad_word": 1}),
    ("131-no such section", "customers", "customer_id,industry_section\nA,占星\n", {"used": 0, "bad_word": 1}),
    ("132-ends first", "contracts", "customer_id,start,end\nA,2026-01-05,2026-01-04\n", {"used": 0, "wrong_order": 1}),
    ("106-half a person", "customers", "customer_id,employees\nA,2.5\n", {"used": 0, "bad_number": 1}),
    ("47-direction sign", "customers", "customer_id,name\nA,\u202e𠮷野家🙂\n", {"used": 1, "text_cleaned": 1}),
    ("50-unknown consent", "customers", "customer_id,consent\nA,unknown\n", {"used": 1, "flag_unknown": 1}),
    ("52-zero", "tickets", "customer_id,time,kind,满意度\nA,2026-01-05,咨询,0\n", {"used": 0, "out_of_range": 1}),
    ("52-eleven", "surveys", "customer_id,time,recommend\nA,2026-01-05,11\n", {"used": 0, "out_of_range": 1}),
    ("52-on a scale of ten", "ratings", "customer_id,name,value,judged_at\nA,新需求匹配度,11,2026-01-05\n",
     {"used": 0, "out_of_range": 1}),
    ("52-with its unit", "ratings", "customer_id,name,value,judged_at\nA,新需求匹配度,8分,2026-01-05\n", {"used": 1}),
    ("56-new kind", "tickets", "customer_id,time,kind\nA,2026-01-05,催单\n", {"used": 1, "other_word": 1}),
    ("56-new rating", "ratings", "customer_id,name,value,judged_at\nA,占卜,吉,2026-01-05\n",
     {"used": 1, "other_word": 1}),
    ("116-case twins", "customers", "customer_id,name\nA,x\na,x\n", {"used": 2, "case_twins": 2}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "counts"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_counted(tmp_path: Path, name: str, text: str, counts: dict[str, int]) -> None:
    report = settle(tmp_path, name, text)[1]
    found = counted(report)
    assert {key: found.get(key, 0) for key in counts} == counts
    assert closes(report)


REFUSED: list[tuple[str, str, str, str]] = [
    ("11-two headers alike", "tickets", "customer_id,time,kind,kind\nA,2026-01-05,x,y\n", "E-TX-011"),
    ("12-two for one", "payments", "customer_id,due,到期日,amount\nA,2026-01-05,2026-01-05,5\n", "E-TX-012"),
    ("26-mixed units", "payments", "customer_id,due,amount\nA,2026-01-05,1万\nA,2026-01-06,5\n", "E-TX-026"),
    ("32-one key", "tickets",
     "customer_id,ticket_id,time,kind\nA,1,2026-01-05,投诉\nA,1,2026-01-05,咨询\n", "E-TX-032"),
    ("33-two readings", "tickets", "customer_id,time,kind\nA,05/06/2026,投诉\n", "E-TX-033"),
    ("41-header in dollars", "payments", "customer_id,due,amount (USD)\nA,2026-01-05,5\n", "E-TX-041"),
    ("45-two regions", "customers", "customer_id,region\nA,北京\nA,上海\n", "E-TX-045"),
    ("119-no kind", "tickets", "customer_id,time\nA,2026-01-05\n", "E-TX-119"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "code"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_refused(tmp_path: Path, name: str, text: str, code: str) -> None:
    with pytest.raises(DataError) as caught:
        settle(tmp_path, name, text)
    error = caught.value
    assert error.code == code
    assert error.where.startswith(f"{name}.csv")
    assert error.fix is not None
    assert all((error.what.en, error.what.zh, error.fix.en, error.fix.zh))


def test_45_the_newest_row_holds_and_the_conflict_is_counted(tmp_path: Path) -> None:
    text = "customer_id,region,valid_from\nA,北京,\nA,上海,2026-01-01\nB,北京,\n"
    table, quality = settle(tmp_path, "customers", text)
    assert [(row["region"], row["day"] == ALWAYS) for row in table.to_pylist()] == [
        ("北京", True), ("上海", False), ("北京", True)]  # fmt: skip
    assert quality.flags == {"conflict": 2}


def test_50_only_a_plain_yes_is_consent(tmp_path: Path) -> None:
    said = {"是": True, "Y": True, "1": True, "TRUE": True, "否": False, "N": False, "0": False, "unknown": False}
    text = "customer_id,可联系\n" + "".join(f"{word},{word}\n" for word in said) + "blank,\n"
    table, _ = settle(tmp_path, "customers", text)
    assert table["contactable"].to_pylist() == [*said.values(), False]


def test_52_a_blank_score_is_missing_and_never_zero(tmp_path: Path) -> None:
    table, _ = settle(tmp_path, "surveys", "customer_id,time,nps,recommend\nA,2026-01-05,,7.5\n")
    assert [(row["nps"], row["recommend"]) for row in table.to_pylist()] == [(None, 7.5)]


def test_42_orphans_are_counted_and_too_many_are_refused(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(ORDERS + "Z,O2,2026-01-06,5\n", encoding="utf-8")
    (tmp_path / "customers.csv").write_text("customer_id\nA\n", encoding="utf-8")
    tables = {"customers": str(tmp_path / "customers.csv")}
    lenient = read_tables(source_of(tmp_path / "orders.csv", tables=tables, policies={"orphan_limit": 0.5}))
    assert lenient.quality.flags == {"orphan": 1}
    assert lenient.quality.used == 2
    with pytest.raises(DataError, match=r"E-TX-042 data: 50\.00% of the lines") as caught:
        read_tables(source_of(tmp_path / "orders.csv", tables=tables))
    assert "客户表中没有" in caught.value.say("zh")


def test_39_what_is_recorded_late_is_known_late(tmp_path: Path) -> None:
    text = "customer_id,ticket_id,time,kind,满意度,closed_at,录入时间\nA,1,2026-01-05,投诉,3,2026-01-07,2026-01-09\n"
    (row,) = settle(tmp_path, "tickets", text)[0].to_pylist()
    assert (row["day"], row["known_day"], row["rated_day"]) == (DAY, DAY + 4, DAY + 4)


# --- the rest of the machinery


def test_rejects_and_limits_of_a_table(tmp_path: Path) -> None:
    text = "customer_id,time,kind,备注\nA,2026-01-05,投诉,x\n,2026-01-05,投诉,=1\n"
    report = settle(tmp_path, "tickets", text)[1]
    assert report.write_rejects(tmp_path / "rejects.csv") == 1
    written = (tmp_path / "rejects.csv").read_text(encoding="utf-8-sig").splitlines()
    verdict = "customer_id,E-TX-008,no customer,缺少客户编号,write the customer's id,补填客户编号"
    assert written[1] == f"tickets.csv,3,{verdict},,2026-01-05,投诉"
    with pytest.raises(DataError, match=r"E-TX-200 data: tickets.*50\.00% > 1\.00%"):
        settle(tmp_path, "tickets", text, reject_limit=0.01)
    assert settle(tmp_path, "tickets", text, reject_limit=0.0, limits={"missing_customer": 0.5})


def test_the_report_holds_every_table(tmp_path: Path) -> None:
    header, row, _ = PLAIN["tickets"]
    quality = read_table(tmp_path, "tickets", f"{header}\n{row}\n").quality
    plain = quality.to_dict()
    assert plain["tables"]["tickets"]["rows_in"] == 1
    assert plain["tables"]["tickets"]["orders"] is None
    titles = [title for title, _ in quality.others["tickets"].rows("zh")]
    assert "客户数" in titles
    assert "订单数" not in titles


def test_any_kind_of_file_is_read(tmp_path: Path) -> None:
    import xlsxwriter

    table = {"customer_id": ["A"], "time": [dt.date(2026, 1, 5)], "kind": ["投诉"], "satisfaction": [4.5]}
    pl.DataFrame(table).write_parquet(tmp_path / "tickets.parquet")
    with xlsxwriter.Workbook(tmp_path / "tickets.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, list(table))
        sheet.write_row(1, 0, ["B", 46027, "咨询", 5])
    (tmp_path / "orders.csv").write_text(ORDERS, encoding="utf-8")
    files = [str(tmp_path / "tickets.parquet"), str(tmp_path / "tickets.xlsx")]
    result = read_tables(source_of(tmp_path / "orders.csv", tables={"tickets": files}))
    rows = rows_of(result, "tickets")
    assert [(r["customer_id"], r["day"], r["kind"], r["satisfaction"]) for r in rows] == [
        ("A", DAY, "complaint", 4.5), ("B", DAY, "enquiry", 5.0)]  # fmt: skip
    assert result.quality.others["tickets"].normalised == {"excel_serial": 1}


def test_columns_may_be_declared_and_left_out(tmp_path: Path) -> None:
    text = "id,when,kind,type\nA,2026-01-05,投诉,x\n"
    columns = {"customer_id": "id", "time": "when", "kind": "kind"}
    assert settle(tmp_path, "tickets", text, columns=columns)[0]["kind"].to_pylist() == ["complaint"]


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"ticket": "t.csv"}, "'ticket' is no table; did you mean 'tickets'"),
        (
            {"tickets": {"files": "t.csv", "columns": {"sort": "x"}}},
            "'sort' is no column of tickets",
        ),
        (
            {"tickets": {"files": "t.csv", "limits": {"x": 0.1}}},
            "'x' is no reason to quarantine a line",
        ),
        ({"tickets": {"files": "t.csv", "colums": {}}}, "colums"),
    ],
)
def test_what_a_source_may_not_say(tables: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Source.model_validate({"files": "a.csv", "currency": "CNY", "tables": tables})
