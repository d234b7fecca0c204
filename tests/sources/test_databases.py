"""One law: the same table through every kind of source gives the same settled rows; and what a database refuses."""

# ruff: noqa: DTZ001 - times without a zone are meant

from __future__ import annotations

import csv
import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.sources.postgres import binaries, run_sql, served
from tests.sources.shop import refused, source_of
from tierlens.errors import DataError
from tierlens.sources.declared.contracts import CONTRACTS
from tierlens.sources.declared.source import Policies
from tierlens.sources.from_frame import tables_from_frame
from tierlens.sources.read import read_tables
from tierlens.sources.tables import Tables

NAMES = ("customer_id", "order_id", "time", "product_id", "quantity", "price", "kind", "备注")
TYPES = ("VARCHAR", "VARCHAR", "TIMESTAMP", "VARCHAR", "INTEGER", "DECIMAL(12, 2)", "VARCHAR", "VARCHAR")
ROWS: list[tuple[Any, ...]] = [
    ("00123", "A1", dt.datetime(2026, 1, 5, 8, 30), "P1", 2, Decimal("19.95"), "purchase", "加急"),
    ("00123", "A1", dt.datetime(2026, 1, 5, 8, 30), "P2", 1, Decimal("0.05"), "purchase", None),
    ("1234567890123456789", "A2", dt.datetime(2026, 2, 1), None, 10, Decimal("1234.50"), "purchase", 'a "b", c'),
    ("客户甲", "A3", dt.datetime(2026, 2, 28, 23, 59, 59), "P1", 1, Decimal("19.95"), "return", "it's"),
    ("NA", "A4", dt.datetime(2026, 3, 1, 12), "007", 3, Decimal("3.33"), "purchase", ""),
]  # fmt: skip
Maker = Callable[[Path], Path | str]


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell)


def as_csv(folder: Path) -> Path:
    with (folder / "orders.csv").open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([NAMES, *([_text(cell) for cell in row] for row in ROWS)])
    return folder / "orders.csv"


