"""A whole run from Python, as ``tierlens run`` does it, and its results as frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from tierlens.api.native_frames import Library, as_library
from tierlens.words import Lang


@dataclass(frozen=True)
class Run:
    """A finished run.

    Parameters
    ----------
    folder : Path
        Where its files are.
    frames : {"pandas", "polars", "pyarrow"}
        Library of its tables.
    verdicts : dict of str to str
        In one sentence for each outcome: whether the model ranks better than simple baselines.
    """

    folder: Path
    frames: Library
    verdicts: dict[str, str]

    @property
    def report(self) -> Path:
        """The report, one HTML file."""
        return self.folder / "report.html"

    def table(self, name: str = "customers") -> Any:
        """Return a table of the run: ``customers``, ``snapshots``, ``tiers``, ``tested``, ``drift``.

        Raises
        ------
        UsageError
            ``E-RU-004`` when the run has none of that name, ``E-RU-042`` when it is not as the run wrote it.
        """
        import pyarrow.parquet as pq

        from tierlens.workspace.run_folder import finished_file

        return as_library(pq.read_table(finished_file(self.folder, f"{name}.parquet")), self.frames)


def run(
    run_file: str | Path,
    out: str | Path,
    *,
    force: bool = False,
    lang: Lang = "en",
    track: bool = True,
    frames: Library = "pandas",
) -> Run:
    """Do everything that a run file asks for, as ``tierlens run`` does.

    Parameters
    ----------
    run_file : path
    out : path
        Folder of the results.
    force : bool
        Whether an earlier run there may be replaced.
    lang : {"en", "zh"}
        Of report and lists.
    track : bool
        Whether the run is kept in MLflow, where the run file does not say otherwise.
    frames : {"pandas", "polars", "pyarrow"}
        Library of the tables of the result.

    Returns
    -------
    Run

    Raises
    ------
    TierlensError
        With code, place and advice; nothing half-written is left.
    """
    from tierlens.pipeline.run import Options, run_all
    from tierlens.workspace.config import load_config
    from tierlens.workspace.prepare import say_nothing

    as_library(pa.table({}), frames)
    file, folder = Path(run_file), Path(out)
    done = run_all(load_config(file), Options(folder, force, lang, False, track, file), say_nothing)
    verdicts = {risk.outcome: risk.verdict.say(lang) for risk in done.findings.risks} if done.findings else {}
    return Run(folder, frames, verdicts)
