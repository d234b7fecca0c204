"""A run past one machine: what is learned is learned here, what is done for every customer is done by Spark.

Here: the strict reader, the risk models, the rhythms of the cutoff, rank curves and levels, from all customers or an
even sample of them. On Spark: features, grades and risks of everybody, by the same expressions; models go to the
workers and score Arrow batches (``mapInArrow``).
"""

from __future__ import annotations

import dataclasses
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tierlens.errors import MissingExtraError, UsageError
from tierlens.features.catalog import WHOLE
from tierlens.features.seasonal_btyd import EXPECTATIONS, HISTORY, Rhythm, learn_rhythm, season_table
from tierlens.features.snapshot import KEY, build_snapshots
from tierlens.grading.reference import Reference, fit_reference
from tierlens.grading.scheme.scheme import Scheme, load_scheme
from tierlens.grading.scoring import grade
from tierlens.learning import cautions
from tierlens.learning.kept_models import as_read_by, kept_model, with_model
from tierlens.learning.learn import SeasonalRates, base_rate, learn_all, model_inputs
from tierlens.learning.tasks import STANDING, standing_of, tasks_of
from tierlens.pipeline.results import run_moment, write_record
from tierlens.risk.model.frozen import FrozenRisk, freeze_model
from tierlens.sources.engines import Frame, settle_frame
from tierlens.sources.report.simulated_note import DATA_NOTE, SIMULATED
from tierlens.sources.tables import Tables
from tierlens.words import Text
from tierlens.workspace import run_folder
from tierlens.workspace.config import RunConfig
from tierlens.workspace.output_files import inputs_of
from tierlens.workspace.prepare import Shop, graded_features, obtain_shop
from tierlens.workspace.progress import Clock, Tell
from tierlens.workspace.study import study_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Floats = npt.NDArray[np.float64]
SAMPLE = 100_000
"""Customers from whom is learned at most; ranks, levels and rhythms do not change in the third digit beyond them."""
GRADED = ("score", "tier", "tier_rank", "coverage", "flags")
NOT_GIVEN = {"fall_p", "fall_odds"}
"""Of a customer's standing: learned from the spend of all, and not yet kept for workers."""


@dataclass(frozen=True)
class Learnt:
    """What workers need to score a customer.

    Parameters
    ----------
    models : mapping of str to FrozenRisk
        By outcome.
    rhythm : Rhythm
    scheme : Scheme
    notes : mapping of str to Text
        What is said of the risks that are not to be acted on, by outcome.
    """

    models: Mapping[str, FrozenRisk]
    rhythm: Rhythm
    scheme: Scheme
    notes: Mapping[str, Text] = field(default_factory=dict)

    @property
    def features(self) -> list[str]:
        """Features of the catalog that the models read, and what the rhythms read."""
        read = {name for model in self.models.values() for name in model.names}
        return [name for name in WHOLE if (name in read and name not in EXPECTATIONS) or name in HISTORY]


