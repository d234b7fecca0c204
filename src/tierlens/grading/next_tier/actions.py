"""Actions that a customer or the firm can still take by the cutoff, and every feature that each of them changes.

Values tied to one another move together: an order raises orders, amounts, growth and the months with a purchase, and
makes the last purchase recent. What nobody can act on (tenure, employees, industry, past years, late payments,
complaints) stands in no action.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tierlens.features.catalog import WHOLE
from tierlens.grading.scheme.scheme import Scheme
from tierlens.sources.declared.contracts import JUDGED

Row = Mapping[str, Any]
Changed = dict[str, Any]

MOST = 3
"""Purchases are offered up to this multiple of the purchases of the window."""
CONTACTS, TICKETS, CONTRACTS = 30, 12, 5
"""The most contacts, judged service requests and contracts that are offered."""
ANSWERS = {"nps": (-100, 100, 10), "recommend_score": (0, 10, 1), "survey_satisfaction": (1, 5, 1),
           "brand_regard": (1, 5, 1)}  # fmt: skip
"""Questions of a survey: least, most, step."""
RATED = ("new_business_likelihood", "new_demand_fit", "dependence")
"""Ratings by the firm's own people that work with the customer can raise."""
DEMAND_FIT = 10
EFFORT = {"contact": 0.02, "ticket": 0.05, "contract": 0.25, "answer": 0.5, "rate": 0.75}
"""Effort of one contact, request or contract, and of a whole scale of an answer or a rating; purchases of the window
are 1."""

ADDED = ("spend", "monetary", "amount_90", "amount_half", "spend_year")
"""Amounts that an order on the last day before the cutoff raises."""
SCALED = ("spend", "amount_90", "amount_prev_90", "amount_before_prev_90", "amount_half", "spend_year")
"""Amounts that lie in a window of 365 days: they shrink in proportion when less is bought in it."""
COUNTED = ("frequency", "orders_180")
DERIVED = ("average_order_value", "growth_yoy", "season_growth", "recent_share", "repeat_rate", "repeat_share",
           "new_product_share", "idle_months_6", "recency_days", "purchase_days")  # fmt: skip
FIXED = ("tenure_days", "spend_prev_year", "amount_prev_90", "amount_before_prev_90", "amount_half_last_year",
         "amount_90_last_year", "products", "repeat_products", "products_90", "new_products")  # fmt: skip
LATEST = 31
"""Age in days of the oldest purchase in the latest twelfth of a year."""
BASES = {
    "average_order_value": ("spend", "frequency"),
    "growth_yoy": ("amount_half", "amount_half_last_year"),
    "season_growth": ("amount_90", "amount_90_last_year"),
    "recent_share": ("amount_90", "amount_prev_90"),
    "repeat_rate": ("purchase_days", "recency_days"),
    "repeat_share": ("repeat_products", "products"),
    "new_product_share": ("products_90", "new_products", "products"),
    "idle_months_6": ("recency_days",),
    "interactions_per_month": ("interactions_6m",),
    "renewal_rate": ("contracts_decided_2y", "contracts_renewed_2y", "contracts_running"),
    "contract_fulfilment": ("contracts_judged_2y", "fulfilment_sum_2y", "contracts_running"),
    "service_satisfaction": ("tickets_judged_12m", "satisfaction_points_12m"),
    "overdue_share": ("overdue_amount",),
}
"""What else must be known of a customer to say how a feature changes."""
MONEY = ("buy", "less", "overdue")


@dataclass(frozen=True)
class Action:
    """One action.

    Parameters
    ----------
    kind : {"buy", "orders", "less", "overdue", "contact", "contract", "ticket", "answer", "rate"}
        ``buy``: one more order of this amount; ``orders``: more orders of the usual size; ``less``: as many orders, of
        less in sum; ``overdue``: the overdue amount is paid; ``contact``: more interactions; ``contract``: contracts
        that end now, renewed and fulfilled; ``ticket``: service requests judged with 5; ``answer``: a survey's answer;
        ``rate``: a rating.
    size : int or str
        Minor units for ``buy``, ``less`` and ``overdue``; the new answer or rating; a count otherwise.
    feature : str
        What is answered or rated.
    """

    kind: str
    size: Any
    feature: str = ""


