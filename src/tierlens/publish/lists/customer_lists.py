"""Lists of customers for marketing: who, how good, how risky, why, and what to do next.

Who may be contacted is decided when the list is made, from what is known then, and only by explicit consent.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tierlens.errors import DataError, UsageError
from tierlens.explain.reason_columns import REASONS
from tierlens.publish.lists.activities import ACTIVITIES
from tierlens.publish.lists.bands import BANDS, OUTCOMES, BandLine, band_headers
from tierlens.publish.lists.contact import CONSENT, CONTACT, contact_allowed
from tierlens.publish.lists.ranking import WAYS, ranked_rows, value_at_risk
from tierlens.sources.engines import arrow_of
from tierlens.sources.report.simulated_note import DATA_NOTE
from tierlens.words import Lang, Text

HEADERS: dict[str, Text] = {
    "customer_id": Text("customer ID", "客户编号"),
    "activity": Text("activity", "活跃状态"),
    "tier": Text("tier", "等级"),
    "score": Text("score", "评分"),
    "segment": Text("segment", "客群"),
    "churn_risk": Text("churn risk", "流失风险"),
    "churn_risk_low": Text("churn risk, at least", "流失风险下限"),
    "churn_risk_high": Text("churn risk, at most", "流失风险上限"),
    "churn_band": Text("churn band", "流失风险档"),
    "downgrade_risk": Text("downgrade risk", "降级风险"),
    "downgrade_band": Text("downgrade band", "降级风险档"),
    "risk_band": Text("risk band", "风险档"),
    "value_at_risk": Text("value at risk", "风险金额"),
    "reason": Text("main reason", "主要原因"),
    "next_step": Text("next step", "下一步"),
    **REASONS,
    "risk_note": Text("note on the risks", "风险说明"),
    "contactable": Text("contactable", "可联系"),
    DATA_NOTE: Text("data", "数据"),
}
"""Columns of a list, in order; ``risk_band`` is the worse of the two bands before it."""

BILINGUAL = ("segment", "reason", "next_step", *REASONS, "risk_note", DATA_NOTE)
"""Columns that the customers' table holds twice, with the ending ``_en`` and ``_zh``."""

LANGS: tuple[Lang, ...] = ("en", "zh")

BAND_COLUMNS = ("churn_band", "downgrade_band", "risk_band")

OPTIONAL = (
    "activity", "churn_risk_low", "churn_risk_high", *BAND_COLUMNS[:2], "value_at_risk", "risk_note", DATA_NOTE,
)  # fmt: skip
"""Columns that a list has where the customers' table has them; the note on risks only where anybody has one."""

OPTIONS = {"tier": "--tier", "risk_band": "--band", "churn_band": "--churn-band",
           "downgrade_band": "--downgrade-band", "segment": "--segment"}  # fmt: skip
"""Options that ask for a column's values; of the same names are the keys of a list in a run file and in Python."""

KEYED: dict[str, dict[str, Text]] = {**dict.fromkeys(BAND_COLUMNS, BANDS), "activity": ACTIVITIES}
"""Columns that hold a key, and the words for it."""


@dataclass(frozen=True)
class Pick:
    """Which customers a list takes; empty means all.

    Parameters
    ----------
    tiers, bands : tuple of str
        ``bands`` are those of ``risk_band``, the worse of the two.
    segments : tuple of str
        Names of segments, in either language.
    contactable_only : bool
    top : int, optional
        At most so many, the first of them.
    activities : tuple of str
        Whether they bought in the window: ``active``, ``lapsed``, ``prospect``.
    churn_bands, downgrade_bands : tuple of str
        Bands of one risk.
    by : {"risk", "value_at_risk"}
        Who comes first: see ``ranking.ranked_rows``. The value at risk is made of churn risk; of downgrade risk where
        the list asks for bands of downgrade and none of churn.
    """

    tiers: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    contactable_only: bool = False
    top: int | None = None
    activities: tuple[str, ...] = ()
    churn_bands: tuple[str, ...] = ()
    downgrade_bands: tuple[str, ...] = ()
    by: str = "risk"

    @property
    def outcome(self) -> str:
        """Whose risk the value at risk is made of."""
        return "downgrade" if self.downgrade_bands and not self.churn_bands else "churn"


def list_headers(bands: Sequence[BandLine], currency: str) -> dict[str, Text]:
    """Return the headers of a list that say where each band begins, and in which money the value at risk is.

    Examples
    --------
    >>> list_headers([BandLine("churn", "high", 0.6, 3, 9, stated_risk=0.6)], "GBP")["churn_band"].en
    'churn band (high: 0.6 and more)'
    """
    value = HEADERS["value_at_risk"]
    return HEADERS | band_headers(bands) | {"value_at_risk": Text(f"{value.en}, {currency}", f"{value.zh}，{currency}")}


