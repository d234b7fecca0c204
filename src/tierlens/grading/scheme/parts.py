"""The parts of a scheme: features, indicators, dimensions, tiers, labels, triggers, tags, each with its source."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from tierlens.grading.scheme.duties import Measure
from tierlens.grading.scheme.grammar import (
    Band,
    Direction,
    Missing,
    Name,
    Named,
    Note,
    Number,
    Part,
    Share,
    Unit,
    Weight,
    When,
    Word,
    partition_fault,
)
from tierlens.words import Text

Notes = Annotated[tuple[Note, ...], BeforeValidator(lambda note: [note] if isinstance(note, dict) else note)]


class Source(Part):
    """Where a scheme comes from.

    Parameters
    ----------
    document : str
        The document.
    clause : str
        The part of it.
    """

    document: Word
    clause: Word


class FeatureUse(Part):
    """A column that the scheme reads.

    Parameters
    ----------
    name, label : str
        English and Chinese.
    unit : str
        A key of ``UNITS``; ``money`` is in the scheme's currency, and in minor units in a feature table.
    whole : bool
        Whether only whole numbers occur.
    at_least, at_most : Decimal, optional
        The values that can occur at all.
    """

    name: Word
    label: Word
    unit: Unit
    whole: bool = False
    at_least: Number | None = None
    at_most: Number | None = None

    @property
    def title(self) -> Text:
        """Both languages as a ``Text``."""
        return Text(self.name, self.label)


class Scale(Part):
    """The range of points, for instance 1 to 10.

    Parameters
    ----------
    low, high : Decimal
        Written ``from`` and ``to`` in a file.
    """

    low: Number = Field(alias="from")
    high: Number = Field(alias="to")

    @model_validator(mode="after")
    def _ascends(self) -> Scale:
        if self.low >= self.high or self.high <= 0:
            raise ValueError("'from' must be below 'to', and 'to' above 0")
        return self

    @property
    def middle(self) -> Decimal:
        """Half way between the ends."""
        return (self.low + self.high) / 2


class Cut(Band):
    """A band of raw values and the points that it earns.

    Parameters
    ----------
    points : Decimal
        On the scheme's scale of points.
    source : str, optional
        The clause; that of the indicator where none is given.
    note : Note, optional
        How an open point is read.
    """

    points: Number
    source: Word | None = None
    note: Notes = ()


class Normalise(Part):
    """How a raw value becomes points by comparison with a reference population.

    Parameters
    ----------
    method : {"min_max", "z_score", "percentile"}
        ``min_max`` puts the lowest and highest of the population on the ends of the scale; ``z_score`` gives
        ``centre + slope * z``, cut off at the ends, where real numbers are cut to millionths (money: hundredths of a
        minor unit) before they are summed, exactly; ``percentile`` is the share of the population that is below, those
        that are equal counting half, stretched over the scale.
    centre, slope : Decimal, optional
        For ``z_score``; points at the mean, and points for one standard deviation (of the population).
    reference : {"graded_population"}
        The customers graded at the same cutoff, unless a stored reference is handed to ``grade``.
    """

    method: Literal["min_max", "z_score", "percentile"]
    centre: Number | None = None
    slope: Annotated[Number, Field(gt=0)] | None = None
    reference: Literal["graded_population"] = "graded_population"

    @model_validator(mode="after")
    def _z_has_a_line(self) -> Normalise:
        given = (self.centre is not None, self.slope is not None)
        if (self.method == "z_score") != all(given) or (any(given) and not all(given)):
            raise ValueError("'centre' and 'slope' go with z_score, and z_score needs both")
        return self


class Proxy(Part):
    """A column that stands in for an indicator where the column that the document means is not there.

    Parameters
    ----------
    feature : str
        The column.
    note : Note
        Why it may stand in; evidence repeats that it is a proxy.
    """

    feature: Name
    note: Notes


class Indicator(Named):
    """A feature that a scheme scores.

    Parameters
    ----------
    feature : str
        Column of the feature table.
    weight : Decimal
        Share of the dimension (or of the whole, see ``Scheme.weights_are``).
    direction : {"up", "down"}
        Whether more is better.
    cuts, tables, normalise, ordinal, given : optional
        How raw values become points, one of the five: bands; named alternatives of bands; comparison with a population;
        words; or a score that is already given on a range, stretched onto the scale of points.
    missing : str, optional
        What happens without a value, where it differs from the scheme's policy.
    proxy : Proxy, optional
        What stands in where the column is not there.
    source : str
        Clause of the document.
    note : Note or list of Note
        How open points are read.
    """

    feature: Name
    weight: Weight
    direction: Direction = "up"
    cuts: tuple[Cut, ...] | None = None
    tables: dict[Name, tuple[Cut, ...]] | None = None
    normalise: Normalise | None = None
    ordinal: dict[Word, Number] | None = None
    given: Scale | None = None
    missing: Missing | None = None
    proxy: Proxy | None = None
    source: Word
    note: Notes = ()

    @model_validator(mode="after")
    def _one_way(self) -> Indicator:
        ways = [self.cuts, self.tables, self.normalise, self.ordinal, self.given]
        if sum(way is not None for way in ways) != 1:
            raise ValueError("give one of 'cuts', 'tables', 'normalise', 'ordinal' and 'given'")
        for name, cuts in self.cut_tables():
            fault = partition_fault(list(cuts)) if cuts else "it is empty"
            if fault:
                raise ValueError(f"cuts{f' of table {name!r}' if name else ''}: {fault}")
            self._check_order(cuts)
        return self

    def _check_order(self, cuts: tuple[Cut, ...]) -> None:
        points = [cut.points for cut in sorted(cuts, key=lambda cut: cut.start or (Decimal("-Infinity"), 0))]
        if points != sorted(points, reverse=self.direction == "down"):
            raise ValueError(f"points do not go {self.direction} with the value as 'direction' says")

    def cut_tables(self) -> Iterator[tuple[str, tuple[Cut, ...]]]:
        """Every table of cuts with its name; the name is empty where there is only one."""
        if self.cuts is not None:
            yield "", self.cuts
        yield from (self.tables or {}).items()


class Dimension(Named):
    """A document's group of indicators.

    Parameters
    ----------
    weight : Decimal
        Share of the composite.
    indicators : tuple of Indicator
        At least one.
    source, note
        Clause of the document, and how open points are read.
    """

    weight: Weight
    indicators: Annotated[tuple[Indicator, ...], Field(min_length=1)]
    source: Word
    note: Notes = ()


class Tier(Band, Named):
    """A tier; the first of a scheme is the best.

    Parameters
    ----------
    at_least, below, ... : Decimal, optional
        Bounds of the score, where tiers go by score.
    share : tuple of 2 Decimal, optional
        Suggested share of customers, from and to; reported beside the actual share, never forced.
    meaning : Note, optional
        What the document says of it.
    measures : tuple of Measure
        What the document wants done.
    """

    share: Annotated[tuple[Share, Share], Field()] | None = None
    meaning: Note | None = None
    measures: tuple[Measure, ...] = ()
    source: Word
    note: Notes = ()

    @property
    def short(self) -> Text:
        """A letter stays a letter; a word is said by the title."""
        return Text(self.id, self.id) if len(self.id) == 1 else self.title

    @property
    def full(self) -> Text:
        """The title, behind the letter where there is one."""
        return Text(f"{self.id} {self.name}", f"{self.id} {self.label}") if len(self.id) == 1 else self.title


class Rule(Part):
    """One line of an ordered list: the first that holds gives the label.

    Parameters
    ----------
    value : str
        A value of the label.
    when : mapping or list of mapping
        Conditions by column; a list gives alternatives.
    flag : str, optional
        A flag for the customers that it catches.
    """

    value: Name
    when: When
    flag: Name | None = None
    source: Word
    note: Notes = ()


class Label(Named):
    """A state named by rule.

    Parameters
    ----------
    values : tuple of Named
        What it can be.
    rules : tuple of Rule
        In order; the first that holds wins.
    otherwise : str, optional
        The value where no rule holds; missing where none is given.
    """

    values: Annotated[tuple[Named, ...], Field(min_length=1)]
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]
    otherwise: Name | None = None
    source: Word
    note: Notes = ()


class Trigger(Named):
    """What makes a customer be graded again at once.

    Parameters
    ----------
    when : mapping or list of mapping
        Conditions by column; a list gives alternatives.
    rows_days : int, optional
        How many days before the cutoff its transactions are shown as the reason.
    """

    when: When
    rows_days: Annotated[int, Field(strict=True, gt=0)] | None = None
    source: Word
    note: Notes = ()


class Tag(Named):
    """A word on a customer, written ``[label:value]`` or ``[label]``.

    Parameters
    ----------
    of : str, optional
        A label, a text column or a number that gives the value.
    per : Decimal, optional
        What a number is divided by and cut to whole parts; 365 makes years of days.
    suffix : str
        What is written behind the value.
    when : mapping or list of mapping, optional
        Conditions; without ``of`` the tag has no value.
    """

    of: Name | None = None
    per: Annotated[Number, Field(gt=0)] | None = None
    suffix: str = ""
    when: When | None = None
    source: Word
    note: Notes = ()

    @model_validator(mode="after")
    def _says_something(self) -> Tag:
        if (self.of is None) == (self.when is None):
            raise ValueError("give 'of' or 'when', one of the two")
        return self


class Parameter(Named):
    """A documented number that is not part of scoring (a sample share, an objective, a period).

    Parameters
    ----------
    value : Decimal
        The number.
    unit : str
        In words.
    """

    value: Number
    unit: Word
    source: Word
    note: Notes = ()
