"""What all tables share: ids, words, answers, late recording, and columns in the form of their contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tierlens.datasets.simulate.grid import Flags, Floats, Grid, Ints
from tierlens.datasets.simulate.world import Late
from tierlens.sources.declared.contracts import CONTRACTS

TRANSACTIONS: dict[str, pa.DataType] = {
    "customer_id": pa.string(),
    "order_id": pa.string(),
    "day": pa.int32(),
    "known_day": pa.int32(),
    "amount": pa.int64(),
    "kind": pa.string(),
    "product_id": pa.string(),
    "quantity": pa.float64(),
    "time": pa.timestamp("us"),
}
_TYPES = {"string": pa.string(), "int32": pa.int32(), "int64": pa.int64(), "double": pa.float64(), "bool": pa.bool_()}


def schema_of(table: str) -> pa.Schema:
    """Return the Arrow schema of a settled table.

    Examples
    --------
    >>> schema_of("interactions").names
    ['customer_id', 'interaction_id', 'day', 'kind', 'known_day']
    """
    if table == "transactions":
        return pa.schema(TRANSACTIONS)
    return pa.schema({name: _TYPES[kind] for name, kind in CONTRACTS[table].schema.items()})


def as_settled_table(table: str, columns: Mapping[str, Any]) -> pa.Table:
    """Return columns as a settled table, in the order and types of its contract.

    Texts that repeat stay dictionaries, which is what makes writing them fast.

    Parameters
    ----------
    table : str
        Name of the contract.
    columns : mapping of str to array
        NumPy or Arrow arrays, all of the contract's columns.
    """
    arrays = {}
    for name, kind in zip(schema_of(table).names, schema_of(table).types, strict=True):
        column = columns[name]
        array = column if isinstance(column, pa.Array | pa.ChunkedArray) else pa.array(column)
        arrays[name] = array if pa.types.is_dictionary(array.type) else array.cast(kind)
    return pa.table(arrays)


def numbered_ids(letter: str, numbers: Ints, digits: int = 7) -> pa.Array:
    """Return ids such as ``K0000012``.

    Examples
    --------
    >>> numbered_ids("K", np.array([12])).to_pylist()
    ['K0000012']
    """
    return pc.binary_join_element_wise(letter, pc.utf8_lpad(pa.array(numbers).cast(pa.string()), digits, "0"), "")


def event_numbers(first: int, customer: Ints) -> Ints:
    """Return numbers of events that are sorted by customer: the customer's, and five digits for its own count.

    Examples
    --------
    >>> event_numbers(4_000, np.array([0, 0, 2])).tolist()
    [400000000, 400000001, 400200000]
    """
    fresh = np.ones(len(customer), np.bool_)
    fresh[1:] = customer[1:] != customer[:-1]
    place = np.arange(len(customer))
    nth = place - np.maximum.accumulate(np.where(fresh, place, 0))
    return (customer + first) * 100_000 + nth


def event_ids(letter: str, first: int, customer: Ints) -> pa.Array:
    """Return :func:`event_numbers` as ids of a letter and 12 digits."""
    return numbered_ids(letter, event_numbers(first, customer), 12)


def texts_by_place(values: pa.Array | Sequence[str], codes: Ints, missing: Flags | None = None) -> pa.Array:
    """Return texts by their place in a list; null where ``missing``."""
    indices = pa.array(codes.astype(np.int32), mask=missing)
    return pa.DictionaryArray.from_arrays(indices, values if isinstance(values, pa.Array) else pa.array(list(values)))


def with_nulls(values: Any, missing: Flags) -> pa.Array:
    """Return values with nulls."""
    return pa.array(values, mask=missing)


def recording_days(rng: np.random.Generator, day: Ints, late: Late) -> Ints:
    """Return from which day each row was known: mostly its own, for some later."""
    delayed = rng.random(len(day)) < late.share
    known = day.copy()
    known[delayed] += rng.geometric(1 / late.delay, int(delayed.sum()))
    return known


def mood_on(healths: Floats, periods: Grid, customer: Ints, day: Ints) -> Floats:
    """Return the health of customers on given days within the periods."""
    period = np.searchsorted(periods.bounds, day, "right") - 1
    return healths[customer, np.clip(period, 0, healths.shape[1] - 1)]


def draw_answers(rng: np.random.Generator, mood: Floats, weight: float) -> Floats:
    """Return what customers say: their health with weight, and noise; mean 0, spread 1 over healths of that kind."""
    said: Floats = weight * mood + np.sqrt(1 - weight**2) * rng.standard_normal(len(mood))
    return said


def as_stars(said: Floats, centre: float = 3.5) -> Floats:
    """Return answers as whole points, 1 to 5.

    Examples
    --------
    >>> as_stars(np.array([-9.0, 0.2, 9.0])).tolist()
    [1.0, 4.0, 5.0]
    """
    return np.clip(np.round(centre + said), 1, 5)


def by_customer(customer: Ints, day: Ints, kept: Flags) -> Ints:
    """Return the places of the kept events, by customer and day."""
    places = np.flatnonzero(kept)
    return places[np.lexsort((places, day[places], customer[places]))]
