"""Real data, by the declared recipe, against counts and amounts found another way."""

from __future__ import annotations

import datetime as dt
import zipfile
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.sources.test_books import Sheet, book
from tierlens.datasets.examples import cdnow_source, fetch_retail, retail_source
from tierlens.errors import DataError
from tierlens.sources.read import Read, read_tables
from tierlens.sources.staging.files import cache_folder
from tierlens.sources.tables import day_number

DAY = dt.datetime(2010, 12, 1, 8, 26)  # noqa: DTZ001
HEADER = ["Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country"]
BALLS = [489434, 85048, "BALL", 12, DAY, 6.95, 13085, "UK"]
NOBODY = [489435, 22350, "BOWL", 1, DAY, 2.1, None, "UK"]
BACK = ["C489449", 22087, "BUNTING", -3, DAY, 2.95, 16321, "UK"]
SHEETS: dict[str, Sheet] = {"Year 2009-2010": [HEADER, BALLS, NOBODY], "Year 2010-2011": [HEADER, BALLS, BACK]}


@pytest.fixture(scope="module")
def retail(retail_files: list[Path]) -> Read:
    assert len(retail_files) == 2
    return read_tables(retail_source(), threads=2)


@pytest.mark.data
def test_online_retail_is_counted_as_published(retail: Read) -> None:
    quality = retail.quality
    assert quality.rows_in == 525_461 + 320_705
    assert quality.used == 625_832
    assert quality.quarantined == {"adjustment": 6, "missing_customer": 188_853, "non_positive_price": 51}
    assert quality.deduplicated == {"overlap": 22_523, "duplicate": 8_901}
    assert (quality.customers, quality.orders) == (5_312, 36_524)
    assert quality.outliers == (("year_2010_2011.parquet", 61_620, 7_718_360),)


@pytest.mark.data
def test_online_retail_equals_the_recipe_in_pandas(retail: Read, retail_files: list[Path]) -> None:
    """Oracle: the recipe of the benchmark, written out in pandas with Decimal money."""
    first, second = (pd.read_parquet(path) for path in retail_files)
    first = first[first["InvoiceDate"] < "2010-12-01"]  # the overlap is all of December 2010
    rows = pd.concat([first.drop_duplicates(), second.drop_duplicates()])
    rows = rows[rows["Customer ID"].notna() & ~rows["Invoice"].str.startswith("A")]
    cancelled = rows["Invoice"].str.startswith("C")
    bought = rows[~cancelled & (rows["Quantity"] > 0) & (rows["Price"] > 0)]
    native = retail.tables.transactions.to_native()
    found = native.query("t", "SELECT kind, count(*), sum(amount) FROM t GROUP BY kind ORDER BY kind").fetchall()
    assert found == [("purchase", len(bought), minor(bought)), ("return", int(cancelled.sum()), minor(rows[cancelled]))]
    for cutoff in ("2010-12-01", "2011-01-01", "2011-06-01"):
        at = pd.Timestamp(cutoff)
        inside = (bought["InvoiceDate"] < at) & (bought["InvoiceDate"] >= at - pd.Timedelta(days=365))
        day = day_number(cutoff)
        sql = (
            f"SELECT count(DISTINCT customer_id) FROM t WHERE kind = 'purchase' AND day < {day} AND day >= {day - 365}"
        )
        assert native.query("t", sql).fetchall() == [(bought[inside]["Customer ID"].nunique(),)]


def minor(rows: pd.DataFrame) -> int:
    exact = (
        Decimal(str(price)) * int(quantity) * 100
        for price, quantity in zip(rows["Price"], rows["Quantity"], strict=True)
    )
    return sum(int(amount.quantize(Decimal(1), ROUND_HALF_UP)) for amount in exact)


@pytest.mark.data
def test_a_shop_counts_its_non_products(retail: Read) -> None:
    shop = read_tables(retail_source("shop"), threads=2).quality
    kept = retail.quality.flags["non_product_kept"]
    assert shop.used == retail.quality.used - kept
    assert shop.quarantined["non_product"] >= kept > 2_500


@pytest.mark.data
def test_cdnow_is_complete(cdnow_file: Path) -> None:
    assert cdnow_file.is_file()
    tables, quality = read_tables(cdnow_source())
    assert (quality.rows_in, quality.used, quality.customers) == (6_919, 6_919, 2_357)
    assert [str(quality.first_day), str(quality.last_day)] == ["1997-01-01", "1998-06-30"]
    assert tables.currency.code == "USD"


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A small archive in the form of the original, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TIERLENS_DATA", str(tmp_path / "nowhere"))
    with zipfile.ZipFile(tmp_path / "retail.zip", "w") as packed:
        packed.write(book(tmp_path / "retail.xlsx", **SHEETS), "online_retail_II.xlsx")
    return (tmp_path / "retail.zip").as_uri()


def test_the_workbook_is_fetched_once_and_then_read(archive: str, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    path = fetch_retail(progress=lambda come, whole: seen.append((come, whole)), address=archive, lines=4)
    assert path == cache_folder() / "online_retail_II" / "online_retail_II.xlsx"
    assert seen[-1][0] == seen[-1][1] == (tmp_path / "retail.zip").stat().st_size
    (tmp_path / "retail.zip").unlink()
    assert fetch_retail(address=archive) == path
    tables, quality = read_tables(retail_source(), check=False)
    assert quality.deduplicated == {"overlap": 1}
    assert quality.quarantined == {"missing_customer": 1}
    rows = tables.transactions.select("customer_id", "order_id", "product_id", "amount").collect("pyarrow").rows()
    assert rows == [("13085", "489434", "85048", 8340), ("16321", "C489449", "22087", -885)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lines": 5}, "4 != 5 lines"),
        ({"address": "file:///nowhere/retail.zip"}, "URLError"),
        ({"address": "ftp://nowhere/retail.zip"}, "no https address"),
    ],
)
def test_a_failed_download_says_what_to_do_and_leaves_nothing(archive: str, change: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=f"E-TX-201 .*{words}.*set TIERLENS_DATA"):
        fetch_retail(**{"address": archive, "lines": 4} | change)
    assert list((cache_folder() / "online_retail_II").iterdir()) == []


def test_an_archive_of_something_else_is_refused(archive: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as packed:
        packed.writestr("readme.txt", "x")
    with pytest.raises(DataError, match="E-TX-201"):
        fetch_retail(address=(tmp_path / "other.zip").as_uri())
    (tmp_path / "torn.zip").write_bytes((tmp_path / "retail.zip").read_bytes()[:500])
    with pytest.raises(DataError, match="E-TX-201"):
        fetch_retail(address=(tmp_path / "torn.zip").as_uri())


def test_rates_reach_the_tables() -> None:
    assert retail_source(rates={"CNY": "10.2"}).currency.currency().rates["CNY"] == Decimal("10.2")
