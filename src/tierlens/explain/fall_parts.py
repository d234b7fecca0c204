"""The fall of a tier that the window brings, explained by the scheme's own indicators.

The rule of a downgrade asks one thing: how many points will be lacking to keep the tier at the end of the horizon if
nothing more is bought. That is what the score stands above the tier's bound now, less what each indicator loses by
then. What the rule adds to the log-odds is shared among these by exact Shapley values; the reference is a customer who
stands above the bound by the middle of all and loses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tierlens.explain.contributions import Contributions, Floats
from tierlens.explain.shapley import MOST, Subset, exact_shapley

MARGIN, FALL = "margin", "fall_{}"
STILL = 1e-9
"""Points of the composite below which an indicator loses nothing."""


def with_fall(found: Contributions, rule: tuple[str, ...], margin: Floats, lost: Mapping[str, Floats]) -> Contributions:
    """Put the margin and what each indicator loses in the place of the rule.

    Parameters
    ----------
    found : Contributions
        By feature.
    rule : tuple of str
        Names of the columns that tell the rule; what they add together depends on the points lacking alone.
    margin : array of float, shape (n,)
        Score less the lower bound of the tier.
    lost : mapping of str to array of float, shape (n,)
        By indicator, points of the composite that are lost by the end of the horizon (below 0: won).

    Returns
    -------
    Contributions
        The same log-odds; ``margin`` and a ``fall_<indicator>`` for each that loses anything of anybody.

    Examples
    --------
    >>> found = Contributions([[2.0], [-1.0], [-2.0]], 0.0, ("rule_p",))
    >>> put = with_fall(found, ("rule_p",), np.array([1.0, 2.0, 3.0]), {"amount": np.array([4.0, 0.0, 0.0])})
    >>> put.names, put.values.round(1).tolist(), put.base.tolist()
    (('margin', 'fall_amount'), [[0.6, 2.4], [0.0, 0.0], [-1.0, 0.0]], [-1.0, -1.0, -1.0])
    """
    places = [found.names.index(name) for name in rule]
    kept = [place for place in range(len(found.names)) if place not in places]
    moved = _moved(lost)
    need = sum(moved.values(), np.zeros(len(margin))) - margin
    pushes: Floats = found.values[:, places].sum(axis=1)
    known, first = np.unique(need, return_index=True)
    middle = float(np.quantile(margin, 0.5, method="lower")) if len(margin) else 0.0

    def game(is_own: Subset) -> Floats:
        if all(is_own):
            return pushes
        given = -margin if is_own[0] else np.full(len(margin), -middle)
        for mine, points in zip(is_own[1:], moved.values(), strict=True):
            given = given + points if mine else given
        between: Floats = np.interp(given, known, pushes[first]) if len(known) else given
        return between

    shares, base = exact_shapley(game, 1 + len(moved))
    values = np.column_stack([found.values[:, kept], shares])
    names = (*(found.names[place] for place in kept), MARGIN, *(FALL.format(name) for name in moved))
    return Contributions(values, found.base + base, names)


def _moved(lost: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return the indicators that lose anything; of more than can be shared exactly, the least go with the last."""
    weight = {name: float(np.abs(points).sum()) for name, points in lost.items()}
    names = [name for name in lost if weight[name] > STILL]
    first = sorted(names, key=lambda name: -weight[name])[: MOST - 1]
    found = {name: lost[name] for name in names if name in first}
    for name in (name for name in names if name not in first):
        found[first[-1]] = found[first[-1]] + lost[name]
    return found
