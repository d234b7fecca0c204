"""What follows from points and scores: tiers, labels, triggers, tags and flags, compiled to expressions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import reduce
from operator import or_

import narwhals as nw

from tierlens.grading.feature_columns import Columns, Frame, Kind, has_history
from tierlens.grading.rules import first_of, lower_ends, rule_holds
from tierlens.grading.scheme.grammar import Band, Condition
from tierlens.grading.scheme.parts import Label, Tag
from tierlens.words import Lang, Text

FLAGS: dict[str, Text] = {
    "no_history": Text("no history: never bought before the cutoff", "无交易记录：截止日前从未购买"),
    "not_graded": Text("not graded", "不予评级"),
    "short_tenure": Text("known for too short", "合作时间过短"),
    "unclassified": Text("fits no tier", "不属于任何等级"),
    "missing": Text("indicators without data", "部分指标无数据"),
    "low_coverage": Text("little of the weight has data", "有数据的权重偏低"),
    "borderline": Text("close to a bound", "接近分界"),
    "out_of_range": Text("a score off its scale", "评分超出量表"),
    "unknown_value": Text("a word that the scheme does not know", "取值不在方案之列"),
    "proxy": Text("proxies stand in", "使用了代理指标"),
    "undocumented_band": Text("in a band that the document leaves out", "处于文档未列区间"),
}
"""What the flags say; a scheme's own flags are shown as they are."""

REFUSING = ("no_history", "short_tenure", "unclassified", "not_graded")
"""Flags that say why a customer has no tier, the plainest reason first."""

NO_WORD = nw.lit(None, dtype=nw.String)


def after_scoring(columns: Columns) -> Columns:
    """Return the columns that rules may read once points and scores are there."""
    scheme = columns.scheme
    dimensions = [dimension.id for dimension in scheme.dimensions]
    names = [f"points_{indicator.id}" for _, indicator in scheme.indicators]
    names += [f"{kind}_{dimension}" for dimension in dimensions for kind in ("points", "score")]
    added: dict[str, Kind] = dict.fromkeys([*names, "score", "coverage"], "real")
    return replace(columns, kinds={**columns.kinds, **added})


def with_tiers_and_labels(scored: Frame, columns: Columns) -> tuple[Frame, Columns]:
    """Add ``tier``, ``tier_rank`` and ``label_<label>``; each may read what stands before it."""
    by_score = columns.scheme.tier_by == "score"
    if by_score:
        scored, columns = _with_tier(scored, columns, _tier_by_score(columns))
    for label in columns.scheme.labels:
        name = f"label_{label.id}"
        scored = scored.with_columns(label_column(label, columns).alias(name))
        columns = replace(columns, kinds={**columns.kinds, name: "text"})
    if not by_score:
        scored, columns = _with_tier(scored, columns, nw.col(f"label_{columns.scheme.tier_by}"))
    return scored, columns


def _with_tier(frame: Frame, columns: Columns, tier: nw.Expr) -> tuple[Frame, Columns]:
    refused = reduce(or_, [condition for _, condition in refusal_flags(columns)])
    tiered = frame.with_columns(nw.when(~refused).then(tier).alias("tier"))
    ranks = [(nw.col("tier") == tier.id, nw.lit(rank)) for rank, tier in enumerate(columns.scheme.tiers, start=1)]
    ranked = tiered.with_columns(first_of(ranks, nw.lit(None, dtype=nw.Int64)).cast(nw.Int32).alias("tier_rank"))
    return ranked, replace(columns, kinds={**columns.kinds, "tier": "text"})


def _tier_by_score(columns: Columns) -> nw.Expr:
    asked = lower_ends(list(columns.scheme.tiers))
    return first_of([(columns.within("score", ask), nw.lit(columns.scheme.tiers[n].id)) for n, ask in asked], NO_WORD)