class NotTaken(Exception):  # noqa: N818  not an error: the action is not there for this customer
    """The action is impossible for a customer, or what it changes is not known."""


def columns_needed(scheme: Scheme) -> tuple[str, ...]:
    """Return the features that ``path`` reads beside those of the scheme, to move tied values together.

    Examples
    --------
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> columns_needed(load_scheme("five_step"))
    ('spend',)
    """
    needed = [base for name in scheme.features for base in BASES.get(name, ())]
    needed += ["spend"] if "monetary" in scheme.features else []
    return tuple(name for name in dict.fromkeys(needed) if name not in scheme.features)


def features_after(row: Row, action: Action) -> Changed | None:
    """Return the features after an action; nothing where it is impossible, or where what it changes is not known.

    Examples
    --------
    >>> row = {"monetary": 300, "frequency": 3, "recency_days": 40, "average_order_value": 100.0}
    >>> features_after(row, Action("orders", 1))
    {'monetary': 400, 'frequency': 4, 'recency_days': 1, 'average_order_value': 100.0}
    """
    try:
        return {**row, **DOES[action.kind](row, action)}
    except NotTaken:
        return None


def taken_all(row: Row, actions: tuple[Action, ...]) -> Changed | None:
    """Return the features after several actions, one after the other."""
    after: Changed | None = dict(row)
    for action in actions:
        after = None if after is None else features_after(after, action)
    return after


def window_purchases(row: Row) -> int:
    """Return the purchases of the window in minor units, 0 where they are not known."""
    if row.get("spend") is not None:
        return int(row["spend"])
    order, count = row.get("average_order_value"), row.get("frequency")
    if order is not None and count is not None:
        return round(float(order) * int(count))
    return max(int(row.get("monetary") or 0), 0)


def usual_order(row: Row, count: int) -> int:
    """Return what some orders of the usual size amount to."""
    frequency = row.get("frequency") or 0
    return round(window_purchases(row) * count / frequency) if frequency else 0


def action_effort(row: Row, action: Action) -> float:
    """Return the effort of an action: 1 is as much again as all purchases of the window.

    Examples
    --------
    >>> action_effort({"spend": 1000, "frequency": 10}, Action("orders", 2))
    0.2
    """
    whole = max(window_purchases(row), 1)
    if action.kind in MONEY:
        return float(action.size / whole)
    if action.kind == "orders":
        return usual_order(row, action.size) / whole
    if action.kind == "answer":
        least, most, _ = ANSWERS[action.feature]
        now = row.get(action.feature)
        return float(EFFORT["answer"] * (action.size - (least if now is None else now)) / (most - least))
    if action.kind == "rate":
        return EFFORT["rate"] * _steps(row, action) / 4
    return float(EFFORT[action.kind] * action.size)


def _steps(row: Row, action: Action) -> float:
    if isinstance(action.size, str):
        order = list(JUDGED.get(action.feature, ()))
        now = row.get(action.feature)
        both = now in order and action.size in order
        return float(order.index(str(now)) - order.index(action.size)) if both else 1.0
    return float(action.size - row[action.feature]) / 2


def _known(row: Row, name: str) -> Any:
    if row.get(name) is None:
        raise NotTaken(name)
    return row[name]


def _ordered(row: Row, amount: int, orders: int) -> Changed:
    """Return what orders on the last day before the cutoff change."""
    there = [name for name in ADDED if name in row]
    after: Changed = {name: _known(row, name) + amount for name in there}
    after |= {name: _known(row, name) + orders for name in COUNTED if name in row}
    after |= {"recency_days": 1} if "recency_days" in row else {}
    if "purchase_days" in row:
        after["purchase_days"] = _known(row, "purchase_days") + (_known(row, "recency_days") > 1)
    if row.get("idle_months_6"):
        after["idle_months_6"] = row["idle_months_6"] - (_known(row, "recency_days") > LATEST)
    return after | _products(row) | _derived(row, {**row, **after}, window_purchases(row) + amount)


