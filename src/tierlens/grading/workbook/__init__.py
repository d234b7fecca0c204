"""A scheme as the sheets of a workbook, and back."""

__all__ = ["from_workbook", "layout", "to_workbook"]
