"""What happened in the horizon: churn by purchases, by contract or by a stage rule, downgrade and spend.

Only rows whose horizon has closed are labelled, and of those only such as are decided. An outcome is what was known on
the day on which the horizon ended: what is recorded later changes nothing, so that the same cutoff has the same outcome
whenever it is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence

import narwhals as nw

from tierlens.errors import DataError, UsageError
from tierlens.features.snapshot import KEY, build_snapshots
from tierlens.features.windows import (
    YEAR,
    Cutoff,
    Window,
    at_cutoffs,
    by_closing,
    cutoff_days,
    horizon_rows,
    in_horizon,
    reach_of,
)
from tierlens.sources.engines import Frame
from tierlens.sources.tables import Tables, day_date
from tierlens.words import Text

MONTH = YEAR / 12
"""Days in a month, as the schemes count them."""


def closed_cutoffs(tables: Tables, cutoffs: Sequence[Cutoff], window: Window) -> tuple[list[int], list[int]]:
    """Part the cutoffs whose outcome is known from those whose horizon ends after the data do.

    Parameters
    ----------
    tables : Tables
        Settled tables; :func:`tierlens.features.windows.reach_of` says where they end.
    cutoffs : sequence of date, ISO text or day number
    window : Window

    Returns
    -------
    (list of int, list of int)
        Closed and censored cutoffs as day numbers, each ascending.

    Examples
    --------
    >>> from tierlens.datasets.examples import simulated_shop
    >>> shop = simulated_shop(customers=50, seed=1).tables
    >>> closed, censored = closed_cutoffs(shop, ["2024-06-01", "2030-01-01"], Window())
    >>> len(closed), len(censored)
    (1, 1)
    """
    known = reach_of(tables).end
    days = cutoff_days(cutoffs)
    closed = [day for day in days if window.closes(day) <= known]
    return closed, [day for day in days if day not in closed]


def churn_outcomes(tables: Tables, cutoffs: Sequence[Cutoff], window: Window | None = None) -> Frame:
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
    >>> from tierlens.datasets.examples import simulated_shop
    >>> shop = simulated_shop(customers=50, seed=1).tables
    >>> sorted(set(churn_outcomes(shop, ["2024-06-01"]).collect("pyarrow")["churn"].to_list()))
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
    >>> from tierlens.datasets.examples import simulated_shop
    >>> shop = simulated_shop(customers=50, seed=1).tables
    >>> spend_in_horizon(shop, ["2024-06-01"]).collect_schema().names()
    ['customer_id', 'cutoff', 'spend_in_horizon', 'bought']
    """
    window = window or Window()
    days = all_closed(tables, cutoffs, window)
    bought = tables.transactions.filter((nw.col("kind") == "purchase") & (nw.col("amount") > 0))
    happened = in_horizon(bought.select("customer_id", "day", "known_day", "amount"), days, window)
    summed = happened.group_by(*KEY).agg(nw.col("amount").sum().alias("spend_in_horizon"), nw.len().alias("bought"))
    rows = build_snapshots(tables, days, window, features=["frequency"]).select(*KEY)
    joined = rows.join(summed, on=list(KEY), how="left")
    whole = [nw.col(name).fill_null(0).cast(nw.Int64).alias(name) for name in ("spend_in_horizon", "bought")]
    return joined.select(*KEY, *whole)


def not_renewed(tables: Tables, cutoffs: Sequence[Cutoff], window: Window | None = None) -> Frame:
    """Say of each customer with a contract that ends in the horizon whether one of them was not renewed.

    Parameters
    ----------
    tables : Tables
        With ``contracts``.
    cutoffs : sequence of date, ISO text or day number
        Only such as have closed.
    window : Window, optional

    Returns
    -------
    lazy frame
        ``customer_id``, ``cutoff`` and ``not_renewed`` (int8): 1 where a contract known at the cutoff, whose last day
        lies in [cutoff + gap, cutoff + gap + horizon), was not renewed; 0 where all such were. Customers without such a
        contract are left out, and so are those of whom it is not decided yet: none was refused, one is open.

    Raises
    ------
    DataError
        ``E-RI-001`` when a horizon ends after the data.
    UsageError
        ``E-RI-005`` when there are no contracts.

    Examples
    --------
    >>> from tierlens.datasets.examples import simulated_shop
    >>> shop = simulated_shop(customers=80, seed=1).tables
    >>> sorted(set(not_renewed(shop, ["2024-06-01"]).collect("pyarrow")["not_renewed"].to_list()))
    [0, 1]
    """
    window = window or Window()
    if not tables.has("contracts"):
        raise UsageError(
            "E-RI-005",
            Text("renewal needs the table contracts, which is not there", "续约结果需要 contracts 表，但未提供"),
            fix=Text("add it to the source under 'tables'", "请在数据源的 tables 中添加该表"),
        )
    days = all_closed(tables, cutoffs, window)
    decided_by = nw.when(by_closing("outcome_day", window)).then(nw.col("renewed")).alias("renewed")
    running = at_cutoffs(tables.others["contracts"], days).select(*KEY, decided_by, nw.col("end_day").alias("day"))
    refused, undecided = nw.col("renewed") == nw.lit(False), nw.col("renewed").is_null()
    counted = running.filter(horizon_rows(window)).group_by(*KEY).agg(
        nw.when(refused).then(1).otherwise(0).sum().alias("refused"),
        nw.when(undecided).then(1).otherwise(0).sum().alias("undecided"),
    )  # fmt: skip
    decided = counted.filter((nw.col("refused") > 0) | (nw.col("undecided") == 0))
    return decided.select(*KEY, nw.when(nw.col("refused") > 0).then(1).otherwise(0).cast(nw.Int8).alias("not_renewed"))


