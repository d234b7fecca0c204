"""What a document wants done: measures for the customers of a tier, and practices of the company."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator

from tierlens.grading.scheme.grammar import Named, Note, Word
from tierlens.words import Text

AtRisk = Literal["high", "medium", "low", "unknown"]
Kind = Literal["goal", "kpi", "review", "process", "check", "method"]

KINDS: dict[str, Text] = {
    "goal": Text("goal", "目标"),
    "kpi": Text("KPI", "考核指标"),
    "review": Text("review", "回顾"),
    "process": Text("process", "流程"),
    "check": Text("check", "检查"),
    "method": Text("method", "方法"),
}


def _listed(value: object) -> object:
    """Take the words of one cell of a workbook apart."""
    return value.split() if isinstance(value, str) else value


class Measure(Note):
    """What a document wants done for the customers of a tier.

    Parameters
    ----------
    en, zh : str
        English and Chinese.
    at_risk : tuple of {"high", "medium", "low", "unknown"}
        The risk at which a next step names it; at every risk where none is given. No document says it.
    source : str, optional
        The clause, where it is another than the tier's.
    note : Note, optional
        How far the document goes, where it does not state the measure for the whole tier.

    Examples
    --------
    >>> Measure(en="Quarterly review", zh="季度复盘", at_risk="low medium").at_risk
    ('low', 'medium')
    """

    at_risk: Annotated[tuple[AtRisk, ...], BeforeValidator(_listed)] = ()
    source: Word | None = None
    note: Note | None = None


class Practice(Named):
    """Something that a document asks of the company and no number says; stated for people.

    Parameters
    ----------
    kind : str
        A key of ``KINDS``.
    source : str
        Clause of the document.
    note : Note, optional
        How it is read.
    """

    kind: Kind
    source: Word
    note: Annotated[tuple[Note, ...], BeforeValidator(lambda note: [note] if isinstance(note, dict) else note)] = ()


def measures_at(measures: tuple[Measure, ...], risk: str) -> tuple[Measure, ...]:
    """Return the measures that a next step names at a risk; all of them where none of them is for that risk.

    Examples
    --------
    >>> calm, alarm = Measure(en="Write", zh="写信", at_risk="low"), Measure(en="Call", zh="致电", at_risk="high")
    >>> [one.en for one in measures_at((calm, alarm), "high")], len(measures_at((calm, alarm), "medium"))
    (['Call'], 2)
    """
    return tuple(one for one in measures if not one.at_risk or risk in one.at_risk) or measures
