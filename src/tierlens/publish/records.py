"""What a run hands to the tracking store, as plain values: parameters, figures, data by digest, models by folder."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ALLOWED = frozenset({".html", ".json", ".md", ".svg", ".txt", ".yaml", ".yml"})
"""Kinds of files that may go into the store; tables and lists of customers may not."""
REFUSED = "E-TK-002"
"""Code of the error when the tracking store refuses."""


@dataclass(frozen=True)
class DataRecord:
    """The data of a run, by name and digest; never a value of it.

    Parameters
    ----------
    name : str
    digest : str
        Hash of the input, at most 36 letters are kept.
    rows : int
    columns : mapping of str to str
        Name and type of each feature.
    """

    name: str
    digest: str
    rows: int
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelRecord:
    """A model to be registered.

    Parameters
    ----------
    name : str
        Name in the registry, such as ``online-retail-churn``.
    folder : Path
        What ``RiskClassifier.save`` wrote.
    features : tuple of str
        Input columns, in order; numbers, missing allowed.
    metric : str
        By which champions are compared; higher is better.
    value : float
        Of that metric, on the test cutoffs.
    metrics : mapping of str to float
        Further figures of this model.
    requirements : tuple of str
        Packages that it needs, such as ``lightgbm==4.7.0``; asking mlflow to find them takes seconds.
    kind : {"model", "baseline"}
        A baseline competes for the same name where it is shown to rank better than the model.
    """

    name: str
    folder: Path
    features: tuple[str, ...]
    metric: str
    value: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    requirements: tuple[str, ...] = ()
    kind: str = "model"


@dataclass(frozen=True)
class RunRecord:
    """What one run hands over to the store.

    Parameters
    ----------
    experiment : str
        Usually the project's name.
    name : str
    params : mapping
    metrics : mapping of str to float
        Those that are not finite are left out.
    data : DataRecord
    models : tuple of ModelRecord
    files : tuple of Path
        The report and such; see ``ALLOWED``.
    pictures : mapping of str to str
        SVG by name.
    """

    experiment: str
    name: str
    params: Mapping[str, object]
    metrics: Mapping[str, float]
    data: DataRecord
    models: tuple[ModelRecord, ...] = ()
    files: tuple[Path, ...] = ()
    pictures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TrialRecord:
    """One trial of a search: its settings, its value (missing where it was stopped early), and what became of it."""

    number: int
    settings: Mapping[str, object]
    value: float | None
    state: str


@dataclass(frozen=True)
class SearchRecord:
    """What a search hands over to the store.

    Parameters
    ----------
    experiment, name : str
    params : mapping
        The best settings.
    metrics : mapping of str to float
    trials : tuple of TrialRecord
        Each becomes a run nested in that of the search.
    """

    experiment: str
    name: str
    params: Mapping[str, object]
    metrics: Mapping[str, float]
    trials: tuple[TrialRecord, ...]


@dataclass(frozen=True)
class Registered:
    """A version in the registry, and whether it became champion."""

    name: str
    version: int
    is_champion: bool


@dataclass(frozen=True)
class TrackedRun:
    """Where a run is found again."""

    uri: str
    experiment_id: str
    run_id: str
    models: tuple[Registered, ...]


def is_better(model: ModelRecord, standing: Mapping[str, str] | None) -> bool:
    """Say whether a model takes the place of the standing champion.

    Parameters
    ----------
    model : ModelRecord
    standing : mapping of str to str, optional
        The champion's tags ``metric`` and ``value``; None when there is no champion. Where the metrics are not the
        same, nothing is comparable and the champion stays until a person moves the alias.

    Examples
    --------
    >>> new = ModelRecord("churn", Path("."), (), "auc", 0.80)
    >>> is_better(new, None), is_better(new, {"metric": "auc", "value": "0.80"}), is_better(new, {"metric": "ap"})
    (True, False, False)
    """
    if standing is None:
        return math.isfinite(model.value)
    return standing.get("metric") == model.metric and model.value > float(standing.get("value", "inf"))
