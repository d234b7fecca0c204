"""What a run found: one frozen value of plain numbers and texts, from which the report and the tracked run are made.

The pipeline builds it once. It holds no table, no time stamp and no contact, so it can be kept as JSON
(``publish.report.findings_file``) and the report can be made again from it without the data.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from tierlens.errors import DataError
from tierlens.publish.lists.activities import Known
from tierlens.publish.lists.bands import BandLine
from tierlens.publish.report.left_out import LeftOut
from tierlens.publish.report.verdicts import CONSTANT, LEAST, VERDICTS, WORSE, signed_difference
from tierlens.words import Lang, Text

Fate = Literal["in", "used", "quarantined", "deduplicated", "note"]


@dataclass(frozen=True)
class Estimate:
    """A number and its 95% interval, where it has one.

    Examples
    --------
    >>> Estimate(0.7973, 0.789, 0.8051).say()
    '0.797 (0.789 to 0.805)'
    >>> Estimate(0.5).say(2), Estimate(float("nan")).say()
    ('0.50', '-')
    >>> Estimate(0.7973, 0.789, 0.8051).say(lang="zh")
    '0.797 (0.789 至 0.805)'
    """

    value: float
    low: float | None = None
    high: float | None = None

    def say(self, digits: int = 3, lang: Lang = "en") -> str:
        """Return the number with its interval; a dash where it is not a number."""
        if not math.isfinite(self.value):
            return "-"
        if self.low is None or self.high is None:
            return f"{self.value:.{digits}f}"
        between = Text("to", "至").say(lang)
        return f"{self.value:.{digits}f} ({self.low:.{digits}f} {between} {self.high:.{digits}f})"


@dataclass(frozen=True)
class About:
    """What was run on what.

    Parameters
    ----------
    project : str
        What the data are called in every output.
    is_simulated : bool
        True for made-up customers: every page then says so.
    currency : str
        ISO 4217 code of all money.
    minor : int
        Minor units in one unit of the currency.
    cutoff : int
        Day number of the snapshot that is reported.
    observe, gap, horizon : int
        The window, days.
    """

    project: str
    is_simulated: bool
    currency: str
    minor: int
    cutoff: int
    observe: int
    gap: int
    horizon: int


@dataclass(frozen=True)
class QualityLine:
    """Rows of the input that met one fate; ``note`` counts overlap with the others and stay out of the sum."""

    what: Text
    rows: int
    fate: Fate


@dataclass(frozen=True)
class TierLine:
    """Customers of one tier, best tier first.

    ``share`` is of the graded customers; ``suggested`` are the document's bounds for it, missing where it states none;
    ``by_chance`` is Wilson's 95% interval: how far chance alone moves the share among other customers like these.
    """

    tier: str
    name: Text
    customers: int
    share: float
    suggested: tuple[float, float] | None = None
    by_chance: tuple[float, float] | None = None


@dataclass(frozen=True)
class Tiers:
    """The documented tiers of a snapshot.

    Parameters
    ----------
    scheme : Text
        Name of the scheme.
    lines : tuple of TierLine
    ungraded : int
        Customers without a tier.
    coverage : float
        Mean share of the scheme's weight for which there were data, 0-1.
    no_data : tuple of Text
        Indicators of the scheme for which the project has no data.
    """

    scheme: Text
    lines: tuple[TierLine, ...]
    ungraded: int
    coverage: float
    no_data: tuple[Text, ...] = ()

    @property
    def suggests(self) -> bool:
        """Whether the document states a share for any tier."""
        return any(line.suggested is not None for line in self.lines)


@dataclass(frozen=True)
class Trait:
    """A feature by which segments are described; ``unit`` as in the catalog (money comes in minor units)."""

    feature: str
    title: Text
    unit: str


@dataclass(frozen=True)
class SegmentLine:
    """One segment: its size, the median of each trait (NaN where missing), and its customers in each tier."""

    name: Text
    customers: int
    medians: tuple[float, ...]
    by_tier: tuple[int, ...]


@dataclass(frozen=True)
class Segments:
    """The discovered segments and how far they agree with the tiers.

    Parameters
    ----------
    traits, tiers : tuple of Trait, tuple of str
        One for each place of ``SegmentLine.medians``, and of ``SegmentLine.by_tier``.
    lines : tuple of SegmentLine
    rand, information : Estimate
        Adjusted Rand index and adjusted mutual information of segment and tier; 0 by chance, 1 for the same groups.
    verdict : Text
        Whether segments and tiers agree better than chance, by a test.
    how : Text
        The rule by which the number of segments was chosen.
    """

    traits: tuple[Trait, ...]
    tiers: tuple[str, ...]
    lines: tuple[SegmentLine, ...]
    rand: Estimate
    information: Estimate
    verdict: Text
    how: Text


@dataclass(frozen=True)
class ModelLine:
    """How one model or baseline ranks and calibrates; None where it gives no probability."""

    name: Text
    is_model: bool
    auc: Estimate
    average_precision: Estimate
    lift: Estimate
    brier: Estimate | None = None
    calibration: Estimate | None = None


@dataclass(frozen=True)
class Curve:
    """Lift of the riskiest share of customers: ``shares`` ascending in (0, 1], lifts relative to the base rate."""

    name: Text
    shares: tuple[float, ...]
    lifts: tuple[float, ...]


@dataclass(frozen=True)
class Bin:
    """Customers of similar predicted risk: mean prediction and observed rate, 0-1."""

    predicted: float
    observed: float
    customers: int


@dataclass(frozen=True)
class Weight:
    """A feature, family or dimension and its share (0-1) of all absolute contributions; ``dimension`` is a key."""

    name: Text
    dimension: str
    share: float


@dataclass(frozen=True)
class Swarm:
    """One feature over a sample of customers: contributions (log odds) and values, NaN where missing."""

    name: Text
    contributions: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Why:
    """What drives a risk: shares by dimension, feature and indicator, largest first, and a sample for the picture."""

    dimensions: tuple[Weight, ...]
    features: tuple[Weight, ...]
    swarms: tuple[Swarm, ...]
    indicators: tuple[Weight, ...] = ()


@dataclass(frozen=True)
class Risk:
    """How well one outcome is predicted, and from what.

    Parameters
    ----------
    outcome : str
        ``churn`` or ``downgrade``.
    title : Text
    population : Text
        Who is predicted, and at which cutoffs the figures were taken.
    rows : int
        Customers times test cutoffs.
    base_rate : float
        Share of the rows with the outcome, 0-1.
    models : tuple of ModelLine
        The model and its baselines.
    best_baseline : Text
        Name of the baseline with the highest AUC.
    edge : Estimate
        AUC of the model less that of the best baseline, paired, with its interval.
    curves : tuple of Curve
    bins : tuple of Bin
        Calibration of the model.
    why : Why, optional
    is_constant : bool
        Whether the model gives all customers of the run's cutoff the same risk.
    """

    outcome: str
    title: Text
    population: Text
    rows: int
    base_rate: float
    models: tuple[ModelLine, ...]
    best_baseline: Text
    edge: Estimate
    curves: tuple[Curve, ...] = ()
    bins: tuple[Bin, ...] = ()
    why: Why | None = None
    is_constant: bool = False

    @property
    def model(self) -> ModelLine:
        """The line of the model itself."""
        return next(line for line in self.models if line.is_model)

    @property
    def standing(self) -> str:
        """``above``, ``level`` or ``below`` the best baseline; ``unknown`` without an interval.

        A difference that would be printed as 0.000 is none, however narrow its interval.
        """
        edge = self.edge
        if edge.low is None or edge.high is None or not math.isfinite(edge.value):
            return "unknown"
        if abs(edge.value) < LEAST:
            return "level"
        if edge.low > 0:
            return "above"
        return "below" if edge.high < 0 else "level"

    @property
    def caution(self) -> Text | None:
        """Say why the risks of this model are not to be acted on; None where they may be."""
        if not (self.is_constant or self.standing == "below"):
            return None
        en, zh = (CONSTANT if self.is_constant else WORSE).fill(en=self.best_baseline.en, zh=self.best_baseline.zh)
        return Text(f"{self.title.en} risk: {en}; do not act on it.", f"{self.title.zh}风险：{zh}，不宜据此行动。")

    @property
    def verdict(self) -> Text:
        """Say whether the model beats the best baseline, claiming no more than the interval allows."""
        standing, edge = self.standing, self.edge
        words = VERDICTS["same" if standing == "level" and abs(edge.value) < LEAST else standing]
        value, *ends = signed_difference(edge.value, edge.low, edge.high)
        bounds = Text("95% interval {} to {}", "95% 区间 {} 至 {}") if ends else Text("no interval", "无区间")
        bounds = Text(*(part.format(*ends) for part in bounds))
        better = f"{self.model.auc.value:.3f}"
        return Text(
            f"{self.title.en}: {words.en} ({self.best_baseline.en}). AUC {better}, difference {value}, {bounds.en}.",
            f"{self.title.zh}：{words.zh}（{self.best_baseline.zh}）。AUC {better}，差值 {value}，{bounds.zh}。",
        )


@dataclass(frozen=True)
class CustomerLine:
    """One customer of the report's samples; risks are missing where the outcome does not apply."""

    customer_id: str
    tier: str
    score: float | None
    segment: Text
    churn_risk: float | None
    downgrade_risk: float | None
    band: Text
    reasons: tuple[Text, ...]
    next_step: Text


