"""The whole run, step by step: each step is timed and told as it begins; the results appear whole or not at all."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from tierlens.errors import UsageError
from tierlens.grading import Scheme, load_scheme
from tierlens.learning import cautions
from tierlens.learning.evaluate import BASELINE
from tierlens.learning.leak_gate import check_files
from tierlens.learning.learn import Learned, Lessons, learn_all
from tierlens.learning.monitor import backtest_of_run, moved_note, past_runs, told_of
from tierlens.learning.segment import Grouped, group_or_not
from tierlens.pipeline.customers import customers_of
from tierlens.pipeline.results import findings_of, record_of, run_moment, shareable_files, write_record
from tierlens.pipeline.run_tracking import Tracking
from tierlens.publish.files import run_json
from tierlens.publish.files.atomic import write_parquet, write_text
from tierlens.publish.lists.bands import BandLine, band_lines, band_sentences
from tierlens.publish.lists.customer_lists import Pick, customer_list, list_headers, resolved_pick
from tierlens.publish.lists.list_files import write_list
from tierlens.publish.lists.playbook import load_playbook
from tierlens.publish.report.findings import Findings
from tierlens.publish.report.findings_file import write_findings
from tierlens.publish.report.html import draw_both, write_report
from tierlens.publish.report.left_out import LeftOut
from tierlens.scratch import scratch_folder, temporary_folder
from tierlens.sources.report.quality import Quality
from tierlens.sources.report.simulated_note import with_data_note
from tierlens.sources.tables import day_date
from tierlens.words import Lang, Text
from tierlens.workspace import output_files, run_folder
from tierlens.workspace.config import ListSection, RunConfig
from tierlens.workspace.known_customers import Everybody, everybody_at
from tierlens.workspace.prepare import obtain_shop
from tierlens.workspace.progress import Clock, Tell, say_times
from tierlens.workspace.scheme_on_data import reading_of
from tierlens.workspace.study import Study, study_of


@dataclass(frozen=True)
class Options:
    """How a run is made: where to, whether over an earlier one, in which language, what is left out, by which file."""

    out: Path
    force: bool = False
    lang: Lang = "en"
    dry_run: bool = False
    track: bool = True
    file: Path | None = None


@dataclass(frozen=True)
class Done:
    """What a finished run tells: its findings, files, times and memory."""

    findings: Findings | None
    out: Path
    files: tuple[Path, ...]
    seconds: dict[str, float]
    peak_mebibytes: float | None
    rows: dict[str, int]
    tracked: str = ""

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What the run could not make."""
        return self.findings.left_out if self.findings else ()

    @property
    def bands(self) -> tuple[Text, ...]:
        """Where the bands of each risk begin, and how many customers are in them."""
        return band_sentences(self.findings.bands) if self.findings else ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON."""
        verdicts = {risk.outcome: risk.verdict.en for risk in self.findings.risks} if self.findings else {}
        return {
            "out": str(self.out), "files": [str(path) for path in self.files], "rows": self.rows,
            "verdicts": verdicts, "bands": [told.en for told in self.bands],
            "left_out": {one.part: one.said.en for one in self.left_out},
            "seconds": self.seconds, "total_seconds": round(sum(self.seconds.values()), 1),
            "peak_mebibytes": self.peak_mebibytes, "mlflow_run": self.tracked,
        }  # fmt: skip

    def lines(self, lang: Lang) -> list[str]:
        """Return it as lines for people: verdicts first, then where the results are, then time and memory."""
        verdicts = [risk.verdict.say(lang) for risk in self.findings.risks] if self.findings else []
        total, peak = sum(self.seconds.values()), self.peak_mebibytes or float("nan")
        times = say_times(self.seconds)
        spent = Text(
            f"{total:.1f} s, at most {peak:,.0f} MiB ({times.en})",
            f"{total:.1f} 秒，内存峰值 {peak:,.0f} MiB（{times.zh}）",
        )
        left_out = (one.said.say(lang) for one in self.left_out)
        known = [self.findings.known.told.say(lang)] if self.findings and self.findings.known else []
        bands = (told.say(lang) for told in self.bands)
        return [*verdicts, *bands, *left_out, *known, *(f"  {path}" for path in self.files), spent.say(lang)]


def run_all(config: RunConfig, options: Options, tell: Tell) -> Done:
    """Run everything that a run file asks for.

    Parameters
    ----------
    config : RunConfig
    options : Options
    tell : callable
        Takes what the user is told as the run goes on.

    Returns
    -------
    Done

    Raises
    ------
    TierlensError
        With code, place and advice; nothing half-written is left.
    """
    clock, started = Clock(tell), run_moment()
    if options.dry_run:
        return _dry(config, options, clock)
    check_files(config)
    inputs = output_files.inputs_of(config, options.file)
    with run_folder.held_folder(options.out, options.force, inputs=inputs) as place:
        tracking = Tracking(place.parent, tell) if config.track and options.track else None
        parts = computed_run(config, clock)
        with tracking or nullcontext(), run_folder.replaced_folder(place, tell) as folder:
            done = _publish(parts, options, (folder, place), (clock, started, tracking))
    return done


@dataclass(frozen=True)
class _Parts:
    """What the steps left behind."""

    study: Study
    grouped: Grouped | None
    lessons: Lessons
    everybody: Everybody
    ungrouped: tuple[LeftOut, ...] = ()

    @property
    def learned(self) -> tuple[Learned, ...]:
        """The outcomes that were learned."""
        return self.lessons.learned

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What the run could not make."""
        return (*self.ungrouped, *self.lessons.left_out)


