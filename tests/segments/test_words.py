"""Segments in words and on one scale: figures that read the same everywhere, names, profiles by pandas."""

from __future__ import annotations

import math
import re

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import skew, spearmanr

from tierlens.segments.figures import UNKNOWN, say_value
from tierlens.segments.naming import APART, NEW_DAYS, Trait, name_segments
from tierlens.segments.profile import normal_scores, segment_profile
from tierlens.segments.scaling import fit_scaling, skewness, typical_size
from tierlens.sources.tables import Currency
from tierlens.words import Text

Floats = npt.NDArray[np.float64]
POUND, YEN = Currency("GBP"), Currency("JPY", minor=1)
COUNTED = ("days", "months", "orders", "products", "lines", "pieces", "tickets")
SEEDS = st.integers(0, 10_000)
few = settings(max_examples=25, deadline=None)

# --- figures


@few
@given(st.floats(-1e9, 1e9), st.sampled_from([*COUNTED, "share", "money", "ratio", "orders a day", "money a day"]))
def test_a_figure_has_the_same_digits_in_both_languages_and_is_near_the_number(value: float, unit: str) -> None:
    told = say_value(value, unit, YEN)
    numbers = [re.findall(r"-?[\d,]+(?:\.\d+)?", text)[0] for text in told]
    assert numbers[0] == numbers[1]
    assert "-0" not in {*numbers, *(number.rstrip(".0") for number in numbers if float(number.replace(",", "")) == 0)}
    exact = value * (100 if unit == "share" else 365 if unit.endswith(" a day") else 1)
    assert float(numbers[0].replace(",", "")) == pytest.approx(exact, abs=0.5001)


@pytest.mark.parametrize("unit", COUNTED)
@pytest.mark.parametrize("value", [0.0, 0.5, 0.96, 1.0, 1.04, 1.5, 2.0, 12.4])
def test_only_what_is_written_as_1_is_one_of_a_thing(unit: str, value: float) -> None:
    number, word = say_value(value, unit, POUND).en.split(" ")
    assert word.endswith("s") != (number == "1")
    assert say_value(value, unit, POUND, bare=True).en == number


@pytest.mark.parametrize(
    ("value", "unit", "english"),
    [
        (-0.001, "money", "0 GBP"),
        (-49.0, "money", "0 GBP"),
        (-51.0, "money", "-1 GBP"),
        (0.9999, "share", "100%"),
        (1.2345, "share", "123%"),
        (-0.00001, "share", "0%"),
        (9.96, "days", "10 days"),
        (99.9, "days", "100 days"),
        (-0.001, "ratio", "0"),
        (1234.5, "ratio", "1,234.5"),
        (100 / 365, "money a day", "1 GBP a year"),
        (float("nan"), "orders a day", "no data"),
    ],
)
def test_roundings_that_could_go_wrong(value: float, unit: str, english: str) -> None:
    assert say_value(value, unit, POUND).en == english
    assert (say_value(value, unit, POUND) == UNKNOWN) is math.isnan(value)


@pytest.mark.parametrize(("minor", "amount"), [(1, "123,456 JPY"), (100, "1,235 JPY"), (1000, "123 JPY")])
def test_money_is_in_whole_units_of_its_currency(minor: int, amount: str) -> None:
    assert say_value(123_456.0, "money", Currency("JPY", minor=minor)) == Text(amount, amount)


# --- names


def trait(difference: float, median: float = 5.0, upper: float = 9.0) -> Trait:
    return Trait(median, upper, difference)


@pytest.mark.parametrize(
    ("traits", "english"),
    [
        ({}, "Customers"),
        ({"frequency": trait(0.0)}, "Repeat buyers"),
        ({"frequency": trait(0.0, median=1.5)}, "Buyers"),
        ({"frequency": trait(APART)}, "Frequent buyers"),
        ({"frequency": trait(APART), "regularity": trait(APART)}, "Regular buyers"),
        ({"frequency": trait(-APART)}, "Few-order buyers"),
        ({"frequency": trait(-1.0, 1.0, 1.0)}, "One-time buyers"),
        ({"frequency": trait(-1.0, 1.0, 1.0), "tenure_days": trait(0.0, 300), "recency_days": trait(0.0, 100)},
         "Few-order buyers"),
        ({"frequency": trait(0.0), "recency_days": trait(APART)}, "Lapsing repeat buyers"),
        ({"frequency": trait(0.0), "recency_days": trait(-APART), "monetary": trait(2.0)}, "Active big repeat buyers"),
        ({"frequency": trait(0.0), "monetary": trait(0.0), "spend": trait(2.0)}, "Repeat buyers"),
        ({"frequency": trait(0.0), "spend": trait(-2.0)}, "Small repeat buyers"),
        ({"frequency": trait(0.0), "tenure_days": trait(-1.0, NEW_DAYS), "recency_days": trait(-1.0)},
         "New repeat buyers"),
        ({"frequency": trait(0.0), "tenure_days": trait(-1.0, NEW_DAYS + 1), "recency_days": trait(-1.0)},
         "Active repeat buyers"),
        ({"frequency": trait(0.0), "tenure_days": trait(-1.0, 9), "recency_days": trait(1.0)}, "Lapsing repeat buyers"),
        ({"frequency": trait(float("nan"), float("nan"), float("nan"))}, "Buyers"),
    ],
)  # fmt: skip
def test_a_name_says_when_how_much_and_how(traits: dict[str, Trait], english: str) -> None:
    assert name_segments([traits])[0].en == english


