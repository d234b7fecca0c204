"""Who agreed to be contacted: a file beside the orders, read like every other table."""

# ruff: noqa: S608 - every name and text in the SQL goes through quoted() or literal()

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from tierlens.scratch import scratch, temporary
from tierlens.sources.asked import Asked
from tierlens.sources.cells import as_text
from tierlens.sources.contract import Column, Contract
from tierlens.sources.parts import stage
from tierlens.sources.read import connect
from tierlens.sources.values import clean_id
from tierlens.words import Text

CONSENT = Contract(
    "consent",
    "1",
    Text("consent to be contacted", "联系许可"),
    (
        Column("customer_id", "id", Text("customer", "客户"), required=True),
        Column("contactable", "flag", Text("may be contacted", "可联系"), required=True),
    ),
    key=("customer_id",),
    event="",
)


def read_consent(path: str | Path) -> pa.Table:
    r"""Read who agreed to be contacted, as the file says it now.

    Parameters
    ----------
    path : str or Path
        CSV (in any encoding that orders may have), XLSX or Parquet with a column for the customer and one for the
        consent, under the headers that tables of customers may have (``contactable``, 可联系, ...).

    Returns
    -------
    pyarrow.Table
        ``customer_id`` and ``contactable``, text as it stands in the file; rows without a customer are left out.

    Raises
    ------
    DataError
        As :func:`tierlens.sources.read.read`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "c.csv"
    ...     _ = file.write_bytes("客户编号,可联系\n00123,是\n".encode("gb18030"))
    ...     read_consent(file).to_pylist()
    [{'customer_id': '00123', 'contactable': '是'}]
    """
    tables = []
    connection = connect()
    with scratch(temporary()) as folder:
        for part in stage(Asked(CONSENT, (str(path),), "CNY"), folder, connection):
            columns = [part.column(role) or ("NULL", "VARCHAR") for role in ("customer_id", "contactable")]
            texts = ", ".join(as_text(*column) for column in columns)
            tables.append(connection.sql(f"SELECT {texts} FROM {part.relation}").to_arrow_table())
    rows = [(clean_id(name), said) for table in tables for name, said in zip(*table.to_pydict().values(), strict=True)]
    known = [(name, said) for name, said in rows if name is not None]
    names, words = zip(*known, strict=True) if known else ((), ())
    return pa.table({"customer_id": pa.array(names, pa.string()), "contactable": pa.array(words, pa.string())})
