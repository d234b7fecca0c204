"""Tracking: one MLflow run with all that is needed to judge and repeat it. The only file that knows mlflow.

Only clients with an explicit address are used, so no state of mlflow is changed and a training thread may run beside.
Models are logged as the plain files that they save themselves, with a loader (``publish.served``) and no pickle.
"""

from __future__ import annotations

import errno
import json
import math
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tierlens.errors import MissingExtraError, TierlensError, UsageError
from tierlens.publish.tracking import open_runs, store_address
from tierlens.publish.tracking.champion import Kept, decide_champion, kept_of, readable_test
from tierlens.publish.tracking.records import (
    REFUSED,
    ModelRecord,
    Registered,
    RunRecord,
    SearchRecord,
    TrackedRun,
    TrialRecord,
    refuse_tables,
)
from tierlens.publish.tracking.registry import give_names, standing_champion, tags_of
from tierlens.publish.tracking.secret import key_of
from tierlens.scratch import HeldError, scratch_folder, temporary_folder
from tierlens.words import Text

TESTED = "tested"
"""Tag and folder of what a model foretold of its test cutoffs."""

_BATCH = 100
_LONGEST = 6000


def warm_up(home: Path, uri: str | None = None) -> None:
    """Import mlflow and make the store's tables: seconds the first time. Call it in a thread while models train.

    Raises
    ------
    UsageError
        ``E-TK-002`` when the store refuses.
    MissingExtraError
        When ``tierlens[track]`` is not installed.
    """
    address = store_address.store_uri(home, uri)
    with _told(address), store_address.locked_store(address):
        _ask(_client(address))
        import mlflow.pyfunc  # noqa: F401  used later by ``track``


def track_run(record: RunRecord, home: Path, uri: str | None = None, *, is_over: bool = True) -> TrackedRun:
    """Keep one run: parameters, metrics, data set, models, pictures and report.

    Parameters
    ----------
    record : RunRecord
    home : Path
        Folder of the SQLite store and its files, where no other store is named.
    uri : str, optional
        See ``store_address.store_uri``.
    is_over : bool
        Whether the run is at its end; else it is ``RUNNING``, and its models have no names in the registry, until
        :func:`end_run` says how it ended.

    Returns
    -------
    TrackedRun
        Models with the names that they have, or shall have when the run is over.

    Raises
    ------
    UsageError
        ``E-TK-001`` for a kind of file that may hold customers, ``E-TK-002`` when the store refuses.
    MissingExtraError
        When ``tierlens[track]`` is not installed.
    """
    refuse_tables(record)
    address = store_address.store_uri(home, uri)
    with _told(address), store_address.locked_store(address):
        client = _client(address)
        experiment = _experiment(client, record.experiment, home, address)
        open_runs.end_those_of_dead(client, experiment)
        with open_runs.begun_run(client, experiment, record.name, {"mlflow.source.name": "tierlens run"}) as info:
            _log(client, info.run_id, record)
            models = _register_all(client, info, record.models, (home, address))
        if is_over:
            models = _end(client, info.run_id)
    return TrackedRun(address, experiment, info.run_id, models)


def end_run(run_id: str, home: Path, status: str = "FINISHED", uri: str | None = None) -> tuple[Registered, ...]:
    """Say how a run that is not over ended: ``FINISHED``, ``FAILED`` or ``KILLED``.

    Returns
    -------
    tuple of Registered
        The models that got their names in the registry; none of a run that did not come to its end.

    Raises
    ------
    UsageError
        ``E-TK-002`` when the store refuses.
    """
    address = store_address.store_uri(home, uri)
    with _told(address), store_address.locked_store(address):
        return _end(_client(address), run_id, status)


def _end(client: Any, run_id: str, status: str = "FINISHED") -> tuple[Registered, ...]:
    open_runs.end_run(client, run_id, status)
    return give_names(client, run_id) if status == "FINISHED" else ()


def track_search(record: SearchRecord, home: Path, uri: str | None = None) -> str:
    """Keep a search: one run for it, and in it one for each trial; return the id of the outer one.

    Raises
    ------
    UsageError
        ``E-TK-002`` when the store refuses.
    """
    address = store_address.store_uri(home, uri)
    with _told(address), store_address.locked_store(address):
        client = _client(address)
        experiment = _experiment(client, record.experiment, home, address)
        tags = {"mlflow.source.name": "tierlens tune"}
        open_runs.end_those_of_dead(client, experiment)
        with open_runs.begun_run(client, experiment, record.name, tags) as info:
            _log_params(client, info.run_id, record.params)
            _log_metrics(client, info.run_id, record.metrics)
            for trial in record.trials:
                _log_trial(client, experiment, trial, {**tags, "mlflow.parentRunId": info.run_id})
        open_runs.end_run(client, info.run_id)
    return str(info.run_id)


