"""The seasonal clock: time told by how many orders the whole shop takes, so that December runs faster than January.

In that time a steady customer is steady the year round. The length of a horizon that has not come yet is taken from the
same days of last year. MBG/NBD in seasonal time gives ``sea_p0``, the probability of no purchase in the horizon.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tierlens.features.btyd import BuyTillDie, GammaGamma, Histories, fit_btyd, fit_gamma_gamma
from tierlens.features.snapshot import KEY, build_snapshots, order_totals, to_arrow
from tierlens.features.windows import YEAR, Cutoff, Window, at_cutoffs, cutoff_days, in_horizon, reach_of
from tierlens.sources.tables import Tables

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SMOOTH = 28
"""Days of the moving mean: four whole weeks, so that weekdays cancel."""
RECENT = 56
"""Days whose pace stands for the horizon while the shop has no last year."""
GROWTH = 91
"""Growth measured on m days counts as m / (m + GROWTH): little is known from a few weeks."""

EXPECTATIONS = ("btyd_p0", "btyd_expected", "mbg_p0", "sea_p0", "sea_expected", "sea_recency")
"""Columns of ``expectations`` that models read. P(alive) is none of them: it ranks one-time buyers first."""


@dataclass(frozen=True)
class Clock:
    """Seasonal time up to a cutoff: as many units as days, of unequal length.

    Parameters
    ----------
    first_day : int
        Day number at which time is 0.
    pace : array of float, shape (days,)
        Seasonal time that passes on each day from ``first_day`` to the day before the cutoff; mean 1.

    Examples
    --------
    >>> slow = seasonal_clock(np.array([1.0] * 56 + [3.0] * 56), first_day=0)
    >>> slow.at(np.array([0, 56, 112])).round(0)
    array([  0.,  31., 112.])
    """

    first_day: int
    pace: Floats

    def at(self, days: npt.ArrayLike) -> Floats:
        """Return the seasonal time at the start of days from the first one to the cutoff."""
        passed = np.append(0.0, np.cumsum(self.pace))
        found: Floats = passed[np.asarray(days, dtype=np.int64) - self.first_day]
        return found

    def ahead(self, days: int, skip: int = 0) -> float:
        """Return the seasonal length of the ``days`` days that follow ``skip`` days after the cutoff.

        They are taken to run as last year, with part of the growth since. Before a year is known, the pace of the
        latest eight weeks stands in.
        """
        known = len(self.pace)
        start = known - YEAR + skip
        if start < 0 or start + days > known or not days:
            return float(self.pace[-RECENT:].mean()) * days
        return max(float(self.pace[start : start + days].mean()) * self._growth(), 0.05) * days

    def _growth(self) -> float:
        """Pace of the latest days over that of the same days last year, damped as it is known from few of them."""
        known = len(self.pace)
        days = min(known - YEAR, GROWTH)
        before = float(self.pace[known - YEAR - days : known - YEAR].mean()) if days >= SMOOTH else 0.0
        if before <= 0.0:
            return 1.0
        return float((self.pace[-days:].mean() / before) ** (days / (days + GROWTH)))


def seasonal_clock(daily: Floats, first_day: int) -> Clock:
    """Turn daily numbers of orders into a clock by a centred moving mean of 28 days.

    Parameters
    ----------
    daily : array of float, shape (days,)
        Orders on each day from ``first_day`` to the day before the cutoff; days without trade are 0.
    first_day : int

    Returns
    -------
    Clock
        At the ends of the range the mean is over the days that are there.
    """
    box = np.ones(min(SMOOTH, len(daily)))
    smooth = np.convolve(daily, box, "same")[: len(daily)] / np.convolve(np.ones(len(daily)), box, "same")[: len(daily)]
    return Clock(first_day, smooth / smooth.mean() if smooth.mean() > 0 else np.ones(len(daily)))


def _clocks(tables: Tables, days: Sequence[int], window: Window) -> tuple[dict[int, Clock], dict[int, float]]:
    """Return the clock of each cutoff, and the seasonal length that its horizon had, as recorded by its end."""
    daily = order_totals(tables).filter(nw.col("buys") > 0).group_by("day", "known_day").agg(nw.len().alias("n"))
    before = at_cutoffs(daily, days).select("cutoff", "day", "n").collect("pyarrow").to_native()
    cutoff, day, count = (np.asarray(before[name]).astype(np.int64) for name in ("cutoff", "day", "n"))
    later = in_horizon(daily, days, window).group_by("cutoff").agg(nw.col("n").sum().cast(nw.Int64))
    sums = later.collect("pyarrow").to_native()
    happened = dict(zip(sums["cutoff"].to_pylist(), sums["n"].to_pylist(), strict=True))
    clocks, lengths = {}, {}
    for moment in days:
        here = cutoff == moment
        first = int(day[here].min()) if here.any() else moment - 1
        series = np.bincount(day[here] - first, weights=count[here], minlength=moment - first).astype(np.float64)
        clocks[moment] = seasonal_clock(series, first)
        lengths[moment] = happened.get(moment, 0) / max(float(series.mean()), 1e-9)
    return clocks, lengths


@dataclass(frozen=True)
class _Moment:
    """Customers at one cutoff: first and last purchase day, repeat purchase days, spend, and who is asked about."""

    cutoff: int
    first: Ints
    last: Ints
    repeats: Floats
    spend: Floats
    asked: npt.NDArray[np.bool_]

    def histories(self, clock: Clock | None = None) -> Histories:
        """In days, or in the time of a clock."""
        tell = clock.at if clock else _plain
        first, last, now = tell(self.first), tell(self.last), float(tell(np.array([self.cutoff]))[0])
        return Histories(self.repeats, np.maximum(last - first, 0.0), np.maximum(now - first, 1e-6))

    def rows(self, known: Histories) -> Histories:
        """Only those asked about."""
        return Histories(known.x[self.asked], known.t_x[self.asked], known.T[self.asked])


def _plain(days: npt.ArrayLike) -> Floats:
    return np.asarray(days, dtype=np.float64)


def _moments(tables: Tables, days: Sequence[int], window: Window) -> tuple[pa.Table, list[_Moment]]:
    names = ["recency_days", "tenure_days", "repeat_days", "spend_ever", "frequency"]
    table = to_arrow(
        build_snapshots(tables, days, window, features=names, everyone=True).filter(~nw.col("tenure_days").is_null())
    )
    asked = np.asarray(table["frequency"]) > 0
    cutoff = np.asarray(table["cutoff"]).astype(np.int64)
    first, last = (cutoff - np.asarray(table[name]).astype(np.int64) for name in ("tenure_days", "recency_days"))
    repeats, spend = (np.asarray(table[name]).astype(np.float64) for name in ("repeat_days", "spend_ever"))
    found = []
    for moment in days:
        here = cutoff == moment
        if here.any():
            found.append(_Moment(moment, first[here], last[here], repeats[here], spend[here], asked[here]))
    return table.filter(pa.array(asked)).select(list(KEY)), found


def seasonal_expectations(
    tables: Tables,
    cutoffs: Sequence[Cutoff] | Cutoff,
    window: Window | None = None,
    *,
    names: Sequence[str] = EXPECTATIONS,
) -> pa.Table:
    """Say what each customer's own rhythm leads one to expect of the horizon, learned afresh at every cutoff.

    The parameters are learned without outcomes from all customers known at the cutoff; a customer's values therefore
    depend on the others too, though on nothing at or after the cutoff.

    Parameters
    ----------
    tables : Tables
    cutoffs : sequence of date, ISO text or day number
    window : Window, optional
    names : sequence of str
        Features of :data:`tierlens.features.expected.EXPECTED`, which says what each is; default: those of models.

    Returns
    -------
    pyarrow.Table
        The rows of ``snapshots``, sorted by (cutoff, customer_id): ``customer_id``, ``cutoff``, and the features named,
        as float64, never missing.

    Examples
    --------
    >>> from tierlens.datasets.examples import simulated_shop
    >>> shop = simulated_shop(customers=80, seed=1).tables
    >>> found = seasonal_expectations(shop, ["2024-06-01"], names=["btyd_p0", "spend_expected"])
    >>> found.column_names[2:]
    ['btyd_p0', 'spend_expected']
    """
    window = window or Window()
    days = cutoff_days(cutoffs)
    table, moments = _moments(tables, days, window)
    clocks, _ = _clocks(tables, days, window)
    fits = [_Fits(moment, clocks[moment.cutoff], window) for moment in moments]
    for name in names:
        blocks = [COLUMNS[name](fit) for fit in fits]
        table = table.append_column(name, pa.array(np.concatenate(blocks) if blocks else np.empty(0)))
    return table


class _Fits:
    """Models of one cutoff, each fitted when a column first asks for it."""

    def __init__(self, moment: _Moment, clock: Clock, window: Window) -> None:
        self.moment = moment
        self.plain, self.sea = moment.histories(), moment.histories(clock)
        self.here, self.there = moment.rows(self.plain), moment.rows(self.sea)
        self.gap, self.days = float(window.gap), float(window.horizon)
        self.pause, self.length = clock.ahead(window.gap), clock.ahead(window.horizon, window.gap)

    @cached_property
    def simple(self) -> BuyTillDie:
        return fit_btyd(self.plain)

    @cached_property
    def early(self) -> BuyTillDie:
        return fit_btyd(self.plain, modified=True)

    @cached_property
    def season(self) -> BuyTillDie:
        return fit_btyd(self.sea, modified=True)

    @cached_property
    def expected(self) -> Floats:
        """Purchase days in the horizon by BG/NBD."""
        return _between(self.simple, self.here, self.gap, self.days)

    @cached_property
    def value(self) -> Floats:
        """Spend of a purchase day; the customer's own mean where the model's has no end."""
        count, model = self.moment.repeats + 1.0, self.worth
        mean = self.moment.spend / count
        bounded = model.p * count + model.q > 1.0 + 1e-9
        found = np.where(bounded, model.expected(np.where(bounded, count, count.max(initial=1.0) + 1e9), mean), mean)
        return found[self.moment.asked]

    @cached_property
    def worth(self) -> GammaGamma:
        """What purchase days are worth, learned from all customers of the moment."""
        count = self.moment.repeats + 1.0
        return fit_gamma_gamma(count, self.moment.spend / count)


COLUMNS: dict[str, Callable[[_Fits], Floats]] = {
    "btyd_p0": lambda fits: fits.simple.none(fits.here, fits.days, fits.gap),
    "mbg_p0": lambda fits: fits.early.none(fits.here, fits.days, fits.gap),
    "sea_p0": lambda fits: fits.season.none(fits.there, fits.length, fits.pause),
    "btyd_expected": lambda fits: fits.expected,
    "mbg_expected": lambda fits: _between(fits.early, fits.here, fits.gap, fits.days),
    "sea_expected": lambda fits: _between(fits.season, fits.there, fits.pause, fits.length),
    "sea_recency": lambda fits: fits.there.T - fits.there.t_x,
    "day_value_expected": lambda fits: fits.value,
    "spend_expected": lambda fits: fits.expected * fits.value,
}
"""How each expectation is worked out."""


HISTORY = ("recency_days", "tenure_days", "repeat_days", "spend_ever")
"""Features of a customer that :class:`Rhythm` reads."""


@dataclass(frozen=True)
class Rhythm:
    """What the customers of one cutoff taught, ready to be told of customers a batch at a time, on any machine.

    Parameters
    ----------
    cutoff : int
    clock : Clock
    fits : object
        Fitted models of the cutoff.
    """

    cutoff: int
    clock: Clock
    fits: _Fits

    def tell(self, rows: pa.Table | pa.RecordBatch, names: Sequence[str] = EXPECTATIONS) -> dict[str, Floats]:
        """Return expectations of rows that hold ``HISTORY``, in their order: those of :func:`seasonal_expectations`."""
        recency, tenure, repeats, spend = (np.asarray(rows[name]).astype(np.float64) for name in HISTORY)
        first, last = (self.cutoff - days.astype(np.int64) for days in (tenure, recency))
        asked = np.ones(len(first), dtype=bool)
        moment = _Moment(self.cutoff, first, last, repeats, spend, asked)
        batch = copy(self.fits)
        for told in ("expected", "value"):
            batch.__dict__.pop(told, None)
        batch.moment, batch.here, batch.there = moment, moment.histories(), moment.histories(self.clock)
        return {name: COLUMNS[name](batch) for name in names}

    def none(self, recency: Floats, repeats: Floats, tenure: Floats, *, in_season: bool = True) -> Floats:
        """Return the chance of no purchase in the horizon, ``sea_p0``, of any recency, repeat days and tenure.

        Parameters
        ----------
        recency, repeats, tenure : array of float, shape (n,)
            Whole days; a recency beyond the tenure counts as the tenure.
        in_season : bool
            Whether days have the length that the season gives them; else all are alike.
        """
        first, last = (self.cutoff - days.astype(np.int64) for days in (tenure, np.minimum(recency, tenure)))
        moment = _Moment(self.cutoff, first, last, repeats, np.zeros(len(first)), np.ones(len(first), dtype=bool))
        fits, known = self.fits, moment.histories(self.clock if in_season else None)
        ahead = (fits.length, fits.pause) if in_season else (fits.days, fits.gap)
        return fits.season.none(known, *ahead)


def learn_rhythm(
    tables: Tables, cutoff: Cutoff, window: Window | None = None, names: Sequence[str] = tuple(COLUMNS)
) -> Rhythm:
    """Learn what :func:`seasonal_expectations` learns at one cutoff, and keep what the named columns need.

    Examples
    --------
    >>> from tierlens.datasets.examples import simulated_shop
    >>> shop = simulated_shop(customers=80, seed=1).tables
    >>> rhythm = learn_rhythm(shop, "2024-06-01")
    >>> rows = to_arrow(build_snapshots(shop, "2024-06-01", features=HISTORY))
    >>> bool(np.allclose(rhythm.tell(rows)["sea_p0"], seasonal_expectations(shop, "2024-06-01")["sea_p0"], atol=1e-12))
    True
    """
    window = window or Window()
    (day,) = cutoff_days(cutoff)
    _, (moment,) = _moments(tables, [day], window)
    clock = _clocks(tables, [day], window)[0][day]
    fits = _Fits(moment, clock, window)
    for name in names:
        COLUMNS[name](fits)
    # What was learned is kept; of whom, is not.
    days, none = np.empty(0, dtype=np.int64), np.empty(0)
    fits.moment = _Moment(day, days, days, none, none, np.empty(0, dtype=bool))
    fits.plain = fits.sea = fits.here = fits.there = Histories(none, none, none)
    for told in ("expected", "value"):
        fits.__dict__.pop(told, None)
    return Rhythm(day, clock, fits)


def _between(model: BuyTillDie, known: Histories, gap: float, horizon: float) -> Floats:
    whole = model.expected(known, gap + horizon)
    return whole - model.expected(known, gap) if gap else whole


def season_table(tables: Tables, cutoffs: Sequence[Cutoff] | Cutoff, window: Window | None = None) -> pa.Table:
    """Compare, cutoff by cutoff, the mean seasonal expectation with the one that the horizon's true volume gives.

    Where a horizon has closed, its volume of orders is known, and what is left between ``known_p0`` and the rate of
    churn is the model's own bias. A forecast of the base rate is the next cutoff's ``mean_p0`` corrected by it.

    Returns
    -------
    pyarrow.Table
        ``cutoff`` (int32), ``mean_p0``, ``known_p0`` (missing while a horizon is open); a cutoff with customers only.

    Examples
    --------
    >>> from tierlens.datasets.examples import simulated_shop
    >>> shop = simulated_shop(customers=80, seed=1).tables
    >>> season_table(shop, ["2024-06-01", "2025-11-15"])["known_p0"].null_count
    1
    """
    window = window or Window()
    days = cutoff_days(cutoffs)
    end = reach_of(tables).end
    _, moments = _moments(tables, days, window)
    clocks, lengths = _clocks(tables, days, window)
    rows: list[dict[str, float | int | None]] = []
    for moment in (moment for moment in moments if moment.asked.any()):
        clock = clocks[moment.cutoff]
        known = moment.histories(clock)
        model, asked = fit_btyd(known, modified=True), moment.rows(known)
        pause = clock.ahead(window.gap)
        guess = float(model.none(asked, clock.ahead(window.horizon, window.gap), pause).mean())
        closed = window.closes(moment.cutoff) <= end
        known_p0 = float(model.none(asked, lengths[moment.cutoff], pause).mean()) if closed else None
        rows.append({"cutoff": moment.cutoff, "mean_p0": guess, "known_p0": known_p0})
    schema = pa.schema([("cutoff", pa.int32()), ("mean_p0", pa.float64()), ("known_p0", pa.float64())])
    return pa.Table.from_pylist(rows, schema=schema)