def computed_run(config: RunConfig, clock: Clock) -> _Parts:
    """Read, build, grade, group and learn: all of a run that writes nothing."""
    with clock.step("read", Text("reading the source", "读取数据源")):
        config, shop = obtain_shop(config, clock.tell, at_cutoff=True)
        _refuse_unknown_tiers(config)
    with clock.step("features and tiers", Text("building features and grading", "构建特征并评级")):
        study = study_of(shop, config)
        everybody = everybody_at(shop, config, study.scheme)
    with clock.step("segments", Text("finding segments", "划分客群")):
        now, graded = (study.rows_now(table) for table in (study.prepared.panel, study.prepared.tiers))
        grouped, ungrouped = group_or_not(now, graded, config, study.currency)
        for one in ungrouped:
            clock.tell(one.said)
    return _Parts(study, grouped, learn_all(study, clock), everybody, ungrouped)


def explained_customers(parts: _Parts) -> tuple[pa.Table, Findings]:
    """Return one row a customer, with reasons and next steps, and what the run found."""
    study, everybody = parts.study, parts.everybody
    money, bands = study.currency, study.config.bands.over(load_playbook().bands)
    customers = with_data_note(
        customers_of(study.prepared, parts.grouped, parts.learned, study.cutoff, money, everybody.others(), bands),
        study.shop.is_simulated,
    )
    findings = findings_of(study, parts.grouped, parts.learned, customers)
    says = reading_of(everybody, study.scheme, money)
    known = dataclasses.replace(everybody.counted(study.scheme), reading=says)
    found = dataclasses.replace(findings, left_out=parts.left_out, known=known, bands=band_lines(customers, bands))
    return customers, found


