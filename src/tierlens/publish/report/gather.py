"""From the tables of the layers below to findings: each function makes one part of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tierlens.explain.contributions import Contributions, dimension_of, float_matrix, importance, title_of
from tierlens.explain.reason_columns import REASONS
from tierlens.explain.reason_columns import TITLES as OF_RISK
from tierlens.features.catalog import WHOLE, Feature
from tierlens.publish.lists.bands import BANDS
from tierlens.publish.report.findings import (
    CustomerLine,
    Estimate,
    Fate,
    QualityLine,
    SegmentLine,
    Segments,
    Spotlight,
    Swarm,
    TierLine,
    Tiers,
    Trait,
    Weight,
    Why,
)
from tierlens.publish.report.validity import wilson_interval
from tierlens.words import Text

if TYPE_CHECKING:
    from tierlens.explain.agreement import Agreement
    from tierlens.explain.scheme_homes import Home
    from tierlens.grading.scheme.scheme import Scheme
    from tierlens.segments.profile import Profile
    from tierlens.sources.report.quality import Quality

TRAITS = ("recency_days", "frequency", "monetary", "tenure_days")
SPOTS = (
    ("risk", Text("High risk, best scores first", "高风险客户，按评分从高到低")),
    ("best", Text("Best scores", "评分最高")),
    ("worst", Text("Lowest scores", "评分最低")),
)


def quality_lines(quality: Quality) -> tuple[QualityLine, ...]:
    """Return the quality report's lines; what was changed or flagged comes last, as notes.

    Examples
    --------
    >>> from tierlens.sources.report.quality import Quality
    >>> [(line.what.en, line.rows) for line in quality_lines(Quality("shop", 3, 2, {"missing_customer": 1}))]
    [('lines read', 3), ('lines used', 2), ('no customer', 1)]
    """
    lines = [
        QualityLine(Text("lines read", "读入行数"), quality.rows_in, "in"),
        QualityLine(Text("lines used", "使用行数"), quality.used, "used"),
    ]
    fates: tuple[tuple[Fate, Mapping[str, int]], ...] = (
        ("quarantined", quality.quarantined),
        ("deduplicated", quality.deduplicated),
        ("note", quality.normalised),
        ("note", quality.flags),
    )
    lines += [QualityLine(quality.said(key), rows[key], fate) for fate, rows in fates for key in rows if rows[key]]
    return tuple(lines)


def tiers_of(graded: pa.Table, scheme: Scheme) -> Tiers:
    """Count the tiers of one cutoff beside the shares that the document suggests.

    Parameters
    ----------
    graded : pyarrow.Table
        One row a customer, with ``tier`` (missing where not graded), ``coverage`` and ``points_<indicator>``.
    scheme : Scheme
    """
    counts = {row["values"]: row["counts"] for row in pc.value_counts(graded["tier"]).to_pylist()}
    ungraded = counts.pop(None, 0)
    rated = graded.num_rows - ungraded
    whole = max(rated, 1)
    lines = tuple(
        TierLine(
            tier.id, tier.title, counts.get(tier.id, 0), counts.get(tier.id, 0) / whole,
            None if tier.share is None else (float(tier.share[0]), float(tier.share[1])),
            _by_chance(counts.get(tier.id, 0), rated),
        )
        for tier in scheme.tiers
    )  # fmt: skip
    empty = [
        indicator.title
        for _, indicator in scheme.indicators
        if f"points_{indicator.id}" in graded.column_names
        and graded[f"points_{indicator.id}"].null_count == graded.num_rows
    ]
    covered = pc.mean(graded["coverage"]).as_py() if "coverage" in graded.column_names else None
    return Tiers(scheme.title, lines, ungraded, float(covered or 0), tuple(empty))


def _by_chance(customers: int, rated: int) -> tuple[float, float] | None:
    """Return Wilson's interval of a share of customers, each of whom stands once."""
    found = wilson_interval(customers, rated, rated)
    return None if found.low is None or found.high is None else (round(found.low, 9), round(found.high, 9))


