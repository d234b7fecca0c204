"""Further inputs of the cases of tests/bad_inputs, as far as they concern transactions: one row of a table an input.

A case is refused under a code and at a place, or its counts are as stated; never anything else.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from tests.sources.shop import GOOD, HEADER, column, counted, read_bytes, read_rows, refused

BIG = "1234567890123456789"

REFUSED: list[tuple[int, str, str | bytes, str, str]] = [
    (9, "one field more in one row", HEADER + GOOD + "C1,O1,2026-01-05,1,000\n", "E-TX-009", ":3"),
    (12, "Chinese and English", "客户编号,customer_id,日期,金额\nC1,C1,2026-01-05,1\n", "E-TX-012", ""),
    (
        16,
        "GBK, then UTF-8",
        f"{HEADER}上海,O1,2026-01-05,1\n".encode("gbk") + "北京,O2,2026-01-05,1\n".encode(),
        "E-TX-016",
        ":3",
    ),
    (
        16,
        "UTF-8 with mark, then GBK",
        b"\xef\xbb\xbf" + HEADER.encode() + "上海,O2,2026-01-05,1\n".encode("gbk"),
        "E-TX-016",
        ":2",
    ),
    (16, "neither", f"{HEADER}Caf\xe9 Zo\xeb,O1,2026-01-05,1\n".encode("latin-1"), "E-TX-122", ":2"),
    (19, "open quote that meets another", HEADER + '"C1,O1,2026-01-05,1\n"C2",O2,2026-01-05,1\n', "E-TX-019", ":2"),
    (20, "blank lines only", "\n\n", "E-TX-020", ""),
    (26, "a unit and none", HEADER + "C1,O1,2026-01-05,1.2万\nC2,O2,2026-01-05,300\n", "E-TX-026", ":3:amount"),
    (33, "both readings forced", HEADER + "C1,O1,13/06/2026,1\nC2,O2,06/13/2026,1\n", "E-TX-033", ":2:time"),
    (41, "another currency in the header", "customer_id,time,amount (USD)\nC1,2026-01-05,1\n", "E-TX-041", ""),
    (119, "a needed column is missing", "customer_id,time\nC1,2026-01-05\n", "E-TX-119", ""),
]


@pytest.mark.parametrize(
    ("case", "what", "content", "code", "place"), REFUSED, ids=[f"{c}-{w}" for c, w, *_ in REFUSED]
)
def test_refused(tmp_path: Path, case: int, what: str, content: str | bytes, code: str, place: str) -> None:
    error = refused(tmp_path, content)
    assert error.code == code
    assert error.where == f"orders.csv{place}"


COUNTED: list[tuple[int, str, tuple[str, ...], dict[str, Any], dict[str, int]]] = [
    (34, "no such day", ("C1,O1,2026-13-01,1", "C1,O1,yesterday,1"), {}, {"used": 0, "bad_date": 2}),
    (35, "a serial in text", ("C1,O1,46023,1", "C1,O1,46023.5,2"), {}, {"used": 0, "serial_date": 2}),
    (106, "no number", ("C1,O1,2026-01-05,five", 'C1,O1,2026-01-05,"1,23"'), {}, {"used": 0, "bad_number": 2}),
    (106, "too large", ("C1,O1,2026-01-05,1e30",), {}, {"used": 0, "bad_number": 1}),
    (101, "no order number", ("C1,,2026-01-05,1",), {}, {"used": 0, "missing_order": 1}),
    (103, "no time", ("C1,O1,,1",), {}, {"used": 0, "missing_time": 1}),
    (105, "no amount", ("C1,O1,2026-01-05,",), {}, {"used": 0, "missing_amount": 1}),
]


@pytest.mark.parametrize(
    ("case", "what", "rows", "settings", "counts"), COUNTED, ids=[f"{c}-{w}" for c, w, *_ in COUNTED]
)  # fmt: skip
def test_counted(
    tmp_path: Path, case: int, what: str, rows: tuple[str, ...], settings: dict[str, Any], counts: dict[str, int]
) -> None:
    result = read_rows(tmp_path, *rows, **settings)
    found = counted(result)
    assert {key: found.get(key, 0) for key in counts} == counts
    assert result.quality.rows_in == len(rows)


IDS: list[tuple[int, list[str], list[str], int]] = [
    (2, [BIG, "9007199254740993", "NULL"], [BIG, "9007199254740993", "NULL"], 0),
    (7, ["C1", "C1 ", "C1\u200b", "Ｃ１", "\ufeffC1"], ["C1"] * 5, 4),
    (47, ["\U00020bb7野家", "客户🙂"], ["\U00020bb7野家", "客户🙂"], 0),
]


@pytest.mark.parametrize(("case", "given", "kept", "cleaned"), IDS, ids=[str(row[0]) for row in IDS])
def test_ids_are_text(tmp_path: Path, case: int, given: list[str], kept: list[str], cleaned: int) -> None:
    rows = [f"{name},O{i},2026-01-05,{i + 1}" for i, name in enumerate(given)]
    result = read_rows(tmp_path, *rows)
    assert column(result, "customer_id") == kept
    assert counted(result).get("id_cleaned", 0) == cleaned


def test_case_is_kept_and_twins_are_flagged(tmp_path: Path) -> None:
    result = read_rows(tmp_path, "C1,O1,2026-01-05,1", "c1,O2,2026-01-05,1", "D1,O3,2026-01-05,1")
    assert sorted(column(result, "customer_id")) == ["C1", "D1", "c1"]
    assert result.quality.flags == {"case_twins": 2}


def test_25_amounts_as_people_write_them(tmp_path: Path) -> None:
    given = {
        '"-1,234,567.8"': -123456780,
        "￥100": 10000,
        "RMB 100": 10000,
        "100元": 10000,
        "(123)": -12300,
        "１２": 1200,
    }
    rows = [f"C1,O{number},2026-01-05,{text}" for number, text in enumerate(given)]
    result = read_rows(tmp_path, *rows, policies={"returns": "negative"})
    assert column(result, "amount") == list(given.values())
    assert counted(result)["number_form"] == len(given)


@pytest.mark.parametrize(("text", "minor"), [("1.2萬", 1200000), ("0.03亿元", 300000000)])
def test_26_units_of_an_amount(tmp_path: Path, text: str, minor: int) -> None:
    result = read_rows(tmp_path, f"C1,O1,2026-01-05,{text}")
    assert column(result, "amount") == [minor]
    assert counted(result)["unit"] == 1


@pytest.mark.parametrize(
    ("header", "minor"),
    [("销售额(万元)", 12000000), ("銷售額（萬元）", 12000000), ("金额[亿]", 120000000000), ("金额(元)", 1200)],
)
def test_26_unit_of_the_header(tmp_path: Path, header: str, minor: int) -> None:
    result = read_rows(tmp_path, "C1,2026-01-05,12", header=f"客户编号,日期,{header}\n")
    assert column(result, "amount") == [minor]


TIMES: list[tuple[int, str, str]] = [
    (36, "2026年1月5日", "2026-01-05 00:00:00"),
    (36, "2026年1月5日 8时30分", "2026-01-05 08:30:00"),
    (36, "2026.1.5", "2026-01-05 00:00:00"),
    (36, "2026/1/5 8:30", "2026-01-05 08:30:00"),
    (36, "20260105", "2026-01-05 00:00:00"),
    (36, "20260105083000", "2026-01-05 08:30:00"),
    (40, "2026-06-30 16:00:00Z", "2026-07-01 00:00:00"),
    (40, "2026-06-30T16:00:00+00:00", "2026-07-01 00:00:00"),
    (40, "2026-06-30T23:00:00+08:00", "2026-06-30 23:00:00"),
    (40, "2026-06-30T16:00Z", "2026-07-01 00:00:00"),
    (40, "2026-06-30 16:00:00 +0000", "2026-07-01 00:00:00"),
    (40, "2026-06-30 24:00", "2026-07-01 00:00:00"),
]


def test_times_in_any_form(tmp_path: Path) -> None:
    result = read_rows(tmp_path, *(f"C1,O{n},{text},1" for n, (_, text, _) in enumerate(TIMES)))
    assert [str(time) for time in column(result, "time")] == [time for *_, time in TIMES]


@pytest.mark.parametrize(
    ("text", "time"), [("13/06/2026", "2026-06-13 00:00:00"), ("06/13/2026 5:30 PM", "2026-06-13 17:30:00")]
)
def test_33_a_date_of_one_reading(tmp_path: Path, text: str, time: str) -> None:
    assert [str(t) for t in column(read_rows(tmp_path, f"C1,O1,{text},1"), "time")] == [time]


def test_40_zones_in_one_column_are_counted(tmp_path: Path) -> None:
    result = read_rows(
        tmp_path, "C1,O1,2026-06-30 16:00:00Z,1", "C1,O2,2026-06-30T12:00:00+08:00,1", "C1,O3,2026-06-30 12:00,1"
    )
    assert counted(result)["zone"] == 2
    assert column(result, "day") == [20635, 20634, 20634]


def test_33_a_declared_format_settles_it(tmp_path: Path) -> None:
    rows = ("C1,O1,05/06/2026,1", "C2,O2,13/06/2026,1")
    result = read_rows(tmp_path, *rows, date_format="%d/%m/%Y")
    assert [t.month for t in column(result, "time")] == [6, 6]


def test_39_late_records_are_known_later(tmp_path: Path) -> None:
    header = "customer_id,time,recorded_at,amount\n"
    rows = ("C1,2026-01-05,2026-01-09,1", "C1,2026-01-06,2026-01-01,1", "C1,2026-01-07,,1", "C1,2026-01-08,soon,1")
    result = read_rows(tmp_path, *rows, header=header)
    late = [known - day for known, day in zip(column(result, "known_day"), column(result, "day"), strict=True)]
    assert late == [4, 0, 0, 0]
    assert counted(result)["recorded_unknown"] == 1


def test_41_declared_rates_convert_exactly(tmp_path: Path) -> None:
    header = "customer_id,time,amount,currency\n"
    rows = ("C1,2026-01-05,100,CNY", "C1,2026-01-06,$100,USD", "C1,2026-01-07,1,", "C1,2026-01-08,1,RMB")
    result = read_rows(tmp_path, *rows, header=header, currency={"code": "CNY", "rates": {"USD": "0.14"}})
    assert column(result, "amount") == [10000, 71429, 100, 100]
    assert counted(result)["currency"] == 1


ENCODINGS = [("gb18030", 14), ("utf-16", 15), ("utf-16-be", 15), ("utf-8-sig", 17), ("utf-32", 15)]


@pytest.mark.parametrize(("encoding", "case"), ENCODINGS)
def test_encodings(tmp_path: Path, encoding: str, case: int) -> None:
    text = ("\ufeff" if encoding == "utf-16-be" else "") + "客户编号,日期,金额\n北京百货大楼,2026-01-05,10\n"
    result = read_bytes(tmp_path, text.encode(encoding))
    assert column(result, "customer_id") == ["北京百货大楼"]
    assert result.quality.normalised.get("encoding", 0) == (encoding != "utf-8-sig")


def test_16_a_declared_encoding_is_used(tmp_path: Path) -> None:
    text = f"{HEADER}Café,O1,2026-01-05,1\n"
    assert column(read_bytes(tmp_path, text.encode("cp1252"), encoding="cp1252"), "customer_id") == ["Café"]
    assert refused(tmp_path, text.encode("cp1252"), encoding="utf-8").where == "orders.csv:2"


def test_17_two_marks(tmp_path: Path) -> None:
    assert column(read_bytes(tmp_path, b"\xef\xbb\xbf\xef\xbb\xbf" + (HEADER + GOOD).encode()), "amount") == [1000]


@pytest.mark.parametrize("separator", [";", "\t", ","])
def test_13_separators(tmp_path: Path, separator: str) -> None:
    assert column(read_bytes(tmp_path, (HEADER + GOOD).replace(",", separator)), "amount") == [1000]


def test_20_a_header_alone_is_legal_when_declared(tmp_path: Path) -> None:
    result = read_bytes(tmp_path, HEADER, allow_empty=True)
    assert result.quality.rows_in == 0
    assert lines_schema(result) == [
        "customer_id",
        "order_id",
        "day",
        "known_day",
        "amount",
        "kind",
        "product_id",
        "quantity",
        "time",
    ]


def lines_schema(result: Any) -> list[str]:
    names: list[str] = result.tables.transactions.collect_schema().names()
    return names


@pytest.mark.parametrize("kept", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("name", ["orders.csv.gz", "orders.parquet"])
def test_21_cut_short(tmp_path: Path, name: str, kept: float) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    whole = tmp_path / f"whole-{name}"
    if name.endswith(".gz"):
        whole.write_bytes(gzip.compress((HEADER + GOOD * 500).encode()))
    else:
        pq.write_table(
            pa.table({"customer_id": ["a"] * 500, "time": ["2026-01-05"] * 500, "amount": [1.0] * 500}), whole
        )
    content = whole.read_bytes()
    assert refused(tmp_path, content[: int(len(content) * kept)], name).code == "E-TX-021"
    assert read_bytes(tmp_path, content, name, policies={"duplicates": "keep"}).quality.used == 500


def test_32_the_later_record_of_a_key_counts(tmp_path: Path) -> None:
    header = "line_id,customer_id,time,amount,recorded_at\n"
    rows = ("1,C1,2026-01-05,1,2026-01-06", "1,C1,2026-01-05,2,2026-01-07", "2,C1,2026-01-05,3,2026-01-07")
    result = read_rows(tmp_path, *rows, header=header)
    assert sorted(column(result, "amount")) == [200, 300]
    assert result.quality.deduplicated == {"superseded": 1}
