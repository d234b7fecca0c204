"""Which column is which: the headers that people use, in English and in simplified and traditional Chinese."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from tierlens.sources.declared.asked import Declaring
from tierlens.sources.declared.contract import Contract
from tierlens.sources.declared.contracts import TRANSACTIONS
from tierlens.sources.declared.header_aliases import ALIASES as ALIASES_OF
from tierlens.sources.messages.refusals import file_refusal
from tierlens.sources.parsing.parse_values import INVISIBLE, SIGNS

ALIASES: dict[str, str] = TRANSACTIONS.aliases
"""Headers of the transactions, by column."""
_UNIT = re.compile(r"[(\[【]\s*([^()\[\]【】]*)\s*[)\]】]$")
_FILLER = re.compile(r"[\s_\-./#:*]+")


def _key(header: str) -> str:
    """Return what two spellings of one header share: no case, spaces, marks or unit."""
    plain = unicodedata.normalize("NFKC", INVISIBLE.sub("", header)).strip()
    return _FILLER.sub("", _UNIT.sub("", plain)).casefold()


@cache
def _role_of(table: str) -> dict[str, str]:
    """Return the column that each recognised header of a table stands for."""
    named = ALIASES_OF[table].items()
    return {_key(alias): role for role, names in named for alias in names.split()}


class Header(NamedTuple):
    """A column of the source that carries a column of the vocabulary.

    Parameters
    ----------
    place : int
        Position in the source, from 0.
    unit : str
        ``万``, ``亿`` or ``%`` where the header states it, as in 销售额(万元).
    """

    place: int
    unit: str = ""


def name_blanks(headers: Sequence[str | None]) -> tuple[str, ...]:
    """Return headers without spaces around them; a blank one is called by its place.

    Examples
    --------
    >>> name_blanks([" id ", "", None])
    ('id', 'column 2', 'column 3')
    """
    stripped = (INVISIBLE.sub("", header or "").strip() for header in headers)
    return tuple(name or f"column {place}" for place, name in enumerate(stripped, 1))


def guess_roles(headers: Sequence[str], columns: Declaring, contract: Contract = TRANSACTIONS) -> dict[str, list[int]]:
    """Return, for each column of the vocabulary, the places that may carry it.

    A declared header counts alone; a column that is declared null, or that carries a declared role, is not guessed.
    """
    declared, known = columns.declared, _role_of(contract.name)
    places = {role: [i for i, h in enumerate(headers) if h == name.strip()] for role, name in declared.items() if name}
    taken = {i for found in places.values() for i in found}
    for index, header in enumerate(headers):
        role = known.get(_key(header))
        if role and role not in declared and index not in taken:
            places.setdefault(role, []).append(index)
    return places


def missing_roles(found: Sequence[str], contract: Contract = TRANSACTIONS) -> list[str]:
    """Return the needed columns of the vocabulary that nothing carries.

    A file of transactions needs money in one of two forms; a file of surveys or customers may have any of its columns.

    Examples
    --------
    >>> missing_roles(["customer_id", "price"]), missing_roles(["customer_id", "time", "amount"])
    (['time', 'amount (or quantity and price)'], [])
    """
    missing = [role for role in contract.needed if role not in found]
    if contract is TRANSACTIONS and "amount" not in found and not {"quantity", "price"} <= set(found):
        missing.append("amount (or quantity and price)")
    return missing


def match_roles(
    headers: Sequence[str], columns: Declaring, currency: str, where: str, contract: Contract = TRANSACTIONS
) -> dict[str, Header]:
    """Return which column carries which column of the vocabulary.

    Parameters
    ----------
    headers : sequence of str
        As they stand in the file.
    columns : Columns or Asked
        What the run file declares.
    currency : str
        Code that a unit such as ``(USD)`` in a header is held against.
    where : str
        Place named in errors.
    contract : Contract
        Of the table.

    Raises
    ------
    DataError
        ``E-TX-011`` duplicate headers; ``E-TX-012`` two headers for one role; ``E-TX-118`` a declared header is not
        there; ``E-TX-119`` a needed column is missing; ``E-TX-041`` a header names another currency.

    Examples
    --------
    >>> from tierlens.sources.declared.source import Columns
    >>> match_roles(["客户编号", "下单时间", "销售额(万元)"], Columns(), "CNY", "a.csv")["amount"]
    Header(place=2, unit='万')
    """
    _no_twins(headers, where)
    places = guess_roles(headers, columns, contract)
    for role, found in places.items():
        if len(found) > 1:
            names = ", ".join(repr(headers[i]) for i in found)
            raise file_refusal("E-TX-012", where, names=names, role=role)
        if not found:
            name = columns.declared[role] or ""
            near = difflib.get_close_matches(name, headers, 3, 0.4) or headers
            raise file_refusal("E-TX-118", where, name=name, headers=", ".join(near))
    if missing := missing_roles(list(places), contract):
        raise file_refusal("E-TX-119", where, roles=", ".join(missing), headers=", ".join(headers))
    kinds = {column.name: column.kind for column in contract.columns if column.name in places}
    first = {role: places[role][0] for role in kinds}
    return {
        role: Header(place, _unit(kinds[role], headers[place], currency, where, places))
        for role, place in first.items()
    }


def _no_twins(headers: Sequence[str], where: str) -> None:
    seen: set[str] = set()
    for name in headers:
        if name in seen:
            raise file_refusal("E-TX-011", where, name=name)
        seen.add(name)


def _unit(kind: str, header: str, currency: str, where: str, roles: Mapping[str, list[int]]) -> str:
    """Return the unit that a header of money or of a share states in brackets."""
    stated = _UNIT.search(unicodedata.normalize("NFKC", header))
    if kind == "share":
        return "%" if stated is not None and "%" in stated.group(1) else ""
    if kind != "money" or stated is None:
        return ""
    text = stated.group(1).replace("萬", "万").replace("億", "亿").upper()
    unit = next((u for u in "万亿" if u in text), "")
    rest = text.replace(unit, "").strip() if unit else text
    code = next((c for c, signs in SIGNS.items() if rest == c or rest in signs), "")
    own = rest == currency or rest in SIGNS.get(currency, ())
    if code and not own and "currency" not in roles:
        raise file_refusal("E-TX-041", where, code=code, own=currency)
    return unit
