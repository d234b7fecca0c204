"""The words of the scheme language: exact numbers, bands, conditions, notes; frozen, and unknown keys are refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StringConstraints, model_validator

from tierlens.words import Text

Direction = Literal["up", "down"]
Missing = Literal["renormalise", "worst", "neutral", "not_graded"]
Unit = Literal[
    "money",
    "days",
    "months",
    "orders",
    "products",
    "people",
    "share",
    "ratio",
    "score",
    "a_month",
    "times",
    "text",
    "flag",
]

UNITS: dict[str, Text] = {
    "money": Text("money", "金额"),
    "days": Text("days", "天"),
    "months": Text("months", "个月"),
    "orders": Text("orders", "次"),
    "products": Text("products", "种"),
    "people": Text("people", "人"),
    "share": Text("share", "占比"),
    "ratio": Text("ratio", "比率"),
    "score": Text("score", "分"),
    "a_month": Text("a month", "次/月"),
    "times": Text("times", "次"),
    "text": Text("text", "文本"),
    "flag": Text("yes or no", "是或否"),
}


def exact_number(value: object) -> Decimal:
    """Return an exact number; text, booleans and binary fractions are no numbers of a scheme.

    Examples
    --------
    >>> exact_number(3), exact_number(Decimal("0.30"))
    (Decimal('3'), Decimal('0.30'))
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"{value!r} is no plain decimal number")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{value!r} is not finite")
    return number


def _many(value: object) -> object:
    """One mapping stands for a list of one."""
    return [value] if isinstance(value, Mapping) else value


Number = Annotated[Decimal, BeforeValidator(exact_number)]
Weight = Annotated[Number, Field(ge=0)]
Share = Annotated[Number, Field(ge=0, le=1)]
Word = Annotated[str, StringConstraints(strict=True, min_length=1, strip_whitespace=True)]
Name = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


