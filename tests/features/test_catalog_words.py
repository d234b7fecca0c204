"""The catalog and the bricks of its expressions: sums that are exact, needs that come first, a page that closes."""

from __future__ import annotations

import dataclasses
from collections import Counter
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.other_tables import Rows, row_of, sale, tables_with
from tests.tables_of import purchase, tables_of
from tierlens.errors import UsageError
from tierlens.features import catalog, catalog_page, families
from tierlens.features.catalog import CATALOG, DIMENSIONS, EVERY, EXPECTED, OTHERS, PAST, WHOLE
from tierlens.features.counted import PART, count_of, is_kind, parts_of
from tierlens.features.feature import count_twelfths, money_in, orders_in, ratio_of
from tierlens.features.product_mix import learn_mix, product_mix
from tierlens.features.seasonal_btyd import seasonal_expectations
from tierlens.features.snapshot import build_snapshots, to_arrow
from tierlens.features.snapshot_files import write_panel
from tierlens.features.windows import PERIODS, YEAR, Window, twelfths_back

few = settings(max_examples=10, deadline=None)
ENGINES = ["polars", "duckdb"]


def summed(columns: dict[str, Any], expression: nw.Expr, engine: str = "polars") -> Any:
    """One number of all rows of a table."""
    table = pa.table(columns)
    native = pl.from_arrow(table).lazy() if engine == "polars" else duckdb.from_arrow(table)  # type: ignore[union-attr]
    frame = nw.from_native(native).with_columns(nw.lit(1).alias("all"))
    return frame.group_by("all").agg(expression.alias("found")).collect("pyarrow")["found"].to_list()[0]


# --- bricks


@pytest.mark.parametrize("engine", ENGINES)
@few
@given(rows=st.lists(st.tuples(st.one_of(st.none(), st.floats(0, 5)), st.booleans()), min_size=1, max_size=30))
def test_parts_are_summed_exactly_whatever_the_order(engine: str, rows: list[tuple[float | None, bool]]) -> None:
    def total(given: list[tuple[float | None, bool]]) -> Any:
        columns = {"score": pa.array([score for score, _ in given], pa.float64()), "on": [on for _, on in given]}
        return summed(columns, parts_of("score", nw.col("on")), engine)

    # Both engines round the parts; halves may go either way, which is one part in a million.
    exact = sum((Fraction(score) for score, on in rows if on and score is not None), Fraction(0))
    found = total(rows)
    assert abs(Fraction(found) - exact) <= Fraction(len(rows), 2 * PART)
    assert total(sorted(rows, key=str)) == total(rows[::-1]) == found


@pytest.mark.parametrize("engine", ENGINES)
def test_a_condition_that_is_not_known_counts_nothing(engine: str) -> None:
    columns = {"age": [1, 90, 91, 9], "kind": ["visit", "visit", "visit", None]}
    assert summed(columns, count_of(is_kind("visit", 90)), engine) == 2
    assert summed(columns, count_of(nw.col("kind") == "call"), engine) == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_money_and_orders_are_whole_numbers_of_their_days(engine: str) -> None:
    columns = {"age": [1, 30, 31, 60, 61], "spend": [1, 10, 100, 1000, 10**12], "buys": [1, 0, 1, 1, 1]}
    found = [summed(columns, money_in("spend", 30, ago), engine) for ago in (0, 30, 60)]
    assert found == [11, 1100, 10**12]
    assert summed(columns, orders_in(31), engine) == 2
    assert all(isinstance(value, int) for value in found)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("over", "under", "value"), [(1, 4, 0.25), (-3, 2, -1.5), (5, 0, None), (5, -1, None), (0, 3, 0.0)]
)
def test_a_ratio_is_missing_where_there_is_nothing_to_divide_by(
    engine: str, over: int, under: int, value: float | None
) -> None:
    assert summed({"a": [over], "b": [under]}, ratio_of("a", "b").max(), engine) == value


