"""What leaves tierlens: lists, the report, documents, and runs in the tracking store."""

__all__ = ["documents", "files", "lists", "report", "served", "tracking"]
