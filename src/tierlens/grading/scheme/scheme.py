"""A scheme: documented rules as data, with the source of every number beside it.

A YAML file becomes a frozen ``Scheme``; adopters change the file, never the code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from tierlens import strict_yaml
from tierlens.errors import SchemeError
from tierlens.grading.scheme import consistency
from tierlens.grading.scheme.duties import Practice
from tierlens.grading.scheme.grammar import Missing, Name, Named, Note, Share, Weight, Word, plain_number
from tierlens.grading.scheme.parts import (
    Cut,
    Dimension,
    FeatureUse,
    Indicator,
    Label,
    Parameter,
    Scale,
    Source,
    Tag,
    Tier,
    Trigger,
)
from tierlens.words import Text

__all__ = ["Indicator", "Scheme", "load_scheme", "scheme_names"]

IsoDate = Annotated[
    str, StringConstraints(strict=True, pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(consistency.real_date)
]


class Scheme(Named):
    """Documented rules that turn a feature table into points, scores, tiers, labels and triggers.

    Parameters
    ----------
    id, name, label : str
        Identifier, English name, Chinese label.
    version : str
        Changes whenever a number does.
    valid_from : str
        ISO date from which the scheme is in force.
    source : Source
        Document and clause.
    currency : str, optional
        ISO code of every amount in the file.
    features : mapping of str to FeatureUse
        Every column that the scheme reads.
    points : Scale
        The range of points.
    weights_are : {"share_of_dimension", "share_of_whole"}
        What the weight of an indicator is a share of.
    normalise_weights : bool
        Whether weights need not sum to 1 and are divided by their sum.
    missing : {"renormalise", "worst", "neutral", "not_graded"}
        Without a value an indicator is left out and the weights of the others grow (first inside the dimension, then
        between dimensions); gets the lowest points; gets the middle of the scale; or the customer is not graded.
    table : str, optional
        Which table of cuts is used where an indicator has several.
    use_proxies : bool
        Whether proxies may stand in for columns that are not there.
    minimum_tenure_days : Decimal, optional
        Customers that are known for less are not graded.
    minimum_coverage : Decimal
        Customers with a smaller share of weight that had data are not graded.
    low_coverage : Decimal
        Customers below it carry the flag ``low_coverage``.
    borderline_margin : Decimal
        Scores at most this far from a bound of a tier carry the flag ``borderline``.
    borderline_share : Decimal
        The same where tiers go by a label: values at most this share of a bound away from it.
    dimensions, tiers, labels, triggers, tags, parameters, practices
        See the classes of these names.
    tier_by : str
        ``score``, or the label whose values are the tiers.
    notes : tuple of Note
        How open points are read that belong to no single rule.

    Examples
    --------
    >>> scheme = load_scheme("relationship_rating")
    >>> scheme.title.zh, [tier.id for tier in scheme.tiers]
    ('客户关系评级体系', ['A', 'B', 'C', 'D'])
    >>> scheme.shares["annual_amount"]
    Fraction(9, 100)
    """

    version: Word
    valid_from: IsoDate
    source: Source
    currency: Annotated[str, StringConstraints(strict=True, pattern="^[A-Z]{3}$")] | None = None
    features: dict[Name, FeatureUse]
    points: Scale = Scale(low=Decimal(1), high=Decimal(10))
    weights_are: Literal["share_of_dimension", "share_of_whole"] = "share_of_dimension"
    normalise_weights: bool = False
    missing: Missing = "renormalise"
    table: Name | None = None
    use_proxies: bool = True
    minimum_tenure_days: Weight | None = None
    minimum_coverage: Share = Decimal(0)
    low_coverage: Share = Decimal(0)
    borderline_margin: Weight = Decimal(0)
    borderline_share: Share = Decimal(0)
    dimensions: tuple[Dimension, ...] = ()
    tier_by: Name = "score"
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)]
    labels: tuple[Label, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    tags: tuple[Tag, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    practices: tuple[Practice, ...] = ()
    notes: tuple[Note, ...] = ()

    @model_validator(mode="after")
    def _hangs_together(self) -> Scheme:
        consistency.hangs_together(self)
        return self

    @property
    def indicators(self) -> Iterator[tuple[Dimension, Indicator]]:
        """Every indicator with its dimension, in the order of the file."""
        return ((dimension, indicator) for dimension in self.dimensions for indicator in dimension.indicators)

    @cached_property
    def inside(self) -> dict[str, Fraction]:
        """Weight of each indicator inside its dimension, exact; they sum to 1 in each."""
        return {
            indicator.id: Fraction(indicator.weight) / (sum(Fraction(i.weight) for i in dimension.indicators) or 1)
            for dimension, indicator in self.indicators
        }

    @cached_property
    def between(self) -> dict[str, Fraction]:
        """Weight of each dimension, exact; they sum to 1."""
        whole = sum(Fraction(dimension.weight) for dimension in self.dimensions) or Fraction(1)
        return {dimension.id: Fraction(dimension.weight) / whole for dimension in self.dimensions}

    @cached_property
    def shares(self) -> dict[str, Fraction]:
        """Share of each indicator in the composite when every value is there, exact; they sum to 1."""
        return {i.id: self.between[d.id] * self.inside[i.id] for d, i in self.indicators}

    @property
    def tier_names(self) -> dict[str, Text]:
        """Names of the tiers by id, best first."""
        return {tier.id: tier.title for tier in self.tiers}

    @property
    def to_score(self) -> Fraction:
        """What points are multiplied by to stand on 0-100."""
        return 100 / Fraction(self.points.high)

    @cached_property
    def sha256(self) -> str:
        """Hash of the content; the layout of the file, its comments and trailing zeros do not count."""
        content = self.model_dump(by_alias=True, exclude_defaults=True)
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=_plainly).encode()).hexdigest()

    def cuts_of(self, indicator: Indicator) -> tuple[Cut, ...]:
        """Return the cuts in force for an indicator; empty where it is scored another way."""
        if indicator.tables is not None:
            return indicator.tables[str(self.table)]
        return indicator.cuts or ()

    def policy(self, indicator: Indicator) -> Missing:
        """Return what happens to an indicator without a value."""
        return indicator.missing or self.missing

    def title_of(self, column: str) -> Text:
        """Return what people call a feature or a column that grading adds.

        Examples
        --------
        >>> load_scheme("relationship_rating").title_of("monetary").zh
        '年交易额'
        """
        if column in self.features:
            return self.features[column].title
        parts: list[Named] = [*self.dimensions, *(i for _, i in self.indicators), *self.labels]
        titles = {part.id: part.title for part in parts}
        bare = column.partition("_")[2]
        return titles.get(bare, Text(column, column))

    def with_table(self, table: str) -> Scheme:
        """Return the same scheme with another table of cuts in force.

        Examples
        --------
        >>> load_scheme("relationship_rating").with_table("manufacturing").table
        'manufacturing'
        """
        return type(self).model_validate({**self.model_dump(by_alias=True), "table": table})


def _plainly(value: object) -> str:
    """Write 0.30 and 0.3 alike."""
    return plain_number(value) if isinstance(value, Decimal) else str(value)


def scheme_names() -> list[str]:
    """Return the names of the schemes that come with the package.

    Examples
    --------
    >>> "relationship_rating" in scheme_names()
    True
    """
    folder = resources.files("tierlens.grading").joinpath("schemes")
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


def load_scheme(name_or_path: str | Path, where: str = "") -> Scheme:
    """Load a scheme that comes with the package by name, or any scheme file by path.

    Parameters
    ----------
    name_or_path : str or Path
        ``relationship_rating``, or the path of a YAML file.
    where : str
        Key or option that names it, for the message.

    Raises
    ------
    SchemeError
        ``E-SC-001`` when there is no such scheme; ``E-SC-005`` when a file bears the id and version of a scheme of the
        package and says something else; ``E-YA-...`` when the file breaks YAML or the language.

    Examples
    --------
    >>> load_scheme("relationship_rating").currency
    'CNY'
    >>> load_scheme("relationship_ratings")
    Traceback (most recent call last):
    tierlens.errors.SchemeError: E-SC-001: there is no scheme 'relationship_ratings'; did you mean ...
    """
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml"):
        return own_version(strict_yaml.build_model(Scheme, path), str(path))
    if str(name_or_path) not in scheme_names():
        raise _no_scheme(str(name_or_path), where)
    return _shipped(str(name_or_path))


def own_version(scheme: Scheme, where: str) -> Scheme:
    """Return a scheme of one's own; refuse one that passes for a scheme of the package.

    Parameters
    ----------
    scheme : Scheme
    where : str
        File that it was read from, for the message.

    Raises
    ------
    SchemeError
        ``E-SC-005`` when id and version are those of a scheme of the package and the content differs: reports of two
        different rules would bear one name.

    Examples
    --------
    >>> ours = {**load_scheme("five_step").model_dump(by_alias=True), "name": "Ours"}
    >>> own_version(Scheme.model_validate(ours), "ours.yaml")
    Traceback (most recent call last):
    tierlens.errors.SchemeError: E-SC-005 ours.yaml: it says other things than five_step 1.0 of the package; ...
    """
    if scheme.id not in scheme_names():
        return scheme
    shipped = _shipped(scheme.id)
    if scheme.version != shipped.version or scheme.sha256 == shipped.sha256:
        return scheme
    known = f"{shipped.id} {shipped.version}"
    raise SchemeError(
        "E-SC-005",
        Text(f"it says other things than {known} of the package", f"内容与自带方案 {known} 不同，但标识和版本相同"),
        where=where,
        fix=Text("give it an id or a version of its own", "请为其另取标识（id）或版本号（version）"),
    )


def _no_scheme(name: str, where: str) -> SchemeError:
    """Return the error of a name that no scheme of the package has, with the nearest one."""
    names = scheme_names()
    there, near = "; ".join(names), consistency.nearest_name(name, names)
    fix = Text(
        f"there are {there}; a file name ends in .yaml", f"现有：{there.replace('; ', '；')}；文件名以 .yaml 结尾"
    )
    if near:
        fix = Text(f"did you mean {near!r}?", f"是否指 {near!r}？")
    return SchemeError("E-SC-001", Text(f"there is no scheme {name!r}", f"没有方案 {name!r}"), where=where, fix=fix)


@lru_cache(maxsize=16)
def _shipped(name: str) -> Scheme:
    file = resources.files("tierlens.grading").joinpath("schemes", f"{name}.yaml")
    return strict_yaml.build_model(Scheme, file.read_text(encoding="utf-8"), f"{name}.yaml")
