"""Cases 24-43: amounts, dates, repeats, currencies, size."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

from tests.bad_inputs.kit import (
    GOOD,
    HEADER,
    Case,
    Do,
    Got,
    Refuse,
    Take,
    book,
    closed,
    expect,
    read_files,
    refusal_of,
    rows,
)
from tierlens.features.snapshot import build_snapshots, to_arrow
from tierlens.features.windows import Window, at_cutoffs
from tierlens.risk.outcome import churn_outcomes

KEYED = "line_id,customer_id,time,amount,recorded_at\n"
MONEYED = "customer_id,time,amount,currency\n"
MANY = "customer_id,order_id,time,amount\n" + "".join(
    f"C{n % 997},O{n},2026-01-{n % 28 + 1:02d},{n % 99 + 1}.50\n" for n in range(40_000)
)


def _amounts(*texts: str, **counts: int) -> Take:
    kept = [text for text in texts if not counts.get("foreign_sign")]
    lines = [f"C1,O{number},2026-01-05,{text}" for number, text in enumerate(texts)]
    return Take(rows(*lines), len(kept), counts, settings={"policies": {"returns": "negative"}})


def _times(*texts: str, **counts: int) -> str:
    return rows(*(f"C1,O{number},{text},1" for number, text in enumerate(texts)))


def _after_the_cutoff(folder: Path) -> Got:
    """A purchase after the cutoff moves no feature, is counted, and is what the outcome reads."""
    later = "C1,O2,2026-03-05,7\n"
    tables, quality = read_files(folder, {"orders.csv": HEADER + GOOD + later}, {}, {})
    before = read_files(folder, {"before.csv": HEADER + GOOD}, {}, {}).tables
    cutoff, found = "2026-02-01", ["frequency", "monetary", "recency_days", "tenure_days"]
    seen, alone = (to_arrow(build_snapshots(each, cutoff, features=found)) for each in (tables, before))
    expect(alone.to_pylist(), seen.to_pylist(), "features")
    known = at_cutoffs(tables.transactions, [20485]).collect("pyarrow").shape[0]
    expect(1, quality.used - known, "lines after the cutoff")
    left = [to_arrow(churn_outcomes(tables, cutoff, Window(365, 0, days)))["churn"].to_pylist() for days in (32, 33)]
    expect([[1], [0]], left, "churn in 32 and 33 days")
    return Got(closes=closed(quality))


def _recorded_late(folder: Path) -> Got:
    """A purchase that was recorded after the cutoff was not known at it."""
    text = "customer_id,time,recorded_at,amount\nC1,2026-01-05,2026-01-05,1\nC1,2026-01-06,2026-02-09,1\n"
    tables, quality = read_files(folder, {"orders.csv": text}, {}, {})
    seen = [to_arrow(build_snapshots(tables, day, features=["frequency"]))["frequency"].to_pylist() for day in
            ("2026-02-01", "2026-03-01")]  # fmt: skip
    expect([[1], [2]], seen, "frequency at two cutoffs")
    return Got(closes=closed(quality))


def _orphans(folder: Path) -> Got:
    files = {"orders.csv": HEADER + GOOD + "Z9,O2,2026-01-06,5\n", "customers.csv": "customer_id\nC1\n"}
    tables = {"customers": "customers.csv"}
    quality = read_files(folder, files, tables, {}).quality
    expect({"orphan": 1}, dict(quality.flags), "flags")
    strict = {"policies": {"orphan_limit": 0.01}}
    got = refusal_of(lambda: read_files(folder, files, tables, strict), "E-TX-042", "orders.csv")
    return Got(got.codes, got.place, closed(quality))


def _little_memory(folder: Path) -> Got:
    """Lines are streamed; what fits neither memory nor disk is refused, the latter before it is copied."""
    quality = read_files(folder, {"many.csv": MANY}, {}, {"memory": "64MB"}).quality
    expect(40_000, quality.used, "rows used")
    got = refusal_of(lambda: read_files(folder, {"many.csv": MANY}, {}, {"memory": "2MB"}), "E-TX-043", "many.csv")
    with mock.patch("shutil.disk_usage", return_value=mock.Mock(free=1000)):
        refusal_of(lambda: read_files(folder, {"many.csv": MANY}, {}, {}), "E-TX-043", "many.csv")
    return Got(got.codes, got.place, closed(quality))


CASES = (
    Case(24, "amount 1,234.50 in quotes", "NORMALISE",
         (Take(rows('C1,O1,2026-01-05,"1,234.50"'), 1, {"number_form": 1}, {"amount": [123450]}),)),
    Case(25, "￥100, ¥100, RMB 100, (123), １２３４; $5, € 5", "NORMALISE; QUARANTINE",
         (Take(rows("C1,O1,2026-01-05,￥100", "C1,O2,2026-01-05,¥100", "C1,O3,2026-01-05,RMB 100",
                    "C1,O4,2026-01-05,(123)", "C1,O5,2026-01-05,１２３４"), 5, {"number_form": 5},
               {"amount": [10000, 10000, 10000, -12300, 123400]}, settings={"policies": {"returns": "negative"}}),
          Take(rows("C1,O1,2026-01-05,$5", "C1,O2,2026-01-05,€ 5"), 0, {"foreign_sign": 2},
               place="orders.csv:2:amount"))),
    Case(26, "1.2万; 销售额(万元); 1.2万 beside 3亿", "NORMALISE; REJECT",
         (Take(rows("C1,O1,2026-01-05,1.2万"), 1, {"number_form": 1, "unit": 1}, {"amount": [1_200_000]}),
          Take("客户编号,日期,销售额(万元)\nC1,2026-01-05,12\n", 1, {"unit": 1}, {"amount": [12_000_000]}),
          Refuse(rows("C1,O1,2026-01-05,1.2万", "C2,O2,2026-01-05,3亿"), "E-TX-026", "orders.csv:3:amount"))),
    Case(27, "inf, nan, 1e400", "QUARANTINE",
         (Take(rows("C1,O1,2026-01-05,inf", "C1,O1,2026-01-05,nan", "C1,O1,2026-01-05,1e400"), 0, {"non_finite": 3},
               place="orders.csv:2:amount"),)),
    Case(28, "a negative amount", "QUARANTINE; return where declared",
         (Take(rows(GOOD.strip(), "C1,O1,2026-01-06,-5"), 1, {"negative_amount": 1}, place="orders.csv:3:amount"),
          Take(rows(GOOD.strip(), "C1,O1,2026-01-06,-5"), 2, {}, {"kind": ["purchase", "return"]},
               settings={"policies": {"returns": "negative"}}))),
    Case(29, "amount or quantity 0", "QUARANTINE, no purchase",
         (Take(rows("C1,O1,2026-01-05,0", "C1,O1,2026-01-05,0.00"), 0, {"zero_amount": 2},
               place="orders.csv:2:amount"),
          Take("customer_id,time,quantity,price\nC1,2026-01-05,0,9\n", 0, {"zero_amount": 1},
               place="orders.csv:2:quantity"))),
    Case(30, "a return before its purchase, and larger", "KEEP, flag",
         (Take(rows("C1,R1,2026-01-04,-50", GOOD.strip()), 2, {"return_first": 1, "net_negative": 1},
               settings={"policies": {"returns": "negative"}}),)),
    Case(31, "an absurd amount", "KEEP, flag",
         (Take(rows("C1,O1,2026-01-05,10000000001", "C2,O2,2026-01-05,1", "C2,O3,2026-01-06,1001"), 3,
               {"outlier": 2}),)),
    Case(32, "exact repeats; one key, two contents", "deduplicate; REJECT",
         (Take(rows(*[GOOD.strip()] * 3), 1, {"duplicate": 2}),
          Refuse("line_id,customer_id,time,amount\n1,C1,2026-01-05,1\n1,C1,2026-01-05,2\n", "E-TX-032",
                 "orders.csv:2"),
          Take(KEYED + "1,C1,2026-01-05,1,2026-01-06\n1,C1,2026-01-05,2,2026-01-07\n", 1, {"superseded": 1},
               {"amount": [200]}))),
    Case(33, "05/06/2026 beside 13/06/2026", "REJECT; KEEP with date_format",
         (Refuse(_times("05/06/2026", "13/06/2026"), "E-TX-033", "orders.csv:2:time"),
          Take(_times("05/06/2026", "13/06/2026"), 2, {"date_form": 2},
               {"time": ["2026-06-05 00:00:00", "2026-06-13 00:00:00"]}, settings={"date_format": "%d/%m/%Y"}),
          Take(_times("13/06/2026", "06/06/2026"), 2, {"date_form": 2}))),
    Case(34, "2026-02-30", "QUARANTINE",
         (Take(_times("2026-02-30", "2026-13-01"), 0, {"bad_date": 2}, place="orders.csv:2:time"),)),
    Case(35, "Excel serial 46023", "NORMALISE in a workbook; QUARANTINE",
         (Take(book([["customer_id", "time", "amount"], ["C1", 46023, 5]]), 1, {"excel_serial": 1},
               {"time": ["2026-01-01 00:00:00"]}, name="orders.xlsx"),
          Take(_times("46023"), 0, {"serial_date": 1}, place="orders.csv:2:time"))),
    Case(36, "2026年1月5日, 2026.1.5, 20260105", "NORMALISE",
         (Take(_times("2026年1月5日", "2026.1.5", "20260105"), 3, {"date_form": 3},
               {"time": ["2026-01-05 00:00:00"] * 3}),)),
    Case(37, "9999-12-31, 0000-00-00, 1900-01-01", "QUARANTINE; missing where optional",
         (Take(_times("9999-12-31", "0000-00-00", "1900-01-01"), 0, {"sentinel_date": 3},
               place="orders.csv:2:time"),
          Take("customer_id,due,paid,amount\nC1,2026-01-05,9999-12-31,5\n", 1, {"sentinel_blank": 1},
               {"paid_day": [None]}, name="payments.csv", table="payments"))),
    Case(38, "a transaction after the cutoff", "out of features, in outcomes, counted", (Do(_after_the_cutoff),)),
    Case(39, "recorded after the cutoff", "out of features", (Do(_recorded_late),)),
    Case(40, "+08:00, Z and local times in one column", "NORMALISE",
         (Take(_times("2026-06-30 16:00:00Z", "2026-06-30T12:00:00+08:00", "2026-06-30 12:00", "2026-06-30 24:00"), 4,
               {"date_form": 1, "zone": 2}, {"day": [20635, 20634, 20634, 20635]}),)),
    Case(41, "CNY and USD without a rate", "REJECT; NORMALISE with a rate",
         (Refuse(MONEYED + "C1,2026-01-05,1,CNY\nC2,2026-01-05,1,USD\n", "E-TX-041", "orders.csv:3:currency"),
          Take(MONEYED + "C1,2026-01-05,100,CNY\nC1,2026-01-06,$100,USD\n", 2, {"number_form": 1, "currency": 1},
               {"amount": [10000, 71429]}, settings={"currency": {"code": "CNY", "rates": {"USD": "0.14"}}}))),
    Case(42, "transactions of unknown customers", "flag; REJECT above the limit", (Do(_orphans),)),
    Case(43, "more than memory or disk hold", "streamed; REJECT", (Do(_little_memory),)),
)  # fmt: skip