def _derived(row: Row, both: Row, spend: int) -> Changed:
    """Return quotients after their parts have changed."""
    after: Changed = {}
    if "average_order_value" in row:
        after["average_order_value"] = spend / max(_known(both, "frequency"), 1)
    for name, over, under in (("growth_yoy", *BASES["growth_yoy"]), ("season_growth", *BASES["season_growth"])):
        if row.get(name) is not None:
            after[name] = _known(both, over) / max(_known(both, under), 1) - 1.0
    if "recent_share" in row:
        parts = _known(both, "amount_90"), _known(both, "amount_prev_90")
        after["recent_share"] = parts[0] / sum(parts) if sum(parts) else None
    if "repeat_rate" in row:
        days = _known(both, "purchase_days")
        after["repeat_rate"] = (days - 1) / days if days else None
    return after


def _products(row: Row) -> Changed:
    """Say what an order of usual goods changes: one bought on several days already, where there is one."""
    after: Changed = {}
    if row.get("repeat_share") is not None and not _known(row, "repeat_products"):
        after |= {"repeat_products": 1, "repeat_share": 1 / _known(row, "products")}
    if "new_product_share" in row and not _known(row, "products_90") and _known(row, "products"):
        after |= {"products_90": 1, "new_product_share": 0.0}
    return after


def _buy(row: Row, action: Action) -> Changed:
    return _ordered(row, action.size, 1)


def _orders(row: Row, action: Action) -> Changed:
    amount = usual_order(row, action.size)
    if amount <= 0:
        raise NotTaken(action.kind)
    return _ordered(row, amount, action.size)


def _less(row: Row, action: Action) -> Changed:
    """As many orders, each smaller in proportion: dates, counts and products stay."""
    spend, amount = window_purchases(row), action.size
    if amount > most_less(row):
        raise NotTaken(action.kind)
    left = (spend - amount) / spend
    after: Changed = {name: round(_known(row, name) * left) for name in SCALED if name in row}
    after |= {"monetary": _known(row, "monetary") - amount} if "monetary" in row else {}
    after |= {"spend": spend - amount} if "spend" in row else {}
    return after | _derived(row, {**row, **after}, spend - amount)


def most_less(row: Row) -> int:
    """Return how much less can be bought: no amount below 0, no order without an amount."""
    monetary = row.get("monetary")
    least = window_purchases(row) - (row.get("frequency") or 1)
    return max(least if monetary is None else min(least, int(monetary)), 0)


def _overdue(row: Row, _: Action) -> Changed:
    names = [name for name in ("overdue_amount", "overdue_share") if row.get(name)]
    if not names or not row.get("overdue_amount"):
        raise NotTaken("overdue")
    return dict.fromkeys(names, 0)


def _contact(row: Row, action: Action) -> Changed:
    count = _known(row, "interactions_6m") + action.size
    after: Changed = {"interactions_6m": count, "interactions_per_month": count / 6.0}
    return after | ({"days_since_contact": 1} if "days_since_contact" in row else {})


def _contract(row: Row, action: Action) -> Changed:
    if _known(row, "contracts_running") < action.size:
        raise NotTaken(action.kind)
    after: Changed = {"contracts_running": row["contracts_running"] - action.size}
    for rate, count, total in (
        ("renewal_rate", "contracts_decided_2y", "contracts_renewed_2y"),
        ("contract_fulfilment", "contracts_judged_2y", "fulfilment_sum_2y"),
    ):
        if rate in row:
            pair = _known(row, count) + action.size, _known(row, total) + action.size
            after |= {count: pair[0], total: pair[1], rate: pair[1] / pair[0]}
    return after


