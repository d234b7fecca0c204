"""Where transactions come from and by which declared rules they are read: the ``source:`` section of a run file."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import duckdb
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_serializer, model_validator

from tierlens.errors import UsageError
from tierlens.sources.declared.asked import Asked
from tierlens.sources.declared.contracts import OTHERS, TRANSACTIONS, contract_of
from tierlens.sources.declared.table_source import Files, Separator, Share, TableSource, Texts, below_folder
from tierlens.sources.messages.row_reasons import QUARANTINE
from tierlens.sources.tables import Currency, day_date, day_number
from tierlens.strict_yaml import refused_value
from tierlens.words import Text

ROLES = (
    "customer_id",
    "order_id",
    "time",
    "product_id",
    "quantity",
    "price",
    "amount",
    "recorded_at",
    "kind",
    "currency",
    "line_id",
)
YUAN = frozenset({"RMB", "rmb", "cny", "人民币", "人民幣", "元", "￥", "¥", "CN¥"})
"""Other words for CNY."""
WITHOUT_CENTS = frozenset({"JPY", "KRW", "VND", "CLP", "ISK"})


def _exact(value: object) -> object:
    """Refuse a binary float where money is due; text, whole numbers and Decimal are exact."""
    if isinstance(value, float):
        raise ValueError(f"write the number as text, '{value}', so that it stays exact")
    return value


def _iso_date(value: object) -> object:
    """Accept a date written as text: YAML's own dates are not read."""
    if not isinstance(value, str):
        return value
    try:
        return day_date(day_number(value))
    except UsageError as problem:
        raise refused_value(problem.what) from None


Exact = Annotated[Decimal, BeforeValidator(_exact), Field(gt=0, allow_inf_nan=False)]


class _Section(BaseModel):
    # What stands in the input of an error may be an address with a password.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Columns(_Section):
    """Which header of the source carries which column of the vocabulary.

    A name that is left out is looked for among the known Chinese and English headers; a name that is set to null is not
    read at all. Needed are ``customer_id``, ``time``, and ``amount`` or ``quantity`` with ``price``.

    Parameters
    ----------
    customer_id, order_id, time, product_id, quantity, price, amount : str, optional
        Headers. ``price`` and ``amount`` are in whole units of the currency; ``amount`` wins where both are there.
        Without ``order_id`` an order is all that a customer bought on one day.
    recorded_at, kind, currency, line_id : str, optional
        When the line was recorded; purchase or return; code of the line's currency; a key that is unique for each line.

    Examples
    --------
    >>> Columns(customer_id="Customer ID", kind=None).declared
    {'customer_id': 'Customer ID', 'kind': None}
    """

    customer_id: str | None = None
    order_id: str | None = None
    time: str | None = None
    product_id: str | None = None
    quantity: str | None = None
    price: str | None = None
    amount: str | None = None
    recorded_at: str | None = None
    kind: str | None = None
    currency: str | None = None
    line_id: str | None = None

    @model_serializer
    def _given(self) -> dict[str, str | None]:
        # A name left out is looked for among known headers, null is not read: what is kept must tell them apart.
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}

    @property
    def declared(self) -> dict[str, str | None]:
        """The names that were given, in the order of the vocabulary."""
        return {role: getattr(self, role) for role in ROLES if role in self.model_fields_set}


class Money(_Section):
    """The currency of the data, and declared rates.

    Parameters
    ----------
    code : str
        ISO 4217 code.
    rates : mapping of str to Decimal
        Units of another currency for one unit of ``code``; written as text, never as a binary float.
    minor : int
        Minor units in one unit; 100, or 1 for currencies that have none.

    Examples
    --------
    >>> Money(code="GBP", rates={"CNY": "10.2"}).currency().rates["CNY"]
    Decimal('10.2')
    >>> Money(code="JPY").minor
    1
    """

    code: str
    rates: Mapping[str, Exact] = {}
    minor: int = Field(default=100, ge=1, le=1000)

    @model_validator(mode="before")
    @classmethod
    def _plain_code(cls, value: Any) -> Any:
        given = {"code": value} if isinstance(value, str) else value
        if isinstance(given, dict) and given.get("code") in YUAN:
            given = {**given, "code": "CNY"}
        if isinstance(given, dict) and given.get("code") in WITHOUT_CENTS:
            return {"minor": 1, **given}
        return given

    @field_validator("code")
    @classmethod
    def _three_letters(cls, code: str) -> str:
        if not re.fullmatch("[A-Z]{3}", code):
            raise refused_value(Text(f"{code!r} is no currency code such as CNY", f"{code!r} 不是币种代码（如 CNY）"))
        return code

    def currency(self) -> Currency:
        """Return the value that the tables carry."""
        return Currency(self.code, dict(self.rates), self.minor)


