"""The gate before learning: a planted leak stops a run, a signature for that very column lets it through."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.other_tables import row_of, sale, tables_with
from tierlens.app.cli.main import main
from tierlens.errors import DataError, UsageError
from tierlens.features.windows import Window
from tierlens.learning.extra_columns import read_own
from tierlens.learning.leak_gate import check_for_leaks, declared_of, read_waivers
from tierlens.learning.tasks import Task
from tierlens.risk.evaluation.leaks import Declared
from tierlens.risk.outcome import spend_in_horizon
from tierlens.sources.declared.contracts import ALWAYS
from tierlens.sources.tables import Tables
from tierlens.words import Text, to_share
from tierlens.workspace import run_folder
from tierlens.workspace.config import OwnSection, RunConfig, load_config
from tierlens.workspace.prepare import simulated_run_shop

RUN = """
name: Shop with a leak
simulated: {customers: 200, months: 26}
cutoff: "2025-02-01"
scheme: tiered_management
risk: {first_cutoff: "2024-07-01", tests: 1, trials: 0, seeds: 1, resamples: 50, draws: 0, trees: {rounds: 3}}
segments: {n_clusters: 2}
own: {file: crm.parquet}
waivers: waivers.yaml
seed: 3
"""
SIGNED = """waivers:
  - column: crm_score
    outcome: churn
    definition: "{key}"
    reason: Scored by the CRM on the first of each month, before it opens.
    signed_by: Zhang Wei
    date: "2026-11-20"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run file, and a column of one's own that is the spend of the horizon in disguise."""
    folder = tmp_path_factory.mktemp("gate")
    (folder / "run.yaml").write_text(RUN, encoding="utf-8")
    (folder / "waivers.yaml").write_text("waivers: []\n", encoding="utf-8")
    config = load_config(folder / "run.yaml")
    tables = simulated_run_shop(config).tables
    ahead = spend_in_horizon(tables, config.learning_cutoffs(), config.span).collect("pyarrow").to_native()
    noise = np.random.default_rng(1).normal(0, 0.1, ahead.num_rows)
    score = pc.add(pc.min_element_wise(ahead["bought"], 1).cast(pa.float64()), pa.array(noise))
    table = ahead.select(["customer_id", "cutoff"]).append_column("crm_score", score)
    pq.write_table(table, folder / "crm.parquet")
    return folder


def leaks_of(task: Task, tables: Tables, config: RunConfig) -> tuple[Text, ...]:
    """Return what the leak gate says of a task under a run file."""
    return check_for_leaks(task, tables, config.span, config.waivers)


def run(folder: Path, out: str) -> int:
    return main(["run", str(folder / "run.yaml"), "--out", str(folder / out), "--no-track"])


@pytest.mark.slow
def test_a_leak_stops_the_run_and_its_waiver_lets_it_pass(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "blocked") == 3
    said = capsys.readouterr().err
    assert "E-LK-001 crm_score: likely leak of churn: crm_score alone ranks the outcome" in said
    assert not (folder / "blocked" / run_folder.RUN).exists()
    key = re.search(r"definition: ([0-9a-f]{16})", said)
    assert key is not None
    (folder / "waivers.yaml").write_text(SIGNED.format(key=key[1]), encoding="utf-8")
    assert run(folder, "waived") == 0
    assert "Waived: crm_score alone ranks" in capsys.readouterr().err
    told = (folder / "waived" / run_folder.FINDINGS).read_text("utf-8")
    assert "Zhang Wei signed on 2026-11-20 that it is no leak" in told
    assert "Zhang Wei" in (folder / "waived" / run_folder.REPORT).read_text("utf-8")
    record = json.loads((folder / "waived" / run_folder.RUN).read_text("utf-8"))
    assert record["configuration"]["waivers"].endswith("waivers.yaml")


def test_a_broken_waiver_is_found_before_anything_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run.yaml").write_text(RUN.replace("own: {file: crm.parquet}\n", ""), encoding="utf-8")
    (tmp_path / "waivers.yaml").write_text(SIGNED.format(key="short"), encoding="utf-8")
    for more in ([], ["--dry-run"]):
        assert main(["run", str(tmp_path / "run.yaml"), "--out", str(tmp_path / "out"), "--no-track", *more]) == 2
        said = capsys.readouterr().err
        assert "E-YA-020" in said
        assert "definition" in said
        assert "reading the source" not in said


