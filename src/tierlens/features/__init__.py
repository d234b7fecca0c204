"""Snapshots: what was known of each customer at a cutoff."""
