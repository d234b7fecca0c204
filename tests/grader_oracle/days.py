"""The windows, in days before the cutoff: the readings of docs/features.md, which the documents leave open."""

from __future__ import annotations

from fractions import Fraction

YEAR = 365
"""A year is the 365 days before the cutoff, not a calendar year."""
TWO_YEARS = 730
HALF_YEAR = 182
HALF_YEAR_OF_ORDERS = 180
"""Six months of dealings as the guide's R counts them."""
QUARTER = 90
MONTHS_A_YEAR = 12
MONTHS_A_HALF_YEAR = 6
MONTH = Fraction(YEAR, MONTHS_A_YEAR)
"""A month that a rule counts in days."""
RATING_HOLDS = TWO_YEARS
"""Days after which a rating is no longer believed."""
ANSWER_HOLDS = YEAR
"""Days after which the answer to a survey is no longer believed."""


def within(age: int, days: int, ago: int = 0) -> bool:
    """Return whether a row of an age, in days, lies in the ``days`` days that end ``ago`` days before the cutoff."""
    return ago < age <= ago + days


def twelfth(age: int) -> int:
    """Return which twelfth of a year a day lies in, counted back from the cutoff: the latest is 0."""
    return (age - 1) * MONTHS_A_YEAR // YEAR
