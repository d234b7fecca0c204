"""What a run found, for the report, and what of it the tracking store keeps."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from tierlens import __version__
from tierlens.grading.scheme.scheme import Scheme
from tierlens.learning.evaluate import BASELINE
from tierlens.learning.learn import Learned
from tierlens.learning.segment import UNGRADED, Grouped
from tierlens.pipeline.customers import risk_of
from tierlens.publish.files import run_json
from tierlens.publish.files.run_json import text_hash
from tierlens.publish.report import gather
from tierlens.publish.report.findings import About, Findings
from tierlens.publish.report.findings_file import write_findings
from tierlens.publish.report.html import Pictures, write_report
from tierlens.publish.tracking.records import DataRecord, Foretold, ModelRecord, RunRecord
from tierlens.sources.staging.files import expand_paths
from tierlens.sources.tables import day_date
from tierlens.words import Lang, Text, to_share
from tierlens.workspace.config import RunConfig
from tierlens.workspace.prepare import Prepared, Shop
from tierlens.workspace.run_folder import FINDINGS, MODELS, REPORT, RIVAL, RUN
from tierlens.workspace.study import Study

NEEDS = ("lightgbm", "scikit-learn", "numpy", "pandas", "scipy")


def findings_of(study: Study, grouped: Grouped | None, learned: Sequence[Learned], customers: pa.Table) -> Findings:
    """Put together everything that the report shows."""
    window, money, scheme = study.window, study.currency, study.scheme
    about = About(study.tables.name, study.shop.is_simulated, money.code, money.minor,
                  study.cutoff, window.observe, window.gap, window.horizon)  # fmt: skip
    graded = study.rows_now(study.prepared.tiers)
    tiers = [tier.id for tier in scheme.tiers]
    if graded["tier"].null_count:
        tiers.append(UNGRADED)
    return Findings(
        about,
        gather.quality_lines(study.shop.quality),
        gather.tiers_of(graded, scheme),
        gather.segments_of(grouped.profile, grouped.agreement, tiers, grouped.how) if grouped else None,
        tuple(risk_of(one) for one in learned),
        gather.picked_spotlights(customers.filter(pc.equal(customers["activity"], "active"))),
        # A leak gate may say the same of two outcomes.
        tuple(dict.fromkeys([*notes_of(study, bool(learned)), *(n for one in learned for n in one.notes)])),
    )


def notes_of(study: Study, is_learned: bool = True) -> tuple[Text, ...]:
    """Say what limits the figures of this run."""
    notes = _learned_from(study.learning) if is_learned else []
    if study.scheme.notes:
        notes.append(
            Text("The scheme's readings of open points stand in its file.", "方案对未明之处的解读见方案文件。")
        )
    return tuple(notes)


def _learned_from(learning: Sequence[int]) -> list[Text]:
    """Say which cutoffs risk was learned from, and which months of the year are not among them."""
    first, last = day_date(learning[0]), day_date(learning[-1])
    notes = [
        Text(
            f"Risk was learned from {len(learning)} monthly cutoffs, {first} to {last}; each figure is from cutoffs "
            "whose outcomes no model had seen. Later cutoffs have an open horizon and are never labelled.",
            f"风险由 {first} 至 {last} 的 {len(learning)} 个月度截止日学得；各项指标均来自模型未见过结果的截止日。"
            "更晚的截止日预测期未满，不作标注。",
        )
    ]
    seasons = {day_date(day).month for day in learning}
    if len(seasons) < 12:
        missing = ", ".join(str(month) for month in sorted(set(range(1, 13)) - seasons))
        notes.append(
            Text(
                f"No cutoff in the months {missing} could be learned from: risk at those times of the year may be off.",
                f"未能从 {missing} 月的截止日学习，一年中这些时段的风险可能有偏差。",
            )
        )
    return notes


def record_of(
    study: Study,
    findings: Findings,
    learned: Sequence[Learned],
    files: tuple[Path, Mapping[str, str], Sequence[Path]],
) -> RunRecord:
    """Return what the tracking store keeps: figures, models and pictures; no table of customers.

    Parameters
    ----------
    study, findings, learned
        The run.
    files : (Path, mapping of str to str, sequence of Path)
        Folder where the files of the run lie now, its pictures, and the files to keep; see ``shareable_files``.
    """
    out, pictures, kept = files
    metrics = {f"{one.outcome}_{key}": value for one in learned for key, value in one.metrics.items()}
    if findings.segments:
        metrics["segments_adjusted_rand"] = findings.segments.rand.value
    config, panel = study.config, study.prepared.panel
    name = config.name if not findings.about.is_simulated else f"{config.name} (simulated)"
    kinds = {field.name: str(field.type) for field in panel.schema}
    return RunRecord(
        experiment=name,
        name=f"{name} {config.cutoff}",
        params=_params(config, study.prepared, learned),
        metrics=metrics,
        data=DataRecord(name, text_hash(str(panel.num_rows) + config.model_dump_json())[:32], panel.num_rows, kinds),
        models=tuple(model for one in learned for model in _models(config, one, out)),
        files=tuple(kept),
        pictures=pictures,
    )


def shareable_files(findings: Findings, folder: Path, lang: Lang, pictures: Pictures | None) -> list[Path]:
    """Write report and findings without the customers that they show, and return the two files.

    The folder of a run keeps its own files whole; a store is read by more people than those who may see customers. Who
    signed a waiver and why, and the largest amount of a customer, are left out too.
    """
    notes, known = tuple(map(to_share, findings.notes)), findings.known
    if known is not None:
        known = replace(known, reading=tuple(map(to_share, known.reading)))
    without = replace(findings, spotlights=(), notes=notes, known=known)
    return [
        write_report(without, folder / REPORT, lang, pictures),
        write_findings(without, folder / FINDINGS),
    ]


def _params(config: RunConfig, prepared: Prepared, learned: Sequence[Learned]) -> dict[str, object]:
    scheme = prepared.scheme
    params: dict[str, object] = {
        "cutoff": str(config.cutoff), "observe": config.window.observe, "gap": config.window.gap,
        "horizon": config.window.horizon, "scheme": f"{scheme.id} {scheme.version}",
        "scheme_sha256": scheme.sha256, "seed": config.seed, "tests": config.risk.tests, "trials": config.risk.trials,
    }  # fmt: skip
    signed = {
        f"{one.outcome}_leak_gate": " ".join(to_share(note).en for note in one.notes) for one in learned if one.notes
    }
    return params | signed | {f"{one.outcome}_{key}": value for one in learned for key, value in one.params.items()}


def _models(config: RunConfig, one: Learned, out: Path) -> list[ModelRecord]:
    """Return the model, and after it the best baseline where that is shown to rank better: the registry keeps it."""
    name = re.sub(r"[^a-z0-9]+", "-", config.name.lower()).strip("-") or "project"
    needs = tuple(f"{package}=={version(package)}" for package in NEEDS)
    folder, value = out / MODELS / one.outcome, one.risk.model.auc.value
    found = [
        ModelRecord(f"{name}-{one.outcome}", folder, one.features, "auc", value, one.metrics, needs,
                    tested=_tested(one, "risk"))
    ]  # fmt: skip
    if one.rival is not None:
        best = next(line for line in one.risk.models if line.name == one.risk.best_baseline)
        kept = folder.with_name(f"{one.outcome}{RIVAL}")
        found.append(
            ModelRecord(f"{name}-{one.outcome}", kept, one.rival.columns, "auc", best.auc.value, {}, needs, "baseline",
                        _tested(one, BASELINE))
        )  # fmt: skip
    return found


def _tested(one: Learned, score: str) -> Foretold | None:
    """Return what a model, or the best baseline, foretold of the test cutoffs."""
    if one.tested is None:
        return None
    names = ("customer_id", "cutoff", "happened", score)
    return Foretold(*(one.tested[name].to_numpy(zero_copy_only=False) for name in names))


def run_moment() -> str:
    """Return the moment for ``run.json``, the only place where time stamps stand."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def write_record(
    folder: Path,
    what: tuple[RunConfig, Shop, Scheme],
    how: tuple[Mapping[str, int], Mapping[str, float], str],
    tracked: str = "",
) -> Path:
    """Write ``run.json`` of a folder that holds all other files of a run.

    Parameters
    ----------
    folder : Path
    what : (RunConfig, Shop, Scheme)
        The run file as it was used, what was read, and the scheme.
    how : (mapping of str to int, mapping of str to float, str)
        Counts of rows, seconds by step, and the moment of the start.
    tracked : str
        Id of the tracked run.
    """
    (config, shop, scheme), (rows, seconds, started) = what, how
    inputs = expand_paths(config.source.files) if config.source and not shop.is_simulated else []
    run = run_json.RunFile(
        project=shop.tables.name,
        version=__version__,
        seed=config.seed,
        configuration=config.model_dump(mode="json"),
        scheme=f"{scheme.id} {scheme.version}",
        scheme_sha256=scheme.sha256,
        code_sha256=run_json.code_hash(),
        inputs=tuple(run_json.file_record(path) for path in inputs),
        outputs=run_json.folder_records(folder, RUN),
        rows=rows,
        seconds=seconds,
        peak_mebibytes=run_json.peak_mebibytes(),
        started=started,
        finished=run_moment(),
        tracked=tracked,
    )
    return run_json.write_run(run, folder / RUN)
