"""What must hold between the parts of a scheme: names that exist, weights that sum, tiers without gap or overlap."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from tierlens.grading.scheme.grammar import Band, Condition, partition_fault, plain_number
from tierlens.strict_yaml import refused_value
from tierlens.words import Text

if TYPE_CHECKING:
    from tierlens.grading.scheme.parts import Indicator
    from tierlens.grading.scheme.scheme import Scheme

Path = tuple[str | int, ...]
SCORE_RANGE = Band(at_least=Decimal(0), at_most=Decimal(100))


def nearest_name(name: str, names: Iterable[str]) -> str | None:
    """Return the name that is most like another one.

    Examples
    --------
    >>> nearest_name("monetery", ["monetary", "recency_days"])
    'monetary'
    """
    return next(iter(difflib.get_close_matches(name, sorted(names), n=1)), None)


def real_date(text: str) -> str:
    """Return an ISO date as it is, or refuse a day that no calendar has.

    Examples
    --------
    >>> real_date("2026-01-05")
    '2026-01-05'
    """
    dt.date.fromisoformat(text)
    return text


def hangs_together(scheme: Scheme) -> None:
    """Raise the first fault between the parts of a scheme.

    Raises
    ------
    PydanticCustomError
        Which ``strict_yaml.build_model`` turns into a ``SchemeError`` with the line of the file.
    """
    for check in (_identifiers, _columns, _points, _weights, _tables, _tiers, _labels, _money):
        for path, what in check(scheme):
            raise refused_value(what, path)


def _identifiers(scheme: Scheme) -> Iterator[tuple[Path, Text]]:
    groups: dict[str, list[str]] = {
        "dimensions": [d.id for d in scheme.dimensions] + [i.id for _, i in scheme.indicators],
        "tiers": [tier.id for tier in scheme.tiers],
        "labels": [label.id for label in scheme.labels],
        "triggers": [trigger.id for trigger in scheme.triggers],
        "tags": [tag.id for tag in scheme.tags],
        "parameters": [parameter.id for parameter in scheme.parameters],
        "practices": [practice.id for practice in scheme.practices],
    }
    for group, ids in groups.items():
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            yield (group,), Text(f"{group}: {twice[0]!r} is there twice", f"{group}：{twice[0]!r} 重复")


def computed_columns(scheme: Scheme) -> set[str]:
    """Return the columns that grading adds and rules may read.

    Examples
    --------
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> "score_value" in computed_columns(load_scheme("relationship_rating"))
    True
    """
    dimensions = [d.id for d in scheme.dimensions]
    names = {f"points_{i.id}" for _, i in scheme.indicators} | {f"points_{d}" for d in dimensions}
    names |= {f"score_{d}" for d in dimensions} | {f"label_{label.id}" for label in scheme.labels}
    return names | {"score", "tier", "coverage"}


def _columns(scheme: Scheme) -> Iterator[tuple[Path, Text]]:
    for path, column in _reads(scheme):
        known = (
            set(scheme.features)
            if "feature" in path or "proxy" in path
            else {*scheme.features, *computed_columns(scheme)}
        )
        if column not in known:
            near = nearest_name(column, known)
            hint = (f"; did you mean {near!r}?", f"；是否指 {near!r}？") if near else ("", "")
            yield (
                path,
                Text(
                    f"there is no feature {column!r} under 'features'{hint[0]}",
                    f"features 中没有 {column!r}{hint[1]}",
                ),
            )


def _reads(scheme: Scheme) -> Iterator[tuple[Path, str]]:
    for d, dimension in enumerate(scheme.dimensions):
        for i, indicator in enumerate(dimension.indicators):
            here: Path = ("dimensions", d, "indicators", i)
            yield (*here, "feature"), indicator.feature
            if indicator.proxy is not None:
                yield (*here, "proxy", "feature"), indicator.proxy.feature
    for n, tag in enumerate(scheme.tags):
        if tag.of is not None:
            yield ("tags", n, "of"), tag.of
    for path, column, condition in scheme_conditions(scheme):
        yield path, column
        if condition.of is not None:
            yield (*path, "of"), condition.of


def scheme_conditions(scheme: Scheme) -> Iterator[tuple[Path, str, Condition]]:
    """Every condition of a scheme with its place and its column."""
    whens: list[tuple[Path, tuple[dict[str, Condition], ...]]] = [
        (("labels", n, "rules", r, "when"), rule.when)
        for n, label in enumerate(scheme.labels)
        for r, rule in enumerate(label.rules)
    ]
    whens += [(("triggers", n, "when"), trigger.when) for n, trigger in enumerate(scheme.triggers)]
    whens += [(("tags", n, "when"), tag.when) for n, tag in enumerate(scheme.tags) if tag.when is not None]
    for path, when in whens:
        for alternative in when:
            yield from (((*path, column), column, condition) for column, condition in alternative.items())


def _points(scheme: Scheme) -> Iterator[tuple[Path, Text]]:
    for d, dimension in enumerate(scheme.dimensions):
        for i, indicator in enumerate(dimension.indicators):
            for points in _all_points(indicator):
                if not scheme.points.low <= points <= scheme.points.high:
                    span = f"{plain_number(scheme.points.low)}-{plain_number(scheme.points.high)}"
                    what = Text(
                        f"{indicator.id}: {plain_number(points)} points lie outside {span}",
                        f"{indicator.id}：{plain_number(points)} 分超出 {span}",
                    )
                    yield ("dimensions", d, "indicators", i), what


def _all_points(indicator: Indicator) -> Iterator[Decimal]:
    for _, cuts in indicator.cut_tables():
        yield from (cut.points for cut in cuts)
    yield from (indicator.ordinal or {}).values()
    if indicator.normalise is not None and indicator.normalise.centre is not None:
        yield indicator.normalise.centre


def _weights(scheme: Scheme) -> Iterator[tuple[Path, Text]]:
    whole = scheme.weights_are == "share_of_whole"
    sums: list[tuple[Path, str, Fraction, Fraction]] = []
    for n, dimension in enumerate(scheme.dimensions):
        due = Fraction(dimension.weight) if whole else Fraction(1)
        total = sum((Fraction(i.weight) for i in dimension.indicators), Fraction(0))
        sums.append((("dimensions", n), f"the indicators of {dimension.id!r}", total, due))
    if scheme.dimensions:
        total = sum((Fraction(d.weight) for d in scheme.dimensions), Fraction(0))
        sums.append((("dimensions",), "the dimensions", total, Fraction(1)))
    for path, whose, total, due in sums:
        if total == 0 or (total != due and not scheme.normalise_weights):
            en = f"the weights of {whose} sum to {_decimal(total)}, not {_decimal(due)}"
            yield path, Text(en, f"{whose} 的权重合计为 {_decimal(total)}，应为 {_decimal(due)}")


def _decimal(number: Fraction) -> str:
    return plain_number(Decimal(number.numerator) / Decimal(number.denominator))


def _tables(scheme: Scheme) -> Iterator[tuple[Path, Text]]:
    for d, dimension in enumerate(scheme.dimensions):
        for i, indicator in enumerate(dimension.indicators):
            if indicator.tables is not None and scheme.table not in indicator.tables:
                names = ", ".join(sorted(indicator.tables))
                what = Text(
                    f"{indicator.id} has no table {scheme.table!r}; there are {names}",
                    f"{indicator.id} 没有表 {scheme.table!r}；现有 {names}",
                )
                yield ("dimensions", d, "indicators", i, "tables"), what


def _tiers(scheme: Scheme) -> Iterator[tuple[Path, Text]]:
    if scheme.tier_by == "score":
        reason = partition_fault(list(scheme.tiers))
        starts = [tier.start or (Decimal("-Infinity"), 0) for tier in scheme.tiers]
        if not reason and starts != sorted(starts, reverse=True):
            reason = "the best tier must come first"
        if not reason and not scheme.dimensions:
            reason = "tiers by score need dimensions"
        if reason:
            yield ("tiers",), Text(f"tiers: {reason}", f"等级：{reason}")
        return
    label = next((label for label in scheme.labels if label.id == scheme.tier_by), None)
    if label is None:
        what = Text(f"tier_by names no label: {scheme.tier_by!r}", f"tier_by 不是标签：{scheme.tier_by!r}")
        yield ("tier_by",), what
    elif {value.id for value in label.values} != {tier.id for tier in scheme.tiers}:
        yield (
            ("tiers",),
            Text(f"tiers are not the values of label {label.id!r}", f"等级与标签 {label.id!r} 的取值不一致"),
        )


def _labels(scheme: Scheme) -> Iterator[tuple[Path, Text]]:
    for n, label in enumerate(scheme.labels):
        values = {value.id for value in label.values}
        named: list[tuple[Path, str]] = [(("rules", r, "value"), rule.value) for r, rule in enumerate(label.rules)]
        if label.otherwise is not None:
            named.append((("otherwise",), label.otherwise))
        for path, value in named:
            if value not in values:
                what = Text(f"{value!r} is no value of {label.id!r}", f"{value!r} 不是 {label.id!r} 的取值")
                yield ("labels", n, *path), what


def _money(scheme: Scheme) -> Iterator[tuple[Path, Text]]:
    if scheme.currency is None and any(use.unit == "money" for use in scheme.features.values()):
        yield ("features",), Text("amounts need a 'currency'", "有金额时必须填写 currency")
