"""How a reason is said, and what it is told by: the topic of each feature, and the members that may speak for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import narwhals as nw
import numpy as np
import numpy.typing as npt

from tierlens.explain.comparisons import said_against
from tierlens.explain.contributions import OTHER, Catalog, Floats, family_of, title_of
from tierlens.explain.phrases import PHRASES, PLAIN
from tierlens.explain.rhythm_parts import ITEMS
from tierlens.features.catalog import WHOLE
from tierlens.features.feature import Feature
from tierlens.segments.figures import say_value
from tierlens.sources.tables import Currency
from tierlens.words import Lang, Text

MERGED = {"momentum": "frequency", "basket": "breadth"}
"""Families that are told under another, whose members say the same in plain words."""
SILENT = frozenset(
    {"gap_squares", "trend_sum", "satisfaction_points_12m", "fulfilment_sum_2y", "gaps_to_30", "gaps_to_90"}
    | {"interval_share_30", "interval_share_90", "gaps", "purchase_days", "repeat_days", "gap_days"}
    | {f"orders_decay_{days}" for days in (15, 30, 60, 120, 240)}
    | {f"spend_decay_{days}" for days in (30, 60, 120, 240)}
    | {f"decay_rate_{days}" for days in (30, 60, 120, 240)}
    | {"decay_ratio_30_120", "decay_ratio_60_240", "spend_expected", "day_value_expected", "sea_recency"}
)
"""Features that no reader knows by their names: they move a risk, and another of their topic tells it."""
LANGS: tuple[Lang, ...] = ("en", "zh")
BACKGROUND = Text("Background: ", "背景：")


@dataclass(frozen=True)
class Said:
    """A sentence made elsewhere: the feature that it speaks of, its value, what that is held against, and the side."""

    feature: str
    value: float
    compared: float
    side: str
    words: Text


@dataclass(frozen=True)
class Known:
    """What is known of the customers whose risk is explained.

    Parameters
    ----------
    columns : mapping of str to array of float, shape (n,)
        Every feature at hand, those that the model did not read among them; missing values are NaN.
    currency : Currency
    tiers : array of str, shape (n,), optional
        Tier of each customer.
    tier_names : mapping of str to Text
        What a tier is called, where it has a name besides its id.
    catalog : mapping of str to Feature
    said : mapping of str to sequence of Said or None, shape (n,)
        Topics that have their sentence already; None where there is nothing to say.
    """

    columns: Mapping[str, Floats]
    currency: Currency
    tiers: npt.NDArray[np.object_] | None = None
    tier_names: Mapping[str, Text] = field(default_factory=dict)
    catalog: Catalog = field(default_factory=lambda: {**WHOLE, **ITEMS})
    said: Mapping[str, Sequence[Said | None]] = field(default_factory=dict)


def with_own(known: Known, names: Sequence[str]) -> Known:
    """Let columns that no catalog has, those of the user's own, speak for themselves under their names.

    Examples
    --------
    >>> known = with_own(Known({"visits": np.array([3.0])}, Currency("GBP")), ["visits", "recency_days"])
    >>> say_reason("visits", 3.0, (2, 5.0), 2.0, (None, known)).en
    'Background: visits: 3 (half of customers: 5) (+2 points)'
    """
    own = {name: Feature(name, Text(name, name), "", OTHER, "none", "a column of the user's own", "", "derived",
                         lambda _: nw.lit(None), family=name)
           for name in names if name not in known.catalog}  # fmt: skip
    return replace(known, catalog={**known.catalog, **own}) if own else known


def topic_of(name: str, catalog: Catalog) -> str:
    """Return the topic that a feature is told under: its family, or the one that its family is merged into.

    Examples
    --------
    >>> topic_of("orders_decay_30", WHOLE), topic_of("nps", WHOLE)
    ('frequency', 'surveys')
    """
    family = family_of(name, catalog)
    return MERGED.get(family, family)


def speakers_of(topic: str, catalog: Catalog) -> list[str]:
    """Return the features that may tell a topic.

    Examples
    --------
    >>> speakers_of("tenure", WHOLE)
    ['tenure_days']
    """
    return [name for name, entry in catalog.items()
            if topic_of(name, catalog) == topic and name not in SILENT and entry.unit != "text"]  # fmt: skip


def say_reason(
    feature: str, value: float, compared: tuple[int, float], points: float, whose: tuple[str | None, Known]
) -> Text:
    """Say one reason.

    Parameters
    ----------
    feature : str
    value : float
    compared : (int, float)
        Place in ``comparisons.KINDS``, and the value there.
    points : float
    whose : (str or None, Known)
        The customer's tier, and what words are made with.

    Examples
    --------
    >>> known = Known({}, Currency("GBP"))
    >>> say_reason("monetary", 41_250.0, (1, 62_900.0), 4.2, ("A", known)).en
    'Net amount 412 GBP in the window (half of tier A: 629 GBP) (+4 points)'
    """
    tier, known = whose
    entry = known.catalog[feature]
    own, other = say_value(value, entry.unit, known.currency), say_value(compared[1], entry.unit, known.currency)
    phrase = PHRASES.get(feature, PLAIN)
    if entry.direction == "none":
        phrase = Text(BACKGROUND.en + phrase.en, BACKGROUND.zh + phrase.zh)
    words = said_against(feature, compared[0], phrase)
    title = title_of(feature, "feature", known.catalog)
    name = known.tier_names.get(tier or "", Text(tier or "", tier or ""))
    en, zh = (
        words.say(lang).format(value=own.say(lang), past=other.say(lang), median=other.say(lang), tier=name.say(lang),
                               title=title.say(lang))
        for lang in LANGS
    )  # fmt: skip
    return with_points(Text(en[:1].upper() + en[1:], zh), points)


def with_points(words: Text, points: float) -> Text:
    """Return a sentence with its strength behind it.

    Examples
    --------
    >>> with_points(Text("No purchase for 74 days", "已74天未购买"), 34.6).en
    'No purchase for 74 days (+35 points)'
    """
    number = f"{points:+.0f}"
    unit = "point" if number in ("+1", "-1") else "points"
    return Text(f"{words.en} ({number} {unit})", f"{words.zh}（风险{number}个百分点）")


def lacking_data(names: Sequence[str], known: Known) -> tuple[Text, ...]:
    """Say of each customer what there is no data for, of what others have; empty where nothing is lacking.

    Parameters
    ----------
    names : sequence of str
        Features that the model reads.
    known : Known

    Examples
    --------
    >>> columns = {"nps": np.array([9.0, np.nan]), "recency_days": np.array([1.0, 2.0])}
    >>> [text.en for text in lacking_data(list(columns), Known(columns, Currency("GBP")))]
    ['', 'surveys']
    """
    rows = len(next(iter(known.columns.values())))
    topics = sorted({topic_of(name, known.catalog) for name in names})
    gone: list[tuple[Text, npt.NDArray[np.bool_]]] = []
    for topic in topics:
        members = [name for name in speakers_of(topic, known.catalog) if name in known.columns]
        has = np.array([np.isfinite(known.columns[name]) for name in members]) if members else np.ones((1, rows), bool)
        if has.any():
            lacks = np.asarray(~has.any(axis=0), dtype=bool)
            gone.append((title_of(topic, "family", known.catalog), lacks))
    lists = [[title for title, lacks in gone if lacks[row]] for row in range(rows)]
    return tuple(Text(", ".join(t.en for t in some), "、".join(t.zh for t in some)) for some in lists)
