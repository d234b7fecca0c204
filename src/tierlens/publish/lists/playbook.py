"""Next steps: what to do about a customer of this tier, at this risk, for this reason.

What the scheme in use states for a tier comes first. Other documents' measures stand in ``playbook.yaml``, each with
the document it comes from: they supplement it, or stand in where no scheme is given. Here is no threshold, no advice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from tierlens import strict_yaml
from tierlens.grading.scheme.duties import measures_at
from tierlens.grading.scheme.parts import Tier as OwnTier
from tierlens.grading.scheme.scheme import Scheme, load_scheme, scheme_names
from tierlens.publish.lists.bands import OUTCOMES, Band, Bands, bands_of, worse_band
from tierlens.words import Lang, Text

Tier = Literal["A", "B", "C", "D", "other"]

_ALL: tuple[Band, ...] = ("low", "medium", "high", "unknown")


class _Strict(BaseModel):
    """A part of the file with no keys but its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Measure(_Strict):
    """A sentence in both languages and the document and clause behind it."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)
    source: str = Field(min_length=1)

    @property
    def text(self) -> Text:
        """Both languages."""
        return Text(self.en, self.zh)


class Timing(_Strict):
    """When the measures of a scheme are taken, in both languages; ``{measures}`` stands for them."""

    en: str
    zh: str


class StatedBands(Bands):
    """Where the bands of both risks begin, and who says so."""

    source: str


class Playbook(_Strict):
    """What is added to the measures of a scheme, and one for each tier and band where no scheme is given."""

    format: Literal[1]
    bands: StatedBands
    same_as: Mapping[str, Tier]
    supplements: Mapping[str, Mapping[str, Tier]] = {}
    measures: Mapping[Tier, Mapping[Band, Measure]]
    timing: Mapping[Band, Timing]
    focus: Mapping[str, Measure]
    activity: Mapping[str, Measure] = Field(default_factory=dict)


@lru_cache(maxsize=4)
def load_playbook(path: Path | None = None) -> Playbook:
    """Read a playbook; the one that comes with tierlens by default.

    Raises
    ------
    SchemeError
        ``E-YA-...`` with file and line, when the file breaks the rules.

    Examples
    --------
    >>> load_playbook().measures["A"]["low"].source[:23]
    'relationship_guide high'
    """
    if path is not None:
        return strict_yaml.build_model(Playbook, path)
    text = (files("tierlens.publish.lists") / "playbook.yaml").read_text("utf-8")
    return strict_yaml.build_model(Playbook, text, "playbook.yaml")


def playbook_step(
    tier: str | None,
    band: str | None,
    family: str | None,
    book: Playbook | None = None,
    scheme: Scheme | None = None,
) -> Measure:
    """Return the next step for one kind of customer, with its sources.

    Parameters
    ----------
    tier : str, optional
        A-D, or a tier that the playbook handles like one of them; any other gets the measure ``other``.
    band : str, optional
        ``high``, ``medium``, ``low``; anything else is ``unknown``.
    family : str, optional
        Family of the main reason (see the features' catalog), or its dimension; unknown ones add nothing.
    book : Playbook, optional
    scheme : Scheme, optional
        The scheme in use: what it states for the tier at that risk comes first. Tiers without any measure are handled
        like the documented ones of the same name or place, and the source says so.

    Examples
    --------
    >>> playbook_step("C", "high", "recency").en
    'Care campaign by mail or SMS this month; ask why the purchases stopped'
    """
    book = book or load_playbook()
    own = next((one for one in scheme.tiers if one.id == tier), None) if scheme else None
    if scheme is not None and own is not None and own.measures:
        measure = _of_scheme(scheme, own, band, book)
    else:
        measure = _of_book(_letter(tier, scheme, book), band, book)
        if scheme is not None and own is not None:
            source = f"{scheme.id} {own.id} (states no measures); {_as_supplement(measure.source)}"
            measure = measure.model_copy(update={"source": source})
    focus = book.focus.get(family or "")
    if focus is None:
        return measure
    is_own = scheme is None or focus.source.split(" ", 1)[0] == scheme.id
    source = focus.source if is_own else _as_supplement(focus.source)
    return _joined(measure, focus.model_copy(update={"source": source}), Text("", ""))


SUPPLEMENT = Text("as a supplement", "补充")


def _of_book(place: str | None, band: str | None, book: Playbook) -> Measure:
    """Return what the book holds for one of its tiers."""
    by_band = next((bands for key, bands in book.measures.items() if key == place), book.measures["other"])
    return next((found for key, found in by_band.items() if key == band), by_band["unknown"])


def _of_scheme(scheme: Scheme, own: OwnTier, band: str | None, book: Playbook) -> Measure:
    """Return the measures that a scheme states for a tier, those for the band where it tells them apart."""
    known: Band = next((key for key in _ALL if key == band), "unknown")
    chosen, when = measures_at(own.measures, known), book.timing[known]
    en = "; ".join(_lowered(one.en) for one in chosen)
    said = Text(when.en.replace("{measures}", en), when.zh.replace("{measures}", "；".join(one.zh for one in chosen)))
    clauses = "; ".join(dict.fromkeys(one.source or own.source for one in chosen))
    measure = Measure(en=said.en[:1].upper() + said.en[1:], zh=said.zh, source=f"{scheme.id} {own.id} ({clauses})")
    place = book.supplements.get(scheme.id, {}).get(own.id)
    return measure if place is None else _joined(measure, _of_book(place, band, book), SUPPLEMENT)


def _as_supplement(source: str) -> str:
    """Mark every document of a source as a supplement to the scheme in use."""
    return source.replace(" (", " (supplement: ")


def _lowered(words: str) -> str:
    """Begin small inside a sentence; abbreviations stay as they are."""
    first = words.split(" ", 1)[0]
    return words[:1].lower() + words[1:] if first[1:].islower() or first == "A" else words


def _joined(first: Measure, second: Measure, before: Text) -> Measure:
    """Put one measure after another, with a word between them if there is one."""
    en, zh = f"{before.en}: {_lowered(second.en)}" if before.en else second.en, second.zh
    zh = f"{before.zh}：{zh}" if before.zh else zh
    source = _as_supplement(second.source) if before.en else second.source
    return Measure(en=f"{first.en}; {en}", zh=f"{first.zh}；{zh}", source=f"{first.source}; {source}")


def _letter(tier: str | None, scheme: Scheme | None, book: Playbook) -> str | None:
    """Return the documented tier that a tier is handled like: by its name, else by its place in the scheme."""
    place = book.same_as.get(tier or "", tier)
    ids = [one.id for one in scheme.tiers] if scheme else []
    if place in book.measures or tier not in ids:
        return place
    return "ABCD"[round(3 * ids.index(str(tier)) / max(len(ids) - 1, 1))]


def next_step(tier: str | None, band: str | None, reason_family: str | None, lang: Lang = "en") -> str:
    """Return the next step as a sentence in one language.

    Examples
    --------
    >>> next_step("A", "high", None, "zh")
    '本月由高层带队拜访，商定定制化方案'
    """
    return playbook_step(tier, band, reason_family).text.say(lang)


def with_next_steps(
    customers: pa.Table, book: Playbook | None = None, scheme: Scheme | None = None, bands: Bands | None = None
) -> pa.Table:
    """Add the bands and the next step of each customer.

    Parameters
    ----------
    customers : pyarrow.Table
        With ``tier``, ``churn_risk``, ``downgrade_risk`` and ``reason_code`` (``R-RECENCY``), the code of the main
        reason that raises the risk. At low or unknown risk it changes nothing. With ``activity``, customers without a
        purchase in the window get the measure for that.
    book : Playbook, optional
    scheme : Scheme, optional
        The scheme in use; see ``playbook_step``.
    bands : Bands, optional
        Where the bands begin; those of the playbook by default. A share is one of the customers given here.

    Returns
    -------
    pyarrow.Table
        With ``churn_band`` and ``downgrade_band`` (missing without that risk), ``risk_band`` (the worse of the two, by
        which the next step goes; ``unknown`` without any risk), ``next_step_en``, ``next_step_zh`` and
        ``next_step_source``.

    Examples
    --------
    >>> table = pa.table({"tier": ["D"], "churn_risk": [0.1], "downgrade_risk": [None], "reason_code": ["R-RECENCY"]})
    >>> from tierlens.publish.lists.bands import Bounds
    >>> by_risk = Bounds(high=0.6, medium=0.3)
    >>> with_next_steps(table, bands=Bands(churn=by_risk, downgrade=by_risk))["next_step_en"].to_pylist()
    ['Basic contact, fewer visits; watch for potential']
    """
    bounds = bands or (book or load_playbook()).bands
    each = {f"{name}_band": bands_of(_flat(customers[f"{name}_risk"]), bounds.of(name)) for name in OUTCOMES}
    worse = worse_band(*each.values())
    tiers, codes = (customers[name].to_pylist() for name in ("tier", "reason_code"))
    kinds = [
        (tier, band, _family(code) if band in ("high", "medium") else None)
        for tier, band, code in zip(tiers, worse.to_pylist(), codes, strict=True)
    ]
    steps = {kind: playbook_step(kind[0], kind[1], kind[2], book, scheme) for kind in set(kinds)}
    by_activity = (book or load_playbook()).activity
    given = customers["activity"].to_pylist() if "activity" in customers.column_names else [""] * len(kinds)
    chosen = [_of_activity(by_activity.get(activity), steps[kind], kind[0], scheme)
              for activity, kind in zip(given, kinds, strict=True)]  # fmt: skip
    for name, column in (*each.items(), ("risk_band", worse)):
        customers = customers.append_column(name, column)
    for part in ("en", "zh", "source"):
        texts = pa.array([getattr(measure, part) for measure in chosen], pa.string())
        customers = customers.append_column("next_step_source" if part == "source" else f"next_step_{part}", texts)
    return customers


def _of_activity(of_activity: Measure | None, of_tier: Measure, tier: str | None, scheme: Scheme | None) -> Measure:
    """Return the step of a customer without a purchase in the window: first what the scheme states for the tier."""
    if of_activity is None:
        return of_tier
    if scheme is None or not any(one.id == tier and one.measures for one in scheme.tiers):
        return of_activity
    is_own = of_activity.source.split(" ", 1)[0] == scheme.id
    return _joined(of_tier, of_activity, Text("", "") if is_own else SUPPLEMENT)


def _family(code: str | None) -> str | None:
    """Family of a reason code."""
    return code.removeprefix("R-").lower().replace("-", "_") if code else None


def _flat(column: pa.ChunkedArray) -> pa.Array:
    """One array of a chunked column, so that positions match."""
    flat = column.combine_chunks()
    return flat.cast(pa.float64())


def say_source(source: str, lang: Lang) -> str:
    """Write the sources of a next step for people; in Chinese by the documents' own titles, without the English gist.

    Examples
    --------
    >>> say_source("tiered_management D (basic contact); five_step (wake low-value customers)", "zh")
    '分级客户管理办法 D；客户分级管理5步流程'
    >>> say_source("relationship_guide high (quarterly review)", "zh")
    '客户关系梳理及维护操作指南 高价值客户'
    """
    if lang == "en":
        return source
    parts = [_cited(part) for part in re.sub(r" \([^()]*\)", "", source).split("; ")]
    return "；".join(dict.fromkeys(parts))


def _cited(part: str) -> str:
    name, _, place = part.partition(" ")
    if name not in scheme_names():
        return part
    scheme = load_scheme(name)
    places = {tier.id: tier.short.zh for tier in scheme.tiers}
    places |= {named.id: named.label for named in (*scheme.dimensions, *scheme.labels)}
    places |= {named.name.lower(): named.label for named in (*scheme.dimensions, *scheme.labels)}
    return f"{scheme.label} {places[place]}" if place in places else scheme.label
