"""Who moved between tiers from one cutoff to a later one, and why, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tierlens.grading.evidence import Teller, finite_or_none, number_text
from tierlens.grading.feature_columns import Columns, kinds_of
from tierlens.grading.labels import FLAGS
from tierlens.grading.movement import NONE, effective_weights, in_order, score_change
from tierlens.grading.scheme.parts import Dimension, Indicator
from tierlens.grading.scheme.scheme import Scheme
from tierlens.grading.triggers import fired_triggers
from tierlens.sources.tables import Currency, day_date
from tierlens.words import Lang, Text

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, Any]

LEAST = 0.005
"""Least part of a change of score that is worth a word: less is shown as 0.00."""
REFUSALS: dict[str, Text] = {
    "no_history": FLAGS["no_history"],
    "not_graded": Text("too few of the values that the scheme asks for", "方案所需数据不足"),
    "short_tenure": FLAGS["short_tenure"],
    "unclassified": FLAGS["unclassified"],
}
"""What the flags say by which a customer has no tier."""


@dataclass(frozen=True)
class Move:
    """One customer whose tier is not what it was.

    Parameters
    ----------
    customer_id : str
    tier_before, tier_after : str
        Identifiers of tiers; ``-`` where the customer is not graded.
    tiers_gained : int, optional
        Negative for a fall; missing where one of the tiers is.
    score_before, score_after, score_change : float, optional
        Composite, 0-100; missing where there is none.
    by_dimension, by_indicator : mapping of str to float
        The exact parts of the change, by identifier; empty without a score at both cutoffs.
    reasons : tuple of str
        Those parts that go the way of the change, largest first; or the rules, where tiers go by rules.
    triggers : tuple of str
        Those that fired at the later cutoff.
    """

    customer_id: str
    tier_before: str
    tier_after: str
    tiers_gained: int | None
    score_before: float | None
    score_after: float | None
    score_change: float | None
    by_dimension: Mapping[str, float]
    by_indicator: Mapping[str, float]
    reasons: tuple[str, ...]
    triggers: tuple[str, ...]


def moved_customers(
    graded: pa.Table, features: pa.Table, scheme: Scheme, currency: Currency, days: tuple[int, int], lang: Lang
) -> list[Move]:
    """Return the customers whose tier is another, those who moved furthest first.

    Parameters
    ----------
    graded : pyarrow.Table
        From ``grade``, with both cutoffs.
    features : pyarrow.Table
        The feature table that was graded.
    scheme : Scheme
        The rules.
    currency : Currency
        The currency whose minor units the money columns are in.
    days : (int, int)
        Day numbers of the earlier and the later cutoff.
    lang : {"en", "zh"}
        Language of reasons and triggers.

    Returns
    -------
    list of Move
        By tiers gained or lost, then by the size of the change of score, then by customer; last those who are graded
        at one cutoff only.

    Raises
    ------
    UsageError
        ``E-US-006`` when a cutoff is not in the table, ``E-US-041`` when the second does not follow the first.

    Examples
    --------
    >>> import duckdb, narwhals as nw
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> from tierlens.grading.scoring import grade
    >>> rows = "select 'C1' as customer_id, unnest([1, 2])::int as cutoff, unnest([600000, 90000]) * 100 as monetary"
    >>> frame, scheme = nw.from_native(duckdb.sql(rows)), load_scheme("relationship_rating")
    >>> features, graded = (x.collect("pyarrow").to_native() for x in (frame, grade(frame, scheme, Currency("CNY"))))
    >>> (one,) = moved_customers(graded, features, scheme, Currency("CNY"), (1, 2), "en")
    >>> one.tier_before, one.tier_after, one.tiers_gained
    ('C', 'D', -1)
    >>> one.reasons[0]
    'Annual amount (Transaction value): 90,000.00 CNY, was 600,000.00 CNY; points 3, was 7; score -40.00'
    """
    in_order(*days)
    teller = Teller(Columns(scheme, currency, kinds_of(features.schema)), lang)
    parts = {row["customer_id"]: row for row in score_change(graded, scheme, *days).to_pylist()}
    pairs = _pairs(graded, days)
    values, weights = _keyed(features, days, set(pairs)), _weights(graded, scheme, set(pairs))
    alarms: dict[str, list[str]] = {}
    now = _of_customers(_at(graded, days[1]), set(pairs))
    for row in fired_triggers(now, _at(features, days[1]), scheme, currency, lang).to_pylist():
        alarms.setdefault(row["customer_id"], []).append(teller.say("{}: {}", "{}：{}", row["title"], row["because"]))

    def at_both(known: Mapping[tuple[str, int], Row], customer: str) -> tuple[Row, Row]:
        return known.get((customer, days[0]), {}), known.get((customer, days[1]), {})

    moves = []
    for customer, pair in pairs.items():
        why = Why(teller, days, pair, at_both(values, customer), at_both(weights, customer))
        moves.append(_move(customer, pair, parts.get(customer, {}), why, alarms.get(customer, [])))
    return sorted(moves, key=_place)


def _place(move: Move) -> tuple[bool, int, float, str]:
    known = move.tiers_gained is not None
    return (not known, -abs(move.tiers_gained or 0), -abs(move.score_change or 0.0), move.customer_id)


def _at(table: pa.Table, day: int) -> pa.Table:
    import pyarrow.compute as pc

    return table.filter(pc.equal(table["cutoff"], day))


def _of_customers(table: pa.Table, customers: set[str]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    return table.filter(pc.is_in(table["customer_id"], pa.array(sorted(customers), pa.string())))


def _pairs(graded: pa.Table, days: tuple[int, int]) -> dict[str, tuple[Row, Row]]:
    """Return the graded rows at both cutoffs of those whose tier is another; empty where there is no row."""
    first, second = (
        dict(zip(part["customer_id"].to_pylist(), part["tier"].to_pylist(), strict=True))
        for part in (_at(graded, day) for day in days)
    )
    names = {one for one in first.keys() | second.keys() if first.get(one) != second.get(one)}
    rows = _keyed(graded, days, names)
    return {one: (rows.get((one, days[0]), {}), rows.get((one, days[1]), {})) for one in sorted(names)}


def _keyed(table: pa.Table, days: tuple[int, int], customers: set[str]) -> dict[tuple[str, int], Row]:
    return {
        (row["customer_id"], day): row for day in days for row in _of_customers(_at(table, day), customers).to_pylist()
    }


def _weights(graded: pa.Table, scheme: Scheme, customers: set[str]) -> dict[tuple[str, int], Row]:
    """Return the share that each indicator really had in each customer's score."""
    rows = _of_customers(graded, customers)
    shares = effective_weights(rows, scheme)
    keys = zip(rows["customer_id"].to_pylist(), rows["cutoff"].to_pylist(), strict=True)
    return {key: {name: float(share[place]) for name, share in shares.items()} for place, key in enumerate(keys)}


