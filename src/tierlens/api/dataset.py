"""Data of a shop for use in Python: read from files, taken from frames, or simulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from tierlens.api.native_frames import Library, as_library, library_of
from tierlens.errors import UsageError
from tierlens.scratch import scratch_folder, temporary_folder
from tierlens.sources.declared.contracts import OTHERS
from tierlens.sources.declared.source import Columns, Money, Policies, Source
from tierlens.sources.engines import arrow_of
from tierlens.sources.from_frame import known_money, tables_and_quality
from tierlens.sources.parsing.header_matching import guess_roles
from tierlens.sources.read import read_tables as read_source
from tierlens.sources.report.quality import Quality
from tierlens.sources.tables import Currency, Tables
from tierlens.words import Text

Setting = TypeVar("Setting", Money, Policies, Source)


@dataclass(frozen=True)
class Dataset:
    """Transactions and other tables of a shop, checked and settled.

    Parameters
    ----------
    tables : Tables
        What features are built from.
    quality : Quality, optional
        What became of every row that was read; None where nothing was read (a simulated shop).
    frames : {"pandas", "polars", "pyarrow"}
        Library of the frames that are made from it.
    """

    tables: Tables
    quality: Quality | None = None
    frames: Library = "pandas"

    @property
    def currency(self) -> Currency:
        """The currency of its money, with the declared rates."""
        return self.tables.currency

    @property
    def transactions(self) -> Any:
        """The settled transactions: ``customer_id``, ``order_id``, ``time`` (date), ``amount`` in whole units."""
        names = self.tables.transactions.collect_schema().names()
        kept = [name for name in ("customer_id", "order_id", "product_id") if name in names]
        table = self.tables.transactions.select(*kept, "day", "amount").collect("pyarrow").to_native()
        amount = table["amount"].cast(pa.float64()).to_numpy() / self.currency.minor
        dates = table["day"].cast(pa.int32()).cast(pa.date32())
        made = table.select(kept).append_column("time", dates).append_column("amount", pa.array(amount))
        return as_library(made, self.frames)


def read(
    files: str | Path | Sequence[str | Path],
    currency: str,
    *,
    rates: Mapping[str, float | str] | None = None,
    columns: Mapping[str, str] | None = None,
    tables: Mapping[str, str | Path] | None = None,
    policies: Policies | Mapping[str, Any] | None = None,
    frames: Library = "pandas",
    **settings: Any,
) -> Dataset:
    r"""Read transactions, and other tables, from files or databases.

    Parameters
    ----------
    files : path or sequence of path
        CSV, TSV, XLSX, Parquet; a folder, a glob; DuckDB or SQLite; ``postgresql://...``.
    currency : str
        Code of the currency of the amounts.
    rates : mapping of str to float or str, optional
        Units of another currency for one unit of ``currency``: what a scheme in another currency needs.
    columns : mapping of str to str, optional
        ``customer_id``, ``order_id``, ``time``, ``amount`` (or ``quantity`` and ``price``), ``product_id``, ... to the
        headers of the files. Those left out are recognised by their usual names.
    tables : mapping of str to path, optional
        Other tables: ``customers``, ``tickets``, ``contracts``, ``interactions``, ``surveys``, ``payments``,
        ``ratings``.
    policies : Policies or mapping, optional
        What is done with returns, repeats and rows that cannot be used; see
        :class:`~tierlens.sources.declared.source.Policies`.
    frames : {"pandas", "polars", "pyarrow"}
        Library of the frames that are made from the data.
    **settings
        Others of :class:`~tierlens.sources.declared.source.Source`: ``name``, ``timezone`` (``Asia/Shanghai``),
        ``date_format``, ``encoding``, ``separator``, ``sheets``, ...

    Returns
    -------
    Dataset
        ``quality`` counts every row: used, quarantined or a repeat.

    Raises
    ------
    UsageError
        ``E-US-033`` for a setting that cannot be; ``E-US-034`` for a library that is none.
    DataError
        When a file cannot be read, or more rows are quarantined than the policies allow.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> orders = Path(folder.name) / "orders.csv"
    >>> _ = orders.write_text("customer,date,amount\n00123,2026-01-05,19.90\n")
    >>> shop = read(orders, "CNY", columns={"customer_id": "customer"})
    >>> folder.cleanup()
    >>> shop.quality.used, shop.transactions["amount"].tolist()
    (1, [19.9])
    """
    as_library(pa.table({}), frames)
    places = [files] if isinstance(files, str | Path) else list(files)
    found = read_source(
        _source(
            files=[str(place) for place in places],
            currency=money_of(currency, rates),
            columns=dict(columns or {}),
            tables={name: str(place) for name, place in (tables or {}).items()},
            policies=policies if policies is not None else {},
            **settings,
        )
    )
    return Dataset(found.tables, found.quality, frames)


def from_frame(
    orders: Any,
    currency: str,
    *,
    rates: Mapping[str, float | str] | None = None,
    columns: Mapping[str, str] | None = None,
    tables: Mapping[str, Any] | None = None,
    policies: Policies | Mapping[str, Any] | None = None,
    timezone: str = "Asia/Shanghai",
    name: str = "data",
) -> Dataset:
    """Take transactions, and other tables, from frames in memory.

    Parameters
    ----------
    orders : frame of pandas, Polars or Arrow
        One row a line of an order.
    currency, rates, columns
        See :func:`read`; ``columns`` names columns of ``orders``.
    tables : mapping of str to frame, optional
        Other tables; see :func:`read`.
    policies : Policies or mapping, optional
        See :func:`read`. Where not given, repeats are kept, returns are told by the column ``kind`` or else by a minus,
        and not one row may be quarantined.
    timezone : str
        Where a day begins: its midnight there.
    name : str
        What the data are called in outputs.

    Returns
    -------
    Dataset
        Frames made from it are of the library of ``orders``.

    Raises
    ------
    UsageError
        ``E-US-010`` when a needed column is not there; ``E-US-014`` when the currency is none; ``E-US-015`` when
        ``orders`` is no frame; ``E-US-033`` for a setting that cannot be.
    DataError
        ``E-TX-200`` when rows cannot be used.

    Examples
    --------
    >>> import pandas as pd
    >>> orders = pd.DataFrame({"Customer ID": ["a", "a"], "date": ["2026-01-05", "2026-02-01"], "amount": [19.9, 5.0]})
    >>> shop = from_frame(orders, "CNY")
    >>> shop.transactions[["customer_id", "amount"]].values.tolist()
    [['a', 19.9], ['a', 5.0]]
    """
    money = money_of(currency, rates)
    rules = _checked(Policies, policies) if policies is not None else None
    _checked(Source, {"files": "-", "currency": money, "timezone": timezone, "name": name})
    renamed = _with_roles(orders, columns)
    with scratch_folder(temporary_folder()) as folder:
        others = {}
        _refuse_unknown_tables(tables or {})
        for table, frame in (tables or {}).items():
            others[table] = str(folder / f"{table}.parquet")
            pq.write_table(arrow_of(frame, f"tables[{table!r}]"), others[table])
        found = tables_and_quality(renamed, money, name=name, timezone=timezone, policies=rules, others=others)
    return Dataset(found.tables, found.quality, library_of(orders))


def simulate(customers: int = 1000, months: int = 36, seed: int = 0, *, frames: Library = "pandas") -> Dataset:
    """Simulate a business-to-business shop with all eight tables, from January 2023 on.

    Parameters
    ----------
    customers, months : int
        At least 1.
    seed : int
        The same arguments give the same shop.
    frames : {"pandas", "polars", "pyarrow"}
        Library of the frames that are made from it.

    Examples
    --------
    >>> simulate(customers=50, months=12).currency.code
    'CNY'
    """
    from tierlens.datasets.simulate import simulated_shop

    as_library(pa.table({}), frames)
    return Dataset(simulated_shop(customers=customers, months=months, seed=seed).tables, None, frames)


def money_of(currency: str, rates: Mapping[str, float | str] | None) -> Money:
    """Return a currency with rates; a float rate means the number that it is written as.

    Raises
    ------
    UsageError
        ``E-US-014`` when the currency is none, ``E-US-033`` when a rate is none.
    """
    known_money(currency)
    return _checked(Money, {"code": currency, "rates": {code: str(rate) for code, rate in (rates or {}).items()}})


def _source(**given: Any) -> Source:
    return _checked(Source, given)


def _checked(kind: type[Setting], given: Any) -> Setting:
    """Return settings as a value; what cannot be is told in one line.

    Raises
    ------
    UsageError
        ``E-US-033`` with the name of the setting.
    """
    try:
        return kind.model_validate(given)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or kind.__name__.lower()
        said = first["msg"].removeprefix("Value error, ")
        names = ", ".join(kind.model_fields)
        raise UsageError(
            "E-US-033",
            Text(said, said),
            where=where,
            fix=Text(f"{kind.__name__} takes {names}", f"{kind.__name__} 的设置：{names}"),
        ) from None


def _refuse_unknown_tables(tables: Mapping[str, Any]) -> None:
    for name in tables:
        if name not in OTHERS:
            listed = ", ".join(OTHERS)
            raise UsageError(
                "E-US-033",
                Text(f"there is no table {name!r}", f"没有数据表 {name!r}"),
                where="tables",
                fix=Text(f"there are {listed}", f"可用：{listed}"),
            )


def _with_roles(orders: Any, columns: Mapping[str, str] | None) -> Any:
    """Return a frame whose columns have the names of the vocabulary, where their usual names are recognised."""
    import narwhals as nw

    frame = nw.from_native(orders, pass_through=True)
    if not isinstance(frame, nw.DataFrame | nw.LazyFrame):
        return orders
    names = frame.collect_schema().names()
    declared = _checked_columns(columns, names)
    places = guess_roles(names, declared)
    wanted = {names[found[0]]: role for role, found in places.items() if len(found) == 1 and names[found[0]] != role}
    taken = set(wanted.values())
    aside = {name: f"{name} (not read)" for name in names if name in taken and name not in wanted}
    return frame.rename({**wanted, **aside}).to_native()


def _checked_columns(columns: Mapping[str, str] | None, names: Sequence[str]) -> Columns:
    try:
        declared = Columns.model_validate(dict(columns or {}))
    except ValidationError as problem:
        role = ".".join(str(part) for part in problem.errors()[0]["loc"])
        known = ", ".join(Columns.model_fields)
        raise UsageError(
            "E-US-033",
            Text(f"there is no column {role!r} to declare", f"没有可声明的列 {role!r}"),
            where="columns",
            fix=Text(f"there are {known}", f"可用：{known}"),
        ) from None
    for role, name in declared.declared.items():
        if name is not None and name not in names:
            has = ", ".join(map(repr, names))
            raise UsageError(
                "E-US-010",
                Text(f"the frame has no column {name!r}", f"数据表没有列 {name!r}"),
                where=f"columns.{role}",
                fix=Text(f"its columns are {has}", f"现有列：{has}"),
            )
    return declared
