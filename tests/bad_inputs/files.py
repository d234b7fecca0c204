"""Cases 1-23: ids and files."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.bad_inputs.kit import GOOD, HEADER, Case, Do, Got, Probe, Refuse, Take, book, refusal_of, rows
from tierlens.sources.staging.files import held_still

BIG = "1234567890123456789"


def _ids(given: list[str], kept: list[str] | None = None, **counts: int) -> Take:
    lines = [f"{name},O{number},2026-01-05,{number + 1}" for number, name in enumerate(given)]
    return Take(rows(*lines), len(given), counts, {"customer_id": kept or given})


def _cut(content: bytes) -> bytes:
    return content[: len(content) * 9 // 10]


def _parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"customer_id": ["a"] * 99, "time": ["2026-01-05"] * 99, "amount": [1.0] * 99}), sink)
    return sink.getvalue()


def _growing(folder: Path) -> Got:
    """A file that grows while it is read."""
    path = folder / "orders.csv"
    path.write_text(HEADER + GOOD, encoding="utf-8")

    def grow() -> None:
        with held_still(path), path.open("a", encoding="utf-8") as file:
            file.write(GOOD)

    return refusal_of(grow, "E-TX-021", "orders.csv")


PACKED: tuple[Probe, ...] = (
    Refuse(_cut(gzip.compress((HEADER + GOOD * 99).encode())), "E-TX-021", "orders.csv.gz", "orders.csv.gz"),
    Refuse(_cut(_parquet()), "E-TX-021", "orders.parquet", "orders.parquet"),
    Do(_growing),
)
MIXED = f"{HEADER}北京,O1,2026-01-05,1\n".encode() + "上海,O2,2026-01-05,1\n".encode("gbk")
CHINESE = "客户编号,日期,金额\n北京百货大楼,2026-01-05,10\n"
TITLES = [["销售明细"], ["导出时间", "2026-02-01"], ["客户编号", "日期", "金额"], ["00123", "2026-01-05", "10"]]

CASES = (
    Case(1, "id 00123", "KEEP as text", (_ids(["00123", "007"]),)),
    Case(2, "19-digit id beside a blank one", "KEEP, QUARANTINE",
         (Take(rows(f"{BIG},O1,2026-01-05,1", ",O2,2026-01-05,1"), 1, {"missing_customer": 1},
               {"customer_id": [BIG]}, "orders.csv:3:customer_id"),)),
    Case(3, "19-digit id stored as a number in XLSX", "QUARANTINE",
         (Take(book([["customer_id", "time", "amount"], [int(BIG), "2026-01-05", 5], ["C1", "2026-01-05", 5]]), 1,
               {"digits_lost": 1}, {"customer_id": ["C1"]}, "orders.xlsx[Sheet1]:2", "orders.xlsx"),)),
    Case(4, "ids NA, null, None", "KEEP as text", (_ids(["NA", "null", "None", "nan"]),)),
    Case(5, "ids 1E5, 2E5", "KEEP as text", (_ids(["1E5", "2E5"]),)),
    Case(6, "ids True, False", "KEEP as text", (_ids(["True", "False"]),)),
    Case(7, "C1 with spaces, zero width, full width; c1", "NORMALISE, flag",
         (_ids(["C1", "C1 ", "C1\u200b", "Ｃ１", "c1"], ["C1"] * 4 + ["c1"], id_cleaned=3, case_twins=2),)),
    Case(8, "no customer_id", "QUARANTINE",
         (Take(rows(GOOD.strip(), " ,O2,2026-01-05,1"), 1, {"missing_customer": 1},
               place="orders.csv:3:customer_id"),)),
    Case(9, "one field more than the header in each row", "REJECT",
         (Refuse(rows("C1,O1,2026-01-05,10,", "C2,O2,2026-01-05,10,"), "E-TX-009", "orders.csv:2"),)),
    Case(10, "a row shorter than the header", "QUARANTINE",
         (Take(rows(GOOD.strip(), "C1,O2"), 1, {"short_row": 1}, place="orders.csv:3"),)),
    Case(11, "header amount,amount", "REJECT",
         (Refuse("customer_id,time,amount,amount\nC1,2026-01-05,1,2\n", "E-TX-011"),)),
    Case(12, "客户编号, 客戶編號 and customer_id together", "REJECT",
         (Refuse("客户编号,客戶編號,customer_id,日期,金额\nC,C,C,2026-01-05,1\n", "E-TX-012"),)),
    Case(13, "semicolons, tabs; full-width commas", "KEEP; REJECT",
         (Take((HEADER + GOOD).replace(",", ";"), 1, values={"amount": [1000]}),
          Take((HEADER + GOOD).replace(",", "\t"), 1, values={"amount": [1000]}),
          Refuse("客户编号，日期，金额\nC1，2026-01-05，1\n", "E-TX-013", "orders.csv:1"))),
    Case(14, "a file in GB18030", "NORMALISE",
         (Take(CHINESE.encode("gb18030"), 1, {"encoding": 1}, {"customer_id": ["北京百货大楼"]}),)),
    Case(15, "UTF-16 from Excel", "NORMALISE",
         (Take(CHINESE.replace(",", "\t").encode("utf-16"), 1, {"encoding": 1}, {"customer_id": ["北京百货大楼"]}),)),
    Case(16, "UTF-8, then a line in GBK", "REJECT", (Refuse(MIXED, "E-TX-016", "orders.csv:3"),)),
    Case(17, "two byte-order marks", "KEEP",
         (Take(b"\xef\xbb\xbf\xef\xbb\xbf" + (HEADER + GOOD).encode(), 1, values={"customer_id": ["C1"]}),)),
    Case(18, "NUL in a field", "REJECT",
         (Refuse(rows(GOOD.strip(), "A\0B,O1,2026-01-05,1"), "E-TX-018", "orders.csv:3"),)),
    Case(19, "a quote that is not closed", "REJECT",
         (Refuse(rows(GOOD.strip(), '"C1,O1,2026-01-05,1', GOOD.strip()), "E-TX-019", "orders.csv:3"),)),
    Case(20, "0 bytes; a header only", "REJECT; legal where declared",
         (Refuse(b"", "E-TX-020"), Refuse(HEADER, "E-TX-020"),
          Take(HEADER, 0, settings={"allow_empty": True}))),
    Case(21, "cut gzip, cut Parquet, a file that grows", "REJECT", PACKED),
    Case(22, "合计, Total at the end", "QUARANTINE",
         (Take(rows(GOOD.strip(), "合计,,,10.00", "Total,,,10.00", "總計,,,5", "小计,,,5"), 1, {"total_line": 4},
               place="orders.csv:3:customer_id"),)),
    Case(23, "title rows in XLSX; no header", "KEEP; REJECT",
         (Take(book(TITLES), 1, values={"customer_id": ["00123"], "amount": [1000]}, name="orders.xlsx"),
          Refuse(book([["销售明细"], *[["x", 1]] * 12]), "E-TX-023", "orders.xlsx", "orders.xlsx"))),
)  # fmt: skip
