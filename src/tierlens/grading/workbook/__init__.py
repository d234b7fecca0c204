"""A scheme as the sheets of a workbook, and back."""
