"""Reasons to quarantine a row, and errors that refuse a file, in both languages."""
