"""Who agreed to be contacted: a file beside the orders, read like every other table."""

# ruff: noqa: S608 - every name and text in the SQL goes through quoted() or literal()

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from tierlens.errors import DataError, UsageError
from tierlens.scratch import scratch_folder, temporary_folder
from tierlens.sources.cleaning.cell_sql import as_text
from tierlens.sources.declared.asked import Asked
from tierlens.sources.declared.contract import Column, Contract
from tierlens.sources.parsing.parse_values import clean_id
from tierlens.sources.read import connect_duckdb
from tierlens.sources.staging.stage import stage_source
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
    UsageError
        ``E-US-042`` when the path is a folder.
    DataError
        As :func:`tierlens.sources.read.read_tables`; what advises the run file there advises the option here.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "c.csv"
    ...     _ = file.write_bytes("客户编号,可联系\n00123,是\n".encode("gb18030"))
    ...     read_consent(file).to_pylist()
    [{'customer_id': '00123', 'contactable': '是'}]
    """
    if Path(path).is_dir():
        raise UsageError(
            "E-US-042",
            Text("this is a folder, consent is one file", "这是目录，联系许可须为单个文件"),
            where=str(path),
            fix=Text("name one file of customer_id and contactable after --consent",
                     "请在 --consent 后指定一个含 customer_id 与 contactable 的文件"),
        )  # fmt: skip
    tables = []
    connection = connect_duckdb()
    with scratch_folder(temporary_folder()) as folder, _of_the_option(str(path)):
        for part in stage_source(Asked(CONSENT, (str(path),), "CNY"), folder, connection):
            columns = [part.column(role) or ("NULL", "VARCHAR") for role in ("customer_id", "contactable")]
            texts = ", ".join(as_text(*column) for column in columns)
            tables.append(connection.sql(f"SELECT {texts} FROM {part.relation}").to_arrow_table())
    rows = [(clean_id(name), said) for table in tables for name, said in zip(*table.to_pydict().values(), strict=True)]
    known = [(name, said) for name, said in rows if name is not None]
    names, words = zip(*known, strict=True) if known else ((), ())
    return pa.table({"customer_id": pa.array(names, pa.string()), "contactable": pa.array(words, pa.string())})


_ADVICE: dict[str, Text] = {
    "E-TX-012": Text("keep one of them in the file of --consent", "请在 --consent 的文件中只保留一列"),
    "E-TX-020": Text("export the file of --consent again", "请重新导出 --consent 的文件"),
    "E-TX-023": Text(
        "put one header row with customer_id and contactable on top of a sheet",
        "请在工作表顶部放置一行含 customer_id 与 contactable 的表头",
    ),
    "E-TX-119": Text(
        "call a column so in the file of --consent (customer_id, contactable)",
        "请在 --consent 的文件中使用列名 customer_id 与 contactable",
    ),
    "E-TX-120": Text("check the path after --consent", "请检查 --consent 后的路径"),
    "E-TX-122": Text("save the file of --consent as UTF-8", "请将 --consent 的文件另存为 UTF-8"),
}
"""What to do about a file that no run file names."""


@contextmanager
def _of_the_option(path: str) -> Iterator[None]:
    """Advise the option where reading advises the run file; the headers that there are are told all the same."""
    try:
        yield
    except DataError as problem:
        if problem.code not in _ADVICE:
            raise
        advice, told = _ADVICE[problem.code], problem.fix or Text("", "")
        if problem.code == "E-TX-119":
            advice = Text(
                f"{advice.en}; {told.en.split('; ')[-1]}", f"{advice.zh}；{told.zh.rsplit('；', maxsplit=1)[-1]}"
            )
        raise DataError(problem.code, problem.what, where=problem.where or path, fix=advice) from None
