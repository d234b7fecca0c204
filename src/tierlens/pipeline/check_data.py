"""What reading alone finds: the quality report of every table, and what was kept out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from tierlens.errors import DataError, MissingExtraError
from tierlens.sources.messages.row_reasons import REASONS
from tierlens.sources.report.quality import Quality
from tierlens.sources.tables import Tables
from tierlens.words import Text
from tierlens.workspace import output_files, run_folder
from tierlens.workspace.config import RunConfig
from tierlens.workspace.output_files import Kind
from tierlens.workspace.prepare import ABSENT, Shop, obtain_shop, say_nothing, simulated_run_shop

LATER = Text(
    "lines at or after the cutoff, or recorded then: a run of this cutoff does not see them",
    "截止日及以后发生或录入的行：该截止日的运行不使用",
)
IGNORED = Text("columns that are not read", "未读取的列")
TOTALS = (("rows_in", Text("lines read", "读入行数")), ("used", Text("lines used", "使用行数")))
GROUPS = (
    ("quarantined", Text("quarantined", "隔离")),
    ("deduplicated", Text("deduplicated", "去重")),
    ("normalised", Text("normalised", "规范化")),
    ("flags", Text("flagged, kept", "标记（保留）")),
)
Row = tuple[str, str, str, str]


class Checked(NamedTuple):
    """What a check of the data found.

    Parameters
    ----------
    quality : Quality
        Of transactions; those of the other tables stand in ``others``.
    later : int
        Lines of transactions that were not known before the cutoff.
    """

    quality: Quality
    later: int


def check_tables(config: RunConfig, allow_empty: bool = False) -> Checked:
    """Read every table of a run file strictly, whatever the limits say, and look at what a reader alone cannot see.

    Raises
    ------
    DataError
        Where a file must not be read at all; limits are not held against the counts here.
    """
    config, shop = read_unlimited(config, allow_empty)
    from tierlens.features.windows import at_cutoffs

    known = at_cutoffs(shop.tables.transactions.select("day", "known_day"), [config.cutoff_day])
    return Checked(_with_twins(shop.tables, shop.quality), shop.quality.used - _rows(known))


def _rows(frame: Any) -> int:
    import narwhals as nw

    return int(frame.select(nw.len()).collect("pyarrow").item())


def read_unlimited(config: RunConfig, allow_empty: bool = False) -> tuple[RunConfig, Shop]:
    """Read a run file's tables without holding its limits against them; return the run file that was used, too."""
    if config.source is None:
        return config, simulated_run_shop(config)
    from tierlens.sources.read import read_tables

    wanted = {"name": config.name, "allow_empty": allow_empty or config.source.allow_empty}
    try:
        found = read_tables(config.source.model_copy(update=wanted), check=False)
    except DataError as problem:
        if problem.code not in ABSENT:
            raise
        return obtain_shop(config, say_nothing)
    return config, Shop(found.tables, found.quality, False)


def _with_twins(tables: Tables, quality: Quality) -> Quality:
    """Count customers whose names are one, or all but one; without the extra ``twins`` nothing is said."""
    if "customers" not in quality.others:
        return quality
    from tierlens.sources.report.duplicate_customers import shared_names

    try:
        shared = shared_names(tables)
    except MissingExtraError:
        return quality
    if not shared:
        return quality
    customers = quality.others["customers"]
    flagged = replace(customers, flags={**customers.flags, **shared})
    return replace(quality, others={**quality.others, "customers": flagged})


def report_rows(quality: Quality) -> Iterator[Row]:
    """Yield the report of one table as (code, English, Chinese, lines), in the order it is read."""
    for key, title in TOTALS:
        yield "", title.en, title.zh, f"{getattr(quality, key):,}"
    for key, title in GROUPS:
        for reason, lines in getattr(quality, key).items():
            if lines:
                text = quality.said(reason)
                yield REASONS[reason].code, f"{title.en}: {text.en}", f"{title.zh}：{text.zh}", f"{lines:,}"


def report_sum(quality: Quality) -> str:
    """Return the sum of a report.

    Examples
    --------
    >>> report_sum(Quality("shop", 3, 2, quarantined={"missing_customer": 1}))
    '3 = 2 + 1 + 0'
    """
    kept_out, again = sum(quality.quarantined.values()), sum(quality.deduplicated.values())
    return f"{quality.rows_in:,} = {quality.used:,} + {kept_out:,} + {again:,}"


def write_out(quality: Quality, place: Callable[[str, Kind], Path]) -> list[Path]:
    """Write ``rejects.csv`` (of other tables ``rejects_NAME.csv``, where there are any) and ``quality.json``.

    Parameters
    ----------
    quality : Quality
    place : callable
        Returns where a file of a name and kind may be written; nothing is written unless all may.
    """
    import json

    from tierlens.publish.files.atomic import replacing_file, write_text

    kept = {run_folder.REJECTS: quality} | {
        run_folder.REJECTS_OF.format(name): report for name, report in quality.others.items() if report.quarantined
    }
    rejects = {place(name, output_files.REJECTS): report for name, report in kept.items()}
    told = place(run_folder.QUALITY, output_files.QUALITY)
    for path, report in rejects.items():
        with replacing_file(path) as temporary:
            report.write_rejects(temporary)
    text = json.dumps(quality.to_dict(), ensure_ascii=False, indent=2)
    return [*rejects, write_text(told, text)]
