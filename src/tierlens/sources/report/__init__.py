"""What became of every row: counts, the quality report, customers that may be one."""

__all__ = ["count_rows", "duplicate_customers", "quality", "simulated_note"]
