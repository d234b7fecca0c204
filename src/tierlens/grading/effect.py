"""What a scheme's reading does on the customers at hand, in plain sentences.

Shares beside those that the document suggests, tiers that nobody reaches and why, labels that fit nobody, customers
without a tier, triggers that fire for nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tierlens.grading.evidence import Teller, number_text
from tierlens.grading.feature_columns import Columns, kinds_of
from tierlens.grading.labels import FLAGS, REFUSING
from tierlens.grading.scheme.grammar import Condition, plain_number
from tierlens.grading.scheme.parts import Label, Tier
from tierlens.grading.scheme.scheme import Scheme
from tierlens.sources.tables import Currency
from tierlens.words import Private, Text, composed_text

if TYPE_CHECKING:
    import pyarrow as pa


def scheme_effect(
    graded: pa.Table, features: pa.Table, scheme: Scheme, currency: Currency, counted: Sequence[bool] | None = None
) -> list[Text]:
    """Return sentences on what a scheme does to graded customers.

    Parameters
    ----------
    graded : pyarrow.Table
        From ``grade``, at one cutoff.
    features : pyarrow.Table
        The table that was graded, the same rows.
    scheme : Scheme
    currency : Currency
        Of ``features``.
    counted : sequence of bool, optional
        The rows whose shares are told: the population that others are compared with. Everybody by default.

    Examples
    --------
    >>> import duckdb, narwhals as nw
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> from tierlens.grading.scoring import grade
    >>> rows = "select 'c' || i as customer_id, 1::int as cutoff, (i * 1e7)::bigint as monetary from range(9) t(i)"
    >>> table = duckdb.sql(rows).to_arrow_table()
    >>> five, money = load_scheme("five_step"), Currency("CNY")
    >>> graded = grade(nw.from_native(duckdb.from_arrow(table)), five, money).collect("pyarrow").to_native()
    >>> print(scheme_effect(graded, table, five, money)[0].en)
    Of 9 graded customers: Strategic customers 0.0%; Core customers 66.7%; Development customers 0.0%; ...
    """
    return list(_Effect(graded, features, scheme, currency, counted).told())


def average_tier(scheme: Scheme) -> tuple[Fraction, Tier] | None:
    """Return score and tier of who is average in everything; None where tiers do not go by the score.

    By z-score the average customer gets ``centre``; by percentile and between the ends the middle of the points. What
    is not compared counts with the middle of the points too: ``compared_share`` says how much of the weight is.

    Examples
    --------
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> score, tier = average_tier(load_scheme("tiered_management"))
    """
    if scheme.tier_by != "score":
        return None
    total = Fraction(0)
    for _, indicator in scheme.indicators:
        way = indicator.normalise
        middle = scheme.points.middle if way is None or way.centre is None else way.centre
        total += scheme.shares[indicator.id] * Fraction(middle)
    score = total * scheme.to_score
    return score, next(tier for tier in scheme.tiers if tier.holds(score))


def compared_share(scheme: Scheme) -> Fraction:
    """Return the share of the weight whose points come from a comparison with the population."""
    return sum((scheme.shares[i.id] for _, i in scheme.indicators if i.normalise is not None), Fraction(0))


def average_told(scheme: Scheme) -> Text | None:
    """Say where the scheme's own centre puts an average customer; None where little of the weight is compared."""
    found, compared = average_tier(scheme), compared_share(scheme)
    if found is None or compared <= Fraction(1, 2):
        return None
    score, tier = found
    return Text(
        f"A customer who is average in everything gets {float(score):.3g} of 100, which is tier {tier.id}: "
        f"{float(compared):.0%} of the weight is compared with the other customers, and the scheme puts their middle "
        "there",
        f"各项指标均居中的客户得 {float(score):.3g} 分（满分100），属{tier.id}级：{float(compared):.0%} 的权重与其他"
        "客户比较得分，方案将其中间水平定在此处",
    )


