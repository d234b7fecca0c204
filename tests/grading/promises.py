"""What ``path`` promises, counted: ``python -m tests.grading.promises``.

Each offer is applied and everybody is graded again; who is offered nothing is tried by brute force.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from tests.grading.conftest import on_polars
from tests.grading.tied import tied_customers
from tierlens.datasets.examples import simulated_shop
from tierlens.features.catalog import available_features
from tierlens.features.snapshot import build_snapshots, to_arrow
from tierlens.features.windows import YEAR
from tierlens.grading.next_tier.actions import action_sizes, columns_needed, taken_all
from tierlens.grading.next_tier.next_tier import Offer, path_to_tier
from tierlens.grading.scheme.scheme import Scheme, load_scheme, scheme_names
from tierlens.grading.scoring import grade
from tierlens.sources.tables import Currency, Tables

YUAN = Currency("CNY")
CROWD = 250
"""Customers of one population."""
PURCHASES = ("buy", "orders")
WAYS = 24
"""Plans that are tried of a customer who is offered nothing."""
CUTOFFS = ("2025-10-01", "2025-07-01", "2025-04-01", "2025-01-01", "2024-10-01", "2024-07-01", "2024-04-01")
HEADS = ("scheme", "customers", "steps", "kept", "tried", "empty")


@cache
def shop(customers: int) -> Tables:
    return simulated_shop(customers=customers, seed=7).tables


def from_shop(scheme: Scheme, cutoff: str, customers: int) -> pa.Table:
    names = available_features(shop(customers), {*scheme.features, *columns_needed(scheme)})
    return to_arrow(build_snapshots(shop(customers), [cutoff], features=names))


def graded(table: pa.Table, scheme: Scheme) -> pa.Table:
    """Grade on Polars: quicker to compile, and another engine than the one that the search asks."""
    return grade(on_polars(table), scheme, YUAN).collect("pyarrow").to_native()


def tiers_after(table: pa.Table, scheme: Scheme, changes: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    """Grade the whole population again, once for each change of one customer: a cutoff for each."""
    known = {row["customer_id"]: row for row in table.to_pylist()}
    places = {name: place for place, name in enumerate(table["customer_id"].to_pylist())}
    everybody = np.arange(table.num_rows)
    tiers: list[Any] = []
    for start in range(0, len(changes), 400):
        some = changes[start : start + 400]
        rows = [{**known[customer], **values} for customer, values in some]
        mine = [{name: row[name] for name in table.column_names} for row in rows]
        others = [np.delete(everybody, places[customer]) for customer, _ in some]
        both = pa.concat_tables([pa.Table.from_pylist(mine, schema=table.schema), table.take(np.concatenate(others))])
        numbers = np.arange(len(some), dtype=np.int32)
        cutoffs = np.concatenate([numbers, np.repeat(numbers, table.num_rows - 1)])
        found = graded(both.set_column(1, "cutoff", pa.array(cutoffs)), scheme).to_pylist()
        by_key = {(row["cutoff"], row["customer_id"]): row["tier"] for row in found}
        tiers += [by_key[n, customer] for n, (customer, _) in enumerate(some)]
    return tiers


def only(scheme: Scheme, number: int, seed: int) -> pa.Table:
    """Random customers with the columns that the scheme and the path read."""
    table = tied_customers(scheme, number, seed)
    names = [name for name in (*scheme.features, *columns_needed(scheme)) if name in table.column_names]
    return table.select(["customer_id", "cutoff", *names])


def ways(scheme: Scheme, row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Return features after plans of a customer's own levers: all at their ends, each alone, and some at random.

    A plan holds one kind of purchase: two at their ends would be more than the most that is ever offered.
    """
    steps = [ladder for ladder in action_sizes(scheme, row, YEAR) if ladder]
    rest = [ladder for ladder in steps if ladder[0].kind not in PURCHASES]
    kinds = [[ladder, *rest] for ladder in steps if ladder[0].kind in PURCHASES] or [rest]
    draw = random.Random(str(row["customer_id"]))
    plans = [*(tuple(ladder[-1] for ladder in some) for some in kinds), *((ladder[-1],) for ladder in steps)]
    for _ in range(WAYS if steps else 0):
        levers = draw.choice(kinds)
        some = draw.sample(levers, draw.randint(1, len(levers)))
        plans.append(tuple(draw.choice([ladder[-1], draw.choice(ladder)]) for ladder in some))
    for plan in dict.fromkeys(plans):
        changed = taken_all(dict(row), plan) if plan else None
        if changed is not None:
            yield changed