def run_on_spark(
    config: RunConfig, out: Path, tell: Tell, force: bool = False, file: Path | None = None
) -> dict[str, Any]:
    """Carry a run to grades and risks of every customer on Spark.

    Parameters
    ----------
    config : RunConfig
    out : Path
        Gets ``settled/`` (what was read), ``models/`` (unless they are there, and ``force`` is not set), ``customers/``
        (Parquet: key, score, tier, coverage, flags, risks and the notes on them; a risk is missing where the outcome
        cannot happen) and ``run.json``.
    tell : callable
        Takes what the user is told as the run goes on.
    force : bool
        Whether an earlier run may be replaced.
    file : Path, optional
        The run file.

    Returns
    -------
    dict
        ``customers``, ``file``, and the number of customers by tier.

    Raises
    ------
    MissingExtraError
        pyspark is not installed.
    UsageError
        ``E-RU-028`` where every model reads a column that Spark cannot be given; where only some do, they are left out
        and the user is told. ``E-RU-029`` where kept models have seen what happened after the cutoff, ``E-RU-042``
        where one is not as it was kept.
    """
    clock, started = Clock(tell), run_moment()
    with run_folder.held_folder(out, force, run_folder.ON_SPARK, inputs_of(config, file)) as place:
        with clock.step("read", Text("reading the source", "读取数据源")):
            config, shop = obtain_shop(config, tell, at_cutoff=True)
        with run_folder.replaced_folder(place, tell) as folder:
            is_kept = (place / run_folder.MODELS).is_dir() and not force
            models = run_folder.kept_models(place) if is_kept else folder / run_folder.MODELS
            learnt = _learn(config, shop, models, clock)
            counts = _scored(config, shop, learnt, folder, clock)
            tiers = {str(row["tier"] or "-"): int(row["count"]) for row in counts}
            rows = {"rows": shop.quality.rows_in, "used": shop.quality.used, "customers": sum(tiers.values())}
            write_record(folder, (config, shop, learnt.scheme), (rows, clock.seconds, started))
    return {
        "customers": rows["customers"],
        "file": str(out / run_folder.SCORED),
        **{t: tiers[t] for t in sorted(tiers)},
    }


def _scored(config: RunConfig, shop: Shop, learnt: Learnt, folder: Path, clock: Clock) -> list[dict[str, Any]]:
    """Let Spark write every customer with tier and risks, and return how many customers each tier has."""
    with clock.step("settled", Text("handing the tables to Spark", "将数据表交给 Spark")):
        files = _write(shop.tables, folder / run_folder.SETTLED)
        session = spark_session()
        tables = _read(session, shop.tables, files)
    with clock.step("score", Text("features, grades and risks on Spark", "在 Spark 上计算特征、等级与风险")):
        scored = score_on_spark(tables, config, learnt)
        if shop.is_simulated:
            scored = _noted(scored)
        place = str(folder / run_folder.SCORED)
        scored.sortWithinPartitions("customer_id").write.mode("overwrite").parquet(place)
        counts: list[dict[str, Any]] = session.read.parquet(place).groupBy("tier").count().toArrow().to_pylist()
    return counts


def _noted(scored: Any) -> Any:
    """Say of every row that it is simulated."""
    from pyspark.sql.functions import lit

    return scored.withColumns({f"{DATA_NOTE}_{lang}": lit(SIMULATED.say(lang)) for lang in cautions.LANGS})


