"""Bands of risk: who is at high, medium or low risk, by a stated share of the customers or by a stated risk.

Each risk has its own band. A band begins at one risk: everybody who has it, or more, is in the band or a higher one, so
customers with equal risks are never parted, and the order of rows changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, inf
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from tierlens.strict_yaml import refused_value
from tierlens.words import Text

Band = Literal["high", "medium", "low", "unknown"]

BANDS: dict[str, Text] = {
    "high": Text("high", "高"),
    "medium": Text("medium", "中"),
    "low": Text("low", "低"),
    "unknown": Text("unknown", "未知"),
}
OUTCOMES: dict[str, Text] = {"churn": Text("churn", "流失"), "downgrade": Text("downgrade", "降级")}
"""Outcomes whose risks have bands."""

_RANKS: tuple[Band, ...] = ("low", "medium", "high")
_DIGITS = 9
"""Risk is rounded as everywhere before it meets a bound, so that 0.6 is not 0.5999999."""

Floats = npt.NDArray[np.float64]


class _Strict(BaseModel):
    """A part of a file with no keys but its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Cut(_Strict):
    """Where a band begins: one of the two is given.

    Parameters
    ----------
    share : float, optional
        Of the customers with that risk, above 0 and below 1: the riskiest for ``high``, the next ones for ``medium``.
    at_least : float, optional
        Lowest risk, above 0 and at most 1.

    Examples
    --------
    >>> Cut(share=0.1).share
    0.1
    """

    share: float | None = Field(default=None, gt=0, lt=1)
    at_least: float | None = Field(default=None, gt=0, le=1)

    @model_validator(mode="after")
    def _is_one(self) -> Cut:
        if (self.share is None) == (self.at_least is None):
            raise refused_value(
                Text("give either 'share' (0.1: a tenth of the customers) or 'at_least' (0.6: a risk of 0.6 and more)",
                     "请填写 share（0.1 即十分之一的客户）或 at_least（0.6 即风险不低于 0.6），二者取一")
            )  # fmt: skip
        return self


def _as_cut(value: object) -> object:
    """Take a number by itself for the lowest risk."""
    return value if isinstance(value, Mapping | Cut | bool) else {"at_least": value}


class Bounds(_Strict):
    """Where the bands of one risk begin; everybody else with that risk is ``low``.

    Examples
    --------
    >>> Bounds(high={"share": 0.1}, medium=0.3).medium
    Cut(share=None, at_least=0.3)
    """

    high: Annotated[Cut, BeforeValidator(_as_cut)]
    medium: Annotated[Cut, BeforeValidator(_as_cut)]

    @model_validator(mode="after")
    def _leaves_room(self) -> Bounds:
        if Fraction(str(self.high.share or 0)) + Fraction(str(self.medium.share or 0)) > 1:
            raise refused_value(
                Text(f"the shares of high and medium are more than 1 together ({self.high.share} and "
                     f"{self.medium.share})",
                     f"high 与 medium 的占比之和大于 1（{self.high.share} 与 {self.medium.share}）")
            )  # fmt: skip
        if (self.medium.at_least or 0) > (self.high.at_least or 1):
            raise refused_value(
                Text(f"medium begins above high ({self.medium.at_least} and {self.high.at_least})",
                     f"medium 的起点高于 high（{self.medium.at_least} 与 {self.high.at_least}）")
            )  # fmt: skip
        return self


class Bands(_Strict):
    """Where the bands of both risks begin."""

    churn: Bounds
    downgrade: Bounds

    def of(self, outcome: str) -> Bounds:
        """Return the bounds of one risk."""
        return self.downgrade if outcome == "downgrade" else self.churn


class OwnBands(_Strict):
    """Bands that a run file states; a risk that is not named keeps those of the playbook."""

    churn: Bounds | None = None
    downgrade: Bounds | None = None

    def over(self, others: Bands) -> Bands:
        """Return all bounds: those stated here, else the others."""
        return Bands(churn=self.churn or others.churn, downgrade=self.downgrade or others.downgrade)