def _publish(
    parts: _Parts, options: Options, folders: tuple[Path, Path], timing: tuple[Clock, str, Tracking | None]
) -> Done:
    """Write tables, models, lists and report, then track the run and write ``run.json`` last.

    Parameters
    ----------
    parts, options
        What was computed, and how the run is made.
    folders : (Path, Path)
        Where to write, and where that will be in the end.
    timing : (Clock, str, Tracking or None)
        The clock, the moment of the start, and the tracking of the run where it is asked for.
    """
    (out, place), (clock, started, tracking) = folders, timing
    study = parts.study
    with clock.step("reasons", Text("explaining", "解释")):
        customers, findings = explained_customers(parts)
        findings, backtests = _over_time(parts, findings, place.parent, clock.tell)
    with clock.step("files", Text("writing tables, models and lists", "写出数据表、模型与名单")):
        files = [
            write_parquet(out / run_folder.CUSTOMERS, customers),
            write_parquet(out / run_folder.SNAPSHOTS, study.prepared.panel),
            write_parquet(out / run_folder.TIERS, study.prepared.tiers),
            write_findings(findings, out / run_folder.FINDINGS),
            *_kept_over_time(parts, backtests, out),
            *_lists(study, customers, out, options.lang, findings.bands),
        ]
        _rejects(study.shop.quality, out)
        save_models(parts.learned, out / run_folder.MODELS)
    with clock.step("report", Text("drawing and writing the report", "绘图并撰写报告")):
        pictures = draw_both(findings)
        files.append(write_report(findings, out / run_folder.REPORT, options.lang, pictures))
    tracked = ""
    if tracking is not None:
        text = Text("keeping the run in MLflow", "将本次运行记入 MLflow")
        with clock.step("tracking", text), scratch_folder(temporary_folder()) as shared:
            kept = shareable_files(findings, shared, options.lang, pictures)
            record = record_of(study, findings, parts.learned, (out, pictures["en"], kept))
            tracked = tracking.keep(record)
    quality = study.shop.quality
    known = findings.known.lines if findings.known else ()
    rows = {"rows": quality.rows_in, "used": quality.used, "set_aside": quality.set_aside,
            "customers": customers.num_rows, **{line.activity: line.customers for line in known},
            "snapshots": study.prepared.panel.num_rows}  # fmt: skip
    told = tuple(options.out / path.relative_to(out) for path in files)
    done = Done(findings, options.out, told, clock.seconds, run_json.peak_mebibytes(), rows, tracked)
    write_record(out, (study.config, study.shop, study.scheme), (rows, clock.seconds, started), tracked)
    return done


def save_models(learned: Sequence[Learned], folder: Path) -> None:
    """Keep the model of each outcome, and the baseline where that is shown to rank better."""
    for one in learned:
        cautions.keep_model(one, folder)
        if one.rival is not None:
            one.rival.save(folder / f"{one.outcome}{run_folder.RIVAL}")


def _rejects(quality: Quality, out: Path) -> None:
    """Write what was kept out of the transactions, and of each other table that lost a row."""
    quality.write_rejects(out / run_folder.REJECTS)
    for name, report in quality.others.items():
        if report.quarantined:
            report.write_rejects(out / run_folder.REJECTS_OF.format(name))


def _over_time(
    parts: _Parts, findings: Findings, home: Path, tell: Tell
) -> tuple[Findings, dict[str, dict[str, float]]]:
    """Add what became of earlier runs' scores, and what has moved, to the notes of a run."""
    tables, day = parts.study.shop.tables, parts.study.config.cutoff_day
    notes, figures = [], {}
    for past in past_runs(home, tables.name, day, tell):
        found = backtest_of_run(past, tables, parts.study.config.risk.resamples, parts.study.config.seed)
        if found is not None:
            notes.append(told_of(past, found))
            figures[f"{past.folder.name} {day_date(past.cutoff)}"] = found.figures()
    notes += [moved_note(one.moved, one.risk.title) for one in parts.learned if one.moved is not None]
    return dataclasses.replace(findings, notes=(*findings.notes, *notes)), figures