def tier_word(tier: str, names: Mapping[str, Text], lang: Lang) -> str:
    """Return what a tier is called in a list: a letter stays a letter, a word is said in the list's language.

    Examples
    --------
    >>> names = {"A": Text("Key customers", "重点客户"), "high": Text("High value", "高价值")}
    >>> tier_word("A", names, "zh"), tier_word("high", names, "zh")
    ('A', '高价值')
    """
    return tier if len(tier) == 1 or tier not in names else names[tier].say(lang)


def resolved_pick(pick: Pick, names: Mapping[str, Text]) -> Pick:
    """Return a pick whose tiers and bands are written as the customers' table has them.

    Parameters
    ----------
    pick : Pick
        Tiers and bands by id or by name, in either language and any case.
    names : mapping of str to Text
        Tiers of the scheme, by id.

    Examples
    --------
    >>> names = {"A": Text("Key customers", "重点客户")}
    >>> found = resolved_pick(Pick(("重点客户", "a"), ("高",), by="风险金额"), names)
    >>> found.tiers, found.bands, found.by
    (('A', 'A'), ('high',), 'value_at_risk')
    """
    words = {"tiers": names, "activities": ACTIVITIES, "bands": BANDS, "churn_bands": BANDS, "downgrade_bands": BANDS}
    found: dict[str, Any] = {
        field: tuple(_id_of(one, known) for one in getattr(pick, field)) for field, known in words.items()
    }
    return replace(pick, **found, by=_id_of(pick.by, WAYS))


def _id_of(asked: str, names: Mapping[str, Text]) -> str:
    """Return the id that is meant, else what was asked for."""
    plain = asked.strip().casefold()
    for key, name in names.items():
        if plain in {key.casefold(), name.en.casefold(), name.zh.casefold()}:
            return key
    return asked


@dataclass(frozen=True)
class CustomerList:
    """A list ready to be written, and where every customer went.

    Parameters
    ----------
    table : pyarrow.Table
        Columns of ``HEADERS``.
    counts : tuple of (Text, int)
        First all customers, last those on the list; what lies between was left out. The sum closes.
    lang : {"en", "zh"}
    """

    table: pa.Table
    counts: tuple[tuple[Text, int], ...]
    lang: Lang


def customer_list(
    customers: Any,
    pick: Pick | None = None,
    lang: Lang = "en",
    consent: pa.Table | None = None,
    allow: frozenset[str] = CONSENT,
    names: Mapping[str, Text] | None = None,
    minor: int = 100,
) -> CustomerList:
    """Choose customers and put them into the columns of a list, riskiest first, or as the pick asks.

    Parameters
    ----------
    customers : table of Arrow, pandas or Polars
        One row a customer: ``customer_id``, ``tier``, ``score``, ``churn_risk``, ``downgrade_risk``, ``risk_band``
        (see ``playbook.with_next_steps``), and ``segment``, ``reason``, those of ``REASONS`` and ``next_step`` in
        both languages (``segment_en``, ``segment_zh``, ...). Missing values stay missing. ``churn_band`` and
        ``downgrade_band`` are shown where they are there; ``monetary`` is read for the value at risk.
    pick : Pick, optional
        All customers by default.
    lang : {"en", "zh"}
    consent : pyarrow.Table, optional
        See ``contactable``; without it the column ``contactable`` of ``customers`` is read, if there is one.
    allow : frozenset of str
        Values that are consent.
    names : mapping of str to Text, optional
        Names of the tiers by id, as the scheme has them; tiers may then be asked for by name.
    minor : int
        Minor units in one unit of the currency.

    Returns
    -------
    CustomerList

    Raises
    ------
    DataError
        ``E-LI-001`` when a column is missing, ``E-LI-002`` when a customer is there twice.
    UsageError
        ``E-LI-003`` when a tier, band or segment is asked for that no customer has, ``E-LI-014`` for a way to rank that
        there is not, ``E-LI-015`` when the amounts for it are not there, ``E-US-030`` when ``customers``
        or ``consent`` are no table.
    """
    pick = resolved_pick(pick or Pick(), names or {})
    customers = arrow_of(customers, "customers")
    consent = None if consent is None else arrow_of(consent, "consent")
    _check(customers, pick)
    if consent is None and "contactable" in customers.column_names:
        consent = customers.select(["customer_id", "contactable"])
    answers = contact_allowed(customers, consent, allow)
    rows = ranked_rows(customers, pick.by, pick.outcome)
    table, answers = customers.take(rows), answers.take(rows)
    if pick.by == "value_at_risk":
        table = table.append_column(pick.by, value_at_risk(table, pick.outcome, minor))
    kept, counts = _choose(table, answers, pick, names or {})
    chosen = _columns(table.filter(kept), answers.filter(kept), lang, names or {})
    return CustomerList(chosen, counts, lang)


