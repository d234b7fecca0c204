"""Numbers and days at the edge of what can be, and rows that are set aside because a day did not know them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from tests.sources.shop import GOOD, HEADER, column, counted, read_rows, refused, source_of
from tierlens.errors import DataError
from tierlens.features.windows import reach_of
from tierlens.sources.from_frame import tables_from_frame
from tierlens.sources.read import read_tables
from tierlens.sources.tables import day_number

FIRST = GOOD.strip()


@pytest.mark.parametrize("day", ["0205-01-05", "2205-01-05", "1899-12-31", "2101-01-01", "0001-01-02", "1205年1月5日"])
def test_a_year_that_cannot_be_is_quarantined(tmp_path: Path, day: str) -> None:
    result = read_rows(tmp_path, FIRST, f"C1,O2,{day},1")
    assert counted(result) == {"used": 1, "impossible_year": 1}
    assert result.quality.last_day == result.quality.first_day


@pytest.mark.parametrize("day", ["1900-01-02", "2100-12-31"])
def test_the_first_and_last_year_are_read(tmp_path: Path, day: str) -> None:
    assert read_rows(tmp_path, FIRST, f"C1,O2,{day},1").quality.used == 2


def test_an_optional_date_of_another_table_may_be_a_slip_too(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(HEADER + GOOD)
    (tmp_path / "c.csv").write_text("contract_id,customer_id,start,end\n1,C1,2025-01-01,2205-01-01\n")
    tables = {"contracts": {"files": str(tmp_path / "c.csv"), "reject_limit": 1.0}}
    report = read_tables(source_of(tmp_path / "orders.csv", tables=tables)).quality.others["contracts"]
    assert (report.rows_in, report.quarantined) == (1, {"impossible_year": 1})


def test_times_past_all_calendars_are_quarantined(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    times = pa.array([300_000_000_000, 1767571200], pa.timestamp("s"))
    table = pa.table({"customer_id": ["a", "b"], "time": times, "amount": [1.0, 2.0]})
    pq.write_table(table, tmp_path / "orders.parquet")
    assert counted(read_tables(source_of(tmp_path / "orders.parquet"))) == {"used": 1, "impossible_year": 1}


@pytest.mark.parametrize("amount", ["92233720368547758.07", "1000000000000000.01", "9" * 30])
def test_an_amount_beyond_a_quadrillion_is_no_number(tmp_path: Path, amount: str) -> None:
    assert read_rows(tmp_path, FIRST, f"C1,O2,2026-01-05,{amount}").quality.quarantined == {"bad_number": 1}


def test_amounts_up_to_it_are_kept_exactly(tmp_path: Path) -> None:
    result = read_rows(tmp_path, FIRST, "C1,O2,2026-01-05,1000000000000000.00")
    assert column(result, "amount") == [1000, 10**17]
    assert result.tables.wide_amounts


def test_a_customer_whose_amounts_cannot_be_added_up_is_refused(tmp_path: Path) -> None:
    rows = [f"C1,O{n},2026-01-05,1000000000000000.00\n" for n in range(11)]
    error = refused(tmp_path, HEADER + GOOD + "".join(rows))
    assert (error.code, error.where) == ("E-TX-151", "orders.csv:3:amount")


def test_pieces_beyond_a_thousand_million_are_no_number(tmp_path: Path) -> None:
    header = "customer_id,time,quantity,price\n"
    result = read_rows(tmp_path, "C1,2026-01-05,2,5", "C1,2026-01-05,2000000000,5", header=header)
    assert counted(result) == {"used": 1, "bad_number": 1}


def test_lines_after_the_declared_end_are_quarantined_and_the_data_reach_it(tmp_path: Path) -> None:
    result = read_rows(tmp_path, FIRST, "C1,O2,2026-03-05,1", complete_until="2026-02-01")
    assert counted(result) == {"used": 1, "after_complete": 1}
    assert reach_of(result.tables).end == day_number("2026-02-02")


def test_a_line_far_from_all_others_is_flagged_and_moves_no_end(tmp_path: Path) -> None:
    lines = [f"C{n % 7},O{n},2025-{n % 12 + 1:02d}-{n % 28 + 1:02d},1" for n in range(300)]
    result = read_rows(tmp_path, *lines, "C1,O,2035-01-01,1")
    assert counted(result) == {"used": 301, "date_apart": 1}
    assert str(result.quality.last_day) == "2025-12-28"
    assert reach_of(result.tables).end < day_number("2026-01-15")


LATER = ("C1,O2,2026-02-01,7,2026-02-01", "C9,O3,2026-01-06,7,2026-02-03", "C1,O9,2026-04-01,7,2026-04-01")


def test_rows_that_a_day_did_not_know_change_nothing_but_their_count(tmp_path: Path) -> None:
    header = "customer_id,order_id,time,amount,recorded_at\n"
    known = ("C1,O1,2026-01-05,10,2026-01-05", "C2,O4,2026-01-31,5,2026-01-31", ",O5,2026-01-05,1,")
    bad = (",O8,2026-02-05,1,", "C1,O2,2026-02-01,7,2026-02-01")  # of a later day: quarantined, repeated
    path = tmp_path / "orders.csv"
    found = []
    for rows in (known, (*known, *LATER, *bad)):
        path.write_text(header + "".join(f"{row}\n" for row in rows))
        result = read_tables(source_of(path), before=day_number("2026-02-01"))
        rejects = tmp_path / "rejects.csv"
        result.quality.write_rejects(rejects)
        found.append((result.quality.to_dict(), column(result, "order_id"), rejects.read_bytes()))
        aside = result.quality.set_aside
    assert found[0] == found[1]
    assert aside == len(LATER) + len(bad)


def test_a_correction_that_a_day_did_not_know_does_not_replace_what_it_knew(tmp_path: Path) -> None:
    header = "customer_id,order_id,time,amount,recorded_at,line_id\n"
    lines = ("C1,O1,2026-01-05,10,2026-01-05,L1", "C1,O1,2026-01-05,99,2026-03-01,L1")
    (tmp_path / "orders.csv").write_text(header + "".join(f"{row}\n" for row in lines))
    source = source_of(tmp_path / "orders.csv")
    assert column(read_tables(source, before=day_number("2026-02-01")), "amount") == [1000]
    assert column(read_tables(source, before=day_number("2026-04-01")), "amount") == [9900]


def test_a_frame_with_amounts_beyond_the_limit_is_refused() -> None:
    table = pa.table({"customer_id": ["a"], "time": ["2026-01-05"], "amount": [Decimal("1e16")]})
    with pytest.raises(DataError, match="E-TX-200"):
        tables_from_frame(table, "CNY")