def _move(customer: str, pair: tuple[Row, Row], parts: Row, why: Why, alarms: list[str]) -> Move:
    scheme = why.teller.scheme
    before, after = (row.get("tier") or NONE for row in pair)
    ranks = [int(row["tier_rank"]) for row in pair if row.get("tier_rank") is not None]
    gained = ranks[0] - ranks[1] if len(ranks) == len(pair) else None
    scores = [finite_or_none(row.get("score")) for row in pair]
    by_dimension = {d.id: float(parts[f"by_dimension_{d.id}"]) for d in scheme.dimensions if parts}
    by_indicator = {i.id: float(parts[f"by_{i.id}"]) for _, i in scheme.indicators if parts}
    change = float(parts["change"]) if parts else None
    reasons = tuple(why.sentences(change, by_indicator))
    return Move(customer, before, after, gained, scores[0], scores[1], change, by_dimension, by_indicator,
                reasons, tuple(alarms))  # fmt: skip


@dataclass(frozen=True)
class Why:
    """Writes the reasons of one move.

    Parameters
    ----------
    teller : Teller
    days : (int, int)
        Day numbers of the cutoffs.
    graded, features : (mapping, mapping)
        The customer's rows at both cutoffs; empty where there is none.
    weights : (mapping, mapping)
        The share that each indicator really had in the score at both cutoffs.
    """

    teller: Teller
    days: tuple[int, int]
    graded: tuple[Row, Row]
    features: tuple[Row, Row]
    weights: tuple[Row, Row]

    def sentences(self, change: float | None, parts: Mapping[str, float]) -> Iterator[str]:
        """Yield the reasons, the weightiest first."""
        ungraded = [(day, row) for day, row in zip(self.days, self.graded, strict=True) if row.get("tier") is None]
        if ungraded:
            yield from (self._ungraded(day, row) for day, row in ungraded)
            return
        if self.teller.scheme.tier_by != "score":
            yield from (self._rule(place) for place in (0, 1))
            return
        known = {i.id: (d, i) for d, i in self.teller.scheme.indicators}
        way = 1.0 if (change or 0.0) > 0 else -1.0
        told = [name for name, part in sorted(parts.items(), key=lambda item: -way * item[1]) if way * part >= LEAST]
        yield from self._came_and_went([i for name, (_, i) in known.items() if name not in told], bool(told))
        for name in told:
            yield self._indicator(*known[name], parts[name])

    def _came_and_went(self, indicators: list[Indicator], is_due: bool) -> Iterator[str]:
        """Say which indicators have data at one cutoff only and are no reason themselves: they change all weights."""
        lang = self.teller.lang
        had = [(i.title.say(lang), tuple(finite_or_none(row.get(f"points_{i.id}")) is not None for row in self.graded))
               for i in indicators]  # fmt: skip
        for words, wanted in (
            (("Data that were not there before ({}) take weight from the others",
              "此前缺少数据的指标（{}）现已有数据，其余指标的权重因此下降"), (False, True)),
            (("Data that are there no more ({}) give their weight to the others",
              "此前有数据的指标（{}）现缺少数据，其权重转给其余指标"), (True, False)),
        ):  # fmt: skip
            names = [title for title, both in had if both == wanted]
            if names and is_due:
                yield self.teller.say(*words, self.teller.say(", ", "、").join(names))

    def _ungraded(self, day: int, row: Row) -> str:
        date = day_date(day)
        if not row:
            words = "Not graded at {}: no purchase in the window", "{} 未评级：窗口内无购买"
            return self.teller.say(*words, date)
        told = [text.say(self.teller.lang) for word, text in REFUSALS.items() if word in str(row["flags"]).split()]
        return self.teller.say("Not graded at {}: {}", "{} 未评级：{}", date, self.teller.say("; ", "；").join(told))

    def _rule(self, place: int) -> str:
        """Say which rule gave the tier at one cutoff."""
        scheme, date = self.teller.scheme, day_date(self.days[place])
        tier = next(tier for tier in scheme.tiers if tier.id == self.graded[place]["tier"])
        label = next(label for label in scheme.labels if label.id == scheme.tier_by)
        both = self.teller.everything(self.graded[place], self.features[place])
        rule = self.teller.fired(label, both)
        if rule is None:
            return self.teller.say("{}: {}, as no rule holds", "{}：{}，无规则命中", date, tier.title)
        because = self.teller.because(rule.when, both)
        return self.teller.say("{}: {}, because {}", "{}：{}，因为{}", date, tier.title, because)

    def _indicator(self, dimension: Dimension, indicator: Indicator, part: float) -> str:
        """Say how an indicator's value and points went, and what that did to the score."""
        say = self.teller.say
        head = say("{} ({}): ", "{}（{}）：", indicator.title, dimension.title)
        old, new = (row.get(f"points_{indicator.id}") for row in self.graded)
        told = [self._value(indicator, row) for row in self.features]
        value = self._was(*(text or say("no data", "无数据") for text in told)) if any(told) else ""
        points = [say("none", "无") if finite_or_none(points) is None else number_text(points) for points in (old, new)]
        how = say("points {}", "得分 {}", self._was(*points))
        then, now = (f"{100 * weights.get(indicator.id, 0.0):.1f}%" for weights in self.weights)
        if then != now and None not in (finite_or_none(old), finite_or_none(new)):
            how += say("; weight {}", "；权重 {}", self._was(then, now))
        ends = [part for part in (value, how, say("score {:+.2f}", "评分 {:+.2f}", part)) if part]
        return head + say("; ", "；").join(ends)

    def _was(self, then: str, now: str) -> str:
        if then == now:
            return self.teller.say("{} as before", "{}（与此前相同）", now)
        return self.teller.say("{}, was {}", "{}，此前 {}", now, then)

    def _value(self, indicator: Indicator, features: Row) -> str:
        source = self.teller.columns.source_of(indicator)
        value = None if source is None else finite_or_none(features.get(source))
        return "" if source is None or value is None else self.teller.amount(source, value)