@dataclass(frozen=True)
class _Effect:
    """Writes the sentences of one graded table."""

    graded: pa.Table
    features: pa.Table
    scheme: Scheme
    currency: Currency
    counted: Sequence[bool] | None

    def told(self) -> Iterator[Text]:
        yield self._shares()
        yield from self._unreached()
        yield from self._ungraded()
        for label in self.scheme.labels:
            if label.id != self.scheme.tier_by:
                yield self._label(label)
        yield from self._triggers()

    @property
    def population(self) -> pa.Table:
        import pyarrow as pa

        return self.graded if self.counted is None else self.graded.filter(pa.array(list(self.counted), pa.bool_()))

    def _shares(self) -> Text:
        given = [tier for tier in self.population["tier"].to_pylist() if tier is not None]
        en, zh = [], []
        for tier in self.scheme.tiers:
            share = given.count(tier.id) / max(len(given), 1)
            name = Text(*(_tier_name(tier).say(lang) for lang in ("en", "zh")))
            beside = _beside(share, tier)
            en.append(f"{name.en} {100 * share:.1f}%{beside.en}")
            zh.append(f"{name.zh} {100 * share:.1f}%{beside.zh}")
        return Text(
            f"Of {len(given):,} graded customers: {'; '.join(en)}", f"已评级 {len(given):,} 位客户：{'；'.join(zh)}"
        )

    def _unreached(self) -> Iterator[Text]:
        there = set(self.graded["tier"].to_pylist())
        missed = [tier for tier in self.scheme.tiers if tier.id not in there]
        by_score = self.scheme.tier_by == "score"
        for tier in missed:
            why = self._why_by_score(tier) if by_score else self._why_by_rule(tier)
            name = _tier_name(tier)
            yield composed_text(_nobody, [name, why])
        average = average_told(self.scheme)
        if by_score and average is not None and (missed or self.scheme.tiers[-1].id == average_tier_id(self.scheme)):
            yield average

    def _why_by_score(self, tier: Tier) -> Text:
        import numpy as np

        scores = [score for score in self.population["score"].to_pylist() if score is not None]
        if not scores or tier.start is None:
            return Text("", "")
        best, middle, bound = max(scores), float(np.median(scores)), plain_number(tier.start[0])
        return Text(
            f": it begins at a score of {bound}; the best score is {number_text(round(best, 1))}, the median "
            f"{number_text(round(middle, 1))}",
            f"：该级自 {bound} 分起，最高分 {number_text(round(best, 1))}，中位数 {number_text(round(middle, 1))}",
        )

    def _why_by_rule(self, tier: Tier) -> Text:
        """Hold the largest value of each column against the bound that a rule of the tier asks for."""
        label = next(label for label in self.scheme.labels if label.id == self.scheme.tier_by)
        rules = [rule for rule in label.rules if rule.value == tier.id]
        asked = [pair for rule in rules for when in rule.when for pair in when.items()]
        said = [self._best(column, condition) for column, condition in asked if condition.start is not None]
        parts = [one for one in said if one is not None]
        if not parts:
            return Text("", "")
        return composed_text(_rules_told, parts)

    def _best(self, column: str, condition: Condition) -> Text | None:
        """Say what a rule asks for and what the largest value is: one customer's, and so not for everybody."""
        import pyarrow.compute as pc

        if condition.of is not None:
            return None
        title = self.scheme.title_of(column)
        if column not in self.features.column_names or self.features[column].null_count == self.features.num_rows:
            return Text(f"no data for {title.en}", f"缺少{title.zh}数据")
        largest = pc.max(self.features[column]).as_py()
        en, zh = (Teller(Columns(self.scheme, self.currency, kinds_of(self.features.schema)), lang)
                  for lang in ("en", "zh"))  # fmt: skip
        asked = Text(f"the rule asks that {title.en} {en.span(column, condition)}",
                     f"规则要求{title.zh}{zh.span(column, condition)}")  # fmt: skip
        return Private.of(
            Text(f"{asked.en}; the largest is {en.amount(column, largest)}",
                 f"{asked.zh}，最大值为 {zh.amount(column, largest)}"), asked,
        )  # fmt: skip

    def _ungraded(self) -> Iterator[Text]:
        import pyarrow.compute as pc

        without = self.graded.filter(pc.is_null(self.graded["tier"]))["flags"].to_pylist()
        if not without:
            return
        why = [next((word for word in REFUSING if word in flags.split()), "not_graded") for flags in without]
        parts = [(FLAGS[word], why.count(word)) for word in REFUSING if word in why]
        share = _percent(len(without), self.graded.num_rows)
        en = "; ".join(f"{text.en} ({n:,})" for text, n in parts)
        zh = "；".join(f"{text.zh}（{n:,}）" for text, n in parts)
        yield Text(
            f"Without a tier: {len(without):,} of {self.graded.num_rows:,} known customers ({share}%): {en}",
            f"无等级：{self.graded.num_rows:,} 位已知客户中 {len(without):,} 位（{share}%）：{zh}",
        )

    def _label(self, label: Label) -> Text:
        """Say the share of each value among the population and, where that is not everybody, among all."""
        crowds = [self.population[f"label_{label.id}"].to_pylist(), self.graded[f"label_{label.id}"].to_pylist()]
        crowds = crowds[: 1 if len(crowds[0]) == len(crowds[1]) else 2]
        values: list[tuple[Any, Text]] = [(value.id, value.title) for value in label.values]
        values += [(None, Text("none", "无"))] if None in crowds[-1] else []
        shares = [" / ".join(_percent(crowd.count(value), len(crowd)) for crowd in crowds) for value, _ in values]
        of = Text("", "") if len(crowds) == 1 else Text(
            f" (% of {len(crowds[0]):,} compared / of all {len(crowds[1]):,} known)",
            f"（占比较总体 {len(crowds[0]):,} 位 / 占全部已知 {len(crowds[1]):,} 位，%）",
        )  # fmt: skip
        sign = "%" if len(crowds) == 1 else ""
        en = ", ".join(f"{title.en} {share}{sign}" for (_, title), share in zip(values, shares, strict=True))
        zh = "，".join(f"{title.zh} {share}{sign.strip()}" for (_, title), share in zip(values, shares, strict=True))
        return Text(f"{label.title.en}{of.en}: {en}", f"{label.title.zh}{of.zh}：{zh}")

    def _triggers(self) -> Iterator[Text]:
        import pyarrow.compute as pc

        for trigger in self.scheme.triggers:
            fires = int(pc.sum(self.graded[f"trigger_{trigger.id}"]).as_py() or 0)
            if fires:
                yield Text(
                    f"{trigger.title.en}: fires for {fires:,} of {self.graded.num_rows:,} known customers",
                    f"{trigger.title.zh}：{self.graded.num_rows:,} 位已知客户中触发 {fires:,} 位",
                )
                continue
            read = sorted({column for when in trigger.when for column in when if self._empty(column)})
            en, zh = (", ".join(self.scheme.title_of(c).say(lang) for c in read) for lang in ("en", "zh"))
            why = Text(f": no data for {en}", f"：缺少{zh}数据") if read else Text("", "")
            yield Text(f"{trigger.title.en}: fires for nobody{why.en}", f"{trigger.title.zh}：未触发任何客户{why.zh}")

    def _empty(self, column: str) -> bool:
        if column not in self.features.column_names:
            return column in self.scheme.features
        return bool(self.features[column].null_count == self.features.num_rows)


