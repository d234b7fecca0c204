"""Shops that nothing can be learned from: the run leaves it out, says why, and writes everything else."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.tiny_shop import write_shop
from tierlens.app.cli.main import main
from tierlens.learning import tasks

pytestmark = pytest.mark.slow  # whole runs

RUN = """
name: Small shop
source: {files: orders.csv, currency: CNY}
cutoff: "2025-08-01"
scheme: tiered_management
risk: {first_cutoff: "2025-01-01", tests: 1, seeds: 1, draws: 0, resamples: 50, trees: {rounds: 3, num_leaves: 4}}
lists: [{name: everybody}]
track: false
"""


def write(folder: Path, customers: int, days: int, *, leaving: int = 0, changes: dict[str, str] | None = None) -> Path:
    """Write a shop of equal customers who buy every 20 days; the first ``leaving`` stop at some day of the year."""
    last = dt.date(2025, 8, 1)
    lines = ["customer_id,order_id,time,amount"]
    for number in range(customers):
        end = days - 20 * (number + 1) if number < leaving else days
        for day in range(number % 20, max(end, 1), 20):
            when = last - dt.timedelta(days - day)
            lines.append(f"C{number:02},O{number}-{day},{when},{1000 * (1 + number % 9) + number}")
    (folder / "orders.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    told = RUN
    for old, new in (changes or {}).items():
        assert old in told
        told = told.replace(old, new)
    (folder / "run.yaml").write_text(told, encoding="utf-8")
    return folder / "run.yaml"


def run(file: Path, *more: str) -> tuple[int, Path]:
    out = file.parent / "out"
    return main(["run", str(file), "--out", str(out), *more]), out


def left_out(out: Path) -> dict[str, str]:
    found = json.loads((out / "findings.json").read_text(encoding="utf-8"))["left_out"]
    return {one["part"]: one["code"] for one in found}


def whole(out: Path) -> None:
    """Everything that a run writes is there."""
    for name in ("customers.parquet", "tiers.parquet", "snapshots.parquet", "findings.json", "report.html", "run.json"):
        assert (out / name).is_file(), name
    assert (out / "lists" / "everybody.csv").is_file()
    assert (out / "lists" / "everybody.xlsx").is_file()


def test_a_shop_where_nobody_falls_or_leaves_gets_its_run(tmp_path, capsys, monkeypatch):
    nobody_falls(monkeypatch)
    code, out = run(write(tmp_path, 30, 1300))
    said = capsys.readouterr()
    assert code == 0, said.err
    whole(out)
    assert left_out(out) == {"churn": "E-RI-072", "downgrade": "E-RI-072"}
    assert "Churn is left out: of " in said.out
    assert "Downgrade is left out: " in said.out
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Churn is left out" in page
    assert "未包含流失" in page
    customers = pq.read_table(out / "customers.parquet")
    assert customers["churn_risk"].null_count == customers.num_rows == 30
    assert set(customers["risk_band"].to_pylist()) == {"unknown"}


def nobody_falls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every past customer keep the tier."""
    there = tasks._fell

    def kept(*given: object) -> pa.Table:
        rows = there(*given)
        place = rows.column_names.index("downgrade")
        return rows.set_column(place, "downgrade", pa.array([0] * rows.num_rows, pa.int8()))

    monkeypatch.setattr(tasks, "_fell", kept)


def test_where_nobody_falls_a_tier_churn_is_learned_all_the_same(tmp_path, capsys, monkeypatch):
    nobody_falls(monkeypatch)
    file = write_shop(tmp_path / "shop")
    code, out = run(file)
    said = capsys.readouterr()
    assert code == 0, said.err
    whole(out)
    assert left_out(out) == {"downgrade": "E-RI-072"}
    customers = pq.read_table(out / "customers.parquet")
    assert customers["churn_risk"].null_count == 0
    assert customers["downgrade_risk"].null_count == customers.num_rows
    assert [path.name for path in (out / "models").iterdir() if path.name.startswith("downgrade")] == []
    assert main(["score", str(file), "--out", str(out)]) == 0
    assert "Downgrade is left out" in capsys.readouterr().err
    assert pq.read_table(out / "scores.parquet").column_names == [
        "customer_id",
        "cutoff",
        "churn_risk",
        "risk_note_en",
        "risk_note_zh",
    ]
    assert main(["compare", str(out), str(out), "--outcome", "downgrade"]) == 2
    assert "E-RU-060" in capsys.readouterr().err


@pytest.mark.parametrize(("first", "code"), [("2025-03-01", "E-RI-071"), ("2025-07-01", "E-RU-031")])
def test_a_shop_of_14_months_gets_its_run(tmp_path, capsys, first, code):
    file = write(tmp_path, 40, 425, leaving=6, changes={'"2025-01-01"': f'"{first}"'})
    ended, out = run(file, "--lang", "zh")
    said = capsys.readouterr()
    assert ended == 0, said.err
    whole(out)
    assert left_out(out) == {"churn": code, "downgrade": code}
    assert "未包含流失：" in said.out
    assert "未包含降级：" in said.out


def test_a_shop_of_two_customers_has_no_segments(tmp_path, capsys):
    code, out = run(write(tmp_path, 2, 400))
    said = capsys.readouterr()
    assert code == 0, said.err
    whole(out)
    assert left_out(out)["segments"] in {"E-SG-001", "E-SG-003"}
    assert "Segments is left out" not in said.out
    assert "Segments are left out" in said.out


def test_later_commands_say_in_one_line_what_is_not_there(tmp_path, capsys, monkeypatch):
    nobody_falls(monkeypatch)
    file = write(tmp_path, 30, 1300)
    _, out = run(file)
    capsys.readouterr()
    for arguments in (
        ["score", str(file), "--out", str(out)],
        ["compare", str(out), str(out)],
        ["compare", str(out), str(out), "--outcome", "downgrade"],
        ["backtest", str(out)],
        ["train", str(file), "--out", str(tmp_path / "models")],
    ):
        assert main(arguments) in {2, 3}, arguments
        lines = capsys.readouterr().err.strip().splitlines()
        assert "E-RU-060" in lines[-1] or "E-RI-072" in lines[-1], lines
    for arguments in (
        ["explain", "C01", "--out", str(out)],
        ["list", str(tmp_path / "l.csv"), "--out", str(out)],
        ["report", "--out", str(out)],
    ):
        assert main(arguments) == 0
        assert "Churn is left out" in capsys.readouterr().err


def test_a_feature_of_segments_that_is_none_is_refused_with_the_nearest_name(tmp_path, capsys):
    file = write(tmp_path, 30, 1300, changes={"track: false": "track: false\nsegments: {features: [recency_day]}"})
    assert run(file)[0] == 2
    assert (
        "E-RU-061 segments.features: no feature of the customers is called recency_day; did you mean recency_days"
        in (capsys.readouterr().err)
    )
