"""The door as a whole: exact money, days, types, files, and the same bytes whatever the machine does."""

from __future__ import annotations

import datetime as dt
import gc
import os
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import narwhals as nw
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sources.shop import GOOD, HEADER, column, counted, lines_of, read_bytes, read_rows, source_of
from tierlens.errors import DataError
from tierlens.sources.read import Read, connect_duckdb, read_tables
from tierlens.sources.tables import day_date, day_number

FAST = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CONTRACT = {
    "customer_id": nw.String,
    "order_id": nw.String,
    "day": nw.Int32,
    "known_day": nw.Int32,
    "amount": nw.Int64,
    "kind": nw.String,
    "product_id": nw.String,
    "quantity": nw.Float64,
    "time": nw.Datetime("us"),
}


def read_table(folder: Path, table: dict[str, Any], **given_settings: Any) -> Read:
    path = folder / "orders.parquet"
    pq.write_table(pa.table(table), path)
    return read_tables(source_of(path, **given_settings))


def half_up(exact: Decimal) -> int:
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def test_the_contract_is_met(tmp_path: Path) -> None:
    result = read_rows(tmp_path, GOOD.strip())
    assert result.tables.transactions.collect_schema() == CONTRACT
    assert lines_of(result) == [
        {
            "customer_id": "C1",
            "order_id": "O1",
            "day": 20458,
            "known_day": 20458,
            "amount": 1000,
            "kind": "purchase",
            "product_id": None,
            "quantity": None,
            "time": dt.datetime(2026, 1, 5),  # noqa: DTZ001
        }
    ]


@FAST
@given(
    st.lists(
        st.tuples(st.decimals("0.001", 10**6, places=3), st.decimals("0.1", 10**5, places=2)), min_size=1, max_size=60
    )
)
def test_money_is_exact_to_the_minor_unit(tmp_path: Path, lines: list[tuple[Decimal, Decimal]]) -> None:
    exact = [half_up(price * quantity * 100) for price, quantity in lines]
    header = "customer_id,time,quantity,price\n"
    rows = [f"C{i},2026-01-05,{quantity},{price}" for i, (price, quantity) in enumerate(lines)]
    assert column(read_rows(tmp_path, *rows, header=header), "amount") == exact
    floats = {
        "customer_id": [str(i) for i in range(len(lines))],
        "time": [dt.date(2026, 1, 5)] * len(lines),
        "quantity": [float(quantity) for _, quantity in lines],
        "price": [float(price) for price, _ in lines],
    }
    assert column(read_table(tmp_path, floats), "amount") == exact


@pytest.mark.parametrize(
    ("price", "quantity", "minor"), [("1.005", 1, 101), ("2.675", 1, 268), ("0.005", 3, 2), ("0.001", 1, 0)]
)
def test_ties_are_rounded_away_from_zero(tmp_path: Path, price: str, quantity: int, minor: int) -> None:
    header = "customer_id,time,quantity,price\n"
    rows = [f"C1,2026-01-05,{quantity},{price}", f"C1,2026-01-06,-{quantity},{price}"]
    result = read_rows(tmp_path, *rows, header=header, policies={"returns": "negative"})
    assert column(result, "amount") == [minor, -minor]
    assert column(result, "quantity") == [quantity, -quantity]


def test_currencies_without_cents(tmp_path: Path) -> None:
    assert column(read_rows(tmp_path, "C1,O1,2026-01-05,1234", currency="JPY"), "amount") == [1234]


@FAST
@given(
    st.lists(st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(2037, 1, 1)), min_size=1, max_size=60),  # noqa: DTZ001
    st.sampled_from(["Asia/Shanghai", "Europe/London", "America/New_York"]),
)
def test_days_begin_at_midnight_of_the_business_zone(tmp_path: Path, times: list[dt.datetime], zone: str) -> None:
    """The engine's way, text with an offset, and the standard library agree."""
    aware = [time.replace(tzinfo=dt.UTC) for time in times]
    here = [time.astimezone(ZoneInfo(zone)) for time in aware]
    table = {
        "customer_id": ["C1"] * len(times),
        "time": pa.array(aware, pa.timestamp("us", "UTC")),
        "amount": [1.0] * len(times),
    }
    settings_ = {"timezone": zone, "policies": {"duplicates": "keep"}}
    by_engine = read_table(tmp_path, table, **settings_)
    by_text = read_rows(tmp_path, *(f"C1,O1,{time.isoformat()},1" for time in aware), **settings_)
    by_hand = read_rows(tmp_path, *(f"C1,O1,{time:%Y/%m/%d %H:%M:%S}.{time:%f} +0000,1" for time in aware), **settings_)
    for result in (by_engine, by_text, by_hand):
        assert column(result, "day") == [day_number(time.date()) for time in here]
        assert column(result, "time") == [time.replace(tzinfo=None) for time in here]


