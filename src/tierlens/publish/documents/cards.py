"""Rating cards: one page a customer in the form of the document's template, with evidence and history."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tierlens.errors import DataError
from tierlens.grading.evidence import Teller
from tierlens.grading.feature_columns import Columns, kinds_of
from tierlens.grading.movement import effective_weights
from tierlens.grading.next_tier.next_tier import Offer, offer_sentence
from tierlens.grading.scheme.duties import Measure
from tierlens.grading.scheme.parts import Dimension, Indicator, Tier
from tierlens.grading.scheme.scheme import Scheme
from tierlens.sources.tables import Currency, day_date
from tierlens.words import Text

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, Any]


@dataclass(frozen=True)
class CardLine:
    """One indicator on a card.

    Parameters
    ----------
    title : Text
        Its name.
    weight : float
        Share of the dimension.
    used : float
        Share that it had once indicators without data were left out.
    value : Text
        Raw value with its unit; a dash where there is none.
    points : float, optional
        On the scheme's scale.
    weighted : float, optional
        Points times the share used.
    evidence : Text
        Which rule of which clause; empty where there was nothing to judge.
    """

    title: Text
    weight: float
    used: float
    value: Text
    points: float | None
    weighted: float | None
    evidence: Text


@dataclass(frozen=True)
class CardGroup:
    """One dimension on a card.

    Parameters
    ----------
    title : Text
        Its name.
    weight : float
        Share of the composite.
    points : float, optional
        Mean points, on the scheme's scale.
    score : float, optional
        The same on 0-100.
    lines : tuple of CardLine
        Its indicators.
    """

    title: Text
    weight: float
    points: float | None
    score: float | None
    lines: tuple[CardLine, ...]


@dataclass(frozen=True)
class Card:
    """The rating card of one customer at one cutoff.

    Parameters
    ----------
    customer_id : str
        Whose.
    day : str
        ISO date of the cutoff.
    scheme, source : Text
        Name of the scheme; its version and document.
    groups : tuple of CardGroup
        Dimensions.
    score : float, optional
        Composite, 0-100; missing when not graded.
    tier : str, optional
        Identifier of the tier; missing when not graded.
    tier_title, tier_full, meaning : Text
        Name of the tier, the name behind its letter where it has one, and what the document says of it.
    coverage : float
        Share of weight that had data.
    flags : str
        Words.
    reasons : tuple of Text
        Composite, labels and triggers in sentences.
    measures : tuple of Text
        What the document wants done.
    path : tuple of Text
        What raises or keeps the tier.
    history : tuple of (str, float, str)
        Date, score and tier at earlier cutoffs, oldest first.
    data_note : Text, optional
        That the data are simulated, where they are.
    """

    customer_id: str
    day: str
    scheme: Text
    source: Text
    groups: tuple[CardGroup, ...]
    score: float | None
    tier: str | None
    tier_title: Text
    tier_full: Text
    meaning: Text
    coverage: float
    flags: str
    reasons: tuple[Text, ...]
    measures: tuple[Text, ...]
    path: tuple[Text, ...]
    history: tuple[tuple[str, float | None, Text], ...]
    data_note: Text | None = None


NOTHING = Text("", "")
_FILE = re.compile(r"[0-9]{3}_[0-9a-f]{16}\.txt")


def rating_cards(
    graded: pa.Table,
    features: pa.Table,
    scheme: Scheme,
    currency: Currency,
    customers: Sequence[str],
    cutoff: int,
    steps: Iterable[Offer] = (),
) -> list[Card]:
    """Return the rating cards of customers.

    Parameters
    ----------
    graded : pyarrow.Table
        From ``grade``: the cutoff, and earlier ones for the history.
    features : pyarrow.Table
        The feature table that was graded, with the cutoff.
    scheme : Scheme
        The rules.
    currency : Currency
        The currency of the table.
    customers : sequence of str
        Whose cards, in this order.
    cutoff : int
        Day number.
    steps : iterable of Offer
        From ``path``, where the way to the next tier is wanted.

    Raises
    ------
    DataError
        ``E-CA-001`` when a customer was not graded at the cutoff.
    """
    import pyarrow.compute as pc

    chosen = graded.filter(pc.is_in(graded["customer_id"], pc.cast(list(customers), "string")))
    weights = effective_weights(chosen, scheme)
    rows = chosen.to_pylist()
    for place, row in enumerate(rows):
        row["used"] = {name: float(values[place]) for name, values in weights.items()}
    here = {row["customer_id"]: row for row in rows if row["cutoff"] == cutoff}
    values = {row["customer_id"]: row for row in features.filter(pc.equal(features["cutoff"], cutoff)).to_pylist()}
    maker = _Maker(Columns(scheme, currency, kinds_of(features.schema)), rows, list(steps))
    for name in customers:
        if name not in here:
            what = Text(f"{name} was not graded at {day_date(cutoff)}", f"{name} 在 {day_date(cutoff)} 没有评级")
            raise DataError("E-CA-001", what)
    return [maker.card(here[name], values.get(name, {})) for name in customers]


@dataclass(frozen=True)
class _Maker:
    """Makes cards of one graded table."""

    columns: Columns
    rows: list[dict[str, Any]]
    steps: list[Offer]

    @property
    def tellers(self) -> tuple[Teller, Teller]:
        return Teller(self.columns, "en"), Teller(self.columns, "zh")

    def card(self, row: Row, features: Row) -> Card:
        scheme = self.columns.scheme
        tier = next((tier for tier in scheme.tiers if tier.id == row["tier"]), None)
        mine = [step for step in self.steps if (step.customer_id, step.cutoff) == (row["customer_id"], row["cutoff"])]
        return Card(
            customer_id=row["customer_id"],
            day=str(day_date(row["cutoff"])),
            scheme=scheme.title,
            source=_source(scheme),
            groups=tuple(self._group(dimension, row, features) for dimension in scheme.dimensions),
            score=_score(row),
            tier=row["tier"],
            tier_title=NOTHING if tier is None else tier.title,
            tier_full=NOTHING if tier is None else tier.full,
            meaning=NOTHING if tier is None or tier.meaning is None else tier.meaning.text,
            coverage=row["coverage"],
            flags=row["flags"],
            reasons=self._both(lambda teller: teller.conclusions(row, features)),
            measures=_measures(tier),
            path=self._both(lambda teller: [offer_sentence(step, teller) for step in mine]),
            history=self._history(row),
        )

    def _both(self, say: Any) -> tuple[Text, ...]:
        english, chinese = (say(teller) for teller in self.tellers)
        return tuple(Text(en, zh) for en, zh in zip(english, chinese, strict=True))

    def _group(self, dimension: Dimension, row: Row, features: Row) -> CardGroup:
        scheme = self.columns.scheme
        score = row[f"score_{dimension.id}"]
        points = None if score is None else round(score / float(scheme.to_score), 9)
        total = sum(row["used"][i.id] for i in dimension.indicators)
        lines = tuple(self._line(i, row, features, total) for i in dimension.indicators)
        return CardGroup(dimension.title, float(scheme.between[dimension.id]), points, score, lines)

    def _line(self, indicator: Indicator, row: Row, features: Row, total: float) -> CardLine:
        scheme = self.columns.scheme
        points = row[f"points_{indicator.id}"]
        used = row["used"][indicator.id] / total if total > 0 else 0.0
        source = self.columns.source_of(indicator)
        raw = None if source is None else features.get(source)
        value = Text("-", "-")
        if raw is not None:
            value = Text(*(teller.amount(str(source), raw) for teller in self.tellers))
        told = Text(*(teller.indicator(indicator, row, features) for teller in self.tellers))
        weighted = None if points is None else round(points * used, 9)
        return CardLine(indicator.title, float(scheme.inside[indicator.id]), used, value, points, weighted, told)

    def _history(self, row: Row) -> tuple[tuple[str, float | None, Text], ...]:
        past = [r for r in self.rows if r["customer_id"] == row["customer_id"] and r["cutoff"] <= row["cutoff"]]
        past.sort(key=lambda r: r["cutoff"])
        names = {tier.id: tier.short for tier in self.columns.scheme.tiers}
        return tuple((str(day_date(r["cutoff"])), _score(r), names.get(r["tier"], Text("-", "-"))) for r in past)


def _score(row: Row) -> float | None:
    """Return the composite; a score without a tier says nothing."""
    return None if row["tier"] is None else row["score"]


def _source(scheme: Scheme) -> Text:
    """Name a scheme's version and its document by title: the files in which the documents lie are nobody's business."""
    told, clause = scheme.source.document, scheme.source.clause
    named = scheme.title if clause == scheme.label else Text(clause, clause)
    if not _FILE.fullmatch(told):
        named = Text(f"{told}, {named.en}", f"{told}，{named.zh}")
    return Text(f"version {scheme.version} · document: {named.en}", f"版本 {scheme.version} · 依据文件：{named.zh}")


def _measures(tier: Tier | None) -> tuple[Text, ...]:
    return () if tier is None else tuple(_cited(one) for one in tier.measures)


def _cited(one: Measure) -> Text:
    """Name the clause where it is another than the tier's."""
    return one.text if one.source is None else Text(f"{one.en} ({one.source})", f"{one.zh}（{one.source}）")
