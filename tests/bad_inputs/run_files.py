"""Cases 79-96: run files."""

from __future__ import annotations

from tests.bad_inputs.command_kit import RUN_FILE, Run, changed, shop
from tests.bad_inputs.kit import Case


def _refused(text: str, *says: str, code: str = "E-YA-020") -> Run:
    """Return a probe: a run file of this text is refused before anything is read."""
    return Run(["read", "run.yaml", "--check"], 2, code, shop(text), says)


def _case(number: int, what: str, text: str, *says: str, code: str = "E-YA-020") -> Case:
    return Case(number, what, "REJECT, exit 2", (_refused(text, *says, code=code),))


CASES = (
    _case(79, "cutof: for cutoff:", changed("cutoff: ", "cutof: "), "cutof", "cutoff"),
    _case(80, "currenzy under source", changed("currency: CNY", "currenzy: CNY"), "currenzy", "currency"),
    _case(81, "a section that is not there", RUN_FILE + "nonsense: 3\n", "nonsense"),
    _case(82, "no source", RUN_FILE.replace("source:\n  files: orders.csv\n  currency: CNY\n", ""), "source"),
    _case(83, "source and simulated", RUN_FILE + "simulated: {}\n", "simulated"),
    _case(84, "cutoff: tomorrow", changed('"2025-11-01"', "tomorrow"), "cutoff"),
    _case(85, "cutoff: 2025-02-30", changed('"2025-11-01"', '"2025-02-30"'), "cutoff"),
    _case(86, "first_cutoff after the cutoff", changed('first_cutoff: "2025-03-01"', 'first_cutoff: "2026-03-01"'),
          "first_cutoff"),
    _case(87, "seed: -1", RUN_FILE + "seed: -1\n", "seed"),
    _case(88, "seed: 1.5", RUN_FILE + "seed: 1.5\n", "seed"),
    _case(89, "track: maybe", changed("track: false", "track: maybe"), "track"),
    _case(90, "tests: many", changed("tests: 1", "tests: many"), "tests"),
    _case(91, "a list named ../../x", RUN_FILE + "lists: [{name: ../../x}]\n", "lists"),
    _case(92, "lists all and ALL", RUN_FILE + "lists: [{name: all}, {name: ALL}]\n", "ALL"),
    _case(93, "horizon: 0", RUN_FILE + "window: {horizon: 0}\n", "horizon"),
    _case(94, "horizon: 99999999999", RUN_FILE + "window: {horizon: 99999999999}\n", "horizon"),
    _case(95, "files: mysql://...", changed("files: orders.csv", "files: mysql://me:pw@h/x"), "files", "mysql:"),
    _case(96, "reject_limit: 2", changed("currency: CNY", "currency: CNY\n  policies: {reject_limit: 2}"),
          "reject_limit"),
)  # fmt: skip