TYPED: list[tuple[str, Any, list[str | None]]] = [
    ("whole numbers", pa.array([17850, 7], pa.int64()), ["17850", "7"]),
    ("floats", pa.array([17850.0, 7.0]), ["17850", "7"]),
    ("decimals", pa.array([Decimal("17850.00"), Decimal("7.50")]), ["17850", "7.5"]),
    ("text", pa.array(["00123", " x "]), ["00123", "x"]),
    ("categories", pa.array(["b", "a"]).dictionary_encode(), ["b", "a"]),
    ("truth", pa.array([True, False]), ["true", "false"]),
]


@pytest.mark.parametrize(("what", "ids", "kept"), TYPED, ids=[row[0] for row in TYPED])
def test_ids_of_any_type_become_text(tmp_path: Path, what: str, ids: Any, kept: list[str]) -> None:
    table = {"customer_id": ids, "time": [dt.date(2026, 1, 5)] * 2, "amount": [1, 2]}
    assert column(read_table(tmp_path, table), "customer_id") == kept


def test_missing_and_endless_values_of_typed_columns(tmp_path: Path) -> None:
    table = {
        "customer_id": [1.0, float("nan"), None, 1e18, 2.0, 3.0],
        "time": [dt.date(2026, 1, 5)] * 5 + [dt.date(9999, 12, 31)],
        "amount": [1.0, 1.0, 1.0, 1.0, float("inf"), 1.0],
    }
    assert counted(read_table(tmp_path, table)) == {
        "used": 1,
        "digits_lost": 1,
        "missing_customer": 2,
        "sentinel_date": 1,
        "non_finite": 1,
    }


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_any_precision(tmp_path: Path, unit: str) -> None:
    time = dt.datetime(2026, 1, 5, 23, 59, 59)  # noqa: DTZ001
    table = {"customer_id": ["C1"], "time": pa.array([time], pa.timestamp(unit)), "amount": [1]}
    result = read_table(tmp_path, table)
    assert (column(result, "time"), column(result, "day")) == ([time], [20458])


def test_whole_numbers_as_dates(tmp_path: Path) -> None:
    table = {"customer_id": ["C1", "C2"], "time": [20260105.0, 46023.0], "amount": [1, 1]}
    assert counted(read_table(tmp_path, table)) == {"used": 1, "serial_date": 1, "date_form": 1}


def test_an_order_without_a_number_is_what_was_bought_that_day(tmp_path: Path) -> None:
    header = "customer_id,time,amount\n"
    result = read_rows(tmp_path, "C1,2026-01-05 08:00,1", "C1,2026-01-05 09:00,2", "C1,2026-01-06,3", header=header)
    assert column(result, "order_id") == ["C1@2026-01-05", "C1@2026-01-05", "C1@2026-01-06"]
    assert result.quality.orders == 2


KINDS = [
    ("kind", {}, [1000, -500, -250]),
    ("order_prefix", {"return_prefix": "R"}, [1000, -500, -250]),
    ("negative", {}, [1000, 500, -250]),
]


@pytest.mark.parametrize(("returns", "more", "amounts"), KINDS, ids=[row[0] for row in KINDS])
def test_returns_by_declared_policy(tmp_path: Path, returns: str, more: dict[str, str], amounts: list[int]) -> None:
    header = "customer_id,order_id,time,amount,kind\n"
    rows = ("C1,O1,2026-01-05,10,purchase", "C1,R1,2026-01-06,5,退货", "C1,R2,2026-01-07,-2.5,Refund")
    result = read_rows(tmp_path, *rows, header=header, policies={"returns": returns} | more)
    assert column(result, "amount") == amounts
    assert column(result, "kind") == ["return" if amount < 0 else "purchase" for amount in amounts]
    assert counted(result).get("return_sign", 0) == (returns != "negative")


def test_other_kinds_are_quarantined(tmp_path: Path) -> None:
    header = "customer_id,time,amount,kind\n"
    result = read_rows(tmp_path, "C1,2026-01-05,10,gift", "C1,2026-01-05,11,", header=header)
    assert result.quality.quarantined == {"bad_kind": 2}


PRODUCTS = "customer_id,order_id,time,product_id,quantity,price\n"


