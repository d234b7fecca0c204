"""How good a risk is: splits, metrics, intervals, baselines, comparison, drift, leaks, profit."""

__all__ = [
    "alarms",
    "backtest",
    "baselines",
    "bootstrap",
    "compare",
    "drift",
    "leaks",
    "metrics",
    "plain_baseline",
    "profit",
    "risk_interval",
    "split",
]
