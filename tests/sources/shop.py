"""Small files to read, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tierlens.errors import DataError
from tierlens.sources.declared.source import Source
from tierlens.sources.read import Read, read_tables

HEADER = "customer_id,order_id,time,amount\n"
GOOD = "C1,O1,2026-01-05,10.00\n"


def source_of(path: Path | list[Path], **settings: Any) -> Source:
    """A source of Chinese yuan with no limit on rejects, unless told otherwise."""
    paths = [str(p) for p in path] if isinstance(path, list) else str(path)
    policies = {"reject_limit": 1.0} | settings.pop("policies", {})
    return Source.model_validate({"files": paths, "currency": "CNY", "policies": policies} | settings)


def read_bytes(folder: Path, content: str | bytes, name: str = "orders.csv", **settings: Any) -> Read:
    """Write one file and read it."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_tables(source_of(path, **settings))


def read_rows(folder: Path, *rows: str, header: str = HEADER, **settings: Any) -> Read:
    """Read one CSV file of a header and rows."""
    return read_bytes(folder, header + "".join(f"{row}\n" for row in rows), **settings)


def lines_of(result: Read) -> list[dict[str, Any]]:
    """The settled transactions, in their order."""
    rows: list[dict[str, Any]] = result.tables.transactions.collect("pyarrow").to_native().to_pylist()
    return rows


def column(result: Read, name: str) -> list[Any]:
    """One column of the settled transactions."""
    return [row[name] for row in lines_of(result)]


def refused(folder: Path, content: str | bytes, name: str = "orders.csv", **settings: Any) -> DataError:
    """The error of a file that must be refused, with both languages, a place and a fix."""
    with pytest.raises(DataError) as caught:
        read_bytes(folder, content, name, **settings)
    error = caught.value
    assert error.fix is not None
    assert all((error.what.en, error.what.zh, error.fix.en, error.fix.zh))
    return error


def counted(result: Read) -> Mapping[str, int]:
    """Every count of the quality report in one mapping."""
    quality = result.quality
    return {"used": quality.used, **quality.quarantined, **quality.deduplicated, **quality.normalised, **quality.flags}
