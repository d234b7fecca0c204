"""tierlens read --check and tierlens twins: tables are reported in both languages, nothing is merged by guessing."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tierlens.app.cli.main import main
from tierlens.datasets.simulate import simulated_shop, write_raw
from tierlens.datasets.simulate.dirt import kinds_of
from tierlens.datasets.simulate.raw import RawShop
from tierlens.pipeline.check_data import check_tables, report_sum
from tierlens.sources.declared.contracts import OTHERS
from tierlens.sources.messages.row_reasons import REASONS
from tierlens.workspace.config import load_config

RUN = """
name: Messy shop
source:
  files: transactions.csv
  currency: CNY
  tables:
{tables}
cutoff: "2024-01-01"
risk:
  first_cutoff: "2023-10-01"
"""


@pytest.fixture(scope="module")
def messy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RawShop]:
    folder = tmp_path_factory.mktemp("messy")
    shop = simulated_shop(customers=60, months=12, seed=3)
    raw = write_raw(shop, folder, dirt={name: dict.fromkeys(kinds_of(name), 2) for name in ("transactions", *OTHERS)})
    file = folder / "run.yaml"
    file.write_text(RUN.format(tables="".join(f"    {name}: {name}.csv\n" for name in OTHERS)), encoding="utf-8")
    return file, raw


def test_a_messy_shop_is_reported_and_refused(
    messy: tuple[Path, RawShop], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, raw = messy
    assert main(["read", str(file), "--check", "--out", str(tmp_path)]) == 3
    said = capsys.readouterr()
    assert said.err.startswith("E-TX-200 Messy shop")
    report = json.loads((tmp_path / "quality.json").read_text("utf-8"))
    for name, one in {"transactions": report, **report["tables"]}.items():
        assert one["rows_in"] == raw.rows[name]
        assert one["rows_in"] == one["used"] + sum(one["quarantined"].values()) + sum(one["deduplicated"].values())
        for kind in raw.dirt[name]:
            assert REASONS[kind].text.en in said.out
            assert REASONS[kind].text.zh in said.out
        rejects = tmp_path / ("rejects.csv" if name == "transactions" else f"rejects_{name}.csv")
        with rejects.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
        assert len(rows) == sum(one["quarantined"].values())
        assert all(row["file"] == f"{name}.csv" and int(row["line"]) > 1 and row["column"] for row in rows)
    assert said.out.count("rows in = used + quarantined + deduplicated: ") == 8


def test_the_report_of_a_machine_says_what_is_later_than_the_cutoff(
    messy: tuple[Path, RawShop], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, _ = messy
    early = tmp_path / "early.yaml"
    text = file.read_text("utf-8").replace("2024-01-01", "2023-06-01").replace("2023-10-01", "2023-03-01")
    early.write_text(text.replace(": transactions.csv", f": {file.parent}/transactions.csv").split("  tables:")[0]
                     + text[text.index("cutoff"):], encoding="utf-8")  # fmt: skip
    assert main(["read", str(early), "--check", "--json", "--out", str(tmp_path)]) == 3
    found = json.loads(capsys.readouterr().out)
    checked = check_tables(load_config(early))
    assert found["later"] == checked.later
    assert 0 < found["later"] < found["used"]
    assert report_sum(checked.quality).startswith(f"{found['rows_in']:,} = ")
    assert [Path(name).name for name in found["written"]] == ["rejects.csv", "quality.json"]


def test_a_file_that_must_not_be_read_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "transactions.csv").write_bytes("客户编号，日期，金额\n".encode())
    (tmp_path / "run.yaml").write_text(RUN.replace("  tables:\n{tables}\n", ""), encoding="utf-8")
    out = tmp_path / "out"
    assert main(["read", str(tmp_path / "run.yaml"), "--check", "--out", str(out), "--lang", "zh"]) == 3
    assert "全角逗号" in capsys.readouterr().err
    assert not out.exists()


def test_a_header_alone_is_legal_when_asked_for(tmp_path: Path) -> None:
    (tmp_path / "transactions.csv").write_text("customer_id,time,amount\n", encoding="utf-8")
    (tmp_path / "run.yaml").write_text(RUN.replace("  tables:\n{tables}\n", ""), encoding="utf-8")
    asked = ["read", str(tmp_path / "run.yaml"), "--check", "--out", str(tmp_path / "out")]
    assert main(asked) == 3
    assert main([*asked, "--allow-empty"]) == 0


def test_twins_are_written_confirmed_and_merged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    orders = "customer_id,order_id,time,amount\nA,1,2023-05-05,10\nB,2,2023-05-06,5\nC,3,2023-05-07,1\n"
    (tmp_path / "transactions.csv").write_text(orders, encoding="utf-8")
    (tmp_path / "customers.csv").write_text("customer_id,name\nA,国际贸易\nB,國際貿易\nC,长城\n", encoding="utf-8")
    file = tmp_path / "run.yaml"
    file.write_text(RUN.format(tables="    customers: customers.csv"), encoding="utf-8")

    assert main(["read", str(file), "--check", "--json", "--out", str(tmp_path / "out")]) == 0
    before = json.loads(capsys.readouterr().out)
    assert before["customers"] == 3
    assert before["tables"]["customers"]["flags"] == {"name_twins": 2}

    pairs = tmp_path / "twins.csv"
    assert main(["twins", str(file), "--out", str(pairs)]) == 0
    said = capsys.readouterr().out
    assert "1" in said
    assert "国际贸易" not in said
    with pairs.open(encoding="utf-8-sig", newline="") as lines:
        header, (one, _, other, *rest) = csv.reader(lines)
    assert (one, other) == ("A", "B")

    with pairs.open("w", encoding="utf-8-sig", newline="") as lines:  # a person confirms
        csv.writer(lines).writerows([header, [one, other, other, *rest]])
    file.write_text(file.read_text("utf-8").replace("source:", "source:\n  same_customer: twins.csv"), encoding="utf-8")
    assert main(["read", str(file), "--check", "--json", "--force", "--out", str(tmp_path / "out")]) == 0
    after = json.loads(capsys.readouterr().out)
    assert (after["customers"], after["normalised"]) == (2, {"customer_merged": 1})
    assert after["tables"]["customers"]["deduplicated"] == {"merged": 1}
