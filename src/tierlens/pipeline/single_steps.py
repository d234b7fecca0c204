"""What the single commands do: each makes the part of a run that it is named for, and what that part needs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tierlens.features.snapshot import build_snapshots, to_arrow
from tierlens.grading import grade, grade_evidence, load_scheme, to_sql
from tierlens.learning import cautions
from tierlens.publish.files.atomic import replacing_file, write_parquet
from tierlens.publish.files.run_json import file_record, read_run, write_folder_record, write_run
from tierlens.publish.lists.customer_lists import Pick, customer_list, list_headers
from tierlens.publish.lists.list_files import write_list
from tierlens.publish.report.findings_file import read_findings
from tierlens.sources.consent import read_consent
from tierlens.sources.report.quality import Quality
from tierlens.sources.report.simulated_note import with_data_note
from tierlens.words import Lang
from tierlens.workspace import run_folder
from tierlens.workspace.config import RunConfig
from tierlens.workspace.known_customers import everybody_at, without_idle_scores
from tierlens.workspace.prepare import (
    Shop,
    arrow_as_frame,
    graded_features,
    obtain_shop,
    panel_features,
    say_nothing,
    within_data,
)
from tierlens.workspace.progress import Clock, Tell
from tierlens.workspace.study import study_of


def read_only(config: RunConfig, rejects: Path | None, tell: Tell = say_nothing, allow_empty: bool = False) -> Quality:
    """Read the source and return its quality report; write the quarantined lines where asked."""
    if allow_empty and config.source is not None:
        config = config.model_copy(update={"source": config.source.model_copy(update={"allow_empty": True})})
    _, shop = obtain_shop(config, tell)
    if rejects is not None:
        with replacing_file(rejects) as temporary:
            shop.quality.write_rejects(temporary)
    return shop.quality


def features_only(config: RunConfig, file: Path) -> dict[str, Any]:
    """Build the snapshots of the run's cutoff and of those it learns from, and write them."""
    config, shop = obtain_shop(config, say_nothing, at_cutoff=True)
    names = panel_features(shop.tables, load_scheme(config.scheme, "scheme"))
    days = [*config.learning_cutoffs(), config.cutoff_day]
    within_data(shop.tables, days, config.span)
    table = to_arrow(build_snapshots(shop.tables, days, config.span, features=names))
    path = write_parquet(file, table)
    return {"file": str(path), "rows": table.num_rows, "columns": table.num_columns}


def _now(config: RunConfig, shop: Shop, whole: bool = False) -> tuple[pa.Table, pa.Table]:
    """Features and grades at the cutoff of the run: what the scheme reads, or all that the tables allow."""
    scheme = load_scheme(config.scheme, "scheme")
    within_data(shop.tables, [config.cutoff_day], config.span)
    names = (panel_features if whole else graded_features)(shop.tables, scheme)
    table = to_arrow(build_snapshots(shop.tables, config.cutoff_day, config.span, features=names))
    return table, to_arrow(grade(arrow_as_frame(table), scheme, shop.tables.currency))


def grade_only(config: RunConfig, file: Path, lang: Lang) -> dict[str, Any]:
    """Grade the run's cutoff, write points, scores, tiers and evidence, and return the counts of tiers."""
    config, shop = obtain_shop(config, say_nothing, at_cutoff=True)
    scheme = load_scheme(config.scheme, "scheme")
    within_data(shop.tables, [config.cutoff_day], config.span)
    found = everybody_at(shop, config, scheme)
    why = grade_evidence(found.graded, found.features, scheme, shop.tables.currency, lang)
    graded = without_idle_scores(found.graded).append_column("activity", found.activity)
    graded = graded.append_column("evidence", pa.array(["\n".join(lines) for lines in why], pa.string()))
    path = write_parquet(file, with_data_note(graded, shop.is_simulated))
    counts = graded["tier"].value_counts().to_pylist()
    tiers = {str(row["values"] or "-"): row["counts"] for row in counts}
    known = found.counted(scheme)
    said = {line.name.say(lang): f"{line.customers:,} ({line.told.say(lang)})" for line in known.lines}
    return {"file": str(path), **{tier: tiers[tier] for tier in sorted(tiers)}, **said}


def scheme_sql(config: RunConfig) -> str:
    """Return the scheme of the run as SQL over a table of features."""
    config, shop = obtain_shop(config, say_nothing)
    scheme = load_scheme(config.scheme, "scheme")
    names = graded_features(shop.tables, scheme)
    table = to_arrow(build_snapshots(shop.tables, config.cutoff_day, config.span, features=names))
    return to_sql(arrow_as_frame(table), scheme, shop.tables.currency)


