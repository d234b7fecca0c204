"""One customer, several records: pairs that a person should look at. Nothing is ever merged by guessing.

A company is written in full or short, in simplified or traditional characters, with its place and legal form or
without. Names are brought to one form (OpenCC turns traditional characters into simplified ones), legal forms and
places are taken off, and RapidFuzz says how alike the rest is. What a person confirms goes into the file that a source
names under ``same_customer``; it is applied to every table when they are read.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations, count, pairwise
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from tierlens.errors import DataError, MissingExtraError, UsageError
from tierlens.sources.messages.refusals import file_refusal
from tierlens.sources.parsing.parse_values import clean_text
from tierlens.sources.report.simulated_note import DATA_NOTE, SIMULATED
from tierlens.sources.staging.encoding import detect_encoding
from tierlens.sources.tables import Tables
from tierlens.spreadsheets import inert_text
from tierlens.words import Text

Why = Literal["identical name", "same name", "same core", "short name", "alike"]
WHY: dict[Why, Text] = {
    "identical name": Text("identical names", "名称完全相同"),
    "same name": Text("same name, but for script, case or marks", "名称相同（不计简繁、大小写与标点）"),
    "same core": Text("same name, but for place or legal form", "除地名或公司形式外名称相同"),
    "short name": Text("one is the other's short name", "一方为另一方的简称"),
    "alike": Text("names alike", "名称相近"),
}
GONE = Text("no longer found", "不再匹配")
"""What is said of a pair that a person has judged and that is no more."""
SAID = ("why", "原因")
NOTED = f"{SIMULATED.en} / {SIMULATED.zh}"
"""What the last column of a file of simulated data says."""
COLUMNS = ("customer_id", "same_as", "other_id", "name", "other_name", "likeness", *SAID)
"""Columns of the file for a person; others in it are the person's own."""
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


def name_core(key: str) -> str:
    """Return a name's key without its place and legal form; the whole key where nothing would be left.

    Examples
    --------
    >>> name_core(name_key("北京华兴科技有限公司")), name_core(name_key("Acme Trading Co., Ltd."))
    ('华兴科技', 'acmetrading')
    """
    bare = _FORMS.sub("", key)
    short = _PLACES.sub("", bare.replace(" ", ""))
    return short if len(short) > 1 else bare.replace(" ", "") or key


def duplicate_pairs(tables: Tables, least: float = 0.85) -> pa.Table:
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
    _refuse_unfit(tables, least)
    try:
        from rapidfuzz.distance import JaroWinkler
        from rapidfuzz.fuzz import ratio
    except ImportError:
        raise MissingExtraError("twins", "rapidfuzz") from None

    def alike(one: str, other: str) -> float:
        return float(min(JaroWinkler.similarity(one, other), ratio(one, other) / 100 + 0.1, 1.0))

    names = _names(tables)
    keys = {customer: sorted({name_key(name) for name in listed}) for customer, listed in names.items()}
    cores = {customer: sorted({name_core(key) for key in listed}) for customer, listed in keys.items()}
    rows = []
    for one, other in _suspects(keys, cores):
        found = _judge(keys[one], keys[other], cores[one], cores[other], alike)
        if found and found[0] == "same name" and _spelt(names[one]) & _spelt(names[other]):
            found = "identical name", found[1]
        if found and found[1] >= least:
            rows.append({"customer_id": one, "other_id": other, "name": names[one][0], "other_name": names[other][0],
                         "why": found[0], "likeness": round(found[1], 6)})  # fmt: skip
    rows.sort(key=lambda row: (-float(str(row["likeness"])), row["customer_id"], row["other_id"]))
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _refuse_unfit(tables: Tables, least: float) -> None:
    """Refuse tables without customers, and a likeness that is no share: each by itself."""
    if not tables.has("customers"):
        raise UsageError(
            "E-US-013",
            Text("twins are looked for among the names of a customer table, and there is none",
                 "查找重复客户需要客户表中的名称，但没有客户表"),
            where="source.tables",
            fix=Text("add 'customers' there, in the run file", "请在运行文件的该处添加 customers"),
        )  # fmt: skip
    if not 0 <= least <= 1:
        raise UsageError(
            "E-US-013",
            Text(f"a likeness is a number from 0 to 1, not {least}", f"相似度须在 0 到 1 之间，不能为 {least}"),
            where="least",
            fix=Text("give such a number, for instance 0.85", "请给出该范围内的数，例如 0.85"),
        )