@dataclass(frozen=True)
class Spotlight:
    """A sample of customers under a heading."""

    title: Text
    lines: tuple[CustomerLine, ...]


@dataclass(frozen=True)
class Findings:
    """Everything that the report shows.

    Parameters
    ----------
    about : About
    quality : tuple of QualityLine
        Must close: rows in = used + quarantined + deduplicated.
    tiers : Tiers, optional
    segments : Segments, optional
    risks, spotlights : tuple of Risk, tuple of Spotlight
        In the order in which they are shown.
    notes : tuple of Text
        What limits the figures: season, censoring, anything declared by the run.
    left_out : tuple of LeftOut
        What could not be made, and why.
    known : Known, optional
        Everybody: tiers, segments and risks above are those of customers with a purchase in the window.
    bands : tuple of BandLine

    Raises
    ------
    DataError
        ``E-RP-001`` when the quality report does not close.
    """

    about: About
    quality: tuple[QualityLine, ...]
    tiers: Tiers | None = None
    segments: Segments | None = None
    risks: tuple[Risk, ...] = ()
    spotlights: tuple[Spotlight, ...] = ()
    notes: tuple[Text, ...] = field(default=())
    left_out: tuple[LeftOut, ...] = ()
    known: Known | None = None
    bands: tuple[BandLine, ...] = ()

    def __post_init__(self) -> None:
        rows_in, accounted = self.rows("in"), self.rows("used") + self.rows("quarantined") + self.rows("deduplicated")
        if rows_in != accounted:
            raise DataError(
                "E-RP-001",
                Text(
                    f"{rows_in:,} rows came in and {accounted:,} are accounted for",
                    f"读入 {rows_in:,} 行，有去向的为 {accounted:,} 行",
                ),
                where="quality report",
                fix=Text("read the source again; if it stays, report it", "请重新读取数据；若仍如此，请反馈"),
            )

    def rows(self, fate: Fate) -> int:
        """Return the rows of one fate."""
        return sum(line.rows for line in self.quality if line.fate == fate)
