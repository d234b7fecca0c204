"""What became of every row: counts, the quality report, customers that may be one."""
