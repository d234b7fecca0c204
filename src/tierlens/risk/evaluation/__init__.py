"""How good a risk is: splits, metrics, intervals, baselines, comparison, drift, leaks, profit."""
