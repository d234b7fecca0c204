"""What is said of a model against its best baseline, and figures with as many digits as they need."""

from __future__ import annotations

from tierlens.words import Text

LEAST = 0.0005
"""Least difference in AUC that is worth a word."""
CONSTANT = Text(
    "the model gives every customer the same risk, which tells nobody apart", "模型给所有客户的风险相同，无法区分客户"
)
WORSE = Text(
    "when tested, the model ranked customers worse than the best baseline ({en})", "检验时模型排序劣于最佳基线（{zh}）"
)
VERDICTS = {
    "above": Text("the model ranks customers better than the best baseline", "模型对客户的排序优于最佳基线"),
    "level": Text(
        "the model cannot be told from the best baseline; use the simpler one", "模型与最佳基线无显著差异，宜用较简单者"
    ),
    "same": Text(
        "the model and the best baseline rank customers alike (AUC within 0.0005); use the simpler one",
        "模型与最佳基线的排序相当（AUC 相差不到 0.0005），宜用较简单者",
    ),
    "below": Text(
        "the model ranks customers worse than the best baseline; do not use it", "模型排序劣于最佳基线，不宜使用"
    ),
    "unknown": Text(
        "no interval was taken, so nothing is claimed against the best baseline", "未计算区间，不与最佳基线作比较结论"
    ),
}


def signed_difference(value: float, low: float | None, high: float | None) -> list[str]:
    """Write a difference and the ends of its interval with 3 to 6 digits, as many as the smallest needs to be seen.

    Examples
    --------
    >>> signed_difference(0.012, 0.009, 0.015), signed_difference(-0.0001, None, None), signed_difference(0.0, 0.0, 0.0)
    (['+0.012', '+0.009', '+0.015'], ['-0.0001'], ['0.000', '0.000', '0.000'])
    """
    given = [value] if low is None or high is None else [value, low, high]
    digits = next((n for n in range(3, 6) if all(round(part, n) or not part for part in given)), 6)
    return [f"{part:+.{digits}f}" if round(part, digits) else f"{0:.{digits}f}" for part in given]
