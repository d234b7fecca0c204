"""Files, workbooks and databases as raw rows, with their headers recognised."""

__all__ = ["databases", "encoding", "files", "server_address", "stage", "text_files", "workbook_weight", "workbooks"]
