"""The catalogue of bad inputs: every case comes out as it must, under its code, at its place, sums closed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bad_inputs.catalogue import CASES
from tests.bad_inputs.kit import Case


@pytest.mark.parametrize("case", [pytest.param(case, id=f"case_{case.number:02d}") for case in CASES])
def test_case(case: Case, tmp_path: Path) -> None:
    got = case.run(tmp_path)
    assert got.closes in (None, True)


def test_no_case_is_left_out() -> None:
    """Of docs/bad-inputs.md, which says where the other numbers are tried."""
    numbers = [*range(1, 76), *range(79, 179)]
    assert [case.number for case in CASES] == numbers
