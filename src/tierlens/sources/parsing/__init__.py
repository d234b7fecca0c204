"""Values of cells from text, and the SQL helpers that all of reading uses."""

__all__ = ["header_matching", "odd_times", "parse_values", "part", "sql_steps", "units", "verdict"]