@pytest.mark.parametrize("engine", ENGINES)
@few
@given(ages=st.lists(st.integers(1, 500), min_size=1, max_size=12), observe=st.integers(1, 400))
def test_twelfths_with_a_purchase_are_counted_once_and_only_in_the_window(
    engine: str, ages: list[int], observe: int
) -> None:
    native: Any = pa.table({"age": pa.array(ages, pa.int32())})
    paired = nw.from_native(pl.from_arrow(native).lazy()).with_columns(bought_period=twelfths_back())  # type: ignore[union-attr]
    columns = paired.collect("pyarrow").to_native().to_pydict()
    numbers = {(age - 1) * PERIODS // YEAR for age in ages if age <= min(YEAR, observe)}
    assert summed(columns, count_twelfths(range(PERIODS), observe), engine) == len(numbers)


# --- the catalog


def test_parts_of_the_catalog_do_not_overlap_and_make_the_whole() -> None:
    parts = (CATALOG, PAST, OTHERS, EXPECTED)
    assert sum(map(len, parts)) == len(WHOLE)
    assert [name for part in parts for name in part] == list(WHOLE)
    assert all(name == feature.name for name, feature in WHOLE.items())


@pytest.mark.parametrize("name", sorted(EVERY))
def test_a_feature_comes_after_all_that_it_needs_each_once(name: str) -> None:
    order = [feature.name for feature in catalog.needed_features([name])]
    assert order[-1] == name
    assert len(set(order)) == len(order)
    for place, each in enumerate(order):
        assert set(EVERY[each].needs) <= set(order[:place])


def test_asking_for_many_asks_for_nothing_twice() -> None:
    names = list(EVERY)
    assert {feature.name for feature in catalog.needed_features(names * 2)} == set(names)
    assert len(catalog.needed_features(names * 2)) == len(names)


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("recency", "did you mean recency_days"),
        ("frequncy", "did you mean frequency"),
        ("amount_9", "did you mean amount_90"),
        ("zzz", "see 'tierlens features list'"),
        ("", "see 'tierlens features list'"),
    ],
)
def test_a_name_that_is_none_gets_the_nearest_one(asked: str, hint: str) -> None:
    with pytest.raises(UsageError, match="E-FE-001: there is no feature") as told:
        catalog.catalog_entry(asked)
    assert str(told.value).endswith((hint, f"{hint}?"))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_what_is_learned_is_no_expression_and_is_built_by_its_own(name: str) -> None:
    with pytest.raises(UsageError, match=f"E-FE-003: {name} is learned from all customers together"):
        catalog.needed_features([name])


BESIDE = ("tickets", "contracts", "payments", "ratings", "surveys", "customers", "interactions")


@pytest.mark.parametrize("table", BESIDE)
def test_without_a_table_just_its_features_are_lacking(table: str) -> None:
    """What takes either of two tables is there with one of them."""
    others: Rows = {name: [] for name in BESIDE}
    whole = tables_with({"transactions": [sale("a", 1)], **others})
    assert catalog.available_features(whole) == list(EVERY)
    less = dataclasses.replace(whole, others={name: f for name, f in whole.others.items() if name != table})
    gone = set(EVERY) - set(catalog.available_features(less))
    assert gone == {name for name in EVERY if table in catalog_page.tables_of(EVERY[name])} - {"expansion_2y"}
    assert all(catalog.lacking_tables(name, less) == [table] for name in gone)
    assert catalog.available_features(less, ["frequency", "of my own"]) == ["frequency"]


# --- the page


def test_the_page_has_a_line_of_eight_cells_for_each_feature() -> None:
    lines = [line for line in catalog_page.catalog_page().splitlines() if line.startswith("| `")]
    assert [line.split("`")[1] for line in lines] == [feature.name for feature in catalog_page.listed_features()]
    assert all(line.replace("\\|", "").count("|") == 9 for line in lines)
    assert sorted(feature.name for feature in catalog_page.listed_features()) == sorted(WHOLE)


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_an_entry_says_the_same_under_headings_of_either_language(name: str) -> None:
    feature = WHOLE[name]
    plain, other = catalog_page.titled_entry(feature, "en"), catalog_page.titled_entry(feature, "en", "zh")
    assert list(plain.values()) == list(other.values())
    assert plain["title"] == catalog_page.titled_entry(feature, "zh")["另一语言"]
    assert plain["dimension"] in {title.en for title in DIMENSIONS.values()}
    assert all(heading.isascii() for heading in plain)
    assert not any(heading.isascii() for heading in other)