def as_book(folder: Path) -> Path:
    import xlsxwriter

    with xlsxwriter.Workbook(folder / "orders.xlsx", {"default_date_format": "yyyy-mm-dd hh:mm:ss"}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([NAMES, *ROWS]):
            for place, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(number, place, cell)
                elif cell is not None:
                    sheet.write(number, place, float(cell) if isinstance(cell, Decimal) else cell)
    return folder / "orders.xlsx"


def arrow() -> pa.Table:
    return pa.table(dict(zip(NAMES, zip(*ROWS, strict=True), strict=True)))


def as_parquet(folder: Path) -> Path:
    pq.write_table(arrow(), folder / "orders.parquet")
    return folder / "orders.parquet"


def as_folder(folder: Path) -> Path:
    """One file of each kind, each with a part of the rows."""
    parts = folder / "parts"
    parts.mkdir()
    pq.write_table(arrow().slice(0, 2), parts / "a.parquet")
    with (parts / "b.csv").open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([NAMES, *([_text(cell) for cell in row] for row in ROWS[2:])])
    return parts


def as_duckdb(folder: Path) -> Path:
    columns = ", ".join(f'"{name}" {kind}' for name, kind in zip(NAMES, TYPES, strict=True))
    with duckdb.connect(str(folder / "shop.duckdb")) as database:
        database.execute(f"CREATE TABLE transactions ({columns}); CREATE VIEW seen AS FROM transactions")
        database.executemany(f"INSERT INTO transactions VALUES ({', '.join('?' * len(NAMES))})", ROWS)
        database.execute("CREATE TABLE tickets (customer_id VARCHAR, ticket_id INTEGER, time DATE, kind VARCHAR)")
        database.execute("INSERT INTO tickets VALUES ('00123', 1, '2026-01-06', '投诉')")
    return folder / "shop.duckdb"


def as_sqlite(folder: Path) -> Path:
    with closing(sqlite3.connect(folder / "shop.db")) as database:
        database.execute(f"CREATE TABLE transactions ({', '.join(NAMES)})")
        rows = [[float(c) if isinstance(c, Decimal) else str(c) if isinstance(c, dt.datetime) else c for c in row]
                for row in ROWS]  # fmt: skip
        database.executemany(f"INSERT INTO transactions VALUES ({', '.join('?' * len(NAMES))})", rows)
        database.execute("CREATE TABLE tickets (customer_id, ticket_id, time, kind)")
        database.execute("INSERT INTO tickets VALUES ('00123', 1, '2026-01-06', '投诉')")
        database.commit()
    return folder / "shop.db"


MAKERS: dict[str, Maker] = {
    "csv": as_csv, "xlsx": as_book, "parquet": as_parquet, "folder": as_folder, "duckdb": as_duckdb,
    "sqlite": as_sqlite,
}  # fmt: skip
FRAMES: dict[str, Callable[[], Any]] = {
    "pandas": lambda: arrow().to_pandas(),
    "pandas, plain": lambda: pd.DataFrame(ROWS, columns=list(NAMES)),
    "polars": lambda: pl.from_arrow(arrow()),
    "polars, lazy": lambda: pl.from_arrow(arrow()).lazy(),
    "arrow": arrow,
}


def rows_of(tables: Tables) -> list[tuple[Any, ...]]:
    names = [name for name in tables.transactions.collect_schema().names() if name != "time"]
    table = tables.transactions.select(*names).collect("pyarrow").to_native()
    rows = sorted(zip(*(table[name].to_pylist() for name in names), strict=True), key=str)
    return [tuple(names), *rows]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    rows = rows_of(read_tables(source_of(as_parquet(tmp_path_factory.mktemp("expected")))).tables)
    assert [row[4] for row in rows[1:]] == [3990, 5, 1234500, 999, -1995]
    return rows


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    folder = binaries()
    if folder is None:
        pytest.skip("needs PostgreSQL: initdb is nowhere; install the package postgresql")
    with served(folder) as address:
        columns = ", ".join(f'"{name}" {kind}' for name, kind in zip(NAMES, TYPES, strict=True))
        values = ", ".join("(" + ", ".join(_quoted(cell) for cell in row) + ")" for row in ROWS)
        run_sql(
            address,
            f"CREATE TABLE transactions ({columns})",
            f"INSERT INTO transactions VALUES {values}",
            "CREATE SCHEMA crm",
            "CREATE TABLE crm.tickets (customer_id varchar, ticket_id int, time timestamptz, kind text)",
            "INSERT INTO crm.tickets VALUES ('00123', 1, '2026-01-05 16:30:00+00', '投诉')",
            "CREATE TABLE scans (customer_id text, time date, amount numeric, scan bytea)",
        )
        yield address


def _quoted(cell: Any) -> str:
    return "NULL" if cell is None else "'" + str(cell).replace("'", "''") + "'"


@pytest.mark.parametrize("kind", MAKERS)
def test_every_kind_of_file_gives_the_same(tmp_path: Path, kind: str, expected: list[tuple[Any, ...]]) -> None:
    result = read_tables(source_of(Path(MAKERS[kind](tmp_path))))
    assert rows_of(result.tables) == expected
    assert (result.quality.rows_in, result.quality.used) == (5, 5)


@pytest.mark.parametrize("kind", FRAMES)
def test_every_kind_of_table_gives_the_same(kind: str, expected: list[tuple[Any, ...]]) -> None:
    policies = Policies(returns="kind", reject_limit=0.0)
    assert rows_of(tables_from_frame(FRAMES[kind](), "CNY", policies=policies)) == expected


def test_a_server_gives_the_same(server: str, expected: list[tuple[Any, ...]]) -> None:
    tables = {"tickets": {"files": server, "table": "crm.tickets"}}
    result = read_tables(source_of(Path("x"), files=server, tables=tables))
    assert rows_of(result.tables) == expected
    (ticket,) = result.tables.others["tickets"].collect("pyarrow").to_native().to_pylist()
    assert (ticket["customer_id"], ticket["kind"], ticket["day"]) == ("00123", "complaint", 20459)
    assert result.quality.files[0].file == f"postgresql://{server.split('@')[1]}[transactions]"
    assert "secret" not in str(result.quality.to_dict())


@pytest.mark.parametrize(("table", "code", "words"), [
    ("orders", "E-TX-125", "crm.tickets, scans, transactions"), ("scans", "E-TX-127", "column 'scan'")])  # fmt: skip
def test_what_a_server_refuses(server: str, table: str, code: str, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        read_tables(source_of(Path("x"), files=server, table=table))
    assert caught.value.code == code
    assert "secret" not in caught.value.say("zh")


def test_a_server_that_is_not_there() -> None:
    pytest.importorskip("adbc_driver_postgresql")
    with pytest.raises(DataError, match=r"E-TX-126 postgresql://127\.0\.0\.1:1/db") as caught:
        read_tables(source_of(Path("x"), files="postgresql://me:secret@127.0.0.1:1/db"))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("maker", [as_duckdb, as_sqlite])
def test_one_file_holds_several_tables(tmp_path: Path, maker: Maker) -> None:
    path = Path(maker(tmp_path))
    result = read_tables(source_of(path, tables={"tickets": str(path)}))
    (ticket,) = result.tables.others["tickets"].collect("pyarrow").to_native().to_pylist()
    assert (ticket["ticket_id"], ticket["kind"], ticket["day"]) == ("1", "complaint", 20459)
    assert set(ticket) == set(CONTRACTS["tickets"].schema)


def test_a_view_is_a_table(tmp_path: Path, expected: list[tuple[Any, ...]]) -> None:
    assert rows_of(read_tables(source_of(Path(as_duckdb(tmp_path)), table="seen")).tables) == expected


@pytest.mark.parametrize("maker", [as_duckdb, as_sqlite])
def test_a_table_that_is_not_there_is_named(tmp_path: Path, maker: Maker) -> None:
    with pytest.raises(DataError, match=r"E-TX-125 .*transactions") as caught:
        read_tables(source_of(Path(maker(tmp_path)), table="nothing"))
    assert caught.value.fix is not None


@pytest.mark.parametrize("name", ["shop.duckdb", "shop.db"])
def test_a_file_that_is_no_database(tmp_path: Path, name: str) -> None:
    assert (
        refused(tmp_path, b"SQLite format 3\0 or not" if name.endswith(".db") else b"x" * 99, name).code == "E-TX-126"
    )


def test_ids_stored_as_numbers_lose_their_digits_and_say_so(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database:
        database.execute("CREATE TABLE transactions (customer_id, time, amount)")
        database.execute(
            "INSERT INTO transactions VALUES (1.2345678901234568e18, '2026-01-05', 1), (7.0, '2026-01-05', 1)"
        )
        database.commit()
    result = read_tables(source_of(tmp_path / "shop.db"))
    assert result.quality.quarantined == {"digits_lost": 1}
    assert result.tables.transactions.collect("pyarrow")["customer_id"].to_list() == ["7"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_spark_gives_the_same(expected: list[tuple[Any, ...]]) -> None:
    sql = pytest.importorskip("pyspark.sql")
    session = sql.SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
    # A session that another test left behind may tell the time of another zone.
    session.conf.set("spark.sql.session.timeZone", "UTC")
    try:
        frame = session.createDataFrame(ROWS, [*NAMES[:-1], "remark"])
        frame = frame.withColumn("time", frame["time"].cast("timestamp_ntz"))
        assert rows_of(tables_from_frame(frame, "CNY")) == expected
    finally:
        session.stop()