class Part(BaseModel):
    """Base of everything in a scheme file."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Note(Part):
    """A sentence in both languages; says how an open point of a document is read.

    Parameters
    ----------
    en, zh : str
        English and Chinese.
    """

    en: Word
    zh: Word

    @property
    def text(self) -> Text:
        """Both languages as a ``Text``."""
        return Text(self.en, self.zh)


class Named(Part):
    """A thing with an identifier, an English name and the document's Chinese label.

    Parameters
    ----------
    id : str
        Letters, digits and underscores.
    name : str
        English.
    label : str
        Chinese, as the document writes it.
    """

    id: Name
    name: Word
    label: Word

    @property
    def title(self) -> Text:
        """Both languages as a ``Text``."""
        return Text(self.name, self.label)


Edge = tuple[Decimal, int]
"""A cut in the number line: just before a value (0) or just after it (1)."""


class Band(Part):
    """An interval of the number line; an end that is not given is open.

    Parameters
    ----------
    at_least, above : Decimal, optional
        Lower end, included or not; one of the two at most.
    below, at_most : Decimal, optional
        Upper end, not included or included; one of the two at most.

    Examples
    --------
    >>> band = Band(at_least=10, below=20)
    >>> band.holds(Decimal(10)), band.holds(Decimal(20)), band.say()
    (True, False, '[10, 20)')
    """

    at_least: Number | None = None
    above: Number | None = None
    below: Number | None = None
    at_most: Number | None = None

    @model_validator(mode="after")
    def _one_interval(self) -> Band:
        if self.at_least is not None and self.above is not None:
            raise ValueError("give 'at_least' or 'above', not both")
        if self.below is not None and self.at_most is not None:
            raise ValueError("give 'below' or 'at_most', not both")
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ValueError(f"nothing lies in {self.say()}")
        return self

    @property
    def start(self) -> Edge | None:
        """Where it starts; ``None`` is without end."""
        if self.at_least is not None:
            return self.at_least, 0
        return None if self.above is None else (self.above, 1)

    @property
    def end(self) -> Edge | None:
        """Where it ends; ``None`` is without end."""
        if self.below is not None:
            return self.below, 0
        return None if self.at_most is None else (self.at_most, 1)

    @property
    def bounded(self) -> bool:
        """Whether it has an end at all."""
        return self.start is not None or self.end is not None

    def holds(self, value: Any) -> bool:
        """Say whether an exact number lies in it."""
        after = self.start is None or (value >= self.start[0] if self.start[1] == 0 else value > self.start[0])
        before = self.end is None or (value < self.end[0] if self.end[1] == 0 else value <= self.end[0])
        return bool(after and before)

    def say(self) -> str:
        """Write it as mathematicians do."""
        low = "(-∞" if self.start is None else f"{'[' if self.start[1] == 0 else '('}{plain_number(self.start[0])}"
        high = "∞)" if self.end is None else f"{plain_number(self.end[0])}{')' if self.end[1] == 0 else ']'}"
        return f"{low}, {high}"


class Condition(Band):
    """What a rule asks of one column; all that is given must hold, and a missing value meets nothing but ``missing``.

    Parameters
    ----------
    at_least, above, below, at_most : Decimal, optional
        Bounds in the unit of the column (money in the scheme's currency), or multiples of another column.
    of : str, optional
        The other column.
    equals : str, bool or Decimal, optional
        The value itself; written ``is`` in a file.
    among : tuple, optional
        One of several values; written ``in`` in a file.
    missing : bool, optional
        Whether the value is missing.
    """

    of: Name | None = None
    equals: StrictBool | Number | Word | None = Field(default=None, alias="is")
    among: tuple[Word, ...] | None = Field(default=None, alias="in")
    missing: bool | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Condition:
        kinds = (self.bounded, self.equals is not None, self.among is not None, self.missing is not None)
        if sum(kinds) != 1:
            raise ValueError("give bounds, 'is', 'in' or 'missing', one kind of them")
        if self.of is not None and not self.bounded:
            raise ValueError("'of' goes with bounds")
        return self

    def holds_times(self, value: Fraction, other: Fraction) -> bool:
        """Say exactly whether a value lies between the multiples of another that the bounds ask for."""
        after = self.start is None or _beyond(value, Fraction(self.start[0]) * other, included=self.start[1] == 0)
        before = self.end is None or not _beyond(value, Fraction(self.end[0]) * other, included=self.end[1] == 0)
        return after and before

    def words(self) -> str:
        """Write it for people.

        Examples
        --------
        >>> Condition(at_most=Decimal("0.7"), of="amount_prev_90").words()
        '(-∞, 0.7] x amount_prev_90'
        """
        if self.missing is not None:
            return "missing" if self.missing else "not missing"
        if self.equals is not None:
            return f"= {self.equals}"
        if self.among is not None:
            return "in " + ", ".join(self.among)
        return self.say() + (f" x {self.of}" if self.of else "")


def _beyond(value: Fraction, bound: Fraction, *, included: bool) -> bool:
    return value >= bound if included else value > bound


When = Annotated[tuple[dict[Name, Condition], ...], BeforeValidator(_many), Field(min_length=1)]
"""Alternatives; inside one of them every condition must hold."""


def columns_of(when: tuple[dict[str, Condition], ...]) -> Iterator[str]:
    """Every column that a rule reads.

    Examples
    --------
    >>> sorted(columns_of(({"a": Condition(above=0, of="b")},)))
    ['a', 'b']
    """
    for alternative in when:
        for column, condition in alternative.items():
            yield column
            if condition.of is not None:
                yield condition.of


def plain_number(number: Decimal) -> str:
    """Write an exact number without exponent or trailing zeros.

    Examples
    --------
    >>> plain_number(Decimal("0.30")), plain_number(Decimal("1000000"))
    ('0.3', '1000000')
    """
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def partition_fault(bands: list[Band]) -> str:
    """Say where bands leave a gap or overlap on the whole number line; empty when they do neither.

    Examples
    --------
    >>> partition_fault([Band(at_least=70), Band(below=70)])
    ''
    >>> partition_fault([Band(at_least=80), Band(at_least=60, below=75), Band(below=60)])
    'nothing covers 75 up to 80'
    >>> partition_fault([Band(at_least=70), Band(at_least=80), Band(below=70)])
    '[70, ∞) and [80, ∞) overlap'
    """
    lowest: Edge = (Decimal("-Infinity"), 0)
    ordered = sorted(bands, key=lambda band: band.start or lowest)
    if ordered[0].start is not None:
        return f"nothing covers what is under {plain_number(ordered[0].start[0])}"
    for left, right in pairwise(ordered):
        if left.end is None or right.start is None or left.end > right.start:
            return f"{left.say()} and {right.say()} overlap"
        if left.end < right.start:
            return f"nothing covers {plain_number(left.end[0])} up to {plain_number(right.start[0])}"
    last = ordered[-1].end
    return "" if last is None else f"nothing covers what is over {plain_number(last[0])}"