def _log_trial(client: Any, experiment: str, trial: TrialRecord, tags: Mapping[str, str]) -> None:
    with open_runs.begun_run(client, experiment, f"trial {trial.number}", tags) as info:
        _log_params(client, info.run_id, trial.settings)
        _log_metrics(client, info.run_id, {} if trial.value is None else {"auc": trial.value})
        open_runs.end_run(client, info.run_id, "FINISHED" if trial.state == "complete" else "KILLED")


def champion_folder(name: str, home: Path, uri: str | None = None) -> Path:
    """Return the folder of the champion's files, for ``RiskClassifier.load``, or ``load_plain`` where a baseline won.

    Raises
    ------
    UsageError
        ``E-TK-003`` when there is no champion of that name.
    """
    address = store_address.store_uri(home, uri)
    with _told(address), store_address.locked_store(address):
        client = _client(address)
        known = client.search_registered_models(filter_string=f"name = '{_quoted(name)}'")
        standing = standing_champion(client, name) if known else None
        if standing is None:
            raise UsageError(
                "E-TK-003",
                Text(f"there is no champion {name!r}", f"没有名为 {name!r} 的冠军模型"),
                where=address,
                fix=Text("run 'tierlens run' first", "请先运行 tierlens run"),
            )
        import mlflow.artifacts

        files = Path(mlflow.artifacts.download_artifacts(artifact_uri=standing.source, tracking_uri=address))
    return next(folder for folder in sorted((files / "data").iterdir()) if folder.is_dir())


@contextmanager
def _told(address: str) -> Iterator[None]:
    """Turn what the store says into an error of ours; keep its chatter down."""
    # mlflow reads these when it is imported; what the user has set stays as it is.
    for name, value in store_address.ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow.exceptions import MlflowException
    except ImportError:
        raise MissingExtraError("track", "mlflow") from None
    try:
        yield
    except TierlensError:
        raise
    except Exception as problem:
        if not isinstance(problem, MlflowException | OSError | HeldError) and not store_address.is_of_the_store(
            problem
        ):
            raise
        raise UsageError(
            REFUSED,
            store_address.refusal_line(problem),
            where=address,
            fix=Text("check MLFLOW_TRACKING_URI, or run without tracking", "请检查 MLFLOW_TRACKING_URI，或关闭跟踪"),
        ) from problem


def _client(address: str) -> Any:
    """Return a client of a store; one of a file is made first, aside, so that it appears with all of its tables."""
    file = store_address.file_of(address)
    if file is not None and file.exists() and not (file.is_file() and os.access(file, os.R_OK)):
        # mlflow would try for minutes to open it
        raise OSError(errno.EACCES, "this is no file that can be read")
    if file is not None and not file.exists():
        with scratch_folder(file.parent) as folder:
            new = folder / file.name
            _ask(_client_of(f"{store_address.SQLITE}{new}"))
            with suppress(FileExistsError):  # another command was first; its store is used
                store_address.place_file(new, file)
    return _client_of(address)


def _client_of(address: str) -> Any:
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=address, registry_uri=address)


def _ask(client: Any) -> None:
    """Ask for something of each kind; a store without tables makes them."""
    _ = client.search_experiments(max_results=1), client.search_registered_models(max_results=1)


def _experiment(client: Any, name: str, home: Path, address: str) -> str:
    """Return the experiment's id; a local one keeps its files beside its database, a server decides itself."""
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    place = store_address.artifact_address(home) if address.startswith("sqlite:") else None
    # The kind lets the store's pages show runs and models first, not chats.
    kind = {"mlflow.experimentKind": "custom_model_development"}
    return str(client.create_experiment(name, artifact_location=place, tags=kind))


def _log(client: Any, run_id: str, record: RunRecord) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    _log_params(client, run_id, record.params)
    _log_metrics(client, run_id, record.metrics)
    data = record.data
    schema = {"mlflow_colspec": [{"name": name, "type": kind} for name, kind in sorted(data.columns.items())]}
    source = Dataset(name=data.name, digest=data.digest[:36], source_type="local", source="{}",
                     schema=json.dumps(schema), profile=json.dumps({"num_rows": data.rows}))  # fmt: skip
    client.log_inputs(run_id, [DatasetInput(source, [InputTag("mlflow.data.context", "training")])])
    for path in record.files:
        client.log_artifact(run_id, str(path))
    for name, svg in sorted(record.pictures.items()):
        client.log_text(run_id, svg, f"pictures/{name}.svg")


