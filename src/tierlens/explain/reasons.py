"""The reasons behind a customer's risk, as sentences in both languages.

A reason is a family of features, so that recency is not given three times under three names; its strength is the sum
of the family's contributions. It is told by the member that speaks: one with a phrase of its own if there is one, and
always one that pushes the same way as the whole family.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from tierlens.errors import DataError
from tierlens.explain.contributions import Catalog, Contributions, Floats, family_of, float_matrix, title_of
from tierlens.explain.phrases import COMPARED, EFFECTS, PHRASES, PLAIN
from tierlens.features.catalog import WHOLE
from tierlens.segments.figures import UNKNOWN, say_value
from tierlens.sources.tables import Currency
from tierlens.words import Text

Side = Literal["both", "raises", "lowers"]
Ints = NDArray[np.intp]

KEY = ("customer_id", "cutoff")
SILENT = 1e-12
"""Log-odds below which a contribution is no reason at all."""


@dataclass(frozen=True)
class Wording:
    """What sentences are made with.

    Parameters
    ----------
    currency : Currency
        Money is in its minor units and written in whole ones.
    catalog : mapping of str to Feature
        Titles, units and families.
    phrases : mapping of str to Text
        Phrase of a feature, with ``{value}`` in it; features without one get "title: value".
    """

    currency: Currency
    catalog: Catalog
    phrases: Mapping[str, Text]


def customer_reasons(
    contributions: Contributions,
    table: Any,
    *,
    currency: Currency,
    top: int = 3,
    side: Side = "both",
    medians: Mapping[str, float] | None = None,
    catalog: Catalog = WHOLE,
) -> Any:
    """Return the strongest reasons of each customer.

    Parameters
    ----------
    contributions : Contributions
        By feature, one row a row of ``table``.
    table : Arrow table, pandas or Polars frame, shape (n, ...)
        The features explained, and ``customer_id`` and ``cutoff`` where there are any.
    currency : Currency
        Money is in its minor units.
    top : int
        Reasons a customer at most; fewer where fewer families move the risk.
    side : {"both", "raises", "lowers"}
        Reasons either way, or only those of one side.
    medians : mapping of str to float, optional
        What to compare with; default: the medians of ``table``.
    catalog : mapping of str to Feature

    Returns
    -------
    pyarrow.Table
        One row a reason: ``row`` (0-based row of ``table``), the keys, ``rank`` (1 is the strongest), ``code``,
        ``family``, ``feature``, ``value``, ``median``, ``contribution`` (of the family, log-odds), ``effect``
        (raises or lowers), ``text_en``, ``text_zh``. Sorted by row and rank; ties in strength go by the family's name.

    Raises
    ------
    DataError
        ``E-EP-005`` when rows do not match; ``E-EP-004`` for a feature that is no column of ``table``.

    Examples
    --------
    >>> import pyarrow as pa
    >>> shop = pa.table({"customer_id": ["a", "b"], "recency_days": [143, 51], "overdue_ratio": [3.0, None]})
    >>> found = Contributions([[0.4, 0.9], [-0.1, 0.0]], 0.0, ("recency_days", "overdue_ratio"))
    >>> medians = {"recency_days": 51.0, "overdue_ratio": 1.0}
    >>> said = customer_reasons(found, shop, currency=Currency("GBP"), medians=medians)
    >>> said["text_en"].to_pylist()[1], said["code"].to_pylist()[1]
    ('No purchase for 51 days (half of customers: 51): lowers the risk', 'R-RECENCY')
    >>> said["text_zh"].to_pylist()[0]
    '当前停购为平均间隔的3倍（客户中位数1），风险上升'
    """
    frame = nw.from_native(table, eager_only=True)
    if len(frame) != len(contributions):
        raise DataError(
            "E-EP-005",
            Text(
                f"{len(contributions)} rows of contributions for {len(frame)} customers",
                f"贡献值 {len(contributions)} 行，客户 {len(frame)} 位，数量不符",
            ),
            fix=Text("explain the same rows", "请解释相同的行"),
        )
    families = contributions.by({name: family_of(name, catalog) for name in contributions.names})
    values = float_matrix(table, contributions.names)
    row, rank, family = _strongest(families, top, side)
    strength = families.values[row, family]
    feature = _speakers(contributions, families, catalog)[row, family]
    middle = _medians(values, contributions.names, medians)
    wording = Wording(currency, catalog, PHRASES)
    english, chinese = _sentences(values[row, feature], feature, strength > 0, (contributions.names, middle), wording)
    return _table(frame, contributions, families, (row, rank, family, feature), (values, middle, english, chinese))


def reason_code(family: str) -> str:
    """Return the short stable name of a family's reason.

    Examples
    --------
    >>> reason_code("order_value")
    'R-ORDER-VALUE'
    """
    return "R-" + family.upper().replace("_", "-")


def reason_sentence(value: float, median: float, feature: str, raises: bool, wording: Wording) -> Text:
    """Say one reason.

    Parameters
    ----------
    value, median : float
        The customer's own value and the middle one of all customers, in the feature's unit; NaN is missing.
    feature : str
    raises : bool
        Whether it raises the risk.
    wording : Wording

    Returns
    -------
    Text

    Examples
    --------
    >>> words = Wording(Currency("GBP"), WHOLE, PHRASES)
    >>> reason_sentence(41_250, 62_900, "monetary", True, words).en
    'Net amount 412 GBP in the window (half of customers: 629 GBP): raises the risk'
    >>> reason_sentence(float("nan"), 0.7, "regularity", False, words).zh
    '购买规律度：无数据（客户中位数70%），风险下降'
    """
    unit = wording.catalog[feature].unit if feature in wording.catalog else ""
    own = say_value(value, unit, wording.currency)
    middle = say_value(median, unit, wording.currency, bare=True)
    title = title_of(feature, "feature", wording.catalog)
    title = Text(title.en[:1].upper() + title.en[1:], title.zh) if feature in wording.catalog else title
    phrase = wording.phrases.get(feature, PLAIN) if own is not UNKNOWN else PLAIN
    compared = COMPARED if middle is not UNKNOWN else Text("", "")
    effect = EFFECTS["raises" if raises else "lowers"]
    return Text(
        phrase.en.format(value=own.en, title=title.en) + compared.en.format(median=middle.en) + effect.en,
        phrase.zh.format(value=own.zh, title=title.zh) + compared.zh.format(median=middle.zh) + effect.zh,
    )


def side_by_side(said: Any, customers: int, top: int = 3) -> Any:
    """Return reasons as columns, one row a customer, for lists.

    Parameters
    ----------
    said : pyarrow.Table
        From ``customer_reasons``.
    customers : int
        Rows that were explained; a row without reasons stays, with nulls.
    top : int
        Reasons to show.

    Returns
    -------
    pyarrow.Table
        ``reason_1_code``, ``reason_1_en``, ``reason_1_zh``, ``reason_2_code``, ... in the order of the rows explained.

    Examples
    --------
    >>> import pyarrow as pa
    >>> said = pa.table({"row": [1], "rank": [1], "code": ["R-A"], "text_en": ["a"], "text_zh": ["甲"]})
    >>> side_by_side(said, 2, top=1).to_pylist()
    [{'reason_1_code': None, 'reason_1_en': None, 'reason_1_zh': None},
     {'reason_1_code': 'R-A', 'reason_1_en': 'a', 'reason_1_zh': '甲'}]
    """
    import pyarrow as pa

    row, rank = said["row"].to_numpy(), said["rank"].to_numpy()
    columns: dict[str, Any] = {}
    for number in range(1, top + 1):
        at = np.flatnonzero(rank == number)
        where = np.full(customers, -1)
        where[row[at]] = at
        take = pa.array(where, mask=where < 0)
        for column, name in (("code", "code"), ("text_en", "en"), ("text_zh", "zh")):
            columns[f"reason_{number}_{name}"] = said[column].combine_chunks().take(take)
    return pa.table(columns)


def _strongest(families: Contributions, top: int, side: Side) -> tuple[Ints, Ints, Ints]:
    """Row, rank (from 1) and family of every reason, sorted by row and rank."""
    by_name = sorted(range(len(families.names)), key=lambda column: families.names[column])
    strength = families.values[:, by_name]
    force = {"both": np.abs(strength), "raises": strength, "lowers": -strength}[side]
    order = np.argsort(-force, axis=1, kind="stable")[:, :top]
    row, place = np.nonzero(np.take_along_axis(force, order, axis=1) > SILENT)
    return row, place + 1, np.array(by_name, dtype=np.intp)[order[row, place]]


def _speakers(contributions: Contributions, families: Contributions, catalog: Catalog) -> Ints:
    """Feature that tells each family's reason, shape (rows, families)."""
    speakers = np.zeros(families.values.shape, dtype=np.intp)
    homes = [family_of(name, catalog) for name in contributions.names]
    for at, family in enumerate(families.names):
        members = np.array([column for column, home in enumerate(homes) if home == family])
        # What pushes the family's way is positive here; it exists wherever the family's sum is not zero.
        push = contributions.values[:, members] * np.sign(families.values[:, [at]])
        phrased = np.array([contributions.names[member] in PHRASES for member in members])
        heard = np.where(phrased & (push > 0), push + np.abs(push).max(initial=0.0), push)
        speakers[:, at] = members[heard.argmax(axis=1)] if len(push) else 0
    return speakers


