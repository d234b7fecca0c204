"""Tags in the words of the scheme: what was written down short or in another language is said as the label says it."""

from __future__ import annotations

from collections.abc import Iterator

import narwhals as nw

from tierlens.grading.feature_columns import Frame
from tierlens.grading.scheme.grammar import Condition
from tierlens.grading.scheme.parts import Label
from tierlens.grading.scheme.scheme import Scheme


def in_words(tagged: Frame, scheme: Scheme) -> Frame:
    """Write the text of a tag as the title of the label's value that knows it; other texts stay as they are.

    Parameters
    ----------
    tagged : narwhals.LazyFrame
        With ``tags``.
    scheme : Scheme
        A tag ``of`` a text column and a label whose rule asks that column alone for words (``in``, ``is``).

    Examples
    --------
    >>> import duckdb
    >>> from tierlens.grading.scheme.scheme import load_scheme
    >>> frame = nw.from_native(duckdb.sql("select '[需求:service]' as tags"))
    >>> in_words(frame, load_scheme("relationship_guide")).collect("pyarrow").to_native()["tags"].to_pylist()
    ['[需求:服务需求]']
    """
    tags = nw.col("tags")
    pairs = list(_pairs(scheme))
    for written, said in pairs:
        tags = tags.str.replace_all(written, said, literal=True)
    return tagged.with_columns(tags) if pairs else tagged


def _pairs(scheme: Scheme) -> Iterator[tuple[str, str]]:
    """Each tag as it was written down, and in the scheme's words."""
    for tag in scheme.tags:
        for label in scheme.labels:
            for word, said in _words(label, str(tag.of)).items():
                shut = word.replace("[", "(").replace("]", ")")
                yield f"[{tag.label}:{shut}{tag.suffix}]", f"[{tag.label}:{said}{tag.suffix}]"


def _words(label: Label, column: str) -> dict[str, str]:
    """Words of a column that a label knows by themselves, with the Chinese title of its value; titles stay."""
    titles = {value.id: value.label for value in label.values}
    found: dict[str, str] = {}
    for rule in label.rules:
        for alternative in rule.when:
            if set(alternative) == {column}:
                for word in _asked(alternative[column]):
                    found.setdefault(word, titles[rule.value])
    return {word: said for word, said in found.items() if word not in titles.values()}


def _asked(condition: Condition) -> tuple[str, ...]:
    return condition.among or ((condition.equals,) if isinstance(condition.equals, str) else ())