def lost_outcomes(tables: Tables, cutoffs: Sequence[Cutoff], months: float, window: Window | None = None) -> Frame:
    """Say of each customer with a deal in the last ``months`` months whether, when the horizon is over, there is none.

    The stage rule of the documents, "lost: no deal in the last 3 months", looked at now and then.

    Parameters
    ----------
    tables : Tables
    cutoffs : sequence of date, ISO text or day number
        Only such as have closed.
    months : float
        Above 0; a month is 365/12 days.
    window : Window, optional

    Returns
    -------
    lazy frame
        ``customer_id``, ``cutoff`` and ``lost`` (int8): 1 where more than ``months`` months have passed since the last
        purchase at cutoff + gap + horizon, else 0. Who is lost at the cutoff already is left out.

    Raises
    ------
    DataError
        ``E-RI-001`` when a horizon ends after the data.
    UsageError
        ``E-RI-006`` when ``months`` is not above 0.

    Examples
    --------
    >>> from tierlens.datasets.examples import simulated_shop
    >>> shop = simulated_shop(customers=80, seed=1).tables
    >>> sorted(set(lost_outcomes(shop, ["2024-06-01"], months=3).collect("pyarrow")["lost"].to_list()))
    [0, 1]
    """
    window = window or Window()
    if not months > 0:
        raise UsageError(
            "E-RI-006",
            Text(f"{months} months cannot be looked back", f"无法回看 {months} 个月"),
            where="months",
            fix=Text("give a number above 0", "请给出大于0的数"),
        )
    days, wait, limit = all_closed(tables, cutoffs, window), window.gap + window.horizon, months * MONTH
    since = build_snapshots(tables, days, window, features=["recency_days"], everyone=True)
    stays = since.filter(nw.col("recency_days") <= limit).select(*KEY)
    ends = [day + wait for day in days]
    later = build_snapshots(tables, ends, window, features=["recency_days"], everyone=True).select(
        "customer_id", (nw.col("cutoff") - wait).cast(nw.Int32).alias("cutoff"), "recency_days"
    )
    gone = nw.when(nw.col("recency_days") > limit).then(1).otherwise(0).cast(nw.Int8).alias("lost")
    return stays.join(later, on=list(KEY), how="left").select(*KEY, gone)


def downgrade_outcomes(tier_ranks: Frame, cutoffs: Sequence[Cutoff], window: Window, lowest: int) -> Frame:
    """Say of each customer above the lowest tier whether the tier is lower once the horizon is over.

    Parameters
    ----------
    tier_ranks : lazy frame
        ``customer_id``, ``cutoff`` (int32) and ``tier_rank`` (1 the best; missing without a tier), at the cutoffs
        and at cutoff + gap + horizon, from replaying one scheme at both. Where there is a column ``is_unknown`` it
        says that the tier is missing for want of data, not by the scheme's own verdict.
    cutoffs : sequence of date, ISO text or day number
    window : Window
    lowest : int
        Rank of the lowest tier. Who has no row at the end has no purchase left in the window and counts as this.

    Returns
    -------
    lazy frame
        ``customer_id``, ``cutoff`` and ``downgrade`` (int8, 0 or 1). Who fits no tier at the end has fallen. Rows
        without a tier at the cutoff are left out, and so are those on the lowest tier, which cannot fall, and those
        whose tier at the end ``is_unknown``: whether it fell nobody knows.

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
    >>> found = downgrade_outcomes(ranks, [0], Window(horizon=90), lowest=4).sort("customer_id").collect("pyarrow")
    >>> found["downgrade"].to_list()
    [1, 0]
    """
    days = cutoff_days(cutoffs)
    wait = window.gap + window.horizon
    ends = set(tier_ranks.select("cutoff").unique().collect("pyarrow")["cutoff"].to_list())
    open_days = [day for day in days if day + wait not in ends]
    if open_days:
        raise _censored("E-RI-002", open_days, Text("grade them at the end of the horizon too", "请同时在窗口末评级"))
    now = tier_ranks.filter(nw.col("cutoff").is_in(days) & (nw.col("tier_rank") < lowest))
    is_told = "is_unknown" in tier_ranks.collect_schema().names()
    unknown = nw.col("is_unknown").fill_null(False) if is_told else nw.lit(False)
    later = tier_ranks.select(
        "customer_id",
        (nw.col("cutoff") - wait).cast(nw.Int32).alias("cutoff"),
        nw.col("tier_rank").alias("later_rank"),
        (nw.col("tier_rank").is_null() & unknown).alias("later_unknown"),
    )
    joined = now.join(later, on=list(KEY), how="left").filter(~nw.col("later_unknown").fill_null(False))
    fell = nw.col("later_rank").fill_null(lowest) > nw.col("tier_rank")
    return joined.select(*KEY, nw.when(fell).then(1).otherwise(0).cast(nw.Int8).alias("downgrade"))


def all_closed(tables: Tables, cutoffs: Sequence[Cutoff], window: Window) -> list[int]:
    """Return cutoffs as day numbers, all of whose outcomes are known.

    Raises
    ------
    DataError
        ``E-RI-001`` when the horizon of one ends after the data do.
    """
    closed, censored = closed_cutoffs(tables, cutoffs, window)
    if censored:
        reach = reach_of(tables)
        last, end = day_date(reach.last), day_date(reach.end)
        raise _censored("E-RI-001", censored, Text(
            f"the data end on {last}: set a cutoff of the run that is not after {end}, bring newer data, or say under "
            "source: complete_until up to which day they are complete",
            f"数据止于 {last}：请将运行文件的截止日设在 {end} 或更早，补充更新的数据，或在 source 下用 complete_until "
            "声明数据完整至哪一天",
        ))  # fmt: skip
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
