"""Which risks are not to be acted on, and why: kept beside each model, so that later scores say what the run said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tierlens.publish.files.atomic import write_text
from tierlens.words import Lang, Text

if TYPE_CHECKING:
    from tierlens.learning.learn import Learned

FILE = "caution.json"
LANGS: tuple[Lang, ...] = ("en", "zh")


@dataclass(frozen=True)
class Caution:
    """What is said of the risks of a kept model.

    Parameters
    ----------
    always : Text, optional
        What its test says against them; None where nothing does, or where nothing was kept.
    where_same : Text, optional
        What is said where all customers get the same risk.
    """

    always: Text | None = None
    where_same: Text | None = None

    def of(self, risks: pa.ChunkedArray) -> Text | None:
        """Return what is said of the risks of all customers of one cutoff."""
        return self.where_same if are_same(risks) else self.always


def are_same(risks: pa.ChunkedArray) -> bool:
    """Say whether all who have a risk have the same, and they are several."""
    known = pc.drop_null(risks)
    return len(known) > 1 and pc.count_distinct(known).as_py() == 1


def keep_model(one: Learned, models: Path) -> None:
    """Keep a model in its folder under ``models``, with what is said of its risks."""
    folder = models / one.outcome
    one.model.save(folder)
    risk = replace(one.risk, is_constant=False)
    said = {"always": risk.caution, "where_same": replace(risk, is_constant=True).caution}
    told = {key: None if text is None else text._asdict() for key, text in said.items()}
    write_text(folder / FILE, json.dumps(told, ensure_ascii=False, indent=2) + "\n")


def kept_caution(models: Path, outcome: str) -> Caution:
    """Return what is said of the risks of a kept model; nothing where an earlier version kept it."""
    file = models / outcome / FILE
    if not file.is_file():
        return Caution()
    told = json.loads(file.read_text("utf-8"))
    return Caution(**{key: None if text is None else Text(**text) for key, text in told.items()})


def with_kept_notes(table: pa.Table, models: Path) -> pa.Table:
    """Add the notes of kept models to the risks that they gave, see :func:`with_notes`."""
    outcomes = [name.removesuffix("_risk") for name in table.column_names if name.endswith("_risk")]
    found = {one: kept_caution(models, one).of(table[f"{one}_risk"]) for one in outcomes}
    return with_notes(table, {outcome: text for outcome, text in found.items() if text is not None})


def with_notes(table: pa.Table, doubtful: Mapping[str, Text]) -> pa.Table:
    """Add ``risk_note_en`` and ``risk_note_zh``: which risks of a customer are not to be acted on, and why.

    Parameters
    ----------
    table : pyarrow.Table
        With ``<outcome>_risk`` of each outcome.
    doubtful : mapping of str to Text
        What is said of each outcome that is not to be acted on.

    Returns
    -------
    pyarrow.Table
        Notes are missing where every risk of the customer may be acted on.

    Examples
    --------
    >>> risks = pa.table({"churn_risk": [0.5, None]})
    >>> with_notes(risks, {"churn": Text("do not act on it", "不宜据此行动")})["risk_note_zh"].to_pylist()
    ['不宜据此行动', None]
    """
    given = {outcome: pc.is_valid(table[f"{outcome}_risk"]).to_pylist() for outcome in doubtful}
    for lang in LANGS:
        notes = [_note(doubtful, [one for one in doubtful if given[one][row]], lang) for row in range(table.num_rows)]
        table = table.append_column(f"risk_note_{lang}", pa.array(notes, pa.string()))
    return table


def _note(doubtful: Mapping[str, Text], outcomes: Sequence[str], lang: Lang) -> str | None:
    return " ".join(doubtful[one].say(lang) for one in outcomes) or None
