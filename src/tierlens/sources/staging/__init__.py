"""Files, workbooks and databases as raw rows, with their headers recognised."""
