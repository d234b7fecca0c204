"""All cases, in order."""

from __future__ import annotations

from tests.bad_inputs import files, models, people, schemes, values
from tests.bad_inputs.kit import Case

CASES: tuple[Case, ...] = (*files.CASES, *values.CASES, *people.CASES, *models.CASES, *schemes.CASES)