@pytest.mark.parametrize(("action", "used"), [("quarantine", 1), ("keep", 3)])
def test_codes_that_are_no_products(tmp_path: Path, action: str, used: int) -> None:
    rows = ("C1,O1,2026-01-05,POST,1,5", "C1,O1,2026-01-05,TEST001,1,5", "C1,O1,2026-01-05,post,1,5")
    rule = {"codes": ["POST"], "pattern": "TEST[0-9]+", "action": action}
    result = read_rows(tmp_path, *rows, header=PRODUCTS, policies={"non_products": rule})
    assert result.quality.used == used
    assert counted(result)["non_product" if action == "quarantine" else "non_product_kept"] == 2


def test_prices_quantities_and_adjustments(tmp_path: Path) -> None:
    rows = ("C1,A1,2026-01-05,X,1,-9", "C1,O1,2026-01-05,X,1,0", "C1,O2,2026-01-05,X,1,-1", "C1,O3,2026-01-05,X,0,1",
            "C1,O4,2026-01-05,X,-1,1", "C1,O5,2026-01-05,X,2,1")  # fmt: skip
    strict = read_rows(tmp_path, *rows, header=PRODUCTS, policies={"adjustment_prefix": "A"})
    assert counted(strict) == {
        "used": 1,
        "adjustment": 1,
        "non_positive_price": 2,
        "zero_amount": 1,
        "negative_amount": 1,
    }
    lenient = read_rows(tmp_path, *rows[1:], header=PRODUCTS, policies={"non_positive_price": "keep_zero"})
    assert column(lenient, "amount") == [0, 0, 200]


def test_overlap_lets_the_later_file_stand(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        HEADER + "C1,O1,2026-01-05,1\nC2,O2,2026-01-06,2\nC2,O2,2026-01-06,2\n,O3,2026-01-06,2\n"
    )
    (tmp_path / "b.csv").write_text(
        "amount,time,order_id,customer_id\n2,2026-01-06,O2,C2\n3,2026-01-07,O4,C2\n2,2026-01-06,O3,\n"
    )
    result = read_tables(source_of(tmp_path))
    assert column(result, "amount") == [100, 200, 300]
    assert result.quality.deduplicated == {"overlap": 3}
    assert result.quality.quarantined == {"missing_customer": 1}
    assert [(count.rows_in, count.used, count.deduplicated) for count in result.quality.files] == [(4, 1, 3), (3, 2, 0)]
    kept = read_tables(source_of(tmp_path, policies={"overlap": "keep", "duplicates": "keep"}))
    assert column(kept, "amount") == [100, 200, 200, 200, 300]


def test_equal_fingerprints_alone_do_not_drop_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tierlens.sources.read.line_fingerprint", lambda part, as_words: "7::UBIGINT")
    result = read_rows(tmp_path, "C1,O1,2026-01-05,1", "C1,O1,2026-01-05,2", "C1,O1,2026-01-05,2", "1,2,2026-01-05,3")
    assert column(result, "amount") == [100, 200, 300]


def test_a_used_line_is_not_dropped_for_a_quarantined_one(tmp_path: Path) -> None:
    result = read_rows(tmp_path, ",O1,2026-01-05,1", ",O1,2026-01-05,1", GOOD.strip())
    assert counted(result) == {"used": 1, "missing_customer": 2}


@pytest.mark.parametrize("threads", [1, 2])
def test_order_and_result_do_not_depend_on_threads(tmp_path: Path, threads: int) -> None:
    rows = [f"C{i % 7},O{i},2026-01-{i % 28 + 1:02d},{i + 1}" for i in range(5000)]
    path = tmp_path / "orders.csv"
    path.write_text(HEADER + "\n".join([*rows, *rows[:50]]) + "\n")
    result = read_tables(source_of(path), threads=threads)
    assert column(result, "amount") == [(i + 1) * 100 for i in range(5000)]
    assert result.quality.deduplicated == {"duplicate": 50}


def test_43_more_lines_than_a_batch_under_a_memory_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tierlens.sources.parsing.part.BATCH", 100)
    rows = [f"C{i},O{i},2026-01-05,{i + 1}" for i in range(1234)]
    path = tmp_path / "orders.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n")
    assert read_tables(source_of(path), memory="200MiB", threads=1).quality.used == 1234