def segment_only(config: RunConfig, file: Path, lang: Lang) -> dict[str, Any]:
    """Find segments at the run's cutoff, write them, and return their names and how far they agree with the tiers."""
    from tierlens.learning.segment import segment_customers

    config, shop = obtain_shop(config, say_nothing, at_cutoff=True)
    table, graded = _now(config, shop, whole=True)
    grouped = segment_customers(table, graded, config, shop.tables.currency)
    rows = table.select(["customer_id", "cutoff"]).append_column("segment", grouped.labels)
    path = write_parquet(file, with_data_note(rows, shop.is_simulated))
    names = {grouped.profile.names[n].say(lang): grouped.profile.about[n].say(lang) for n in grouped.profile.names}
    agreement = {row["measure"]: row["value"] for row in grouped.agreement.measures.to_pylist()}
    said = {"agreement": agreement, "verdict": grouped.agreement.verdict.say(lang), "why": grouped.how.say(lang)}
    return {"file": str(path), "segments": names, **said}


def train_only(config: RunConfig, models: Path, tell: Tell, *, force: bool, inputs: Sequence[Path]) -> dict[str, Any]:
    """Train and test the risk models, and keep them in a folder of their own."""
    from tierlens.learning.learn import learn_all

    with run_folder.held_folder(models, force, (run_folder.ALONE,), inputs) as place:
        config, shop = obtain_shop(config, tell, at_cutoff=True)
        learned = learn_all(study_of(shop, config), Clock(tell)).some()
        with run_folder.replaced_folder(place, tell, run_folder.ALONE) as folder:
            for one in learned:
                cautions.keep_model(one, folder)
            write_folder_record(folder, run_folder.ALONE)
    return {"models": str(models), "verdicts": [one.risk.verdict for one in learned],
            **{one.outcome: dict(one.metrics) for one in learned}}  # fmt: skip


def score_only(config: RunConfig, out: Path, file: Path) -> dict[str, Any]:
    """Score the run's cutoff with models that were kept, and write the risks."""
    from tierlens.learning.kept_models import score_customers
    from tierlens.learning.learnable import refuse_left_out

    if not (out / run_folder.MODELS).is_dir():
        refuse_left_out(out, "churn")
    models = run_folder.kept_models(out)
    config, shop = obtain_shop(config, say_nothing, at_cutoff=True)
    table = cautions.with_kept_notes(score_customers(study_of(shop, config), models), models)
    path = write_parquet(file, with_data_note(table, shop.is_simulated))
    return {"file": str(path), "customers": table.num_rows}


def list_written(out: Path, file: Path, pick: Pick, lang: Lang, consent: Path | None) -> dict[str, int]:
    """Write a list of a finished run, and return where every customer went."""
    customers = pq.read_table(run_folder.finished_file(out, run_folder.CUSTOMERS))
    found = read_findings(run_folder.finished_file(out, run_folder.FINDINGS))
    names = {line.tier: line.name for line in found.tiers.lines} if found.tiers else {}
    agreed = read_consent(consent) if consent else None
    chosen = customer_list(customers, pick, lang, agreed, names=names, minor=found.about.minor)
    write_list(chosen, file, list_headers(found.bands, found.about.currency))
    return {what.say(lang): n for what, n in chosen.counts}


def report_again(out: Path, to: Path | None, lang: Lang, tell: Tell) -> Path:
    """Write the report of a finished run from what the run found; in the run's own folder its record goes along."""
    from tierlens.publish.report.html import write_report

    found = read_findings(run_folder.finished_file(out, run_folder.FINDINGS))
    if to is not None:
        return write_report(found, to, lang)
    with (
        run_folder.held_folder(out) as place,
        run_folder.replaced_folder(place, tell, only={run_folder.REPORT, run_folder.RUN}) as folder,
    ):
        now = file_record(write_report(found, folder / run_folder.REPORT, lang))
        run = read_run(place / run_folder.RUN)
        files = tuple(now if one.name == run_folder.REPORT else one for one in run.outputs)
        write_run(replace(run, outputs=files), folder / run_folder.RUN)
    return out / run_folder.REPORT


def serve_mlflow(home: Path, port: int) -> None:
    """Open the tracking store's pages; the command takes the place of this process."""
    from tierlens.publish.tracking.store_address import serve_command

    command, extra = serve_command(home, port=port)
    os.execve(command[0], command, {**os.environ, **extra})  # noqa: S606 - our own command, no shell
