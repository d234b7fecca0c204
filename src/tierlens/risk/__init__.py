"""Predicted risk: outcomes, splits, models, metrics, baselines."""
