"""Reasons to quarantine a row, and errors that refuse a file, in both languages."""

__all__ = ["refusals", "row_fixes", "row_reasons"]