class NonProducts(_Section):
    """Stock codes that are no products (postage, fees, samples) and what to do with their lines.

    Parameters
    ----------
    codes : tuple of str
        Exact codes, case kept.
    pattern : str, optional
        Regular expression (RE2) that the whole code must match.
    action : {"quarantine", "keep"}
        Kept lines are counted as a flag of the quality report.
    """

    codes: Texts = ()
    pattern: str | None = None
    action: Literal["quarantine", "keep"] = "quarantine"

    @field_validator("pattern")
    @classmethod
    def _is_a_pattern(cls, pattern: str | None) -> str | None:
        try:
            # A connection of its own: on the module's shared one the unread answer bars whatever its caller does next.
            with duckdb.connect() as own:
                own.execute("SELECT regexp_full_match('', ?)", [pattern or ""]).fetchall()
        except duckdb.Error as error:
            reason = str(error).removeprefix("Invalid Input Error: ")
            raise refused_value(
                Text(f"{pattern!r} is no regular expression ({reason})", f"{pattern!r} 不是正则表达式（{reason}）")
            ) from None
        return pattern


class Policies(_Section):
    """What is done with lines that are no plain purchase. Each choice is counted in the quality report.

    Parameters
    ----------
    returns : {"kind", "negative", "order_prefix", "none"}
        How a return is told from a purchase: by the column ``kind``, by a negative quantity or amount, or by an order
        number that starts with ``return_prefix``. Returns are kept with a negative amount.
    return_prefix, adjustment_prefix : str
        Starts of order numbers. Lines of adjustments are quarantined; empty means that there are none.
    non_products : NonProducts
        See there.
    non_positive_price : {"quarantine", "keep_zero"}
        What happens to purchases at a price or amount of zero.
    duplicates : {"drop", "keep"}
        Exact repeats of a line within a file.
    overlap : {"later_file", "keep"}
        Lines of a file that stand identically in a later one.
    reject_limit : float
        Largest allowed share (0-1) of quarantined lines, over all reasons without a limit of their own.
    limits : mapping of str to float
        Largest allowed share of single reasons, by their key: ``{missing_customer: 0.30}``.
    orphan_limit : float
        Largest allowed share (0-1) of lines of customers who are not among those of the table ``customers``; asked only
        where that table is given. The lines are used, and counted as a flag.

    Examples
    --------
    >>> Policies(limits={"missing_customer": 0.3}).reject_limit
    0.01
    """

    returns: Literal["kind", "negative", "order_prefix", "none"] = "kind"
    return_prefix: str = "C"
    adjustment_prefix: str = ""
    non_products: NonProducts = NonProducts()
    non_positive_price: Literal["quarantine", "keep_zero"] = "quarantine"
    duplicates: Literal["drop", "keep"] = "drop"
    overlap: Literal["later_file", "keep"] = "later_file"
    reject_limit: Share = 0.01
    limits: Mapping[str, Share] = {}
    orphan_limit: Share = 0.01

    @field_validator("limits")
    @classmethod
    def _known_reasons(cls, limits: Mapping[str, float]) -> Mapping[str, float]:
        return known_reasons(limits)


def known_reasons(limits: Mapping[str, float]) -> Mapping[str, float]:
    """Refuse limits for reasons that are none (ValueError)."""
    for reason in sorted(set(limits) - set(QUARANTINE)):
        raise refused_value(_none_of(Text("reason to quarantine a line", "隔离原因"), reason, QUARANTINE))
    return limits


def _none_of(what: Text, given: str, known: Iterable[str]) -> Text:
    """Say that a word is none of those known, and which is the nearest."""
    names = list(known)
    near = difflib.get_close_matches(given, names, 1, 0.6)
    listed = Text(f"did you mean {near[0]!r}?", f"是否指 {near[0]!r}？") if near else None
    listed = listed or Text(f"there are {', '.join(names)}", f"可用：{', '.join(names)}")
    return Text(f"{given!r} is no {what.en}; {listed.en}", f"{given!r} 不是{what.zh}；{listed.zh}")