def test_limits_hold_and_can_be_left_to_the_caller(tmp_path: Path) -> None:
    rows = [GOOD.strip(), ",O1,2026-01-05,1", "C1,O1,someday,1", "C1,O2,2026-01-05,2"]
    policies = {"reject_limit": 0.3, "limits": {"missing_customer": 0.2}}
    words = r"E-TX-200 data: too many .*: missing_customer 25.00% > 20.00%; 'tierlens read FILE --check' writes"
    with pytest.raises(DataError, match=words):
        read_rows(tmp_path, *rows, policies=policies)
    with pytest.raises(DataError, match=r"others 25.00% > 1.00% \(bad_date 25.00%\)"):
        read_rows(tmp_path, *rows, policies={"reject_limit": 0.01, "limits": {"missing_customer": 0.5}})
    result = read_tables(source_of(tmp_path / "orders.csv", policies=policies), check=False)
    assert set(result.quality.over_limit()) == {"missing_customer"}


def test_frames_outlive_what_they_came_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    frame = read_rows(tmp_path, GOOD.strip()).tables.transactions.select("amount")
    (tmp_path / "orders.csv").unlink()
    gc.collect()
    assert frame.collect("pyarrow").to_dict(as_series=False) == {"amount": [1000]}
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - nothing is left in the working folder


def test_connections_are_private() -> None:
    connect_duckdb().execute("CREATE TABLE mine AS SELECT 1")
    with pytest.raises(Exception, match="mine"):
        connect_duckdb().execute("FROM mine")


def test_names_that_mean_something_to_the_engine(tmp_path: Path) -> None:
    header = 'line,part,reason,"cus""tomer",time,Amount,AMOUNT (net),fault,select\n'
    columns = {"customer_id": 'cus"tomer', "amount": "Amount"}
    result = read_rows(
        tmp_path, "1,2,3,C1,2026-01-05,1,9,x,y", "1,2,3,,2026-01-05,1,9,it's,y", header=header, columns=columns
    )
    assert column(result, "amount") == [100]
    result.quality.write_rejects(tmp_path / "rejects.csv")
    assert ",2026-01-05,1" in (tmp_path / "rejects.csv").read_text(encoding="utf-8-sig").splitlines()[1]


def test_files_without_a_header_have_declared_ones(tmp_path: Path) -> None:
    headers = ["customer_id", "sample", "time", "quantity", "amount"]
    result = read_bytes(tmp_path, " 00004 0001 19970101  2   29.33\r\n 00004 0001 19970118  2   29.73\r\n", "a.txt",
                        headers=headers, separator=" ")  # fmt: skip
    assert column(result, "customer_id") == ["00004", "00004"]
    assert [day_date(day).isoformat() for day in column(result, "day")] == ["1997-01-01", "1997-01-18"]


def test_quoted_fields_may_hold_anything(tmp_path: Path) -> None:
    header = "customer_id,time,amount,remark\n"
    result = read_rows(
        tmp_path, 'C1,2026-01-05,1,"a, ""b""\nc"', ",2026-01-05,1,x", '"C, 2",2026-01-06,2,12" ruler', header=header
    )
    assert column(result, "customer_id") == ["C1", "C, 2"]
    result.quality.write_rejects(tmp_path / "rejects.csv")
    assert (
        (tmp_path / "rejects.csv")
        .read_text(encoding="utf-8-sig")
        .splitlines()[1]
        .startswith("orders.csv,4,customer_id,E-TX-008")
    )


FIELD = st.one_of(
    st.sampled_from(
        ["", "C1", "合计", "2026-01-05", "05/06/2026", "1", "-1", "1万", "1e400", "$5", '"', "a,b", "\n", "9999-12-31"]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(FIELD, min_size=1, max_size=5), max_size=12),
    st.sampled_from(["kind", "negative", "order_prefix"]),
)
def test_any_table_is_read_with_a_closed_sum_or_refused(tmp_path: Path, rows: list[list[str]], returns: str) -> None:
    """Whatever stands in the fields: accepted, changed with a count, quarantined, or refused under a code."""
    import csv

    path = tmp_path / "orders.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["customer_id", "order_id", "time", "amount"], *rows])
    try:
        result = read_tables(source_of(path, policies={"returns": returns}))
    except DataError as error:
        code = error.code
    else:
        code = ""
        _accounted_for(result, rows, tmp_path)
    assert code in {"", "E-TX-009", "E-TX-018", "E-TX-020", "E-TX-026", "E-TX-033"}


def _accounted_for(result: Read, rows: list[list[str]], folder: Path) -> None:
    quality = result.quality
    assert quality.rows_in + quality.normalised.get("blank_line", 0) == len(rows)
    assert quality.used == len(lines_of(result))
    for row in lines_of(result):
        assert row["customer_id"]
        assert (row["amount"] < 0) <= (row["kind"] == "return")
    assert quality.write_rejects(folder / "rejects.csv") == sum(quality.quarantined.values())
