"""What happened in the horizon: churn, downgrade and spend, for rows whose horizon has closed and no others."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals as nw

from tierlens.errors import DataError
from tierlens.features.snapshot import KEY, snapshots
from tierlens.features.windows import Cutoff, Window, cutoff_days, in_horizon, last_day
from tierlens.sources.engines import Frame
from tierlens.sources.tables import Tables, day_date
from tierlens.words import Text


def closed_cutoffs(tables: Tables, cutoffs: Sequence[Cutoff], window: Window) -> tuple[list[int], list[int]]:
    """Part the cutoffs whose outcome is known from those whose horizon ends after the data do.

    Parameters
    ----------
    tables : Tables
        Settled tables; the last day with a transaction is the last day that is known.
    cutoffs : sequence of date, ISO text or day number
    window : Window

    Returns
    -------
    (list of int, list of int)
        Closed and censored cutoffs as day numbers, each ascending.

    Examples
    --------
    >>> from tierlens.sources.examples import simulated_shop
    >>> shop = simulated_shop(customers=50, seed=1).tables
    >>> closed, censored = closed_cutoffs(shop, ["2024-06-01", "2030-01-01"], Window())
    >>> len(closed), len(censored)
    (1, 1)
    """
    known = last_day(tables.transactions) + 1
    days = cutoff_days(cutoffs)
    closed = [day for day in days if window.closes(day) <= known]
    return closed, [day for day in days if day not in closed]


def churn(tables: Tables, cutoffs: Sequence[Cutoff], window: Window | None = None) -> Frame:
    """Say of each customer with a purchase in the observed window whether none came in the horizon.

    Parameters
    ----------
    tables : Tables
    cutoffs : sequence of date, ISO text or day number
        Only such as have closed.
    window : Window, optional

    Returns
    -------
    lazy frame
        ``customer_id``, ``cutoff`` and ``churn`` (int8): 1 without a purchase in [cutoff + gap, cutoff + gap +
        horizon), else 0; never missing. A return is no purchase.

    Raises
    ------
    DataError
        ``E-RI-001`` when a horizon ends after the data: such rows are never labelled.

    Examples
    --------
    >>> from tierlens.sources.examples import simulated_shop
    >>> shop = simulated_shop(customers=50, seed=1).tables
    >>> sorted(set(churn(shop, ["2024-06-01"]).collect("pyarrow")["churn"].to_list()))
    [0, 1]
    """
    found = spend_in_horizon(tables, cutoffs, window)
    return found.select(*KEY, nw.when(nw.col("bought") > 0).then(0).otherwise(1).cast(nw.Int8).alias("churn"))


def spend_in_horizon(tables: Tables, cutoffs: Sequence[Cutoff], window: Window | None = None) -> Frame:
    """Sum what each customer with a purchase in the observed window buys in the horizon.

    Parameters
    ----------
    tables : Tables
    cutoffs : sequence of date, ISO text or day number
        Only such as have closed.
    window : Window, optional

    Returns
    -------
    lazy frame
        ``customer_id``, ``cutoff``, ``spend_in_horizon`` (int64 minor units, before returns, 0 where nothing was
        bought) and ``bought`` (int64, purchase lines).

    Raises
    ------
    DataError
        ``E-RI-001`` when a horizon ends after the data.

    Examples
    --------
    >>> from tierlens.sources.examples import simulated_shop
    >>> shop = simulated_shop(customers=50, seed=1).tables
    >>> spend_in_horizon(shop, ["2024-06-01"]).collect_schema().names()
    ['customer_id', 'cutoff', 'spend_in_horizon', 'bought']
    """
    window = window or Window()
    days = _all_closed(tables, cutoffs, window)
    bought = tables.transactions.filter((nw.col("kind") == "purchase") & (nw.col("amount") > 0))
    happened = in_horizon(bought.select("customer_id", "day", "amount"), days, window)
    summed = happened.group_by(*KEY).agg(nw.col("amount").sum().alias("spend_in_horizon"), nw.len().alias("bought"))
    rows = snapshots(tables, days, window, features=["frequency"]).select(*KEY)
    joined = rows.join(summed, on=list(KEY), how="left")
    whole = [nw.col(name).fill_null(0).cast(nw.Int64).alias(name) for name in ("spend_in_horizon", "bought")]
    return joined.select(*KEY, *whole)


def downgrade(tier_ranks: Frame, cutoffs: Sequence[Cutoff], window: Window, lowest: int) -> Frame:
    """Say of each customer above the lowest tier whether the tier is lower once the horizon is over.

    Parameters
    ----------
    tier_ranks : lazy frame
        ``customer_id``, ``cutoff`` (int32) and ``tier_rank`` (1 the best; missing where not graded), at the cutoffs
        and at cutoff + gap + horizon, from replaying one scheme at both.
    cutoffs : sequence of date, ISO text or day number
    window : Window
    lowest : int
        Rank of the lowest tier. Who is not graded at the end has no purchase left in the window and counts as this.

    Returns
    -------
    lazy frame
        ``customer_id``, ``cutoff`` and ``downgrade`` (int8, 0 or 1). Rows without a tier at the cutoff are left out,
        and so are those on the lowest tier, which cannot fall.

    Raises
    ------
    DataError
        ``E-RI-002`` when no row stands at the end of a horizon: the outcome cannot be known.

    Examples
    --------
    >>> import duckdb
    >>> ranks = nw.from_native(duckdb.connect().sql(
    ...     "select * from (values ('a', 0::int, 1), ('a', 90::int, 2), ('b', 0::int, 2), ('b', 90::int, 2)) "
    ...     "t(customer_id, cutoff, tier_rank)"))
    >>> found = downgrade(ranks, [0], Window(horizon=90), lowest=4).sort("customer_id").collect("pyarrow")
    >>> found["downgrade"].to_list()
    [1, 0]
    """
    days = cutoff_days(cutoffs)
    ahead = window.gap + window.horizon
    ends = set(tier_ranks.select("cutoff").unique().collect("pyarrow")["cutoff"].to_list())
    open_days = [day for day in days if day + ahead not in ends]
    if open_days:
        raise _censored("E-RI-002", open_days, Text("grade them at the end of the horizon too", "请同时在窗口末评级"))
    now = tier_ranks.filter(nw.col("cutoff").is_in(days) & (nw.col("tier_rank") < lowest))
    later = tier_ranks.select(
        "customer_id",
        (nw.col("cutoff") - ahead).cast(nw.Int32).alias("cutoff"),
        nw.col("tier_rank").alias("later_rank"),
    )
    joined = now.join(later, on=list(KEY), how="left")
    fell = nw.col("later_rank").fill_null(lowest) > nw.col("tier_rank")
    return joined.select(*KEY, nw.when(fell).then(1).otherwise(0).cast(nw.Int8).alias("downgrade"))


def _all_closed(tables: Tables, cutoffs: Sequence[Cutoff], window: Window) -> list[int]:
    closed, censored = closed_cutoffs(tables, cutoffs, window)
    if censored:
        raise _censored(
            "E-RI-001", censored, Text("leave them out, see closed_cutoffs", "请先用 closed_cutoffs 排除这些截止日")
        )
    return closed


def _censored(code: str, days: Sequence[int], fix: Text) -> DataError:
    named = ", ".join(str(day_date(day)) for day in days[:3]) + (", ..." if len(days) > 3 else "")
    return DataError(
        code,
        Text(
            f"the outcome of {len(days)} cutoffs is not known yet: {named}",
            f"{len(days)} 个截止日的结果尚不可知：{named}",
        ),
        fix=fix,
    )