class Source(_Section):
    """Files of transactions and how to read them.

    Parameters
    ----------
    name : str
        What the data are called in every output.
    files : text or list of text
        Paths, globs or folders, in order; together they are one table. CSV, TSV, XLSX and Parquet may be mixed. A path
        that starts with ``data:`` is looked up in the data folder (see
        :func:`tierlens.sources.staging.files.data_folder`). A DuckDB or SQLite file, or an address such as
        ``postgresql://host/database``, gives its ``table``.
    columns : Columns
        Headers; see there.
    headers : list of text
        Names of the columns of text files that have no header line.
    sheets : list of text
        Sheets of workbooks to read; all that have the needed columns where nothing is given.
    separator : str, optional
        Of text files; found from ``, ; tab`` where not given. A space means runs of white space.
    encoding : str, optional
        Of text files; found from UTF-8, UTF-16 and GB18030 where not given.
    currency : Money or str
        A code, or a section with ``code`` and ``rates``.
    timezone : str
        The business time zone: a day begins at its midnight, and times without an offset are in it.
    date_format : str, optional
        strptime format of times given as text, for example ``%d/%m/%Y``.
    policies : Policies
        See there.
    allow_empty : bool
        Whether files without any line are legal.
    table : str, optional
        Table or view of a database, also as ``schema.table``; ``transactions`` where not given.
    tables : mapping of str to TableSource
        The other tables, by the name of their contract: ``{tickets: tickets.csv}``.
    same_customer : str, optional
        A file that says which records are one customer; see :mod:`tierlens.sources.report.duplicate_customers`.
    complete_until : date, optional
        Day up to which all transactions are in the files, most often the day before the export. Lines dated later are
        quarantined. Where it is not given, the end of the data is taken from the lines themselves; see
        :func:`tierlens.features.windows.reach_of`.

    Examples
    --------
    >>> source = Source(files="orders.csv", currency="CNY")
    >>> source.files, source.currency.code, source.timezone
    (('orders.csv',), 'CNY', 'Asia/Shanghai')
    """

    name: str = "data"
    files: Files
    columns: Columns = Columns()
    headers: Texts = ()
    sheets: Texts = ()
    separator: Separator | None = None
    encoding: str | None = None
    currency: Money
    timezone: str = "Asia/Shanghai"
    date_format: str | None = None
    policies: Policies = Policies()
    allow_empty: bool = False
    table: str | None = None
    tables: Mapping[str, TableSource] = {}
    same_customer: str | None = None
    complete_until: Annotated[dt.date, BeforeValidator(_iso_date)] | None = None

    @field_validator("tables")
    @classmethod
    def _known_tables(cls, tables: Mapping[str, TableSource]) -> Mapping[str, TableSource]:
        for name, table in tables.items():
            if name not in OTHERS:
                raise refused_value(_none_of(Text("table", "数据表"), name, OTHERS))
            known_reasons(table.limits)
            for column in sorted(set(table.columns) - set(contract_of(name).names)):
                raise refused_value(
                    _none_of(Text(f"column of {name}", f"{name} 的列"), column, contract_of(name).names)
                )
        return tables

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise refused_value(
                Text(f"{zone!r} is no time zone; write it as Asia/Shanghai", f"{zone!r} 不是时区；请写成 Asia/Shanghai")
            )
        return zone

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str | None) -> str | None:
        if encoding is not None:
            try:
                "".encode(encoding)
            except LookupError:
                raise refused_value(
                    Text(
                        f"{encoding!r} is no encoding; write it as utf-8 or gb18030",
                        f"{encoding!r} 不是编码名称；请写成 utf-8 或 gb18030",
                    )
                ) from None
        return encoding

    @property
    def asked(self) -> Asked:
        """What is asked of the transactions, for staging."""
        return Asked(
            TRANSACTIONS,
            self.files,
            self.currency.code,
            self.columns.declared,
            self.table,
            self.headers,
            self.sheets,
            self.separator,
            self.encoding,
            self.allow_empty,
        )

    def under(self, folder: str | Path) -> Source:
        """Return the same source with relative paths taken from ``folder`` (that of the run file).

        Examples
        --------
        >>> Source(files="a.csv", currency="CNY", tables={"tickets": "t.csv"}).under("shop").tables["tickets"].files
        ('shop/t.csv',)
        """
        same = below_folder(folder, (self.same_customer,))[0] if self.same_customer else None
        others = {name: table.under(folder) for name, table in self.tables.items()}
        return self.model_copy(
            update={"files": below_folder(folder, self.files), "tables": others, "same_customer": same}
        )
