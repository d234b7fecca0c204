"""The findings of a run, and the report that is made of them."""

__all__ = ["drawing", "findings", "findings_file", "gather", "html", "left_out", "pictures", "validity", "verdicts"]