def average_tier_id(scheme: Scheme) -> str | None:
    """Return the tier of who is average in everything."""
    found = average_tier(scheme)
    return None if found is None else found[1].id


def _nobody(parts: Sequence[Text]) -> Text:
    name, why = parts
    return Text(f"Nobody is in {name.en}{why.en}", f"没有客户属于{name.zh}{why.zh}")


def _rules_told(parts: Sequence[Text]) -> Text:
    return Text(": " + "; ".join(part.en for part in parts), "：" + "；".join(part.zh for part in parts))


def _tier_name(tier: Tier) -> Text:
    if len(tier.id) > 1:
        return tier.title
    return Text(f"tier {tier.id} ({tier.title.en})", f"{tier.id}级（{tier.title.zh}）")


def _beside(share: float, tier: Tier) -> Text:
    """Hold a share against the one that the document suggests."""
    if tier.share is None:
        return Text("", "")
    low, high = (plain_number(Decimal(100 * end)) for end in tier.share)
    if share < tier.share[0]:
        word = Text("fewer", "偏少")
    elif share > tier.share[1]:
        word = Text("more", "偏多")
    else:
        word = Text("as suggested", "相符")
    span = low if low == high else f"{low}-{high}"
    return Text(f" (suggested {span}%: {word.en})", f"（建议 {span}%：{word.zh}）")


def _percent(some: int, whole: int) -> str:
    return f"{100 * some / max(whole, 1):.1f}"
