"""What a user declares: sources, contracts of tables, headers."""
