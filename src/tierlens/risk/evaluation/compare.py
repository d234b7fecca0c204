"""Champion and challenger: two models' risks of the same customers at the same cutoffs, by paired bootstrap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy.typing as npt

from tierlens.risk.evaluation.bootstrap import Interval, Rows, metric_table, paired_difference, percentile_interval
from tierlens.risk.evaluation.metrics import auc, average_precision, brier, calibration_error, lift_at
from tierlens.words import Text


@dataclass(frozen=True)
class Compared:
    """Two models on the same rows.

    Parameters
    ----------
    rows, cutoffs : int
    champion, challenger : mapping of str to Interval
        AUC, average precision, lift of the riskiest tenth and Brier score of each.
    apart : mapping of str to Interval
        Challenger less champion, on the same draws of customers.
    calibration : (float, float)
        Calibration error of champion and challenger.
    """

    rows: int
    cutoffs: int
    champion: Mapping[str, Interval]
    challenger: Mapping[str, Interval]
    apart: Mapping[str, Interval]
    calibration: tuple[float, float]

    @property
    def better(self) -> str:
        """``champion``, ``challenger`` or ``level``: by AUC, where the whole interval lies on one side of 0."""
        apart = self.apart["auc"]
        if apart.low > 0:
            return "challenger"
        return "champion" if apart.high < 0 else "level"

    def say(self) -> Text:
        """Return the verdict as one sentence."""
        apart = self.apart["auc"]
        figures = Text(apart.say("en", signed=True), apart.say("zh", signed=True))
        words = {
            "challenger": Text("the challenger ranks customers better", "挑战模型的排序更好"),
            "champion": Text("the champion ranks customers better", "现用模型的排序更好"),
            "level": Text(
                "the difference cannot be told from chance: keep the champion", "差异与随机无异：保留现用模型"
            ),
        }[self.better]
        return Text(
            f"{words.en}. AUC challenger less champion {figures.en}, {self.rows:,} rows of {self.cutoffs} cutoffs",
            f"{words.zh}。AUC 之差（挑战减现用）{figures.zh}，{self.cutoffs} 个截止日共 {self.rows:,} 行",
        )


METRICS = {
    "auc": auc,
    "ap": average_precision,
    "lift_10": lambda y, p, w: lift_at(y, p, 0.1, w),
    "brier": brier,
}
TITLES: dict[str, Text] = {
    "auc": Text("AUC", "AUC"),
    "ap": Text("average precision", "平均精确率"),
    "lift_10": Text("lift, top tenth", "前十分之一提升度"),
    "brier": Text("Brier score", "Brier 分数"),
}
"""What the figures are called, as in the report."""


def compare_models(
    rows: Rows, champion: npt.ArrayLike, challenger: npt.ArrayLike, *, draws: int = 500, seed: int = 0
) -> Compared:
    """Compare two models' risks of the same rows.

    Parameters
    ----------
    rows : Rows
        Outcome, customer and cutoff; metrics are taken at each cutoff and averaged.
    champion, challenger : array of float, shape (n,)
    draws : int
    seed : int

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> risk, y = rng.random(400), rng.random(400)
    >>> rows = Rows((y < risk).astype(int), np.arange(400), np.repeat([1, 2], 200))
    >>> found = compare_models(rows, rng.random(400), risk)
    >>> found.better, found.apart["brier"].high < 0
    ('challenger', True)
    """
    risks = {"champion": champion, "challenger": challenger}
    drawn = {name: metric_table(metric, rows, risks, draws=draws, seed=seed) for name, metric in METRICS.items()}
    found = {who: {name: percentile_interval(values[who]) for name, values in drawn.items()} for who in risks}
    apart = {name: paired_difference(values, "challenger", "champion") for name, values in drawn.items()}
    errors = [calibration_error(rows.outcome, risks[who]) for who in ("champion", "challenger")]
    parts = rows.parts()
    size = sum(len(part) for part in parts)
    return Compared(size, len(parts), found["champion"], found["challenger"], apart, (errors[0], errors[1]))
