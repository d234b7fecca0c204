"""The forecast by rhythm and season, explained by what it was computed from; and the level, as an item of its own.

``sea_p0`` is a closed form of four inputs: how long ago a customer bought last, on how many days again, since when, and
the season. What it adds to the log-odds of a risk is shared among the four by exact Shapley values against a reference
customer, who has the middle value of each of the first three, in days that are all alike. So no forecast is among the
names of what explains a risk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np

from tierlens.errors import DataError
from tierlens.explain.contributions import Contributions, Floats
from tierlens.explain.shapley import Subset, exact_shapley
from tierlens.features.feature import Feature
from tierlens.features.seasonal_btyd import Rhythm
from tierlens.risk.model.linear import logit
from tierlens.words import Text

INPUTS = ("recency_days", "repeat_days", "tenure_days")
"""What a customer brings to the forecast; the season comes to it."""
SEASON, LEVEL = "season_ahead", "level"
CLOSE = 1e-6
"""Log-odds by which a forecast may differ from the one that is explained."""


def _whole_shop(name: str, title: Text, formula: str) -> Feature:
    return Feature(name, title, "log-odds", "value", "none", formula, "never", "derived", lambda _: nw.lit(None),
                   family=name)  # fmt: skip


ITEMS: dict[str, Feature] = {
    entry.name: entry
    for entry in (
        _whole_shop(SEASON, Text("season", "季节"), "seasonal time in place of days that are all alike"),
        _whole_shop(LEVEL, Text("level of the cutoff", "截止日整体水平"),
                    "level of the latest closed cutoffs, and what sets it to the base rate"),
    )
}  # fmt: skip
"""What moves all customers of a cutoff; it is told as an item of its own and is no reason of one customer."""


@dataclass(frozen=True)
class RhythmParts:
    """Shares of the inputs in the log-odds of the forecast.

    Parameters
    ----------
    values : array of float, shape (n, 4)
        In the order of ``INPUTS``, then the season.
    base : array of float, shape (n,)
        Log-odds of the reference customer.
    reference : tuple of float
        That customer's values of ``INPUTS``.
    """

    values: Floats
    base: Floats
    reference: tuple[float, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each column."""
        return (*INPUTS, SEASON)


def rhythm_parts(rhythm: Rhythm, rows: Any) -> RhythmParts:
    """Share the forecast of each customer among recency, repeat purchases, tenure and season.

    Parameters
    ----------
    rhythm : Rhythm
        Learned at the customers' cutoff.
    rows : Arrow table or data frame, shape (n, ...)
        With ``INPUTS``, none missing; the reference customer has the lower median of each.

    Returns
    -------
    RhythmParts

    Examples
    --------
    >>> from tierlens.datasets.examples import simulated_shop
    >>> from tierlens.features.seasonal_btyd import learn_rhythm
    >>> from tierlens.features.snapshot import build_snapshots, to_arrow
    >>> shop = simulated_shop(customers=80, seed=1).tables
    >>> rhythm = learn_rhythm(shop, "2024-06-01")
    >>> rows = to_arrow(build_snapshots(shop, "2024-06-01", features=[*INPUTS, "spend_ever"]))
    >>> parts = rhythm_parts(rhythm, rows)
    >>> p0 = rhythm.tell(rows, ["sea_p0"])["sea_p0"]
    >>> bool(np.allclose(parts.base + parts.values.sum(axis=1), logit(p0)))
    True
    """
    frame = nw.from_native(rows, eager_only=True)
    own = [frame.get_column(name).cast(nw.Float64).to_numpy() for name in INPUTS]
    reference = tuple(float(np.quantile(values, 0.5, method="lower")) if len(values) else 1.0 for values in own)

    def game(is_own: Subset) -> Floats:
        taken = [values if mine else np.full(len(values), other)
                 for values, mine, other in zip(own, is_own[:-1], reference, strict=True)]  # fmt: skip
        return logit(rhythm.none(*taken, in_season=is_own[-1]))

    return RhythmParts(*exact_shapley(game, len(INPUTS) + 1), reference)


def with_rhythm(found: Contributions, prior: str, parts: RhythmParts) -> Contributions:
    """Put the inputs of a forecast in its place.

    Parameters
    ----------
    found : Contributions
        By feature; the forecast is one of them and moves the risk by its own log-odds only, as with
        ``RiskClassifier(prior, offset_only=True)``.
    prior : str
        Name of the forecast.
    parts : RhythmParts
        Of the same rows.

    Returns
    -------
    Contributions
        The same log-odds; the reference customer's forecast is part of the base.

    Raises
    ------
    DataError
        ``E-EP-006`` when the forecast is not the one that ``parts`` explain.

    Examples
    --------
    >>> parts = RhythmParts(np.array([[0.5, 0.25, 0.0, 0.25]]), np.array([-1.0]), (9.0, 1.0, 90.0))
    >>> put = with_rhythm(Contributions([[1.5, 0.5]], -2.0, ("sea_p0", "recency_days")), "sea_p0", parts)
    >>> put.names, put.values.tolist(), put.base.tolist()
    (('recency_days', 'repeat_days', 'tenure_days', 'season_ahead'), [[1.0, 0.25, 0.0, 0.25]], [-1.5])
    """
    place = found.names.index(prior)
    left = found.values[:, place] - parts.values.sum(axis=1)
    if len(left) and float(np.ptp(left)) > CLOSE:
        raise DataError(
            "E-EP-006",
            Text(f"{prior} is not what its inputs give: it differs by up to {np.ptp(left):.2g} in log-odds",
                 f"{prior} 与其输入推算的结果不符，对数几率最多相差 {np.ptp(left):.2g}"),
            fix=Text("explain the rows of the cutoff that the rhythm was learned at", "请解释学习该节奏的截止日的行"),
        )  # fmt: skip
    kept = [column for column in range(len(found.names)) if column != place]
    names = [*(found.names[column] for column in kept)]
    names += [name for name in parts.names if name not in names]
    values = np.zeros((len(found), len(names)))
    values[:, : len(kept)] = found.values[:, kept]
    for column, name in enumerate(parts.names):
        values[:, names.index(name)] += parts.values[:, column]
    return Contributions(values, found.base + left, tuple(names))


def with_level(found: Contributions, level: Floats) -> Contributions:
    """Take the level out of the base and show it as an item of its own.

    Parameters
    ----------
    found : Contributions
    level : array of float, shape (n,)
        As ``RiskClassifier.contributions`` gives it.

    Examples
    --------
    >>> shown = with_level(Contributions([[0.5]], -1.0, ("recency_days",)), np.array([0.25]))
    >>> shown.names, shown.values.tolist(), shown.base.tolist()
    (('recency_days', 'level'), [[0.5, 0.25]], [-1.25])
    """
    return Contributions(np.column_stack([found.values, level]), found.base - level, (*found.names, LEVEL))


def without_level(found: Contributions) -> Contributions:
    """Put the level back into the base: it is the same for all customers of a cutoff and tells none from another.

    Parameters
    ----------
    found : Contributions

    Examples
    --------
    >>> shown = with_level(Contributions([[0.5]], -1.0, ("recency_days",)), np.array([0.25]))
    >>> without_level(shown).names, without_level(shown).base.tolist()
    (('recency_days',), [-1.0])
    """
    if LEVEL not in found.names:
        return found
    at = found.names.index(LEVEL)
    names = (*found.names[:at], *found.names[at + 1 :])
    return Contributions(np.delete(found.values, at, axis=1), found.base + found.values[:, at], names)
