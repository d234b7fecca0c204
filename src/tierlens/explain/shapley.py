"""Exact Shapley values of a function of a few inputs, by asking it about every subset of them.

Source: Shapley (1953), A value for n-person games; with one reference point it is baseline Shapley, Sundararajan and
Najmi (2020), The many Shapley values for model explanation.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import factorial

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Subset = tuple[bool, ...]
MOST = 12
"""Inputs at most: 2 to the power of this many questions."""


def exact_shapley(game: Callable[[Subset], Floats], inputs: int) -> tuple[Floats, Floats]:
    """Share what a function of some inputs gives among these inputs, row by row.

    Parameters
    ----------
    game : callable
        Takes one truth value an input, whether it has the row's own value (else that of the reference), and returns
        the function's value of each row, shape (n,).
    inputs : int
        1 to 12.

    Returns
    -------
    (array of float, shape (n, inputs), array of float, shape (n,))
        The share of each input, and the function at the reference; together they sum to the function at the row.

    Raises
    ------
    ValueError
        For more inputs.

    Examples
    --------
    >>> own, reference = np.array([3.0, 5.0]), np.array([1.0, 2.0])
    >>> exact_shapley(lambda is_own: np.atleast_1d(np.prod(np.where(is_own, own, reference))), 2)
    (array([[7., 6.]]), array([2.]))
    """
    if not 1 <= inputs <= MOST:
        raise ValueError(f"{inputs} inputs: 1 to {MOST} can be shared exactly")
    found = {subset: np.asarray(game(subset), dtype=np.float64) for subset in product((False, True), repeat=inputs)}
    nothing = found[(False,) * inputs]
    shares = np.zeros((len(nothing), inputs))
    for subset, before in found.items():
        size = sum(subset)
        for one in (place for place in range(inputs) if not subset[place]):
            with_it = (*subset[:one], True, *subset[one + 1 :])
            weight = factorial(size) * factorial(inputs - size - 1) / factorial(inputs)
            shares[:, one] += weight * (found[with_it] - before)
    return shares, nothing
