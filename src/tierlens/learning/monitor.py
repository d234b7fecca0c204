"""Models over time: past scores against what happened, features that have moved, two runs side by side."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tierlens.errors import DataError, TierlensError, UsageError
from tierlens.explain.contributions import title_of
from tierlens.features.catalog import WHOLE
from tierlens.features.snapshot import KEY, to_arrow
from tierlens.features.windows import Window
from tierlens.learning.tasks import STANDING
from tierlens.risk.evaluation.backtest import Backtest, backtest_risks
from tierlens.risk.evaluation.bootstrap import Rows
from tierlens.risk.evaluation.compare import Compared, compare_models
from tierlens.risk.outcome import churn_outcomes, closed_cutoffs
from tierlens.sources.tables import Tables, day_date, day_number
from tierlens.words import Text
from tierlens.workspace import run_folder
from tierlens.workspace.prepare import say_nothing
from tierlens.workspace.progress import Tell

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
FALSE_ALARMS = 0.05
"""Chance that any column of an outcome raises an alarm although nothing has moved."""
NAMED = 5
"""Features that a note names at most."""


@dataclass(frozen=True)
class Past:
    """An earlier run as its folder tells it.

    Parameters
    ----------
    folder : Path
    project : str
    cutoff : int
        Day number.
    window : Window
    configuration : mapping
        The run file as that run understood it.
    """

    folder: Path
    project: str
    cutoff: int
    window: Window
    configuration: dict[str, Any]


def past_run(folder: Path) -> Past:
    """Read which run a folder holds.

    Raises
    ------
    UsageError
        ``E-RU-004`` when no run was finished there, ``E-RU-042`` when its record does not say what is needed.
    """
    told = run_folder.run_record(folder)
    try:
        given = told["configuration"]
        window = Window(**{name: given["window"][name] for name in ("observe", "gap", "horizon")})
        return Past(folder, told["project"], day_number(given["cutoff"]), window, given)
    except (KeyError, TypeError, ValueError):
        raise run_folder.not_whole(folder, run_folder.RUN) from None


def past_runs(home: Path, project: str, before: int, tell: Tell = say_nothing) -> list[Past]:
    """Return the finished runs of a project that lie in a folder beside each other, of cutoffs before a day, in order.

    What cannot be read as a run of the project with risks of churn is passed over: it is another's, or of another
    release. So is a run of the project that is not whole, and the user is told.

    Parameters
    ----------
    home : Path
    project : str
    before : int
        Day number.
    tell : callable
        Takes what the user is told.
    """
    found = []
    for folder in sorted(path.parent for path in home.glob(f"[!.]*/{run_folder.RUN}")):
        try:
            past = past_run(folder)
        except TierlensError:
            continue
        if past.project == project and past.cutoff < before and _has_risks(folder, tell):
            found.append(past)
    return sorted(found, key=lambda past: (past.cutoff, str(past.folder)))


def _has_risks(folder: Path, tell: Tell) -> bool:
    try:
        return "churn_risk" in pq.read_schema(run_folder.finished_file(folder, run_folder.CUSTOMERS)).names
    except TierlensError as problem:
        tell(Text(f"passed over: {problem.say('en')}", f"跳过：{problem.say('zh')}"))
        return False


def backtest_of_run(past: Past, tables: Tables, draws: int = 200, seed: int = 0) -> Backtest | None:
    """Hold the churn risks that a run told against what happened; None while their horizon is open.

    Customers whom the data of then did not have, or those of now have no more, are left out.
    """
    if not closed_cutoffs(tables, [past.cutoff], past.window)[0]:
        return None
    file = run_folder.finished_file(past.folder, run_folder.CUSTOMERS)
    told = _in_days(pq.read_table(file, columns=[*KEY, "churn_risk"]))
    left = to_arrow(churn_outcomes(tables, [past.cutoff], past.window))
    both = told.join(left, keys=list(KEY), join_type="inner").drop_null().sort_by("customer_id")
    if not both.num_rows or len(both["churn"].unique()) < 2:
        return None
    columns = (both[name].to_numpy(zero_copy_only=False) for name in ("churn", "churn_risk", "customer_id"))
    return backtest_risks(*columns, draws=draws, seed=seed)


def told_of(past: Past, found: Backtest) -> Text:
    """Return a backtest as a note for the report."""
    day, said = day_date(past.cutoff), found.say()
    return Text(
        f"Churn scores of {day}, held against what happened: {said.en}.", f"{day} 的流失评分与实际对照：{said.zh}。"
    )


def moved_features(
    before: pd.DataFrame, now: pd.DataFrame, outcome: str, risks: tuple[Floats, Floats], customers: Sequence[pa.Array]
) -> pa.Table:
    """Return how far each feature and the risk itself have moved, the furthest feature first, the risk last.

    Parameters
    ----------
    before, now : DataFrame
        Features of the rows learned from, and of the run's cutoff.
    outcome : str
    risks : (array of float, array of float)
        Risks foretold at tested cutoffs, and now.
    customers : (array, array, array)
        Customer of each row learned from, of each row now, and of each risk at a tested cutoff.

    Returns
    -------
    pyarrow.Table
        With the fields of ``risk.evaluation.drift.Drift``.
    """
    import pandas as pd

    from tierlens.risk.evaluation.drift import measure_drift

    share = FALSE_ALARMS / (before.shape[1] + 1)
    first, second = (pd.DataFrame({f"{outcome}_risk": risk}) for risk in risks)
    learned, asked, tested = (np.asarray(ids) for ids in customers)
    found = measure_drift(before, now, customers=(learned, asked), false_alarms=FALSE_ALARMS - share)
    found += measure_drift(first, second, customers=(tested, asked), false_alarms=share)
    rows = [
        {"outcome": outcome, "feature": one.name, "stability": one.stability, "distance": one.distance,
         "alarm": one.alarm, "band": one.band, "missing_before": one.missing_before, "missing_now": one.missing_now,
         "new_levels": ", ".join(one.new_levels)} for one in found
    ]  # fmt: skip
    return pa.Table.from_pylist(rows)


def moved_note(table: pa.Table, title: Text) -> Text:
    """Say how many columns have moved away from what the model learned from, and name the furthest."""
    far = table.filter(pc.and_(table["alarm"], pc.equal(table["band"], "moved")))["feature"].to_pylist()
    alarms = pc.sum(table["alarm"]).as_py() or 0
    titles = [_title(name) for name in far[:NAMED]]
    en, zh = ", ".join(each.en for each in titles), "、".join(each.zh for each in titles)
    rest = Text(f", and {len(far) - NAMED} more", "等") if len(far) > NAMED else Text("", "")
    some = Text(f": {en}{rest.en}", f"：{zh}{rest.zh}") if far else Text("", "")
    return Text(
        f"{title.en}: of {table.num_rows} columns {alarms} differ from the training rows by more than chance (false "
        f"alarms {FALSE_ALARMS:.0%} over all), {len(far)} have moved far{some.en}.",
        f"{title.zh}：{table.num_rows} 列中有 {alarms} 列与训练数据的差异超出随机（总体误报率 {FALSE_ALARMS:.0%}），"
        f"其中 {len(far)} 列明显变化{some.zh}。",
    )


def _title(column: str) -> Text:
    """Return what people call a column of the drift table: a feature, or the risk itself."""
    if column.endswith("_risk"):
        return Text("predicted risk", "预测风险")
    return title_of(column, "feature", {**WHOLE, **STANDING})


def compared_runs(champion: Path, challenger: Path, outcome: str, tests: int, draws: int = 500) -> Compared:
    """Compare the models of two runs on the latest cutoffs that both were tested on, by what neither had seen.

    Parameters
    ----------
    champion, challenger : Path
        Folders of finished runs.
    outcome : str
        ``churn`` or ``downgrade``.
    tests : int
        Latest common cutoffs.
    draws : int

    Raises
    ------
    UsageError
        ``E-RU-023`` for an outcome that there is not.
    DataError
        ``E-RU-020`` when they share no row, ``E-RU-021`` when they say different things of what happened.
    """
    _refuse_no_outcome(outcome)
    one, two = (_tested(folder, outcome) for folder in (champion, challenger))
    days = sorted(set(one["cutoff"].to_pylist()) & set(two["cutoff"].to_pylist()))[-tests:]
    both = one.join(two, keys=list(KEY), right_suffix="_2", join_type="inner")
    both = both.filter(pc.is_in(both["cutoff"], value_set=pa.array(days, pa.int32())))
    both = both.sort_by([("cutoff", "ascending"), ("customer_id", "ascending")])
    if not both.num_rows:
        raise DataError(
            "E-RU-020",
            Text(f"the two runs were not tested on the same {outcome} rows", f"两次运行没有共同的 {outcome} 检验数据"),
            where=f"{champion}, {challenger}",
            fix=Text("give runs of the same data with common test cutoffs", "请提供同一数据且检验截止日有重叠的运行"),
        )
    if not both["happened"].equals(both["happened_2"]):
        raise DataError(
            "E-RU-021",
            Text("the two runs disagree about what happened", "两次运行对实际结果的记录不一致"),
            where=f"{champion}, {challenger}",
            fix=Text("use the same window, scheme and data", "请使用相同的窗口、方案和数据"),
        )
    rows = Rows(*(both[name].to_numpy(zero_copy_only=False) for name in ("happened", "customer_id", "cutoff")))
    return compare_models(rows, both["risk"].to_numpy(), both["risk_2"].to_numpy(), draws=draws)


def _in_days(table: pa.Table) -> pa.Table:
    """Return a kept table with cutoffs as day numbers again; files hold them as dates."""
    return table.set_column(table.column_names.index("cutoff"), "cutoff", table["cutoff"].cast(pa.int32()))


def _refuse_no_outcome(outcome: str) -> None:
    known = ("churn", "downgrade")
    if outcome not in known:
        near = difflib.get_close_matches(outcome, known, 1)
        meant = Text(f"did you mean {near[0]!r}?", f"是否指 {near[0]!r}？") if near else Text(
            "there are churn and downgrade", "可用：churn、downgrade"
        )  # fmt: skip
        raise UsageError("E-RU-023", Text(f"there is no outcome {outcome!r}", f"没有结果 {outcome!r}"),
                         where="--outcome", fix=meant)  # fmt: skip


def _tested(folder: Path, outcome: str) -> pa.Table:
    from tierlens.learning.learnable import refuse_left_out

    refuse_left_out(folder, outcome)
    table = _in_days(pq.read_table(run_folder.finished_file(folder, run_folder.TESTED)))
    return table.filter(pc.equal(table["outcome"], outcome)).drop_columns(["outcome"])


def tested_rows(outcome: str, tests: pa.Table, risk: npt.NDArray[np.float64]) -> pa.Table:
    """Return what a model foretold of test cutoffs beside what happened: the rows of ``tested.parquet``.

    Parameters
    ----------
    outcome : str
    tests : pyarrow.Table
        Key and outcome.
    risk : array of float
    """
    return pa.table({
        "customer_id": tests["customer_id"], "cutoff": tests["cutoff"],
        "outcome": pa.array([outcome] * tests.num_rows, pa.string()),
        "happened": tests[outcome].cast(pa.int8()), "risk": np.round(risk, 9),
    })  # fmt: skip


def backtest_again(folder: Path, file: Path | None) -> tuple[Past, Backtest]:
    """Backtest a run on the data as they are now: those that its own run file names, or those of another.

    Raises
    ------
    DataError
        ``E-RU-022`` while the horizon is open, or where nothing can be compared.
    """
    from tierlens.learning.learnable import refuse_left_out
    from tierlens.workspace.config import RunConfig, load_config
    from tierlens.workspace.prepare import obtain_shop

    past = past_run(folder)
    refuse_left_out(folder, "churn")
    config = load_config(file) if file is not None else RunConfig.model_validate(past.configuration)
    _, shop = obtain_shop(config, say_nothing)
    found = backtest_of_run(past, shop.tables)
    if found is None:
        closes = day_date(past.window.closes(past.cutoff))
        raise DataError(
            "E-RU-022",
            Text(
                f"what happened after {day_date(past.cutoff)} is not known yet",
                f"{day_date(past.cutoff)} 之后的实际结果尚不可知",
            ),
            where=str(folder),
            fix=Text(f"give data up to {closes} with --file", f"请用 --file 提供截至 {closes} 的数据"),
        )
    return past, found
