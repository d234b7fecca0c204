"""Earlier runs are held against what happened, columns against what was learned from, and two runs side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pytest

from tierlens.app.cli.main import main
from tierlens.datasets.examples import simulated_shop
from tierlens.errors import DataError, UsageError
from tierlens.features.snapshot import to_arrow
from tierlens.features.windows import Window
from tierlens.learning import monitor
from tierlens.learning.monitor import (
    backtest_of_run,
    compared_runs,
    moved_features,
    moved_note,
    past_run,
    past_runs,
    told_of,
)
from tierlens.publish.files.atomic import write_parquet
from tierlens.publish.files.run_json import folder_records
from tierlens.risk.evaluation.metrics import auc
from tierlens.risk.outcome import churn_outcomes
from tierlens.sources.tables import Tables, day_number
from tierlens.words import Text
from tierlens.workspace import run_folder

Floats = npt.NDArray[np.float64]
WINDOW = {"observe": 365, "gap": 0, "horizon": 90}


@pytest.fixture(scope="module")
def tables() -> Tables:
    return simulated_shop(customers=200, seed=1).tables


def keep(folder: Path, cutoff: str, customers: pa.Table, project: str = "shop", **more: object) -> Path:
    """Write what a finished run leaves behind, as far as it is read."""
    write_parquet(folder / run_folder.CUSTOMERS, customers)
    return recorded(folder, project=project, configuration={"cutoff": cutoff, "window": WINDOW, **more})


def recorded(folder: Path, **told: object) -> Path:
    """Write the record of a folder as it is."""
    files = [asdict(record) for record in folder_records(folder, run_folder.RUN)]
    (folder / run_folder.RUN).write_text(json.dumps({**told, "outputs": files}), encoding="utf-8")
    return folder


def scored(tables: Tables, cutoff: str) -> tuple[pa.Table, Floats, Floats]:
    """Risks that know a little of what will happen."""
    rows = to_arrow(churn_outcomes(tables, [cutoff], Window(**WINDOW))).sort_by("customer_id")
    y = rows["churn"].to_numpy().astype(float)
    risk = 0.2 + 0.3 * y + 0.2 * np.random.default_rng(0).random(len(y))
    return rows.drop_columns(["churn"]).append_column("churn_risk", pa.array(risk)), y, risk


def test_a_past_run_is_held_against_what_happened(tables: Tables, tmp_path: Path) -> None:
    rows, y, risk = scored(tables, "2024-06-01")
    past = past_run(keep(tmp_path / "old", "2024-06-01", rows))
    found = backtest_of_run(past, tables)
    assert found is not None
    assert found.rows == len(y)
    assert found.auc.value == pytest.approx(auc(y, risk))
    assert "2024-06-01" in told_of(past, found).en
    assert "流失评分与实际对照" in told_of(past, found).zh


def test_an_open_horizon_is_waited_for(tables: Tables, tmp_path: Path) -> None:
    rows, _, _ = scored(tables, "2024-06-01")
    later = keep(tmp_path / "new", "2030-01-01", rows)
    assert backtest_of_run(past_run(later), tables) is None


def test_only_earlier_runs_of_the_same_shop_are_looked_at(tables: Tables, tmp_path: Path) -> None:
    rows, _, _ = scored(tables, "2024-06-01")
    for name, cutoff, project in (("b", "2024-06-01", "shop"), ("a", "2024-03-01", "shop"), ("c", "2024-01-01", "x")):
        keep(tmp_path / name, cutoff, rows, project)
    (tmp_path / "empty").mkdir()
    found = past_runs(tmp_path, "shop", day_number("2024-06-01") + 1)
    assert [past.folder.name for past in found] == ["a", "b"]
    assert past_runs(tmp_path, "shop", day_number("2024-01-01")) == []


def test_what_is_no_run_of_ours_is_passed_over(tables: Tables, tmp_path: Path) -> None:
    rows, _, _ = scored(tables, "2024-06-01")
    for name in ("broken", "older", "emptied", "whole"):
        keep(tmp_path / name, "2024-06-01", rows)
    (tmp_path / "broken" / run_folder.RUN).write_text("{", encoding="utf-8")
    (tmp_path / "older" / run_folder.RUN).write_text('{"project": "shop"}', encoding="utf-8")
    (tmp_path / "emptied" / run_folder.CUSTOMERS).write_bytes(b"")
    keep(tmp_path / "without", "2024-06-01", rows.drop_columns(["churn_risk"]))
    keep(tmp_path / ".tierlens-0123456789abcdef.partial", "2024-06-01", rows)  # another run is writing it
    said: list[Text] = []
    found = past_runs(tmp_path, "shop", day_number("2024-06-01") + 1, said.append)
    assert [past.folder.name for past in found] == ["whole"]
    # What is another's is nobody's concern; that a run of this shop is damaged is.
    assert [text.en.split(":")[0:3] for text in said] == [
        ["passed over", f" E-RU-042 {tmp_path / 'emptied'}", " this is not a whole run"]
    ]


def test_what_moved_is_named() -> None:
    rng = np.random.default_rng(0)
    old = pd.DataFrame(rng.normal(size=(800, 3)), columns=["still", "calm", "wild"])
    new = old.assign(wild=old["wild"] + 3)
    ids = [np.arange(800) // 2, 10_000 + np.arange(800), np.arange(300)]
    table = moved_features(old, new, "churn", (rng.random(300), rng.random(800)), ids)
    assert table["feature"].to_pylist()[::3] == ["wild", "churn_risk"]
    assert table["alarm"].to_pylist() == [True, False, False, False]
    note = moved_note(table, Text("Churn", "流失"))
    assert "of 4 columns 1 differ" in note.en
    assert note.en.endswith("1 have moved far: wild.")
    assert "wild" in note.zh


def test_a_note_calls_columns_by_their_titles_and_ends_with_one_stop() -> None:
    names = ["recency_days", "rule_p", "churn_risk", "ours", "monetary", "frequency", "tenure_days"]
    table = pa.table({"feature": names, "alarm": [True] * 7, "band": ["moved"] * 7})
    note = moved_note(table, Text("Churn", "流失"))
    assert note.en.endswith(
        "7 have moved far: days since the last purchase, chance of falling by what rolls out of the window, "
        "predicted risk, ours, net amount in the window, and 2 more."
    )
    assert note.zh.endswith("按滚出窗口推算的降级可能、预测风险、ours、窗口内净交易额等。")
    for text in note:
        assert "..." not in text
        assert "_" not in text


def foretold(
    folder: Path, risk: Floats, y: npt.NDArray[np.int64], days: Sequence[str] = ("2024-01-01", "2024-02-01")
) -> Path:
    rows = len(y) // len(days)
    table = pa.table({
        "customer_id": [f"c{row % rows}" for row in range(len(y))],
        "cutoff": pa.array(np.repeat([day_number(day) for day in days], rows), pa.int32()),
        "outcome": ["churn"] * len(y), "happened": pa.array(y, pa.int8()), "risk": risk,
    })  # fmt: skip
    write_parquet(folder / run_folder.TESTED, table)
    return recorded(folder)


def test_two_runs_are_compared_on_what_both_foretold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    risk = rng.random(600)
    y = (rng.random(600) < risk).astype(int)
    one, two = foretold(tmp_path / "one", rng.random(600), y), foretold(tmp_path / "two", risk, y)
    assert compared_runs(one, two, "churn", 6, 60).better == "challenger"
    assert compared_runs(two, one, "churn", 1, 60).better == "champion"
    assert compared_runs(one, one, "churn", 6, 60).better == "level"
    assert compared_runs(one, two, "churn", 1, 60).rows == 300
    assert main(["compare", str(one), str(two)]) == 0
    english = capsys.readouterr().out
    assert "the challenger ranks customers better" in english
    assert " to +" in english.splitlines()[0]
    assert main(["compare", str(one), str(two), "--lang", "zh"]) == 0
    chinese = capsys.readouterr().out
    assert all(name in chinese for name in ("AUC", "平均精确率", "前十分之一提升度", "Brier 分数", " 至 "))
    assert not [word for word in ("lift_10", "brier", " to ", "..") if word in chinese]
    assert main(["compare", str(one), str(two), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["better"] == "challenger"


def test_runs_that_cannot_be_compared_say_why(tmp_path: Path) -> None:
    y = np.tile([0, 1], 50)
    one = foretold(tmp_path / "one", np.linspace(0, 1, 100), y)
    elsewhere = foretold(tmp_path / "two", np.linspace(0, 1, 100), y, days=("2023-01-01", "2023-02-01"))
    other = foretold(tmp_path / "three", np.linspace(0, 1, 100), 1 - y)
    with pytest.raises(DataError, match="E-RU-020"):
        compared_runs(one, elsewhere, "churn", 6)
    with pytest.raises(DataError, match="E-RU-021"):
        compared_runs(one, other, "churn", 6)


def test_the_command_reads_the_data_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(
        'name: shop\nsimulated: {customers: 200, months: 30}\ncutoff: "2025-09-01"\n'
        'risk: {first_cutoff: "2024-06-01"}\nseed: 1\n',
        encoding="utf-8",
    )
    from tierlens.workspace.config import load_config
    from tierlens.workspace.prepare import obtain_shop, say_nothing

    _, shop = obtain_shop(load_config(file), say_nothing)
    rows, _, _ = scored(shop.tables, "2025-03-01")
    keep(tmp_path / "old", "2025-03-01", rows)
    assert main(["backtest", str(tmp_path / "old"), "--file", str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["auc"] > 0.9
    assert told["lift_band"] in ("strong", "useful")
    keep(tmp_path / "new", "2040-01-01", rows)
    assert main(["backtest", str(tmp_path / "new"), "--file", str(file)]) == 3
    assert f"E-RU-022 {tmp_path / 'new'}" in capsys.readouterr().err


# --- the record of an earlier run


BROKEN: dict[str, dict[str, object]] = {
    "no configuration": {"project": "shop"},
    "no project": {"configuration": {"cutoff": "2024-06-01", "window": WINDOW}},
    "no window": {"project": "shop", "configuration": {"cutoff": "2024-06-01"}},
    "part of a window": {"project": "shop", "configuration": {"cutoff": "2024-06-01", "window": {"observe": 3}}},
    "no date": {"project": "shop", "configuration": {"cutoff": "summer", "window": WINDOW}},
    "no horizon": {"project": "shop", "configuration": {"cutoff": "2024-06-01", "window": {**WINDOW, "horizon": 0}}},
    "a list": {"project": "shop", "configuration": ["cutoff"]},
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_record_that_does_not_say_what_is_needed_is_no_whole_run(tmp_path: Path, name: str) -> None:
    recorded(tmp_path, **BROKEN[name])
    with pytest.raises(UsageError, match=r"E-RU-042 .*run\.json is not as it was written"):
        past_run(tmp_path)


def test_a_past_run_knows_its_cutoff_window_and_run_file(tmp_path: Path) -> None:
    recorded(tmp_path, project="店", configuration={"cutoff": "2024-06-01", "window": WINDOW, "seed": 7})
    past = past_run(tmp_path)
    assert (past.project, past.cutoff, past.window) == ("店", day_number("2024-06-01"), Window(**WINDOW))
    assert past.configuration["seed"] == 7


# --- what became of scores


def test_customers_of_one_side_only_are_left_out_of_a_backtest(tables: Tables, tmp_path: Path) -> None:
    rows, y, risk = scored(tables, "2024-06-01")
    some = np.random.default_rng(2).random(len(y)) < 0.7
    strangers = pa.table({
        "customer_id": ["nobody", "unscored"], "cutoff": pa.array([day_number("2024-06-01")] * 2, pa.int32()),
        "churn_risk": pa.array([0.9, None], pa.float64()),
    })  # fmt: skip
    kept = pa.concat_tables([rows.filter(pa.array(some)), strangers.select(rows.column_names)])
    found = backtest_of_run(past_run(keep(tmp_path / "old", "2024-06-01", kept)), tables)
    assert found is not None
    assert found.rows == some.sum()
    assert found.auc.value == pytest.approx(auc(y[some], risk[some]))


@pytest.mark.parametrize("kept", ["nobody", "stayers"])
def test_where_nothing_can_be_ranked_there_is_no_backtest(tables: Tables, tmp_path: Path, kept: str) -> None:
    rows, y, _ = scored(tables, "2024-06-01")
    chosen = rows.filter(pa.array((y == 0) & (kept == "stayers")))
    assert backtest_of_run(past_run(keep(tmp_path / "old", "2024-06-01", chosen)), tables) is None


# --- two runs beside each other


def pair(tmp_path: Path, rows: int = 200) -> tuple[Path, Path]:
    """Two runs that were tested on the same rows, one of them by far the better."""
    rng = np.random.default_rng(1)
    risk = rng.random(rows)
    y = (rng.random(rows) < risk).astype(np.int64)
    return foretold(tmp_path / "one", rng.random(rows), y), foretold(tmp_path / "two", risk, y)


def test_changing_sides_turns_the_sign_of_every_difference(tmp_path: Path) -> None:
    one, two = pair(tmp_path)
    there, back = compared_runs(one, two, "churn", 6, 60), compared_runs(two, one, "churn", 6, 60)
    assert there.rows == back.rows == 200
    for name, apart in there.apart.items():
        assert apart.value == pytest.approx(-back.apart[name].value)
        assert there.champion[name].value == back.challenger[name].value
    assert (there.better, back.better) == ("challenger", "champion")


def test_the_order_of_rows_in_a_run_changes_no_comparison(tmp_path: Path) -> None:
    one, two = pair(tmp_path)
    before = compared_runs(one, two, "churn", 6, 60)
    from pyarrow import parquet

    table = parquet.read_table(two / run_folder.TESTED)
    write_parquet(two / run_folder.TESTED, table.take(np.random.default_rng(0).permutation(table.num_rows)))
    recorded(two)
    assert compared_runs(one, two, "churn", 6, 60) == before


@pytest.mark.parametrize(
    ("outcome", "fix"),
    [("chrun", "did you mean 'churn'"), ("downgrad", "did you mean 'downgrade'"), ("x", "there are churn and downgr")],
)
def test_an_outcome_that_there_is_not_is_refused_before_any_folder_is_read(outcome: str, fix: str) -> None:
    with pytest.raises(UsageError, match=f"E-RU-023 --outcome: there is no outcome '{outcome}'; {fix}"):
        compared_runs(Path("nowhere"), Path("nowhere"), outcome, 6)


def test_an_outcome_that_neither_run_was_tested_on_has_no_rows(tmp_path: Path) -> None:
    one, two = pair(tmp_path)
    with pytest.raises(DataError, match=r"E-RU-020 .*not tested on the same downgrade rows"):
        compared_runs(one, two, "downgrade", 6)


def test_the_rows_of_a_test_are_kept_as_they_are_but_for_the_tenth_place_of_a_risk() -> None:
    tests = pa.table({"customer_id": ["a", "b"], "cutoff": pa.array([5, 6], pa.int32()), "x": [1, 2], "down": [0, 1]})
    found = monitor.tested_rows("down", tests, np.array([0.12345678949, 1.0]))
    assert found.to_pylist() == [
        {"customer_id": "a", "cutoff": 5, "outcome": "down", "happened": 0, "risk": 0.123456789},
        {"customer_id": "b", "cutoff": 6, "outcome": "down", "happened": 1, "risk": 1.0},
    ]


@pytest.mark.parametrize("far", [0, 1, 5, 6, 9])
def test_a_note_counts_all_that_has_moved_and_names_five_at_most(far: int) -> None:
    names = [f"own{place}" for place in range(9)]
    bands = ["moved"] * far + ["shifted"] * (9 - far)
    note = moved_note(pa.table({"feature": names, "alarm": [True] * 9, "band": bands}), Text("Churn", "流失"))
    assert note.en.startswith("Churn: of 9 columns 9 differ")
    assert f"{far} have moved far" in note.en
    assert [name for name in names if name in note.en] == names[: min(far, 5)]
    assert ("more." in note.en) == ("等。" in note.zh) == (far > 5)