def band_begins(risks: pa.Array, bounds: Bounds) -> tuple[float, float]:
    """Return the risks at which ``high`` and ``medium`` begin; infinite where nobody has a risk.

    A share is rounded up to whole customers, so that somebody is always at high risk. The shares of both are summed
    first. Where ``high`` is a fixed risk, the share of ``medium`` is of the customers below it.

    Parameters
    ----------
    risks : pyarrow.Array of float
        0-1; missing where the outcome does not apply.
    bounds : Bounds

    Examples
    --------
    >>> risks = pa.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, None])
    >>> band_begins(risks, Bounds(high={"share": 0.1}, medium={"share": 0.2}))
    (0.9, 0.7)
    """
    known = _rounded(risks).drop_null().to_numpy(zero_copy_only=False)
    falling: Floats = np.sort(known)[::-1]
    high, above = _begin(falling, bounds.high, Fraction(0))
    medium, _ = _begin(falling, bounds.medium, above)
    return high, medium


def _begin(falling: Floats, cut: Cut, above: Fraction) -> tuple[float, Fraction]:
    """Return the lowest risk of a band, and how many customers it and the higher ones are meant to hold."""
    if cut.at_least is not None:
        return cut.at_least, Fraction(int((falling >= cut.at_least).sum()))
    upto = min(above + Fraction(str(cut.share)) * len(falling), Fraction(len(falling)))
    return (float(falling[ceil(upto) - 1]) if upto else inf), upto


def _rounded(risks: pa.Array) -> pa.Array:
    """Risks as they meet a bound; what is no number is missing."""
    risks = pc.cast(risks, pa.float64())
    return pc.round(pc.if_else(pc.is_finite(risks), risks, pa.scalar(None, pa.float64())), _DIGITS)


def bands_of(risks: pa.Array, bounds: Bounds) -> pa.Array:
    """Return the band of each customer's risk; missing where there is no risk.

    Parameters
    ----------
    risks : pyarrow.Array of float
        Those of all customers: a share is one of these.
    bounds : Bounds

    Examples
    --------
    >>> half = Bounds(high={"share": 0.5}, medium={"at_least": 0.2})
    >>> bands_of(pa.array([0.7, 0.7, 0.3, None, 0.1]), half).to_pylist()
    ['high', 'high', 'medium', None, 'low']
    """
    high, medium = band_begins(risks, bounds)
    rounded = _rounded(risks)
    lower = pc.if_else(pc.greater_equal(rounded, medium), "medium", "low")
    return pc.if_else(pc.greater_equal(rounded, high), "high", lower)


def worse_band(one: pa.Array, other: pa.Array) -> pa.Array:
    """Return the worse of two bands of each customer; ``unknown`` where both are missing.

    Examples
    --------
    >>> worse_band(pa.array(["low", "high", None]), pa.array(["medium", None, None], pa.string())).to_pylist()
    ['medium', 'high', 'unknown']
    """
    ranks = (pc.index_in(bands.cast(pa.string()), value_set=pa.array(_RANKS)) for bands in (one, other))
    worse = pc.max_element_wise(*ranks, skip_nulls=True)
    return pc.fill_null(pc.take(pa.array(_RANKS), worse), "unknown")


@dataclass(frozen=True)
class BandLine:
    """One band of one risk in a run: what was asked for, where it begins, and who is in it.

    Parameters
    ----------
    outcome : str
        ``churn`` or ``downgrade``.
    band : {"high", "medium", "low"}
    begins : float or None
        Lowest risk of the band; None for ``low``, which is the rest.
    customers : int
    whole : int
        Customers with that risk.
    stated_share, stated_risk : float, optional
        What was asked for; none of them for ``low``.
    """

    outcome: str
    band: Literal["high", "medium", "low"]
    begins: float | None
    customers: int
    whole: int
    stated_share: float | None = None
    stated_risk: float | None = None

    @property
    def told(self) -> Text:
        """Say it in a sentence.

        Examples
        --------
        >>> BandLine("churn", "high", 0.83, 433, 4324, stated_share=0.1).told.en
        'high: the 10% with the highest risk, 0.83 and more (433 customers)'
        """
        name, begins = BANDS[self.band], say_begin(self.begins)
        share = f"{100 * (self.stated_share or 0):g}%"
        if self.begins is None:
            what = Text("the rest", "其余")
        elif self.stated_share is None:
            what = Text(f"a risk of {begins} and more", f"风险值不低于 {begins}")
        elif self.band == "high":
            what = Text(f"the {share} with the highest risk, {begins} and more",
                        f"风险最高的 {share}，风险值不低于 {begins}")  # fmt: skip
        else:
            what = Text(f"the next {share}, {begins} and more", f"其次的 {share}，风险值不低于 {begins}")
        return Text(
            f"{name.en}: {what.en} ({self.customers:,} customers)", f"{name.zh}：{what.zh}（{self.customers:,} 位客户）"
        )


