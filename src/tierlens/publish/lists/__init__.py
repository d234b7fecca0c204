"""Lists of customers, the next steps in them, and the files they are written to."""

__all__ = ["activities", "bands", "contact", "customer_lists", "list_files", "playbook", "ranking"]