def segments_of(
    profile: Profile, agreement: Agreement, tiers: Sequence[str], how: Text, features: Sequence[str] = TRAITS
) -> Segments:
    """Put profiles and their agreement with the tiers together.

    Parameters
    ----------
    profile : Profile
    agreement : Agreement
        Of the same segment numbers.
    tiers : sequence of str
        In the order of the scheme, best first.
    how : Text
        How the number of segments was chosen.
    features : sequence of str
        Those whose medians are shown; features that were not profiled are left out.
    """
    medians = {(row["segment"], row["feature"]): row for row in profile.features.to_pylist()}
    shown = [name for name in features if any(feature == name for _, feature in medians)]
    first = {feature: row for (_, feature), row in reversed(medians.items())}
    traits = tuple(
        Trait(name, Text(first[name]["title_en"], first[name]["title_zh"]), first[name]["unit"]) for name in shown
    )
    cells = {(row["segment"], row["tier"]): row["customers"] for row in agreement.cross.to_pylist()}
    lines = tuple(
        SegmentLine(
            profile.names[row["segment"]], row["customers"],
            tuple(_number(medians[row["segment"], name]["median"]) for name in shown),
            tuple(cells.get((row["segment"], tier), 0) for tier in tiers),
        )
        for row in profile.segments.to_pylist()
    )  # fmt: skip
    found = {row["measure"]: Estimate(row["value"], row["low"], row["high"]) for row in agreement.measures.to_pylist()}
    rand, information = found["adjusted_rand"], found["adjusted_mutual_information"]
    return Segments(traits, tuple(tiers), lines, rand, information, agreement.verdict, how)


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def why_of(
    contributions: Contributions,
    table: Any,
    most: int = 10,
    sample: int = 200,
    seed: int = 0,
    catalog: Mapping[str, Feature] = WHOLE,
    homes: Mapping[str, Home] | None = None,
) -> Why:
    """Sum contributions by dimension and feature, and draw a sample of customers for the picture.

    Parameters
    ----------
    contributions : Contributions
        By feature, one row a row of ``table``.
    table : Arrow table, pandas or Polars frame
        The features that were explained.
    most : int
        Features to show.
    sample : int
        Customers to show.
    seed : int
    catalog : mapping of str to Feature
        Titles and dimensions.
    homes : mapping of str to Home, optional
        Where features belong under the scheme in use: dimensions are then those of the scheme.
    """
    rows = importance(contributions, catalog, homes).to_pylist()
    weights = {
        level: [_weight(row, catalog, homes) for row in rows if row["level"] == level and row["share"] > 0]
        for level in ("dimension", "feature", "indicator")
    }
    names = [row["name"] for row in rows if row["level"] == "feature" and row["share"] > 0][:most]
    drawn = np.random.default_rng(seed).permutation(len(contributions))[:sample]
    drawn.sort()
    values = float_matrix(table, tuple(names))[drawn]
    pushes = contributions.values[drawn]
    swarms = tuple(
        Swarm(
            title_of(name, "feature", catalog),
            tuple(pushes[:, contributions.names.index(name)].round(6).tolist()),
            tuple(values[:, place].tolist()),
        )
        for place, name in enumerate(names)
    )
    return Why(tuple(weights["dimension"]), tuple(weights["feature"]), swarms, tuple(weights["indicator"]))


def _weight(row: dict[str, Any], catalog: Mapping[str, Feature], homes: Mapping[str, Home] | None) -> Weight:
    dimension = row["name"]
    if row["level"] != "dimension":
        dimension = dimension_of(dimension, catalog, homes)
    return Weight(Text(row["title_en"], row["title_zh"]), dimension, row["share"])


def picked_spotlights(customers: pa.Table, count: int = 6) -> tuple[Spotlight, ...]:
    """Pick a few customers for the report: at high risk with the best scores, the best, and the lowest.

    Parameters
    ----------
    customers : pyarrow.Table
        The table of which lists are made (see ``lists.customer_list``).
    count : int
        Customers under each heading; headings without any are left out.
    """
    columns = ["customer_id", "score", "risk_band"]
    keys = customers.select(columns).append_column("row", pa.array(range(customers.num_rows), pa.int64()))
    keys = keys.filter(pc.is_valid(keys["score"]))
    by_score = {
        way: keys.sort_by([("score", way), ("customer_id", "ascending")]) for way in ("ascending", "descending")
    }
    best = by_score["descending"]
    picked = {
        "risk": best.filter(pc.equal(best["risk_band"], "high")),
        "best": best,
        "worst": by_score["ascending"],
    }
    found = ((title, customers.take(picked[key]["row"].slice(0, count))) for key, title in SPOTS)
    return tuple(Spotlight(title, tuple(map(_line, rows.to_pylist()))) for title, rows in found if rows.num_rows)


def _line(row: dict[str, Any]) -> CustomerLine:
    reasons = (_told(row, name) for name in REASONS)
    return CustomerLine(
        str(row["customer_id"]), row["tier"] or "", row["score"], _both(row, "segment"), row["churn_risk"],
        row["downgrade_risk"], BANDS[row["risk_band"]], tuple(reason for reason in reasons if reason.en),
        _both(row, "next_step"),
    )  # fmt: skip


def _told(row: dict[str, Any], name: str) -> Text:
    """Return a reason with the risk that it is of."""
    said, head = _both(row, name), OF_RISK[name.partition("_")[0]]
    return Text(f"{head.en}: {said.en}", f"{head.zh}：{said.zh}") if said.en else said


def _both(row: dict[str, Any], name: str) -> Text:
    return Text(row[f"{name}_en"] or "", row[f"{name}_zh"] or "")
