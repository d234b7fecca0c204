"""The SQL that turns raw rows into settled ones, and counts each that is kept out."""

__all__ = ["cell_sql", "merged_customers", "other_table_sql", "repeated_rows", "sql_functions", "transaction_sql"]
