"""A whole run, step by step, and its single steps as commands of their own."""

__all__ = ["check_data", "customers", "explaining", "results", "run", "run_tracking", "single_steps", "spark_run"]
