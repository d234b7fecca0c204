"""Whatever comes in is accepted, changed with a count, quarantined, or refused under a code, and every sum closes.

The same laws run on few examples by default and on many where slow tests run; one of them on a million rows.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bad_inputs.kit import book, closed, counted, told
from tests.full_size import sized
from tests.sources.shop import GOOD, HEADER, source_of
from tierlens.errors import DataError
from tierlens.sources.declared.contracts import CONTRACTS, OTHERS, TRANSACTIONS
from tierlens.sources.other_tables import read_other
from tierlens.sources.read import connect_duckdb, read_tables
from tierlens.sources.report.quality import Quality

MANY = settings(max_examples=sized(400), deadline=None)


def few(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None)


def tried(folder: Path, name: str, content: bytes) -> Quality | None:
    """Read one file of transactions; None where it is refused as it must be."""
    (folder / name).write_bytes(content)
    try:
        tables, quality = read_tables(source_of(folder / name))
    except DataError as error:
        told(error, error.code)
        return None
    closed(quality)
    assert tables.transactions.collect("pyarrow").shape[0] == quality.used
    assert quality.write_rejects(folder / "rejects.csv") == sum(quality.quarantined.values())
    return quality


# --- bytes


def _sound_csv() -> bytes:
    lines = [f"客户{n},O{n},2026-01-{n % 28 + 1:02d},{n + 1}.50\n" for n in range(40)]
    return (HEADER + "".join(lines)).encode()


def _sound_parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"customer_id": ["a"] * 40, "time": ["2026-01-05"] * 40, "amount": [1.5] * 40}), sink)
    return sink.getvalue()


def _sound_book() -> bytes:
    return book([["customer_id", "time", "amount"], *(["C1", "2026-01-05", n + 1.5] for n in range(10))])


def _sound_database(name: str) -> bytes:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / name
        create = "CREATE TABLE transactions (customer_id VARCHAR, time VARCHAR, amount DOUBLE)"
        insert = "INSERT INTO transactions VALUES ('C1', '2026-01-05', 1.5), ('C2', '2026-01-06', 2.5)"
        if name.endswith(".duckdb"):
            with duckdb.connect(str(path)) as database:
                database.execute(create)
                database.execute(insert)
        else:
            with closing(sqlite3.connect(path)) as lite:
                lite.execute(create)
                lite.execute(insert)
                lite.commit()
        return path.read_bytes()


SOUND: dict[str, Callable[[], bytes]] = {
    "orders.csv": _sound_csv,
    "orders.csv.gz": lambda: gzip.compress(_sound_csv(), mtime=0),
    "orders.parquet": _sound_parquet,
    "orders.xlsx": _sound_book,
    "orders.db": lambda: _sound_database("orders.db"),
}
SPOILS = st.sampled_from(["flip", "cut", "insert", "zero", "repeat"])


def spoiled(content: bytes, how: str, at: float, seed: int) -> bytes:
    """Spoil a file at one place."""
    place, noise = int(at * len(content)), random.Random(seed).randbytes(4)
    return {
        "flip": content[:place] + bytes(b ^ 0x55 for b in content[place : place + 3]) + content[place + 3 :],
        "cut": content[:place],
        "insert": content[:place] + noise + content[place:],
        "zero": content[:place] + bytes(len(content[place : place + 4])) + content[place + 4 :],
        "repeat": content[:place] + content[place // 2 :],
    }[how]


def any_bytes_are_read_or_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tried(Path(folder), "orders.csv", content)


def a_spoiled_file_is_read_or_refused(name: str, how: str, at: float, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tried(Path(folder), name, spoiled(SOUND[name](), how, at, seed))


BYTES = st.one_of(
    st.binary(max_size=60),
    st.binary(max_size=30).map(lambda noise: HEADER.encode() + noise),
    st.lists(st.sampled_from([b"\xff\xfe", b"\xef\xbb\xbf", b"\xba\xba", b'"', b",", b"\n", b"\r", b"\0", b"1", b"a"]))
    .map(b"".join).map(lambda noise: (HEADER + GOOD).encode() + noise),
)  # fmt: skip
SPOILED = (st.sampled_from(sorted(SOUND)), SPOILS, st.floats(0, 0.999), st.integers(0, 999))

test_any_bytes = few(8)(given(BYTES)(any_bytes_are_read_or_refused))
test_spoiled_files = few(10)(given(*SPOILED)(a_spoiled_file_is_read_or_refused))
test_many_bytes = pytest.mark.slow(MANY(given(BYTES)(any_bytes_are_read_or_refused)))
test_many_spoiled_files = pytest.mark.slow(MANY(given(*SPOILED)(a_spoiled_file_is_read_or_refused)))


# --- cells of the seven other tables

CELL = st.one_of(
    st.sampled_from(
        [
            "A",
            "2026-01-05",
            "投诉",
            "是",
            "85%",
            "8分",
            "9999-12-31",
            "",
            "-1",
            "AAA",
            "信用评级",
            "1e400",
            "05/06/2026",
        ]
    ),
    st.text(st.characters(exclude_characters='\0\r\n",', exclude_categories=("Cs",)), max_size=6),
)


def any_table_is_read_or_refused(name: str, data: st.DataObject) -> None:
    names = CONTRACTS[name].names
    rows = data.draw(st.lists(st.lists(CELL, min_size=len(names), max_size=len(names)), min_size=1, max_size=4))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.csv"
        path.write_text("".join(",".join(row) + "\n" for row in [list(names), *rows]), encoding="utf-8")
        source = source_of(path, tables={name: {"files": str(path), "reject_limit": 1.0}})
        connection = connect_duckdb()
        try:
            with tempfile.TemporaryDirectory() as place:
                quality = read_other(connection, source, name, Path(place), False)
        except DataError as refused:
            told(refused, refused.code)
            return
    closed(quality)
    table = connection.table(name).to_arrow_table()
    assert table.num_rows == quality.used
    assert not any(table[column].null_count for column in ("customer_id", "day", "known_day"))
    assert all(pc.greater_equal(table["known_day"], table["day"]).to_pylist())


test_any_table = few(8)(given(st.sampled_from(OTHERS), st.data())(any_table_is_read_or_refused))
test_many_tables = pytest.mark.slow(MANY(given(st.sampled_from(OTHERS), st.data())(any_table_is_read_or_refused)))


# --- rows whose fate is known: four of them, and a million

TWICE = "D,D1,2026-01-05,7.00"
# What stands in a line (n makes it unlike others), and what must be counted of it.
FATES: dict[str, str] = {
    "C{n},O{n},2026-01-05,10.00": "used",
    '"C{n}","O,{n}",2026-01-05 08:30,0.01': "used",
    " C{n}\u200b,O{n},2026-01-05,1": "id_cleaned",
    'C{n},O{n},2026-01-05,"￥1,234.50"': "number_form",
    "C{n},O{n},2026年1月5日,3": "date_form",
    "C{n},O{n},2026-06-30T16:00:00Z,3": "zone",
    ",O{n},2026-01-05,3": "missing_customer",
    "合计,O{n},,3": "total_line",
    "C{n},,2026-01-05,3": "missing_order",
    "C{n},O{n},,3": "missing_time",
    "C{n},O{n},2026-02-30,3": "bad_date",
    "C{n},O{n},9999-12-31,3": "sentinel_date",
    "C{n},O{n},46023,3": "serial_date",
    "C{n},O{n},0205-01-05,3": "impossible_year",
    "C{n},O{n},2026-01-05,": "missing_amount",
    "C{n},O{n},2026-01-05,inf": "non_finite",
    "C{n},O{n},2026-01-05,$5": "foreign_sign",
    "C{n},O{n},2026-01-05,five": "bad_number",
    "C{n},O{n},2026-01-05,0": "zero_amount",
    "C{n},O{n},2026-01-05,-3": "negative_amount",
    "C{n},O{n}": "short_row",
    ",,,": "blank_line",
    TWICE: "duplicate",
}
CHANGES = {"id_cleaned", "number_form", "date_form", "zone"}


def every_line_meets_its_fate(lines: list[str]) -> None:
    fates = Counter(FATES[line] for line in lines)
    fates["duplicate"] = max(fates["duplicate"] - 1, 0)
    used = sum(count for fate, count in fates.items() if fate in CHANGES | {"used"}) + (TWICE in lines)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.csv"
        with path.open("w", encoding="utf-8") as file:
            file.write(HEADER)
            file.writelines(line.format(n=n) + "\n" for n, line in enumerate(lines))
        tables, quality = read_tables(source_of(path, allow_empty=True))
        assert quality.write_rejects(path.with_name("rejects.csv")) == sum(quality.quarantined.values())
    closed(quality)
    assert quality.rows_in == len(lines) - fates["blank_line"]
    assert quality.used == used == tables.transactions.collect("pyarrow").shape[0]
    del fates["used"]
    assert counted(quality) == {fate: count for fate, count in fates.items() if count}


@few(8)
@given(st.lists(st.sampled_from(sorted(FATES)), min_size=4, max_size=4))
def test_four_lines_meet_their_fate(lines: list[str]) -> None:
    every_line_meets_its_fate(lines)


@pytest.mark.slow
def test_a_million_lines_meet_their_fate() -> None:
    every_line_meets_its_fate(random.Random(7).choices(sorted(FATES), k=1_000_000))


@pytest.mark.slow
def test_many_fours_meet_their_fate() -> None:
    MANY(given(st.lists(st.sampled_from(sorted(FATES)), min_size=4, max_size=4))(every_line_meets_its_fate))()


def test_every_reason_of_a_line_is_among_the_fates() -> None:
    """A reason that no line can have by itself: of returns, codes, workbooks, other tables, declared days."""
    from tierlens.sources.messages.row_reasons import QUARANTINE

    apart = {"digits_lost", "id_fraction", "adjustment", "bad_kind", "non_product", "non_positive_price",
             "missing_value", "bad_word", "out_of_range", "wrong_order", "after_complete"}  # fmt: skip
    assert set(QUARANTINE) - set(FATES.values()) == apart
    with io.StringIO(HEADER) as header:
        assert next(csv.reader(header)) == [name for name in TRANSACTIONS.names if name in HEADER]
