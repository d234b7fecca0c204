"""What goes to the tracking store names no customer; the folder of the run does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest

from tests.bad_inputs.command_kit import RUN_FILE, command, orders
from tests.publish.samples import make_findings
from tierlens.grading import load_scheme
from tierlens.pipeline.results import _params, shareable
from tierlens.publish.lists.activities import Known
from tierlens.words import Private, Text
from tierlens.workspace.config import config_of_text


def test_what_is_shared_has_no_spotlights(tmp_path: Path) -> None:
    findings = make_findings()
    ids = [line.customer_id for spot in findings.spotlights for line in spot.lines]
    assert ids
    written = shareable(findings, tmp_path, "en", None)
    assert [path.name for path in written] == ["report.html", "findings.json"]
    said = "".join(path.read_text("utf-8") for path in written)
    assert not [one for one in ids if one in said]
    assert '"spotlights": []' in said


def test_what_is_shared_names_nobody_who_signed_and_no_amount(tmp_path: Path) -> None:
    note = Private.of(Text("Waived; Zhang Wei signed", "张伟签署"), Text("a waiver lets it through", "豁免准许"))
    largest = Private.of(Text("the largest is 123,456.78", "最大值为 123,456.78"), Text("the rule asks", "规则要求"))
    findings = make_findings()
    known = Known((), (), reading=(largest,))
    findings = replace(findings, notes=(note,), known=known)
    for path in shareable(findings, tmp_path, "zh", None):
        said = path.read_text("utf-8")
        assert "豁免准许" in said
        assert not [one for one in ("Zhang Wei", "张伟", "123,456.78") if one in said]
    params = _params_of(note)
    assert params["churn_leak_gate"] == "a waiver lets it through"


def _params_of(note: Text) -> dict[str, object]:
    prepared = SimpleNamespace(scheme=load_scheme("five_step"))
    learned = SimpleNamespace(outcome="churn", notes=(note,), params={})
    return _params(config_of_text(RUN_FILE), prepared, [learned])  # type: ignore[arg-type]


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
