"""What a user declares: sources, contracts of tables, headers."""

__all__ = ["asked", "contract", "contracts", "header_aliases", "source", "table_source"]
