"""A model made ready for one cutoff, so that its customers can be scored a batch at a time, on any machine.

Ranks and the forecast level speak of all customers of a cutoff. What they need of them is learned once, from all of
them or from a sample; after that a batch is scored by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tierlens.risk.model.classifier import RiskClassifier
from tierlens.risk.model.ranks import FEWEST, learn_curves

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FrozenRisk:
    """A model of one cutoff.

    Parameters
    ----------
    model : RiskClassifier
        With the rank curves of the cutoff.
    names : tuple of str
        Columns that it reads.
    shift : float
        Log-odds added to reach the forecast level.
    """

    model: RiskClassifier
    names: tuple[str, ...]
    shift: float

    def score(self, columns: Mapping[str, Floats]) -> Floats:
        """Return the risk of a batch, shape (n,).

        Parameters
        ----------
        columns : mapping of str to array of float, shape (n,)
            Each of ``names``; missing values are NaN.
        """
        import pandas as pd

        table = pd.DataFrame({name: columns[name] for name in self.names})
        if not len(table):
            return np.empty(0)
        found: Floats = 1.0 / (1.0 + np.exp(-(self.model.log_odds(table) + self.shift)))
        return found


def freeze_model(model: RiskClassifier, crowd: pd.DataFrame, cutoff: int, base_rate: float | None = None) -> FrozenRisk:
    """Make a model ready for the customers of one cutoff.

    Parameters
    ----------
    model : RiskClassifier
        Fitted.
    crowd : pandas.DataFrame, shape (n, p)
        The customers of the cutoff, or an even sample of them: what ranks and level are learned from.
    cutoff : int
    base_rate : float, optional
        Forecast share with the outcome.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"a": rng.normal(size=400), "b": rng.normal(size=400)})
    >>> model = RiskClassifier(trees={"rounds": 5}, seeds=1, n_jobs=1).fit(table, table["a"] + rng.normal(size=400) > 0)
    >>> frozen = freeze_model(model, table, 7, base_rate=0.3)
    >>> whole = model.predict_proba(table, cutoffs=[7] * 400, base_rate=0.3)[:5, 1]
    >>> bool(np.allclose(frozen.score({name: table[name].to_numpy()[:5] for name in table}), whole))
    True
    """
    days = np.full(len(crowd), cutoff)
    log_odds = model.log_odds(crowd, cutoffs=days)
    shift = model.level_shift(log_odds, days, base_rate)
    ready = copy(model)
    if len(crowd) >= FEWEST:
        ready.curves_ = learn_curves(model.inputs(crowd)[0].values)
    return FrozenRisk(ready, tuple(crowd.columns), float(shift[0]) if len(shift) else 0.0)
