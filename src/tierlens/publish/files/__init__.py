"""Files and folders that appear whole or not at all, and the record of a run."""

__all__ = ["atomic", "run_json", "safe_text", "swap"]
