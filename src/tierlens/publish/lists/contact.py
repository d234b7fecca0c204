"""Who may be contacted: only by explicit consent, as it is known when a list is made."""

from __future__ import annotations

import pyarrow as pa

from tierlens.sources.parsing.parse_values import NO
from tierlens.words import Text

CONSENT = frozenset({"yes", "y", "true", "1", "agreed", "opt-in", "是", "同意", "可联系", "已同意"})
"""What counts as consent, in lower case; anything else does not."""

REFUSED = NO | {"opt-out", "opted out", "declined", "refused", "不可联系", "0.0"}
"""What is a refusal, in lower case; what is neither can be read by nobody, and is no consent."""

CONTACT: dict[str, Text] = {
    "yes": Text("yes", "是"),
    "no": Text("no", "否"),
    "unreadable": Text("consent not readable", "同意状态无法识别"),
    "unknown": Text("unknown: no contact data", "未知：无联系数据"),
}


def contact_allowed(customers: pa.Table, consent: pa.Table | None, allow: frozenset[str] = CONSENT) -> pa.Array:
    """Say for each customer whether contact is allowed: ``yes``, ``no``, ``unreadable`` or ``unknown``.

    Parameters
    ----------
    customers : pyarrow.Table
        With ``customer_id``.
    consent : pyarrow.Table, optional
        ``customer_id`` and ``contactable`` as they are known now, at export. Where a customer stands in it several
        times, one refusal is enough.
    allow : frozenset of str
        The only values that are consent, in lower case. A missing value is ``unknown``, one that is neither consent
        nor a refusal ``unreadable``.

    Examples
    --------
    >>> consent = pa.table({"customer_id": ["1", "2", "3", "3"], "contactable": ["Yes", "否", "yes", "maybe"]})
    >>> contact_allowed(pa.table({"customer_id": ["1", "2", "3", "4"]}), consent).to_pylist()
    ['yes', 'no', 'unreadable', 'unknown']
    """
    answers: dict[str, str] = {}
    if consent is not None:
        ids, values = consent["customer_id"].to_pylist(), consent["contactable"].to_pylist()
        for customer, value in zip(ids, values, strict=True):
            answers[str(customer)] = _stricter(answers.get(str(customer)), _answer(value, allow))
    return pa.array([answers.get(str(customer), "unknown") for customer in customers["customer_id"].to_pylist()])


def _answer(value: object, allow: frozenset[str]) -> str:
    """Read one consent value; booleans and numbers are read as their text."""
    said = "" if value is None else str(value).strip().casefold()
    if not said:
        return "unknown"
    if said in allow:
        return "yes"
    return "no" if said in REFUSED | CONSENT else "unreadable"


def _stricter(first: str | None, second: str) -> str:
    """Of two answers the one that allows less."""
    strictness = ("yes", "unknown", "unreadable", "no")
    return second if first is None else max(first, second, key=strictness.index)
