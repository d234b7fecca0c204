"""Downgrade under a scheme whose tiers go by the amount alone: need, deadline, and the chance of spending too little.

Whether a scheme is such a one is seen, not declared: the amounts of better and worse tiers do not overlap anywhere, and
the scheme itself, asked about amounts between them, says of customers on either side that a tier ends at the same one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tierlens.features.catalog import CATALOG
from tierlens.features.seasonal_btyd import EXPECTATIONS
from tierlens.features.snapshot import KEY, build_snapshots, to_arrow
from tierlens.features.windows import Window
from tierlens.grading.next_tier.roll_off import roll_off
from tierlens.grading.scheme.scheme import Scheme
from tierlens.grading.scoring import grade
from tierlens.risk.falling import learn_spending
from tierlens.risk.outcome import spend_in_horizon
from tierlens.risk.spend_needed import HISTORY, chance_below, order_values
from tierlens.sources.tables import Currency, Tables
from tierlens.workspace.prepare import arrow_as_frame
from tierlens.workspace.study import Study

Floats = npt.NDArray[np.float64]
AMOUNT = "monetary"
ASKED = 257
"""Amounts that the scheme is asked about at a time."""
ROUNDS = 12


@dataclass(frozen=True)
class SpendStanding:
    """Standing of the rows of a panel, in its order.

    Parameters
    ----------
    bound : array of float
        Least amount that keeps the tier, minor units; missing without a tier that can be lost.
    need : array of float
        Minor units that must be spent before the horizon ends to keep the tier; 0 and below: nothing.
    share : array of float
        The same as a share of the least amount of the tier.
    chance : array of float
        Probability of spending less, by what was known at the cutoff; 0 where nothing is needed.
    """

    bound: Floats
    need: Floats
    share: Floats
    chance: Floats


def tier_bounds(panel: pa.Table, tiers: pa.Table, scheme: Scheme, currency: Currency) -> dict[int, float] | None:
    """Return the least amount of each tier that can be lost, or None where tiers do not go by the amount alone.

    Parameters
    ----------
    panel, tiers : pyarrow.Table
        Features and graded rows, in the same order.
    scheme : Scheme
    currency : Currency

    Returns
    -------
    dict of int to float, or None
        By rank of the tier, 1 the best; minor units. Tiers that nobody has are left out.
    """
    if AMOUNT not in scheme.features or AMOUNT not in panel.column_names:
        return None
    ranks = tiers["tier_rank"].to_numpy(zero_copy_only=False).astype(float)
    amounts = panel[AMOUNT].to_numpy(zero_copy_only=False).astype(float)
    known = np.isfinite(ranks) & np.isfinite(amounts)
    ranks, amounts, rows = ranks[known], amounts[known], np.flatnonzero(known)
    found = {}
    for rank in np.unique(ranks)[:-1]:
        better, worse = ranks <= rank, ranks > rank
        low, high = amounts[worse].max(), amounts[better].min()
        if low >= high:
            return None
        nearest = rows[better][np.argmin(amounts[better])], rows[worse][np.argmax(amounts[worse])]
        bounds = {_bound(panel.slice(int(row), 1), (low, high), int(rank), scheme, currency) for row in nearest}
        bound = bounds.pop()
        # A tier that costs nothing is not kept by spending, and no share of nothing is needed.
        if bounds or bound is None or bound <= 0:
            return None
        found[int(rank)] = bound
    return found or None


def _bound(row: pa.Table, between: tuple[float, float], rank: int, scheme: Scheme, currency: Currency) -> float | None:
    """Ask the scheme about amounts between two, one of them too little, until the least that will do is known.

    None where too little is enough, or enough is too little: then something else decides.
    """
    low, high = (int(amount) for amount in between)
    for _ in range(ROUNDS):
        if high - low <= 1:
            break
        asked = np.unique(np.linspace(low, high, ASKED).astype(np.int64))
        copies = pa.concat_tables([row] * len(asked)).combine_chunks()
        names = pa.array([f"{place:04d}" for place in range(len(asked))])
        for name, column in (("customer_id", names), (AMOUNT, pa.array(asked))):
            copies = copies.set_column(copies.column_names.index(name), name, column)
        graded = to_arrow(grade(arrow_as_frame(copies), scheme, currency))
        enough = pc.less_equal(graded["tier_rank"], rank).fill_null(False).to_numpy(zero_copy_only=False)
        if enough[0] or not enough[-1]:
            return None
        place = int(np.argmax(enough))
        low, high = int(asked[place - 1]), int(asked[place])
    return float(high)


def spend_standing(study: Study, panel: pa.Table) -> SpendStanding | None:
    """Return need and chance of every row of the panel, or None where tiers do not go by the amount alone.

    The chance at a cutoff is told by a model of the cutoffs that had closed by then, and of no other; before any has,
    by the rhythm and the values of orders alone.

    Parameters
    ----------
    study : Study
    panel : pyarrow.Table
        Features and expectations, in the order of the study's tiers.
    """
    prepared = study.prepared
    bounds = tier_bounds(prepared.panel, prepared.tiers, study.scheme, study.currency)
    if bounds is None:
        return None
    bound = np.array([bounds.get(rank, np.nan) for rank in prepared.tiers["tier_rank"].to_pylist()])
    need = bound - _left(study, panel)
    return SpendStanding(bound, need, need / bound, _chances(study, panel, need))


def _left(study: Study, panel: pa.Table) -> Floats:
    """Amount of each row that is still in the window when the horizon ends, if nothing more is bought."""
    days = sorted(set(panel["cutoff"].to_pylist()))
    wait = study.window.gap + study.window.horizon
    ahead = to_arrow(
        build_snapshots(study.tables, days, study.window, features=[AMOUNT], everyone=True, ahead=wait)
    ).rename_columns([*KEY, "left"])
    return _joined(panel, ahead, "left")


def _joined(panel: pa.Table, table: pa.Table, name: str) -> Floats:
    """Return a column of another table for each row of the panel, 0 where it has none."""
    joined = panel.select(list(KEY)).join(table.select([*KEY, name]), keys=list(KEY), join_type="left outer")
    ordered = joined.sort_by([("cutoff", "ascending"), ("customer_id", "ascending")])
    found: Floats = ordered[name].fill_null(0).to_numpy(zero_copy_only=False).astype(np.float64)
    return found


def _chances(study: Study, panel: pa.Table, need: Floats) -> Floats:
    learning, wait = study.learning, study.window.gap + study.window.horizon
    spend = _joined(panel, to_arrow(spend_in_horizon(study.tables, learning, study.window)), "spend_in_horizon")
    days = panel["cutoff"].to_numpy().astype(np.int64)
    names = [name for name in (*CATALOG, *EXPECTATIONS) if name not in HISTORY]
    table = {name: panel[name].to_numpy(zero_copy_only=False).astype(np.float64)
             for name in (*CATALOG, *EXPECTATIONS)}  # fmt: skip
    chance = np.full(len(need), np.nan)
    for day in np.unique(days):
        here = days == day
        if not (need[here] > 0).any():
            chance[here] = np.where(np.isnan(need[here]), np.nan, 0.0)
            continue
        known = np.isin(days, [closed for closed in learning if closed + wait <= day])
        asked = _rows(table, here)
        if is_spend_known(spend[known]):
            model = learn_spending(_rows(table, known), spend[known], days[known], names, seeds=1,
                                   random_state=study.seed)  # fmt: skip
            chance[here] = model.chance(asked, need[here], days[here])
        else:
            chance[here] = chance_below(asked, need[here], order_values(asked))
    return chance


FEW = 100
"""Fewest snapshots, and of these with a purchase and without, that a distribution of spend is learned from."""


def is_spend_known(spend: Floats) -> bool:
    """Say whether spend is known of enough customers who bought, and of enough who did not.

    Examples
    --------
    >>> is_spend_known(np.append(np.zeros(100), np.ones(100))), is_spend_known(np.ones(500))
    (True, False)
    """
    bought = int((spend > 0).sum())
    return min(bought, len(spend) - bought) >= FEW


def _rows(table: Mapping[str, Floats], here: npt.NDArray[np.bool_]) -> dict[str, Floats]:
    return {name: values[here] for name, values in table.items()}


def spend_deadlines(tables: Tables, window: Window, cutoff: int, bounds: Mapping[str, float]) -> list[int | None]:
    """Return within how many days each customer must spend, before what rolls out of the window costs the tier.

    Parameters
    ----------
    tables : Tables
    window : Window
    cutoff : int
    bounds : mapping of str to float
        Least amount of each customer's tier, minor units.

    Returns
    -------
    list of int or None
        In the order of ``bounds``; None where the tier is not lost by the end of the horizon, gap + horizon days on.
    """
    leaving = roll_off(tables, cutoff, window, list(bounds))
    least = np.array([bounds[customer] for customer in leaving["customer_id"].to_pylist()])
    short = leaving.filter(pa.array(leaving["remains"].to_numpy() < least))
    first = short.group_by("customer_id").aggregate([("days", "min")]).to_pydict()
    days = dict(zip(first["customer_id"], first["days_min"], strict=True))
    return [days.get(customer) for customer in bounds]
