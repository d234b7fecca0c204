"""What a run hands to the tracking store, as plain values: parameters, figures, data by digest, models by folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tierlens.errors import UsageError
from tierlens.words import Text

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

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
class Foretold:
    """What a model foretold of its test cutoffs beside what happened, shape (n,) each; ids never reach the store.

    Parameters
    ----------
    customers : array of str
    cutoffs : array of int
    happened : array of {0, 1}
    risk : array of float
        Or any score that ranks by risk.
    """

    customers: npt.NDArray[Any]
    cutoffs: npt.NDArray[np.int64]
    happened: npt.NDArray[Any]
    risk: npt.NDArray[np.float64]


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
        By which it is judged; higher is better. Champions of another metric are never replaced.
    value : float
        Of that metric, on the test cutoffs.
    metrics : mapping of str to float
        Further figures of this model.
    requirements : tuple of str
        Packages that it needs, such as ``lightgbm==4.7.0``; asking mlflow to find them takes seconds.
    kind : {"model", "baseline"}
        A baseline competes for the same name where it is shown to rank better than the model.
    tested : Foretold, optional
        By which champions are compared; without it the standing champion stays.
    """

    name: str
    folder: Path
    features: tuple[str, ...]
    metric: str
    value: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    requirements: tuple[str, ...] = ()
    kind: str = "model"
    tested: Foretold | None = None


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


def refuse_tables(record: RunRecord) -> None:
    """Refuse a run with files that may hold customers.

    Raises
    ------
    UsageError
        ``E-TK-001`` with the file.
    """
    for path in record.files:
        if path.suffix.lower() not in ALLOWED:
            raise UsageError(
                "E-TK-001",
                Text(
                    f"{path.suffix!r} files may hold customers and are not tracked",
                    f"{path.suffix!r} 文件可能含客户信息，不予跟踪",
                ),
                where=path.name,
                fix=Text("track the report", "请跟踪报告"),
            )


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
    """A version in the registry, whether it became champion, and why."""

    name: str
    version: int
    is_champion: bool
    why: Text

    def say(self) -> Text:
        """Return what became of the version as one sentence."""
        en, zh = ("champion", "现用模型") if self.is_champion else ("challenger", "挑战模型")
        return Text(
            f"{self.name}, version {self.version}, is {en} in the registry: {self.why.en}",
            f"{self.name} 第 {self.version} 版在模型库中为{zh}：{self.why.zh}",
        )


@dataclass(frozen=True)
class TrackedRun:
    """Where a run is found again."""

    uri: str
    experiment_id: str
    run_id: str
    models: tuple[Registered, ...]
