"""All cases, in order."""

from __future__ import annotations

from tests.bad_inputs import (
    books,
    cells,
    commands,
    files,
    machine,
    models,
    people,
    run_files,
    schemes,
    stores,
    tiers,
    values,
)
from tests.bad_inputs.kit import Case

CASES: tuple[Case, ...] = (
    *files.CASES,
    *values.CASES,
    *people.CASES,
    *models.CASES,
    *schemes.CASES,
    *commands.CASES[:6],
    *run_files.CASES,
    *commands.CASES[6:],
    *machine.CASES[:11],
    *stores.CASES,
    *books.CASES[:2],
    *cells.CASES,
    *machine.CASES[11:],
    *tiers.CASES,
    *books.CASES[2:],
)