def _medians(values: Floats, names: tuple[str, ...], given: Mapping[str, float] | None) -> Floats:
    if given is not None:
        return np.array([given.get(name, np.nan) for name in names])
    middle = np.full(len(names), np.nan)
    known = ~np.isnan(values).all(axis=0) if len(values) else np.zeros(len(names), dtype=bool)
    middle[known] = np.nanmedian(values[:, known], axis=0)
    return middle


def _sentences(
    values: Floats, feature: Ints, raises: NDArray[np.bool_], known: tuple[tuple[str, ...], Floats], wording: Wording
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Say every reason, each different sentence once: many customers share a value."""
    names, middle = known
    english, chinese = np.empty(len(values), dtype=object), np.empty(len(values), dtype=object)
    for column in np.unique(feature):
        for effect in (True, False):
            at = np.flatnonzero((feature == column) & (raises == effect))
            different, inverse = np.unique(values[at], return_inverse=True)
            said = [
                reason_sentence(value, middle[column], names[column], effect, wording) for value in different.tolist()
            ]
            english[at] = np.array([text.en for text in said], dtype=object)[inverse]
            chinese[at] = np.array([text.zh for text in said], dtype=object)[inverse]
    return english, chinese


def _table(
    frame: nw.DataFrame[Any],
    contributions: Contributions,
    families: Contributions,
    at: tuple[Ints, Ints, Ints, Ints],
    told: tuple[Floats, Floats, NDArray[np.object_], NDArray[np.object_]],
) -> Any:
    import pyarrow as pa

    (row, rank, family, feature), (values, middle, english, chinese) = at, told
    strength = families.values[row, family]
    keys = {key: frame.get_column(key).to_arrow().take(pa.array(row)) for key in KEY if key in frame.columns}
    codes = [reason_code(name) for name in families.names]
    return pa.table(
        {
            "row": pa.array(row, pa.int64()),
            **keys,
            "rank": pa.array(rank, pa.int32()),
            "code": pa.array(codes, pa.string()).take(pa.array(family)),
            "family": pa.array(families.names, pa.string()).take(pa.array(family)),
            "feature": pa.array(contributions.names, pa.string()).take(pa.array(feature)),
            "value": pa.array(values[row, feature], pa.float64(), from_pandas=True),
            "median": pa.array(middle[feature], pa.float64(), from_pandas=True),
            "contribution": pa.array(strength, pa.float64()),
            "effect": pa.array(np.where(strength > 0, "raises", "lowers"), pa.string()),
            "text_en": pa.array(english, pa.string()),
            "text_zh": pa.array(chinese, pa.string()),
        }
    )
