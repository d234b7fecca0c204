"""The raw rows of the eight tables, as they were known at the cutoff."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
TABLES = ("transactions", "customers", "contracts", "tickets", "interactions", "surveys", "payments", "ratings")


@dataclass(frozen=True)
class Shop:
    """Rows that had happened and were recorded before a cutoff.

    Parameters
    ----------
    cutoff : int
        Days since 1970-01-01; the start of that day.
    rows : mapping
        Of table and customer to rows.
    """

    cutoff: int
    rows: Mapping[str, Mapping[str, list[Row]]]

    def of(self, table: str, customer: str) -> list[Row]:
        """Return a customer's rows of a table."""
        return self.rows[table].get(customer, [])

    def age(self, day: int) -> int:
        """Return the days from a day to the cutoff: 1 is the last day that is read."""
        return self.cutoff - day

    def was(self, day: int | None) -> bool:
        """Return whether a day lies before the cutoff; a day that is not there does not."""
        return day is not None and day < self.cutoff

    def everybody(self) -> list[str]:
        """Return the customers with a transaction or a row in the table of customers, in order."""
        return sorted({*self.rows["transactions"], *self.rows["customers"]})


def shop_at(cutoff: int, tables: Mapping[str, Iterable[Row]]) -> Shop:
    """Return what was known of eight tables of plain rows at the start of a day."""
    known: dict[str, dict[str, list[Row]]] = {}
    for name in TABLES:
        mine: dict[str, list[Row]] = defaultdict(list)
        for row in tables[name]:
            if row["day"] < cutoff and row["known_day"] < cutoff:
                mine[row["customer_id"]].append(row)
        known[name] = dict(mine)
    return Shop(cutoff, known)