def _kept_over_time(parts: _Parts, backtests: dict[str, dict[str, float]], out: Path) -> list[Path]:
    """Write reasons, what was foretold of test cutoffs, how far columns have moved, and backtests of earlier runs."""
    found = []
    for name, tables in (
        (run_folder.TESTED, [one.tested.drop_columns([BASELINE]) for one in parts.learned if one.tested is not None]),
        (run_folder.REASONS, [one.reasons for one in parts.learned if one.reasons is not None]),
        (run_folder.MOVED, [one.moved for one in parts.learned if one.moved is not None]),
    ):
        if tables:
            found.append(write_parquet(out / name, pa.concat_tables(tables)))
    if backtests:
        told = json.dumps(backtests, indent=1, sort_keys=True)
        found.append(write_text(out / run_folder.BACKTESTS, told + "\n"))
    return found


LISTED = {"tiers": "tier", "bands": "risk_band", "churn_bands": "churn_band", "downgrade_bands": "downgrade_band"}
"""What a list may ask for and nobody have, and the column that holds it."""


def _lists(study: Study, customers: pa.Table, out: Path, lang: Lang, bands: tuple[BandLine, ...]) -> list[Path]:
    """Write each list of the run file as CSV and XLSX; one that asks for a tier or band nobody has stays empty."""
    found, names, money = [], study.scheme.tier_names, study.currency
    have = {field: set(customers[column].to_pylist()) for field, column in LISTED.items()}
    headers = list_headers(bands, money.code)
    for asked in study.config.lists:
        wish = resolved_pick(_pick_of(asked), names)
        left: dict[str, Any] = {
            field: tuple(one for one in getattr(wish, field) if one in have[field]) for field in LISTED
        }
        nobody = any(getattr(wish, field) and not left[field] for field in LISTED)
        pick = Pick(by=wish.by) if nobody else dataclasses.replace(wish, **left)
        rows = customers.slice(0, 0) if nobody else customers
        chosen = customer_list(rows, pick, lang, names=names, minor=money.minor)
        files = (out / run_folder.LISTS / f"{asked.name}.{kind}" for kind in ("csv", "xlsx"))
        found += [write_list(chosen, file, headers) for file in files]
    return found


def _pick_of(asked: ListSection) -> Pick:
    """Return what a list of the run file asks for."""
    return Pick(asked.tiers, asked.bands, (), asked.contactable_only, asked.top, asked.activity,
                asked.churn_bands, asked.downgrade_bands, asked.by)  # fmt: skip


def _refuse_unknown_tiers(config: RunConfig) -> Scheme:
    """Return the scheme of a run file; refuse lists of tiers that it does not have, before anything is computed.

    Raises
    ------
    UsageError
        ``E-LI-007`` with the tiers that there are.
    """
    scheme = load_scheme(config.scheme, "scheme")
    names = scheme.tier_names
    for place, one in enumerate(config.lists):
        wrong = [tier for tier in resolved_pick(Pick(one.tiers), names).tiers if tier not in names]
        if wrong:
            known_en = ", ".join(f"{tier} ({name.en})" for tier, name in names.items())
            known_zh = "、".join(f"{tier}（{name.zh}）" for tier, name in names.items())
            raise UsageError(
                "E-LI-007",
                Text(f"the scheme has no tier {wrong[0]!r}", f"方案中没有等级 {wrong[0]!r}"),
                where=f"lists.{place}.tiers",
                fix=Text(f"its tiers are {known_en}", f"其等级为：{known_zh}"),
            )
    return scheme


def _dry(config: RunConfig, options: Options, clock: Clock) -> Done:
    """Check the run file, the scheme and the source; write nothing."""
    _refuse_unknown_tiers(config)
    check_files(config)
    with clock.step("read", Text("reading the source", "读取数据源")):
        config, shop = obtain_shop(config, clock.tell)
    clock.tell(Text("all is well; nothing was written", "检查通过；未写出任何文件"))
    rows = {"rows": shop.quality.rows_in, "used": shop.quality.used}
    return Done(None, options.out, (), clock.seconds, run_json.peak_mebibytes(), rows)