# --- one task


def task_of(own: dict[str, Declared], *, copied: bool = True) -> Task:
    rng = np.random.default_rng(0)
    left = rng.integers(0, 2, 300)
    score = left.astype(float) if copied else rng.random(300)
    rows = pa.table(
        {"customer_id": [f"c{n}" for n in range(300)], "cutoff": [1] * 300, "crm_score": score, "churn": left}
    )
    return Task("churn", Text("Churn", "流失"), Text("all", "全部"), rows, rows, ("crm_score",), own)


def config_of(tmp_path: Path, waivers: str) -> RunConfig:
    path = tmp_path / "w.yaml"
    path.write_text(waivers, encoding="utf-8")
    return RunConfig(
        name="a", simulated={}, cutoff="2025-03-01", risk={"first_cutoff": "2024-06-01"}, waivers=str(path)
    )


OWN = {"crm_score": Declared("crm_score", "score of the CRM")}
KEY = OWN["crm_score"].key("churn")
TABLES = tables_with({"transactions": [sale("a", 1)]})


def test_the_error_names_column_reason_and_way_out_in_both_languages(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"E-LK-001 crm_score") as caught:
        leaks_of(task_of(OWN), TABLES, config_of(tmp_path, "waivers: []\n"))
    for lang in ("en", "zh"):
        assert KEY in caught.value.say(lang)
    assert "疑似泄漏流失结果" in caught.value.say("zh")


def test_a_signed_column_passes_and_is_told(tmp_path: Path) -> None:
    notes = leaks_of(task_of(OWN), TABLES, config_of(tmp_path, SIGNED.format(key=KEY)))
    assert [note.en.startswith("Waived: crm_score alone ranks") for note in notes] == [True]
    assert "Zhang Wei 于 2026-11-20 签署" in notes[0].zh
    assert to_share(notes[0]) == Text("Waived: crm_score; a waiver of 2026-11-20 lets it through",
                                      "已豁免：crm_score；2026-11-20 的豁免准许使用该列")  # fmt: skip


@pytest.mark.parametrize(
    "other", [Declared("crm_score", "another score"), Declared("crm_score", "score of the CRM", (-9, 0))]
)
def test_a_signature_serves_no_other_definition(tmp_path: Path, other: Declared) -> None:
    with pytest.raises(
        UsageError, match=r"E-LK-002 waivers: the waiver of crm_score was signed for another definition"
    ):
        leaks_of(task_of({"crm_score": other}), TABLES, config_of(tmp_path, SIGNED.format(key=KEY)))


def test_a_signature_serves_no_other_column_or_outcome(tmp_path: Path) -> None:
    for wrong in (SIGNED.replace("column: crm_score", "column: score"), SIGNED.replace("churn", "downgrade")):
        with pytest.raises(DataError, match="E-LK-001"):
            leaks_of(task_of(OWN), TABLES, config_of(tmp_path, wrong.format(key=KEY)))


def test_a_waiver_without_need_changes_nothing(tmp_path: Path) -> None:
    assert leaks_of(task_of(OWN, copied=False), TABLES, config_of(tmp_path, SIGNED.format(key=KEY))) == ()


@pytest.mark.parametrize(
    "broken",
    ["reason: too short", "signed_by: ''", "definition: abc", "date: '2026-13-01'", "extra: 1"],
)
def test_a_waiver_must_be_whole(tmp_path: Path, broken: str) -> None:
    key = broken.split(":", maxsplit=1)[0]
    lines = [line for line in SIGNED.format(key=KEY).splitlines() if not line.strip().startswith(f"{key}:")]
    path = tmp_path / "w.yaml"
    path.write_text("\n".join([*lines, f"    {broken}"]) + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match="E-YA-020"):
        read_waivers(path)


def test_an_undated_table_of_customers_is_told_of(tmp_path: Path) -> None:
    rows = {"customers": [row_of("customers", "a", ALWAYS, employees=5), row_of("customers", "b", 4, employees=5)]}
    rng = np.random.default_rng(0)
    table = pa.table({"customer_id": [f"c{n}" for n in range(300)], "cutoff": [1] * 300, "employees": rng.random(300),
                      "churn": rng.integers(0, 2, 300)})  # fmt: skip
    task = Task("churn", Text("Churn", "流失"), Text("all", "全部"), table, table, ("employees",))
    notes = leaks_of(task, tables_with(rows), config_of(tmp_path, "waivers: []\n"))
    assert len(notes) == 1
    assert "50% do not say from when they hold" in notes[0].en


