"""Grade made-up customers twice: neither the unit of money nor the number of copies may change a tier."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import narwhals as nw

from tierlens.grading.scheme.consistency import scheme_conditions
from tierlens.grading.scheme.grammar import Band
from tierlens.grading.scheme.parts import FeatureUse
from tierlens.grading.scheme.scheme import Scheme
from tierlens.grading.scoring import grade
from tierlens.sources.tables import Currency
from tierlens.words import Text

if TYPE_CHECKING:
    import pyarrow as pa

PEOPLE = 60


def probe_scheme(scheme: Scheme) -> Iterator[Text]:
    """Yield what should not change and did.

    Examples
    --------
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> list(probe_scheme(load_scheme("five_step")))
    []
    """
    table = probe_customers(scheme, 100)
    code = scheme.currency or "CNY"
    due = _tiers(table, scheme, Currency(code))
    finer = _tiers(probe_customers(scheme, 1000), scheme, Currency(code, minor=1000))
    if finer != due:
        yield Text("the unit of money changes tiers", "货币单位影响等级")
    twice = _tiers(table, scheme, Currency(code), copies=2)
    if twice != [tier for tier in due for _ in range(2)]:
        yield Text("counting every customer twice changes tiers", "客户重复计数影响等级")


def probe_customers(scheme: Scheme, minor: int) -> pa.Table:
    """Return customers whose values lie on and around every bound of a scheme, in a fixed pattern."""
    import pyarrow as pa

    columns = {"customer_id": [f"{n:03d}" for n in range(PEOPLE)], "cutoff": pa.array([0] * PEOPLE, pa.int32())}
    for place, (name, use) in enumerate(scheme.features.items()):
        values = list(_values(scheme, name, use, minor))
        # Steps that share no divisor with the length let columns meet in ever new combinations.
        columns[name] = pa.array(
            [values[(n * (2 * place + 1) + n // len(values)) % len(values)] for n in range(PEOPLE)]
        )
    return pa.table(columns)


def _values(scheme: Scheme, name: str, use: FeatureUse, minor: int) -> Iterator[Any]:
    if use.unit == "text":
        yield from ["?", *sorted({w for _, i in scheme.indicators if i.feature == name for w in i.ordinal or ()})]
        return
    if use.unit == "flag":
        yield from (True, False)
        return
    asked: list[Band] = [c for _, column, c in scheme_conditions(scheme) if column == name and c.of is None]
    asked += [c for _, i in scheme.indicators if i.feature == name for _, cuts in i.cut_tables() for c in cuts]
    edges = {edge[0] for band in asked for edge in (band.start, band.end) if edge is not None}
    for edge in sorted({*edges, Decimal(0), Decimal(1), Decimal(7)}):
        for shift in (-1, 0, 1):
            value = edge + shift
            if (use.at_least is None or value >= use.at_least) and (use.at_most is None or value <= use.at_most):
                yield int(value * minor) if use.unit == "money" else (int(value) if use.whole else float(value))


def _tiers(table: pa.Table, scheme: Scheme, currency: Currency, copies: int = 1) -> list[Any]:
    import duckdb
    import pyarrow as pa

    many = [table.set_column(0, "customer_id", _renamed(table, copy)) for copy in range(copies)]
    with duckdb.connect() as connection:
        features = nw.from_native(connection.from_arrow(pa.concat_tables(many)))
        graded = grade(features, scheme, currency).select("customer_id", "tier").collect("pyarrow").to_native()
    return list(graded.sort_by("customer_id")["tier"].to_pylist())


def _renamed(table: pa.Table, copy: int) -> Any:
    import pyarrow as pa

    return pa.array([f"{name}-{copy}" for name in table["customer_id"].to_pylist()])
