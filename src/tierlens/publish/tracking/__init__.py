"""The tracking store: runs, models and champions in MLflow."""
