"""One customer, several records: pairs that a person should look at. Nothing is ever merged by guessing.

A company is written in full or short, in simplified or traditional characters, with its place and legal form or
without. Names are brought to one form (OpenCC turns traditional characters into simplified ones), legal forms and
places are taken off, and RapidFuzz says how alike the rest is. What a person confirms goes into the file that a source
names under ``same_customer``; it is applied to every table when they are read.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from tierlens.errors import MissingExtraError, UsageError
from tierlens.sources.tables import Tables
from tierlens.sources.values import clean_text
from tierlens.spreadsheets import inert
from tierlens.words import Text

Why = Literal["same name", "same core", "short name", "alike"]
WHY: dict[Why, Text] = {
    "same name": Text("same name, but for script, case or marks", "名称相同（不计简繁、大小写与标点）"),
    "same core": Text("same name, but for place or legal form", "除地名或公司形式外名称相同"),
    "short name": Text("one is the other's short name", "一方为另一方的简称"),
    "alike": Text("names alike", "名称相近"),
}
COMMON = 50
"""Pieces of names shared by more customers than this say nothing, and name no pair."""
_FORMS = re.compile(
    "股份有限公司|有限责任公司|有限公司|集团公司|总公司|分公司|公司|集团|股份|责任|控股|"
    r"\b(co|ltd|limited|inc|llc|corp|corporation|company|group|plc|gmbh|holdings?)\b"
)
_PLACES = re.compile(
    "^(中国|北京|上海|天津|重庆|广州|深圳|杭州|南京|苏州|成都|武汉|西安|香港|台湾|[^省市区县]{2,3}[省市区县])+"
)
_MARKS = re.compile(r"[\W_]+")
SCHEMA = pa.schema([("customer_id", pa.string()), ("other_id", pa.string()), ("name", pa.string()),
                    ("other_name", pa.string()), ("why", pa.string()), ("likeness", pa.float64())])  # fmt: skip


@cache
def _converter() -> Any:
    try:
        import opencc
    except ImportError:
        raise MissingExtraError("twins", "opencc") from None
    return opencc.OpenCC("t2s")


def name_key(name: str) -> str:
    """Return what two writings of one name share: script, width, case and marks do not count.

    Examples
    --------
    >>> name_key("國際貿易（上海） 有限公司") == name_key("国际贸易(上海)有限公司")
    True
    """
    plain = unicodedata.normalize("NFKC", clean_text(name) or "").casefold()
    return _MARKS.sub(" ", str(_converter().convert(plain))).strip()


def core(key: str) -> str:
    """Return a name's key without its place and legal form; the whole key where nothing would be left.

    Examples
    --------
    >>> core(name_key("北京华兴科技有限公司")), core(name_key("Acme Trading Co., Ltd."))
    ('华兴科技', 'acmetrading')
    """
    bare = _FORMS.sub("", key)
    short = _PLACES.sub("", bare.replace(" ", ""))
    return short if len(short) > 1 else bare.replace(" ", "") or key


def twins(tables: Tables, least: float = 0.85) -> pa.Table:
    """Return pairs of customers that may be one, for a person to look at.

    Parameters
    ----------
    tables : Tables
        With the table ``customers`` and names in it.
    least : float
        Least likeness (0-1) of two names that are not the same.

    Returns
    -------
    pyarrow.Table
        ``customer_id`` < ``other_id``, both names as they stand, ``why`` (a key of ``WHY``) and ``likeness`` (0-1, 1
        for the same), by likeness from the highest, then by ids. Customers without a name are in no pair.

    Raises
    ------
    UsageError
        ``E-US-013`` when there is no customer table, or ``least`` is no share.
    MissingExtraError
        rapidfuzz or opencc is not installed (extra ``twins``).
    """
    if not tables.has("customers") or not 0 <= least <= 1:
        raise UsageError(
            "E-US-013",
            Text("twins are looked for among the names of a customer table, at a likeness of 0 to 1",
                 "查找重复客户需要客户表中的名称，相似度须在 0 到 1 之间"),
            fix=Text("add 'customers' under 'tables'", "请在 tables 中添加 customers"),
        )  # fmt: skip
    try:
        from rapidfuzz.distance import JaroWinkler
        from rapidfuzz.fuzz import ratio
    except ImportError:
        raise MissingExtraError("twins", "rapidfuzz") from None

    def alike(one: str, other: str) -> float:
        return float(min(JaroWinkler.similarity(one, other), ratio(one, other) / 100 + 0.1, 1.0))

    names = _names(tables)
    keys = {customer: sorted({name_key(name) for name in listed}) for customer, listed in names.items()}
    cores = {customer: sorted({core(key) for key in listed}) for customer, listed in keys.items()}
    rows = []
    for one, other in _suspects(keys, cores):
        found = _judge(keys[one], keys[other], cores[one], cores[other], alike)
        if found and found[1] >= least:
            rows.append({"customer_id": one, "other_id": other, "name": names[one][0], "other_name": names[other][0],
                         "why": found[0], "likeness": round(found[1], 6)})  # fmt: skip
    rows.sort(key=lambda row: (-float(str(row["likeness"])), row["customer_id"], row["other_id"]))
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def shared_names(tables: Tables) -> int:
    """Return how many customers share a name with another, whatever script, width, case or marks it is written in.

    Raises
    ------
    MissingExtraError
        opencc is not installed (extra ``twins``).
    """
    holders: dict[str, set[str]] = defaultdict(set)
    for customer, names in _names(tables).items():
        for key in {name_key(name) for name in names} - {""}:
            holders[key].add(customer)
    return len(set().union(*(customers for customers in holders.values() if len(customers) > 1)))


def _names(tables: Tables) -> dict[str, list[str]]:
    """Return the names of each customer that has any, the full one first."""
    listed = tables.others["customers"].select("customer_id", "name", "short_name").unique().collect("pyarrow")
    names: dict[str, dict[str, None]] = defaultdict(dict)
    for customer, *given in sorted(listed.rows(), key=lambda row: tuple(str(cell or "") for cell in row)):
        names[customer].update((str(name), None) for name in given if name)
    return {customer: list(given) for customer, given in names.items() if given}


def _suspects(keys: Mapping[str, Sequence[str]], cores: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Yield pairs worth a comparison, each once: those that share a name, its core, or the first two letters of it."""
    blocks: dict[str, set[str]] = defaultdict(set)
    for customer in keys:
        for text in {*keys[customer], *cores[customer]}:
            blocks[f"={text}"].add(customer)
        for text in cores[customer]:
            blocks[f"<{text[:2]}"].add(customer)
            blocks[f">{text[-2:]}"].add(customer)
    pairs: set[tuple[str, str]] = set()
    for block, members in blocks.items():
        if block[0] == "=" or len(members) <= COMMON:
            pairs.update(_pairs(sorted(members)))
    yield from sorted(pairs)