def shared_names(tables: Tables) -> dict[str, int]:
    """Return how many customers share a name with another, by the key of the verdict.

    Returns
    -------
    dict of str to int
        ``name_same``: customers whose name is another's, letter by letter. ``name_twins``: the further ones whose name
        is another's but for script, width, case or marks. Without those that are 0.

    Raises
    ------
    MissingExtraError
        opencc is not installed (extra ``twins``).
    """
    names = _names(tables)
    same = _sharing({customer: _spelt(given) for customer, given in names.items()})
    alike = _sharing({customer: {name_key(name) for name in given} for customer, given in names.items()})
    counts = {"name_same": len(same), "name_twins": len(alike - same)}
    return {key: number for key, number in counts.items() if number}


def _sharing(names: Mapping[str, set[str]]) -> set[str]:
    """Return the customers of whose names any is another's too."""
    holders: dict[str, set[str]] = defaultdict(set)
    for customer, given in names.items():
        for name in given - {""}:
            holders[name].add(customer)
    return set().union(*(customers for customers in holders.values() if len(customers) > 1))


def _spelt(names: Sequence[str]) -> set[str]:
    """Return names as they are spelt, without blanks around them and what cannot be seen."""
    return {clean_text(name) or "" for name in names} - {""}


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


def write_twins(
    pairs: pa.Table, path: str | Path, answers: Sequence[Mapping[str, str]] = (), is_simulated: bool = False
) -> int:
    """Write the pairs as a CSV for a person, with an empty column ``same_as`` to fill in; return their number.

    Rows where ``same_as`` is filled in are what a source's ``same_customer`` file needs.

    Parameters
    ----------
    pairs : pyarrow.Table
        From :func:`duplicate_pairs`.
    path : str or Path
    answers : sequence of mapping of str to str
        From :func:`read_answers`: rows of an earlier file, which stand in the place of their pairs. Those whose pair is
        no more (merged, renamed) follow at the end, and say so.
    is_simulated : bool
        Whether a last column says so.
    """
    note = {DATA_NOTE: NOTED} if is_simulated else {}
    extra = [name for name in (answers[0] if answers else ()) if name not in {*COLUMNS, *note}]
    left: dict[frozenset[str], list[Mapping[str, str]]] = defaultdict(list)
    for answer in answers:
        left[_pair(answer)].append(answer)
    rows: list[dict[str, str]] = []
    for pair in pairs.to_pylist():
        ids = {name: inert_text(str(pair[name])) for name in ("customer_id", "other_id", "name", "other_name")}
        known = left[_pair(ids)]
        said = zip(SAID, WHY[pair["why"]], strict=True)
        rows.append({**ids, **(known.pop(0) if known else {}), **dict(said), "likeness": str(pair["likeness"])})
    gone = dict(zip(SAID, GONE, strict=True))
    rows += [{**one, **(gone if one["other_id"] else {})} for found in left.values() for one in found]
    with Path(path).open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, [*COLUMNS, *extra, *note], restval="")
        writer.writeheader()
        writer.writerows({**row, **note} for row in rows)
    return int(pairs.num_rows)


def _pair(row: Mapping[str, str]) -> frozenset[str]:
    return frozenset((row["customer_id"], row["other_id"]))


def is_twins_file(path: str | Path) -> bool:
    """Say whether a CSV has the columns that ``write_twins`` writes for answers."""
    try:
        return {"customer_id", "same_as", "other_id"} <= set(next(_records(Path(path)), ()))
    except DataError:
        return False


def read_answers(path: str | Path) -> list[dict[str, str]]:
    """Return the rows of a file of ``write_twins`` into which a person has written: ``same_as``, or columns of theirs.

    Columns without a header are called ``note 1`` and so on. The note that data are simulated is no answer.

    Raises
    ------
    DataError
        ``E-TX-016`` or ``E-TX-122`` when it is in no known encoding, ``E-TX-019`` when a quote is not closed.
    """
    header, *records = list(_records(Path(path))) or [[]]
    width = max(map(len, (header, *records)))
    free = (name for name in map("note {}".format, count(1)) if name not in header)
    names: list[str] = []
    for name in (*header, *[""] * (width - len(header))):
        names.append(name if name.strip() and name not in names else next(free))
    rows = [dict(zip(names, [*record, *[""] * width], strict=False)) for record in records]
    own = [name for name in names if name not in COLUMNS or name == "same_as"]
    return [row for row in rows if any(row[name].strip() and (name, row[name]) != (DATA_NOTE, NOTED) for name in own)]


def _records(path: Path) -> Iterator[list[str]]:
    """Yield the lines of a CSV as a spreadsheet may have kept it: UTF-8 or GB18030; commas, semicolons or tabs."""
    with path.open(encoding=detect_encoding(path), newline="") as file:
        first = file.readline()
        file.seek(0)
        reader = csv.reader(file, delimiter=max(",;\t", key=first.count), strict=True)
        try:
            yield from reader
        except csv.Error:
            raise file_refusal("E-TX-019", f"{path.name}:{reader.line_num}") from None
