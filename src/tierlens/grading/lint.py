"""Check a scheme beyond its grammar: what can never happen, what is left open, and what each indicator is worth.

What a file must obey to load at all (exact weights, cuts and tiers without gap or overlap, points that follow the
declared direction) stands in ``checks``. Here cells of values are enumerated for every label, the reachable range of
the score is held against the tiers, and made-up customers are graded twice to see that neither the unit of money nor
their number changes anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from tierlens.grading import rule_cells
from tierlens.grading.effect import average_told
from tierlens.grading.probe import probe_scheme
from tierlens.grading.scheme.duties import KINDS
from tierlens.grading.scheme.grammar import Band, plain_number
from tierlens.grading.scheme.parts import Indicator, Label
from tierlens.grading.scheme.scheme import Scheme
from tierlens.words import Text

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """Something that a reader of a scheme should know.

    Parameters
    ----------
    level : {"error", "warning", "note"}
        ``error`` must be changed; ``warning`` should be looked at; ``note`` is for information.
    place : str
        Part of the scheme: ``labels.stage``, ``tiers``.
    text : Text
        What was found.
    """

    level: Level
    place: str
    text: Text


@dataclass(frozen=True)
class Contribution:
    """What an indicator can contribute to the composite when every value is there.

    Parameters
    ----------
    dimension, indicator : str
        Identifiers.
    share : Fraction
        Of the composite, 0-1.
    lowest, highest : Decimal
        Points that can occur.
    span : Fraction
        By how much it can move the composite, on 0-100.
    """

    dimension: str
    indicator: str
    share: Fraction
    lowest: Decimal
    highest: Decimal
    span: Fraction


def indicator_contributions(scheme: Scheme) -> list[Contribution]:
    """Return what each indicator can contribute, in the order of the file.

    Examples
    --------
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> first = indicator_contributions(load_scheme("relationship_rating"))[0]
    >>> first.indicator, float(first.share), float(first.span)
    ('annual_amount', 0.09, 6.3)
    """
    found = []
    for dimension, indicator in scheme.indicators:
        low, high = points_range(scheme, indicator)
        share = scheme.shares[indicator.id]
        span = share * Fraction(high - low) * scheme.to_score
        found.append(Contribution(dimension.id, indicator.id, share, low, high, span))
    return found


def points_range(scheme: Scheme, indicator: Indicator) -> tuple[Decimal, Decimal]:
    """Return the fewest and the most points that an indicator can get from a value."""
    if indicator.ordinal is not None:
        return min(indicator.ordinal.values()), max(indicator.ordinal.values())
    use = scheme.features[indicator.feature]
    reached = [cut.points for cut in scheme.cuts_of(indicator) if rule_cells.can_hold(use, cut)]
    if reached:
        return min(reached), max(reached)
    return scheme.points.low, scheme.points.high


def check_scheme(scheme: Scheme) -> list[Finding]:
    """Return everything that the linter finds; no ``error`` among them means that the scheme can be used.

    Parameters
    ----------
    scheme : Scheme
        A scheme that loads.

    Examples
    --------
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> [finding.text.en for finding in check_scheme(load_scheme("relationship_rating")) if finding.level == "error"]
    []
    """
    found = [*_cuts(scheme), *_tiers(scheme), *_weights(scheme), *_shares(scheme), *_unread(scheme)]
    for label in scheme.labels:
        found += _label(scheme, label)
    return found + [Finding("error", "grade", fault) for fault in probe_scheme(scheme)]


def _unread(scheme: Scheme) -> Iterator[Finding]:
    """Say of the parameters and practices of a scheme that they are stated for people."""
    stated = [(f"parameters.{one.id}", one.title) for one in scheme.parameters]
    for practice in scheme.practices:
        kind, title = KINDS[practice.kind], practice.title
        stated.append((f"practices.{practice.id}", Text(f"{kind.en}: {title.en}", f"{kind.zh}：{title.zh}")))
    for place, title in stated:
        what = Text(
            f"{title.en}: stated for people; no command reads it yet", f"{title.zh}：仅供查阅，目前没有命令读取"
        )
        yield Finding("note", place, what)


def _cuts(scheme: Scheme) -> Iterator[Finding]:
    for dimension, indicator in scheme.indicators:
        use = scheme.features[indicator.feature]
        for table, cuts in indicator.cut_tables():
            place = f"{dimension.id}.{indicator.id}{f'.{table}' if table else ''}"
            for cut in cuts:
                if not rule_cells.can_hold(use, cut):
                    what = Text(f"no value can lie in {cut.say()}", f"没有取值能落入 {cut.say()}")
                    yield Finding("error", place, what)
        low, high = points_range(scheme, indicator)
        if low == high:
            what = Text(f"every value gets {plain_number(low)} points", f"任何取值均得 {plain_number(low)} 分")
            yield Finding("warning", f"{dimension.id}.{indicator.id}", what)


def score_range(scheme: Scheme) -> tuple[Fraction, Fraction]:
    """Return the lowest and the highest composite that can occur with every value there."""
    parts = indicator_contributions(scheme)
    low = sum((part.share * Fraction(part.lowest) for part in parts), Fraction(0)) * scheme.to_score
    return low, sum((part.share * Fraction(part.highest) for part in parts), Fraction(0)) * scheme.to_score


def _tiers(scheme: Scheme) -> Iterator[Finding]:
    if scheme.tier_by != "score":
        return
    low, high = score_range(scheme)
    for tier in scheme.tiers:
        under = tier.start is not None and not _reaches(tier, high)
        over = tier.end is not None and not _reaches(tier, low)
        if under or over:
            span = f"{float(low):g}-{float(high):g}"
            what = Text(
                f"tier {tier.id} cannot be reached with every value there; scores run over {span}",
                f"所有指标有值时无法达到{tier.id}级；得分范围为 {span}",
            )
            yield Finding("warning", f"tiers.{tier.id}", what)
    average = average_told(scheme)
    if average is not None:
        yield Finding("note", "tiers", average)


def _reaches(tier: Band, score: Fraction) -> bool:
    """Whether a score from the end of the range gets into a tier or beyond it."""
    if tier.start is not None and tier.end is None:
        return tier.holds(score)
    if tier.start is None:
        return tier.holds(score)
    return True


def _weights(scheme: Scheme) -> Iterator[Finding]:
    for dimension, indicator in scheme.indicators:
        if not scheme.shares[indicator.id]:
            what = Text("has weight 0 and takes no part in the composite", "权重为0，不参与综合得分")
            yield Finding("note", f"{dimension.id}.{indicator.id}", what)


def _shares(scheme: Scheme) -> Iterator[Finding]:
    given = [tier.share for tier in scheme.tiers if tier.share is not None]
    if len(given) < len(scheme.tiers):
        return
    low, high = (sum(share[end] for share in given) for end in (0, 1))
    if not low <= 1 <= high:
        yield Finding("error", "tiers", Text("suggested shares cannot sum to 100%", "建议占比无法合计为100%"))
    elif low != 1 or high != 1:
        span = f"{plain_number(Decimal(100 * low))}-{plain_number(Decimal(100 * high))}%"
        en = f"suggested shares sum to {span}; they are reported, never forced"
        what = Text(en, f"建议占比合计{span}；仅报告，不强制")
        yield Finding("note", "tiers", what)


def _label(scheme: Scheme, label: Label) -> Iterator[Finding]:
    place = f"labels.{label.id}"
    found = rule_cells.label_cells(scheme, label)
    if found is None:
        yield Finding("warning", place, Text("too many cells to look at all of them", "组合过多，未逐一检查"))
        return
    for number, rule in enumerate(label.rules, start=1):
        if number not in found.fired:
            what = Text(f"rule {number} ({rule.value}) can never fire", f"第{number}条规则（{rule.value}）永远不会命中")
            yield Finding("error", place, what)
    given = {rule.value for rule in label.rules} | {label.otherwise}
    for value in label.values:
        if value.id not in given:
            yield Finding("error", place, Text(f"nothing gives {value.id!r}", f"没有规则给出 {value.id!r}"))
    if label.otherwise is None and found.gap is not None:
        gap = ", ".join(f"{name} {value}" for name, value in found.gap.items())
        what = Text(f"no rule fits, for instance: {gap}", f"无规则命中，例如：{gap}")
        yield Finding("warning", place, what)
