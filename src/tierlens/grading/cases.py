"""Worked cases: what a document says must come out, as YAML beside the scheme; run with ``python -m``.

A case file names a scheme and lists ``states`` (numbers that the scheme must hold) and ``cases`` (customers with the
values of their features, amounts in the scheme's currency, and what must come out). Each case is graded among its own
population: itself and the customers listed under ``among``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import narwhals as nw
from pydantic import Field, StrictBool

from tierlens import strict_yaml
from tierlens.grading.clauses import cited_clauses, stated_at
from tierlens.grading.scheme.grammar import Name, Number, Part, Word
from tierlens.grading.scheme.scheme import Scheme, load_scheme
from tierlens.grading.scoring import grade
from tierlens.sources.tables import Currency

if TYPE_CHECKING:
    import pyarrow as pa

Value = StrictBool | Number | Word | None
Given = dict[Name, Value]


class State(Part):
    """A number or word that a scheme must hold.

    Parameters
    ----------
    at : str
        Where: ``dimensions.value.weight``, ``tiers.A.share``, ``tiers.A.measures.zh``; see ``clauses.stated``.
    equals : number, text or list
        What the document says; written ``is`` in a file.
    clause : str, optional
        Where the document says it; the scheme must cite it there.
    """

    at: Word
    equals: Value | list[Value] = Field(alias="is")
    clause: Word | None = None


class Case(Part):
    """A customer and what must come out.

    Parameters
    ----------
    name : str
        What the case shows.
    table : str, optional
        The table of cuts.
    given : mapping
        Values of features; ``points_<indicator>`` for points given by hand.
    among : list of mapping
        The other customers of the population.
    expect : mapping
        Columns that grading adds; ``flags`` must contain the word that is given.
    """

    name: Word
    table: Name | None = None
    given: Given
    among: tuple[Given, ...] = ()
    expect: Annotated[dict[Name, Value], Field(min_length=1)]


class CaseFile(Part):
    """The cases of one scheme.

    Parameters
    ----------
    scheme : str
        Name or path of the scheme.
    states, cases
        See the classes of these names.
    """

    scheme: Word
    states: tuple[State, ...] = ()
    cases: tuple[Case, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What became of one case.

    Parameters
    ----------
    scheme, name : str
        Which.
    fault : str
        What differs; empty where the case passed.
    clause : str
        The clauses of the document that it holds the scheme to.
    """

    scheme: str
    name: str
    fault: str
    clause: str

    @property
    def passed(self) -> bool:
        """Whether everything came out as it must."""
        return not self.fault


def run_cases(path: Path) -> list[Outcome]:
    """Run the cases of one file.

    Parameters
    ----------
    path : Path
        A case file.

    Returns
    -------
    list of Outcome
        One for each state and case, in the order of the file.
    """
    file = strict_yaml.build_model(CaseFile, path)
    scheme = load_scheme(file.scheme)
    states = [_held(scheme, state) for state in file.states]
    graded: dict[int, Outcome] = {}
    for table in sorted({case.table or "" for case in file.cases}):
        here = [(n, case) for n, case in enumerate(file.cases) if (case.table or "") == table]
        graded |= _graded(scheme.with_table(table) if table else scheme, here)
    return [*states, *(graded[n] for n in range(len(file.cases)))]


def _held(scheme: Scheme, state: State) -> Outcome:
    got, clause = stated_at(scheme, state.at)
    fault = _differs(got, state.equals)
    if state.clause is not None and state.clause != clause:
        fault = "; ".join(filter(None, [fault, f"cites {clause}, must cite {state.clause}"]))
    return Outcome(scheme.id, state.at, fault, clause)


def _differs(got: Any, due: Any) -> str:
    return "" if got == due else f"is {got}, must be {due}"


def _graded(scheme: Scheme, cases: list[tuple[int, Case]]) -> dict[int, Outcome]:
    import duckdb

    with duckdb.connect() as connection:
        features = nw.from_native(connection.from_arrow(_table(scheme, cases)))
        currency = Currency(scheme.currency or "CNY")
        graded = grade(features, scheme, currency).collect("pyarrow").to_native().to_pylist()
    rows = {row["cutoff"]: row for row in graded if row["customer_id"] == "case"}
    return {n: Outcome(scheme.id, case.name, _faults(rows[n], case), _clause(scheme, case)) for n, case in cases}


def _clause(scheme: Scheme, case: Case) -> str:
    """Return the clauses behind what must come out; the document's name where it is our own word (flags, coverage)."""
    found = dict.fromkeys(clause for name, due in case.expect.items() for clause in cited_clauses(scheme, name, due))
    return "；".join(found) or scheme.source.clause


def _table(scheme: Scheme, cases: list[tuple[int, Case]]) -> pa.Table:
    """One population a case, told apart by the cutoff."""
    import pyarrow as pa

    people = [(n, who, given) for n, case in cases for who, given in _people(case)]
    names = sorted({name for _, _, given in people for name in given})
    columns: dict[str, pa.Array] = {
        "customer_id": pa.array([who for _, who, _ in people]),
        "cutoff": pa.array([n for n, _, _ in people], pa.int32()),
    }
    for name in names:
        columns[name] = pa.array([_raw(scheme, name, given.get(name)) for _, _, given in people])
    return pa.table({name: _typed(column) for name, column in columns.items()})


def _people(case: Case) -> Iterator[tuple[str, Given]]:
    yield "case", case.given
    yield from ((f"other {n}", given) for n, given in enumerate(case.among))


def _raw(scheme: Scheme, name: str, value: Value) -> Any:
    if not isinstance(value, Decimal):
        return value
    use = scheme.features.get(name)
    number = value * 100 if use is not None and use.unit == "money" else value
    return float(number)


def _typed(column: pa.Array) -> pa.Array:
    """Whole numbers where all are whole, as in a feature table."""
    import pyarrow as pa

    if pa.types.is_floating(column.type) and all(v is None or v == int(v) for v in column.to_pylist()):
        return column.cast(pa.int64())
    return column.cast(pa.float64()) if pa.types.is_null(column.type) else column


def _faults(row: dict[str, Any], case: Case) -> str:
    faults = []
    for name, due in case.expect.items():
        got = row.get(name, "no such column")
        if name == "flags" and isinstance(due, str):
            fits = due in str(got).split()
        else:
            fits = got == (float(due) if isinstance(due, Decimal) else due)
        if not fits:
            faults.append(f"{name} is {got!r}, must be {due!r}")
    return "; ".join(faults)


def main(folder: str) -> int:
    """Run every case file of a folder, print each case with its clause and its fault; return the number of faults."""
    faults = total = 0
    for path in sorted(Path(folder).glob("*.yaml")):
        outcomes = run_cases(path)
        wrong = [outcome for outcome in outcomes if not outcome.passed]
        total, faults = total + len(outcomes), faults + len(wrong)
        sys.stdout.write(f"{path.stem:28} {len(outcomes):5} cases {len(outcomes) - len(wrong):5} passed\n")
        for outcome in outcomes:
            fault = f": {outcome.fault}" if outcome.fault else ""
            sys.stdout.write(f"    {outcome.name}{fault}  [{outcome.clause}]\n")
    sys.stdout.write(f"{'all':28} {total:5} cases {total - faults:5} passed\n")
    return faults


if __name__ == "__main__":
    raise SystemExit(min(main(sys.argv[1] if len(sys.argv) > 1 else "tests/schemes"), 1))
