"""Plain names for segments, by declared rules from what sets each segment apart.

A name says when they were last seen, how much they spend and how they buy, as far as the segment differs from the
population there: "Lapsing small one-time buyers". Segments that would share a name are told apart by what differs
most between them: "Active frequent buyers, larger orders".
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tierlens.words import Text

APART = 0.5
"""Standard deviations from the population that a segment must lie to get a word for it."""

VISIBLE = 0.05
"""Standard deviations between two segments below which no word tells them apart."""

NEW_DAYS = 180
"""Days since the first purchase, in the median, beyond which nobody calls a segment new."""

# feature, word where the segment is high, word where it is low
LAST = ("recency_days", Text("lapsing", "流失边缘的"), Text("active", "活跃的"))
FIRST = ("tenure_days", None, Text("new", "新近的"))
SIZES = (
    ("monetary", Text("big", "高额"), Text("small", "低额")),
    ("spend", Text("big", "高额"), Text("small", "低额")),
)

# Words that compare segments of one name, in order of preference where two features separate them alike.
COMPARED = (
    ("monetary", Text("spending more", "消费较高"), Text("spending less", "消费较低")),
    ("frequency", Text("ordering more often", "下单较多"), Text("ordering less often", "下单较少")),
    ("recency_days", Text("seen longer ago", "较久未购"), Text("seen more recently", "近期有购买")),
    ("tenure_days", Text("longer-standing", "合作较久"), Text("newer", "合作较短")),
    ("average_order_value", Text("larger orders", "客单价较高"), Text("smaller orders", "客单价较低")),
    ("trend_12", Text("rising spend", "消费走高"), Text("falling spend", "消费走低")),
    ("recent_share", Text("more of it lately", "近期占比较高"), Text("less of it lately", "近期占比较低")),
    ("regularity", Text("more regular", "购买较规律"), Text("less regular", "购买较不规律")),
    ("products", Text("more products", "品种较多"), Text("fewer products", "品种较少")),
    ("return_share", Text("more returns", "退货较多"), Text("fewer returns", "退货较少")),
)


@dataclass(frozen=True)
class Trait:
    """What a segment is like in one feature.

    Parameters
    ----------
    median : float
        Median of the segment, in the feature's unit; NaN where all is missing.
    upper : float
        Upper quartile of the segment.
    difference : float
        Standard deviations from the population (mean normal score); NaN where all is missing.
    """

    median: float
    upper: float
    difference: float


Traits = Mapping[str, Trait]


def name_segments(segments: Sequence[Traits]) -> list[Text]:
    """Name segments; the names are distinct in each language.

    Parameters
    ----------
    segments : sequence of mapping of str to Trait
        For each segment, its traits by feature name.

    Returns
    -------
    list of Text
        In the same order.

    Examples
    --------
    >>> best = {"recency_days": Trait(9, 20, -1.0), "monetary": Trait(9e5, 2e6, 1.2), "frequency": Trait(12, 20, 1.3)}
    >>> gone = {"recency_days": Trait(250, 300, 0.9), "monetary": Trait(1e4, 2e4, -0.3), "frequency": Trait(1, 1, -1)}
    >>> [name.en for name in name_segments([best, gone])], name_segments([best, gone])[1].zh
    (['Active big frequent buyers', 'Lapsing one-time buyers'], '流失边缘的单次客户')
    """
    names = [_plain(traits) for traits in segments]
    alike: dict[Text, list[int]] = defaultdict(list)
    for number, name in enumerate(names):
        alike[name].append(number)
    for members in alike.values():
        if len(members) > 1:
            for number, extra in _tell_apart(members, segments, ()).items():
                names[number] = _extend(names[number], extra)
    return names


def _plain(traits: Traits) -> Text:
    size = next((rule for rule in SIZES if rule[0] in traits), SIZES[0])
    said = [word for word in (_state(traits), _word(traits, size), _habit(traits)) if word]
    english = " ".join(word.en for word in said)
    return Text(english[:1].upper() + english[1:], "".join(word.zh for word in said))


def _state(traits: Traits) -> Text | None:
    """When they were seen; a segment of newcomers is called so rather than active, which it is by nature."""
    seen = _word(traits, LAST)
    first = traits.get("tenure_days")
    young = first is not None and first.median <= NEW_DAYS
    return _word(traits, FIRST) if young and seen != LAST[1] and _word(traits, FIRST) else seen


def _word(traits: Traits, rule: tuple[str, Text | None, Text]) -> Text | None:
    feature, high, low = rule
    apart = traits[feature].difference if feature in traits else math.nan
    return high if apart >= APART else low if apart <= -APART else None


def _habit(traits: Traits) -> Text:
    """How they buy; "one-time" only where three in four ordered once and the first order was the last."""
    orders = traits.get("frequency")
    if orders is None:
        return Text("customers", "客户")
    if orders.upper <= 1 and _first_is_last(traits):
        return Text("one-time buyers", "单次客户")
    if orders.difference >= APART:
        regular = traits.get("regularity")
        if regular is not None and regular.difference >= APART:
            return Text("regular buyers", "稳定客户")
        return Text("frequent buyers", "高频客户")
    if orders.difference <= -APART:
        return Text("few-order buyers", "少单客户")
    return Text("repeat buyers", "回头客") if orders.median >= 2 else Text("buyers", "普通客户")


def _first_is_last(traits: Traits) -> bool:
    first, last = traits.get("tenure_days"), traits.get("recency_days")
    return first is None or last is None or first.median <= last.median


def _tell_apart(members: list[int], segments: Sequence[Traits], used: tuple[str, ...]) -> dict[int, tuple[Text, ...]]:
    """Split segments of one name at the widest gap in one feature, and each side again if need be."""
    if len(members) == 1:
        return {members[0]: ()}
    gaps = [(*_widest(members, segments, rule[0]), rule) for rule in COMPARED if rule[0] not in used]
    width, lower, rule = max(gaps, key=lambda gap: gap[0], default=(0.0, [], COMPARED[0]))
    if width < VISIBLE:
        return {member: (Text(f"group {i}", f"第{i}组"),) for i, member in enumerate(members, start=1)}
    feature, high, low = rule
    words: dict[int, tuple[Text, ...]] = {}
    for side, word in (([m for m in members if m not in lower], high), (lower, low)):
        for member, extra in _tell_apart(side, segments, (*used, feature)).items():
            words[member] = (word, *extra)
    return words


def _widest(members: list[int], segments: Sequence[Traits], feature: str) -> tuple[float, list[int]]:
    """Return the widest gap between the segments in a feature, and the segments below it."""
    traits = [segments[member].get(feature) for member in members]
    known = [trait.difference for trait in traits if trait is not None and not math.isnan(trait.difference)]
    if len(known) < len(members):
        return 0.0, []
    ordered = sorted(zip(known, members, strict=True))
    steps = [(ordered[i + 1][0] - ordered[i][0], i + 1) for i in range(len(ordered) - 1)]
    width, cut = max(steps, key=lambda step: (step[0], -step[1]))
    return width, [member for _, member in ordered[:cut]]


def _extend(name: Text, extra: tuple[Text, ...]) -> Text:
    if not extra:
        return name
    return Text(f"{name.en}, {', '.join(word.en for word in extra)}", f"{name.zh}（{'，'.join(w.zh for w in extra)}）")
