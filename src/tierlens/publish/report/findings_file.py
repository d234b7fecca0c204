"""Findings kept as JSON, so that the report can be made again without the data."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tierlens.errors import UsageError
from tierlens.publish.files.atomic import write_text
from tierlens.publish.report.findings import Findings
from tierlens.words import Text


def write_findings(findings: Findings, path: Path) -> Path:
    """Keep findings as JSON, with the same bytes for the same findings.

    Examples
    --------
    >>> import tempfile
    >>> from tierlens.publish.report.findings import About
    >>> about = About("shop", True, "CNY", 100, 15126, 365, 0, 90)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_findings(Findings(about, ()), Path(folder) / "findings.json")
    ...     read_findings(path).about.project
    'shop'
    """
    return write_text(path, json.dumps(_plain(asdict(findings)), ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def _plain(value: Any) -> Any:
    """JSON knows no NaN and no infinity: they are kept as text, which reads back as a number."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def read_findings(path: Path) -> Findings:
    """Read findings that ``write_findings`` kept.

    Raises
    ------
    UsageError
        ``E-RP-002`` when the file is not there or is not of this version's shape.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Findings).validate_json(path.read_bytes())
    except (OSError, ValidationError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else f"{problem.error_count()} fields do not fit"
        raise UsageError(
            "E-RP-002",
            Text(f"no findings can be read: {reason}", f"无法读取结果：{reason}"),
            where=str(path),
            fix=Text("run 'tierlens run' again", "请重新运行 tierlens run"),
        ) from None
