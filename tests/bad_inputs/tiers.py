"""Cases 161-168: further scheme files."""

from __future__ import annotations

from tests.bad_inputs.kit import Case, Probe
from tests.bad_inputs.schemes import _refuse, _with


def _case(number: int, what: str, probe: Probe) -> Case:
    return Case(number, what, "REJECT", (probe,))


CASES = (
    _case(161, "weight: 1.5", _with("weight: 0.5", "weight: 1.5")),
    _case(162, "weight: 0", _with("weight: 0.5", "weight: 0")),
    _case(163, "a tab in front of a key", _refuse("id: x\n\tversion: 1\n", "E-YA-004", "s.yaml:2:1")),
    _case(164, "a feature that is not there", _with("feature: monetary", "feature: nothing_such")),
    _case(165, "a brace that is not closed", _refuse("id: {a: 1\n", "E-YA-003")),
    _case(166, "a control character", _refuse("id: \x01\n", "E-YA-003")),
    _case(167, "a merge key", _refuse("a: {b: 1}\n<<: {c: 2}\n", "E-YA-020")),
    _case(168, "a scheme without tiers", _refuse("id: x\nversion: '1'\n", "E-YA-020")),
)
