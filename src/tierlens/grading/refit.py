"""A proposal: centre and spread of z-scores with which the shares that a document suggests can be reached.

Nothing is changed by it. The document says neither where an average customer stands nor how far one standard deviation
reaches; both are the scheme's own reading. Here one centre and one slope, the same for all indicators compared by
z-score, are searched on the customers at hand, and what they would do is told by the grader itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import narwhals as nw

from tierlens.errors import UsageError
from tierlens.grading.feature_columns import columns_of_frame
from tierlens.grading.reference import compared_indicators, fit_reference
from tierlens.grading.scheme.grammar import plain_number
from tierlens.grading.scheme.parts import Indicator, Tier
from tierlens.grading.scheme.scheme import Scheme
from tierlens.grading.scoring import grade
from tierlens.sources.tables import Currency
from tierlens.words import Text

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Floats = npt.NDArray[np.float64]

MOST_ROWS = 2_000
"""Customers that the search looks at, at most: every so manieth; what is told of a proposal is of all of them."""
STEPS = (Decimal("0.25"), Decimal("0.05"))
"""Steps of the search, first over the whole scale, then around the best."""
SUFFIX = "_refit"
ORDER = [("cutoff", "ascending"), ("customer_id", "ascending")]
NOTE = {
    "en": "Fitted, not documented: all z-scores have centre {centre} and slope {slope}, whatever other notes say; they "
    "bring the shares of the tiers nearer to the suggested ones on the customers they were fitted on.",
    "zh": "拟合所得，非文档规定：所有Z分数的中心为 {centre}、斜率为 {slope}，以此为准；"
    "旨在使拟合客户的等级占比更接近建议占比。",
}


@dataclass(frozen=True)
class Refit:
    """A scheme with another centre and spread, and what it would do.

    Parameters
    ----------
    scheme : Scheme
        As it would be; the id ends in ``_refit``.
    centre, slope : Decimal
        Points at the mean and of one standard deviation, for every indicator compared by z-score.
    before, after : tuple of float
        Share of each tier among the graded customers, best first.
    moved, graded : int
        Customers whose tier would change, and all who are graded.
    """

    scheme: Scheme
    centre: Decimal
    slope: Decimal
    before: tuple[float, ...]
    after: tuple[float, ...]
    moved: int
    graded: int

    @property
    def inside(self) -> int:
        """Tiers whose share would lie within the band that the document suggests."""
        pairs = zip(self.scheme.tiers, self.after, strict=True)
        return sum(tier.share is not None and tier.share[0] <= share <= tier.share[1] for tier, share in pairs)

    @property
    def told(self) -> Text:
        """Say what is proposed and what it would change."""
        tiers, n = len(self.scheme.tiers), self.inside
        short = Text("", "") if n == tiers else Text(
            ". Of the centres on the scale and spreads up to half of it that were tried, none brings every tier into "
            "its band: points end at "
            f"{self.scheme.points.high:f}, and few customers stand near the top in most indicators at once",
            f"。在量表范围内、标准差不超过半个量表时，所试取值均不能使各级都达到建议占比：单项最高 "
            f"{self.scheme.points.high:f} 分，而多数指标同时接近最高分的客户很少",
        )  # fmt: skip
        return Text(
            f"Proposal, not applied: an average of {self.centre} points and {self.slope} points for one standard "
            f"deviation, for every indicator compared by z-score; {n} of {tiers} tiers would have the suggested share, "
            f"and {self.moved:,} of {self.graded:,} customers would change tier{short.en}",
            f"建议（未应用）：所有按Z分数比较的指标，均值对应 {self.centre} 分，一个标准差对应 {self.slope} 分；"
            f"{tiers} 个等级中 {n} 个达到建议占比，{self.graded:,} 位客户中 {self.moved:,} 位的等级会改变{short.zh}",
        )


def refit_scheme(features: pa.Table, scheme: Scheme, currency: Currency) -> Refit:
    """Search the centre and spread that bring the tiers nearest to the suggested shares.

    Parameters
    ----------
    features : pyarrow.Table
        The population of one cutoff.
    scheme : Scheme
        By score, with suggested shares and indicators compared by z-score.
    currency : Currency

    Raises
    ------
    UsageError
        ``E-SC-007`` when there is nothing to fit.
    """
    _refuse_nothing_to_fit(scheme)
    features = features.sort_by(ORDER)
    before = _graded(features, scheme, currency)
    every = max(-(-features.num_rows // MOST_ROWS), 1)
    rows = list(range(0, features.num_rows, every))
    board = _Board.of(features.take(rows), before.take(rows), features, scheme, currency)
    centre, slope = board.best()
    proposed = with_line(scheme, centre, slope)
    after = _graded(features, proposed, currency)
    tiers = [table["tier"].to_pylist() for table in (before, after)]
    moved = sum(one != other for one, other in zip(*tiers, strict=True))
    shares = [_shares(given, scheme) for given in tiers]
    return Refit(proposed, centre, slope, shares[0], shares[1], moved, sum(tier is not None for tier in tiers[1]))


def with_line(scheme: Scheme, centre: Decimal, slope: Decimal) -> Scheme:
    """Return a scheme of its own id whose z-scores have another centre and slope.

    Examples
    --------
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> new = with_line(load_scheme("relationship_rating"), Decimal("7.05"), Decimal("2"))
    >>> new.id, {str(i.normalise.centre) for _, i in new.indicators if i.normalise}
    ('relationship_rating_refit', {'7.05'})
    """

    def changed(indicator: Indicator) -> Indicator:
        way = indicator.normalise
        if way is None or way.method != "z_score":
            return indicator
        return indicator.model_copy(update={"normalise": way.model_copy(update={"centre": centre, "slope": slope})})

    dimensions = tuple(
        one.model_copy(update={"indicators": tuple(changed(indicator) for indicator in one.indicators)})
        for one in scheme.dimensions
    )
    named = {"id": scheme.id, "name": scheme.name, "label": scheme.label}
    if not scheme.id.endswith(SUFFIX):
        named = {"id": f"{scheme.id}{SUFFIX}", "name": f"{scheme.name} (refit)", "label": f"{scheme.label}（拟合）"}
    dumped = scheme.model_dump(by_alias=True)
    notes = [*dumped["notes"], {part: text.format(centre=centre, slope=slope) for part, text in NOTE.items()}]
    changes = {**named, "notes": notes, "dimensions": [one.model_dump(by_alias=True) for one in dimensions]}
    return Scheme.model_validate({**dumped, **changes})


def can_refit(scheme: Scheme) -> bool:
    """Say whether there is anything to fit.

    Examples
    --------
    >>> from tierlens.grading.scheme.scheme import load_scheme, scheme_names
    >>> [name for name in scheme_names() if can_refit(load_scheme(name))]
    ['relationship_rating']
    """
    by_z = any(i.normalise is not None and i.normalise.method == "z_score" for _, i in scheme.indicators)
    return scheme.tier_by == "score" and by_z and all(tier.share is not None for tier in scheme.tiers)


def _refuse_nothing_to_fit(scheme: Scheme) -> None:
    if can_refit(scheme):
        return
    raise UsageError(
        "E-SC-007",
        Text(
            f"{scheme.id} has nothing to fit: a proposal needs tiers by score, a suggested share for each of them, and "
            "indicators compared by z-score",
            f"{scheme.id} 没有可拟合之处：需按分数定级、各级均有建议占比，且有按Z分数比较的指标",
        ),
        where="--propose",
        fix=Text("leave --propose out", "请去掉 --propose"),
    )


def _graded(features: pa.Table, scheme: Scheme, currency: Currency) -> pa.Table:
    import duckdb

    frame = nw.from_native(duckdb.from_arrow(features, connection=duckdb.connect()))
    table: pa.Table = grade(frame, scheme, currency).collect("pyarrow").to_native()
    return table.sort_by(ORDER)


def _shares(tiers: list[Any], scheme: Scheme) -> tuple[float, ...]:
    given = [tier for tier in tiers if tier is not None]
    return tuple(given.count(tier.id) / max(len(given), 1) for tier in scheme.tiers)


@dataclass(frozen=True)
class _Board:
    """Points of customers by indicator, of those compared by z-score how far from the mean, ready to be scored.

    Parameters
    ----------
    scheme : Scheme
    fixed : dict of str to array
        Points that another centre does not change; NaN where an indicator takes no part.
    away : dict of str to array
        Standard deviations above the mean, below it where less is better.
    """

    scheme: Scheme
    fixed: dict[str, Floats]
    away: dict[str, Floats]

    @classmethod
    def of(cls, some: pa.Table, graded: pa.Table, whole: pa.Table, scheme: Scheme, currency: Currency) -> _Board:
        """Measure the whole population, and say where some of it stand."""
        import numpy as np

        frame = nw.from_native(whole).lazy()
        columns = columns_of_frame(frame, scheme, currency)
        measured = {row["indicator"]: row for row in fit_reference(frame, scheme, currency).to_pylist()}
        fixed = {i.id: _floats(graded, f"points_{i.id}") for _, i in scheme.indicators}
        away: dict[str, Floats] = {}
        for indicator, way, source in compared_indicators(columns):
            found = measured[indicator.id]
            if way.method != "z_score" or not found["n"]:
                continue
            sign = 1.0 if indicator.direction == "up" else -1.0
            z = sign * (_floats(some, source) - found["mean"]) / (found["spread"] or np.inf)
            away[indicator.id] = z
        return cls(scheme, fixed, away)

    def best(self) -> tuple[Decimal, Decimal]:
        """Return centre and slope: a coarse search of the whole scale, then a fine one around the best."""
        low, high = self.scheme.points.low, self.scheme.points.high
        coarse, fine = STEPS
        centres = _steps(low, high, coarse)
        steepest = (high - low) / 2
        slopes = _steps(coarse, steepest, coarse)
        centre, slope = min(((c, s) for c in centres for s in slopes), key=self.distance)
        near = _steps(max(centre - coarse, low), min(centre + coarse, high), fine)
        beside = _steps(max(slope - coarse, fine), min(slope + coarse, steepest), fine)
        centre, slope = min(((c, s) for c in near for s in beside), key=self.distance)
        return Decimal(plain_number(centre)), Decimal(plain_number(slope))

    def distance(self, line: tuple[Decimal, Decimal]) -> tuple[float, float]:
        """Return how far the shares lie outside the suggested bands, and from their middles."""
        scores = self.scores(float(line[0]), float(line[1]))
        shares = [_between(scores, tier) for tier in self.scheme.tiers]
        bands = [(float(tier.share[0]), float(tier.share[1])) for tier in self.scheme.tiers if tier.share is not None]
        middle = [(low + high) / 2 for low, high in bands]
        outside = sum(max(low - s, s - high, 0.0) for s, (low, high) in zip(shares, bands, strict=True))
        return round(outside, 9), sum((s - m / sum(middle)) ** 2 for s, m in zip(shares, middle, strict=True))

    def scores(self, centre: float, slope: float) -> Floats:
        """Return the composite of each customer; NaN where there is none."""
        import numpy as np

        low, high = float(self.scheme.points.low), float(self.scheme.points.high)
        points = {
            name: np.where(np.isnan(self.away[name]), fixed, np.clip(centre + slope * self.away[name], low, high))
            if name in self.away
            else fixed
            for name, fixed in self.fixed.items()
        }
        inside, between = self.scheme.inside, self.scheme.between
        means = [
            (between[d.id], _mean([(inside[i.id], points[i.id]) for i in d.indicators])) for d in self.scheme.dimensions
        ]
        scores: Floats = np.round(_mean(means) * float(self.scheme.to_score), 9)
        return scores


def _mean(parts: list[tuple[Fraction, Floats]]) -> Floats:
    """Weighted mean of the parts that are there."""
    import numpy as np

    weights = np.array([[float(weight)] for weight, _ in parts])
    values = np.array([value for _, value in parts])
    there = ~np.isnan(values)
    under = (weights * there).sum(axis=0)
    over = (weights * np.nan_to_num(values)).sum(axis=0)
    found: Floats = np.divide(over, under, out=np.full(values.shape[1], np.nan), where=under > 0)
    return found


def _between(scores: Floats, tier: Tier) -> float:
    import numpy as np

    known = scores[~np.isnan(scores)]
    start = -np.inf if tier.start is None else float(tier.start[0])
    end = np.inf if tier.end is None else float(tier.end[0])
    return float(((known >= start) & (known < end)).mean()) if len(known) else 0.0


def _steps(low: Decimal, high: Decimal, step: Decimal) -> list[Decimal]:
    return [low + step * n for n in range(int((high - low) / step) + 1)]


def _floats(table: pa.Table, name: str) -> Floats:
    import numpy as np
    import pyarrow as pa

    values = table[name].cast(pa.float64(), safe=False).to_numpy()
    found: Floats = np.where(np.isfinite(values), values, np.nan)
    return found
