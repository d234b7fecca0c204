"""The report: one HTML file in both languages that asks nothing of any other machine."""

from __future__ import annotations

import base64
import hashlib
import math
from pathlib import Path
from typing import Any

from tierlens.errors import MissingExtraError
from tierlens.publish.files.atomic import write_text
from tierlens.publish.files.safe_text import plain_text
from tierlens.publish.report.findings import Findings
from tierlens.publish.report.pictures import draw_all
from tierlens.sources.tables import day_date
from tierlens.words import Lang, Text

Pictures = dict[Lang, dict[str, str]]
"""For each language the pictures by name, as SVG."""

FATES: tuple[tuple[str, Text], ...] = (
    ("used", Text("used", "使用")),
    ("quarantined", Text("quarantined", "隔离")),
    ("deduplicated", Text("deduplicated", "去重")),
    ("note", Text("note", "备注")),
)


def write_report(findings: Findings, path: Path, lang: Lang = "en", pictures: Pictures | None = None) -> Path:
    """Write ``report.html``.

    Parameters
    ----------
    findings : Findings
    path : Path
    lang : {"en", "zh"}
        The language shown first; the other is one click away.
    pictures : dict, optional
        From ``draw_both``, where they were drawn before.

    Raises
    ------
    MissingExtraError
        When ``tierlens[report]`` is not installed.
    """
    return write_text(path, render_report(findings, lang, pictures))


def draw_both(findings: Findings) -> Pictures:
    """Draw all pictures in both languages."""
    return {"en": draw_all(findings, "en"), "zh": draw_all(findings, "zh")}


def render_report(findings: Findings, lang: Lang = "en", pictures: Pictures | None = None) -> str:
    """Return the report as HTML; the same findings give the same text.

    Every text from the data is escaped and freed of control characters. A content policy in the file forbids it to
    load anything and to run any script but its own language switch.
    """
    from markupsafe import Markup

    page = template_environment()
    style, script = (_source(page, name) for name in ("report.css", "report.js"))
    drawn = pictures or draw_both(findings)
    marked = {of: {name: Markup(svg) for name, svg in found.items()} for of, found in drawn.items()}  # noqa: S704  our own SVG, labels escaped by matplotlib
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    text: str = page.get_template("report.html.j2").render(
        findings=findings, lang=lang, pictures=marked, cutoff=day_date(findings.about.cutoff).isoformat(),
        graded=sum(line.customers for line in findings.tiers.lines) if findings.tiers else 0, fates=FATES,
        style=Markup(style), script=Markup(script), script_hash=digest,  # noqa: S704
    )  # fmt: skip
    return text


def template_environment() -> Any:
    """Return the templates: escaped, and strict about names that are missing."""
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError:
        raise MissingExtraError("report", "jinja2") from None
    page = Environment(
        loader=PackageLoader("tierlens.publish.report"), autoescape=True, undefined=StrictUndefined, finalize=_clean,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    page.filters |= {"measured": value_in_unit, "part": share_text}
    return page


def _source(page: Any, name: str) -> str:
    return str(page.loader.get_source(page, name)[0])


def _clean(value: object) -> object:
    """Free a text of control characters; what is marked as safe is ours."""
    return plain_text(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def value_in_unit(value: float, unit: str, minor: int = 100) -> str:
    """Say a value in its unit; money comes in minor units and is said in whole ones.

    Examples
    --------
    >>> shown = [(123440, "money"), (0.256, "share"), (3.0, "orders"), (float("nan"), "days")]
    >>> tuple(value_in_unit(value, unit) for value, unit in shown)
    ('1,234', '25.6%', '3', '–')
    """
    if not math.isfinite(value):
        return "–"
    if unit == "money":
        return f"{value / minor:,.0f}"
    if unit == "share":
        return f"{value:.1%}"
    if unit == "ratio":
        return f"{value:.2f}"
    return f"{value:,.0f}"


def share_text(rows: int, whole: int) -> str:
    """Say rows as a share of all.

    Examples
    --------
    >>> share_text(1, 4), share_text(0, 0)
    ('25.00%', '–')
    """
    return f"{rows / whole:.2%}" if whole else "–"
