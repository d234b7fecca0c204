"""Every number of the simulated shop, each with its unit and the reason for it, in one frozen value.

All numbers are invented. They are chosen so that the five types differ visibly and so that what drives a customer away
shows, with noise, in orders, tickets, payments and surveys; nothing is estimated from real data, and nothing about real
customers follows from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, NamedTuple


def _is(default: Any, unit: str, reason: str) -> Any:
    """Return a field whose unit and reason stand beside its value."""
    return field(default=default, metadata={"unit": unit, "reason": reason})


@dataclass(frozen=True)
class CustomerType:
    """How customers of one type behave, on average; :func:`world_parameters` tells each unit and reason.

    Examples
    --------
    >>> TYPES["steady"].hazard
    0.012
    """

    name: str = _is("steady", "text", "the truth names it")
    share: float = _is(0.2, "share of customers", "few large customers, many small ones")
    orders: float = _is(1.0, "orders a month at first", "large customers order weekly, small ones now and then")
    hazard: float = _is(0.02, "probability to leave in a month", "the larger the customer, the longer it stays")
    growth: float = _is(1.0, "factor of the order rate a month", "one type grows, the others hold or shrink")
    season: float = _is(1.0, "times the season's swing", "one type buys for a season, the others hardly notice it")
    lines: float = _is(3.0, "lines an order, at least 1", "the larger the customer, the wider its range")
    quantity: float = _is(10.0, "pieces a line", "the larger the customer, the larger its lots")
    contract: float = _is(0.5, "share with yearly contracts", "contracts are for those who buy regularly")
    employees: float = _is(100.0, "median of the customer's employees", "the documented bounds 500, 1000 are crossed")
    contacts: float = _is(1.0, "visits, calls and mails a month", "sales people go where the orders are")


TYPES = {
    kind.name: kind
    for kind in (
        CustomerType("key account", 0.08, 4.0, 0.004, 1.005, 0.6, 6.0, 24.0, 0.9, 900.0, 4.0),
        CustomerType("steady", 0.32, 1.4, 0.012, 1.000, 0.8, 3.5, 10.0, 0.6, 220.0, 1.2),
        CustomerType("growing", 0.15, 0.7, 0.015, 1.035, 0.7, 3.0, 8.0, 0.5, 120.0, 1.5),
        CustomerType("seasonal", 0.20, 0.8, 0.025, 0.998, 3.0, 4.0, 12.0, 0.2, 80.0, 0.6),
        CustomerType("occasional", 0.25, 0.35, 0.050, 0.985, 0.8, 2.0, 5.0, 0.0, 40.0, 0.25),
    )
}
SEASON = (0.80, 0.70, 1.05, 1.10, 1.05, 0.95, 0.85, 0.85, 1.10, 1.20, 1.30, 1.05)
REGIONS = ("华北", "华东", "华南", "西南", "东北", "西北")


@dataclass(frozen=True)
class Shock:
    """Something that happens on a known day to known customers: their health falls and recovers in time.

    Examples
    --------
    >>> [shock.name for shock in SHOCKS]
    ['price rise', 'service failure']
    """

    name: str = _is("price rise", "text", "the truth names it")
    day: str = _is("2024-03-01", "ISO date", "outside the months simulated it does not happen")
    share: float = _is(0.25, "share (0-1) of those reached", "others are spared, so that both can be compared")
    regions: tuple[str, ...] = _is((), "regions reached; none: all", "a depot fails a region, a price all")
    drop: float = _is(1.6, "units of health lost", "times the log hazard: leaving about 4 times as likely at first")
    half_life: float = _is(120.0, "days until half is recovered", "long enough to show in a horizon of 90 days")
    price: float = _is(1.0, "factor of prices from that day on", "1 leaves them as they are")
    complaints: float = _is(0.0, "complaints expected in the 21 days from then", "failures are heard of, prices less")


SHOCKS = (
    Shock("price rise", "2024-03-01", 0.25, (), 1.6, 120.0, 1.08, 0.1),
    Shock("service failure", "2024-10-21", 0.60, ("华南", "西南"), 2.0, 60.0, 1.0, 0.9),
)


@dataclass(frozen=True)
class Health:
    """Latent health: one value a month for each customer, mean 0 and spread 1 over customers, higher is better."""

    persistence: float = _is(0.9, "correlation from month to month", "slow: half of a bad spell is over in 6.6 months")
    leaving: float = _is(0.9, "fall of the log hazard a unit", "one unit down makes leaving 2.5 times as likely")
    ordering: float = _is(0.35, "log order rate a unit", "orders thin out before a customer leaves, not sharply")
    complaining: float = _is(0.6, "fall of the log complaint rate a unit", "the unhappy complain, some stay silent")
    paying: float = _is(0.8, "fall of the log odds to pay late a unit", "payments slip as the relation does")
    answering: float = _is(0.7, "spreads of an answer a unit", "the rest of an answer is person and mood")
    meeting: float = _is(0.2, "log contact rate a unit", "doors close slowly")


@dataclass(frozen=True)
class Customers:
    """Who the customers are, apart from their type."""

    old: float = _is(0.6, "share there before the first day", "a shop does not begin with its data")
    oldest: float = _is(6.0, "years before the first day", "the shop itself is that old")
    arriving: float = _is(0.75, "share of the time in which the others come", "most have some history at the end")
    pace_shape: float = _is(3.0, "shape of a gamma of mean 1", "order rates within a type spread by a factor of 3")
    hazard_shape: float = _is(4.0, "shape of a gamma of mean 1", "hazards within a type spread by a factor of 2")
    size_spread: float = _is(0.7, "standard deviation of log employees", "types overlap in size")
    contactable: float = _is(0.7, "share that agreed to be contacted", "lists must leave some out")
    unknown: float = _is(0.05, "share of each attribute not known", "no customer file is complete")


@dataclass(frozen=True)
class Trade:
    """What an order is made of."""

    products: int = _is(240, "products on sale", "the core range of a wholesaler")
    log_price: float = _is(8.7, "mean log price in minor units", "about 60 CNY: key accounts reach 1,000,000 a year")
    price_spread: float = _is(0.9, "standard deviation of the log price", "cheapest to dearest about 1 to 100")
    range_step: float = _is(0.3, "parameter of a geometric", "a customer keeps to neighbouring products, mostly")
    lot_shape: float = _is(2.0, "shape of a gamma of mean 1", "lots within a type spread by a factor of 3")
    returned: float = _is(0.03, "share of lines", "of each, a part comes back")
    return_days: int = _is(30, "days, at most", "the usual right of return between companies")
    growth_limit: float = _is(3.0, "times the first order rate", "growth ends")
    season_floor: float = _is(0.02, "least factor of a month", "nobody stops altogether")


@dataclass(frozen=True)
class Service:
    """Tickets, contacts and surveys."""

    enquiries: float = _is(0.25, "enquiries an order", "more goods, more questions")
    custom: float = _is(0.06, "custom requests an order", "who buys more asks for more of its own")
    complaints: float = _is(0.04, "complaints a month at health 0", "most months pass without one")
    major: float = _is(0.12, "share of complaints that are major", "rare enough to be a trigger")
    rated: float = _is(0.6, "share of tickets that are rated", "not everybody answers")
    surveys: float = _is(0.15, "surveys answered a month", "about two a year")
    contact_mix: tuple[float, ...] = _is((0.2, 0.45, 0.35), "shares of visit, call, mail", "visits are dear")


@dataclass(frozen=True)
class Credit:
    """Contracts, payments and ratings."""

    terms: tuple[int, ...] = _is((30, 60, 90), "days to pay", "usual terms between companies")
    late: float = _is(-1.6, "log odds to pay late at health 0", "about one invoice in six")
    habit: float = _is(1.2, "spread of the customers' own log odds", "past lateness tells most of the next")
    delay: float = _is(18.0, "mean days late", "reminders go out after two weeks")
    renewed: float = _is(3.0, "log odds to renew at health 0 while a customer", "few refuse and still buy")
    fulfilment: float = _is(0.92, "share of the agreed value at health 0", "agreements are optimistic")
    rating_days: int = _is(365, "days between ratings", "companies are rated once a year")


@dataclass(frozen=True)
class Late:
    """Rows that were recorded after they happened."""

    share: float = _is(0.02, "share of rows", "few, as in most systems, but enough to find a leak")
    delay: float = _is(9.0, "mean days, each at least 1", "paper comes in within the week or at the month's end")


@dataclass(frozen=True)
class World:
    """All parameters of the shop, invented, none estimated from real data.

    Parameters
    ----------
    first_day : str
        ISO date of the first day, the first of a month.
    season : tuple of float
        Share of orders by calendar month, January first, 1 on average.
    regions : tuple of str
        Equally many customers in each.
    types : tuple of CustomerType
    shocks : tuple of Shock
    customers, health, trade, service, credit, late
        See the classes; :func:`world_parameters` lists every value with unit and reason.

    Examples
    --------
    >>> calm = World(shocks=())
    >>> next(row for row in world_parameters(calm) if row.name == "health.persistence")
    Parameter(name='health.persistence', value=0.9, unit='correlation from month to month',
        reason='slow: half of a bad spell is over in 6.6 months')
    """

    first_day: str = _is("2023-01-01", "ISO date", "three years up to 2026")
    season: tuple[float, ...] = _is(SEASON, "factor of orders, January first", "a spring and a stronger autumn season")
    regions: tuple[str, ...] = _is(REGIONS, "names", "a shock can reach some and spare others")
    types: tuple[CustomerType, ...] = tuple(TYPES.values())
    shocks: tuple[Shock, ...] = SHOCKS
    customers: Customers = Customers()
    health: Health = Health()
    trade: Trade = Trade()
    service: Service = Service()
    credit: Credit = Credit()
    late: Late = Late()


WORLD = World()
"""The world as it is where nothing else is asked for."""


class Parameter(NamedTuple):
    """One number of the world.

    Parameters
    ----------
    name : str
        Path from :class:`World`, for example ``types.steady.hazard``.
    value : object
    unit : str
    reason : str
    """

    name: str
    value: object
    unit: str
    reason: str


def world_parameters(world: World | None = None) -> list[Parameter]:
    """List every number of a world with its unit and the reason for it.

    Examples
    --------
    >>> [row.value for row in world_parameters() if row.name == "types.steady.hazard"]
    [0.012]
    """
    return list(_listed(world or WORLD, ""))


def _listed(value: Any, path: str) -> Iterator[Parameter]:
    for each in fields(value):
        inner = getattr(value, each.name)
        if is_dataclass(inner):
            yield from _listed(inner, f"{path}{each.name}.")
        elif each.metadata:
            yield Parameter(path + each.name, inner, each.metadata["unit"], each.metadata["reason"])
        else:
            for one in inner:
                yield from _listed(one, f"{path}{each.name}.{one.name}.")
