"""The catalogue of bad inputs, 1-69: every case comes out as it must, under its code, at its place, sums closed."""

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
    assert [case.number for case in CASES] == list(range(1, 70))
