"""All cases, in order."""

from __future__ import annotations

from tests.bad_inputs import files, models, people, values
from tests.bad_inputs.kit import Case

CASES: tuple[Case, ...] = (*files.CASES, *values.CASES, *people.CASES, *models.CASES)
