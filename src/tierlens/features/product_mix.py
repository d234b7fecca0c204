"""What a customer buys, in a few numbers: where he stands on the main axes along which baskets of products differ.

The axes are the leading singular vectors of customers x products, each customer's products weighted by how rare they
are and scaled to length 1. They are learned once, up to a stated cutoff, and kept with the model: an axis keeps its
meaning.

Source: Deerwester and others (1990), Indexing by latent semantic analysis, for documents and words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tierlens.features.snapshot import KEY, build_snapshots, to_arrow
from tierlens.features.windows import Cutoff, Window, at_cutoffs, cutoff_days, trailing_rows
from tierlens.sources.tables import Tables

Floats = npt.NDArray[np.float64]

FEWEST = 5
"""Buyers below which a product is left out."""
PRODUCTS = 5_000
"""Products with the most buyers that are kept."""
CUSTOMERS = 50_000
"""Customers that axes are learned from, evenly drawn from the sorted list."""


@dataclass(frozen=True)
class MixAxes:
    """Axes of the product mix.

    Parameters
    ----------
    products : tuple of str, length p
        In alphabetical order.
    rarity : array of float, shape (p,)
        Logarithm of customers over buyers.
    axes : array of float, shape (p, k)
        Orthonormal columns, the most telling first; the entry furthest from 0 in each is positive.
    """

    products: tuple[str, ...]
    rarity: Floats
    axes: Floats

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features: ``mix_1`` to ``mix_k``."""
        return tuple(f"mix_{number + 1}" for number in range(self.axes.shape[1]))


def _bought(tables: Tables, days: Sequence[int], window: Window) -> pa.Table:
    """Distinct (cutoff, customer_id, product_id) of purchases in the observed window, in order."""
    lines = tables.transactions.filter((nw.col("kind") == "purchase") & ~nw.col("product_id").is_null())
    daily = lines.select("customer_id", "product_id", "day", "known_day").unique()
    seen = at_cutoffs(daily, days).filter(trailing_rows(window.observe)).select(*KEY, "product_id").unique()
    table: pa.Table = seen.collect("pyarrow").to_native()
    return table.sort_by([(name, "ascending") for name in ("cutoff", "customer_id", "product_id")])


def _codes(column: Any) -> tuple[npt.NDArray[np.int64], list[str]]:
    coded = column.combine_chunks().dictionary_encode()
    values = coded.dictionary.to_pylist()
    order = np.argsort(np.array(values, dtype=object), kind="stable") if values else np.array([], dtype=np.int64)
    place = np.empty(len(values), dtype=np.int64)
    place[order] = np.arange(len(values))
    return place[np.asarray(coded.indices, dtype=np.int64)], [values[at] for at in order]


def learn_mix(
    tables: Tables, cutoff: Cutoff, window: Window | None = None, *, factors: int = 16, seed: int = 0
) -> MixAxes:
    """Learn the axes of the product mix from what was bought in the window before a cutoff.

    Parameters
    ----------
    tables : Tables
    cutoff : date, ISO text or day number
        Nothing at or after it is read.
    window : Window, optional
        Only ``observe`` is used.
    factors : int
        Number of axes; fewer where there are too few products or customers, none without products.
    seed : int
        Of the random start of the decomposition.

    Returns
    -------
    MixAxes

    Examples
    --------
    >>> from tierlens.datasets.examples import simulated_shop
    >>> shop = simulated_shop(customers=80, seed=1).tables
    >>> learn_mix(shop, "2024-06-01", factors=3).names
    ('mix_1', 'mix_2', 'mix_3')
    """
    from scipy import sparse
    from sklearn.utils.extmath import randomized_svd

    table = _bought(tables, cutoff_days(cutoff), window or Window())
    rows, customers = _codes(table["customer_id"])
    columns, products = _codes(table["product_id"])
    step = max(len(customers) // CUSTOMERS, 1)
    kept = rows % step == 0
    rows, columns = rows[kept] // step, columns[kept]
    count = len(customers[::step])
    buyers = np.bincount(columns, minlength=len(products))
    chosen = np.sort(np.argsort(-buyers, kind="stable")[:PRODUCTS])
    chosen = chosen[buyers[chosen] >= FEWEST]
    rarity = np.log(max(count, 1) / buyers[chosen])
    k = min(factors, len(chosen) - 1, count - 1)
    if k < 1:
        return MixAxes((), np.empty(0), np.empty((0, 0)))
    place = np.full(len(products), -1)
    place[chosen] = np.arange(len(chosen))
    known = place[columns] >= 0
    matrix = sparse.csr_matrix(
        (rarity[place[columns[known]]], (rows[known], place[columns[known]])), shape=(count, len(chosen))
    )
    axes = np.asarray(randomized_svd(_unit(matrix), k, random_state=seed)[2]).T
    sign = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(k)])
    return MixAxes(tuple(products[at] for at in chosen), rarity, axes * sign)


def _unit(matrix: Any) -> Any:
    from scipy import sparse

    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.diags_array(1.0 / np.where(length > 0, length, 1.0)) @ matrix


def product_mix(
    tables: Tables, cutoffs: Sequence[Cutoff] | Cutoff, axes: MixAxes, window: Window | None = None
) -> pa.Table:
    """Place customers on the axes by what they bought in the observed window.

    Returns
    -------
    pyarrow.Table
        The rows of ``snapshots`` sorted by (cutoff, customer_id): ``customer_id``, ``cutoff``, ``mix_1`` ... as
        float64 between -1 and 1; 0 on every axis where nothing that the axes know was bought.

    Examples
    --------
    >>> from tierlens.datasets.examples import simulated_shop
    >>> shop = simulated_shop(customers=80, seed=1).tables
    >>> product_mix(shop, "2024-06-01", learn_mix(shop, "2024-06-01", factors=2)).column_names
    ['customer_id', 'cutoff', 'mix_1', 'mix_2']
    """
    from scipy import sparse

    window = window or Window()
    days = cutoff_days(cutoffs)
    table = to_arrow(build_snapshots(tables, days, window, features=["frequency"])).select(list(KEY))
    if not axes.products:
        return table
    blocks = []
    for day in days:
        bought = _bought(tables, [day], window)
        places = {name: at for at, name in enumerate(axes.products)}
        column = np.array([places.get(name, -1) for name in bought["product_id"].to_pylist()], dtype=np.int64)
        here = table.filter(pa.compute.equal(table["cutoff"], day))["customer_id"].to_pylist()
        home = {name: at for at, name in enumerate(here)}
        row = np.array([home[name] for name in bought["customer_id"].to_pylist()], dtype=np.int64)
        known = column >= 0
        entries = (axes.rarity[column[known]], (row[known], column[known]))
        blocks.append(_unit(sparse.csr_matrix(entries, shape=(len(here), len(axes.products)))) @ axes.axes)
    values = np.concatenate(blocks)
    for at, name in enumerate(axes.names):
        table = table.append_column(name, pa.array(values[:, at]))
    return table
