"""The tracking store: runs, models and champions in MLflow."""

__all__ = ["champion", "mlflow_store", "open_runs", "records", "registry", "secret", "store_address"]