def _check(customers: pa.Table, pick: Pick) -> None:
    needed = [name for name in HEADERS if name not in (*BILINGUAL, *OPTIONAL, "contactable")]
    needed += [f"{name}_{lang}" for name in BILINGUAL if name not in OPTIONAL for lang in ("en", "zh")]
    needed += [f"{outcome}_band" for outcome in OUTCOMES if getattr(pick, f"{outcome}_bands")]
    absent = [name for name in needed if name not in customers.column_names]
    if absent:
        raise DataError(
            "E-LI-001",
            Text(f"the customers' table has no column {absent[0]!r}", f"客户表缺少列 {absent[0]!r}"),
            fix=Text("make it with 'tierlens run'", "请用 tierlens run 生成"),
        )
    twice = customers.num_rows - pc.count_distinct(customers["customer_id"], mode="all").as_py()
    if twice:
        raise DataError(
            "E-LI-002",
            Text(f"{twice:,} customers are there more than once", f"有 {twice:,} 行客户重复"),
            fix=Text("give the rows of one cutoff only", "请只提供一个截止日的数据"),
        )


def _choose(
    table: pa.Table, answers: pa.Array, pick: Pick, names: Mapping[str, Text]
) -> tuple[pa.Array, tuple[tuple[Text, int], ...]]:
    """Return the rows kept and the count of each step."""
    everybody = pa.array([True] * table.num_rows, pa.bool_())
    steps: list[tuple[Text, pa.Array]] = [
        (Text("another activity", "其他活跃状态"), _of_activity(table, pick.activities)),
        (Text("another tier", "其他等级"), _asked(table, "tier", pick.tiers, known=names)),
        (Text("another risk band", "其他风险档"), _of_bands(table, pick)),
        (Text("another segment", "其他客群"), _asked(table, "segment_en", pick.segments, "segment_zh")),
        (CONTACT["unknown"], pc.not_equal(answers, "unknown") if pick.contactable_only else everybody),
        (CONTACT["unreadable"], pc.not_equal(answers, "unreadable") if pick.contactable_only else everybody),
        (Text("not contactable", "不可联系"), pc.equal(answers, "yes") if pick.contactable_only else everybody),
    ]
    counts, kept = [(Text("customers", "客户总数"), table.num_rows)], everybody
    for why, passed in steps:
        left = pc.and_(kept, passed)
        counts.append((why, _number(kept) - _number(left)))
        kept = left
    if pick.top is not None:
        within = pc.less_equal(pc.cumulative_sum(pc.cast(kept, pa.int64())), pick.top)
        counts.append(
            (Text("beyond the length of the list", "超出名单长度"), _number(kept) - _number(pc.and_(kept, within)))
        )
        kept = pc.and_(kept, within)
    counts = [counts[0], *(count for count in counts[1:] if count[1]), (Text("on the list", "名单人数"), _number(kept))]
    return kept, tuple(counts)


def _of_activity(table: pa.Table, wanted: tuple[str, ...]) -> pa.Array:
    """Rows of the activities asked for; a shop without any such customer is no slip, but a made-up word is one."""
    known_en, known_zh = ", ".join(ACTIVITIES), "、".join(text.zh for text in ACTIVITIES.values())
    fix = Text(f"ask for one of {known_en}, of a run of this version", f"请使用 {known_zh}，且由本版本运行生成")
    if unknown := [one for one in wanted if one not in ACTIVITIES]:
        what = Text(f"there is no activity {unknown[0]!r}", f"没有活跃状态 {unknown[0]!r}")
        raise UsageError("E-LI-008", what, fix=fix)
    if wanted and "activity" not in table.column_names:
        what = Text("the customers' table does not say who is active", "客户表未说明活跃状态")
        raise UsageError("E-LI-010", what, fix=fix)
    return _among(table, "activity", wanted)