def refusal_flags(columns: Columns) -> Iterator[tuple[str, nw.Expr]]:
    """Why a customer is not graded, each with its flag; never missing."""
    scheme = columns.scheme
    bought = has_history(columns)
    if bought is not None and scheme.tier_by == "score":
        yield "no_history", ~bought
    unfit = [nw.col("lacking")]
    if scheme.minimum_coverage > 0:
        unfit.append(nw.col("coverage") < float(scheme.minimum_coverage))
    if scheme.tier_by == "score":
        unfit.append(nw.col("score").is_null())
    yield "not_graded", reduce(or_, unfit)
    if scheme.minimum_tenure_days is not None and columns.has("tenure_days"):
        short = columns.within("tenure_days", Band(below=scheme.minimum_tenure_days))
        yield "short_tenure", short.fill_null(False)


def label_column(label: Label, columns: Columns) -> nw.Expr:
    """Return the value of a label: that of the first rule that holds, else ``otherwise``."""
    rules = [(rule_holds(rule.when, columns), rule.value) for rule in label.rules]
    otherwise = nw.lit(label.otherwise, dtype=nw.String)
    return first_of([(condition, nw.lit(value)) for condition, value in rules if condition is not None], otherwise)


def rule_flags(label: Label, columns: Columns) -> list[tuple[str, nw.Expr]]:
    """Return the flags of a label's rules: a rule fires where it holds and none before it does."""
    flags: list[tuple[str, nw.Expr]] = []
    for number, rule in enumerate(label.rules):
        if rule.flag is None:
            continue
        earlier = [(rule_holds(before.when, columns), nw.lit(False)) for before in label.rules[:number]]
        here = rule_holds(rule.when, columns)
        if here is not None:
            branches = [(condition, value) for condition, value in earlier if condition is not None]
            flags.append((rule.flag, first_of([*branches, (here, nw.lit(True))], nw.lit(False))))
    return flags


def tag_column(tag: Tag, columns: Columns, lang: Lang = "zh") -> nw.Expr | None:
    """Return a tag as text such as ``[规模:重点]``, empty where it does not apply; ``None`` where it never can."""
    title = tag.title.say(lang)
    if tag.when is not None:
        condition = rule_holds(tag.when, columns)
        return None if condition is None else first_of([(condition, nw.lit(f"[{title}]"))], nw.lit(""))
    column = str(tag.of)
    if not columns.has(column):
        return None
    whole = nw.concat_str(nw.lit(f"[{title}:"), _tag_value(tag, columns, lang), nw.lit(f"{tag.suffix}]"))
    return nw.when(~nw.col(column).is_null()).then(whole).otherwise(nw.lit(""))


def _tag_value(tag: Tag, columns: Columns, lang: Lang) -> nw.Expr:
    value = nw.col(str(tag.of))
    label = next((label for label in columns.scheme.labels if f"label_{label.id}" == tag.of), None)
    if label is not None:
        return first_of([(value == v.id, nw.lit(v.title.say(lang))) for v in label.values], NO_WORD)
    if columns.kinds[str(tag.of)] == "text":
        # A bracket in a value would end the tag early.
        return value.str.replace_all("[", "(", literal=True).str.replace_all("]", ")", literal=True)
    return (value.cast(nw.Float64) / float(tag.per or 1)).floor().cast(nw.Int64).cast(nw.String)


def with_words(labelled: Frame, columns: Columns) -> Frame:
    """Add ``trigger_<trigger>``, ``tags`` and ``flags``."""
    scheme = columns.scheme
    fired = []
    for trigger in scheme.triggers:
        condition = rule_holds(trigger.when, columns)
        fires = nw.lit(False) if condition is None else condition.fill_null(False)
        fired.append(fires.alias(f"trigger_{trigger.id}"))
    tags = [text for tag in scheme.tags if (text := tag_column(tag, columns)) is not None]
    words = [first_of([(condition, nw.lit(f"{flag} "))], nw.lit("")) for flag, condition in flag_conditions(columns)]
    return labelled.with_columns(
        *fired, _joined(tags).alias("tags"), _joined(words).str.strip_chars(" ").alias("flags")
    )


