"""Why a customer got this tier: which rule of which clause gave which points from which raw value, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tierlens.errors import DataError
from tierlens.grading.feature_columns import Columns, kinds_of
from tierlens.grading.labels import say_flags
from tierlens.grading.rules import Alternatives
from tierlens.grading.scheme.grammar import UNITS, Band, Condition, plain_number
from tierlens.grading.scheme.parts import Indicator, Label, Rule
from tierlens.grading.scheme.scheme import Scheme
from tierlens.grading.value_words import value_word
from tierlens.sources.tables import Currency
from tierlens.words import Lang, Text

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, Any]

METHODS = {
    "min_max": Text("between the lowest and the highest", "最小-最大归一化"),
    "z_score": Text("z-score", "Z分数"),
    "percentile": Text("percentile", "百分位"),
}
POLICIES = {
    "renormalise": Text("left out, the weights of the others grow", "不计分，其余指标权重按比例放大"),
    "worst": Text("counts as the worst", "按最低分计"),
    "neutral": Text("counts as the middle", "按中间分计"),
    "not_graded": Text("the customer is not graded", "不予评级"),
}


def grade_evidence(
    graded: pa.Table, features: pa.Table, scheme: Scheme, currency: Currency, lang: Lang
) -> list[list[str]]:
    """Return the sentences behind each graded row.

    Parameters
    ----------
    graded : pyarrow.Table
        From ``grade``.
    features : pyarrow.Table
        The feature table that was graded, in any order.
    scheme : Scheme
        The rules.
    currency : Currency
        The currency whose minor units the money columns are in.
    lang : {"en", "zh"}
        Language.

    Returns
    -------
    list of list of str
        For each row of ``graded``: one sentence for each indicator with weight or data, then the composite and tier,
        the labels, and the triggers that fired.

    Raises
    ------
    DataError
        ``E-GR-003`` when a graded row has no features.

    Examples
    --------
    >>> import duckdb, narwhals as nw
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> from tierlens.grading.scoring import grade
    >>> rows = "select 'C1' as customer_id, 15126::int as cutoff, 60000000::bigint as monetary"
    >>> features, scheme = nw.from_native(duckdb.sql(rows)), load_scheme("relationship_rating")
    >>> graded = grade(features, scheme, Currency("CNY")).collect("pyarrow").to_native()
    >>> table = features.collect("pyarrow").to_native()
    >>> print(grade_evidence(graded, table, scheme, Currency("CNY"), "en")[0][0])
    Annual amount: 600,000.00 CNY is at least 500,000 CNY and below 1,000,000 CNY: 7 points (通用分段：50万-100万)
    """
    teller = Teller(Columns(scheme, currency, kinds_of(features.schema)), lang)
    known = {(row["customer_id"], row["cutoff"]): row for row in features.to_pylist()}
    found = []
    for row in graded.to_pylist():
        key = (row["customer_id"], row["cutoff"])
        if key not in known:
            what = Text(f"customer {key[0]} was graded without features", f"客户 {key[0]} 没有特征数据")
            raise DataError("E-GR-003", what)
        found.append(teller.sentences(row, known[key]))
    return found


@dataclass(frozen=True)
class Teller:
    """Writes sentences about rows.

    Parameters
    ----------
    columns : Columns
        The feature table that was graded.
    lang : {"en", "zh"}
        Language.
    """

    columns: Columns
    lang: Lang

    @property
    def scheme(self) -> Scheme:
        """The rules."""
        return self.columns.scheme

    def sentences(self, graded: Row, features: Row) -> list[str]:
        """Return every sentence about one customer."""
        lines = [line for _, i in self.scheme.indicators if (line := self.indicator(i, graded, features))]
        return lines + self.conclusions(graded, features)

    def conclusions(self, graded: Row, features: Row) -> list[str]:
        """Return what follows from the indicators: what had no data, the tier, labels and triggers."""
        lines = [*self._without_data(graded, features), *self._tier(graded)]
        both = self.everything(graded, features)
        lines += [self._label(label, both) for label in self.scheme.labels]
        for trigger in self.scheme.triggers:
            if graded[f"trigger_{trigger.id}"]:
                words = "Trigger: {}: {} ({})", "触发：{}：{}（{}）"
                lines.append(self.say(*words, trigger.title, self.because(trigger.when, both), trigger.source))
        return lines

    def everything(self, graded: Row, features: Row) -> Row:
        """Return every column that a rule may read: features, what grading added, and mean points of dimensions."""
        factor = float(self.scheme.to_score)
        scores = {d.id: graded[f"score_{d.id}"] for d in self.scheme.dimensions}
        means = {f"points_{d}": None if score is None else round(score / factor, 9) for d, score in scores.items()}
        return {**features, **graded, **means}

    def indicator(self, indicator: Indicator, graded: Row, features: Row) -> str:
        """Return the sentence about one indicator; empty where it has no data."""
        source = self.columns.source_of(indicator)
        value = None if source is None else finite_or_none(features.get(source))
        points = graded[f"points_{indicator.id}"]
        by_hand = features.get(f"points_{indicator.id}")
        if by_hand is not None and points == by_hand:
            head = self.say("{}: {} points, given by hand", "{}：{}分，人工评定", indicator.title, number_text(points))
            return f"{head}{self._clause(indicator.source)}"
        if value is None or source is None:
            return ""
        told = self.amount(source, value)
        how, clause = self._how(indicator, value, source)
        proxy = self._proxy(indicator, source)
        if points is None:
            words = "{}: {} is no value that the scheme knows", "{}：{} 不在方案所列取值之内"
            return self.say(*words, indicator.title, told) + self._clause(clause)
        words = "{}: {} {}: {} points", "{}：{}（{}）：{}分"
        return self.say(*words, indicator.title, told, how, number_text(points)) + self._clause(clause) + proxy

    def _without_data(self, graded: Row, features: Row) -> Iterator[str]:
        """One sentence for each policy, on all the indicators with weight that had no data."""
        for policy, words in POLICIES.items():
            bound = [
                i for _, i in self.scheme.indicators if self.scheme.shares[i.id] and self.scheme.policy(i) == policy
            ]
            silent = [i for i in bound if not self._has_data(i, graded, features)]
            if silent:
                names = self.say(", ", "、").join(i.title.say(self.lang) for i in silent)
                share = f"{100 * float(sum(self.scheme.shares[i.id] for i in silent)):.3g}%"
                yield self.say("No data, {} of the weight: {}; {}", "无数据（权重合计{}）：{}；{}", share, names, words)

    def _has_data(self, indicator: Indicator, graded: Row, features: Row) -> bool:
        source = self.columns.source_of(indicator)
        by_hand = features.get(f"points_{indicator.id}")
        known = source is not None and finite_or_none(features.get(source)) is not None
        return known or (by_hand is not None and by_hand == graded[f"points_{indicator.id}"])

    def _how(self, indicator: Indicator, value: Any, source: str) -> tuple[str, str]:
        """How a raw value becomes points, and the clause."""
        for cut in self.scheme.cuts_of(indicator):
            if self.columns.holds(source, cut, value):
                return self.span(source, cut), cut.source or indicator.source
        if indicator.normalise is not None:
            method = METHODS[indicator.normalise.method]
            return self.say("against the graded customers ({})", "与同期评级客户比较，{}", method), indicator.source
        if indicator.given is not None:
            low, high = plain_number(indicator.given.low), plain_number(indicator.given.high)
            return self.say("on its scale of {} to {}", "按{}至{}分制", low, high), indicator.source
        return self.say("in the table of the scheme", "按方案对照表"), indicator.source

    def _proxy(self, indicator: Indicator, source: str) -> str:
        if indicator.proxy is None or source == indicator.feature:
            return ""
        notes = " ".join(note.text.say(self.lang) for note in indicator.proxy.note)
        return self.say(" Proxy: {}. {}", "代理指标：{}。{}", self.scheme.title_of(source), notes)

    def _tier(self, graded: Row) -> Iterator[str]:
        tier = next((tier for tier in self.scheme.tiers if tier.id == graded["tier"]), None)
        score = graded["score"]
        if tier is None:
            flags = say_flags(graded["flags"], self.lang) or "-"
            yield self.say("Not graded ({})", "未评级（{}）", flags)
        elif self.scheme.tier_by == "score":
            coverage = f"{100 * graded['coverage']:.0f}%"
            words = "Score {} {}: tier {} {}; {} of the weight had data ({})"
            mandarin = "综合得分 {} {}：{}级 {}；{} 的权重有数据（{}）"
            span = self.span("score", tier)
            yield self.say(words, mandarin, number_text(score), span, tier.id, tier.title, coverage, tier.source)
        elif len(tier.id) == 1:
            yield self.say("Tier {} {} ({})", "等级 {} {}（{}）", tier.id, tier.title, tier.source)
        else:
            yield self.say("Tier {} ({})", "等级 {}（{}）", tier.title, tier.source)

    def _label(self, label: Label, both: Row) -> str:
        value = both[f"label_{label.id}"]
        title = next((v.title for v in label.values if v.id == value), Text("none", "无"))
        rule = self.fired(label, both)
        if rule is None:
            return self.say(
                "{}: {}, as no rule holds ({})", "{}：{}，无规则命中（{}）", label.title, title, label.source
            )
        reason = self.because(rule.when, both)
        flag = self.say(" Flag: {}.", "标记：{}。", say_flags(rule.flag, self.lang)) if rule.flag else ""
        return (
            self.say("{}: {}, because {} ({})", "{}：{}，因为{}（{}）", label.title, title, reason, rule.source) + flag
        )

    def fired(self, label: Label, both: Row) -> Rule | None:
        """Return the rule that gave a label its value."""
        return next((rule for rule in label.rules if self.alternative(rule.when, both) is not None), None)

    def alternative(self, when: Alternatives, both: Row) -> dict[str, Condition] | None:
        """Return the first alternative of a rule that holds for a customer."""
        return next((a for a in when if all(self._meets(name, c, both) for name, c in a.items())), None)

    def _meets(self, column: str, condition: Condition, both: Row) -> bool:
        value = finite_or_none(both.get(column))
        if condition.missing is not None:
            return (value is None) == condition.missing
        if value is None:
            return False
        if condition.among is not None:
            return value in condition.among
        if condition.of is not None:
            other = finite_or_none(both.get(condition.of))
            return other is not None and condition.holds_times(Fraction(value), Fraction(other))
        return self._is(column, condition, value)

    def _is(self, column: str, condition: Condition, value: Any) -> bool:
        if condition.equals is None:
            return self.columns.holds(column, condition, value)
        if isinstance(condition.equals, Decimal):
            return bool(Fraction(value) == self.columns.bound(column, condition.equals))
        return bool(value == condition.equals)

    def because(self, when: Alternatives, both: Row) -> str:
        """Return the values that let a rule hold."""
        alternative = self.alternative(when, both) or {}
        parts = []
        for column, condition in alternative.items():
            value = finite_or_none(both.get(column))
            told = self.say("missing", "缺失") if value is None else self.amount(column, value)
            parts.append(f"{self.scheme.title_of(column).say(self.lang)} {told}{self._asked(column, condition)}")
        return self.say(" and ", "且").join(parts)

    def _asked(self, column: str, condition: Condition) -> str:
        if not condition.bounded:
            return ""
        if condition.of is None:
            return f" {self.span(column, condition)}"
        words = " {} times {}", " {} 倍 {}"
        return self.say(*words, self.span("score", condition), self.scheme.title_of(condition.of))

    def span(self, column: str, band: Band) -> str:
        """Write a band with its unit, in words."""
        return say_band(band, lambda value: self.limit(column, value)).say(self.lang)

    def limit(self, column: str, value: Decimal) -> str:
        """Write a bound of the scheme with its unit."""
        use = self.scheme.features.get(column)
        if use is None or use.unit == "score":
            return f"{value:,f}"
        if use.unit == "money":
            return f"{value:,f} {self.scheme.currency}"
        if use.unit == "share":
            return f"{plain_number(100 * value)}%"
        return f"{value:,f} {UNITS[use.unit].say(self.lang)}"

    def amount(self, column: str, value: Any) -> str:
        """Write a raw value with its unit."""
        if isinstance(value, str | bool):
            return value_word(self.scheme, column, value).say(self.lang)
        use = self.scheme.features.get(column)
        if use is None:
            return number_text(value)
        if use.unit == "money":
            return f"{value / self.columns.currency.minor:,.2f} {self.columns.currency.code}"
        if use.unit == "share":
            return f"{100 * value:.1f}%"
        return f"{number_text(value)} {UNITS[use.unit].say(self.lang)}"

    def _clause(self, source: str) -> str:
        return self.say(" ({})", "（{}）", source)

    def say(self, en: str, zh: str, *values: object) -> str:
        """Fill values into the text of the language."""
        told = [value.say(self.lang) if isinstance(value, Text) else value for value in values]
        return (zh if self.lang == "zh" else en).format(*told)


def say_band(band: Band, limit: Callable[[Decimal], str]) -> Text:
    """Write a band in words.

    Examples
    --------
    >>> say_band(Band(at_least=75, below=90), plain_number)
    Text(en='is at least 75 and below 90', zh='≥75且＜90')
    """
    ends = [
        ("is at least", "≥", band.at_least),
        ("is above", "＞", band.above),
        ("is below", "＜", band.below),
        ("is at most", "≤", band.at_most),
    ]
    given = [(en, zh, limit(value)) for en, zh, value in ends if value is not None]
    words = " and ".join(f"{en} {value}" for en, _, value in given).replace("and is", "and")
    return Text(words or "is any number", "且".join(f"{zh}{value}" for _, zh, value in given) or "为任意值")


def finite_or_none(value: Any) -> Any:
    """Return a value, or nothing where it is no number at all."""
    return None if isinstance(value, float) and value - value != 0 else value


def number_text(value: Any) -> str:
    """Write a number for people: 3 places, or 9 where 3 would make it look like a whole number that it is not.

    Examples
    --------
    >>> number_text(80.625), number_text(7.0), number_text(5.951380262), number_text(89.9999), number_text("text")
    ('80.625', '7', '5.951', '89.9999', 'text')
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    close = round(value, 3) == round(value) != value
    text = f"{value:,.9f}" if close else f"{value:,.3f}"
    return text.rstrip("0").rstrip(".")