def spark_session() -> SparkSession:
    """Return the session that is there, or one on this machine's cores.

    Raises
    ------
    MissingExtraError
        pyspark is not installed.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise MissingExtraError("spark", "pyspark") from None
    # Workers must run the Python that holds this package.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("tierlens")
    if not os.environ.get("MASTER") and SparkSession.getActiveSession() is None:
        builder = builder.master("local[*]").config("spark.ui.enabled", "false")
        builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
        builder = builder.config("spark.sql.session.timeZone", "UTC").config(
            "spark.sql.shuffle.partitions", str(os.cpu_count() or 2)
        )
        # A stage of hundreds of expressions outgrows what Java compiles in one piece; trying costs minutes.
        builder = builder.config("spark.sql.codegen.wholeStage", "false")
    session: SparkSession = builder.getOrCreate()
    # Wide plans outgrow what Java can compile; Spark then interprets them, and says so at length.
    session.sparkContext.setLogLevel("FATAL")
    return session


def _learn(config: RunConfig, shop: Shop, models: Path, clock: Clock) -> Learnt:
    """Learn on this machine, from all customers or a sample, what every customer is scored with."""
    with clock.step("features and tiers", Text("features and tiers of those learned from", "学习样本的特征与评级")):
        some = dataclasses.replace(shop, tables=sampled_tables(shop.tables, SAMPLE))
        study = study_of(some, config)
    if not models.is_dir():
        for learned in learn_all(study, clock).some():
            cautions.keep_model(learned, models)
    with clock.step("levels", Text("ranks, levels and rhythms of the cutoff", "截止日的分位、水平与节奏")):
        tasks = tasks_of(study)
        learning = config.learning_cutoffs()
        season = season_table(some.tables, [*learning, config.cutoff_day], config.span)
        rates = SeasonalRates(season, tasks[0])
        found, notes = {}, {}
        for task in with_model(tasks, models):
            model = kept_model(models, task.outcome, config.span, config.cutoff_day)
            model.set_params(n_jobs=1)
            level = base_rate(task, rates, learning, config.cutoff_day)
            asked, now = model_inputs(as_read_by(model, task), task.now)
            found[task.outcome] = freeze_model(model, asked, config.cutoff_day, level)
            risks = np.round(model.predict_proba(asked, cutoffs=now, base_rate=level)[:, 1], 9)
            if (said := cautions.kept_caution(models, task.outcome).of(pa.chunked_array([risks]))) is not None:
                notes[task.outcome] = said
        rhythm = learn_rhythm(some.tables, config.cutoff_day, config.span)
    return Learnt(_known_here(found, clock.tell), rhythm, study.scheme, notes)


def _known_here(models: Mapping[str, FrozenRisk], tell: Tell) -> dict[str, FrozenRisk]:
    """Leave out, and say so, outcomes whose model reads what Spark cannot be given.

    Raises
    ------
    UsageError
        ``E-RU-028`` where no outcome is left.
    """
    given, left, strange = {*WHOLE, *EXPECTATIONS, *STANDING} - NOT_GIVEN, {}, ""
    for outcome, model in models.items():
        strange = ", ".join(sorted(set(model.names) - given))
        if strange:
            tell(Text(f"{outcome} is left out: it reads {strange}", f"不计算 {outcome}：其模型读取 {strange}"))
        else:
            left[outcome] = model
    if left:
        return left
    raise UsageError(
        "E-RU-028",
        Text(f"no model can be scored on Spark: {strange} is not given", f"没有模型可在 Spark 上评分：缺少 {strange}"),
        fix=Text("run without columns of your own, or on one machine", "请不使用自有列，或在单机上运行"),
    )


def sampled_tables(tables: Tables, most: int) -> Tables:
    """Return the tables of at most so many customers, evenly drawn; the same ones every time.

    Examples
    --------
    >>> from tierlens.datasets.examples import simulated_shop
    >>> shop = sampled_tables(simulated_shop(customers=50, seed=1).tables, 10)
    >>> len(set(shop.transactions.select("customer_id").collect("pyarrow").to_native()["customer_id"].to_pylist()))
    10
    """
    everybody = tables.transactions.select("customer_id").unique().sort("customer_id").collect("pyarrow").to_native()
    if everybody.num_rows <= most:
        return tables
    places = np.sort(np.random.default_rng(0).choice(everybody.num_rows, most, replace=False))
    chosen = everybody["customer_id"].take(pa.array(places)).to_pylist()
    keep = nw.col("customer_id").is_in(chosen)
    others = {name: settle_frame(table.filter(keep)) for name, table in tables.others.items()}
    return dataclasses.replace(tables, transactions=settle_frame(tables.transactions.filter(keep)), others=others)


def _write(tables: Tables, folder: Path) -> dict[str, Path]:
    """Write settled tables as Parquet, without the time stamps that only people read."""
    folder.mkdir(exist_ok=True)
    files = {}
    for name, table in {"transactions": tables.transactions, **tables.others}.items():
        kinds = table.collect_schema()
        kept = [column for column, kind in kinds.items() if not isinstance(kind, nw.Datetime)]
        files[name] = folder / f"{name}.parquet"
        table.select(kept).sink_parquet(files[name])
    return files


def _read(session: SparkSession, tables: Tables, files: Mapping[str, Path]) -> Tables:
    def one(path: Path) -> Frame:
        found: Frame = nw.from_native(session.read.parquet(str(path)))
        return found

    others = {name: one(path) for name, path in files.items() if name != "transactions"}
    return dataclasses.replace(tables, transactions=one(files["transactions"]), others=others)


def score_on_spark(tables: Tables, config: RunConfig, learnt: Learnt) -> DataFrame:
    """Build, grade and score every customer of the run's cutoff.

    Parameters
    ----------
    tables : Tables
        On Spark.
    config : RunConfig
        Cutoff, window and scheme.
    learnt : Learnt

    Returns
    -------
    pyspark.sql.DataFrame
        Key, ``score``, ``tier``, ``tier_rank``, ``coverage``, ``flags``, ``idle_score``, ``<outcome>_risk``, and
        ``risk_note_en`` and ``risk_note_zh``.
    """
    day, span, scheme, currency = config.cutoff_day, config.span, load_scheme(config.scheme, "scheme"), tables.currency
    asked = graded_features(tables, scheme)
    wanted = sorted({*learnt.features, *asked})
    features = settle_frame(build_snapshots(tables, day, span, features=wanted))
    now = grade(features, scheme, currency).select(*KEY, *GRADED)
    reference = Reference(fit_reference(features, scheme, currency))
    later = build_snapshots(tables, day, span, features=asked, everyone=True, ahead=span.gap + span.horizon)
    idle = grade(settle_frame(later), scheme, currency, reference).select(*KEY, nw.col("score").alias("idle_score"))
    joined = features.join(now, on=list(KEY), how="left").join(idle, on=list(KEY), how="left")
    columns = [*KEY, *GRADED, "idle_score"]
    native = joined.select(*columns, *learnt.features).to_native()
    schema = native.select(columns).schema
    for outcome in learnt.models:
        schema = schema.add(f"{outcome}_risk", "double")
    for lang in cautions.LANGS:
        schema = schema.add(f"risk_note_{lang}", "string")
    with warnings.catch_warnings():
        # pyspark warns of pandas 3 even where rows go by Arrow and no pandas is in the way.
        warnings.simplefilter("ignore", FutureWarning)
        found: DataFrame = native.mapInArrow(batch_scorer(learnt, columns), schema)
    return found


def batch_scorer(
    learnt: Learnt, columns: Sequence[str]
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return what a worker does with its batches: risks, and the notes on them, beside the columns named."""

    def score(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            risks = risks_of(learnt, batch)
            kept = batch.select(list(columns))
            found = pa.table(
                [*kept.columns, *(pa.array(risk, mask=np.isnan(risk)) for risk in risks.values())],
                names=[*columns, *(f"{outcome}_risk" for outcome in risks)],
            )
            doubtful = {outcome: text for outcome, text in learnt.notes.items() if outcome in risks}
            yield from cautions.with_notes(found, doubtful).combine_chunks().to_batches()

    return score


def risks_of(learnt: Learnt, batch: pa.RecordBatch) -> dict[str, Floats]:
    """Return the risk of each customer of a batch by outcome, to nine places; NaN where it cannot happen."""
    known: dict[str, Floats] = {name: _floats(batch[name]) for name in learnt.features}
    known |= learnt.rhythm.tell(batch)
    tiers = batch["tier"].to_pylist()
    known |= standing_of(_floats(batch["score"]), _floats(batch["idle_score"]), tiers, learnt.scheme)
    known["coverage"] = _floats(batch["coverage"])
    risks = {outcome: np.round(model.score(known), 9) for outcome, model in learnt.models.items()}
    if "downgrade" in risks:
        above = _floats(batch["tier_rank"]) < len(learnt.scheme.tiers)
        risks["downgrade"] = np.where(above, risks["downgrade"], np.nan)
    return risks


def _floats(column: pa.Array) -> Floats:
    found: Floats = np.asarray(column.to_numpy(zero_copy_only=False)).astype(np.float64)
    return found
