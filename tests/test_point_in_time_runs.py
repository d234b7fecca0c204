"""The law of a point in time for whole runs: what was not known at a cutoff changes no byte of what is said of it."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
from pathlib import Path

import duckdb
import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from _pytest.mark import ParameterSet

from tierlens.app.cli.main import main
from tierlens.datasets.simulate import simulated_shop, write_raw
from tierlens.datasets.simulate.shop import Simulated
from tierlens.features.audit import lent_tables
from tierlens.features.laws import LAWS, Raw
from tierlens.features.windows import known_before
from tierlens.sources.declared.contracts import OTHERS
from tierlens.sources.report.quality import Quality
from tierlens.sources.tables import day_number
from tierlens.workspace import prepare, run_folder

pytestmark = pytest.mark.slow  # whole runs

CUTOFF, TEST = "2025-04-01", "2025-01-01"
CHANGES = {law.name: law.change for law in LAWS}
OF_A_RUN = ("future_dropped", "future_scrambled", "future_added", "at_the_cutoff and recorded_late")
OF_A_TEST = ("future_scrambled and future_added", "recorded_late")
"""A run takes longer than a law: some are broken one after the other before it. Nothing can be tested where there is no
future, or where everybody buys on the day of the cutoff."""
FAST = "tests: 1, seeds: 1, draws: 0, resamples: 50, trees: {rounds: 10}"


def some(laws: tuple[str, ...], quick: str) -> list[ParameterSet]:
    """Return the laws as parameters, all but one of them slow."""
    return [pytest.param(law, marks=() if law == quick else pytest.mark.slow) for law in laws]


def changed_by(laws: str, raw: Raw, cutoff: int, seed: int) -> Raw:
    """Change tables by one law after the other."""
    for law in laws.split(" and "):
        raw = CHANGES[law](raw, cutoff, np.random.default_rng(seed))
    return raw


def raw_of(shop: Simulated) -> Raw:
    frames = {"transactions": shop.tables.transactions, **shop.tables.others}
    return {name: frame.collect("pyarrow").to_native() for name, frame in frames.items()}


def written(shop: Simulated, raw: Raw, folder: Path) -> Path:
    """Write a shop of these tables as files, and a run file beside them."""
    sales = raw["transactions"]
    # The changes move days; the time of day is for people only, and follows.
    time = sales["day"].cast(pa.int32()).cast(pa.date32()).cast(sales.schema.field("time").type)
    raw = {**raw, "transactions": sales.set_column(sales.schema.get_field_index("time"), "time", time)}
    frames = {name: nw.from_native(duckdb.from_arrow(t, connection=duckdb.connect())) for name, t in raw.items()}
    tables = dataclasses.replace(shop.tables, transactions=frames.pop("transactions"), others=frames)
    write_raw(shop._replace(tables=tables), folder, "parquet", lang="en")
    listed = ", ".join(f"{name}: {name}.parquet" for name in OTHERS)
    run = folder / "run.yaml"
    run.write_text(
        f"""name: Shop
source:
  files: transactions.parquet
  currency: CNY
  policies: {{returns: kind, duplicates: keep, overlap: keep, reject_limit: 1.0, orphan_limit: 1.0}}
  tables: {{{listed}}}
cutoff: "{CUTOFF}"
scheme: tiered_management
risk: {{first_cutoff: "2024-07-01", {FAST}}}
lists: [{{name: everyone}}]
track: false
""",
        encoding="utf-8",
    )
    return run


def run_of(run: Path) -> Path:
    out = run.parent / "out"
    assert main(["run", str(run), "--out", str(out)]) == 0
    return out


def contents(out: Path) -> dict[str, str]:
    """Return every file of a run but the record of it, which names its inputs, by content.

    Of rejects the numbers of lines are left out: they are places in the input, and move where lines above are gone.
    """
    files = [path for path in out.rglob("*") if path.is_file() and path.name != run_folder.RUN]
    return {str(path.relative_to(out)): hashlib.sha256(_content(path)).hexdigest() for path in files}


def _content(path: Path) -> bytes:
    if not path.name.startswith("rejects"):
        return path.read_bytes()
    with path.open(encoding="utf-8-sig", newline="") as file:
        return repr([{**row, "line": None} for row in csv.DictReader(file)]).encode()


def foretold(out: Path, day: str) -> list[dict[str, object]]:
    """Return what a run foretold of a test cutoff, without what happened."""
    table = pq.read_table(out / run_folder.TESTED)
    rows = table.filter(pc.equal(table["cutoff"], pa.scalar(day_number(day), pa.int32()).cast(pa.date32())))
    return rows.select(["customer_id", "outcome", "risk"]).to_pylist()


@pytest.fixture(scope="module")
def shop() -> Simulated:
    return simulated_shop(customers=150, months=30, seed=4)


@pytest.fixture(scope="module")
def whole(shop: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_of(written(shop, raw_of(shop), tmp_path_factory.mktemp("whole")))


def test_there_are_late_rows_to_be_seen(shop: Simulated) -> None:
    """Rows of every table were recorded between the test cutoff and the run's, of days before."""
    for name, table in raw_of(shop).items():
        day, known = (np.asarray(table[column]) for column in ("day", "known_day"))
        if name != "customers":
            assert ((day < day_number(CUTOFF)) & (known > day)).any(), name