def _of_bands(table: pa.Table, pick: Pick) -> pa.Array:
    """Rows of the bands asked for, of each risk and of the worse of both."""
    mask = pa.array([True] * table.num_rows, pa.bool_())
    for column, wanted in zip(BAND_COLUMNS, (pick.churn_bands, pick.downgrade_bands, pick.bands), strict=True):
        if wanted:
            mask = pc.and_(mask, _asked(table, column, wanted, known=BANDS))
    return mask


def _number(mask: pa.Array) -> int:
    return int(pc.sum(mask).as_py() or 0)


def _among(table: pa.Table, column: str, wanted: tuple[str, ...]) -> pa.Array:
    """Rows whose value was asked for; all rows when nothing was."""
    if not wanted:
        return pa.array([True] * table.num_rows, pa.bool_())
    values = table[column].cast(pa.string()).combine_chunks()
    return pc.fill_null(pc.is_in(values, value_set=pa.array(wanted, pa.string())), False)


def _asked(
    table: pa.Table, column: str, wanted: tuple[str, ...], other: str = "", known: Mapping[str, Text] | None = None
) -> pa.Array:
    """Rows of a name that was asked for, in one column or another; a wish that nobody meets is more likely a slip."""
    columns = [column, other] if other else [column]
    mask = _among(table, column, wanted)
    if other:
        mask = pc.or_(mask, _among(table, other, wanted))
    if wanted and not _number(mask):
        raise _nobody(wanted, column.removesuffix("_en"), _in_use(table, columns, known or {}))
    return mask


def _in_use(table: pa.Table, columns: list[str], titles: Mapping[str, Text]) -> list[tuple[str, Text]]:
    """Return what customers have in a column: the key and its name, or the name in both languages."""
    rows = {tuple(row.values()) for row in table.select(columns).to_pylist()}
    keys = sorted(tuple(map(str, row)) for row in rows if None not in row)
    if len(columns) > 1:
        return [(en, Text(en, zh)) for en, zh in keys]
    return [(key, Text(*(tier_word(key, titles, lang) for lang in LANGS))) for (key,) in keys]


def _nobody(wanted: tuple[str, ...], column: str, known: list[tuple[str, Text]]) -> UsageError:
    """Say that nobody has what was asked for in a column, the nearest name that somebody has, and all of them."""
    words = {word.casefold(): name for key, name in known for word in (key, *name)}
    near = [found for one in wanted for found in difflib.get_close_matches(one.casefold(), words, 1)]
    en = "; ".join(name.en for _, name in known)
    zh = "；".join(name.zh for _, name in known)
    fix = (
        Text(f"the names in use are {en}", f"可用的名称：{zh}")
        if known
        else Text("none of them has such a name", "所有客户均无此项")
    )
    if near:
        meant = words[near[0]]
        fix = Text(f"did you mean {meant.en}? {fix.en}", f"是否指{meant.zh}？{fix.zh}")
    title = HEADERS[column]
    return UsageError(
        "E-LI-003",
        Text(f"no customer has the {title.en} {' or '.join(wanted)}", f"没有客户的{title.zh}为 {'、'.join(wanted)}"),
        where=OPTIONS[column],
        fix=fix,
    )


def _columns(table: pa.Table, answers: pa.Array, lang: Lang, names: Mapping[str, Text]) -> pa.Table:
    """Columns of a list in one language."""
    found: dict[str, pa.Array] = {}
    for name in HEADERS:
        held = f"{name}_{lang}" if name in BILINGUAL else name
        if name in OPTIONAL and not _has(table, name, held):
            continue
        if name in BILINGUAL:
            found[name] = table[held].cast(pa.string())
        elif name in KEYED:
            found[name] = _said(table[name].cast(pa.string()).combine_chunks(), KEYED[name], lang)
        elif name == "contactable":
            found[name] = _said(answers, CONTACT, lang)
        elif name in ("customer_id", "tier"):
            found[name] = table[name].cast(pa.string())
        else:
            found[name] = table[name].cast(pa.float64())
    said = [None if tier is None else tier_word(tier, names, lang) for tier in found["tier"].to_pylist()]
    return pa.table({**found, "tier": pa.array(said, pa.string())})


def _has(table: pa.Table, name: str, held: str) -> bool:
    """Say whether a table has a column that a list may lack."""
    return held in table.column_names and (name != "risk_note" or table[held].null_count < table.num_rows)


def _said(keys: pa.Array, words: Mapping[str, Text], lang: Lang) -> pa.Array:
    """Put words in the place of keys; a list that nobody is on has keys of no type."""
    places = pc.index_in(keys.cast(pa.string()), value_set=pa.array(list(words), pa.string()))
    return pc.take(pa.array([text.say(lang) for text in words.values()], pa.string()), places)
