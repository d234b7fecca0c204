"""The features of the catalog, a file a family."""

__all__ = [
    "basket",
    "contract_endings",
    "credit_payment",
    "event_rows",
    "history",
    "judgements",
    "loyalty",
    "other_rates",
    "potential",
    "rhythm",
    "service_tickets",
    "stability",
    "value",
]
