"""How a logged risk model is loaded again: from its own text files, with no pickle.

The tracking store names this module as the model's loader and calls ``_load_pyfunc``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


class Served:
    """A risk model as the store's tools call it.

    Parameters
    ----------
    model : object
        With ``predict_proba``; its second column is the risk.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def predict(self, features: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return the risk (0-1) of each row in the column ``risk``.

        Parameters
        ----------
        features : pandas.DataFrame
            The columns of the model's signature; missing values are allowed.
        params : dict, optional
            The store's tools hand it over; there is nothing to set.
        """
        import pandas as pd

        return pd.DataFrame({"risk": self.model.predict_proba(features)[:, 1]}, index=features.index)


def _load_pyfunc(path: str) -> Served:
    """Load the model, or the baseline that was better, from the folder that it was kept in."""
    from tierlens.risk.evaluation.plain_baseline import PLAIN, load_plain
    from tierlens.risk.model.classifier import RiskClassifier

    folder = Path(path)
    return Served(load_plain(folder) if (folder / PLAIN).is_file() else RiskClassifier.load(folder))
