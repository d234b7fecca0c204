"""Grade a simulated shop twice and print where the two differ: ``python -m tests.grader_oracle``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import duckdb
import narwhals as nw
import pyarrow as pa

from tests.grader_oracle import (
    classification_standard,
    five_step,
    relationship_guide,
    relationship_rating,
    tiered_management,
)
from tests.grader_oracle.edges import edges
from tests.grader_oracle.people import People, Verdict, Verdicts, buyers, everybody
from tests.grader_oracle.shop import shop_at
from tierlens.datasets.simulate import simulated_shop
from tierlens.features.snapshot import build_snapshots, to_arrow
from tierlens.grading import grade, load_scheme
from tierlens.sources.tables import Tables, day_number
from tierlens.workspace.prepare import arrow_as_frame, graded_features

Rows = dict[str, list[dict[str, Any]]]
SCHEMES: dict[str, Callable[[People], Verdicts]] = {
    "five_step": five_step.graded,
    "relationship_guide": relationship_guide.graded,
    "relationship_rating": relationship_rating.graded,
    "tiered_management": tiered_management.graded,
    "classification_standard": classification_standard.graded,
}
CROWDS = ("buyers", "everybody", "on bounds")
"""Who is graded: with a purchase in the year, all that are known, or by hand (see :mod:`tests.grader_oracle.edges`)."""
STATED_FLAGS = frozenset({"borderline", "undocumented_band"})
"""Flags that a note of a scheme states; the others tell of data, not of the document."""
SCORED_CLOSE = ("relationship_rating", "tiered_management")
"""Their notes do not say who is close to a bound, so the oracle does not either."""
HEADS = ("scheme", "customers", "number", "tiers", "labels", "triggers", "tags", "flags", "largest difference of score")
WIDTHS = (25, 11, 8, 7, 8, 10, 6, 7, 0)
SHOWN = 10
"""Customers that are named for each scheme and part."""


@dataclass(frozen=True)
class Compared:
    """One scheme over the same customers, graded twice.

    Parameters
    ----------
    scheme, who : str
    ours, due : mapping of str to Verdict
        What tierlens says of each customer, and the oracle.
    """

    scheme: str
    who: str
    ours: Mapping[str, Verdict]
    due: Mapping[str, Verdict]

    def differing(self, part: str) -> list[str]:
        """Return the customers of whom the two say something else, or only one says something at all."""
        names = sorted({*self.ours, *self.due})
        return [name for name in names if self._said(self.ours, name, part) != self._said(self.due, name, part)]

    def _said(self, side: Mapping[str, Verdict], name: str, part: str) -> Any:
        return getattr(side[name], part) if name in side else "absent"

    def score_gaps(self) -> Iterator[float]:
        """Return the differences of all scores of the customers that both sides give a tier."""
        for name in set(self.ours) & set(self.due):
            ours, due = self.ours[name], self.due[name]
            if ours.tier is not None and due.tier is not None:
                yield from (gap(ours.scores[score], value) for score, value in due.scores.items())

    def cells(self) -> list[str]:
        """Return the line of the table."""
        counts = [len(self.differing(part)) for part in ("tier", "labels", "triggers", "tags", "flags")]
        largest = max(self.score_gaps(), default=None)
        return [self.scheme, self.who, f"{len(self.due):,}", *map(str, counts),
                "-" if largest is None else f"{largest:.1e}"]  # fmt: skip

    def examples(self) -> Iterator[str]:
        """Return a line for each of the first customers of whom something differs."""
        for part in ("tier", "labels", "triggers", "tags", "flags"):
            names = self.differing(part)
            for name in names[:SHOWN]:
                said = [self._said(side, name, part) for side in (self.ours, self.due)]
                yield f"{self.scheme}, {self.who}: {name}: {part}: {_plain(said[0])}, the oracle {_plain(said[1])}"
            if len(names) > SHOWN:
                yield f"{self.scheme}, {self.who}: {part}: and {len(names) - SHOWN} more"


def _plain(said: Any) -> str:
    return " ".join(sorted(said)) or "none" if isinstance(said, frozenset) else str(said)


def gap(ours: Fraction | None, due: Fraction | None) -> float:
    """Return how far two scores lie apart; infinity where only one is there."""
    if ours is None or due is None:
        return 0.0 if ours is due else float("inf")
    return float(abs(ours - due))


def graded_by_tierlens(tables: Tables, cutoff: int, name: str, *, everyone: bool) -> dict[str, Verdict]:
    """Return what tierlens says of each customer, as ``tierlens grade`` has it said."""
    scheme = load_scheme(name)
    names = graded_features(tables, scheme)
    if everyone:  # by these it is told who never bought; a table of buyers does without
        names = sorted({*names, "frequency", "tenure_days"})
    built = build_snapshots(tables, cutoff, features=names, everyone=everyone)
    return {
        row["customer_id"]: Verdict(
            tier=row["tier"],
            scores={key: _exact(row[key]) for key in row if key == "score" or key.startswith("score_")},
            labels={label.id: row[f"label_{label.id}"] for label in scheme.labels},
            triggers=frozenset(trigger.id for trigger in scheme.triggers if row[f"trigger_{trigger.id}"]),
            tags=row["tags"],
            flags=frozenset() if name in SCORED_CLOSE else STATED_FLAGS & set(row["flags"].split()),
        )
        for row in to_arrow(grade(arrow_as_frame(to_arrow(built)), scheme, tables.currency)).to_pylist()
    }


def _exact(score: float | None) -> Fraction | None:
    return None if score is None else Fraction(score)


def rows_of(tables: Tables) -> Rows:
    """Return the raw rows of the eight tables."""
    frames = {"transactions": tables.transactions.drop("time"), **tables.others}
    return {name: frame.collect("pyarrow").to_native().to_pylist() for name, frame in frames.items()}


def tables_of(rows: Rows, like: Tables) -> Tables:
    """Return raw rows as tables with the columns of others; what a row does not say is missing."""
    frames = {"transactions": like.transactions, **like.others}
    made, connection = {}, duckdb.connect()
    for name, frame in frames.items():
        schema = frame.head(0).collect("pyarrow").to_native().schema
        table = pa.Table.from_pylist([_with_score(row, name) for row in rows[name]], schema=schema)
        made[name] = nw.from_native(duckdb.from_arrow(table, connection=connection))
    return Tables(made.pop("transactions"), like.currency, "edges", others=made)


def _with_score(row: dict[str, Any], table: str) -> dict[str, Any]:
    return {**row, "score": float(row["value"]) if row["value"][-1].isdigit() else None} if table == "ratings" else row


def compared(customers: int, seed: int, cutoff: str) -> list[Compared]:
    """Grade twice by each scheme: a simulated shop (who bought in the year; everybody), and customers on bounds."""
    shop, day = simulated_shop(customers=customers, seed=seed).tables, day_number(cutoff)
    on_bounds = tables_of(edges(day), shop)
    known, beside = (everybody(shop_at(day, rows_of(tables))) for tables in (shop, on_bounds))
    crowds: list[tuple[People, Tables]] = [(buyers(known), shop), (known, shop), (beside, on_bounds)]
    return [
        Compared(name, who, graded_by_tierlens(tables, day, name, everyone=who != CROWDS[0]), oracle(people))
        for who, (people, tables) in zip(CROWDS, crowds, strict=True)
        for name, oracle in SCHEMES.items()
    ]


def _line(cells: Sequence[str]) -> str:
    return "".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line a scheme and the first customers that differ; return 1 where a tier differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.grader_oracle", description=__doc__)
    parser.add_argument("--customers", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--cutoff", default="2025-10-01")
    asked = parser.parse_args(arguments)
    found = compared(asked.customers, asked.seed, asked.cutoff)
    say = sys.stdout.write
    say(f"simulated shop of {asked.customers:,} customers, seed {asked.seed}, cutoff {asked.cutoff}: customers that "
        "tierlens and the oracle differ in\n")  # fmt: skip
    say("\n".join([_line(HEADS), *(_line(each.cells()) for each in found)]) + "\n")
    say("".join(f"{example}\n" for each in found for example in each.examples()))
    wrong = sum(len(each.differing("tier")) for each in found)
    say(f"tiers that differ: {wrong}\n")
    return min(wrong, 1)


if __name__ == "__main__":
    raise SystemExit(main())
