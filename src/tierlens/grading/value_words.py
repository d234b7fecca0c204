"""Words that stand in a column as values, in the reader's language: the document's own, as the scheme gives them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tierlens.words import Text

if TYPE_CHECKING:
    from tierlens.grading.scheme.parts import Rule
    from tierlens.grading.scheme.scheme import Scheme

CHINESE = re.compile("[\u4e00-\u9fff]")
YES_NO = {True: Text("yes", "是"), False: Text("no", "否")}


def value_word(scheme: Scheme, column: str, value: str | bool) -> Text:
    """Return what a value of a column is called in each language.

    Parameters
    ----------
    scheme : Scheme
        The value of a label has the title that the scheme gives it. A word of a scale (``ordinal``), or of those that a
        rule takes (``in``), is called in Chinese as the Chinese word that stands for the same there.
    column : str
    value : str or bool

    Returns
    -------
    Text
        The value itself where the scheme has no other word.

    Examples
    --------
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> guide = load_scheme("relationship_guide")
    >>> value_word(guide, "dependence", "one_of_several"), value_word(guide, "label_value", "high").zh
    (Text(en='one_of_several', zh='多家之一'), '高价值')
    """
    if isinstance(value, bool):
        return YES_NO[value]
    title = next((v.title for label in scheme.labels for v in label.values if _is(column, label.id, value, v.id)), None)
    if title is not None:
        return title
    found = (_chinese(value, words) for words in _alike(scheme, column))
    return Text(value, next((word for word in found if word), value))


def _is(column: str, label: str, value: str, known: str) -> bool:
    return column == f"label_{label}" and value == known


def _alike(scheme: Scheme, column: str) -> Iterator[list[str]]:
    """Yield the words that stand for one and the same in a column."""
    for _, indicator in scheme.indicators:
        if indicator.feature == column and indicator.ordinal is not None:
            scale = indicator.ordinal
            for points in dict.fromkeys(scale.values()):
                yield [word for word, earned in scale.items() if earned == points]
    for when in [*(rule.when for rule in _rules(scheme)), *(trigger.when for trigger in scheme.triggers)]:
        for alternative in when:
            if column in alternative and alternative[column].among is not None:
                yield [str(word) for word in alternative[column].among or ()]


def _rules(scheme: Scheme) -> Iterator[Rule]:
    return (rule for label in scheme.labels for rule in label.rules)


def _chinese(value: str, words: list[str]) -> str | None:
    """Return the Chinese word in the place of a value, where each of the words stands in both languages."""
    plain = [word for word in words if not CHINESE.search(word)]
    chinese = [word for word in words if CHINESE.search(word)]
    if value not in plain or not chinese:
        return None
    place = plain.index(value)
    # One English word may have several Chinese ones, the first the shortest; several English ones have one each.
    if len(plain) not in (1, len(chinese)):
        return None
    return chinese[place]
