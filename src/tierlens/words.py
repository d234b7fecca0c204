"""Both languages in one value: a text that the reader sees carries English and Chinese side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

Lang = Literal["en", "zh"]


class Text(NamedTuple):
    """A text in English and Chinese.

    Examples
    --------
    >>> Text("tier", "等级").say("zh")
    '等级'
    >>> Text("{n} rows", "{n} 行").fill(n=3).say("en")
    '3 rows'
    """

    en: str
    zh: str

    def say(self, lang: Lang) -> str:
        """Return the text in one language."""
        return self.zh if lang == "zh" else self.en

    def fill(self, **values: object) -> Text:
        """Fill the same values into both languages."""
        return Text(self.en.format(**values), self.zh.format(**values))


class Private(Text):
    """A text with what is for few eyes, a person's name or one customer's amount; ``shared`` is what others are told.

    Examples
    --------
    >>> to_share(Private.of(Text("Zhang signed", "张签署"), Text("signed", "已签署"))).en
    'signed'
    """

    shared: Text

    @classmethod
    def of(cls, text: Text, shared: Text) -> Private:
        """Put a text and what others are told in its place together."""
        found = cls(*text)
        found.shared = shared
        return found

    def fill(self, **values: object) -> Private:
        """Fill the same values into both languages, of what others are told too."""
        return Private.of(super().fill(**values), self.shared.fill(**values))


def to_share(text: Text) -> Text:
    """Return what others may be told in the place of a text."""
    return text.shared if isinstance(text, Private) else text


def composed_text(build: Callable[[Sequence[Text]], Text], parts: Sequence[Text]) -> Text:
    """Build a text of parts; it is private where one of them is.

    Examples
    --------
    >>> secret = Private.of(Text("5 CNY", "5 CNY"), Text("some", "若干"))
    >>> found = composed_text(lambda parts: Text(f"spent {parts[0].en}", f"消费{parts[0].zh}"), [secret])
    >>> found.en, to_share(found).en
    ('spent 5 CNY', 'spent some')
    """
    found, shared = build(parts), build([to_share(part) for part in parts])
    return found if found == shared else Private.of(found, shared)
