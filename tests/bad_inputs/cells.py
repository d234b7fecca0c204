"""Cases 136-158: lines and cells."""

from __future__ import annotations

from tests.bad_inputs.kit import GOOD, HEADER, Case, Refuse, Take, rows

LONG = "x" * 200_000


def _out(number: int, what: str, line: str, key: str, place: str = "") -> Case:
    """Return a case: one line of two is quarantined for one reason."""
    return Case(number, what, "QUARANTINE", (Take(rows(GOOD.strip(), line), 1, {key: 1}, place=place),))


def _refuse(number: int, what: str, content: str | bytes, code: str, place: str = "orders.csv") -> Case:
    return Case(number, what, "REJECT", (Refuse(content, code, place),))


CASES = (
    _out(136, "year 0205", "C2,O2,0205-01-05,5", "impossible_year", "orders.csv:3:time"),
    _out(137, "year 2999", "C2,O2,2999-01-05,5", "impossible_year", "orders.csv:3:time"),
    _out(138, "year 1000000", "C2,O2,1000000-01-05,5", "bad_date", "orders.csv:3:time"),
    _out(139, "25:61 o'clock", "C2,O2,2026-01-05 25:61,5", "bad_date", "orders.csv:3:time"),
    _out(140, "2025-02-29, no leap year", "C2,O2,2025-02-29,5", "bad_date", "orders.csv:3:time"),
    _out(141, "no time", "C2,O2,,5", "missing_time", "orders.csv:3:time"),
    _out(142, "no amount", "C2,O2,2026-01-05,", "missing_amount", "orders.csv:3:amount"),
    _out(143, "amount abc", "C2,O2,2026-01-05,abc", "bad_number", "orders.csv:3:amount"),
    _out(144, "amount 1.2.3", "C2,O2,2026-01-05,1.2.3", "bad_number", "orders.csv:3:amount"),
    _out(145, "amount of 40 digits", f"C2,O2,2026-01-05,{'9' * 40}", "bad_number", "orders.csv:3:amount"),
    _out(146, "amount -Infinity", "C2,O2,2026-01-05,-Infinity", "non_finite", "orders.csv:3:amount"),
    _out(147, "amount 0x1F", "C2,O2,2026-01-05,0x1F", "bad_number", "orders.csv:3:amount"),
    _out(148, "an id of blanks that cannot be seen",
         "\u200b\u200b,O2,2026-01-05,5", "missing_customer", "orders.csv:3:customer_id"),
    _out(149, "an id of an ideographic space",
         "\u3000,O2,2026-01-05,5", "missing_customer", "orders.csv:3:customer_id"),
    Case(150, "a field of 200,000 characters", "KEEP", (Take(rows(GOOD.strip(), f"{LONG},O2,2026-01-05,5"), 2),)),
    _refuse(151, "NUL in the header", "customer_id,ti\0me,amount\nC1,2026-01-05,1\n", "E-TX-018", "orders.csv:1"),
    _refuse(152, "a header without amount", "customer_id,time\nC1,2026-01-05\n", "E-TX-119"),
    _refuse(153, "a line with one field more", rows(GOOD.strip(), "C2,O2,2026-01-05,5,x"), "E-TX-009", "orders.csv:3"),
    _refuse(154, "no header at all", "C1,2026-01-05,1\nC2,2026-01-06,2\n", "E-TX-119"),
    _refuse(155, "only blank lines", "\n\n\n", "E-TX-020"),
    Case(156, "blank lines between", "NORMALISE", (Take(HEADER + "\n" + GOOD + "\n\n", 1, {"blank_line": 3}),)),
    Case(157, "10,000 columns", "KEEP",
         (Take(HEADER.strip() + "".join(f",x{n}" for n in range(9996)) + "\n" + GOOD.strip() + "," * 9996 + "\n", 1),)),
    Case(158, "lines ended by CR alone", "KEEP", (Take((HEADER + GOOD).replace("\n", "\r"), 1),)),
)  # fmt: skip