# --- panels in files, expectations, and the product mix


ROWS = [purchase(name, f"{name}{day}", day, 100 + day, product_id=f"P{day % 4}")
        for name in "abcdefgh" for day in range(ord(name), 700, ord(name) - 70)]  # fmt: skip


def test_files_that_were_there_are_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    (tmp_path / "snapshots_1971-07-14.parquet").write_bytes(b"old")
    (tmp_path / "mine.txt").write_text("kept", encoding="utf-8")
    files = write_panel(tables_of(ROWS), [560, 559], tmp_path, features=["frequency", "gaps"])
    assert [file.name for file in files] == ["snapshots_1971-07-14.parquet", "snapshots_1971-07-15.parquet"][
        : len(files)
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["mine.txt", *(file.name for file in files)])
    for file, day in zip(files, (559, 560), strict=True):
        alone = to_arrow(build_snapshots(tables_of(ROWS), day, features=["frequency", "gaps"]))
        assert pq.read_table(file).to_pylist() == alone.to_pylist()


def test_expectations_know_nothing_of_the_future_and_fall_with_silence() -> None:
    window = Window(horizon=60)
    plain = seasonal_expectations(tables_of(ROWS), [500], window)
    past = seasonal_expectations(tables_of([row for row in ROWS if row["day"] < 500]), [500], window)
    assert plain.equals(past)
    for name, lowest, most in (("btyd_p0", 0.0, 1.0), ("sea_p0", 0.0, 1.0), ("btyd_expected", 0.0, 60.0)):
        values = plain[name].to_pylist()
        assert all(lowest <= value <= most for value in values), name
    # Who last bought at 500 and falls silent is less and less likely to come back.
    quiet = [row for row in ROWS if row["customer_id"] != "a" or row["day"] < 300]
    table = seasonal_expectations(tables_of(quiet), [320, 420, 520], window)
    chances = [row["btyd_p0"] for row in table.to_pylist() if row["customer_id"] == "a"]
    assert chances == sorted(chances)
    assert len(chances) == 3


def test_axes_of_too_little_are_none_and_customers_are_listed_all_the_same() -> None:
    axes = learn_mix(tables_of(ROWS[:5]), 700)
    assert (axes.products, axes.names) == ((), ())
    found = product_mix(tables_of(ROWS), 600, axes)
    assert found.column_names == ["customer_id", "cutoff"]
    assert found["customer_id"].to_pylist() == list("abcdefgh")


def test_a_customer_is_placed_by_what_he_bought_and_not_by_how_much_of_it() -> None:
    axes = learn_mix(tables_of(ROWS), 700, factors=2)
    often = [row | {"order_id": f"{row['order_id']}+", "amount": 9} for row in ROWS if row["customer_id"] == "b"]
    one, two = (product_mix(tables_of(rows), 600, axes).to_pylist() for rows in (ROWS, [*ROWS, *often]))
    assert two == one


def test_rows_of_the_tables_beside_are_seen_from_the_cutoff_after_they_were_recorded() -> None:
    rows = {"transactions": [sale("a", 5)], "tickets": [row_of("tickets", "a", 100, known_day=120, kind="complaint")]}
    table = to_arrow(build_snapshots(tables_with(rows), [100, 101, 120, 121, 465, 466], features=["complaints_12m"]))
    assert [row["complaints_12m"] for row in table.to_pylist()] == [0, 0, 0, 1]


def test_no_two_features_share_a_name() -> None:
    # In the catalog the later one would take the place of the earlier without a word.
    modules = [import_module(f"{families.__name__}.{name}") for name in families.__all__]
    names = Counter(feature.name for module in modules for feature in getattr(module, "FEATURES", ()))
    assert [name for name, count in names.items() if count > 1] == []
    assert set(names) >= {*CATALOG, *OTHERS} - set(EXPECTED)
