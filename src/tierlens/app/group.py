"""Segments of a run: found, named, and held against the tiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from tierlens.app.config import RunConfig
from tierlens.sources.tables import Currency
from tierlens.words import Text

UNGRADED = "-"
"""Stands for "no tier" where segments are held against tiers."""


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


def group(snapshot: pa.Table, tiers: pa.Table, config: RunConfig, currency: Currency) -> Grouped:
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
    from tierlens.segments.profile import profile

    names = list(config.segments.features or SEGMENT_FEATURES)
    table = snapshot.select(names).to_pandas()
    segmenter = CustomerSegmenter(config.segments.n_clusters, random_state=config.seed)
    labels = segmenter.fit_predict(table)
    number = segmenter.n_clusters_
    asked = Text(f"{number} segments, as the run file asks", f"{number} 个客群，由运行文件指定")
    described = profile(snapshot, labels, currency=currency)
    held = agreement(labels, known_tiers(tiers), seed=config.seed)
    return Grouped(pa.array(labels), described, held, segmenter.choice_.why if segmenter.choice_ else asked)


def known_tiers(tiers: pa.Table) -> list[str]:
    """Return the tier of each row; a dash where there is none."""
    return [tier or UNGRADED for tier in tiers["tier"].to_pylist()]