@few
@given(st.lists(st.tuples(st.floats(-2, 2), st.floats(-2, 2)), min_size=1, max_size=6), st.randoms())
def test_names_go_with_their_segments_wherever_these_stand(drawn: list[tuple[float, float]], rng: object) -> None:
    """Distinct segments keep their names when they are listed in another order."""
    unlike = sorted(set(drawn))
    segments = [{"monetary": trait(a), "frequency": trait(b)} for a, b in unlike]
    names = name_segments(segments)
    turned = name_segments(segments[::-1])[::-1]
    apart = all("group" not in name.en for name in names)
    assert turned == names or not apart
    assert len(set(names)) == len(names)


# --- profiles


@few
@given(SEEDS)
def test_a_profile_is_what_pandas_groups_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"recency_days": rng.integers(0, 400, 40).astype(float), "mine": rng.normal(size=40)})
    frame.loc[rng.random(40) < 0.2, "mine"] = np.nan
    labels = rng.integers(0, 3, 40)
    found = segment_profile(frame, labels, currency=POUND, features=["recency_days", "mine"])
    rows = {(row["segment"], row["feature"]): row for row in found.features.to_pylist()}
    for segment, part in frame.groupby(labels):
        for name in frame:
            row = rows[segment, name]
            assert row["median"] == pytest.approx(part[name].median(), nan_ok=True) or part[name].isna().all()
            assert row["missing_share"] == pytest.approx(part[name].isna().mean())
            assert row["population_median"] == pytest.approx(frame[name].median())
    sizes = found.segments.to_pylist()
    assert sum(row["customers"] for row in sizes) == 40
    assert sum(row["share"] for row in sizes) == pytest.approx(1.0)
    assert set(found.names) == set(found.about) == set(labels.tolist())


def test_keys_are_no_features_and_columns_of_the_catalog_come_first() -> None:
    shop = pa.table({"customer_id": [1, 2], "cutoff": [5, 5], "frequency": [1, 9], "age": [30, 40]})
    found = segment_profile(shop, [0, 1], currency=POUND)
    assert set(found.features["feature"].to_pylist()) == {"frequency"}
    plain = segment_profile(shop.drop_columns(["frequency"]), [0, 1], currency=POUND)
    assert set(plain.features["feature"].to_pylist()) == {"age"}
    assert plain.about[0] == Text("1 customers (50%)", "1位客户（50%）")


@few
@given(st.lists(st.one_of(st.just(float("nan")), st.integers(-5, 5).map(float)), min_size=2, max_size=40))
def test_normal_scores_turn_around_with_the_signs(values: list[float]) -> None:
    column = np.array(values)
    assert normal_scores(-column) == pytest.approx(-normal_scores(column), nan_ok=True, abs=1e-9)
    known = ~np.isnan(column)
    if len(set(column[known].tolist())) > 1:
        assert spearmanr(normal_scores(column)[known], column[known]).statistic == pytest.approx(1.0)


# --- scaling


@few
@given(SEEDS, st.sampled_from(["normal", "exponential", "lognormal"]))
def test_skewness_is_that_of_scipy_in_every_column(seed: int, kind: str) -> None:
    values = getattr(np.random.default_rng(seed), kind)(size=(50, 3))
    assert skewness(values) == pytest.approx(skew(values))


@few
@given(SEEDS)
def test_signs_turned_around_turn_the_scaled_rows_around(seed: int) -> None:
    """Debts are scaled as assets are: the logarithm is signed."""
    values = np.random.default_rng(seed).normal(size=(41, 2)) ** 3
    one, two = (fit_scaling(side, typical_size(side), 1.0).apply(side) for side in (values, -values))
    assert two == pytest.approx(-one, abs=1e-8)


def test_new_rows_are_scaled_by_what_was_learned_and_gaps_stand_in_the_middle() -> None:
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.normal(size=101), np.full(101, 3.0), np.full(101, np.nan)])
    scaling = fit_scaling(values, typical_size(values), 1.0)
    found = scaling.apply(np.array([[np.nan, 99.0, 5.0], [np.median(values[:, 0]), np.nan, np.nan]]))
    assert found[0, 0] == pytest.approx(found[1, 0])
    # What never varied tells nobody apart, whatever comes later.
    assert (found[:, 1:] == 0.0).all()
    assert scaling.varies.tolist() == [True, False, False]
    assert (scaling.apply(values)[:40] == scaling.apply(values[:40])).all()


@few
@given(SEEDS, st.floats(0.5, 3.0))
def test_no_column_ends_up_more_skewed_than_it_came(seed: int, bound: float) -> None:
    values = np.random.default_rng(seed).lognormal(sigma=1.5, size=(60, 2))
    values[:, 1] *= -1
    scaling = fit_scaling(values, typical_size(values), bound)
    before, after = np.abs(skewness(values)), np.abs(skewness(scaling.apply(values)))
    assert (after <= before + 1e-6).all()
    assert (scaling.logged <= (before > bound)).all()
