"""What reviewers hand around: rating cards, lists of customers who moved, schemes as workbooks."""
