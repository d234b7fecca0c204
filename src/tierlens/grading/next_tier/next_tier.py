"""The way to the next tier: what a customer or the firm can still do to raise it, and what may be lost before it falls.

Every offer is a change of all values that are tied to one another, and the grader has graded the changed customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tierlens.grading.next_tier.actions import MOST, Action, purchases_are_known, window_purchases
from tierlens.grading.next_tier.search import Case, Found, in_step, losing_plan, raising_plan
from tierlens.grading.next_tier.way_words import tell_offer
from tierlens.grading.next_tier.whatif import Bench
from tierlens.grading.scheme.scheme import Scheme
from tierlens.sources.tables import Currency

if TYPE_CHECKING:
    import pyarrow as pa

    from tierlens.grading.evidence import Teller

Row = Mapping[str, Any]
YEAR = 365


@dataclass(frozen=True)
class Offer:
    """What raises a customer's tier, or what may be lost without losing it.

    Parameters
    ----------
    customer_id, cutoff
        Whose.
    goal : {"raise", "keep", "none"}
        ``none``: no action that was tried, nor all of them together, raises the tier to ``tier``.
    tier : str
        The tier that the grader gives after the actions; for ``none`` the next better one.
    actions : tuple of Action
        Taken together, by the cutoff; empty for ``none``.
    effort : float
        1 is as much again as all purchases of the window; for ``keep`` the share of them that is lost, for ``none`` how
        much was tried, 0 where purchases could not be.
    before, after : mapping
        The features that the actions change, as they are and as they would be, in the units of the columns.
    limit : bool
        For ``keep``: one unit more, and every larger size that was tried, loses the tier. Otherwise only this size is
        known to hold.
    """

    customer_id: str
    cutoff: int
    goal: str
    tier: str
    actions: tuple[Action, ...] = ()
    effort: float = 0.0
    before: Row = field(default_factory=dict)
    after: Row = field(default_factory=dict)
    limit: bool = False


def path_to_tier(
    graded: pa.Table,
    features: pa.Table,
    scheme: Scheme,
    currency: Currency,
    reference: pa.Table | None = None,
    *,
    observe: int = YEAR,
) -> list[Offer]:
    """Return what raises each customer's tier, and what may be lost without losing it.

    Parameters
    ----------
    graded : pyarrow.Table
        From ``grade``: the customers that are asked for.
    features : pyarrow.Table
        The features of everybody who was graded with them, and what else is known of them: with the columns of
        :func:`~tierlens.grading.next_tier.actions.columns_needed` more actions can be worked out.
    scheme : Scheme
        The rules.
    currency : Currency
        The currency whose minor units the money columns are in.
    reference : pyarrow.Table, optional
        From ``fit_reference``, where the customers were graded with it; they are compared with ``features`` otherwise.
    observe : int
        Days of the window.

    Returns
    -------
    list of Offer
        By cutoff and customer; ``raise`` (or ``none``) before ``keep``, the least effort first. Whoever has no tier
        has none; the best tier has nothing to raise, the lowest nothing to keep.

    Examples
    --------
    >>> import duckdb, narwhals as nw
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> from tierlens.grading.scoring import grade
    >>> rows = "select 'C1' as customer_id, 15126::int as cutoff, 28160000::bigint as monetary, 3::bigint as frequency"
    >>> features, scheme = nw.from_native(duckdb.sql(rows)), load_scheme("five_step")
    >>> graded = grade(features, scheme, Currency("CNY")).collect("pyarrow").to_native()
    >>> offers = path_to_tier(graded, features.collect("pyarrow").to_native(), scheme, Currency("CNY"))
    >>> [(o.goal, o.tier, o.actions[0].kind, o.actions[0].size, o.after["monetary"]) for o in offers[:2]]
    [('raise', 'core', 'buy', 1840000, 30000000), ('raise', 'core', 'orders', 1, 37546667)]
    """
    import pyarrow.compute as pc

    mine = pc.is_in(features["customer_id"], graded["customer_id"].combine_chunks().cast(features["customer_id"].type))
    here = pc.is_in(features["cutoff"], graded["cutoff"].combine_chunks().cast(features["cutoff"].type))
    values = {(row["customer_id"], row["cutoff"]): row for row in features.filter(pc.and_(mine, here)).to_pylist()}
    bench = Bench(features, scheme, currency, reference)
    cases = [
        Case(row["customer_id"], row["cutoff"], values[key], row["tier_rank"], scheme, observe)
        for row in graded.sort_by([("cutoff", "ascending"), ("customer_id", "ascending")]).to_pylist()
        if row["tier"] is not None and (key := (row["customer_id"], row["cutoff"])) in values
    ]
    up = [(case, raising_plan(case)) for case in cases if case.rank > 1]
    down = [(case, losing_plan(case)) for case in cases if case.rank < len(scheme.tiers)]
    answers = in_step([*up, *down], bench)
    raised = {id(case): found for (case, _), found in zip(up, answers, strict=False)}
    kept = {id(case): found for (case, _), found in zip(down, answers[len(up) :], strict=True)}
    offers: list[Offer] = []
    for case in cases:
        offers += _raises(case, raised[id(case)]) if id(case) in raised else []
        offers += [_offer(case, "keep", found) for found in kept.get(id(case), [])]
    return offers


def _raises(case: Case, found: list[Found]) -> list[Offer]:
    if found:
        return [_offer(case, "raise", each) for each in found]
    bought = purchases_are_known(case.scheme, case.row, case.observe) and window_purchases(case.row) > 0
    tier = case.scheme.tiers[case.rank - 2].id
    return [Offer(case.customer_id, case.cutoff, "none", tier, effort=float(MOST) if bought else 0.0)]


def _offer(case: Case, goal: str, found: Found) -> Offer:
    after = {name: value for name, value in found.after.items() if value != case.row.get(name)}
    before = {name: case.row.get(name) for name in after}
    tier = case.scheme.tiers[found.rank - 1].id
    return Offer(case.customer_id, case.cutoff, goal, tier, found.plan, found.effort, before, after, found.limit)


def offer_sentence(offer: Offer, teller: Teller) -> str:
    """Write an offer as a sentence.

    Examples
    --------
    >>> from tierlens.grading.feature_columns import Columns
    >>> from tierlens.grading.evidence import Teller
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> offer = Offer("C1", 1, "raise", "core", (Action("buy", 1840000),), 0.065)
    >>> offer_sentence(offer, Teller(Columns(load_scheme("five_step"), Currency("CNY"), {}), "en"))
    'One more order of 18,400.00 CNY raises the tier to Core customers (effort 0.07)'
    """
    return tell_offer(offer, teller)
