"""Out: lists, reports, tracking."""