def _pairs(members: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield all pairs, of a very large block only neighbours: a hundred records of one name need no 4,950 pairs."""
    if len(members) > COMMON:
        yield from pairwise(members)
    else:
        yield from combinations(members, 2)


def _judge(
    one: Sequence[str], other: Sequence[str], core_one: Sequence[str], core_other: Sequence[str], alike: Any
) -> tuple[Why, float] | None:
    if set(one) & set(other):
        return "same name", 1.0
    if set(core_one) & set(core_other):
        return "same core", 0.99
    for a in core_one:
        for b in core_other:
            short, long = sorted((a, b), key=len)
            if len(short) > 1 and (long.startswith(short) or _is_picked(short, long)):
                return "short name", 0.9
    best = max((alike(a, b) for a in core_one for b in core_other), default=0.0)
    return ("alike", best) if best else None


def _is_picked(short: str, long: str) -> bool:
    """Say whether a Chinese short name picks its characters from the long one, in order, beginning with the first."""
    if len(short) < 3 or short.isascii() or short[:1] != long[:1]:
        return False
    rest = iter(long)
    return all(character in rest for character in short)


def write_twins(pairs: pa.Table, path: str | Path) -> int:
    """Write the pairs as a CSV for a person, with an empty column ``same_as`` to fill in; return their number.

    Rows where ``same_as`` is filled in are what a source's ``same_customer`` file needs.
    """
    import csv

    with Path(path).open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["customer_id", "same_as", "other_id", "name", "other_name", "likeness", "why", "原因"])
        for row in pairs.to_pylist():
            why = WHY[row["why"]]
            cells: Iterable[Any] = (row["customer_id"], "", row["other_id"], row["name"], row["other_name"])
            writer.writerow([*(inert(str(cell)) for cell in cells), row["likeness"], *why])
    return int(pairs.num_rows)