@dataclass(frozen=True)
class Held:
    """Counts of one scheme.

    Parameters
    ----------
    customers, steps, kept : int
        Graded customers, offers to them (to raise and to keep a tier), and those after which the tier is as said.
    without_way, tried, empty : int
        Customers who are offered nothing to raise, plans tried of them, and of these customers those whom one raises.
    """

    customers: int = 0
    steps: int = 0
    kept: int = 0
    without_way: int = 0
    tried: int = 0
    empty: int = 0

    @property
    def broken(self) -> int:
        """Promises that do not hold."""
        return self.steps - self.kept

    def __add__(self, other: Held) -> Held:
        return Held(*(one + two for one, two in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True)
class Asked:
    """A population, graded, and what its customers are offered; made with ``asked``."""

    scheme: Scheme
    table: pa.Table
    grades: pa.Table
    offers: list[Offer]

    def without_way(self) -> Held:
        """Try brute force on those who are offered nothing."""
        ranks = {row["customer_id"]: row["tier_rank"] for row in self.grades.to_pylist()}
        places = {tier.id: rank for rank, tier in enumerate(self.scheme.tiers, 1)}
        rows = {row["customer_id"]: row for row in self.table.to_pylist()}
        nothing = [offer.customer_id for offer in self.offers if offer.goal == "none"]
        tries = [(customer, changed) for customer in nothing for changed in ways(self.scheme, rows[customer])]
        after = tiers_after(self.table, self.scheme, tries)
        missed = {who for (who, _), tier in zip(tries, after, strict=True) if tier and places[tier] < ranks[who]}
        customers = sum(rank is not None for rank in ranks.values())
        return Held(customers, 0, 0, len(nothing), len(tries), len(missed))


def asked(scheme: Scheme, table: pa.Table) -> Asked:
    """Grade a population and ask for the way of each."""
    grades = graded(table, scheme)
    return Asked(scheme, table, grades, path_to_tier(grades, table, scheme, YUAN))


def counted(scheme: Scheme, table: pa.Table) -> Held:
    """Apply every offer to the customers of a table, and brute force to those without one."""
    found = asked(scheme, table)
    said = [offer for offer in found.offers if offer.goal != "none"]
    tiers = tiers_after(table, scheme, [(offer.customer_id, dict(offer.after)) for offer in said])
    kept = sum(tier == offer.tier for offer, tier in zip(said, tiers, strict=True))
    return Held(0, len(said), kept) + found.without_way()


def table_of(found: Mapping[str, Held]) -> str:
    """Return a line a scheme."""
    lines = [HEADS]
    for name, held in found.items():
        numbers = (held.customers, held.steps, held.kept, held.tried, held.empty)
        lines.append((name, *(f"{number:,}" for number in numbers)))
    widths = (26, *(12,) * 5)
    return "\n".join("".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line a scheme; return 1 where a promise does not hold or a way was not seen."""
    parser = argparse.ArgumentParser(prog="python -m tests.grading.promises", description=__doc__)
    parser.add_argument("--customers", type=int, default=2000, help="at least so many of each scheme")
    asked = parser.parse_args(arguments)
    found: dict[str, Held] = {}
    for name in scheme_names():
        scheme, held, turn = load_scheme(name), Held(), 0
        while held.customers < asked.customers:
            half = turn // 2
            crowd = only(scheme, CROWD, 10 + half) if turn % 2 else from_shop(scheme, CUTOFFS[half % len(CUTOFFS)], 400)
            held, turn = held + counted(scheme, crowd), turn + 1
        found[name] = held
        sys.stderr.write(f"{name} done\n")
    sys.stdout.write(
        "customers of a simulated shop at several cutoffs and random ones; steps: offers to raise or keep a tier;\n"
        "kept: the tier is as said when everybody is graded again; tried: plans tried of those offered nothing to\n"
        "raise; empty: customers among these whom one of the plans raises\n" + table_of(found)
    )
    return min(sum(held.broken + held.empty for held in found.values()), 1)


if __name__ == "__main__":
    raise SystemExit(main())