@pytest.mark.parametrize("law", some(OF_A_RUN, quick="future_added"))
def test_what_a_run_did_not_know_changes_no_byte_of_it(law: str, shop: Simulated, whole: Path, tmp_path: Path) -> None:
    changed = changed_by(law, raw_of(shop), day_number(CUTOFF), seed=1)
    assert contents(run_of(written(shop, changed, tmp_path))) == contents(whole)


@pytest.mark.parametrize("law", some(OF_A_TEST, quick="recorded_late"))
def test_what_a_test_cutoff_did_not_know_changes_nothing_foretold_of_it(
    law: str, shop: Simulated, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The changed tables are handed over behind the reader, which refuses some of what a law makes up."""
    changed = changed_by(law, raw_of(shop), day_number(TEST), seed=2)
    tables = known_before(lent_tables(changed, shop.tables), day_number(CUTOFF))
    read = prepare.Shop(tables, Quality("Shop", 1, 1), False)
    monkeypatch.setattr(prepare, "read_shop", lambda config, at_cutoff: read)
    said = foretold(run_of(written(shop, raw_of(shop), tmp_path)), TEST)
    assert len(said) > 50
    assert said == foretold(whole, TEST)


# --- Online Retail II, with some lines recorded late

RETAIL = """name: Online Retail II
source:
  files: lines.parquet
  currency: {code: GBP, rates: {CNY: "10.2"}}
  timezone: Europe/London
  columns: {recorded_at: recorded_at}
  policies:
    returns: order_prefix
    return_prefix: C
    adjustment_prefix: A
    non_positive_price: quarantine
    limits: {missing_customer: 1.0, zero_amount: 1.0, non_positive_price: 1.0, negative_amount: 1.0}
cutoff: "2011-03-01"
scheme: tiered_management
"""
RETAIL += f"risk: {{first_cutoff: '2010-06-01', {FAST}}}\nlists: [{{name: everyone}}]\ntrack: false\n"
BEFORE = np.datetime64("2011-03-01")


def retail_lines(files: list[Path]) -> pa.Table:
    """Return the lines of every fourth customer, one in twenty of them recorded one to sixty days late."""
    table = pa.concat_tables([pq.read_table(file) for file in files])
    # Runs of all customers would take a minute each and see no more kinds of rows.
    table = table.filter(pa.array(pc.fill_null(table["Customer ID"].cast(pa.int64()), 0).to_numpy() % 4 == 0))
    rng = np.random.default_rng(0)
    delay = np.where(rng.random(table.num_rows) < 0.05, rng.integers(1, 61, table.num_rows), 0)
    recorded = table["InvoiceDate"].to_numpy() + delay.astype("timedelta64[D]")
    return table.append_column("recorded_at", pa.array(recorded))


def unknown(table: pa.Table) -> np.ndarray:
    return np.maximum(table["InvoiceDate"].to_numpy(), table["recorded_at"].to_numpy()) >= BEFORE


def retail_dropped(table: pa.Table) -> pa.Table:
    return table.filter(pa.array(~unknown(table)))


def retail_scrambled(table: pa.Table) -> pa.Table:
    """Deal customers, codes, prices and quantities of what was not known out anew."""
    late = np.flatnonzero(unknown(table))
    for seed, column in enumerate(("Customer ID", "StockCode", "Quantity", "Price")):
        order = np.arange(table.num_rows)
        order[late] = np.random.default_rng(seed).permutation(late)
        table = table.set_column(table.schema.get_field_index(column), column, table[column].take(pa.array(order)))
    return table


def retail_added(table: pa.Table) -> pa.Table:
    """Add every third line once more, recorded after the cutoff, and every seventh on a day after it."""
    late = table.filter(pa.array(np.arange(table.num_rows) % 3 == 0))
    past = np.minimum(late["InvoiceDate"].to_numpy(), BEFORE - 1)
    late = put(late, InvoiceDate=past, recorded_at=np.full(late.num_rows, BEFORE + np.timedelta64(5, "D")))
    new = table.filter(pa.array(np.arange(table.num_rows) % 7 == 0))
    days = np.full(new.num_rows, BEFORE + np.timedelta64(9, "D"))
    return pa.concat_tables([table, late, put(new, InvoiceDate=days, recorded_at=days)])


def put(table: pa.Table, **columns: np.ndarray) -> pa.Table:
    for name, values in columns.items():
        kind = table.schema.field(name).type
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values).cast(kind))
    return table


@pytest.mark.data
@pytest.mark.timeout(1500)
def test_what_a_run_of_online_retail_did_not_know_changes_no_byte_of_it(
    retail_files: list[Path], tmp_path: Path
) -> None:
    table, found = retail_lines(retail_files), {}
    assert unknown(table).sum() > 30_000
    other = retail_added(retail_scrambled(table))
    for name, lines in (("whole", table), ("dropped", retail_dropped(table)), ("scrambled and added", other)):
        folder = tmp_path / name
        folder.mkdir()
        pq.write_table(lines, folder / "lines.parquet")
        (folder / "run.yaml").write_text(RETAIL, encoding="utf-8")
        found[name] = contents(run_of(folder / "run.yaml"))
    assert found["dropped"] == found["whole"]
    assert found["scrambled and added"] == found["whole"]
