"""What part of a population stands below a value: a staircase over its values, kept by its corners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import narwhals as nw

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

CORNERS = 200
"""Values that a staircase is kept by, and one more. A population with no more of them is kept exactly; more corners
make the expression slow to compile."""


def population_steps(known: npt.NDArray[np.float64]) -> dict[str, list[float]]:
    """Return the values of a population, thinned where there are many, with the parts below and up to each.

    Parameters
    ----------
    known : array of float, shape (n,)
        Sorted, no missing values, at least one.

    Returns
    -------
    dict
        ``values`` (rising), ``below`` (part of the population that is less) and ``through`` (less or equal), at most
        ``CORNERS`` + 1 each. Thinned, hardly more than 1 / ``CORNERS`` of the population lies between two neighbours.

    Examples
    --------
    >>> import numpy as np
    >>> population_steps(np.array([1.0, 1.0, 5.0, 9.0]))
    {'values': [1.0, 5.0, 9.0], 'below': [0.0, 0.5, 0.75], 'through': [0.5, 0.75, 1.0]}
    """
    import numpy as np

    values, counts = np.unique(known, return_counts=True)
    through = np.cumsum(counts)
    below = through - counts
    if len(values) > CORNERS:
        # The least value, and the last of each equal part: what many share is a corner in any case.
        part = (below + counts / 2.0) * CORNERS // len(known)
        kept = np.append(part[1:] != part[:-1], True)
        kept[0] = True
        values, below, through = values[kept], below[kept], through[kept]
    parts = {"below": below / len(known), "through": through / len(known)}
    return {"values": values.tolist()} | {name: part.tolist() for name, part in parts.items()}


def part_below(x: nw.Expr, stairs: Mapping[str, Sequence[float]]) -> nw.Expr:
    """Return the part of the population below a value, those equal to it counted by half; missing where the value is.

    Parameters
    ----------
    x : narwhals.Expr
    stairs : mapping of str to sequence of float
        From ``population_steps``. Between two neighbours that were thinned the part rises evenly.

    Examples
    --------
    >>> import duckdb
    >>> import numpy as np
    >>> frame = nw.from_native(duckdb.sql("select unnest([0, 1, 3, 9, 10]) as x"))
    >>> found = part_below(nw.col("x"), population_steps(np.array([1.0, 1.0, 5.0, 9.0])))
    >>> frame.select(found.alias("part")).collect("pyarrow").to_native()["part"].to_pylist()
    [0.0, 0.25, 0.5, 0.875, 1.0]
    """
    values, below, through = (list(stairs[name]) for name in ("values", "below", "through"))

    def step(place: int) -> nw.Expr:
        """From one value up to the next one, without it."""
        start, at = through[place], nw.lit((below[place] + through[place]) / 2.0)
        if place + 1 == len(values) or below[place + 1] == start:
            after = nw.lit(start)
        else:
            slope = (below[place + 1] - start) / (values[place + 1] - values[place])
            after = (x - values[place]) * slope + start
        return nw.when(x == values[place]).then(at).otherwise(after)

    def among(first: int, last: int) -> nw.Expr:
        if first == last:
            return step(first)
        middle = (first + last + 1) // 2
        return nw.when(x < values[middle]).then(among(first, middle - 1)).otherwise(among(middle, last))

    rising = nw.when(x < values[0]).then(nw.lit(0.0)).otherwise(among(0, len(values) - 1))
    return nw.when(~x.is_null()).then(rising)