def _ticket(row: Row, action: Action) -> Changed:
    count = _known(row, "tickets_judged_12m") + action.size
    points = _known(row, "satisfaction_points_12m") + 5 * action.size
    return {"tickets_judged_12m": count, "satisfaction_points_12m": points, "service_satisfaction": points / count}


def _set(_: Row, action: Action) -> Changed:
    return {action.feature: action.size}


DOES: dict[str, Callable[[Row, Action], Changed]] = {
    "buy": _buy, "orders": _orders, "less": _less, "overdue": _overdue, "contact": _contact, "contract": _contract,
    "ticket": _ticket, "answer": _set, "rate": _set,
}  # fmt: skip


def purchases_are_known(scheme: Scheme, there: Mapping[str, Any], observe: int, less: bool = False) -> bool:
    """Say whether all that the scheme reads of transactions can be worked out after a purchase.

    For ``less`` the window must be a year: only then is it known which amounts lie in it.
    """
    handled = {*ADDED, *COUNTED, *DERIVED, *FIXED, "spend"}
    for name in scheme.features:
        feature = WHOLE.get(name)
        if feature is None or name not in there or set(feature.tables) != {"transactions"}:
            continue
        if name not in handled or (less and observe != 365 and name not in ("monetary", "frequency", "tenure_days")):
            return False
    return True


def action_sizes(scheme: Scheme, row: Row, observe: int) -> Iterator[list[Action]]:
    """Yield for each action that a customer can take its sizes, the smallest effort first."""
    reads = {name for name in scheme.features if name in row}
    spend = window_purchases(row)
    if spend > 0 and purchases_are_known(scheme, row, observe):
        yield [Action("buy", size) for size in spread_sizes(MOST * spend)]
        if row.get("frequency"):
            yield [Action("orders", size) for size in spread_sizes(MOST * row["frequency"])]
    if reads & {"overdue_amount", "overdue_share"} and row.get("overdue_amount"):
        yield [Action("overdue", int(row["overdue_amount"]))]
    if reads & {"interactions_per_month", "interactions_6m"}:
        yield [Action("contact", size) for size in range(1, CONTACTS + 1)]
    if reads & {"renewal_rate", "contract_fulfilment"} and row.get("contracts_running"):
        yield [Action("contract", size) for size in range(1, min(CONTRACTS, row["contracts_running"]) + 1)]
    if "service_satisfaction" in reads:
        yield [Action("ticket", size) for size in range(1, TICKETS + 1)]
    yield from (steps for name in ANSWERS if name in reads and (steps := _answers(row, name)))
    yield from (steps for name in RATED if name in reads and (steps := _ratings(scheme, row, name)))


def spread_sizes(most: int, steps: int = 24) -> list[int]:
    """Return whole sizes up to the largest, closer together where they are small.

    Examples
    --------
    >>> spread_sizes(10), len(spread_sizes(10**9))
    ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 24)
    """
    if most <= steps:
        return list(range(1, most + 1))
    return sorted({max(round(most * (step / steps) ** 2), 1) for step in range(1, steps + 1)})


def _answers(row: Row, name: str) -> list[Action]:
    least, most, step = ANSWERS[name]
    now = row.get(name)
    return [Action("answer", value, name) for value in range(least, most + 1, step) if now is None or value > now]


def _ratings(scheme: Scheme, row: Row, name: str) -> list[Action]:
    """Return the steps above the present one, in words that the scheme knows."""
    now = row.get(name)
    if now is None:
        return []
    if not isinstance(now, str):
        return [Action("rate", value, name) for value in range(1, DEMAND_FIT + 1) if value > now]
    table = next((i.ordinal for _, i in scheme.indicators if i.feature == name and i.ordinal), None) or {}
    alike = {points: word for word, points in table.items() if word.isascii() == now.isascii()}
    better = [points for points in sorted(alike) if now in table and points > table[now]]
    return [Action("rate", alike[points], name) for points in better]
