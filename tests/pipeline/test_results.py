"""What goes to the tracking store names no customer; the folder of the run does."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.bad_inputs.command_kit import RUN_FILE, command, orders
from tests.publish.samples import make_findings, make_risk
from tierlens.grading import load_scheme
from tierlens.learning.evaluate import BASELINE
from tierlens.pipeline.results import _learned_from, _models, _params, _tested, notes_of, shareable_files, write_record
from tierlens.publish.lists.activities import Known
from tierlens.publish.report.html import Pictures, draw_both
from tierlens.risk.evaluation.plain_baseline import Plain
from tierlens.sources.tables import day_number
from tierlens.words import Private, Text
from tierlens.workspace.config import config_of_text
from tierlens.workspace.study import Study


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    """The pictures of a run, drawn once, as a run hands them on."""
    return draw_both(make_findings())


def test_what_is_shared_has_no_spotlights(tmp_path: Path, pictures: Pictures) -> None:
    findings = make_findings()
    ids = [line.customer_id for spot in findings.spotlights for line in spot.lines]
    assert ids
    written = shareable_files(findings, tmp_path, "en", pictures)
    assert [path.name for path in written] == ["report.html", "findings.json"]
    said = "".join(path.read_text("utf-8") for path in written)
    assert not [one for one in ids if one in said]
    assert '"spotlights": []' in said


def test_what_is_shared_names_nobody_who_signed_and_no_amount(tmp_path: Path, pictures: Pictures) -> None:
    note = Private.of(Text("Waived; Zhang Wei signed", "张伟签署"), Text("a waiver lets it through", "豁免准许"))
    largest = Private.of(Text("the largest is 123,456.78", "最大值为 123,456.78"), Text("the rule asks", "规则要求"))
    findings = make_findings()
    known = Known((), (), reading=(largest,))
    findings = replace(findings, notes=(note,), known=known)
    for path in shareable_files(findings, tmp_path, "zh", pictures):
        said = path.read_text("utf-8")
        assert "豁免准许" in said
        assert not [one for one in ("Zhang Wei", "张伟", "123,456.78") if one in said]
    params = _params_of(note)
    assert params["churn_leak_gate"] == "a waiver lets it through"


def _params_of(note: Text) -> dict[str, object]:
    prepared: Any = SimpleNamespace(scheme=load_scheme("five_step"))
    learned: Any = SimpleNamespace(outcome="churn", notes=(note,), params={})
    return _params(config_of_text(RUN_FILE), prepared, [learned])


@pytest.mark.slow
def test_no_customer_of_a_run_stands_anywhere_in_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "orders.csv").write_text(orders().replace("\nC", "\nKUNDE-"), encoding="utf-8")
    text = RUN_FILE.replace("track: false", "track: true\nlists: [{name: everybody}]")
    (tmp_path / "run.yaml").write_text(text, encoding="utf-8")
    code, _, told = command(tmp_path, ["run", "run.yaml", "--out", "runs/one"])
    assert code == 0, told
    ids = [one.encode() for one in pq.read_table(tmp_path / "runs/one/customers.parquet")["customer_id"].to_pylist()]
    own = (tmp_path / "runs/one/findings.json").read_bytes() + (tmp_path / "runs/one/lists/everybody.csv").read_bytes()
    assert len([one for one in ids if one in own]) > 50
    stored = [path for path in (tmp_path / "runs").rglob("*") if path.is_file() and "one" not in path.parts]
    assert {"mlflow.db", "report.html", "findings.json"} <= {path.name for path in stored}
    assert [(path.name, one) for path in stored for one in ids if one in path.read_bytes()] == []


# --- what a run says of its own limits


@pytest.mark.parametrize("months", range(1, 15))
def test_months_that_no_cutoff_lies_in_are_named(months: int) -> None:
    days = [day_number(f"{2024 + place // 12}-{place % 12 + 1:02}-01") for place in range(5, 5 + months)]
    said = _learned_from(days)
    there = {(place % 12) + 1 for place in range(5, 5 + months)}
    missing = [month for month in range(1, 13) if month not in there]
    assert f"from {months} monthly cutoffs, 2024-06-01 to " in said[0].en
    assert f"{months} 个月度截止日" in said[0].zh
    assert len(said) == 1 + bool(missing)
    if missing:
        listed = ", ".join(map(str, missing))
        assert f"No cutoff in the months {listed} could be learned from" in said[1].en
        assert f"未能从 {listed} 月" in said[1].zh


def test_a_run_that_learned_nothing_says_nothing_of_what_it_learned_from() -> None:
    config = config_of_text(RUN_FILE)
    prepared: Any = SimpleNamespace(scheme=load_scheme("five_step"))
    study = Study(config, prepared, prepared)
    learned, nothing = (notes_of(study, is_learned) for is_learned in (True, False))
    assert [note.en.startswith("Risk was learned") for note in learned][:1] == [True]
    assert not [note for note in nothing if "learned" in note.en]
    assert set(nothing) < set(learned)


# --- what the tracking store is given


def learned_of(rival: Plain | None = None) -> Any:
    tested = pa.table({"customer_id": ["a", "b"], "cutoff": [1, 1], "happened": [0, 1], "risk": [0.25, 0.75],
                       BASELINE: [0.5, 0.625]})  # fmt: skip
    return SimpleNamespace(outcome="churn", risk=make_risk(), features=("f",), metrics={"auc": 0.7}, rival=rival,
                           tested=tested)  # fmt: skip


@pytest.mark.parametrize(
    ("project", "name"),
    [("Online Retail II", "online-retail-ii-churn"), ("  Shop/2025! ", "shop-2025-churn"), ("我的店", "project-churn")],
)
def test_a_model_has_a_name_that_a_registry_takes(project: str, name: str) -> None:
    config = config_of_text(RUN_FILE).model_copy(update={"name": project})
    (model,) = _models(config, learned_of(), Path("out"))
    assert (model.name, model.folder, model.kind) == (name, Path("out/models/churn"), "model")
    assert model.value == make_risk().model.auc.value
    assert all("==" in need for need in model.requirements)


def test_a_better_baseline_competes_for_the_same_name_with_its_own_figures_and_foretellings() -> None:
    plain = Plain(("recency_days",), trees="none")
    model, rival = _models(config_of_text(RUN_FILE), learned_of(plain), Path("out"))
    assert rival.name == model.name
    assert (rival.kind, rival.folder, rival.features) == ("baseline", Path("out/models/churn_baseline"), plain.columns)
    assert rival.value == next(m.auc.value for m in make_risk().models if m.name == make_risk().best_baseline)
    assert model.tested is not None
    assert rival.tested is not None
    assert model.tested.risk.tolist() == [0.25, 0.75]
    assert rival.tested.risk.tolist() == [0.5, 0.625]
    assert rival.tested.customers.tolist() == ["a", "b"]


def test_an_outcome_that_was_not_tested_has_nothing_foretold() -> None:
    one = learned_of()
    one.tested = None
    assert _tested(one, "risk") is None


# --- the record of a folder


def test_a_record_holds_the_hash_of_every_file_and_of_every_input(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(orders(), encoding="utf-8")
    config = config_of_text(RUN_FILE, tmp_path)
    out = tmp_path / "out"
    (out / "lists").mkdir(parents=True)
    for name, content in (("a.bin", b"\x00\xff"), ("lists/b.csv", b"x\r\n")):
        (out / name).write_bytes(content)
    shop: Any = SimpleNamespace(tables=SimpleNamespace(name="shop"), is_simulated=False)
    scheme = load_scheme("five_step")
    path = write_record(out, (config, shop, scheme), ({"rows": 3}, {"read": 0.5}, "2026-01-01T00:00:00"), "id1")
    told = json.loads(path.read_text("utf-8"))
    digest = {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in ("a.bin", "lists/b.csv")}
    assert {one["name"]: one["sha256"] for one in told["outputs"]} == digest
    assert [(one["name"], one["size"]) for one in told["inputs"]] == [("orders.csv", len(orders().encode()))]
    assert (told["rows"], told["seconds"], told["tracked"]) == ({"rows": 3}, {"read": 0.5}, "id1")
    assert (told["scheme"], told["scheme_sha256"]) == (f"five_step {scheme.version}", scheme.sha256)
    assert str(tmp_path) not in json.dumps(told["inputs"])