def say_begin(risk: float | None) -> str:
    """Write the risk at which a band begins: four digits as in a list, more where they would make it 0 or 1.

    Examples
    --------
    >>> say_begin(0.834712), say_begin(0.6), say_begin(0.99998), say_begin(1.0)
    ('0.8347', '0.6', '0.99998', '1')
    """
    if risk is None:
        return "-"
    digits = next((many for many in range(4, _DIGITS) if round(risk, many) not in (0, 1)), _DIGITS)
    return f"{risk:.{digits}f}".rstrip("0").rstrip(".")


def band_lines(customers: pa.Table, bands: Bands) -> tuple[BandLine, ...]:
    """Return the bands of each risk that anybody has.

    Parameters
    ----------
    customers : pyarrow.Table
        With ``churn_risk``, ``downgrade_risk``, ``churn_band`` and ``downgrade_band``.
    bands : Bands
        By which they were made.
    """
    found: list[BandLine] = []
    for outcome in OUTCOMES:
        whole = customers.num_rows - customers[f"{outcome}_band"].null_count
        counts = {row["values"]: row["counts"] for row in pc.value_counts(customers[f"{outcome}_band"]).to_pylist()}
        bounds = bands.of(outcome)
        high, medium = band_begins(customers[f"{outcome}_risk"].combine_chunks(), bounds)
        found += [
            BandLine(outcome, "high", high, counts.get("high", 0), whole, bounds.high.share, bounds.high.at_least),
            BandLine(outcome, "medium", medium, counts.get("medium", 0), whole, bounds.medium.share,
                     bounds.medium.at_least),
            BandLine(outcome, "low", None, counts.get("low", 0), whole),
        ] if whole else []  # fmt: skip
    return tuple(found)


def band_sentences(lines: Sequence[BandLine]) -> tuple[Text, ...]:
    """Say the bands of each risk in one sentence.

    Examples
    --------
    >>> lines = [BandLine("churn", "high", 0.6, 3, 9, stated_risk=0.6), BandLine("churn", "low", None, 6, 9)]
    >>> band_sentences(lines)[0].en
    'Churn risk in bands, high: a risk of 0.6 and more (3 customers); low: the rest (6 customers).'
    """
    found = []
    for outcome, title in OUTCOMES.items():
        told = [line.told for line in lines if line.outcome == outcome]
        en, zh = "; ".join(text.en for text in told), "；".join(text.zh for text in told)
        if told:
            found.append(Text(f"{title.en.capitalize()} risk in bands, {en}.", f"{title.zh}风险分档，{zh}。"))
    return tuple(found)


def band_headers(lines: Sequence[BandLine]) -> dict[str, Text]:
    """Return headers of the columns of bands that say where each band begins.

    Examples
    --------
    >>> band_headers([BandLine("churn", "high", 0.8347, 433, 4324, 0.1)])["churn_band"].zh
    '流失风险档（高：不低于 0.8347）'
    """
    found = {}
    for outcome, title in OUTCOMES.items():
        begun = [line for line in lines if line.outcome == outcome and line.begins is not None]
        en = "; ".join(f"{BANDS[line.band].en}: {say_begin(line.begins)} and more" for line in begun)
        zh = "；".join(f"{BANDS[line.band].zh}：不低于 {say_begin(line.begins)}" for line in begun)
        if begun:
            found[f"{outcome}_band"] = Text(f"{title.en} band ({en})", f"{title.zh}风险档（{zh}）")
    return found