def test_who_cannot_fall_says_nothing_of_a_leak(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    need = np.where(np.arange(600) < 300, -1.0, rng.uniform(1, 9, 600))
    fell = np.where(need < 0, 0, rng.integers(0, 2, 600))
    rows = pa.table({"customer_id": [f"c{n}" for n in range(600)], "cutoff": [1] * 600, "need": need,
                     "rule_p": need, "downgrade": fell})  # fmt: skip
    task = Task("downgrade", Text("Downgrade", "降级"), Text("all", "全部"), rows, rows, ("rule_p",))
    assert leaks_of(task, TABLES, config_of(tmp_path, "waivers: []\n")) == ()


def test_a_definition_changes_with_the_window() -> None:
    task = task_of(OWN)
    catalog = Task("churn", task.title, task.population, task.rows, task.now, ("recency_days", "unheard_of"))
    one, two = (declared_of(catalog, TABLES, Window(observe=days)) for days in (365, 180))
    assert one["recency_days"].key("churn") != two["recency_days"].key("churn")
    assert one["unheard_of"].key("churn") == two["unheard_of"].key("churn")


# --- own columns


def own_file(tmp_path: Path, text: str) -> str:
    path = tmp_path / "own.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_own_columns_are_read_with_what_is_known_of_them(tmp_path: Path) -> None:
    text = "customer_id,cutoff,made,crm,visits\n007,2025-01-01,2024-12-31,1.5,3\n008,2025-01-01,2025-01-01,,4\n"
    section = OwnSection(file=own_file(tmp_path, text), computed="made", looks_at={"visits": (-30, 10)})
    table, told = read_own(section)
    assert table.to_pylist()[0] == {"customer_id": "007", "cutoff": 20089, "crm": 1.5, "visits": 3.0}
    assert told["visits"].looks_at == (-30, 10)
    assert {name: one.computed_late for name, one in told.items()} == {"crm": 0.5, "visits": 0.5}


def test_own_rows_that_do_not_say_when_they_were_computed_are_told_of(tmp_path: Path) -> None:
    text = "customer_id,cutoff,made,crm\na,2025-01-01,2024-12-31,1\nb,2025-01-01,,2\nc,2025-01-01,,3\nd,2025-01-01,,4\n"
    _, told = read_own(OwnSection(file=own_file(tmp_path, text), computed="made"))
    assert (told["crm"].computed_late, told["crm"].undated) == (0.0, 0.75)


BROKEN: dict[str, tuple[str, dict[str, Any], str]] = {
    "no cutoff": ("customer_id,score\na,1\n", {}, "E-OW-002.*'cutoff' is not there"),
    "no computed": ("customer_id,cutoff,s\na,2025-01-01,1\n", {"computed": "made"}, "E-OW-002.*'made' is not there"),
    "words": ("customer_id,cutoff,crm\na,2025-01-01,high\n", {}, "E-OW-002.*'crm' holds no numbers"),
    "an outcome": ("customer_id,cutoff,churn\na,2025-01-01,1\n", {}, "E-OW-002.*'churn' has the name of an outcome"),
    "a standing": ("customer_id,cutoff,score\na,2025-01-01,1\n", {}, "E-OW-002.*'score' .* what a scheme says"),
    "a feature": ("customer_id,cutoff,nps\na,2025-01-01,1\n", {}, "E-OW-002.*'nps' has the name of a feature"),
    "twice": ("customer_id,cutoff,s\na,2025-01-01,1\na,2025-01-01,2\n", {}, "E-OW-003.*twice at one cutoff"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_own_columns_that_cannot_be_used(tmp_path: Path, name: str) -> None:
    text, more, message = BROKEN[name]
    with pytest.raises((UsageError, DataError), match=message):
        read_own(OwnSection(file=own_file(tmp_path, text), **more))


def test_own_columns_that_are_nowhere(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="E-OW-001"):
        read_own(OwnSection(file=str(tmp_path / "no.csv")))
