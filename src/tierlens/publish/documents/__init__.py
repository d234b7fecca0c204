"""What reviewers hand around: rating cards, lists of customers who moved, schemes as workbooks."""

__all__ = ["card_pages", "cards", "moved_customers", "scheme_book"]
