"""A kept staircase tells what part of a population stands below a value, exactly or nearly."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.grading.conftest import on_polars
from tierlens.grading.staircase import CORNERS, part_below, population_steps


def told(asked: np.ndarray, known: np.ndarray) -> np.ndarray:
    frame = on_polars(pa.table({"x": asked}))
    found = frame.select(part_below(nw.col("x"), population_steps(np.sort(known))).alias("part"))
    return found.collect("pyarrow").to_native()["part"].to_numpy()


def counted(asked: np.ndarray, known: np.ndarray) -> np.ndarray:
    return ((known < asked[:, None]).sum(axis=1) + (known == asked[:, None]).sum(axis=1) / 2) / len(known)


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=60), st.lists(st.integers(-25, 25), min_size=1))
def test_few_values_are_told_exactly(known: list[int], asked: list[int]) -> None:
    first, second = np.array(asked, dtype=float), np.array(known, dtype=float)
    assert told(first, second) == pytest.approx(counted(first, second), abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_many_values_are_told_to_a_fraction_of_the_steps_between_corners(seed: int) -> None:
    rng = np.random.default_rng(seed)
    known = np.round(rng.lognormal(8, 2, 20_000), 1)
    known[:6_000] = 0.0  # shared by many
    kept = population_steps(np.sort(known))
    assert len(kept["values"]) <= CORNERS + 1
    between = np.array(kept["below"][1:]) - np.array(kept["through"][:-1])
    assert between.max() <= 2 / CORNERS
    asked = np.append(rng.choice(known, 500), rng.lognormal(8, 2, 500))
    assert told(asked, known) == pytest.approx(counted(asked, known), abs=2 / CORNERS)
    assert told(np.array([0.0, -1.0, known.max() + 1]), known).tolist() == [0.15, 0.0, 1.0]
