"""Both languages in one value: a text that the reader sees carries English and Chinese side by side."""

from __future__ import annotations

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
