"""One tracked run can be read back, models load without pickle, and only a better model becomes champion."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tierlens.errors import UsageError
from tierlens.publish.served import Served, _load_pyfunc
from tierlens.publish.tracking import open_runs
from tierlens.publish.tracking.champion import auc_difference, decide_champion, kept_of, readable_test
from tierlens.publish.tracking.mlflow_store import (
    champion_folder,
    end_run,
    track_run,
    track_search,
    warm_up,
)
from tierlens.publish.tracking.records import DataRecord, Foretold, ModelRecord, RunRecord, SearchRecord, TrialRecord
from tierlens.publish.tracking.store_address import serve_command, store_uri
from tierlens.risk.evaluation.plain_baseline import Plain
from tierlens.scratch import locked_place

# Both come from mlflow's own modules when they are imported.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
]

KEY = b"a secret of tests"
CONTENT = '{"made": "by hand"}'


def a_test(worth: float, cutoffs: tuple[int, ...] = (100, 200), noise: int = 1, size: int = 300) -> Foretold:
    """The same customers and outcomes at a cutoff every time; the risk knows so much of who leaves."""
    days = np.repeat(cutoffs, size)
    names = np.array([f"KUNDE-{number:04d}" for number in range(size)] * len(cutoffs))
    truth = np.concatenate([np.random.default_rng(day).random(size) for day in cutoffs])
    chance = np.random.default_rng(noise).random(len(truth))
    return Foretold(names, days, (truth > 0.7).astype(int), worth * truth + (1 - worth) * chance)


def make_record(folder: Path, value: float = 0.8) -> RunRecord:
    saved = folder / "saved"
    saved.mkdir(exist_ok=True)
    (saved / "model.json").write_text(CONTENT)
    report = folder / "report.html"
    report.write_text("<!doctype html>")
    model = ModelRecord(
        "shop-churn", saved, ("recency_days", "frequency"), "auc", value, {"brier": 0.17}, ("lightgbm",),
        tested=a_test(value - 0.4, noise=int(value * 1000)),
    )  # fmt: skip
    data = DataRecord("shop", "0" * 64, 100, {"recency_days": "double"})
    params = {f"p{place:03d}": place for place in range(130)}
    return RunRecord(
        "shop", "run", params, {"churn.auc": value, "bad": float("nan")}, data, (model,), (report,), {"lift": "<svg/>"}
    )


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """Three runs in one store: the second is a little better by chance, the third clearly. Making it takes seconds."""
    home = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        warm_up(home)
        return home, [track_run(make_record(home, value), home) for value in (0.8, 0.801, 1.1)]


def client_of(home: Path) -> Any:
    from mlflow.tracking import MlflowClient

    address = f"sqlite:///{home / 'mlflow.db'}"
    return MlflowClient(tracking_uri=address, registry_uri=address)


def test_run_reads_back(tracked: tuple[Path, list[Any]]) -> None:
    home, runs = tracked
    client = client_of(home)
    run = client.get_run(runs[0].run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["p129"] == "129"
    assert run.data.metrics == {"churn.auc": 0.8, "shop-churn.auc": 0.8, "shop-churn.brier": 0.17}
    data = run.inputs.dataset_inputs[0].dataset
    assert (data.name, data.digest) == ("shop", "0" * 36)
    assert len(run.outputs.model_outputs) == 1
    assert {file.path for file in client.list_artifacts(run.info.run_id)} == {"pictures", "report.html", "tested"}


def test_champion_moves_only_to_a_better_model(tracked: tuple[Path, list[Any]]) -> None:
    home, runs = tracked
    assert [(run.models[0].version, run.models[0].is_champion) for run in runs] == [(1, True), (2, False), (3, True)]
    aliases = client_of(home).get_registered_model("shop-churn").aliases
    assert {alias: str(version) for alias, version in aliases.items()} == {"champion": "3", "challenger": "2"}


def test_model_is_plain_files_with_a_signature(tracked: tuple[Path, list[Any]]) -> None:
    from mlflow.models import Model

    home, _ = tracked
    folder = champion_folder("shop-churn", home)
    assert (folder / "model.json").read_text() == CONTENT
    place = folder.parents[1]
    assert not [path for path in place.rglob("*") if path.suffix in {".pkl", ".pickle", ".cloudpickle", ".joblib"}]
    model = Model.load(str(place))
    assert model.signature.inputs.input_names() == ["recency_days", "frequency"]
    assert model.flavors["python_function"]["loader_module"] == "tierlens.publish.served"
    assert "lightgbm" in (place / "requirements.txt").read_text().splitlines()
    assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"


def test_champion_loads_through_the_store_and_holds_to_its_signature(
    tracked: tuple[Path, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow.pyfunc
    from mlflow.exceptions import MlflowException

    class Loaded:
        """Stands for the risk model; its own saving and loading is tested where it lives."""

        @classmethod
        def load(cls, folder: Path) -> Loaded:
            assert (folder / "model.json").read_text() == CONTENT
            return cls()

        def predict_proba(self, features: pd.DataFrame) -> Any:
            assert features.columns.tolist() == ["recency_days", "frequency"]
            return np.full((len(features), 2), 0.5)

    monkeypatch.setitem(sys.modules, "tierlens.risk.model.classifier", SimpleNamespace(RiskClassifier=Loaded))
    home, _ = tracked
    model = mlflow.pyfunc.load_model(str(champion_folder("shop-churn", home).parents[1]))
    features = pd.DataFrame({"frequency": [1.0, 2.0], "recency_days": [3.0, np.nan]})
    assert model.predict(features)["risk"].tolist() == [0.5, 0.5]
    with pytest.raises(MlflowException, match="Incompatible input types"):
        model.predict(features.assign(frequency=["a", "b"]))


def test_no_champion_is_told_and_nothing_is_made(tracked: tuple[Path, list[Any]]) -> None:
    home, _ = tracked
    with pytest.raises(UsageError, match=r"E-TK-003 .*: there is no champion 'shop-other'"):
        champion_folder("shop-other", home)
    assert [model.name for model in client_of(home).search_registered_models()] == ["shop-churn"]


def test_a_run_that_fails_is_marked_so(tracked: tuple[Path, list[Any]]) -> None:
    home, _ = tracked
    record = make_record(home)
    broken = replace(record, models=(replace(record.models[0], folder=home / "nowhere"),))
    with pytest.raises(UsageError, match=r"E-TK-002 .*nowhere"):
        track_run(broken, home)
    client = client_of(home)
    newest = client.search_runs([client.get_experiment_by_name("shop").experiment_id])[0]
    assert newest.info.status == "FAILED"


def test_a_run_is_over_when_it_is_said_and_a_dead_process_has_none(tracked: tuple[Path, list[Any]]) -> None:
    home, _ = tracked
    open_run, dead = (track_run(replace(make_record(home), models=()), home, is_over=False).run_id for _ in range(2))
    client = client_of(home)
    assert [client.get_run(one).info.status for one in (open_run, dead)] == ["RUNNING", "RUNNING"]
    end_run(open_run, home)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    client.set_tag(dead, open_runs.TAG, open_runs.process_mark(gone.pid).replace("gone", "1"))
    alive = track_run(replace(make_record(home), models=()), home, is_over=False).run_id
    track_run(replace(make_record(home), models=()), home)
    said = [client.get_run(one).info.status for one in (open_run, dead, alive)]
    assert said == ["FINISHED", "KILLED", "RUNNING"]
    end_run(alive, home, "FAILED")


def named(record: RunRecord, name: str) -> RunRecord:
    return replace(record, models=tuple(replace(model, name=name) for model in record.models))


def aliases(home: Path, name: str) -> dict[str, str]:
    return {alias: str(one) for alias, one in client_of(home).get_registered_model(name).aliases.items()}


@pytest.mark.parametrize("status", ["KILLED", "FAILED"])
def test_a_run_that_does_not_come_to_its_end_has_no_champion(tracked: tuple[Path, list[Any]], status: str) -> None:
    home, _ = tracked
    name = f"shop-{status.lower()}"
    broken = track_run(named(make_record(home), name), home, is_over=False)
    assert broken.models[0].is_champion  # if it comes to its end
    assert aliases(home, name) == {}
    assert end_run(broken.run_id, home, status) == ()
    assert aliases(home, name) == {}
    whole = track_run(named(make_record(home), name), home, is_over=False)
    assert whole.models[0].why.en == "it is the first of its name"
    assert end_run(whole.run_id, home) == whole.models
    assert aliases(home, name) == {"champion": "2"}
    assert client_of(home).get_model_version(name, "2").tags["decision"] == "it is the first of its name"


def test_of_two_runs_on_their_way_the_first_to_end_keeps_the_name(tracked: tuple[Path, list[Any]]) -> None:
    home, _ = tracked
    one, other = (track_run(named(make_record(home), "shop-two"), home, is_over=False).run_id for _ in range(2))
    assert [model.is_champion for model in end_run(other, home)] == [True]
    (late,) = end_run(one, home)
    assert not late.is_champion
    assert late.why.en.startswith("the champion stays: another run took the name")
    assert aliases(home, "shop-two") == {"champion": "2", "challenger": "1"}
    assert client_of(home).get_model_version("shop-two", "1").tags["decision"] == late.why.en


def test_a_search_that_is_broken_off_is_marked_so(
    tracked: tuple[Path, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, _ = tracked
    trials = tuple(TrialRecord(number, {"rounds": 80}, 0.8, "complete") for number in range(2))
    real = open_runs.end_run

    def broken(client: Any, run_id: str, status: str = "FINISHED") -> None:
        if status == "FINISHED" and client.get_run(run_id).info.run_name == "trial 1":
            raise KeyboardInterrupt
        real(client, run_id, status)

    monkeypatch.setattr(open_runs, "end_run", broken)
    with pytest.raises(KeyboardInterrupt):
        track_search(SearchRecord("broken search", "tune", {}, {}, trials), home)
    client = client_of(home)
    found = client.search_runs([client.get_experiment_by_name("broken search").experiment_id])
    said = {run.info.run_name: run.info.status for run in found}
    assert said == {"tune": "KILLED", "trial 0": "FINISHED", "trial 1": "KILLED"}
    assert all(open_runs.TAG in run.data.tags for run in found)


@pytest.mark.parametrize("mark", ["", "other machine 1 2", "x 1 2 3", "{mark} more"])
def test_nothing_is_known_of_other_marks(mark: str) -> None:
    assert not open_runs.is_dead(mark.format(mark=open_runs.process_mark()))


@pytest.mark.parametrize("other", ["_MACHINE", "_NUMBERED"])
def test_nothing_is_known_of_processes_of_another_machine_or_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    place = tmp_path / "machine"
    place.write_text("another") if other == "_MACHINE" else place.symlink_to("pid:[1]")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert open_runs.is_dead(open_runs.process_mark(gone.pid).replace("gone", "1"))
    with monkeypatch.context() as patch:
        patch.setattr(open_runs, other, place)
        theirs = open_runs.process_mark(gone.pid).replace("gone", "1")
    assert not open_runs.is_dead(theirs)


@pytest.mark.parametrize("name", ["list.csv", "list.xlsx", "customers.parquet"])
def test_files_with_customers_are_refused(tmp_path: Path, name: str) -> None:
    record = replace(make_record(tmp_path), files=(tmp_path / name,))
    with pytest.raises(UsageError, match=rf"E-TK-001 {name}: .* files may hold customers and are not tracked"):
        track_run(record, tmp_path)
    assert not (tmp_path / "mlflow.db").exists()


def test_the_registry_says_why_and_names_no_customer(tracked: tuple[Path, list[Any]]) -> None:
    home, runs = tracked
    said = [run.models[0].say() for run in runs]
    assert said[0].en == "shop-churn, version 1, is champion in the registry: it is the first of its name"
    assert "is challenger in the registry: the champion stays: the new one does not rank" in said[1].en
    assert said[2].en.endswith("600 rows of 2 common cutoffs")
    assert said[2].zh.startswith("shop-churn 第 3 版在模型库中为现用模型：排序更好；AUC 之差（新减旧）+0.")
    client = client_of(home)
    assert client.get_model_version("shop-churn", "2").tags["decision"] == runs[1].models[0].why.en
    file = Path(client.download_artifacts(runs[0].run_id, "tested/shop-churn.json", str(home)))
    assert "KUNDE" not in file.read_text("utf-8")


def a_model(value: float = 0.9, tested: Foretold | None = None) -> ModelRecord:
    return ModelRecord("m", Path(), (), "auc", value, tested=tested)


@pytest.mark.parametrize(
    ("standing", "value", "why"),
    [
        (None, 0.1, "it is the first of its name"),
        (None, float("nan"), "it has no figure to be judged by"),
        ({"metric": "brier", "value": "0.1"}, 0.9, "the champion stays: the two are judged by different metrics"),
        ({}, 0.9, "the champion stays: the two are judged by different metrics"),
        ({"metric": "auc", "value": "0.1"}, 0.9, "the champion stays: nothing is kept of one of the two tests"),
    ],
)
def test_without_a_test_of_both_only_the_first_takes_the_name(
    standing: dict[str, str] | None, value: float, why: str
) -> None:
    found = decide_champion(a_model(value, a_test(0.9)), standing, None, KEY)
    assert found.wins == why.startswith("it is the first")
    assert found.why.en.startswith(why)
    assert found.why.zh


AUC = {"metric": "auc", "value": "0.1"}


@pytest.mark.parametrize(
    ("old", "new", "wins"),
    [(0.3, 0.8, True), (0.8, 0.3, False), (0.5, 0.5, False), (0.5, 0.52, False)],
)
def test_the_name_goes_by_the_interval_of_the_same_customers(old: float, new: float, wins: bool) -> None:
    found = decide_champion(a_model(tested=a_test(new, noise=2)), AUC, kept_of(a_test(old), KEY), KEY)
    assert found.wins is wins


def test_only_cutoffs_with_the_same_customers_and_outcomes_are_common() -> None:
    old = kept_of(a_test(0.3, cutoffs=(100, 200)), KEY)
    new = a_test(0.9, cutoffs=(200, 300))
    found = auc_difference(new, old, KEY)
    assert found is not None
    assert found[1:] == (300, 1)
    fewer = a_test(0.9, cutoffs=(200, 300), size=299)
    assert auc_difference(fewer, old, KEY) is None
    assert "on no cutoff with the same customers" in decide_champion(a_model(tested=fewer), AUC, old, KEY).why.en


def test_common_cutoffs_with_one_outcome_are_told_and_no_error() -> None:
    tested = a_test(0.6)
    same = replace(tested, happened=np.zeros_like(tested.happened))
    found = decide_champion(a_model(tested=same), AUC, kept_of(same, KEY), KEY)
    assert not found.wins
    assert found.why.en.startswith("the champion stays: the two cannot be compared: a figure cannot be computed")
    assert found.why.zh.startswith("保留现用模型：两者无法比较：")


def test_the_same_model_again_is_no_better_where_risks_are_tiny() -> None:
    tested = a_test(0.6)
    tiny = replace(tested, risk=tested.risk * 4e-10)
    edge = auc_difference(tiny, kept_of(tiny, KEY), KEY)
    assert edge is not None
    assert (edge[0].value, edge[0].high) == (0.0, 0.0)


@pytest.mark.parametrize(
    "found",
    [
        *({"1": 5}, [1], 5, None, {"1": {"rows": 1, "risk": []}}, {"1": {"rows": "a"}}),
        *({"1": {"rows": "a", "risk": ["b"]}}, {"1": {"rows": "a", "risk": [float("nan")]}}),
    ],
)
def test_what_is_kept_in_another_shape_is_nothing(found: object) -> None:
    assert readable_test(found) is None


def test_risks_of_another_number_are_of_no_common_cutoff() -> None:
    tested = a_test(0.6, cutoffs=(100,))
    kept = kept_of(tested, KEY)
    assert readable_test(kept) == kept
    kept["100"]["risk"] = kept["100"]["risk"][:-1]
    assert auc_difference(tested, kept, KEY) is None


def test_what_is_kept_cannot_be_tried_out_without_the_secret() -> None:
    tested = a_test(0.6)
    order = np.argsort(tested.customers[tested.cutoffs == 100])
    by_id = np.round(tested.risk[tested.cutoffs == 100][order], 9).tolist()
    kept, other = kept_of(tested, KEY), kept_of(tested, b"another secret")
    assert kept["100"]["risk"] != by_id
    assert sorted(kept["100"]["risk"]) == sorted(by_id)
    assert [kept["100"][name] == other["100"][name] for name in ("key", "rows", "risk")] == [False] * 3
    pairs = [[str(name), int(done)] for name, done in zip(tested.customers, tested.happened, strict=True)][:300]
    plain = hashlib.sha256(json.dumps(sorted(pairs)).encode()).hexdigest()
    assert kept["100"]["rows"] != plain


def test_what_another_secret_kept_cannot_be_compared_and_the_reason_says_so() -> None:
    found = decide_champion(a_model(tested=a_test(0.9)), AUC, kept_of(a_test(0.3), b"another secret"), KEY)
    assert not found.wins
    assert "kept under the secret of another run home or machine" in found.why.en
    assert "密钥" in found.why.zh


def test_the_secret_is_for_its_owner_alone_and_never_in_the_store(tracked: tuple[Path, list[Any]]) -> None:
    home, _ = tracked
    file = home / ".tierlens-key"
    secret = file.read_bytes()
    assert (len(secret), file.stat().st_mode & 0o777) == (32, 0o600)
    others = [path for path in home.rglob("*") if path.is_file() and path != file]
    assert not [path for path in others for one in (secret, secret.hex().encode()) if one in path.read_bytes()]


def test_the_order_of_rows_is_nothing() -> None:
    one = a_test(0.6)
    order = np.random.default_rng(0).permutation(len(one.risk))
    other = Foretold(one.customers[order], one.cutoffs[order], one.happened[order], one.risk[order])
    assert kept_of(one, KEY) == kept_of(other, KEY)
    edge = auc_difference(other, kept_of(one, KEY), KEY)
    assert edge is not None
    assert edge[0].value == pytest.approx(0.0, abs=1e-6)


def test_store_is_named_by_argument_then_environment_then_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert store_uri(tmp_path) == f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking.example")
    assert store_uri(tmp_path) == "http://tracking.example"
    assert store_uri(tmp_path, "sqlite:///other.db") == "sqlite:///other.db"


def test_server_runs_in_its_light_setting(tmp_path: Path) -> None:
    command, extra = serve_command(tmp_path, port=5055)
    assert command[command.index("--workers") + 1] == "1"
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[-1] == "5055"
    assert extra["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"


def test_served_model_gives_the_second_column_as_risk() -> None:
    class Model:
        def predict_proba(self, features: pd.DataFrame) -> Any:
            risk = features["recency_days"].to_numpy() / 100
            return np.column_stack([1 - risk, risk])

    features = pd.DataFrame({"recency_days": [10.0, 90.0]}, index=["a", "b"])
    found = Served(Model()).predict(features)
    assert found["risk"].tolist() == [0.1, 0.9]
    assert found.index.tolist() == ["a", "b"]


def test_each_trial_of_a_search_is_a_run_inside_it(tracked: tuple[Path, list[Any]]) -> None:
    home, _ = tracked
    trials = (TrialRecord(0, {"rounds": 80}, 0.81, "complete"), TrialRecord(1, {"rounds": 60}, None, "pruned"))
    outer = track_search(SearchRecord("shop", "tune shop", {"rounds": 80}, {"auc_best": 0.81}, trials), home)
    client = client_of(home)
    run = client.get_run(outer)
    assert (run.data.params, run.data.metrics) == ({"rounds": "80"}, {"auc_best": 0.81})
    filter_ = f"tags.mlflow.parentRunId = '{outer}'"
    inner = {one.info.run_name: one for one in client.search_runs([run.info.experiment_id], filter_)}
    assert {name: one.info.status for name, one in inner.items()} == {"trial 0": "FINISHED", "trial 1": "KILLED"}
    assert inner["trial 0"].data.metrics == {"auc": 0.81}
    assert inner["trial 1"].data.metrics == {}


def test_a_baseline_that_ranked_better_takes_the_name(tracked: tuple[Path, list[Any]], tmp_path: Path) -> None:
    home, _ = tracked
    model, rule = tmp_path / "model", tmp_path / "rule"
    model.mkdir()
    (model / "model.json").write_text(CONTENT)
    Plain(("recency_days",), weights=(0.1,)).save(rule)
    records = (
        ModelRecord("shop-fall", model, ("recency_days",), "auc", 0.7, {}, ("lightgbm",), "model", a_test(0.3)),
        ModelRecord("shop-fall", rule, ("recency_days",), "auc", 0.8, {}, ("lightgbm",), "baseline", a_test(0.8)),
    )
    data = DataRecord("shop", "0" * 32, 10)
    done = track_run(RunRecord("shop", "two", {}, {}, data, records), home)
    assert [one.is_champion for one in done.models] == [True, True]
    served = _load_pyfunc(str(champion_folder("shop-fall", home)))
    assert served.predict(pd.DataFrame({"recency_days": [0.0]}))["risk"].tolist() == [0.5]
    metrics = client_of(home).get_run(done.run_id).data.metrics
    assert metrics == {"shop-fall.auc": 0.7, "shop-fall.baseline.auc": 0.8}


def test_no_command_asks_a_store_that_another_writes_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr("tierlens.publish.tracking.store_address.PATIENCE", 0.0)
    with locked_place(tmp_path / "mlflow.db"), pytest.raises(UsageError, match="is writing to the store") as caught:
        warm_up(tmp_path)
    assert caught.value.code == "E-TK-002"
    assert not (tmp_path / "mlflow.db").exists()