def _joined(texts: list[nw.Expr]) -> nw.Expr:
    return nw.concat_str(nw.lit(""), *texts) if texts else nw.lit("")


def flag_conditions(columns: Columns) -> Iterator[tuple[str, nw.Expr]]:
    """Every flag with its condition, in the order in which they are written."""
    scheme = columns.scheme
    yield from refusal_flags(columns)
    if scheme.tier_by != "score":
        bought = has_history(columns)
        if bought is not None:  # a flag only: a document whose tiers go by rules says itself what such a customer is
            yield "no_history", ~bought
        refused = reduce(or_, [condition for _, condition in refusal_flags(columns)])
        yield "unclassified", nw.col("tier").is_null() & ~refused
    if scheme.dimensions:
        yield "missing", nw.col("coverage") < 1.0
    if scheme.low_coverage > 0:
        yield "low_coverage", nw.col("coverage") < float(scheme.low_coverage)
    near = list(_near_bounds(columns))
    if near:
        yield "borderline", reduce(or_, near)
    yield "out_of_range", nw.col("off_scale")
    yield "unknown_value", nw.col("unknown_word")
    if any(columns.source_of(i) not in (None, i.feature) for _, i in scheme.indicators if scheme.shares[i.id]):
        yield "proxy", nw.lit(True)
    for label in scheme.labels:
        yield from rule_flags(label, columns)


def _near_bounds(columns: Columns) -> Iterator[nw.Expr]:
    """Conditions that a value lies close to a bound between tiers."""
    scheme = columns.scheme
    if scheme.tier_by == "score":
        bounds = {tier.start[0] for tier in scheme.tiers if tier.start is not None}
        margin = scheme.borderline_margin
        for bound in sorted(bounds) if margin > 0 else []:
            yield columns.within("score", Band(at_least=bound - margin, at_most=bound + margin))
        return
    label = next(label for label in scheme.labels if label.id == scheme.tier_by)
    pairs = {(column, bound) for rule in label.rules for a in rule.when for column, bound in _bounds(a)}
    for column, bound in sorted(pairs) if scheme.borderline_share > 0 else []:
        away = bound * scheme.borderline_share
        # Where no other whole number lies so near (1 order), a customer at the bound is not close to another tier.
        if columns.has(column) and bound > 0 and (away >= 1 or not _is_count(column, columns)):
            yield columns.within(column, Band(at_least=bound - away, at_most=bound + away))


def _is_count(column: str, columns: Columns) -> bool:
    use = columns.scheme.features.get(column)
    return columns.kinds[column] == "whole" and (use is None or use.unit != "money")


def _bounds(alternative: dict[str, Condition]) -> Iterator[tuple[str, Decimal]]:
    for column, condition in alternative.items():
        if condition.of is None:
            yield from ((column, edge[0]) for edge in (condition.start, condition.end) if edge is not None)


def say_flags(words: str, lang: Lang) -> str:
    """Write flags for people.

    Examples
    --------
    >>> say_flags("borderline proxy", "en"), say_flags("", "zh")
    ('close to a bound; proxies stand in', '')
    """
    told = (FLAGS[word].say(lang) if word in FLAGS else word for word in words.split())
    return ("; " if lang == "en" else "；").join(told)


def having_tags(graded: Frame, **tags: str) -> Frame:
    """Keep customers by a combination of tags.

    Parameters
    ----------
    graded : narwhals.LazyFrame
        From ``grade``.
    **tags : str
        The document's labels and values, for instance ``规模="重点客户"``; an empty value asks for a bare tag.

    Examples
    --------
    >>> import duckdb
    >>> frame = nw.from_native(duckdb.sql("select unnest(['[行业:制造业][规模:重点客户]', '[规模:普通客户]']) as tags"))
    >>> having_tags(frame, 行业="制造业", 规模="重点客户").collect("pyarrow").shape
    (1, 1)
    """
    for label, value in tags.items():
        tag = f"[{label}:{value}]" if value else f"[{label}]"
        graded = graded.filter(nw.col("tags").str.contains(tag, literal=True))
    return graded
