"""The report whose sum closes, and the file of rejects."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.shop import GOOD, HEADER, read_rows, source_of
from tierlens.errors import DataError, TierlensError
from tierlens.sources.declared.source import Policies
from tierlens.sources.messages.row_fixes import fix_of
from tierlens.sources.messages.row_reasons import QUARANTINE
from tierlens.sources.read import read_tables
from tierlens.sources.report.quality import FileCount, Quality
from tierlens.spreadsheets import inert_text

COUNTS = st.dictionaries(st.sampled_from(sorted(QUARANTINE)), st.integers(0, 1000))


@given(st.integers(0, 1000), COUNTS, st.dictionaries(st.sampled_from(["duplicate", "overlap"]), st.integers(0, 1000)))
def test_the_sum_closes_or_nothing_is_reported(used: int, quarantined: dict[str, int], repeats: dict[str, int]) -> None:
    total = used + sum(quarantined.values()) + sum(repeats.values())
    assert Quality("shop", total, used, quarantined, repeats).rows_in == total
    with pytest.raises(TierlensError, match=r"E-IN-001.*do not close"):
        Quality("shop", total + 1, used, quarantined, repeats)


def test_the_sum_closes_in_each_file() -> None:
    wrong = FileCount("a.csv", "a.csv", rows_in=2, used=1, quarantined=0, deduplicated=0)
    with pytest.raises(TierlensError, match="E-IN-001"):
        Quality("shop", 1, 1, files=(wrong,))


def test_limits_of_their_own_and_the_common_one() -> None:
    policies = Policies(reject_limit=0.05, limits={"missing_customer": 0.5})
    fine = Quality("shop", 100, 50, {"missing_customer": 45, "bad_date": 5}, policies=policies)
    assert fine.over_limit() == {}
    fine.enforce()
    both = Quality("shop", 100, 30, {"missing_customer": 60, "bad_date": 5, "non_finite": 5}, policies=policies)
    assert both.over_limit() == {"missing_customer": (0.6, 0.5), "others": (0.1, 0.05)}
    with pytest.raises(DataError) as caught:
        both.enforce()
    assert "missing_customer 60.00% > 50.00%; others 10.00% > 5.00% (bad_date 5.00%, non_finite 5.00%)" in str(
        caught.value
    )
    assert (
        "隔离的行过多：缺少客户编号（missing_customer）60.00% > 50.00%；其他原因（others）10.00% > 5.00%，"
        "其中：日期不存在或无法识别（bad_date）5.00%、" in caught.value.say("zh")
    )


def test_nothing_read_is_no_share() -> None:
    assert Quality("shop", 0, 0).share("bad_date") == 0


def test_the_report_of_a_file(tmp_path: Path) -> None:
    result = read_rows(tmp_path, GOOD.strip(), GOOD.strip(), "C2 ,O2,2026-03-01,5", ",O3,2026-01-05,1")
    plain = json.loads(json.dumps(result.quality.to_dict()))
    assert plain["files"][0].pop("path") == str(tmp_path / "orders.csv")
    assert plain == {
        "name": "data",
        "rows_in": 4,
        "used": 2,
        "quarantined": {"missing_customer": 1},
        "deduplicated": {"duplicate": 1},
        "normalised": {"id_cleaned": 1},
        "flags": {},
        "customers": 2,
        "orders": 2,
        "first_day": "2026-01-05",
        "last_day": "2026-03-01",
        "outliers": [],
        "files": [
            {
                "file": "orders.csv",
                "rows_in": 4,
                "used": 2,
                "quarantined": 1,
                "deduplicated": 1,
                "encoding": "utf-8",
                "first_day": "2026-01-05",
                "last_day": "2026-03-01",
                "hidden": False,
                "ignored": [],
            }
        ],
    }
    assert result.quality.first_day == dt.date(2026, 1, 5)


def test_rows_in_both_languages() -> None:
    report = Quality("shop", 3, 2, {"missing_customer": 1}, flags={"outlier": 1}, customers=2)
    english, chinese = report.rows("en"), report.rows("zh")
    assert [value for _, value in english] == [value for _, value in chinese]
    assert ("quarantined: no customer", 1) in english
    assert ("隔离：缺少客户编号", 1) in chinese
    assert english[-1] == ("last day", "-")


def test_outliers_are_listed_by_place(tmp_path: Path) -> None:
    rows = [f"C{i},O{i},2026-01-05,20000000000" for i in range(25)]
    quality = read_rows(tmp_path, *rows).quality
    assert quality.flags["outlier"] == 25
    assert len(quality.outliers) == 20
    assert quality.outliers[0] == ("orders.csv", 2, 2 * 10**12)


def test_rejects_hold_the_fields_that_are_read_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        HEADER + ' ,O1,2026-01-05,"1,000"\nC1,=1+1,2026-02-30,5\nC2\n' + GOOD, encoding="utf-8"
    )
    (tmp_path / "b.csv").write_text("customer_id,time,amount,file,备注\nC1,soon,5,f,说明\n", encoding="utf-8")
    quality = read_tables(source_of(tmp_path)).quality
    assert quality.write_rejects(tmp_path / "rejects.csv") == 4
    with (tmp_path / "rejects.csv").open(encoding="utf-8-sig", newline="") as file:
        header, *rows = list(csv.reader(file))
    assert header == [
        "file",
        "line",
        "column",
        "code",
        "reason",
        "原因",
        "fix",
        "处理",
        "customer_id",
        "order_id",
        "time",
        "amount",
    ]
    said = {key: (*QUARANTINE[key].text, *fix_of(key)) for key in ("missing_customer", "bad_date", "short_row")}
    assert rows == [
        ["a.csv", "2", "customer_id", "E-TX-008", *said["missing_customer"], " ", "O1", "2026-01-05", "1,000"],
        ["a.csv", "3", "time", "E-TX-034", *said["bad_date"], "C1", "'=1+1", "2026-02-30", "5"],
        ["a.csv", "4", "", "E-TX-010", *said["short_row"], "C2", "", "", ""],
        ["b.csv", "2", "time", "E-TX-034", *said["bad_date"], "C1", "", "soon", "5"],
    ]
    before = (tmp_path / "rejects.csv").read_bytes()
    quality.write_rejects(tmp_path / "rejects.csv")
    assert (tmp_path / "rejects.csv").read_bytes() == before


def test_without_rejects_the_file_has_a_header_only(tmp_path: Path) -> None:
    assert Quality("shop", 0, 0).write_rejects(tmp_path / "rejects.csv") == 0
    assert (tmp_path / "rejects.csv").read_text(encoding="utf-8-sig") == "file,line,column,code,reason,原因,fix,处理\n"


@pytest.mark.parametrize(
    "text", ["=1", "+1,000", "+86 138", "-x", "@x", "\tx", "\r=1", "\n=1", "  =1", "＝1", "\u3000@x"]
)
def test_48_formulas_are_led_by_an_apostrophe(text: str) -> None:
    assert inert_text(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-12.50", "-1,000", "-5%", "C1", "1=1", ""])
def test_other_texts_are_left_alone(text: str) -> None:
    assert inert_text(text) == text
