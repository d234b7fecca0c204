"""Segments of a run: found, named, and held against the tiers."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import pyarrow as pa

from tierlens.errors import DataError, UsageError
from tierlens.publish.report.left_out import LeftOut
from tierlens.sources.tables import Currency
from tierlens.words import Text
from tierlens.workspace.config import RunConfig

UNGRADED = "-"
"""Stands for "no tier" where segments are held against tiers."""


def _refuse_strange(names: list[str], snapshot: pa.Table) -> None:
    """Refuse a feature that a snapshot does not hold as a number."""
    there = [field.name for field in snapshot.schema if not pa.types.is_string(field.type)]
    for name in names:
        if name not in there:
            near = get_close_matches(name, there, 1) or ["recency_days"]
            raise UsageError(
                "E-RU-061",
                Text(f"no feature of the customers is called {name}", f"没有名为 {name} 的客户特征"),
                where="segments.features",
                fix=Text(f"did you mean {near[0]}? 'tierlens features list' names all",
                         f"是否为 {near[0]}？可用 tierlens features list 查看全部"),
            )  # fmt: skip


@dataclass(frozen=True)
class Grouped:
    """Segments of one snapshot.

    Parameters
    ----------
    labels : pyarrow.Array of int64
        Segment of each row of the snapshot.
    profile : Profile
    agreement : Agreement
    how : Text
        Why there are so many.
    """

    labels: pa.Array
    profile: Any
    agreement: Any
    how: Text


def segment_customers(snapshot: pa.Table, tiers: pa.Table, config: RunConfig, currency: Currency) -> Grouped:
    """Cluster the customers of a snapshot and compare the segments with their tiers.

    Parameters
    ----------
    snapshot, tiers : pyarrow.Table
        Features and graded rows of the same customers, in the same order.
    config : RunConfig
    currency : Currency
    """
    from tierlens.explain.agreement import agreement
    from tierlens.segments import SEGMENT_FEATURES, CustomerSegmenter
    from tierlens.segments.profile import segment_profile

    names = list(config.segments.features or SEGMENT_FEATURES)
    _refuse_strange(names, snapshot)
    table = snapshot.select(names).to_pandas()
    segmenter = CustomerSegmenter(config.segments.n_clusters, random_state=config.seed)
    labels = segmenter.fit_predict(table)
    number = segmenter.n_clusters_
    asked = Text(f"{number} segments, as the run file asks", f"{number} 个客群，由运行文件指定")
    described = segment_profile(snapshot, labels, currency=currency)
    held = agreement(labels, known_tiers(tiers), seed=config.seed)
    return Grouped(pa.array(labels), described, held, segmenter.choice_.why if segmenter.choice_ else asked)


def group_or_not(
    snapshot: pa.Table, tiers: pa.Table, config: RunConfig, currency: Currency
) -> tuple[Grouped | None, tuple[LeftOut, ...]]:
    """Return segments as ``segment_customers`` does, or why there are none: too few customers, or all alike."""
    try:
        return segment_customers(snapshot, tiers, config, currency), ()
    except DataError as problem:
        fix = problem.fix or Text("take more customers", "请增加客户")
        return None, (LeftOut("segments", Text("Segments", "客群"), problem.what, fix, problem.code),)


def known_tiers(tiers: pa.Table) -> list[str]:
    """Return the tier of each row; a dash where there is none."""
    return [tier or UNGRADED for tier in tiers["tier"].to_pylist()]
