"""Helpers for each engine (DuckDB, Polars, Spark) where Narwhals has no common form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import narwhals as nw

from tierlens.errors import UsageError
from tierlens.words import Text

Frame = nw.LazyFrame[Any]
WITHOUT_BAR = "SET enable_progress_bar = false"
"""DuckDB draws a bar on stdout where Python is interactive (``python -c`` too); stdout is for results."""


def _lazy(native: Any) -> Frame:
    frame: Frame = nw.from_native(native)
    return frame


def lazy_of(table: Any, where: str) -> Frame:
    """Return any table as a lazy frame: one of DuckDB, Polars or PySpark as it is, others in a DuckDB of their own.

    Parameters
    ----------
    table : lazy frame of Narwhals, or table of pandas, Polars, Arrow, DuckDB or PySpark
    where : str
        The parameter that it was given for.

    Raises
    ------
    UsageError
        ``E-US-030`` when it is no table.

    Examples
    --------
    >>> import pandas as pd
    >>> lazy_of(pd.DataFrame({"a": [1]}), "features").collect("pyarrow").rows()
    [(1,)]
    """
    if isinstance(table, nw.LazyFrame):
        return table
    found = _known_table(table, where)
    if isinstance(found, nw.LazyFrame):
        return found
    import duckdb

    connection = duckdb.connect()
    connection.execute(WITHOUT_BAR)
    return _lazy(duckdb.from_arrow(found.to_arrow(), connection=connection))


def arrow_of(table: Any, where: str) -> Any:
    """Return any table as an Arrow table; see :func:`lazy_of`."""
    found = _known_table(table, where)
    return (found.collect("pyarrow") if isinstance(found, nw.LazyFrame) else found).to_arrow()


def _known_table(table: Any, where: str) -> Any:
    try:
        return nw.from_native(table, pass_through=False)
    except TypeError:
        given = type(table).__name__
        raise UsageError(
            "E-US-030",
            Text(f"a {given} is no table", f"{given} 不是数据表"),
            where=where,
            fix=Text("give a pandas, Polars, Arrow, DuckDB or PySpark table",
                     "请提供 pandas、Polars、Arrow、DuckDB 或 PySpark 表"),
        ) from None  # fmt: skip


def small_frame(frame: Frame, columns: Mapping[str, Sequence[int]]) -> Frame:
    """Return a small table of whole numbers that lives in the same engine as ``frame``.

    Parameters
    ----------
    frame : narwhals.LazyFrame
        A frame of DuckDB, Polars or PySpark.
    columns : mapping of str to sequence of int
        Columns of equal length, at least one row; they become int32.

    Examples
    --------
    >>> import duckdb
    >>> orders = nw.from_native(duckdb.connect().sql("select 1 as day"))
    >>> small_frame(orders, {"cutoff": [10, 20]}).collect("pyarrow").to_native().to_pydict()
    {'cutoff': [10, 20]}
    """
    native = frame.to_native()
    rows = list(zip(*columns.values(), strict=True))
    if frame.implementation.is_duckdb():
        values = ", ".join("(" + ", ".join(f"{int(v)}::INTEGER" for v in row) + ")" for row in rows)
        names = ", ".join(f'"{name}"' for name in columns)
        small = native.limit(0).query("anchor", f"SELECT * FROM (VALUES {values}) AS small({names})")  # noqa: S608
        return _lazy(small)
    if frame.implementation.is_pyspark():
        schema = ", ".join(f"`{name}` int" for name in columns)
        return _lazy(native.sparkSession.createDataFrame(rows, schema))
    import polars as pl

    return _lazy(pl.LazyFrame({name: pl.Series(list(v), dtype=pl.Int32) for name, v in columns.items()}))


def settle_frame(frame: Frame) -> Frame:
    """Compute a frame once and return it, so that what follows does not compute it again.

    DuckDB holds the rows in its own memory, Polars in a data frame; on Spark the workers keep them.

    Examples
    --------
    >>> import duckdb
    >>> settle_frame(nw.from_native(duckdb.connect().sql("select 1 as day"))).collect("pyarrow").shape
    (1, 1)
    """
    native = frame.to_native()
    if frame.implementation.is_duckdb():
        return _lazy(native.materialize())
    if frame.implementation.is_pyspark():
        # Cuts the plan as well: Spark analyses all of it again at every step that follows.
        return _lazy(native.localCheckpoint())
    return _lazy(native.collect().lazy())


def parked_frame(frame: Frame, path: Path) -> Frame:
    """Compute a frame once into a Parquet file and return what reads it: for rows too many to hold in memory.

    Parameters
    ----------
    frame : narwhals.LazyFrame
        A frame of DuckDB, Polars or PySpark.
    path : Path
        To be written; whoever asks for it takes it away again.

    Examples
    --------
    >>> import duckdb, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rows = parked_frame(nw.from_native(duckdb.connect().sql("select 1 as day")), Path(folder) / "rows.parquet")
    ...     rows.collect("pyarrow").shape
    (1, 1)
    """
    frame.sink_parquet(path)
    native = frame.to_native()
    if frame.implementation.is_duckdb():
        file = str(path).replace("'", "''")
        return _lazy(native.limit(0).query("anchor", f"SELECT * FROM read_parquet('{file}')"))  # noqa: S608
    if frame.implementation.is_pyspark():
        return _lazy(native.sparkSession.read.parquet(str(path)))
    import polars as pl

    return _lazy(pl.scan_parquet(path))