def _log_params(client: Any, run_id: str, given: Mapping[str, object]) -> None:
    from mlflow.entities import Param

    params = [Param(key, str(value)[:_LONGEST]) for key, value in sorted(given.items())]
    for start in range(0, len(params), _BATCH):
        client.log_batch(run_id, params=params[start : start + _BATCH])


def _log_metrics(client: Any, run_id: str, metrics: Mapping[str, float], model_id: str | None = None) -> None:
    from mlflow.entities import Metric
    from mlflow.utils.time import get_current_time_millis

    moment = get_current_time_millis()
    found = [Metric(key, float(value), moment, 0, model_id=model_id) for key, value in sorted(metrics.items())
             if math.isfinite(value)]  # fmt: skip
    for start in range(0, len(found), _BATCH):
        client.log_batch(run_id, metrics=found[start : start + _BATCH])


def _register_all(
    client: Any, info: Any, models: Sequence[ModelRecord], where: tuple[Path, str]
) -> tuple[Registered, ...]:
    """Register the models of a run, each held against the champion or one of the run that shall be.

    ``where`` is the run home, whose secret keys what is kept, and the address of the store.
    """
    if not models:
        return ()
    key, address = key_of(where[0]), where[1]
    winners: dict[str, Any] = {}
    done = []
    for model in models:
        _registry(client, model.name)
        pair = model, winners.get(model.name) or standing_champion(client, model.name)
        found = _register(client, info, pair, (address, key))
        done.append(found)
        if found.is_champion:
            winners[model.name] = client.get_model_version(found.name, str(found.version))
    return tuple(done)


def _register(client: Any, info: Any, pair: tuple[ModelRecord, Any | None], how: tuple[str, bytes]) -> Registered:
    """Log a model, register it, and decide whether it is shown to be better than the standing champion."""
    (model, standing), (address, key) = pair, how
    from mlflow.entities import LoggedModelOutput

    logged = client.create_logged_model(info.experiment_id, name=model.name, source_run_id=info.run_id)
    with scratch_folder(temporary_folder()) as folder:
        place = folder / "model"
        _save(model, place, logged.model_id)
        client.log_model_artifacts(logged.model_id, str(place))
    client.finalize_logged_model(logged.model_id, "READY")
    client.log_outputs(info.run_id, [LoggedModelOutput(logged.model_id, step=0)])
    figures = {**model.metrics, model.metric: model.value}
    name = model.name if model.kind == "model" else f"{model.name}.{model.kind}"
    _log_metrics(client, info.run_id, {f"{name}.{key}": value for key, value in figures.items()}, logged.model_id)
    decision = decide_champion(model, standing.tags if standing is not None else None, _kept(client, standing), key)
    tags = {"metric": model.metric, "value": repr(float(model.value)), "kind": model.kind,
            **tags_of(Registered(model.name, 0, decision.wins, decision.why), standing)}  # fmt: skip
    if model.tested is not None:
        tags[TESTED] = f"{TESTED}/{name}.json"
        client.log_text(info.run_id, json.dumps(kept_of(model.tested, key)), tags[TESTED])
    # A server resolves the model's id; the local registry would ask the process-wide store for it.
    source = f"models:/{logged.model_id}" if address.startswith("http") else logged.artifact_location
    version = client.create_model_version(model.name, source, run_id=info.run_id, tags=tags, model_id=logged.model_id)
    return Registered(model.name, int(version.version), decision.wins, decision.why)


def _kept(client: Any, standing: Any | None) -> Kept | None:
    """Return what the store keeps of the champion's test; None where it keeps nothing that can be read."""
    if standing is None or TESTED not in standing.tags:
        return None
    from mlflow.exceptions import MlflowException

    with scratch_folder(temporary_folder()) as folder, suppress(MlflowException, OSError, ValueError):
        file = client.download_artifacts(standing.run_id, standing.tags[TESTED], str(folder))
        return readable_test(json.loads(Path(file).read_text("utf-8")))
    return None


def _registry(client: Any, name: str) -> None:
    """Make a registered model where there is none of that name."""
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as problem:
        if problem.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _quoted(name: str) -> str:
    return name.replace("'", "''")


def _save(model: ModelRecord, place: Path, model_id: str) -> None:
    import mlflow.pyfunc
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ColSpec, Schema

    from tierlens import __version__

    inputs = Schema([ColSpec("double", name, required=False) for name in model.features])
    signature = ModelSignature(inputs, Schema([ColSpec("double", "risk")]))
    # Not around more than this: filters belong to the whole process, and ``warm_up`` runs in a thread of its own.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*input example.*")
        mlflow.pyfunc.save_model(
            str(place),
            loader_module="tierlens.publish.served",
            data_path=str(model.folder),
            signature=signature,
            pip_requirements=[f"tierlens=={__version__}", *model.requirements],
            mlflow_model=Model(model_id=model_id),
        )
